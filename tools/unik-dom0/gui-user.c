/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-user.c - what the user does, as events that the GUI daemon sends (doc/protocol/gui.md, 7). */
#include "tools/unik-dom0/gui-parts.h"

/* doc/protocol/gui.md, 4: the first rows of the table. */
void gui_user_place(struct gui_window *w, struct gui_rect to)
{
    struct gui_message m = { .type = GUI_CONFIGURE, .window = w->id };

    gui_clamp(&to);
    to.width += to.width == 0;
    to.height += to.height == 0;
    if (gui_same(&to, &w->at))
        return;
    gui_window_place(w, &to);
    if (w->pending)
        return;
    m.u.rect = to;
    gui_send(w->gui, &m, NULL, 0);
    if (w->id == 0 || !w->gui->version)
        return;
    w->pending = true;
    w->insisted = 0;
    ev_timer_set(&w->echo, w->gui->vm->dom0->deadline, 0);
    ev_timer_start(w->gui->vm->dom0->loop, &w->echo);
}

/* Before each CROSSING in and FOCUS in. The window is 0, whatever window it is for. */
static void send_keymap(struct gui *g)
{
    struct gui_message m = { .type = GUI_KEYMAP_NOTIFY };

    memcpy(m.u.keymap.down, g->down, sizeof(m.u.keymap.down));
    gui_send(g, &m, NULL, 0);
}

static void send_focus(struct gui_window *w, uint32_t type)
{
    struct gui_message m = { .type = GUI_FOCUS, .window = w->id, .u.focus = { type, 0, 3 } };  /* detail: NotifyNonlinear */

    gui_send(w->gui, &m, NULL, 0);
}

void gui_user_focus(struct gui *g, struct gui_window *w)
{
    struct gui_window *old = g->focus;

    if (old == w)
        return;
    g->focus = w;
    if (old)
        send_focus(old, GUI_FOCUS_OUT);
    if (!w)
        return;
    send_keymap(g);
    send_focus(w, GUI_FOCUS_IN);
    if (w->flags & GUI_ATTENTION)
        gui_user_flags(w, 0, GUI_ATTENTION);
}

static void send_crossing(struct gui_window *w, uint32_t type)
{
    struct gui *g = w->gui;
    struct gui_message m = { .type = GUI_CROSSING, .window = w->id,
                             .u.crossing = { type, g->x, g->y, g->state, 0, 3, w == g->focus } };

    gui_send(g, &m, NULL, 0);
}

void gui_user_point(struct gui *g, struct gui_window *w, int32_t x, int32_t y)
{
    struct gui_message m = { .type = GUI_MOTION };
    struct gui_window *old = g->pointer;

    if (old && old != w)
        send_crossing(old, GUI_LEAVE);
    g->pointer = w;
    g->x = x;
    g->y = y;
    if (!w)
        return;
    if (old != w) {
        send_keymap(g);
        send_crossing(w, GUI_ENTER);
    }
    m.window = w->id;
    m.u.motion.x = x;
    m.u.motion.y = y;
    m.u.motion.state = g->state;
    gui_send(g, &m, NULL, 0);
}

void gui_user_button(struct gui_window *w, unsigned button, bool down)
{
    struct gui *g = w->gui;
    struct gui_message m = { .type = GUI_BUTTON, .window = w->id };
    uint32_t bit = button >= 1 && button <= 5 ? 128u << button : 0;

    m.u.input.type = down ? GUI_BUTTON_DOWN : GUI_BUTTON_UP;
    m.u.input.x = g->x;
    m.u.input.y = g->y;
    m.u.input.state = g->state;
    m.u.input.code = button;
    gui_send(g, &m, NULL, 0);
    g->state = down ? g->state | bit : g->state & ~bit;
}

void gui_user_key(struct gui_window *w, unsigned code, bool down)
{
    struct gui *g = w->gui;
    struct gui_message m = { .type = GUI_KEYPRESS, .window = w->id };
    uint8_t bit = (uint8_t)(1u << code % 8);

    if (code >= 8 * GUI_KEYS)
        return;
    m.u.input.type = down ? GUI_KEY_DOWN : GUI_KEY_UP;
    m.u.input.x = g->x;
    m.u.input.y = g->y;
    m.u.input.state = g->state;
    m.u.input.code = code;
    gui_send(g, &m, NULL, 0);
    g->state = down ? g->state | gui_modifier(code) : g->state & ~gui_modifier(code);
    g->down[code / 8] = (uint8_t)(down ? g->down[code / 8] | bit : g->down[code / 8] & ~bit);
}

void gui_user_close(struct gui_window *w)
{
    struct gui_message m = { .type = GUI_CLOSE, .window = w->id };

    gui_send(w->gui, &m, NULL, 0);
}

void gui_user_flags(struct gui_window *w, uint32_t set, uint32_t unset)
{
    struct gui_message m = { .type = GUI_WINDOW_FLAGS, .window = w->id };

    set &= ~w->flags;
    unset &= w->flags;
    w->flags = (w->flags | set) & ~unset;
    m.u.flags.set = set;
    m.u.flags.unset = unset;
    if (set || unset)
        gui_send(w->gui, &m, NULL, 0);
}

void gui_user_paste(struct gui_window *w, const void *bytes, size_t n)
{
    struct gui_message m = { .type = GUI_CLIPBOARD_DATA, .window = w->id, .u.clipboard.size = (uint32_t)n };

    gui_send(w->gui, &m, bytes, n);
}

void gui_user_copy(struct gui_window *w)
{
    struct gui_message m = { .type = GUI_CLIPBOARD_REQ, .window = w->id };

    gui_send(w->gui, &m, NULL, 0);
}

void gui_user_forget(struct gui_window *w)
{
    if (w->gui->focus == w)
        w->gui->focus = NULL;
    if (w->gui->pointer == w)
        w->gui->pointer = NULL;
}
