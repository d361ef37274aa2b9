/* SPDX-License-Identifier: BSD-2-Clause */
/* Unix and TCP sockets as handlers of calls: what they are sent first, and which ends end the call. */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugins/qrexec/exec-parts.h"
#include "tests/common/fake-call.h"

#define HEAD "s+arg domX"               /* and a NUL */

static struct world w;
static struct fake_call *f;
static int listener = -1, peer = -1;

static int listen_unix(const char *path, int backlog)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_uint_lt(strlen(path), sizeof(a.sun_path));
    strcpy(a.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    return fd;
}

static bool accepted(void *arg)
{
    (void)arg;
    if (peer < 0)
        peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return peer >= 0;
}

/* A call of rpc/s+arg, a Unix socket, up to its acceptance. */
static void open_call(const char *config, size_t queue)
{
    world_open(&w, false, true);
    listener = listen_unix(world_path(&w, "rpc/s+arg"), 5);
    if (config)
        world_file(&w, "config/s", 0644, config);
    f = fake_new(&w, queue);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC s+arg domX", false), 0);
    ck_assert(world_until(&w, accepted, NULL, 300));
}

static void close_all(void)
{
    if (peer >= 0)
        close(peer);
    if (listener >= 0)
        close(listener);
    peer = listener = -1;
    fake_free(f);
    world_close(&w);
}

struct wanted { char bytes[300]; size_t n, got; bool end; };

static bool arrived(void *arg)
{
    struct wanted *x = arg;
    ssize_t k;

    while (x->got < sizeof(x->bytes) && (k = recv(peer, x->bytes + x->got, sizeof(x->bytes) - x->got, 0)) >= 0) {
        x->got += (size_t)k;
        if (k == 0) {
            x->end = true;
            break;
        }
    }
    return x->got >= x->n && (x->end || x->n > 0);
}

/* The service reads exactly these bytes. */
static void expect(const void *bytes, size_t n)
{
    struct wanted x = { .n = n };

    ck_assert(world_until(&w, arrived, &x, 300));
    ck_assert_uint_eq(x.got, n);
    ck_assert_mem_eq(x.bytes, bytes, n);
}

static void expect_end(void)
{
    struct wanted x = { .n = 0 };

    ck_assert(world_until(&w, arrived, &x, 300));
    ck_assert_uint_eq(x.got, 0);
}

static void closes_with(int code, const char *output)
{
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_int_eq(f->code, code);
    ck_assert_str_eq(f->text, output);
}

static bool is_shut(void *arg) { (void)arg; return f->shut; }

START_TEST(both_ways)
{
    open_call(NULL, 4096);
    expect(HEAD, sizeof(HEAD));
    ck_assert(f->err_shut && f->err_shut_first);
    fake_feed(f, "question");
    expect("question", 8);
    fake_end(f);
    expect_end();
    ck_assert(!f->closed);              /* its answer may take its time */
    ck_assert_int_eq(send(peer, "answer", 6, 0), 6);
    close(peer);
    peer = -1;
    closes_with(0, "answer");
    close_all();
}
END_TEST

START_TEST(service_ends_first)
{
    open_call(NULL, 4096);
    expect(HEAD, sizeof(HEAD));
    send(peer, "all", 3, 0);
    shutdown(peer, SHUT_WR);
    ck_assert(world_until(&w, is_shut, NULL, 300));
    host_run(w.h, 0.1);
    ck_assert(!f->closed);
    fake_feed(f, "more");
    expect("more", 4);
    fake_end(f);
    closes_with(0, "all");
    expect_end();
    close_all();
}
END_TEST

START_TEST(service_closes)
{
    open_call(NULL, 4096);
    close(peer);                        /* with our header unread: a reset */
    peer = -1;
    ck_assert(world_until(&w, is_shut, NULL, 300));
    fake_feed_pattern(f, 1000000);      /* dropped */
    fake_end(f);
    closes_with(0, "");
    close_all();
}
END_TEST

START_TEST(skip_descriptor)
{
    open_call("skip-service-descriptor = true\n", 4096);
    fake_feed(f, "x");
    fake_end(f);
    expect("x", 1);
    expect_end();
    close(peer);
    peer = -1;
    closes_with(0, "");
    close_all();
}
END_TEST

START_TEST(exit_on_client_eof)
{
    open_call("exit-on-client-eof = true\n", 4096);
    fake_feed(f, "bye");
    fake_end(f);
    closes_with(0, "");
    expect(HEAD "\0bye", sizeof(HEAD) + 3);
    expect_end();
    close_all();
}
END_TEST

START_TEST(exit_on_service_eof)
{
    open_call("exit-on-service-eof = true\n", 4096);
    send(peer, "done", 4, 0);
    shutdown(peer, SHUT_WR);
    closes_with(0, "done");             /* the caller has not ended */
    close_all();
}
END_TEST

START_TEST(caller_gone)
{
    open_call(NULL, 4096);
    expect(HEAD, sizeof(HEAD));
    fake_break(f, -ECONNRESET);
    ck_assert(world_until(&w, fake_closed, f, 300));
    expect_end();
    close_all();
}
END_TEST

START_TEST(nobody_listens)
{
    world_open(&w, false, true);
    listener = listen_unix(world_path(&w, "rpc/s+arg"), 5);
    close(listener);
    listener = -1;
    f = fake_new(&w, 4096);
    ck_assert_int_eq(fake_run(f, ":QUBESRPC s+arg domX"), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "Connection refused"));
    close_all();
}
END_TEST

/* A service that is slow to accept: the call waits, and can be given up. */
START_TEST(full_backlog)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int filler[8];

    for (int given_up = 0; given_up < 2; given_up++) {
        world_open(&w, false, true);
        listener = listen_unix(world_path(&w, "rpc/s+arg"), 0);
        strcpy(a.sun_path, world_path(&w, "rpc/s+arg"));
        for (size_t i = 0; i < 8; i++) {
            filler[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            ck_assert(connect(filler[i], (struct sockaddr *)&a, sizeof(a)) == 0 || errno == EAGAIN);
        }
        f = fake_new(&w, 4096);
        fake_feed(f, given_up ? "" : "early");
        ck_assert_int_eq(fake_start(f, ":QUBESRPC s+arg domX", false), 0);
        host_run(w.h, 0.25);
        ck_assert(!f->closed);
        if (given_up) {
            fake_break(f, -ECONNRESET);
            ck_assert(world_until(&w, fake_closed, f, 300));
        } else {
            while ((peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
                close(peer);
            ck_assert(world_until(&w, accepted, NULL, 300));
            expect(HEAD "\0early", sizeof(HEAD) + 5);
            shutdown(peer, SHUT_WR);
            fake_end(f);
            closes_with(0, "");
        }
        for (size_t i = 0; i < 8; i++)
            close(filler[i]);
        close_all();
    }
}
END_TEST

START_TEST(long_path)
{
    char name[200], request[300], *cwd = getcwd(NULL, 0);

    memset(name, 'n', 150);
    strcpy(name + 150, "+");
    world_open(&w, false, true);
    ck_assert_int_eq(chdir(world_path(&w, "rpc")), 0);
    listener = listen_unix("s", 5);
    ck_assert_int_eq(chdir(cwd), 0);
    ck_assert_int_eq(rename(world_path(&w, "rpc/s"), strcat(strcpy(request, world_path(&w, "rpc/")), name)), 0);
    f = fake_new(&w, 4096);
    snprintf(request, sizeof(request), ":QUBESRPC %s dom0", name);
    ck_assert_int_eq(fake_start(f, request, false), 0);
    ck_assert(world_until(&w, accepted, NULL, 300));
    close(peer);
    peer = -1;
    fake_end(f);
    closes_with(0, "");
    free(cwd);
    close_all();
}
END_TEST

/* Half of the bytes waits in the socket until the service reads; nothing of it in our memory. */
START_TEST(megabytes)
{
    static char bytes[65536];
    size_t sent = 0, n = 0;
    ssize_t k;

    open_call("skip-service-descriptor = true\n", 4096);
    fake_feed_pattern(f, 5000000);
    host_run(w.h, 0.2);
    ck_assert_uint_lt(f->consumed, 2000000);
    f->pattern = true;
    fake_end(f);
    while (n < 5000000) {               /* the service sends back what it reads */
        while ((k = recv(peer, bytes, sizeof(bytes), 0)) > 0) {
            n += (size_t)k;
            for (ssize_t at = 0; at < k; ) {
                ssize_t j = send(peer, bytes + at, (size_t)(k - at), 0);

                if (j < 0)
                    ev_run(w.ctx->loop, EVRUN_ONCE);
                else
                    at += j, sent += (size_t)j;
            }
        }
        ev_run(w.ctx->loop, EVRUN_ONCE);
    }
    shutdown(peer, SHUT_WR);
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_uint_eq(f->got, 5000000);
    ck_assert_uint_eq(sent, 5000000);
    ck_assert(!f->differs);
    close_all();
}
END_TEST

START_TEST(just_exec)
{
    world_open(&w, false, true);
    listener = listen_unix(world_path(&w, "rpc/s+arg"), 5);
    f = fake_new(&w, 4096);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC s+arg domX", true), 0);
    ck_assert(world_until(&w, accepted, NULL, 300));
    send(peer, "unwanted", 8, 0);
    closes_with(0, "");
    ck_assert(!f->err_shut && !f->shut);
    expect(HEAD, sizeof(HEAD));
    close_all();
}
END_TEST

/* ---- TCP ---- */

/* A listener on loopback; its port. */
static int listen_tcp(int family)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct sockaddr *a = family == AF_INET ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    socklen_t len = family == AF_INET ? sizeof(four) : sizeof(six);

    listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, a, len) < 0)
        return -1;
    ck_assert_int_eq(listen(listener, 5), 0);
    ck_assert_int_eq(getsockname(listener, a, &len), 0);
    return ntohs(family == AF_INET ? four.sin_port : six.sin6_port);
}

/* The port stands at the end of the link if that ends in "/", else of the request. */
static void tcp(int family, const char *link, const char *service)
{
    bool in_link = link[strlen(link) - 1] == '/';
    char target[100], request[220], expected[200];
    int port;

    world_open(&w, false, true);
    port = listen_tcp(family);
    f = fake_new(&w, 4096);
    if (port < 0) {                     /* no IPv6 on this machine */
        close_all();
        return;
    }
    snprintf(target, sizeof(target), "%s%.0d", link, in_link ? port : 0);
    world_link(&w, "rpc/s", target);
    snprintf(expected, sizeof(expected), "%s%.0d dom7", service, in_link ? 0 : port);
    snprintf(request, sizeof(request), ":QUBESRPC %s", expected);
    ck_assert_int_eq(fake_start(f, request, false), 0);
    ck_assert(world_until(&w, accepted, NULL, 300));
    expect(expected, strlen(expected) + 1);
    fake_feed(f, "in");
    fake_end(f);
    expect("in", 2);
    expect_end();
    send(peer, "out", 3, 0);
    close(peer);
    peer = -1;
    closes_with(0, "out");
    close_all();
}

START_TEST(tcp_services)
{
    tcp(AF_INET, "/dev/tcp/127.0.0.1/", "s");
    tcp(AF_INET, "/dev/tcp/127.0.0.1", "s+");
    tcp(AF_INET, "/dev/tcp", "s+127.0.0.1+");
    tcp(AF_INET6, "/dev/tcp", "s+++1+");
    tcp(AF_INET6, "/dev/tcp/::1", "s+");
    tcp(AF_INET6, "/dev/tcp/::1/", "s");
}
END_TEST

START_TEST(tcp_refused)
{
    char request[100];

    world_open(&w, false, true);
    world_link(&w, "rpc/s", "/dev/tcp/127.0.0.1");
    snprintf(request, sizeof(request), ":QUBESRPC s+%d domX", listen_tcp(AF_INET));
    close(listener);
    listener = -1;
    f = fake_new(&w, 4096);
    fake_feed(f, "x");
    ck_assert_int_eq(fake_run(f, request), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "Connection refused"));
    close_all();
}
END_TEST

/* A TCP connection at rpc/s+PORT, with its header read. */
static void open_tcp(void)
{
    char request[100];

    world_open(&w, false, true);
    world_link(&w, "rpc/s", "/dev/tcp/127.0.0.1");
    world_file(&w, "config/s", 0644, "skip-service-descriptor = true\n");
    snprintf(request, sizeof(request), ":QUBESRPC s+%d domX", listen_tcp(AF_INET));
    f = fake_new(&w, 4096);
    fake_feed(f, "ask");
    ck_assert_int_eq(fake_start(f, request, false), 0);
    ck_assert(world_until(&w, accepted, NULL, 300));
    expect("ask", 3);
}

/* A service that breaks is not one that ended: found by reading, or by writing. What it said before comes. */
START_TEST(tcp_reset)
{
    struct linger hard = { 1, 0 };

    open_tcp();
    send(peer, "half", 4, 0);
    while (f->got < 4)
        host_run(w.h, 0.001);
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(peer);
    peer = -1;
    if (_i)
        fake_feed_pattern(f, 1000000);
    closes_with(0, "half");
    ck_assert(f->aborted && !f->shut);
    close_all();
}
END_TEST

/* In order both ways: no abort, though the caller's input comes after its output has ended. */
START_TEST(tcp_in_order)
{
    open_tcp();
    send(peer, "all", 3, 0);
    shutdown(peer, SHUT_WR);
    ck_assert(world_until(&w, is_shut, NULL, 300));
    fake_end(f);
    closes_with(0, "all");
    ck_assert(!f->aborted);
    expect_end();
    close_all();
}
END_TEST

/* *arg: the error of reading, which is told once; 0 for an end in order, EAGAIN before that. */
static bool peer_ended(void *arg)
{
    int *error = arg;
    char c;

    if (*error == EAGAIN)
        *error = recv(peer, &c, 1, 0) < 0 ? errno : 0;
    return *error != EAGAIN;
}

/* A caller that breaks, before and after the service's end: a reset, and no end in order before it. */
START_TEST(tcp_caller_gone)
{
    int error = EAGAIN;

    open_tcp();
    if (_i) {
        shutdown(peer, SHUT_WR);
        ck_assert(world_until(&w, is_shut, NULL, 300));
    }
    fake_break(f, -ECONNRESET);
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert(world_until(&w, peer_ended, &error, 300));
    ck_assert_int_eq(error, ECONNRESET);
    close_all();
}
END_TEST

START_TEST(agent_stops)
{
    open_call(NULL, 4096);
    qrexec_exec_free(w.x);
    w.x = NULL;
    ck_assert(f->closed);
    ck_assert_int_eq(f->code, 125);
    close_all();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("qrexec-exec-socket");
    TCase *t = tcase_create("sockets");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, both_ways);
    tcase_add_test(t, service_ends_first);
    tcase_add_test(t, service_closes);
    tcase_add_test(t, skip_descriptor);
    tcase_add_test(t, exit_on_client_eof);
    tcase_add_test(t, exit_on_service_eof);
    tcase_add_test(t, caller_gone);
    tcase_add_test(t, nobody_listens);
    tcase_add_test(t, full_backlog);
    tcase_add_test(t, long_path);
    tcase_add_test(t, megabytes);
    tcase_add_test(t, just_exec);
    tcase_add_test(t, tcp_services);
    tcase_add_test(t, tcp_refused);
    tcase_add_loop_test(t, tcp_reset, 0, 2);
    tcase_add_test(t, tcp_in_order);
    tcase_add_loop_test(t, tcp_caller_gone, 0, 2);
    tcase_add_test(t, agent_stops);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
