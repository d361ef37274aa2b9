/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/cost.c - what bytes and connections may cost: copies when they come, memory while nothing happens. */
#include <string.h>

#include "bed.h"
#include "plugins/net-lwip/pools.h"

#define IDLE 1000
#define IDLE_BYTES 2048                 /* of memory for an idle connection: fewer */

static uint8_t data[200000];
static size_t got, in_frame;

/* Reads all, and looks where it is. */
static void read_event(struct unik_stream *s, unsigned events, void *arg)
{
    const void *bytes;
    size_t n;

    (void)events, (void)arg;
    while ((n = unik_stream_peek(s, &bytes)) > 0) {
        const uint8_t *p = bytes;

        ck_assert(is_pattern(p, got, n));
        if (p > bed.given && p + n <= bed.given + bed.given_size)
            in_frame += n;
        got += n;
        unik_stream_consume(s, n);
    }
}

static void open_one(struct peer *c, bool v6)
{
    bed_begin(0, NULL);
    listen_at(80);
    peer_open(c, v6, 4000, 80);
    ck_assert_uint_eq(n_accepted, 1);
    unik_stream_on(accepted[0].s, read_event, NULL);
    got = in_frame = 0;
}

/* A frame in memory of the card's own is read where it is; a segment out of order waits where it is. */
START_TEST(in_place)
{
    struct peer c, later;

    open_one(&c, _i & 1);
    for (size_t i = 0; i < 100; i++) {
        pattern(data, i * 1400, 1400);
        peer_send(&c, ACK, data, 1400);
        ck_assert_uint_eq(got, (i + 1) * 1400);
    }
    ck_assert_uint_eq(in_frame, 140000);
    ck_assert_uint_eq(bed.n_held, 0);
    later = c;
    later.seq += 1400;
    pattern(data, got, 2800);
    peer_send(&later, ACK, data + 1400, 1400);
    ck_assert_uint_eq(bed.n_held, 1);
    peer_send(&c, ACK, data, 1400);
    ck_assert_uint_eq(got, 142800);
    ck_assert_uint_eq(bed.n_held, 0);
    ck_assert_uint_eq(count("bytes_in"), 142800);
    ck_assert_uint_eq(count("copied"), 0);
    ck_assert_uint_eq(count("bytes_copied"), 0);
    bed_end();
}
END_TEST

/* Of a frame in pages that the peer can write to, each byte is copied once; a small one has no such part. */
START_TEST(shared)
{
    const struct unik_nic_offloads good = { .flags = UNIK_NIC_SUM_GOOD | (_i & 1 ? UNIK_NIC_TSO6 : UNIK_NIC_TSO4), .mss = 1400 };
    struct packet *p;
    struct peer c;

    open_one(&c, _i & 1);
    pattern(data, 0, 100);
    p = peer_packet(&c, ACK, data, 100);
    inject_with(p->bytes, p->size, &(struct unik_nic_offloads){ 0 }, 1, false);
    c.seq += 100;
    ck_assert_uint_eq(in_frame, 100);
    ck_assert_uint_eq(count("bytes_copied"), 0);
    pattern(data, 100, 50000);
    p = peer_packet(&c, ACK, data, 50000);
    inject_with(p->bytes, p->size, &good, 14, true);
    c.seq += 50000;
    ck_assert_uint_eq(got, 50100);
    ck_assert_uint_eq(in_frame, 100);
    ck_assert_uint_eq(count("copied"), 1);
    ck_assert_uint_eq(count("bytes_copied"), p->size);
    bed_end();
}
END_TEST

/* What the app leaves for later is copied once, and the card has its frame back. */
START_TEST(left_for_later)
{
    struct peer c;

    open_one(&c, false);
    unik_stream_on(accepted[0].s, NULL, NULL);
    pattern(data, 0, 1400);
    peer_send(&c, ACK, data, 1400);
    ck_assert_uint_eq(bed.n_held, 0);
    ck_assert_uint_eq(count("bytes_copied"), 1400);
    read_event(accepted[0].s, 0, NULL);
    ck_assert_uint_eq(got, 1400);
    bed_end();
}
END_TEST

/* Bytes that the app makes where they wait to be sent, between others that are copied there; some places are not used. */
START_TEST(made_in_place)
{
    struct iovec parts[8];
    struct peer c;
    struct sent *f;
    size_t put = 0, before, all = 0;
    uint32_t start;

    open_one(&c, _i & 1);
    before = pools_in_use();
    start = c.ack;
    for (unsigned turn_of = 0; turn_of < 12; turn_of++) {
        unsigned n = unik_stream_reserve(accepted[0].s, parts, 1 + turn_of % 8);
        size_t left = turn_of % 5 == 4 ? 0 : 20000 - turn_of * 1000;

        ck_assert_uint_gt(n, 0);
        ck_assert_uint_le(n, 1 + turn_of % 8);
        for (unsigned i = 0; i < n; i++) {
            size_t k = left < parts[i].iov_len ? left : parts[i].iov_len;

            memset(parts[i].iov_base, '?', parts[i].iov_len);
            pattern(parts[i].iov_base, put, k);
            put += k;
            left -= k;
        }
        ck_assert_int_eq(unik_stream_commit(accepted[0].s, put - all), 0);
        ck_assert_uint_gt(unik_stream_reserve(accepted[0].s, parts, 8), 0);     /* and nothing is made of it */
        pattern(data, put, 777);
        ck_assert_int_eq(unik_stream_write(accepted[0].s, data, 777), 777);
        all = put += 777;
    }
    turn();
    while (c.ack - start < all) {
        bool any = false;

        for (; (f = peer_next(&c)); any = true)
            ck_assert(is_pattern(f->payload, f->seq - start, f->payload_size));
        ck_assert(any);
        peer_send(&c, ACK, NULL, 0);
    }
    ck_assert_uint_gt(unik_stream_reserve(accepted[0].s, parts, 8), 7);
    ck_assert_int_eq(unik_stream_commit(accepted[0].s, 0), 0);
    ck_assert_uint_eq(pools_in_use(), before);
    ck_assert_uint_gt(unik_stream_reserve(accepted[0].s, parts, 8), 7);
    unik_stream_shut(accepted[0].s);
    ck_assert_int_eq(unik_stream_commit(accepted[0].s, 10), -EPIPE);
    ck_assert_uint_eq(unik_stream_reserve(accepted[0].s, parts, 8), 0);
    bed_end();
    ck_assert_uint_lt(pools_in_use(), before);
}
END_TEST

/* A stream says how much it will take, and takes it; no more is ever reserved than that. */
START_TEST(room_in_place)
{
    struct iovec parts[8];
    struct peer c;
    size_t all = 0, room;

    open_one(&c, false);
    while ((room = unik_stream_room(accepted[0].s)) > 0) {
        unsigned n = unik_stream_reserve(accepted[0].s, parts, 8);
        size_t k = 0;

        ck_assert_uint_gt(n, 0);
        for (unsigned i = 0; i < n; i++)
            k += parts[i].iov_len;
        ck_assert_uint_le(k, room);
        ck_assert_int_eq(unik_stream_commit(accepted[0].s, k), 0);
        all += k;
    }
    ck_assert_uint_eq(all, 256 << 10);
    ck_assert_uint_eq(unik_stream_room(accepted[0].s), 0);
    bed_end();
}
END_TEST

/* Connections that have been used and are silent now: everything that the plugin and lwIP hold for them. */
START_TEST(idle)
{
    size_t before;
    struct peer c;

    bed_begin(_i ? UNIK_NIC_SUM | UNIK_NIC_TSO4 : 0, NULL);
    listen_at(80);
    before = pools_in_use();
    for (unsigned i = 0; i < IDLE; i++) {
        peer_open(&c, false, 2000 + i, 80);
        ck_assert_uint_eq(n_accepted, i + 1);
        accepted[i % 64].echo = true;
        peer_send(&c, ACK | PSH, "hello", 5);
        peer_acks(&c);
        no_frame();
    }
    ck_assert_uint_eq(count("connections"), IDLE);
    ck_assert_uint_gt(pools_in_use(), before);
    ck_assert_uint_lt((pools_in_use() - before) / IDLE, IDLE_BYTES);
    bed_end();
    ck_assert_uint_le(pools_in_use(), before);
}
END_TEST

TCase *cost_tests(void)
{
    TCase *t = tcase_create("cost");

    tcase_add_loop_test(t, in_place, 0, 2);
    tcase_add_loop_test(t, shared, 0, 2);
    tcase_add_test(t, left_for_later);
    tcase_add_loop_test(t, made_in_place, 0, 2);
    tcase_add_test(t, room_in_place);
    tcase_add_loop_test(t, idle, 0, 2);
    return t;
}
