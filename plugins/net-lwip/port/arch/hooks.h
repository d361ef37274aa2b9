/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/port/arch/hooks.h - questions that lwIP asks us. */
#ifndef UNIK_LWIP_HOOKS_H
#define UNIK_LWIP_HOOKS_H

#include "lwip/ip_addr.h"
#include "lwip/netif.h"
#include "lwip/prot/tcp.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"

/* random.c: the first sequence number of a connection. Addresses and ports as lwIP keeps them. */
u32_t net_lwip_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote, u16_t remote_port);

/* options.c: may this segment be looked at? */
err_t net_lwip_segment(struct tcp_pcb *pcb, struct tcp_hdr *hdr, u16_t optlen, u16_t opt1len, u8_t *opt2, struct pbuf *p);

/* config.c: the router to an address beyond the link; NULL: none. */
const ip6_addr_t *net_lwip_gateway6(struct netif *netif, const ip6_addr_t *to);

/* answer.c: what lwIP's dns.c calls instead of udp_recv() (local.mk). */
void net_lwip_dns_recv(struct udp_pcb *pcb, udp_recv_fn recv, void *arg);

#endif
