/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/stream-ops.c - a TCP stream's functions for its owner. */
#include "stream.h"

static struct stack_stream *of(struct unik_stream *s) { return (struct stack_stream *)(void *)s; }

void stream_dirty(struct stack_stream *s)
{
    struct stack *n = s->n;

    if (s->is_dirty)
        return;
    s->is_dirty = true;
    s->next_dirty = NULL;
    *n->dirty_end = s;
    n->dirty_end = &s->next_dirty;
}

static size_t op_peek(struct unik_stream *base, const void **bytes)
{
    struct stack_stream *s = of(base);

    if (s->in.bytes || !s->fresh)
        return queue_peek(&s->in, bytes);
    *bytes = s->fresh->payload;
    return s->fresh->len;
}

static void op_consume(struct unik_stream *base, size_t size)
{
    struct stack_stream *s = of(base);
    size_t k = size < s->in.bytes ? size : s->in.bytes;

    queue_consume(s->n, &s->in, k);
    s->unacknowledged += k;
    size -= k;
    while (size && s->fresh) {
        k = size < s->fresh->len ? size : s->fresh->len;
        s->fresh = pbuf_free_header(s->fresh, (u16_t)k);
        s->unacknowledged += k;
        size -= k;
    }
    if (s->unacknowledged)
        stream_dirty(s);
}

static int op_ended(struct unik_stream *base)
{
    struct stack_stream *s = of(base);

    if (s->in.bytes || s->fresh)
        return 0;
    return s->error ? s->error : s->eof;
}

/* With many that send at a time, bytes would leave the cache between the write and the card. */
size_t stream_share(const struct stack *n)
{
    return n->chunks.used > STACK_WARM / STACK_CHUNK ? n->config->output / 2 : n->config->output;
}

/* A stream's share is what it may have at most, and when buffers are short, half of those that are left: so one slow peer
 * does not take them all, and two do not either. */
size_t stream_room_now(const struct stack_stream *s)
{
    const struct stack *n = s->n;
    size_t pieces = n->chunks.limit > n->chunks.used ? n->chunks.limit - n->chunks.used : 0;
    size_t most = stream_share(n), left = pieces / 2 * (STACK_CHUNK - 64);

    if (s->error || s->shut)
        return 0;
    if (left + s->out.bytes < most)
        most = left + s->out.bytes;
    return most > s->out.bytes ? most - s->out.bytes : 0;
}

static size_t op_room(struct unik_stream *base)
{
    struct stack_stream *s = of(base);
    size_t room = stream_room_now(s);

    s->want_room = room < stream_share(s->n);   /* all of it is as much as there ever will be */
    return room;
}

static ssize_t op_write(struct unik_stream *base, const void *bytes, size_t size)
{
    struct stack_stream *s = of(base);
    size_t room = stream_room_now(s), done;

    if (s->error || s->shut)
        return -EPIPE;
    done = queue_put(s->n, &s->out, bytes, size < room ? size : room);
    if (done < size)
        s->want_room = true;
    if (done)
        stream_dirty(s);
    return (ssize_t)done;
}

static unsigned op_reserve(struct unik_stream *base, struct iovec *parts, unsigned n)
{
    struct stack_stream *s = of(base);
    size_t room = op_room(base);

    return queue_reserve(s->n, &s->out, room, parts, n);
}

static int op_commit(struct unik_stream *base, size_t size)
{
    struct stack_stream *s = of(base);

    if (s->error || s->shut)
        return -EPIPE;
    queue_commit(s->n, &s->out, size);
    stream_dirty(s);
    return 0;
}

static int op_shut(struct unik_stream *base)
{
    struct stack_stream *s = of(base);

    if (s->shut || s->error)
        return 0;
    s->shut = true;
    stream_dirty(s);
    return 0;
}

static void give_up(struct stack_stream *s)
{
    s->base.cb = NULL;
    s->base.ops = NULL;                 /* closed: any later call by its owner is a bug, and faults */
    s->unacknowledged += s->in.bytes;
    queue_free(s->n, &s->in);
    if (s->fresh) {
        s->unacknowledged += s->fresh->tot_len;
        pbuf_free(s->fresh);
        s->fresh = NULL;
    }
    s->shut = true;
    stream_dirty(s);
}

static void op_close(struct unik_stream *base) { give_up(of(base)); }

/* The reset goes out at the end of the turn. */
static void op_abort(struct unik_stream *base)
{
    struct stack_stream *s = of(base);

    give_up(s);
    if (!s->error)
        s->error = -ECONNABORTED;
}

static struct unik_ctx *op_give(struct unik_stream *base, struct unik_ctx *owner)
{
    struct unik_ctx *before = of(base)->owner;

    of(base)->owner = owner;
    return before;
}

const struct unik_stream_ops stream_ops = {
    .size = sizeof(struct unik_stream_ops), .peek = op_peek, .consume = op_consume, .ended = op_ended, .room = op_room,
    .write = op_write, .shut = op_shut, .close = op_close, .reserve = op_reserve, .commit = op_commit,
    .abort = op_abort, .give = op_give
};
