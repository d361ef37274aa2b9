/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/stream.c - the streams a handler or caller has of a call: io, and for callers the service's stderr.
 * Everything here is called by plugins of this process; what they read comes from the other side and is theirs to judge.
 */
#include <errno.h>
#include <stdlib.h>

#include "plugins/qrexec/core.h"

static struct qrexec_call *of_io(struct unik_stream *s)
{
    return (struct qrexec_call *)(void *)((char *)s - offsetof(struct qrexec_call, io));
}

static struct qrexec_call *of_err(struct unik_stream *s)
{
    return (struct qrexec_call *)(void *)((char *)s - offsetof(struct qrexec_call, err));
}

/* ---- io ---- */

static size_t io_peek(struct unik_stream *s, const void **bytes)
{
    return qrexec_data_peek(of_io(s), QREXEC_TO_IO, bytes);
}

static void io_consume(struct unik_stream *s, size_t n)
{
    if (of_io(s)->in.to == QREXEC_TO_IO)
        qrexec_data_consume(of_io(s), n);
}

int qrexec_stream_ended(struct qrexec_call *c)
{
    const void *p;

    if (c->detached)
        return 1;
    if (c->state < QREXEC_RUNNING)
        return c->ended;
    if (qrexec_data_peek(c, QREXEC_TO_IO, &p) > 0)
        return 0;
    if (c->ended)
        return c->ended;
    if (!c->incoming && c->have_code && c->pub.exit_code != 0 && !c->io_eof)
        return -ECONNRESET;             /* failed, and its stdout never ended: cut off (doc/protocol/qrexec.md, 4) */
    if (c->incoming ? c->io_eof : c->have_code)
        return 1;
    if (!qrexec_data_exhausted(c))
        return 0;
    if (!c->incoming)
        c->pub.exit_code = UNIK_QREXEC_LOST;
    return -ECONNRESET;
}

static int io_ended(struct unik_stream *s) { return qrexec_stream_ended(of_io(s)); }

/* May a caller still write, before the call is connected? */
static bool is_early(const struct qrexec_call *c)
{
    return !c->incoming && (c->state < QREXEC_RUNNING || unik_ring_used(&c->early) > 0);
}

static bool cannot_write(const struct qrexec_call *c)
{
    return c->want_eof || c->ended || c->have_code || (c->state == QREXEC_RUNNING && qrexec_data_gone(c));
}

static size_t io_room(struct unik_stream *s)
{
    struct qrexec_call *c = of_io(s);

    if (c->detached)
        return QREXEC_EARLY;            /* taken and thrown away */
    if (cannot_write(c))
        return 0;
    if (is_early(c))
        return c->early.size ? unik_ring_room(&c->early) : QREXEC_EARLY;
    return qrexec_data_room(c);
}

static ssize_t io_write(struct unik_stream *s, const void *bytes, size_t n)
{
    struct qrexec_call *c = of_io(s);

    if (c->detached)
        return c->want_eof ? -EPIPE : (ssize_t)n;
    if (cannot_write(c))
        return -EPIPE;
    if (!is_early(c))
        return (ssize_t)qrexec_data_put(c, c->incoming ? QREXEC_STDOUT : QREXEC_STDIN, bytes, n);
    if (!c->early.size && unik_ring_init(&c->early, QREXEC_EARLY) < 0)
        return -ENOMEM;
    return (ssize_t)unik_ring_put(&c->early, bytes, n);
}

static int io_shut(struct unik_stream *s)
{
    struct qrexec_call *c = of_io(s);

    if (!c->want_eof) {
        c->want_eof = true;
        if (c->state == QREXEC_RUNNING && !c->detached)
            qrexec_data_flush_early(c);
    }
    return 0;
}

static void io_close(struct unik_stream *s) { qrexec_call_closed(of_io(s)); }

/* A service's caller gets the code and no end of stdout: by that qrexec_stream_ended() of its agent can tell. */
static void io_abort(struct unik_stream *s)
{
    struct qrexec_call *c = of_io(s);

    c->aborted = true;
    if (c->incoming && c->pub.exit_code == 0)
        c->pub.exit_code = UNIK_QREXEC_BROKEN;
    qrexec_call_closed(c);
}

static const struct unik_stream_ops io_ops = {
    .size = sizeof(struct unik_stream_ops), .peek = io_peek, .consume = io_consume, .ended = io_ended, .room = io_room,
    .write = io_write, .shut = io_shut, .close = io_close, .abort = io_abort
};

/* ---- stderr ---- */

static size_t err_peek(struct unik_stream *s, const void **bytes)
{
    return qrexec_data_peek(of_err(s), QREXEC_TO_ERR, bytes);
}

static void err_consume(struct unik_stream *s, size_t n)
{
    if (of_err(s)->in.to == QREXEC_TO_ERR)
        qrexec_data_consume(of_err(s), n);
}

int qrexec_stream_err_ended(struct qrexec_call *c)
{
    const void *p;

    if (c->state < QREXEC_RUNNING)
        return c->ended;
    if (qrexec_data_peek(c, QREXEC_TO_ERR, &p) > 0)
        return 0;
    if (c->ended)
        return c->ended;
    if (c->err_eof || c->have_code)
        return 1;
    return qrexec_data_exhausted(c) ? -ECONNRESET : 0;
}

static int err_ended(struct unik_stream *s) { return qrexec_stream_err_ended(of_err(s)); }
static size_t err_room(struct unik_stream *s) { return (void)s, 0; }
static ssize_t err_write(struct unik_stream *s, const void *b, size_t n) { return (void)s, (void)b, (void)n, -EPIPE; }
static int err_shut(struct unik_stream *s) { return (void)s, -EOPNOTSUPP; }

/* The rest of stderr is thrown away. */
static void err_close(struct unik_stream *s)
{
    struct qrexec_call *c = of_err(s);

    c->err_wanted = false;
    c->err.cb = NULL;
    qrexec_call_soon(c, UNIK_STREAM_INPUT);
}

static const struct unik_stream_ops err_ops = {
    .size = sizeof(struct unik_stream_ops), .peek = err_peek, .consume = err_consume, .ended = err_ended, .room = err_room,
    .write = err_write, .shut = err_shut, .close = err_close
};

struct unik_stream *qrexec_stream_err(struct unik_qrexec_call *call)
{
    struct qrexec_call *c = (struct qrexec_call *)(void *)call;

    if (c->incoming)
        return NULL;
    if (!c->err_wanted) {
        c->err_wanted = true;
        qrexec_call_soon(c, UNIK_STREAM_INPUT);
    }
    return &c->err;
}

ssize_t qrexec_stream_write_err(struct unik_qrexec_call *call, const void *bytes, size_t n)
{
    struct qrexec_call *c = (struct qrexec_call *)(void *)call;

    if (!c->incoming || c->state != QREXEC_RUNNING || c->want_err_eof)
        return -EPIPE;
    if (c->detached)
        return (ssize_t)n;
    if (c->ended || qrexec_data_gone(c))
        return -EPIPE;
    if (n > QREXEC_ERR_MAX || n + QREXEC_HEADER > c->ring)      /* would never fit */
        return -EMSGSIZE;
    if (unik_stream_room(c->channel) < n + QREXEC_HEADER)
        return 0;
    return n ? (ssize_t)qrexec_data_put(c, QREXEC_STDERR, bytes, n) : 0;
}

ssize_t qrexec_call_write_err(struct unik_qrexec_call *call, const void *bytes, size_t n)
{
    return qrexec_stream_write_err(call, bytes, n);
}

void qrexec_call_shut_err(struct unik_qrexec_call *call)
{
    struct qrexec_call *c = (struct qrexec_call *)(void *)call;

    if (c->incoming && !c->want_err_eof) {
        c->want_err_eof = true;
        if (c->state == QREXEC_RUNNING && !c->detached)
            qrexec_data_flush_early(c);
    }
}

void qrexec_stream_init(struct qrexec_call *c)
{
    c->io = (struct unik_stream){ .ops = &io_ops, .peer = c->pub.peer };
    c->err = (struct unik_stream){ .ops = &err_ops, .peer = c->pub.peer };
    c->pub.io = &c->io;
}
