/* SPDX-License-Identifier: BSD-2-Clause */
/* A program between a call and its end: how bytes go through, and every way in which programs and callers end. Each
 * test ends with no descriptor and no child left. */
#include <check.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "plugins/qrexec/exec-parts.h"
#include "tests/common/fake-call.h"
#include "tests/common/fds.h"

#define MB (1024 * 1024)

static struct world w;
static struct fake_call *f;

/* A call with a program "t" of this text. */
static void open_with(const char *script, size_t queue)
{
    world_open(&w, true, true);
    if (script)
        world_file(&w, "rpc/t", 0755, script);
    f = fake_new(&w, queue);
}

static void close_all(void)
{
    fake_free(f);
    world_close(&w);
}

static bool got_something(void *arg) { (void)arg; return f->got > 0; }
static bool consumed(void *n) { return f->consumed == *(size_t *)n; }
static bool all_came_back(void *n) { return f->got == *(size_t *)n; }
static bool is_shut(void *arg) { (void)arg; return f->shut; }
static bool is_err_shut(void *arg) { (void)arg; return f->err_shut; }
static bool exists(void *path) { return access(path, F_OK) == 0; }
static bool no_children(void *arg) { (void)arg; return w.x->n_runs == 0; }

/* ---- bytes ---- */

static void through_cat(size_t n, size_t queue)
{
    open_with("#!/bin/sh\nexec cat\n", queue);
    f->pattern = true;
    fake_feed_pattern(f, n);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    fake_end(f);
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_int_eq(f->code, 0);
    ck_assert_uint_eq(f->consumed, n);
    ck_assert_uint_eq(f->got, n);
    ck_assert(!f->differs);
    close_all();
}

START_TEST(all_sizes)
{
    static const size_t sizes[] = { 0, 1, 4095, 4096, 65536, 65537 };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        through_cat(sizes[i], 65536);
    through_cat(100000, 64);
}
END_TEST

START_TEST(fifty_megabytes) { through_cat(50000000, 65536); }
END_TEST

START_TEST(much_stderr)
{
    open_with("#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' e >&2; echo out\n", 4096);
    ck_assert_int_eq(fake_run(f, ":QUBESRPC t domX"), 0);
    ck_assert_uint_eq(f->got_err, 1000000);
    ck_assert_str_eq(f->text, "out\n");
    ck_assert_uint_eq(strspn(f->err_text, "e"), FAKE_TEXT - 1);
    close_all();
}
END_TEST

START_TEST(reader_that_stops)
{
    open_with("#!/bin/sh\nhead -c 3000000 /dev/zero; echo -n x >&2\n", 8192);
    fake_stall(f, true);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    host_run(w.h, 0.5);
    ck_assert_uint_eq(unik_ring_used(&f->out), 8192);       /* full, and nothing more was taken */
    ck_assert(!f->closed && !f->shut);
    fake_stall(f, false);
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_uint_eq(f->got, 3000000);
    ck_assert_str_eq(f->err_text, "x");
    close_all();
}
END_TEST

START_TEST(child_that_never_reads)
{
    open_with("#!/bin/sh\necho up; while [ ! -e $0.go ]; do sleep 0.05; done; exit 9\n", 65536);
    fake_feed_pattern(f, 20 * MB);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    ck_assert(world_until(&w, got_something, NULL, 300));
    host_run(w.h, 0.3);
    ck_assert_uint_lt(f->consumed, MB);         /* what a socket buffer holds */
    ck_assert(!f->closed);
    world_file(&w, "rpc/t.go", 0644, "");
    ck_assert(world_until(&w, fake_closed, f, 300));     /* its exit ends the call, whatever input is left */
    ck_assert_int_eq(f->code, 9);
    close_all();
}
END_TEST

START_TEST(input_after_exit_is_dropped)
{
    open_with("#!/bin/sh\n(while [ ! -e $0.go ]; do sleep 0.05; done; echo late) <&- & exit 4\n", 4096);
    fake_feed_pattern(f, 5 * MB);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    fake_end(f);
    ck_assert(world_until(&w, consumed, &(size_t){ 5 * MB }, 300));  /* so that the caller is not stuck with it */
    ck_assert(!f->closed);
    world_file(&w, "rpc/t.go", 0644, "");
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_int_eq(f->code, 4);
    ck_assert_str_eq(f->text, "late\n");
    close_all();
}
END_TEST

START_TEST(exit_closes_stdin)
{
    open_with("#!/bin/sh\nexec 3<&0\n(read x <&3; echo stdin closed; while [ ! -e $0.go ]; do sleep 0.05; done) &\n"
              "exit 42\n", 4096);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    ck_assert(world_until(&w, got_something, NULL, 300));    /* though the caller has not ended its input */
    ck_assert_str_eq(f->text, "stdin closed\n");
    world_file(&w, "rpc/t.go", 0644, "");
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_int_eq(f->code, 42);
    close_all();
}
END_TEST

START_TEST(waiting_costs_nothing)
{
    unsigned turns;

    open_with("#!/bin/sh\nexec cat\n", 65536);
    f->pattern = true;
    fake_feed_pattern(f, 5 * MB);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    ck_assert(world_until(&w, all_came_back, &(size_t){ 5 * MB }, 300));
    turns = ev_iteration(w.ctx->loop);
    host_run(w.h, 0.3);
    ck_assert_uint_lt(ev_iteration(w.ctx->loop) - turns, 10);
    fake_end(f);
    ck_assert(world_until(&w, fake_closed, f, 300));
    close_all();
}
END_TEST

START_TEST(stdin_closed_early)
{
    open_with("#!/bin/sh\nread x; exec </dev/null; echo \"closed after $x\"\n"
              "while [ ! -e $0.go ]; do sleep 0.05; done\n", 4096);
    fake_feed(f, "one\n");
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    ck_assert(world_until(&w, got_something, NULL, 300));
    fake_feed_pattern(f, MB);
    fake_end(f);
    ck_assert(world_until(&w, consumed, &(size_t){ MB + 4 }, 300));
    world_file(&w, "rpc/t.go", 0644, "");
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_str_eq(f->text, "closed after one\n");
    close_all();
}
END_TEST

START_TEST(exits_without_reading_eof)
{
    open_with("#!/bin/sh\nread x; echo \"got $x\"\n", 4096);
    fake_feed(f, "line\n");
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    ck_assert(world_until(&w, fake_closed, f, 300));         /* no end of input was ever sent */
    ck_assert_str_eq(f->text, "got line\n");
    close_all();
}
END_TEST

/* ---- ends ---- */

START_TEST(streams_end_one_by_one)
{
    open_with("#!/bin/sh\nread x; echo closing stdout; exec >&-\nread x; echo closing stderr >&2; exec 2>&-\n"
              "read x; exit $x\n", 4096);
    fake_feed(f, "\n");
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    ck_assert(world_until(&w, is_shut, NULL, 300));
    ck_assert(!f->err_shut && !f->closed);
    fake_feed(f, "\n");
    ck_assert(world_until(&w, is_err_shut, NULL, 300));
    ck_assert(!f->closed);
    fake_feed(f, "42\n");
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_int_eq(f->code, 42);
    ck_assert_str_eq(f->text, "closing stdout\n");
    ck_assert_str_eq(f->err_text, "closing stderr\n");
    close_all();
}
END_TEST

START_TEST(background_child_holds_stdout)
{
    open_with("#!/bin/sh\n(while [ ! -e $0.go ]; do sleep 0.05; done; echo late) & echo early; exit 42\n", 4096);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    fake_end(f);
    ck_assert(world_until(&w, got_something, NULL, 300));
    host_run(w.h, 0.3);
    ck_assert(!f->closed && !f->shut);
    world_file(&w, "rpc/t.go", 0644, "");
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_int_eq(f->code, 42);
    ck_assert_str_eq(f->text, "early\nlate\n");
    close_all();
}
END_TEST

START_TEST(caller_gone)
{
    static const int errors[] = { -ECONNRESET, -EPIPE };

    for (size_t i = 0; i < 2; i++) {
        open_with("#!/bin/sh\necho up; cat >/dev/null; sleep 0.2; trap '' PIPE; echo lost 2>/dev/null\n"
                  "touch $0.done; exit 3\n", 4096);
        fake_feed_pattern(f, 100);
        ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
        ck_assert(world_until(&w, got_something, NULL, 300));
        fake_break(f, errors[i]);
        host_run(w.h, 0.05);
        ck_assert(!f->closed);                  /* the child is waited for, and not killed */
        ck_assert(world_until(&w, fake_closed, f, 300));
        ck_assert_int_eq(f->code, 3);
        ck_assert(exists((void *)(uintptr_t)world_path(&w, "rpc/t.done")));
        close_all();
    }
}
END_TEST

START_TEST(caller_gone_seen_by_writing)
{
    open_with("#!/bin/sh\ntrap '' PIPE\nread x; sleep 0.2; while echo y; do :; done 2>/dev/null; exit 6\n", 4096);
    fake_feed(f, "\n");
    fake_end(f);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    host_run(w.h, 0.05);
    f->ended = -ECONNRESET;             /* no event tells */
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_int_eq(f->code, 6);
    close_all();
}
END_TEST

START_TEST(just_exec)
{
    char *done, text[100] = "";
    FILE *files;

    open_with("#!/bin/sh\nx=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2); echo \"$x\" >$0.files\n"
              "sleep 0.2; touch $0.done; exit 3\n", 4096);
    done = strdup(world_path(&w, "rpc/t.done"));
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", true), 0);
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_int_eq(f->code, 0);
    ck_assert(!exists(done));
    ck_assert_uint_eq(qrexec_exec_running(w.x), 0);
    ck_assert(world_until(&w, no_children, NULL, 300));
    ck_assert(exists(done));
    files = fopen(world_path(&w, "rpc/t.files"), "r");
    ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, files), 0);
    fclose(files);
    ck_assert_str_eq(text, "/dev/null\n/dev/null\n/dev/null\n");
    world_file(&w, "rpc/bad", 0755, "#!/no/such/file\n");
    fake_free(f);
    f = fake_new(&w, 4096);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC bad domX", true), 0);
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_int_eq(f->code, 127);
    ck_assert(world_until(&w, no_children, NULL, 300));
    free(done);
    close_all();
}
END_TEST

static bool all_closed(void *arg)
{
    struct fake_call **calls = arg;

    for (size_t i = 0; i < 200; i++)
        if (!calls[i]->closed)
            return false;
    return true;
}

START_TEST(two_hundred)
{
    struct fake_call *calls[200];

    open_with("#!/bin/sh\ncat; exit ${1}\n", 4096);
    for (size_t i = 0; i < 200; i++) {
        char line[100];

        calls[i] = fake_new(&w, 4096);
        calls[i]->pattern = true;
        snprintf(line, sizeof(line), ":QUBESRPC t+%zu domX", i);
        ck_assert_int_eq(fake_start(calls[i], line, false), 0);
    }
    ck_assert_uint_eq(qrexec_exec_running(w.x), 200);
    for (size_t i = 0; i < 200; i++) {
        fake_feed_pattern(calls[i], 10000 + i);
        fake_end(calls[i]);
    }
    ck_assert(world_until(&w, all_closed, calls, 300));
    for (size_t i = 0; i < 200; i++) {
        ck_assert_int_eq(calls[i]->code, (int)i);
        ck_assert_uint_eq(calls[i]->got, 10000 + i);
        ck_assert(!calls[i]->differs);
        fake_free(calls[i]);
    }
    close_all();
}
END_TEST

START_TEST(table_is_full)
{
    open_with("#!/bin/sh\n", 4096);
    w.x->n_runs = QREXEC_RUNS_MAX;
    ck_assert_int_eq(fake_run(f, ":QUBESRPC t domX"), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "cannot start for domX"));
    w.x->n_runs = 0;
    close_all();
}
END_TEST

START_TEST(out_of_descriptors)
{
    struct rlimit limit, low;
    int planned;

    open_with("#!/bin/sh\n", 4096);
    getrlimit(RLIMIT_NOFILE, &limit);
    for (rlim_t more = 0; more < 8; more++) {       /* two socket pairs, two pipes */
        low = limit;
        low.rlim_cur = (rlim_t)dup(0);              /* the lowest free number */
        close((int)low.rlim_cur);
        low.rlim_cur += more;
        setrlimit(RLIMIT_NOFILE, &low);
        planned = fake_start(f, ":QUBESRPC t domX", false);     /* already the account's file may not be opened */
        setrlimit(RLIMIT_NOFILE, &limit);
        ck_assert(planned == 125 || (planned == 0 && f->closed && f->code == 125));
        ck_assert_int_eq(open_fds(), w.fds);
        fake_free(f);
        f = fake_new(&w, 4096);
    }
    close_all();
}
END_TEST

START_TEST(agent_stops)
{
    char *done;

    open_with("#!/bin/sh\necho up; sleep 0.3; touch $0.done\n", 4096);
    done = strdup(world_path(&w, "rpc/t.done"));
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    ck_assert(world_until(&w, got_something, NULL, 300));
    qrexec_exec_free(w.x);
    w.x = NULL;
    ck_assert(f->closed);
    ck_assert_int_eq(f->code, 125);
    ck_assert(world_until(&w, exists, done, 300));           /* the child went on */
    host_run(w.h, 0.2);
    free(done);
    close_all();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("qrexec-exec-io");
    TCase *t = tcase_create("exec");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, all_sizes);
    tcase_add_test(t, fifty_megabytes);
    tcase_add_test(t, much_stderr);
    tcase_add_test(t, reader_that_stops);
    tcase_add_test(t, child_that_never_reads);
    tcase_add_test(t, input_after_exit_is_dropped);
    tcase_add_test(t, exit_closes_stdin);
    tcase_add_test(t, waiting_costs_nothing);
    tcase_add_test(t, stdin_closed_early);
    tcase_add_test(t, exits_without_reading_eof);
    tcase_add_test(t, streams_end_one_by_one);
    tcase_add_test(t, background_child_holds_stdout);
    tcase_add_test(t, caller_gone);
    tcase_add_test(t, caller_gone_seen_by_writing);
    tcase_add_test(t, just_exec);
    tcase_add_test(t, two_hundred);
    tcase_add_test(t, table_is_full);
    tcase_add_test(t, out_of_descriptors);
    tcase_add_test(t, agent_stops);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
