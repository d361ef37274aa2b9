/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-window.c - the windows of one VM, and their pictures: what X would show of them. */
#include <stdlib.h>

#include "tools/unik-dom0/gui-parts.h"
#include "tools/unik-dom0/socket.h"

struct gui_window *gui_find(struct gui *g, uint32_t id)
{
    for (struct gui_window *w = g->windows; w; w = w->next)
        if (w->id == id)
            return w;
    return NULL;
}

struct gui_window *gui_named(struct gui *g, const char *name)
{
    char *end;
    unsigned long id = strtoul(name, &end, 0);

    if (*name && !*end && id <= UINT32_MAX)
        return gui_find(g, (uint32_t)id);
    if (strcmp(name, "focus") == 0)
        return g->focus;
    for (struct gui_window *w = g->windows; w; w = w->next)
        if (strcmp(w->title, name) == 0)
            return w;
    for (struct gui_window *w = g->windows; w; w = w->next)
        if (strcmp(w->class_name, name) == 0)
            return w;
    return NULL;
}

/* from the guest: a change of geometry in dom0 was never acknowledged. */
static void no_echo(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct gui_window *w = t->data;

    (void)loop, (void)revents;
    vm_violation(w->gui->vm, "gui", "window 0x%x: no CONFIGURE in answer to one within %g s: the real daemon will never "
                 "tell it a geometry again", w->id, w->gui->vm->dom0->deadline);
}

struct gui_window *gui_window_new(struct gui *g, uint32_t id)
{
    struct gui_window *w = g->n_windows < GUI_WINDOWS_MAX ? calloc(1, sizeof(*w)) : NULL;

    if (!w)
        return NULL;
    w->gui = g;
    w->id = id;
    ev_timer_init(&w->echo, no_echo, g->vm->dom0->deadline, 0);
    w->echo.data = w;
    w->next = g->windows;
    g->windows = w;
    g->n_windows++;
    return w;
}

static void take_out(struct gui_window *w)
{
    for (struct gui_window **at = &w->gui->windows; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            return;
        }
}

void gui_window_free(struct gui_window *w)
{
    struct gui *g = w->gui;

    take_out(w);
    w->docked = false;
    gui_window_unmap(w);
    gui_pages_unmap(w->pages);
    ev_timer_stop(g->vm->dom0->loop, &w->echo);
    g->n_windows--;
    free(w);
}

static int32_t within(int32_t v, int32_t least, int32_t most) { return v < least ? least : v > most ? most : v; }

bool gui_clamp(struct gui_rect *r)
{
    struct gui_rect c = {
        within(r->x, -(int32_t)GUI_WIDTH_MAX, GUI_WIDTH_MAX), within(r->y, -(int32_t)GUI_HEIGHT_MAX, GUI_HEIGHT_MAX),
        r->width > GUI_WIDTH_MAX ? GUI_WIDTH_MAX : r->width, r->height > GUI_HEIGHT_MAX ? GUI_HEIGHT_MAX : r->height
    };
    bool same = gui_same(r, &c);

    *r = c;
    return same;
}

/* ---- the picture ---- */

static void drop_picture(struct gui_window *w, uint64_t pixels)
{
    if (w->picture)
        w->gui->pixels -= pixels;
    free(w->picture);
    w->picture = NULL;
}

/* White, as X fills a window; then an expose. */
static void new_picture(struct gui_window *w)
{
    uint64_t n = (uint64_t)w->at.width * w->at.height;

    if (w->gui->pixels + n <= GUI_PIXELS_MAX)
        w->picture = malloc(n * sizeof(*w->picture));
    if (!w->picture) {
        vm_note(w->gui->vm, "gui", "window 0x%x, %u x %u: no memory for its picture", w->id, w->at.width, w->at.height);
        return;
    }
    w->gui->pixels += n;
    for (uint64_t i = 0; i < n; i++)
        w->picture[i] = GUI_WHITE;
    gui_window_paint(w, (struct gui_rect){ 0, 0, w->at.width, w->at.height });
}

/* The overlap of what begins at `at` and is n long with 0..most: *from and how much. */
static uint32_t overlap(int64_t at, int64_t n, int64_t most, int64_t *from)
{
    int64_t end = at + n < most ? at + n : most;

    *from = at > 0 ? at : 0;
    return end > *from ? (uint32_t)(end - *from) : 0;
}

void gui_window_paint(struct gui_window *w, struct gui_rect part)
{
    struct gui_window *whole = w->pages ? w : gui_find(w->gui, 0);      /* 0: the screen (doc/protocol/gui.md, 4) */
    const struct gui_pages *pages = whole ? whole->pages : NULL;
    int64_t dx = whole == w ? 0 : w->at.x, dy = whole == w ? 0 : w->at.y, x, y;
    uint32_t n, rows;

    if (!w->picture || !pages)
        return;
    /* inside the window, then inside what the guest shares */
    n = overlap(part.x, part.width, w->at.width, &x);
    rows = overlap(part.y, part.height, w->at.height, &y);
    n = overlap(x + dx, n, gui_pages_width(pages), &x);
    rows = overlap(y + dy, rows, gui_pages_height(pages), &y);
    if (!n || !rows)
        return;
    part = (struct gui_rect){ (int32_t)(x - dx), (int32_t)(y - dy), n, rows };
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t *to = w->picture + ((size_t)part.y + i) * w->at.width + (size_t)part.x;

        if (!gui_pages_read(pages, (uint32_t)x, (uint32_t)y + i, to, n)) {
            vm_violation(w->gui->vm, "gui", "window 0x%x: pages that it told of are gone", w->id);
            return;
        }
    }
    w->painted = true;
    w->paints++;
    w->gui->paints++;
    w->gui->screen->painted(w, &part);
    request_wake(w->gui->vm->dom0);
}

/* ---- on the screen ---- */

void gui_window_map(struct gui_window *w)
{
    if (w->mapped)
        return;
    w->mapped = true;
    take_out(w);
    w->next = w->gui->windows;
    w->gui->windows = w;
    new_picture(w);
    w->gui->screen->appeared(w);
}

void gui_window_unmap(struct gui_window *w)
{
    if (w->mapped) {
        gui_user_forget(w);
        w->gui->screen->vanished(w);
        w->mapped = w->painted = false;
        w->flags = 0;
        drop_picture(w, (uint64_t)w->at.width * w->at.height);
    }
    if (w->id != 0) {
        gui_pages_unmap(w->pages);
        w->pages = NULL;
    }
}

void gui_window_place(struct gui_window *w, const struct gui_rect *to)
{
    bool resized = to->width != w->at.width || to->height != w->at.height;

    if (resized)
        drop_picture(w, (uint64_t)w->at.width * w->at.height);
    w->at = *to;
    if (resized && w->mapped)
        new_picture(w);
}
