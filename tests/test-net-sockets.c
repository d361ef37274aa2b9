/* SPDX-License-Identifier: BSD-2-Clause */
/* net-sockets on the loopback: what tests/net1 does not see: options, limits, counters, descriptors, life. Every test ends
 * with all connections gone and no descriptor left. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/common/fds.h"
#include "tests/net1/bed.h"

extern const struct unik_plugin unik_plugin_net_sockets;

struct bed bed = { .us = "127.0.0.1", .far = "127.0.0.2" };
static struct unik_ctx *ctx;
static int fds_before;
static char last_warning[300];

static void on_log(struct unik_ctx *c, enum unik_level level, const char *line, void *arg)
{
    (void)c, (void)arg;
    if (level == UNIK_WARNING)
        snprintf(last_warning, sizeof(last_warning), "%s", line);
}

static void begin(const char *const *options)
{
    fds_before = open_fds();
    bed.h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    host_on_log(bed.h, on_log, NULL);
    ctx = host_add(bed.h, &unik_plugin_net_sockets, options);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(host_start(ctx), 0);
    ck_assert_int_eq(host_state(ctx), HOST_READY);
    bed.net = host_interface(bed.h, "net/1");
    ck_assert_ptr_nonnull(bed.net);
    last_warning[0] = 0;
}

static void end(void)
{
    host_stop_wait(ctx, BED_LONG);
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(ctx, "connections"), 0);
    host_free(bed.h);
    ck_assert_int_le(open_fds(), fds_before + 2);      /* libev's own, made by its first use */
}

/* Run the loop until the gauge has that value. */
static void wait_connections(uint64_t n)
{
    for (int i = 0; i < 1000 && host_counter(ctx, "connections") != n; i++)
        host_run(bed.h, 0.01);
    ck_assert_uint_eq(host_counter(ctx, "connections"), n);
}

START_TEST(counts)
{
    char buf[64];
    unsigned port;
    struct end *e;
    int fd;

    begin(NULL);
    bed_listen(&port, NULL);
    fd = far_connect(port);
    e = bed_accept();
    far_write(fd, "hello", 5);
    end_input(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), 5);
    ck_assert_int_eq(unik_stream_write(e->s, "and welcome", 11), 11);
    ck_assert_int_eq(far_read(fd, buf, 11), 11);
    unik_stream_close(e->s);
    close(fd);
    wait_connections(0);
    ck_assert_uint_eq(host_counter(ctx, "accepted"), 1);
    ck_assert_uint_eq(host_counter(ctx, "bytes_in"), 5);
    ck_assert_uint_eq(host_counter(ctx, "bytes_out"), 11);
    end();
}
END_TEST

START_TEST(dual_stack_and_names)
{
    char text[UNIK_NET_ADDRESS_MAX];
    unsigned port, again;
    struct unik_net_listener *l, *second;
    struct end client = { 0 }, *e;
    int fd;

    begin(NULL);
    l = bed_listen(&port, NULL);
    fd = far_connect(port);
    e = bed_accept();
    ck_assert_int_eq(strncmp(e->s->peer, "127.0.0.2:", 10), 0);
    unik_stream_close(e->s);
    close(fd);
    if (bed.net->connect(bed.net, NULL, "::1", port, end_event, &client, &client.s) == 0) {
        end_wait(&client);
        if (client.opens) {             /* a machine without IPv6 refuses, which is told too */
            while (n_accepted < 2)
                bed_accept();
            ck_assert_int_eq(strncmp(accepted[1].s->peer, "[::1]:", 6), 0);
            unik_stream_close(accepted[1].s);
        }
        unik_stream_close(client.s);
    }
    again = port;
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "127.0.0.1", &again, 5, bed_on_accept, NULL, &second), -EADDRINUSE);
    again = 0;
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "nowhere", &again, 5, bed_on_accept, NULL, &second), -EINVAL);
    again = 65536;
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "", &again, 5, bed_on_accept, NULL, &second), -EINVAL);
    again = 0;
    ck_assert_int_lt(bed.net->listen(bed.net, NULL, "192.0.2.1", &again, 5, bed_on_accept, NULL, &second), 0);
    ck_assert_int_eq(bed.net->address(bed.net, 0, text), 0);
    ck_assert_uint_gt(strlen(text), 0);
    ck_assert_int_eq(bed.net->address(bed.net, 1000, text), -ENOENT);
    bed.net->unlisten(bed.net, l);
    wait_connections(0);
    end();
}
END_TEST

START_TEST(connects_and_reports_failure)
{
    char buf[16];
    unsigned port;
    struct unik_net_listener *l;
    struct end c = { 0 }, *e;

    begin(NULL);
    l = bed_listen(&port, NULL);
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, "127.0.0.1", port, end_event, &c, &c.s), 0);
    ck_assert_uint_eq(c.opens, 0);      /* never from inside the call */
    ck_assert_int_eq(unik_stream_write(c.s, "early", 5), 5);
    e = bed_accept();
    end_wait(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), 5);
    ck_assert_uint_eq(c.opens, 1);
    unik_stream_close(c.s);
    unik_stream_close(e->s);
    /* Written while connecting, then closed at once: still delivered. */
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, "127.0.0.1", port, end_event, &c, &c.s), 0);
    ck_assert_int_eq(unik_stream_write(c.s, "bye", 3), 3);
    unik_stream_close(c.s);
    e = bed_accept();
    end_wait(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), 3);
    unik_stream_close(e->s);
    bed.net->unlisten(bed.net, l);

    memset(&c, 0, sizeof(c));
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, "127.0.0.1", port, end_event, &c, &c.s), 0);
    end_wait(&c);
    ck_assert_uint_eq(c.opens, 0);
    ck_assert_int_eq(unik_stream_ended(c.s), -ECONNREFUSED);
    ck_assert_int_eq(unik_stream_write(c.s, "x", 1), -EPIPE);
    unik_stream_close(c.s);
    ck_assert_uint_eq(host_counter(ctx, "connect_failed"), 1);
    wait_connections(0);
    end();
}
END_TEST

/* A reader that takes nothing: the peer is held up, nothing is lost, and one event tells of the bytes. */
START_TEST(unread_input_stays_with_the_peer)
{
    enum { TOTAL = 16 << 20 };
    static const char *const options[] = { "input-buffer=2K", NULL };
    static char chunk[65536];
    size_t sent = 0, got = 0;
    const void *p;
    unsigned port;
    struct end *e;
    int fd;

    begin(options);
    bed_listen(&port, NULL);
    fd = far_connect(port);
    e = bed_accept();
    for (;;) {
        ssize_t k = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);

        if (k < 0) {
            host_run(bed.h, 0.05);
            k = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);
            if (k < 0)
                break;
        }
        sent += (size_t)k;
        ck_assert_uint_lt(sent, TOTAL);
    }
    ck_assert_uint_le(host_counter(ctx, "bytes_in"), 2048);
    ck_assert_uint_eq(unik_stream_peek(e->s, &p), 2048);
    shutdown(fd, SHUT_WR);
    while (got < sent) {
        size_t n = unik_stream_peek(e->s, &p);

        if (n == 0) {
            ck_assert_int_eq(unik_stream_ended(e->s), 0);
            e->flag = false;
            end_wait(e);
            continue;
        }
        unik_stream_consume(e->s, n);
        got += n;
    }
    while (unik_stream_ended(e->s) == 0)
        end_wait(e);
    ck_assert_int_eq(unik_stream_ended(e->s), 1);
    unik_stream_close(e->s);
    close(fd);
    wait_connections(0);
    end();
}
END_TEST

/* The peer sends on while we answer and close: it must still get the whole answer, not a reset. */
START_TEST(close_does_not_destroy_what_was_written)
{
    static char big[200000], in[200000];
    unsigned port;
    struct end *e;
    size_t n;
    int fd;

    begin(NULL);
    bed_listen(&port, NULL);
    fd = far_connect(port);
    e = bed_accept();
    ck_assert_int_gt(write(fd, big, sizeof(big)), 0);
    end_wait(e);
    memset(in, 'a', sizeof(in));
    n = (size_t)unik_stream_write(e->s, in, 30000);
    ck_assert_uint_eq(n, 30000);
    unik_stream_close(e->s);
    host_run(bed.h, 0.02);
    ck_assert_int_gt(send(fd, "more", 4, MSG_NOSIGNAL), 0);
    host_run(bed.h, 0.02);
    ck_assert_int_eq(far_read(fd, big, n), (ssize_t)n);
    ck_assert_int_eq(memcmp(big, in, n), 0);
    ck_assert_int_eq(far_read(fd, big, 1), 0);
    close(fd);
    wait_connections(0);
    ck_assert_uint_eq(host_counter(ctx, "aborted"), 0);
    end();
}
END_TEST

START_TEST(close_with_a_dead_reader_has_a_deadline)
{
    static const char *const options[] = { "linger=100ms", NULL };
    static char big[1 << 20];
    char in[64];
    unsigned port;
    struct end *e;
    ssize_t k;
    int fd;

    begin(options);
    bed_listen(&port, NULL);
    fd = far_connect(port);
    e = bed_accept();
    while (unik_stream_write(e->s, big, sizeof(big)) == sizeof(big))
        ;
    unik_stream_close(e->s);
    wait_connections(0);
    ck_assert_uint_eq(host_counter(ctx, "aborted"), 1);
    do                                  /* the cut can be told from an end */
        k = read(fd, big, sizeof(big));
    while (k > 0);
    ck_assert_int_eq(k, -1);
    ck_assert_int_eq(errno, ECONNRESET);
    close(fd);

    /* A peer that never ends its side. */
    fd = far_connect(port);
    e = bed_accept();
    unik_stream_write(e->s, "x", 1);
    unik_stream_close(e->s);
    wait_connections(0);
    ck_assert_int_eq(far_read(fd, in, 1), 1);
    close(fd);
    end();
}
END_TEST

START_TEST(max_connections_waits_in_the_backlog)
{
    static const char *const options[] = { "max-connections=4", NULL };
    unsigned port;
    int fd[8];

    begin(options);
    bed_listen(&port, NULL);
    for (int i = 0; i < 8; i++)
        fd[i] = far_connect(port);
    host_run(bed.h, 0.1);
    ck_assert_uint_eq(n_accepted, 4);
    ck_assert_ptr_nonnull(strstr(last_warning, "max-connections"));
    for (unsigned i = 0; i < 8; i++) {
        while (n_accepted <= i)
            host_run(bed.h, 0.01);
        unik_stream_close(accepted[i].s);
        close(fd[i]);
    }
    wait_connections(0);
    ck_assert_uint_eq(host_counter(ctx, "accepted"), 8);
    ck_assert_uint_eq(host_counter(ctx, "connections_high"), 4);
    ck_assert_uint_ge(host_counter(ctx, "pauses"), 1);
    end();
}
END_TEST

START_TEST(out_of_descriptors)
{
    struct rlimit was, tight;
    unsigned port;
    char c;
    int fd[3], hog[1024], n = 0;

    begin(NULL);
    bed_listen(&port, NULL);
    fd[0] = far_connect(port);
    bed_accept();
    getrlimit(RLIMIT_NOFILE, &was);
    tight = was;
    tight.rlim_cur = 100;
    setrlimit(RLIMIT_NOFILE, &tight);
    while (n < 1024 && (hog[n] = open("/dev/null", O_RDONLY)) >= 0)
        n++;
    close(hog[--n]);                    /* one is left, for the far end */
    fd[1] = far_connect(port);
    for (int i = 0; i < 200 && host_counter(ctx, "refused") == 0; i++)
        host_run(bed.h, 0.01);
    ck_assert_uint_eq(host_counter(ctx, "refused"), 1);
    ck_assert_ptr_nonnull(strstr(last_warning, strerror(EMFILE)));
    ck_assert_int_le(far_read(fd[1], &c, 1), 0);
    while (n)
        close(hog[--n]);
    setrlimit(RLIMIT_NOFILE, &was);
    fd[2] = far_connect(port);          /* after the pause it works again */
    bed_accept();
    unik_stream_close(accepted[0].s);
    unik_stream_close(accepted[1].s);
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    wait_connections(0);
    end();
}
END_TEST

START_TEST(drain_refuses_and_keeps)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    unsigned port, again = 0;
    struct unik_net_listener *l, *second;
    struct end *e;
    char c;
    int fd, late;

    begin(NULL);
    l = bed_listen(&port, NULL);
    fd = far_connect(port);
    e = bed_accept();
    host_drain(ctx);
    ck_assert(host_is_drained(ctx));
    a.sin_port = htons((uint16_t)port);
    late = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(late, (struct sockaddr *)&a, sizeof(a)), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    close(late);
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "", &again, 5, bed_on_accept, NULL, &second), -ESHUTDOWN);
    ck_assert_int_eq(unik_stream_write(e->s, "x", 1), 1);
    ck_assert_int_eq(far_read(fd, &c, 1), 1);
    unik_stream_close(e->s);
    bed.net->unlisten(bed.net, l);
    close(fd);
    end();
}
END_TEST

/* What closed streams still send is sent before the plugin stops. */
START_TEST(stop_sends_the_last_bytes)
{
    static char big[1 << 20];
    unsigned port;
    struct end *e;
    size_t written, got = 0;
    int fd;

    begin(NULL);
    bed_listen(&port, NULL);
    fd = far_connect(port);
    e = bed_accept();
    written = (size_t)unik_stream_write(e->s, big, sizeof(big));
    while (written < 64 << 20) {
        ssize_t k = unik_stream_write(e->s, big, sizeof(big));

        written += (size_t)k;
        if (k < (ssize_t)sizeof(big))
            break;
    }
    unik_stream_close(e->s);
    host_stop(ctx);
    ck_assert_int_eq(host_state(ctx), HOST_STOPPING);
    while (got < written) {
        ssize_t k = far_read(fd, big, sizeof(big));

        ck_assert_int_gt(k, 0);
        got += (size_t)k;
    }
    close(fd);
    ck_assert(host_wait(ctx, HOST_STOPPED, BED_LONG));
    host_free(bed.h);
    ck_assert_int_le(open_fds(), fds_before + 2);
}
END_TEST

START_TEST(abandon_frees_everything)
{
    static char big[1 << 20];
    unsigned port;
    struct end *e;
    int fd, other;

    begin(NULL);
    bed_listen(&port, NULL);
    fd = far_connect(port);
    e = bed_accept();
    while (unik_stream_write(e->s, big, sizeof(big)) == sizeof(big))
        ;
    unik_stream_close(e->s);
    other = far_connect(port);
    bed_accept();                      /* and one that nobody closes */
    host_stop_wait(ctx, 0.05);
    ck_assert_ptr_nonnull(strstr(last_warning, "nobody had closed"));
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(ctx, "connections"), 0);
    host_free(bed.h);
    close(fd);
    close(other);
    ck_assert_int_le(open_fds(), fds_before + 2);
}
END_TEST

/* A host with several addresses, and one socket for both families: each answer comes from where its question went. */
static void on_question(struct unik_net_udp *u, const void *bytes, size_t n, const char *address, unsigned port, void *arg)
{
    char text[UNIK_NET_ADDRESS_MAX];

    ck_assert_int_eq(bed.net->udp_to(bed.net, u, text), 0);
    ck_assert_str_eq(text, arg);
    ck_assert_int_eq(bed.net->send_from(bed.net, u, text, address, port, bytes, n), 0);
}

START_TEST(answers_from_each_address)
{
    static const char *const rows[] = { "127.0.0.1", "127.0.0.2", "127.99.0.7", "::1" };
    char text[UNIK_NET_ADDRESS_MAX];

    begin(NULL);
    for (size_t i = 0; i < 4; i++) {
        union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } to = { 0 }, from;
        bool v6 = strchr(rows[i], ':') != NULL;
        socklen_t len = v6 ? sizeof(to.v6) : sizeof(to.v4), from_len = sizeof(from);
        struct unik_net_udp *u;
        unsigned port = 0;
        char byte;
        int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        ck_assert_int_eq(bed.net->udp(bed.net, NULL, "", &port, on_question, (void *)(uintptr_t)rows[i], &u), 0);
        to.any.sa_family = v6 ? AF_INET6 : AF_INET;
        if (v6)
            to.v6.sin6_addr = in6addr_loopback;
        else
            inet_pton(AF_INET, rows[i], &to.v4.sin_addr);
        to.v4.sin_port = htons((uint16_t)port);         /* where sin6_port is */
        if (fd >= 0 && sendto(fd, "x", 1, 0, &to.any, len) == 1) {     /* not where there is no IPv6 */
            for (int k = 0; k < 4000 && recvfrom(fd, &byte, 1, 0, &from.any, &from_len) != 1; k++)
                host_run(bed.h, 0.005);
            inet_ntop(from.any.sa_family, v6 ? (void *)&from.v6.sin6_addr : (void *)&from.v4.sin_addr, text, sizeof(text));
            ck_assert_str_eq(text, rows[i]);
        }
        close(fd);
        bed.net->unudp(bed.net, u);
    }
    end();
}
END_TEST

START_TEST(refuses_bad_options)
{
    static const char *const dhcp[] = { "ipv4=dhcp", NULL }, *const none[] = { "max-connections=0", NULL },
                      *const name[] = { "address=localhost", NULL };
    struct host *one = host_new(ev_default_loop(0), UNIK_ON_UNIX, fopen("/dev/null", "w"));
    struct unik_ctx *c;

    ck_assert_ptr_null(host_add(one, &unik_plugin_net_sockets, dhcp));
    ck_assert_ptr_null(host_add(one, &unik_plugin_net_sockets, none));
    c = host_add(one, &unik_plugin_net_sockets, name);
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(host_start(c), -EINVAL);
    host_free(one);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net-sockets");
    TCase *t = tcase_create("net-sockets");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, counts);
    tcase_add_test(t, dual_stack_and_names);
    tcase_add_test(t, connects_and_reports_failure);
    tcase_add_test(t, unread_input_stays_with_the_peer);
    tcase_add_test(t, close_does_not_destroy_what_was_written);
    tcase_add_test(t, close_with_a_dead_reader_has_a_deadline);
    tcase_add_test(t, max_connections_waits_in_the_backlog);
    tcase_add_test(t, out_of_descriptors);
    tcase_add_test(t, drain_refuses_and_keeps);
    tcase_add_test(t, stop_sends_the_last_bytes);
    tcase_add_test(t, abandon_frees_everything);
    tcase_add_test(t, answers_from_each_address);
    tcase_add_test(t, refuses_bad_options);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
