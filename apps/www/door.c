/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/door.c - the ways in from the network: a port for HTTP, and one for https. Each is opened as soon as what it takes is
 * there, and tried again if the port cannot be had. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "www.h"

static unsigned port_of(const struct www_door *d)
{
    return (unsigned)(d->way == WWW_TLS ? d->w->config->tls_port : d->w->config->port);
}

static void on_plain(struct unik_stream *s, void *arg)
{
    struct www_door *d = arg;

    www_serve(d->w, s, WWW_NET);
}

/* *From the network*: nothing of HTTP is seen before the handshake, for which the tls plugin has a deadline. */
static void on_secure(struct unik_stream *raw, void *arg)
{
    struct www_door *d = arg;
    struct unik_stream *s;

    if (d->w->tls->serve(d->w->tls, raw, NULL, NULL, &s) == 0)
        www_serve(d->w, s, WWW_TLS);
}

void www_door_open(struct www_door *d)
{
    struct www *w = d->w;
    double now = ev_now(w->ctx->loop);
    unsigned port = port_of(d);
    int e;

    if (d->listener || !port || !w->net || (d->way == WWW_TLS && !w->tls))
        return;
    if (d->way == WWW_TLS && !w->tls->can_serve(w->tls)) {
        snprintf(d->trouble, sizeof(d->trouble), "port %u: the tls plugin has no certificate", port);
        unik_warn(w->ctx, "%s", d->trouble);
        return;
    }
    unik_backoff_begin(&d->backoff, now);
    e = w->net->listen(w->net, w->ctx, w->config->address, &port, WWW_BACKLOG, d->way == WWW_TLS ? on_secure : on_plain, d,
                       &d->listener);
    if (e == 0) {
        unik_info(w->ctx, "serving %s on port %u%s", w->config->root, port, d->way == WWW_TLS ? ", https" : "");
        d->trouble[0] = 0;
    } else {
        double delay = unik_backoff_delay(&d->backoff, now);

        snprintf(d->trouble, sizeof(d->trouble), "port %u%s%s: %s", port, w->config->address ? " of " : "",
                 w->config->address ? w->config->address : "", strerror(-e));
        unik_warn(w->ctx, "%s; next try in %.3g s", d->trouble, delay);
        d->listener = NULL;
        ev_timer_set(&d->retry, delay, 0);
        ev_timer_start(w->ctx->loop, &d->retry);
    }
}

static void on_retry(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct www_door *d = t->data;

    (void)loop, (void)revents;
    www_door_open(d);
    www_tell_state(d->w);
}

void www_door_init(struct www_door *d, struct www *w, enum www_way way)
{
    d->w = w;
    d->way = way;
    d->backoff = (struct unik_backoff){ .first = 0.5, .most = 30, .good = 30 };
    ev_timer_init(&d->retry, on_retry, 0, 0);
    d->retry.data = d;
}

void www_door_close(struct www_door *d)
{
    ev_timer_stop(d->w->ctx->loop, &d->retry);
    if (d->listener)
        d->w->net->unlisten(d->w->net, d->listener);
    d->listener = NULL;
    d->trouble[0] = 0;
}
