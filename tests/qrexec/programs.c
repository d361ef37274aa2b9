/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/programs.c - services as files and shell commands, as far as the agent itself has a part in them: held for a
 * session, ended with it, refused. (What programs see and do is tested with exec.c.) And transports that fail. */
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unik/qubesdb.h>
#include <unik/vchan.h>

#include "tests/common/fds.h"
#include "tests/qrexec/fixture.h"

static char services[100], user[100], line[300];

static void put_file(const char *name, const char *text, mode_t mode)
{
    char path[300];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", services, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    ck_assert_int_eq(chmod(path, mode), 0);
}

/* An agent with a folder of services, of which test.Held waits for the session; and a plugin that keeps the session away. */
static struct fixture *fixture_programs(char **dir, bool session)
{
    static char service_path[150], config_path[150];
    const char *const options[] = { service_path, config_path, "exec=yes", NULL };
    struct fixture *f;

    *dir = test_dir();
    snprintf(services, sizeof(services), "%s", *dir);
    snprintf(service_path, sizeof(service_path), "service-path=%s", *dir);
    snprintf(config_path, sizeof(config_path), "config-path=%s/config", *dir);
    snprintf(user, sizeof(user), "%s", getpwuid(getuid())->pw_name);
    put_file("config", "", 0600);
    snprintf(line, sizeof(line), "%s/config", *dir);
    ck_assert(unlink(line) == 0 && mkdir(line, 0755) == 0);
    put_file("test.Free", "#!/bin/sh\ncat\nexit 4\n", 0755);
    put_file("test.Held", "#!/bin/sh\ncat\nexit 5\n", 0755);
    put_file("config/test.Held", "wait-for-session = true\n", 0644);
    snprintf(line, sizeof(line), "%s:QUBESRPC test.Held+ work", user);
    f = fixture_up(options);
    if (!session)
        fixture_late(f);
    return f;
}

static void end_programs(struct fixture *f, char *dir)
{
    fixture_end(f);
    test_dir_remove(dir);
}

/* This on stdout, each end once, in whatever order; then the code, and the channel closes. */
static void expect_program(struct peer *p, const char *out, uint8_t code)
{
    char bytes[DATA_MAX], got[200] = "";
    int ends = 0, err_ends = 0;
    uint32_t type;
    size_t n, used = 0;

    while ((type = hear(p, bytes, &n)) != QREXEC_EXIT_CODE) {
        ck_assert(type == QREXEC_STDOUT || (type == QREXEC_STDERR && n == 0));
        ck_assert_uint_lt(used + n, sizeof(got));
        memcpy(got + used, bytes, n);
        used += n;
        ends += type == QREXEC_STDOUT && n == 0;
        err_ends += type == QREXEC_STDERR;
    }
    ck_assert_str_eq(got, out);
    ck_assert(ends == 1 && err_ends == 1 && n == 4);
    ck_assert_uint_eq((uint8_t)bytes[0], code);
    ck_assert(peer_closed(p, SECONDS));
    peer_close(p);
}

START_TEST(held_for_the_session)
{
    char *dir, byte;
    struct fixture *f = fixture_programs(&dir, false);
    struct peer *p = call_in(f, 7, 513, 4, line), *q;

    say(p, QREXEC_STDIN, "hello", 5);
    say(p, QREXEC_STDIN, NULL, 0);
    host_run(f->h, 0.3);
    ck_assert_uint_eq(peer_try_recv(p, &byte, 1), 0);
    q = call_in(f, 7, 514, 4, line);            /* one that does not wait so long */
    host_run(f->h, SOON);
    peer_close(q);
    dom0_expect_release(f, 7, 514);
    unik_ready(f->late);
    expect_program(p, "hello", 5);
    dom0_expect_release(f, 7, 513);
    end_programs(f, dir);
}
END_TEST

/* The system ends while it is held: refused by drain, dropped by stop. */
START_TEST(held_to_the_end)
{
    char *dir;
    struct fixture *f = fixture_programs(&dir, false);
    struct peer *p = call_in(f, 7, 513, 4, line);

    say(p, QREXEC_STDIN, NULL, 0);
    host_run(f->h, SOON);
    if (_i == 0) {
        host_drain(f->qrexec);
        ck_assert(host_is_drained(f->qrexec));
        expect(p, QREXEC_STDERR, "shutting down\n", 14);
        expect_end(p, UNIK_QREXEC_BROKEN);
    } else {
        host_stop(f->qrexec);
        ck_assert(peer_closed(p, SECONDS));
        peer_close(p);
    }
    dom0_expect_release(f, 7, 513);
    end_programs(f, dir);
}
END_TEST

START_TEST(programs)
{
    char *dir;
    struct fixture *f = fixture_programs(&dir, true);
    struct seen s = { .reading = true };
    struct peer *p;

    snprintf(line, sizeof(line), "%s:QUBESRPC test.Free+ work", user);
    p = call_in(f, 7, 513, 4, line);
    say(p, QREXEC_STDIN, "hello", 5);
    say(p, QREXEC_STDIN, NULL, 0);
    expect_program(p, "hello", 4);
    dom0_expect_release(f, 7, 513);

    serve(f, "test.Free", &s);                  /* a plugin's comes before a file */
    p = call_in(f, 7, 513, 4, line);
    ck_assert(until(f, &s.called));
    seen_close(&s, 9);
    expect_end(p, 9);
    dom0_expect_release(f, 7, 513);

    snprintf(line, sizeof(line), "%s:echo out; exec 2>&-; exit 6", user);
    p = call_in(f, 0, 513, 4, line);
    say(p, QREXEC_STDIN, NULL, 0);
    expect_program(p, "out\n", 6);
    dom0_expect_release(f, 0, 513);

    p = peer_listen(f->h, f->dir, 0, 1, 513);
    dom0_exec(f, QREXEC_JUST_EXEC, 0, 513, line);
    ck_assert(peer_accept(p, SECONDS));
    hello(p, 4);
    expect_code(p, 0);                          /* it started: not the command's own code */
    ck_assert(peer_closed(p, SECONDS));
    peer_close(p);
    dom0_expect_release(f, 0, 513);
    end_programs(f, dir);
}
END_TEST

/* dom0 should have put the user's name in place of DEFAULT. */
static const char *db_read(struct unik_qubesdb *q, const char *path, size_t *len)
{
    (void)q;
    ck_assert_str_eq(path, "/default-user");
    *len = strlen(user);
    return user;
}

START_TEST(default_user)
{
    struct unik_qubesdb db = { .size = sizeof(db), .read = db_read };
    char *dir;
    struct fixture *f = fixture_programs(&dir, true);
    struct peer *p;

    host_publish(f->h, "qubesdb/1", &db);
    p = call_in(f, 0, 513, 4, "DEFAULT:exec id -un");
    say(p, QREXEC_STDIN, NULL, 0);
    snprintf(line, sizeof(line), "%s\n", user);
    expect_program(p, line, 0);
    host_publish(f->h, "qubesdb/1", NULL);
    end_programs(f, dir);
}
END_TEST

static void on_nothing(struct unik_stream *s, unsigned events, void *arg) { (void)s, (void)events, (void)arg; }

/* The name of the control channel is taken for a while. */
START_TEST(control_taken)
{
    struct fixture *f = fixture_new(NULL);
    struct unik_vchan *v = host_interface(f->h, "vchan/1");
    struct unik_stream *other;

    host_stop_wait(f->qrexec, 1);
    ck_assert_int_eq(v->listen(v, NULL, 0, 512, 4096, 4096, on_nothing, NULL, &other), 0);
    ck_assert_int_eq(host_start(f->qrexec), 0);
    host_run(f->h, SOON);
    ck_assert_uint_eq(f->warnings, 1);          /* said once, tried again and again */
    ck_assert_ptr_nonnull(strstr(f->log, "port 512"));
    unik_stream_close(other);
    dom0_connect(f, 4);
    fixture_end(f);
}
END_TEST

START_TEST(data_port_taken)
{
    struct fixture *f = fixture_up(NULL);
    struct unik_vchan *v = host_interface(f->h, "vchan/1");
    struct seen s = { .reading = true };
    struct unik_stream *other;
    char ident[QREXEC_IDENT];

    ck_assert_int_eq(v->listen(v, NULL, 7, 513, 4096, 4096, on_nothing, NULL, &other), 0);
    ask_out(f, &s, ident);
    dom0_connects(f, 7, 513, ident);
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, -EADDRINUSE);
    ck_assert_int_eq(s.call->exit_code, UNIK_QREXEC_BROKEN);
    dom0_expect_release(f, 7, 513);
    seen_close(&s, 0);
    unik_stream_close(other);
    fixture_end(f);
}
END_TEST

/* More than there can be: dropped with a line, and the ports are not kept. */
START_TEST(too_many_for_the_pool)
{
    struct fixture *f = fixture_up(NULL);
    bool dropped = false;

    for (uint32_t i = 0; i < 800; i++)
        dom0_exec(f, QREXEC_EXEC_CMDLINE, 7 + i / 256, 513 + i % 256, "u:QUBESRPC test.Svc work");
    while (host_counter(f->qrexec, "calls_in") < 800)
        host_run(f->h, 0.001);
    for (uint32_t i = 768; i < 800; i++)
        dom0_expect_release(f, 7 + i / 256, 513 + i % 256);
    dropped = strstr(f->log, "is dropped") != NULL;
    ck_assert(dropped);
    dom0_expect_nothing(f);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), 768);
    fixture_end(f);
}
END_TEST

START_TEST(bad_options)
{
    static const char *const more_than_ring[] = { "request-max=65000", "control-ring=4096", NULL };
    static const char *const socket[] = { "agent-socket=/nonexistent/socket", "services=no", NULL };
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    struct unik_vchan v = { .size = sizeof(v) };
    int fds = open_fds();

    host_publish(h, "vchan/1", &v);
    ck_assert_int_eq(host_start(host_add(h, &unik_plugin_qrexec, more_than_ring)), -EINVAL);
    ck_assert_int_eq(host_start(host_add(h, &unik_plugin_qrexec, socket)), -ENOENT);
    ck_assert_ptr_null(host_interface(h, "qrexec/1"));
    ck_assert_int_eq(open_fds(), fds);
    host_free(h);
}
END_TEST

TCase *program_tests(void)
{
    TCase *t = tcase_create("programs");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, held_for_the_session);
    tcase_add_loop_test(t, held_to_the_end, 0, 2);
    tcase_add_test(t, programs);
    tcase_add_test(t, default_user);
    tcase_add_test(t, control_taken);
    tcase_add_test(t, data_port_taken);
    tcase_add_test(t, too_many_for_the_pool);
    tcase_add_test(t, bad_options);
    return t;
}
