/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/udp.c - UDP for apps. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lwip/udp.h"

#include "stack.h"

struct unik_net_udp {
    struct stack *n;
    struct unik_ctx *owner;
    struct unik_net_udp *next;
    struct udp_pcb *pcb;
    unik_net_udp_cb *cb;
    void *arg;
};

/* One datagram, *from the network*. The app may give the socket back in its callback: nothing of it is touched after that. */
static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    static uint8_t flat[65536];
    struct unik_net_udp *u = arg;
    struct stack *n = u->n;
    char text[UNIK_NET_ADDRESS_MAX];
    const void *bytes = p->payload;

    (void)pcb;
    if (p->next) {
        pbuf_copy_partial(p, flat, p->tot_len, 0);
        bytes = flat;
    }
    n->ctx->counters[STACK_DATAGRAMS_IN]++;
    text_plain(from, text);
    n->receiving = u;
    u->cb(u, bytes, p->tot_len, text, port, u->arg);
    n->receiving = NULL;
    pbuf_free(p);
}

int stack_udp(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned *port, unik_net_udp_cb *cb,
              void *arg, struct unik_net_udp **out)
{
    struct stack *n = stack_of(net);
    ip_addr_t at = *IP_ANY_TYPE;
    struct unik_net_udp *u;
    err_t e = ERR_USE;

    if (!cb || *port > 65535 || (address && *address && !text_address(address, &at)))
        return -EINVAL;
    if (n->draining)
        return -ESHUTDOWN;
    if (n->n_udps >= STACK_UDP_MAX)
        return -EMFILE;
    u = calloc(1, sizeof(*u));
    if (u)
        u->pcb = udp_new_ip_type(IP_GET_TYPE(&at));
    if (!u || !u->pcb) {
        free(u);
        return -ENOMEM;
    }
    for (int i = 0; i < (*port ? 1 : 32) && e == ERR_USE; i++)
        e = udp_bind(u->pcb, &at, (u16_t)(*port ? *port : random_port()));
    if (e != ERR_OK) {
        udp_remove(u->pcb);
        free(u);
        return e == ERR_USE ? -EADDRINUSE : -EINVAL;
    }
    *port = u->pcb->local_port;
    u->n = n;
    u->owner = owner;
    u->cb = cb;
    u->arg = arg;
    u->next = n->udps;
    n->udps = u;
    n->n_udps++;
    udp_recv(u->pcb, on_datagram, u);
    *out = u;
    return 0;
}

int stack_udp_to(struct unik_net *net, struct unik_net_udp *u, char text[UNIK_NET_ADDRESS_MAX])
{
    if (stack_of(net)->receiving != u)
        return -ENOENT;
    text_plain(ip_current_dest_addr(), text);
    return 0;
}

/* The card copies the bytes before this returns, or ARP does while it waits for an answer: a reference is enough. */
static int send_it(struct stack *n, struct unik_net_udp *u, const ip_addr_t *from, const char *address, unsigned port, const void *bytes,
                   size_t size)
{
    struct pbuf *p;
    ip_addr_t to;
    err_t e;

    if (!address || port == 0 || port > 65535 || !text_address(address, &to) || (from && !IP_IS_V6(from) != !IP_IS_V6(&to)))
        return -EINVAL;
    if (size > 65507)
        return -EMSGSIZE;
    if (!stack_up(&n->net))
        return -ENETUNREACH;
    clock_enter(n);
    p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)size, PBUF_REF);
    if (!p)
        return -EAGAIN;
    ((struct pbuf_rom *)(void *)p)->payload = bytes;
    e = from ? udp_sendto_if_src(u->pcb, p, &to, (u16_t)port, &n->netif, from) : udp_sendto(u->pcb, p, &to, (u16_t)port);
    pbuf_free(p);
    if (e == ERR_OK)
        n->ctx->counters[STACK_DATAGRAMS_OUT]++;
    return e == ERR_OK ? 0 : e == ERR_MEM || e == ERR_BUF ? -EAGAIN : e == ERR_RTE ? -ENETUNREACH : -EINVAL;
}

int stack_send(struct unik_net *net, struct unik_net_udp *u, const char *address, unsigned port, const void *bytes, size_t size)
{
    return send_it(stack_of(net), u, NULL, address, port, bytes, size);
}

static bool ours(const struct stack *n, const ip_addr_t *a)
{
    if (!IP_IS_V6(a))
        return n->here.have4 && memcmp(&ip_2_ip4(a)->addr, n->here.address, 4) == 0;
    for (int i = 0; i < ADMIT_ADDRESSES6; i++)
        if (n->here.have6[i] && memcmp(ip_2_ip6(a)->addr, n->here.address6[i], 16) == 0)
            return true;
    return false;
}

int stack_send_from(struct unik_net *net, struct unik_net_udp *u, const char *from, const char *address, unsigned port, const void *bytes,
                    size_t size)
{
    struct stack *n = stack_of(net);
    ip_addr_t us;

    if (!from || !text_address(from, &us))
        return -EINVAL;
    if (!ours(n, &us) || !(ip_addr_isany(&u->pcb->local_ip) || ip_addr_eq(&u->pcb->local_ip, &us)))
        return -EADDRNOTAVAIL;
    return send_it(n, u, &us, address, port, bytes, size);
}

void stack_unudp(struct unik_net *net, struct unik_net_udp *u)
{
    struct stack *n = stack_of(net);
    struct unik_net_udp **p = &n->udps;

    while (*p != u)
        p = &(*p)->next;
    *p = u->next;
    n->n_udps--;
    if (n->receiving == u)
        n->receiving = NULL;
    udp_remove(u->pcb);
    free(u);
}

size_t udp_left(struct stack *n, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct unik_net_udp *u = n->udps, *next; u; u = next) {
        next = u->next;
        if (u->owner != owner)
            continue;
        stack_unudp(&n->net, u);
        found++;
    }
    return found;
}
