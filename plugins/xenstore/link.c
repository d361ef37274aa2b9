/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/xenstore/link.c - one descriptor to xenstored: Linux's xenbus device, or the daemon's unix socket.
 *
 * Both carry the same bytes, but the device is no socket. It never says "writable", takes one message per write() and
 * drops what follows it in the same write, refuses a whole message with the error of the request (for a watch even
 * xenstored's own, in place of a reply), and is never at its end. Reads of both give any number of bytes.
 *
 * And on Linux (seen in 6.1; the source is so since about 4.11) it serves one request at a time and does not say so:
 * - A request's body is not copied. The next write puts its own in that place, and if the kernel's thread has not
 *   sent the first one yet, xenstored gets the first header with the second body.
 * - Writing a WATCH or UNWATCH waits for xenstored inside the kernel, with a lock held that the thread needs to hand
 *   over the reply to any other request of this file. Both then wait for ever, and nobody in the domain hears from
 *   xenstored.
 * So the next message is written when the reply to the one before is there. WATCH and UNWATCH are done when write()
 * returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugins/xenstore/client.h"

#define AGAIN_SECONDS 0.01

/* ---- out ---- */

static void took(struct xenstore_link *l, size_t n)
{
    l->out_start += n;
    if (l->out_start == l->out_end)
        l->out_start = l->out_end = 0;
}

/* xenstored gets bytes in order, in as few writes as it takes. */
static int flush_socket(struct xenstore_link *l, struct ev_loop *loop)
{
    while (l->out_start < l->out_end) {
        ssize_t n = send(l->fd, l->out + l->out_start, l->out_end - l->out_start, MSG_NOSIGNAL);

        if (n > 0) {
            took(l, (size_t)n);
        } else if (n < 0 && errno == EAGAIN) {
            ev_io_start(loop, &l->writable);
            return 0;
        } else if (n == 0 || errno != EINTR) {
            return n == 0 ? -EPIPE : -errno;
        }
    }
    ev_io_stop(loop, &l->writable);
    return 0;
}

/* An error of write() that is about this one message: the device has dropped it, and goes on with the next. */
static bool is_about_message(int e) { return e != -EBADF && e != -ENODEV && e != -ENXIO && e != -EFAULT; }

static bool is_done_by_write(uint32_t type) { return type == XENSTORE_WATCH || type == XENSTORE_UNWATCH; }

static void next_message(struct xenstore_link *l)
{
    struct xenstore_header h;

    xenstore_decode_header(l->out + l->out_start, &h);
    l->head_left = XENSTORE_HEADER + h.len;
    l->head_id = h.id;
    l->head_is_done = is_done_by_write(h.type);
}

static int flush_device(struct xenstore *x, struct xenstore_link *l)
{
    while (l->out_start < l->out_end) {
        ssize_t n;
        int e;

        if (l->unanswered)
            break;
        if (!l->head_left)
            next_message(l);
        n = write(l->fd, l->out + l->out_start, l->head_left);
        e = n > 0 ? 0 : n == 0 ? -EPIPE : -errno;
        if (n > 0) {
            l->head_left -= (size_t)n;
            if (!l->head_left && !l->head_is_done)
                l->unanswered = l->head_id;
            took(l, (size_t)n);
        } else if (e == -EAGAIN) {
            ev_timer_again(x->ctx->loop, &l->again);
            return 0;
        } else if (n == 0 || !is_about_message(e)) {
            return e;
        } else if (e != -EINTR) {
            took(l, l->head_left);
            l->head_left = 0;
            xenstore_request_fail(x, l->head_id, e);
        }
    }
    ev_timer_stop(x->ctx->loop, &l->again);
    return 0;
}

static void flush(struct xenstore *x)
{
    struct xenstore_link *l = &x->link;
    int e;

    if (l->fd < 0)
        return;
    e = l->device ? flush_device(x, l) : flush_socket(l, x->ctx->loop);
    if (e < 0 && l->device) {
        xenstore_lost(x, e, "write");
        return;
    }
    if (e < 0) {
        /* The daemon is gone, but its last replies may wait here: the end comes after them, by reading. */
        ev_io_stop(x->ctx->loop, &l->writable);
        l->up = false;
        l->out_start = l->out_end = 0;
    }
    xenstore_settle(x);
}

static void on_flush(struct ev_loop *loop, ev_prepare *w, int revents)
{
    (void)loop, (void)revents;
    flush(w->data);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
    (void)loop, (void)revents;
    flush(w->data);
}

static void on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop, (void)revents;
    flush(w->data);
}

uint8_t *xenstore_link_space(struct xenstore_link *l, size_t *size)
{
    size_t used = l->out_end - l->out_start;

    if (l->out_start && l->out_size - l->out_end < XENSTORE_MESSAGE_MAX) {
        memmove(l->out, l->out + l->out_start, used);
        l->out_start = 0;
        l->out_end = used;
    }
    *size = l->out_size - l->out_end;
    return l->out + l->out_end;
}

void xenstore_link_queue(struct xenstore_link *l, size_t n)
{
    struct xenstore *x = l->flush.data;
    size_t queued;

    l->out_end += n;
    queued = l->out_end - l->out_start;
    if (queued > *xenstore_count(x, HIGH_QUEUED))
        *xenstore_count(x, HIGH_QUEUED) = queued;
    if (!ev_is_active(&l->writable) && !ev_is_active(&l->again) && !l->unanswered)
        ev_feed_event(x->ctx->loop, &l->flush, EV_CUSTOM);
}

void xenstore_link_answered(struct xenstore_link *l, uint32_t id)
{
    struct xenstore *x = l->flush.data;

    if (l->unanswered != id)
        return;
    l->unanswered = 0;
    if (l->out_start < l->out_end)
        ev_feed_event(x->ctx->loop, &l->flush, EV_CUSTOM);
}

/* ---- in ---- */

/* Hand on the whole messages in the buffer. The connection stays what it is meanwhile: callbacks only queue. */
static int take(struct xenstore *x, struct xenstore_link *l)
{
    size_t at = 0;

    while (l->in_used - at >= XENSTORE_HEADER) {
        struct xenstore_header h;
        char *body = (char *)l->in + at + XENSTORE_HEADER;
        char next;

        if (xenstore_decode_header(l->in + at, &h) < 0) {
            unik_error(x->ctx, "%s: a message of type %u says it has %u bytes, %u at most are possible", x->place,
                       h.type, h.len, XENSTORE_PAYLOAD_MAX);
            ++*xenstore_count(x, COUNT_BAD);
            return -EPROTO;
        }
        if (l->in_used - at - XENSTORE_HEADER < h.len)
            break;
        at += XENSTORE_HEADER + h.len;
        next = body[h.len];
        body[h.len] = 0;
        if (h.type == XENSTORE_WATCH_EVENT)
            xenstore_watch_event(x, body, h.len);
        else
            xenstore_reply(x, &h, body);
        body[h.len] = next;
    }
    l->in_used -= at;
    if (at)
        memmove(l->in, l->in + at, l->in_used);
    return 0;
}

int xenstore_link_feed(struct xenstore_link *l, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    while (n) {
        size_t k = XENSTORE_IN_SIZE - l->in_used;
        int e;

        k = k < n ? k : n;
        memcpy(l->in + l->in_used, p, k);
        l->in_used += k;
        p += k;
        n -= k;
        if ((e = take(l->flush.data, l)) < 0)
            return e;
    }
    return 0;
}

/* from dom0: xenstored's bytes, or the kernel's. One read a turn: others get theirs in between. */
static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
    struct xenstore *x = w->data;
    struct xenstore_link *l = &x->link;
    ssize_t n = read(l->fd, l->in + l->in_used, XENSTORE_IN_SIZE - l->in_used);
    int e = n < 0 ? -errno : 0;

    (void)loop, (void)revents;
    if (n > 0) {
        l->in_used += (size_t)n;
        e = take(x, l);
    }
    if (n == 0)
        xenstore_lost(x, -ECONNRESET, "closed");
    else if (e < 0 && e != -EAGAIN && e != -EINTR)
        xenstore_lost(x, e, n > 0 ? "not understood" : "read");
    else
        xenstore_settle(x);
}

/* ---- the descriptor ---- */

static int open_socket(const char *place)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd, e;

    if (strlen(place) >= sizeof(a.sun_path))
        return -ENAMETOOLONG;
    memcpy(a.sun_path, place, strlen(place));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)(void *)&a, sizeof(a)) == 0)
        return fd;
    e = -errno;
    close(fd);
    return e;
}

int xenstore_link_open(struct xenstore_link *l, const char *place, bool device)
{
    struct xenstore *x = l->flush.data;
    int fd = device ? open(place, O_RDWR | O_NONBLOCK | O_CLOEXEC) : open_socket(place);

    if (fd < 0)
        return device ? -errno : fd;
    l->fd = fd;
    l->device = device;
    l->up = true;
    ev_io_set(&l->readable, fd, EV_READ);
    ev_io_set(&l->writable, fd, EV_WRITE);
    ev_io_start(x->ctx->loop, &l->readable);
    return 0;
}

void xenstore_link_close(struct xenstore_link *l)
{
    struct xenstore *x = l->flush.data;

    ev_io_stop(x->ctx->loop, &l->readable);
    ev_io_stop(x->ctx->loop, &l->writable);
    ev_timer_stop(x->ctx->loop, &l->again);
    ev_clear_pending(x->ctx->loop, &l->flush);
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->up = false;
    l->out_start = l->out_end = l->head_left = l->in_used = 0;
    l->unanswered = 0;
}

int xenstore_link_init(struct xenstore_link *l, struct xenstore *x, size_t out_size)
{
    l->fd = -1;
    l->out_size = out_size;
    l->out = malloc(out_size);
    ev_init(&l->readable, on_readable);
    ev_init(&l->writable, on_writable);
    ev_init(&l->again, on_again);
    l->again.repeat = AGAIN_SECONDS;
    ev_prepare_init(&l->flush, on_flush);
    l->readable.data = l->writable.data = l->again.data = l->flush.data = x;
    return l->out ? 0 : -ENOMEM;
}

void xenstore_link_free(struct xenstore_link *l)
{
    xenstore_link_close(l);
    free(l->out);
}
