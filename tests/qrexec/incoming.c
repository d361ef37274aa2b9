/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/incoming.c - calls from dom0 and other VMs to services of this process. */
#include "tests/qrexec/fixture.h"

#define CALL "user:QUBESRPC test.Svc+ work"

/* doc/protocol/qrexec.md, 10 (a) and 11, byte for byte. */
START_TEST(golden)
{
    static const uint8_t request[] = { 0x00, 2, 0, 0, 0x29, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x02, 0, 0,
        'u', 's', 'e', 'r', ':', 'Q', 'U', 'B', 'E', 'S', 'R', 'P', 'C', ' ', 't', 'e', 's', 't', '.', 'S', 'a', 'y', '+', 'x',
        ' ', 'v', 'm', '4', '2', '-', 'a', 'b', 0 };
    static const uint8_t their_hello[] = { 0, 3, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0 }, eof[] = { 0x90, 1, 0, 0, 0, 0, 0, 0 };
    static const uint8_t answer[] = { 0, 3, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0x91, 1, 0, 0, 3, 0, 0, 0, 'h', 'i', '\n',
        0x91, 1, 0, 0, 0, 0, 0, 0, 0x92, 1, 0, 0, 0, 0, 0, 0, 0x93, 1, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0 };
    static const uint8_t released[] = { 0x11, 2, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0 };
    struct fixture *f = fixture_up(NULL);
    struct peer *p = peer_listen(f->h, f->dir, 0, 1, 513);
    struct seen s = { .reading = true };

    serve(f, "test.Say", &s);
    ck_assert(peer_send(f->dom0, request, sizeof(request)));
    ck_assert(peer_accept(p, SECONDS));
    ck_assert(peer_send(p, their_hello, sizeof(their_hello)));
    ck_assert(until(f, &s.called));
    ck_assert_str_eq(s.service, "test.Say");
    ck_assert_str_eq(s.argument, "x");
    ck_assert_str_eq(s.peer, "vm42-ab");
    ck_assert_str_eq(s.user, "user");
    ck_assert_str_eq(s.call->io->peer, "vm42-ab");
    ck_assert(peer_send(p, eof, sizeof(eof)));
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, 1);
    ck_assert_int_eq(unik_stream_write(s.call->io, "hi\n", 3), 3);
    seen_close(&s, 7);
    ck_assert(peer_expect(p, answer, sizeof(answer)));
    ck_assert(peer_closed(p, SECONDS));
    ck_assert(peer_expect(f->dom0, released, sizeof(released)));
    dom0_expect_nothing(f);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* An echo at each version; a message never exceeds what the version allows. */
START_TEST(versions)
{
    static char got[DATA_MAX], big[DATA_MAX];
    uint32_t version = (uint32_t)_i, limit = version < 3 ? 4096 : 65536;
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true, .echoes = true };
    struct peer *p;
    size_t n, sum = 0;

    serve(f, "test.Svc", &s);
    p = call_in(f, 7, 600, version, CALL);
    say(p, QREXEC_STDIN, big, limit);
    while (sum < limit) {
        ck_assert_uint_eq(hear(p, got, &n), QREXEC_STDOUT);
        ck_assert_uint_ge(n, 1);
        ck_assert_uint_le(n, limit);
        sum += n;
    }
    ck_assert_uint_eq(sum, limit);
    say(p, QREXEC_STDIN, NULL, 0);
    ck_assert(until(f, &s.ended));
    seen_close(&s, 0);
    expect_end(p, 0);
    dom0_expect_release(f, 7, 600);
    fixture_end(f);
}
END_TEST

/* A version we do not have, and the announced one is what we have. */
START_TEST(newer_peer)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { 0 };
    struct peer *p;

    serve(f, "test.Svc", &s);
    p = call_in(f, 7, 600, 9, CALL);
    ck_assert(until(f, &s.called));
    seen_close(&s, 0);
    expect_end(p, 0);
    dom0_expect_release(f, 7, 600);
    fixture_end(f);
}
END_TEST

/* HELLO, two messages of input and the end of it, cut in two at every byte, with the loop run in between. */
START_TEST(split_everywhere)
{
    static const uint8_t stream[] = { 0, 3, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 0x90, 1, 0, 0, 3, 0, 0, 0, 'a', 'b', 'c',
        0x90, 1, 0, 0, 1, 0, 0, 0, 'd', 0x90, 1, 0, 0, 0, 0, 0, 0 };
    static const uint8_t ours[] = { 0, 3, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0 };
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true, .keeps = true };

    serve(f, "test.Svc", &s);
    for (size_t cut = 0; cut <= sizeof(stream); cut++) {
        struct peer *p = peer_listen(f->h, f->dir, 7, 1, 514);

        s.n = 0;
        s.ended = false;
        dom0_exec(f, QREXEC_EXEC_CMDLINE, 7, 514, CALL);
        ck_assert(peer_accept(p, SECONDS));
        ck_assert(peer_expect(p, ours, sizeof(ours)));
        ck_assert(peer_send(p, stream, cut));
        host_run(f->h, 0.002);
        ck_assert(peer_send(p, stream + cut, sizeof(stream) - cut));
        ck_assert(until(f, &s.ended));
        ck_assert_uint_eq(s.n, 4);
        ck_assert_mem_eq(s.bytes, "abcd", 4);
        seen_close(&s, 0);
        expect_end(p, 0);
        dom0_expect_release(f, 7, 514);
    }
    fixture_end(f);
}
END_TEST

/* Two requests, the control channel cut in two at every byte. */
START_TEST(control_split_everywhere)
{
    uint8_t stream[200];
    struct fixture *f = fixture_up(NULL);
    size_t first, n;

    first = (size_t)qrexec_encode_exec(stream, sizeof(stream), QREXEC_EXEC_CMDLINE, 7, 520, "u:QUBESRPC no.Such+ a", 21);
    n = first + (size_t)qrexec_encode_exec(stream + first, sizeof(stream) - first, QREXEC_JUST_EXEC, 8, 521, "u:QUBESRPC no.Such b", 20);
    for (size_t cut = 0; cut <= n; cut++) {
        struct peer *a = peer_listen(f->h, f->dir, 7, 1, 520), *b = peer_listen(f->h, f->dir, 8, 1, 521);

        ck_assert(peer_send(f->dom0, stream, cut));
        host_run(f->h, 0.001);
        ck_assert(peer_send(f->dom0, stream + cut, n - cut));
        ck_assert(peer_accept(a, SECONDS) && peer_accept(b, SECONDS));
        hello(a, 4);
        say(a, QREXEC_STDIN, NULL, 0);
        expect_end(a, 127);
        dom0_expect_release(f, 7, 520);
        hello(b, 4);
        expect_code(b, 127);
        ck_assert(peer_closed(b, SECONDS));
        peer_close(b);
        dom0_expect_release(f, 8, 521);
    }
    fixture_end(f);
}
END_TEST

START_TEST(stderr_and_ends)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true };
    struct peer *p;
    char big[4097] = "";

    serve(f, "test.Svc", &s);
    p = call_in(f, 0, 513, 4, CALL);
    ck_assert(until(f, &s.called));
    ck_assert_int_eq(f->q->write_err(s.call, "oops", 4), 4);
    ck_assert_int_eq(f->q->write_err(s.call, big, sizeof(big)), -EMSGSIZE);
    ck_assert_ptr_null(f->q->err(s.call));
    ck_assert_int_eq(unik_stream_write(s.call->io, "out", 3), 3);
    ck_assert_int_eq(unik_stream_shut(s.call->io), 0);
    ck_assert_int_eq(unik_stream_shut(s.call->io), 0);
    ck_assert_int_eq(unik_stream_write(s.call->io, "x", 1), -EPIPE);
    ck_assert_uint_eq(unik_stream_room(s.call->io), 0);
    expect(p, QREXEC_STDERR, "oops", 4);
    expect(p, QREXEC_STDOUT, "out", 3);
    expect_eof(p, QREXEC_STDOUT);
    ck_assert_int_eq(f->q->write_err(s.call, "!", 1), 1);
    say(p, QREXEC_STDIN, NULL, 0);
    say(p, QREXEC_STDIN, "late", 4);            /* after the end: thrown away */
    say(p, QREXEC_STDERR, "wrong way", 9);
    say(p, QREXEC_EXIT_CODE, "\1\0\0\0", 4);
    ck_assert(until(f, &s.ended));
    ck_assert_uint_eq(s.n, 0);
    seen_close(&s, 300);                        /* only 0 to 255 go out */
    expect(p, QREXEC_STDERR, "!", 1);
    expect_eof(p, QREXEC_STDERR);
    expect_code(p, 300 & 255);
    ck_assert(peer_closed(p, SECONDS));
    peer_close(p);
    dom0_expect_release(f, 0, 513);
    fixture_end(f);
}
END_TEST

/* Closed in its very first moment, with nothing read or written. */
static void close_at_once(struct unik_qrexec_call *call, void *arg)
{
    call->exit_code = *(int *)arg;
    unik_stream_close(call->io);
}

START_TEST(closed_at_once)
{
    struct fixture *f = fixture_up(NULL);
    struct peer *p;
    int code = 3;

    ck_assert_int_eq(f->q->serve(f->q, f->app, "test.Svc", close_at_once, &code, NULL), 0);
    p = call_in(f, 7, 515, 3, CALL);
    expect_end(p, 3);
    dom0_expect_release(f, 7, 515);
    fixture_end(f);
}
END_TEST

START_TEST(lookup)
{
    struct fixture *f = fixture_up(NULL);
    struct seen plain = { 0 }, eighty = { 0 }, other = { 0 };
    struct unik_qrexec_service *out;
    struct peer *p;
    char name[300];

    serve(f, "test.Tcp", &plain);
    serve(f, "test.Tcp+80", &eighty);
    ck_assert_int_eq(f->q->serve(f->q, f->app, "test.Tcp", on_call, &other, NULL), -EEXIST);
    ck_assert_int_eq(f->q->serve(f->q, f->app, "unik.Status", on_call, &other, NULL), -EEXIST);
    ck_assert_int_eq(f->q->serve(f->q, f->app, "", on_call, &other, NULL), -EINVAL);
    ck_assert_int_eq(f->q->serve(f->q, f->app, "+x", on_call, &other, NULL), -EINVAL);
    ck_assert_int_eq(f->q->serve(f->q, f->app, "a b", on_call, &other, NULL), -EINVAL);
    ck_assert_int_eq(f->q->serve(f->q, f->app, "test.Tcp+", on_call, &other, NULL), -EINVAL);
    memset(name, 'a', 256);
    name[256] = 0;
    ck_assert_int_eq(f->q->serve(f->q, f->app, name, on_call, &other, NULL), -EINVAL);
    name[255] = 0;
    ck_assert_int_eq(f->q->serve(f->q, f->app, name, on_call, &other, &out), 0);
    f->q->unserve(f->q, out);
    ck_assert_int_eq(f->q->serve(f->q, f->app, name, on_call, &other, &out), 0);

    p = call_in(f, 0, 513, 4, "u:QUBESRPC test.Tcp+80 dom0");
    ck_assert(until(f, &eighty.called));
    ck_assert_str_eq(eighty.argument, "80");
    seen_close(&eighty, 0);
    expect_end(p, 0);
    dom0_expect_release(f, 0, 513);
    for (int i = 0; i < 3; i++) {
        static const char *const lines[] = { "u:QUBESRPC test.Tcp dom0", "u:QUBESRPC test.Tcp+ dom0",
                                             "u:nogui:QUBESRPC test.Tcp+8080 dom0 name x" };

        plain.called = false;
        p = call_in(f, 0, 513, 4, lines[i]);
        ck_assert(until(f, &plain.called));
        ck_assert_str_eq(plain.argument, i == 2 ? "8080" : "");
        ck_assert_str_eq(plain.peer, "dom0");
        seen_close(&plain, 0);
        expect_end(p, 0);
        dom0_expect_release(f, 0, 513);
    }
    fixture_end(f);
}
END_TEST

/* What is not there, not allowed or makes no sense still gets ends and a code. */
START_TEST(refused)
{
    static const struct { const char *line; int code; bool text; } rows[] = {
        { "u:QUBESRPC no.Such+ work", 127, false }, { "no colon", 125, true }, { "u:QUBESRPC", 125, true },
        { "u:QUBESRPCx y z", 125, true }, { "u:QUBESRPC a", 125, true }, { "u:QUBESRPC +x work", 125, true },
        { "u:QUBESRPC a  ", 125, true },
    };
    struct fixture *f = fixture_up(NULL);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct peer *p = call_in(f, 7, 513, 4, rows[i].line);

        say(p, QREXEC_STDIN, NULL, 0);
        if (rows[i].text)
            expect(p, QREXEC_STDERR, "malformed command line\n", 23);
        expect_end(p, rows[i].code);
        dom0_expect_release(f, 7, 513);
    }
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_refused"), sizeof(rows) / sizeof(rows[0]));
    fixture_end(f);
}
END_TEST

/* A handler that aborts: the code alone, no end of a stream, though the caller is still sending. _i: nothing set, 125; a code of
 * its own; stdout ended in order before. */
START_TEST(aborted)
{
    static char chunk[65536];
    struct fixture *f = fixture_up(NULL);
    struct seen s = { 0 };
    struct peer *p;

    serve(f, "test.Svc", &s);
    p = call_in(f, 7, 600, 4, CALL);
    ck_assert(until(f, &s.called));
    for (int i = 0; i < 2; i++)
        say(p, QREXEC_STDIN, chunk, sizeof(chunk));
    ck_assert_int_eq(unik_stream_write(s.call->io, "part", 4), 4);
    if (_i == 2)
        ck_assert_int_eq(unik_stream_shut(s.call->io), 0);
    s.call->exit_code = _i == 1 ? 9 : 0;
    s.closed = true;
    unik_stream_abort(s.call->io);
    expect(p, QREXEC_STDOUT, "part", 4);
    if (_i == 2)
        expect_eof(p, QREXEC_STDOUT);
    expect_code(p, _i == 1 ? 9 : UNIK_QREXEC_BROKEN);
    ck_assert(peer_closed(p, SECONDS));
    peer_close(p);
    dom0_expect_release(f, 7, 600);
    fixture_end(f);
}
END_TEST

/* A refused caller that is still sending finds its code. */
START_TEST(refused_while_sending)
{
    static char chunk[65536];
    struct fixture *f = fixture_up(NULL);
    struct peer *p = call_in(f, 7, 513, 4, "u:QUBESRPC no.Such+ work");

    for (int i = 0; i < 50; i++)
        say(p, QREXEC_STDIN, chunk, sizeof(chunk));
    expect_eof(p, QREXEC_STDOUT);
    expect_eof(p, QREXEC_STDERR);
    expect_code(p, 127);
    peer_close(p);
    dom0_expect_release(f, 7, 513);
    fixture_end(f);
}
END_TEST

/* Carries nothing: the code says that it started, and the handler goes on alone. */
START_TEST(just_exec)
{
    struct fixture *f = fixture_up(NULL);
    struct peer *p = peer_listen(f->h, f->dir, 0, 1, 516);
    struct seen s = { .reading = true };

    serve(f, "test.Svc", &s);
    dom0_exec(f, QREXEC_JUST_EXEC, 0, 516, CALL);
    ck_assert(peer_accept(p, SECONDS));
    hello(p, 4);
    expect_code(p, 0);
    ck_assert(peer_closed(p, SECONDS));
    dom0_expect_release(f, 0, 516);
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, 1);
    ck_assert_int_eq(unik_stream_write(s.call->io, "nowhere", 7), 7);
    ck_assert_int_eq(f->q->write_err(s.call, "nowhere", 7), 7);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), 1);
    seen_close(&s, 5);
    host_run(f->h, 0);
    dom0_expect_nothing(f);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* The handler does not read: the caller is stopped, and another call is not. */
START_TEST(reader_that_stops)
{
    static uint8_t chunk[65536];
    struct fixture *f = fixture_up(NULL);
    struct seen slow = { 0 }, quick = { .reading = true, .echoes = true };
    struct peer *p, *q;
    size_t total = 64 * sizeof(chunk);

    serve(f, "test.Slow", &slow);
    serve(f, "test.Quick", &quick);
    p = call_in(f, 7, 517, 4, "u:QUBESRPC test.Slow+ work");
    ck_assert(until(f, &slow.called));
    for (int i = 0; i < 3; i++)
        say(p, QREXEC_STDIN, chunk, 20000);
    host_run(f->h, SOON);
    ck_assert_uint_eq(slow.n, 0);
    q = call_in(f, 8, 518, 4, "u:QUBESRPC test.Quick+ home");
    say(q, QREXEC_STDIN, "ping", 4);
    expect(q, QREXEC_STDOUT, "ping", 4);
    slow.reading = true;
    on_seen(slow.call->io, 0, &slow);
    for (size_t sent = 0; sent < total; sent += sizeof(chunk))
        say(p, QREXEC_STDIN, chunk, sizeof(chunk));
    say(p, QREXEC_STDIN, NULL, 0);
    ck_assert(until(f, &slow.ended));
    ck_assert_uint_eq(slow.n, total + 60000);
    seen_close(&slow, 0);
    expect_end(p, 0);
    dom0_expect_release(f, 7, 517);
    say(q, QREXEC_STDIN, NULL, 0);
    ck_assert(until(f, &quick.ended));
    seen_close(&quick, 0);
    expect_end(q, 0);
    dom0_expect_release(f, 8, 518);
    fixture_end(f);
}
END_TEST

/* The caller does not read: the handler runs out of room, closes, and all of it still arrives when the caller comes back. */
START_TEST(caller_that_stops)
{
    static char bytes[DATA_MAX];
    const size_t total = 600000;
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .to_send = total };
    struct peer *p;
    size_t n, got = 0;
    uint32_t type;

    serve(f, "test.Svc", &s);
    p = call_in(f, 7, 519, 4, CALL);
    ck_assert(until(f, &s.called));
    host_run(f->h, SOON);
    ck_assert_uint_lt(s.sent, total);
    while (s.sent < total && (type = hear(p, bytes, &n)) == QREXEC_STDOUT)
        got += n;
    seen_close(&s, 9);                          /* most of it is still on its way */
    host_run(f->h, SOON);
    while ((type = hear(p, bytes, &n)) == QREXEC_STDOUT && n)
        got += n;
    ck_assert_uint_eq(type, QREXEC_STDOUT);
    ck_assert_uint_eq(got, total);
    expect_eof(p, QREXEC_STDERR);
    expect_code(p, 9);
    ck_assert(peer_closed(p, SECONDS));
    peer_close(p);
    dom0_expect_release(f, 7, 519);
    fixture_end(f);
}
END_TEST

TCase *incoming_tests(void)
{
    TCase *t = tcase_create("incoming");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, golden);
    tcase_add_loop_test(t, versions, 2, 5);
    tcase_add_test(t, newer_peer);
    tcase_add_test(t, split_everywhere);
    tcase_add_test(t, control_split_everywhere);
    tcase_add_test(t, stderr_and_ends);
    tcase_add_test(t, closed_at_once);
    tcase_add_test(t, lookup);
    tcase_add_test(t, refused);
    tcase_add_test(t, refused_while_sending);
    tcase_add_loop_test(t, aborted, 0, 3);
    tcase_add_test(t, just_exec);
    tcase_add_test(t, reader_that_stops);
    tcase_add_test(t, caller_that_stops);
    return t;
}
