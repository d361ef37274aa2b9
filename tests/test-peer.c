/* SPDX-License-Identifier: BSD-2-Clause */
/* The scripted peer itself: two of them talk to each other, and leave nothing open. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/common/fds.h"
#include "tests/common/peer.h"
#include "tests/common/run.h"

START_TEST(two_peers_talk)
{
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    int before = open_fds();
    char *dir = test_dir(), path[200], got[8];
    struct peer *server = peer_listen(h, dir, 1, 0, 512), *client;

    ck_assert_ptr_nonnull(server);
    snprintf(path, sizeof(path), "%s/vchan.1.0.512.sock", dir);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert(!peer_accept(server, 0.01));
    client = peer_connect(h, dir, 1, 0, 512, PEER_SECONDS);
    ck_assert_ptr_nonnull(client);
    ck_assert(peer_accept(server, PEER_SECONDS));
    ck_assert_int_eq(open_fds(), before + 3);

    ck_assert_uint_eq(peer_try_recv(client, got, sizeof(got)), 0);
    ck_assert(!peer_recv(client, got, 1, 0.01));
    ck_assert(peer_send(server, "hello", 5));
    ck_assert(peer_recv(client, got, 4, PEER_SECONDS));
    ck_assert_mem_eq(got, "hell", 4);
    ck_assert_uint_eq(peer_try_recv(client, got, sizeof(got)), 1);
    ck_assert(peer_send(client, "abc", 3));
    ck_assert(!peer_expect(server, "abd", 3));

    ck_assert(!peer_closed(client, 0.01));
    ck_assert(peer_send(server, "unread", 6));
    peer_hang_up(server);
    ck_assert(peer_closed(client, PEER_SECONDS));
    ck_assert(!peer_send(client, "x", 1));
    peer_close(client);
    client = peer_connect(h, dir, 1, 0, 512, PEER_SECONDS);
    ck_assert(peer_accept(server, PEER_SECONDS));
    peer_close(client);
    peer_close(server);

    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_ptr_null(peer_connect(h, dir, 1, 0, 512, 0.02));
    server = peer_listen(h, dir, 1, 0, 512);
    ck_assert_ptr_nonnull(server);
    peer_close(server);
    test_dir_remove(dir);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(open_fds(), before);
    host_free(h);
}
END_TEST

/* More than the socket takes at once: the sender must let the loop run, in which a timer empties the other end. */
#define MANY (4u << 20)

struct drain {
    ev_timer t;
    struct peer *p;
    size_t n;
};

static void on_drain(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct drain *d = w->data;
    char bytes[65536];

    (void)loop, (void)revents;
    d->n += peer_try_recv(d->p, bytes, sizeof(bytes));
}

START_TEST(sending_runs_the_loop)
{
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    char *dir = test_dir(), *bytes = calloc(1, MANY);
    struct peer *server = peer_listen(h, dir, 1, 0, 512), *client = peer_connect(h, dir, 1, 0, 512, PEER_SECONDS);
    struct drain d = { .p = client };

    ck_assert(peer_accept(server, PEER_SECONDS));
    ev_timer_init(&d.t, on_drain, 0, 0.0005);
    d.t.data = &d;
    ev_timer_start(ev_default_loop(0), &d.t);
    ck_assert(peer_send(server, bytes, MANY));
    ev_timer_stop(ev_default_loop(0), &d.t);
    ck_assert_uint_gt(d.n, 0);
    ck_assert(peer_expect(client, bytes, MANY - d.n));
    peer_close(client);
    peer_close(server);
    test_dir_remove(dir);
    free(bytes);
    host_free(h);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("peer");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, two_peers_talk);
    tcase_add_test(t, sending_runs_the_loop);
    return run_case("peer", t);
}
