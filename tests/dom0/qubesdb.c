/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/qubesdb.c - the QubesDB daemon: dump, changes both ways, what kills the real one, the command line. */
#include <stdio.h>
#include <string.h>

#include "protocol/qubesdb.h"
#include "tests/common/bytes.h"
#include "tests/dom0/run.h"

static void send_db(struct peer *p, enum qubesdb_type type, const char *path, const char *value)
{
    uint8_t message[QUBESDB_MESSAGE_MAX];
    int n = qubesdb_encode(message, sizeof(message), type, path, value, strlen(value));

    ck_assert_int_gt(n, 0);
    ck_assert(peer_send(p, message, (size_t)n));
}

static struct qubesdb_header receive_db(struct peer *p, char *value)
{
    uint8_t head[QUBESDB_HEADER];
    struct qubesdb_header h;

    ck_assert(peer_recv(p, head, sizeof(head), RUN_SECONDS));
    ck_assert_int_eq(qubesdb_decode(head, &h), 0);
    ck_assert(peer_recv(p, value, h.len, RUN_SECONDS));
    value[h.len] = 0;
    return h;
}

static void expect_db(struct peer *p, enum qubesdb_type type, const char *path, const char *value)
{
    char got[QUBESDB_VALUE_MAX + 1];
    struct qubesdb_header h = receive_db(p, got);

    ck_assert_uint_eq(h.type, type);
    ck_assert_str_eq(h.path, path);
    ck_assert_str_eq(got, value);
}

static struct peer *connect_db(struct run *r)
{
    struct peer *p = peer_connect(r->h, r->vchan, 0, 1, QUBESDB_PORT, RUN_SECONDS);

    ck_assert_ptr_nonnull(p);
    return p;
}

/* Connected, synced, the dump read: how many keys. */
static struct peer *sync_db(struct run *r, size_t *keys)
{
    struct peer *p = connect_db(r);
    char value[QUBESDB_VALUE_MAX + 1], last[QUBESDB_PATH] = "\x7f";
    struct qubesdb_header h;

    send_db(p, QUBESDB_MULTIREAD, "", "");
    for (*keys = 0; h = receive_db(p, value), h.path[0]; ++*keys) {
        ck_assert_uint_eq(h.type, QUBESDB_GOT_MULTIREAD);
        ck_assert_int_lt(strcmp(h.path, last), 0);      /* descending */
        snprintf(last, sizeof(last), "%s", h.path);
    }
    ck_assert_uint_eq(h.len, 0);
    return p;
}

static struct run *start_with(const char *keys, const char *options)
{
    char *dir = test_dir(), path[256], words[512];
    FILE *f;
    struct run *r;

    snprintf(path, sizeof(path), "%s/keys", dir);
    f = fopen(path, "w");
    fputs(keys, f);
    fclose(f);
    snprintf(words, sizeof(words), "--qubesdb %s %s", path, options);
    r = run_start(words);
    test_dir_remove(dir);
    return r;
}

START_TEST(dump_and_its_garbage)
{
    struct run *r = start_with("# comment\n/b two\\nlines\n/long-key \n  /a  x \\\\y", "");
    struct peer *p = connect_db(r);
    uint8_t head[QUBESDB_HEADER];

    send_db(p, QUBESDB_MULTIREAD, "", "");
    expect_db(p, QUBESDB_GOT_MULTIREAD, "/long-key", "");
    expect_db(p, QUBESDB_GOT_MULTIREAD, "/b", "two\nlines");
    expect_db(p, QUBESDB_GOT_MULTIREAD, "/a", " x \\y");
    ck_assert(peer_recv(p, head, sizeof(head), RUN_SECONDS));
    ck_assert_uint_eq(head[0], QUBESDB_GOT_MULTIREAD);
    ck_assert_int_eq(memcmp(head + 1, "\0a\0ng-key", 9), 0);       /* what earlier paths left */
    ck_assert_int_eq(memcmp(head + 68, "\0\0\0", 4), 0);
    peer_close(p);
    ck_assert(run_logged(r, "qubesdb: the guest went away"));
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(changes_both_ways)
{
    struct run *r = run_start("--name work --default-user joe --domid 1");
    size_t keys = 0, again = 0;
    struct peer *p = connect_db(r);
    struct program *w;

    send_db(p, QUBESDB_WRITE, "/early", "1");           /* before the dump: allowed, and part of it */
    expect_db(p, QUBESDB_OK, "/early", "");
    peer_close(p);
    ck_assert(run_logged(r, "VIOLATION: qubesdb: the guest left before its MULTIREAD"));
    p = sync_db(r, &keys);
    ck_assert_uint_gt(keys, 20);
    ck_assert_int_eq(run_command(r, "wait --seconds 5 qubesdb", NULL), 0);
    ck_assert_int_eq(run_command(r, "qubesdb read /early", NULL), 0);
    ck_assert_str_eq(r->out, "1\n");
    run_command(r, "qubesdb read /name", NULL);
    ck_assert_str_eq(r->out, "work\n");
    run_command(r, "qubesdb read /default-user", NULL);
    ck_assert_str_eq(r->out, "joe\n");

    w = run_begin(r, NULL, "qubesdb --count 4 watch /t/", NULL);
    host_run(r->h, 0.2);
    ck_assert_int_eq(run_command(r, "qubesdb write /t/a", "one two"), 0);
    expect_db(p, QUBESDB_WRITE, "/t/a", "one two");
    send_db(p, QUBESDB_OK, "/t/a", "");
    send_db(p, QUBESDB_WRITE, "/t/b", "guest");
    expect_db(p, QUBESDB_OK, "/t/b", "");
    ck_assert_int_eq(run_command(r, "qubesdb --values list /t/", NULL), 0);
    ck_assert_str_eq(r->out, "/t/a = one two\n/t/b = guest\n");
    send_db(p, QUBESDB_RM, "/t/b", "");
    expect_db(p, QUBESDB_OK, "/t/b", "");
    ck_assert_int_eq(run_command(r, "qubesdb rm /t/b", NULL), 2);
    ck_assert_int_eq(run_command(r, "qubesdb rm /t/", NULL), 0);
    expect_db(p, QUBESDB_RM, "/t/", "");
    send_db(p, QUBESDB_OK, "/t/", "");
    ck_assert_int_eq(run_end(r, w), 0);
    ck_assert_str_eq(r->out, "/t/a\n/t/b\n/t/b\n/t/\n");
    ck_assert_int_eq(run_command(r, "qubesdb write t", "x"), 1);

    peer_close(p);
    p = sync_db(r, &again);                             /* a guest that reconnects finds all as it was */
    ck_assert_uint_eq(again, keys);
    ck_assert_int_eq(run_count(r, "VIOLATION"), 1);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

/* Bytes sent after the sync; fatal: the real daemon exits. */
static const struct { const char *bytes, *violation; bool fatal; } wrong[] = {
    { "04 '/none' *59 *3 *4", "RM of a key that is not there", true },
    { "01 'none/x' *58 *3 01 *3 'v'", "WRITE of what is not a key", true },
    { "01 '/x/' *61 *3 01 *3 'v'", "WRITE of what is not a key", true },
    { "01 '/x!' *61 *3 *4", "bad character in the path", true },
    { "01 '-x' *62 *3 *4", "bad character in the path", true },
    { "01 '/x' *62 *3 00 0c *2", "over 3071 bytes", true },
    { "00 '/x' *62 *3 *4", "unknown type", true },
    { "03 '/x' *62 *3 *4", "unknown type", true },
    { "05 '/x' *62 *3 *4", "unknown type", true },
    { "0b '/x' *62 *3 *4", "unknown type", true },
    { "08 '/x' *62 *3 *4", "unknown type", true },
    { "ff '/x' *62 *3 *4", "unknown type", true },
    { "02 *64 *3 *4", "second MULTIREAD", true },
    { "09 '/x' *62 *3 01 *3 'v'", "RESP_ERROR with data", true },
    { "01 '/x' *62 *3 02 *3 'v' 00", "NUL in the value", false },
    { "04 '/x' *62 *3 01 *3 'v'", "RM /x with data", false },
    { "07 '/x' *62 *3 *4", "RESP_OK /x answers nothing", false },
    { "09 '/x' *62 *3 *4", "RESP_ERROR /x", false },
};

START_TEST(what_a_guest_does_wrong)
{
    struct run *r = start_with("/x 1\n", "");
    uint8_t bytes[256];
    size_t keys, n = bytes_of(wrong[_i].bytes, bytes, sizeof(bytes));
    struct peer *p = sync_db(r, &keys);

    ck_assert(peer_send(p, bytes, n));
    ck_assert(run_logged(r, wrong[_i].violation));
    ck_assert_int_eq(run_count(r, "VIOLATION"), 1);
    if (wrong[_i].fatal)
        ck_assert(peer_closed(p, RUN_SECONDS));
    else {
        char value[QUBESDB_VALUE_MAX + 1];
        bool answered = bytes[0] == QUBESDB_WRITE || bytes[0] == QUBESDB_RM;

        if (answered)
            ck_assert_uint_eq(receive_db(p, value).type, QUBESDB_ERROR);
        send_db(p, QUBESDB_WRITE, "/y", "on");
        expect_db(p, QUBESDB_OK, "/y", "");
    }
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(what_is_not_sent_in_time)
{
    struct run *r = start_with("/x 1\n", "--deadline 0.3");
    struct peer *p = connect_db(r);

    ck_assert(run_logged(r, "VIOLATION: qubesdb: no MULTIREAD (0 bytes came)"));
    send_db(p, QUBESDB_MULTIREAD, "", "");
    expect_db(p, QUBESDB_GOT_MULTIREAD, "/x", "1");
    expect_db(p, QUBESDB_GOT_MULTIREAD, "", "");
    run_command(r, "qubesdb write /y", "1");
    run_command(r, "qubesdb write /z", "1");
    ck_assert(run_logged(r, "VIOLATION: qubesdb: no RESP_OK for /y"));
    ck_assert(run_logged(r, "VIOLATION: qubesdb: no RESP_OK for /z"));
    run_command(r, "qubesdb write /z", "2");
    send_db(p, QUBESDB_OK, "/y", "");
    ck_assert(run_logged(r, "VIOLATION: qubesdb: RESP_OK \"/y\" with 0 bytes: expected \"/z\""));
    ck_assert(peer_send(p, "\4/x", 3));
    ck_assert(run_logged(r, "VIOLATION: qubesdb: half a message (3 bytes)"));
    peer_close(p);
    ck_assert(run_logged(r, "VIOLATION: qubesdb: closed in the middle of a message"));
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(a_guest_that_does_not_read)
{
    struct run *r = start_with("/x 1\n", "");
    size_t keys;
    struct peer *p = sync_db(r, &keys);
    char value[3001], path[64];
    bool complained = false;

    memset(value, 'v', 3000);
    value[3000] = 0;
    for (int i = 0; i < 400 && !complained; i++) {
        snprintf(path, sizeof(path), "qubesdb write /k%d", i);
        ck_assert_int_eq(run_command(r, path, value), 0);
        complained = i % 20 == 19 && run_count(r, "the guest does not read") > 0;
    }
    ck_assert(complained);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(a_new_daemon)
{
    struct run *r = start_with("/x 1\n", "");
    size_t keys;
    struct peer *p = sync_db(r, &keys);

    ck_assert_int_eq(run_command(r, "restart --seconds 0.1 qubesdb", NULL), 0);
    ck_assert(peer_closed(p, RUN_SECONDS));
    peer_close(p);
    p = sync_db(r, &keys);
    ck_assert_uint_eq(keys, 1);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

TCase *case_qubesdb(void)
{
    TCase *t = tcase_create("qubesdb");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, dump_and_its_garbage);
    tcase_add_test(t, changes_both_ways);
    tcase_add_loop_test(t, what_a_guest_does_wrong, 0, sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(t, what_is_not_sent_in_time);
    tcase_add_test(t, a_guest_that_does_not_read);
    tcase_add_test(t, a_new_daemon);
    return t;
}
