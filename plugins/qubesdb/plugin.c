/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/plugin.c - a client of dom0's QubesDB daemon: the VM's configuration, in a replica of our own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unik/text.h>
#include "plugins/qubesdb/client.h"

#define OPTION(k, t, field, ...) { .key = k, .type = t, .offset = offsetof(struct qubesdb_config, field), __VA_ARGS__ }

static const char *const seed_choices[] = { "leave", "mix", "clear", NULL };

static const struct unik_option options[] = {
    OPTION("max-entries", UNIK_INT, max_entries, .fallback = "8192", .min = 64, .max = 1000000,
           .help = "most keys kept; dom0's keys beyond are skipped and logged, own writes refused"),
    OPTION("max-bytes", UNIK_SIZE, max_bytes, .fallback = "1M", .min = 65536, .max = 268435456,
           .help = "most bytes of keys and values kept; beyond, as max-entries"),
    OPTION("max-pending", UNIK_SIZE, max_pending, .fallback = "64K", .min = 8192, .max = 16777216,
           .help = "most bytes of own writes that wait for dom0 (72 and the value each); beyond, writes are refused"),
    OPTION("retry", UNIK_SECONDS, retry, .fallback = "100ms", .min = 0, .max = 3600,
           .help = "wait before the first try to connect again; doubles while connections do not last 10 s"),
    OPTION("retry-max", UNIK_SECONDS, retry_max, .fallback = "10s", .min = 0, .max = 3600,
           .help = "longest wait before a try to connect again; there is no last try"),
    OPTION("flush", UNIK_SECONDS, flush, .fallback = "2s", .min = 0, .max = 600,
           .help = "when stopping: how long to wait until dom0 has acknowledged what was written"),
    OPTION("random-seed", UNIK_ENUM, seed, .fallback = "mix", .choices = seed_choices,
           .help = "dom0's random seed: leave it alone, mix it into the kernel's pool, or mix and then clear the key"),
    OPTION("marker", UNIK_STRING, marker, .fallback = "/unik-store",
           .help = "key written before own ones: gone after a reconnect, it tells that dom0's store is new and needs "
                   "them again (empty: no such key, and own keys that dom0 lacks count as removed by it)"),
    { 0 }
};

static const struct unik_counter counters[] = {
    [QUBESDB_CONNECTS] = { "connects", UNIK_COUNT, "connections to dom0's daemon" },
    [QUBESDB_SYNCS] = { "syncs", UNIK_COUNT, "complete dumps received" },
    [QUBESDB_ENTRIES] = { "entries", UNIK_GAUGE, "keys in the replica" },
    [QUBESDB_ENTRIES_HIGH] = { "entries_high", UNIK_HIGH, "most keys in the replica" },
    [QUBESDB_BYTES] = { "bytes", UNIK_GAUGE, "bytes of keys and values in the replica" },
    [QUBESDB_WRITES_IN] = { "writes_in", UNIK_COUNT, "writes by dom0 after the dump" },
    [QUBESDB_REMOVES_IN] = { "removes_in", UNIK_COUNT, "removals by dom0 after the dump" },
    [QUBESDB_WRITES_OUT] = { "writes_out", UNIK_COUNT, "own writes sent to dom0, repeats included" },
    [QUBESDB_REMOVES_OUT] = { "removes_out", UNIK_COUNT, "own removals sent to dom0, repeats included" },
    [QUBESDB_ACKS] = { "acks", UNIK_COUNT, "own requests that dom0 acknowledged" },
    [QUBESDB_REFUSED] = { "refused", UNIK_COUNT, "own requests that dom0 answered with an error" },
    [QUBESDB_RESENT] = { "resent", UNIK_COUNT, "own keys written again because dom0's daemon had started anew" },
    [QUBESDB_PENDING] = { "pending", UNIK_GAUGE, "own requests that dom0 has not answered" },
    [QUBESDB_PENDING_HIGH] = { "pending_high", UNIK_HIGH, "most own requests unanswered at a time" },
    [QUBESDB_SKIPPED] = { "skipped", UNIK_COUNT, "keys of dom0 that were not kept: not valid, or a limit" },
    [QUBESDB_PROTOCOL_ERRORS] = { "protocol_errors", UNIK_COUNT, "messages by dom0 that the protocol does not allow" },
    [QUBESDB_ANSWERS_DROPPED] = { "answers_dropped", UNIK_COUNT, "acknowledgements not sent: dom0 did not read" },
    [QUBESDB_WATCHING] = { "watches", UNIK_GAUGE, "watches by other plugins" },
    { 0 }
};

static int check(struct unik_ctx *ctx)
{
    const struct qubesdb_config *config = ctx->config;

    if (config->marker[0] && !qubesdb_key_ok(config->marker)) {
        unik_error(ctx, "marker = %s: not a key (begins with /, up to %d of A-Z a-z 0-9 _ - / . : @)", config->marker,
                   UNIK_QUBESDB_PATH_MAX);
        return -EINVAL;
    }
    if (config->retry > config->retry_max) {
        unik_error(ctx, "retry = %g s is more than retry-max = %g s", config->retry, config->retry_max);
        return -EINVAL;
    }
    return 0;
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop, (void)revents;
    qubesdb_connect(w->data);
}

static void on_kick(struct ev_loop *loop, ev_idle *w, int revents)
{
    struct qubesdb *q = w->data;

    (void)revents;
    ev_idle_stop(loop, w);
    if (q->watches.due && q->synced)
        qubesdb_watches_serve(&q->watches, &q->replica);
    if (q->watches.due && q->synced)
        qubesdb_kick(q);                /* watches made in those calls: next time */
    qubesdb_pump(q);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct qubesdb *q = w->data;

    (void)loop, (void)revents;
    q->draining = false;
    unik_warn(q->ctx, "%zu own requests not acknowledged by dom0%s", q->queue.count,
              q->phase == QUBESDB_LIVE ? "" : ", which is not connected");
    unik_drained(q->ctx);
}

static void release(struct qubesdb *q)
{
    ev_timer_stop(q->ctx->loop, &q->retry);
    ev_idle_stop(q->ctx->loop, &q->kick);
    ev_timer_stop(q->ctx->loop, &q->deadline);
    if (q->stream)
        unik_stream_close(q->stream);
    qubesdb_watches_free(&q->watches);
    qubesdb_replica_clear(&q->replica);
    qubesdb_replica_clear(&q->dump);
    qubesdb_queue_free(&q->queue);
    unik_ring_free(&q->answers);
    free(q);
}

static int prepare(struct qubesdb *q)
{
    const struct qubesdb_config *config = q->config;

    qubesdb_replica_init(&q->replica, (size_t)config->max_entries, config->max_bytes);
    qubesdb_replica_init(&q->dump, (size_t)config->max_entries, config->max_bytes);
    if (qubesdb_queue_init(&q->queue, config->max_pending) < 0 || unik_ring_init(&q->answers, QUBESDB_ANSWERS_MAX) < 0)
        return -ENOMEM;
    return qubesdb_seed_start(q);
}

static int start(struct unik_ctx *ctx)
{
    struct qubesdb *q = calloc(1, sizeof(*q));
    int e;

    if (!q)
        return -ENOMEM;
    q->api = qubesdb_api;
    q->ctx = ctx;
    q->config = ctx->config;
    q->vchan = unik_get(ctx, "vchan/1");
    q->backoff = (struct unik_backoff){ .first = q->config->retry, .most = q->config->retry_max, .good = QUBESDB_GOOD };
    ev_init(&q->retry, on_retry);
    ev_init(&q->kick, on_kick);
    ev_set_priority(&q->kick, EV_MAXPRI);       /* or a busy loop would never get there */
    ev_init(&q->deadline, on_deadline);
    q->retry.data = q->kick.data = q->deadline.data = q;
    e = q->vchan ? prepare(q) : -ENODEV;
    if (e == 0)
        e = unik_provide(ctx, "qubesdb/1", &q->api);
    if (e < 0) {
        release(q);
        return e;
    }
    ctx->data = q;
    unik_degraded(ctx, "waiting for dom0's daemon");
    qubesdb_connect(q);
    return 0;
}

/* What was written is to reach dom0, which says so with RESP_OK. */
static void drain(struct unik_ctx *ctx)
{
    struct qubesdb *q = ctx->data;

    if (q->queue.count == 0) {
        unik_drained(ctx);
        return;
    }
    q->draining = true;
    ev_timer_set(&q->deadline, q->config->flush, 0);
    ev_timer_start(ctx->loop, &q->deadline);
}

static void stop(struct unik_ctx *ctx)
{
    release(ctx->data);
    ctx->data = NULL;
    unik_stopped(ctx);
}

/* A plugin has stopped and left watches here: their callbacks must not be called any more. */
static void left(struct unik_ctx *ctx, struct unik_ctx *user)
{
    struct qubesdb *q = ctx->data;
    size_t n = q ? qubesdb_watches_left(&q->watches, user) : 0;

    if (n)
        unik_warn(ctx, "%s stopped and left behind: watches %zu", user->plugin->name, n);
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    static const char *const phases[] = { "not connected, next try soon", "waiting for its daemon", "connected",
                                          "connected, receiving the dump", "connected" };
    const struct qubesdb *q = ctx->data;
    size_t kept = 0;

    if (!q)
        return;
    unik_text_add(out, "dom0: %s\n", phases[q->phase]);
    unik_text_add(out, "keys: %zu (%zu bytes)\n", q->replica.n, q->replica.bytes);
    for (size_t i = 0; i < q->replica.n; i++)
        kept += q->replica.at[i]->kept;
    if (kept)
        unik_text_add(out, "of these %zu as dom0 had them before its daemon started anew\n", kept);
    if (q->synced)
        unik_text_add(out, "last sync: %.0f s ago\n", ev_now(ctx->loop) - q->synced_at);
    else
        unik_text_add(out, "last sync: never\n");
    unik_text_add(out, "pending writes: %zu\n", q->queue.count);
}

static const char *const needs[] = { "vchan/1", NULL }, *const provides[] = { "qubesdb/1", NULL };

UNIK_PLUGIN(qubesdb) = {
    UNIK_PLUGIN_HEAD, .name = "qubesdb", .version = "1", .summary = "the VM's configuration from dom0 (QubesDB)",
    .targets = UNIK_ON_QUBES, .flags = UNIK_AWAITED, .needs = needs, .provides = provides, .options = options,
    .config_size = sizeof(struct qubesdb_config), .counters = counters, .check = check, .start = start, .drain = drain,
    .stop = stop, .left = left, .status = status
};
