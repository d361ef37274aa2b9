/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/peers.c - the other end of a data channel is hostile, broken or gone. Only its own call ends, with a line. */
#include "tests/qrexec/fixture.h"

#define CALL "user:QUBESRPC test.Svc+ work"

static const uint8_t ours[] = { 0, 3, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0 };

struct attack {
    const char *says;           /* in the log */
    size_t n;
    uint8_t bytes[16];
};

static const struct attack at_hello[] = {
    { "expected HELLO", 8, { 0x90, 1, 0, 0, 0, 0, 0, 0 } }, { "expected HELLO", 8, { 0, 3, 0, 0, 3, 0, 0, 0 } },
    { "expected HELLO", 8, { 0, 3, 0, 0, 0xff, 0xff, 0xff, 0xff } }, { "below 2", 12, { 0, 3, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0 } },
    { "below 2", 12, { 0, 3, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0 } },
};

static const struct attack in_call[] = {
    { "too long", 8, { 0x90, 1, 0, 0, 1, 0, 1, 0 } }, { "too long", 8, { 0x91, 1, 0, 0, 0xff, 0xff, 0xff, 0xff } },
    { "too long", 8, { 0x93, 1, 0, 0, 0, 0, 0, 0x80 } }, { "unknown type", 8, { 0x94, 1, 0, 0, 0, 0, 0, 0 } },
    { "unknown type", 8, { 0x8f, 1, 0, 0, 4, 0, 0, 0 } }, { "unknown type", 12, { 0, 3, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0 } },
    { "unknown type", 8, { 0, 2, 0, 0, 8, 0, 0, 0 } }, { "unknown type", 8, { 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0 } },
};

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* A well-behaved call beside it, before and after. */
static void echo(struct peer *p)
{
    say(p, QREXEC_STDIN, "ping", 4);
    expect(p, QREXEC_STDOUT, "ping", 4);
}

static struct peer *start_echo(struct fixture *f, struct seen *s)
{
    s->reading = s->echoes = true;
    serve(f, "test.Echo", s);
    return call_in(f, 0, 768, 4, "u:QUBESRPC test.Echo dom0");
}

static void check_line(struct fixture *f, const char *says, const char *peer)
{
    ck_assert_msg(strstr(f->log, says) && strstr(f->log, peer), "the log says: %s", f->log);
    ck_assert_uint_eq(f->warnings, 1);
    ck_assert_uint_eq(host_counter(f->qrexec, "protocol_errors"), 1);
}

START_TEST(hello_to_a_service)
{
    const struct attack *a = &at_hello[_i];
    struct fixture *f = fixture_up(NULL);
    struct seen s = { 0 }, good = { 0 };
    struct peer *p = peer_listen(f->h, f->dir, 7, 1, 513), *q = start_echo(f, &good);

    serve(f, "test.Svc", &s);
    dom0_exec(f, QREXEC_EXEC_CMDLINE, 7, 513, CALL);
    ck_assert(peer_accept(p, SECONDS));
    ck_assert(peer_expect(p, ours, sizeof(ours)));
    ck_assert(peer_send(p, a->bytes, a->n));
    ck_assert(peer_closed(p, SECONDS));
    dom0_expect_release(f, 7, 513);
    ck_assert(!s.called);
    check_line(f, a->says, "work");
    echo(q);
    peer_close(p);
    peer_close(q);
    fixture_end(f);
}
END_TEST

START_TEST(message_to_a_service)
{
    const struct attack *a = &in_call[_i];
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true }, good = { 0 };
    struct peer *p, *q = start_echo(f, &good);

    serve(f, "test.Svc", &s);
    p = call_in(f, 7, 513, 4, CALL);
    say(p, QREXEC_STDIN, "good", 4);
    ck_assert(until(f, &s.called));
    ck_assert(peer_send(p, a->bytes, a->n));
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, -EPROTO);
    ck_assert_uint_eq(s.n, 4);
    ck_assert(peer_closed(p, SECONDS));                         /* before the handler has closed */
    dom0_expect_release(f, 7, 513);
    ck_assert_int_eq(unik_stream_write(s.call->io, "x", 1), -EPIPE);
    ck_assert_int_eq(f->q->write_err(s.call, "x", 1), -EPIPE);
    seen_close(&s, 0);
    host_run(f->h, 0);
    dom0_expect_nothing(f);
    check_line(f, a->says, "work");
    echo(q);
    peer_close(p);
    peer_close(q);
    fixture_end(f);
}
END_TEST

/* The limit is the version's. */
START_TEST(limit_of_version_2)
{
    static char big[4096];
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true };
    struct peer *p;

    serve(f, "test.Svc", &s);
    p = call_in(f, 7, 513, 2, CALL);
    say(p, QREXEC_STDIN, big, 4096);
    ck_assert(peer_send(p, "\x90\1\0\0\1\x10\0\0", 8));         /* 4097 */
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, -EPROTO);
    ck_assert_uint_eq(s.n, 4096);
    check_line(f, "too long", "work");
    seen_close(&s, 0);
    dom0_expect_release(f, 7, 513);
    peer_close(p);
    fixture_end(f);
}
END_TEST

START_TEST(hello_to_a_caller)
{
    const struct attack *a = &at_hello[_i];
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true };
    char ident[QREXEC_IDENT];
    struct peer *p;

    ask_out(f, &s, ident);
    dom0_connects(f, 7, 513, ident);
    p = peer_connect(f->h, f->dir, 1, 7, 513, SECONDS);
    ck_assert(peer_expect(p, ours, sizeof(ours)));
    ck_assert(peer_send(p, a->bytes, a->n));
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, -EPROTO);
    ck_assert_int_eq(s.call->exit_code, UNIK_QREXEC_LOST);
    ck_assert(peer_closed(p, SECONDS));
    dom0_expect_release(f, 7, 513);
    check_line(f, a->says, "work");
    seen_close(&s, 0);
    peer_close(p);
    fixture_end(f);
}
END_TEST

START_TEST(message_to_a_caller)
{
    const struct attack *a = &in_call[_i];
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true };
    struct peer *p;

    p = served_out(f, &s, 7, 513);
    say(p, QREXEC_STDOUT, "good", 4);
    ck_assert(peer_send(p, a->bytes, a->n));
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, -EPROTO);
    ck_assert_int_eq(s.call->exit_code, UNIK_QREXEC_LOST);
    ck_assert_uint_eq(s.n, 4);
    ck_assert(peer_closed(p, SECONDS));
    dom0_expect_release(f, 7, 513);
    check_line(f, a->says, "work");
    seen_close(&s, 0);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* What a stock agent sends too: a code longer than 4 bytes, output in the wrong direction, anything after the code. */
START_TEST(odd_but_harmless)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true };
    struct peer *p;

    p = served_out(f, &s, 7, 513);
    say(p, QREXEC_STDIN, "input", 5);
    say(p, QREXEC_EXIT_CODE, "\5\0\0\0and more", 12);
    say(p, QREXEC_STDOUT, "too late", 8);
    say(p, QREXEC_EXIT_CODE, "\6\0\0\0", 4);
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.call->exit_code, 5);
    ck_assert_uint_eq(s.n, 5);
    seen_close(&s, 0);
    dom0_expect_release(f, 7, 513);
    peer_close(p);

    serve(f, "test.Svc", &s);
    s.n = 0;
    s.called = false;
    p = call_in(f, 7, 514, 4, CALL);
    ck_assert(until(f, &s.called));
    say(p, QREXEC_STDOUT, "input", 5);
    say(p, QREXEC_STDOUT, NULL, 0);
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, 1);
    ck_assert_uint_eq(s.n, 5);
    seen_close(&s, 0);
    expect_end(p, 0);
    dom0_expect_release(f, 7, 514);
    ck_assert_uint_eq(f->warnings, 0);
    fixture_end(f);
}
END_TEST

/* The caller goes: in the middle of HELLO, while the handler reads, writes, does nothing, after it has closed. */
START_TEST(caller_vanishes)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = _i != 2, .to_send = _i == 3 ? 10000000 : 0 };
    struct peer *p = peer_listen(f->h, f->dir, 7, 1, 513);

    serve(f, "test.Svc", &s);
    dom0_exec(f, QREXEC_EXEC_CMDLINE, 7, 513, CALL);
    ck_assert(peer_accept(p, SECONDS));
    if (_i == 0) {
        ck_assert(peer_send(p, ours, 5));
        host_run(f->h, SOON);
        peer_hang_up(p);
        dom0_expect_release(f, 7, 513);
        ck_assert(!s.called);
        ck_assert_uint_eq(host_counter(f->qrexec, "calls_unreached"), 1);
        peer_close(p);
        fixture_end(f);
        return;
    }
    hello(p, 4);
    say(p, QREXEC_STDIN, "some", 4);
    ck_assert(until(f, &s.called));
    host_run(f->h, SOON);
    if (_i == 4)
        seen_close(&s, 0);
    peer_hang_up(p);
    if (_i == 1 || _i == 3) {
        ck_assert(until(f, &s.ended));
        ck_assert_int_eq(s.end, -ECONNRESET);
        ck_assert_uint_eq(s.n, 4);
    } else if (_i == 2) {
        s.events = 0;
        while (!(s.events & UNIK_STREAM_ROOM))
            host_run(f->h, 0.001);
        ck_assert_int_eq(unik_stream_write(s.call->io, "x", 1), -EPIPE);
        ck_assert_int_eq(unik_stream_ended(s.call->io), 0);     /* there is still input to be read */
    }
    if (_i != 4) {
        dom0_expect_nothing(f);                 /* not before the handler is done */
        seen_close(&s, 0);
    }
    dom0_expect_release(f, 7, 513);
    host_run(f->h, 0);
    dom0_expect_nothing(f);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* The channel ends before it has brought a byte, as it does in the backlog of a stock server that is done: tried again, so
 * many times. */
START_TEST(cut_off_at_once)
{
    struct fixture *f = fixture_up(NULL);
    struct peer *p = peer_listen(f->h, f->dir, 7, 1, 513);
    struct seen s = { 0 };

    serve(f, "test.Svc", &s);
    dom0_exec(f, QREXEC_EXEC_CMDLINE, 7, 513, CALL);
    for (int i = 0; i < (_i ? 17 : 16); i++) {
        ck_assert(peer_accept(p, SECONDS));
        peer_hang_up(p);
    }
    if (_i == 0) {
        ck_assert(peer_accept(p, SECONDS));
        hello(p, 4);
        ck_assert(until(f, &s.called));
        seen_close(&s, 3);
        expect_end(p, 3);
        p = NULL;
    }
    dom0_expect_release(f, 7, 513);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_unreached"), (unsigned)_i);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* Nobody serves the data channel, or somebody does and says nothing. */
START_TEST(silent_caller)
{
    static const char *const options[] = { "connect-timeout=1", "services=no", NULL };
    struct fixture *f = fixture_up(options);
    struct peer *p = _i ? peer_listen(f->h, f->dir, 7, 1, 513) : NULL, *q;
    struct seen s = { 0 }, good = { 0 };

    serve(f, "test.Svc", &s);
    dom0_exec(f, QREXEC_EXEC_CMDLINE, 7, 513, CALL);
    if (p)
        ck_assert(peer_accept(p, SECONDS));
    q = start_echo(f, &good);
    echo(q);
    dom0_expect_release(f, 7, 513);
    ck_assert(!s.called);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_unreached"), 1);
    ck_assert_ptr_nonnull(strstr(f->log, "nobody in time"));
    echo(q);
    peer_close(p);
    peer_close(q);
    fixture_end(f);
}
END_TEST

/* Messages that carry nothing, without end: the neighbour is still served. */
START_TEST(flood_of_nothing)
{
    static uint8_t flood[64 * 1024];
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true }, good = { 0 };
    struct peer *p, *q;

    for (size_t i = 0; i < sizeof(flood); i += 8)
        qrexec_encode_header(flood + i, QREXEC_STDERR, 0);
    serve(f, "test.Svc", &s);
    p = call_in(f, 7, 513, 4, CALL);
    q = start_echo(f, &good);
    for (int i = 0; i < 100; i++) {
        ck_assert(peer_send(p, flood, sizeof(flood)));
        echo(q);
    }
    say(p, QREXEC_STDIN, "end", 3);
    say(p, QREXEC_STDIN, NULL, 0);
    ck_assert(until(f, &s.ended));
    ck_assert_uint_eq(s.n, 3);
    seen_close(&s, 0);
    expect_end(p, 0);
    peer_close(q);
    fixture_end(f);
}
END_TEST

TCase *peer_tests(void)
{
    TCase *t = tcase_create("peers");

    tcase_set_timeout(t, 900);
    tcase_add_loop_test(t, hello_to_a_service, 0, ROWS(at_hello));
    tcase_add_loop_test(t, message_to_a_service, 0, ROWS(in_call));
    tcase_add_test(t, limit_of_version_2);
    tcase_add_loop_test(t, hello_to_a_caller, 0, ROWS(at_hello));
    tcase_add_loop_test(t, message_to_a_caller, 0, ROWS(in_call));
    tcase_add_test(t, odd_but_harmless);
    tcase_add_loop_test(t, caller_vanishes, 0, 5);
    tcase_add_loop_test(t, cut_off_at_once, 0, 2);
    tcase_add_loop_test(t, silent_caller, 0, 2);
    tcase_add_test(t, flood_of_nothing);
    return t;
}
