/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/chunks.c - the buffers behind a stream: a list of equal chunks, held only while bytes wait in them. Bytes do
 * not move once they are in: lwIP sends from here, and sends again from here. */
#include <string.h>

#include "stack.h"

#define ROOM (STACK_CHUNK - sizeof(struct stack_chunk *) - 2 * sizeof(unsigned))

struct stack_chunk {
    struct stack_chunk *next;
    unsigned from, to;                  /* the bytes in use */
    uint8_t bytes[ROOM];
};
_Static_assert(sizeof(struct stack_chunk) == STACK_CHUNK, "a chunk fills its piece");

struct stack_place queue_place(const struct stack_queue *q, size_t skip) { return (struct stack_place){ q->first, skip }; }

size_t place_peek(struct stack_place *p, const void **bytes)
{
    *bytes = NULL;
    for (; p->chunk; p->chunk = p->chunk->next) {
        size_t run = p->chunk->to - p->chunk->from;

        if (p->skip < run) {
            *bytes = p->chunk->bytes + p->chunk->from + p->skip;
            return run - p->skip;
        }
        p->skip -= run;
    }
    return 0;
}

size_t queue_peek(const struct stack_queue *q, const void **bytes)
{
    struct stack_place front = queue_place(q, 0);

    return place_peek(&front, bytes);
}

static struct stack_chunk *new_chunk(struct stack *n)
{
    struct stack_chunk *c = pool_take(&n->chunks);

    if (!c) {
        n->ctx->counters[STACK_NO_BUFFERS]++;
        return NULL;
    }
    c->next = NULL;
    c->from = c->to = 0;
    if (n->chunks.high > n->ctx->counters[STACK_BUFFERS_HIGH])
        n->ctx->counters[STACK_BUFFERS_HIGH] = n->chunks.high;
    return c;
}

static void append(struct stack_queue *q, struct stack_chunk *c)
{
    if (q->last)
        q->last->next = c;
    else
        q->first = c;
    q->last = c;
}

/* How much was taken: less than size when there are no more chunks. */
size_t queue_put(struct stack *n, struct stack_queue *q, const void *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        struct stack_chunk *c = q->last;
        size_t k;

        if (!c || c->to == ROOM) {
            c = new_chunk(n);
            if (!c)
                break;
            append(q, c);
        }
        k = size - done < ROOM - c->to ? size - done : ROOM - c->to;
        memcpy(c->bytes + c->to, (const uint8_t *)bytes + done, k);
        c->to += (unsigned)k;
        done += k;
    }
    q->bytes += done;
    return done;
}

static void give_reserved(struct stack *n, struct stack_queue *q)
{
    while (q->reserved) {
        struct stack_chunk *c = q->reserved;

        q->reserved = c->next;
        pool_give(&n->chunks, c);
    }
}

unsigned queue_reserve(struct stack *n, struct stack_queue *q, size_t most, struct iovec *parts, unsigned count)
{
    struct stack_chunk *last = q->last, **end = &q->reserved;
    unsigned i = 0;

    give_reserved(n, q);                /* of a time before that had no commit */
    if (last && last->to < ROOM && most && count) {
        parts[i++] = (struct iovec){ last->bytes + last->to, ROOM - last->to < most ? ROOM - last->to : most };
        most -= parts[0].iov_len;
    }
    for (; i < count && most && (*end = new_chunk(n)); i++, end = &(*end)->next) {
        parts[i] = (struct iovec){ (*end)->bytes, ROOM < most ? ROOM : most };
        most -= parts[i].iov_len;
    }
    return i;
}

void queue_commit(struct stack *n, struct stack_queue *q, size_t size)
{
    while (size) {
        size_t k = q->last ? ROOM - q->last->to : 0;

        if (k == 0) {
            struct stack_chunk *c = q->reserved;

            if (!c)
                break;                  /* more than there was */
            q->reserved = c->next;
            c->next = NULL;
            append(q, c);
            continue;
        }
        k = size < k ? size : k;
        q->last->to += (unsigned)k;
        q->bytes += k;
        size -= k;
    }
    give_reserved(n, q);
}

void queue_consume(struct stack *n, struct stack_queue *q, size_t size)
{
    while (size && q->first) {
        struct stack_chunk *c = q->first;
        size_t k = size < c->to - c->from ? size : c->to - c->from;

        c->from += (unsigned)k;
        q->bytes -= k;
        size -= k;
        if (c->from == c->to) {
            q->first = c->next;
            if (!q->first)
                q->last = NULL;
            pool_give(&n->chunks, c);
        }
    }
}

void queue_free(struct stack *n, struct stack_queue *q)
{
    queue_consume(n, q, q->bytes);
    give_reserved(n, q);
}
