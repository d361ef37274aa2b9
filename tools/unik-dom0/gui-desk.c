/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-desk.c - a window manager without a screen: it places new windows, gives the last one the focus,
 * and has a tray. */
#include "tools/unik-dom0/gui-parts.h"

#define PLACE_FIRST 40              /* pixels: where the first window goes, and how far the next is from it */
#define PLACE_STEP 30
#define PLACE_STEPS 10
#define TRAY_ICON 24
#define GARBAGE 0xdeadbeefu         /* a MAP's transient_for: not set by the real daemon (doc/protocol/gui.md, 4) */

static unsigned docked(const struct gui *g)
{
    unsigned n = 0;

    for (const struct gui_window *w = g->windows; w; w = w->next)
        n += w->docked && w->mapped;
    return n;
}

static void embed(struct gui_window *w)
{
    struct gui *g = w->gui;
    struct gui_message m = { .type = GUI_MAP, .window = w->id, .u.map.parent = GARBAGE };

    gui_user_place(w, (struct gui_rect){ (int32_t)g->vm->dom0->screen_width - TRAY_ICON * (int32_t)docked(g), 0, TRAY_ICON,
                                         TRAY_ICON });
    gui_send(g, &m, NULL, 0);
}

/* A menu stays where it wants to be, but on the screen (doc/protocol/gui.md, 4). */
static void keep_on_screen(struct gui_window *w)
{
    const struct dom0 *d = w->gui->vm->dom0;
    struct gui_rect to = w->at;

    if (to.x + (int64_t)to.width > d->screen_width)
        to.x = (int32_t)((int64_t)d->screen_width - to.width);
    if (to.y + (int64_t)to.height > d->screen_height)
        to.y = (int32_t)((int64_t)d->screen_height - to.height);
    to.x = to.x < 0 ? 0 : to.x;
    to.y = to.y < 0 ? 0 : to.y;
    if ((uint64_t)to.width * 10 > (uint64_t)d->screen_width * 9 && (uint64_t)to.height * 10 > (uint64_t)d->screen_height * 9) {
        vm_note(w->gui->vm, "gui", "window 0x%x: a menu over 90 %% of the screen: the user is warned, and it gets a frame", w->id);
        w->menu = false;
    }
    gui_user_place(w, to);
}

static void place(struct gui_window *w)
{
    struct gui_rect to = w->at;
    int32_t step = (int32_t)(w->gui->n_windows % PLACE_STEPS) * PLACE_STEP;

    if (w->placed || w->hints.u.hints.flags & (GUI_HINT_USER_POSITION | GUI_HINT_POSITION))
        return;
    w->placed = true;
    to.x = PLACE_FIRST + step;
    to.y = PLACE_FIRST + step;
    gui_user_place(w, to);
}

static void set_fullscreen(struct gui_window *w)
{
    const struct dom0 *d = w->gui->vm->dom0;

    if (!(w->flags & GUI_FULLSCREEN))
        w->before = w->at;
    gui_user_place(w, (struct gui_rect){ 0, 0, d->screen_width, d->screen_height });
    gui_user_flags(w, GUI_FULLSCREEN, 0);
}

static void desk_asked(struct gui_window *w, uint32_t set, uint32_t unset)
{
    if (set & GUI_FULLSCREEN)
        set_fullscreen(w);
    if (unset & w->flags & GUI_FULLSCREEN) {
        gui_user_place(w, w->before);
        gui_user_flags(w, 0, GUI_FULLSCREEN);
    }
    if (set & GUI_MINIMISED && w->gui->focus == w)
        gui_user_focus(w->gui, NULL);
    if (w->gui->focus == w)
        set &= ~(uint32_t)GUI_ATTENTION;        /* it has the user's attention */
    gui_user_flags(w, set & (GUI_ATTENTION | GUI_MINIMISED), unset & GUI_ATTENTION);
}

static void desk_appeared(struct gui_window *w)
{
    uint32_t asked = w->flags;

    w->flags = 0;
    if (w->docked) {
        embed(w);
        return;
    }
    if (w->menu)
        keep_on_screen(w);
    else
        place(w);
    if (!w->menu)
        gui_user_focus(w->gui, w);
    if (asked)
        desk_asked(w, asked, 0);
}

static void desk_vanished(struct gui_window *w)
{
    struct gui *g = w->gui;

    for (struct gui_window *v = g->windows; v && !g->focus; v = v->next)
        if (v != w && v->mapped && !v->menu && !v->docked && !(v->flags & GUI_MINIMISED))
            gui_user_focus(g, v);
}

static void desk_painted(struct gui_window *w, const struct gui_rect *part) { (void)w, (void)part; }
static void nothing(struct gui_window *w) { (void)w; }

const struct gui_screen gui_desk = {
    .appeared = desk_appeared, .vanished = desk_vanished, .painted = desk_painted, .moved = nothing, .named = nothing,
    .asked = desk_asked,
};
