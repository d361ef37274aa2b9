/* tests/qubesdb/fake.h - "vchan/1" in memory: one client, and a dom0 that is written out step by step. No libcheck,
 * as the fuzz target uses it too: what must not happen is counted or aborts. */
#ifndef TESTS_QUBESDB_FAKE_H
#define TESTS_QUBESDB_FAKE_H

#include <unik/ring.h>
#include <unik/vchan.h>

#define FAKE_RING 4096                  /* of dom0's daemon */
#define FAKE_INPUT (256u << 10)         /* dom0's script may run ahead of the guest by so much */

struct fake_stream;

struct fake {
    struct unik_vchan vchan;            /* first */
    struct ev_loop *loop;
    struct fake_stream *now;            /* the open channel, or NULL */
    bool offered;                       /* dom0's daemon waits for a client */
    int open;
    unsigned connects, overlaps;        /* overlaps: connect before close */
    size_t ring, input;                 /* bytes the guest may be ahead of dom0; dom0 of the guest */
    size_t window;                      /* the most bytes one peek() gives */
    int refuse;                         /* what connect() gives instead of a channel */
};

void fake_init(struct fake *f, struct ev_loop *loop);
/* dom0's daemon offers the channel: a waiting client is connected, or else the next one. */
void fake_offer(struct fake *f);
bool fake_connected(const struct fake *f);
void fake_hang_up(struct fake *f);
void fake_send(struct fake *f, const void *bytes, size_t n);
size_t fake_waiting(const struct fake *f);              /* bytes from the guest that dom0 has not taken */
size_t fake_unread(const struct fake *f);               /* bytes for the guest that it has not taken */
size_t fake_take(struct fake *f, void *bytes, size_t n);

#endif
