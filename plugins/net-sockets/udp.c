/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-sockets/udp.c - datagrams. What comes while nobody looks waits in the system's buffer, and is lost beyond that. */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockets.h"

struct unik_net_udp {
    struct sockets *n;
    struct unik_ctx *owner;
    struct unik_net_udp *next;
    unik_net_udp_cb *cb;
    void *arg;
    ev_io io;
    bool both;                          /* one socket for both families: IPv4 addresses are written as ::ffff:a.b.c.d */
};

static struct sockets *of(struct unik_net *net) { return (struct sockets *)(void *)net; }

union control {                         /* aligned for what is in it */
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* The system is to tell with each datagram which address it was sent to. */
static void ask_where(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
}

static void where(struct msghdr *m, struct sockaddr_storage *to)
{
    struct sockaddr_in a4 = { .sin_family = AF_INET };
    struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
    struct in6_pktinfo info6;
    struct in_pktinfo info;

    memset(to, 0, sizeof(*to));
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(info))) {
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            a4.sin_addr = info.ipi_addr;
            memcpy(to, &a4, sizeof(a4));
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(info6))) {
            memcpy(&info6, CMSG_DATA(c), sizeof(info6));
            a6.sin6_addr = info6.ipi6_addr;
            memcpy(to, &a6, sizeof(a6));
        }
    }
}

/* From which address a message is to be sent, as the system wants it. */
static void put_from(struct msghdr *m, const struct sockaddr_storage *from)
{
    struct in6_pktinfo info6 = { 0 };
    struct in_pktinfo info = { 0 };
    bool v6 = from->ss_family == AF_INET6;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);

    c->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    c->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
    c->cmsg_len = v6 ? CMSG_LEN(sizeof(info6)) : CMSG_LEN(sizeof(info));
    m->msg_controllen = v6 ? CMSG_SPACE(sizeof(info6)) : CMSG_SPACE(sizeof(info));
    if (v6) {
        memcpy(&info6.ipi6_addr, (const char *)from + offsetof(struct sockaddr_in6, sin6_addr), sizeof(info6.ipi6_addr));
        memcpy(CMSG_DATA(c), &info6, sizeof(info6));
    } else {
        memcpy(&info.ipi_spec_dst, (const char *)from + offsetof(struct sockaddr_in, sin_addr), sizeof(info.ipi_spec_dst));
        memcpy(CMSG_DATA(c), &info, sizeof(info));
    }
}

/* Datagrams, *from the network*. The callback may take the socket away. */
static void on_datagram(struct ev_loop *loop, ev_io *w, int revents)
{
    static uint8_t bytes[SOCKETS_DATAGRAM_MAX];
    struct unik_net_udp *u = w->data;
    struct sockets *n = u->n;
    struct sockaddr_storage from;
    char address[UNIK_NET_ADDRESS_MAX];

    (void)loop, (void)revents;
    n->receiving = u;
    for (int i = 0; i < SOCKETS_DATAGRAMS && n->receiving == u; i++) {
        union control control[2];
        struct iovec all = { bytes, sizeof(bytes) };
        struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &all, .msg_iovlen = 1, .msg_control = control,
                            .msg_controllen = sizeof(control) };
        ssize_t k = recvmsg(w->fd, &m, MSG_DONTWAIT);

        if (k < 0 && (errno == EAGAIN || errno == ENOMEM))
            break;
        if (k < 0)
            continue;                   /* an earlier datagram of ours could not be delivered: the network's affair */
        n->ctx->counters[SOCKETS_DATAGRAMS_IN]++;
        where(&m, &n->datagram_to);
        sockets_name(&from, address);
        u->cb(u, bytes, (size_t)k, address, sockets_port(&from), u->arg);
    }
    n->receiving = NULL;
}

int sockets_udp(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned *port, unik_net_udp_cb *cb,
                void *arg, struct unik_net_udp **out)
{
    struct sockets *n = of(net);
    struct sockaddr_storage a = { 0 };
    socklen_t len = sizeof(a);
    struct unik_net_udp *u;
    bool both = false;
    int fd;

    if (!cb || *port > 65535)
        return -EINVAL;
    if (n->n_udps >= SOCKETS_UDP_MAX)
        return -EMFILE;
    if (!address || !*address)
        address = n->config->address ? n->config->address : "";
    u = calloc(1, sizeof(*u));
    if (!u)
        return -ENOMEM;
    fd = sockets_bound(SOCK_DGRAM, address, *port, &both);
    if (fd < 0) {
        free(u);
        return fd;
    }
    ask_where(fd);
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = sockets_port(&a);
    *u = (struct unik_net_udp){ .n = n, .owner = owner, .next = n->udps, .cb = cb, .arg = arg, .both = both };
    n->udps = u;
    n->n_udps++;
    ev_io_init(&u->io, on_datagram, fd, EV_READ);
    u->io.data = u;
    ev_io_start(n->ctx->loop, &u->io);
    *out = u;
    return 0;
}

int sockets_udp_to(struct unik_net *net, struct unik_net_udp *u, char text[UNIK_NET_ADDRESS_MAX])
{
    struct sockets *n = of(net);

    if (n->receiving != u || n->datagram_to.ss_family == AF_UNSPEC)
        return -ENOENT;
    sockets_name(&n->datagram_to, text);
    return 0;
}

/* Can one be bound to it? The system says of an address that is not ours that there is no way from there. */
static bool ours(const struct sockaddr_storage *a)
{
    char text[UNIK_NET_ADDRESS_MAX];
    bool both;
    int fd;

    sockets_name(a, text);
    fd = sockets_bound(SOCK_DGRAM, text, 0, &both);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* from: NULL, or the address to send it from. */
static int send_it(struct unik_net_udp *u, struct sockaddr_storage *from, const char *address, unsigned port, const void *bytes, size_t size)
{
    struct sockaddr_storage to;
    union control control = { 0 };
    struct iovec all = { (void *)(uintptr_t)bytes, size };
    struct msghdr m = { .msg_name = &to, .msg_iov = &all, .msg_iovlen = 1 };
    socklen_t len;

    if (!address || port == 0 || sockets_parse(address, port, &to, &len) < 0 || (from && from->ss_family != to.ss_family))
        return -EINVAL;
    if (u->both)
        sockets_map(&to, &len);
    m.msg_namelen = len;
    if (from) {
        if (u->both)
            sockets_map(from, &len);
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
        put_from(&m, from);
    }
    if (sendmsg(u->io.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        u->n->ctx->counters[SOCKETS_DATAGRAMS_OUT]++;
        return 0;
    }
    switch (errno) {
    case EAGAIN: case ENOBUFS: case ENOMEM: case EINTR: return -EAGAIN;
    case EMSGSIZE: return -EMSGSIZE;
    case EINVAL: case EADDRNOTAVAIL: return from ? -EADDRNOTAVAIL : -EINVAL;
    case ENETUNREACH: return from && !ours(from) ? -EADDRNOTAVAIL : -ENETUNREACH;
    case EAFNOSUPPORT: return -EINVAL;
    case ECONNREFUSED: return 0;        /* about an earlier one; this one may or may not have gone, as with any datagram */
    default: return -ENETUNREACH;
    }
}

int sockets_send(struct unik_net *net, struct unik_net_udp *u, const char *address, unsigned port, const void *bytes,
                 size_t size)
{
    (void)net;
    return send_it(u, NULL, address, port, bytes, size);
}

int sockets_send_from(struct unik_net *net, struct unik_net_udp *u, const char *from, const char *address, unsigned port,
                      const void *bytes, size_t size)
{
    struct sockaddr_storage us;
    socklen_t len;

    (void)net;
    if (!from || sockets_parse(from, 0, &us, &len) < 0)
        return -EINVAL;
    return send_it(u, &us, address, port, bytes, size);
}

void sockets_unudp(struct unik_net *net, struct unik_net_udp *u)
{
    struct sockets *n = of(net);
    struct unik_net_udp **p = &n->udps;

    while (*p != u)
        p = &(*p)->next;
    *p = u->next;
    n->n_udps--;
    if (n->receiving == u)
        n->receiving = NULL;
    ev_io_stop(n->ctx->loop, &u->io);
    close(u->io.fd);
    free(u);
}

void sockets_udp_free(struct sockets *n)
{
    while (n->udps)
        sockets_unudp(&n->net, n->udps);
}

size_t sockets_udp_left(struct sockets *n, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct unik_net_udp *u = n->udps, *next; u; u = next) {
        next = u->next;
        if (u->owner != owner)
            continue;
        sockets_unudp(&n->net, u);
        found++;
    }
    return found;
}
