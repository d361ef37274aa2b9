/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/life.c - limits, drain, stop, plugins that go, the announcement; and that nothing is left after many calls. */
#include <unik/qubesdb.h>
#include <unik/text.h>

#include "tests/common/fds.h"
#include "tests/qrexec/fixture.h"

#define CALL "user:QUBESRPC test.Svc+ work"

START_TEST(unserve_while_running)
{
    struct fixture *f = fixture_up(NULL);
    struct unik_qrexec_service *service;
    struct seen s = { .reading = true, .echoes = true };
    struct peer *p, *q;

    ck_assert_int_eq(f->q->serve(f->q, f->app, "test.Svc", on_call, &s, &service), 0);
    p = call_in(f, 7, 513, 4, CALL);
    ck_assert(until(f, &s.called));
    f->q->unserve(f->q, service);
    q = call_in(f, 7, 514, 4, CALL);
    say(q, QREXEC_STDIN, NULL, 0);
    expect_end(q, 127);
    dom0_expect_release(f, 7, 514);
    say(p, QREXEC_STDIN, "goes on", 7);
    expect(p, QREXEC_STDOUT, "goes on", 7);
    seen_close(&s, 0);
    expect_end(p, 0);
    dom0_expect_release(f, 7, 513);
    fixture_end(f);
}
END_TEST

/* A plugin stops without a word: its services and calls go with it. */
START_TEST(owner_leaves)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true }, mine = { .reading = true };
    char ident[QREXEC_IDENT];
    struct peer *p, *q;

    serve(f, "test.Svc", &s);
    p = call_in(f, 7, 513, 4, CALL);
    ck_assert(until(f, &s.called));
    ck_assert_int_eq(call_out(f, "work", "test.Out", &mine), 0);
    dom0_expect_trigger(f, 4, "work", "test.Out", ident);
    q = serve_out(f, 7, 514, 4, ident);
    ck_assert(until(f, &mine.opened));
    host_stop_wait(f->app, 1);
    ck_assert(peer_closed(q, SECONDS));
    peer_close(q);
    expect_end(p, UNIK_QREXEC_BROKEN);
    dom0_expect_release(f, 7, 514);
    dom0_expect_release(f, 7, 513);
    s.called = false;
    p = call_in(f, 7, 515, 4, CALL);
    say(p, QREXEC_STDIN, NULL, 0);
    expect_end(p, 127);
    ck_assert(!s.called);
    dom0_expect_release(f, 7, 515);
    fixture_end(f);
}
END_TEST

START_TEST(drain)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true, .echoes = true }, mine = { .reading = true }, late = { 0 };
    char ident[QREXEC_IDENT];
    struct peer *p, *q, *silent = peer_listen(f->h, f->dir, 7, 1, 520);

    serve(f, "test.Svc", &s);
    dom0_exec(f, QREXEC_EXEC_CMDLINE, 7, 520, CALL);            /* not begun: does not hold up the end */
    ck_assert(peer_accept(silent, SECONDS));
    p = call_in(f, 7, 513, 4, CALL);
    ck_assert(until(f, &s.called));
    ck_assert_int_eq(call_out(f, "work", "test.Out", &mine), 0);
    dom0_expect_trigger(f, 4, "work", "test.Out", ident);
    host_drain(f->qrexec);
    ck_assert(!host_is_drained(f->qrexec));
    ck_assert_int_eq(call_out(f, "work", "test.Out", &late), -ENOTCONN);
    q = call_in(f, 7, 514, 4, CALL);
    say(q, QREXEC_STDIN, NULL, 0);
    expect(q, QREXEC_STDERR, "shutting down\n", 14);
    expect_end(q, UNIK_QREXEC_BROKEN);
    dom0_expect_release(f, 7, 514);
    q = serve_out(f, 7, 515, 4, ident);
    say(q, QREXEC_EXIT_CODE, "\0\0\0\0", 4);
    ck_assert(until(f, &mine.ended));
    seen_close(&mine, 0);
    dom0_expect_release(f, 7, 515);
    ck_assert(!host_is_drained(f->qrexec));
    say(p, QREXEC_STDIN, "x", 1);
    expect(p, QREXEC_STDOUT, "x", 1);
    seen_close(&s, 0);
    expect_end(p, 0);
    dom0_expect_release(f, 7, 513);
    ck_assert(host_is_drained(f->qrexec));
    peer_close(q);
    peer_close(silent);
    fixture_end(f);
}
END_TEST

/* stop() with a call in each state: ends and codes go out, then all ports, then the control channel ends. */
START_TEST(stop)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true }, mine = { .reading = true }, offered = { 0 }, asked = { 0 };
    struct peer *p, *q, *silent = peer_listen(f->h, f->dir, 7, 1, 520);
    bool seen[16] = { false };
    char ident[QREXEC_IDENT], chars[100];
    struct unik_text text;

    serve(f, "test.Svc", &s);
    dom0_exec(f, QREXEC_EXEC_CMDLINE, 7, 520, CALL);
    ck_assert(peer_accept(silent, SECONDS));
    dom0_exec(f, QREXEC_EXEC_CMDLINE, 7, 521, CALL);
    p = call_in(f, 7, 522, 4, CALL);
    ck_assert(until(f, &s.called));
    ck_assert_int_eq(call_out(f, "work", "test.Out", &mine), 0);
    dom0_expect_trigger(f, 4, "work", "test.Out", ident);
    q = serve_out(f, 7, 523, 4, ident);
    ck_assert(until(f, &mine.opened));
    ck_assert_int_eq(call_out(f, "work", "test.Out", &offered), 0);
    dom0_expect_trigger(f, 4, "work", "test.Out", ident);
    dom0_connects(f, 7, 524, ident);
    ck_assert_int_eq(call_out(f, "work", "test.Out", &asked), 0);
    dom0_expect_trigger(f, 4, "work", "test.Out", ident);
    host_run(f->h, SOON);
    host_stop(f->qrexec);
    ck_assert_int_eq(host_state(f->qrexec), HOST_STOPPED);
    unik_text_init(&text, chars, sizeof(chars));
    f->qrexec->plugin->status(f->qrexec, &text);                /* asked at any time */
    ck_assert_str_eq(chars, "");
    expect_end(p, UNIK_QREXEC_BROKEN);
    ck_assert(peer_closed(q, SECONDS));
    for (int i = 0; i < 5; i++) {
        struct qrexec_exec e;
        char body[DATA_MAX];
        size_t n;

        ck_assert_uint_eq(hear(f->dom0, body, &n), QREXEC_TERMINATED);
        ck_assert_int_eq(qrexec_decode_terminated(body, n, &e), 0);
        ck_assert(e.domain == 7 && e.port >= 520 && e.port <= 524 && !seen[e.port - 520]);
        seen[e.port - 520] = true;
    }
    ck_assert(peer_closed(f->dom0, SECONDS));
    peer_close(q);
    peer_close(silent);
    fixture_end(f);
}
END_TEST

/* Calls beyond the limit are told so; each way has its own. */
START_TEST(limit)
{
    static const char *const options[] = { "max-calls=2", "services=no", NULL };
    struct fixture *f = fixture_up(options);
    struct seen s[2] = { { 0 }, { 0 } }, mine[3] = { { 0 }, { 0 }, { 0 } };
    struct peer *p[2], *q;
    char ident[QREXEC_IDENT];

    serve(f, "test.A", &s[0]);
    serve(f, "test.B", &s[1]);
    p[0] = call_in(f, 7, 513, 4, "u:QUBESRPC test.A a");
    p[1] = call_in(f, 7, 514, 4, "u:QUBESRPC test.B a");
    ck_assert(until(f, &s[1].called));
    for (int i = 0; i < 3; i++) {
        q = call_in(f, 7, 515, 4, "u:QUBESRPC test.A a");
        say(q, QREXEC_STDIN, NULL, 0);
        expect(q, QREXEC_STDERR, "too many calls\n", 15);
        expect_end(q, UNIK_QREXEC_BROKEN);
        dom0_expect_release(f, 7, 515);
    }
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_refused"), 3);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(call_out(f, "work", "test.Out", &mine[i]), 0);
        dom0_expect_trigger(f, 4, "work", "test.Out", ident);
    }
    ck_assert_int_eq(call_out(f, "work", "test.Out", &mine[2]), -EAGAIN);
    seen_close(&mine[0], 0);
    host_run(f->h, 0);
    ck_assert_int_eq(call_out(f, "work", "test.Out", &mine[2]), 0);
    seen_close(&s[0], 0);
    expect_end(p[0], 0);
    s[0].called = false;
    q = call_in(f, 7, 516, 4, "u:QUBESRPC test.A a");
    ck_assert(until(f, &s[0].called));
    peer_close(q);
    peer_close(p[1]);
    fixture_end(f);
}
END_TEST

#define AT_ONCE 200

START_TEST(many_at_once)
{
    struct fixture *f = fixture_up(NULL);
    static struct seen s[AT_ONCE];
    struct peer *p[AT_ONCE];
    bool released[AT_ONCE] = { false };
    char line[100], name[40];

    for (int i = 0; i < AT_ONCE; i++) {
        s[i] = (struct seen){ .reading = true, .echoes = true, .ends = true };
        snprintf(name, sizeof(name), "test.N%d", i);
        serve(f, name, &s[i]);
        snprintf(line, sizeof(line), "u:QUBESRPC test.N%d+%d vm%d", i, i, i % 20);
        p[i] = call_in(f, (uint32_t)(10 + i % 20), (uint32_t)(513 + i), 2 + (uint32_t)i % 3, line);
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < AT_ONCE; i++)
            say(p[i], QREXEC_STDIN, &i, sizeof(i));
        for (int i = AT_ONCE - 1; i >= 0; i--)
            expect(p[i], QREXEC_STDOUT, &i, sizeof(i));
    }
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), AT_ONCE);
    for (int i = 0; i < AT_ONCE; i++)
        say(p[i], QREXEC_STDIN, NULL, 0);
    for (int i = 0; i < AT_ONCE; i++)
        expect_end(p[i], 0);
    for (int i = 0; i < AT_ONCE; i++) {
        struct qrexec_exec e;
        char body[DATA_MAX];
        size_t n;

        ck_assert_uint_eq(hear(f->dom0, body, &n), QREXEC_TERMINATED);
        ck_assert_int_eq(qrexec_decode_terminated(body, n, &e), 0);
        ck_assert_uint_eq(e.domain, 10 + (e.port - 513) % 20);
        ck_assert(!released[e.port - 513]);
        released[e.port - 513] = true;
    }
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running_high"), AT_ONCE);
    ck_assert_uint_eq(host_counter(f->qrexec, "bytes_in"), 3 * AT_ONCE * sizeof(int));
    fixture_end(f);
}
END_TEST

/* A thousand calls in and out, and connects and disconnects of dom0: the same descriptors and counters as before. */
START_TEST(thousand)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true, .echoes = true, .ends = true }, mine = { .reading = true };
    char ident[QREXEC_IDENT];
    int fds = open_fds();

    serve(f, "test.Svc", &s);
    for (uint32_t i = 0; i < 1000; i++) {
        struct peer *p = call_in(f, 7, 513 + i % 256, 4, CALL);

        say(p, QREXEC_STDIN, "x", 1);
        say(p, QREXEC_STDIN, NULL, 0);
        if (i % 10 == 9) {
            peer_close(p);                      /* some just go */
        } else {
            expect(p, QREXEC_STDOUT, "x", 1);
            expect_end(p, 0);
        }
        dom0_expect_release(f, 7, 513 + i % 256);
        if (i % 4)
            continue;
        ck_assert_int_eq(call_out(f, "work", "test.Out", &mine), 0);
        dom0_expect_trigger(f, 4, "work", "test.Out", ident);
        p = serve_out(f, 9, 513, 4, ident);
        say(p, QREXEC_EXIT_CODE, "\0\0\0\0", 4);
        ck_assert(until(f, &mine.ended));
        seen_close(&mine, 0);
        dom0_expect_release(f, 9, 513);
        peer_close(p);
    }
    host_run(f->h, 0);
    ck_assert_int_eq(open_fds(), fds);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_in"), 1000);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_out"), 250);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), 0);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running_high"), 1);
    ck_assert_uint_eq(host_counter(f->qrexec, "ports_unreleased"), 0);
    ck_assert_uint_eq(host_counter(f->qrexec, "protocol_errors"), 0);
    fixture_end(f);
}
END_TEST

/* ---- the announcement, with a database that remembers what was written ---- */

struct database {
    struct unik_qubesdb db;
    unik_qubesdb_cb *cb;
    void *arg;
    char watched[64], written[2000];
    bool unwatched;
};

static int db_watch(struct unik_qubesdb *q, struct unik_ctx *owner, const char *path, unsigned flags,
                    unik_qubesdb_cb *cb, void *arg, struct unik_qubesdb_watch **out)
{
    struct database *d = (struct database *)(void *)q;

    ck_assert_ptr_nonnull(owner);
    ck_assert_uint_eq(flags, UNIK_QUBESDB_NOW);
    d->cb = cb;
    d->arg = arg;
    *out = (struct unik_qubesdb_watch *)(void *)d;
    snprintf(d->watched, sizeof(d->watched), "%s", path);
    return 0;
}

static void db_unwatch(struct unik_qubesdb *q, struct unik_qubesdb_watch *w)
{
    (void)w;
    ((struct database *)(void *)q)->unwatched = true;
}

static int db_write(struct unik_qubesdb *q, const char *path, const void *value, size_t len)
{
    struct database *d = (struct database *)(void *)q;
    size_t used = strlen(d->written);

    ck_assert_uint_le(strlen(path), UNIK_QUBESDB_PATH_MAX);
    snprintf(d->written + used, sizeof(d->written) - used, "%s=%.*s\n", path, (int)len, (const char *)value);
    return 0;
}

static const char *db_read(struct unik_qubesdb *q, const char *path, size_t *len)
{
    (void)q, (void)path, (void)len;
    return NULL;
}

START_TEST(announce)
{
    static const char *const options[] = { "announce=yes", "services=no", NULL };
    struct fixture *f = fixture_new(options);
    struct database d = { .db = { .size = sizeof(d.db), .watch = db_watch, .unwatch = db_unwatch, .write = db_write,
                                  .read = db_read } };
    char ident[QREXEC_IDENT];
    struct seen s = { 0 };
    struct peer *p;

    serve(f, "test.Svc", &s);
    serve(f, "test.Svc+80", &s);                                /* + is not for a path */
    serve(f, "test.ANameOf31BytesThatJustFits", &s);
    serve(f, "test.ANameOf32BytesThatIsTooLong", &s);
    host_publish(f->h, "qubesdb/1", &d.db);
    ck_assert_ptr_nonnull(d.cb);
    host_run(f->h, SOON);
    ck_assert_str_eq(d.written, "");
    d.cb("/name", NULL, 0, d.arg);                              /* synced, the key is not there */
    host_run(f->h, 0.3);
    ck_assert_str_eq(d.written, "");                            /* dom0 is not there */
    dom0_connect(f, 4);
    dom0_expect_trigger(f, 4, "dom0", "qubes.FeaturesRequest", ident);
    ck_assert_str_eq(d.written, "/features-request/qrexec=1\n/features-request/supported-rpc.test.Svc=1\n"
                     "/features-request/supported-rpc.test.ANameOf31BytesThatJustFits=1\n");
    if (_i == 0) {
        p = serve_out(f, 0, 513, 4, ident);
        expect_eof(p, QREXEC_STDIN);
        say(p, QREXEC_STDOUT, NULL, 0);
        say(p, QREXEC_EXIT_CODE, "\0\0\0\0", 4);
        ck_assert(peer_closed(p, SECONDS));
        dom0_expect_release(f, 0, 513);
        peer_close(p);
        d.cb("/name", "x", 1, d.arg);
        peer_hang_up(f->dom0);
        dom0_connect(f, 4);
        dom0_expect_nothing(f);                                 /* once is enough */
    }
    host_publish(f->h, "qubesdb/1", NULL);
    ck_assert(d.unwatched);
    fixture_end(f);
}
END_TEST

TCase *life_tests(void)
{
    TCase *t = tcase_create("life");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, unserve_while_running);
    tcase_add_test(t, owner_leaves);
    tcase_add_test(t, drain);
    tcase_add_test(t, stop);
    tcase_add_test(t, limit);
    tcase_add_test(t, many_at_once);
    tcase_add_test(t, thousand);
    tcase_add_loop_test(t, announce, 0, 2);
    return t;
}
