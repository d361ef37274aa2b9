/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/control.c - the channel to dom0's daemon: what it may say, and what happens when it goes. */
#include "tests/qrexec/fixture.h"

#define CALL "user:QUBESRPC test.Svc+ work"

START_TEST(golden_hello)
{
    static const uint8_t ours[] = { 0, 3, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0 }, theirs[] = { 0, 3, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0 };
    struct fixture *f = fixture_new(NULL);

    ck_assert_int_eq(host_state(f->qrexec), HOST_STARTING);
    f->dom0 = peer_connect(f->h, f->dir, 1, 0, 512, SECONDS);
    ck_assert(peer_expect(f->dom0, ours, sizeof(ours)));        /* before dom0 has said anything */
    ck_assert(peer_send(f->dom0, theirs, 5));
    host_run(f->h, SOON);
    ck_assert_int_eq(host_state(f->qrexec), HOST_STARTING);
    ck_assert(peer_send(f->dom0, theirs + 5, sizeof(theirs) - 5));
    ck_assert(host_wait(f->qrexec, HOST_READY, SECONDS));
    dom0_expect_nothing(f);
    fixture_end(f);
}
END_TEST

/* No HELLO, or none we can live with: closed with a line, and offered again. */
START_TEST(bad_hello)
{
    static const struct { uint8_t bytes[12]; size_t n; } bad[] = {
        { { 0, 3, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0 }, 12 }, { { 0, 3, 0, 0, 5, 0, 0, 0 }, 8 },
        { { 0, 2, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0 }, 12 }, { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 8 },
    };
    static const uint8_t ours[] = { 0, 3, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0 };
    struct fixture *f = fixture_new(NULL);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        f->dom0 = peer_connect(f->h, f->dir, 1, 0, 512, SECONDS);
        ck_assert_ptr_nonnull(f->dom0);
        ck_assert(peer_expect(f->dom0, ours, sizeof(ours)));
        ck_assert(peer_send(f->dom0, bad[i].bytes, bad[i].n));
        ck_assert(peer_closed(f->dom0, SECONDS));
        peer_close(f->dom0);
    }
    f->dom0 = NULL;
    ck_assert_uint_eq(f->warnings, 4);
    ck_assert_uint_eq(host_counter(f->qrexec, "protocol_errors"), 4);
    dom0_connect(f, 4);
    fixture_end(f);
}
END_TEST

/* Types nobody knows, lengths nobody keeps, bodies that make no sense: left out, and what follows is understood. */
START_TEST(skipped)
{
    static const uint32_t types[] = { 0x204, QREXEC_HELLO, QREXEC_STDIN, QREXEC_TERMINATED, 0, 0xffffffff };
    static char junk[100000];
    struct fixture *f = fixture_up(NULL);
    struct peer *p;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        dom0_send(f, types[i], junk, 0);
        dom0_send(f, types[i], junk, 4);
        dom0_send(f, types[i], junk, sizeof(junk));
    }
    dom0_send(f, QREXEC_EXEC_CMDLINE, junk, sizeof(junk));
    dom0_send(f, QREXEC_EXEC_CMDLINE, junk, 8);
    dom0_send(f, QREXEC_EXEC_CMDLINE, junk, 3);
    dom0_send(f, QREXEC_EXEC_CMDLINE, junk, 0);
    dom0_send(f, QREXEC_SERVICE_CONNECT, junk, 8);
    dom0_send(f, QREXEC_SERVICE_REFUSED, junk, 31);
    dom0_send(f, QREXEC_SERVICE_REFUSED, junk, 33);
    memset(junk, 'x', 64);
    dom0_send(f, QREXEC_SERVICE_REFUSED, junk, 32);             /* no NUL */
    p = call_in(f, 7, 513, 4, "u:QUBESRPC no.Such a");
    say(p, QREXEC_STDIN, NULL, 0);
    expect_end(p, 127);
    dom0_expect_release(f, 7, 513);
    dom0_expect_nothing(f);
    fixture_end(f);
}
END_TEST

/* A domain that cannot be, or the control channel's own port: not connected to, and never given back. */
START_TEST(bad_pairs)
{
    static const uint32_t bad[][2] = { { 0x7ff0, 513 }, { 0x10000, 513 }, { 0xffffffff, 513 }, { 0, 512 }, { 7, 512 } };
    struct fixture *f = fixture_up(NULL);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t body[] = { 0, 0, 0, 0, 0, 0, 0, 0, 'u', ':', 'x', 0 };

        memcpy(body, &bad[i][0], 4);
        memcpy(body + 4, &bad[i][1], 4);
        dom0_send(f, QREXEC_EXEC_CMDLINE, body, sizeof(body));
        dom0_send(f, QREXEC_SERVICE_CONNECT, body, sizeof(body));
    }
    dom0_expect_nothing(f);
    ck_assert_uint_eq(host_counter(f->qrexec, "protocol_errors"), 10);
    fixture_end(f);
}
END_TEST

/* Ports are the daemon's choice: each that the wire can carry is connected to, offered, and given back. */
START_TEST(any_port)
{
    static const uint32_t ports[] = { 0, 1, 511, 513, 768, 769, 0xffff, 0x10000, 0x7fffffff, 0xffffffff };
    uint32_t port = ports[_i], domain = _i % 2 ? 7 : 0;
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true }, mine = { .reading = true };
    char ident[QREXEC_IDENT];
    uint8_t body[8 + QREXEC_IDENT] = { (uint8_t)domain };
    struct peer *p;

    serve(f, "test.Svc", &s);
    p = call_in(f, domain, port, 4, CALL);
    ck_assert(until(f, &s.called));
    seen_close(&s, 3);
    expect_end(p, 3);
    dom0_expect_release(f, domain, port);
    ask_out(f, &mine, ident);
    memcpy(body + 4, &port, 4);
    memcpy(body + 8, ident, strlen(ident));
    dom0_send(f, QREXEC_SERVICE_CONNECT, body, sizeof(body));
    p = peer_connect(f->h, f->dir, 1, (int)domain, port, SECONDS);
    hello(p, 4);
    ck_assert(until(f, &mine.opened));
    seen_close(&mine, 0);
    dom0_expect_release(f, domain, port);
    peer_close(p);
    fixture_end(f);
}
END_TEST

/* A VM cannot be the other end of its own vchan: both halves are refused at once, and the port goes back. */
START_TEST(calls_itself)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true }, mine = { .reading = true };
    char ident[QREXEC_IDENT];

    serve(f, "test.Svc", &s);
    ask_out(f, &mine, ident);
    dom0_exec(f, QREXEC_EXEC_CMDLINE, 1, 513, CALL);
    dom0_connects(f, 1, 513, ident);
    ck_assert(until(f, &mine.ended));
    ck_assert_int_eq(mine.end, 1);
    ck_assert_int_eq(mine.call->exit_code, UNIK_QREXEC_REFUSED);
    ck_assert(strstr(f->log, "calls itself"));
    seen_close(&mine, 0);
    dom0_expect_release(f, 1, 513);
    dom0_expect_release(f, 1, 513);             /* of each half; dom0 leaves out the second */
    dom0_expect_nothing(f);
    ck_assert(!s.called);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), 0);
    fixture_end(f);
}
END_TEST

#define RECONNECTS 40

static void lose_dom0(struct fixture *f)
{
    peer_hang_up(f->dom0);
    ck_assert(host_wait(f->qrexec, HOST_DEGRADED, SECONDS));
}

/* dom0's daemon comes and goes; each time the channel is offered again at once, and calls work. With a wait that grew (up to
 * retry-max) this would take minutes. */
START_TEST(reconnects)
{
    static const char *const options[] = { "services=no", "retry-max=60", NULL };
    struct fixture *f = fixture_up(options);

    for (int i = 0; i < RECONNECTS; i++) {
        struct peer *p;

        lose_dom0(f);
        ck_assert_str_ne(host_reason(f->qrexec), "");
        dom0_connect(f, 3);
        p = call_in(f, 7, 513, 4, "u:QUBESRPC no.Such a");
        say(p, QREXEC_STDIN, NULL, 0);
        expect_end(p, 127);
        dom0_expect_release(f, 7, 513);
    }
    ck_assert_uint_eq(host_counter(f->qrexec, "control_connects"), RECONNECTS + 1);
    fixture_end(f);
}
END_TEST

/* The daemon goes while there is a call in each state. Data channels go on; its ports come back over the next connection,
 * each exactly once. */
START_TEST(lost_in_every_state)
{
    struct fixture *f = fixture_up(NULL);
    struct seen running = { .reading = true, .echoes = true }, full = { .to_send = 1000000 };
    struct seen asked = { .reading = true }, offered = { .reading = true }, mine = { .reading = true, .keeps = true };
    struct peer *waiting = peer_listen(f->h, f->dir, 7, 1, 600), *mute = peer_listen(f->h, f->dir, 7, 1, 601), *p, *q, *r;
    bool seen[8] = { false };
    char ident[QREXEC_IDENT];

    serve(f, "test.Svc", &running);
    serve(f, "test.Full", &full);
    peer_hang_up(waiting);
    dom0_exec(f, QREXEC_EXEC_CMDLINE, 7, 601, CALL);            /* connected, half a HELLO */
    ck_assert(peer_accept(mute, SECONDS) && peer_send(mute, "\0\3", 2));
    p = call_in(f, 7, 602, 4, CALL);                            /* running */
    ck_assert(until(f, &running.called));
    q = call_in(f, 7, 603, 4, "u:QUBESRPC test.Full+ a");       /* finishing: nobody reads what it wrote */
    ck_assert(until(f, &full.called));
    host_run(f->h, SOON);
    seen_close(&full, 0);
    dom0_exec(f, QREXEC_EXEC_CMDLINE, 8, 604, CALL);            /* no channel yet */
    ck_assert_int_eq(call_out(f, "work", "test.Out", &mine), 0);
    dom0_expect_trigger(f, 4, "work", "test.Out", ident);
    r = serve_out(f, 9, 605, 4, ident);                         /* ours, running */
    ck_assert_int_eq(call_out(f, "work", "test.Out", &offered), 0);
    dom0_expect_trigger(f, 4, "work", "test.Out", ident);
    dom0_connects(f, 9, 606, ident);                            /* ours, offered */
    ck_assert_int_eq(call_out(f, "work", "test.Out", &asked), 0);
    dom0_expect_trigger(f, 4, "work", "test.Out", ident);       /* ours, not answered */
    dom0_expect_nothing(f);
    lose_dom0(f);
    ck_assert(until(f, &asked.ended));
    ck_assert_int_eq(asked.call->exit_code, UNIK_QREXEC_REFUSED);
    seen_close(&asked, 0);

    say(p, QREXEC_STDIN, "still here", 10);
    expect(p, QREXEC_STDOUT, "still here", 10);
    say(r, QREXEC_STDOUT, "me too", 6);
    while (mine.n < 6)
        host_run(f->h, 0.001);
    say(p, QREXEC_STDIN, NULL, 0);
    ck_assert(until(f, &running.ended));
    seen_close(&running, 0);
    expect_end(p, 0);
    peer_close(q);
    peer_close(mute);
    seen_close(&mine, 0);
    seen_close(&offered, 0);
    host_run(f->h, SOON);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), 2);     /* 604; 606, to which somebody will come */
    ck_assert_uint_eq(host_counter(f->qrexec, "ports_unreleased"), 4);

    dom0_connect(f, 4);
    for (int i = 0; i < 4; i++) {
        struct qrexec_exec e;
        char body[DATA_MAX];
        size_t n;

        ck_assert_uint_eq(hear(f->dom0, body, &n), QREXEC_TERMINATED);
        ck_assert_int_eq(qrexec_decode_terminated(body, n, &e), 0);
        ck_assert(e.port >= 601 && e.port <= 605 && e.port != 604);
        ck_assert_uint_eq(e.domain, e.port <= 603 ? 7 : 9);
        ck_assert(!seen[e.port - 600]);
        seen[e.port - 600] = true;
    }
    ck_assert_uint_eq(host_counter(f->qrexec, "ports_unreleased"), 0);
    dom0_expect_nothing(f);
    q = peer_connect(f->h, f->dir, 1, 9, 606, SECONDS);
    ck_assert_ptr_nonnull(q);
    dom0_expect_release(f, 9, 606);
    peer_close(q);
    peer_close(waiting);
    waiting = peer_listen(f->h, f->dir, 8, 1, 604);             /* the one that was still waiting goes on as well */
    ck_assert(peer_accept(waiting, SECONDS));
    running.called = false;
    hello(waiting, 4);
    ck_assert(until(f, &running.called));
    seen_close(&running, 1);
    expect_end(waiting, 1);
    dom0_expect_release(f, 8, 604);
    peer_close(r);
    fixture_end(f);
}
END_TEST

/* A new daemon gives out a pair that an old call still has: the old call's end is not told, the new one's is, once. */
START_TEST(pair_given_out_anew)
{
    struct fixture *f = fixture_up(NULL);
    struct seen old = { .reading = true }, new = { .reading = true };
    struct peer *p, *q;

    serve(f, "test.Old", &old);
    serve(f, "test.New", &new);
    p = call_in(f, 0, 513, 4, "u:QUBESRPC test.Old dom0");
    ck_assert(until(f, &old.called));
    lose_dom0(f);
    dom0_connect(f, 4);
    q = call_in(f, 0, 513, 4, "u:QUBESRPC test.New dom0");
    ck_assert(until(f, &new.called));
    seen_close(&old, 0);
    expect_end(p, 0);
    dom0_expect_nothing(f);
    seen_close(&new, 0);
    expect_end(q, 0);
    dom0_expect_release(f, 0, 513);

    p = call_in(f, 0, 514, 4, "u:QUBESRPC test.Old dom0");      /* the same, ended while dom0 was away */
    old.called = false;
    ck_assert(until(f, &old.called));
    lose_dom0(f);
    seen_close(&old, 0);
    expect_end(p, 0);
    ck_assert_uint_eq(host_counter(f->qrexec, "ports_unreleased"), 1);
    dom0_connect(f, 4);
    dom0_expect_release(f, 0, 514);
    dom0_expect_nothing(f);
    fixture_end(f);
}
END_TEST

#define IN_VAIN 768             /* calls that can wait for somebody to come in vain: all there can be */

/* The daemon does not read: ports pile up, at most so many, and each is told once when it reads again. */
START_TEST(daemon_that_does_not_read)
{
    static const char *const options[] = { "control-ring=4096", "services=no", NULL };
    struct fixture *f = fixture_up(options);
    unsigned sent = 0;

    for (; sent < IN_VAIN; sent++)              /* these wait for those whom dom0 sends; there is no place for more */
        dom0_connects(f, 20 + sent / 256, 513 + sent % 256, "nobody");
    dom0_expect_nothing(f);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), IN_VAIN);
    while (host_counter(f->qrexec, "ports_unreleased") < 500) {
        for (int i = 0; i < 100; i++, sent++)
            dom0_connects(f, 20 + sent / 256, 513 + sent % 256, "nobody");
        host_run(f->h, 0);
        ck_assert_uint_lt(sent, 100000);
    }
    for (unsigned i = IN_VAIN; i < sent; i++)
        dom0_expect_release(f, 20 + i / 256, 513 + i % 256);
    ck_assert_uint_eq(host_counter(f->qrexec, "ports_unreleased"), 0);
    dom0_expect_nothing(f);
    fixture_end(f);
}
END_TEST

TCase *control_tests(void)
{
    TCase *t = tcase_create("control");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, golden_hello);
    tcase_add_test(t, bad_hello);
    tcase_add_test(t, skipped);
    tcase_add_test(t, bad_pairs);
    tcase_add_loop_test(t, any_port, 0, 10);
    tcase_add_test(t, calls_itself);
    tcase_add_test(t, reconnects);
    tcase_add_test(t, lost_in_every_state);
    tcase_add_test(t, pair_given_out_anew);
    tcase_add_test(t, daemon_that_does_not_read);
    return t;
}
