/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/answer.c - a look at DNS answers, *from the network*, before lwIP has them. lwIP 2.2.1 takes the first address in an
 * answer, whoever's it is said to be; it must be of the name that was asked for, or of what that is an alias of. All else (the server,
 * port, id and question of it) lwIP compares itself. */
#include "arch/hooks.h"
#include "lwip/udp.h"

#include "protocol/dns.h"

#include "stack.h"

static udp_recv_fn lwips;               /* its dns_recv() */
uint64_t answer_refused;

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    uint8_t message[DNS_MESSAGE_MAX];

    if (p->tot_len > sizeof(message) || dns_check_answer(message, pbuf_copy_partial(p, message, p->tot_len, 0)) < 0) {
        answer_refused++;
        pbuf_free(p);
        return;
    }
    lwips(arg, pcb, p, from, port);
}

void net_lwip_dns_recv(struct udp_pcb *pcb, udp_recv_fn recv, void *arg)
{
    lwips = recv;
    udp_recv(pcb, on_datagram, arg);
}
