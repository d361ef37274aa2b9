/* SPDX-License-Identifier: BSD-2-Clause */
/* hello - the smallest app: one option, one timer, one counter. Copy it to begin your own (unik-new-app NAME). */
#include <errno.h>
#include <stdlib.h>
#include <unik/plugin.h>

struct config {
    const char *text;
    double every;
};

static const struct unik_option options[] = {
    { .key = "text", .type = UNIK_STRING, .offset = offsetof(struct config, text), .fallback = "Hello, world!",
      .help = "what to say" },
    { .key = "every", .type = UNIK_SECONDS, .offset = offsetof(struct config, every), .fallback = "1m", .min = 0,
      .max = 86400, .help = "how often; 0: once" },
    { 0 }
};

enum { SAID };
static const struct unik_counter counters[] = { [SAID] = { "said", UNIK_COUNT, "greetings logged" }, { 0 } };

static void say(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct unik_ctx *ctx = w->data;
    const struct config *config = ctx->config;

    (void)loop, (void)revents;
    unik_info(ctx, "%s", config->text);
    ctx->counters[SAID]++;
}

static int start(struct unik_ctx *ctx)
{
    const struct config *config = ctx->config;
    ev_timer *timer = calloc(1, sizeof(*timer));

    if (!timer)
        return -ENOMEM;
    ev_timer_init(timer, say, 0, config->every);
    timer->data = ctx;
    ctx->data = timer;
    ev_timer_start(ctx->loop, timer);
    unik_ready(ctx);
    return 0;
}

static void stop(struct unik_ctx *ctx)
{
    ev_timer_stop(ctx->loop, ctx->data);
    free(ctx->data);
    unik_stopped(ctx);
}

UNIK_PLUGIN(hello) = {
    UNIK_PLUGIN_HEAD, .name = "hello", .version = "1", .summary = "says hello now and then", .targets = UNIK_ON_ANY,
    .flags = UNIK_APP, .options = options, .config_size = sizeof(struct config), .counters = counters,
    .start = start, .stop = stop
};
