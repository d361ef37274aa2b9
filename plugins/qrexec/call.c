/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/call.c - calls, both ways: the pool, the turn that each gets when something happened, and the end.
 *
 * Everything that happens to a call - its channel, its handler, a timer - only marks it and leads to turn(), which runs from
 * the loop and never inside a function the handler called. So a handler may close its streams anywhere, and a call is
 * freed in one place.
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/qrexec/core.h"

#define SPARE_MAX 32            /* call objects kept for the next calls */

static void turn(struct qrexec_call *c);

static void on_soon(struct ev_loop *loop, ev_prepare *w, int revents)
{
    (void)loop, (void)revents;
    turn(w->data);
}

static void on_later(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct qrexec_call *c = w->data;

    (void)revents;
    if (c->doubt > 1 && --c->doubt > 1) {
        ev_timer_start(loop, w);
        return;
    }
    c->events |= UNIK_STREAM_INPUT;
    turn(c);
}

void qrexec_call_soon(struct qrexec_call *c, unsigned events)
{
    c->events |= events;
    ev_feed_event(c->a->ctx->loop, &c->soon, EV_CUSTOM);
}

void qrexec_call_later(struct qrexec_call *c) { ev_timer_start(c->a->ctx->loop, &c->later); }

/* ---- the pool ---- */

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents);

static void count_calls(struct qrexec_agent *a)
{
    uint64_t *k = a->ctx->counters;

    k[QREXEC_CALLS_NOW] = a->n_calls;
    if (k[QREXEC_CALLS_HIGH] < a->n_calls)
        k[QREXEC_CALLS_HIGH] = a->n_calls;
}

/* text_size: bytes for the call's strings. NULL: too many calls, or no memory. */
struct qrexec_call *qrexec_call_new(struct qrexec_agent *a, bool incoming, size_t text_size)
{
    struct qrexec_call *c;
    char *text;

    if (a->n_calls == QREXEC_CALLS_MAX || !(text = malloc(text_size)))
        return NULL;
    c = a->spare;
    if (c) {
        a->spare = c->next;
        a->n_spare--;
    } else if (!(c = malloc(sizeof(*c)))) {
        free(text);
        return NULL;
    }
    memset(c, 0, sizeof(*c));
    c->a = a;
    c->incoming = incoming;
    c->text = text;
    c->since = ev_now(a->ctx->loop);
    ev_timer_init(&c->timer, on_timer, 0, 0);
    ev_timer_init(&c->later, on_later, 0, 0);
    ev_init(&c->soon, on_soon);
    c->timer.data = c->later.data = c->soon.data = c;
    c->next = a->calls;
    if (c->next)
        c->next->link = &c->next;
    c->link = &a->calls;
    a->calls = c;
    a->n_calls++;
    count_calls(a);
    return c;
}

void qrexec_call_close_channel(struct qrexec_call *c)
{
    if (c->channel && c->aborted && !c->code_sent)
        unik_stream_abort(c->channel);
    else if (c->channel)
        unik_stream_close(c->channel);
    c->channel = NULL;
    if (c->paired)
        qrexec_release(c->a, c->domain, c->port);
    c->paired = false;
}

/* Nobody has the call any more: it counts for nothing. */
static void disown(struct qrexec_call *c)
{
    if (c->counted && c->incoming)
        c->a->n_in--;
    if (c->counted && !c->incoming)
        c->a->n_out--;
    if (c->started)
        c->a->n_started--;
    c->counted = c->started = false;
    c->user = NULL;
}

/* Give back everything, dom0's port after the channel. Only from turn(), or where no handler has the call. */
void qrexec_call_end(struct qrexec_call *c)
{
    struct qrexec_agent *a = c->a;

    ev_timer_stop(a->ctx->loop, &c->timer);
    ev_timer_stop(a->ctx->loop, &c->later);
    ev_clear_pending(a->ctx->loop, &c->soon);
    qrexec_session_unwait(a, &c->waiter);
    if (c->plan)
        qrexec_plan_free(c->plan);
    if (c->ask)
        qrexec_forget(a, c->ask);
    if (c->at[QREXEC_AT_ASKED] > 0)
        qrexec_stages_end(c);
    qrexec_call_close_channel(c);
    unik_ring_free(&c->early);
    free(c->text);
    disown(c);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    a->n_calls--;
    if (a->n_spare < SPARE_MAX) {
        c->next = a->spare;
        a->spare = c;
        a->n_spare++;
    } else {
        free(c);
    }
    count_calls(a);
    qrexec_call_check_drained(a);
}

void qrexec_call_check_drained(struct qrexec_agent *a)
{
    if (!a->draining || a->drained || a->n_started > 0)
        return;
    a->drained = true;
    unik_drained(a->ctx);
}

/* ---- turns ---- */

void qrexec_call_unreached(struct qrexec_call *c, const char *why, int ended)
{
    if (!c->incoming && !c->open) {     /* given up already */
        qrexec_call_end(c);
        return;
    }
    c->a->ctx->counters[QREXEC_UNREACHED]++;
    unik_warn(c->a->ctx, "call %s %s %s (domain %u port %u): not connected: %s", c->incoming ? "from" : "to", c->pub.peer,
              c->pub.service, c->domain, c->port, why);
    if (c->incoming)
        qrexec_call_end(c);
    else
        qrexec_outgoing_fail(c, ended, ended == -ETIMEDOUT ? UNIK_QREXEC_BROKEN : UNIK_QREXEC_LOST);
}

/* dom0's stock client leaves its socket's listener open while it serves; dom0 gives the port out again as soon as we release
 * it, so that a new call's connection can end up in the backlog of the call before, and dies with it. As long as nothing
 * came over it, nothing was lost either: connect again, to the right one. That one is there already, or the caller is gone:
 * waiting for a VM to start is over. */
static bool reconnect(struct qrexec_call *c)
{
    if (!c->incoming || !c->met || c->in.have || c->in.to == QREXEC_TO_HELLO || c->reconnects == QREXEC_RECONNECTS)
        return false;
    if (c->domain == 0 && c->daemon != c->a->control.daemon)
        return false;                   /* "the right one" would be another call's */
    c->reconnects++;
    c->doubt = 0;
    c->met = false;
    if (ev_timer_remaining(c->a->ctx->loop, &c->timer) > QREXEC_RECONNECT) {
        ev_timer_stop(c->a->ctx->loop, &c->timer);
        ev_timer_set(&c->timer, QREXEC_RECONNECT, 0);
        ev_timer_start(c->a->ctx->loop, &c->timer);
    }
    unik_stream_close(c->channel);
    c->channel = NULL;
    return c->a->vchan->connect(c->a->vchan, c->a->ctx, (int)c->domain, c->port, qrexec_call_on_channel, c,
                                &c->channel) == 0;
}

/* The channel is there or coming, HELLO is to be exchanged. from another VM */
static void greet(struct qrexec_call *c)
{
    bool opened = c->events & UNIK_STREAM_OPEN;
    int e = 0;

    c->met = c->met || opened;
    if (qrexec_call_doubtful(c, opened))
        return;
    c->events = 0;
    if (!c->incoming && !c->open && (opened || qrexec_data_gone(c))) {
        qrexec_call_end(c);             /* given up before the other side came: now it knows */
        return;
    }
    if (c->incoming && opened) {
        c->ring = unik_stream_room(c->channel);
        e = qrexec_data_say_hello(c);
    }
    if (e == 0 && c->channel)
        e = qrexec_data_read_hello(c);
    if (e != 1 && qrexec_data_exhausted(c) && reconnect(c))
        return;
    if (e == 0 && qrexec_data_exhausted(c)) {
        qrexec_call_unreached(c, c->channel ? c->a->vchan->reason(c->channel) : "no more channels", -ECONNRESET);
    } else if (e < 0 && c->incoming) {
        qrexec_call_end(c);
    } else if (e < 0) {
        qrexec_outgoing_fail(c, e, UNIK_QREXEC_LOST);
    } else if (e == 1) {
        qrexec_stage(c, QREXEC_AT_CONNECTED);
        ev_timer_stop(c->a->ctx->loop, &c->timer);
        if (c->incoming)
            qrexec_incoming_begin(c);
        else
            c->state = QREXEC_RUNNING;
        qrexec_call_soon(c, UNIK_STREAM_INPUT | (c->incoming ? 0 : UNIK_STREAM_OPEN | UNIK_STREAM_ROOM));
    }
}

/* Tell handler or caller what is new. They may do anything from in there, also close. */
static void deliver(struct qrexec_call *c)
{
    unsigned events = c->events, io = 0, err = 0;
    const void *p;

    c->events = 0;
    if (c->ended && c->channel)
        qrexec_call_close_channel(c);
    if (!c->gone_told && qrexec_data_gone(c)) {
        c->gone_told = true;
        events |= UNIK_STREAM_INPUT | UNIK_STREAM_ROOM;
    }
    qrexec_data_flush_early(c);
    io = events & (UNIK_STREAM_OPEN | UNIK_STREAM_ROOM);
    if (events & UNIK_STREAM_INPUT) {
        if (qrexec_data_peek(c, QREXEC_TO_IO, &p) > 0 || (!c->io_end_told && qrexec_stream_ended(c)))
            io |= UNIK_STREAM_INPUT;
        if (c->err_wanted && (qrexec_data_peek(c, QREXEC_TO_ERR, &p) > 0 || (!c->err_end_told && qrexec_stream_err_ended(c))))
            err = UNIK_STREAM_INPUT;
    }
    if (io && c->io.cb) {
        c->io_end_told = c->io_end_told || ((io & UNIK_STREAM_INPUT) && qrexec_stream_ended(c));
        c->io.cb(&c->io, io, c->io.arg);
    }
    if (err && c->open && c->err_wanted && c->err.cb) {
        c->err_end_told = c->err_end_told || qrexec_stream_err_ended(c);
        c->err.cb(&c->err, err, c->err.arg);
    }
}

/* A service's handler has closed: what it wrote is in the channel, the end of the call follows as room comes. The channel is
 * closed once the peer has taken it all, however slowly it reads: a transport may drop what it has not delivered soon after
 * a close. A caller that was still sending gets time to find the exit code, because a socket vchan's peer loses what it has
 * not read when it writes to a closed channel. */
static void finish(struct qrexec_call *c)
{
    c->events = 0;
    if (!c->incoming || qrexec_data_gone(c) || c->ended) {
        qrexec_call_end(c);
        return;
    }
    qrexec_data_advance(c);
    if (!qrexec_data_finish(c) || unik_stream_room(c->channel) < c->ring)
        return;
    if (!c->backed_up || c->io_eof || c->just_exec) {
        qrexec_call_end(c);
    } else if (!c->lingering) {
        c->lingering = true;
        ev_timer_set(&c->timer, QREXEC_LINGER, 0);
        ev_timer_start(c->a->ctx->loop, &c->timer);
    }
}

static void turn(struct qrexec_call *c)
{
    switch (c->state) {
    case QREXEC_ASKED:
        break;
    case QREXEC_CONNECTING:
        greet(c);
        break;
    case QREXEC_HELD:
        if (qrexec_data_gone(c))
            qrexec_call_end(c);
        else
            qrexec_incoming_resume(c);
        break;
    case QREXEC_RUNNING:
        if (c->detached && c->channel && (qrexec_data_gone(c) || qrexec_data_finish(c)))
            qrexec_call_close_channel(c);
        deliver(c);
        break;
    case QREXEC_FINISHING:
        finish(c);
        break;
    }
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct qrexec_call *c = w->data;

    (void)loop, (void)revents;
    if (c->state == QREXEC_CONNECTING && (c->incoming || c->open))
        qrexec_call_unreached(c, "nobody in time", -ETIMEDOUT);
    else
        qrexec_call_end(c);             /* lingered long enough, or given up long ago */
}

void qrexec_call_on_channel(struct unik_stream *s, unsigned events, void *arg)
{
    struct qrexec_call *c = arg;

    (void)s;
    c->events |= events;
    turn(c);
}

void qrexec_call_closed(struct qrexec_call *c)
{
    const void *p;

    c->open = false;
    c->io.cb = c->err.cb = NULL;
    if (c->ask)
        qrexec_forget(c->a, c->ask);
    c->ask = 0;
    if (!c->incoming && c->state == QREXEC_CONNECTING && c->channel && !c->a->draining &&
        c->a->vchan->state(c->channel) == UNIK_VCHAN_WAITING) {
        disown(c);                      /* the channel stays offered until the other side has come (outgoing.c) */
        return;
    }
    c->backed_up = c->channel && !c->io_eof && unik_stream_peek(c->channel, &p) > 0;
    c->state = QREXEC_FINISHING;
    qrexec_call_soon(c, 0);
}

/* ---- the end of a plugin, and of all ---- */

static void cut_off(struct qrexec_call *c)
{
    if (c->open && c->incoming)
        c->pub.exit_code = UNIK_QREXEC_BROKEN;
    if (c->open)
        qrexec_call_closed(c);
}

void qrexec_call_left(struct qrexec_agent *a, struct unik_ctx *user)
{
    for (struct qrexec_call *c = a->calls; c; c = c->next)
        if (c->user == user)
            cut_off(c);
}

void qrexec_call_stop_all(struct qrexec_agent *a)
{
    while (a->calls) {
        struct qrexec_call *c = a->calls;

        cut_off(c);
        if (c->state == QREXEC_FINISHING && c->incoming && !qrexec_data_gone(c))
            qrexec_data_finish(c);
        qrexec_call_end(c);
    }
    while (a->spare) {
        struct qrexec_call *c = a->spare;

        a->spare = c->next;
        free(c);
    }
    a->n_spare = 0;
}
