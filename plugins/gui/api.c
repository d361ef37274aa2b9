/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/api.c - what apps call: the entry points of "gui/1". They only note what is wanted; it is done from the loop. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unik/clean.h>
#include "plugins/gui/agent.h"

static struct gui_agent *agent_of(struct unik_gui *g) { return (struct gui_agent *)(void *)g; }

static bool size_ok(int width, int height)
{
    return width >= 1 && height >= 1 && width <= UNIK_GUI_WIDTH_MAX && height <= UNIK_GUI_HEIGHT_MAX;
}

static bool limits_ok(const struct unik_gui_setup *s)
{
    return s->min_width >= 0 && s->min_height >= 0 && s->max_width >= 0 && s->max_height >= 0 &&
           s->min_width <= UNIK_GUI_WIDTH_MAX && s->min_height <= UNIK_GUI_HEIGHT_MAX && s->max_width <= UNIK_GUI_WIDTH_MAX &&
           s->max_height <= UNIK_GUI_HEIGHT_MAX && (!s->max_width || s->max_width >= s->min_width) &&
           (!s->max_height || s->max_height >= s->min_height);
}

/* Positions go to the daemon, which clamps them: so far and no farther. */
static int near(int64_t v, int max) { return v < -max ? -max : v > max ? max : (int)v; }

/* The VM's name is what the user knows it by. */
static const char *vm_name(struct gui_agent *a)
{
    const char *name = a->db ? a->db->read(a->db, "/name", NULL) : NULL;

    return name && *name ? name : "unik";
}

static void set_text(char *field, size_t size, const char *text) { unik_clean(field, size, text, strlen(text), 0); }

/* A copy of the caller's struct, as far as the caller knows it. */
static int take_setup(const struct unik_gui_setup *given, struct unik_gui_setup *s)
{
    size_t least = offsetof(struct unik_gui_setup, title), n;

    memset(s, 0, sizeof(*s));
    if (!given || given->size < least)
        return -EINVAL;
    n = given->size < sizeof(*s) ? given->size : sizeof(*s);
    memcpy(s, given, n);
    if (!size_ok(s->width, s->height) || !limits_ok(s) || (s->title && strlen(s->title) > UNIK_GUI_TITLE_MAX) ||
        (s->class_name && strlen(s->class_name) > UNIK_GUI_CLASS_MAX) || (s->docked && (s->menu || s->hidden)))
        return -EINVAL;
    return 0;
}

static void fill(struct unik_gui_window *w, const struct unik_gui_setup *s)
{
    int64_t x = s->x, y = s->y;

    if (s->menu && s->parent) {
        x += s->parent->at.x;
        y += s->parent->at.y;
    }
    w->at = (struct gui_rect){ near(x, UNIK_GUI_WIDTH_MAX), near(y, UNIK_GUI_HEIGHT_MAX), (uint32_t)s->width,
                               (uint32_t)s->height };
    w->hints.placed = s->x || s->y;
    w->hints.min_width = s->min_width;
    w->hints.min_height = s->min_height;
    w->hints.max_width = s->max_width;
    w->hints.max_height = s->max_height;
    w->parent = s->parent;
    w->menu = s->menu;
    w->docked = s->docked;
    w->shown = !s->hidden;
    w->owner = s->owner;
    set_text(w->title, sizeof(w->title), s->title ? s->title : vm_name(w->a));
    set_text(w->class_name, sizeof(w->class_name), s->class_name ? s->class_name : "unik");
}

static int refuse(struct gui_agent *a, int e)
{
    unik_warn(a->ctx, "window refused: %s", e == -EMFILE ? "too many" : e == -EOPNOTSUPP ? "mode is not serve" : strerror(-e));
    return e;
}

static int api_create(struct unik_gui *g, const struct unik_gui_setup *setup, unik_gui_cb *cb, void *arg,
                      struct unik_gui_window **out)
{
    struct gui_agent *a = agent_of(g);
    struct unik_gui_window *w;
    struct unik_gui_setup s;
    int e = a->config->mode != GUI_MODE_SERVE ? -EOPNOTSUPP : a->stopping ? -EINVAL : take_setup(setup, &s);

    *out = NULL;
    if (e < 0)
        return refuse(a, e);
    w = gui_window_new(a, &e);
    if (!w)
        return refuse(a, e);
    fill(w, &s);
    w->cb = cb;
    w->arg = arg;
    e = gui_buffer_new(a, w->at.width, w->at.height, &w->now);
    if (e < 0) {
        gui_window_end(w);              /* nobody has heard of it: it goes at the end of this turn */
        return e == -ENOMEM ? e : -ENOSPC;
    }
    gui_fit(w);
    *out = w;
    return 0;
}

static void api_destroy(struct unik_gui *g, struct unik_gui_window *w)
{
    (void)g;
    gui_window_end(w);
}

static void api_damage(struct unik_gui *g, struct unik_gui_window *w, int x, int y, int width, int height)
{
    (void)g;
    if (w->now && gui_damage_add(&w->damage, x, y, width, height, (int)w->now->width, (int)w->now->height))
        gui_flush(w->a);
}

static int api_resize(struct unik_gui *g, struct unik_gui_window *w, int width, int height)
{
    (void)g;
    if (!size_ok(width, height) || w->docked)
        return -EINVAL;
    if (w->told.created) {
        w->ask_width = (uint32_t)width;
        w->ask_height = (uint32_t)height;
        w->owes |= GUI_OWES_ASK;
        gui_flush(w->a);
    } else {
        w->at.width = (uint32_t)width;
        w->at.height = (uint32_t)height;
        gui_fit(w);
    }
    return 0;
}

static int api_title(struct unik_gui *g, struct unik_gui_window *w, const char *title)
{
    (void)g;
    if (strlen(title) > UNIK_GUI_TITLE_MAX)
        return -EINVAL;
    set_text(w->title, sizeof(w->title), title);
    w->owes |= GUI_OWES_TITLE;
    gui_flush(w->a);
    return 0;
}

static int api_cursor(struct unik_gui *g, struct unik_gui_window *w, unsigned cursor)
{
    (void)g;
    if (cursor != GUI_CURSOR_DEFAULT && (cursor < GUI_CURSOR_X || cursor >= GUI_CURSOR_END))
        return -EINVAL;
    if (w->cursor != cursor) {
        w->cursor = cursor;
        w->owes |= GUI_OWES_CURSOR;
        gui_flush(w->a);
    }
    return 0;
}

static int api_state(struct unik_gui *g, struct unik_gui_window *w, unsigned set, unsigned unset)
{
    const unsigned known = UNIK_GUI_FULLSCREEN | UNIK_GUI_ATTENTION | UNIK_GUI_MINIMISED;

    (void)g;
    if (set & unset || (set | unset) & ~known)
        return -EINVAL;
    w->set = (w->set | set) & ~unset;
    w->unset = ((w->unset | unset) & ~set) & ~(unsigned)UNIK_GUI_MINIMISED;     /* only the user can bring it back */
    gui_flush(w->a);
    return 0;
}

static void api_show(struct unik_gui *g, struct unik_gui_window *w, bool shown)
{
    (void)g;
    if (!w->docked)
        w->shown = shown;
    gui_flush(w->a);
}

static int api_set_clipboard(struct unik_gui *g, const void *bytes, size_t size)
{
    return gui_clipboard_set(agent_of(g), bytes, size);
}

static void api_screen(struct unik_gui *g, int *width, int *height)
{
    *width = (int)agent_of(g)->screen.width;
    *height = (int)agent_of(g)->screen.height;
}

static bool api_connected(struct unik_gui *g) { return agent_of(g)->phase == GUI_LIVE; }

const struct unik_gui gui_api = {
    .size = sizeof(struct unik_gui), .create = api_create, .destroy = api_destroy, .damage = api_damage, .resize = api_resize,
    .title = api_title, .cursor = api_cursor, .state = api_state, .show = api_show, .set_clipboard = api_set_clipboard,
    .screen = api_screen, .connected = api_connected
};
