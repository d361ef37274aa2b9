/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/xenstore/plugin.c - "xenstore/1": which xenstored, and the coming and going of the connection to it.
 *
 * Of our own and not libxenstore, because that blocks, and linked statically it has no reader thread, so that a watch
 * breaks the next request.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unik/text.h>
#include "plugins/xenstore/client.h"

static const struct unik_option options[] = {
    { .key = "socket", .type = UNIK_STRING, .offset = offsetof(struct xenstore_config, socket),
      .help = "unix socket of a xenstored; neither this nor device: XENSTORED_PATH, else what there is" },
    { .key = "device", .type = UNIK_STRING, .offset = offsetof(struct xenstore_config, device),
      .help = "xenbus device, as /dev/xen/xenbus" },
    { .key = "requests", .type = UNIK_INT, .offset = offsetof(struct xenstore_config, requests), .fallback = "128",
      .min = 8, .max = 65536, .help = "requests in flight; more are refused" },
    { .key = "watches", .type = UNIK_INT, .offset = offsetof(struct xenstore_config, watches), .fallback = "128",
      .min = 1, .max = 65536, .help = "watches; 128 is what xenstored lets a domain have" },
    { .key = "transactions", .type = UNIK_INT, .offset = offsetof(struct xenstore_config, transactions),
      .fallback = "10", .min = 1, .max = 1024,
      .help = "transactions open at a time; 10 is what xenstored lets a domain have" },
    { .key = "buffer", .type = UNIK_SIZE, .offset = offsetof(struct xenstore_config, buffer), .fallback = "64K",
      .min = 2L * XENSTORE_MESSAGE_MAX, .max = 16 << 20, .help = "bytes of requests that wait to be sent" },
    { 0 }
};

static const struct unik_counter counters[] = {
    [COUNT_REQUESTS] = { "requests", UNIK_COUNT, "requests sent" },
    [COUNT_REPLIES] = { "replies", UNIK_COUNT, "replies to them" },
    [COUNT_ERRORS] = { "errors", UNIK_COUNT, "requests that ended with an error" },
    [COUNT_REFUSED] = { "refused", UNIK_COUNT, "requests, transactions and watches refused: a limit was reached" },
    [COUNT_STRAY] = { "stray", UNIK_COUNT, "replies to no request, ignored" },
    [COUNT_BAD] = { "bad", UNIK_COUNT, "messages from xenstored that made no sense" },
    [COUNT_EVENTS] = { "events", UNIK_COUNT, "watch events told" },
    [COUNT_LATE_EVENTS] = { "late_events", UNIK_COUNT, "watch events for watches that had been removed" },
    [COUNT_CONNECTS] = { "connects", UNIK_COUNT, "connections made to xenstored" },
    [COUNT_LOST] = { "lost", UNIK_COUNT, "connections lost" },
    [GAUGE_IN_FLIGHT] = { "in_flight", UNIK_GAUGE, "requests without reply yet" },
    [HIGH_IN_FLIGHT] = { "in_flight_high", UNIK_HIGH, "the most of these" },
    [GAUGE_WATCHES] = { "watches", UNIK_GAUGE, "watches, those being removed included" },
    [GAUGE_TRANSACTIONS] = { "transactions", UNIK_GAUGE, "transactions open" },
    [HIGH_QUEUED] = { "queued_high", UNIK_HIGH, "the most bytes that waited to be sent" },
    { 0 }
};

/* In the order in which they are looked for. A domain other than dom0 has only the devices. */
static const struct { const char *path; bool device; } places[] = {
    { "/dev/xen/xenbus", true },
    { "/proc/xen/xenbus", true },
    { "/run/xenstored/socket", false },
    { "/var/run/xenstored/socket", false },
};
#define PLACES (sizeof(places) / sizeof(*places))

static const char *from_environment(void)
{
    const char *p = getenv("XENSTORED_PATH");   /* libxenstore's: so that libxenvchan uses the same xenstored */

    return p && *p ? p : NULL;
}

static int usable(struct unik_ctx *ctx)
{
    (void)ctx;
    if (from_environment())
        return 0;
    for (size_t i = 0; i < PLACES; i++)
        if (access(places[i].path, R_OK | W_OK) == 0)
            return 0;
    return -ENODEV;
}

static int check(struct unik_ctx *ctx)
{
    const struct xenstore_config *c = ctx->config;
    const char *place = c->socket ? c->socket : c->device;

    if (c->socket && c->device)
        unik_error(ctx, "socket = %s and device = %s: only one of them can be used", c->socket, c->device);
    else if (place && (!*place || strlen(place) >= XENSTORE_PLACE_MAX))
        unik_error(ctx, "%s = \"%s\": 1 to %d bytes", c->socket ? "socket" : "device", place, XENSTORE_PLACE_MAX - 1);
    else
        return 0;
    return -EINVAL;
}

static int choose(struct xenstore *x)
{
    const struct xenstore_config *c = x->ctx->config;
    const char *place = c->socket ? c->socket : c->device ? c->device : from_environment();

    x->is_device = c->device;
    for (size_t i = 0; !place && i < PLACES; i++)
        if (access(places[i].path, F_OK) == 0) {
            place = places[i].path;
            x->is_device = places[i].device;
        }
    if (!place)
        unik_error(x->ctx, "no xenstored here: XENSTORED_PATH is not set, and there is no %s, %s, %s, %s",
                   places[0].path, places[1].path, places[2].path, places[3].path);
    else if (strlen(place) >= sizeof(x->place))
        unik_error(x->ctx, "XENSTORED_PATH = %s: longer than %zu bytes", place, sizeof(x->place) - 1);
    else {
        snprintf(x->place, sizeof(x->place), "%s", place);
        return 0;
    }
    return place ? -ENAMETOOLONG : -ENODEV;
}

/* ---- the connection ---- */

static void try_later(struct xenstore *x)
{
    ev_timer_stop(x->ctx->loop, &x->retry);
    ev_timer_set(&x->retry, unik_backoff_delay(&x->backoff, ev_now(x->ctx->loop)), 0);
    ev_timer_start(x->ctx->loop, &x->retry);
}

static void ask_domid(struct xenstore *x);

static void domid_done(struct xenstore *x, const struct xenstore_request *r, int error, const char *value, size_t len)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    (void)r;
    if (x->stopping || !x->link.up)
        return;
    if (!error && (!len || *value < '0' || *value > '9' || *end || n > XENSTORE_DOMID_MAX))
        error = -EPROTO;
    if (error) {
        unik_warn(x->ctx, "%s: domid is not known: %s (\"%.16s\"); asking again", x->place, strerror(-error), value);
        unik_degraded(x->ctx, "domid is not known");
        try_later(x);
        return;
    }
    x->domid = (int)n;
    x->told = false;
    unik_info(x->ctx, "connected to %s, domain %d", x->place, x->domid);
    unik_ready(x->ctx);
}

static void ask_domid(struct xenstore *x)
{
    struct xenstore_message m = { .type = XENSTORE_READ, .path = "domid" };

    if (xenstore_send_own(x, &m, domid_done, 0) < 0)
        try_later(x);
}

static int connect_now(struct xenstore *x)
{
    int e;

    unik_backoff_begin(&x->backoff, ev_now(x->ctx->loop));
    e = xenstore_link_open(&x->link, x->place, x->is_device);
    if (e < 0)
        return e;
    ++*xenstore_count(x, COUNT_CONNECTS);
    ask_domid(x);
    xenstore_pump(x);
    return 0;
}

/* A socket may not be there yet; a line the first time, and when it works. */
static void connect_or_later(struct xenstore *x)
{
    char why[XENSTORE_PLACE_MAX + 64];
    int e = connect_now(x);

    if (e == 0)
        return;
    snprintf(why, sizeof(why), "%s: %s", x->place, strerror(-e));
    unik_log(x->ctx, x->told ? UNIK_DEBUG : UNIK_WARNING, "%s; trying again", why);
    x->told = true;
    unik_degraded(x->ctx, why);
    try_later(x);
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct xenstore *x = w->data;

    (void)loop, (void)revents;
    if (x->link.fd >= 0)
        ask_domid(x);
    else
        connect_or_later(x);
}

static void finish_stop(struct xenstore *x)
{
    struct unik_ctx *ctx = x->ctx;

    ctx->data = NULL;
    xenstore_free(x);
    unik_stopped(ctx);
}

void xenstore_lost(struct xenstore *x, int error, const char *why)
{
    char line[XENSTORE_PLACE_MAX + 128];

    snprintf(line, sizeof(line), "%s: %s (%s)", x->place, why, strerror(-error));
    xenstore_link_close(&x->link);
    ++*xenstore_count(x, COUNT_LOST);
    if (!x->stopping) {
        unik_log(x->ctx, x->is_device ? UNIK_ERROR : UNIK_WARNING, "%s; %u requests had no reply yet, "
                 "%u watches will be registered again", line, (unsigned)*xenstore_count(x, GAUGE_IN_FLIGHT),
                 (unsigned)*xenstore_count(x, GAUGE_WATCHES));
        if (!x->is_device) {
            x->told = true;
            unik_degraded(x->ctx, line);
            try_later(x);
        }
    }
    xenstore_txs_lost(x);
    xenstore_watches_lost(x);
    xenstore_requests_fail(x, -ECONNRESET);
    if (x->stopping)
        finish_stop(x);
    else if (x->is_device)
        unik_failed(x->ctx, line);
}

/* ---- start and stop ---- */

static uint32_t power_of_two(int64_t n)
{
    uint32_t p = 1;

    while (p < n)
        p *= 2;
    return p;
}

struct xenstore *xenstore_new(struct unik_ctx *ctx)
{
    const struct xenstore_config *c = ctx->config;
    struct xenstore *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->api = xenstore_api;
    x->ctx = ctx;
    x->domid = -1;
    x->backoff = (struct unik_backoff){ .first = 0.1, .most = 10, .good = 10 };
    x->request_count = power_of_two(c->requests);
    x->watch_count = power_of_two(c->watches);
    x->watch_max = (uint32_t)c->watches;
    x->tx_count = (uint32_t)c->transactions;
    x->txs = calloc(x->tx_count, sizeof(*x->txs));
    ev_init(&x->retry, on_retry);
    x->retry.data = x;
    ev_init(&x->deadline, NULL);
    if (xenstore_link_init(&x->link, x, c->buffer) < 0 || xenstore_requests_init(x) < 0 ||
        xenstore_watches_init(x) < 0 || !x->txs) {
        xenstore_free(x);
        return NULL;
    }
    return x;
}

void xenstore_free(struct xenstore *x)
{
    ev_timer_stop(x->ctx->loop, &x->retry);
    ev_timer_stop(x->ctx->loop, &x->deadline);
    xenstore_link_free(&x->link);
    xenstore_requests_free(x);
    xenstore_watches_free(x);
    free(x->txs);
    *xenstore_count(x, GAUGE_IN_FLIGHT) = 0;
    *xenstore_count(x, GAUGE_WATCHES) = 0;
    *xenstore_count(x, GAUGE_TRANSACTIONS) = 0;
    free(x);
}

static int start(struct unik_ctx *ctx)
{
    struct xenstore *x = xenstore_new(ctx);
    int e;

    if (!x)
        return -ENOMEM;
    e = choose(x);
    if (e == 0 && x->is_device && (e = connect_now(x)) < 0)
        unik_error(ctx, "%s: %s", x->place, strerror(-e));
    if (e == 0)
        e = unik_provide(ctx, "xenstore/1", &x->api);
    if (e < 0) {
        xenstore_free(x);
        return e;
    }
    ctx->data = x;
    if (!x->is_device)
        connect_or_later(x);
    return 0;
}

/* Everything that was asked for has been answered, and there is nothing left to take back. */
static bool is_settled(const struct xenstore *x) { return !x->link.up || (!x->first && !x->todo); }

void xenstore_settle(struct xenstore *x)
{
    if (x->stopping && is_settled(x))
        finish_stop(x);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct xenstore *x = w->data;

    (void)loop, (void)revents;
    unik_warn(x->ctx, "%s: %u requests without reply after %.1f s", x->place,
              (unsigned)*xenstore_count(x, GAUGE_IN_FLIGHT), XENSTORE_STOP_SECONDS);
    finish_stop(x);
}

/* What was queued still goes out, watches are taken back one by one, transactions aborted: RESET_WATCHES would hit
 * those of others behind the same device. */
static void stop(struct unik_ctx *ctx)
{
    struct xenstore *x = ctx->data;

    x->stopping = true;
    ev_timer_stop(ctx->loop, &x->retry);
    xenstore_requests_cancel(x);
    xenstore_watches_leave(x);
    xenstore_txs_leave(x);
    xenstore_pump(x);
    if (is_settled(x)) {
        finish_stop(x);
        return;
    }
    ev_timer_init(&x->deadline, on_deadline, XENSTORE_STOP_SECONDS, 0);
    x->deadline.data = x;
    ev_timer_start(ctx->loop, &x->deadline);
}

static void abandon(struct unik_ctx *ctx)
{
    if (ctx->data)
        xenstore_free(ctx->data);
    ctx->data = NULL;
}

/* A plugin has stopped and left something here: its callbacks must not be called any more. */
static void left(struct unik_ctx *ctx, struct unik_ctx *user)
{
    struct xenstore *x = ctx->data;
    size_t requests, txs, watches;

    if (!x)
        return;
    requests = xenstore_requests_left(x, user);
    txs = xenstore_txs_left(x, user);
    watches = xenstore_watches_left(x, user);
    if (requests + txs + watches)
        unik_warn(ctx, "%s stopped and left behind: requests %zu, transactions %zu, watches %zu", user->plugin->name,
                  requests, txs, watches);
    xenstore_pump(x);
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    const struct xenstore *x = ctx->data;

    if (!x)
        return;
    unik_text_add(out, "xenstored: %s, %s\n", x->place, x->link.up ? "connected" : "not connected");
    if (x->domid >= 0)
        unik_text_add(out, "domid: %d\n", x->domid);
    for (uint32_t i = 0; i < x->watch_count; i++)
        if (x->watches[i].state == WATCH_ACTIVE || x->watches[i].state == WATCH_REFUSED)
            unik_text_add(out, "watch: %s%s\n", x->watches[i].path,
                          x->watches[i].state == WATCH_REFUSED ? " (refused)" : "");
}

static const char *const provides[] = { "xenstore/1", NULL };

UNIK_PLUGIN(xenstore) = {
    UNIK_PLUGIN_HEAD, .name = "xenstore", .version = "1", .summary = "asynchronous client of xenstored",
    .targets = UNIK_ON_ANY, .provides = provides, .options = options, .config_size = sizeof(struct xenstore_config),
    .counters = counters, .usable = usable, .check = check, .start = start, .stop = stop, .abandon = abandon,
    .left = left, .status = status
};
