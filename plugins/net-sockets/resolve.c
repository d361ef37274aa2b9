/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-sockets/resolve.c - names to addresses: what every query has in common, whoever asks the name servers.
 *
 * A query that is given up keeps its row until the library has done with it, as single ones cannot be taken back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "protocol/dns.h"
#include "resolve.h"

static struct sockets *of(struct unik_net *net) { return (struct sockets *)(void *)net; }

/* The row goes once the query has been answered (or given up) and nobody below holds it. */
static void release(struct unik_net_query *q)
{
    if (q->cb || q->held)
        return;
    ev_timer_stop(q->n->ctx->loop, &q->timer);
    *q->link = q->next;
    if (q->next)
        q->next->link = q->link;
    q->n->n_queries--;
    free(q);
}

static void answer(struct unik_net_query *q, int error, const char *address)
{
    unik_net_resolve_cb *cb = q->cb;

    q->cb = NULL;
    ev_timer_stop(q->n->ctx->loop, &q->timer);
    if (cb) {
        q->n->ctx->counters[error ? SOCKETS_NAMES_FAILED : SOCKETS_NAMES_FOUND]++;
        cb(error, error ? NULL : address, q->arg);
    }
    release(q);
}

void sockets_resolved(struct unik_net_query *q, int error, const char *address)
{
    q->held = false;
    if (!q->asking) {
        answer(q, error, address);
        return;
    }
    q->error = error;                   /* known without asking: told from the loop */
    if (!error)
        snprintf(q->address, sizeof(q->address), "%s", address);
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct unik_net_query *q = t->data;

    (void)loop, (void)revents;
    if (*q->address)
        answer(q, 0, q->address);
    else
        answer(q, q->error ? q->error : -ETIMEDOUT, NULL);
}

static void ask(struct unik_net_query *q, const char *name, unsigned family)
{
    int e;

    q->asking = true;
    e = sockets_ask(q, name, family);
    if (e < 0)
        q->error = e;
    q->asking = false;
}

int sockets_resolve(struct unik_net *net, struct unik_ctx *owner, const char *name, unsigned family, unik_net_resolve_cb *cb,
                    void *arg, struct unik_net_query **out)
{
    struct sockets *n = of(net);
    struct sockaddr_storage a;
    struct unik_net_query *q;
    char plain[DNS_NAME_MAX];
    socklen_t len;
    bool numeric;

    if (!cb || !name || dns_plain_name(name, plain) < 0 || (family && family != 4 && family != 6))
        return -EINVAL;
    numeric = sockets_parse(plain, 0, &a, &len) == 0;
    if (!numeric && dns_ends_in_number(plain))
        return -EINVAL;                 /* "127.1": an address here, and a name there */
    if (n->n_queries >= SOCKETS_QUERIES_MAX)
        return -EMFILE;
    q = calloc(1, sizeof(*q));
    if (!q)
        return -ENOMEM;
    *q = (struct unik_net_query){ .n = n, .owner = owner, .next = n->queries, .link = &n->queries, .cb = cb, .arg = arg };
    if (q->next)
        q->next->link = &q->next;
    n->queries = q;
    n->n_queries++;
    ev_timer_init(&q->timer, on_timer, SOCKETS_NAME_SECONDS, 0);
    q->timer.data = q;
    if (!numeric)
        ask(q, plain, family);
    else if (family && (a.ss_family == AF_INET) != (family == 4))
        q->error = -ENOENT;
    else
        sockets_name(&a, q->address);
    if (q->error || *q->address)
        ev_timer_set(&q->timer, 0, 0);
    ev_timer_start(n->ctx->loop, &q->timer);
    *out = q;
    return 0;
}

void sockets_unresolve(struct unik_net *net, struct unik_net_query *q)
{
    struct sockets *n = of(net);

    q->cb = NULL;
    ev_timer_stop(n->ctx->loop, &q->timer);
    release(q);
    for (q = n->queries; q && !q->cb; q = q->next)
        ;
    if (!q)
        sockets_ask_stop(n);            /* nobody waits for what is still asked */
}

void sockets_resolve_free(struct sockets *n)
{
    for (struct unik_net_query *q = n->queries, *next; q; q = next) {
        next = q->next;
        q->cb = NULL;
        ev_timer_stop(n->ctx->loop, &q->timer);
        release(q);
    }
    sockets_ask_stop(n);
}

size_t sockets_resolve_left(struct sockets *n, const struct unik_ctx *owner)
{
    struct unik_net_query *q;
    size_t found = 0;

    do {                                /* each from the start: taking one back may free others */
        for (q = n->queries; q && !(q->owner == owner && q->cb); q = q->next)
            ;
        if (q) {
            sockets_unresolve(&n->net, q);
            found++;
        }
    } while (q);
    return found;
}
