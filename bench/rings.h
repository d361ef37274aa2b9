/* SPDX-License-Identifier: BSD-2-Clause */
/* bench/rings.h - netfront's rings without a hypervisor: the pages, and a back end in the same process that does the least it must. */
#ifndef BENCH_RINGS_H
#define BENCH_RINGS_H

#include <time.h>
#include "plugins/netfront/rx.h"
#include "plugins/netfront/tx.h"

static _Alignas(4096) uint8_t rx_ring[4096], tx_ring[4096], rx_pages[256 * 4096], tx_pages[256 * 4096], data[65536];
static struct rx rx;
static struct tx tx;
static const struct tx_limits limits = { .frame = 1514, .many = true, .sum6 = true, .offloads = UNIK_NIC_SUM | UNIK_NIC_TSO4 };

static inline double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline uint32_t *index_of(uint8_t *ring, enum netif_index which) { return (uint32_t *)(void *)(ring + which); }

static inline void rings_begin(void)
{
    static uint64_t counters[NETFRONT_COUNTERS];
    static uint32_t refs[256];

    for (unsigned i = 0; i < 256; i++)
        refs[i] = 8 + i;
    nf_rx_init(&rx, counters, rx_ring, rx_pages, refs, 256);
    nf_tx_init(&tx, counters, tx_ring, tx_pages, refs, 256);
    nf_rx_post(&rx);
}

/* Everything that was sent is done with; look() sees the first part of each frame. NULL: nobody looks. */
static inline void rings_answer(void (*look)(const struct netif_tx_request *q))
{
    uint32_t at = *index_of(tx_ring, NETIF_RSP_PROD), end = *index_of(tx_ring, NETIF_REQ_PROD);
    bool extra = false, first = true;

    for (; at != end; at++) {
        uint8_t *entry = tx_ring + NETIF_RING_ENTRIES + (at & 255) * NETIF_TX_ENTRY;
        struct netif_tx_request q;
        struct netif_tx_response a;

        netif_decode_tx_request(entry, &q);
        a = (struct netif_tx_response){ .id = q.id, .status = extra ? NETIF_NULL : NETIF_OKAY };
        netif_encode_tx_response(entry, &a);
        if (extra) {
            extra = false;
            continue;
        }
        if (first && look)
            look(&q);
        extra = (q.flags & NETIF_TX_EXTRA) != 0;
        first = !(q.flags & NETIF_TX_MORE);
    }
    __atomic_store_n(index_of(tx_ring, NETIF_RSP_PROD), end, __ATOMIC_RELEASE);
}

#endif
