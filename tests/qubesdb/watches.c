/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qubesdb/watches.c - who is told what, and when: watches, NOW, EVERY, await, callbacks that call back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/qubesdb/dom0.h"

static struct unik_qubesdb_watch *handle;

static struct unik_qubesdb_watch *watch(const char *path, unsigned flags, const char *prefix)
{
    struct unik_qubesdb_watch *w = NULL;
    union { const char *in; void *out; } arg = { prefix };

    ck_assert_int_eq(g.q->watch(g.q, NULL, path, flags, note, arg.out, &w), 0);
    ck_assert_ptr_nonnull(w);
    return w;
}

START_TEST(exact_and_prefix)
{
    struct unik_qubesdb_watch *w;

    guest_up_plain();
    dom0_sync(ENTRIES("/d/b=2", "/d/a=1", "/d=", "/da=3"));
    w = watch("/d", 0, "exact:");
    watch("/d/", 0, "below:");
    watch("/", 0, "all:");
    told("");
    dom0_says(QUBESDB_WRITE, "/d", "x");
    told("exact:/d=x all:/d=x ");
    dom0_says(QUBESDB_WRITE, "/d/c", "3");
    told("below:/d/c=3 all:/d/c=3 ");
    dom0_says(QUBESDB_WRITE, "/d/c", "3");          /* no change */
    told("");
    dom0_says(QUBESDB_WRITE, "/da", "4");
    told("all:/da=4 ");
    dom0_says(QUBESDB_RM, "/d/", NULL);             /* one message, each key told */
    told("below:/d/a- all:/d/a- below:/d/b- all:/d/b- below:/d/c- all:/d/c- ");
    dom0_says(QUBESDB_RM, "/d/", NULL);
    dom0_says(QUBESDB_RM, "/nothing", NULL);
    told("");
    g.q->unwatch(g.q, w);
    dom0_says(QUBESDB_RM, "/d", NULL);
    told("all:/d- ");
    guest_down();
}
END_TEST

START_TEST(bad_watches)
{
    struct unik_qubesdb_watch *w;
    const char *bad[] = { "", "d", "d/", "-", "/a b", "/d//../\n",
        "/2345678901234567890123456789012345678901234567890123456789012345" };
    int n = 0;

    guest_up_synced();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(g.q->watch(g.q, NULL, bad[i], 0, note, NULL, &w), -EINVAL);
        ck_assert_int_eq(g.q->await(g.q, NULL, bad[i], note, NULL, &w), -EINVAL);
    }
    ck_assert_int_eq(g.q->await(g.q, NULL, "/d/", note, NULL, &w), -EINVAL);
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/d", 0, NULL, NULL, &w), -EINVAL);
    g.q->unwatch(g.q, NULL);
    while (n < 5000 && g.q->watch(g.q, NULL, "/d", 0, note, NULL, NULL) == 0)
        n++;
    ck_assert_int_eq(n, 1024);
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/d", 0, note, NULL, NULL), -ENOSPC);
    dom0_says(QUBESDB_WRITE, "/d", "1");
    turn();
    ck_assert_uint_eq(g.told, 1024);
    ck_assert_uint_eq(counter("watches"), 1024);
    guest_down();
}
END_TEST

/* NOW: from the loop, not before the first sync, once. */
START_TEST(now)
{
    guest_up_plain();
    watch("/a", UNIK_QUBESDB_NOW, "a:");
    watch("/absent", UNIK_QUBESDB_NOW, "b:");
    watch("/d/", UNIK_QUBESDB_NOW, "c:");
    watch("/a", 0, "plain:");
    told("");
    dom0_sync(ENTRIES("/d/2=y", "/d/1=x", "/a=1"));
    told("plain:/a=1 a:/a=1 b:/absent- c:/d/1=x c:/d/2=y ");
    watch("/a", UNIK_QUBESDB_NOW, "late:");
    watch("/e/", UNIK_QUBESDB_NOW, "late:");
    ck_assert_str_eq(g.events, "");                 /* never from inside the call */
    told("late:/a=1 ");
    dom0_says(QUBESDB_WRITE, "/a", "2");
    told("a:/a=2 plain:/a=2 late:/a=2 ");
    watch("/a", UNIK_QUBESDB_NOW, "next:");
    dom0_says(QUBESDB_WRITE, "/a", "3");            /* each told what is there at that moment */
    told("next:/a=2 a:/a=3 plain:/a=3 late:/a=3 next:/a=3 ");
    guest_down();
}
END_TEST

/* A client's rules as dom0 writes them: RM of the directory, the rules, then the commit key with an empty value. */
START_TEST(commit_key)
{
    guest_up_plain();
    watch("/fw/10.137.0.9", UNIK_QUBESDB_EVERY, "commit:");
    watch("/fw/10.137.0.9", 0, "change:");
    dom0_sync(ENTRIES("/fw/10.137.0.9/0000=action=accept", "/fw/10.137.0.9="));
    told("commit:/fw/10.137.0.9= change:/fw/10.137.0.9= ");
    dom0_says(QUBESDB_RM, "/fw/10.137.0.9/", NULL);
    dom0_says(QUBESDB_WRITE, "/fw/10.137.0.9/0000", "action=drop");
    told("");
    dom0_says(QUBESDB_WRITE, "/fw/10.137.0.9", "");
    told("commit:/fw/10.137.0.9= ");
    dom0_breaks();                                  /* nothing differs: no commit */
    dom0_sync(ENTRIES("/fw/10.137.0.9/0000=action=drop", "/fw/10.137.0.9="));
    told("");
    dom0_breaks();                                  /* the rules changed while nobody was connected */
    dom0_sync(ENTRIES("/fw/10.137.0.9/0000=action=accept", "/fw/10.137.0.9="));
    told("commit:/fw/10.137.0.9= ");
    dom0_breaks();                                  /* one is gone */
    dom0_sync(ENTRIES("/fw/10.137.0.9="));
    told("commit:/fw/10.137.0.9= ");
    guest_down();
}
END_TEST

START_TEST(await_early_and_late)
{
    struct unik_qubesdb_watch *w;

    guest_up_plain();
    ck_assert_int_eq(g.q->await(g.q, NULL, "/early", note, NULL, NULL), 0);
    ck_assert_int_eq(g.q->await(g.q, NULL, "/late", note, NULL, NULL), 0);
    ck_assert_int_eq(g.q->await(g.q, NULL, "/never", note, NULL, &w), 0);
    ck_assert_int_eq(g.q->await(g.q, NULL, "/mine", note, NULL, NULL), 0);
    dom0_sync(ENTRIES("/early=1"));
    told("/early=1 ");
    dom0_says(QUBESDB_WRITE, "/early", "2");
    told("");
    dom0_says(QUBESDB_RM, "/late", NULL);           /* a removal does not make it present */
    dom0_says(QUBESDB_WRITE, "/late", "1");
    dom0_says(QUBESDB_WRITE, "/late", "2");
    told("/late=1 ");
    ck_assert_int_eq(g.q->await(g.q, NULL, "/late", note, NULL, NULL), 0);
    ck_assert_str_eq(g.events, "");
    told("/late=2 ");
    ck_assert_int_eq(g.q->write(g.q, "/mine", "3", 1), 0);      /* present is present, whoever wrote it */
    ck_assert_str_eq(g.events, "");
    told("/mine=3 ");
    ck_assert_int_eq(g.q->await(g.q, NULL, "/brief", note, NULL, NULL), 0);
    ck_assert_int_eq(g.q->write(g.q, "/brief", "", 0), 0);
    ck_assert_int_eq(g.q->remove(g.q, "/brief"), 0);
    told("");
    turn();
    ck_assert_uint_eq(counter("watches"), 2);
    g.q->unwatch(g.q, w);
    dom0_says(QUBESDB_WRITE, "/never", "1");
    told("");
    guest_down();
}
END_TEST

/* ---- callbacks that call back ---- */

static void unwatch_itself(const char *path, const char *value, size_t len, void *arg)
{
    note(path, value, len, arg);
    g.q->unwatch(g.q, handle);
}

static void watch_again(const char *path, const char *value, size_t len, void *arg)
{
    note(path, value, len, arg);
    ck_assert_int_eq(g.q->watch(g.q, NULL, path, 0, note, NULL, NULL), 0);
}

static void write_same_key(const char *path, const char *value, size_t len, void *arg)
{
    const char *before = value ? value : "";
    char copy[100];

    note(path, value, len, arg);
    snprintf(copy, sizeof(copy), "%s", before);
    ck_assert_int_eq(g.q->write(g.q, path, "mine", 4), 0);
    if (value)
        ck_assert_str_eq(value, copy);          /* lent until the return to the loop */
    ck_assert_str_eq(value_of(path), "mine");
}

static void remove_same_key(const char *path, const char *value, size_t len, void *arg)
{
    note(path, value, len, arg);
    if (value)
        ck_assert_int_eq(g.q->remove(g.q, path), 0);
    ck_assert_str_eq(value_of(path), "-");
}

/* Once: a handle is dead after that. */
static void unwatch_other(const char *path, const char *value, size_t len, void *arg)
{
    struct unik_qubesdb_watch **other = arg;

    note(path, value, len, NULL);
    g.q->unwatch(g.q, *other);
    *other = NULL;
}

START_TEST(unwatch_inside)
{
    static struct unik_qubesdb_watch *second, *third, *fourth;

    guest_up_synced();
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", UNIK_QUBESDB_NOW, unwatch_itself, NULL, &handle), 0);
    turn();
    dom0_says(QUBESDB_WRITE, "/a", "1");
    dom0_says(QUBESDB_WRITE, "/b", "1");
    told("/a=1 ");
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", UNIK_QUBESDB_NOW, unwatch_itself, NULL, &handle), 0);
    told("/a=1 ");                                  /* in the middle of NOW */
    ck_assert_int_eq(g.q->await(g.q, NULL, "/a", unwatch_itself, NULL, &handle), 0);
    told("/a=1 ");
    second = watch("/c", 0, "second:");
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/c", 0, unwatch_other, &second, NULL), 0);
    third = watch("/c", 0, "third:");
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/c", 0, unwatch_other, &third, NULL), 0);
    fourth = watch("/c", 0, "fourth:");
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/x", 0, unwatch_other, &fourth, NULL), 0);
    dom0_says(QUBESDB_WRITE, "/c", "1");
    told("second:/c=1 /c=1 third:/c=1 /c=1 fourth:/c=1 ");
    dom0_says(QUBESDB_WRITE, "/x", "1");
    dom0_says(QUBESDB_WRITE, "/c", "2");
    told("/x=1 /c=2 /c=2 ");
    ck_assert_ptr_null(fourth);
    guest_down();
}
END_TEST

START_TEST(watch_inside)
{
    guest_up_synced();
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/a", 0, watch_again, NULL, NULL), 0);
    dom0_says(QUBESDB_WRITE, "/a", "1");
    told("/a=1 ");                                  /* the new one knows already */
    dom0_says(QUBESDB_WRITE, "/a", "2");
    told("/a=2 /a=2 ");
    guest_down();
}
END_TEST

START_TEST(write_inside)
{
    guest_up_synced();
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/a", UNIK_QUBESDB_NOW, write_same_key, NULL, NULL), 0);
    watch("/a", 0, "second:");
    told("/a- ");
    dom0_hears(QUBESDB_WRITE, "/a", "mine");
    dom0_says(QUBESDB_OK, "/a", NULL);
    turn();
    dom0_says(QUBESDB_WRITE, "/a", "theirs");
    told("/a=theirs second:/a=mine ");              /* told what is there at that moment */
    dom0_hears(QUBESDB_OK, "/a", NULL);
    dom0_hears(QUBESDB_WRITE, "/a", "mine");
    guest_down();
}
END_TEST

START_TEST(write_and_remove_inside_a_sync)
{
    guest_up_plain();
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/b", 0, write_same_key, NULL, NULL), 0);
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/c", 0, remove_same_key, NULL, NULL), 0);
    watch("/", 0, "all:");
    dom0_sync(ENTRIES("/d=4", "/c=3", "/b=2", "/a=1"));
    told("all:/a=1 /b=2 all:/b=mine /c=3 all:/c- all:/d=4 ");
    ck_assert_str_eq(replica(), "/a=1 /b=mine /d=4 ");
    dom0_hears(QUBESDB_WRITE, "/b", "mine");
    dom0_says(QUBESDB_OK, "/b", NULL);
    dom0_hears(QUBESDB_RM, "/c", NULL);
    dom0_says(QUBESDB_OK, "/c", NULL);
    turn();
    dom0_breaks();
    dom0_sync(ENTRIES("/d=4"));                     /* the removal of /b is told, and its watcher writes it again */
    told("all:/a- /b- all:/b=mine ");
    ck_assert_str_eq(replica(), "/b=mine /d=4 ");
    guest_down();
}
END_TEST

/* Processor time of this process: others on the machine do not count. */
static double used(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A full rewrite and a provider's many keys: the work grows with the number of keys, not its square. */
static double burst(int n)
{
    double begin;
    char path[64];

    guest_up(ENTRIES("retry=0", "retry-max=0", "max-entries=20000", "max-bytes=4M"));
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "/fw/%d/", i);
        watch(path, UNIK_QUBESDB_NOW, "");
    }
    begin = used();
    dom0_connect();
    for (int i = n; i > 0; i--) {
        snprintf(path, sizeof(path), "/fx/%06d", i);
        dom0_says(QUBESDB_GOT_MULTIREAD, path, "action=accept proto=tcp");
        if (i % 1000 == 0)
            UNTIL(fake_unread(&g.f) == 0);
    }
    dom0_end();
    UNTIL(host_state(g.ctx) == HOST_READY);
    for (int i = n; i > 0; i--) {
        snprintf(path, sizeof(path), "/fx/%06d", i);
        dom0_says(QUBESDB_WRITE, path, i & 1 ? "action=accept proto=tcp" : "action=drop");
        if (i % 1000 == 0)
            UNTIL(fake_unread(&g.f) == 0);
    }
    UNTIL(counter("writes_in") == (uint64_t)n);
    ck_assert_uint_eq(counter("entries"), (uint64_t)n);
    begin = used() - begin;
    guest_down();
    return begin;
}

START_TEST(bursts)
{
    double small = burst(2000), large = burst(16000);

    /* 8 times as many: quadratic would be 64 times. */
    ck_assert_msg(large < small * 30 + 0.5, "2000 keys: %g s, 16000 keys: %g s", small, large);
}
END_TEST

static void ignore(const char *path, const char *value, size_t len, void *arg)
{
    (void)path, (void)value, (void)len, (void)arg;
}

/* A plugin has stopped without taking its watches back: they are, without a callback. Others' stay. */
START_TEST(left_behind_is_taken_back)
{
    static const struct unik_plugin plugin = { UNIK_PLUGIN_HEAD, .name = "user" };
    struct unik_ctx user = { .plugin = &plugin }, other = user;

    guest_up_synced();
    ck_assert_int_eq(g.q->watch(g.q, &user, "/a", 0, note, NULL, NULL), 0);
    ck_assert_int_eq(g.q->await(g.q, &user, "/b", note, NULL, NULL), 0);
    ck_assert_int_eq(g.q->watch(g.q, &other, "/a", 0, ignore, NULL, NULL), 0);
    g.ctx->plugin->left(g.ctx, &user);
    ck_assert_ptr_nonnull(strstr(g.log, "user stopped and left behind: watches 2"));
    dom0_says(QUBESDB_WRITE, "/a", "1");
    dom0_says(QUBESDB_WRITE, "/b", "1");
    turn();
    ck_assert_str_eq(g.events, "");
    ck_assert_uint_eq(host_counter(g.ctx, "watches"), 1);
    guest_down();
}
END_TEST

Suite *suite_watches(void)
{
    Suite *s = suite_create("qubesdb: watches");
    TCase *t = tcase_create("watches");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, exact_and_prefix);
    tcase_add_test(t, bad_watches);
    tcase_add_test(t, now);
    tcase_add_test(t, commit_key);
    tcase_add_test(t, await_early_and_late);
    tcase_add_test(t, unwatch_inside);
    tcase_add_test(t, watch_inside);
    tcase_add_test(t, write_inside);
    tcase_add_test(t, write_and_remove_inside_a_sync);
    tcase_add_test(t, left_behind_is_taken_back);
    tcase_add_test(t, bursts);
    suite_add_tcase(s, t);
    return s;
}
