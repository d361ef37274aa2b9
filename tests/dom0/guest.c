/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/guest.c - calls that the guest makes: the policy, dom0's services, other VMs. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/common/bytes.h"
#include "tests/dom0/run.h"

/* TRIGGER_SERVICE3. */
static void trigger(struct peer *c, const char *target, const char *ident, const char *service)
{
    uint8_t body[512] = { 0 };

    snprintf((char *)body, 64, "%s", target);
    snprintf((char *)body + 64, 32, "%s", ident);
    snprintf((char *)body + 96, sizeof(body) - 96, "%s", service);
    send_message(c, QREXEC_TRIGGER3, body, 96 + strlen(service) + 1);
}

static void expect_refused(struct peer *c, const char *ident)
{
    char body[32] = { 0 };

    snprintf(body, sizeof(body), "%s", ident);
    expect_message(c, QREXEC_SERVICE_REFUSED, body, sizeof(body));
}

static void expect_connect(struct peer *c, unsigned domain, unsigned port, const char *ident)
{
    uint8_t body[40] = { (uint8_t)domain, 0, 0, 0, (uint8_t)port, (uint8_t)(port >> 8) };

    snprintf((char *)body + 8, 32, "%s", ident);
    expect_message(c, QREXEC_SERVICE_CONNECT, body, sizeof(body));
}

/* The guest serves a port for dom0 as SERVICE_CONNECT told it; HELLO exchanged. */
static struct peer *serve(struct run *r, unsigned port)
{
    static const uint8_t three[4] = { 3, 0, 0, 0 };
    struct peer *d = peer_listen(r->h, r->vchan, 1, 0, port);

    ck_assert(peer_accept(d, RUN_SECONDS));
    send_message(d, QREXEC_HELLO, three, 4);
    expect_message(d, QREXEC_HELLO, "\4\0\0\0", 4);
    return d;
}

START_TEST(golden_bytes)
{
    struct run *r = run_start("--fault refuse-allx1 --services /bin");
    struct peer *c;
    uint8_t bytes[256];
    size_t n;

    c = run_guest(r, 1, 3);
    n = bytes_of("12 02 00 00 6b 00 00 00 'dom0' *60 'REQ7' *28 'test.Echo+' 00", bytes, sizeof(bytes));
    ck_assert(peer_send(c, bytes, n));
    n = bytes_of("03 02 00 00 20 00 00 00 'REQ7' *28", bytes, sizeof(bytes));
    ck_assert(peer_expect(c, bytes, n));
    n = bytes_of("12 02 00 00 66 00 00 00 'dom0' *60 'REQ7' *28 'true+' 00", bytes, sizeof(bytes));
    ck_assert(peer_send(c, bytes, n));
    n = bytes_of("02 02 00 00 28 00 00 00 *4 01 02 00 00 'REQ7' *28", bytes, sizeof(bytes));
    ck_assert(peer_expect(c, bytes, n));
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* A folder with a policy and services. */
static struct run *with_policy(char *dir)
{
    char options[512], path[300];
    FILE *f;

    snprintf(path, sizeof(path), "%s/policy", dir);
    f = fopen(path, "w");
    fputs("# comment\n"
          "my.Cat     dom0     dom0:cat; echo \"$QREXEC_REMOTE_DOMAIN $QREXEC_SERVICE_FULL_NAME\"; exit 3\n"
          "my.Arg     @adminvm allow\n"
          "my.Arg+no  dom0     deny\n"
          "my.Gone    dom0     allow\n"
          "my.Other   work     allow\n"
          "my.Default @default allow:work\n"
          "my.Any+x   *        deny\n"
          "my.Env     dom0     dom0:env | grep -c =STALE; sed -n 's/^SigIgn.*\\(.\\)$/\\1/p' /proc/self/status; ulimit -n\n"
          "my.Any     *        dom0:echo any\n", f);
    fclose(f);
    snprintf(path, sizeof(path), "%s/my.Arg", dir);
    f = fopen(path, "w");
    fputs("#!/bin/sh\necho \"$1 $QREXEC_SERVICE_ARGUMENT $QREXEC_REQUESTED_TARGET_TYPE\"\nkill -9 $$\n", f);
    fclose(f);
    chmod(path, 0755);
    snprintf(options, sizeof(options), "--deadline 5 --policy %s/policy --services %s --domid 1 --name me "
             "--vm domid=3,name=work,user=joe", dir, dir);
    return run_start(options);
}

/* STDOUT is this, in as many messages as it takes, and then its end. */
static void expect_output(struct peer *d, const char *output)
{
    char got[512] = "";
    size_t n = 0;

    for (;;) {
        struct qrexec_header h;
        uint8_t head[QREXEC_HEADER];

        ck_assert(peer_recv(d, head, sizeof(head), RUN_SECONDS));
        qrexec_decode_header(head, &h);
        ck_assert_uint_eq(h.type, QREXEC_STDOUT);
        if (h.len == 0)
            break;
        ck_assert_uint_lt(n + h.len, sizeof(got));
        ck_assert(peer_recv(d, got + n, h.len, RUN_SECONDS));
        n += h.len;
    }
    ck_assert_str_eq(got, output);
}

/* Call, serve, send some input, and expect output and exit code. */
static void one_call(struct run *r, struct peer *c, const char *service, const char *input, const char *output,
                     int code)
{
    uint8_t exit_code[4] = { (uint8_t)code, 0, 0, 0 };
    struct peer *d;

    trigger(c, "dom0", "id", service);
    expect_connect(c, 0, 513, "id");
    d = serve(r, 513);
    expect_message(d, QREXEC_STDERR, NULL, 0);
    if (*input)
        send_message(d, QREXEC_STDIN, input, strlen(input));
    peer_send(d, "\x90\1\0\0\0\0\0\0", 8);          /* the end of STDIN; the service may have ended already */
    expect_output(d, output);
    expect_message(d, QREXEC_EXIT_CODE, exit_code, 4);
    ck_assert(peer_closed(d, RUN_SECONDS));
    peer_close(d);
    send_terminated(c, 0, 513);
}

/* Nothing that whoever started unik-dom0 meant for it alone, or that another call left, reaches a service. */
START_TEST(environment_of_services)
{
    static const char *const names[] = { "NOTIFY_SOCKET", "LISTEN_FDS", "WATCHDOG_USEC", "PWD", "OLDPWD", "LD_OF_TESTS",
                                         "QREXEC_SERVICE_ARGUMENT", "QREXEC_REQUESTED_TARGET_KEYWORD", "QREXEC_AGENT_PID" };
    struct rlimit before, few;
    struct run *r;
    struct peer *c;
    char *dir = test_dir();

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        setenv(names[i], "STALE", 1);
    signal(SIGHUP, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){ 200, before.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    r = with_policy(dir);
    c = run_guest(r, 1, 3);
    one_call(r, c, "my.Env+", "", "0\n0\n200\n", 0);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
    test_dir_remove(dir);
}
END_TEST

START_TEST(services_of_dom0)
{
    char *dir = test_dir();
    struct run *r = with_policy(dir);
    struct peer *c = run_guest(r, 1, 3);

    one_call(r, c, "my.Arg+-x", "", "-x -x name\n", 128 + 9);
    one_call(r, c, "my.Gone+", "", "", 127);
    one_call(r, c, "my.Any+y", "", "any\n", 0);
    one_call(r, c, "my.Cat+a", "in\n", "in\nme my.Cat+a\n", 3);
    peer_close(c);
    test_dir_remove(dir);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(refusals)
{
    static const char *const refused[][2] = {
        { "dom0", "my.Unknown+" }, { "dom0", "my.Any+x" }, { "work", "my.Other+" }, { "nobody", "my.Other+" },
        { "@dispvm", "my.Other" }, { "", "my.Cat" },
    };
    char *dir = test_dir();
    struct run *r = with_policy(dir);
    struct peer *c = run_guest(r, 1, 4);

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        trigger(c, refused[i][0], "x y", refused[i][1]);
        expect_refused(c, "x y");
    }
    ck_assert_int_eq(run_command(r, "status --vm me", NULL), 0);
    ck_assert_ptr_nonnull(strstr(r->out, "6 from it, 6 of those refused"));
    peer_close(c);
    test_dir_remove(dir);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(malformed_calls_are_refused_and_reported)
{
    static const char *const bad[][2] = {
        { "12 02 *2 63 *3 *64 'i' *31 'ab' 'c'", "does not end with its one NUL" },
        { "12 02 *2 64 *3 *64 'i' *31 'a' 00 'c' 00", "does not end with its one NUL" },
        { "12 02 *2 61 *3 *64 'i' *31 00", "no service name" },
        { "12 02 *2 63 *3 *64 'i' *31 '+a' 00", "no service name" },
        { "12 02 *2 62 *3 *64 'i/' *30 'a' 00", "bad ident" },
        { "12 02 *2 62 *3 *64 'i' 00 'j' *29 'a' 00", "bad ident" },
        { "12 02 *2 64 *3 *64 'i' *31 'a!c' 00", "service name with bytes that dom0 replaces: a_c" },
        { "12 02 *2 62 *3 '$x' *62 'i' *31 'a' 00", "target with bytes that dom0 replaces: _x" },
    };
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3);
    uint8_t bytes[512];
    size_t n = bytes_of(bad[_i][0], bytes, sizeof(bytes));

    ck_assert(peer_send(c, bytes, n));
    memmove(bytes, bytes + 8 + 64, 32);
    expect_message(c, QREXEC_SERVICE_REFUSED, bytes, 32);       /* the ident as it came */
    ck_assert(run_logged(r, bad[_i][1]));
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(what_a_caller_does_wrong)
{
    struct run *r = run_start("--services /bin --deadline 1 --connect-timeout 1");
    struct peer *c = run_guest(r, 1, 3), *d;

    trigger(c, "dom0", "a", "cat");
    expect_connect(c, 0, 513, "a");
    ck_assert(run_logged(r, "VIOLATION: qrexec: port 513: not served within 1 s"));
    trigger(c, "dom0", "b", "cat");
    expect_connect(c, 0, 514, "b");
    d = serve(r, 514);
    expect_message(d, QREXEC_STDERR, NULL, 0);
    send_message(d, QREXEC_STDERR, "x", 1);
    send_exit(d, 0);
    ck_assert(run_logged(r, "VIOLATION: qrexec: port 514: a caller sends STDIN only"));
    send_message(d, QREXEC_STDOUT, "y", 1);
    expect_message(d, QREXEC_STDOUT, "y", 1);
    ck_assert(run_logged(r, "VIOLATION: qrexec: port 514: a caller sends no STDOUT"));
    peer_close(d);
    ck_assert(run_logged(r, "VIOLATION: qrexec: no CONNECTION_TERMINATED for domain 0, port 514"));
    trigger(c, "dom0", "c", "cat");
    expect_connect(c, 0, 515, "c");
    d = peer_listen(r->h, r->vchan, 1, 0, 515);
    ck_assert(peer_accept(d, RUN_SECONDS));
    ck_assert(run_logged(r, "VIOLATION: qrexec: port 515: no HELLO on the data channel"));
    ck_assert(peer_closed(d, RUN_SECONDS));
    peer_close(d);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

/* The lower domid's callee hands out even ports to the higher, and the other way odd ones. */
START_TEST(between_two_vms)
{
    char *dir = test_dir();
    struct run *r = with_policy(dir);
    struct peer *a = run_guest(r, 1, 3), *b;

    trigger(a, "work", "early", "my.Other");
    expect_refused(a, "early");                         /* not connected yet */
    b = run_guest(r, 3, 3);
    trigger(a, "work", "one", "my.Other+x");
    expect_message(b, QREXEC_EXEC_CMDLINE, "\1\0\0\0\1\2\0\0joe:QUBESRPC my.Other+x me", 8 + 27);
    expect_connect(a, 3, 513, "one");
    trigger(a, "@default", "two", "my.Default");
    expect_message(b, QREXEC_EXEC_CMDLINE, "\1\0\0\0\3\2\0\0joe:QUBESRPC my.Default+ me", 8 + 28);
    expect_connect(a, 3, 515, "two");
    ck_assert_int_eq(run_command(r, "status", NULL), 0);
    ck_assert_ptr_nonnull(strstr(r->out, "ports: 2 in use"));
    send_terminated(a, 3, 513);
    send_terminated(b, 1, 513);
    send_terminated(a, 3, 515);
    send_terminated(b, 1, 515);
    for (int i = 0; i < 100; i++) {     /* two guests, two channels: dom0 hears of the four in any order */
        ck_assert_int_eq(run_command(r, "status", NULL), 0);
        if (strstr(r->out, "ports: 0 in use"))
            break;
        host_run(r->h, 0.05);
    }
    trigger(a, "work", "again", "my.Other");
    expect_message(b, QREXEC_EXEC_CMDLINE, "\1\0\0\0\1\2\0\0joe:QUBESRPC my.Other+ me", 8 + 26);
    expect_connect(a, 3, 513, "again");
    send_terminated(a, 3, 513);
    send_terminated(b, 1, 513);
    peer_close(a);
    peer_close(b);
    test_dir_remove(dir);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

TCase *case_guest(void)
{
    TCase *t = tcase_create("guest");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, golden_bytes);
    tcase_add_test(t, environment_of_services);
    tcase_add_test(t, services_of_dom0);
    tcase_add_test(t, refusals);
    tcase_add_loop_test(t, malformed_calls_are_refused_and_reported, 0, 8);
    tcase_add_test(t, what_a_caller_does_wrong);
    tcase_add_test(t, between_two_vms);
    return t;
}
