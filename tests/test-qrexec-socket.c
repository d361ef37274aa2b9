/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket for local programs: what clients say, well-behaved and not. */
#include <sys/socket.h>
#include <unistd.h>

#include "tests/common/local-client.h"

START_TEST(accepted)
{
    static const uint32_t types[] = { QREXEC_TRIGGER4, QREXEC_TRIGGER3, QREXEC_TRIGGER2 };
    static const uint8_t reply[] = { 7, 0, 0, 0, 1, 2, 0, 0 };
    uint8_t bytes[300], got[9];

    open_socket();
    for (uint32_t i = 0; i < 3; i++) {
        size_t n = request(bytes, sizeof(bytes), types[i], "other", "@dispvm:x", "test.Svc+a");
        int fd = client();

        for (size_t k = 0; k < n; k++) {
            send_all(fd, bytes + k, 1);
            ev_run(w.ctx->loop, EVRUN_NOWAIT);
        }
        UNTIL(triggered, i + 1);
        ck_assert_str_eq(agent.source, types[i] == QREXEC_TRIGGER4 ? "other" : "");
        ck_assert_str_eq(agent.target, "@dispvm:x");
        ck_assert_str_eq(agent.service, "test.Svc+a");
        answer(i + 1, 0, 7, 513);
        ck_assert_int_eq(recv(fd, got, sizeof(got), 0), 8);
        ck_assert_mem_eq(got, reply, 8);
        host_run(w.h, 0.02);
        ck_assert_uint_eq(agent.released, i);
        close(fd);
        UNTIL(released, i + 1);
        ck_assert_uint_eq(agent.domain, 7);
        ck_assert_uint_eq(agent.port, 513);
    }
    ck_assert_uint_eq(agent.forgotten, 0);
    ck_assert_uint_eq(qrexec_socket_clients(s), 0);
    close_socket();
}
END_TEST

START_TEST(largest_request)
{
    static uint8_t bytes[QREXEC_CONTROL_MAX];
    static char service[QREXEC_SERVICE_MAX + 1];
    size_t n, at = 0;
    int fd;

    open_socket();
    memset(service, 'a', QREXEC_SERVICE_MAX - 1);
    memcpy(service, "s+", 2);
    n = request(bytes, sizeof(bytes), QREXEC_TRIGGER4, "", "dom0", service);
    ck_assert_uint_eq(n, sizeof(bytes));
    fd = client();
    while (at < n) {
        ssize_t k = send(fd, bytes + at, n - at, MSG_NOSIGNAL);

        at += k > 0 ? (size_t)k : 0;
        ev_run(w.ctx->loop, EVRUN_NOWAIT);
    }
    UNTIL(triggered, 1);
    ck_assert_str_eq(agent.service, service);
    close(fd);
    UNTIL(forgotten, 1);
    close_socket();
}
END_TEST

START_TEST(refused)
{
    int fd, errors[] = { -EACCES, -ECONNRESET };

    open_socket();
    for (uint32_t i = 0; i < 2; i++) {
        fd = asking();
        answer(agent.n, errors[i], 0, 0);
        expect_end(fd);
    }
    agent.refuse = -ENOTCONN;           /* dom0 is not there */
    fd = client();
    send_all(fd, "\x13\x02\0\0\xa2\0\0\0", 8);
    for (int i = 0; i < 162; i++)
        send_all(fd, i == 160 ? "x" : "", 1);
    expect_end(fd);
    ck_assert_ptr_nonnull(strstr(w.log, "not connected"));
    ck_assert(nobody(NULL) && agent.forgotten == 0 && agent.released == 0);
    close_socket();
}
END_TEST

START_TEST(leaves_early)
{
    int fd;

    open_socket();
    fd = client();                      /* before anything */
    ck_assert(world_until(&w, clients, &(size_t){ 1 }, 300));
    close(fd);
    ck_assert(world_until(&w, nobody, NULL, 300));
    fd = client();                      /* in the middle of the header, and of the body */
    send_all(fd, "\x13\x02", 2);
    host_run(w.h, 0.02);
    close(fd);
    fd = client();
    send_all(fd, "\x13\x02\0\0\xa2\0\0\0abc", 11);
    host_run(w.h, 0.02);
    close(fd);
    ck_assert(world_until(&w, nobody, NULL, 300));
    ck_assert_uint_eq(agent.n, 0);
    fd = asking();                      /* before the answer */
    close(fd);
    UNTIL(forgotten, 1);
    fd = asking();                      /* after it, unread */
    answer(agent.n, 0, 3, 600);
    close(fd);
    UNTIL(released, 1);
    fd = asking();                      /* gone when the answer is written */
    shutdown(fd, SHUT_RD);
    answer(agent.n, 0, 3, 601);
    UNTIL(released, 2);
    close(fd);
    ck_assert_uint_eq(agent.port, 601);
    ck_assert_uint_eq(agent.forgotten, 1);
    ck_assert(nobody(NULL));
    close_socket();
}
END_TEST

/* dom0's next daemon gives the pair of a client that still runs to somebody else: it is theirs to release. */
START_TEST(given_out_anew)
{
    int fd, other;

    open_socket();
    fd = asking();
    answer(agent.n, 0, 0, 513);
    other = asking();
    answer(agent.n, 0, 0, 514);
    qrexec_socket_void(s, 0, 513);
    close(fd);
    close(other);
    UNTIL(released, 1);
    ck_assert(world_until(&w, nobody, NULL, 300));
    ck_assert_uint_eq(agent.released, 1);
    ck_assert_uint_eq(agent.port, 514);
    close_socket();
}
END_TEST

START_TEST(garbage)
{
    static const struct { const char *bytes; size_t n; } rows[] = {
        { "GET / HTTP/1.0\r\n\r\n", 18 }, { "\x00\x03\0\0\x04\0\0\0\x04\0\0\0", 12 }, { "\x13\x02\0\0\0\0\0\0", 8 },
        { "\x13\x02\0\0\xff\xff\xff\xff", 8 }, { "\x12\x02\0\0\x89\xfe\0\0", 8 }, { "\x13\x02\0\0\x01\0\0\0x", 9 },
        { "\x10\x02\0\0\x01\0\0\0x", 9 }, { "\x11\x02\0\0\x08\0\0\0\0\0\0\0\x01\x02\0\0", 16 }
    };
    uint8_t bytes[300];
    size_t n;
    int good, fd;

    open_socket();
    good = asking();
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        fd = client();
        send_all(fd, rows[i].bytes, rows[i].n);
        expect_end(fd);
    }
    n = request(bytes, sizeof(bytes), QREXEC_TRIGGER4, "", "dom0", "test.Svc");
    for (size_t field = 0; field < 3; field++) {    /* source, target, ident without an end */
        static const size_t at[] = { 8, 72, 136 }, len[] = { 64, 64, 32 };
        uint8_t bad[300];

        memcpy(bad, bytes, n);
        memset(bad + at[field], 'A', len[field]);
        fd = client();
        send_all(fd, bad, n);
        expect_end(fd);
    }
    bytes[n - 1] = 'x';                             /* nor the service */
    fd = client();
    send_all(fd, bytes, n);
    expect_end(fd);
    ck_assert_uint_eq(agent.n, 1);
    ck_assert_uint_eq(qrexec_socket_clients(s), 1);
    answer(1, 0, 0, 513);
    ck_assert_int_eq(recv(good, bytes, sizeof(bytes), 0), 8);
    close(good);
    UNTIL(released, 1);
    close_socket();
}
END_TEST

START_TEST(talks_too_much)
{
    int fd;

    open_socket();
    fd = asking();
    send_all(fd, "more", 4);
    UNTIL(forgotten, 1);
    expect_end(fd);
    fd = asking();
    answer(agent.n, 0, 0, 513);
    send_all(fd, "more", 4);
    UNTIL(released, 1);
    close(fd);
    close_socket();
}
END_TEST

START_TEST(too_slow)
{
    int fd;

    open_socket();
    fd = client();
    send_all(fd, "\x13\x02\0\0", 4);
    host_run(w.h, 2);
    ck_assert_uint_eq(qrexec_socket_clients(s), 1);
    expect_end(fd);
    ck_assert_ptr_nonnull(strstr(w.log, "did not complete"));
    close_socket();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qrexec-socket");
    TCase *t = tcase_create("socket");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, accepted);
    tcase_add_test(t, largest_request);
    tcase_add_test(t, refused);
    tcase_add_test(t, leaves_early);
    tcase_add_test(t, given_out_anew);
    tcase_add_test(t, garbage);
    tcase_add_test(t, talks_too_much);
    tcase_add_test(t, too_slow);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
