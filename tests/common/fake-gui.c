/* SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/common/fake-gui.h"

static struct fake_window *of(struct unik_gui_window *w) { return (struct fake_window *)(void *)w; }

static void give_buffer(struct fake_window *w, int width, int height)
{
    struct unik_gui_event e = { .type = UNIK_GUI_RESIZE };

    free(w->buffer.pixels);
    w->buffer = (struct unik_gui_buffer){ .width = width, .height = height, .pitch = (size_t)width };
    w->buffer.pixels = calloc((size_t)width * (size_t)height, 4);
    ck_assert_ptr_nonnull(w->buffer.pixels);
    e.buffer = w->buffer;
    w->cb((struct unik_gui_window *)(void *)w, &e, w->arg);
}

static void on_resized(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct fake_window *w = t->data;

    (void)loop, (void)revents;
    give_buffer(w, w->setup.width, w->setup.height);
}

static int fake_title(struct unik_gui *g, struct unik_gui_window *window, const char *title)
{
    (void)g;
    ck_assert(of(window)->live);
    if (strlen(title) > UNIK_GUI_TITLE_MAX)
        return -EINVAL;
    snprintf(of(window)->title, sizeof(of(window)->title), "%s", title);
    return 0;
}

static int fake_create(struct unik_gui *api, const struct unik_gui_setup *setup, unik_gui_cb *cb, void *arg,
                       struct unik_gui_window **out)
{
    struct fake_gui *g = (struct fake_gui *)(void *)api;
    struct fake_window *w = g->window;

    if (g->create_error)
        return g->create_error;
    while (w->live)
        ck_assert(++w < g->window + FAKE_WINDOWS);
    *w = (struct fake_window){ .live = true, .gui = g, .cb = cb, .arg = arg, .setup = *setup };
    *out = (struct unik_gui_window *)(void *)w;
    fake_title(api, *out, setup->title ? setup->title : "");
    w->setup.title = w->setup.class_name = NULL;
    ev_timer_init(&w->resized, on_resized, 0, 0);
    w->resized.data = w;
    ev_timer_start(g->loop, &w->resized);
    return 0;
}

static void fake_destroy(struct unik_gui *api, struct unik_gui_window *window)
{
    struct fake_gui *g = (struct fake_gui *)(void *)api;
    struct fake_window *w = of(window);

    ck_assert(w->live);
    ev_timer_stop(g->loop, &w->resized);
    free(w->buffer.pixels);
    *w = (struct fake_window){ 0 };
}

static void fake_damage(struct unik_gui *g, struct unik_gui_window *window, int x, int y, int width, int height)
{
    struct fake_window *w = of(window);

    (void)g, (void)x, (void)y;
    ck_assert(w->live);
    w->damages++;
    w->damaged += (size_t)width * (size_t)height;
}

static int fake_set_clipboard(struct unik_gui *api, const void *bytes, size_t size)
{
    struct fake_gui *g = (struct fake_gui *)(void *)api;

    if (size > sizeof(g->clipboard))
        return -EMSGSIZE;
    memcpy(g->clipboard, bytes, size);
    g->clipboard_size = size;
    return 0;
}

void fake_gui_open(struct fake_gui *g, struct ev_loop *loop)
{
    *g = (struct fake_gui){ .loop = loop };
    g->api = (struct unik_gui){ .size = sizeof(g->api), .create = fake_create, .destroy = fake_destroy, .damage = fake_damage,
                                .title = fake_title, .set_clipboard = fake_set_clipboard };
}

void fake_gui_close(struct fake_gui *g) { ck_assert_ptr_null(fake_gui_window(g, 0)); }

struct fake_window *fake_gui_window(struct fake_gui *g, unsigned i)
{
    for (struct fake_window *w = g->window; w < g->window + FAKE_WINDOWS; w++)
        if (w->live && i-- == 0)
            return w;
    return NULL;
}

void fake_gui_event(struct fake_window *w, const struct unik_gui_event *e)
{
    ck_assert(w->live);
    w->cb((struct unik_gui_window *)(void *)w, e, w->arg);
}

/* The window may be gone after the press. */
void fake_gui_key(struct fake_window *w, uint32_t keysym, const char *text)
{
    struct unik_gui_event e = { .type = UNIK_GUI_KEY, .on = true, .keysym = keysym };

    snprintf(e.text, sizeof(e.text), "%s", text);
    fake_gui_event(w, &e);
    e.on = false;
    e.text[0] = 0;
    if (w->live)
        fake_gui_event(w, &e);
}

void fake_gui_type(struct fake_window *w, const char *ascii)
{
    for (; *ascii; ascii++) {
        char text[2] = { *ascii, 0 };

        fake_gui_key(w, (unsigned char)*ascii, text);
    }
}

void fake_gui_click(struct fake_window *w, int x, int y, unsigned button)
{
    struct unik_gui_event e = { .type = UNIK_GUI_BUTTON, .on = true, .code = button, .x = x, .y = y };

    fake_gui_event(w, &e);
    e.on = false;
    if (w->live)
        fake_gui_event(w, &e);
}

void fake_gui_resize(struct fake_window *w, int width, int height) { give_buffer(w, width, height); }

size_t fake_gui_count(const struct fake_window *w, int x, int y, int width, int height, uint32_t colour)
{
    size_t n = 0;

    for (int row = y; row < y + height; row++)
        for (int column = x; column < x + width; column++)
            n += w->buffer.pixels[(size_t)row * w->buffer.pitch + (size_t)column] == colour;
    return n;
}
