/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/ring.h - a bounded queue of bytes with contiguous access at both ends: the buffer behind a stream.
 * Indexes run free; the size is a power of two. All functions are total: they do as much as fits and say how much. */
#ifndef UNIK_RING_H
#define UNIK_RING_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unik_ring {
    uint8_t *at;
    size_t size;            /* power of two; 0 before unik_ring_init() */
    size_t head, tail;      /* bytes ever put in, ever taken out */
};

/* At least `size` bytes (1..1 GiB). 0 or -1: no memory. The memory is the ring's: unik_ring_free(). */
static inline int unik_ring_init(struct unik_ring *r, size_t size)
{
    size_t n = 64;

    while (n < size)
        n <<= 1;
    r->head = r->tail = 0;
    r->at = (uint8_t *)malloc(n);
    r->size = r->at ? n : 0;
    return r->at ? 0 : -1;
}

static inline void unik_ring_free(struct unik_ring *r)
{
    free(r->at);
    r->at = NULL;
    r->size = r->head = r->tail = 0;
}

static inline size_t unik_ring_used(const struct unik_ring *r) { return r->head - r->tail; }
static inline size_t unik_ring_room(const struct unik_ring *r) { return r->size - (r->head - r->tail); }

/* The first run of bytes that wait, in place. */
static inline size_t unik_ring_peek(const struct unik_ring *r, const void **bytes)
{
    size_t from = r->size ? r->tail & (r->size - 1) : 0, n = unik_ring_used(r);

    *bytes = r->at ? r->at + from : NULL;
    return n < r->size - from ? n : r->size - from;
}

static inline void unik_ring_consume(struct unik_ring *r, size_t n)
{
    r->tail += n < unik_ring_used(r) ? n : unik_ring_used(r);
    if (r->tail == r->head)
        r->tail = r->head = 0;          /* empty: begin at the front again, so that runs are long */
}

/* The first run of free bytes, in place: fill them, then unik_ring_commit() how many. */
static inline size_t unik_ring_reserve(struct unik_ring *r, void **bytes)
{
    size_t from = r->size ? r->head & (r->size - 1) : 0, n = unik_ring_room(r);

    *bytes = r->at ? r->at + from : NULL;
    return n < r->size - from ? n : r->size - from;
}

static inline void unik_ring_commit(struct unik_ring *r, size_t n)
{
    r->head += n < unik_ring_room(r) ? n : unik_ring_room(r);
}

/* Copy in what fits: how much. */
static inline size_t unik_ring_put(struct unik_ring *r, const void *bytes, size_t n)
{
    size_t done = 0;
    void *to;

    while (done < n) {
        size_t run = unik_ring_reserve(r, &to);

        if (run == 0)
            break;
        if (run > n - done)
            run = n - done;
        memcpy(to, (const uint8_t *)bytes + done, run);
        unik_ring_commit(r, run);
        done += run;
    }
    return done;
}

#ifdef __cplusplus
}
#endif
#endif
