/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/tx.h - frames on their way out. Each place of the ring has a page of its own, granted once and read-only to the
 * peer, that holds nothing but what was sent before to the same peer. No I/O: publishing tells whether the peer wants an event. */
#ifndef NETFRONT_TX_H
#define NETFRONT_TX_H

#include <unik/nic.h>
#include "plugins/netfront/counters.h"
#include "plugins/netfront/ring.h"

struct tx {
    struct ring ring;
    uint8_t *pages;                     /* shared, contiguous */
    const uint32_t *refs;
    unsigned n;                         /* pages, at most NETIF_RING_SIZE */
    uint16_t free[NETIF_RING_SIZE];     /* a stack of ids: page i has id i */
    unsigned n_free;
    bool busy[NETIF_RING_SIZE];         /* the peer has it */
    unsigned extras;                    /* entries of the ring that are no page */
    const char *broken;                 /* what the peer did that cannot be; nothing is taken back any more */
    uint64_t *counters;                 /* enum netfront_counter */
};

/* What the peer takes. */
struct tx_limits {
    unsigned frame;                     /* bytes of one without segmentation */
    bool many;                          /* frames of more than one slot */
    bool sum6;                          /* checksums over IPv6 may be left to it */
    unsigned offloads;                  /* enum unik_nic_offload that send() takes */
};

void nf_tx_init(struct tx *t, uint64_t *counters, void *ring_page, void *pages, const uint32_t *refs, unsigned n);

/* Copy a frame into the ring; nf_tx_publish() shows it. 0, -EAGAIN, -EMSGSIZE, -EINVAL as unik_nic.send(). */
int nf_tx_send(struct tx *t, const struct tx_limits *limits, const struct unik_nic_offloads *o, const struct iovec *parts,
            unsigned count);

/* Does the peer want an event? */
static inline bool nf_tx_publish(struct tx *t) { return ring_publish(&t->ring); }

/* Take back what the peer is done with. From the backend domain. 0; -EPROTO: *why says what cannot be; the ring is of no use then. */
int nf_tx_reap(struct tx *t, const char **why);

/* Somebody waits for room: ask for an event when half of what is out has come back. False: there is news already. */
bool nf_tx_want_room(struct tx *t);

/* Would a frame of the largest kind find room? */
bool nf_tx_has_room(const struct tx *t);

#endif
