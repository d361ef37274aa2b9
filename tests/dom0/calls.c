/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/calls.c - calls that dom0 makes: the bytes on the wire, how they end, what a guest may do wrong in one. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/common/bytes.h"
#include "tests/dom0/run.h"

static void expect_bytes(struct peer *p, const char *text)
{
    uint8_t bytes[512];
    size_t n = bytes_of(text, bytes, sizeof(bytes));

    ck_assert(peer_expect(p, bytes, n));
}

static void send_bytes(struct peer *p, const char *text)
{
    uint8_t bytes[1024];
    size_t n = bytes_of(text, bytes, sizeof(bytes));

    ck_assert(peer_send(p, bytes, n));
}

START_TEST(golden_bytes)
{
    struct run *r = run_start("--deadline 1");
    struct peer *c = peer_listen(r->h, r->vchan, 1, 0, 512), *d;
    struct program *p;

    ck_assert(peer_accept(c, RUN_SECONDS));
    send_bytes(c, "00 03 00 00  04 00 00 00  03 00 00 00");
    expect_bytes(c, "00 03 00 00  04 00 00 00  03 00 00 00");
    p = run_begin(r, NULL, "exec", "DEFAULT:echo hi");
    expect_bytes(c, "00 02 00 00  15 00 00 00  00 00 00 00  01 02 00 00  75 73 65 72 3a 65 63 68 6f 20 68 69 00");
    d = peer_connect(r->h, r->vchan, 0, 1, 513, RUN_SECONDS);
    expect_bytes(d, "00 03 00 00  04 00 00 00  04 00 00 00");
    send_bytes(d, "00 03 00 00  04 00 00 00  03 00 00 00");
    expect_bytes(d, "90 01 00 00  00 00 00 00");
    send_bytes(d, "91 01 00 00  03 00 00 00  68 69 0a");
    send_bytes(d, "91 01 00 00  00 00 00 00  92 01 00 00  00 00 00 00");
    send_bytes(d, "93 01 00 00  04 00 00 00  00 00 00 00");
    ck_assert_int_eq(run_end(r, p), 0);
    ck_assert_str_eq(r->out, "hi\n");
    ck_assert(peer_closed(d, RUN_SECONDS));
    peer_close(d);
    send_bytes(c, "11 02 00 00  08 00 00 00  00 00 00 00  01 02 00 00");
    ck_assert_int_eq(run_command(r, "wait --seconds 5 qrexec", NULL), 0);
    ck_assert_int_eq(run_command(r, "status --strict", NULL), 0);
    ck_assert_ptr_nonnull(strstr(r->out, "ports: 0 in use"));
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* dom0's newest protocol, what the guest says, what comes back, what the data channel says. */
static const struct { int dom0, guest, reply, data; } versions[] = {
    { 4, 2, 2, 4 }, { 4, 3, 3, 4 }, { 4, 4, 4, 4 }, { 4, 9, 9, 4 }, { 3, 4, 3, 3 }, { 3, 2, 3, 3 }, { 2, 4, 2, 2 },
};

START_TEST(answers_hello_as_the_real_one)
{
    uint8_t hello[12] = { 0, 3, 0, 0, 4, 0, 0, 0, (uint8_t)versions[_i].guest };
    struct peer *c, *d;
    struct program *p;
    char option[32];
    struct run *r;

    snprintf(option, sizeof(option), "--protocol %d", versions[_i].dom0);
    r = run_start(option);
    c = peer_listen(r->h, r->vchan, 1, 0, 512);
    ck_assert(peer_accept(c, RUN_SECONDS));
    ck_assert(peer_send(c, hello, sizeof(hello)));
    hello[8] = (uint8_t)versions[_i].reply;
    ck_assert(peer_expect(c, hello, sizeof(hello)));
    p = run_begin(r, NULL, "call --source work --user root", "my.Service+arg");
    expect_exec(c, 513, "root:QUBESRPC my.Service+arg work");
    d = peer_connect(r->h, r->vchan, 0, 1, 513, RUN_SECONDS);
    hello[8] = (uint8_t)versions[_i].data;
    ck_assert(peer_expect(d, hello, sizeof(hello)));
    peer_close(d);
    ck_assert_int_eq(run_end(r, p), 255);
    peer_close(c);
    run_stop(r);
}
END_TEST

/* One call: what the guest sends on the data channel after HELLO, whether it closes then, the exit code of the command,
 * its output, and the violation in the log (NULL: none). */
static const struct end { const char *sends; bool closes; int code; const char *out, *violation; } ends[] = {
    /* orderly, and what the real client takes as well */
    { "91 01 *2 *4  93 01 *2 04 *3 2a *3", false, 42, "", NULL },
    { "91 01 *2 01 *3 'x'  91 01 *2 *4  92 01 *2 *4  93 01 *2 04 *3 ff *3", true, 255, "x", NULL },
    { "91 01 *2 *4 93 01 *2 04 *3 *4", false, 0, "", NULL },
    /* wrong */
    { "91 01 *2 *4  93 01 *2 04 *3 ff ff ff ff", true, 255, "", "exit code -1 is not in 0..255" },
    { "91 01 *2 *4  93 01 *2 04 *3 00 01 *2", false, 0, "", "exit code 256 is not in 0..255" },
    { "91 01 *2 *4  93 01 *2 02 *3 05 00", false, 255, "", "EXIT_CODE has 4 bytes" },
    { "91 01 *2 *4  93 01 *2 06 *3 05 *5", false, 5, "", "EXIT_CODE has 4 bytes" },
    { "93 01 *2 04 *3 07 *3", true, 7, "", NULL },
    { "93 01 *2 04 *3 *4", true, 0, "", "EXIT_CODE 0 before the end of STDOUT" },
    { "", true, 255, "", "ended without EXIT_CODE" },
    { "91 01 *2 05 *3 'abc'", true, 255, "abc", "closed in the middle of a message" },
    { "91 01", true, 255, "", "closed in the middle of a message" },
    { "91 01 *2 01 00 01 00 'a'", false, 1, "", "over 65536 bytes" },
    { "94 01 *2 *4", false, 1, "", "unknown type" },
    { "00 02 *2 09 *3 *9", false, 1, "", "unknown type" },
    { "00 03 *2 04 *3 03 *3", false, 1, "", "second HELLO" },
    { "90 01 *2 02 *3 'in'  91 01 *2 *4  93 01 *2 04 *3 *4", false, 0, "in", "a service sends no STDIN" },
    { "91 01 *2 *4  91 01 *2 03 *3 'two'  93 01 *2 04 *3 *4", false, 0, "", "message after the end of its stream" },
    { "92 01 *2 *4  92 01 *2 *4  91 01 *2 *4  93 01 *2 04 *3 *4", false, 0, "", "message after the end of its stream" },
    { "93 01 *2 04 *3 *4  91 01 *2 *4", false, 0, "", "message after EXIT_CODE" },
};

START_TEST(every_end_of_a_call)
{
    const struct end *e = &ends[_i];
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *p = run_begin(r, NULL, "exec", "user:true");

    expect_exec(c, 513, "user:true");
    d = run_data(r, 513);
    send_bytes(d, e->sends);
    if (e->closes)
        peer_hang_up(d);
    ck_assert_int_eq(run_end(r, p), e->code);
    ck_assert_str_eq(r->out, e->out);
    peer_close(d);
    send_terminated(c, 0, 513);
    if (e->violation)
        ck_assert(run_logged(r, e->violation));
    else
        ck_assert(run_logged(r, "got CONNECTION_TERMINATED") || run_logged(r, "got TERMINATED"));
    ck_assert_int_eq(run_command(r, "status --strict", NULL), e->violation ? 1 : 0);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), e->violation ? 1 : 0);
}
END_TEST

START_TEST(hello_of_the_data_channel)
{
    static const char *const bad[][2] = {
        { "91 01 *2 *4", "expected HELLO of 4 bytes" }, { "00 03 *2 05 *3 03 *4", "expected HELLO of 4 bytes" },
        { "00 03 *2 04 *3 01 *3", "HELLO with version 1" },
    };
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *p = run_begin(r, NULL, "exec", "user:true");

    expect_exec(c, 513, "user:true");
    d = peer_connect(r->h, r->vchan, 0, 1, 513, RUN_SECONDS);
    send_bytes(d, bad[_i][0]);
    ck_assert_int_eq(run_end(r, p), 1);
    ck_assert(run_logged(r, bad[_i][1]));
    peer_close(d);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(input_in_full_chunks_and_stderr_apart)
{
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3), *d;
    size_t n = 200000, got = 0;
    char *input = calloc(1, n + 1), *back = calloc(1, n + 1);
    struct program *p;

    for (size_t i = 0; i < n; i++)
        input[i] = (char)('a' + i % 23);
    p = run_begin(r, run_file(r, "input", input), "exec", "user:cat");
    expect_exec(c, 513, "user:cat");
    d = run_data(r, 513);
    for (;;) {
        struct qrexec_header h;
        uint8_t head[QREXEC_HEADER];

        ck_assert(peer_recv(d, head, sizeof(head), RUN_SECONDS));
        qrexec_decode_header(head, &h);
        ck_assert_uint_eq(h.type, QREXEC_STDIN);
        ck_assert_uint_le(h.len, 65536);
        if (h.len == 0)
            break;
        ck_assert_uint_le(got + h.len, n);
        ck_assert(peer_recv(d, back + got, h.len, RUN_SECONDS));
        got += h.len;
    }
    ck_assert_uint_eq(got, n);
    ck_assert_mem_eq(input, back, n);
    send_message(d, QREXEC_STDERR, "not this", 8);
    send_message(d, QREXEC_STDOUT, back, 65536);
    send_message(d, QREXEC_STDOUT, back, 0);
    send_message(d, QREXEC_STDERR, back, 0);
    send_exit(d, 3);
    ck_assert_int_eq(run_end(r, p), 3);
    ck_assert_uint_eq(strlen(r->out), sizeof(r->out) - 1);      /* as much as run_end() keeps */
    ck_assert_int_eq(memcmp(r->out, input, 60000), 0);
    send_terminated(c, 0, 513);
    free(input);
    free(back);
    peer_close(d);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(just_exec_needs_no_streams)
{
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 4), *d;
    struct program *p = run_begin(r, NULL, "exec --just", "user:daemon");

    expect_message(c, QREXEC_JUST_EXEC, "\0\0\0\0\1\2\0\0user:daemon", 20);
    d = run_data(r, 513);
    send_exit(d, 0);
    peer_hang_up(d);
    ck_assert_int_eq(run_end(r, p), 0);
    send_terminated(c, 0, 513);
    peer_close(d);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(a_client_that_leaves_and_one_that_times_out)
{
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3), *d;
    struct program *p = run_begin(r, NULL, "exec --timeout 0.2", "user:sleep");

    expect_exec(c, 513, "user:sleep");
    d = run_data(r, 513);
    ck_assert_int_eq(run_end(r, p), 124);
    ck_assert(peer_closed(d, RUN_SECONDS));
    peer_close(d);

    p = run_begin(r, NULL, "exec", "user:sleep");       /* 513 is not free before CONNECTION_TERMINATED */
    expect_exec(c, 514, "user:sleep");
    d = run_data(r, 514);
    kill(p->pid, SIGKILL);
    ck_assert_int_eq(run_end(r, p), 128 + SIGKILL);
    ck_assert(peer_closed(d, RUN_SECONDS));
    peer_close(d);
    send_terminated(c, 0, 514);
    send_terminated(c, 0, 513);
    send_terminated(c, 0, 513);
    ck_assert(run_logged(r, "note: qrexec: CONNECTION_TERMINATED for domain 0, port 513, which is not in use"));
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* A full disk, a folder as input, a reader that has gone: the call ends, and says so, however it would have gone on. */
START_TEST(a_caller_whose_descriptors_fail)
{
    static const struct { const char *output, *input; int code; } ways[] = {
        { "/dev/full", NULL, 1 }, { NULL, "/", 1 }, { "fifo", NULL, 128 + SIGPIPE }
    };
    bool fifo = ways[_i].output && strcmp(ways[_i].output, "fifo") == 0;
    const char *output = ways[_i].output;
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3), *d;
    char path[512];
    struct program *p;
    int reader = -1;

    if (fifo) {
        snprintf(path, sizeof(path), "%s/fifo", r->dir);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        reader = open(path, O_RDONLY | O_NONBLOCK);
        output = path;
    }
    p = run_begin_into(r, output, ways[_i].input, "exec", "user:x");
    expect_exec(c, 513, "user:x");
    d = run_data(r, 513);
    if (fifo)
        close(reader);
    if (output)
        send_message(d, QREXEC_STDOUT, "bytes", 5);
    ck_assert(peer_closed(d, RUN_SECONDS));
    ck_assert_int_eq(run_end(r, p), ways[_i].code);
    peer_close(d);
    send_terminated(c, 0, 513);
    peer_close(c);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* Whoever waits without an end: while the VM lives, and a moment longer. */
START_TEST(waits_for_a_vm_that_dies)
{
    struct run *r = run_start("");
    struct peer *c = run_guest(r, 1, 3);
    struct program *p = run_begin(r, NULL, "wait gui", NULL), *q;

    peer_close(c);
    q = run_begin(r, NULL, "wait qubesdb", NULL);
    ck_assert_int_eq(run_end(r, p), 1);
    ck_assert_int_eq(run_end(r, q), 1);
    p = run_begin(r, NULL, "wait qrexec", NULL);       /* but one that comes back in time is not gone */
    c = run_guest(r, 1, 3);
    ck_assert_int_eq(run_end(r, p), 0);
    p = run_begin(r, NULL, "wait gone", NULL);
    peer_close(c);
    ck_assert_int_eq(run_end(r, p), 0);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(refused_without_a_guest)
{
    struct run *r = run_start("--domid 5 --name work");

    ck_assert_int_eq(run_command(r, "exec", "user:true"), 126);
    ck_assert_int_eq(run_command(r, "exec --vm other", "user:true"), 126);
    ck_assert_int_eq(run_command(r, "wait --seconds 0.1 qrexec", NULL), 1);
    ck_assert_int_eq(run_command(r, "wait --vm 5 --seconds 9 gone", NULL), 0);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

TCase *case_calls(void)
{
    TCase *t = tcase_create("calls");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, golden_bytes);
    tcase_add_loop_test(t, answers_hello_as_the_real_one, 0, sizeof(versions) / sizeof(versions[0]));
    tcase_add_loop_test(t, every_end_of_a_call, 0, sizeof(ends) / sizeof(ends[0]));
    tcase_add_loop_test(t, hello_of_the_data_channel, 0, 3);
    tcase_add_test(t, input_in_full_chunks_and_stderr_apart);
    tcase_add_test(t, just_exec_needs_no_streams);
    tcase_add_test(t, a_client_that_leaves_and_one_that_times_out);
    tcase_add_loop_test(t, a_caller_whose_descriptors_fail, 0, 3);
    tcase_add_test(t, waits_for_a_vm_that_dies);
    tcase_add_test(t, refused_without_a_guest);
    return t;
}
