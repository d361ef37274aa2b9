/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/stream.h - the one type for a flow of bytes: TCP, vchan, qrexec call, TLS.
 *
 * A stream belongs to who made or accepted it, until unik_stream_close(). Both directions have back-pressure:
 * what is not read stays with the peer, and write() takes only what there is room for. Nothing blocks.
 *
 * Events are edges, told through one callback, always from the loop, never from inside a call to the stream:
 *   OPEN   connected (streams that begin connected do not tell it)
 *   INPUT  more bytes, the end of input, or an error can be read. Leave what you cannot use yet and come back when
 *          you can: there is no second call for the same bytes.
 *   ROOM   there is room again, after a write() was short or room() had been less than you wanted
 * Closing a stream inside its own callback is allowed. After close() there are no more events.
 */
#ifndef UNIK_STREAM_H
#define UNIK_STREAM_H

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unik_ctx;        /* unik/context.h */
struct unik_stream;

enum unik_stream_event { UNIK_STREAM_OPEN = 1, UNIK_STREAM_INPUT = 2, UNIK_STREAM_ROOM = 4 };

typedef void unik_stream_cb(struct unik_stream *s, unsigned events, void *arg);

struct unik_stream_ops {
    size_t size;
    size_t (*peek)(struct unik_stream *s, const void **bytes);
    void (*consume)(struct unik_stream *s, size_t n);
    int (*ended)(struct unik_stream *s);
    size_t (*room)(struct unik_stream *s);
    ssize_t (*write)(struct unik_stream *s, const void *bytes, size_t n);
    int (*shut)(struct unik_stream *s);
    void (*close)(struct unik_stream *s);
    unsigned (*reserve)(struct unik_stream *s, struct iovec *parts, unsigned n);    /* both, or neither: NULL */
    int (*commit)(struct unik_stream *s, size_t n);
    void (*abort)(struct unik_stream *s);           /* NULL: close() */
    struct unik_ctx *(*give)(struct unik_stream *s, struct unik_ctx *owner);        /* NULL: it knows of no owners */
};

/* Providers embed this as the first member of their own struct. */
struct unik_stream {
    const struct unik_stream_ops *ops;
    unik_stream_cb *cb;         /* set with unik_stream_on(); may be NULL: no events */
    void *arg;
    const char *peer;           /* for logs and access rules: "dom0", "work", "10.137.0.9:4711"; lives with the stream */
};

static inline void unik_stream_on(struct unik_stream *s, unik_stream_cb *cb, void *arg)
{
    s->cb = cb;
    s->arg = arg;
}

/* The bytes that wait, in place: a pointer to the first contiguous run and its length, 0 if none wait now.
 * Valid until the next call to the stream or return to the loop. consume() at most that many. */
static inline size_t unik_stream_peek(struct unik_stream *s, const void **bytes) { return s->ops->peek(s, bytes); }
static inline void unik_stream_consume(struct unik_stream *s, size_t n) { s->ops->consume(s, n); }

/* Once peek() gives nothing: 0 more may come; 1 the peer ended its side in order; a negative errno: broken
 * (-ECONNRESET, -ETIMEDOUT, ...; a vchan's end is 1 too, as it has no half-close: writing fails then). */
static inline int unik_stream_ended(struct unik_stream *s) { return s->ops->ended(s); }

/* How many bytes write() would take now. */
static inline size_t unik_stream_room(struct unik_stream *s) { return s->ops->room(s); }

/* Take up to n bytes: how many were taken (0: no room now, wait for ROOM) or a negative errno (-EPIPE: the peer is
 * gone or shut() was called; -ENOTCONN: not open yet, for streams that cannot keep bytes that early).
 * What was taken is delivered in order unless the stream breaks. If room() >= n, all is taken in one piece. */
static inline ssize_t unik_stream_write(struct unik_stream *s, const void *bytes, size_t n)
{
    return s->ops->write(s, bytes, n);
}

/* To have bytes made where the stream keeps them, instead of copied there: pieces of its own memory, in order, as many as the
 * array has and room() allows; how many there are. 0: no room now, or this provider has no such memory: write() is right then.
 * They are the caller's to fill until the next call to the stream or return to the loop. commit() then takes the first n bytes of
 * them as write() would: 0, or a negative errno as write(). Without commit() nothing was written. */
static inline unsigned unik_stream_reserve(struct unik_stream *s, struct iovec *parts, unsigned n)
{
    return s->ops->size >= offsetof(struct unik_stream_ops, commit) + sizeof(s->ops->commit) && s->ops->reserve ?
           s->ops->reserve(s, parts, n) : 0;
}
static inline int unik_stream_commit(struct unik_stream *s, size_t n) { return s->ops->commit(s, n); }

/* No more will be written: what was taken goes out, then the end. 0; -EOPNOTSUPP where the peer cannot be told (vchan). */
static inline int unik_stream_shut(struct unik_stream *s) { return s->ops->shut(s); }

/* Give the stream back. What was written before still goes out in the background, within a deadline of the provider;
 * unread input is dropped. The pointer is dead. */
static inline void unik_stream_close(struct unik_stream *s) { s->ops->close(s); }

/* Give the stream back broken: for a relay whose other side broke, and for whoever stops in the middle, so that the peer does not
 * take what it has for all there is. At once, and in any state: nothing waits for the peer, what has not left yet is dropped, and
 * unread input too. No end goes out in order; how the peer learns of it is the provider's:
 *   TCP      a reset (RST)
 *   qrexec   service side: the exit code alone - the call's exit_code, 125 (UNIK_QREXEC_BROKEN) if that is 0 - without an end of
 *            stdout or stderr; it goes behind what the channel holds already. Caller side: the channel closes without an end of stdin
 *   TLS      the fatal alert internal_error (RFC 8446, 6.1: never without close_notify or an error alert), then the stream below
 *            is aborted
 *   vchan    its end: a vchan can tell no more
 * At the other end unik_stream_ended() is negative then (not for a vchan). close() where the provider has no such function.
 * The pointer is dead. */
static inline void unik_stream_abort(struct unik_stream *s)
{
    if (s->ops->size >= offsetof(struct unik_stream_ops, abort) + sizeof(s->ops->abort) && s->ops->abort)
        s->ops->abort(s);
    else
        s->ops->close(s);
}

/* For a plugin that makes a stream of its own out of another's, as tls does: from now on raw is this plugin's, ctx, as far as its
 * provider looks at who has stopped. Whose it was; NULL: nobody's, or the provider does not look. */
static inline struct unik_ctx *unik_stream_give(struct unik_stream *raw, struct unik_ctx *ctx)
{
    return raw->ops->size >= offsetof(struct unik_stream_ops, give) + sizeof(raw->ops->give) && raw->ops->give ?
           raw->ops->give(raw, ctx) : NULL;
}

/* Copying read: bytes copied; 0 at the end; -EAGAIN nothing now; another negative errno when broken. */
static inline ssize_t unik_stream_read(struct unik_stream *s, void *buf, size_t n)
{
    const void *p;
    size_t have, done = 0;
    int e;

    while (done < n && (have = unik_stream_peek(s, &p)) > 0) {
        size_t k = have < n - done ? have : n - done;

        memcpy((char *)buf + done, p, k);
        unik_stream_consume(s, k);
        done += k;
    }
    if (done || !n)
        return (ssize_t)done;
    e = unik_stream_ended(s);
    return e == 1 ? 0 : e < 0 ? e : -EAGAIN;
}

#ifdef __cplusplus
}
#endif
#endif
