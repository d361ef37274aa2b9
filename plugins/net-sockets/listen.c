/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-sockets/listen.c - listening sockets, and what happens when more connections come than can be held.
 *
 * At max-connections nothing is accepted until one ends: the others wait in the kernel's backlog. Without a free
 * descriptor the reserve is given up for a moment, to accept and drop one connection, so that its peer is told;
 * then accepting rests for a while. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockets.h"

struct unik_net_listener {
    struct sockets *n;
    struct unik_ctx *owner;
    struct unik_net_listener *next;
    unik_net_accept_cb *cb;
    void *arg;
    ev_io io;                           /* fd -1: closed by drain */
    char text[SOCKETS_PEER_MAX];
};

const char *sockets_listener_text(const struct unik_net_listener *l) { return l->text; }
const struct unik_net_listener *sockets_listener_next(const struct unik_net_listener *l) { return l->next; }

static struct sockets *of(struct unik_net *net) { return (struct sockets *)(void *)net; }

static void watch_all(struct sockets *n, bool on)
{
    for (struct unik_net_listener *l = n->listeners; l; l = l->next) {
        if (l->io.fd < 0)
            continue;
        if (on)
            ev_io_start(n->ctx->loop, &l->io);
        else
            ev_io_stop(n->ctx->loop, &l->io);
    }
}

static void pause_accepting(struct sockets *n, const char *why)
{
    double now = ev_now(n->ctx->loop);

    n->ctx->counters[SOCKETS_PAUSES]++;
    watch_all(n, false);
    if (n->told == 0 || now - n->told >= SOCKETS_TELL_EVERY) {
        unik_warn(n->ctx, "%s: not accepting for now (%zu connections)", why, n->n_streams);
        n->told = now;
    }
}

static void pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct sockets *n = w->data;

    (void)loop, (void)revents;
    n->paused = false;
    if (!n->full)
        watch_all(n, true);
}

void sockets_pause_init(struct sockets *n)
{
    ev_timer_init(&n->pause, pause_over, SOCKETS_PAUSE, 0);
    n->pause.data = n;
}

void sockets_resume(struct sockets *n)
{
    if (!n->full || n->draining)
        return;
    n->full = false;
    if (!n->paused)
        watch_all(n, true);
}

static void rest(struct sockets *n, struct unik_net_listener *l, int error)
{
    int fd;

    if (error == EMFILE || error == ENFILE) {
        close(n->reserve);
        fd = accept4(l->io.fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            close(fd);
            n->ctx->counters[SOCKETS_REFUSED]++;
        }
        n->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    n->paused = true;
    ev_timer_set(&n->pause, SOCKETS_PAUSE, 0);
    ev_timer_start(n->ctx->loop, &n->pause);
    pause_accepting(n, strerror(error));
}

/* One connection, *from the network*. 0, or the errno that ends this round. */
static int accept_one(struct sockets *n, struct unik_net_listener *l)
{
    struct sockaddr_storage peer = { 0 };
    socklen_t len = sizeof(peer);
    struct unik_stream *s;
    int fd = accept4(l->io.fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return errno;
    s = sockets_stream_new(n, l->owner, fd, &peer, false);
    if (!s)
        return ENOMEM;
    n->ctx->counters[SOCKETS_ACCEPTED]++;
    l->cb(s, l->arg);
    return 0;
}

static void on_connection(struct ev_loop *loop, ev_io *w, int revents)
{
    struct unik_net_listener *l = w->data;
    struct sockets *n = l->n;

    (void)loop, (void)revents;
    n->accepting = l;
    for (int i = 0; i < SOCKETS_ACCEPT_MAX && n->accepting == l; i++) {
        int e;

        if (n->n_streams >= (size_t)n->config->max_connections) {
            n->full = true;
            pause_accepting(n, "max-connections reached");
            break;
        }
        e = accept_one(n, l);
        if (e == EMFILE || e == ENFILE || e == ENOBUFS || e == ENOMEM) {
            rest(n, l, e);
            break;
        }
        if (e == EAGAIN)
            break;
        /* Any other error is that of one connection that ended before it was accepted. */
    }
    n->accepting = NULL;
}

static int open_socket(const char *address, unsigned port, int backlog)
{
    bool both;
    int fd = sockets_bound(SOCK_STREAM, address, port, &both), e;

    if (fd < 0 || listen(fd, backlog) == 0)
        return fd;
    e = errno;
    close(fd);
    return -e;
}

int sockets_listen(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned *port, int backlog,
                   unik_net_accept_cb *cb, void *arg, struct unik_net_listener **out)
{
    struct sockets *n = of(net);
    struct sockaddr_storage a = { 0 };
    struct unik_net_listener *l;
    socklen_t len = sizeof(a);
    int fd;

    if (!cb || *port > 65535 || backlog < 1)
        return -EINVAL;
    if (n->draining)
        return -ESHUTDOWN;
    if (!address || !*address)
        address = n->config->address ? n->config->address : "";
    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    fd = open_socket(address, *port, backlog);
    if (fd < 0) {
        free(l);
        return fd;
    }
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = sockets_port(&a);
    sockets_format(&a, l->text);
    l->n = n;
    l->owner = owner;
    l->cb = cb;
    l->arg = arg;
    l->next = n->listeners;
    n->listeners = l;
    ev_io_init(&l->io, on_connection, fd, EV_READ);
    l->io.data = l;
    if (!n->paused && !n->full)
        ev_io_start(n->ctx->loop, &l->io);
    unik_info(n->ctx, "listening on %s", l->text);
    *out = l;
    return 0;
}

static void close_listener(struct unik_net_listener *l)
{
    if (l->io.fd < 0)
        return;
    ev_io_stop(l->n->ctx->loop, &l->io);
    close(l->io.fd);
    l->io.fd = -1;
    if (l->n->accepting == l)
        l->n->accepting = NULL;
}

void sockets_unlisten(struct unik_net *net, struct unik_net_listener *l)
{
    struct unik_net_listener **p = &of(net)->listeners;

    while (*p != l)
        p = &(*p)->next;
    *p = l->next;
    close_listener(l);
    free(l);
}

void sockets_listen_stop(struct sockets *n)
{
    for (struct unik_net_listener *l = n->listeners; l; l = l->next)
        close_listener(l);
    ev_timer_stop(n->ctx->loop, &n->pause);
}

void sockets_listen_free(struct sockets *n)
{
    struct unik_net_listener *l = n->listeners;

    while (l) {
        struct unik_net_listener *next = l->next;

        sockets_unlisten(&n->net, l);
        l = next;
    }
}

size_t sockets_listen_left(struct sockets *n, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct unik_net_listener *l = n->listeners, *next; l; l = next) {
        next = l->next;
        if (l->owner != owner)
            continue;
        sockets_unlisten(&n->net, l);
        found++;
    }
    return found;
}
