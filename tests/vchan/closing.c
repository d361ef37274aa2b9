/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/closing.c - closing: from everywhere, with and without output, a thousand times. */
#include "tests/common/fds.h"
#include "tests/vchan/suite.h"

/* What was written comes, though the writer closed at once and the reader was not reading. */
START_TEST(output_goes_out_after_close)
{
    struct end a, b;
    uint64_t put;

    end_pair(&a, &b, 800, 65536);
    b.want_put = 10000000;
    end_put(&b);
    host_run(pair.h, 0.02);
    put = b.put;
    ck_assert_uint_gt(put, 65536);
    end_close(&b);
    host_run(pair.h, 0.02);
    a.reading = true;
    end_get(&a);
    WAIT_FOR(unik_stream_ended(a.s) == 1);
    ck_assert_uint_eq(a.got, put);
    end_close(&a);
}
END_TEST

/* At once, in each state, with output under way: the peer sees an end, and of the bytes what it had already. */
START_TEST(abort_does_not_wait)
{
    struct end a, b;

    end_pair(&a, &b, 819, 65536);
    b.want_put = 10000000;
    end_put(&b);
    host_run(pair.h, 0.02);
    b.closed = true;
    unik_stream_abort(b.s);
    a.reading = true;
    end_get(&a);
    WAIT_FOR(unik_stream_ended(a.s) != 0);
    ck_assert_int_eq(end_state(&a), UNIK_VCHAN_DISCONNECTED);
    ck_assert_uint_le(a.got, b.put);
    a.closed = true;
    unik_stream_abort(a.s);
    end_connect(&b, 1, 819);                    /* nobody serves */
    b.closed = true;
    unik_stream_abort(b.s);
    end_listen(&a, 0, 819, 4096, 4096);
    ck_assert_int_eq(unik_stream_write(a.s, "early", 5), 5);
    a.closed = true;
    unik_stream_abort(a.s);
    end_pair(&a, &b, 819, 4096);                /* the name is free again */
    end_close(&a);
    end_close(&b);
}
END_TEST

/* The peer is gone, this side does not read: no event storm, and all of it is there later. */
START_TEST(end_waits_for_the_reader)
{
    struct end a, b;
    unsigned turns;
    uint64_t put;

    end_pair(&a, &b, 801, 4096);
    b.want_put = 100000;
    end_put(&b);
    host_run(pair.h, 0.02);
    put = b.put;
    end_close(&b);
    host_run(pair.h, 0.02);
    turns = ev_iteration(EV_DEFAULT);
    host_run(pair.h, 0.2);
    ck_assert_uint_le(ev_iteration(EV_DEFAULT) - turns, IDLE_TURNS);
    a.reading = true;
    end_get(&a);
    WAIT_FOR(unik_stream_ended(a.s) == 1);
    ck_assert_uint_eq(a.got, put);
    end_close(&a);
}
END_TEST

/* The peer goes while its input fills the ring and nobody reads it: told all the same, so that who waits for something else
 * does not wait for ever. */
START_TEST(end_is_told_though_nothing_is_read)
{
    struct end a, b;
    unsigned inputs;
    uint64_t put;

    end_pair(&a, &b, 818, 4096);
    b.want_put = 4096 + 100;
    end_put(&b);
    host_run(pair.h, 0.02);
    put = b.put;
    inputs = a.inputs;
    ck_assert_int_eq(end_state(&a), UNIK_VCHAN_CONNECTED);
    end_close(&b);
    WAIT_FOR(end_state(&a) == UNIK_VCHAN_DISCONNECTED);
    WAIT_FOR(a.inputs > inputs);
    ck_assert_int_eq(unik_stream_write(a.s, "x", 1), -EPIPE);
    ck_assert_int_eq(unik_stream_ended(a.s), 0);
    a.reading = true;
    end_get(&a);
    WAIT_FOR(unik_stream_ended(a.s) == 1);
    ck_assert_uint_eq(a.got, put);
    end_close(&a);
}
END_TEST

/* This side finds out by writing, while bytes from the peer still wait: they must be readable. */
START_TEST(writing_to_the_gone_loses_no_input)
{
    struct end a, b;

    end_pair(&a, &b, 802, 4096);
    b.want_put = 50000;
    end_put(&b);
    end_close(&b);
    for (int i = 0; i < 200 && end_state(&a) != UNIK_VCHAN_DISCONNECTED; i++) {
        static const char bytes[4000];

        unik_stream_write(a.s, bytes, sizeof(bytes));
        host_run(pair.h, 0.001);
    }
    a.reading = true;
    end_get(&a);
    WAIT_FOR(unik_stream_ended(a.s) == 1);
    ck_assert_uint_eq(a.got, b.put);
    ck_assert_int_eq(end_state(&a), UNIK_VCHAN_DISCONNECTED);
    end_close(&a);
}
END_TEST

static const unsigned events[] = { UNIK_STREAM_OPEN, UNIK_STREAM_INPUT, UNIK_STREAM_ROOM };

/* Close a channel in its own callback, at each kind of event (_i). */
START_TEST(closes_in_its_own_callback)
{
    struct end a, b;

    end_listen(&a, 0, 803, 4096, 4096);
    end_connect(&b, 1, 803);
    a.close_on = events[_i];
    if (events[_i] != UNIK_STREAM_OPEN)
        WAIT_FOR(a.opens && b.opens);
    if (events[_i] == UNIK_STREAM_INPUT) {
        b.want_put = 10;
        end_put(&b);
    } else if (events[_i] == UNIK_STREAM_ROOM) {
        b.reading = true;
        a.want_put = 10000000;
        end_put(&a);
    }
    WAIT_FOR(a.closed && b.opens && end_state(&b) == UNIK_VCHAN_DISCONNECTED);
    host_run(pair.h, 0.02);
    end_close(&b);
}
END_TEST

/* Close another channel of the same plugin, with events of its own under way, in a callback. */
START_TEST(closes_another_in_a_callback)
{
    struct end a[2], b[2];

    for (unsigned i = 0; i < 2; i++) {
        end_listen(&a[i], 0, 810 + i, 4096, 4096);
        end_connect(&b[i], 1, 810 + i);
        a[i].victim = &a[!i];
        a[i].close_on = events[_i];
    }
    if (events[_i] != UNIK_STREAM_OPEN)
        WAIT_FOR(b[0].opens && b[1].opens && a[0].opens && a[1].opens);
    for (unsigned i = 0; i < 2 && events[_i] != UNIK_STREAM_OPEN; i++) {
        b[i].want_put = 100000;
        end_put(&b[i]);
        a[i].want_put = 10000000;
        end_put(&a[i]);
        b[i].reading = true;
    }
    WAIT_FOR(a[0].closed || a[1].closed);
    host_run(pair.h, 0.05);
    ck_assert_int_ne(a[0].closed, a[1].closed);
    for (unsigned i = 0; i < 2; i++) {
        if (!a[i].closed)
            end_close(&a[i]);
        end_close(&b[i]);
    }
}
END_TEST

/* Whatever a channel is doing, it can be closed, and nobody is called afterwards. */
START_TEST(closes_in_each_state)
{
    struct end a, b;

    for (int turns = 0; turns < 12; turns++) {
        end_connect(&b, 1, 820);
        if (turns & 1)
            end_listen(&a, 0, 820, 4096, 4096);
        for (int i = 0; i < turns / 2; i++)
            ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
        if ((turns & 1) && end_state(&a) == UNIK_VCHAN_CONNECTED) {
            a.want_put = 1000000;
            end_put(&a);
        }
        end_close(&b);
        if (turns & 1)
            end_close(&a);
        host_run(pair.h, 0.01);
    }
}
END_TEST

START_TEST(thousand_connects)
{
    uint64_t connects = host_counter(pair.ctx[0], "connects");
    struct end a, b;
    int fds = 0;

    for (unsigned i = 0; i < 1000; i++) {
        end_pair(&a, &b, 830 + i % 3, 4096);
        a.reading = b.reading = true;
        a.want_put = b.want_put = 100;
        end_put(&a);
        end_put(&b);
        WAIT_FOR(a.got == 100 && b.got == 100);
        end_close(i & 1 ? &a : &b);
        WAIT_FOR(end_state(i & 1 ? &b : &a) == UNIK_VCHAN_DISCONNECTED);
        end_close(i & 1 ? &b : &a);
        if (i == 0)
            fds = open_fds();
    }
    ck_assert_int_eq(open_fds(), fds);
    ck_assert_uint_eq(host_counter(pair.ctx[0], "connects") - connects, 1000);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(host_counter(pair.ctx[i], "disconnects"), host_counter(pair.ctx[i], "connects"));
        ck_assert_uint_eq(host_counter(pair.ctx[i], "bytes_in"), 100000);
        ck_assert_uint_eq(host_counter(pair.ctx[i], "bytes_out"), 100000);
        ck_assert_uint_eq(host_counter(pair.ctx[i], "open"), 0);
        ck_assert_uint_eq(host_counter(pair.ctx[i], "open_high"), 1);
    }
}
END_TEST

TCase *suite_closing(void)
{
    TCase *t = tcase_create("closing");

    tcase_add_checked_fixture(t, suite_up, suite_down);
    tcase_set_timeout(t, 900);
    tcase_add_test(t, output_goes_out_after_close);
    tcase_add_test(t, abort_does_not_wait);
    tcase_add_test(t, end_waits_for_the_reader);
    tcase_add_test(t, end_is_told_though_nothing_is_read);
    tcase_add_test(t, writing_to_the_gone_loses_no_input);
    tcase_add_loop_test(t, closes_in_its_own_callback, 0, 3);
    tcase_add_loop_test(t, closes_another_in_a_callback, 0, 3);
    tcase_add_test(t, closes_in_each_state);
    tcase_add_test(t, thousand_connects);
    return t;
}
