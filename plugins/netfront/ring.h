/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/ring.h - the front end's half of one shared ring. The page is the peer's to change at any time, whole: an entry or
 * an index is copied out of it once, and what we know is kept outside of it. */
#ifndef NETFRONT_RING_H
#define NETFRONT_RING_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "protocol/netif.h"

struct ring {
    uint8_t *page;
    uint32_t entry;                     /* bytes of one */
    uint32_t req_prod;                  /* requests written */
    uint32_t published;                 /* of these, told to the peer */
    uint32_t rsp_cons;                  /* responses taken */
};

static inline uint32_t *ring_index(const struct ring *r, enum netif_index which)
{
    return (uint32_t *)(void *)(r->page + which);
}

/* The page is zeroed. */
static inline void ring_init(struct ring *r, void *page, uint32_t entry)
{
    *r = (struct ring){ .page = page, .entry = entry };
    __atomic_store_n(ring_index(r, NETIF_REQ_EVENT), 1, __ATOMIC_RELAXED);
    __atomic_store_n(ring_index(r, NETIF_RSP_EVENT), 1, __ATOMIC_RELAXED);
}

static inline uint8_t *ring_at(const struct ring *r, uint32_t index)
{
    return r->page + NETIF_RING_ENTRIES + (index & (NETIF_RING_SIZE - 1)) * r->entry;
}

/* Requests that can be written now. */
static inline unsigned ring_space(const struct ring *r) { return NETIF_RING_SIZE - (r->req_prod - r->rsp_cons); }

/* Requests told to the peer and not answered. */
static inline unsigned ring_pending(const struct ring *r) { return r->published - r->rsp_cons; }

/* Where the next request goes: entry bytes. Only with space. */
static inline uint8_t *ring_next(struct ring *r) { return ring_at(r, r->req_prod++); }

/* Tell the peer of what was written. Does it want an event for it? */
static inline bool ring_publish(struct ring *r)
{
    uint32_t old = r->published, new = r->req_prod, event;

    if (old == new)
        return false;
    /* the entries are there before the index says so */
    __atomic_store_n(ring_index(r, NETIF_REQ_PROD), new, __ATOMIC_RELEASE);
    r->published = new;
    /* the index is there before we look whether the peer has gone to sleep: it does the same the other way round */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    event = __atomic_load_n(ring_index(r, NETIF_REQ_EVENT), __ATOMIC_RELAXED);
    return (uint32_t)(new - event) < (uint32_t)(new - old);
}

/* Responses to take. -EPROTO: more than there are requests. */
static inline int ring_waiting(const struct ring *r)
{
    /* the entries are read after the index */
    uint32_t n = __atomic_load_n(ring_index(r, NETIF_RSP_PROD), __ATOMIC_ACQUIRE) - r->rsp_cons;

    return n > ring_pending(r) ? -EPROTO : (int)n;
}

/* Has the peer answered all that it was told of? *so_far: how much, to compare with later. Its word, for nothing but that. */
static inline bool ring_answered(const struct ring *r, uint32_t *so_far)
{
    *so_far = __atomic_load_n(ring_index(r, NETIF_RSP_PROD), __ATOMIC_RELAXED);
    return *so_far == r->published;
}

/* Copy the next response; only what ring_waiting() counted. Once read, the place is free for a request. */
static inline void ring_take(struct ring *r, uint8_t *entry)
{
    const volatile uint32_t *from = (const volatile uint32_t *)(const void *)ring_at(r, r->rsp_cons++);

    for (uint32_t i = 0; i < r->entry / 4; i++) {
        uint32_t word = from[i];

        memcpy(entry + 4 * i, &word, 4);
    }
}

/* Ask for an event when so many more responses (at least 1) are there. False: they are there already. */
static inline bool ring_sleep(struct ring *r, uint32_t more)
{
    __atomic_store_n(ring_index(r, NETIF_RSP_EVENT), r->rsp_cons + more, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return (uint32_t)(__atomic_load_n(ring_index(r, NETIF_RSP_PROD), __ATOMIC_ACQUIRE) - r->rsp_cons) < more;
}

#endif
