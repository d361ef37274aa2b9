/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/suite.c - what the tests of "vchan/1" share: the pair of domains, ends with a memory, waiting. */
#include <string.h>
#include "tests/vchan/suite.h"

#define CHUNK 60013             /* a prime, so that chunks and rings never agree */

struct vchan_pair pair;
static const struct vchan_fixture *fixture;

void suite_use(const struct vchan_fixture *f) { fixture = f; }
void suite_up(void) { fixture->up(&pair); }
void suite_down(void) { fixture->down(&pair); }
void *suite_page(uint32_t ref, uint32_t first_of_block) { return fixture->page(&pair, ref, first_of_block); }

static ev_timer patience;
static bool late, waits;

static void on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop, (void)w, (void)revents;
    late = true;
}

void wait_begin(double seconds)
{
    late = waits = false;
    ev_now_update(EV_DEFAULT);
    ev_timer_init(&patience, on_late, seconds, 0);
    ev_timer_start(EV_DEFAULT_ &patience);
}

/* An event that was due before the loop waits does not end the wait: so one turn without waiting comes first, and the
 * caller looks at its condition after each. */
bool wait_turn(void)
{
    ev_run(EV_DEFAULT_ waits ? EVRUN_ONCE : EVRUN_NOWAIT);
    waits = !waits;
    return !late;
}

void wait_end(void) { ev_timer_stop(EV_DEFAULT_ &patience); }

uint8_t pattern_at(uint64_t n) { return (uint8_t)((n * 2654435761u) >> 13); }

static void fill(uint8_t *to, uint64_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = pattern_at(from + i);
}

void end_put(struct end *e)
{
    static uint8_t chunk[CHUNK];

    while (e->put < e->want_put) {
        size_t n = e->want_put - e->put < CHUNK ? (size_t)(e->want_put - e->put) : CHUNK;
        ssize_t k;

        fill(chunk, e->put, n);
        k = unik_stream_write(e->s, chunk, n);
        ck_assert_int_ge(k, 0);
        e->put += (uint64_t)k;
        if ((size_t)k < n)
            break;
    }
}

size_t end_get(struct end *e)
{
    static uint8_t expected[UNIK_VCHAN_RING_MAX];
    size_t n, sum = 0;
    const void *at;

    while ((n = unik_stream_peek(e->s, &at)) > 0) {
        fill(expected, e->got, n);
        ck_assert_msg(memcmp(at, expected, n) == 0, "wrong bytes after %llu", (unsigned long long)e->got);
        unik_stream_consume(e->s, n);
        e->got += n;
        sum += n;
    }
    return sum;
}

static void on_event(struct unik_stream *s, unsigned events, void *arg)
{
    struct end *e = arg;

    ck_assert_msg(!e->closed, "event %u after close", events);
    ck_assert_ptr_eq(s, e->s);
    ck_assert_uint_ne(events, 0);
    e->opens += (events & UNIK_STREAM_OPEN) != 0;
    e->inputs += (events & UNIK_STREAM_INPUT) != 0;
    e->rooms += (events & UNIK_STREAM_ROOM) != 0;
    if (events & e->close_on) {
        struct end *victim = e->victim ? e->victim : e;

        if (!victim->closed)
            end_close(victim);
        if (victim == e)
            return;
    }
    if (e->reading)
        end_get(e);
    if (e->put < e->want_put && pair.v[e->side]->state(s) == UNIK_VCHAN_CONNECTED)
        end_put(e);
}

void end_listen(struct end *e, int side, unsigned port, size_t read_min, size_t write_min)
{
    *e = (struct end){ .side = side };
    ck_assert_int_eq(pair.v[side]->listen(pair.v[side], NULL, pair.domid[!side], port, read_min, write_min, on_event, e,
                                          &e->s), 0);
    ck_assert_int_eq(end_state(e), UNIK_VCHAN_WAITING);
}

void end_connect(struct end *e, int side, unsigned port)
{
    *e = (struct end){ .side = side };
    ck_assert_int_eq(pair.v[side]->connect(pair.v[side], NULL, pair.domid[!side], port, on_event, e, &e->s), 0);
    ck_assert_int_eq(end_state(e), UNIK_VCHAN_WAITING);
}

void end_close(struct end *e)
{
    e->closed = true;
    unik_stream_close(e->s);
}

void end_pair(struct end *server, struct end *client, unsigned port, size_t ring)
{
    end_listen(server, 0, port, ring, ring);
    end_connect(client, 1, port);
    WAIT_FOR(server->opens && client->opens);
}

enum unik_vchan_state end_state(const struct end *e) { return pair.v[e->side]->state(e->s); }
