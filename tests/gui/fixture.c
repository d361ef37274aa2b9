/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/fixture.c - the plugin gui between an app and a model of the daemon. */
#include <unistd.h>
#include "tests/gui/fixture.h"

extern const struct unik_plugin unik_plugin_gui;

struct fake fake;
struct daemon guid;
struct host *host;
struct unik_ctx *ctx;
struct unik_gui *gui;
char log_line[300];
unsigned log_lines;

static void on_log(struct unik_ctx *c, enum unik_level level, const char *line, void *arg)
{
    (void)c, (void)arg;
    if (level > UNIK_WARNING)
        return;
    log_lines++;
    snprintf(log_line, sizeof(log_line), "%s", line);
}

void gui_up_with(const char *const *options, unsigned minor)
{
    host = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    host_on_log(host, on_log, NULL);
    log_line[0] = 0;
    log_lines = 0;
    fake_init(&fake, EV_DEFAULT);
    daemon_init(&guid, &fake, minor);
    host_publish(host, "vchan/1", &fake.v.api);
    host_publish(host, "pages/1", &fake.pages);
    host_publish(host, "qubesdb/1", &fake.db);
    ctx = host_add(host, &unik_plugin_gui, options);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(host_start(ctx), 0);
    gui = host_interface(host, "gui/1");
    ck_assert_ptr_nonnull(gui);
}

void turn(void) { ev_run(EV_DEFAULT_ EVRUN_NOWAIT); }

/* Timers of the plugin (5 ms at most between two looks at damage) end too. */
void settle(void)
{
    for (int quiet = 0; quiet < 12;) {
        size_t n;

        turn();
        n = daemon_run(&guid, SIZE_MAX) + fake_unread(&fake.v);
        if (n == 0)
            usleep(1000);
        quiet = n ? 0 : quiet + 1;
    }
}

void gui_connect(void)
{
    for (int i = 0; i < 20000 && !fake_waits(&fake.v); i++) {
        turn();
        usleep(1000);
    }
    ck_assert(daemon_connect(&guid));
    settle();
    ck_assert_int_eq(host_state(ctx), HOST_READY);
    ck_assert(gui->connected(gui));
}

void gui_up(void)
{
    static const char *const options[] = { "damage-interval=0", "retry-max=0", NULL };

    gui_up_with(options, 8);
    gui_connect();
}

void gui_down(void)
{
    host_stop(ctx);
    for (int i = 0; i < 5000 && host_state(ctx) != HOST_STOPPED; i++) {
        turn();
        daemon_run(&guid, SIZE_MAX);
        if (i > 100)
            usleep(1000);
    }
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    NO_COMPLAINT();
    daemon_reset(&guid);
    fake_free(&fake);
    host_free(host);
}

uint32_t shade(int x, int y, uint32_t paint) { return ((uint32_t)x * 0x10301u + (uint32_t)y * 0x70b05u + paint * 0x1f2e3du) & 0xffffff; }

void window_draw(struct window *w)
{
    for (int y = 0; y < w->buffer.height; y++)
        for (int x = 0; x < w->buffer.width; x++)
            w->buffer.pixels[(size_t)y * w->buffer.pitch + (size_t)x] = shade(x, y, w->paint);
}

static void count(struct window *w, const struct unik_gui_event *e)
{
    switch (e->type) {
    case UNIK_GUI_RESIZE:
        w->resizes++;
        w->buffer = e->buffer;
        window_draw(w);
        gui->damage(gui, w->w, 0, 0, w->buffer.width, w->buffer.height);
        break;
    case UNIK_GUI_KEY: w->keys++; break;
    case UNIK_GUI_BUTTON: w->buttons++; break;
    case UNIK_GUI_MOTION: w->motions++; break;
    case UNIK_GUI_CROSSING: w->crossings++; break;
    case UNIK_GUI_FOCUS: w->focuses++; break;
    case UNIK_GUI_CLOSE: w->closes++; break;
    case UNIK_GUI_COPY: w->copies++; break;
    case UNIK_GUI_PASTE: w->pastes++; break;
    case UNIK_GUI_STATE: w->states++; break;
    }
}

void window_event(struct unik_gui_window *win, const struct unik_gui_event *e, void *arg)
{
    struct window *w = arg;

    if (w->dead || win != w->w)
        abort();
    w->last = *e;
    snprintf(w->text, sizeof(w->text), "%s", e->text);
    if (e->type == UNIK_GUI_PASTE) {
        free(w->paste);
        w->pasted = e->size;
        w->paste = malloc(e->size + 1);
        memcpy(w->paste, e->bytes, e->size);
    }
    count(w, e);
    if (e->type == UNIK_GUI_CLOSE && w->destroy_on_close)
        window_destroy(w);
    else if (w->on)
        w->on(w, e);
}

void window_setup(struct window *w, const struct unik_gui_setup *setup)
{
    ck_assert_int_eq(gui->create(gui, setup, window_event, w, &w->w), 0);
    ck_assert_ptr_nonnull(w->w);
}

void window_create(struct window *w, int width, int height)
{
    struct unik_gui_setup s = { .size = sizeof(s), .width = width, .height = height };

    memset(w, 0, sizeof(*w));
    window_setup(w, &s);
}

void window_destroy(struct window *w)
{
    gui->destroy(gui, w->w);
    free(w->paste);
    w->paste = NULL;
    w->dead = true;
}

struct daemon_window *shown(uint32_t id) { return daemon_window(&guid, id); }

void check_picture(const struct daemon_window *d, const struct window *w)
{
    ck_assert_ptr_nonnull(d);
    ck_assert(d->mapped || d->docked);
    ck_assert_uint_eq(d->at.width, (unsigned)w->buffer.width);
    ck_assert_uint_eq(d->at.height, (unsigned)w->buffer.height);
    for (int y = 0; y < w->buffer.height; y++)
        for (int x = 0; x < w->buffer.width; x++)
            ck_assert_msg(d->picture[y * w->buffer.width + x] ==
                          (w->buffer.pixels[(size_t)y * w->buffer.pitch + (size_t)x] & 0xffffff),
                          "window %u: pixel %d, %d is %06x", d->id, x, y, d->picture[y * w->buffer.width + x]);
}
