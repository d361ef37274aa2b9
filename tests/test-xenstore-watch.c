/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches of the plugin xenstore: what fires, what does not any more, and what has to wait. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "protocol/xenstore.h"
#include "tests/common/leaver.h"
#include "tests/common/store.h"

static struct store t;

START_TEST(a_watch_fires_at_once_and_on_changes)
{
    struct store_fired rel = { 0 }, abs = { 0 }, special = { 0 };

    store_open(&t, NULL);
    store_watch(&t, "data", &rel);
    ck_assert_str_eq(rel.path, "data");
    store_watch(&t, "/local/domain/7/data", &abs);
    store_watch(&t, "@releaseDomain", &special);
    xenstored_set(t.s, "data/vchan/0/512", "x");
    store_wait_fired(&t, &rel, 2);
    store_wait_fired(&t, &abs, 2);
    ck_assert_str_eq(rel.path, "data/vchan/0/512");
    ck_assert_str_eq(abs.path, "/local/domain/7/data/vchan/0/512");
    xenstored_remove(t.s, "data");
    store_wait_fired(&t, &rel, 3);
    ck_assert_str_eq(rel.path, "data");
    ck_assert_uint_eq(special.n, 1);
    xenstored_special(t.s, "@releaseDomain");
    store_wait_fired(&t, &special, 2);
    ck_assert_str_eq(special.path, "@releaseDomain");
    store_close(&t);
}
END_TEST

START_TEST(two_watches_on_one_path_are_two)
{
    struct store_fired a = { 0 }, b = { 0 };
    struct answer name;

    store_open(&t, NULL);
    store_watch(&t, "data", &a);
    store_watch(&t, "data", &b);
    ck_assert_uint_eq(xenstored_counts(t.s).watches, 2);
    xenstored_set(t.s, "data/x", "1");
    store_wait_fired(&t, &a, 2);
    store_wait_fired(&t, &b, 2);
    t.x->unwatch(t.x, a.w);
    ck_assert_int_eq(store_read(&t, 0, "name", &name), 0);
    xenstored_set(t.s, "data/x", "2");
    store_wait_fired(&t, &b, 3);
    ck_assert_uint_eq(a.n, 2);
    ck_assert_uint_eq(xenstored_counts(t.s).watches, 1);
    store_close(&t);
}
END_TEST

START_TEST(unwatch_inside_the_callback)
{
    struct store_fired a = { 0 }, b = { 0 }, c = { 0 };
    struct answer name;

    store_open(&t, NULL);
    store_watch(&t, "data", &a);
    store_watch(&t, "data", &b);
    store_watch(&t, "data", &c);
    a.drop = &a.w;              /* itself */
    b.drop = &c.w;              /* one whose event comes right behind */
    xenstored_set(t.s, "data/x", "1");
    ck_assert_int_eq(store_read(&t, 0, "name", &name), 0);
    ck_assert_uint_eq(a.n, 2);
    ck_assert_uint_eq(b.n, 2);
    ck_assert_uint_eq(c.n, 1);
    ck_assert_uint_eq(host_counter(t.ctx, "late_events"), 1);
    ck_assert_int_eq(store_read(&t, 0, "name", &name), 0);
    ck_assert_uint_eq(xenstored_counts(t.s).watches, 1);
    xenstored_set(t.s, "data/x", "2");
    store_wait_fired(&t, &b, 3);
    ck_assert_uint_eq(a.n + c.n, 3);
    store_close(&t);
}
END_TEST

START_TEST(events_for_a_removed_watch_are_dropped)
{
    struct store_fired a = { 0 };
    struct answer name;

    store_open(&t, NULL);
    store_watch(&t, "data", &a);
    t.x->unwatch(t.x, a.w);
    xenstored_set(t.s, "data/x", "1");      /* the UNWATCH has not gone out yet */
    ck_assert_int_eq(store_read(&t, 0, "name", &name), 0);
    ck_assert_uint_eq(a.n, 1);
    ck_assert_uint_eq(host_counter(t.ctx, "late_events"), 1);
    /* Registered and removed before anything went out: xenstored sees both, the owner nothing. */
    a = (struct store_fired){ 0 };
    ck_assert_int_eq(t.x->watch(t.x, NULL, "data", store_fired, &a, &a.w), 0);
    t.x->unwatch(t.x, a.w);
    ck_assert_int_eq(store_read(&t, 0, "name", &name), 0);
    ck_assert_uint_eq(a.n, 0);
    ck_assert_uint_eq(xenstored_counts(t.s).watches, 0);
    store_close(&t);
}
END_TEST

START_TEST(a_watch_waits_for_room)
{
    static const char *const options[] = { "requests=8", NULL };
    struct answer a[8] = { 0 };
    struct store_fired f[4] = { 0 };

    store_open(&t, options);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a[i]), 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(t.x->watch(t.x, NULL, "data", store_fired, &f[i], &f[i].w), 0);
    t.x->unwatch(t.x, f[3].w);              /* never sent: never fires */
    for (int i = 0; i < 3; i++)
        store_wait_fired(&t, &f[i], 1);
    ck_assert_int_eq(store_read(&t, 0, "name", &a[0]), 0);
    ck_assert_uint_eq(f[3].n, 0);
    ck_assert_uint_eq(xenstored_counts(t.s).watches, 3);
    store_close(&t);
}
END_TEST

START_TEST(a_refused_watch_harms_nobody)
{
    struct unik_xenstore_watch *w;
    struct store_fired f = { 0 };
    struct answer a;

    store_open(&t, NULL);
    xenstored_deny(t.s, XENSTORE_WATCH, "data", -EACCES);
    ck_assert_int_eq(t.x->watch(t.x, NULL, "data", store_fired, &f, &w), 0);
    ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
    ck_assert_ptr_nonnull(strstr(t.last, "watch data: Permission denied"));
    xenstored_deny(t.s, 0, NULL, 0);
    xenstored_hang_up(t.s);
    ck_assert(store_until(&t, store_is_back));
    store_wait_fired(&t, &f, 1);
    t.x->unwatch(t.x, w);
    store_close(&t);
}
END_TEST

static bool holds_nothing(struct store *s)
{
    struct xenstored_counts n = xenstored_counts(s->s);

    return n.transactions == 0 && n.watches == 1;
}

static bool all_are_asked(struct store *s) { return xenstored_held(s->s) == 5; }

/* What a plugin leaves behind when it stops is taken back without a callback, and counted; what is others' stays, and a
 * request that nobody waits for is done all the same. */
START_TEST(taken_back_from_who_has_stopped)
{
    struct store_fired theirs = { .t = &t }, ours = { 0 };
    struct answer open = { 0 }, coming = { 0 }, asked = { 0 }, name;
    struct unik_ctx *user;

    store_open(&t, NULL);
    user = host_add(t.h, &leaver, NULL);
    ck_assert_int_eq(host_start(user), 0);
    store_watch(&t, "data", &ours);
    ck_assert_int_eq(t.x->watch(t.x, user, "data", store_fired, &theirs, &theirs.w), 0);
    store_wait_fired(&t, &theirs, 1);
    ck_assert_int_eq(t.x->begin(t.x, user, store_begun, &open), 0);
    ck_assert_int_eq(store_wait(&t, &open), 0);
    xenstored_hold(t.s, true);
    ck_assert_int_eq(t.x->begin(t.x, user, store_begun, &coming), 0);
    ck_assert_int_eq(t.x->read(t.x, user, 0, "name", store_answered, &asked), 0);
    ck_assert_int_eq(t.x->write(t.x, user, 0, "data/x", "1", 1, store_answered, &asked), 0);
    ck_assert_int_eq(t.x->write(t.x, user, 0, "data/y", "1", 1, NULL, NULL), 0);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &name), 0);
    ck_assert(store_until(&t, all_are_asked));
    theirs.n = 0;
    host_stop_wait(user, STORE_SECONDS);
    ck_assert_str_eq(t.last, "leaver stopped and left behind: requests 3, transactions 1, watches 1");
    xenstored_hold(t.s, false);
    xenstored_release(t.s, 5, false);
    ck_assert(store_until(&t, holds_nothing));
    store_wait_fired(&t, &ours, 3);     /* data/x and data/y */
    ck_assert_int_eq(store_read(&t, 0, "name", &name), 0);
    ck_assert_uint_eq(theirs.n + coming.calls + asked.calls, 0);
    ck_assert_uint_eq(open.calls, 1);
    ck_assert_str_eq(xenstored_get(t.s, "data/y"), "1");
    ck_assert_uint_eq(host_counter(t.ctx, "transactions"), 0);
    ck_assert_uint_eq(host_counter(t.ctx, "watches"), 1);
    store_close(&t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("xenstore-watch");
    TCase *c = tcase_create("watch");
    SRunner *r;
    int failed;

    tcase_set_timeout(c, 900);
    tcase_add_test(c, a_watch_fires_at_once_and_on_changes);
    tcase_add_test(c, two_watches_on_one_path_are_two);
    tcase_add_test(c, unwatch_inside_the_callback);
    tcase_add_test(c, events_for_a_removed_watch_are_dropped);
    tcase_add_test(c, a_watch_waits_for_room);
    tcase_add_test(c, a_refused_watch_harms_nobody);
    tcase_add_test(c, taken_back_from_who_has_stopped);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
