/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/net1/tcp.c - connections: every promise of unik/net.h and unik/stream.h about them. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net1/bed.h"

static struct unik_net_listener *listener;

/* One connection: the provider's end, and the far end's socket. */
static struct end *begin_connected(int *fd)
{
    unsigned port;

    bed_begin();
    listener = bed_listen(&port, NULL);
    *fd = far_connect(port);
    return bed_accept();
}

static void end_connected(int fd)
{
    close(fd);
    bed.net->unlisten(bed.net, listener);
    bed_end();
}

START_TEST(echo_and_orderly_end)
{
    char buf[64], begins[UNIK_NET_ADDRESS_MAX];
    struct end *e;
    int fd;

    e = begin_connected(&fd);
    snprintf(begins, sizeof(begins), "%s:", bed.far);
    ck_assert_int_eq(strncmp(e->s->peer, begins, strlen(begins)), 0);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), -EAGAIN);
    far_write(fd, "hello", 5);
    end_input(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), 5);
    ck_assert_int_eq(memcmp(buf, "hello", 5), 0);
    ck_assert_int_eq(unik_stream_write(e->s, "welcome", 7), 7);
    ck_assert_int_eq(far_read(fd, buf, 7), 7);
    ck_assert_int_eq(memcmp(buf, "welcome", 7), 0);
    /* The peer ends its side; ours still writes. */
    shutdown(fd, SHUT_WR);
    end_input(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), 0);
    ck_assert_int_eq(unik_stream_ended(e->s), 1);
    ck_assert_int_eq(unik_stream_write(e->s, "more", 4), 4);
    ck_assert_int_eq(far_read(fd, buf, 4), 4);
    unik_stream_close(e->s);
    ck_assert_int_eq(far_read(fd, buf, 1), 0);
    end_connected(fd);
}
END_TEST

START_TEST(shut_sends_the_end_and_keeps_reading)
{
    char buf[64];
    struct end *e;
    int fd;

    e = begin_connected(&fd);
    ck_assert_int_eq(unik_stream_write(e->s, "last", 4), 4);
    ck_assert_int_eq(unik_stream_shut(e->s), 0);
    ck_assert_int_eq(unik_stream_shut(e->s), 0);
    ck_assert_int_eq(unik_stream_write(e->s, "x", 1), -EPIPE);
    ck_assert_uint_eq(unik_stream_room(e->s), 0);
    ck_assert_int_eq(far_read(fd, buf, sizeof(buf)), 4);
    ck_assert_int_eq(far_read(fd, buf, sizeof(buf)), 0);
    far_write(fd, "still", 5);
    end_input(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), 5);
    unik_stream_close(e->s);
    end_connected(fd);
}
END_TEST

START_TEST(connects)
{
    char buf[16];
    unsigned port = 0;
    struct end c = { 0 };
    int l, fd;

    bed_begin();
    l = far_listen(SOCK_STREAM, &port);
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, port, end_event, &c, &c.s), 0);
    ck_assert_uint_eq(c.opens, 0);      /* never from inside the call */
    fd = far_accept(l);
    while (!c.opens)
        end_wait(&c);
    ck_assert_int_eq(unik_stream_write(c.s, "hello", 5), 5);
    ck_assert_int_eq(far_read(fd, buf, 5), 5);
    far_write(fd, "back", 4);
    end_input(&c);
    ck_assert_int_eq(unik_stream_read(c.s, buf, sizeof(buf)), 4);
    ck_assert_uint_eq(c.opens, 1);
    unik_stream_close(c.s);
    ck_assert_int_eq(far_read(fd, buf, 1), 0);
    close(fd);
    /* Given up before it is open. */
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, port, end_event, &c, &c.s), 0);
    unik_stream_close(c.s);
    host_run(bed.h, 0.02);
    close(l);
    bed_end();
}
END_TEST

START_TEST(tells_why_not)
{
    struct end c = { 0 };
    unsigned port = 0;
    int l;

    bed_begin();
    l = far_listen(SOCK_STREAM, &port);
    close(l);                           /* nobody is there now */
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, port, end_event, &c, &c.s), 0);
    end_input(&c);
    ck_assert_uint_eq(c.opens, 0);
    ck_assert_int_eq(unik_stream_ended(c.s), -ECONNREFUSED);
    ck_assert_int_eq(unik_stream_write(c.s, "x", 1), -EPIPE);
    unik_stream_close(c.s);
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, "example.org", 80, end_event, &c, &c.s), -EINVAL);
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, 0, end_event, &c, &c.s), -EINVAL);
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, 70000, end_event, &c, &c.s), -EINVAL);
    bed_end();
}
END_TEST

START_TEST(refuses_to_listen)
{
    struct unik_net_listener *l, *second;
    unsigned port, again;

    bed_begin();
    l = bed_listen(&port, NULL);
    again = port;
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "", &again, 5, NULL, NULL, &second), -EINVAL);
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "", &again, 5, bed_on_accept, NULL, &second), -EADDRINUSE);
    again = 65536;
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "", &again, 5, bed_on_accept, NULL, &second), -EINVAL);
    again = 0;
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "nowhere", &again, 5, bed_on_accept, NULL, &second), -EINVAL);
    bed.net->unlisten(bed.net, l);
    again = port;                       /* free again */
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "", &again, 5, bed_on_accept, NULL, &l), 0);
    ck_assert_uint_eq(again, port);
    bed.net->unlisten(bed.net, l);
    bed_end();
}
END_TEST

/* More than the provider and the network hold: write() is short, ROOM comes, all arrives in order. */
START_TEST(slow_peer_holds_up_the_writer_only)
{
    enum { TOTAL = 16 << 20 };
    static uint8_t out[65536], in[65536];
    size_t written = 0, got = 0;
    struct end *e;
    bool full = false;
    int fd;

    e = begin_connected(&fd);
    for (int i = 0; i < 40000 && got < TOTAL; i++) {
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
        if (!full) {                    /* until nothing more is taken: then nothing moves while the peer does not read */
            host_run(bed.h, 0.2);
            if (unik_stream_room(e->s) == 0) {
                unsigned rooms = e->rooms;

                full = true;
                host_run(bed.h, 0.1);
                ck_assert_uint_eq(e->rooms, rooms);
            }
            continue;
        }
        while ((k = recv(fd, in, sizeof(in), 0)) > 0) {
            pattern(out, got, (size_t)k);
            ck_assert_int_eq(memcmp(in, out, (size_t)k), 0);
            got += (size_t)k;
        }
        host_run(bed.h, 0.001);
    }
    ck_assert_uint_gt(e->rooms, 0);
    ck_assert(full);
    ck_assert_uint_eq(got, TOTAL);
    unik_stream_close(e->s);
    end_connected(fd);
}
END_TEST

/* A reader that takes nothing: the peer is held up, nothing is lost, and the end comes after the last byte. */
START_TEST(unread_input_stays_with_the_peer)
{
    enum { MOST = 64 << 20 };
    static uint8_t chunk[65536], seen[65536];
    size_t sent = 0, got = 0;
    const void *p;
    struct end *e;
    int fd;

    e = begin_connected(&fd);
    for (;;) {
        ssize_t k;

        pattern(chunk, sent, sizeof(chunk));
        k = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);
        if (k < 0) {
            host_run(bed.h, 0.2);
            k = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);
            if (k < 0)
                break;
        }
        sent += (size_t)k;
        ck_assert_uint_lt(sent, MOST);
    }
    shutdown(fd, SHUT_WR);
    while (got < sent) {
        size_t n = unik_stream_peek(e->s, &p);

        if (n == 0) {
            ck_assert_int_eq(unik_stream_ended(e->s), 0);
            end_input(e);
            continue;
        }
        n = n < sizeof(seen) ? n : sizeof(seen);
        pattern(seen, got, n);
        ck_assert_int_eq(memcmp(p, seen, n), 0);
        unik_stream_consume(e->s, n);
        got += n;
    }
    end_input(e);
    ck_assert_int_eq(unik_stream_ended(e->s), 1);
    unik_stream_close(e->s);
    end_connected(fd);
}
END_TEST

/* The peer sends on while we answer and close: it must still get the whole answer. */
START_TEST(close_does_not_destroy_what_was_written)
{
    static char big[30000], in[30000];
    struct end *e;
    size_t n = 0;
    int fd;

    e = begin_connected(&fd);
    far_write(fd, big, sizeof(big));
    end_input(e);
    memset(in, 'a', sizeof(in));
    while (n < sizeof(in)) {
        ssize_t k = unik_stream_write(e->s, in + n, sizeof(in) - n);

        ck_assert_int_ge(k, 0);
        n += (size_t)k;
        if (k == 0)
            end_wait(e);
    }
    unik_stream_close(e->s);
    host_run(bed.h, 0.02);
    ck_assert_int_gt(send(fd, "more", 4, MSG_NOSIGNAL), 0);
    host_run(bed.h, 0.02);
    ck_assert_int_eq(far_read(fd, big, n), (ssize_t)n);
    ck_assert_int_eq(memcmp(big, in, n), 0);
    ck_assert_int_le(far_read(fd, big, 1), 0);
    end_connected(fd);
}
END_TEST

START_TEST(reset_by_the_peer_is_an_error)
{
    struct linger hard = { 1, 0 };
    char buf[16];
    unsigned port;
    struct unik_net_listener *l;
    struct end *e;
    int fd;

    bed_begin();
    l = bed_listen(&port, NULL);
    fd = far_connect(port);
    e = bed_accept();
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(fd);
    end_input(e);
    ck_assert_int_eq(unik_stream_read(e->s, buf, sizeof(buf)), -ECONNRESET);
    ck_assert_int_eq(unik_stream_write(e->s, buf, 1), -EPIPE);
    unik_stream_close(e->s);
    /* Found after a write, told from the loop. */
    fd = far_connect(port);
    e = bed_accept();
    close(fd);
    end_input(e);
    ck_assert_int_eq(unik_stream_ended(e->s), 1);
    for (int i = 0; i < 2000 && unik_stream_ended(e->s) == 1; i++) {
        unik_stream_write(e->s, "x", 1);
        host_run(bed.h, 0.005);
    }
    ck_assert_int_lt(unik_stream_ended(e->s), 0);
    ck_assert_int_eq(unik_stream_write(e->s, "x", 1), -EPIPE);
    unik_stream_close(e->s);
    bed.net->unlisten(bed.net, l);
    bed_end();
}
END_TEST

/* ... and one of ours is one for the peer: after all was delivered, with bytes under way, with the peer's end seen and ours said. */
START_TEST(abort_is_a_reset)
{
    static char bytes[65536];
    struct end *e;
    ssize_t k;
    int fd;

    e = begin_connected(&fd);
    if (_i == 0) {
        ck_assert_int_eq(unik_stream_write(e->s, "part", 4), 4);
        ck_assert_int_eq(far_read(fd, bytes, 4), 4);
    } else if (_i == 1) {
        while (unik_stream_write(e->s, bytes, sizeof(bytes)) > 0)
            host_run(bed.h, 0.02);
    } else if (_i == 2) {
        far_write(fd, "unread", 6);
        end_input(e);
        ck_assert_int_eq(unik_stream_shut(e->s), 0);
        ck_assert_int_eq(far_read(fd, bytes, 1), 0);
    } else if (_i == 3) {
        shutdown(fd, SHUT_WR);
        end_input(e);
    }
    unik_stream_abort(e->s);
    if (_i == 2) {                      /* that its side ended in order is said already; that this is over it learns by writing */
        for (int i = 0; i < 2000 && (k = send(fd, "x", 1, MSG_NOSIGNAL)) == 1; i++)
            host_run(bed.h, 0.005);
        ck_assert_int_lt(k, 0);
    } else {
        for (int i = 0; i < 8000 && ((k = recv(fd, bytes, sizeof(bytes), 0)) > 0 || (k < 0 && errno == EAGAIN)); i++)
            host_run(bed.h, k < 0 ? 0.005 : 0);
        ck_assert(k < 0 && errno == ECONNRESET);
    }
    end_connected(fd);
}
END_TEST

/* In a callback, at its first event; and before it is open. */
START_TEST(abort_anywhere)
{
    struct end c = { 0 };
    unsigned port = 0;
    char buf[4];
    int l, fd;

    bed_begin();
    l = far_listen(SOCK_STREAM, &port);
    c.abort_at_once = true;
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, port, end_event, &c, &c.s), 0);
    fd = far_accept(l);
    ck_assert_int_eq(far_read(fd, buf, 1), -ECONNRESET);
    ck_assert(!c.s && c.opens == 1);
    close(fd);
    c.abort_at_once = false;
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, port, end_event, &c, &c.s), 0);
    unik_stream_write(c.s, "early", 5);
    unik_stream_abort(c.s);
    host_run(bed.h, 0.02);
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, port, end_event, &c, &c.s), 0);
    host_run(bed.h, 0.02);
    unik_stream_abort(c.s);
    close(l);
    /* Nobody is there: the error is known, or not yet. */
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, port, end_event, &c, &c.s), 0);
    unik_stream_abort(c.s);
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, port, end_event, &c, &c.s), 0);
    end_input(&c);
    unik_stream_abort(c.s);
    bed_end();
}
END_TEST

START_TEST(close_inside_callbacks)
{
    unsigned port;
    struct unik_net_listener *l;
    char c;
    int fd[20];

    bed_begin();
    l = bed_listen(&port, &port);
    for (int i = 0; i < 20; i++) {
        fd[i] = far_connect(port);
        far_write(fd[i], "x", 1);
    }
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(far_read(fd[i], &c, 1), 0);
        close(fd[i]);
    }
    ck_assert_uint_eq(n_accepted, 20);
    bed.net->unlisten(bed.net, l);
    bed_end();
}
END_TEST

/* Hundreds come, say something and go, ended by either side. */
START_TEST(many_connections)
{
    unsigned port;
    struct unik_net_listener *l;
    char c;

    bed_begin();
    l = bed_listen(&port, NULL);
    for (int i = 0; i < 300; i++) {
        int fd = far_connect(port);
        struct end *e = bed_accept();

        ck_assert_int_eq(unik_stream_write(e->s, "x", 1), 1);
        ck_assert_int_eq(far_read(fd, &c, 1), 1);
        if (i % 3 == 0)
            unik_stream_close(e->s);
        close(fd);
        if (i % 3)
            unik_stream_close(e->s);
    }
    bed.net->unlisten(bed.net, l);
    bed_end();
}
END_TEST

/* A stream that writes back what it reads, under a peer that does both as fast as it can. */
START_TEST(both_ways_at_once)
{
    enum { TOTAL = 4 << 20 };
    static uint8_t out[20000], in[20000];
    size_t sent = 0, got = 0;
    struct end *e;
    int fd;

    e = begin_connected(&fd);
    for (int i = 0; i < 100000 && got < TOTAL; i++) {
        const void *p;
        size_t n;
        ssize_t k;

        n = TOTAL - sent < sizeof(out) ? TOTAL - sent : sizeof(out);
        pattern(out, sent, n);
        k = n ? send(fd, out, n, MSG_NOSIGNAL) : 0;
        sent += k > 0 ? (size_t)k : 0;
        while ((n = unik_stream_peek(e->s, &p)) > 0 && (k = unik_stream_write(e->s, p, n)) > 0)
            unik_stream_consume(e->s, (size_t)k);
        while ((k = recv(fd, in, sizeof(in), 0)) > 0) {
            pattern(out, got, (size_t)k);
            ck_assert_int_eq(memcmp(in, out, (size_t)k), 0);
            got += (size_t)k;
        }
        host_run(bed.h, 0.0005);
    }
    ck_assert_uint_eq(got, TOTAL);
    unik_stream_close(e->s);
    end_connected(fd);
}
END_TEST

TCase *net1_tcp(void)
{
    TCase *t = tcase_create("tcp");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, echo_and_orderly_end);
    tcase_add_test(t, shut_sends_the_end_and_keeps_reading);
    tcase_add_test(t, connects);
    tcase_add_test(t, tells_why_not);
    tcase_add_test(t, refuses_to_listen);
    tcase_add_test(t, slow_peer_holds_up_the_writer_only);
    tcase_add_test(t, unread_input_stays_with_the_peer);
    tcase_add_test(t, close_does_not_destroy_what_was_written);
    tcase_add_test(t, reset_by_the_peer_is_an_error);
    tcase_add_loop_test(t, abort_is_a_reset, 0, 5);
    tcase_add_test(t, abort_anywhere);
    tcase_add_test(t, close_inside_callbacks);
    tcase_add_test(t, many_connections);
    tcase_add_test(t, both_ways_at_once);
    return t;
}
