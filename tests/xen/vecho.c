/* SPDX-License-Identifier: BSD-2-Clause */
/* vecho - a plugin for the lab: echoes on a bare vchan, to be measured against libxenvchan alone. */
#include <errno.h>
#include <stdlib.h>

#include <unik/plugin.h>
#include <unik/vchan.h>

struct config {
    int64_t domid, port;
    uint64_t ring;
};

static const struct unik_option options[] = {
    { .key = "domid", .type = UNIK_INT, .offset = offsetof(struct config, domid), .help = "whom to serve" },
    { .key = "port", .type = UNIK_INT, .offset = offsetof(struct config, port), .fallback = "7", .help = "port" },
    { .key = "ring", .type = UNIK_SIZE, .offset = offsetof(struct config, ring), .fallback = "4096", .help = "each way" },
    { 0 }
};

struct vecho {
    struct unik_ctx *ctx;
    struct unik_vchan *vchan;
    struct unik_stream *channel;
    ev_timer again;
};

static void on_channel(struct unik_stream *s, unsigned events, void *arg)
{
    struct vecho *v = arg;
    const void *bytes;
    size_t n;
    ssize_t k;

    (void)events;
    while ((n = unik_stream_peek(s, &bytes)) > 0) {
        k = unik_stream_write(s, bytes, n);
        if (k <= 0)
            break;
        unik_stream_consume(s, (size_t)k);
    }
    if (v->vchan->state(s) != UNIK_VCHAN_DISCONNECTED)
        return;
    unik_info(v->ctx, "ended: %s", v->vchan->reason(s));
    unik_stream_close(s);
    v->channel = NULL;
    ev_timer_start(v->ctx->loop, &v->again);
}

static void offer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct vecho *v = w->data;
    const struct config *c = v->ctx->config;

    (void)loop, (void)revents;
    if (v->vchan->listen(v->vchan, v->ctx, (int)c->domid, (unsigned)c->port, c->ring, c->ring, on_channel, v,
                         &v->channel) < 0)
        unik_failed(v->ctx, "listen");
}

static int start(struct unik_ctx *ctx)
{
    struct vecho *v = calloc(1, sizeof(*v));

    if (!v)
        return -ENOMEM;
    v->ctx = ctx;
    v->vchan = unik_get(ctx, "vchan/1");
    ctx->data = v;
    ev_timer_init(&v->again, offer, 0.01, 0);
    v->again.data = v;
    ev_timer_start(ctx->loop, &v->again);
    unik_ready(ctx);
    return 0;
}

static void stop(struct unik_ctx *ctx)
{
    struct vecho *v = ctx->data;

    ev_timer_stop(ctx->loop, &v->again);
    if (v->channel)
        unik_stream_close(v->channel);
    free(v);
    unik_stopped(ctx);
}

static const char *const needs[] = { "vchan/1", NULL };

UNIK_PLUGIN(vecho) = {
    UNIK_PLUGIN_HEAD, .name = "vecho", .version = "1", .summary = "echoes on a vchan", .targets = UNIK_ON_QUBES,
    .needs = needs, .options = options, .config_size = sizeof(struct config), .start = start, .stop = stop
};
