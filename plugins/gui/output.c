/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/output.c - what the windows owe the daemon.
 *
 * Each message goes out whole, or not now; only the references of a WINDOW_DUMP and the text of a CLIPBOARD_DATA go out bit by
 * bit, and nothing comes between. When there is no room, the stream tells when there is.
 */
#include <errno.h>
#include "plugins/gui/agent.h"

#define CHUNK 256       /* references at a time */

void gui_flush(struct gui_agent *a)
{
    ev_feed_event(a->ctx->loop, &a->flush, EV_CUSTOM);
}

/* True: it is out. False: no room, or the connection has ended (the stream tells that itself). A message that may not be sent
 * is a mistake of ours: it is left out, and said. */
static bool put(struct gui_agent *a, const struct gui_message *m)
{
    uint8_t bytes[GUI_MESSAGE_MAX];
    int n = gui_encode(bytes, sizeof(bytes), GUI_AGENT, a->version, m);

    if (n < 0) {
        unik_error(a->ctx, "%s of window %u not sent: the GUI daemon would not survive it", gui_type_name(m->type),
                   (unsigned)m->window);
        return true;
    }
    if (unik_stream_room(a->stream) < (size_t)n)
        return false;
    return unik_stream_write(a->stream, bytes, (size_t)n) == n;
}

static bool put_bare(struct unik_gui_window *w, uint32_t type)
{
    return put(w->a, &(struct gui_message){ .type = type, .window = w->id });
}

static bool put_configure(struct unik_gui_window *w, const struct gui_rect *r)
{
    return put(w->a, &(struct gui_message){ .type = GUI_CONFIGURE, .window = w->id, .u.configure = { *r, w->menu } });
}

/* ---- the open ends ---- */

static bool send_refs(struct gui_agent *a)
{
    const struct unik_shared *s = a->rest.buffer->shared;
    uint8_t bytes[4 * CHUNK];

    while (a->rest.at < s->pages) {
        size_t n = unik_stream_room(a->stream) / 4, left = s->pages - a->rest.at;

        n = n < CHUNK ? n : CHUNK;
        n = n < left ? n : left;
        if (n == 0 || gui_encode_refs(bytes, s->refs + a->rest.at, n) < 0 ||
            unik_stream_write(a->stream, bytes, 4 * n) != (ssize_t)(4 * n))
            return false;
        a->rest.at += n;
    }
    a->rest.buffer = NULL;
    return true;
}

static bool send_text(struct gui_agent *a)
{
    struct gui_text *t = a->rest.text;

    while (a->rest.at < t->size) {
        ssize_t n = unik_stream_write(a->stream, t->bytes + a->rest.at, t->size - a->rest.at);

        if (n <= 0)
            return false;
        a->rest.at += (size_t)n;
    }
    a->rest.text = NULL;
    gui_text_drop(t);
    return true;
}

static bool send_rest(struct gui_agent *a)
{
    return a->rest.buffer ? send_refs(a) : a->rest.text ? send_text(a) : true;
}

/* Each request has its answer, if need be an empty one. */
static bool send_answers(struct gui_agent *a)
{
    while (a->answers) {
        struct gui_text *t = a->clipboard;
        struct gui_message m = { .type = GUI_CLIPBOARD_DATA, .window = a->answer_window };

        if (t && t->size > gui_clipboard_max(a->version)) {
            unik_warn(a->ctx, "%u bytes not copied: before version 1.8 the limit is %u", (unsigned)t->size,
                      (unsigned)gui_clipboard_max(a->version));
            t = NULL;
        }
        m.u.clipboard.size = t ? t->size : 0;
        if (!put(a, &m))
            return false;
        a->answers--;
        if (t) {
            t->users++;
            a->rest.text = t;
            a->rest.at = 0;
            if (!send_text(a))
                return false;
        }
    }
    return true;
}

/* ---- one window ---- */

static int32_t within(int32_t v, uint32_t max) { return v < -(int32_t)max ? -(int32_t)max : v > (int32_t)max ? (int32_t)max : v; }

/* The daemon clamps places: one that an earlier daemon had far outside is taken back, so that both know the same. */
static bool send_create(struct unik_gui_window *w)
{
    struct gui_rect at = { within(w->at.x, GUI_WIDTH_MAX), within(w->at.y, GUI_HEIGHT_MAX), w->at.width, w->at.height };
    struct gui_message m = { .type = GUI_CREATE, .window = w->id,
                             .u.create = { at, w->parent && w->parent->told.created ? w->parent->id : 0, w->menu } };

    if (!put(w->a, &m))
        return false;
    w->told.created = true;
    w->at = at;
    w->owes &= ~(unsigned)(GUI_OWES_ECHO | GUI_OWES_ASK);
    w->owes |= GUI_OWES_CLASS | GUI_OWES_HINTS | GUI_OWES_TITLE | (w->cursor ? GUI_OWES_CURSOR : 0);
    if (w->state & GUI_FULLSCREEN)
        w->set |= GUI_FULLSCREEN;
    return true;
}

static bool send_hints(struct unik_gui_window *w)
{
    struct gui_message m = { .type = GUI_WINDOW_HINTS, .window = w->id };

    if (w->hints.placed)
        m.u.hints.flags |= GUI_HINT_USER_POSITION | GUI_HINT_POSITION;
    if (w->hints.min_width || w->hints.min_height)
        m.u.hints.flags |= GUI_HINT_MIN;
    if (w->hints.max_width || w->hints.max_height)
        m.u.hints.flags |= GUI_HINT_MAX;
    m.u.hints.min_width = (uint32_t)w->hints.min_width;
    m.u.hints.min_height = (uint32_t)w->hints.min_height;
    m.u.hints.max_width = w->hints.max_width ? (uint32_t)w->hints.max_width : GUI_WIDTH_MAX;
    m.u.hints.max_height = w->hints.max_height ? (uint32_t)w->hints.max_height : GUI_HEIGHT_MAX;
    return !m.u.hints.flags || put(w->a, &m);
}

static bool send_texts(struct unik_gui_window *w)
{
    struct gui_message m = { .window = w->id };
    bool ok = true;

    if (w->owes & GUI_OWES_CLASS && GUI_MINOR(w->a->version) >= 1) {
        m.type = GUI_WMCLASS;
        memcpy(m.u.wmclass.class_name, w->class_name, GUI_CLASS);
        memcpy(m.u.wmclass.name, w->class_name, GUI_CLASS);
        ok = put(w->a, &m);
    }
    if (ok)
        w->owes &= ~(unsigned)GUI_OWES_CLASS;
    if (ok && w->owes & GUI_OWES_HINTS)
        ok = send_hints(w);
    if (ok)
        w->owes &= ~(unsigned)GUI_OWES_HINTS;
    if (ok && w->owes & GUI_OWES_TITLE) {
        m.type = GUI_WMNAME;
        memset(&m.u, 0, sizeof(m.u));
        memcpy(m.u.name.title, w->title, GUI_TITLE);
        ok = put(w->a, &m);
    }
    if (ok)
        w->owes &= ~(unsigned)GUI_OWES_TITLE;
    return ok;
}

/* Before MAP only fullscreen and attention mean anything; minimising only after it. */
static bool send_flags(struct unik_gui_window *w)
{
    unsigned can = w->told.mapped ? GUI_FULLSCREEN | GUI_ATTENTION | GUI_MINIMISED : GUI_FULLSCREEN | GUI_ATTENTION;
    struct gui_message m = { .type = GUI_WINDOW_FLAGS, .window = w->id, .u.flags = { w->set & can, w->unset & can } };

    if (!m.u.flags.set && !m.u.flags.unset)
        return true;
    if (!put(w->a, &m))
        return false;
    w->set &= ~can;
    w->unset &= ~can;
    return true;
}

/* Whether one may be sent: the last one's acknowledgement tells which pages are free, so there is one at a time. Before 1.7 a
 * while must have passed. */
static bool can_dump(const struct unik_gui_window *w)
{
    return GUI_MINOR(w->a->version) >= 7 ? !w->told.unacked : w->a->n_graves < GUI_GRAVES_MAX;
}

static bool send_dump(struct unik_gui_window *w)
{
    struct gui_agent *a = w->a;
    struct gui_buffer *b = w->now;
    struct gui_message m = { .type = GUI_WINDOW_DUMP, .window = w->id,
                             .u.dump = { 0, b->width, b->height, 32, (uint32_t)b->shared->pages } };

    if (!put(a, &m))
        return false;
    b->told = true;
    w->told.image = b;
    w->told.unacked = GUI_MINOR(a->version) >= 7;
    if (!w->told.unacked)
        gui_buffers_bury(a, &w->old);
    gui_damage_all(&w->damage, (int)b->width, (int)b->height);
    gui_count(a, GUI_DUMPS);
    a->rest.buffer = b;
    a->rest.at = 0;
    return send_refs(a);
}

static bool send_map(struct unik_gui_window *w)
{
    struct gui_message m = { .type = GUI_MAP, .window = w->id,
                             .u.map = { w->parent && w->parent->told.created ? w->parent->id : 0, w->menu } };

    if (!put(w->a, &m))
        return false;
    w->told.mapped = true;
    return true;
}

static bool send_unmap(struct unik_gui_window *w)
{
    if (!put_bare(w, GUI_UNMAP))
        return false;
    w->told.mapped = false;
    w->told.image = NULL;
    return true;
}

/* What is seen, once the app has had its RESIZE. */
static bool send_picture(struct unik_gui_window *w)
{
    if (w->docked || w->shown) {
        if (w->told.image != w->now) {
            if (!can_dump(w))
                return true;
            if (!send_dump(w))
                return false;
        }
        if (w->docked && !w->told.docked) {
            if (!put_bare(w, GUI_DOCK))
                return false;
            w->told.docked = true;
        }
        if (!w->docked && !w->told.mapped && !(send_flags(w) && send_map(w)))
            return false;
    }
    return true;
}

static bool send_end(struct unik_gui_window *w)
{
    if (!w->told.created || w->told.destroyed)
        return true;
    if (!put_bare(w, GUI_DESTROY))
        return false;
    w->told.destroyed = true;
    return true;
}

/* The app's wish becomes the window's size when it goes out. */
static bool send_wish(struct unik_gui_window *w)
{
    struct gui_rect r = { w->at.x, w->at.y, w->ask_width, w->ask_height };

    if (!put_configure(w, &r))
        return false;
    w->owes &= ~(unsigned)GUI_OWES_ASK;
    w->at = r;
    gui_fit(w);
    return true;
}

static bool send_cursor(struct unik_gui_window *w)
{
    struct gui_message m = { .type = GUI_CURSOR, .window = w->id, .u.cursor = { w->cursor } };

    if (GUI_MINOR(w->a->version) >= 3 && !put(w->a, &m))
        return false;
    w->owes &= ~(unsigned)GUI_OWES_CURSOR;
    return true;
}

/* True: the daemon knows all that it can know now. The echo comes first, and before any new picture. */
static bool send_window(struct unik_gui_window *w)
{
    if (w->dying)
        return send_end(w);
    if (w->owes & GUI_OWES_ECHO) {
        if (!put_configure(w, &w->echo))
            return false;
        w->owes &= ~(unsigned)GUI_OWES_ECHO;
    }
    if (w->told.mapped && !w->shown && !send_unmap(w))
        return false;
    if (w->owes & GUI_OWES_ASK && w->told.created && !send_wish(w))
        return false;
    if (w->fit || !w->now)
        return true;
    return (w->told.created || send_create(w)) && send_texts(w) && send_picture(w) &&
           (!w->told.mapped || send_flags(w)) && (!(w->owes & GUI_OWES_CURSOR) || send_cursor(w));
}

/* ---- damage ---- */

static bool is_painted(const struct unik_gui_window *w)
{
    return !w->dying && !w->fit && (w->told.mapped || w->told.docked) && w->told.image && w->told.image == w->now &&
           !(w->state & GUI_MINIMISED);
}

static bool send_damage(struct unik_gui_window *w)
{
    while (w->damage.n) {
        const struct gui_area *r = &w->damage.rects[w->damage.n - 1];
        struct gui_message m = { .type = GUI_SHMIMAGE, .window = w->id,
                                 .u.rect = { r->x0, r->y0, (uint32_t)(r->x1 - r->x0), (uint32_t)(r->y1 - r->y0) } };

        if (!put(w->a, &m))
            return false;
        gui_count(w->a, GUI_IMAGES);
        w->damage.n--;
    }
    return true;
}

/* All that has changed, then a pause: more than the screen can show is work for nothing, on both sides. */
static void send_all_damage(struct gui_agent *a)
{
    struct unik_gui_window *w;
    bool any = false;

    if (ev_is_active(&a->frame))
        return;
    TAILQ_FOREACH(w, &a->windows, link)
        if (w->damage.n && is_painted(w)) {
            any = true;
            if (!send_damage(w))
                break;
        }
    if (any && a->config->damage_interval > 0) {
        ev_timer_set(&a->frame, a->config->damage_interval, 0);
        ev_timer_start(a->ctx->loop, &a->frame);
    }
}

void gui_on_frame(struct ev_loop *loop, ev_timer *t, int revents)
{
    (void)loop, (void)revents;
    send_all_damage(t->data);
}

/* ---- all of it ---- */

static void send_all(struct gui_agent *a)
{
    struct unik_gui_window *w;

    if (!send_rest(a) || !send_answers(a))
        return;
    TAILQ_FOREACH(w, &a->windows, link)
        if (!send_window(w))
            return;
    send_all_damage(a);
}

/* Destroyed windows that no daemon knows, or one that does not acknowledge it. */
static void sweep(struct gui_agent *a)
{
    struct unik_gui_window *w, *next;

    for (w = TAILQ_FIRST(&a->windows); w; w = next) {
        next = TAILQ_NEXT(w, link);
        if (w->dying && (!w->told.created || (w->told.destroyed && GUI_MINOR(a->version) < 5)))
            gui_window_gone(w);
    }
}

void gui_on_flush(struct ev_loop *loop, ev_prepare *p, int revents)
{
    struct gui_agent *a = p->data;

    (void)loop, (void)revents;
    if (a->phase == GUI_LIVE)
        send_all(a);
    sweep(a);
    if (a->stopping)
        gui_stop_on(a);
}
