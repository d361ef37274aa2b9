/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/bulk.c - calls of 0, 1, 65,536, 65,537 and 50,000,000 bytes each way, both roles: every byte, in order. */
#include "tests/qrexec/fixture.h"

static const size_t sizes[] = { 0, 1, 65536, 65537, 50000000 };

static void send_pattern(struct peer *p, uint32_t type, size_t n)
{
    static uint8_t chunk[DATA_MAX];

    for (size_t at = 0, k; at < n; at += k) {
        k = n - at < sizeof(chunk) ? n - at : sizeof(chunk);
        for (size_t i = 0; i < k; i++)
            chunk[i] = pattern(at + i);
        say(p, type, chunk, k);
    }
    say(p, type, NULL, 0);
}

static void expect_pattern(struct peer *p, uint32_t type, size_t total)
{
    static uint8_t got[DATA_MAX];
    size_t n, at = 0, wrong = 0;

    for (;;) {
        ck_assert_uint_eq(hear(p, got, &n), type);
        if (n == 0)
            break;
        for (size_t i = 0; i < n; i++)
            wrong += got[i] != pattern(at + i);
        at += n;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(at, total);
}

START_TEST(into_a_service)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true };
    struct peer *p;

    serve(f, "test.Sink", &s);
    p = call_in(f, 7, 513, 4, "u:QUBESRPC test.Sink a");
    send_pattern(p, QREXEC_STDIN, sizes[_i]);
    ck_assert(until(f, &s.ended));
    ck_assert_uint_eq(s.n, sizes[_i]);
    ck_assert_uint_eq(s.sum, pattern_sum(sizes[_i]));
    seen_close(&s, 0);
    expect_end(p, 0);
    ck_assert_uint_eq(host_counter(f->qrexec, "bytes_in"), sizes[_i]);
    fixture_end(f);
}
END_TEST

START_TEST(out_of_a_service)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .to_send = sizes[_i] };
    struct peer *p;

    serve(f, "test.Source", &s);
    p = call_in(f, 7, 513, 4, "u:QUBESRPC test.Source a");
    ck_assert(until(f, &s.called));
    if (sizes[_i] == 0)
        unik_stream_shut(s.call->io);
    expect_pattern(p, QREXEC_STDOUT, sizes[_i]);
    seen_close(&s, 0);
    expect_eof(p, QREXEC_STDERR);
    expect_code(p, 0);
    ck_assert(peer_closed(p, SECONDS));
    peer_close(p);
    ck_assert_uint_eq(host_counter(f->qrexec, "bytes_out"), sizes[_i]);
    fixture_end(f);
}
END_TEST

START_TEST(into_and_out_of_a_caller)
{
    struct fixture *f = fixture_up(NULL);
    struct seen s = { .reading = true };
    char ident[QREXEC_IDENT];
    struct peer *p;

    ck_assert_int_eq(call_out(f, "work", "test.Svc", &s), 0);
    seen_send(&s, sizes[_i]);
    dom0_expect_trigger(f, 4, "work", "test.Svc", ident);
    p = serve_out(f, 7, 513, 4, ident);
    expect_pattern(p, QREXEC_STDIN, sizes[_i]);
    send_pattern(p, QREXEC_STDOUT, sizes[_i]);
    say(p, QREXEC_EXIT_CODE, "\0\0\0\0", 4);
    ck_assert(until(f, &s.ended));
    ck_assert_uint_eq(s.n, sizes[_i]);
    ck_assert_uint_eq(s.sum, pattern_sum(sizes[_i]));
    ck_assert_int_eq(s.call->exit_code, 0);
    seen_close(&s, 0);
    dom0_expect_release(f, 7, 513);
    peer_close(p);
    fixture_end(f);
}
END_TEST

TCase *bulk_tests(void)
{
    TCase *t = tcase_create("bulk");
    int n = sizeof(sizes) / sizeof(sizes[0]);

    tcase_set_timeout(t, 900);
    tcase_add_loop_test(t, into_a_service, 0, n);
    tcase_add_loop_test(t, out_of_a_service, 0, n);
    tcase_add_loop_test(t, into_and_out_of_a_caller, 0, n);
    return t;
}
