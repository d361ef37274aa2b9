/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/context.h - what the host does for a plugin: states, interfaces, log, shutdown. */
#ifndef UNIK_CONTEXT_H
#define UNIK_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ev.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define UNIK_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define UNIK_PRINTF(a, b)
#endif

struct unik_host;
struct unik_plugin;                     /* unik/plugin.h */
struct unik_text;                       /* unik/text.h */

enum unik_target { UNIK_ON_UNIX = 1, UNIK_ON_QUBES = 2, UNIK_ON_ANY = 3 };

/* ---- The context: one per plugin, made by the host, valid from usable() until after unik_stopped() ---------- */

struct unik_ctx {
    const struct unik_host *host;
    struct ev_loop *loop;               /* libev's default loop: ev_child and ev_signal work */
    const struct unik_plugin *plugin;
    void *config;                       /* the struct that plugin->options describe; from check() on */
    uint64_t *counters;                 /* one per row of plugin->counters */
    void *data;                         /* the plugin's own; the host never touches it */
    unsigned target;                    /* UNIK_ON_UNIX or UNIK_ON_QUBES */
};

enum unik_level { UNIK_ERROR, UNIK_WARNING, UNIK_INFO, UNIK_DEBUG };

enum unik_end { UNIK_POWEROFF, UNIK_REBOOT };

/* What the host does for plugins. Called through the functions below; a test brings its own. */
struct unik_host {
    size_t size;
    void (*log)(struct unik_ctx *, enum unik_level, const char *fmt, ...) UNIK_PRINTF(3, 4);
    void (*ready)(struct unik_ctx *);
    void (*degraded)(struct unik_ctx *, const char *why);
    void (*failed)(struct unik_ctx *, const char *why);
    void (*drained)(struct unik_ctx *);
    void (*stopped)(struct unik_ctx *);
    int (*provide)(struct unik_ctx *, const char *interface, void *iface);
    void *(*get)(struct unik_ctx *, const char *interface);
    void (*end)(struct unik_ctx *, enum unik_end, const char *why);
    bool (*settled)(struct unik_ctx *);
    void (*status)(struct unik_ctx *, struct unik_text *);
    void (*metrics)(struct unik_ctx *, struct unik_text *);
    unsigned long (*files)(struct unik_ctx *);
};

/* One line to the log, without newline, under the plugin's name. Bytes from a peer may be given as they are: the host
 * makes them fit to be shown (unik/clean.h). Rate-limited per plugin: a flood is counted, not printed. */
#define unik_log(ctx, level, ...) ((ctx)->host->log((ctx), (level), __VA_ARGS__))
#define unik_error(ctx, ...) unik_log(ctx, UNIK_ERROR, __VA_ARGS__)
#define unik_warn(ctx, ...) unik_log(ctx, UNIK_WARNING, __VA_ARGS__)
#define unik_info(ctx, ...) unik_log(ctx, UNIK_INFO, __VA_ARGS__)
#define unik_debug(ctx, ...) unik_log(ctx, UNIK_DEBUG, __VA_ARGS__)

/* Usable now; also the way back from degraded. Those who need this plugin start. Any number of times. */
static inline void unik_ready(struct unik_ctx *ctx) { ctx->host->ready(ctx); }

/* A peer is gone or a part does not work, and the plugin itself works on that. Its interfaces stay valid.
 * Before the first unik_ready() it only sets the reason shown for "starting". The string is copied. */
static inline void unik_degraded(struct unik_ctx *ctx, const char *why) { ctx->host->degraded(ctx, why); }

/* The plugin can't go on. The host stops those who need it, calls stop(), and acts as on-failure says.
 * Nothing of that happens before the present callback has returned. */
static inline void unik_failed(struct unik_ctx *ctx, const char *why) { ctx->host->failed(ctx, why); }

/* After drain(), after stop(). stop() and what frees ctx->data come before; ctx may be gone when this returns. */
static inline void unik_drained(struct unik_ctx *ctx) { ctx->host->drained(ctx); }
static inline void unik_stopped(struct unik_ctx *ctx) { ctx->host->stopped(ctx); }

/* Publish an interface named in provides; from start() until unik_stopped(). The struct is the plugin's.
 * 0, -EINVAL (not in provides), -EEXIST (somebody else's). Those who want it are told at once, so that they can
 * register with it before it is ready. */
static inline int unik_provide(struct unik_ctx *ctx, const char *interface, void *iface)
{
    return ctx->host->provide(ctx, interface, iface);
}

/* The struct of an interface named in needs or wants; NULL if it is not published now. One from needs is always there
 * between start() and unik_stopped(). */
static inline void *unik_get(struct unik_ctx *ctx, const char *interface) { return ctx->host->get(ctx, interface); }

/* Stop everything in order, as SIGTERM does. Returns at once. */
static inline void unik_end(struct unik_ctx *ctx, enum unik_end how, const char *why) { ctx->host->end(ctx, how, why); }

/* Is the start over, as far as this VM goes? Every plugin has been ready at least once, or has failed for good, or says with
 * unik_degraded() what it waits for (which may never come: a VM need not have a network); those with UNIK_AWAITED have
 * been ready. */
static inline bool unik_settled(struct unik_ctx *ctx) { return ctx->host->settled(ctx); }

/* The limit of descriptors (RLIMIT_NOFILE, soft) that this process was started with, and has raised for itself: what a child
 * that runs another program should have. */
static inline unsigned long unik_files(struct unik_ctx *ctx) { return ctx->host->files(ctx); }

#ifdef __cplusplus
}
#endif
#endif
