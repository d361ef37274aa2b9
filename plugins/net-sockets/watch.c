/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-sockets/watch.c - the system's links and addresses change: told once a turn of the loop, however much it was. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockets.h"

struct unik_net_watch {
    struct unik_net_watch *next;
    struct unik_ctx *owner;
    unik_net_watch_cb *cb;
    void *arg;
};

static struct sockets *of(struct unik_net *net) { return (struct sockets *)(void *)net; }

/* A callback may add or take away watches: those taken away are marked, and freed after the round. */
static void tell(struct sockets *n)
{
    struct unik_net_watch **p = &n->watches;

    n->telling = true;
    for (struct unik_net_watch *w = n->watches; w; w = w->next)
        if (w->cb)
            w->cb(w->arg);
    n->telling = false;
    while (*p) {
        struct unik_net_watch *w = *p;

        if (w->cb) {
            p = &w->next;
            continue;
        }
        *p = w->next;
        free(w);
    }
}

static void on_change(struct ev_loop *loop, ev_io *w, int revents)
{
    struct sockets *n = w->data;
    char messages[8192];

    (void)loop, (void)revents;
    while (recv(w->fd, messages, sizeof(messages), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
        errno = 0;                      /* what has changed is asked for by address() and up(), not read here */
    tell(n);
}

/* A system that cannot tell has addresses that never change. */
void sockets_watch_init(struct sockets *n)
{
    struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        close(fd);
        fd = -1;
    }
    ev_io_init(&n->changes, on_change, fd, EV_READ);
    n->changes.data = n;
    if (fd < 0)
        return;
    ev_io_start(n->ctx->loop, &n->changes);
    ev_unref(n->ctx->loop);             /* alone it is no reason to go on */
}

void sockets_watch_free(struct sockets *n)
{
    if (n->changes.fd >= 0) {
        ev_ref(n->ctx->loop);
        ev_io_stop(n->ctx->loop, &n->changes);
        close(n->changes.fd);
        n->changes.fd = -1;
    }
    while (n->watches) {
        struct unik_net_watch *w = n->watches;

        n->watches = w->next;
        free(w);
    }
}

int sockets_watch(struct unik_net *net, struct unik_ctx *owner, unik_net_watch_cb *cb, void *arg, struct unik_net_watch **out)
{
    struct sockets *n = of(net);
    struct unik_net_watch *w = cb ? malloc(sizeof(*w)) : NULL;

    if (!w)
        return cb ? -ENOMEM : -EINVAL;
    *w = (struct unik_net_watch){ n->watches, owner, cb, arg };
    n->watches = w;
    *out = w;
    return 0;
}

void sockets_unwatch(struct unik_net *net, struct unik_net_watch *w)
{
    struct sockets *n = of(net);
    struct unik_net_watch **p = &n->watches;

    if (n->telling) {
        w->cb = NULL;
        return;
    }
    while (*p != w)
        p = &(*p)->next;
    *p = w->next;
    free(w);
}

size_t sockets_watch_left(struct sockets *n, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct unik_net_watch *w = n->watches, *next; w; w = next) {
        next = w->next;
        if (w->owner != owner || !w->cb)
            continue;
        sockets_unwatch(&n->net, w);
        found++;
    }
    return found;
}
