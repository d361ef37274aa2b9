/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/states.c - waiting, connected, disconnected: who sees what, and when. */
#include <string.h>
#include "tests/vchan/suite.h"

/* Let the loop run for a while in which nothing is expected. */
static void settle(double seconds) { host_run(pair.h, seconds); }

START_TEST(connects_to_a_server)
{
    struct end a, b;
    char got[8];

    ck_assert_int_eq(pair.v[0]->domid(pair.v[0]), pair.domid[0]);
    end_pair(&a, &b, 600, 4096);
    ck_assert_int_eq(end_state(&a), UNIK_VCHAN_CONNECTED);
    ck_assert_int_eq(end_state(&b), UNIK_VCHAN_CONNECTED);
    ck_assert_uint_ge(unik_stream_room(a.s), 4096);
    ck_assert_int_eq(unik_stream_ended(a.s), 0);
    ck_assert_int_eq(unik_stream_shut(a.s), -EOPNOTSUPP);
    ck_assert_int_eq(unik_stream_read(a.s, got, sizeof(got)), -EAGAIN);
    ck_assert_int_eq(unik_stream_write(a.s, "from a", 6), 6);
    ck_assert_int_eq(unik_stream_write(b.s, "from b", 6), 6);
    ck_assert_uint_eq(a.inputs + b.inputs, 0);
    WAIT_FOR(a.inputs && b.inputs);
    ck_assert_int_eq(unik_stream_read(a.s, got, sizeof(got)), 6);
    ck_assert_int_eq(memcmp(got, "from b", 6), 0);
    ck_assert_int_eq(unik_stream_read(b.s, got, sizeof(got)), 6);
    ck_assert_int_eq(memcmp(got, "from a", 6), 0);
    settle(0.05);
    ck_assert_uint_eq(a.opens, 1);
    ck_assert_uint_eq(b.opens, 1);
    end_close(&a);
    end_close(&b);
}
END_TEST

START_TEST(connects_before_there_is_a_server)
{
    struct end a, b;

    end_connect(&b, 1, 601);
    settle(0.05);
    ck_assert_uint_eq(b.opens, 0);
    ck_assert_int_eq(end_state(&b), UNIK_VCHAN_WAITING);
    ck_assert_int_eq(unik_stream_write(b.s, "x", 1), -ENOTCONN);
    ck_assert_uint_eq(unik_stream_room(b.s), 0);
    ck_assert_int_eq(unik_stream_ended(b.s), 0);
    end_listen(&a, 0, 601, 4096, 4096);
    WAIT_FOR(a.opens && b.opens);
    end_close(&b);
    end_close(&a);
}
END_TEST

START_TEST(waiting_costs_no_wakeups)
{
    struct end a, b, c, d;
    unsigned before;

    end_connect(&b, 1, 602);
    end_listen(&a, 0, 603, 4096, 4096);
    end_pair(&c, &d, 604, 4096);
    settle(0.2);
    before = ev_iteration(EV_DEFAULT);
    settle(0.5);
    ck_assert_uint_le(ev_iteration(EV_DEFAULT) - before, IDLE_TURNS);
    end_close(&a);
    end_close(&b);
    end_close(&c);
    end_close(&d);
}
END_TEST

START_TEST(client_finds_what_a_waiting_server_wrote)
{
    struct end a, b;

    end_listen(&a, 0, 605, 4096, 8192);
    ck_assert_uint_ge(unik_stream_room(a.s), 8192);
    a.want_put = 1000000;
    end_put(&a);
    ck_assert_uint_ge(a.put, 8192);
    ck_assert_uint_lt(a.put, 1000000);          /* its ring, no more */
    ck_assert_uint_eq(unik_stream_room(a.s), 0);
    end_connect(&b, 1, 605);
    b.reading = true;
    WAIT_FOR(b.got == 1000000);
    ck_assert_uint_ge(a.rooms, 1);
    end_close(&a);
    end_close(&b);
}
END_TEST

START_TEST(input_comes_before_the_end)
{
    struct end a, b;
    char got[16];

    end_pair(&a, &b, 606, 4096);
    ck_assert_int_eq(unik_stream_write(b.s, "last words", 10), 10);
    end_close(&b);
    WAIT_FOR(end_state(&a) == UNIK_VCHAN_DISCONNECTED);
    ck_assert_int_eq(unik_stream_ended(a.s), 0);
    ck_assert_int_eq(unik_stream_write(a.s, "x", 1), -EPIPE);
    ck_assert_uint_eq(unik_stream_room(a.s), 0);
    ck_assert_int_eq(unik_stream_read(a.s, got, sizeof(got)), 10);
    ck_assert_int_eq(memcmp(got, "last words", 10), 0);
    ck_assert_int_eq(unik_stream_ended(a.s), 1);
    ck_assert_int_eq(unik_stream_read(a.s, got, sizeof(got)), 0);
    ck_assert_uint_gt(strlen(pair.v[0]->reason(a.s)), 0);
    end_close(&a);
}
END_TEST

START_TEST(client_sees_the_server_go)
{
    struct end a, b;

    end_pair(&a, &b, 607, 4096);
    end_close(&a);
    WAIT_FOR(b.inputs && unik_stream_ended(b.s) == 1);
    ck_assert_int_eq(end_state(&b), UNIK_VCHAN_DISCONNECTED);
    end_close(&b);
}
END_TEST

START_TEST(closed_while_waiting)
{
    struct end a, b;

    end_connect(&b, 1, 608);
    settle(0.02);
    end_close(&b);
    end_listen(&a, 0, 608, 4096, 4096);
    ck_assert_int_eq(unik_stream_write(a.s, "lost", 4), 4);
    end_close(&a);
    end_connect(&b, 1, 608);
    settle(0.05);
    ck_assert_int_eq(end_state(&b), UNIK_VCHAN_WAITING);
    end_listen(&a, 0, 608, 4096, 4096);
    WAIT_FOR(a.opens && b.opens);
    end_close(&a);
    end_close(&b);
}
END_TEST

START_TEST(offered_again_after_close)
{
    struct end a, b;

    for (int i = 0; i < 10; i++) {
        end_pair(&a, &b, 609, 4096);
        end_close(i & 1 ? &a : &b);
        WAIT_FOR(end_state(i & 1 ? &b : &a) == UNIK_VCHAN_DISCONNECTED);
        end_close(i & 1 ? &b : &a);
    }
}
END_TEST

START_TEST(second_client_waits)
{
    struct end a, b, c, again;

    end_pair(&a, &b, 610, 4096);
    end_connect(&c, 1, 610);
    settle(0.2);
    ck_assert_int_eq(end_state(&c), UNIK_VCHAN_WAITING);
    ck_assert_uint_eq(c.opens, 0);
    end_close(&a);
    end_listen(&again, 0, 610, 4096, 4096);
    WAIT_FOR(again.opens && c.opens);
    WAIT_FOR(end_state(&b) == UNIK_VCHAN_DISCONNECTED);
    end_close(&b);
    end_close(&c);
    end_close(&again);
}
END_TEST

/* Several at once: one gets in, the others are neither lost nor told that they were connected. */
START_TEST(crowd_gets_in_one_by_one)
{
    struct end a, crowd[8];
    unsigned in = 0;

    for (int i = 0; i < 8; i++)
        end_connect(&crowd[i], 1, 611);
    for (int round = 0; round < 8; round++) {
        struct end *who = NULL;

        end_listen(&a, 0, 611, 4096, 4096);
        WAIT_FOR(a.opens);
        settle(0.02);
        in = 0;
        for (int i = 0; i < 8; i++)
            if (!crowd[i].closed && crowd[i].opens) {
                ck_assert_int_eq(end_state(&crowd[i]), UNIK_VCHAN_CONNECTED);
                who = &crowd[i];
                in++;
            }
        ck_assert_uint_eq(in, 1);
        end_close(who);
        end_close(&a);
    }
}
END_TEST

START_TEST(refuses_what_cannot_be)
{
    struct unik_vchan *v = pair.v[0];
    struct unik_stream *s;
    int peer = pair.domid[1], self = pair.domid[0];
    struct end a, b;

    ck_assert_int_eq(v->connect(v, NULL, self, 1, NULL, NULL, &s), -EINVAL);
    ck_assert_int_eq(v->connect(v, NULL, -1, 1, NULL, NULL, &s), -EINVAL);
    ck_assert_int_eq(v->connect(v, NULL, 0x7ff0, 1, NULL, NULL, &s), -EINVAL);
    ck_assert_int_eq(v->listen(v, NULL, self, 1, 64, 64, NULL, NULL, &s), -EINVAL);
    ck_assert_int_eq(v->listen(v, NULL, peer, 1, 0, 64, NULL, NULL, &s), -EINVAL);
    ck_assert_int_eq(v->listen(v, NULL, peer, 1, 64, UNIK_VCHAN_RING_MAX + 1, NULL, NULL, &s), -EINVAL);
    end_listen(&a, 0, 612, 4096, 4096);
    ck_assert_int_eq(v->listen(v, NULL, peer, 612, 4096, 4096, NULL, NULL, &s), -EADDRINUSE);
    ck_assert_uint_ge(host_counter(pair.ctx[0], "refused"), 7);
    end_close(&a);
    end_listen(&a, 0, 612, 4096, 4096);
    end_close(&a);

    /* the name of a channel that has its client is free again: dom0 gives ports out before both ends have closed */
    end_pair(&a, &b, 613, 4096);
    ck_assert_int_eq(v->listen(v, NULL, peer, 613, 4096, 4096, NULL, NULL, &s), 0);
    ck_assert_int_eq(v->state(a.s), UNIK_VCHAN_CONNECTED);
    unik_stream_close(s);
    ck_assert_int_eq(v->state(a.s), UNIK_VCHAN_CONNECTED);
    end_close(&a);
    end_close(&b);
}
END_TEST

TCase *suite_states(void)
{
    TCase *t = tcase_create("states");

    tcase_add_checked_fixture(t, suite_up, suite_down);
    tcase_set_timeout(t, 900);
    tcase_add_test(t, connects_to_a_server);
    tcase_add_test(t, connects_before_there_is_a_server);
    tcase_add_test(t, waiting_costs_no_wakeups);
    tcase_add_test(t, client_finds_what_a_waiting_server_wrote);
    tcase_add_test(t, input_comes_before_the_end);
    tcase_add_test(t, client_sees_the_server_go);
    tcase_add_test(t, closed_while_waiting);
    tcase_add_test(t, offered_again_after_close);
    tcase_add_test(t, second_client_waits);
    tcase_add_test(t, crowd_gets_in_one_by_one);
    tcase_add_test(t, refuses_what_cannot_be);
    return t;
}
