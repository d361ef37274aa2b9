/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-socket/output.c - a channel's output. Small writes of one turn of the loop go out together, when the
 * turn ends; large ones go at once, straight from the writer's memory, behind what waits in the ring. */
#include <errno.h>
#include <sys/uio.h>
#include "plugins/vchan-socket/channel.h"

static struct channel *channel_of(struct unik_stream *s) { return (struct channel *)(void *)s; }

/* Send the ring's bytes and then these n, as far as the kernel takes them: how many of these it took. The rest of them
 * stays the caller's, the ring's rest is sent when the socket is writable. */
ssize_t vchan_socket_send(struct channel *ch, const void *bytes, size_t n)
{
    size_t used = unik_ring_used(&ch->tx);
    struct iovec run[3];
    struct msghdr m = { .msg_iov = run };
    const void *at;
    ssize_t k;

    if (used) {
        run[0].iov_len = unik_ring_peek(&ch->tx, &at);
        memcpy(&run[0].iov_base, &at, sizeof(at));
        m.msg_iovlen = 1;
        if (run[0].iov_len < used)
            run[m.msg_iovlen++] = (struct iovec){ ch->tx.at, used - run[0].iov_len };
    }
    if (n) {
        memcpy(&run[m.msg_iovlen].iov_base, &bytes, sizeof(bytes));
        run[m.msg_iovlen++].iov_len = n;
    }
    k = sendmsg(ch->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (k < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
        vchan_socket_broken(ch, "peer closed", errno);
        /* What the peer had sent is still in the kernel, and the end behind it: both are told from the loop. */
        ev_feed_event(ch->vs->ctx->loop, &ch->in, EV_READ);
        return -EPIPE;
    }
    if (k < 0)
        k = 0;
    ch->vs->ctx->counters[BYTES_OUT] += (uint64_t)k;
    unik_ring_consume(&ch->tx, (size_t)k < used ? (size_t)k : used);
    if ((size_t)k < used + n)
        ev_io_start(ch->vs->ctx->loop, &ch->out);
    return (size_t)k > used ? k - (ssize_t)used : 0;
}

/* Send what the ring holds before the loop waits. */
void vchan_socket_mark_dirty(struct channel *ch)
{
    if (ch->dirty)
        return;
    ch->dirty = true;
    TAILQ_INSERT_TAIL(&ch->vs->dirty, ch, dirty_link);
    ev_feed_event(ch->vs->ctx->loop, &ch->vs->flush, EV_CUSTOM);
}

/* Room came back: tell it if somebody waits for it, and enough came to be worth a call. */
static bool room_is_news(struct channel *ch)
{
    if (!ch->want_room || unik_ring_room(&ch->tx) < ch->tx.size / 2)
        return false;
    ch->want_room = false;
    return true;
}

/* The last event of a turn: all that was written in it. A ROOM told here may bring new output, which comes back here in
 * the same turn: so each channel is told once, and from its second time on when the socket is next found writable. */
void vchan_socket_on_flush(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct vchan_socket *vs = w->data;
    struct channel *ch;

    (void)revents;
    while ((ch = TAILQ_FIRST(&vs->dirty)) != NULL) {
        TAILQ_REMOVE(&vs->dirty, ch, dirty_link);
        ch->dirty = false;
        if (ch->state != UNIK_VCHAN_CONNECTED || ev_is_active(&ch->out))
            continue;
        if (unik_ring_used(&ch->tx))
            vchan_socket_send(ch, NULL, 0);
        if (ch->state != UNIK_VCHAN_CONNECTED || !ch->want_room)
            continue;
        if (ch->room_told == ev_iteration(loop)) {
            ev_io_start(loop, &ch->out);
        } else if (room_is_news(ch)) {
            ch->room_told = ev_iteration(loop);
            vchan_socket_tell(ch, UNIK_STREAM_ROOM);
        }
    }
}

void vchan_socket_on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
    struct channel *ch = w->data;

    (void)revents;
    ev_io_stop(loop, w);
    if (unik_ring_used(&ch->tx))
        vchan_socket_send(ch, NULL, 0);
    if (ch->state != UNIK_VCHAN_CONNECTED)
        return;
    if (ch->closing && !unik_ring_used(&ch->tx))
        vchan_socket_finish(ch);
    else if (room_is_news(ch))
        vchan_socket_tell(ch, UNIK_STREAM_ROOM);
}

size_t vchan_socket_room(struct unik_stream *s)
{
    struct channel *ch = channel_of(s);

    if (ch->state == UNIK_VCHAN_DISCONNECTED || (ch->state == UNIK_VCHAN_WAITING && !ch->server))
        return 0;
    if (ch->state == UNIK_VCHAN_CONNECTED && !ev_is_active(&ch->out) &&
        unik_ring_used(&ch->tx) > ch->tx.size / 2)
        vchan_socket_send(ch, NULL, 0);
    if (ch->state == UNIK_VCHAN_DISCONNECTED)
        return 0;
    if (unik_ring_used(&ch->tx))
        ch->want_room = true;           /* the caller may have wanted more than is there */
    return unik_ring_room(&ch->tx);
}

ssize_t vchan_socket_write(struct unik_stream *s, const void *bytes, size_t n)
{
    struct channel *ch = channel_of(s);
    size_t taken = 0;
    ssize_t k;

    if (ch->state == UNIK_VCHAN_DISCONNECTED)
        return -EPIPE;
    if (ch->state == UNIK_VCHAN_WAITING && !ch->server)
        return -ENOTCONN;
    if (ch->state == UNIK_VCHAN_CONNECTED && !ev_is_active(&ch->out) &&
        unik_ring_used(&ch->tx) + n >= ch->tx.size / 2) {
        k = vchan_socket_send(ch, bytes, n);
        if (k < 0)
            return k;
        taken = (size_t)k;
    }
    taken += unik_ring_put(&ch->tx, (const char *)bytes + taken, n - taken);
    if (taken < n)
        ch->want_room = true;
    if (ch->state == UNIK_VCHAN_CONNECTED && unik_ring_used(&ch->tx) && !ev_is_active(&ch->out))
        vchan_socket_mark_dirty(ch);
    return (ssize_t)taken;
}

/* ---- closing ---- */

static void on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct channel *ch = w->data;

    (void)loop, (void)revents;
    ch->vs->ctx->counters[CUT]++;
    unik_warn(ch->vs->ctx, "%s port %u: closed with %zu bytes that the peer did not take in %g s", ch->peer_name,
              ch->port, unik_ring_used(&ch->tx), ch->vs->config->flush);
    vchan_socket_finish(ch);
}

/* The owner is gone: keep sending for a while. Input is read and dropped, so that a peer that must write before it
 * reads comes to reading. */
static void linger(struct channel *ch)
{
    struct ev_loop *loop = ch->vs->ctx->loop;
    uint64_t *counters = ch->vs->ctx->counters;

    ch->closing = true;
    counters[OPEN]--;
    counters[CLOSING]++;
    unik_ring_consume(&ch->rx, SIZE_MAX);
    ev_io_start(loop, &ch->in);
    ev_timer_init(&ch->timer, on_deadline, ch->vs->config->flush, 0);
    ch->timer.data = ch;
    ev_now_update(loop);
    ev_timer_start(loop, &ch->timer);
}

void vchan_socket_close(struct unik_stream *s)
{
    struct channel *ch = channel_of(s);
    struct unik_ctx *ctx = ch->vs->ctx;

    ch->stream.cb = NULL;
    if (ch->state == UNIK_VCHAN_CONNECTED && unik_ring_used(&ch->tx))
        vchan_socket_send(ch, NULL, 0);
    if (ch->state != UNIK_VCHAN_CONNECTED || !unik_ring_used(&ch->tx)) {
        vchan_socket_free(ch);
    } else if (ctx->counters[CLOSING] == CLOSING_MAX) {
        ctx->counters[CUT]++;
        unik_warn(ctx, "%s port %u: closed with %zu bytes unsent: %d others still wait for their peers", ch->peer_name,
                  ch->port, unik_ring_used(&ch->tx), CLOSING_MAX);
        vchan_socket_free(ch);
    } else {
        linger(ch);
    }
}

/* A vchan has no other end than this one; only what the peer has not been given yet can be kept from it. */
void vchan_socket_abort(struct unik_stream *s) { vchan_socket_free(channel_of(s)); }
