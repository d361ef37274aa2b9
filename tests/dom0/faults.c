/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/faults.c - each fault does what it says, and what a guest does about it is not held against it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/qubesdb.h"
#include "tests/dom0/run.h"

/* End a call in order, from the guest's side. */
static void end_call(struct peer *c, struct peer *d, unsigned port)
{
    send_message(d, QREXEC_STDOUT, NULL, 0);
    send_exit(d, 0);
    ck_assert(peer_closed(d, RUN_SECONDS));
    send_terminated(c, 0, port);
    peer_close(d);
}

START_TEST(drop_control_after)
{
    struct run *r = run_start("--fault drop-control-after=3");
    struct peer *c = run_guest(r, 1, 3), *d;            /* two messages */
    struct program *p = run_begin(r, NULL, "exec", "user:x");

    expect_exec(c, 513, "user:x");                      /* the third */
    ck_assert(peer_closed(c, RUN_SECONDS));
    peer_close(c);
    d = run_data(r, 513);
    c = run_guest(r, 1, 3);
    end_call(c, d, 513);
    ck_assert_int_eq(run_end(r, p), 0);
    ck_assert_int_eq(run_command(r, "status --strict", NULL), 0);
    ck_assert_ptr_nonnull(strstr(r->out, "faults: none"));
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* The first half of n bytes comes, and the rest not at once. */
static void expect_half(struct peer *p, size_t n)
{
    uint8_t bytes[512];
    ev_tstamp from;

    ck_assert(peer_recv(p, bytes, n / 2, RUN_SECONDS));
    from = ev_time();
    ck_assert(peer_recv(p, bytes, n - n / 2, RUN_SECONDS));
    ck_assert(ev_time() - from > 0.1);
}

START_TEST(halves)
{
    struct run *r = run_start("--fault half-message --fault half-data --fault half-qubesdb");
    struct peer *c = peer_listen(r->h, r->vchan, 1, 0, 512), *d, *q;
    uint8_t multiread[QUBESDB_HEADER] = { QUBESDB_MULTIREAD };
    struct program *p;

    ck_assert(peer_accept(c, RUN_SECONDS));
    send_message(c, QREXEC_HELLO, "\3\0\0\0", 4);
    expect_half(c, 12);
    p = run_begin(r, run_file(r, "input", "0123456789"), "exec", "user:x");
    d = peer_connect(r->h, r->vchan, 0, 1, 513, RUN_SECONDS);
    expect_half(d, 12);
    expect_exec(c, 513, "user:x");
    send_message(d, QREXEC_HELLO, "\3\0\0\0", 4);
    expect_half(d, 8 + 10);
    expect_half(d, 8);
    end_call(c, d, 513);
    ck_assert_int_eq(run_end(r, p), 0);
    q = peer_connect(r->h, r->vchan, 0, 1, QUBESDB_PORT, RUN_SECONDS);
    ck_assert(peer_send(q, multiread, sizeof(multiread)));
    expect_half(q, 72 + 5);                          /* /type AppVM is the last in order */
    peer_close(q);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(slow_reader)
{
    struct run *r = run_start("--fault slow-reader=20000");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *p = run_begin(r, NULL, "exec", "user:x");
    char bytes[12000];
    ev_tstamp from;

    memset(bytes, 'x', sizeof(bytes));
    d = run_data(r, 513);
    from = ev_time();
    send_message(d, QREXEC_STDOUT, bytes, sizeof(bytes));
    end_call(c, d, 513);
    ck_assert_int_eq(run_end(r, p), 0);
    ck_assert_uint_eq(strlen(r->out), sizeof(bytes));
    ck_assert(ev_time() - from > 0.3);                  /* 0.6 s by the figures */
    ck_assert_int_eq(run_command(r, "fault none", NULL), 0);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(restart)
{
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3);

    ck_assert_int_eq(run_command(r, "fault restart=0.1", NULL), 0);
    ck_assert(peer_closed(c, RUN_SECONDS));
    peer_close(c);
    c = run_guest(r, 1, 3);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(drop_data_after)
{
    struct run *r = run_start("--fault drop-data-after=5x1");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *p = run_begin(r, NULL, "exec", "user:x");

    d = run_data(r, 513);
    send_message(d, QREXEC_STDOUT, "1234567", 7);
    ck_assert(peer_closed(d, RUN_SECONDS));
    ck_assert_int_eq(run_end(r, p), 255);
    peer_close(d);
    send_terminated(c, 0, 513);
    p = run_begin(r, NULL, "exec", "user:y");           /* it struck once */
    d = run_data(r, 513);
    send_message(d, QREXEC_STDOUT, "1234567", 7);
    end_call(c, d, 513);
    ck_assert_int_eq(run_end(r, p), 0);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(data_server_late_or_never)
{
    struct run *r = run_start("--fault late-data-server=0.3");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *p = run_begin(r, NULL, "exec", "user:x");
    ev_tstamp from;

    expect_exec(c, 513, "user:x");
    from = ev_time();
    d = run_data(r, 513);
    ck_assert(ev_time() - from > 0.15);
    end_call(c, d, 513);
    ck_assert_int_eq(run_end(r, p), 0);
    run_command(r, "fault none", NULL);
    run_command(r, "fault no-data-server=1", NULL);
    from = ev_time();
    p = run_begin(r, NULL, "exec", "user:y");
    expect_exec(c, 513, "user:y");
    ck_assert_int_eq(run_end(r, p), 125);
    ck_assert(ev_time() - from > 0.9);
    send_terminated(c, 0, 513);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(nonsense_on_data_channels)
{
    static const char *const names[] = { "fault oversize", "fault garbage" };
    static const uint8_t begins[][8] = {
        { 0x90, 1, 0, 0, 1, 0, 1, 0 }, { 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5 },
    };
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *p;

    ck_assert_int_eq(run_command(r, names[_i], NULL), 0);
    p = run_begin(r, NULL, "exec", "user:x");
    d = run_data(r, 513);
    ck_assert(peer_expect(d, begins[_i], 8));
    peer_close(d);                                      /* what a guest should do */
    ck_assert_int_eq(run_end(r, p), 255);
    send_terminated(c, 0, 513);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(qubesdb_drop_in_dump)
{
    uint8_t multiread[QUBESDB_HEADER] = { QUBESDB_MULTIREAD }, bytes[4096];
    struct run *r = run_start("--fault qubesdb-drop-in-dump=1");
    struct peer *q = peer_connect(r->h, r->vchan, 0, 1, QUBESDB_PORT, RUN_SECONDS);

    ck_assert(peer_send(q, multiread, sizeof(multiread)));
    ck_assert(peer_recv(q, bytes, 72 + 5, RUN_SECONDS));
    ck_assert(!peer_recv(q, bytes, 1, RUN_SECONDS));
    peer_close(q);
    q = peer_connect(r->h, r->vchan, 0, 1, QUBESDB_PORT, RUN_SECONDS);
    ck_assert(peer_send(q, multiread, sizeof(multiread)));
    ck_assert(peer_recv(q, bytes, 3 * 72, RUN_SECONDS));
    peer_close(q);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

static int fds_of(pid_t pid)
{
    char path[64];
    struct dirent *e;
    int n = 0;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    d = opendir(path);
    while (d && (e = readdir(d)) != NULL)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

START_TEST(nothing_is_left_open)
{
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *p;
    int before;

    run_command(r, "status", NULL);
    before = fds_of(r->dom0.pid);
    for (int i = 0; i < 50; i++) {
        p = run_begin(r, NULL, "exec", "user:x");
        d = run_data(r, 513);
        end_call(c, d, 513);
        ck_assert_int_eq(run_end(r, p), 0);
    }
    run_command(r, "status", NULL);
    host_run(r->h, 0.05);
    ck_assert_int_eq(fds_of(r->dom0.pid), before);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

TCase *case_faults(void)
{
    TCase *t = tcase_create("faults");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, drop_control_after);
    tcase_add_test(t, halves);
    tcase_add_test(t, slow_reader);
    tcase_add_test(t, restart);
    tcase_add_test(t, drop_data_after);
    tcase_add_test(t, data_server_late_or_never);
    tcase_add_loop_test(t, nonsense_on_data_channels, 0, 2);
    tcase_add_test(t, qubesdb_drop_in_dump);
    tcase_add_test(t, nothing_is_left_open);
    return t;
}
