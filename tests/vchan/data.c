/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/data.c - bytes: all of them, in order, and no more than there is room for. */
#include <string.h>
#include "tests/vchan/suite.h"

#define BULK 50000000u          /* bytes each way */
#define BETWEEN_MAX (4u << 20)  /* more than rings and whatever lies between them can hold */

START_TEST(bulk_each_way)
{
    struct end a, b;

    end_pair(&a, &b, 700, 65536);
    a.reading = b.reading = true;
    a.want_put = b.want_put = BULK;
    end_put(&a);
    end_put(&b);
    WAIT_FOR(a.got == BULK && b.got == BULK);
    ck_assert_uint_eq(a.put, BULK);
    ck_assert_uint_eq(b.put, BULK);
    end_close(&a);
    end_close(&b);
}
END_TEST

START_TEST(bulk_through_small_rings)
{
    struct end a, b;

    end_pair(&a, &b, 701, 1024);
    a.reading = b.reading = true;
    a.want_put = b.want_put = BULK / 10;
    end_put(&a);
    end_put(&b);
    WAIT_FOR(a.got == BULK / 10 && b.got == BULK / 10);
    end_close(&a);
    end_close(&b);
}
END_TEST

/* A reader that stops: the writer is held back, nothing is lost, the reader goes on, the writer is told. */
static void hold_back(struct end *from, struct end *to)
{
    unsigned turns;
    uint64_t held;

    from->want_put = BULK;
    end_put(from);
    host_run(pair.h, 0.1);
    held = from->put;
    ck_assert_uint_lt(held, BETWEEN_MAX);
    ck_assert_uint_eq(unik_stream_room(from->s), 0);
    turns = ev_iteration(EV_DEFAULT);
    host_run(pair.h, 0.2);
    ck_assert_uint_eq(from->put, held);
    ck_assert_uint_le(ev_iteration(EV_DEFAULT) - turns, IDLE_TURNS);
    from->want_put = held + 3000000;
    to->reading = true;
    end_get(to);
    WAIT_FOR(to->got == from->want_put);
    ck_assert_uint_ge(from->rooms, 1);
}

START_TEST(back_pressure_each_way)
{
    struct end a, b;

    end_pair(&a, &b, 702, 4096);
    hold_back(&a, &b);
    hold_back(&b, &a);
    end_close(&a);
    end_close(&b);
}
END_TEST

/* One byte consumed of a full ring is enough for the next one to come: a message may need exactly that. */
START_TEST(reads_on_with_little_room)
{
    struct end a, b;
    const void *at;
    size_t n;

    end_pair(&a, &b, 703, 1024);
    b.want_put = 100000;
    end_put(&b);
    WAIT_FOR((n = unik_stream_peek(a.s, &at)) >= 1024);
    host_run(pair.h, 0.05);
    for (unsigned i = 0; i < 100; i++) {
        unsigned before = a.inputs;

        ck_assert_uint_eq(((const uint8_t *)at)[0], pattern_at(i));
        unik_stream_consume(a.s, 1);
        WAIT_FOR(a.inputs > before);
        unik_stream_peek(a.s, &at);
    }
    end_close(&a);
    end_close(&b);
}
END_TEST

/* Many small writes in one turn come out in order and as few pieces. */
START_TEST(small_writes)
{
    struct end a, b;
    uint8_t byte;

    end_pair(&a, &b, 704, 4096);
    b.reading = true;
    for (unsigned i = 0; i < 1000; i++) {
        byte = pattern_at(i);
        ck_assert_int_eq(unik_stream_write(a.s, &byte, 1), 1);
    }
    ck_assert_int_eq(unik_stream_write(a.s, &byte, 0), 0);
    WAIT_FOR(b.got == 1000);
    ck_assert_uint_le(b.inputs, 10);
    end_close(&a);
    end_close(&b);
}
END_TEST

/* Whoever asked for room and did not get enough is told, without any write that was short. */
START_TEST(room_is_told_to_who_asked)
{
    static const uint8_t zero[4096];
    struct end a, b;
    unsigned rooms;

    end_pair(&a, &b, 705, 4096);
    ck_assert_int_eq(unik_stream_write(a.s, zero, 100), 100);
    rooms = a.rooms;
    if (unik_stream_room(a.s) < unik_stream_room(b.s))
        WAIT_FOR(a.rooms > rooms);
    while (unik_stream_room(a.s) >= sizeof(zero))
        ck_assert_int_eq(unik_stream_write(a.s, zero, sizeof(zero)), sizeof(zero));
    host_run(pair.h, 0.02);
    while (unik_stream_room(a.s) >= sizeof(zero)) {
        ck_assert_int_eq(unik_stream_write(a.s, zero, sizeof(zero)), sizeof(zero));
        host_run(pair.h, 0.005);
    }
    rooms = a.rooms;
    WAIT_FOR(unik_stream_read(b.s, &(char[4096]){ 0 }, 4096) <= 0 || a.rooms > rooms);
    WAIT_FOR(a.rooms > rooms);
    end_close(&a);
    end_close(&b);
}
END_TEST

TCase *suite_data(void)
{
    TCase *t = tcase_create("data");

    tcase_add_checked_fixture(t, suite_up, suite_down);
    tcase_set_timeout(t, 900);
    tcase_add_test(t, bulk_each_way);
    tcase_add_test(t, bulk_through_small_rings);
    tcase_add_test(t, back_pressure_each_way);
    tcase_add_test(t, reads_on_with_little_room);
    tcase_add_test(t, small_writes);
    tcase_add_test(t, room_is_told_to_who_asked);
    return t;
}
