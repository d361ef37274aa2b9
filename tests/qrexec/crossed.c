/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/crossed.c - one pair (domain, port) after the other: a call that is over for dom0 must not take the next one's
 * place, whoever comes first. The services of A and B answer with their letter; nobody ever gets the other's. */
#include <unik/vchan.h>
#include <unistd.h>

#include "tests/qrexec/fixture.h"

#define CALL_A "user:QUBESRPC test.A dom0"
#define CALL_B "user:QUBESRPC test.B dom0"

struct two {
    struct fixture *f;
    struct seen a, b;
};

static struct two *two_new(uint32_t version)
{
    struct two *t = calloc(1, sizeof(*t));

    t->f = fixture_new(NULL);
    dom0_connect(t->f, version);
    t->a.reading = t->b.reading = true;
    serve(t->f, "test.A", &t->a);
    serve(t->f, "test.B", &t->b);
    return t;
}

static void two_end(struct two *t)
{
    fixture_end(t->f);
    free(t);
}

static unsigned running(const struct two *t) { return (unsigned)host_counter(t->f->qrexec, "calls_running"); }

static void run_until_counted(struct two *t, const char *counter, unsigned n)
{
    for (ev_tstamp end = ev_time() + SECONDS; host_counter(t->f->qrexec, counter) != n && ev_time() < end;)
        host_run(t->f->h, 0.001);
    ck_assert_uint_eq(host_counter(t->f->qrexec, counter), n);
}

static void run_until_running(struct two *t, unsigned n) { run_until_counted(t, "calls_running", n); }

static void lose_dom0(struct fixture *f)
{
    peer_hang_up(f->dom0);
    ck_assert(host_wait(f->qrexec, HOST_DEGRADED, SECONDS));
}

/* B's caller is at the other end: it gets B's answer, and nothing else runs. */
static void answered_by_b(struct two *t, struct peer *p, uint32_t version, uint32_t domain, uint32_t port)
{
    hello(p, version);
    ck_assert(until(t->f, &t->b.called));
    say(p, QREXEC_STDIN, NULL, 0);
    ck_assert(until(t->f, &t->b.ended));
    ck_assert_int_eq(unik_stream_write(t->b.call->io, "B", 1), 1);
    seen_close(&t->b, 7);
    expect(p, QREXEC_STDOUT, "B", 1);
    expect_end(p, 7);
    dom0_expect_release(t->f, domain, port);
    ck_assert(!t->a.called);
    ck_assert_uint_eq(running(t), 0);
    dom0_expect_nothing(t->f);
}

static const uint32_t kinds[] = { QREXEC_EXEC_CMDLINE, QREXEC_JUST_EXEC };

/* A is given up before anybody serves it, and the pair is B's: by the same daemon, or by the next. */
START_TEST(given_out_again)
{
    uint32_t version = 2 + (uint32_t)_i % 3, domain = _i / 6 % 2 ? 7 : 0;
    struct two *t = two_new(version);
    struct peer *p;

    dom0_exec(t->f, kinds[_i / 3 % 2], domain, 513, CALL_A);
    run_until_running(t, 1);
    if (_i >= 12) {
        lose_dom0(t->f);
        dom0_connect(t->f, 2 + (version + 1) % 3);
    }
    dom0_exec(t->f, QREXEC_EXEC_CMDLINE, domain, 513, CALL_B);
    run_until_counted(t, "calls_in", 2);
    p = peer_listen(t->f->h, t->f->dir, (int)domain, 1, 513);
    ck_assert(peer_accept(p, SECONDS));
    answered_by_b(t, p, version, domain, 513);
    ck_assert_uint_eq(host_counter(t->f->qrexec, "calls_unreached"), 1);
    two_end(t);
}
END_TEST

/* The next daemon's client serves its call while the request for it is on its way, and before this VM has run at all: as after
 * a pause of the VM, in which dom0's daemon was killed and started. */
START_TEST(served_before_it_is_told)
{
    struct two *t = two_new(4);
    struct peer *p;

    dom0_exec(t->f, kinds[_i % 2], 0, 513, CALL_A);
    if (_i < 2)
        run_until_running(t, 1);
    lose_dom0(t->f);
    peer_close(t->f->dom0);
    t->f->dom0 = peer_connect(t->f->h, t->f->dir, 1, 0, 512, SECONDS);
    p = peer_listen(t->f->h, t->f->dir, 0, 1, 513);     /* in the same turn of the VM's loop */
    ck_assert(!peer_accept(p, SOON) || peer_closed(p, SECONDS));
    hello(t->f->dom0, 4);
    dom0_exec(t->f, QREXEC_EXEC_CMDLINE, 0, 513, CALL_B);
    ck_assert(peer_accept(p, SECONDS));
    answered_by_b(t, p, 4, 0, 513);
    two_end(t);
}
END_TEST

/* A's channel was cut off in the backlog of a server that was done, and the daemon is another when it would try again. */
START_TEST(cut_off_between_daemons)
{
    struct two *t = two_new(4);
    struct peer *old = peer_listen(t->f->h, t->f->dir, 0, 1, 513), *p;

    dom0_exec(t->f, QREXEC_EXEC_CMDLINE, 0, 513, CALL_A);
    ck_assert(peer_accept(old, SECONDS));
    lose_dom0(t->f);
    dom0_connect(t->f, 4);
    p = peer_listen(t->f->h, t->f->dir, 0, 1, 513);
    peer_close(old);
    run_until_running(t, 0);
    ck_assert(!peer_accept(p, SOON));
    dom0_expect_release(t->f, 0, 513);
    dom0_exec(t->f, QREXEC_EXEC_CMDLINE, 0, 513, CALL_B);
    ck_assert(peer_accept(p, SECONDS));
    answered_by_b(t, p, 4, 0, 513);
    two_end(t);
}
END_TEST

/* A waits for the session, connected: it keeps its channel, and B has its own. */
START_TEST(connected_call_goes_on)
{
    struct two *t = two_new(4);
    struct peer *p = call_in(t->f, 0, 513, 4, CALL_A), *q;

    ck_assert(until(t->f, &t->a.called));
    lose_dom0(t->f);
    if (_i == 1) {                              /* its caller is gone, and its handler has not noticed */
        peer_hang_up(p);
        ck_assert(until(t->f, &t->a.ended));
    }
    dom0_connect(t->f, 4);
    q = call_in(t->f, 0, 513, 4, CALL_B);
    ck_assert(until(t->f, &t->b.called));
    seen_close(&t->a, 3);
    if (_i == 0)
        expect_end(p, 3);
    else
        peer_close(p);
    dom0_expect_nothing(t->f);
    say(q, QREXEC_STDIN, "B", 1);
    seen_close(&t->b, 7);
    expect_end(q, 7);
    dom0_expect_release(t->f, 0, 513);
    two_end(t);
}
END_TEST

/* The other way round: A is ours, offered, and nobody has come when its pair is given to B. A is lost, B's service comes to B. */
START_TEST(offered_again)
{
    uint32_t domain = _i % 2 ? 9 : 0;
    struct two *t = two_new(4);
    struct seen *a = &t->a, *b = &t->b;
    char ident[QREXEC_IDENT];
    struct peer *p;

    b->keeps = true;
    ck_assert_int_eq(call_out(t->f, "work", "test.A", a), 0);
    dom0_expect_trigger(t->f, 4, "work", "test.A", ident);
    dom0_connects(t->f, domain, 620, ident);
    dom0_expect_nothing(t->f);
    if (_i >= 2) {
        lose_dom0(t->f);
        dom0_connect(t->f, 4);
        if (domain == 0)                        /* dom0's new daemon gives all its ports out anew */
            ck_assert(until(t->f, &a->ended));
    }
    ck_assert_int_eq(call_out(t->f, "work", "test.B", b), 0);
    dom0_expect_trigger(t->f, 4, "work", "test.B", ident);
    dom0_connects(t->f, domain, 620, ident);
    if (domain)
        dom0_expect_release(t->f, domain, 620); /* A's: that daemon's table is another VM's */
    ck_assert(until(t->f, &a->ended));
    ck_assert_int_eq(a->end, -ECONNRESET);
    ck_assert_int_eq(a->call->exit_code, UNIK_QREXEC_LOST);
    p = peer_connect(t->f->h, t->f->dir, 1, (int)domain, 620, SECONDS);
    hello(p, 4);
    say(p, QREXEC_STDOUT, "B", 1);
    say(p, QREXEC_EXIT_CODE, "\7\0\0\0", 4);
    ck_assert(until(t->f, &b->ended));
    ck_assert_int_eq(b->call->exit_code, 7);
    ck_assert_uint_eq(b->n, 1);
    ck_assert_uint_eq(a->n, 0);
    seen_close(a, 0);
    seen_close(b, 0);
    dom0_expect_release(t->f, domain, 620);
    dom0_expect_nothing(t->f);
    peer_close(p);
    two_end(t);
}
END_TEST

/* An answer to a request of the daemon before comes over the next one (its helper was still asking the user): nobody's. */
START_TEST(late_answer)
{
    struct two *t = two_new(4);
    char old[QREXEC_IDENT], new[QREXEC_IDENT];
    uint8_t refusal[QREXEC_IDENT] = { 0 };
    struct peer *p;

    ck_assert_int_eq(call_out(t->f, "work", "test.A", &t->a), 0);
    dom0_expect_trigger(t->f, 4, "work", "test.A", old);
    lose_dom0(t->f);
    ck_assert(until(t->f, &t->a.ended));
    seen_close(&t->a, 0);
    dom0_connect(t->f, 4);
    ck_assert_int_eq(call_out(t->f, "work", "test.B", &t->b), 0);
    dom0_expect_trigger(t->f, 4, "work", "test.B", new);
    ck_assert_str_ne(old, new);
    memcpy(refusal, old, strlen(old));
    dom0_send(t->f, QREXEC_SERVICE_REFUSED, refusal, sizeof(refusal));
    dom0_connects(t->f, 9, 620, old);
    p = peer_connect(t->f->h, t->f->dir, 1, 9, 620, SECONDS);
    ck_assert(peer_closed(p, SECONDS));
    peer_close(p);
    dom0_expect_release(t->f, 9, 620);
    ck_assert(!t->b.opened && !t->b.ended);
    p = serve_out(t->f, 9, 620, 4, new);
    ck_assert(until(t->f, &t->b.opened));
    seen_close(&t->b, 0);
    dom0_expect_release(t->f, 9, 620);
    peer_close(p);
    two_end(t);
}
END_TEST

/* ---- a transport that knows that nobody will come (vchan-xen: the peer's domain is gone) ---- */

static struct unik_vchan transport;             /* what the real one does */
static struct unik_stream nobody;
static enum unik_vchan_state nobody_state;
static unsigned connects;

static size_t nobody_peek(struct unik_stream *s, const void **bytes) { return (void)s, *bytes = NULL, 0; }
static void nobody_consume(struct unik_stream *s, size_t n) { (void)s, (void)n; }
static int nobody_ended(struct unik_stream *s) { return (void)s, nobody_state == UNIK_VCHAN_DISCONNECTED; }
static void nobody_close(struct unik_stream *s) { s->cb = NULL; }

static int nobody_connect(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, unik_stream_cb *cb,
                          void *arg, struct unik_stream **out)
{
    static const struct unik_stream_ops ops = { .size = sizeof(ops), .peek = nobody_peek, .consume = nobody_consume,
                                                .ended = nobody_ended, .close = nobody_close };

    (void)v, (void)owner, (void)peer, (void)port;
    nobody = (struct unik_stream){ .ops = &ops, .cb = cb, .arg = arg };
    connects++;
    *out = &nobody;
    return 0;
}

static enum unik_vchan_state state_of(struct unik_stream *s) { return s == &nobody ? nobody_state : transport.state(s); }
static const char *reason_of(struct unik_stream *s) { return s == &nobody ? "peer domain is gone" : transport.reason(s); }

/* The call ends with that, at once: to connect again is for those who were cut off. */
START_TEST(nobody_will_come)
{
    struct two *t = two_new(4);
    struct unik_vchan *v = host_interface(t->f->h, "vchan/1");

    transport = *v;
    connects = 0;
    nobody_state = UNIK_VCHAN_WAITING;
    v->connect = nobody_connect;
    v->state = state_of;
    v->reason = reason_of;
    dom0_exec(t->f, QREXEC_EXEC_CMDLINE, 7, 513, CALL_A);
    run_until_running(t, 1);
    nobody_state = UNIK_VCHAN_DISCONNECTED;
    nobody.cb(&nobody, UNIK_STREAM_INPUT | UNIK_STREAM_ROOM, nobody.arg);
    dom0_expect_release(t->f, 7, 513);
    ck_assert_uint_eq(connects, 1);
    ck_assert_uint_eq(running(t), 0);
    ck_assert(strstr(t->f->log, "peer domain is gone"));
    *v = transport;
    two_end(t);
}
END_TEST

/* The same from the transport itself: the caller's server was there for a moment, and dom0 gets its port back. */
START_TEST(server_came_and_left)
{
    struct two *t = two_new(4);
    uint32_t domain = _i ? 7 : 0;
    struct peer *p;
    char path[200];

    dom0_exec(t->f, QREXEC_EXEC_CMDLINE, domain, 513, CALL_A);
    run_until_running(t, 1);
    p = peer_listen(t->f->h, t->f->dir, (int)domain, 1, 513);
    snprintf(path, sizeof(path), "%s/vchan.%u.1.513.sock", t->f->dir, (unsigned)domain);
    unlink(path);
    peer_close(p);                              /* all in one turn of the VM's loop */
    dom0_expect_release(t->f, domain, 513);
    ck_assert_uint_eq(running(t), 0);
    ck_assert_uint_eq(host_counter(t->f->qrexec, "calls_unreached"), 1);
    ck_assert(strstr(t->f->log, "its server came and has left"));
    dom0_exec(t->f, QREXEC_EXEC_CMDLINE, domain, 513, CALL_B);
    p = peer_listen(t->f->h, t->f->dir, (int)domain, 1, 513);
    ck_assert(peer_accept(p, SECONDS));
    answered_by_b(t, p, 4, domain, 513);
    two_end(t);
}
END_TEST

TCase *crossed_tests(void)
{
    TCase *t = tcase_create("crossed");

    tcase_set_timeout(t, 900);
    tcase_add_loop_test(t, given_out_again, 0, 24);
    tcase_add_loop_test(t, served_before_it_is_told, 0, 4);
    tcase_add_test(t, cut_off_between_daemons);
    tcase_add_loop_test(t, connected_call_goes_on, 0, 2);
    tcase_add_loop_test(t, offered_again, 0, 4);
    tcase_add_test(t, late_answer);
    tcase_add_test(t, nobody_will_come);
    tcase_add_loop_test(t, server_came_and_left, 0, 2);
    return t;
}
