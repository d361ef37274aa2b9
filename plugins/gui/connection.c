/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/connection.c - the channel to the GUI daemon: for which domain, offer, handshake, begin again.
 *
 * The daemon comes when it likes: it waits for our channel, we for it. One channel serves one daemon; when that is gone, a new
 * one is offered, and the new daemon may choose another version.
 */
#include <stdio.h>
#include <stdlib.h>
#include "plugins/gui/agent.h"

#define FIRST 0.1               /* seconds before the first try to offer a channel again */
#define REPLY_MINOR 4           /* announcing this or more makes the daemon answer with its choice */

static void on_retry(struct ev_loop *loop, ev_timer *t, int revents)
{
    (void)loop, (void)revents;
    gui_connection_begin(t->data);
}

static void on_more(struct ev_loop *loop, ev_idle *i, int revents)
{
    (void)revents;
    ev_idle_stop(loop, i);
    gui_input(i->data);
}

void gui_connection_init(struct gui_agent *a)
{
    a->backoff = (struct unik_backoff){ .first = a->config->retry_max < FIRST ? a->config->retry_max : FIRST,
                                        .most = a->config->retry_max, .good = GUI_GOOD };
    a->phase = GUI_AWAY;
    a->domain = -1;
    ev_init(&a->retry, on_retry);
    ev_init(&a->more, on_more);
    ev_set_priority(&a->more, EV_MAXPRI);           /* or a busy loop would never get there */
    a->retry.data = a->more.data = a;
}

static void retry_later(struct gui_agent *a)
{
    ev_timer_set(&a->retry, unik_backoff_delay(&a->backoff, ev_now(a->ctx->loop)), 0);
    ev_timer_start(a->ctx->loop, &a->retry);
}

/* ---- handshake ---- */

static void chosen(struct gui_agent *a, uint32_t theirs)
{
    uint32_t ours = GUI_VERSION_OF((unsigned)a->config->version);
    char why[80];

    if (GUI_MAJOR(theirs) == 1 && theirs <= ours && GUI_MINOR(theirs) >= REPLY_MINOR) {
        a->version = theirs;
        a->phase = GUI_SCREEN;
        return;
    }
    snprintf(why, sizeof(why), "the daemon chose version %u.%u; we offered 1.%u", (unsigned)GUI_MAJOR(theirs),
             (unsigned)GUI_MINOR(theirs), (unsigned)a->config->version);
    gui_count(a, GUI_BAD);
    gui_connection_lost(a, why);
}

static void begin(struct gui_agent *a)
{
    if (gui_decode_xconf(a->in, &a->screen) < 0) {
        gui_count(a, GUI_BAD);
        unik_warn(a->ctx, "a screen of %u x %u pixels, says the GUI daemon: its size counts as not known",
                  (unsigned)a->screen.width, (unsigned)a->screen.height);
        a->screen.width = a->screen.height = 0;
    }
    a->phase = GUI_LIVE;
    gui_count(a, GUI_CONNECTS);
    unik_info(a->ctx, "GUI daemon in domain %d connected: protocol 1.%u, screen %u x %u", a->domain,
              (unsigned)GUI_MINOR(a->version), (unsigned)a->screen.width, (unsigned)a->screen.height);
    unik_ready(a->ctx);
    gui_flush(a);
}

/* True: that part is over. */
static bool handshake(struct gui_agent *a)
{
    size_t want = a->phase == GUI_VERSION ? GUI_VERSION_BYTES : GUI_XCONF_BYTES;
    ssize_t n = unik_stream_read(a->stream, a->in + a->have, want - a->have);

    if (n > 0)
        a->have += (size_t)n;
    if (a->have < want) {
        if (unik_stream_ended(a->stream) != 0)
            gui_connection_lost(a, a->vchan->reason(a->stream));
        return false;
    }
    a->have = 0;
    if (a->phase == GUI_VERSION)
        chosen(a, gui_decode_version(a->in));
    else
        begin(a);
    return true;
}

static void on_stream(struct unik_stream *s, unsigned events, void *arg)
{
    struct gui_agent *a = arg;

    (void)s;
    if (a->phase == GUI_OFFERED && a->vchan->state(a->stream) != UNIK_VCHAN_WAITING) {
        unik_backoff_begin(&a->backoff, ev_now(a->ctx->loop));
        a->phase = a->config->version >= REPLY_MINOR ? GUI_VERSION : GUI_SCREEN;
        a->version = GUI_VERSION_OF((unsigned)a->config->version);
    }
    while ((a->phase == GUI_VERSION || a->phase == GUI_SCREEN) && handshake(a))
        ;
    if (a->phase == GUI_LIVE && events & (UNIK_STREAM_INPUT | UNIK_STREAM_OPEN))
        gui_input(a);
    if (a->phase == GUI_LIVE && events & UNIK_STREAM_ROOM)
        gui_flush(a);
}

/* ---- begin, end ---- */

void gui_connection_begin(struct gui_agent *a)
{
    uint8_t version[GUI_VERSION_BYTES];
    int e;

    if (a->domain < 0 || a->stopping)
        return;
    unik_backoff_begin(&a->backoff, ev_now(a->ctx->loop));
    e = a->vchan->listen(a->vchan, a->ctx, a->domain, GUI_PORT, GUI_RING_IN, GUI_RING_OUT, on_stream, a, &a->stream);
    if (e < 0) {
        a->stream = NULL;
        if (e != a->said)
            unik_error(a->ctx, "no channel for the GUI daemon in domain %d, port %d: %s", a->domain, GUI_PORT, strerror(-e));
        a->said = e;
        unik_degraded(a->ctx, "no channel for the GUI daemon");
        retry_later(a);
        return;
    }
    a->said = 0;
    a->phase = GUI_OFFERED;
    gui_encode_version(version, GUI_VERSION_OF((unsigned)a->config->version));
    unik_stream_write(a->stream, version, sizeof(version));     /* it waits in the ring */
    unik_degraded(a->ctx, "waiting for the GUI daemon");
}

/* Close first: the next channel has the same name. */
void gui_connection_close(struct gui_agent *a)
{
    ev_timer_stop(a->ctx->loop, &a->retry);
    ev_timer_stop(a->ctx->loop, &a->frame);
    ev_timer_stop(a->ctx->loop, &a->slow);
    ev_idle_stop(a->ctx->loop, &a->more);
    if (a->stream)
        unik_stream_close(a->stream);
    a->stream = NULL;
    a->phase = GUI_AWAY;
    a->have = 0;
    a->skip = 0;
    free(a->paste);
    a->paste = NULL;
    a->rest.buffer = NULL;
    if (a->rest.text)
        gui_text_drop(a->rest.text);
    a->rest.text = NULL;
    a->answers = 0;
    memset(a->key_window, 0, sizeof(a->key_window));
    gui_windows_forget(a);
}

/* The app notices that nobody types any more, and that nothing is minimised. From the loop. */
static void tell_lost(struct gui_agent *a)
{
    struct unik_gui_window *w, *focus = a->focus;
    struct unik_gui_event e = { .type = UNIK_GUI_FOCUS };

    a->focus = NULL;
    if (focus)
        gui_tell(focus, &e);
    TAILQ_FOREACH(w, &a->windows, link)
        if (!w->dying && w->state & GUI_MINIMISED) {
            w->state &= ~(unsigned)GUI_MINIMISED;
            e = (struct unik_gui_event){ .type = UNIK_GUI_STATE, .state = w->state };
            gui_tell(w, &e);
        }
}

/* Offer the next channel at once: to be there for the next daemon costs nothing. But after a while where that may go on for ever:
 * the daemon left before it had shown a screen, or is there and we left it (what it said made no sense). */
void gui_connection_lost(struct gui_agent *a, const char *why)
{
    bool live = a->phase == GUI_LIVE, left = a->vchan->state(a->stream) == UNIK_VCHAN_DISCONNECTED;
    char reason[160];

    snprintf(reason, sizeof(reason), "%s", why);        /* why may live in the stream */
    gui_connection_close(a);
    unik_warn(a->ctx, "connection to the GUI daemon lost%s: %s", live ? "" : " in the handshake", reason);
    unik_degraded(a->ctx, reason);
    if (live)
        tell_lost(a);
    if (a->stopping) {
        gui_flush(a);
    } else if (live && left) {
        a->backoff.next = 0;
        ev_timer_set(&a->retry, 0, 0);
        ev_timer_start(a->ctx->loop, &a->retry);
    } else {
        retry_later(a);
    }
}

/* from dom0: which domain has the screen. Pages are shared with one domain, so each window gets new ones. */
void gui_domain_is(struct gui_agent *a, int domid)
{
    struct unik_gui_window *w;
    bool live = a->phase == GUI_LIVE;

    if (domid == a->domain || a->stopping)
        return;
    if (a->domain >= 0)
        unik_info(a->ctx, "the GUI domain is %d now, no longer %d", domid, a->domain);
    gui_connection_close(a);
    a->domain = domid;
    if (live)
        tell_lost(a);
    TAILQ_FOREACH(w, &a->windows, link)
        if (!w->dying)
            gui_fit(w);
    gui_connection_begin(a);
}
