/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/host/host.c - the smallest host: runs single plugins in a loop of the caller's. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <unik/clean.h>
#include <unik/text.h>
#include "supervisor/options.h"
#include "tools/host/host.h"

#define PLUGINS_MAX 16
#define INTERFACES_MAX 32

struct slot {
    struct unik_ctx ctx;                /* first: a ctx is its slot */
    struct host *h;
    enum host_state state;
    bool drained;
    char reason[200];
    uint64_t counters[64];
};

struct published {
    const char *name;
    void *iface;
    struct slot *owner;                 /* NULL: the caller */
};

struct host {
    struct ev_loop *loop;
    FILE *log;
    enum unik_level most;
    unsigned target;
    int ended;
    struct slot *slots[PLUGINS_MAX];
    size_t n;
    struct published published[INTERFACES_MAX];
    void (*change)(struct unik_ctx *, enum host_state, void *);
    void *change_arg;
    void (*line)(struct unik_ctx *, enum unik_level, const char *, void *);
    void *line_arg;
    unsigned long files;                /* RLIMIT_NOFILE at host_new() */
};

static struct slot *slot_of(struct unik_ctx *ctx) { return (struct slot *)(void *)ctx; }

static void set_state(struct slot *s, enum host_state state)
{
    s->state = state;
    if (s->h->change)
        s->h->change(&s->ctx, state, s->h->change_arg);
}

static void UNIK_PRINTF(3, 4) do_log(struct unik_ctx *ctx, enum unik_level level, const char *fmt, ...)
{
    static const char *const names[] = { "ERR", "WRN", "INF", "DBG" };
    struct host *h = slot_of(ctx)->h;
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    unik_clean(line, sizeof(line), line, strlen(line), 0);
    if (h->line)
        h->line(ctx, level, line, h->line_arg);
    if (h->log && level <= h->most)
        fprintf(h->log, "%s [%s] %s\n", names[level], ctx->plugin->name, line);
}

static void do_ready(struct unik_ctx *ctx)
{
    struct slot *s = slot_of(ctx);

    s->reason[0] = 0;
    if (s->state == HOST_STARTING || s->state == HOST_DEGRADED)
        set_state(s, HOST_READY);
}

static void do_degraded(struct unik_ctx *ctx, const char *why)
{
    struct slot *s = slot_of(ctx);

    snprintf(s->reason, sizeof(s->reason), "%s", why);
    if (s->state == HOST_READY)
        set_state(s, HOST_DEGRADED);
}

static void do_failed(struct unik_ctx *ctx, const char *why)
{
    snprintf(slot_of(ctx)->reason, sizeof(slot_of(ctx)->reason), "%s", why);
    set_state(slot_of(ctx), HOST_FAILED);
}

static void do_drained(struct unik_ctx *ctx)
{
    slot_of(ctx)->drained = true;
    set_state(slot_of(ctx), slot_of(ctx)->state);
}

static void tell(struct host *h, const char *interface, void *iface)
{
    for (size_t i = 0; i < h->n; i++) {
        const struct unik_plugin *p = h->slots[i]->ctx.plugin;
        bool running = h->slots[i]->state != HOST_NEW && h->slots[i]->state != HOST_STOPPED;

        for (size_t k = 0; running && p->wants && p->wants[k]; k++)
            if (strcmp(p->wants[k], interface) == 0) {
                if (iface && p->arrived)
                    p->arrived(&h->slots[i]->ctx, interface, iface);
                else if (!iface && p->gone)
                    p->gone(&h->slots[i]->ctx, interface);
            }
    }
}

static int publish(struct host *h, struct slot *owner, const char *interface, void *iface)
{
    struct published *empty = NULL;

    for (size_t i = 0; i < INTERFACES_MAX; i++) {
        struct published *p = &h->published[i];

        if (!p->name)
            empty = empty ? empty : p;
        else if (strcmp(p->name, interface) == 0) {
            if (iface)
                return -EEXIST;
            p->name = NULL;
            tell(h, interface, NULL);
            return 0;
        }
    }
    if (!iface)
        return -ENOENT;
    if (!empty)
        return -ENOSPC;
    *empty = (struct published){ interface, iface, owner };
    tell(h, interface, iface);
    return 0;
}

static void do_stopped(struct unik_ctx *ctx)
{
    struct slot *s = slot_of(ctx);

    for (size_t i = 0; i < INTERFACES_MAX; i++)
        if (s->h->published[i].name && s->h->published[i].owner == s)
            s->h->published[i].name = NULL;
    for (size_t i = 0; i < s->h->n; i++) {
        struct slot *other = s->h->slots[i];

        if (other != s && other->ctx.plugin->left && other->state != HOST_NEW && other->state != HOST_STOPPED)
            other->ctx.plugin->left(&other->ctx, ctx);
    }
    set_state(s, HOST_STOPPED);
}

static int do_provide(struct unik_ctx *ctx, const char *interface, void *iface)
{
    return publish(slot_of(ctx)->h, slot_of(ctx), interface, iface);
}

void *host_interface(struct host *h, const char *interface)
{
    for (size_t i = 0; i < INTERFACES_MAX; i++)
        if (h->published[i].name && strcmp(h->published[i].name, interface) == 0)
            return h->published[i].iface;
    return NULL;
}

static void *do_get(struct unik_ctx *ctx, const char *interface)
{
    return host_interface(slot_of(ctx)->h, interface);
}

static void do_end(struct unik_ctx *ctx, enum unik_end how, const char *why)
{
    (void)why;
    slot_of(ctx)->h->ended = (int)how;
}

static bool do_settled(struct unik_ctx *ctx)
{
    struct host *h = slot_of(ctx)->h;

    for (size_t i = 0; i < h->n; i++)
        if (h->slots[i]->state == HOST_STARTING)
            return false;
    return true;
}

static void do_status(struct unik_ctx *ctx, struct unik_text *out)
{
    struct host *h = slot_of(ctx)->h;

    for (size_t i = 0; i < h->n; i++) {
        unik_text_add(out, "%s: state %d\n", h->slots[i]->ctx.plugin->name, (int)h->slots[i]->state);
        if (h->slots[i]->ctx.plugin->status)
            h->slots[i]->ctx.plugin->status(&h->slots[i]->ctx, out);
    }
}

static void do_metrics(struct unik_ctx *ctx, struct unik_text *out)
{
    const struct unik_counter *c = ctx->plugin->counters;

    for (size_t i = 0; c && c[i].name; i++)
        unik_text_add(out, "%s %llu\n", c[i].name, (unsigned long long)ctx->counters[i]);
}

static unsigned long do_files(struct unik_ctx *ctx) { return slot_of(ctx)->h->files; }

static const struct unik_host functions = {
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

struct host *host_new(struct ev_loop *loop, unsigned target, FILE *log)
{
    struct host *h = calloc(1, sizeof(*h));
    struct rlimit r;

    if (!h)
        return NULL;
    h->files = getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur == RLIM_INFINITY ? ~0ul : (unsigned long)r.rlim_cur;
    h->loop = loop;
    h->target = target;
    h->log = log;
    h->most = UNIK_INFO;
    h->ended = -1;
    return h;
}

void host_free(struct host *h)
{
    for (size_t i = 0; i < h->n; i++) {
        options_free(h->slots[i]->ctx.plugin->options, h->slots[i]->ctx.config);
        free(h->slots[i]);
    }
    free(h);
}

void host_on_change(struct host *h, void (*cb)(struct unik_ctx *, enum host_state, void *), void *arg)
{
    h->change = cb;
    h->change_arg = arg;
}

void host_on_log(struct host *h, void (*cb)(struct unik_ctx *, enum unik_level, const char *, void *), void *arg)
{
    h->line = cb;
    h->line_arg = arg;
}

void host_set_level(struct host *h, enum unik_level most) { h->most = most; }

struct unik_ctx *host_add(struct host *h, const struct unik_plugin *plugin, const char *const *options)
{
    char message[256];
    struct unik_text why;
    struct slot *s;

    if (h->n == PLUGINS_MAX || !(s = calloc(1, sizeof(*s))))
        return NULL;
    unik_text_init(&why, message, sizeof(message));
    s->h = h;
    s->ctx = (struct unik_ctx){ .host = &functions, .loop = h->loop, .plugin = plugin, .counters = s->counters,
                                .target = h->target };
    s->ctx.config = options_new(plugin->options, plugin->config_size, &why);
    for (; s->ctx.config && options && *options; options++) {
        const struct unik_option *row;
        const char *eq = strchr(*options, '=');
        char key[64];

        snprintf(key, sizeof(key), "%.*s", eq ? (int)(eq - *options) : 0, *options);
        row = options_find(plugin->options, key);
        if (!row)
            unik_text_add(&why, "%s: no such option", *options);
        if (!row || options_set(row, s->ctx.config, eq + 1, &why) < 0)
            break;
    }
    if (!s->ctx.config || (options && *options)) {
        fprintf(h->log ? h->log : stderr, "[%s] %s\n", plugin->name, message);
        options_free(plugin->options, s->ctx.config);
        free(s);
        return NULL;
    }
    h->slots[h->n++] = s;
    return &s->ctx;
}

int host_start(struct unik_ctx *ctx)
{
    struct slot *s = slot_of(ctx);
    const struct unik_plugin *p = ctx->plugin;
    int e;

    if (p->check && (e = p->check(ctx)) < 0)
        return e;
    s->drained = false;
    set_state(s, HOST_STARTING);
    e = p->start(ctx);
    if (e < 0) {
        do_stopped(ctx);
        return e;
    }
    for (size_t k = 0; p->wants && p->wants[k] && p->arrived; k++)
        if (host_interface(s->h, p->wants[k]))
            p->arrived(ctx, p->wants[k], host_interface(s->h, p->wants[k]));
    return 0;
}

void host_drain(struct unik_ctx *ctx)
{
    if (ctx->plugin->drain)
        ctx->plugin->drain(ctx);
    else
        do_drained(ctx);
}

void host_stop(struct unik_ctx *ctx)
{
    struct slot *s = slot_of(ctx);

    for (size_t i = 0; i < INTERFACES_MAX; i++)
        if (s->h->published[i].name && s->h->published[i].owner == s)
            tell(s->h, s->h->published[i].name, NULL);
    set_state(s, HOST_STOPPING);
    ctx->plugin->stop(ctx);
}

/* ---- running the loop for a while ---- */

static void on_time(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)revents;
    *(bool *)w->data = true;
    ev_break(loop, EVBREAK_ALL);
}

struct until {
    const bool *flag;
    struct unik_ctx *ctx;
    enum host_state state;
};

static bool reached(const struct until *u)
{
    return u->flag ? *u->flag : u->ctx ? slot_of(u->ctx)->state == u->state : false;
}

static bool run_until(struct host *h, const struct until *u, double seconds)
{
    bool late = false;
    ev_timer t;

    ev_now_update(h->loop);
    ev_timer_init(&t, on_time, seconds, 0);
    t.data = &late;
    ev_timer_start(h->loop, &t);
    /* What is due before the loop waits (fed events) does not end a wait: look after a turn without one first. */
    for (bool wait = false; !late && !reached(u); wait = !wait)
        ev_run(h->loop, wait ? EVRUN_ONCE : EVRUN_NOWAIT);
    ev_timer_stop(h->loop, &t);
    return reached(u);
}

bool host_wait(struct unik_ctx *ctx, enum host_state state, double seconds)
{
    return run_until(slot_of(ctx)->h, &(struct until){ .ctx = ctx, .state = state }, seconds);
}

bool host_run_until(struct host *h, const bool *flag, double seconds)
{
    return run_until(h, &(struct until){ .flag = flag }, seconds);
}

void host_run(struct host *h, double seconds) { run_until(h, &(struct until){ 0 }, seconds); }

void host_stop_wait(struct unik_ctx *ctx, double seconds)
{
    host_stop(ctx);
    if (!host_wait(ctx, HOST_STOPPED, seconds)) {
        if (ctx->plugin->abandon)
            ctx->plugin->abandon(ctx);
        do_stopped(ctx);
    }
}

enum host_state host_state(struct unik_ctx *ctx) { return slot_of(ctx)->state; }
const char *host_reason(struct unik_ctx *ctx) { return slot_of(ctx)->reason; }
bool host_is_drained(struct unik_ctx *ctx) { return slot_of(ctx)->drained; }
int host_ended(struct host *h) { return h->ended; }
int host_publish(struct host *h, const char *interface, void *iface) { return publish(h, NULL, interface, iface); }

uint64_t host_counter(struct unik_ctx *ctx, const char *name)
{
    const struct unik_counter *c = ctx->plugin->counters;

    for (size_t i = 0; c && c[i].name; i++)
        if (strcmp(c[i].name, name) == 0)
            return ctx->counters[i];
    return UINT64_MAX;
}
