/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/netfront/states.c - netfront: an interface comes, goes, changes; what is in xenstore makes no sense or is not there. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/common/bytes.h"
#include "tests/netfront/back.h"
#include "tests/netfront/suite.h"
#include "tests/vchan/fake-xen.h"

static struct back b;
static const char *wanted_state;

static bool front_is(struct back *x) { return strcmp(back_state(x), wanted_state) == 0; }
#define WAIT_STATE(s) do { wanted_state = (s); WAIT_UNTIL(&b, front_is); } while (0)

static const char *wanted_reason;
static bool says(struct back *x) { return strstr(host_reason(x->ctx), wanted_reason) != NULL; }
#define WAIT_REASON(s) do { wanted_reason = (s); WAIT_UNTIL(&b, says); } while (0)

static void ping(void)
{
    uint8_t frame[60] = { 1 };
    struct iovec part = { frame, sizeof(frame) };
    struct packet p;
    unsigned before = b.user.frames;

    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), 0);
    b.nic->flush(b.nic);
    ck_assert(back_take(&b, &p));
    back_done(&b, &p, NETIF_OKAY);
    back_input(&b, p.bytes, p.size, NETIF_PAGE, 0, NULL);
    for (int i = 0; i < 20000 && b.user.frames == before; i++)
        host_run(b.t.h, 0.001);
    ck_assert_uint_eq(b.user.frames, before + 1);
    ck_assert_uint_eq(b.user.size, 60);
}

START_TEST(no_interface)
{
    uint8_t frame[60] = { 0 };
    struct iovec part = { frame, sizeof(frame) };

    back_open(&b);
    back_start(&b, NULL);
    WAIT_REASON("device/vif is empty");
    ck_assert_int_eq(host_state(b.ctx), HOST_DEGRADED);
    ck_assert(!back_is_up(&b));
    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), -ENETDOWN);
    b.nic->flush(b.nic);
    back_close(&b);
}
END_TEST

START_TEST(comes_up)
{
    static const struct { const char *leaf, *value; } keys[] = {
        { "request-rx-copy", "1" }, { "feature-rx-notify", "1" }, { "feature-sg", "1" }, { "feature-no-csum-offload", "0" },
        { "feature-ipv6-csum-offload", "1" }, { "feature-gso-tcpv4", "1" }, { "feature-gso-tcpv6", "1" }, { "state", "4" },
        { "multi-queue-num-queues", "" }, { "event-channel-tx", "" },
    };
    const struct unik_nic_info *i;
    struct netif_rx_request q;
    unsigned posted = 0;

    back_open(&b);
    back_plug(&b, 0, BACK_DOMID);
    back_front(&b, "multi-queue-num-queues", "2");      /* somebody's before us */
    back_front(&b, "event-channel-tx", "99");
    back_start(&b, NULL);
    WAIT_REASON("waiting for domain 3, whose back end is initialising");
    ck_assert_str_eq(back_state(&b), "1");
    back_connect(&b);
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
        ck_assert_msg(strcmp(back_read(&b, keys[k].leaf), keys[k].value) == 0, "%s is %s", keys[k].leaf, back_read(&b, keys[k].leaf));
    i = b.nic->info(b.nic);
    ck_assert_mem_eq(i->mac, "\x00\x16\x3e\x5e\x6c\x01", 6);
    ck_assert_uint_eq(i->mtu, 1500);
    ck_assert_uint_eq(i->offloads, UNIK_NIC_SUM | UNIK_NIC_TSO4 | UNIK_NIC_TSO6);
    ck_assert_uint_eq(b.user.changes, 1);
    ck_assert_int_eq(host_state(b.ctx), HOST_READY);
    ping();
    while (back_place(&b, &q))
        posted++;
    ck_assert_uint_ge(posted, 255);                     /* one was answered, and perhaps posted again */
    back_close(&b);
}
END_TEST

/* The largest number a back end has, and a card whose back end offers little. */
START_TEST(modest_back_end)
{
    static struct packet p;
    uint8_t frame[5000] = { 0 };
    struct iovec part = { frame, sizeof(frame) };

    back_open(&b);
    back_plug(&b, 65535, 32751);
    back_start(&b, NULL);
    back_back(&b, "feature-rx-copy", "1");
    back_back(&b, "feature-gso-tcpv4", "1");            /* worth nothing without feature-sg */
    back_front(&b, "mtu", "9000");
    back_back(&b, "state", "2");
    WAIT_STATE("4");
    back_map(&b);
    back_back(&b, "state", "4");
    WAIT_UNTIL(&b, back_is_up);
    ck_assert_uint_eq(b.nic->info(b.nic)->offloads, UNIK_NIC_SUM);
    ck_assert_uint_eq(b.nic->info(b.nic)->mtu, 4096 - 14);
    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), -EMSGSIZE);
    part.iov_len = 4096;
    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), 0);
    b.nic->flush(b.nic);
    ck_assert(back_take(&b, &p));
    ck_assert_uint_eq(p.size, 4096);
    ping();
    back_close(&b);
}
END_TEST

START_TEST(options_say_no)
{
    static const char *const options[] = { "checksums=no", "buffers=64", NULL };

    back_open(&b);
    back_plug(&b, 0, BACK_DOMID);
    back_start(&b, options);
    back_connect(&b);
    ck_assert_str_eq(back_read(&b, "feature-no-csum-offload"), "1");
    ck_assert_str_eq(back_read(&b, "feature-gso-tcpv4"), "0");
    ck_assert_uint_eq(b.nic->info(b.nic)->offloads, 0);
    ck_assert_uint_eq(back_index(b.rx, NETIF_REQ_PROD), 64);
    back_close(&b);
}
END_TEST

START_TEST(detached_and_attached)
{
    back_open(&b);
    back_start(&b, NULL);
    for (unsigned i = 0; i < 10; i++) {
        back_plug(&b, i % 2, BACK_DOMID + i);           /* another provider each time, as after its restart */
        back_connect(&b);
        ck_assert_uint_eq(b.user.changes, 2 * i + 1);
        ping();
        back_back(&b, "online", "0");
        back_back(&b, "state", "5");
        WAIT_STATE("6");
        ck_assert(back_is_down(&b));
        back_back(&b, "state", "6");
        back_run(&b);
        back_unplug(&b);
        WAIT_REASON("device/vif is empty");
    }
    ck_assert_uint_eq(host_counter(b.ctx, "connects"), 10);
    ck_assert_uint_eq(host_counter(b.ctx, "disconnects"), 10);
    back_close(&b);
}
END_TEST

/* The back end's domain dies, or detaching is forced: nodes vanish, no state is seen. In each step of ours. */
START_TEST(vanishes)
{
    static const char *const states[] = { "1", "2", "4" };

    back_open(&b);
    back_start(&b, NULL);
    back_plug(&b, 0, BACK_DOMID);
    if (_i == 3) {
        back_connect(&b);
    } else {
        back_ready(&b);
        if (_i == 2)
            WAIT_STATE("4");
        else if (_i == 0)
            back_back(&b, "state", states[0]);
    }
    back_unplug(&b);
    WAIT_REASON("device/vif is empty");
    ck_assert(back_is_down(&b));
    ck_assert_uint_eq(fake_xen_mappings(), 0);
    back_plug(&b, 0, BACK_DOMID + 1);
    back_connect(&b);
    ping();
    back_close(&b);
}
END_TEST

/* Only the back end's folder goes; then the front end's nodes are made anew under the same number, in one go. */
START_TEST(made_anew)
{
    back_open(&b);
    back_start(&b, NULL);
    back_plug(&b, 0, BACK_DOMID);
    back_connect(&b);
    if (_i & 1) {
        back_back(&b, "", NULL);
        WAIT_STATE("6");
        ck_assert(back_is_down(&b));
    }
    back_unplug(&b);
    back_plug(&b, 0, _i & 2 ? BACK_DOMID + 1 : BACK_DOMID);
    WAIT_UNTIL(&b, back_is_down);
    back_connect(&b);
    ping();
    back_close(&b);
}
END_TEST

/* Forced: the old one is still there, closing, when the new one comes under another number. */
START_TEST(two_for_a_moment)
{
    struct back old;

    back_open(&b);
    back_start(&b, NULL);
    back_plug(&b, 0, BACK_DOMID);
    back_connect(&b);
    back_back(&b, "state", "5");
    WAIT_STATE("6");
    old = b;
    back_unmap(&b);
    back_plug(&b, 1, BACK_DOMID + 1);
    back_connect(&b);
    ping();
    back_front(&old, "", NULL);
    back_back(&old, "", NULL);
    back_run(&b);
    ck_assert(back_is_up(&b));
    ping();
    back_close(&b);
}
END_TEST

/* A driver that is loaded again: the same nodes, and the back end goes through closed to ready. */
START_TEST(back_end_restarts_in_place)
{
    static const char *const ways[][4] = { { "5", "6", "2" }, { "6", "2" }, { "2" }, { "1", "2" } };

    back_open(&b);
    back_start(&b, NULL);
    back_plug(&b, 0, BACK_DOMID);
    back_connect(&b);
    for (unsigned i = 0; ways[_i][i]; i++) {
        back_back(&b, "state", ways[_i][i]);
        WAIT_UNTIL(&b, back_is_down);
        back_run(&b);
    }
    back_unmap(&b);
    back_connect(&b);
    ping();
    back_close(&b);
}
END_TEST

/* netback goes from closed to ready only when the front end says 1: somebody must begin. */
START_TEST(closed_back_end_is_asked_again)
{
    back_open(&b);
    back_start(&b, NULL);
    back_plug(&b, 0, BACK_DOMID);
    back_connect(&b);
    back_back(&b, "state", "6");
    WAIT_STATE("6");
    back_unmap(&b);
    WAIT_STATE("1");
    back_connect(&b);
    ping();
    back_close(&b);
}
END_TEST

/* Whoever had the interface before us in this domain left it connected, or closed. */
START_TEST(used_before)
{
    back_open(&b);
    back_plug(&b, 0, BACK_DOMID);
    back_front(&b, "state", _i ? "6" : "4");
    back_back(&b, "state", _i ? "6" : "4");
    back_start(&b, NULL);
    WAIT_STATE(_i ? "1" : "6");
    back_back(&b, "state", "6");
    WAIT_STATE("1");
    back_connect(&b);
    ping();
    back_stop(&b);
    back_unmap(&b);
    ck_assert_str_eq(back_state(&b), "6");              /* as the next one wants to find it */
    back_back(&b, "state", "6");
    back_start(&b, NULL);
    WAIT_STATE("1");
    back_connect(&b);
    ping();
    back_close(&b);
}
END_TEST

START_TEST(conflicts_and_lost_connections)
{
    back_open(&b);
    back_start(&b, NULL);
    back_plug(&b, 0, BACK_DOMID);
    xenstored_conflicts(b.t.s, 7);
    back_connect(&b);
    ping();
    xenstored_hang_up(b.t.s);
    back_run(&b);
    ck_assert(back_is_up(&b));                          /* frames need no xenstored */
    ping();
    store_until(&b.t, store_is_back);
    back_run(&b);
    ck_assert(back_is_up(&b));
    back_back(&b, "state", "5");
    WAIT_STATE("6");
    back_close(&b);
}
END_TEST

/* xenstored goes away in the middle of each request of the way up. */
START_TEST(lost_connection_on_the_way_up)
{
    back_open(&b);
    back_plug(&b, 0, BACK_DOMID);
    back_ready(&b);
    xenstored_close_after(b.t.s, (size_t)_i * 40 + 1);
    back_start(&b, NULL);
    WAIT_STATE("4");
    back_run(&b);
    /* it may have been done before the connection broke, and be done again */
    back_map(&b);
    back_back(&b, "state", "4");
    for (int i = 0; i < 20000 && !back_is_up(&b) && strcmp(back_state(&b), "4") == 0; i++)
        host_run(b.t.h, 0.001);
    if (!back_is_up(&b)) {
        WAIT_STATE("6");
        back_unmap(&b);
        back_back(&b, "state", "6");
        WAIT_STATE("1");
        back_connect(&b);
    }
    ping();
    back_close(&b);
}
END_TEST

START_TEST(no_grants)
{
    back_open(&b);
    back_start(&b, NULL);
    fake_xen_pages_left((unsigned)_i * 257);
    back_plug(&b, 0, BACK_DOMID);
    back_ready(&b);
    WAIT_REASON("No space left");
    ck_assert_uint_eq(fake_xen_mappings(), 0);
    ck_assert_str_eq(back_state(&b), "1");
    fake_xen_pages_left(100000);
    WAIT_STATE("4");
    back_connect(&b);
    ping();
    back_close(&b);
}
END_TEST

START_TEST(nonsense_in_xenstore)
{
    static const struct { bool back; const char *leaf, *value, *says; } rows[] = {
        { false, "mac", "", "mac" }, { false, "mac", "00:16:3e:5e:6c", "mac" }, { false, "mac", "01:00:5e:00:00:01", "mac" },
        { false, "mac", "00:00:00:00:00:00", "mac" }, { false, "mac", "zz:zz:zz:zz:zz:zz", "mac" },
        { true, "feature-rx-copy", "0", "feature-rx-copy" }, { true, "feature-rx-copy", "yes", "feature-rx-copy" },
        { false, "backend-id", "-1", "backend-id" }, { false, "backend-id", "99999", "backend-id" },
    };

    back_open(&b);
    back_plug(&b, 0, BACK_DOMID);
    back_ready(&b);
    if (rows[_i].back)
        back_back(&b, rows[_i].leaf, rows[_i].value);
    else
        back_front(&b, rows[_i].leaf, rows[_i].value);
    back_start(&b, NULL);
    WAIT_REASON(rows[_i].says);
    ck_assert(back_is_down(&b));
    if (rows[_i].back)
        back_back(&b, rows[_i].leaf, "1");
    else
        back_front(&b, rows[_i].leaf, strcmp(rows[_i].leaf, "mac") ? "3" : BACK_MAC);
    WAIT_STATE("4");
    back_connect(&b);
    ping();
    back_close(&b);
}
END_TEST

/* A card whose back end is not there: a line names the node, and when it comes, it is used. */
START_TEST(no_back_end)
{
    back_open(&b);
    back_plug(&b, 0, BACK_DOMID);
    back_back(&b, "state", NULL);
    back_start(&b, NULL);
    WAIT_REASON("device/vif/0: no back end: /local/domain/3/backend/vif/");
    WAIT_REASON("/0/state: No such file or directory");
    ck_assert_int_eq(host_state(b.ctx), HOST_DEGRADED);
    ck_assert(back_is_down(&b));
    back_back(&b, "state", "1");
    back_connect(&b);
    ck_assert_int_eq(host_state(b.ctx), HOST_READY);
    ping();
    back_close(&b);
}
END_TEST

/* Values as long as xenstored takes, states that are none, folders that are no numbers. */
START_TEST(noise)
{
    char big[4000];

    memset(big, '9', sizeof(big) - 1);
    big[sizeof(big) - 1] = 0;
    back_open(&b);
    xenstored_set(b.t.s, "device/vif/abc/state", "1");
    xenstored_set(b.t.s, "device/vif/99999999999/state", "1");
    xenstored_set(b.t.s, "device/vif/7/state", "1");
    back_plug(&b, 8, BACK_DOMID);
    back_front(&b, "mtu", big);
    back_back(&b, "feature-sg", big);
    back_back(&b, "state", big);
    back_start(&b, NULL);
    back_run(&b);
    back_back(&b, "state", "");
    back_run(&b);
    back_back(&b, "state", "77");
    back_run(&b);
    back_connect(&b);
    back_front(&b, "mac", "nonsense");                  /* is read when it connects, not now */
    back_run(&b);
    ck_assert(back_is_up(&b));
    ping();
    back_back(&b, "state", big);
    WAIT_UNTIL(&b, back_is_down);
    back_close(&b);
}
END_TEST

START_TEST(chosen_device)
{
    static const char *const options[] = { "device=1", NULL };

    back_open(&b);
    back_plug(&b, 0, BACK_DOMID);
    back_start(&b, options);
    WAIT_REASON("device/vif/1 is not there");
    back_plug(&b, 1, BACK_DOMID);
    back_connect(&b);
    ping();
    back_close(&b);
}
END_TEST

/* Toolstack, back end and xenstored do what they like in any order; in the end there is an interface that works. */
START_TEST(any_order)
{
    uint32_t seed = (uint32_t)_i * 2654435761u + 1;

    back_open(&b);
    back_start(&b, NULL);
    back_plug(&b, 0, BACK_DOMID);
    for (int i = 0; i < 150; i++) {
        char state[2] = { 0 };

        switch (random_below(&seed, 12)) {
        case 0: back_unplug(&b); break;
        case 1: back_plug(&b, random_below(&seed, 2), BACK_DOMID + random_below(&seed, 2)); break;
        case 2: back_ready(&b); break;
        case 3:
            if (!b.mapped && strcmp(back_state(&b), "4") == 0 && atoi(back_read(&b, "tx-ring-ref")) && !back_is_up(&b)) {
                back_back(&b, "state", "4");
            }
            break;
        case 4: back_front(&b, "", NULL); break;
        case 5: back_back(&b, "", NULL); break;
        case 6: xenstored_conflicts(b.t.s, 2); break;
        case 7: xenstored_hang_up(b.t.s); break;
        case 8: fake_xen_pages_left(random_below(&seed, 2) ? 100 : 1000000); break;
        default:
            state[0] = (char)('1' + random_below(&seed, 6));
            back_back(&b, "state", state);
        }
        for (unsigned k = random_below(&seed, 8); k > 0; k--)
            ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
    }
    fake_xen_pages_left(1000000);
    for (unsigned i = 0; i < 2; i++) {
        b.number = i;
        back_front(&b, "", NULL);
    }
    WAIT_REASON("device/vif is empty");
    ck_assert(back_is_down(&b));
    ck_assert_uint_eq(fake_xen_mappings(), 0);
    back_plug(&b, 0, BACK_DOMID);
    back_connect(&b);
    ping();
    back_close(&b);
}
END_TEST

TCase *netfront_states(void)
{
    TCase *t = tcase_create("states");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, no_interface);
    tcase_add_test(t, comes_up);
    tcase_add_test(t, modest_back_end);
    tcase_add_test(t, options_say_no);
    tcase_add_test(t, detached_and_attached);
    tcase_add_loop_test(t, vanishes, 0, 4);
    tcase_add_loop_test(t, made_anew, 0, 4);
    tcase_add_test(t, two_for_a_moment);
    tcase_add_loop_test(t, back_end_restarts_in_place, 0, 4);
    tcase_add_test(t, closed_back_end_is_asked_again);
    tcase_add_loop_test(t, used_before, 0, 2);
    tcase_add_test(t, conflicts_and_lost_connections);
    tcase_add_loop_test(t, lost_connection_on_the_way_up, 0, 24);
    tcase_add_loop_test(t, no_grants, 0, 2);
    tcase_add_loop_test(t, nonsense_in_xenstore, 0, 9);
    tcase_add_test(t, no_back_end);
    tcase_add_test(t, noise);
    tcase_add_test(t, chosen_device);
    tcase_add_loop_test(t, any_order, 0, 20);
    return t;
}
