/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/rx.h - frames on their way in. Pages are granted once, writable for the peer, and given to it as places of the ring;
 * a frame that came holds its pages until it is released. The peer may write to a page at any time, so the head of each frame is
 * copied to memory of our own. */
#ifndef NETFRONT_RX_H
#define NETFRONT_RX_H

#include <unik/nic.h>
#include "plugins/netfront/counters.h"
#include "plugins/netfront/ring.h"

#define RX_FRAMES_MAX (UNIK_NIC_HOLD + 32)

/* A frame. The card's struct comes first: a pointer to it is a pointer to this. */
struct rx_frame {
    struct unik_nic_frame nic;
    struct rx *rx;                      /* whose it is */
    bool out;                           /* the user has it */
    unsigned pages;
    uint16_t page[UNIK_NIC_PARTS];
    uint8_t head[UNIK_NIC_PRIVATE];
};

/* The packet whose slots are coming. */
struct rx_packet {
    unsigned slots;                     /* data slots that are kept */
    struct { uint16_t page, offset, size; } slot[NETIF_SLOTS_MAX];
    size_t size;
    uint16_t flags;                     /* of the first slot */
    struct netif_extra gso;
    bool begun, extra, more;            /* between its first slot and its last: extra entries come next; another slot comes after these */
    const char *bad;                    /* why it is dropped, at its end */
};

struct rx {
    struct ring ring;
    uint8_t *pages;
    const uint32_t *refs;
    unsigned n;                         /* pages, at most NETIF_RING_SIZE */
    uint16_t free[NETIF_RING_SIZE];     /* pages that are nowhere: neither with the peer nor in a frame */
    unsigned n_free;
    uint16_t posted[NETIF_RING_SIZE];   /* the page at each place of the ring */
    struct rx_packet packet;
    uint64_t *counters;                 /* enum netfront_counter */
    const char *last_error;             /* why a packet was dropped; the user of this may set it to NULL */
    unsigned n_idle;
    struct rx_frame *idle[RX_FRAMES_MAX], frames[RX_FRAMES_MAX];
};

void nf_rx_init(struct rx *r, uint64_t *counters, void *ring_page, void *pages, const uint32_t *refs, unsigned n);

/* Frames that the user has. */
static inline unsigned nf_rx_held(const struct rx *r) { return RX_FRAMES_MAX - r->n_idle; }

/* Give all free pages to the peer. Does it want an event? */
bool nf_rx_post(struct rx *r);

/* Take one frame. From the backend domain. 1: *out is the user's; 0: none now; -EAGAIN: there may be some, but the user holds every
 * frame there is; -EPROTO: *why says what cannot be, and the ring is of no use then. */
int nf_rx_poll(struct rx *r, struct rx_frame **out, const char **why);

/* The user is done with it; with all. */
void nf_rx_release(struct rx *r, struct rx_frame *f);
void nf_rx_release_all(struct rx *r);

/* Ask for an event with the next response. False: there is one already. */
static inline bool nf_rx_sleep(struct rx *r) { return ring_sleep(&r->ring, 1); }

#endif
