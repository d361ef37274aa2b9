/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/queue.c - own requests, kept as the bytes that go out, until dom0 has answered them. */
#include <errno.h>

#include "plugins/qubesdb/queue.h"

#define SKIPPED 0xff            /* in place of the type: never goes out (the daemon's own mark for "no message") */

int qubesdb_queue_init(struct qubesdb_queue *q, size_t most)
{
    q->most = most;
    q->sent = q->count = 0;
    return unik_ring_init(&q->ring, most) < 0 ? -ENOMEM : 0;
}

void qubesdb_queue_free(struct qubesdb_queue *q) { unik_ring_free(&q->ring); }

bool qubesdb_queue_fits(const struct qubesdb_queue *q, size_t bytes)
{
    return unik_ring_used(&q->ring) + bytes <= q->most;
}

int qubesdb_queue_push(struct qubesdb_queue *q, enum qubesdb_type type, const char *path, const void *value,
                       size_t len)
{
    uint8_t message[QUBESDB_MESSAGE_MAX];
    int n = qubesdb_encode(message, sizeof(message), type, path, value, len);

    if (n < 0)
        return n;
    if ((size_t)n > unik_ring_room(&q->ring))
        return -ENOSPC;
    unik_ring_put(&q->ring, message, (size_t)n);
    q->count++;
    return 0;
}

void qubesdb_queue_append(struct qubesdb_queue *q, struct qubesdb_queue *from)
{
    const void *run;
    size_t n;

    while ((n = unik_ring_peek(&from->ring, &run)) > 0) {
        unik_ring_put(&q->ring, run, n);
        unik_ring_consume(&from->ring, n);
    }
    q->count += from->count;
    qubesdb_queue_free(from);
}

static uint8_t *byte_at(struct qubesdb_queue *q, size_t offset)
{
    return &q->ring.at[(q->ring.tail + offset) & (q->ring.size - 1)];
}

static void copy_out(struct qubesdb_queue *q, size_t offset, uint8_t *to, size_t n)
{
    size_t run = q->ring.size - ((q->ring.tail + offset) & (q->ring.size - 1));

    run = run < n ? run : n;
    memcpy(to, byte_at(q, offset), run);
    memcpy(to + run, q->ring.at, n - run);
}

/* The message at an offset: its length. What is in the queue came from the encoder, so it decodes. */
static size_t message_at(struct qubesdb_queue *q, size_t offset, struct qubesdb_header *h)
{
    uint8_t bytes[QUBESDB_HEADER];

    copy_out(q, offset, bytes, sizeof(bytes));
    qubesdb_decode(bytes, h);
    return QUBESDB_HEADER + h->len;
}

size_t qubesdb_queue_next(struct qubesdb_queue *q, struct qubesdb_header *h)
{
    while (q->sent < unik_ring_used(&q->ring)) {
        size_t n = message_at(q, q->sent, h);

        if (h->type != SKIPPED)
            return n;
        q->sent += n;
    }
    return 0;
}

const void *qubesdb_queue_bytes(struct qubesdb_queue *q, size_t n)
{
    copy_out(q, q->sent, q->whole, n);
    return q->whole;
}

void qubesdb_queue_sent(struct qubesdb_queue *q, size_t n) { q->sent += n; }

void qubesdb_queue_skip(struct qubesdb_queue *q, size_t n)
{
    *byte_at(q, q->sent) = SKIPPED;
    q->sent += n;
    q->count--;
    qubesdb_queue_idle(q);              /* gives back the room if nothing before it waits for an answer */
}

static void consume(struct qubesdb_queue *q, size_t n)
{
    unik_ring_consume(&q->ring, n);
    q->sent -= n;
}

bool qubesdb_queue_oldest(struct qubesdb_queue *q, struct qubesdb_header *h)
{
    while (q->sent > 0) {
        size_t n = message_at(q, 0, h);

        if (h->type != SKIPPED)
            return true;
        consume(q, n);
    }
    return false;
}

void qubesdb_queue_answered(struct qubesdb_queue *q)
{
    struct qubesdb_header h;

    if (!qubesdb_queue_oldest(q, &h))
        return;
    consume(q, QUBESDB_HEADER + h.len);
    q->count--;
    qubesdb_queue_idle(q);
}

void qubesdb_queue_restart(struct qubesdb_queue *q) { q->sent = 0; }
