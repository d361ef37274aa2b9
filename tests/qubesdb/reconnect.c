/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qubesdb/reconnect.c - dom0's daemon goes away in every state, comes back as it was or with an empty store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/common/fds.h"
#include "tests/qubesdb/dom0.h"

#define MARKER "/unik-store"

static int put(const char *path, const char *value) { return g.q->write(g.q, path, value, strlen(value)); }

static void up_with_marker(const char *const *entries)
{
    guest_up(ENTRIES("retry=0", "retry-max=0", "random-seed=leave"));
    dom0_sync(entries);
}

static void expect_write(const char *path, const char *value)
{
    dom0_hears(QUBESDB_WRITE, path, value);
    dom0_says(QUBESDB_OK, path, NULL);
}

START_TEST(gone_before_it_was_there)
{
    guest_up_plain();
    dom0_breaks();                                  /* waiting for the server */
    fake_offer(&g.f);
    dom0_breaks();                                  /* connected, MULTIREAD perhaps not yet sent */
    dom0_connect();
    dom0_breaks();                                  /* before MULTIREAD is answered */
    ck_assert_int_eq(host_state(g.ctx), HOST_STARTING);
    dom0_sync(ENTRIES("/a=1"));
    ck_assert_str_eq(replica(), "/a=1 ");
    guest_down();
}
END_TEST

START_TEST(connect_fails)
{
    guest_up_synced();
    g.f.refuse = -EMFILE;
    fake_hang_up(&g.f);
    turn();
    ck_assert_int_eq(host_state(g.ctx), HOST_DEGRADED);
    ck_assert_str_eq(host_reason(g.ctx), "cannot connect to dom0's daemon");
    for (int i = 0; i < 10; i++)
        turn();                                     /* it tries again and again, */
    ck_assert(logged("Too many open files"));
    ck_assert_ptr_null(strstr(strstr(g.log, "Too many open files") + 1, "Too many open files"));     /* and says so once */
    g.f.refuse = 0;
    dom0_sync(ENTRIES("/a=1"));
    guest_down();
}
END_TEST

/* Room for MULTIREAD must be waited for; nothing may go before it. */
START_TEST(no_room_for_the_first_message)
{
    uint8_t got[64];

    guest_up_plain();
    g.f.ring = 71;
    ck_assert_int_eq(put("/a", "1"), 0);
    fake_offer(&g.f);
    dom0_hears_nothing();
    fake_hang_up(&g.f);
    turn();
    g.f.ring = FAKE_RING;
    dom0_sync(NULL);
    dom0_hears(QUBESDB_WRITE, "/a", "1");
    ck_assert_uint_eq(fake_take(&g.f, got, sizeof(got)), 0);
    guest_down();
}
END_TEST

START_TEST(dump_breaks_off)
{
    uint8_t message[100];
    size_t n = dom0_message(message, QUBESDB_GOT_MULTIREAD, "/a", "changed", 7);

    guest_up_plain();
    dom0_sync(ENTRIES("/b=2", "/a=1"));
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", 0, note, NULL, NULL), 0);
    for (size_t cut = 0; cut <= n; cut++) {
        dom0_breaks();
        ck_assert_int_eq(host_state(g.ctx), HOST_DEGRADED);
        dom0_connect();
        dom0_says(QUBESDB_GOT_MULTIREAD, "/new", "1");
        fake_send(&g.f, message, cut);
        turn();
        ck_assert_str_eq(replica(), "/a=1 /b=2 ");
    }
    ck_assert(logged("lost in the dump: peer closed"));
    told("");
    dom0_breaks();
    dom0_sync(ENTRIES("/b=2"));
    told("/a- ");
    guest_down();
}
END_TEST

START_TEST(only_differences)
{
    guest_up_plain();
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", 0, note, NULL, NULL), 0);
    dom0_sync(ENTRIES("/e=", "/d=4", "/c=3", "/b=2", "/a=1"));
    told("/a=1 /b=2 /c=3 /d=4 /e= ");
    dom0_breaks();
    ck_assert_int_eq(host_state(g.ctx), HOST_DEGRADED);
    ck_assert_str_eq(host_reason(g.ctx), "peer closed");
    ck_assert_str_eq(value_of("/a"), "1");          /* it still answers */
    dom0_sync(ENTRIES("/e=", "/d=4", "/c=3", "/b=2", "/a=1"));
    told("");
    dom0_breaks();
    dom0_sync(ENTRIES("/f=6", "/e=x", "/d=", "/b=2", "/a=1"));
    told("/c- /d= /e=x /f=6 ");
    ck_assert_uint_eq(counter("syncs"), 3);
    ck_assert_uint_eq(counter("connects"), 3);
    guest_down();
}
END_TEST

/* dom0's daemon takes an OK on a new connection, but it is none for anything there. */
START_TEST(answers_die_with_the_connection)
{
    guest_up_synced();
    g.f.ring = 100;
    for (int i = 0; i < 10; i++)
        dom0_says(QUBESDB_WRITE, "/a", "1");
    turn();
    ck_assert_uint_eq(counter("writes_in"), 10);
    dom0_breaks();
    g.f.ring = FAKE_RING;
    dom0_sync(ENTRIES("/a=1"));
    dom0_hears_nothing();
    guest_down();
}
END_TEST

/* Input that had arrived counts, also when the end comes with it. */
START_TEST(last_words_are_heard)
{
    guest_up_synced();
    dom0_says(QUBESDB_WRITE, "/a", "1");
    fake_hang_up(&g.f);
    turn();
    ck_assert_str_eq(value_of("/a"), "1");
    ck_assert_int_eq(host_state(g.ctx), HOST_DEGRADED);
    guest_down();
}
END_TEST

START_TEST(unacknowledged_goes_again)
{
    guest_up_plain();
    ck_assert_int_eq(put("/before", "1"), 0);       /* not even synced */
    ck_assert_str_eq(value_of("/before"), "1");
    dom0_sync(NULL);
    dom0_hears(QUBESDB_WRITE, "/before", "1");
    ck_assert_int_eq(put("/b", "2"), 0);
    dom0_hears(QUBESDB_WRITE, "/b", "2");
    dom0_says(QUBESDB_OK, "/before", NULL);
    turn();
    dom0_breaks();
    ck_assert_int_eq(put("/c", "3"), 0);            /* while dom0 is away */
    ck_assert_int_eq(put("/b", "4"), 0);
    dom0_sync(ENTRIES("/before=1", "/b=2"));        /* carried out, the answer got lost: again, in order */
    dom0_hears(QUBESDB_WRITE, "/b", "2");
    dom0_hears(QUBESDB_WRITE, "/c", "3");
    dom0_hears(QUBESDB_WRITE, "/b", "4");
    dom0_hears_nothing();
    ck_assert_str_eq(replica(), "/b=4 /before=1 /c=3 ");
    guest_down();
}
END_TEST

START_TEST(unacknowledged_removal)
{
    guest_up_plain();
    dom0_sync(ENTRIES("/b=2", "/a=1"));
    ck_assert_int_eq(g.q->remove(g.q, "/a"), 0);
    dom0_hears(QUBESDB_RM, "/a", NULL);
    dom0_breaks();
    ck_assert_int_eq(g.q->remove(g.q, "/b"), 0);
    dom0_sync(ENTRIES("/b=2"));                     /* /a was carried out: again would end the daemon */
    dom0_hears(QUBESDB_RM, "/b", NULL);
    dom0_hears_nothing();
    dom0_breaks();
    dom0_sync(ENTRIES("/b=2"));                     /* /b was not */
    dom0_hears(QUBESDB_RM, "/b", NULL);
    dom0_says(QUBESDB_OK, "/b", NULL);
    dom0_hears_nothing();
    ck_assert_str_eq(replica(), "");
    ck_assert_uint_eq(counter("pending"), 0);
    guest_down();
}
END_TEST

/* The same daemon, and somebody in dom0 removed our key while we were away: it stays removed. */
START_TEST(removed_by_dom0_stays_removed)
{
    up_with_marker(ENTRIES("/name=x"));
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", 0, note, NULL, NULL), 0);
    ck_assert_int_eq(put("/mine", "1"), 0);
    expect_write(MARKER, "1");                      /* before our first key */
    expect_write("/mine", "1");
    turn();
    dom0_breaks();
    dom0_sync(ENTRIES(MARKER "=1", "/name=x"));
    told("/mine- ");
    dom0_hears_nothing();
    ck_assert_str_eq(replica(), "/name=x " MARKER "=1 ");
    ck_assert_int_eq(put("/mine", "2"), 0);         /* the marker is there */
    dom0_hears(QUBESDB_WRITE, "/mine", "2");
    guest_down();
}
END_TEST

/* A new daemon has only dom0's keys: ours go out again, also if there is just one. */
START_TEST(new_store_gets_our_keys)
{
    up_with_marker(ENTRIES("/taken=0", "/name=x"));
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", 0, note, NULL, NULL), 0);
    ck_assert_int_eq(put("/blocks/sda/size", "100"), 0);
    expect_write(MARKER, "1");
    expect_write("/blocks/sda/size", "100");
    ck_assert_int_eq(put("/blocks", ""), 0);
    expect_write("/blocks", "");
    ck_assert_int_eq(put("/taken", "ours"), 0);
    expect_write("/taken", "ours");
    ck_assert_int_eq(put("/gone", "1"), 0);
    expect_write("/gone", "1");
    dom0_says(QUBESDB_RM, "/gone", NULL);           /* by dom0: ours no more */
    dom0_hears(QUBESDB_OK, "/gone", NULL);
    ck_assert_int_eq(put("/late", "1"), 0);
    dom0_hears(QUBESDB_WRITE, "/late", "1");        /* and not answered */
    told("/gone- ");
    dom0_breaks();
    dom0_sync(ENTRIES("/taken=1", "/name=x"));
    told("/taken=1 ");                              /* the new daemon has it: dom0's */
    ck_assert_str_eq(replica(), "/blocks= /blocks/sda/size=100 /late=1 /name=x /taken=1 " MARKER "=1 ");
    dom0_hears(QUBESDB_WRITE, MARKER, "1");
    dom0_hears(QUBESDB_WRITE, "/blocks/sda/size", "100");       /* children, then the trigger */
    dom0_hears(QUBESDB_WRITE, "/blocks", "");
    dom0_hears(QUBESDB_WRITE, "/late", "1");
    dom0_hears_nothing();
    ck_assert_uint_eq(counter("resent"), 3);
    dom0_says(QUBESDB_OK, MARKER, NULL);
    turn();
    dom0_breaks();                                  /* in the middle of that */
    dom0_sync(ENTRIES(MARKER "=1", "/taken=1", "/name=x"));
    expect_write("/blocks/sda/size", "100");
    expect_write("/blocks", "");
    expect_write("/late", "1");
    told("");
    dom0_breaks();                                  /* new again, and nothing left of dom0's either */
    dom0_sync(NULL);
    told("");                                       /* nobody has removed those: they stay */
    ck_assert_str_eq(replica(), "/blocks= /blocks/sda/size=100 /late=1 /name=x /taken=1 " MARKER "=1 ");
    expect_write(MARKER, "1");
    expect_write("/late", "1");
    expect_write("/blocks/sda/size", "100");
    expect_write("/blocks", "");
    dom0_hears_nothing();
    guest_down();
}
END_TEST

/* dom0's daemon comes back empty, and is filled key by key or not at all: nothing was removed, and watchers are told of what
 * differs alone. How many keys dom0 has, and whether one of ours is among them, makes no difference. */
START_TEST(empty_store)
{
    bool named = _i & 1, ours = _i & 2;

    up_with_marker(named ? ENTRIES("/qubes-ip=10.1", "/name=x", "/a=1") : ENTRIES("/qubes-ip=10.1"));
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", 0, note, NULL, NULL), 0);
    if (ours) {
        ck_assert_int_eq(put("/mine", "1"), 0);
        expect_write(MARKER, "1");
        expect_write("/mine", "1");
        turn();
    }
    for (int round = 0; round < 3; round++) {
        dom0_breaks();
        dom0_sync(round == 1 && named ? ENTRIES("/a=1") : NULL);    /* dom0's first key of many */
        told("");
        ck_assert_str_eq(value_of("/qubes-ip"), "10.1");
        ck_assert_str_eq(value_of("/a"), named ? "1" : "-");
        if (ours) {
            expect_write(MARKER, "1");
            expect_write("/mine", "1");
        }
        turn();
        dom0_hears_nothing();
    }
    ck_assert(logged("stay as they were"));
    dom0_says(QUBESDB_WRITE, "/qubes-ip", "10.1");  /* the same again: no news */
    dom0_hears(QUBESDB_OK, "/qubes-ip", NULL);
    told("");
    dom0_says(QUBESDB_RM, "/qubes-ip", NULL);
    dom0_hears(QUBESDB_OK, "/qubes-ip", NULL);
    told("/qubes-ip- ");
    guest_down();
}
END_TEST

/* Kept keys go the way of all others once the new daemon has them; one that it never had stays, whatever the dumps say. */
START_TEST(kept_keys)
{
    guest_up_plain();
    dom0_sync(ENTRIES("/name=x", "/c=3", "/b=2", "/a=1"));
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", 0, note, NULL, NULL), 0);
    dom0_breaks();
    dom0_sync(NULL);
    dom0_says(QUBESDB_WRITE, "/a", "1");
    dom0_hears(QUBESDB_OK, "/a", NULL);
    dom0_says(QUBESDB_WRITE, "/b", "4");
    dom0_hears(QUBESDB_OK, "/b", NULL);
    told("/b=4 ");
    dom0_breaks();
    dom0_sync(ENTRIES("/b=4"));                     /* the same daemon: /a was removed there, /c and /name it never had */
    told("/a- ");
    ck_assert_str_eq(replica(), "/b=4 /c=3 /name=x ");
    ck_assert_int_eq(g.q->remove(g.q, "/c"), 0);    /* must not reach dom0: that would end its daemon */
    dom0_hears_nothing();
    ck_assert_int_eq(put("/name", "y"), 0);
    dom0_hears(QUBESDB_WRITE, "/name", "y");
    dom0_says(QUBESDB_OK, "/name", NULL);
    turn();
    dom0_breaks();
    dom0_sync(ENTRIES("/name=y", "/b=5"));
    told("/b=5 ");
    guest_down();
}
END_TEST

/* The marker may be there from a process before this one; dom0 may remove it. */
START_TEST(marker_of_an_earlier_process)
{
    up_with_marker(ENTRIES(MARKER "=1"));
    ck_assert_int_eq(put("/mine", "1"), 0);
    expect_write("/mine", "1");
    turn();
    dom0_breaks();
    dom0_sync(NULL);
    expect_write(MARKER, "1");
    expect_write("/mine", "1");
    dom0_says(QUBESDB_RM, MARKER, NULL);
    dom0_hears(QUBESDB_OK, MARKER, NULL);
    dom0_breaks();
    dom0_sync(NULL);                                /* no marker was there: what is missing, dom0 removed */
    dom0_hears_nothing();
    ck_assert_str_eq(replica(), "");
    ck_assert_int_eq(put("/mine", "1"), 0);
    expect_write(MARKER, "1");
    expect_write("/mine", "1");
    guest_down();
}
END_TEST

/* Wherever it sorts, the marker goes first. */
START_TEST(marker_goes_first)
{
    guest_up(ENTRIES("retry=0", "retry-max=0", "random-seed=leave", "marker=/a"));
    dom0_sync(NULL);
    ck_assert_int_eq(put("/b", "2"), 0);
    expect_write("/a", "1");
    expect_write("/b", "2");
    turn();
    dom0_breaks();
    dom0_sync(NULL);
    expect_write("/a", "1");
    expect_write("/b", "2");
    dom0_hears_nothing();
    guest_down();
}
END_TEST

/* More own keys than the queue of new writes holds: all go out again, new writes wait. */
START_TEST(new_store_gets_many_keys)
{
    char path[32], value[200];

    up_with_marker(NULL);
    memset(value, 'v', sizeof(value));
    value[199] = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof(path), "/k%03d", i);
        ck_assert_int_eq(put(path, value), 0);
        if (i == 0)
            expect_write(MARKER, "1");
        expect_write(path, value);
        turn();
    }
    dom0_breaks();
    dom0_sync(NULL);
    ck_assert_uint_eq(counter("resent"), 1001);
    ck_assert_int_eq(put("/new", "1"), -ENOSPC);
    expect_write(MARKER, "1");
    for (int i = 999; i >= 0; i--) {
        snprintf(path, sizeof(path), "/k%03d", i);
        expect_write(path, value);
    }
    turn();
    ck_assert_uint_eq(counter("pending"), 0);
    ck_assert_int_eq(put("/new", "1"), 0);
    guest_down();
}
END_TEST

/* The first tries come quickly, later ones at the longest distance, and there is no last one. */
START_TEST(retries_slow_down)
{
    double begin;
    unsigned tries;

    guest_up(ENTRIES("retry=10ms", "retry-max=80ms", "marker="));
    begin = ev_time();
    while (ev_time() < begin + 0.5 || g.f.made < 2) {
        fake_hang_up(&g.f);
        ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
    }
    tries = g.f.made;
    ck_assert_uint_ge(tries, 2);
    ck_assert_uint_le(tries, 11);                   /* 0, 10, 30, 70, 150, 230, 310, 390, 470 ms */
    dom0_sync(NULL);
    guest_down();
}
END_TEST

START_TEST(a_thousand_reconnects)
{
    int before;

    up_with_marker(ENTRIES("/a=1"));
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", 0, note, NULL, NULL), 0);
    before = open_fds();
    for (int i = 0; i < 1000; i++) {
        dom0_breaks();
        dom0_connect();
        if (i % 3)
            dom0_says(QUBESDB_GOT_MULTIREAD, "/a", "1");
        if (i % 3 == 1)
            dom0_end();
        turn();
    }
    dom0_breaks();
    dom0_sync(ENTRIES("/a=1"));
    told("");
    ck_assert_int_eq(open_fds(), before);
    ck_assert_int_eq(g.f.open, 1);
    ck_assert_uint_eq(counter("entries"), 1);
    ck_assert_uint_eq(counter("pending"), 0);
    ck_assert_uint_eq(counter("protocol_errors"), 0);
    guest_down();
}
END_TEST

START_TEST(status_lines)
{
    char text[1000];
    struct unik_text t;

    guest_up_plain();
    unik_text_init(&t, text, sizeof(text));
    g.ctx->plugin->status(g.ctx, &t);
    ck_assert_str_eq(text, "dom0: waiting for its daemon\nkeys: 0 (0 bytes)\nlast sync: never\npending writes: 0\n");
    dom0_sync(ENTRIES("/a=1"));
    ck_assert_int_eq(put("/b", "2"), 0);
    unik_text_init(&t, text, sizeof(text));
    g.ctx->plugin->status(g.ctx, &t);
    ck_assert_str_eq(text, "dom0: connected\nkeys: 2 (6 bytes)\nlast sync: 0 s ago\npending writes: 1\n");
    guest_down();
}
END_TEST

Suite *suite_reconnect(void)
{
    Suite *s = suite_create("qubesdb: reconnect");
    TCase *t = tcase_create("reconnect");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, gone_before_it_was_there);
    tcase_add_test(t, connect_fails);
    tcase_add_test(t, no_room_for_the_first_message);
    tcase_add_test(t, dump_breaks_off);
    tcase_add_test(t, only_differences);
    tcase_add_test(t, answers_die_with_the_connection);
    tcase_add_test(t, last_words_are_heard);
    tcase_add_test(t, unacknowledged_goes_again);
    tcase_add_test(t, unacknowledged_removal);
    tcase_add_test(t, removed_by_dom0_stays_removed);
    tcase_add_test(t, new_store_gets_our_keys);
    tcase_add_loop_test(t, empty_store, 0, 4);
    tcase_add_test(t, kept_keys);
    tcase_add_test(t, marker_of_an_earlier_process);
    tcase_add_test(t, marker_goes_first);
    tcase_add_test(t, new_store_gets_many_keys);
    tcase_add_test(t, retries_slow_down);
    tcase_add_test(t, a_thousand_reconnects);
    tcase_add_test(t, status_lines);
    suite_add_tcase(s, t);
    return s;
}
