/* SPDX-License-Identifier: BSD-2-Clause */
/* tls - "tls/1": TLS 1.3 and 1.2 over any stream, by mbedTLS. */
#include <errno.h>
#include <stdlib.h>
#include <unik/text.h>

#include "tls.h"

#define AT(field) offsetof(struct tls_config, field)
static const struct unik_option options[] = {
    { .key = "certificate", .type = UNIK_STRING, .offset = AT(certificate),
      .help = "PEM file: our certificate, then those between it and an authority; empty: nothing is served" },
    { .key = "key", .type = UNIK_STRING, .offset = AT(key), .help = "PEM file: the certificate's key, without a password" },
    { .key = "authorities", .type = UNIK_STRING, .offset = AT(authorities),
      .help = "PEM file: whom to believe who others are; empty: no connections to others" },
    { .key = "handshake-timeout", .type = UNIK_SECONDS, .offset = AT(handshake_timeout), .fallback = "10s", .min = 0,
      .max = 600, .help = "how long a peer may take until the connection is secure" },
    { .key = "linger", .type = UNIK_SECONDS, .offset = AT(linger), .fallback = "10s", .min = 0, .max = 600,
      .help = "how long a closed connection may take to send its last bytes" },
    { .key = "max-connections", .type = UNIK_INT, .offset = AT(max_connections), .fallback = "256", .min = 1, .max = 100000,
      .help = "connections at a time, of about 40 KiB each; more are refused" },
    { 0 }
};

static const struct unik_counter counters[] = {
    [TLS_ACCEPTED] = { "accepted", UNIK_COUNT, "handshakes done with others who came to us" },
    [TLS_CONNECTED] = { "connected", UNIK_COUNT, "handshakes done with others we went to" },
    [TLS_FAILED] = { "failed", UNIK_COUNT, "handshakes that failed" },
    [TLS_TIMEOUTS] = { "timeouts", UNIK_COUNT, "those of them that took too long" },
    [TLS_REFUSED] = { "refused", UNIK_COUNT, "connections over max-connections" },
    [TLS_CONNECTIONS] = { "connections", UNIK_GAUGE, "connections now" },
    [TLS_CONNECTIONS_HIGH] = { "connections_high", UNIK_HIGH, "most connections at a time" },
    [TLS_BYTES_IN] = { "bytes_in", UNIK_COUNT, "bytes received, opened" },
    [TLS_BYTES_OUT] = { "bytes_out", UNIK_COUNT, "bytes sent, before they were sealed" },
    { 0 }
};

static bool op_can_serve(struct unik_tls *t) { return ((struct tls *)(void *)t)->can_serve; }

static int check(struct unik_ctx *ctx)
{
    const struct tls_config *c = ctx->config;

    if (!c->certificate == !c->key)
        return 0;
    unik_error(ctx, "%s without %s", c->certificate ? "certificate" : "key", c->certificate ? "key" : "certificate");
    return -EINVAL;
}

static void release(struct tls *t)
{
    tls_pool_free(&t->in);
    tls_pool_free(&t->out);
    tls_unload(t);
    t->ctx->data = NULL;
    free(t);
}

static int start(struct unik_ctx *ctx)
{
    struct tls *t = calloc(1, sizeof(*t));
    int e;

    if (!t)
        return -ENOMEM;
    t->ctx = ctx;
    t->config = ctx->config;
    t->in.size = TLS_RECORD;
    t->out.size = TLS_OUT;
    t->tls = (struct unik_tls){ .size = sizeof(t->tls), .serve = tls_serve, .connect = tls_connect, .can_serve = op_can_serve };
    ctx->data = t;
    e = tls_load(t);
    if (e == 0)
        e = unik_provide(ctx, "tls/1", &t->tls);
    if (e < 0) {
        release(t);
        return e;
    }
    unik_ready(ctx);
    return 0;
}

void tls_gone(struct tls *t)
{
    struct unik_ctx *ctx = t->ctx;

    if (!t->stopping || t->n_streams)
        return;
    release(t);
    unik_stopped(ctx);
}

static void stop(struct unik_ctx *ctx)
{
    struct tls *t = ctx->data;
    size_t owned = tls_abort_all(t, false);

    if (owned)
        unik_warn(ctx, "stopped with %zu connections that nobody had closed", owned);
    t->stopping = true;
    tls_gone(t);
}

static void abandon(struct unik_ctx *ctx)
{
    struct tls *t = ctx->data;

    if (!t)
        return;
    t->stopping = false;
    tls_abort_all(t, true);
    release(t);
}

/* A plugin has stopped and left connections here: their callbacks must not be called any more. */
static void left(struct unik_ctx *ctx, struct unik_ctx *user)
{
    struct tls *t = ctx->data;
    size_t n = t ? tls_left(t, user) : 0;

    if (n)
        unik_warn(ctx, "%s stopped and left behind: connections %zu", user->plugin->name, n);
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    const struct tls *t = ctx->data;
    char text[192];

    if (t->can_serve) {
        tls_describe(t, text, sizeof(text));
        unik_text_add(out, "certificate: %s\n", text);
    }
    unik_text_add(out, "authorities: %s\n", t->can_connect ? t->config->authorities : "none");
}

static const char *const provides[] = { "tls/1", NULL };

UNIK_PLUGIN(tls) = {
    UNIK_PLUGIN_HEAD, .name = "tls", .version = "1, mbedTLS " TLS_LIBRARY, .summary = "TLS over any stream, both ends", .targets = UNIK_ON_ANY,
    .provides = provides, .options = options, .config_size = sizeof(struct tls_config), .counters = counters, .check = check,
    .start = start, .stop = stop, .abandon = abandon, .left = left, .status = status
};
