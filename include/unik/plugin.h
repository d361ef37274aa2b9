/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/plugin.h - what a plugin is, and what its host offers it.
 *
 * A plugin is one const struct unik_plugin, exported as unik_plugin_NAME (a dash in the name becomes an underscore)
 * with UNIK_PLUGIN(NAME). Nothing else of a plugin is visible; it needs no constructor and registers nothing.
 * The same object is loaded from NAME.so or found in the static table of a bootable file.
 *
 *   loaded -> configured -> starting -> ready <-> degraded -> stopping -> stopped        (and: failed)
 *             check()       start()     unik_ready()  unik_degraded()  drain(), stop()
 *
 * All callbacks run on the one loop, in one thread, and must not block. Errors are 0 or a negative errno.
 * The host logs a callback's error once; whoever knows more logs it with unik_log() first.
 */
#ifndef UNIK_PLUGIN_H
#define UNIK_PLUGIN_H

#include <unik/context.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_PLUGIN_MAGIC 0x4b494e55u   /* "UNIK" */
#define UNIK_ABI_MAJOR 2                /* another major is refused; within one, fields are only appended */

/* ---- Options: one row a key of the plugin's section in the config file ------------------------------------- */

enum unik_option_type {
    UNIK_STRING,        /* const char *: owned by the host, lives as long as the ctx */
    UNIK_BOOL,          /* bool: yes/no, true/false, on/off, 1/0 */
    UNIK_INT,           /* int64_t, min..max */
    UNIK_SIZE,          /* uint64_t bytes, min..max; written 4096, 64K, 2M, 1G */
    UNIK_SECONDS,       /* double, min..max; written 0.5, 250ms, 10s, 5m */
    UNIK_ENUM           /* int: index of the word in choices */
};

struct unik_option {
    const char *key;                    /* NULL ends the table */
    enum unik_option_type type;
    size_t offset;                      /* where in the plugin's config struct the value goes: offsetof() */
    const char *fallback;               /* the default, as one would write it; NULL: string NULL, number 0, no */
    int64_t min, max;                   /* INT, SIZE, SECONDS; both 0: no limits */
    const char *const *choices;         /* ENUM: words, NULL ends */
    const char *help;                   /* one line, for --describe and the manual */
};

/* ---- Counters: shown by unik.Status, unik.Metrics and SIGUSR1 ---------------------------------------------- */

enum unik_counter_type {
    UNIK_COUNT,                         /* only grows */
    UNIK_GAUGE,                         /* goes up and down */
    UNIK_HIGH                           /* high-water mark of something */
};

struct unik_counter {
    const char *name;                   /* [a-z0-9_]; NULL ends the table; row i is ctx->counters[i] */
    enum unik_counter_type type;
    const char *help;
};

/* ---- Interfaces between plugins ---------------------------------------------------------------------------- */

/* Every interface ("vchan/1", "qrexec/1", ...) is a struct of function pointers whose first member is its size;
 * its functions take the struct itself as first argument. The provider fills it and publishes it with
 * unik_provide(). Fields are only appended: a user checks size before it calls a newer one. */

enum unik_plugin_flags {
    UNIK_APP = 1,                       /* the user's app: reloaded by SIGHUP, stopped first */
    UNIK_STOP_LATE = 2,                 /* stopped after every plugin that it does not itself need */
    UNIK_AWAITED = 4                    /* nothing is settled (unik_settled) before it was ready once */
};

struct unik_plugin {
    uint32_t magic;                     /* UNIK_PLUGIN_MAGIC */
    uint32_t abi;                       /* UNIK_ABI_MAJOR */
    size_t size;                        /* sizeof(struct unik_plugin) as the plugin was compiled */

    const char *name;                   /* as in the symbol and the config section */
    const char *version;
    const char *summary;                /* one line */
    unsigned targets;                   /* enum unik_target: where it makes sense; else refused before start */
    unsigned flags;                     /* enum unik_plugin_flags */

    const char *const *needs;           /* interfaces; start() is called when all are ready. NULL ends; may be NULL */
    const char *const *wants;           /* interfaces; never waited for: arrived() and gone() tell */
    const char *const *provides;        /* interfaces that start() will unik_provide() */

    const struct unik_option *options;
    size_t config_size;                 /* of the struct that options describe; the host allocates it: ctx->config */
    const struct unik_counter *counters;

    /* Does this machine have what the plugin needs (device nodes, environment)? No side effects, ctx->config is not
     * set yet. Asked only where the section says optional = yes: a negative errno leaves the plugin out. May be NULL. */
    int (*usable)(struct unik_ctx *ctx);

    /* Values that are valid one by one but not together: log each with unik_error(), return -EINVAL. No side effects:
     * --check calls it too. May be NULL. */
    int (*check)(struct unik_ctx *ctx);

    /* Begin. Keep state in ctx->data. Call unik_ready() when usable, from here or later; until then, plugins that need
     * this one wait. A negative errno is a failure; start() has then released what it took. Required. */
    int (*start)(struct unik_ctx *ctx);

    /* The system will stop soon: take no new work, let running work end, then call unik_drained() (from here or later;
     * after the host's deadline stop() comes in any case). NULL: drained at once. Not called before a restart. */
    void (*drain)(struct unik_ctx *ctx);

    /* Release everything and call unik_stopped(), from here or soon. Those who need this plugin have stopped before.
     * Called also after unik_failed(). Required. */
    void (*stop)(struct unik_ctx *ctx);

    /* The host's deadline after stop() passed without unik_stopped(): release all, now. NULL: nothing to add. */
    void (*abandon)(struct unik_ctx *ctx);

    /* An interface in wants was published (iface: its struct), or is about to go: forget all pointers into it.
     * arrived() is called after start(); gone() before stop() of the provider. */
    void (*arrived)(struct unik_ctx *ctx, const char *interface, void *iface);
    void (*gone)(struct unik_ctx *ctx, const char *interface);

    /* Lines "key: value" for unik.Status: peers, addresses. Counters are printed by the host. May be NULL. */
    void (*status)(struct unik_ctx *ctx, struct unik_text *out);

    /* Another plugin has stopped (its ctx is whole until this returns; later it may start again, or be gone). Whoever
     * provides an interface drops what that plugin registered there and left behind. May be NULL. */
    void (*left)(struct unik_ctx *ctx, struct unik_ctx *user);
};

#if defined(__GNUC__)
#define UNIK_EXPORT __attribute__((visibility("default")))
#else
#define UNIK_EXPORT
#endif

/* UNIK_PLUGIN(net_sockets) = { UNIK_PLUGIN_HEAD, .name = "net-sockets", ... }; */
#define UNIK_PLUGIN(symbol) extern UNIK_EXPORT const struct unik_plugin unik_plugin_##symbol; \
    const struct unik_plugin unik_plugin_##symbol
#define UNIK_PLUGIN_HEAD .magic = UNIK_PLUGIN_MAGIC, .abi = UNIK_ABI_MAJOR, .size = sizeof(struct unik_plugin)

#ifdef __cplusplus
}
#endif
#endif
