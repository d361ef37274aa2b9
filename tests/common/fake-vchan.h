/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/fake-vchan.h - "vchan/1" in memory: one channel at a time, whose other end is written out step by step. Events
 * are told from the loop. No libcheck, as fuzz targets use it too: what must not happen is counted or aborts. */
#ifndef TESTS_COMMON_FAKE_VCHAN_H
#define TESTS_COMMON_FAKE_VCHAN_H

#include <unik/ring.h>
#include <unik/vchan.h>

#define FAKE_RING 4096                  /* of dom0's daemons */
#define FAKE_INPUT (1u << 20)           /* the script may run ahead of the guest by so much */

struct fake_vchan {
    struct unik_vchan api;              /* first */
    struct ev_loop *loop;
    unsigned port;                      /* the only one that may be asked for */
    struct fake_stream *now;            /* the youngest open channel, or NULL */
    int peer;                           /* whose it is */
    bool offered;                       /* a peer waits for a client */
    int open;
    unsigned made, overlaps;            /* channels; those made while another was open */
    size_t ring, input;                 /* bytes the guest may be ahead of the script; the script of the guest */
    size_t window;                      /* the most bytes one peek() gives; 0: all */
    int refuse;                         /* what listen() and connect() give instead of a channel */
};

void fake_vchan_init(struct fake_vchan *f, struct ev_loop *loop, unsigned port);

/* The guest has a channel that waits: the peer comes. */
bool fake_waits(const struct fake_vchan *f);
void fake_connect(struct fake_vchan *f);
/* The peer is there: it is connected with the channel that waits, or else with the next that the guest connects. */
void fake_offer(struct fake_vchan *f);
bool fake_connected(const struct fake_vchan *f);
void fake_hang_up(struct fake_vchan *f);                        /* nothing without a channel */
void fake_send(struct fake_vchan *f, const void *bytes, size_t n);
size_t fake_waiting(const struct fake_vchan *f);                /* bytes from the guest that were not taken */
size_t fake_unread(const struct fake_vchan *f);                 /* bytes for the guest that it has not taken */
size_t fake_take(struct fake_vchan *f, void *bytes, size_t n);

#endif
