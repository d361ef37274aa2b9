/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-socket/channel.c - a channel's life and its input. The other side is another domain: its bytes are not
 * looked at here, and all it can do is send them, not take ours, or go. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>
#include "plugins/vchan-socket/channel.h"

#define READS_A_TURN 4          /* then the others have their turn */

static struct channel *channel_of(struct unik_stream *s) { return (struct channel *)(void *)s; }

/* Only from the loop. The owner may close this or any other channel in it: touch nothing afterwards. */
void vchan_socket_tell(struct channel *ch, unsigned events)
{
    if (events && ch->stream.cb)
        ch->stream.cb(&ch->stream, events, ch->stream.arg);
}

/* The connection is of no use any more. What the kernel still holds for us can be read; our output is dropped. */
void vchan_socket_broken(struct channel *ch, const char *why, int error)
{
    uint64_t *counters = ch->vs->ctx->counters;

    if (ch->state == UNIK_VCHAN_DISCONNECTED)
        return;
    if (ch->state == UNIK_VCHAN_CONNECTED) {
        counters[DISCONNECTS]++;
        if (!ch->closing)
            counters[OPEN]--;
    }
    ch->state = UNIK_VCHAN_DISCONNECTED;
    if (error)
        snprintf(ch->reason, sizeof(ch->reason), "%s: %s", why, strerror(error));
    else
        snprintf(ch->reason, sizeof(ch->reason), "%s", why);
    ev_io_stop(ch->vs->ctx->loop, &ch->out);
    unik_ring_consume(&ch->tx, SIZE_MAX);
    unik_debug(ch->vs->ctx, "%s port %u: disconnected: %s", ch->peer_name, ch->port, ch->reason);
}

static void end_input(struct channel *ch)
{
    ev_io_stop(ch->vs->ctx->loop, &ch->in);
    vchan_socket_unwatch_hangup(ch);
    if (ch->fd >= 0)
        close(ch->fd);
    ch->fd = -1;
    ch->input_ended = true;
}

/* Fill the ring's free space, both runs of it, with one call. */
static ssize_t receive(struct channel *ch)
{
    struct iovec run[2];
    struct msghdr m = { .msg_iov = run, .msg_iovlen = 1 };
    size_t room = unik_ring_room(&ch->rx);

    run[0].iov_len = unik_ring_reserve(&ch->rx, &run[0].iov_base);
    if (run[0].iov_len < room) {
        run[1].iov_base = ch->rx.at;
        run[1].iov_len = room - run[0].iov_len;
        m.msg_iovlen = 2;
    }
    return recvmsg(ch->fd, &m, MSG_DONTWAIT);
}

/* Bytes, the end, or an error from another VM, once. True: there may be more, and the channel is as it was. With no
 * room for bytes the watcher is off: a peer that has closed would make the descriptor readable for ever. */
static bool take_input(struct channel *ch)
{
    struct vchan_socket *vs = ch->vs;
    unsigned room = 0;
    bool filled;
    ssize_t n;

    if (unik_ring_room(&ch->rx) == 0) {
        /* Only an end of our output can have brought us here: say it, though its input cannot be read out yet. */
        ev_io_stop(vs->ctx->loop, &ch->in);
        if (ch->state == UNIK_VCHAN_DISCONNECTED)
            vchan_socket_tell(ch, UNIK_STREAM_INPUT | UNIK_STREAM_ROOM);
        return false;
    }
    n = receive(ch);
    if (n < 0 && (errno == EAGAIN || errno == EINTR) && ch->state == UNIK_VCHAN_CONNECTED)
        return false;
    if (n > 0) {
        unik_ring_commit(&ch->rx, (size_t)n);
        vs->ctx->counters[BYTES_IN] += (uint64_t)n;
        if (ch->closing)
            unik_ring_consume(&ch->rx, SIZE_MAX);
        else if (unik_ring_room(&ch->rx) == 0) {
            ev_io_stop(vs->ctx->loop, &ch->in);
            vchan_socket_watch_hangup(ch);
        }
        if (ch->state == UNIK_VCHAN_DISCONNECTED && ev_is_active(&ch->in))
            ev_feed_event(vs->ctx->loop, &ch->in, EV_READ);     /* its end may not make it readable */
    } else {
        vchan_socket_broken(ch, "peer closed", n < 0 ? errno : 0);
        end_input(ch);
        room = UNIK_STREAM_ROOM;
    }
    if (ch->closing && ch->input_ended) {
        vchan_socket_finish(ch);
        return false;
    }
    filled = unik_ring_room(&ch->rx) == 0;
    vs->reading = ch;
    vchan_socket_tell(ch, UNIK_STREAM_INPUT | room);
    if (vs->reading != ch)
        return false;                   /* closed by its owner */
    vs->reading = NULL;
    return filled && ch->state == UNIK_VCHAN_CONNECTED && ev_is_active(&ch->in);
}

/* A ring that came full and was emptied at once: take the next one without asking the kernel again whether there is. */
static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
    (void)loop, (void)revents;
    for (int i = 0; i < READS_A_TURN && take_input(w->data); i++)
        ;
}

/* fd: a connected, non-blocking socket, ours from now on. The caller tells OPEN. */
void vchan_socket_connected(struct channel *ch, int fd)
{
    uint64_t *counters = ch->vs->ctx->counters;
    struct ev_loop *loop = ch->vs->ctx->loop;

    ch->fd = fd;
    ch->state = UNIK_VCHAN_CONNECTED;
    counters[CONNECTS]++;
    if (++counters[OPEN] > counters[OPEN_HIGH])
        counters[OPEN_HIGH] = counters[OPEN];
    ev_io_init(&ch->in, on_readable, fd, EV_READ);
    ev_io_init(&ch->out, vchan_socket_on_writable, fd, EV_WRITE);
    ch->in.data = ch->out.data = ch;
    ev_io_start(loop, &ch->in);
    if (unik_ring_used(&ch->tx))
        vchan_socket_mark_dirty(ch);
    unik_debug(ch->vs->ctx, "%s port %u: connected", ch->peer_name, ch->port);
}

static size_t op_peek(struct unik_stream *s, const void **bytes) { return unik_ring_peek(&channel_of(s)->rx, bytes); }

static void op_consume(struct unik_stream *s, size_t n)
{
    struct channel *ch = channel_of(s);
    struct ev_loop *loop = ch->vs->ctx->loop;

    unik_ring_consume(&ch->rx, n);
    if (ch->fd < 0 || ch->state == UNIK_VCHAN_WAITING || ev_is_active(&ch->in) || !unik_ring_room(&ch->rx))
        return;
    ev_io_start(loop, &ch->in);
    if (ch->state == UNIK_VCHAN_DISCONNECTED)
        ev_feed_event(loop, &ch->in, EV_READ);
}

static int op_ended(struct unik_stream *s)
{
    struct channel *ch = channel_of(s);

    return ch->input_ended && !unik_ring_used(&ch->rx);
}

static int op_shut(struct unik_stream *s)
{
    (void)s;
    return -EOPNOTSUPP;
}

enum unik_vchan_state vchan_socket_state(struct unik_stream *s) { return channel_of(s)->state; }
const char *vchan_socket_reason(struct unik_stream *s) { return channel_of(s)->reason; }

static struct unik_ctx *op_give(struct unik_stream *s, struct unik_ctx *owner)
{
    struct unik_ctx *before = channel_of(s)->owner;

    channel_of(s)->owner = owner;
    return before;
}

static const struct unik_stream_ops ops = {
    .size = sizeof(struct unik_stream_ops), .peek = op_peek, .consume = op_consume, .ended = op_ended,
    .room = vchan_socket_room, .write = vchan_socket_write, .shut = op_shut, .close = vchan_socket_close,
    .abort = vchan_socket_abort, .give = op_give
};

/* rx, tx: ring bytes at least. NULL and *error: -ENOMEM, -EMFILE. */
struct channel *vchan_socket_new(struct vchan_socket *vs, int peer, unsigned port, bool server, size_t rx, size_t tx,
                                 unik_stream_cb *cb, void *arg, int *error)
{
    struct channel *ch;

    *error = vs->n == CHANNELS_MAX ? -EMFILE : -ENOMEM;
    if (vs->n == CHANNELS_MAX || !(ch = calloc(1, sizeof(*ch))))
        return NULL;
    if (unik_ring_init(&ch->rx, rx) < 0 || unik_ring_init(&ch->tx, tx) < 0) {
        unik_ring_free(&ch->rx);
        free(ch);
        return NULL;
    }
    ch->stream = (struct unik_stream){ .ops = &ops, .cb = cb, .arg = arg, .peer = ch->peer_name };
    snprintf(ch->peer_name, sizeof(ch->peer_name), "dom%d", peer);
    ch->vs = vs;
    ch->peer = peer;
    ch->port = port;
    ch->server = server;
    ch->state = UNIK_VCHAN_WAITING;
    ch->fd = -1;
    ev_init(&ch->in, NULL);
    ev_init(&ch->out, NULL);
    ev_init(&ch->timer, NULL);
    LIST_INSERT_HEAD(&vs->channels, ch, link);
    vs->n++;
    return ch;
}

void vchan_socket_free(struct channel *ch)
{
    struct vchan_socket *vs = ch->vs;

    if (vs->reading == ch)
        vs->reading = NULL;
    if (ch->state == UNIK_VCHAN_WAITING && ch->server)
        vchan_socket_unserve(ch);
    else if (ch->state == UNIK_VCHAN_WAITING)
        vchan_socket_unseek(ch);
    vchan_socket_broken(ch, "closed", 0);
    end_input(ch);
    ev_timer_stop(vs->ctx->loop, &ch->timer);
    if (ch->dirty)
        TAILQ_REMOVE(&vs->dirty, ch, dirty_link);
    if (ch->closing)
        vs->ctx->counters[CLOSING]--;
    LIST_REMOVE(ch, link);
    vs->n--;
    unik_ring_free(&ch->rx);
    unik_ring_free(&ch->tx);
    free(ch);
}

/* A closing channel is done. Only from the loop. */
void vchan_socket_finish(struct channel *ch)
{
    struct vchan_socket *vs = ch->vs;

    vchan_socket_free(ch);
    if (vs->stopping && vs->n == 0)
        vchan_socket_stopped(vs);
}
