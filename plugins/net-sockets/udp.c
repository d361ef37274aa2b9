/* plugins/net-sockets/udp.c - datagrams. What comes while nobody looks waits in the system's buffer, and is lost beyond that. */
#include <errno.h>
#include <netinet/in.h>
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
        socklen_t len = sizeof(from);
        ssize_t k = recvfrom(w->fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &len);

        if (k < 0 && (errno == EAGAIN || errno == ENOMEM))
            break;
        if (k < 0)
            continue;                   /* an earlier datagram of ours could not be delivered: the network's affair */
        n->ctx->counters[SOCKETS_DATAGRAMS_IN]++;
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

int sockets_send(struct unik_net *net, struct unik_net_udp *u, const char *address, unsigned port, const void *bytes,
                 size_t size)
{
    struct sockaddr_storage to;
    socklen_t len;

    (void)net;
    if (!address || port == 0 || sockets_parse(address, port, &to, &len) < 0)
        return -EINVAL;
    if (u->both)
        sockets_map(&to, &len);
    if (sendto(u->io.fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, len) >= 0) {
        u->n->ctx->counters[SOCKETS_DATAGRAMS_OUT]++;
        return 0;
    }
    switch (errno) {
    case EAGAIN: case ENOBUFS: case ENOMEM: case EINTR: return -EAGAIN;
    case EMSGSIZE: return -EMSGSIZE;
    case EAFNOSUPPORT: case EINVAL: return -EINVAL;
    case ECONNREFUSED: return 0;        /* about an earlier one; this one may or may not have gone, as with any datagram */
    default: return -ENETUNREACH;
    }
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
