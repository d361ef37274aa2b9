/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/channel.c - a channel's life and its bytes. One event tells everything: a client came, bytes came,
 * room came, the peer went. So each one looks at all of it, in an order that loses nothing: the live byte is read
 * first, then the ring is emptied (which asks for the next signal), and only then an end is believed. */
#include <errno.h>
#include <stdio.h>
#include "plugins/vchan-xen/channel.h"

static struct channel *channel_of(struct unik_stream *s) { return (struct channel *)(void *)s; }

/* The connection is of no use any more. What is in the ring can be read. A server whose client never came takes its name out
 * of xenstore now: whoever offers the name next comes after that. */
void vchan_xen_lost(struct channel *ch, const char *why, int error)
{
    uint64_t *counters = ch->vx->ctx->counters;

    if (ch->state == UNIK_VCHAN_DISCONNECTED)
        return;
    if (ch->state == UNIK_VCHAN_CONNECTED) {
        counters[DISCONNECTS]++;
        counters[OPEN]--;
    }
    ch->state = UNIK_VCHAN_DISCONNECTED;
    ch->untold = true;
    if (error)
        snprintf(ch->reason, sizeof(ch->reason), "%s: %s", why, strerror(-error));
    else
        snprintf(ch->reason, sizeof(ch->reason), "%s", why);
    unik_debug(ch->vx->ctx, "%s port %u: disconnected: %s", ch->peer_name, ch->port, ch->reason);
    vchan_xen_withdraw(ch);
}

/* From another VM: its half of the shared page says what cannot be. Nothing more is read from it. */
static void lost_by_nonsense(struct channel *ch, const char *what, const struct libxenvchan_ring *r)
{
    char why[sizeof(ch->reason)];

    snprintf(why, sizeof(why), "bad %s ring index: prod %u, cons %u, size %u", what, (unsigned)r->shr->prod,
             (unsigned)r->shr->cons, 1u << r->order);
    ch->vx->ctx->counters[BAD_PEER]++;
    unik_warn(ch->vx->ctx, "%s port %u: %s", ch->peer_name, ch->port, why);
    vchan_xen_lost(ch, why, 0);
}

static void end_input(struct channel *ch)
{
    ev_io_stop(ch->vx->ctx->loop, &ch->event);
    if (ch->lib)
        libxenvchan_close(ch->lib);
    ch->lib = NULL;
    ch->more = false;
    ch->input_ended = true;
}

static void drain(struct channel *ch)
{
    int e = vchan_xen_drain(ch->lib, &ch->rx, &ch->vx->ctx->counters[BYTES_IN]);

    ch->more = e == 0;
    if (e == -EPROTO)
        lost_by_nonsense(ch, "read", &ch->lib->read);
    else if (e == -EPIPE)
        vchan_xen_lost(ch, "peer closed", 0);
    else if (e < 0)
        vchan_xen_lost(ch, "event channel", e);
}

static bool room_came(struct channel *ch)
{
    long space = ch->want_room && ch->state == UNIK_VCHAN_CONNECTED ? vchan_xen_space(ch->lib) : 0;

    if (space < 0)
        lost_by_nonsense(ch, "write", &ch->lib->write);
    if (space > 0)
        ch->want_room = false;
    return space > 0;
}

/* What is new: the events to tell. */
static unsigned look(struct channel *ch)
{
    struct vchan_xen_look seen;
    unsigned events = 0;
    uint64_t before;

    if (ch->lib) {
        seen = vchan_xen_look(ch->server, ch->state, vchan_xen_live(ch->lib));
        if (seen.opened) {
            vchan_xen_opened(ch);
            events |= UNIK_STREAM_OPEN;
        }
        before = ch->vx->ctx->counters[BYTES_IN];
        if (ch->state != UNIK_VCHAN_WAITING)
            drain(ch);
        if (ch->vx->ctx->counters[BYTES_IN] != before)
            events |= UNIK_STREAM_INPUT;
        if (seen.state == UNIK_VCHAN_DISCONNECTED)
            vchan_xen_lost(ch, seen.why ? seen.why : "", 0);
        if (room_came(ch))
            events |= UNIK_STREAM_ROOM;
        if (ch->state == UNIK_VCHAN_DISCONNECTED && !ch->more) {
            end_input(ch);
            events |= UNIK_STREAM_INPUT;
        }
    } else if (ch->state == UNIK_VCHAN_DISCONNECTED) {
        ch->input_ended = true;
    }
    if (ch->untold)
        events |= UNIK_STREAM_INPUT | UNIK_STREAM_ROOM;
    ch->untold = false;
    return events;
}

static void undue(struct channel *ch)
{
    if (!ch->due)
        return;
    ch->due = false;
    TAILQ_REMOVE(&ch->vx->due, ch, due_link);
    ch->vx->n_due--;
}

/* Look at a channel and tell its owner what is new, besides these events. Only from the loop. The owner may close this
 * or any other channel in it: touch nothing afterwards. */
void vchan_xen_tell(struct channel *ch, unsigned events)
{
    events |= look(ch);
    if (events && ch->stream.cb)
        ch->stream.cb(&ch->stream, events, ch->stream.arg);
}

static void on_event(struct ev_loop *loop, ev_io *w, int revents)
{
    struct channel *ch = w->data;

    (void)loop, (void)revents;
    libxenvchan_wait(ch->lib);          /* takes the one event and allows the next; none there: it says so */
    vchan_xen_tell(ch, 0);
}

void vchan_xen_due(struct channel *ch)
{
    if (ch->due)
        return;
    ch->due = true;
    TAILQ_INSERT_TAIL(&ch->vx->due, ch, due_link);
    ch->vx->n_due++;
    ev_idle_start(ch->vx->ctx->loop, &ch->vx->look);
}

/* Those that become due in here, by what their owners do, wait for the next turn: a peer that writes as fast as we read
 * must not keep the loop from the others. */
void vchan_xen_on_look(struct ev_loop *loop, ev_idle *w, int revents)
{
    struct vchan_xen *vx = w->data;
    struct channel *ch;

    (void)revents;
    for (unsigned n = vx->n_due; n && (ch = TAILQ_FIRST(&vx->due)) != NULL; n--) {
        undue(ch);
        vchan_xen_tell(ch, 0);
    }
    if (vx->n_due == 0)
        ev_idle_stop(loop, w);
}

void vchan_xen_begin(struct channel *ch, struct libxenvchan *lib)
{
    ch->lib = lib;
    ev_io_init(&ch->event, on_event, libxenvchan_fd_for_select(lib), EV_READ);
    ch->event.data = ch;
    ev_io_start(ch->vx->ctx->loop, &ch->event);
}

void vchan_xen_opened(struct channel *ch)
{
    uint64_t *counters = ch->vx->ctx->counters;

    ch->state = UNIK_VCHAN_CONNECTED;
    counters[CONNECTS]++;
    if (++counters[OPEN] > counters[OPEN_HIGH])
        counters[OPEN_HIGH] = counters[OPEN];
    vchan_xen_withdraw(ch);
    unik_debug(ch->vx->ctx, "%s port %u: connected", ch->peer_name, ch->port);
}

/* ---- the stream ---- */

static size_t op_peek(struct unik_stream *s, const void **bytes) { return unik_ring_peek(&channel_of(s)->rx, bytes); }

static void op_consume(struct unik_stream *s, size_t n)
{
    struct channel *ch = channel_of(s);

    unik_ring_consume(&ch->rx, n);
    if (ch->more && unik_ring_room(&ch->rx))
        vchan_xen_due(ch);
}

static int op_ended(struct unik_stream *s)
{
    struct channel *ch = channel_of(s);

    return ch->input_ended && !unik_ring_used(&ch->rx);
}

static bool is_writable(const struct channel *ch)
{
    return ch->lib && (ch->state == UNIK_VCHAN_CONNECTED || (ch->server && ch->state == UNIK_VCHAN_WAITING));
}

static size_t op_room(struct unik_stream *s)
{
    struct channel *ch = channel_of(s);
    long space;

    if (!is_writable(ch))
        return 0;
    space = vchan_xen_space(ch->lib);
    if (space < 0) {
        lost_by_nonsense(ch, "write", &ch->lib->write);
        vchan_xen_due(ch);
        return 0;
    }
    if (space < 1L << ch->lib->write.order)
        ch->want_room = true;           /* the caller may have wanted more than is there */
    return (size_t)space;
}

static ssize_t op_write(struct unik_stream *s, const void *bytes, size_t n)
{
    struct channel *ch = channel_of(s);
    ssize_t k;

    if (!is_writable(ch))
        return ch->state == UNIK_VCHAN_WAITING ? -ENOTCONN : -EPIPE;
    if (n == 0)
        return 0;
    k = vchan_xen_put(ch->lib, bytes, n);
    if (k < 0) {
        if (k == -EPROTO)
            lost_by_nonsense(ch, "write", &ch->lib->write);
        else if (k != -EPIPE)
            vchan_xen_lost(ch, "event channel", (int)k);
        vchan_xen_due(ch);              /* an end, and what came before it, is told from the loop */
        return -EPIPE;
    }
    ch->vx->ctx->counters[BYTES_OUT] += (uint64_t)k;
    if ((size_t)k < n)
        ch->want_room = true;
    return k;
}

static int op_shut(struct unik_stream *s)
{
    (void)s;
    return -EOPNOTSUPP;
}

/* What was written lies in pages that the peer has mapped: it can read them after this, without us. */
static void op_close(struct unik_stream *s) { vchan_xen_free(channel_of(s)); }

enum unik_vchan_state vchan_xen_state(struct unik_stream *s) { return channel_of(s)->state; }
const char *vchan_xen_reason(struct unik_stream *s) { return channel_of(s)->reason; }

static struct unik_ctx *op_give(struct unik_stream *s, struct unik_ctx *owner)
{
    struct unik_ctx *before = channel_of(s)->owner;

    channel_of(s)->owner = owner;
    return before;
}

static const struct unik_stream_ops ops = {
    .size = sizeof(struct unik_stream_ops), .peek = op_peek, .consume = op_consume, .ended = op_ended, .room = op_room,
    .write = op_write, .shut = op_shut, .close = op_close, .give = op_give
};

struct channel *vchan_xen_new(struct vchan_xen *vx, int peer, unsigned port, bool server, unik_stream_cb *cb, void *arg)
{
    struct channel *ch = calloc(1, sizeof(*ch));

    if (!ch)
        return NULL;
    ch->stream = (struct unik_stream){ .ops = &ops, .cb = cb, .arg = arg, .peer = ch->peer_name };
    snprintf(ch->peer_name, sizeof(ch->peer_name), "dom%d", peer);
    ch->vx = vx;
    ch->peer = peer;
    ch->port = port;
    ch->server = server;
    ch->state = UNIK_VCHAN_WAITING;
    ev_init(&ch->event, NULL);
    ev_init(&ch->retry, NULL);
    LIST_INSERT_HEAD(&vx->channels, ch, link);
    vchan_xen_poll_peer(vx, peer);
    vx->n++;
    return ch;
}

/* A server first takes its vchan down and then its name out of xenstore; who offers the name again comes after that, in
 * the order of the entries. */
void vchan_xen_free(struct channel *ch)
{
    struct vchan_xen *vx = ch->vx;

    vchan_xen_lost(ch, "closed", 0);
    end_input(ch);
    vchan_xen_withdraw(ch);
    vchan_xen_unseek(ch);
    undue(ch);
    LIST_REMOVE(ch, link);
    vx->n--;
    unik_ring_free(&ch->rx);
    free(ch);
}
