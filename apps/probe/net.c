/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/probe/net.c - the network's part of probe: echo, discard and chargen (as RFC 862 to 864, but that discard says how much there was
 * and chargen sends a pattern that can be checked), and what can be asked of the network by a call. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/probe/probe.h"

/* From the network. */
struct connection {
    LIST_ENTRY(connection) link;
    struct unik_ctx *ctx;
    struct unik_stream *s;
    uint64_t count;                     /* bytes read, or written */
};

static void drop(struct connection *c)
{
    struct probe *p = c->ctx->data;

    unik_stream_close(c->s);
    LIST_REMOVE(c, link);
    p->n_connections--;
    c->ctx->counters[CONNECTIONS]--;
    free(c);
}

static void on_echo(struct unik_stream *s, unsigned events, void *arg)
{
    (void)events;
    if (probe_pass(s, s))
        drop(arg);
}

static void on_discard(struct unik_stream *s, unsigned events, void *arg)
{
    struct connection *c = arg;
    const void *bytes;
    char text[32];
    size_t n;

    (void)events;
    while ((n = unik_stream_peek(s, &bytes)) > 0) {
        c->count += n;
        unik_stream_consume(s, n);
    }
    if (!unik_stream_ended(s))
        return;
    n = (size_t)snprintf(text, sizeof(text), "%llu\n", (unsigned long long)c->count);
    unik_stream_write(s, text, n);
    drop(c);
}

/* Byte i of the stream is i % PROBE_CHUNK % 251. What the peer sends is not wanted; its end is. */
static void on_chargen(struct unik_stream *s, unsigned events, void *arg)
{
    struct connection *c = arg;
    struct probe *p = c->ctx->data;
    const void *bytes;
    ssize_t k;
    size_t n;

    (void)events;
    while ((n = unik_stream_peek(s, &bytes)) > 0)
        unik_stream_consume(s, n);
    if (unik_stream_ended(s)) {
        drop(c);
        return;
    }
    do {
        size_t at = (size_t)(c->count % PROBE_CHUNK);

        k = unik_stream_write(s, p->pattern + at, PROBE_CHUNK - at);
        if (k > 0)
            c->count += (uint64_t)k;
    } while (k > 0);
    if (k < 0)
        drop(c);
}

static unik_stream_cb *const served[PROBE_KINDS] = { on_echo, on_discard, on_chargen };

static void accepted(struct unik_stream *s, struct unik_ctx *ctx, enum probe_kind kind)
{
    struct probe *p = ctx->data;
    struct connection *c = p->n_connections < CONNECTIONS_MAX ? calloc(1, sizeof(*c)) : NULL;

    if (!c) {
        ctx->counters[REFUSED]++;
        unik_stream_close(s);
        return;
    }
    c->ctx = ctx;
    c->s = s;
    LIST_INSERT_HEAD(&p->connections, c, link);
    p->n_connections++;
    if (++ctx->counters[CONNECTIONS] > ctx->counters[CONNECTIONS_HIGH])
        ctx->counters[CONNECTIONS_HIGH] = ctx->counters[CONNECTIONS];
    unik_stream_on(s, served[kind], c);
    served[kind](s, UNIK_STREAM_INPUT | UNIK_STREAM_ROOM, c);
}

static void accept_echo(struct unik_stream *s, void *arg) { accepted(s, arg, PROBE_ECHO); }
static void accept_discard(struct unik_stream *s, void *arg) { accepted(s, arg, PROBE_DISCARD); }
static void accept_chargen(struct unik_stream *s, void *arg) { accepted(s, arg, PROBE_CHARGEN); }

static void on_datagram(struct unik_net_udp *u, const void *bytes, size_t n, const char *address, unsigned port, void *arg)
{
    struct unik_ctx *ctx = arg;
    struct probe *p = ctx->data;

    if (p->net->send(p->net, u, address, port, bytes, n) == 0)
        ctx->counters[DATAGRAMS]++;
}

void probe_net_arrived(struct unik_ctx *ctx, struct unik_net *net)
{
    static unik_net_accept_cb *const accept[PROBE_KINDS] = { accept_echo, accept_discard, accept_chargen };
    const struct probe_config *config = ctx->config;
    struct probe *p = ctx->data;

    p->net = net;
    for (size_t i = 0; i < PROBE_KINDS; i++) {
        unsigned port = (unsigned)config->port[i];
        int e = port ? net->listen(net, ctx, "", &port, 128, accept[i], ctx, &p->listener[i]) : 0;

        if (e == 0 && port && i == PROBE_ECHO)
            e = net->udp(net, ctx, "", &port, on_datagram, ctx, &p->udp);
        if (e < 0)
            unik_error(ctx, "port %u: %s", port, strerror(-e));
    }
}

void probe_net_gone(struct unik_ctx *ctx)
{
    struct probe *p = ctx->data;
    struct job *j, *next;

    if (!p->net)
        return;
    for (j = LIST_FIRST(&p->jobs); j; j = next) {
        next = LIST_NEXT(j, link);
        if (j->far || j->query)
            probe_end(j, UNIK_QREXEC_BROKEN);
    }
    while (!LIST_EMPTY(&p->connections))
        drop(LIST_FIRST(&p->connections));
    for (size_t i = 0; i < PROBE_KINDS; i++)
        if (p->listener[i])
            p->net->unlisten(p->net, p->listener[i]);
    if (p->udp)
        p->net->unudp(p->net, p->udp);
    memset(p->listener, 0, sizeof(p->listener));
    p->udp = NULL;
    p->net = NULL;
}

/* ---- calls ---- */

static void on_address(int error, const char *address, void *arg)
{
    struct job *j = arg;

    j->query = NULL;
    if (!error) {
        unik_stream_write(j->call->io, address, strlen(address));
        unik_stream_write(j->call->io, "\n", 1);
    }
    probe_end(j, error ? 1 : 0);
}

static void on_caller(struct unik_stream *s, unsigned events, void *arg)
{
    (void)events;
    if (unik_stream_ended(s) < 0)
        probe_end(arg, 1);
}

void probe_resolve(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = probe_begin(call, arg);
    struct probe *p = j ? j->ctx->data : NULL;

    if (!j)
        return;
    unik_stream_on(call->io, on_caller, j);
    if (!p->net || p->net->resolve(p->net, j->ctx, call->argument, 0, on_address, j, &j->query) < 0)
        probe_end(j, UNIK_QREXEC_BROKEN);
}

static void relay(struct unik_stream *s, unsigned events, void *arg)
{
    struct job *j = arg;
    int e;

    (void)s, (void)events;
    if (!probe_input(j, j->far))
        return;
    e = probe_pass(j->far, j->call->io);
    if (e == 1)
        probe_end(j, 0);
    else if (e < 0)
        probe_abort(j, 0);
}

void probe_connect(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = probe_begin(call, arg);
    const char *plus = strchr(call->argument, '+');
    struct probe *p = j ? j->ctx->data : NULL;
    char address[UNIK_NET_ADDRESS_MAX];

    if (!j)
        return;
    snprintf(address, sizeof(address), "%.*s", plus ? (int)(plus - call->argument) : 0, call->argument);
    for (char *c = address; *c; c++)
        if (*c == '_')
            *c = ':';
    if (!plus || !p->net ||
        p->net->connect(p->net, j->ctx, address, (unsigned)strtoul(plus + 1, NULL, 10) & 0xffff, relay, j, &j->far) < 0) {
        probe_end(j, UNIK_QREXEC_BROKEN);
        return;
    }
    unik_stream_on(call->io, relay, j);
}
