/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qubesdb/wire.c - every message from dom0, well-formed or not, and what the guest sends in return. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/qubesdb/dom0.h"

/* "/a=1", "/b=" and the end, as dom0's daemon lays them out: 11, path, left-over bytes, u32 length. */
START_TEST(first_sync_to_the_byte)
{
    static const uint8_t multiread[72] = { 2 };
    uint8_t script[72 + 72 + 2 + 72], got[72];
    uint64_t all = sizeof(script);

    memset(script, 0xee, sizeof(script));
    memcpy(script, "\x0b/b", 4), memcpy(script + 68, "\0\0\0\0", 4);
    memcpy(script + 72, "\x0b/a", 4), memcpy(script + 140, "\2\0\0\0" "42", 6);
    memcpy(script + 146, "\x0b\0a", 3), memcpy(script + 214, "\0\0\0\0", 4);

    guest_up_plain();
    ck_assert_int_eq(host_state(g.ctx), HOST_STARTING);
    ck_assert_str_eq(host_reason(g.ctx), "waiting for dom0's daemon");
    turn();
    ck_assert_uint_eq(g.f.made, 1);
    fake_offer(&g.f);
    UNTIL(fake_waiting(&g.f) > 0);
    turn();
    ck_assert_uint_eq(fake_take(&g.f, got, sizeof(got)), sizeof(multiread));
    ck_assert_mem_eq(got, multiread, sizeof(multiread));
    for (size_t i = 0; i < all; i++) {
        ck_assert_int_eq(host_state(g.ctx), HOST_STARTING);
        ck_assert_str_eq(value_of("/a"), "-");
        fake_send(&g.f, script + i, 1);
        turn();
    }
    ck_assert_int_eq(host_state(g.ctx), HOST_READY);
    ck_assert_str_eq(replica(), "/a=42 /b= ");
    ck_assert_uint_eq(counter("syncs"), 1);
    ck_assert_uint_eq(counter("entries"), 2);
    dom0_hears_nothing();
    guest_down();
}
END_TEST

/* A dump and live messages, split in two at every byte. */
START_TEST(split_anywhere)
{
    static const uint8_t ok[72] = { 7, '/', 'k' }, ok_dir[72] = { 7, '/', 'd', '/' };
    uint8_t script[72 * 7 + 20], got[72 * 3];
    size_t n = 0;

    n += dom0_message(script + n, QUBESDB_GOT_MULTIREAD, "/k", "old", 3);
    n += dom0_message(script + n, QUBESDB_GOT_MULTIREAD, "/d/1", "x", 1);
    n += dom0_message(script + n, QUBESDB_GOT_MULTIREAD, "/a", "", 0);
    n += dom0_message(script + n, QUBESDB_GOT_MULTIREAD, "", "", 0);
    n += dom0_message(script + n, QUBESDB_WRITE, "/k", "new\nline", 8);
    n += dom0_message(script + n, QUBESDB_RM, "/d/", "", 0);
    for (size_t cut = 1; cut < n; cut++) {
        guest_up_plain();
        dom0_connect();
        fake_send(&g.f, script, cut);
        turn();
        fake_send(&g.f, script + cut, n - cut);
        turn();
        ck_assert_str_eq(replica(), "/a= /k=new\nline ");
        ck_assert_uint_eq(fake_take(&g.f, got, sizeof(got)), 144);
        ck_assert_mem_eq(got, ok, 72);
        ck_assert_mem_eq(got + 72, ok_dir, 72);
        guest_down();
    }
}
END_TEST

/* The stream gives a few bytes at a time. */
START_TEST(small_windows)
{
    for (size_t window = 1; window < 150; window += 7) {
        guest_up_plain();
        g.f.window = window;
        dom0_sync(ENTRIES("/z=26", "/a=1"));
        dom0_says(QUBESDB_WRITE, "/a", "2");
        dom0_hears(QUBESDB_OK, "/a", NULL);
        ck_assert_str_eq(replica(), "/a=2 /z=26 ");
        guest_down();
    }
}
END_TEST

START_TEST(live_messages)
{
    guest_up_plain();
    dom0_sync(ENTRIES("/qubes-ip6=fd::1", "/qubes-ip=10.137.0.15", "/d/b=2", "/d/a=1", "/d="));
    dom0_says(QUBESDB_WRITE, "/new", "");
    dom0_hears(QUBESDB_OK, "/new", NULL);
    ck_assert_str_eq(value_of("/new"), "");
    dom0_says(QUBESDB_RM, "/new", NULL);
    dom0_hears(QUBESDB_OK, "/new", NULL);
    ck_assert_str_eq(value_of("/new"), "-");
    dom0_says(QUBESDB_RM, "/new", NULL);                /* not there: still OK */
    dom0_hears(QUBESDB_OK, "/new", NULL);
    dom0_says(QUBESDB_RM, "/qubes-ip", NULL);           /* exact */
    dom0_hears(QUBESDB_OK, "/qubes-ip", NULL);
    dom0_says(QUBESDB_RM, "/d/", NULL);                 /* not "/d" itself */
    dom0_hears(QUBESDB_OK, "/d/", NULL);
    ck_assert_str_eq(replica(), "/d= /qubes-ip6=fd::1 ");
    dom0_says(QUBESDB_RM, "/d/", NULL);
    dom0_hears(QUBESDB_OK, "/d/", NULL);
    ck_assert_uint_eq(counter("writes_in"), 1);
    ck_assert_uint_eq(counter("removes_in"), 5);
    ck_assert_uint_eq(counter("entries"), 2);
    dom0_hears_nothing();
    guest_down();
}
END_TEST

START_TEST(largest_value)
{
    static char value[QUBESDB_VALUE_MAX + 2];

    memset(value, 'x', QUBESDB_VALUE_MAX);
    guest_up_plain();
    dom0_connect();
    dom0_says(QUBESDB_GOT_MULTIREAD, "/big", value);
    dom0_end();
    turn();
    ck_assert_str_eq(value_of("/big"), value);
    value[0] = 'y';
    dom0_says(QUBESDB_WRITE, "/big", value);
    dom0_hears(QUBESDB_OK, "/big", NULL);
    ck_assert_str_eq(value_of("/big"), value);
    ck_assert_uint_eq(counter("protocol_errors"), 0);
    value[QUBESDB_VALUE_MAX] = 'z';
    dom0_says(QUBESDB_WRITE, "/big", value);
    turn();
    ck_assert_uint_eq(counter("protocol_errors"), 1);
    ck_assert_str_eq(host_reason(g.ctx), "protocol error");
    ck_assert(logged("length 3072"));
    guest_down();
}
END_TEST

/* What dom0 must not send: in the dump, or live. */
static const struct { const char *name; bool live; uint8_t type; const char *path; size_t len; } wrong[] = {
    { "READ", true, QUBESDB_READ, "/a", 0 },
    { "MULTIREAD", true, QUBESDB_MULTIREAD, "", 0 },
    { "LIST", true, QUBESDB_LIST, "/a", 0 },
    { "WATCH", true, QUBESDB_WATCH, "/a", 0 },
    { "UNWATCH", true, QUBESDB_UNWATCH, "/a", 0 },
    { "GOT_READ", true, QUBESDB_GOT_READ, "/a", 1 },
    { "GOT_LIST", true, QUBESDB_GOT_LIST, "/a", 0 },
    { "GOT_WATCH", true, QUBESDB_GOT_WATCH, "/a", 0 },
    { "unknown", true, 14, "/a", 0 },
    { "unknown", true, 255, "/a", 0 },
    { "GOT_MULTIREAD", true, QUBESDB_GOT_MULTIREAD, "/a", 1 },
    { "GOT_MULTIREAD", true, QUBESDB_GOT_MULTIREAD, "", 0 },
    { "OK", true, QUBESDB_OK, "/a", 0 },
    { "ERROR", true, QUBESDB_ERROR, "/a", 0 },
    { "ERROR_NOENT", true, QUBESDB_ERROR_NOENT, "/a", 0 },
    { "OK", true, QUBESDB_OK, "/a", 1 },
    { "RM", true, QUBESDB_RM, "/a", 1 },
    { "RM", true, QUBESDB_RM, "", 0 },
    { "RM", true, QUBESDB_RM, "a", 0 },
    { "RM", true, QUBESDB_RM, "a/", 0 },
    { "WRITE", true, QUBESDB_WRITE, "", 1 },
    { "WRITE", true, QUBESDB_WRITE, "a", 1 },
    { "WRITE", true, QUBESDB_WRITE, "/a/", 1 },
    { "WRITE", true, QUBESDB_WRITE, "/a b", 1 },
    { "WRITE", true, QUBESDB_WRITE, "-a", 1 },
    { "WRITE", true, QUBESDB_WRITE, "/a", 3072 },
    { "WRITE", true, QUBESDB_WRITE, "/a", 0xffffffff },
    { "WRITE", false, QUBESDB_WRITE, "/a", 1 },
    { "RM", false, QUBESDB_RM, "/a", 0 },
    { "OK", false, QUBESDB_OK, "/a", 0 },
    { "GOT_MULTIREAD", false, QUBESDB_GOT_MULTIREAD, "", 1 },
    { "GOT_MULTIREAD", false, QUBESDB_GOT_MULTIREAD, "/a", 3072 },
};

START_TEST(protocol_error)
{
    uint8_t message[QUBESDB_HEADER];
    char line[200];

    guest_up_plain();
    dom0_sync(ENTRIES("/kept=1"));
    if (!wrong[_i].live) {
        dom0_breaks();
        dom0_connect();
        dom0_says(QUBESDB_GOT_MULTIREAD, "/other", "1");
    }
    dom0_message(message, wrong[_i].type, wrong[_i].path, NULL, 0);
    for (int i = 0; i < 4; i++)
        message[68 + i] = (uint8_t)(wrong[_i].len >> (8 * i));
    fake_send(&g.f, message, sizeof(message));          /* the header alone is enough */
    turn();
    ck_assert_uint_eq(counter("protocol_errors"), 1);
    ck_assert_int_eq(host_state(g.ctx), HOST_DEGRADED);
    snprintf(line, sizeof(line), "protocol error by dom0: %s (type %u) path \"%s\" length %u: ", wrong[_i].name,
             wrong[_i].type, wrong[_i].path, (unsigned)wrong[_i].len);
    ck_assert_msg(logged(line), "%s\n%s", line, g.log);
    ck_assert_str_eq(replica(), "/kept=1 ");
    ck_assert_uint_eq(fake_waiting(&g.f), 0);           /* no answer to it */
    dom0_sync(ENTRIES("/kept=2"));                      /* and it comes back */
    ck_assert_str_eq(replica(), "/kept=2 ");
    guest_down();
}
END_TEST

START_TEST(path_without_end)
{
    uint8_t message[QUBESDB_HEADER];

    guest_up_synced();
    memset(message, 'a', sizeof(message));
    message[0] = QUBESDB_WRITE;
    memset(message + 65, 0, 7);
    fake_send(&g.f, message, sizeof(message));
    turn();
    ck_assert_uint_eq(counter("protocol_errors"), 1);
    ck_assert(logged("WRITE (type 1) path \"aaaaaaaa"));
    guest_down();
}
END_TEST

START_TEST(nul_in_a_value)
{
    guest_up_synced();
    dom0_says_bytes(QUBESDB_WRITE, "/a", "1\0002", 3);
    turn();
    ck_assert_uint_eq(counter("protocol_errors"), 1);
    dom0_connect();
    dom0_says_bytes(QUBESDB_GOT_MULTIREAD, "/b", "1\0002", 3);  /* in the store: it would come back with each dump */
    dom0_says_bytes(QUBESDB_GOT_MULTIREAD, "/a b", "1", 1);
    dom0_says_bytes(QUBESDB_GOT_MULTIREAD, "/a", "1", 1);
    dom0_end();
    turn();
    ck_assert_int_eq(host_state(g.ctx), HOST_READY);
    ck_assert_str_eq(replica(), "/a=1 ");
    ck_assert_uint_eq(counter("skipped"), 2);
    ck_assert_uint_eq(counter("protocol_errors"), 1);
    ck_assert(logged("key \"/a b\" (1 bytes) from dom0 skipped"));
    guest_down();
}
END_TEST

START_TEST(longest_path)
{
    const char *path = "/234567890123456789012345678901234567890123456789012345678901_3";

    ck_assert_uint_eq(strlen(path), UNIK_QUBESDB_PATH_MAX);
    guest_up_synced();
    dom0_says(QUBESDB_WRITE, path, "1");
    dom0_hears(QUBESDB_OK, path, NULL);
    ck_assert_str_eq(value_of(path), "1");
    ck_assert_int_eq(g.q->write(g.q, path, "2", 1), 0);
    dom0_hears(QUBESDB_WRITE, path, "2");
    guest_down();
}
END_TEST

/* Past a limit: the key is skipped and named, and the rest stays in step. */
START_TEST(limits_are_soft)
{
    static char big[3000];
    char path[64];

    memset(big, 'b', sizeof(big) - 1);
    guest_up(ENTRIES("retry=0", "retry-max=0", "marker=", "max-entries=64", "max-bytes=65536"));
    dom0_connect();
    for (int i = 99; i >= 0; i--) {
        snprintf(path, sizeof(path), "/k%02d", i);
        dom0_says(QUBESDB_GOT_MULTIREAD, path, "1");
    }
    dom0_end();
    turn();
    ck_assert_int_eq(host_state(g.ctx), HOST_READY);
    ck_assert_uint_eq(counter("entries"), 64);
    ck_assert_uint_eq(counter("skipped"), 36);
    ck_assert(logged("key \"/k35\" (1 bytes) from dom0 skipped: the replica is full"));
    dom0_says(QUBESDB_WRITE, "/more", "1");
    dom0_hears(QUBESDB_OK, "/more", NULL);
    ck_assert_str_eq(value_of("/more"), "-");
    ck_assert_int_eq(g.q->write(g.q, "/mine", "1", 1), -ENOSPC);
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/k99", 0, note, NULL, NULL), 0);
    for (int i = 0; i < 64; i++) {
        snprintf(path, sizeof(path), "/k%02d", i + 36);
        dom0_says(QUBESDB_WRITE, path, big);
        dom0_hears(QUBESDB_OK, path, NULL);
    }
    ck_assert_str_eq(value_of("/k36"), big);
    ck_assert_str_eq(value_of("/k99"), "-");    /* did not fit: better nothing than an old value */
    told("/k99- ");
    ck_assert_uint_le(counter("bytes"), 65536);
    ck_assert_uint_eq(counter("entries_high"), 64);
    ck_assert_uint_eq(counter("protocol_errors"), 0);
    guest_down();
}
END_TEST

START_TEST(seed_is_never_logged)
{
    guest_up(ENTRIES("retry=0", "retry-max=0", "marker=", "random-seed=clear"));
    dom0_connect();
    dom0_says(QUBESDB_GOT_MULTIREAD, "/qubes-random-seed", "c2VjcmV0");
    dom0_end();
    dom0_hears(QUBESDB_WRITE, "/qubes-random-seed", "");
    dom0_says(QUBESDB_OK, "/qubes-random-seed", NULL);
    dom0_says(QUBESDB_WRITE, "/qubes-random-seed", "bW9yZSBzZWNyZXQ=");
    dom0_hears(QUBESDB_OK, "/qubes-random-seed", NULL);
    dom0_hears(QUBESDB_WRITE, "/qubes-random-seed", "");
    dom0_says(QUBESDB_OK, "/qubes-random-seed", NULL);
    dom0_says(QUBESDB_WRITE, "/public", "value");
    turn();
    ck_assert(!logged("c2Vj"));
    ck_assert(!logged("bW9y"));
    ck_assert(logged("dom0 wrote /qubes-random-seed = (not shown)"));
    ck_assert(logged("3 dom0 wrote /public = value"));          /* 3: debug */
    ck_assert_str_eq(value_of("/qubes-random-seed"), "");
    guest_down();
}
END_TEST

Suite *suite_wire(void)
{
    Suite *s = suite_create("qubesdb: wire");
    TCase *t = tcase_create("wire");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, first_sync_to_the_byte);
    tcase_add_test(t, split_anywhere);
    tcase_add_test(t, small_windows);
    tcase_add_test(t, live_messages);
    tcase_add_test(t, largest_value);
    tcase_add_loop_test(t, protocol_error, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
    tcase_add_test(t, path_without_end);
    tcase_add_test(t, nul_in_a_value);
    tcase_add_test(t, longest_path);
    tcase_add_test(t, limits_are_soft);
    tcase_add_test(t, seed_is_never_logged);
    suite_add_tcase(s, t);
    return s;
}
