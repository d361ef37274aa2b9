/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/input.c - messages from the daemon. All of them are from the GUI domain. */
#include <errno.h>
#include <stdlib.h>
#include <unik/text.h>
#include "plugins/gui/agent.h"

void gui_tell(struct unik_gui_window *w, const struct unik_gui_event *e)
{
    if (w->cb)
        w->cb(w, e, w->arg);
}

static void bad(struct gui_agent *a, const char *what)
{
    gui_count(a, GUI_BAD);
    unik_warn(a->ctx, "%s (%u) for window %u, %u bytes, from the GUI daemon: %s: left out", gui_type_name(a->header.type),
              (unsigned)a->header.type, (unsigned)a->header.window, (unsigned)a->header.len, what);
}

/* ---- keys ---- */

static void tell_key(struct unik_gui_window *w, const struct gui_message *m, bool down)
{
    struct unik_gui_event e = { .type = UNIK_GUI_KEY, .x = m->u.input.x, .y = m->u.input.y,
                                .modifiers = m->u.input.state & 0x1fff, .on = down, .code = m->u.input.code };

    gui_keyboard_look(&w->a->keyboard, m->u.input.code, m->u.input.state, &e.keysym, e.text);
    if (!down)
        e.text[0] = 0;
    gui_tell(w, &e);
}

static void on_key(struct unik_gui_window *w, const struct gui_message *m)
{
    bool down = m->u.input.type == GUI_KEY_DOWN;

    w->a->key_window[m->u.input.code] = down ? w->id : 0;
    tell_key(w, m, down);
}

/* The keys that are down now. Releases that happened while no window of ours had the focus were never sent; presses are not
 * ours to guess. */
static void on_keymap(struct gui_agent *a, const struct gui_message *m)
{
    for (unsigned k = 0; k < GUI_KEY_CODES; k++) {
        struct gui_message up = { .u.input = { .type = GUI_KEY_UP, .code = k } };
        struct unik_gui_window *w;

        if (!a->key_window[k] || m->u.keymap.down[k / 8] & 1u << k % 8)
            continue;
        w = gui_window_find(a, a->key_window[k]);
        a->key_window[k] = 0;
        if (w)
            tell_key(w, &up, false);
    }
}

/* ---- the rest of the events ---- */

static void on_button(struct unik_gui_window *w, const struct gui_message *m)
{
    struct unik_gui_event e = { .type = UNIK_GUI_BUTTON, .x = m->u.input.x, .y = m->u.input.y,
                                .modifiers = m->u.input.state & 0x1fff, .on = m->u.input.type == GUI_BUTTON_DOWN,
                                .code = m->u.input.code };

    gui_tell(w, &e);
}

static void on_motion(struct unik_gui_window *w, const struct gui_message *m)
{
    struct unik_gui_event e = { .type = UNIK_GUI_MOTION, .x = m->u.motion.x, .y = m->u.motion.y,
                                .modifiers = m->u.motion.state & 0x1fff };

    gui_tell(w, &e);
}

/* A grab by the window manager is no move of the pointer. */
static void on_crossing(struct unik_gui_window *w, const struct gui_message *m)
{
    struct unik_gui_event e = { .type = UNIK_GUI_CROSSING, .x = m->u.crossing.x, .y = m->u.crossing.y,
                                .modifiers = m->u.crossing.state & 0x1fff, .on = m->u.crossing.type == GUI_ENTER };

    if (m->u.crossing.mode == 0)
        gui_tell(w, &e);
}

static void on_focus(struct unik_gui_window *w, const struct gui_message *m)
{
    struct unik_gui_event e = { .type = UNIK_GUI_FOCUS, .on = m->u.focus.type == GUI_FOCUS_IN };

    if (e.on)
        w->a->focus = w;
    else if (w->a->focus == w)
        w->a->focus = NULL;
    gui_tell(w, &e);
}

static void on_flags(struct unik_gui_window *w, const struct gui_message *m)
{
    unsigned state = ((w->state | m->u.flags.set) & ~m->u.flags.unset) & (GUI_FULLSCREEN | GUI_MINIMISED);
    struct unik_gui_event e = { .type = UNIK_GUI_STATE, .state = state };

    if (state == w->state)
        return;
    w->state = state;
    gui_flush(w->a);                    /* what was not painted while nobody saw it */
    gui_tell(w, &e);
}

static void on_ack(struct unik_gui_window *w)
{
    if (!w->told.unacked) {
        bad(w->a, "there is none to acknowledge");
        return;
    }
    w->told.unacked = false;
    gui_buffers_acked(w);
    gui_flush(w->a);
}

/* The end of a window, acknowledged: all dumps before it have been dealt with, and nothing more will come for it. */
static void on_destroyed(struct unik_gui_window *w)
{
    if (!w->told.destroyed) {
        bad(w->a, "nobody destroyed it");
        return;
    }
    gui_buffers_free(w->a, &w->old);
    gui_flush(w->a);
    gui_window_gone(w);
}

static struct unik_gui_window *find_any(struct gui_agent *a, uint32_t id)
{
    struct unik_gui_window *w;

    TAILQ_FOREACH(w, &a->windows, link)
        if (w->id == id && w->told.created)
            return w;
    return NULL;
}

/* Events for a window that we have just destroyed are ordinary; they are dropped. */
static void dispatch(struct gui_agent *a, const struct gui_message *m)
{
    static const struct unik_gui_event close = { .type = UNIK_GUI_CLOSE };
    struct unik_gui_window *w;

    if (m->type == GUI_KEYMAP_NOTIFY) {
        on_keymap(a, m);
        return;
    }
    if (m->type == GUI_CLIPBOARD_REQ) {
        gui_clipboard_asked(a, m->window);
        return;
    }
    w = find_any(a, m->window);
    if (!w || (w->dying && m->type != GUI_DESTROY && m->type != GUI_WINDOW_DUMP_ACK)) {
        gui_count(a, GUI_STRAYS);
        return;
    }
    switch (m->type) {
    case GUI_KEYPRESS: on_key(w, m); break;
    case GUI_BUTTON: on_button(w, m); break;
    case GUI_MOTION: on_motion(w, m); break;
    case GUI_CROSSING: on_crossing(w, m); break;
    case GUI_FOCUS: on_focus(w, m); break;
    case GUI_CONFIGURE: gui_configured(w, &m->u.rect); break;
    case GUI_WINDOW_FLAGS: on_flags(w, m); break;
    case GUI_CLOSE: gui_tell(w, &close); break;
    case GUI_WINDOW_DUMP_ACK: on_ack(w); break;
    case GUI_DESTROY: on_destroyed(w); break;
    default: break;                     /* MAP, of a docked icon: says nothing (its body is uninitialised) */
    }
}

/* ---- whole messages ---- */

static void take_message(struct gui_agent *a)
{
    struct gui_message m;

    gui_count(a, GUI_INPUTS);
    if (gui_decode(GUI_DAEMON, &a->header, a->in + GUI_HEADER, &m) < 0) {
        bad(a, "a value is out of range");
        if (m.type == GUI_CLIPBOARD_DATA)
            a->skip = a->header.len;
        return;
    }
    if (m.type == GUI_CLIPBOARD_DATA) {
        gui_paste_begin(a, m.window, m.u.clipboard.size);
        return;
    }
    dispatch(a, &m);
}

/* The header is there: how much of the body belongs with it; -1: the connection is of no use. */
static int look_at_header(struct gui_agent *a)
{
    int n;

    gui_decode_header(a->in, &a->header);
    n = gui_body(GUI_DAEMON, &a->header);
    if (n >= 0)
        return n;
    if (a->header.len > GUI_SKIP_MAX) {
        bad(a, "too long to be skipped");
        gui_connection_lost(a, "the daemon sent what is no message");
        return -1;
    }
    bad(a, gui_sends(GUI_DAEMON, a->header.type) ? "wrong length" : "not known");
    a->skip = a->header.len;
    a->have = 0;
    return 0;
}

/* Bytes that belong to no message, and pasted text. False: more must come. */
static bool take_rest(struct gui_agent *a)
{
    const void *at;
    size_t n;

    while (a->skip && (n = unik_stream_peek(a->stream, &at)) > 0) {
        n = n < a->skip ? n : a->skip;
        unik_stream_consume(a->stream, n);
        a->skip -= (uint32_t)n;
    }
    while (a->paste && a->paste_have < a->paste_size && (n = unik_stream_peek(a->stream, &at)) > 0) {
        uint32_t left = a->paste_size - a->paste_have;

        n = n < left ? n : left;
        memcpy(a->paste + a->paste_have, at, n);
        unik_stream_consume(a->stream, n);
        a->paste_have += (uint32_t)n;
    }
    if (a->paste && a->paste_have == a->paste_size)
        gui_paste_end(a);
    return !a->skip && !a->paste;
}

/* True: there may be another. */
static bool take_one(struct gui_agent *a)
{
    ssize_t n;
    int body;

    if (!take_rest(a))
        return false;
    if (a->have < GUI_HEADER) {
        n = unik_stream_read(a->stream, a->in + a->have, GUI_HEADER - a->have);
        if (n <= 0)
            return false;
        a->have += (size_t)n;
        if (a->have < GUI_HEADER)
            return false;
        if (look_at_header(a) < 0)
            return false;
        if (a->have == 0)
            return true;
    }
    body = gui_body(GUI_DAEMON, &a->header);
    if (a->have < GUI_HEADER + (size_t)body) {
        n = unik_stream_read(a->stream, a->in + a->have, GUI_HEADER + (size_t)body - a->have);
        if (n <= 0)
            return false;
        a->have += (size_t)n;
        if (a->have < GUI_HEADER + (size_t)body)
            return false;
    }
    a->have = 0;
    take_message(a);
    return true;
}

void gui_input(struct gui_agent *a)
{
    const void *at;
    int burst = GUI_BURST;

    while (burst-- > 0 && a->phase == GUI_LIVE && take_one(a))
        ;
    if (a->phase != GUI_LIVE)
        return;
    if (burst < 0) {
        ev_idle_start(a->ctx->loop, &a->more);      /* others first; the stream does not tell these bytes again */
        return;
    }
    if (unik_stream_peek(a->stream, &at) == 0 && unik_stream_ended(a->stream) != 0)
        gui_connection_lost(a, a->vchan->reason(a->stream));
}
