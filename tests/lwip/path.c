/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/path.c - "packet too big" of ICMPv6 (RFC 8201): believed if it quotes what is on the way, and then bytes arrive all the same. */
#include <arpa/inet.h>
#include <string.h>

#include "bed.h"

#define BYTES 20000

static uint8_t data[BYTES], arrived[BYTES];
static struct sent quoted;              /* a segment of the stack's */
static uint8_t quoted_bytes[1600];

/* A router's message about that segment: what an MTU it names, and what is wrong with it. */
static void too_big(uint32_t mtu, uint32_t seq_off, unsigned port_off, bool bad_sum, size_t quote)
{
    static struct packet p;
    uint8_t l4[8 + 1232] = { 2 };

    put32(l4 + 4, mtu);
    memcpy(l4 + 8, quoted_bytes + 14, quote);
    put16(l4 + 8 + 40, get16(l4 + 8 + 40) + port_off);
    put32(l4 + 8 + 44, get32(l4 + 8 + 44) + seq_off);
    make_ip(&p, true, ICMP6, l4, 8 + quote);
    inet_pton(AF_INET6, "fd00::77", p.bytes + 14 + 8);          /* whoever that is */
    fix_sum(&p);
    p.bytes[14 + 42] ^= bad_sum;
    inject(p.bytes, p.size);
    turn();
}

/* Take the next segment: where it belongs in the data. */
static struct sent *segment(struct peer *c)
{
    struct sent *f = next_frame();

    if (f && f->payload_size) {
        size_t at = f->seq - c->ack;

        ck_assert_uint_le(at + f->payload_size, BYTES);
        memcpy(arrived + at, f->payload, f->payload_size);
    }
    return f;
}

START_TEST(too_big_is_believed)
{
    static const struct { uint32_t mtu, seq; unsigned port; bool sum; size_t quote; } nobody[] = {
        { 1300, 1u << 20, 0, false, 1232 }, { 1300, (uint32_t)-1, 0, false, 1232 },    /* not on the way: later, earlier */
        { 1300, 0, 1, false, 1232 },    /* no connection of ours */
        { 1300, 0, 0, true, 1232 },     /* a wrong checksum */
        { 1500, 0, 0, false, 1232 }, { 9000, 0, 0, false, 1232 }, { 0xffffffff, 0, 0, false, 1232 },   /* no smaller */
        { 1300, 0, 0, false, 47 },      /* too little is quoted */
        { 1279, 0, 0, false, 1232 }, { 50, 0, 0, false, 1232 }, { 0, 0, 0, false, 1232 },      /* less than any link's (RFC 8201 4) */
    };
    const uint32_t mtu = _i & 1 ? 1300 : 1280;
    const size_t most = mtu - 60;
    unsigned n = 0, resent = 0;
    struct peer c;
    struct sent *f;
    size_t done = 0;

    bed_begin(_i & 2 ? UNIK_NIC_SUM | UNIK_NIC_TSO4 | UNIK_NIC_TSO6 : 0, NULL);
    listen_at(80);
    peer_open(&c, true, 4000, 80);
    pattern(data, 0, BYTES);
    memset(arrived, 0, BYTES);
    ck_assert_int_eq(unik_stream_write(accepted[0].s, data, BYTES), BYTES);
    turn();
    ck_assert_ptr_nonnull(f = next_frame());
    ck_assert_uint_ge(f->payload_size, 1440);   /* a card that cuts segments itself gets many in one */
    quoted = *f;
    memcpy(quoted_bytes, f->bytes, f->size < sizeof(quoted_bytes) ? f->size : sizeof(quoted_bytes));
    drop_frames();                      /* none of them arrives */
    for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
        too_big(nobody[i].mtu, nobody[i].seq, nobody[i].port, nobody[i].sum, nobody[i].quote);
        no_frame();
    }
    ck_assert_uint_eq(count("path_smaller"), 0);
    too_big(mtu, 0, 0, false, _i & 1 ? 1232 : 48);
    ck_assert_uint_eq(count("path_smaller"), 1);
    while (done < BYTES) {
        uint32_t end = c.ack;

        f = segment(&c);
        if (!f) {
            f = wait_frame();
            ck_abort_msg("it should have been sent by now: %zu of %d bytes arrived", done, BYTES);
        }
        for (; f; f = segment(&c)) {
            ck_assert_uint_le(f->offloads.mss ? f->offloads.mss : f->payload_size, most);
            if (end - c.ack < f->seq - c.ack + f->payload_size)
                end = f->seq + (uint32_t)f->payload_size;
            resent++;
        }
        ck_assert_uint_le(++n, 100);
        ck_assert_mem_eq(arrived, data + done, end - c.ack);
        done += end - c.ack;
        c.ack = end;
        peer_send(&c, ACK, NULL, 0);
    }
    ck_assert_uint_ge(resent, _i & 2 ? 1 : BYTES / most);
    too_big(mtu, 0, 0, false, 1232);    /* once more: it is all acknowledged */
    ck_assert_uint_eq(count("path_smaller"), 1);
    accepted[0].echo = true;
    peer_send(&c, ACK | PSH, "on", 2);
    ck_assert_ptr_nonnull(f = peer_next(&c));
    ck_assert_uint_eq(f->payload_size, 2);
    bed_end();
}
END_TEST

TCase *path_tests(void)
{
    TCase *t = tcase_create("path");

    tcase_add_loop_test(t, too_big_is_believed, 0, 4);
    return t;
}
