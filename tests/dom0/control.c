/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/control.c - the control channel: what kills the real daemon, what is missing, ports. */
#include <stdio.h>
#include <string.h>

#include "tests/common/bytes.h"
#include "tests/dom0/run.h"

static void send_bytes(struct peer *p, const char *text)
{
    uint8_t bytes[1024];
    size_t n = bytes_of(text, bytes, sizeof(bytes));

    ck_assert(peer_send(p, bytes, n));
}

/* Each row of the table of what is fatal to the daemon: protocol, bytes, and what the log says. */
static const struct { int version; const char *bytes, *violation; } fatal[] = {
    { 0, "10 02 *2 80 *3", "expected HELLO" },
    { 0, "00 03 *2 05 *3", "HELLO has 4 bytes" },
    { 0, "00 03 *2 04 *3 01 *3", "HELLO with a version below 2" },
    { 3, "00 03 *2 04 *3 03 *3", "second HELLO" },
    { 3, "00 02 *2 09 *3", "unknown type" },
    { 3, "91 01 *2 *4", "unknown type" },
    { 3, "14 02 *2 08 *3", "unknown type" },
    { 3, "10 02 *2 80 *3", "TRIGGER_SERVICE is for protocol 2" },
    { 2, "12 02 *2 6b *3", "TRIGGER_SERVICE3 is for protocol 3 and 4" },
    { 3, "13 02 *2 ab *3", "TRIGGER_SERVICE4 is for protocol 4" },
    { 2, "10 02 *2 7f *3", "128 bytes expected" },
    { 3, "12 02 *2 60 *3", "97 to 65096 bytes expected" },
    { 3, "12 02 *2 49 fe 00 00", "97 to 65096 bytes expected" },
    { 4, "13 02 *2 a0 *3", "161 to 65160 bytes expected" },
    { 4, "13 02 *2 89 fe 00 00", "161 to 65160 bytes expected" },
    { 3, "11 02 *2 07 *3", "8 bytes expected" },
    { 3, "11 02 *2 08 *3 *4 00 02 *2", "port outside 513..768" },
    { 3, "11 02 *2 08 *3 *4 01 03 *2", "port outside 513..768" },
};

START_TEST(what_kills_the_daemon)
{
    struct run *r = run_start("");
    struct peer *c;

    if (fatal[_i].version)
        c = run_guest(r, 1, (uint32_t)fatal[_i].version);
    else {
        c = peer_listen(r->h, r->vchan, 1, 0, 512);
        ck_assert(peer_accept(c, RUN_SECONDS));
    }
    send_bytes(c, fatal[_i].bytes);
    ck_assert(peer_closed(c, RUN_SECONDS));
    ck_assert(run_logged(r, fatal[_i].violation));
    ck_assert_int_eq(run_count(r, "VIOLATION"), 1);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(goes_on_after_a_violation)
{
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3);

    send_bytes(c, "14 02 *2 08 *3");
    ck_assert(peer_closed(c, RUN_SECONDS));
    peer_close(c);
    c = run_guest(r, 1, 3);
    ck_assert_int_eq(run_command(r, "status --strict", NULL), 1);
    ck_assert_ptr_nonnull(strstr(r->out, "violation: qrexec: control: unknown type"));
    ck_assert_ptr_nonnull(strstr(r->out, "qrexec: connected, protocol 3"));
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(what_is_not_sent_in_time)
{
    struct run *r = run_start("--deadline 0.3");
    struct peer *c = peer_listen(r->h, r->vchan, 1, 0, 512), *d;
    struct program *p;

    ck_assert(peer_accept(c, RUN_SECONDS));
    ck_assert(run_logged(r, "VIOLATION: qrexec: no HELLO on the control channel"));
    send_bytes(c, "00 03 *2 04 *3 03 *3  11 02 *2");
    ck_assert(run_logged(r, "VIOLATION: qrexec: half a control message (4 bytes)"));
    send_bytes(c, "08 *3 *4 01 02 *2");

    p = run_begin(r, NULL, "exec", "user:a");
    d = peer_connect(r->h, r->vchan, 0, 1, 513, RUN_SECONDS);
    ck_assert(run_logged(r, "VIOLATION: qrexec: port 513: no HELLO on the data channel"));
    ck_assert_int_eq(run_end(r, p), 1);
    peer_close(d);

    p = run_begin(r, NULL, "exec", "user:b");
    d = run_data(r, 514);
    send_message(d, QREXEC_STDOUT, NULL, 0);
    send_exit(d, 0);
    ck_assert_int_eq(run_end(r, p), 0);
    ck_assert(run_logged(r, "VIOLATION: qrexec: no CONNECTION_TERMINATED for domain 0, port 514"));
    peer_close(d);

    p = run_begin(r, NULL, "exec", "user:c");
    d = run_data(r, 515);
    peer_close(d);
    ck_assert_int_eq(run_end(r, p), 255);
    ck_assert(run_logged(r, "VIOLATION: qrexec: no CONNECTION_TERMINATED for domain 0, port 515"));
    send_terminated(c, 0, 515);
    ck_assert(run_logged(r, "VIOLATION: qrexec: the call on port 515 ended without EXIT_CODE"));
    ck_assert_int_eq(run_count(r, "VIOLATION"), 6);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(closed_within_a_message)
{
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3);

    send_bytes(c, "11 02 *2 08 *3 *4");
    peer_hang_up(c);
    ck_assert(run_logged(r, "VIOLATION: qrexec: control channel closed in the middle of a message"));
    ck_assert(peer_accept(c, RUN_SECONDS));     /* a new agent is waited for */
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(a_new_agent)
{
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *waits = run_begin(r, NULL, "exec", "user:never"), *runs;

    expect_exec(c, 513, "user:never");
    runs = run_begin(r, NULL, "exec", "user:runs");
    expect_exec(c, 514, "user:runs");
    d = run_data(r, 514);
    expect_message(d, QREXEC_STDIN, NULL, 0);
    peer_close(c);
    ck_assert_int_eq(run_end(r, waits), 125);           /* not connected yet: it ends with the agent */
    c = run_guest(r, 1, 3);
    send_message(d, QREXEC_STDOUT, "on", 2);            /* connected: it goes on */
    send_message(d, QREXEC_STDOUT, NULL, 0);
    send_exit(d, 9);
    ck_assert_int_eq(run_end(r, runs), 9);
    ck_assert_str_eq(r->out, "on");
    runs = run_begin(r, NULL, "exec", "user:third");    /* the old ports are still taken */
    expect_exec(c, 515, "user:third");
    send_terminated(c, 0, 513);
    send_terminated(c, 0, 514);
    send_terminated(c, 0, 515);
    ck_assert(run_logged(r, "got"));
    kill(runs->pid, SIGTERM);
    run_end(r, runs);
    peer_close(d);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(a_new_daemon)
{
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *p = run_begin(r, NULL, "exec", "user:one");

    expect_exec(c, 513, "user:one");
    d = run_data(r, 513);
    expect_message(d, QREXEC_STDIN, NULL, 0);
    ck_assert_int_eq(run_command(r, "restart --seconds 0.1 qrexec", NULL), 0);
    ck_assert(peer_closed(c, RUN_SECONDS));
    peer_close(c);
    c = run_guest(r, 1, 3);
    send_message(d, QREXEC_STDOUT, NULL, 0);            /* the call goes on, as it does with the real programs */
    send_exit(d, 4);
    ck_assert_int_eq(run_end(r, p), 4);
    send_terminated(c, 0, 513);                         /* what the new daemon knows nothing of */
    p = run_begin(r, NULL, "exec", "user:two");
    expect_exec(c, 513, "user:two");
    peer_close(d);
    peer_close(c);
    ck_assert_int_eq(run_end(r, p), 125);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(ports_run_out)
{
    struct run *r = run_start("--deadline 60");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *p;

    for (unsigned port = 513; port <= 768; port++) {
        p = run_begin(r, NULL, "exec --just", "user:x");
        d = run_data(r, port);
        send_exit(d, 0);
        peer_close(d);
        ck_assert_int_eq(run_end(r, p), 0);
    }
    ck_assert_int_eq(run_command(r, "exec", "user:x"), 125);
    send_terminated(c, 0, 600);
    ck_assert(run_logged(r, "got"));
    p = run_begin(r, NULL, "exec --just", "user:x");
    d = run_data(r, 600);
    send_exit(d, 0);
    peer_close(d);
    ck_assert_int_eq(run_end(r, p), 0);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

TCase *case_control(void)
{
    TCase *t = tcase_create("control");

    tcase_set_timeout(t, 900);
    tcase_add_loop_test(t, what_kills_the_daemon, 0, sizeof(fatal) / sizeof(fatal[0]));
    tcase_add_test(t, goes_on_after_a_violation);
    tcase_add_test(t, what_is_not_sent_in_time);
    tcase_add_test(t, closed_within_a_message);
    tcase_add_test(t, a_new_agent);
    tcase_add_test(t, a_new_daemon);
    tcase_add_test(t, ports_run_out);
    return t;
}
