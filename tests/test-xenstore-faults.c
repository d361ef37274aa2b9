/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin xenstore when things go wrong: replies in any order and shape, a xenstored that goes and comes, stop. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/xenstore.h"
#include "tests/common/store.h"

static struct store t;

/* ---- replies ---- */

START_TEST(any_split_of_the_bytes)
{
    store_open(&t, NULL);
    for (size_t split = 1; split < 60; split += split < 24 ? 1 : 7) {
        struct store_fired f = { 0 };
        struct answer a;

        xenstored_split(t.s, split);
        store_watch(&t, "data", &f);
        ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
        ck_assert_str_eq(a.value, "vm-7");
        xenstored_set(t.s, "data/some/node", "1");
        ck_assert_int_eq(store_read(&t, 0, "no/such", &a), -ENOENT);
        ck_assert_uint_eq(f.n, 2);
        ck_assert_str_eq(f.path, "data/some/node");
        t.x->unwatch(t.x, f.w);
        ck_assert_int_eq(store_read(&t, 0, "domid", &a), 0);
    }
    ck_assert_uint_eq(host_counter(t.ctx, "bad"), 0);
    store_close(&t);
}
END_TEST

static bool five_held(struct store *s) { return xenstored_held(s->s) == 5; }

START_TEST(replies_in_any_order_and_events_between)
{
    struct answer a[5] = { 0 };
    struct store_fired f = { 0 };
    char path[32];

    store_open(&t, NULL);
    store_watch(&t, "data", &f);
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "data/%d", i);
        xenstored_set(t.s, path, path);
    }
    store_wait_fired(&t, &f, 6);
    xenstored_hold(t.s, true);
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "data/%d", i);
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, path, store_answered, &a[i]), 0);
    }
    ck_assert(store_until(&t, five_held));
    for (int i = 4; i >= 0; i--) {
        unsigned before = f.n;

        xenstored_set(t.s, "data/event", "");
        xenstored_release(t.s, 1, true);
        xenstored_set(t.s, "data/event", "");
        ck_assert_int_eq(store_wait(&t, &a[i]), 0);
        snprintf(path, sizeof(path), "data/%d", i);
        ck_assert_str_eq(a[i].value, path);
        store_wait_fired(&t, &f, before + 2);
    }
    store_close(&t);
}
END_TEST

START_TEST(replies_that_make_no_sense)
{
    static const struct { uint32_t type; const char *body; size_t n; } bad[] = {
        { XENSTORE_ERROR, "EWHAT", 6 }, { XENSTORE_ERROR, "ENOENT", 6 }, { XENSTORE_ERROR, "", 0 },
        { XENSTORE_DIRECTORY, "a\0b", 3 }, { XENSTORE_WRITE, "OK", 3 }, { 77, "", 0 }
    };
    static const struct { const char *body; size_t n; } txs[] = { { "0", 2 }, { "x", 2 }, { "1", 1 }, { "", 0 },
                                                                  { "99999999999", 12 } };
    struct answer a;

    store_open(&t, NULL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        xenstored_wrong_type(t.s, bad[i].type);
        xenstored_wrong_body(t.s, bad[i].body, bad[i].n);
        a = (struct answer){ 0 };
        ck_assert_int_eq(t.x->directory(t.x, NULL, 0, "/local", store_answered, &a), 0);
        ck_assert_int_eq(store_wait(&t, &a), -EPROTO);
    }
    for (size_t i = 0; i < sizeof(txs) / sizeof(*txs); i++) {
        xenstored_wrong_body(t.s, txs[i].body, txs[i].n);
        a = (struct answer){ 0 };
        ck_assert_int_eq(t.x->begin(t.x, NULL, store_begun, &a), 0);
        ck_assert_int_eq(store_wait(&t, &a), -EPROTO);
        ck_assert_uint_eq(a.tx, 0);
    }
    ck_assert_uint_eq(host_counter(t.ctx, "bad"), 11);
    ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
    ck_assert_uint_eq(xenstored_counts(t.s).connections, 1);
    store_close(&t);
}
END_TEST

START_TEST(a_reply_to_nothing)
{
    struct answer a = { 0 }, b;

    store_open(&t, NULL);
    xenstored_wrong_id(t.s, 0xfffffff0);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
    ck_assert_int_eq(store_read(&t, 0, "name", &b), 0);
    ck_assert_uint_eq(a.calls, 0);
    ck_assert_uint_eq(host_counter(t.ctx, "stray"), 1);
    ck_assert_ptr_nonnull(strstr(t.last, "READ reply to request 4294967280"));
    t.x->forget(t.x, &a);
    store_close(&t);
}
END_TEST

static void raw(uint32_t type, const void *body, uint32_t n)
{
    uint8_t message[64];
    struct xenstore_header h = { .type = type, .id = 1 };
    int k = xenstore_encode(message, sizeof(message), &h, NULL, NULL, body, n);

    ck_assert_int_gt(k, 0);
    xenstored_raw(t.s, message, (size_t)k);
}

START_TEST(events_that_make_no_sense)
{
    struct store_fired f = { 0 };
    struct answer a;

    store_open(&t, NULL);
    store_watch(&t, "data", &f);
    raw(XENSTORE_WATCH_EVENT, "", 0);
    raw(XENSTORE_WATCH_EVENT, "data", 4);
    raw(XENSTORE_WATCH_EVENT, "data", 5);
    raw(XENSTORE_WATCH_EVENT, "data\0token", 10);
    raw(XENSTORE_WATCH_EVENT, "data\0token\0x", 13);
    ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
    ck_assert_uint_eq(host_counter(t.ctx, "bad"), 5);
    raw(XENSTORE_WATCH_EVENT, "data\0token", 11);          /* well made, but nobody's */
    raw(XENSTORE_WATCH_EVENT, "data\0-0000001", 14);
    raw(XENSTORE_WATCH_EVENT, "data\0ffffffff0", 15);
    ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
    ck_assert_uint_eq(host_counter(t.ctx, "late_events"), 3);
    ck_assert_uint_eq(f.n, 1);
    store_close(&t);
}
END_TEST

/* ---- gone and back ---- */

START_TEST(an_impossible_length_ends_the_connection)
{
    static const uint8_t garbage[] = { 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 16, 0, 0, 'x' };
    struct answer a = { 0 };

    store_open(&t, NULL);
    xenstored_hold(t.s, true);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
    xenstored_raw(t.s, garbage, sizeof(garbage));
    ck_assert_int_eq(store_wait(&t, &a), -ECONNRESET);
    ck_assert_int_eq(host_state(t.ctx), HOST_DEGRADED);
    xenstored_hold(t.s, false);
    ck_assert(store_until(&t, store_is_back));
    ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
    store_close(&t);
}
END_TEST

static bool is_degraded(struct store *s) { return host_state(s->ctx) == HOST_DEGRADED; }
static bool is_ready(struct store *s) { return host_state(s->ctx) == HOST_READY; }

START_TEST(xenstored_restarts)
{
    struct store_fired f = { 0 }, late = { 0 }, dropped = { 0 };
    struct answer a = { 0 }, b = { 0 };
    uint32_t stale, fresh;

    store_open(&t, NULL);
    store_watch(&t, "data", &f);
    store_watch(&t, "data", &dropped);
    stale = store_begin(&t);
    xenstored_hold(t.s, true);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
    ck_assert_int_eq(t.x->begin(t.x, NULL, store_begun, &b), 0);
    host_run(t.h, 0.01);
    xenstored_down(t.s);
    ck_assert(store_until(&t, is_degraded));
    ck_assert_int_eq(a.error, -ECONNRESET);
    ck_assert_int_eq(b.error, -ECONNRESET);
    ck_assert_uint_eq(a.calls + b.calls, 2);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), -ENOTCONN);
    ck_assert_int_eq(t.x->begin(t.x, NULL, store_begun, &a), -ENOTCONN);
    ck_assert_int_eq(t.x->watch(t.x, NULL, "data", store_fired, &late, &late.w), 0);
    t.x->unwatch(t.x, dropped.w);
    ck_assert_int_eq(t.x->domid(t.x), STORE_DOMID);
    host_run(t.h, 0.5);                     /* several attempts in vain: one line for all */
    ck_assert_uint_eq(t.warnings, 1);
    xenstored_hold(t.s, false);
    xenstored_up(t.s);
    ck_assert(store_until(&t, is_ready));
    store_wait_fired(&t, &f, 2);
    store_wait_fired(&t, &late, 1);
    ck_assert_uint_eq(dropped.n, 1);
    ck_assert_uint_eq(xenstored_counts(t.s).watches, 2);
    /* The old transaction is nobody's, whatever numbers xenstored hands out now. */
    fresh = store_begin(&t);
    ck_assert_uint_ne(fresh, stale);
    ck_assert_int_eq(t.x->end(t.x, NULL, stale, true, store_answered, &a), -EINVAL);
    ck_assert_int_eq(store_end(&t, fresh, true), 0);
    store_close(&t);
}
END_TEST

/* Close after each possible number of bytes of four replies and an event (110): everybody is told once, all comes
 * back. */
START_TEST(closed_at_any_byte)
{
    for (size_t at = 0; at <= 110; at += 3) {
        struct answer a = { 0 }, b = { 0 }, c = { 0 };
        struct store_fired f = { 0 };

        store_open(&t, NULL);
        xenstored_close_after(t.s, at);
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
        ck_assert_int_eq(t.x->watch(t.x, NULL, "data", store_fired, &f, &f.w), 0);
        ck_assert_int_eq(t.x->begin(t.x, NULL, store_begun, &b), 0);
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, "no/such", store_answered, &c), 0);
        store_wait(&t, &a);
        store_wait(&t, &b);
        store_wait(&t, &c);
        ck_assert(a.error == 0 || a.error == -ECONNRESET);
        ck_assert(c.error == -ENOENT || c.error == -ECONNRESET);
        ck_assert(store_until(&t, store_is_back));
        ck_assert_int_eq(store_write(&t, 0, "data/x", "1"), 0);
        ck_assert_uint_ge(f.n, 2);
        ck_assert_uint_eq(a.calls + b.calls + c.calls, 3);
        ck_assert_uint_eq(xenstored_counts(t.s).watches, 1);
        store_close(&t);
    }
}
END_TEST

START_TEST(starts_before_xenstored)
{
    struct store_fired f = { 0 };

    store_init(&t, NULL);
    xenstored_down(t.s);
    ck_assert_int_eq(host_start(t.ctx), 0);
    t.x = host_interface(t.h, "xenstore/1");
    ck_assert_int_eq(t.x->domid(t.x), -EAGAIN);
    ck_assert_int_eq(t.x->watch(t.x, NULL, "data", store_fired, &f, &f.w), 0);
    host_run(t.h, 0.3);
    ck_assert_int_eq(host_state(t.ctx), HOST_STARTING);
    ck_assert_uint_eq(t.warnings, 1);
    xenstored_up(t.s);
    ck_assert(host_wait(t.ctx, HOST_READY, STORE_SECONDS));
    store_wait_fired(&t, &f, 1);
    store_close(&t);
}
END_TEST

START_TEST(domid_comes_late_or_wrong)
{
    static const char *const wrong[] = { "", "x", "-1", "1x", "70000" };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        store_init(&t, NULL);
        xenstored_set(t.s, "domid", wrong[i]);
        ck_assert_int_eq(host_start(t.ctx), 0);
        t.x = host_interface(t.h, "xenstore/1");
        ck_assert(!host_wait(t.ctx, HOST_READY, 0.05));
        ck_assert_int_eq(t.x->domid(t.x), -EAGAIN);
        xenstored_set(t.s, "domid", "7");
        ck_assert(host_wait(t.ctx, HOST_READY, STORE_SECONDS));
        ck_assert_int_eq(t.x->domid(t.x), 7);
        store_close(&t);
    }
}
END_TEST

/* ---- stop ---- */

static bool two_held(struct store *s) { return xenstored_held(s->s) == 2; }

START_TEST(stop_with_everything_open)
{
    struct store_fired f[3] = { 0 };
    struct answer a[4] = { 0 };

    store_open(&t, NULL);
    for (int i = 0; i < 3; i++)
        store_watch(&t, "data", &f[i]);
    store_begin(&t);
    xenstored_seen(t.s);
    xenstored_hold(t.s, true);
    ck_assert_int_eq(t.x->begin(t.x, NULL, store_begun, &a[0]), 0);
    ck_assert_int_eq(t.x->write(t.x, NULL, 0, "data/x", "1", 1, store_answered, &a[1]), 0);
    ck_assert(store_until(&t, two_held));
    xenstored_hold(t.s, false);
    ck_assert_int_eq(t.x->write(t.x, NULL, 0, "data/y", "2", 1, store_answered, &a[2]), 0);
    ck_assert_int_eq(t.x->write(t.x, NULL, 0, "data/z", "3", 1, store_answered, &a[3]), 0);
    t.x->forget(t.x, &a[3]);
    host_stop(t.ctx);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(a[i].calls, 1);
        ck_assert_int_eq(a[i].error, -ECANCELED);
    }
    ck_assert_uint_eq(a[3].calls, 0);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a[0]), -ENOTCONN);
    xenstored_release(t.s, 2, false);
    ck_assert(host_wait(t.ctx, HOST_STOPPED, STORE_SECONDS));
    /* What had been accepted was done; the watches and both transactions were taken back. */
    ck_assert_str_eq(xenstored_get(t.s, "data/z"), "3");
    ck_assert_str_eq(xenstored_seen(t.s), "TRANSACTION_START WRITE WRITE WRITE TRANSACTION_END UNWATCH UNWATCH UNWATCH "
                                          "TRANSACTION_END");
    ck_assert_uint_eq(a[0].calls, 1);
    store_close(&t);
}
END_TEST

START_TEST(stop_does_not_wait_for_a_silent_xenstored)
{
    struct answer a = { 0 };
    double begin;

    store_open(&t, NULL);
    xenstored_deaf(t.s, true);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
    begin = ev_time();
    host_stop(t.ctx);
    ck_assert_int_eq(a.error, -ECANCELED);
    ck_assert(host_wait(t.ctx, HOST_STOPPED, STORE_SECONDS));
    ck_assert(ev_time() - begin > 0.5);
    store_close(&t);
}
END_TEST

START_TEST(stop_without_xenstored)
{
    struct store_fired f = { 0 };

    store_open(&t, NULL);
    store_watch(&t, "data", &f);
    xenstored_down(t.s);
    ck_assert(store_until(&t, is_degraded));
    host_stop(t.ctx);
    ck_assert_int_eq(host_state(t.ctx), HOST_STOPPED);
    store_close(&t);
}
END_TEST

START_TEST(the_connection_breaks_during_stop)
{
    struct answer a = { 0 };

    store_open(&t, NULL);
    xenstored_hold(t.s, true);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
    host_stop(t.ctx);
    xenstored_hang_up(t.s);
    ck_assert(host_wait(t.ctx, HOST_STOPPED, STORE_SECONDS));
    ck_assert_uint_eq(a.calls, 1);
    store_close(&t);
}
END_TEST

START_TEST(abandoned)
{
    struct store_fired f = { 0 };

    store_open(&t, NULL);
    store_watch(&t, "data", &f);
    xenstored_deaf(t.s, true);
    host_stop_wait(t.ctx, 0.01);
    store_close(&t);
}
END_TEST

START_TEST(starts_again_after_stop)
{
    struct store_fired f = { 0 };

    store_open(&t, NULL);
    for (int i = 0; i < 50; i++) {
        store_watch(&t, "data", &f);
        host_stop_wait(t.ctx, STORE_SECONDS);
        ck_assert_int_eq(host_start(t.ctx), 0);
        ck_assert(host_wait(t.ctx, HOST_READY, STORE_SECONDS));
        t.x = host_interface(t.h, "xenstore/1");
        f = (struct store_fired){ 0 };
    }
    ck_assert_uint_eq(xenstored_counts(t.s).connections, 1);
    store_close(&t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("xenstore-faults");
    TCase *c = tcase_create("faults");
    SRunner *r;
    int failed;

    tcase_set_timeout(c, 900);
    tcase_add_test(c, any_split_of_the_bytes);
    tcase_add_test(c, replies_in_any_order_and_events_between);
    tcase_add_test(c, replies_that_make_no_sense);
    tcase_add_test(c, a_reply_to_nothing);
    tcase_add_test(c, events_that_make_no_sense);
    tcase_add_test(c, an_impossible_length_ends_the_connection);
    tcase_add_test(c, xenstored_restarts);
    tcase_add_test(c, closed_at_any_byte);
    tcase_add_test(c, starts_before_xenstored);
    tcase_add_test(c, domid_comes_late_or_wrong);
    tcase_add_test(c, stop_with_everything_open);
    tcase_add_test(c, stop_does_not_wait_for_a_silent_xenstored);
    tcase_add_test(c, stop_without_xenstored);
    tcase_add_test(c, the_connection_breaks_during_stop);
    tcase_add_test(c, abandoned);
    tcase_add_test(c, starts_again_after_stop);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
