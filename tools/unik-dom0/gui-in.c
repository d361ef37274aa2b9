/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-in.c - GUI messages from the guest, checked as hard as the real daemon does
 * (doc/protocol/gui.md, 10). */
#include <stdlib.h>

#include "tools/unik-dom0/gui-parts.h"

/* What the real daemon shows a dialog for, and stands still: "ignore" is what is answered here. */
static void freezes(struct gui *g, const char *what)
{
    vm_violation(g->vm, "gui", "%s, window 0x%x: %s: the real daemon asks its user whether to kill the VM",
                 gui_type_name(g->header.type), g->header.window, what);
}

static void odd(struct gui *g, const char *what)
{
    vm_note(g->vm, "gui", "%s, window 0x%x: %s", gui_type_name(g->header.type), g->header.window, what);
}

/* ---- one function a message: from the guest, its fields judged one by one before ---- */

static void take_create(struct gui *g, const struct gui_message *m)
{
    struct gui_rect at = m->u.create.rect;
    struct gui_window *w;

    if (!gui_clamp(&at))
        odd(g, "clamped");
    w = gui_window_new(g, m->window);
    if (!w) {
        gui_fatal(g, "no memory, or over %d windows", GUI_WINDOWS_MAX);
        return;
    }
    w->at = at;
    w->menu = m->u.create.menu != 0;
}

static void take_destroy(struct gui *g, struct gui_window *w)
{
    struct gui_message ack = { .type = GUI_DESTROY, .window = w->id };

    gui_window_free(w);
    if (GUI_MINOR(g->version) >= 5)
        gui_send(g, &ack, NULL, 0);
}

static void take_map(struct gui_window *w, const struct gui_message *m)
{
    if (w->docked || w->mapped) {
        odd(w->gui, w->docked ? "docked: the tray maps it" : "it is mapped");
        return;
    }
    w->menu = m->u.map.menu != 0;
    w->parent = gui_find(w->gui, m->u.map.parent) ? m->u.map.parent : 0;
    gui_window_map(w);
}

static void take_unmap(struct gui_window *w)
{
    if (w->docked)
        odd(w->gui, "docked: the tray unmaps it");
    else
        gui_window_unmap(w);
}

/* doc/protocol/gui.md, 4: the table of the CONFIGURE handshake. */
static void take_configure(struct gui_window *w, struct gui_rect to)
{
    struct gui_message g = { .type = GUI_CONFIGURE, .window = w->id, .u.rect = w->at };
    bool same = gui_same(&to, &w->at);

    if (same || w->docked) {
        w->pending = false;
        w->insisted = 0;
        ev_timer_stop(w->gui->vm->dom0->loop, &w->echo);
        if (!same)
            gui_send(w->gui, &g, NULL, 0);
    } else if (w->pending) {
        if (++w->insisted == GUI_INSIST_MAX)
            vm_violation(w->gui->vm, "gui", "window 0x%x: the guest answers a CONFIGURE with another geometry again and "
                         "again", w->id);
        if (w->insisted < 2 * GUI_INSIST_MAX)
            gui_send(w->gui, &g, NULL, 0);
    } else {
        if (!gui_clamp(&to))
            odd(w->gui, "clamped");
        gui_window_place(w, &to);
        w->gui->screen->moved(w);
    }
}

static void take_dock(struct gui_window *w)
{
    if (w->mapped) {
        odd(w->gui, "docked while it is mapped");
        return;
    }
    w->docked = true;
    w->menu = false;
    gui_window_map(w);
}

static void take_flags(struct gui_window *w, uint32_t set, uint32_t unset)
{
    if (w->mapped)
        w->gui->screen->asked(w, set, unset & ~(uint32_t)GUI_MINIMISED);
    else
        w->flags = set & (GUI_FULLSCREEN | GUI_ATTENTION);
}

static void take_dump(struct gui_window *w, const struct gui_message *m)
{
    struct gui_message ack = { .type = GUI_WINDOW_DUMP_ACK, .window = w->id };
    struct gui *g = w->gui;
    struct gui_pages *pages;
    int e = gui_pages_map(g, g->tail, m->u.dump.refs, m->u.dump.width, m->u.dump.height, &pages);

    if (e < 0) {
        gui_fatal(g, "%u references from %u on: %s", m->u.dump.refs, gui_decode_ref(g->tail),
                  e == -EFAULT ? "cannot be mapped" : strerror(-e));
        return;
    }
    gui_pages_unmap(w->pages);
    w->pages = pages;
    w->dumps++;
    g->dumps++;
    if (GUI_MINOR(g->version) >= 7)
        gui_send(g, &ack, NULL, 0);
}

/* Control characters, and what is not ASCII, come out as _ (doc/protocol/gui.md, 9). */
static void set_text(char *to, const char *from, size_t size)
{
    snprintf(to, size, "%s", from);
    for (char *p = to; *p; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
            *p = '_';
}

static void take_name(struct gui_window *w, const struct gui_message *m)
{
    switch (m->type) {
    case GUI_WMNAME:
        set_text(w->title, m->u.name.title, sizeof(w->title));
        break;
    case GUI_WMCLASS:
        if (w->mapped) {
            odd(w->gui, "it is mapped");
            return;
        }
        set_text(w->class_name, m->u.wmclass.class_name, sizeof(w->class_name));
        set_text(w->name, m->u.wmclass.name, sizeof(w->name));
        break;
    case GUI_WINDOW_HINTS:
        w->hints = *m;
        break;
    default:
        w->cursor = m->u.cursor.id;
    }
    w->gui->screen->named(w);
}

static void take_clipboard(struct gui *g, size_t n)
{
    bool copying = g->copying;

    g->copying = false;
    if (g->copier)
        gui_copied(g, g->tail, n);
    else if (copying)
        g->screen->copied(g, g->tail, n);
    else
        odd(g, "nobody asked for it, or the asker has given up");
}

/* One whole message; of a window that is there, where the type names one. */
static void handle(struct gui *g, const struct gui_message *m)
{
    struct gui_window *w = gui_find(g, m->window);

    switch (m->type) {
    case GUI_CREATE: take_create(g, m); break;
    case GUI_DESTROY: take_destroy(g, w); break;
    case GUI_MAP: take_map(w, m); break;
    case GUI_UNMAP: take_unmap(w); break;
    case GUI_CONFIGURE: take_configure(w, m->u.configure.rect); break;
    case GUI_SHMIMAGE: gui_window_paint(w, m->u.rect); break;
    case GUI_DOCK: take_dock(w); break;
    case GUI_WINDOW_FLAGS: take_flags(w, m->u.flags.set, m->u.flags.unset); break;
    case GUI_WINDOW_DUMP: take_dump(w, m); break;
    case GUI_CLIPBOARD_DATA: take_clipboard(g, m->u.clipboard.size); break;
    default: take_name(w, m);
    }
}

/* ---- what can be said before the message is whole ---- */

static bool check_header(struct gui *g)
{
    if (!gui_sends(GUI_AGENT, g->header.type))
        gui_fatal(g, "unknown type, or not for this direction");
    else if (gui_body(GUI_AGENT, &g->header) < 0)
        gui_fatal(g, "a length that this type cannot have");
    else if (g->header.type != GUI_CREATE && g->header.type != GUI_CLIPBOARD_DATA && !gui_find(g, g->header.window))
        gui_fatal(g, "there is no such window");
    else if (g->header.type == GUI_CREATE && gui_find(g, g->header.window))
        gui_fatal(g, "there is such a window");
    else
        return true;
    return false;
}

/* Why the real daemon would not live with it. */
static const char *reason(const struct gui_message *m)
{
    switch (m->type) {
    case GUI_CREATE: return "a window without a size";
    case GUI_CONFIGURE: return "a window without a size";
    case GUI_WINDOW_DUMP: return "not references of pages, too few of them, or too large a picture";
    case GUI_CLIPBOARD_DATA: return "over the limit of the clipboard";
    case GUI_WINDOW_FLAGS: return "a flag is both set and unset";
    case GUI_CURSOR: return "no such cursor";
    default: return "not served here";
    }
}

/* The head is whole: make room for the rest. false: the connection is over. */
static bool begin_tail(struct gui *g)
{
    const struct gui_message *m = &g->message;
    size_t n = m->type == GUI_WINDOW_DUMP ? (size_t)4 * m->u.dump.refs : m->type == GUI_CLIPBOARD_DATA ?
               m->u.clipboard.size : 0;

    if (n == 0)
        return true;
    g->tail = malloc(n);
    g->tail_size = g->tail ? n : 0;
    g->tail_got = 0;
    if (!g->tail)
        gui_fatal(g, "no memory");
    return g->tail != NULL;
}

static void finish(struct gui *g, bool ignored)
{
    struct faults *f = &g->vm->dom0->faults;

    g->messages++;
    if (!ignored)
        handle(g, &g->message);
    if (g->stream && fault_on(f, FAULT_DROP_GUI) && (double)g->messages >= fault_value(f, FAULT_DROP_GUI)
        && fault_strikes(f, FAULT_DROP_GUI))
        gui_restart(g->vm, DOM0_AWAY_SECONDS);
    g->got = 0;
    free(g->tail);
    g->tail = NULL;
    g->tail_got = g->tail_size = 0;
}

/* Header and body are whole. */
static void judge(struct gui *g)
{
    enum gui_verdict v;

    gui_decode(GUI_AGENT, &g->header, g->in + GUI_HEADER, &g->message);
    v = gui_judge(g->version, &g->message);
    dom0_log(g->vm->dom0, UNIK_DEBUG, g->vm->name, "gui: got %s, window 0x%x, %u bytes", gui_type_name(g->header.type),
             g->header.window, g->header.len);
    if (v == GUI_KILLS) {
        gui_fatal(g, "%s", reason(&g->message));
        return;
    }
    if (v == GUI_FREEZES)
        freezes(g, reason(&g->message));
    else if (v == GUI_ODD && g->header.type == GUI_SHMIMAGE)
        odd(g, "nothing of it is painted");
    if (!begin_tail(g))
        return;
    if (!g->tail_size)
        finish(g, v == GUI_FREEZES || (v == GUI_ODD && g->header.type == GUI_SHMIMAGE));
}

/* How many bytes of a kind are to come into `to` now. */
static size_t read_some(struct gui *g, uint8_t *to, size_t n)
{
    const void *bytes;
    size_t there = unik_stream_peek(g->stream, &bytes);

    if (n > there)
        n = there;
    if (fault_on(&g->vm->dom0->faults, FAULT_SLOW_GUI)) {
        if ((double)n > g->allowance)
            n = g->allowance >= 1 ? (size_t)g->allowance : 0;
        g->allowance -= (double)n;
    }
    memcpy(to, bytes, n);
    unik_stream_consume(g->stream, n);
    return n;
}

void gui_receive(struct gui *g)
{
    size_t n;

    while (g->stream) {
        size_t want = GUI_HEADER;

        if (g->tail_size) {
            n = read_some(g, g->tail + g->tail_got, g->tail_size - g->tail_got);
            g->tail_got += n;
            if (n && g->tail_got == g->tail_size)
                finish(g, false);
        } else {
            if (g->got >= GUI_HEADER)
                want += (size_t)gui_body(GUI_AGENT, &g->header);
            n = read_some(g, g->in + g->got, want - g->got);
            g->got += n;
            if (n && g->got == GUI_HEADER && want == GUI_HEADER) {
                gui_decode_header(g->in, &g->header);
                if (!check_header(g))
                    return;
                want += (size_t)gui_body(GUI_AGENT, &g->header);
            }
            if (n && g->got == want && g->got >= GUI_HEADER)
                judge(g);
        }
        if (n == 0)
            return;
    }
}
