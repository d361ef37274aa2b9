/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/host.c - what plugins call: the functions of struct unik_host. */
#include <errno.h>
#include <string.h>

#include "supervisor/process.h"
#include "supervisor/slow.h"
#include "supervisor/supervisor.h"

UNIK_PRINTF(3, 4)
static void do_log(struct unik_ctx *ctx, enum unik_level level, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_vline(&unit_of(ctx)->log, level, fmt, ap);
    va_end(ap);
}

static void do_ready(struct unik_ctx *ctx) { unit_feed(unit_of(ctx), UNIT_IS_READY, NULL); }
static void do_degraded(struct unik_ctx *ctx, const char *why) { unit_feed(unit_of(ctx), UNIT_IS_DEGRADED, why); }
static void do_failed(struct unik_ctx *ctx, const char *why) { unit_feed(unit_of(ctx), UNIT_HAS_FAILED, why); }
static void do_stopped(struct unik_ctx *ctx) { unit_feed(unit_of(ctx), UNIT_IS_STOPPED, NULL); }

static void do_drained(struct unik_ctx *ctx)
{
    unit_of(ctx)->drained = true;
    supervisor_wake(unit_of(ctx)->sup);
}

struct unit *host_provider(const struct supervisor *s, const char *interface, void **iface)
{
    for (size_t i = 0; i < s->n; i++) {
        const char *const *p = s->units[i]->loaded.plugin.provides;

        for (size_t k = 0; p && p[k]; k++)
            if (s->units[i]->provided[k] && strcmp(p[k], interface) == 0) {
                *iface = s->units[i]->provided[k];
                return s->units[i];
            }
    }
    return NULL;
}

static int do_provide(struct unik_ctx *ctx, const char *interface, void *iface)
{
    struct unit *u = unit_of(ctx);
    const char *const *p = u->loaded.plugin.provides;
    void *other;
    size_t i;

    for (i = 0; p && p[i] && strcmp(p[i], interface) != 0; i++)
        ;
    if (!p || !p[i] || !iface || !unit_active(u)) {
        log_line(&u->log, UNIK_WARNING, "%s cannot be published: %s", interface, !p || !p[i] ? "not among what it provides" :
                 !iface ? "no struct" : "it does not run");
        return -EINVAL;
    }
    if (host_provider(u->sup, interface, &other))
        return -EEXIST;
    u->provided[i] = iface;
    for (size_t k = 0; k < u->sup->n; k++) {
        struct unit *v = u->sup->units[k];
        const char *const *w = v->loaded.plugin.wants;

        if (v == u || !(v->state == UNIT_STARTING || unit_usable(v)) || !v->loaded.plugin.arrived)
            continue;
        slow_enter(v, "arrived()");
        for (; w && *w; w++)
            if (strcmp(*w, interface) == 0)
                v->loaded.plugin.arrived(&v->ctx, interface, iface);
        slow_leave();
    }
    return 0;
}

static void *do_get(struct unik_ctx *ctx, const char *interface)
{
    void *iface = NULL;

    return host_provider(unit_of(ctx)->sup, interface, &iface) ? iface : NULL;
}

static void do_end(struct unik_ctx *ctx, enum unik_end how, const char *why)
{
    char text[200];

    snprintf(text, sizeof(text), "%s: %s", unit_of(ctx)->name, why);
    supervisor_end(unit_of(ctx)->sup, how, text);
}

static bool do_settled(struct unik_ctx *ctx) { return supervisor_settled(unit_of(ctx)->sup); }
static void do_status(struct unik_ctx *ctx, struct unik_text *out) { status_report(unit_of(ctx)->sup, out); }
static void do_metrics(struct unik_ctx *ctx, struct unik_text *out) { status_metrics(unit_of(ctx)->sup, out); }

static unsigned long do_files(struct unik_ctx *ctx)
{
    (void)ctx;
    return process_files_before();
}

const struct unik_host host_functions = {
    .size = sizeof(struct unik_host),
    .log = do_log,
    .ready = do_ready,
    .degraded = do_degraded,
    .failed = do_failed,
    .drained = do_drained,
    .stopped = do_stopped,
    .provide = do_provide,
    .get = do_get,
    .end = do_end,
    .settled = do_settled,
    .status = do_status,
    .metrics = do_metrics,
    .files = do_files,
};
