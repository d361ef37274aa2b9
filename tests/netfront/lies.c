/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/netfront/lies.c - netfront: a back end that lies in the rings. Nothing crashes, leaks or stalls: a packet that makes no sense is
 * dropped, an impossible index ends the connection, and the next one works. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tests/common/bytes.h"
#include "tests/netfront/back.h"
#include "tests/netfront/suite.h"
#include "tests/vchan/fake-xen.h"

static struct back b;
static struct packet p;
static uint8_t data[4096];

static void up(void)
{
    back_open(&b);
    back_plug(&b, 0, BACK_DOMID);
    back_start(&b, NULL);
    back_connect(&b);
}

static void down(void) { back_close(&b); }

static uint64_t wanted;
static bool has_errors(struct back *x) { return host_counter(x->ctx, "rx_errors") >= wanted; }
static bool has_frames(struct back *x) { return x->user.frames >= wanted; }

/* The device works. */
static void works(void)
{
    struct iovec part = { data, 100 };

    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), 0);
    b.nic->flush(b.nic);
    ck_assert(back_take(&b, &p));
    back_done(&b, &p, NETIF_OKAY);
    wanted = b.user.frames + 1;
    back_input(&b, data, 1000, NETIF_PAGE, 0, NULL);
    WAIT_UNTIL(&b, has_frames);
}

/* The connection has ended with a line; the back end is let in again, after a while. */
static void ended_and_back(const char *line)
{
    WAIT_UNTIL(&b, back_is_down);
    ck_assert_uint_eq(host_counter(b.ctx, "bad_peer"), 1);
    ck_assert_ptr_nonnull(strstr(host_reason(b.ctx), line));
    back_unmap(&b);
    for (int i = 0; i < 20000 && strcmp(back_state(&b), "6"); i++)
        host_run(b.t.h, 0.001);
    ck_assert_str_eq(back_state(&b), "6");
    ck_assert_uint_eq(fake_xen_mappings(), 0);
    back_back(&b, "state", "6");
    for (int i = 0; i < 20000 && strcmp(back_state(&b), "1"); i++)
        host_run(b.t.h, 0.001);
    back_connect(&b);
    works();
}

/* Slots that make no sense: each packet is dropped, and all places come back. */
START_TEST(bad_slots)
{
    static const struct { int16_t status; uint16_t offset, flags; } rows[][20] = {
        { { -1, 0, 0 } }, { { INT16_MIN, 0, 0 } }, { { 0, 0, 0 } }, { { 4097, 0, 0 } }, { { 32767, 0, 0 } }, { { 1, 4096, 0 } },
        { { 100, 65535, 0 } }, { { 4096, 1, 0 } }, { { 13, 0, 0 } }, { { 100, 0, NETIF_RX_PREFIX } },
        { { 100, 0, NETIF_RX_MORE }, { -1, 0, 0 } }, { { 100, 0, NETIF_RX_MORE }, { 0, 0, NETIF_RX_MORE }, { 100, 0, 0 } },
        { { -1, 0, NETIF_RX_MORE }, { 100, 0, 0 } }, { { 1, 0, NETIF_RX_MORE }, { 12, 0, 0 } },
    };
    uint64_t n = 0;

    for (unsigned again = 0; again < 40; again++)
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            for (size_t k = 0; k == 0 || (rows[i][k - 1].flags & NETIF_RX_MORE); k++) {
                struct netif_rx_response a = { .status = rows[i][k].status, .offset = rows[i][k].offset, .flags = rows[i][k].flags };
                struct netif_rx_request q;
                uint8_t entry[NETIF_RX_ENTRY];

                ck_assert(back_place(&b, &q));
                netif_encode_rx_response(entry, &a);
                back_answer(&b, entry);
            }
            back_show(&b);
            wanted = ++n;
            WAIT_UNTIL(&b, has_errors);
        }
    ck_assert_uint_eq(b.user.frames, 0);
    works();
    ck_assert_uint_eq(host_counter(b.ctx, "rx_errors"), n);
    ck_assert_uint_eq(host_counter(b.ctx, "bad_peer"), 0);
    ck_assert_uint_eq(host_counter(b.ctx, "rx_held"), 0);
}
END_TEST

START_TEST(bad_extras)
{
    static const struct netif_extra rows[] = {
        { .type = 0 }, { .type = 6 }, { .type = 255 }, { .type = NETIF_EXTRA_GSO }, { .type = NETIF_EXTRA_GSO, .gso_size = 1448 },
        { .type = NETIF_EXTRA_GSO, .gso_type = 1 }, { .type = NETIF_EXTRA_GSO, .gso_size = 1448, .gso_type = 3 },
    };

    for (unsigned i = 0; i < 70; i++) {
        wanted = i + 1;
        back_input(&b, data, 2000, NETIF_PAGE, 0, &rows[i % 7]);
        WAIT_UNTIL(&b, has_errors);
    }
    ck_assert_uint_eq(b.user.frames, 0);
    works();
    for (unsigned i = 0; i < 1000; i++) {               /* extra entries without end: they are eaten, and no place is lost */
        struct netif_extra x = { .type = NETIF_EXTRA_HASH, .more = true };
        struct netif_rx_request q;
        uint8_t entry[NETIF_RX_ENTRY];

        if (i == 0)
            back_slot(&b, data, 100, 0, NETIF_RX_EXTRA);
        ck_assert(back_posted(&b, 1) && back_place(&b, &q));
        netif_encode_extra(entry, &x);
        back_answer(&b, entry);
        back_show(&b);
    }
    ck_assert_uint_eq(b.user.frames, 1);
    ck_assert(back_posted(&b, 255));
}
END_TEST

/* A packet without end, or with more than can be: it is dropped when it ends, and until then takes no more than 18 places. */
START_TEST(endless_packet)
{
    for (unsigned i = 0; i < 2000; i++) {
        ck_assert(back_posted(&b, 1));
        back_slot(&b, data, _i ? 4000 : 1, 0, NETIF_RX_MORE);
        back_show(&b);
        if (i % 100 == 99)
            ck_assert(back_posted(&b, 256 - 18));
    }
    back_slot(&b, data, 1, 0, 0);
    back_show(&b);
    wanted = 1;
    WAIT_UNTIL(&b, has_errors);
    works();
}
END_TEST

/* 18 slots, of which the first does not fill the head: one part more than a frame has. */
START_TEST(eighteen_full_slots)
{
    for (unsigned i = 0; i < 18; i++)
        back_slot(&b, data, i ? 3000 : 300, 0, i < 17 ? NETIF_RX_MORE : 0);
    back_show(&b);
    wanted = 1;
    WAIT_UNTIL(&b, has_errors);
    ck_assert_uint_eq(host_counter(b.ctx, "rx_held"), 0);
    for (unsigned i = 0; i < 18; i++)
        back_slot(&b, data, i ? 3000 : 256, 0, i < 17 ? NETIF_RX_MORE : 0);
    back_show(&b);
    WAIT_UNTIL(&b, has_frames);
    ck_assert_uint_eq(b.user.parts, 18);
    works();
    ck_assert(back_posted(&b, 256));
}
END_TEST

START_TEST(runaway_rx)
{
    static const uint32_t ahead[] = { 257, 1000, 0x7fffffff, 0x80000000, 0xffffffff };

    back_set_index(b.rx, NETIF_RSP_PROD, ahead[_i]);
    back_notify(&b);
    ended_and_back("more places are answered");
}
END_TEST

START_TEST(runaway_tx)
{
    static const uint32_t ahead[] = { 2, 257, 0x7fffffff, 0x80000000, 0xffffffff };
    struct iovec part = { data, 100 };

    b.nic->send(b.nic, NULL, &part, 1);
    b.nic->flush(b.nic);
    back_set_index(b.tx, NETIF_RSP_PROD, ahead[_i]);
    while (b.nic->send(b.nic, NULL, &part, 1) == 0) { }
    ended_and_back("more sent packets");
}
END_TEST

/* Answers to what was not sent, twice to the same, to an extra entry that was not there. */
START_TEST(bad_ids)
{
    static const int rows[][3] = { { 256, 0 }, { 65535, 0 }, { -1, 0 }, { 0, NETIF_NULL } };
    struct iovec part = { data, 100 };
    unsigned first = 0, n = 0;

    while (b.nic->send(b.nic, NULL, &part, 1) == 0)
        n++;
    ck_assert_uint_eq(n, 256);
    while (back_take(&b, &p))
        first = p.id[0];
    if (rows[_i][0] < 0) {
        for (n = 0; n < 256; n++)
            back_reply(&b, first, 0);                   /* the same again and again */
    } else {
        for (n = 0; n < 256; n++)
            back_reply(&b, (unsigned)rows[_i][0], rows[_i][1]);
    }
    back_show_tx(&b);
    back_notify(&b);
    ended_and_back(rows[_i][1] == NETIF_NULL ? "extra entry" : "does not have");
}
END_TEST

/* Events without reason, and as fast as it goes. */
START_TEST(storm_of_events)
{
    for (unsigned i = 0; i < 5000; i++) {
        back_notify(&b);
        if (i % 50 == 0)
            ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
    }
    works();
    ck_assert(back_is_up(&b));
}
END_TEST

/* A peer that answers nothing: sending finds no room, and that is all. */
START_TEST(deaf)
{
    struct iovec part = { data, 100 };

    for (unsigned i = 0; i < 1000; i++) {
        b.nic->send(b.nic, NULL, &part, 1);
        b.nic->flush(b.nic);
    }
    back_run(&b);
    ck_assert_uint_eq(host_counter(b.ctx, "tx_frames"), 256);
    back_input(&b, data, 1000, NETIF_PAGE, 0, NULL);
    wanted = 1;
    WAIT_UNTIL(&b, has_frames);
}
END_TEST

static bool reminded(struct back *k) { return host_counter(k->ctx, "reminders") >= 2; }

/* A peer that did not get the event, or says so: told again now and then, until it answers. */
START_TEST(lost_event)
{
    struct iovec part = { data, 100 };
    uint64_t before;

    ck_assert_uint_eq(host_counter(b.ctx, "reminders"), 0);
    b.nic->send(b.nic, NULL, &part, 1);
    b.nic->flush(b.nic);
    WAIT_UNTIL(&b, reminded);
    ck_assert(back_take(&b, &p));
    back_done(&b, &p, NETIF_OKAY);
    before = host_counter(b.ctx, "reminders");
    host_run(b.t.h, 2.2);
    ck_assert_uint_le(host_counter(b.ctx, "reminders"), before + 1);    /* over, but for one that was due */
    ck_assert(back_is_up(&b));
}
END_TEST

/* Anything in both rings at any time, while frames go out and are held: what comes out lies within the pages (the sanitizers look),
 * and after it all an honest back end is served. */
START_TEST(anything)
{
    uint32_t seed = (uint32_t)_i * 747796405u + 1;
    struct iovec part = { data, sizeof(data) };
    struct unik_nic_offloads o = { .flags = UNIK_NIC_TSO4, .mss = 1000, .sum_start = 34, .sum_offset = 16 };

    for (unsigned i = 0; i < 3000 && back_is_up(&b); i++) {
        uint8_t *ring = random_below(&seed, 2) ? b.rx : b.tx;
        size_t at;

        switch (random_below(&seed, 8)) {
        case 0:
            at = NETIF_RING_ENTRIES + random_below(&seed, NETIF_PAGE - NETIF_RING_ENTRIES);
            ring[at] = (uint8_t)random_next(&seed);
            break;
        case 1: case 2:                                 /* plausible entries, in whatever place */
            at = random_below(&seed, 256);
            {
                struct netif_rx_response a = { .id = (uint16_t)at, .offset = (uint16_t)random_below(&seed, 3),
                                               .flags = (uint16_t)random_below(&seed, 16), .status = (int16_t)random_below(&seed, 4096) };
                netif_encode_rx_response(b.rx + NETIF_RING_ENTRIES + at * NETIF_RX_ENTRY, &a);
            }
            break;
        case 3: back_set_index(b.rx, NETIF_RSP_PROD, back_index(b.rx, NETIF_RSP_PROD) + random_below(&seed, 30)); break;
        case 4: if (random_below(&seed, 20) == 0) back_set_index(ring, (enum netif_index)(4 * random_below(&seed, 4)), random_next(&seed)); break;
        case 5: b.nic->send(b.nic, &o, &part, 1); break;
        case 6:
            b.user.hold = random_below(&seed, 2);
            while (!b.user.hold && b.user.n_held)
                b.nic->release(b.nic, b.user.held[--b.user.n_held]);
            break;
        default: back_notify(&b);
        }
        if (random_below(&seed, 4) == 0)
            ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
    }
    while (b.user.n_held)
        b.nic->release(b.nic, b.user.held[--b.user.n_held]);
    b.user.hold = false;
    back_unplug(&b);
    WAIT_UNTIL(&b, back_is_down);
    back_run(&b);
    ck_assert_uint_eq(fake_xen_mappings(), 0);
    ck_assert_uint_eq(host_counter(b.ctx, "rx_held"), 0);
    back_plug(&b, 1, BACK_DOMID);
    back_connect(&b);
    works();
}
END_TEST

TCase *netfront_lies(void)
{
    TCase *t = tcase_create("lies");

    tcase_set_timeout(t, 900);
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, bad_slots);
    tcase_add_test(t, bad_extras);
    tcase_add_loop_test(t, endless_packet, 0, 2);
    tcase_add_test(t, eighteen_full_slots);
    tcase_add_loop_test(t, runaway_rx, 0, 5);
    tcase_add_loop_test(t, runaway_tx, 0, 5);
    tcase_add_loop_test(t, bad_ids, 0, 4);
    tcase_add_test(t, storm_of_events);
    tcase_add_test(t, deaf);
    tcase_add_test(t, lost_event);
    tcase_add_loop_test(t, anything, 0, 20);
    return t;
}
