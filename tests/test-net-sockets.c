/* net-sockets on the loopback: what tests/net1 does not see: options, limits, counters, descriptors, life. Every test ends
 * with all connections gone and no descriptor left. */
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <unik/net.h>

#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_net_sockets;

#define LONG 10.0

static struct host *h;
static struct unik_ctx *ctx;
static struct unik_net *net;
static unsigned fds_before;
static char last_warning[300];

/* One end under test: counts its events. */
struct end {
    struct unik_stream *s;
    unsigned opens, inputs, rooms;
    bool flag;                          /* set by any event: what a test waits for */
    bool close_at_once;
};

static struct end accepted[64];
static unsigned n_accepted;
static bool accepted_flag;

static unsigned open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    ck_assert_ptr_nonnull(d);

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void on_log(struct unik_ctx *c, enum unik_level level, const char *line, void *arg)
{
    (void)c, (void)arg;
    if (level == UNIK_WARNING)
        snprintf(last_warning, sizeof(last_warning), "%s", line);
}

static void on_event(struct unik_stream *s, unsigned events, void *arg)
{
    struct end *e = arg;

    ck_assert_ptr_eq(s, e->s);
    e->opens += (events & UNIK_STREAM_OPEN) != 0;
    e->inputs += (events & UNIK_STREAM_INPUT) != 0;
    e->rooms += (events & UNIK_STREAM_ROOM) != 0;
    e->flag = true;
    if (e->close_at_once) {
        unik_stream_close(s);
        e->s = NULL;
    }
}

static void on_accept(struct unik_stream *s, void *arg)
{
    struct end *e = &accepted[n_accepted++ % 64];

    memset(e, 0, sizeof(*e));
    e->s = s;
    e->close_at_once = arg != NULL;
    unik_stream_on(s, on_event, e);
    accepted_flag = true;
}

static void begin(const char *const *options)
{
    fds_before = open_fds();
    h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    host_on_log(h, on_log, NULL);
    ctx = host_add(h, &unik_plugin_net_sockets, options);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(host_start(ctx), 0);
    ck_assert_int_eq(host_state(ctx), HOST_READY);
    net = host_interface(h, "net/1");
    ck_assert_ptr_nonnull(net);
    n_accepted = 0;
    accepted_flag = false;
    last_warning[0] = 0;
}

static void end(void)
{
    host_stop_wait(ctx, LONG);
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(ctx, "connections"), 0);
    host_free(h);
    ck_assert_uint_le(open_fds(), fds_before + 2);      /* libev's own, made by its first use */
}

static struct unik_net_listener *listen_on(const char *address, unsigned *port, void *arg)
{
    struct unik_net_listener *l = NULL;

    *port = 0;
    ck_assert_int_eq(net->listen(net, address, port, 64, on_accept, arg, &l), 0);
    ck_assert_uint_gt(*port, 0);
    return l;
}

static int plain(const char *address, unsigned port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, address, &a.sin_addr);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static struct end *accept_next(void)
{
    unsigned was = n_accepted;

    accepted_flag = false;
    ck_assert(host_run_until(h, &accepted_flag, LONG));
    ck_assert_uint_eq(n_accepted, was + 1);
    return &accepted[was % 64];
}

static void wait_flag(struct end *e)
{
    ck_assert(host_run_until(h, &e->flag, LONG));
    e->flag = false;
}

/* Run the loop until the gauge has that value. */
static void wait_connections(uint64_t n)
{
    for (int i = 0; i < 1000 && host_counter(ctx, "connections") != n; i++)
        host_run(h, 0.01);
    ck_assert_uint_eq(host_counter(ctx, "connections"), n);
}

/* Read from a plain socket until n bytes, its end (0) or an error (-errno) came; the loop runs in between. */
static ssize_t plain_read(int fd, void *buf, size_t n)
{
    size_t done = 0;

    for (int i = 0; i < 2000 && done < n; i++) {
        ssize_t k = read(fd, (char *)buf + done, n - done);

        if (k == 0 || (k < 0 && errno != EAGAIN))
            return done ? (ssize_t)done : k < 0 ? -errno : 0;
        done += k > 0 ? (size_t)k : 0;
        if (k < 0)
            host_run(h, 0.005);
    }
    return (ssize_t)done;
}

static void pattern(uint8_t *to, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)((from + i) * 7 >> 3);
}

START_TEST(echo_and_orderly_end)
{
    char buf[64];
    unsigned port;
    struct unik_net_listener *l;
    struct end *e;
    int fd;

    begin(NULL);
    l = listen_on("127.0.0.1", &port, NULL);
    fd = plain("127.0.0.1", port);
    e = accept_next();
    ck_assert_int_eq(strncmp(e->s->peer, "127.0.0.1:", 10), 0);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), -EAGAIN);
    ck_assert_int_eq(write(fd, "hello", 5), 5);
    wait_flag(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), 5);
    ck_assert_int_eq(memcmp(buf, "hello", 5), 0);
    ck_assert_int_eq(unik_stream_write(e->s, "welcome", 7), 7);
    ck_assert_int_eq(plain_read(fd, buf, 7), 7);
    ck_assert_int_eq(memcmp(buf, "welcome", 7), 0);
    /* The peer ends its side; ours still writes. */
    shutdown(fd, SHUT_WR);
    wait_flag(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), 0);
    ck_assert_int_eq(unik_stream_ended(e->s), 1);
    ck_assert_int_eq(unik_stream_write(e->s, "more", 4), 4);
    ck_assert_int_eq(plain_read(fd, buf, 4), 4);
    unik_stream_close(e->s);
    ck_assert_int_eq(plain_read(fd, buf, 1), 0);
    close(fd);
    wait_connections(0);
    ck_assert_uint_eq(host_counter(ctx, "accepted"), 1);
    ck_assert_uint_eq(host_counter(ctx, "bytes_in"), 5);
    ck_assert_uint_eq(host_counter(ctx, "bytes_out"), 11);
    net->unlisten(net, l);
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
    l = listen_on("", &port, NULL);
    fd = plain("127.0.0.1", port);
    e = accept_next();
    ck_assert_int_eq(strncmp(e->s->peer, "127.0.0.1:", 10), 0);
    unik_stream_close(e->s);
    close(fd);
    if (net->connect(net, "::1", port, on_event, &client, &client.s) == 0) {
        wait_flag(&client);
        if (client.opens) {             /* a machine without IPv6 refuses, which is told too */
            while (n_accepted < 2)
                accept_next();
            ck_assert_int_eq(strncmp(accepted[1].s->peer, "[::1]:", 6), 0);
            unik_stream_close(accepted[1].s);
        }
        unik_stream_close(client.s);
    }
    again = port;
    ck_assert_int_eq(net->listen(net, "127.0.0.1", &again, 5, on_accept, NULL, &second), -EADDRINUSE);
    again = 0;
    ck_assert_int_eq(net->listen(net, "nowhere", &again, 5, on_accept, NULL, &second), -EINVAL);
    again = 65536;
    ck_assert_int_eq(net->listen(net, "", &again, 5, on_accept, NULL, &second), -EINVAL);
    again = 0;
    ck_assert_int_lt(net->listen(net, "192.0.2.1", &again, 5, on_accept, NULL, &second), 0);
    ck_assert_int_eq(net->address(net, 0, text), 0);
    ck_assert_uint_gt(strlen(text), 0);
    ck_assert_int_eq(net->address(net, 1000, text), -ENOENT);
    net->unlisten(net, l);
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
    l = listen_on("127.0.0.1", &port, NULL);
    ck_assert_int_eq(net->connect(net, "127.0.0.1", port, on_event, &c, &c.s), 0);
    ck_assert_uint_eq(c.opens, 0);      /* never from inside the call */
    ck_assert_int_eq(unik_stream_write(c.s, "early", 5), 5);
    e = accept_next();
    wait_flag(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), 5);
    ck_assert_uint_eq(c.opens, 1);
    unik_stream_close(c.s);
    unik_stream_close(e->s);
    /* Written while connecting, then closed at once: still delivered. */
    ck_assert_int_eq(net->connect(net, "127.0.0.1", port, on_event, &c, &c.s), 0);
    ck_assert_int_eq(unik_stream_write(c.s, "bye", 3), 3);
    unik_stream_close(c.s);
    e = accept_next();
    wait_flag(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), 3);
    unik_stream_close(e->s);
    net->unlisten(net, l);

    memset(&c, 0, sizeof(c));
    ck_assert_int_eq(net->connect(net, "127.0.0.1", port, on_event, &c, &c.s), 0);
    wait_flag(&c);
    ck_assert_uint_eq(c.opens, 0);
    ck_assert_int_eq(unik_stream_ended(c.s), -ECONNREFUSED);
    ck_assert_int_eq(unik_stream_write(c.s, "x", 1), -EPIPE);
    unik_stream_close(c.s);
    ck_assert_uint_eq(host_counter(ctx, "connect_failed"), 1);
    ck_assert_int_eq(net->connect(net, "example.org", 80, on_event, &c, &c.s), -EINVAL);
    ck_assert_int_eq(net->connect(net, "127.0.0.1", 0, on_event, &c, &c.s), -EINVAL);
    ck_assert_int_eq(net->connect(net, "127.0.0.1", 70000, on_event, &c, &c.s), -EINVAL);
    wait_connections(0);
    end();
}
END_TEST

/* More than the system and our buffer hold: write() is short, ROOM comes, all arrives in order. */
START_TEST(slow_peer_holds_up_the_writer_only)
{
    enum { TOTAL = 8 << 20 };
    static const char *const options[] = { "output-buffer=4K", "input-buffer=4K", NULL };
    static uint8_t out[65536], in[65536];
    size_t written = 0, got = 0;
    unsigned port;
    struct end *e;
    bool full = false;
    int fd;

    begin(options);
    listen_on("127.0.0.1", &port, NULL);
    fd = plain("127.0.0.1", port);
    e = accept_next();
    for (int i = 0; i < 20000 && got < TOTAL; i++) {
        ssize_t k;

        while (written < TOTAL) {
            size_t n = TOTAL - written < sizeof(out) ? TOTAL - written : sizeof(out), room = unik_stream_room(e->s);

            pattern(out, written, n);
            k = unik_stream_write(e->s, out, n);
            ck_assert_int_ge(k, 0);
            ck_assert_uint_ge((size_t)k, room < n ? room : n);
            written += (size_t)k;
            if ((size_t)k < n)
                break;
        }
        if (written < TOTAL && !full) {         /* nothing moves while the peer does not read */
            full = true;
            host_run(h, 0.05);
            ck_assert_uint_eq(e->rooms, 0);
        }
        while ((k = read(fd, in, sizeof(in))) > 0) {
            pattern(out, got, (size_t)k);
            ck_assert_int_eq(memcmp(in, out, (size_t)k), 0);
            got += (size_t)k;
        }
        host_run(h, 0.001);
    }
    ck_assert_uint_gt(e->rooms, 0);
    ck_assert(full);
    ck_assert_uint_eq(got, TOTAL);
    unik_stream_close(e->s);
    close(fd);
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
    listen_on("127.0.0.1", &port, NULL);
    fd = plain("127.0.0.1", port);
    e = accept_next();
    for (;;) {
        ssize_t k = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);

        if (k < 0) {
            host_run(h, 0.05);
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
            wait_flag(e);
            continue;
        }
        unik_stream_consume(e->s, n);
        got += n;
    }
    while (unik_stream_ended(e->s) == 0)
        wait_flag(e);
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
    listen_on("127.0.0.1", &port, NULL);
    fd = plain("127.0.0.1", port);
    e = accept_next();
    ck_assert_int_gt(write(fd, big, sizeof(big)), 0);
    wait_flag(e);
    memset(in, 'a', sizeof(in));
    n = (size_t)unik_stream_write(e->s, in, 30000);
    ck_assert_uint_eq(n, 30000);
    unik_stream_close(e->s);
    host_run(h, 0.02);
    ck_assert_int_gt(send(fd, "more", 4, MSG_NOSIGNAL), 0);
    host_run(h, 0.02);
    ck_assert_int_eq(plain_read(fd, big, n), (ssize_t)n);
    ck_assert_int_eq(memcmp(big, in, n), 0);
    ck_assert_int_eq(plain_read(fd, big, 1), 0);
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
    listen_on("127.0.0.1", &port, NULL);
    fd = plain("127.0.0.1", port);
    e = accept_next();
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
    fd = plain("127.0.0.1", port);
    e = accept_next();
    unik_stream_write(e->s, "x", 1);
    unik_stream_close(e->s);
    wait_connections(0);
    ck_assert_int_eq(plain_read(fd, in, 1), 1);
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
    listen_on("127.0.0.1", &port, NULL);
    for (int i = 0; i < 8; i++)
        fd[i] = plain("127.0.0.1", port);
    host_run(h, 0.1);
    ck_assert_uint_eq(n_accepted, 4);
    ck_assert_ptr_nonnull(strstr(last_warning, "max-connections"));
    for (unsigned i = 0; i < 8; i++) {
        while (n_accepted <= i)
            host_run(h, 0.01);
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
    listen_on("127.0.0.1", &port, NULL);
    fd[0] = plain("127.0.0.1", port);
    accept_next();
    getrlimit(RLIMIT_NOFILE, &was);
    tight = was;
    tight.rlim_cur = 100;
    setrlimit(RLIMIT_NOFILE, &tight);
    fd[1] = plain("127.0.0.1", port);
    while (n < 1024 && (hog[n] = open("/dev/null", O_RDONLY)) >= 0)
        n++;
    for (int i = 0; i < 200 && host_counter(ctx, "refused") == 0; i++)
        host_run(h, 0.01);
    ck_assert_uint_eq(host_counter(ctx, "refused"), 1);
    ck_assert_ptr_nonnull(strstr(last_warning, strerror(EMFILE)));
    ck_assert_int_le(plain_read(fd[1], &c, 1), 0);
    while (n)
        close(hog[--n]);
    setrlimit(RLIMIT_NOFILE, &was);
    fd[2] = plain("127.0.0.1", port);   /* after the pause it works again */
    accept_next();
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
    l = listen_on("127.0.0.1", &port, NULL);
    fd = plain("127.0.0.1", port);
    e = accept_next();
    host_drain(ctx);
    ck_assert(host_is_drained(ctx));
    a.sin_port = htons((uint16_t)port);
    late = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(late, (struct sockaddr *)&a, sizeof(a)), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    close(late);
    ck_assert_int_eq(net->listen(net, "", &again, 5, on_accept, NULL, &second), -ESHUTDOWN);
    ck_assert_int_eq(unik_stream_write(e->s, "x", 1), 1);
    ck_assert_int_eq(plain_read(fd, &c, 1), 1);
    unik_stream_close(e->s);
    net->unlisten(net, l);
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
    listen_on("127.0.0.1", &port, NULL);
    fd = plain("127.0.0.1", port);
    e = accept_next();
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
        ssize_t k = plain_read(fd, big, sizeof(big));

        ck_assert_int_gt(k, 0);
        got += (size_t)k;
    }
    close(fd);
    ck_assert(host_wait(ctx, HOST_STOPPED, LONG));
    host_free(h);
    ck_assert_uint_le(open_fds(), fds_before + 2);
}
END_TEST

START_TEST(abandon_frees_everything)
{
    static char big[1 << 20];
    unsigned port;
    struct end *e;
    int fd, other;

    begin(NULL);
    listen_on("127.0.0.1", &port, NULL);
    fd = plain("127.0.0.1", port);
    e = accept_next();
    while (unik_stream_write(e->s, big, sizeof(big)) == sizeof(big))
        ;
    unik_stream_close(e->s);
    other = plain("127.0.0.1", port);
    accept_next();                      /* and one that nobody closes */
    host_stop_wait(ctx, 0.05);
    ck_assert_ptr_nonnull(strstr(last_warning, "nobody had closed"));
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(ctx, "connections"), 0);
    host_free(h);
    close(fd);
    close(other);
    ck_assert_uint_le(open_fds(), fds_before + 2);
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

/* One thousand connections come, say something and go. */
START_TEST(many_connections)
{
    unsigned port;
    char c;

    begin(NULL);
    listen_on("127.0.0.1", &port, NULL);
    for (int i = 0; i < 1000; i++) {
        int fd = plain("127.0.0.1", port);
        struct end *e = accept_next();

        ck_assert_int_eq(unik_stream_write(e->s, "x", 1), 1);
        ck_assert_int_eq(plain_read(fd, &c, 1), 1);
        if (i % 3 == 0)
            unik_stream_close(e->s);
        close(fd);
        if (i % 3)
            unik_stream_close(e->s);
    }
    wait_connections(0);
    ck_assert_uint_eq(host_counter(ctx, "accepted"), 1000);
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net-sockets");
    TCase *t = tcase_create("net-sockets");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, echo_and_orderly_end);
    tcase_add_test(t, dual_stack_and_names);
    tcase_add_test(t, connects_and_reports_failure);
    tcase_add_test(t, slow_peer_holds_up_the_writer_only);
    tcase_add_test(t, unread_input_stays_with_the_peer);
    tcase_add_test(t, close_does_not_destroy_what_was_written);
    tcase_add_test(t, close_with_a_dead_reader_has_a_deadline);
    tcase_add_test(t, max_connections_waits_in_the_backlog);
    tcase_add_test(t, out_of_descriptors);
    tcase_add_test(t, drain_refuses_and_keeps);
    tcase_add_test(t, stop_sends_the_last_bytes);
    tcase_add_test(t, abandon_frees_everything);
    tcase_add_test(t, refuses_bad_options);
    tcase_add_test(t, many_connections);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
