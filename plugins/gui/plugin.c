/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/plugin.c - windows on the user's screen: options, life, status. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unik/text.h>
#include "plugins/gui/agent.h"
#include "plugins/gui/layout-file.h"

#define DOMAIN_KEY "/qubes-gui-domain-xid"
#define LAYOUT_KEY "/keyboard-layout"
#define LEGACY_KEY "/qubes-keyboard"
#define DOMID_LAST 0x7fef               /* Xen's numbers for domains end here (public/xen.h: DOMID_FIRST_RESERVED) */
#define STATUS_LINES 64                 /* windows shown one by one in a status report */

#define OPTION(k, t, field, ...) { .key = k, .type = t, .offset = offsetof(struct gui_config, field), __VA_ARGS__ }

static const char *const modes[] = { "off", "stub", "serve", NULL };
static const char *const versions[] = { "1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", NULL };

static const struct unik_option options[] = {
    OPTION("mode", UNIK_ENUM, mode, .fallback = "serve", .choices = modes,
           .help = "off: not there for the GUI daemon; stub: the daemon is served, apps get no windows; serve: everything"),
    OPTION("version", UNIK_ENUM, version, .fallback = "1.8", .choices = versions,
           .help = "highest protocol version offered; daemons older than 2022 (R4.0, first R4.1) end unless it is 1.3 or less"),
    OPTION("domain", UNIK_INT, domain, .fallback = "-1", .min = -1, .max = DOMID_LAST,
           .help = "the GUI domain's number; -1: what QubesDB says (/qubes-gui-domain-xid), or dom0"),
    OPTION("layout", UNIK_STRING, layout,
           .help = "keyboard layout, LAYOUT+VARIANT+OPTIONS; default: what QubesDB says (/keyboard-layout), or us"),
    OPTION("layout-dir", UNIK_STRING, layout_dir, .fallback = "/usr/share/unik/keyboard",
           .help = "folder of keyboard tables, for a program without libxkbcommon"),
    OPTION("damage-interval", UNIK_SECONDS, damage_interval, .fallback = "5ms", .min = 0, .max = 1,
           .help = "changed parts of windows are sent at most so often; the first of them at once"),
    OPTION("retry-max", UNIK_SECONDS, retry_max, .fallback = "5s", .min = 0, .max = 600,
           .help = "longest wait before the channel is offered again after a failure; once the daemon has shown its screen, it is "
                   "at once"),
    OPTION("flush", UNIK_SECONDS, flush, .fallback = "1s", .min = 0, .max = 60,
           .help = "when stopping: how long to wait until the daemon has let go of the windows' memory"),
    { 0 }
};

static const struct unik_counter counters[] = {
    [GUI_CONNECTS] = { "connects", UNIK_COUNT, "times a GUI daemon connected" },
    [GUI_WINDOWS] = { "windows", UNIK_GAUGE, "windows, with those whose end the daemon has not acknowledged" },
    [GUI_WINDOWS_HIGH] = { "windows_high", UNIK_HIGH, "most windows at a time" },
    [GUI_IMAGES] = { "images", UNIK_COUNT, "changed parts of windows sent" },
    [GUI_DUMPS] = { "dumps", UNIK_COUNT, "times a window's memory was shown to the daemon" },
    [GUI_RESIZES] = { "resizes", UNIK_COUNT, "buffers given to apps" },
    [GUI_INPUTS] = { "inputs", UNIK_COUNT, "messages from the daemon" },
    [GUI_COPIES] = { "copies", UNIK_COUNT, "times the user copied out of this VM" },
    [GUI_PASTES] = { "pastes", UNIK_COUNT, "times the user brought text" },
    [GUI_STRAYS] = { "strays", UNIK_COUNT, "messages for windows that are gone" },
    [GUI_BAD] = { "bad_messages", UNIK_COUNT, "messages by the daemon that make no sense, left out" },
    [GUI_NO_PAGES] = { "no_pages", UNIK_COUNT, "times a window got no memory to share" },
    { 0 }
};

static int check(struct unik_ctx *ctx)
{
    const struct gui_config *config = ctx->config;
    struct gui_layout l;

    if (config->layout && gui_layout_parse(config->layout, &l) < 0) {
        unik_error(ctx, "layout = %s: not LAYOUT, LAYOUT+VARIANT or LAYOUT+VARIANT+OPTIONS", config->layout);
        return -EINVAL;
    }
    return 0;
}

/* ---- what QubesDB says ---- */

/* from dom0. The stock agent takes an absent or empty value for dom0. */
static void on_domain(const char *path, const char *value, size_t len, void *arg)
{
    struct gui_agent *a = arg;
    char *end;
    long n = value ? strtol(value, &end, 10) : 0;

    (void)len;
    if (value && (*end || n < 0 || n > DOMID_LAST)) {
        unik_error(a->ctx, "%s = %s: not a domain's number: dom0 is taken", path, value);
        n = 0;
    }
    gui_domain_is(a, (int)n);
}

static const char *value_of(struct gui_agent *a, const char *key)
{
    const char *v = a->db ? a->db->read(a->db, key, NULL) : NULL;

    return v && *v ? v : NULL;
}

/* By libxkbcommon, or from a file if the program is built without it. */
static int find_layout(struct gui_agent *a, struct gui_keyboard *k, const char *name)
{
    struct gui_layout l;
    bool without = false;
    int e;

    if (gui_layout_parse(name, &l) < 0)
        return -EINVAL;
    e = gui_xkb_layout(k, &l);
    if (e != -ENOSYS)
        return e;
    e = gui_layout_files(k, a->config->layout_dir, &l, &without);
    if (e == 0 && without)
        unik_info(a->ctx, "keyboard layout %s: no table with these options: without them", name);
    return e == -ENOENT ? -ENOSYS : e;
}

/* The config's layout, or dom0's, or the older form of that: a whole keymap. What cannot be had is US. */
static void load_layout(struct gui_agent *a)
{
    const char *name = a->config->layout ? a->config->layout : value_of(a, LAYOUT_KEY);
    const char *keymap = name ? NULL : value_of(a, LEGACY_KEY);
    struct gui_keyboard k = { 0 };
    int e;

    if (a->config->mode != GUI_MODE_SERVE)
        return;
    if (!name)
        name = "us";
    e = keymap ? gui_xkb_keymap(&k, keymap) : find_layout(a, &k, name);
    if (e < 0) {
        if (keymap || strcmp(name, "us") != 0)
            unik_warn(a->ctx, "keyboard layout %s: %s: keys are taken for US ones", keymap ? "of " LEGACY_KEY : name,
                      e == -ENOSYS ? keymap ? "built without libxkbcommon" : "no table (unik-image --keyboard)" :
                      e == -EINVAL ? "not known" : strerror(-e));
        e = gui_us_layout(&k);
    }
    if (e < 0) {
        unik_error(a->ctx, "keyboard layout: %s", strerror(-e));
        return;
    }
    gui_keyboard_free(&a->keyboard);
    a->keyboard = k;
}

static void on_layout(const char *path, const char *value, size_t len, void *arg)
{
    (void)path, (void)value, (void)len;
    load_layout(arg);
}

static int watch(struct gui_agent *a)
{
    int e = 0;

    a->db = unik_get(a->ctx, "qubesdb/1");
    load_layout(a);
    if (a->config->domain < 0)
        e = a->db->watch(a->db, a->ctx, DOMAIN_KEY, UNIK_QUBESDB_NOW, on_domain, a, &a->domain_watch);
    else
        gui_domain_is(a, (int)a->config->domain);
    if (e == 0 && !a->config->layout)
        e = a->db->watch(a->db, a->ctx, LAYOUT_KEY, 0, on_layout, a, &a->layout_watch);
    if (e == 0 && !a->config->layout)
        e = a->db->watch(a->db, a->ctx, LEGACY_KEY, 0, on_layout, a, &a->legacy_watch);
    return e;
}

static void unwatch(struct gui_agent *a)
{
    struct unik_qubesdb_watch **const all[] = { &a->domain_watch, &a->layout_watch, &a->legacy_watch };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (*all[i])
            a->db->unwatch(a->db, *all[i]);
        *all[i] = NULL;
    }
}

/* ---- life ---- */

static void release(struct gui_agent *a)
{
    struct unik_gui_window *w;

    unwatch(a);
    gui_connection_close(a);
    while ((w = TAILQ_FIRST(&a->windows)) != NULL) {
        gui_window_end(w);
        gui_window_gone(w);
    }
    gui_buffers_free(a, &a->graves);
    ev_timer_stop(a->ctx->loop, &a->bury);
    ev_timer_stop(a->ctx->loop, &a->deadline);
    ev_idle_stop(a->ctx->loop, &a->due);
    ev_clear_pending(a->ctx->loop, &a->flush);
    gui_text_drop(a->clipboard);
    gui_keyboard_free(&a->keyboard);
    a->ctx->data = NULL;
    free(a);
}

static void on_deadline(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct gui_agent *a = t->data;
    struct unik_ctx *ctx = a->ctx;

    (void)loop, (void)revents;
    unik_info(ctx, "the GUI daemon has not let go of all windows in %g s", a->config->flush);
    release(a);
    unik_stopped(ctx);
}

static void prepare(struct gui_agent *a)
{
    ev_init(&a->bury, gui_on_bury);
    ev_init(&a->frame, gui_on_frame);
    ev_init(&a->slow, gui_on_slow);
    ev_init(&a->deadline, on_deadline);
    ev_init(&a->due, gui_on_due);
    ev_set_priority(&a->due, EV_MAXPRI);
    ev_prepare_init(&a->flush, gui_on_flush);
    ev_set_priority(&a->flush, EV_MINPRI);
    a->bury.data = a->frame.data = a->slow.data = a->deadline.data = a->due.data = a->flush.data = a;
    TAILQ_INIT(&a->windows);
    TAILQ_INIT(&a->graves);
    gui_connection_init(a);
}

static int start(struct unik_ctx *ctx)
{
    struct gui_agent *a = calloc(1, sizeof(*a));
    int e;

    if (!a)
        return -ENOMEM;
    a->api = gui_api;
    a->ctx = ctx;
    a->config = ctx->config;
    a->vchan = unik_get(ctx, "vchan/1");
    a->pages = unik_get(ctx, "pages/1");
    ctx->counters[GUI_WINDOWS] = 0;
    prepare(a);
    ctx->data = a;
    e = unik_provide(ctx, "gui/1", &a->api);
    if (e == 0) {
        unik_ready(ctx);                /* apps need not wait for the daemon; their windows do */
        e = a->config->mode == GUI_MODE_OFF ? 0 : watch(a);
    }
    if (e < 0)
        release(a);
    return e;
}

/* Apps have stopped. The memory of their windows may be mapped by a daemon that has not read all we sent: if it were gone when
 * the daemon comes to that, the daemon would exit. */
static void stop(struct unik_ctx *ctx)
{
    struct gui_agent *a = ctx->data;
    struct unik_gui_window *w;

    a->stopping = true;
    unwatch(a);
    TAILQ_FOREACH(w, &a->windows, link)
        if (!w->dying)
            gui_window_end(w);
    ev_timer_set(&a->deadline, a->config->flush, 0);
    ev_timer_start(ctx->loop, &a->deadline);
    gui_flush(a);
}

void gui_stop_on(struct gui_agent *a)
{
    struct unik_ctx *ctx = a->ctx;

    if (a->phase == GUI_LIVE && (a->n || a->rest.buffer))
        return;
    release(a);
    unik_stopped(ctx);
}

static void abandon(struct unik_ctx *ctx)
{
    release(ctx->data);
}

/* An app has stopped and left windows. */
static void left(struct unik_ctx *ctx, struct unik_ctx *user)
{
    struct gui_agent *a = ctx->data;
    struct unik_gui_window *w;

    TAILQ_FOREACH(w, &a->windows, link)
        if (w->owner == user && !w->dying) {
            unik_warn(ctx, "window %u \"%s\": left open by its app", (unsigned)w->id, w->title);
            gui_window_end(w);
        }
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    struct gui_agent *a = ctx->data;
    struct unik_gui_window *w;
    unsigned lines = 0;

    if (!a)
        return;
    unik_text_add(out, "mode: %s\n", modes[a->config->mode]);
    if (a->phase == GUI_LIVE)
        unik_text_add(out, "daemon: connected from domain %d, protocol 1.%u, screen %u x %u\n", a->domain,
                      (unsigned)GUI_MINOR(a->version), (unsigned)a->screen.width, (unsigned)a->screen.height);
    else if (a->config->mode != GUI_MODE_OFF)
        unik_text_add(out, "daemon: not connected\n");
    TAILQ_FOREACH(w, &a->windows, link) {
        if (w->dying)
            continue;
        if (lines++ == STATUS_LINES) {
            unik_text_add(out, "window: %u in all\n", a->n);
            break;
        }
        unik_text_add(out, "window: %u \"%s\" %ux%u%+d%+d%s%s\n", (unsigned)w->id, w->title, (unsigned)w->at.width,
                      (unsigned)w->at.height, w->at.x, w->at.y, w->docked ? ", docked" : w->told.mapped ? ", shown" :
                      w->shown ? ", waits" : ", hidden", w == a->focus ? ", focus" : "");
    }
}

static const char *const needs[] = { "vchan/1", "pages/1", "qubesdb/1", NULL }, *const provides[] = { "gui/1", NULL };

UNIK_PLUGIN(gui) = {
    UNIK_PLUGIN_HEAD, .name = "gui", .version = "1", .summary = "windows on the user's screen, without X",
    .targets = UNIK_ON_QUBES, .flags = UNIK_STOP_LATE, .needs = needs, .provides = provides, .options = options,
    .config_size = sizeof(struct gui_config), .counters = counters, .check = check, .start = start, .stop = stop,
    .abandon = abandon, .left = left, .status = status
};
