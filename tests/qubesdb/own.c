/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qubesdb/own.c - own writes and removals: never what ends dom0's daemon, bounded, nothing lost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/qubesdb/dom0.h"

static int put(const char *path, const char *value) { return g.q->write(g.q, path, value, strlen(value)); }

START_TEST(write_and_ack)
{
    guest_up_synced();
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", 0, note, NULL, NULL), 0);
    ck_assert_int_eq(put("/features-request/vmexec", "1"), 0);
    ck_assert_str_eq(value_of("/features-request/vmexec"), "1");    /* at once: there is no echo */
    ck_assert_uint_eq(fake_waiting(&g.f), 0);                       /* from the loop, after the input */
    ck_assert_int_eq(put("/empty", ""), 0);
    dom0_hears(QUBESDB_WRITE, "/features-request/vmexec", "1");
    dom0_hears(QUBESDB_WRITE, "/empty", "");
    ck_assert_uint_eq(counter("pending"), 2);
    dom0_says(QUBESDB_OK, "/features-request/vmexec", NULL);
    dom0_says(QUBESDB_OK, "/empty", NULL);
    told("");
    ck_assert_uint_eq(counter("pending"), 0);
    ck_assert_uint_eq(counter("pending_high"), 2);
    ck_assert_uint_eq(counter("writes_out"), 2);
    ck_assert_uint_eq(counter("acks"), 2);
    ck_assert_int_eq(put("/empty", ""), 0);                         /* a trigger: sent each time */
    dom0_hears(QUBESDB_WRITE, "/empty", "");
    guest_down();
}
END_TEST

START_TEST(nothing_deadly_is_sent)
{
    static const char *const bad[] = { "", "a", "/", "/a/", "-a", "/a b", "/a\n", "/\xc3\xa4", "/a+b",
        "/234567890123456789012345678901234567890123456789012345678901_34" };
    static char big[QUBESDB_VALUE_MAX + 2];

    guest_up_plain();
    dom0_sync(ENTRIES("/there=1"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(g.q->write(g.q, bad[i], "1", 1), -EINVAL);
        ck_assert_int_eq(g.q->remove(g.q, bad[i]), -EINVAL);
    }
    memset(big, 'x', sizeof(big) - 1);
    ck_assert_int_eq(g.q->write(g.q, "/big", big, QUBESDB_VALUE_MAX + 1), -EINVAL);
    ck_assert_int_eq(g.q->write(g.q, "/nul", "1\0002", 3), -EINVAL);
    ck_assert_int_eq(g.q->remove(g.q, "/not-there"), -ENOENT);
    ck_assert_int_eq(g.q->remove(g.q, "/there/"), -EINVAL);
    dom0_hears_nothing();
    ck_assert_str_eq(replica(), "/there=1 ");
    ck_assert_int_eq(g.q->write(g.q, "/big", big, QUBESDB_VALUE_MAX), 0);
    big[QUBESDB_VALUE_MAX] = 0;
    dom0_hears(QUBESDB_WRITE, "/big", big);
    guest_down();
}
END_TEST

START_TEST(remove_known_key)
{
    guest_up_plain();
    dom0_sync(ENTRIES("/seed=s"));
    ck_assert_int_eq(g.q->remove(g.q, "/seed"), 0);
    ck_assert_str_eq(value_of("/seed"), "-");
    ck_assert_uint_eq(g.q->list(g.q, "/", NULL, NULL), 0);
    ck_assert_int_eq(g.q->remove(g.q, "/seed"), -ENOENT);
    dom0_hears(QUBESDB_RM, "/seed", NULL);
    dom0_says(QUBESDB_OK, "/seed", NULL);
    turn();
    ck_assert_uint_eq(counter("entries"), 0);
    ck_assert_uint_eq(counter("pending"), 0);
    guest_down();
}
END_TEST

/* A removal waits until nothing is in flight, so that the key is surely there, and is dropped if dom0 was faster. */
START_TEST(remove_waits)
{
    guest_up_synced();
    ck_assert_int_eq(put("/k", "1"), 0);
    ck_assert_int_eq(g.q->remove(g.q, "/k"), 0);
    ck_assert_int_eq(put("/after", "1"), 0);
    dom0_hears(QUBESDB_WRITE, "/k", "1");
    dom0_hears_nothing();
    dom0_says(QUBESDB_OK, "/k", NULL);
    dom0_hears(QUBESDB_RM, "/k", NULL);
    dom0_hears(QUBESDB_WRITE, "/after", "1");
    dom0_says(QUBESDB_OK, "/k", NULL);
    dom0_says(QUBESDB_OK, "/after", NULL);
    turn();
    ck_assert_str_eq(replica(), "/after=1 ");

    ck_assert_int_eq(put("/k", "2"), 0);
    ck_assert_int_eq(g.q->remove(g.q, "/after"), 0);
    dom0_hears(QUBESDB_WRITE, "/k", "2");
    dom0_says(QUBESDB_RM, "/after", NULL);          /* by somebody in dom0, just before */
    dom0_says(QUBESDB_OK, "/k", NULL);
    dom0_hears(QUBESDB_OK, "/after", NULL);
    dom0_hears_nothing();                           /* ours would have ended the daemon */
    ck_assert_uint_eq(counter("pending"), 0);
    ck_assert_uint_eq(counter("removes_out"), 1);
    ck_assert_str_eq(replica(), "/k=2 ");
    guest_down();
}
END_TEST

/* However much input there is: all of it is taken before anything is sent. The last message makes the removal deadly. */
START_TEST(input_before_output)
{
    uint8_t got[QUBESDB_HEADER];

    guest_up_plain();
    g.f.ring = 1u << 17;                            /* no lack of room */
    dom0_breaks();
    dom0_sync(ENTRIES("/k=1"));
    for (int i = 0; i < 700; i++)
        dom0_says(QUBESDB_WRITE, "/other", i & 1 ? "1" : "2");
    dom0_says(QUBESDB_RM, "/k", NULL);
    ck_assert_int_eq(g.q->remove(g.q, "/k"), 0);
    for (int i = 0; i < 701; i++) {
        UNTIL(fake_waiting(&g.f) > 0);
        fake_take(&g.f, got, sizeof(got));
        ck_assert_uint_eq(got[0], QUBESDB_OK);
    }
    dom0_hears_nothing();
    ck_assert_uint_eq(counter("removes_out"), 0);
    guest_down();
}
END_TEST

/* An own request on its way is newer than what dom0 says before it answers. */
START_TEST(crossing_writes)
{
    guest_up_plain();
    dom0_sync(ENTRIES("/d/k=0"));
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", 0, note, NULL, NULL), 0);
    ck_assert_int_eq(put("/d/k", "ours"), 0);
    dom0_hears(QUBESDB_WRITE, "/d/k", "ours");
    dom0_says(QUBESDB_WRITE, "/d/k", "theirs");     /* before it read ours */
    dom0_hears(QUBESDB_OK, "/d/k", NULL);
    ck_assert_str_eq(value_of("/d/k"), "ours");
    dom0_says(QUBESDB_RM, "/d/", NULL);
    dom0_hears(QUBESDB_OK, "/d/", NULL);
    ck_assert_str_eq(value_of("/d/k"), "ours");
    told("");
    dom0_says(QUBESDB_OK, "/d/k", NULL);            /* now it has */
    dom0_says(QUBESDB_WRITE, "/d/k", "theirs");
    dom0_hears(QUBESDB_OK, "/d/k", NULL);
    told("/d/k=theirs ");
    guest_down();
}
END_TEST

START_TEST(refused)
{
    guest_up_synced();
    ck_assert_int_eq(put("/a", "1"), 0);
    ck_assert_int_eq(put("/b", "2"), 0);
    dom0_hears(QUBESDB_WRITE, "/a", "1");
    dom0_hears(QUBESDB_WRITE, "/b", "2");
    dom0_says(QUBESDB_ERROR, "/a", NULL);
    dom0_says(QUBESDB_OK, "/b", NULL);
    turn();
    ck_assert_int_eq(host_state(g.ctx), HOST_READY);
    ck_assert_uint_eq(counter("refused"), 1);
    ck_assert_uint_eq(counter("acks"), 1);
    ck_assert_uint_eq(counter("pending"), 0);
    ck_assert(logged("dom0 refused WRITE of /a (1 bytes)"));
    ck_assert_int_eq(g.q->remove(g.q, "/a"), 0);    /* dom0 does not have it: nothing to send */
    dom0_hears_nothing();
    ck_assert_int_eq(g.q->remove(g.q, "/b"), 0);
    dom0_hears(QUBESDB_RM, "/b", NULL);
    dom0_says(QUBESDB_ERROR_NOENT, "/b", NULL);     /* dom0's removal crossed ours */
    turn();
    ck_assert_uint_eq(counter("refused"), 2);
    ck_assert(logged("its daemon ends after this"));
    guest_down();
}
END_TEST

START_TEST(answers_out_of_order)
{
    guest_up_synced();
    ck_assert_int_eq(put("/a", "1"), 0);
    ck_assert_int_eq(put("/b", "2"), 0);
    dom0_hears(QUBESDB_WRITE, "/a", "1");
    dom0_hears(QUBESDB_WRITE, "/b", "2");
    dom0_says(QUBESDB_OK, "/b", NULL);
    turn();
    ck_assert_uint_eq(counter("protocol_errors"), 1);
    ck_assert(logged("dom0 was asked for WRITE of /a"));
    dom0_connect();                                 /* neither is lost */
    dom0_hears_nothing();
    dom0_end();
    dom0_hears(QUBESDB_WRITE, "/a", "1");
    dom0_hears(QUBESDB_WRITE, "/b", "2");
    guest_down();
}
END_TEST

/* dom0 does not read: writes are bounded, nothing accepted is lost, and input is still taken. */
START_TEST(write_flood)
{
    char path[32], value[1000];
    int accepted = 0, e = 0;

    guest_up_synced();
    memset(value, 'v', sizeof(value));
    for (int i = 0; i < 10000; i++) {
        snprintf(path, sizeof(path), "/k%05d", i);
        e = g.q->write(g.q, path, value, sizeof(value));
        if (e < 0)
            break;
        accepted++;
        if (i % 7 == 0)
            turn();
    }
    ck_assert_int_eq(e, -ENOSPC);
    ck_assert_int_eq(accepted, 65536 / (72 + 1000));
    ck_assert_str_eq(value_of(path), "-");
    turn();
    ck_assert_uint_le(fake_waiting(&g.f), FAKE_RING);
    ck_assert_uint_eq(fake_waiting(&g.f) % (72 + 1000), 0);     /* whole messages only */
    dom0_says(QUBESDB_WRITE, "/input", "1");
    turn();
    ck_assert_str_eq(value_of("/input"), "1");
    for (int i = 0; i < accepted; i++) {
        uint8_t got[QUBESDB_HEADER + sizeof(value)];

        do {                                                    /* one answer to "/input" comes in between */
            UNTIL(fake_waiting(&g.f) >= QUBESDB_HEADER);
            fake_take(&g.f, got, QUBESDB_HEADER);
        } while (got[0] == QUBESDB_OK);
        ck_assert_uint_eq(got[0], QUBESDB_WRITE);
        snprintf(path, sizeof(path), "/k%05d", i);
        ck_assert_str_eq((char *)got + 1, path);
        UNTIL(fake_waiting(&g.f) >= sizeof(value));
        fake_take(&g.f, got, sizeof(value));
        dom0_says(QUBESDB_OK, path, NULL);
    }
    turn();
    ck_assert_uint_eq(counter("pending"), 0);
    ck_assert_uint_eq(counter("acks"), (uint64_t)accepted);
    ck_assert_int_eq(put("/more", "1"), 0);
    guest_down();
}
END_TEST

/* dom0 writes and does not read: what can't be answered is counted, never left unread. */
START_TEST(answers_are_bounded)
{
    uint8_t got[QUBESDB_HEADER];
    uint64_t answers = 0;
    char path[32];

    guest_up_synced();
    for (int i = 0; i < 3000; i++) {
        snprintf(path, sizeof(path), "/k%d", i % 100);
        dom0_says(QUBESDB_WRITE, path, "1");
    }
    UNTIL(counter("writes_in") == 3000);
    ck_assert_uint_gt(counter("answers_dropped"), 1500);
    turn();
    while (fake_take(&g.f, got, sizeof(got)) == sizeof(got)) {
        ck_assert_uint_eq(got[0], QUBESDB_OK);
        answers++;
        turn();
    }
    ck_assert_uint_eq(answers + counter("answers_dropped"), 3000);
    ck_assert_int_eq(host_state(g.ctx), HOST_READY);
    guest_down();
}
END_TEST

START_TEST(drain_flushes)
{
    guest_up(ENTRIES("retry=0", "retry-max=0", "marker=", "flush=60s"));
    dom0_connect();
    dom0_end();
    turn();
    ck_assert_int_eq(put("/last", "word"), 0);
    host_drain(g.ctx);
    turn();
    ck_assert(!host_is_drained(g.ctx));
    dom0_hears(QUBESDB_WRITE, "/last", "word");
    turn();
    ck_assert(!host_is_drained(g.ctx));
    dom0_says(QUBESDB_OK, "/last", NULL);
    UNTIL(host_is_drained(g.ctx));
    guest_down();
}
END_TEST

START_TEST(drain_has_a_deadline)
{
    guest_up(ENTRIES("marker=", "flush=10ms"));
    host_drain(g.ctx);
    ck_assert(host_is_drained(g.ctx));              /* nothing waits */
    guest_down();
    guest_up(ENTRIES("marker=", "flush=10ms"));
    ck_assert_int_eq(put("/last", "word"), 0);
    host_drain(g.ctx);
    ck_assert(!host_is_drained(g.ctx));
    UNTIL(host_is_drained(g.ctx));
    ck_assert(logged("1 own requests not acknowledged by dom0, which is not connected"));
    guest_down();
}
END_TEST

START_TEST(options_are_checked)
{
    static const char *const marker[] = { "marker=bad/", NULL }, *const retry[] = { "retry=5", "retry-max=1", NULL };
    static const char *const *const sets[] = { marker, retry };

    for (int i = 0; i < 2; i++) {
        struct host *h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
        struct unik_ctx *ctx = host_add(h, &unik_plugin_qubesdb, sets[i]);

        ck_assert_ptr_nonnull(ctx);
        ck_assert_int_eq(host_start(ctx), -EINVAL);
        host_free(h);
    }
}
END_TEST

Suite *suite_own(void)
{
    Suite *s = suite_create("qubesdb: own writes");
    TCase *t = tcase_create("own");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, write_and_ack);
    tcase_add_test(t, nothing_deadly_is_sent);
    tcase_add_test(t, remove_known_key);
    tcase_add_test(t, remove_waits);
    tcase_add_test(t, input_before_output);
    tcase_add_test(t, crossing_writes);
    tcase_add_test(t, refused);
    tcase_add_test(t, answers_out_of_order);
    tcase_add_test(t, write_flood);
    tcase_add_test(t, answers_are_bounded);
    tcase_add_test(t, drain_flushes);
    tcase_add_test(t, drain_has_a_deadline);
    tcase_add_test(t, options_are_checked);
    suite_add_tcase(s, t);
    return s;
}
