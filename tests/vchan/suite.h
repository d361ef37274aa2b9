/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/suite.h - tests of "vchan/1" itself, whoever provides it: a fixture gives two domains that can talk. */
#ifndef TESTS_VCHAN_SUITE_H
#define TESTS_VCHAN_SUITE_H

#include <check.h>
#include <unik/pages.h>
#include <unik/text.h>
#include <unik/vchan.h>
#include "tests/common/peer.h"
#include "tools/host/host.h"

#define PATIENCE 300.0           /* seconds until a test gives up waiting */
#define IDLE_TURNS 10           /* turns of the loop in a while in which nothing happens: its own, and a few strays */

/* Two domains, run by one loop. side[0] is usually the server. */
struct vchan_pair {
    struct host *h;
    struct unik_ctx *ctx[2];
    struct unik_vchan *v[2];
    struct unik_pages *pages[2];
    int domid[2];
    char *dir;
    int fds;                    /* open before the fixture was set up */
};

struct vchan_fixture {
    const char *name;
    void (*up)(struct vchan_pair *p);
    /* Of side 0: what its peer sees at a reference, mapped; NULL: nothing is there. munmap() it. */
    void *(*page)(struct vchan_pair *p, uint32_t ref, uint32_t first_of_block);
    /* Stops both sides and asserts that nothing is left: descriptors, channels. */
    void (*down)(struct vchan_pair *p);
};

extern struct vchan_pair pair;                  /* of the running test */
void suite_use(const struct vchan_fixture *f);  /* before srunner_run */
void suite_up(void);
void suite_down(void);
void *suite_page(uint32_t ref, uint32_t first_of_block);
TCase *suite_states(void);
TCase *suite_data(void);
TCase *suite_closing(void);
TCase *suite_pages(void);
TCase *suite_owner(void);
TCase *suite_sockets(void);   /* only for vchan-socket */
TCase *suite_on_xen(void);    /* only for vchan-xen */
TCase *suite_logic(void);

/* One end of a channel, with a memory of its events. Events after close are a failure at once. */
struct end {
    struct unik_stream *s;
    int side;
    unsigned opens, inputs, rooms;
    bool closed;
    unsigned close_on;                          /* close in the callback of these events */
    struct end *victim;                         /* and this one instead of itself */
    uint64_t got, put;                          /* bytes of the pattern read and written */
    uint64_t want_put;                          /* write that many of them as room comes */
    bool reading;                               /* read and check the pattern as it comes */
};

void end_listen(struct end *e, int side, unsigned port, size_t read_min, size_t write_min);
void end_connect(struct end *e, int side, unsigned port);
void end_close(struct end *e);
/* Both, connected. */
void end_pair(struct end *server, struct end *client, unsigned port, size_t ring);
enum unik_vchan_state end_state(const struct end *e);

/* The bytes of a flow: the n-th is a function of n alone. */
uint8_t pattern_at(uint64_t n);
/* Write the pattern as far as it is taken, up to want_put. */
void end_put(struct end *e);
/* Read what is there and check it: how much. */
size_t end_get(struct end *e);

void wait_begin(double seconds);
bool wait_turn(void);                           /* one turn of the loop; false: the time is over */
void wait_end(void);

#define WAIT_FOR(condition) do { \
        wait_begin(PATIENCE); \
        while (!(condition) && wait_turn()) \
            ; \
        wait_end(); \
        ck_assert_msg((condition), "did not come: " #condition); \
    } while (0)

#endif
