/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/builtin.c - services the plugin brings, and the modes that offer less. */
#include <errno.h>
#include <time.h>
#include <unistd.h>
#include <unik/text.h>

#include "tests/common/fds.h"
#include "tests/qrexec/fixture.h"

static const char *const services[] = {
    "qubes.WaitForSession", "qubes.SetDateTime", "qubes.SetMonitorLayout", "qubes.SuspendPre", "qubes.SuspendPost",
    "qubes.SuspendPreAll", "qubes.SuspendPostAll", "qubes.WaitForRunningSystem", "qubes.WaitForNetworkUplink",
    "qubes.PostInstall", "qubes.GetAppmenus"
};

#define SERVICES (sizeof(services) / sizeof(services[0]))

static struct peer *call_builtin(struct fixture *f, const char *service)
{
    char line[400];

    snprintf(line, sizeof(line), "root:QUBESRPC %s dom0", service);
    return call_in(f, 0, 513, 4, line);
}

/* One line of input, the end, and the answer's code; stderr must have this text, or none. */
static void ask(struct fixture *f, const char *service, const char *input, int code, const char *err)
{
    struct peer *p = call_builtin(f, service);

    if (input[0])
        say(p, QREXEC_STDIN, input, strlen(input));
    say(p, QREXEC_STDIN, NULL, 0);
    if (err) {
        expect(p, QREXEC_STDERR, err, strlen(err));
        expect(p, QREXEC_STDERR, "\n", 1);
    }
    expect_end(p, code);
    dom0_expect_release(f, 0, 513);
}

START_TEST(harmless)
{
    struct fixture *f = fixture_up(NULL);
    char line[60];
    time_t now = time(NULL);

    strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S+00:00\n", gmtime(&now));
    for (size_t i = 0; i < SERVICES; i++)
        ask(f, services[i], line, 0, NULL);
    ask(f, "qubes.SuspendPre+all", "", 0, NULL);
    ask(f, "qubes.VMShell", "", 127, NULL);
    fixture_end(f);
}
END_TEST

/* Read to the end, as the caller may not be done when it has sent a line. */
START_TEST(monitor_layout)
{
    struct fixture *f = fixture_up(NULL);
    struct peer *p = call_builtin(f, "qubes.SetMonitorLayout");
    char byte;

    say(p, QREXEC_STDIN, "1920 1080 0 0\n", 14);
    host_run(f->h, SOON);
    ck_assert_uint_eq(peer_try_recv(p, &byte, 1), 0);
    say(p, QREXEC_STDIN, "1920 1080 1920 0\n", 17);
    say(p, QREXEC_STDIN, NULL, 0);
    expect_end(p, 0);
    fixture_end(f);
}
END_TEST

START_TEST(stub)
{
    static const char *const options[] = { "mode=stub", NULL };
    struct fixture *f = fixture_up(options);
    struct seen s = { 0 };
    struct peer *p;

    serve(f, "test.Svc", &s);
    for (size_t i = 0; i < SERVICES; i++) {
        p = call_builtin(f, services[i]);       /* answered without waiting for any input */
        expect_eof(p, QREXEC_STDOUT);
        expect_eof(p, QREXEC_STDERR);
        expect_code(p, 0);
        peer_close(p);
        dom0_expect_release(f, 0, 513);
    }
    ask(f, "test.Svc", "", 127, NULL);
    ask(f, "unik.Status", "", 127, NULL);
    p = call_in(f, 0, 513, 4, "user:ls -l");
    say(p, QREXEC_STDIN, NULL, 0);
    expect_end(p, 127);
    dom0_expect_release(f, 0, 513);
    ck_assert_int_eq(call_out(f, "dom0", "test.Svc", &s), -ENOTCONN);
    ck_assert(!s.called);
    host_drain(f->qrexec);
    ck_assert(host_is_drained(f->qrexec));
    fixture_end(f);
}
END_TEST

START_TEST(off)
{
    static const char *const options[] = { "mode=off", NULL };
    struct fixture *f = fixture_new(options);
    struct unik_qrexec_service *out;
    struct seen s = { 0 };
    char path[200];
    int fds = open_fds();

    ck_assert_int_eq(host_state(f->qrexec), HOST_READY);
    ck_assert_int_eq(f->q->serve(f->q, f->app, "test.Svc", on_call, &s, &out), 0);
    ck_assert_int_eq(call_out(f, "dom0", "test.Svc", &s), -ENOTCONN);
    f->q->unserve(f->q, out);
    host_run(f->h, SOON);
    snprintf(path, sizeof(path), "%s/vchan.1.0.512.sock", f->dir);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(open_fds(), fds);
    host_drain(f->qrexec);
    ck_assert(host_is_drained(f->qrexec));
    fixture_end(f);
}
END_TEST

START_TEST(set_date_time)
{
    static const char *const bad[] = {
        "", "now\n", "2026-11-22\n", "2026-11-22T06:22\n", "2026-11-22T06:22:03\n", "2026-13-22T06:22:03+00:00\n",
        "2026-02-30T06:22:03+00:00\n", "2026-11-22T25:22:03+00:00\n", "2026-11-22T06:22:03+0000\n", "2026-11-22T06:22:03+15:00\n",
        "2026-11-22T06:22:03+00:00 x\n", "2026-11-22t06:22:03Z\n", "x026-11-22T06:22:03Z\n", "1969-11-22T06:22:03Z\n",
    };
    struct fixture *f = fixture_up(NULL);
    char line[200];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ask(f, "qubes.SetDateTime", bad[i], 1, "not a time as \"date -u -Iseconds\" prints it");
    memset(line, '2', sizeof(line) - 1);
    line[sizeof(line) - 1] = 0;
    ask(f, "qubes.SetDateTime", line, 1, "not a time as \"date -u -Iseconds\" prints it");
    ask(f, "qubes.SetDateTime", "2031-11-22T06:22:03+00:00\n", 0, NULL);      /* set-clock = no: only logged */
    ask(f, "qubes.SetDateTime", "2031-11-22T06:22:03Z", 0, NULL);
    ask(f, "qubes.SetDateTime", "2032-02-29T06:22:03-03:30\r\n", 0, NULL);
    ck_assert(time(NULL) < 1900000000);
    fixture_end(f);
}
END_TEST

/* The machine's clock is not ours to set: what would be set is kept, or refused, here instead of in libc. */
static struct timespec clock_set;
static unsigned clock_sets;
static int clock_error;

int clock_settime(clockid_t id, const struct timespec *t)
{
    ck_assert_int_eq(id, CLOCK_REALTIME);
    clock_sets++;
    clock_set = *t;
    errno = clock_error;
    return clock_error ? -1 : 0;
}

START_TEST(sets_the_clock)
{
    static const char *const options[] = { "set-clock=yes", NULL };
    static const struct { const char *line; time_t seconds; } times[] = {
        { "2031-11-22T06:22:03+00:00\n", 1953094923 }, { "2031-11-22T06:22:03Z", 1953094923 },
        { "2032-02-29T06:22:03-03:30\r\n", 1961661123 }, { "1970-01-01T01:00:00+01:00\n", 0 },
    };
    struct fixture *f = fixture_up(options);
    time_t now;
    char line[60];

    clock_sets = 0;
    clock_error = 0;
    for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        ask(f, "qubes.SetDateTime", times[i].line, 0, NULL);
        ck_assert_uint_eq(clock_sets, i + 1);
        ck_assert_int_eq(clock_set.tv_sec, times[i].seconds);
        ck_assert_int_eq(clock_set.tv_nsec, 0);
    }
    ask(f, "qubes.SetDateTime", "yesterday\n", 1, "not a time as \"date -u -Iseconds\" prints it");
    ck_assert_uint_eq(clock_sets, 4);
    clock_error = EPERM;                        /* an ordinary user's process */
    ask(f, "qubes.SetDateTime", times[0].line, 1, strerror(EPERM));
    ck_assert_uint_eq(clock_sets, 5);
    for (int i = 0; i < 20; i++) {              /* right as it is: left alone. Again if the machine was too slow for two seconds */
        clock_error = 0;
        clock_sets = 0;
        now = time(NULL);
        strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S+00:00\n", gmtime(&now));
        ask(f, "qubes.SetDateTime", line, 0, NULL);
        if (time(NULL) - now < 2)
            break;
    }
    ck_assert_uint_eq(clock_sets, 0);
    fixture_end(f);
}
END_TEST

/* Two wait; one goes away; the other is told when the last plugin is ready. */
START_TEST(wait_for_session)
{
    struct fixture *f = fixture_up(NULL);
    struct peer *p, *q;
    char byte;

    fixture_late(f);
    p = call_builtin(f, "qubes.WaitForSession");
    say(p, QREXEC_STDIN, "user\n", 5);
    q = call_in(f, 0, 514, 4, "user:QUBESRPC qubes.WaitForSession+ dom0");
    say(q, QREXEC_STDIN, NULL, 0);
    host_run(f->h, 0.3);
    ck_assert_uint_eq(peer_try_recv(p, &byte, 1), 0);
    ck_assert_uint_eq(peer_try_recv(q, &byte, 1), 0);
    if (_i == 0) {
        peer_close(q);
        dom0_expect_release(f, 0, 514);
        unik_ready(f->late);
        expect_end(p, 0);
        dom0_expect_release(f, 0, 513);
    } else {                                    /* stopped while they wait */
        host_stop_wait(f->qrexec, 1);
        peer_close(p);
        peer_close(q);
    }
    fixture_end(f);
}
END_TEST

/* A caller that reads late gets the whole report. */
START_TEST(status_and_metrics)
{
    static char text[200000], part[DATA_MAX];
    struct fixture *f = fixture_up(NULL);
    struct seen s = { 0 };
    struct peer *p, *q;
    size_t n, used = 0;

    serve(f, "test.Svc", &s);
    serve(f, "test.Svc+80", &s);
    for (unsigned i = 0; i < 40; i++) {                         /* more than are remembered one by one */
        q = call_in(f, 7, 600 + i, 4, "user:QUBESRPC no.Such+x work");
        say(q, QREXEC_STDIN, NULL, 0);
        expect_end(q, 127);
    }
    q = call_in(f, 7, 700, 4, "user:QUBESRPC test.Svc+ work");
    ck_assert(until(f, &s.called));
    p = call_builtin(f, _i ? "unik.Metrics" : "unik.Status");
    host_run(f->h, SOON);
    while (hear(p, part, &n) == QREXEC_STDOUT && n) {
        memcpy(text + used, part, n);
        used += n;
    }
    expect_eof(p, QREXEC_STDERR);
    expect_code(p, 0);
    peer_close(p);
    if (_i) {
        ck_assert_ptr_nonnull(strstr(text, "calls_in 42\n"));
        ck_assert_ptr_nonnull(strstr(text, "calls_running 2\n"));
        ck_assert_ptr_nonnull(strstr(text, "# TYPE unik_qrexec_stage_seconds histogram\n"));
        ck_assert_ptr_nonnull(strstr(text, "_bucket{way=\"in\",stage=\"connected\",le=\"+Inf\"} 40\n"));
        ck_assert_ptr_nonnull(strstr(text, "_count{way=\"in\",stage=\"started\"} 0\n"));
        ck_assert_ptr_nonnull(strstr(text, "_count{way=\"in\",stage=\"end\"} 40\n"));
        ck_assert_ptr_nonnull(strstr(text, "_count{way=\"out\",stage=\"accepted\"} 0\n"));
    } else {
        ck_assert_ptr_nonnull(strstr(text, "dom0: connected, protocol 4\n"));
        ck_assert_ptr_nonnull(strstr(text, "service: test.Svc+80 (app)\n"));
        ck_assert_ptr_nonnull(strstr(text, "call: test.Svc from work (domain 7 port 700), running, in 0 bytes, out 0 bytes, 0 s\n"));
        ck_assert_ptr_nonnull(strstr(text, "call: unik.Status from dom0 (domain 0 port "));
        ck_assert_ptr_nonnull(strstr(text, "last: no.Such+x from work (domain 7 port 639): code 127, connected "));
        ck_assert_ptr_null(strstr(text, "last: no.Such+x from work (domain 7 port 623)"));
        ck_assert_ptr_nonnull(strstr(text, "slowest to answer: no.Such+x from work (domain 7 port 6"));
    }
    peer_close(q);
    fixture_end(f);
}
END_TEST

/* A plugin may do better than the built-in. */
START_TEST(overridden)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { 0 };
    struct peer *p;

    serve(f, "qubes.SuspendPre", &s);
    p = call_builtin(f, "qubes.SuspendPre");
    ck_assert(until(f, &s.called));
    seen_close(&s, 9);
    expect_end(p, 9);
    fixture_end(f);
}
END_TEST

TCase *builtin_tests(void)
{
    TCase *t = tcase_create("builtin");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, harmless);
    tcase_add_test(t, monitor_layout);
    tcase_add_test(t, stub);
    tcase_add_test(t, off);
    tcase_add_test(t, set_date_time);
    tcase_add_test(t, sets_the_clock);
    tcase_add_loop_test(t, wait_for_session, 0, 2);
    tcase_add_loop_test(t, status_and_metrics, 0, 2);
    tcase_add_test(t, overridden);
    return t;
}
