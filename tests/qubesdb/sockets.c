/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qubesdb/sockets.c - the plugin over the real socket vchan, against a scripted dom0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/common/fds.h"
#include "tests/common/peer.h"
#include "tests/qubesdb/dom0.h"

#define DOMID 7

extern const struct unik_plugin unik_plugin_vchan_socket;

static struct unik_ctx *vchan, *qubesdb;
static struct host *host;
static struct unik_qubesdb *q;
static struct peer *peer;
static char *dir;
static int fds_before;

static void up(void)
{
    char option[200];

    fds_before = open_fds();
    dir = test_dir();
    snprintf(option, sizeof(option), "dir=%s", dir);
    host = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    vchan = host_add(host, &unik_plugin_vchan_socket, ENTRIES(option, "domid=7"));
    qubesdb = host_add(host, &unik_plugin_qubesdb, ENTRIES("retry=0", "retry-max=0", "random-seed=leave"));
    ck_assert_ptr_nonnull(vchan);
    ck_assert_ptr_nonnull(qubesdb);
    ck_assert_int_eq(host_start(vchan), 0);
    ck_assert_int_eq(host_start(qubesdb), 0);
    q = host_interface(host, "qubesdb/1");
    peer = peer_listen(host, dir, 0, DOMID, QUBESDB_PORT);
    ck_assert_ptr_nonnull(peer);
}

static void down(void)
{
    host_stop_wait(qubesdb, PATIENCE);
    host_stop_wait(vchan, PATIENCE);
    peer_close(peer);
    host_free(host);
    test_dir_remove(dir);
    ck_assert_int_le(open_fds(), fds_before + 3);       /* libev's own stay */
}

static void says(uint8_t type, const char *path, const char *value)
{
    uint8_t message[QUBESDB_MESSAGE_MAX];

    ck_assert(peer_send(peer, message, dom0_message(message, type, path, value, value ? strlen(value) : 0)));
}

static void hears(uint8_t type, const char *path, const char *value)
{
    uint8_t message[QUBESDB_MESSAGE_MAX];
    int n = qubesdb_encode(message, sizeof(message), type, path, value, value ? strlen(value) : 0);

    ck_assert_int_gt(n, 0);
    ck_assert(peer_expect(peer, message, (size_t)n));
}

static void wait_for(const char *path, const char *value)
{
    double late = ev_time() + PATIENCE;
    const char *v;

    do {
        host_run(host, 0.001);
        v = q->read(q, path, NULL);
    } while ((!v || strcmp(v, value) != 0) && ev_time() < late);
    ck_assert_ptr_nonnull(v);
    ck_assert_str_eq(v, value);
}

START_TEST(life_over_sockets)
{
    static char big[QUBESDB_VALUE_MAX + 1];

    memset(big, 'x', QUBESDB_VALUE_MAX);
    ck_assert(peer_accept(peer, PATIENCE));
    hears(QUBESDB_MULTIREAD, "", NULL);
    says(QUBESDB_GOT_MULTIREAD, "/qubes-keyboard", big);
    says(QUBESDB_GOT_MULTIREAD, "/name", "work");
    says(QUBESDB_GOT_MULTIREAD, "", NULL);
    ck_assert(host_wait(qubesdb, HOST_READY, PATIENCE));
    wait_for("/name", "work");
    wait_for("/qubes-keyboard", big);
    says(QUBESDB_WRITE, "/name", "play");
    hears(QUBESDB_OK, "/name", NULL);
    wait_for("/name", "play");
    ck_assert_int_eq(q->write(q, "/big", big, QUBESDB_VALUE_MAX), 0);
    hears(QUBESDB_WRITE, "/unik-store", "1");
    hears(QUBESDB_WRITE, "/big", big);
    says(QUBESDB_OK, "/unik-store", NULL);
    says(QUBESDB_OK, "/big", NULL);

    peer_hang_up(peer);                                 /* the daemon starts anew, with an empty store */
    ck_assert(host_wait(qubesdb, HOST_DEGRADED, PATIENCE));
    ck_assert(peer_accept(peer, PATIENCE));
    hears(QUBESDB_MULTIREAD, "", NULL);
    says(QUBESDB_GOT_MULTIREAD, "/name", "again");
    says(QUBESDB_GOT_MULTIREAD, "", NULL);
    ck_assert(host_wait(qubesdb, HOST_READY, PATIENCE));
    wait_for("/name", "again");
    hears(QUBESDB_WRITE, "/unik-store", "1");
    hears(QUBESDB_WRITE, "/big", big);
}
END_TEST

/* dom0 reads nothing and writes a lot. */
START_TEST(blocked_output)
{
    char value[3000], path[32];
    int accepted = 0;

    memset(value, 'v', sizeof(value));
    ck_assert(peer_accept(peer, PATIENCE));
    hears(QUBESDB_MULTIREAD, "", NULL);
    says(QUBESDB_GOT_MULTIREAD, "", NULL);
    ck_assert(host_wait(qubesdb, HOST_READY, PATIENCE));
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof(path), "/k%d", i);
        if (q->write(q, path, value, sizeof(value)) == 0)
            accepted++;
    }
    ck_assert_int_ge(accepted, 20);
    ck_assert_int_le(accepted, 22);
    for (int i = 0; i < 200; i++) {
        snprintf(path, sizeof(path), "/in/%d", i);
        says(QUBESDB_WRITE, path, "1");
    }
    wait_for("/in/199", "1");
}
END_TEST

START_TEST(many_reconnects)
{
    int before = 0;

    for (int i = 0; i < 1000; i++) {
        ck_assert(peer_accept(peer, PATIENCE));
        hears(QUBESDB_MULTIREAD, "", NULL);
        if (i % 3) {
            says(QUBESDB_GOT_MULTIREAD, "/a", "1");
            says(QUBESDB_GOT_MULTIREAD, "", NULL);
        }
        if (i == 10)
            before = open_fds();
        peer_hang_up(peer);
    }
    ck_assert(peer_accept(peer, PATIENCE));
    ck_assert_int_eq(open_fds(), before);
}
END_TEST

/* Synced and nothing to do: the plugin keeps no timer, so the loop, left with only the sockets, does not turn. */
START_TEST(idle)
{
    unsigned turns;

    ck_assert(peer_accept(peer, PATIENCE));
    hears(QUBESDB_MULTIREAD, "", NULL);
    says(QUBESDB_GOT_MULTIREAD, "", NULL);
    ck_assert(host_wait(qubesdb, HOST_READY, PATIENCE));
    host_run(host, 0.1);
    turns = ev_iteration(EV_DEFAULT);
    host_run(host, 0.5);
    ck_assert_uint_le(ev_iteration(EV_DEFAULT) - turns, 2);     /* the end of the wait itself */
}
END_TEST

Suite *suite_sockets(void)
{
    Suite *s = suite_create("qubesdb: sockets");
    TCase *t = tcase_create("sockets");

    tcase_set_timeout(t, 900);
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, life_over_sockets);
    tcase_add_test(t, blocked_output);
    tcase_add_test(t, many_reconnects);
    tcase_add_test(t, idle);
    suite_add_tcase(s, t);
    return s;
}
