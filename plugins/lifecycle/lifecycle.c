/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/lifecycle/lifecycle.c - answers dom0 when it asks the VM to stop.
 *
 * dom0 asks only where control/feature-poweroff is 1, and waits a minute for the answer; a VM without either can only
 * be killed. So the feature nodes are the very first thing written, and dom0 is answered even while all the rest
 * stops. There is no feature-suspend: dom0 pauses the VM instead, which needs nothing of us.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unik/text.h>
#include "plugins/lifecycle/lifecycle.h"

static const char *const features[LIFECYCLE_FEATURES] = { "control/feature-poweroff", "control/feature-reboot" };
/* Shown in status. Set by dom0 before the VM runs. */
static const char *const facts[LIFECYCLE_FACTS] = { "name", "memory/target" };
static const char *const fact_units[LIFECYCLE_FACTS] = { "", " kB" };

static const struct unik_counter counters[] = {
    [COUNT_COMMANDS] = { "commands", UNIK_COUNT, "words read from control/shutdown" },
    [COUNT_ACKNOWLEDGED] = { "acknowledged", UNIK_COUNT, "words answered" },
    [COUNT_UNKNOWN] = { "unknown", UNIK_COUNT, "words that are not obeyed and not answered" },
    [COUNT_RETRIES] = { "retries", UNIK_COUNT, "transactions done again" },
    [COUNT_ERRORS] = { "errors", UNIK_COUNT, "reads and writes that failed" },
    { 0 }
};

void lifecycle_error(struct lifecycle *l, const char *what, const char *path, int error)
{
    l->ctx->counters[COUNT_ERRORS]++;
    unik_warn(l->ctx, "%s %s: %s", what, path, strerror(-error));
}

void lifecycle_later(struct lifecycle *l)
{
    if (ev_is_active(&l->retry))
        return;
    ev_timer_set(&l->retry, unik_backoff_delay(&l->backoff, ev_now(l->ctx->loop)), 0);
    ev_timer_start(l->ctx->loop, &l->retry);
}

/* ---- the nodes of the start ---- */

static void settle(struct lifecycle *l)
{
    for (size_t i = 0; i < LIFECYCLE_FEATURES; i++)
        if (!l->feature[i].done)
            return;
    if (l->settled)
        return;
    l->settled = true;
    unik_ready(l->ctx);
    if (l->problem[0])
        unik_degraded(l->ctx, l->problem);
}

static void on_feature(int error, const char *value, size_t len, void *arg)
{
    struct lifecycle_node *n = arg;
    struct lifecycle *l = n->l;

    (void)value, (void)len;
    n->asked = false;
    if (error == -ECONNRESET) {
        lifecycle_later(l);
        return;
    }
    n->done = true;
    if (error) {
        lifecycle_error(l, "write", n->path, error);
        snprintf(l->problem, sizeof(l->problem), "%s can't be written (%s): dom0 will not ask for it", n->path,
                 strerror(-error));
    }
    settle(l);
}

static void on_fact(int error, const char *value, size_t len, void *arg)
{
    struct lifecycle_node *n = arg;

    (void)len;
    n->asked = false;
    n->done = error != -ECONNRESET;
    if (!error)
        snprintf(n->value, sizeof(n->value), "%s", value);
    else
        unik_debug(n->l->ctx, "read %s: %s", n->path, strerror(-error));
}

static int ask(struct lifecycle_node *n)
{
    struct unik_xenstore *x = n->l->x;

    return n->write ? x->write(x, n->l->ctx, 0, n->path, "1", 1, on_feature, n) :
           x->read(x, n->l->ctx, 0, n->path, on_fact, n);
}

/* All that has not been asked, or got no answer. What finds no room now comes later. */
static void ask_all(struct lifecycle *l, struct lifecycle_node *nodes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (nodes[i].asked || nodes[i].done)
            continue;
        nodes[i].asked = ask(&nodes[i]) == 0;
        if (!nodes[i].asked)
            lifecycle_later(l);
    }
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct lifecycle *l = w->data;

    (void)revents;
    unik_backoff_begin(&l->backoff, ev_now(loop));
    ask_all(l, l->feature, LIFECYCLE_FEATURES);
    lifecycle_shutdown_look(l);
    ask_all(l, l->fact, LIFECYCLE_FACTS);
}

/* ---- start and stop ---- */

static void release(struct lifecycle *l)
{
    for (size_t i = 0; i < LIFECYCLE_FEATURES; i++)
        l->x->forget(l->x, &l->feature[i]);
    for (size_t i = 0; i < LIFECYCLE_FACTS; i++)
        l->x->forget(l->x, &l->fact[i]);
    lifecycle_shutdown_stop(l);
    ev_timer_stop(l->ctx->loop, &l->retry);
    l->ctx->data = NULL;
    free(l);
}

static int start(struct unik_ctx *ctx)
{
    struct lifecycle *l = calloc(1, sizeof(*l));
    int e;

    if (!l)
        return -ENOMEM;
    ctx->data = l;
    l->ctx = ctx;
    l->x = unik_get(ctx, "xenstore/1");
    l->backoff = (struct unik_backoff){ .first = 0.05, .most = 5, .good = 10 };
    ev_init(&l->retry, on_retry);
    l->retry.data = l;
    for (size_t i = 0; i < LIFECYCLE_FEATURES; i++)
        l->feature[i] = (struct lifecycle_node){ .l = l, .path = features[i], .write = true };
    for (size_t i = 0; i < LIFECYCLE_FACTS; i++)
        l->fact[i] = (struct lifecycle_node){ .l = l, .path = facts[i] };
    ask_all(l, l->feature, LIFECYCLE_FEATURES);
    e = lifecycle_shutdown_start(l);
    if (e < 0) {
        lifecycle_error(l, "watch", "control/shutdown", e);
        release(l);
        return e;
    }
    ask_all(l, l->fact, LIFECYCLE_FACTS);
    return 0;
}

static void stop(struct unik_ctx *ctx)
{
    if (ctx->data)
        release(ctx->data);
    unik_stopped(ctx);
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    const struct lifecycle *l = ctx->data;

    if (!l)
        return;
    if (l->x->domid(l->x) >= 0)
        unik_text_add(out, "domid: %d\n", l->x->domid(l->x));
    for (size_t i = 0; i < LIFECYCLE_FACTS; i++)
        if (l->fact[i].value[0])
            unik_text_add(out, "%s: %s%s\n", facts[i], l->fact[i].value, fact_units[i]);
    if (l->problem[0])
        unik_text_add(out, "problem: %s\n", l->problem);
}

static const char *const needs[] = { "xenstore/1", NULL };

/* Late: dom0's second word, while the others stop, is answered too. */
UNIK_PLUGIN(lifecycle) = {
    UNIK_PLUGIN_HEAD, .name = "lifecycle", .version = "1", .summary = "stops when dom0 says so (control/shutdown)",
    .targets = UNIK_ON_QUBES, .flags = UNIK_STOP_LATE, .needs = needs, .counters = counters, .start = start,
    .stop = stop, .status = status
};
