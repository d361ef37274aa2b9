/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/outgoing.c - calls that this VM makes. */
#include <unistd.h>

#include "tests/qrexec/fixture.h"

/* doc/protocol/qrexec.md, 11, "outgoing call, v3", with our own ident; and its two siblings. */
START_TEST(golden_requests)
{
    static const uint32_t types[] = { QREXEC_TRIGGER2, QREXEC_TRIGGER3, QREXEC_TRIGGER4 };
    static const size_t sizes[] = { 128, 96 + 11, 160 + 11 }, target[] = { 64, 0, 64 }, service[] = { 0, 96, 160 };
    struct fixture *f = fixture_new(NULL);
    struct seen s = { .reading = true };
    uint8_t head[8], body[400], zeros[200] = { 0 };
    struct qrexec_header h;

    dom0_connect(f, (uint32_t)_i);
    ck_assert_int_eq(call_out(f, "dom0", "test.Echo+", &s), 0);
    ck_assert(peer_recv(f->dom0, head, sizeof(head), SECONDS));
    qrexec_decode_header(head, &h);
    ck_assert_uint_eq(h.type, types[_i - 2]);
    ck_assert_uint_eq(h.len, sizes[_i - 2]);
    ck_assert(peer_recv(f->dom0, body, h.len, SECONDS));
    ck_assert_mem_eq(body + target[_i - 2], "dom0\0\0\0", 8);
    ck_assert_mem_eq(body + service[_i - 2], "test.Echo+", 11);
    if (_i == 4)
        ck_assert_mem_eq(body, zeros, 64);
    seen_close(&s, 0);
    fixture_end(f);
}
END_TEST

/* (c): a service in dom0, everything both ways. */
START_TEST(golden_call)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true, .keeps = true, .err = (void *)1 };
    char ident[QREXEC_IDENT];
    struct peer *p;

    ck_assert_int_eq(call_out(f, "dom0", "test.Echo+arg", &s), 0);
    ck_assert_str_eq(s.service, "test.Echo");
    ck_assert_str_eq(s.argument, "arg");
    ck_assert_str_eq(s.peer, "dom0");
    ck_assert_int_eq(unik_stream_write(s.call->io, "early ", 6), 6);
    dom0_expect_trigger(f, 4, "dom0", "test.Echo+arg", ident);
    ck_assert_int_eq(unik_stream_write(s.call->io, "input", 5), 5);
    ck_assert(!s.opened);
    ck_assert_int_eq(unik_stream_ended(s.call->io), 0);
    p = serve_out(f, 0, 513, 4, ident);
    ck_assert(until(f, &s.opened));
    expect(p, QREXEC_STDIN, "early input", 11);
    ck_assert_int_eq(unik_stream_write(s.call->io, "more", 4), 4);
    unik_stream_shut(s.call->io);
    ck_assert_int_eq(unik_stream_write(s.call->io, "x", 1), -EPIPE);
    expect(p, QREXEC_STDIN, "more", 4);
    expect_eof(p, QREXEC_STDIN);
    say(p, QREXEC_STDERR, "warn", 4);
    say(p, QREXEC_STDOUT, "answer", 6);
    say(p, QREXEC_STDERR, NULL, 0);
    say(p, QREXEC_STDOUT, NULL, 0);
    host_run(f->h, SOON);
    ck_assert(!s.ended);                        /* the code is not there yet */
    say(p, QREXEC_EXIT_CODE, "\x2a\0\0\0", 4);
    peer_hang_up(p);
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, 1);
    ck_assert_int_eq(s.call->exit_code, 42);
    ck_assert_uint_eq(s.n, 6);
    ck_assert_mem_eq(s.bytes, "answer", 6);
    ck_assert_uint_eq(s.n_err, 4);
    ck_assert_mem_eq(s.err_bytes, "warn", 4);
    ck_assert_int_eq(unik_stream_ended(s.err), 1);
    ck_assert_int_eq(unik_stream_write(s.err, "x", 1), -EPIPE);
    seen_close(&s, 0);
    dom0_expect_release(f, 0, 513);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* (b), the caller's half, at protocol 2: small messages; and shut() before it is connected. */
START_TEST(version_2)
{
    static char got[DATA_MAX];
    struct fixture *f = fixture_new(NULL);
    struct seen s = { .reading = true };
    char ident[QREXEC_IDENT];
    struct peer *p;
    size_t n, sum = 0;
    uint32_t type;

    dom0_connect(f, 2);
    ck_assert_int_eq(call_out(f, "work", "test.Sink", &s), 0);
    seen_send(&s, 15000);
    ck_assert_uint_eq(s.sent, 15000);
    dom0_expect_trigger(f, 2, "work", "test.Sink", ident);
    p = serve_out(f, 7, 514, 2, ident);
    while ((type = hear(p, got, &n)) == QREXEC_STDIN && n) {
        ck_assert_uint_le(n, 4096);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq((uint8_t)got[i], pattern(sum + i));
        sum += n;
    }
    ck_assert_uint_eq(type, QREXEC_STDIN);
    ck_assert_uint_eq(sum, 15000);
    say(p, QREXEC_EXIT_CODE, "\0\0\0\0", 4);    /* without an end of stdout: the call is over all the same */
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.call->exit_code, 0);
    seen_close(&s, 0);
    dom0_expect_release(f, 7, 514);
    peer_close(p);
    fixture_end(f);
}
END_TEST

START_TEST(denied)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true };
    uint8_t body[QREXEC_IDENT] = { 0 };
    char ident[QREXEC_IDENT];

    ck_assert_int_eq(call_out(f, "@default", "test.Svc", &s), 0);
    dom0_expect_trigger(f, 4, "@default", "test.Svc", ident);
    memcpy(body, ident, strlen(ident));
    dom0_send(f, QREXEC_SERVICE_REFUSED, body, sizeof(body));
    dom0_send(f, QREXEC_SERVICE_REFUSED, body, sizeof(body));   /* once too often: nobody waits for it */
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, 1);
    ck_assert_int_eq(s.call->exit_code, UNIK_QREXEC_REFUSED);
    ck_assert(!s.opened);
    ck_assert_int_eq(unik_stream_write(s.call->io, "x", 1), -EPIPE);
    seen_close(&s, 0);
    dom0_expect_nothing(f);
    fixture_end(f);
}
END_TEST

/* Somebody comes for a call that is not wanted any more: he is sent away, and only then dom0 gets its port back, so that he
 * cannot take the place of the next call on it. */
static void comes_in_vain(struct fixture *f, unsigned domain, unsigned port)
{
    struct peer *p;

    dom0_expect_nothing(f);
    p = peer_connect(f->h, f->dir, 1, (int)domain, port, SECONDS);
    ck_assert_ptr_nonnull(p);
    dom0_expect_release(f, domain, port);
    ck_assert(peer_closed(p, SECONDS));
    peer_close(p);
}

/* dom0 gives a port to an ident nobody waits for, or no longer. */
START_TEST(unknown_ident)
{
    static const char *const idents[] = { "x", "unik-00000100", "unik-zzzzzzzz", "unik-00000000", "0123456789012345678901234567890" };
    struct fixture *f = fixture_up(NULL);
    struct seen s = { 0 };
    char ident[QREXEC_IDENT];

    for (unsigned i = 0; i < sizeof(idents) / sizeof(idents[0]); i++) {
        dom0_connects(f, 9, 600 + i, idents[i]);
        comes_in_vain(f, 9, 600 + i);
    }
    ask_out(f, &s, ident);
    seen_close(&s, 0);
    host_run(f->h, 0);
    dom0_connects(f, 9, 700, ident);
    comes_in_vain(f, 9, 700);
    dom0_connects(f, 9, 701, ident);            /* nobody comes: until the end */
    dom0_expect_nothing(f);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), 1);
    fixture_end(f);
}
END_TEST

/* The caller closes: while the channel is awaited, and in the middle. */
START_TEST(given_up)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { 0 };
    char ident[QREXEC_IDENT];
    struct peer *p;

    ask_out(f, &s, ident);
    dom0_connects(f, 9, 601, ident);
    host_run(f->h, SOON);
    seen_close(&s, 0);
    comes_in_vain(f, 9, 601);

    p = served_out(f, &s, 9, 602);
    say(p, QREXEC_STDOUT, "unread", 6);
    ck_assert(until(f, &s.opened));
    seen_close(&s, 0);
    ck_assert(peer_closed(p, SECONDS));
    dom0_expect_release(f, 9, 602);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* The other VM's daemon has its port back from there, and gives it out again, before the first call is closed here: both go
 * their way. One that was given up in vain makes room. */
START_TEST(pair_given_out_again)
{
    struct fixture *f = fixture_up(NULL);
    struct seen first = { .reading = true }, left = { .reading = true }, next = { .reading = true };
    char ident[QREXEC_IDENT];
    struct peer *p, *q;

    ck_assert_int_eq(call_out(f, "work", "test.Svc", &first), 0);
    dom0_expect_trigger(f, 4, "work", "test.Svc", ident);
    p = serve_out(f, 9, 620, 4, ident);
    say(p, QREXEC_EXIT_CODE, "\1\0\0\0", 4);
    peer_hang_up(p);
    ck_assert(until(f, &first.ended));
    ck_assert_int_eq(call_out(f, "work", "test.Svc", &left), 0);
    dom0_expect_trigger(f, 4, "work", "test.Svc", ident);
    dom0_connects(f, 9, 620, ident);
    host_run(f->h, SOON);
    seen_close(&left, 0);
    dom0_expect_nothing(f);
    ck_assert_int_eq(call_out(f, "work", "test.Svc", &next), 0);
    dom0_expect_trigger(f, 4, "work", "test.Svc", ident);
    dom0_connects(f, 9, 620, ident);
    dom0_expect_release(f, 9, 620);             /* of the one given up */
    q = peer_connect(f->h, f->dir, 1, 9, 620, SECONDS);
    ck_assert_ptr_nonnull(q);
    hello(q, 4);
    seen_close(&first, 0);
    dom0_expect_release(f, 9, 620);
    say(q, QREXEC_EXIT_CODE, "\2\0\0\0", 4);
    ck_assert(until(f, &next.ended));
    ck_assert_int_eq(next.call->exit_code, 2);
    seen_close(&next, 0);
    dom0_expect_release(f, 9, 620);
    peer_close(p);
    peer_close(q);
    fixture_end(f);
}
END_TEST

/* The service goes without a code: what it sent is read first. */
START_TEST(service_vanishes)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = _i == 0, .keeps = true };
    struct peer *p;

    p = served_out(f, &s, 9, 603);
    say(p, QREXEC_STDOUT, "last words", 10);
    peer_hang_up(p);
    if (_i == 1) {                              /* a reader that comes late */
        host_run(f->h, SOON);
        ck_assert_int_eq(unik_stream_ended(s.call->io), 0);
        s.reading = true;
        on_seen(s.call->io, UNIK_STREAM_INPUT, &s);
    }
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, -ECONNRESET);
    ck_assert_int_eq(s.call->exit_code, UNIK_QREXEC_LOST);
    ck_assert_uint_eq(s.n, 10);
    ck_assert_int_eq(unik_stream_write(s.call->io, "x", 1), -EPIPE);
    seen_close(&s, 0);
    dom0_expect_release(f, 9, 603);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* The service was aborted: its code came, and no end of stdout. What it said before is read first. */
START_TEST(service_aborts)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true, .keeps = true };
    struct peer *p;

    p = served_out(f, &s, 9, 603);
    say(p, QREXEC_STDOUT, "half", 4);
    say(p, QREXEC_STDERR, NULL, 0);
    say(p, QREXEC_EXIT_CODE, "\x7d\0\0\0", 4);
    peer_hang_up(p);
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, -ECONNRESET);
    ck_assert_int_eq(s.call->exit_code, UNIK_QREXEC_BROKEN);
    ck_assert_uint_eq(s.n, 4);
    seen_close(&s, 0);
    dom0_expect_release(f, 9, 603);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* Given up broken: the service sees its channel close without an end of stdin, which is an error to it. In each state. */
START_TEST(caller_aborts)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { 0 };
    char ident[QREXEC_IDENT];
    struct peer *p;

    p = served_out(f, &s, 9, 602);
    ck_assert(until(f, &s.opened));
    ck_assert_int_eq(unik_stream_write(s.call->io, "part", 4), 4);
    expect(p, QREXEC_STDIN, "part", 4);
    unik_stream_abort(s.call->io);
    ck_assert(peer_closed(p, SECONDS));
    dom0_expect_release(f, 9, 602);
    peer_close(p);
    ask_out(f, &s, ident);
    dom0_connects(f, 9, 601, ident);
    host_run(f->h, SOON);
    unik_stream_abort(s.call->io);
    comes_in_vain(f, 9, 601);
    ask_out(f, &s, ident);
    unik_stream_abort(s.call->io);
    fixture_end(f);
}
END_TEST

/* The service answers much and goes, while we still send: found out by a write that fails, and its answer counts all the same,
 * what the transport still holds of it too. */
START_TEST(answer_behind_a_closed_channel)
{
    static char bytes[DATA_MAX];
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .to_send = 10000000 };
    struct peer *p;

    p = served_out(f, &s, 9, 605);
    ck_assert(until(f, &s.opened));
    say(p, QREXEC_STDOUT, bytes, sizeof(bytes));
    say(p, QREXEC_STDOUT, bytes, sizeof(bytes));
    say(p, QREXEC_STDOUT, NULL, 0);
    say(p, QREXEC_EXIT_CODE, "\7\0\0\0", 4);
    peer_hang_up(p);
    while (unik_stream_write(s.call->io, "x", 1) != -EPIPE)
        host_run(f->h, 0.001);
    s.reading = true;
    on_seen(s.call->io, UNIK_STREAM_INPUT, &s);
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, 1);
    ck_assert_int_eq(s.call->exit_code, 7);
    ck_assert_uint_eq(s.n, 2 * sizeof(bytes));
    seen_close(&s, 0);
    dom0_expect_release(f, 9, 605);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* The service comes and goes without a HELLO. */
START_TEST(service_says_nothing)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true };
    char ident[QREXEC_IDENT];
    struct peer *p;

    ask_out(f, &s, ident);
    dom0_connects(f, 9, 604, ident);
    p = peer_connect(f->h, f->dir, 1, 9, 604, SECONDS);
    ck_assert(p && peer_send(p, "\0\3", 2));
    peer_close(p);
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, -ECONNRESET);
    ck_assert_int_eq(s.call->exit_code, UNIK_QREXEC_LOST);
    dom0_expect_release(f, 9, 604);
    seen_close(&s, 0);
    fixture_end(f);
}
END_TEST

START_TEST(nobody_comes)
{
    static const char *const options[] = { "connect-timeout=1", "services=no", NULL };
    struct fixture *f = fixture_up(options);
    struct seen s = { .reading = true };
    char ident[QREXEC_IDENT];

    ask_out(f, &s, ident);
    dom0_connects(f, 9, 604, ident);
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.end, -ETIMEDOUT);
    ck_assert_int_eq(s.call->exit_code, UNIK_QREXEC_BROKEN);
    dom0_expect_release(f, 9, 604);
    seen_close(&s, 0);
    host_run(f->h, 0);
    dom0_expect_nothing(f);
    fixture_end(f);
}
END_TEST

/* stderr that is asked for and not read holds up the rest; that nobody asked for, or that was closed, does not. */
START_TEST(stderr_in_the_way)
{
    static char big[65536];
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true, .keeps = true };
    struct unik_stream *err;
    const void *bytes;
    struct peer *p;

    p = served_out(f, &s, 9, 605);
    for (int i = 0; i < 20; i++)
        say(p, QREXEC_STDERR, big, sizeof(big));
    say(p, QREXEC_STDOUT, "one", 3);
    while (s.n < 3)
        host_run(f->h, 0.001);
    err = f->q->err(s.call);
    say(p, QREXEC_STDERR, "kept", 4);
    say(p, QREXEC_STDOUT, "two", 3);
    host_run(f->h, SOON);
    ck_assert_uint_eq(s.n, 3);
    ck_assert_uint_eq(unik_stream_peek(err, &bytes), 4);
    unik_stream_consume(err, 4);
    while (s.n < 6)
        host_run(f->h, 0.001);                  /* told without anything new on the channel */
    say(p, QREXEC_STDERR, "dropped", 7);
    say(p, QREXEC_STDOUT, "three", 5);
    host_run(f->h, SOON);
    ck_assert_uint_eq(s.n, 6);
    unik_stream_close(err);
    while (s.n < 11)
        host_run(f->h, 0.001);
    ck_assert_mem_eq(s.bytes, "onetwothree", 11);
    say(p, QREXEC_EXIT_CODE, "\1\0", 2);         /* shorter than a code: 255 */
    ck_assert(until(f, &s.ended));
    ck_assert_int_eq(s.call->exit_code, 255);
    seen_close(&s, 0);
    dom0_expect_release(f, 9, 605);
    peer_close(p);
    fixture_end(f);
}
END_TEST

START_TEST(not_sent)
{
    static const struct { const char *target, *service; } bad[] = {
        { "dom0", "" }, { "dom0", "+x" }, { "dom0", "a b" }, { "a b", "test.Svc" }, { "dom0", "a\nb" },
        { "0123456789012345678901234567890123456789012345678901234567890123", "test.Svc" }
    };
    struct fixture *f = fixture_up(NULL);
    static char longest[5000];
    struct seen s = { 0 };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(call_out(f, bad[i].target, bad[i].service, &s), -EINVAL);
    memset(longest, 'a', 4096);
    memcpy(longest, "test.Svc+", 9);
    ck_assert_int_eq(call_out(f, "dom0", longest, &s), -EINVAL);
    dom0_expect_nothing(f);
    longest[4096 - QREXEC_HEADER - 160 - 1] = 0;                 /* 4096 bytes in all still go */
    ck_assert_int_eq(call_out(f, "dom0", longest, &s), 0);
    seen_close(&s, 0);
    peer_hang_up(f->dom0);
    ck_assert(host_wait(f->qrexec, HOST_DEGRADED, SECONDS));
    ck_assert_int_eq(call_out(f, "dom0", "test.Svc", &s), -ENOTCONN);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), 0);
    fixture_end(f);
}
END_TEST

/* As many as dom0 keeps pending, then no more; the loss of dom0 ends them all. */
START_TEST(many_pending)
{
    struct fixture *f = fixture_up(NULL);
    static struct seen s[257];
    char idents[256][QREXEC_IDENT];

    for (int i = 0; i < 256; i++) {
        s[i].reading = true;
        ck_assert_int_eq(call_out(f, "work", "test.Svc", &s[i]), 0);
        dom0_expect_trigger(f, 4, "work", "test.Svc", idents[i]);
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(idents[i], idents[k]);
    }
    ck_assert_int_eq(call_out(f, "work", "test.Svc", &s[256]), -EAGAIN);
    peer_hang_up(f->dom0);
    for (int i = 0; i < 256; i++) {
        ck_assert(until(f, &s[i].ended));
        ck_assert_int_eq(s[i].end, -ECONNRESET);
        ck_assert_int_eq(s[i].call->exit_code, UNIK_QREXEC_REFUSED);
        seen_close(&s[i], 0);
    }
    host_run(f->h, 0);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), 0);
    fixture_end(f);
}
END_TEST

TCase *outgoing_tests(void)
{
    TCase *t = tcase_create("outgoing");

    tcase_set_timeout(t, 900);
    tcase_add_loop_test(t, golden_requests, 2, 5);
    tcase_add_test(t, golden_call);
    tcase_add_test(t, version_2);
    tcase_add_test(t, denied);
    tcase_add_test(t, unknown_ident);
    tcase_add_test(t, given_up);
    tcase_add_test(t, pair_given_out_again);
    tcase_add_loop_test(t, service_vanishes, 0, 2);
    tcase_add_test(t, service_aborts);
    tcase_add_test(t, caller_aborts);
    tcase_add_test(t, answer_behind_a_closed_channel);
    tcase_add_test(t, service_says_nothing);
    tcase_add_test(t, nobody_comes);
    tcase_add_test(t, stderr_in_the_way);
    tcase_add_test(t, not_sent);
    tcase_add_test(t, many_pending);
    return t;
}
