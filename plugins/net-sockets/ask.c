/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-sockets/ask.c - names by c-ares: the system's hosts file and name servers, without blocking and without a thread.
 * What the library holds lives only as long as there are questions, so that a changed resolv.conf counts for the next one. */
#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "resolve.h"

#define TRIES 3
#define TRY_MS 2000                     /* of the first; the library waits longer for the next */

/* A descriptor of the library's. */
struct asker_fd {
    struct asker_fd *next;
    struct asker *asker;
    ev_io io;
};

struct asker {
    struct sockets *n;
    ares_channel channel;
    struct asker_fd *fds;
    ev_timer timer;
    size_t held;
    bool inside;                        /* one of its functions runs: it is not to be destroyed now */
};

static int errno_of(int status)
{
    switch (status) {
    case ARES_SUCCESS: return 0;
    case ARES_ENOTFOUND: case ARES_ENODATA: case ARES_EBADNAME: return -ENOENT;
    case ARES_ETIMEOUT: return -ETIMEDOUT;
    case ARES_ENOMEM: return -ENOMEM;
    default: return -EHOSTUNREACH;
    }
}

static void forget(struct asker *a)
{
    a->n->asker = NULL;
    a->inside = true;
    ares_destroy(a->channel);           /* answers what is held with ARES_EDESTRUCTION, and closes its descriptors */
    ev_timer_stop(a->n->ctx->loop, &a->timer);
    free(a);
}

/* After each of the library's functions: when it wants to be called again, or its end. */
static void left(struct asker *a)
{
    struct timeval most = { 1, 0 }, tv, *t;

    a->inside = false;
    if (a->held == 0) {
        forget(a);
        return;
    }
    t = ares_timeout(a->channel, &most, &tv);
    ev_timer_stop(a->n->ctx->loop, &a->timer);
    ev_timer_set(&a->timer, (double)t->tv_sec + (double)t->tv_usec / 1e6 + 0.001, 0);
    ev_timer_start(a->n->ctx->loop, &a->timer);
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
    struct asker *a = ((struct asker_fd *)w->data)->asker;

    (void)loop;
    a->inside = true;
    ares_process_fd(a->channel, revents & EV_READ ? w->fd : ARES_SOCKET_BAD, revents & EV_WRITE ? w->fd : ARES_SOCKET_BAD);
    left(a);
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct asker *a = t->data;

    (void)loop, (void)revents;
    a->inside = true;
    ares_process_fd(a->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    left(a);
}

/* The library has opened, closed, or wants to hear of a descriptor. */
static void on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct asker *a = arg;
    struct asker_fd **p = &a->fds, *f;
    int events = (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0);

    while (*p && (*p)->io.fd != fd)
        p = &(*p)->next;
    f = *p;
    if (f)
        ev_io_stop(a->n->ctx->loop, &f->io);
    if (!events) {
        if (f)
            *p = f->next;
        free(f);
        return;
    }
    if (!f) {
        f = calloc(1, sizeof(*f));
        if (!f)
            return;                     /* the query then ends by its time */
        f->asker = a;
        f->next = a->fds;
        a->fds = f;
        ev_io_init(&f->io, on_io, fd, events);
        f->io.data = f;
    } else {
        ev_io_modify(&f->io, events);
    }
    ev_io_start(a->n->ctx->loop, &f->io);
}

static int begin(struct sockets *n)
{
    struct ares_options o = { .timeout = TRY_MS, .tries = TRIES, .sock_state_cb = on_state };
    struct asker *a = calloc(1, sizeof(*a));
    int e;

    if (!a)
        return -ENOMEM;
    a->n = n;
    o.sock_state_cb_data = a;
    ev_timer_init(&a->timer, on_timer, 0, 0);
    a->timer.data = a;
    e = ares_init_options(&a->channel, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (e == ARES_SUCCESS && n->config->dns && *n->config->dns) {
        e = ares_set_servers_ports_csv(a->channel, n->config->dns);
        if (e != ARES_SUCCESS)
            ares_destroy(a->channel);
    }
    if (e != ARES_SUCCESS) {
        unik_warn(n->ctx, "name servers: %s", ares_strerror(e));
        free(a);
        return errno_of(e);
    }
    n->asker = a;
    return 0;
}

/* The answer, *from the network*: the first IPv4 address, or else the first one. */
static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct unik_net_query *q = arg;
    const struct ares_addrinfo_node *best = NULL;
    struct sockaddr_storage a = { 0 };
    char address[UNIK_NET_ADDRESS_MAX];

    (void)timeouts;
    if (q->n->asker)
        q->n->asker->held--;
    for (const struct ares_addrinfo_node *p = info ? info->nodes : NULL; p; p = p->ai_next)
        if (!best || (best->ai_family != AF_INET && p->ai_family == AF_INET))
            best = p;
    if (best && best->ai_addrlen <= sizeof(a)) {
        memcpy(&a, best->ai_addr, best->ai_addrlen);
        sockets_name(&a, address);
    }
    sockets_resolved(q, best ? 0 : status == ARES_SUCCESS ? -ENOENT : errno_of(status), address);
    if (info)
        ares_freeaddrinfo(info);
}

int sockets_ask(struct unik_net_query *q, const char *name, unsigned family)
{
    struct ares_addrinfo_hints hints = { .ai_flags = ARES_AI_NOSORT,
                                         .ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC };
    struct sockets *n = q->n;
    bool inside;
    int e = n->asker ? 0 : begin(n);

    if (e < 0)
        return e;
    inside = n->asker->inside;
    n->asker->inside = true;
    n->asker->held++;
    q->held = true;
    ares_getaddrinfo(n->asker->channel, name, NULL, &hints, on_answer, q);
    if (!inside)
        left(n->asker);
    return 0;
}

void sockets_ask_stop(struct sockets *n)
{
    if (n->asker && !n->asker->inside)
        forget(n->asker);
}
