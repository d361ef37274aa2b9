/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/netfront/frames.c - netfront: frames both ways, of all sizes; checksums and segments; no room, and frames that are held. */
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
static uint8_t data[70000];

static void up(void)
{
    uint32_t seed = 77;

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)random_next(&seed);
    back_open(&b);
    back_plug(&b, 0, BACK_DOMID);
    back_start(&b, NULL);
    back_connect(&b);
}

static void down(void) { back_close(&b); }

static unsigned wanted;
static bool has_frames(struct back *x) { return x->user.frames >= wanted; }
static bool has_room(struct back *x) { return x->user.rooms >= wanted; }
static void await_frames(unsigned n)
{
    wanted = n;
    WAIT_UNTIL(&b, has_frames);
}

/* ---- in ---- */

START_TEST(sizes_in)
{
    static const size_t sizes[] = { 14, 60, 255, 256, 257, 1514, 4095, 4096, 4097, 9000, 65535 };
    static const size_t slots[] = { 100, 255, 256, 1000, 4096 };
    unsigned n = 0;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (size_t k = 0; k < sizeof(slots) / sizeof(slots[0]); k++) {
            if ((sizes[i] + slots[k] - 1) / slots[k] > NETIF_SLOTS_MAX)
                continue;
            back_input(&b, data, sizes[i], slots[k], 0, NULL);
            await_frames(++n);
            ck_assert_uint_eq(b.user.size, sizes[i]);
            ck_assert_mem_eq(b.user.bytes, data, sizes[i]);
            ck_assert_uint_eq(b.user.offloads.flags, 0);
            ck_assert_uint_eq(b.user.shared, sizes[i] > UNIK_NIC_PRIVATE);
        }
    ck_assert_uint_ge(n, 30);
    ck_assert_uint_eq(host_counter(b.ctx, "rx_frames"), n);
    ck_assert_uint_eq(host_counter(b.ctx, "rx_errors"), 0);
}
END_TEST

START_TEST(flags_in)
{
    static const struct { unsigned flags; uint16_t gso; uint8_t type; unsigned want; } rows[] = {
        { 0, 0, 0, 0 }, { NETIF_RX_BLANK, 0, 0, UNIK_NIC_SUM }, { NETIF_RX_VALIDATED, 0, 0, UNIK_NIC_SUM_GOOD },
        { NETIF_RX_BLANK | NETIF_RX_VALIDATED, 0, 0, UNIK_NIC_SUM | UNIK_NIC_SUM_GOOD },
        { NETIF_RX_BLANK | NETIF_RX_VALIDATED, 1448, NETIF_GSO_TCP4, UNIK_NIC_SUM | UNIK_NIC_SUM_GOOD | UNIK_NIC_TSO4 },
        { NETIF_RX_BLANK, 1428, NETIF_GSO_TCP6, UNIK_NIC_SUM | UNIK_NIC_TSO6 },
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct netif_extra gso = { .type = NETIF_EXTRA_GSO, .gso_size = rows[i].gso, .gso_type = rows[i].type };

        back_input(&b, data, 20000, NETIF_PAGE, rows[i].flags, rows[i].gso ? &gso : NULL);
        await_frames(i + 1);
        ck_assert_uint_eq(b.user.offloads.flags, rows[i].want);
        ck_assert_uint_eq(b.user.offloads.mss, rows[i].gso);
        ck_assert_uint_eq(b.user.size, 20000);
        ck_assert_mem_eq(b.user.bytes, data, 20000);
    }
}
END_TEST

/* Many at once: the end of a turn is told less often than frames come, and places are posted again and again. */
START_TEST(many_in)
{
    for (unsigned i = 0; i < 3000;) {
        struct netif_rx_request q;
        unsigned n = 0;

        while (n < 200 && i + n < 3000 && back_index(b.rx, NETIF_REQ_PROD) != b.rx_cons) {
            uint8_t entry[NETIF_RX_ENTRY];
            struct netif_rx_response a = { .status = 1000 };

            ck_assert(back_place(&b, &q));
            a.id = q.id;
            netif_encode_rx_response(entry, &a);
            back_answer(&b, entry);
            n++;
        }
        i += n;
        if (n)
            back_show(&b);
        await_frames(i);
    }
    ck_assert_uint_lt(b.user.ends, 1500);
    ck_assert_uint_eq(host_counter(b.ctx, "rx_frames"), 3000);
}
END_TEST

/* A user that gives nothing back stops what comes in, and nothing else; when it gives back, it goes on. */
START_TEST(held_frames)
{
    struct iovec part = { data, 100 };
    unsigned sent = 0, small = (unsigned)_i;

    b.user.hold = true;
    for (; sent < 200; sent++) {
        ck_assert(back_posted(&b, 1));
        back_input(&b, data, small ? 200 : 1514, NETIF_PAGE, 0, NULL);
    }
    await_frames(UNIK_NIC_HOLD + 1);
    back_run(&b);
    ck_assert_uint_lt(b.user.frames, sent);
    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), 0);
    b.nic->flush(b.nic);
    ck_assert(back_take(&b, &p));
    back_done(&b, &p, 0);
    b.user.hold = false;
    while (b.user.n_held) {
        struct unik_nic_frame *f = b.user.held[--b.user.n_held];

        ck_assert_mem_eq(f->parts[0].iov_base, data, f->parts[0].iov_len);
        b.nic->release(b.nic, f);
    }
    await_frames(sent);
    ck_assert(back_posted(&b, 256));
}
END_TEST

/* The connection ends while the user has frames: they can be read, and their pages go when they are given back. */
START_TEST(held_over_the_end)
{
    b.user.hold = true;
    for (unsigned i = 0; i < 5; i++) {
        struct unik_nic_frame *f;

        back_input(&b, data, 60000, NETIF_PAGE, 0, NULL);
        await_frames(i + 1);
        back_unplug(&b);
        WAIT_UNTIL(&b, back_is_down);
        f = b.user.held[i];
        for (unsigned k = 0, at = 0; k < f->n; at += (unsigned)f->parts[k].iov_len, k++)
            ck_assert_mem_eq(f->parts[k].iov_base, data + at, f->parts[k].iov_len);
        back_plug(&b, 0, BACK_DOMID + i);
        if (i < 3) {
            back_connect(&b);
        } else {                                        /* too many old ones: a new one waits */
            back_ready(&b);
            for (int k = 0; k < 20000 && !strstr(host_reason(b.ctx), "still in use"); k++)
                host_run(b.t.h, 0.001);
            ck_assert_ptr_nonnull(strstr(host_reason(b.ctx), "still in use"));
            break;
        }
    }
    ck_assert_uint_ge(fake_xen_mappings(), 4);
    b.nic->release(b.nic, b.user.held[2]);
    b.nic->release(b.nic, b.user.held[0]);
    back_connect(&b);
    b.nic->detach(b.nic);                               /* the rest is the card's again */
    ck_assert_uint_eq(host_counter(b.ctx, "rx_held"), 0);
    host_stop_wait(b.ctx, BACK_SECONDS);
}
END_TEST

/* ---- out ---- */

static void out(const struct unik_nic_offloads *o, size_t n, size_t head)
{
    struct iovec parts[3] = { { data, head < n ? head : n }, { data + head, 0 }, { data + head, n - head } };

    ck_assert_int_eq(b.nic->send(b.nic, o, parts, head < n ? 3 : 1), 0);
    b.nic->flush(b.nic);
    ck_assert(back_take(&b, &p));
    ck_assert_uint_eq(p.size, n);
    back_done(&b, &p, NETIF_OKAY);
}

START_TEST(sizes_out)
{
    static const size_t sizes[] = { 14, 60, 1514 };
    struct iovec part = { data, 13 }, many[UNIK_NIC_PARTS + 1] = { { data, 100 } };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (unsigned k = 0; k < 2; k++) {
            out(NULL, sizes[i], k ? 14 : 54);
            ck_assert_mem_eq(p.bytes, data, sizes[i]);
            ck_assert_uint_eq(p.flags, 0);
            ck_assert_uint_eq(p.slots, 1);
        }
    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), -EINVAL);
    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 0), -EINVAL);
    ck_assert_int_eq(b.nic->send(b.nic, NULL, many, UNIK_NIC_PARTS + 1), -EINVAL);
    part.iov_len = 1515;
    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), -EMSGSIZE);
    part.iov_len = SIZE_MAX;
    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), -EMSGSIZE);
    ck_assert(!back_take(&b, &p));
}
END_TEST

START_TEST(segments_out)
{
    static const size_t sizes[] = { 3000, 4096, 4097, 8192, 20000, 65535 };
    struct unik_nic_offloads o = { .flags = UNIK_NIC_TSO4, .mss = 1448, .sum_start = 34, .sum_offset = 16 };
    struct iovec part = { data, 3000 };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        o.flags = i & 1 ? UNIK_NIC_TSO6 : UNIK_NIC_TSO4 | UNIK_NIC_SUM;
        out(&o, sizes[i], 74);
        ck_assert_mem_eq(p.bytes, data, sizes[i]);
        ck_assert_uint_eq(p.gso.gso_size, 1448);
        ck_assert_uint_eq(p.gso.gso_type, i & 1 ? NETIF_GSO_TCP6 : NETIF_GSO_TCP4);
        ck_assert_uint_eq(p.flags & 3, NETIF_TX_BLANK | NETIF_TX_VALIDATED);
        ck_assert_uint_eq(p.slots, (sizes[i] + 4095) / 4096);
    }
    o.mss = 0;
    ck_assert_int_eq(b.nic->send(b.nic, &o, &part, 1), -EINVAL);
    o = (struct unik_nic_offloads){ .flags = UNIK_NIC_TSO4 | UNIK_NIC_TSO6, .mss = 1448 };
    ck_assert_int_eq(b.nic->send(b.nic, &o, &part, 1), -EINVAL);
    o = (struct unik_nic_offloads){ .flags = UNIK_NIC_SUM, .sum_start = 65535, .sum_offset = 65535 };
    part.iov_len = 1000;
    ck_assert_int_eq(b.nic->send(b.nic, &o, &part, 1), -EINVAL);
    o = (struct unik_nic_offloads){ .flags = UNIK_NIC_SUM, .sum_start = 990, .sum_offset = 9 };
    ck_assert_int_eq(b.nic->send(b.nic, &o, &part, 1), -EINVAL);
    o = (struct unik_nic_offloads){ .flags = UNIK_NIC_TSO4, .mss = 1448, .sum_start = 34, .sum_offset = 16 };
    part.iov_len = 65536;
    ck_assert_int_eq(b.nic->send(b.nic, &o, &part, 1), -EMSGSIZE);
}
END_TEST

static unsigned sum_of(const uint8_t *bytes, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i += 2)
        sum += (uint32_t)bytes[i] << 8 | (i + 1 < n ? bytes[i + 1] : 0);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* A back end that completes checksums over IPv4 only: ours are complete over IPv6, however the frame is cut. */
START_TEST(sums_out)
{
    struct unik_nic_offloads o = { .flags = UNIK_NIC_SUM, .sum_start = 54, .sum_offset = 6 };
    uint32_t seed = 5;

    back_back(&b, "feature-ipv6-csum-offload", "0");
    back_back(&b, "state", "5");
    WAIT_UNTIL(&b, back_is_down);
    back_unmap(&b);
    back_back(&b, "state", "2");
    for (int i = 0; i < 20000 && strcmp(back_state(&b), "4"); i++)
        host_run(b.t.h, 0.001);
    back_map(&b);
    back_back(&b, "state", "4");
    WAIT_UNTIL(&b, back_is_up);
    ck_assert_uint_eq(b.nic->info(b.nic)->offloads, UNIK_NIC_SUM | UNIK_NIC_TSO4);
    for (unsigned i = 0; i < 200; i++) {
        size_t n = 62 + random_below(&seed, 1400);

        data[12] = 0x86;
        data[13] = 0xdd;
        out(&o, n, 62 + random_below(&seed, 40));
        ck_assert_uint_eq(p.flags, 0);
        data[60] = p.bytes[60];                         /* the rest is as it was */
        data[61] = p.bytes[61];
        ck_assert_mem_eq(p.bytes, data, n);
        data[60] = (uint8_t)random_next(&seed);
        data[61] = (uint8_t)random_next(&seed);
        /* what was in the field is part of the sum: taken out again, all of it is one's complement zero */
    }
    memset(data, 0, 100);
    data[12] = 0x86;
    data[13] = 0xdd;
    data[54] = 0x12;
    data[55] = 0x34;
    data[60] = 0x0f;
    data[61] = 0xff;                                    /* the pseudo-header's sum */
    data[62] = 0xab;
    out(&o, 63, 62);
    ck_assert_uint_eq((unsigned)p.bytes[60] << 8 | p.bytes[61], 0xffff & ~(0x1234u + 0x0fffu + 0xab00u));
    data[60] = 0xff;                                    /* sums to ffff: the field must not be 0 */
    data[61] = 0xff;
    memset(data + 54, 0, 6);
    out(&o, 62, 62);
    ck_assert_uint_eq((unsigned)p.bytes[60] << 8 | p.bytes[61], 0xffff);
    data[12] = 8;                                       /* IPv4 */
    data[13] = 0;
    out(&o, 1000, 62);
    ck_assert_uint_eq(p.flags, NETIF_TX_BLANK | NETIF_TX_VALIDATED);
    ck_assert_uint_eq(sum_of(p.bytes, 1000), sum_of(data, 1000));
}
END_TEST

START_TEST(full_and_room)
{
    struct iovec part = { data, 1000 };
    unsigned n = 0;
    uint16_t ids[NETIF_RING_SIZE];

    while (b.nic->send(b.nic, NULL, &part, 1) == 0)
        n++;
    ck_assert_uint_eq(n, 256);
    ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), -EAGAIN);
    for (unsigned i = 0; i < n; i++) {
        ck_assert(back_take(&b, &p));
        ids[i] = p.id[0];
    }
    ck_assert(!back_take(&b, &p));
    back_run(&b);
    ck_assert_uint_eq(b.user.rooms, 0);
    for (unsigned i = 0; i < 256; i++)                  /* in another order */
        back_reply(&b, ids[(i * 37) % 256], i % 3 == 0 ? NETIF_DROPPED : i % 3 == 1 ? NETIF_ERROR : NETIF_OKAY);
    back_show_tx(&b);
    wanted = 1;
    WAIT_UNTIL(&b, has_room);
    ck_assert_uint_eq(host_counter(b.ctx, "tx_dropped"), 86);
    ck_assert_uint_eq(host_counter(b.ctx, "tx_errors"), 85);
    for (n = 0; b.nic->send(b.nic, NULL, &part, 1) == 0; n++) { }
    ck_assert_uint_eq(n, 256);
    ck_assert_uint_eq(host_counter(b.ctx, "bad_peer"), 0);
}
END_TEST

/* Frames given to send() go out before the loop waits, flush() or not; and one event does for many. */
START_TEST(shown_once)
{
    struct iovec part = { data, 60 };
    uint64_t before;

    back_run(&b);
    before = host_counter(b.ctx, "notifies");
    back_set_index(b.tx, NETIF_REQ_EVENT, back_index(b.tx, NETIF_REQ_PROD) + 1);
    for (unsigned i = 0; i < 50; i++)
        ck_assert_int_eq(b.nic->send(b.nic, NULL, &part, 1), 0);
    ck_assert(!back_take(&b, &p));
    back_run(&b);
    for (unsigned i = 0; i < 50; i++)
        ck_assert(back_take(&b, &p));
    ck_assert_uint_eq(host_counter(b.ctx, "notifies"), before + 1);
    b.nic->send(b.nic, NULL, &part, 1);                 /* the back end is awake: no event */
    b.nic->flush(b.nic);
    ck_assert(back_take(&b, &p));
    ck_assert_uint_eq(host_counter(b.ctx, "notifies"), before + 1);
}
END_TEST

START_TEST(nobody_listens)
{
    b.nic->detach(b.nic);
    back_input(&b, data, 100, NETIF_PAGE, 0, NULL);
    for (int i = 0; i < 20000 && host_counter(b.ctx, "rx_unwanted") == 0; i++)
        host_run(b.t.h, 0.001);
    ck_assert_uint_eq(host_counter(b.ctx, "rx_unwanted"), 1);
}
END_TEST

TCase *netfront_frames(void)
{
    TCase *t = tcase_create("frames");

    tcase_set_timeout(t, 900);
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, sizes_in);
    tcase_add_test(t, flags_in);
    tcase_add_test(t, many_in);
    tcase_add_loop_test(t, held_frames, 0, 2);
    tcase_add_test(t, held_over_the_end);
    tcase_add_test(t, sizes_out);
    tcase_add_test(t, segments_out);
    tcase_add_test(t, sums_out);
    tcase_add_test(t, full_and_room);
    tcase_add_test(t, shown_once);
    tcase_add_test(t, nobody_listens);
    return t;
}
