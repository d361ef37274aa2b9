/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/hostile.c - what the network can do to us: bounded state, nothing leaked, nothing believed. */
#include <stdlib.h>
#include <string.h>

#include "bed.h"

static uint8_t data[70000];

static void still_serves(unsigned port)
{
    struct peer c;
    struct end *e = &accepted[n_accepted % 64];
    struct sent *f;

    drop_frames();
    peer_open(&c, false, port, 80);
    e->echo = true;
    peer_send(&c, ACK | PSH, "alive", 5);
    ck_assert_ptr_nonnull(f = peer_next(&c));
    ck_assert_uint_eq(f->payload_size, 5);
}

/* Thousands of SYNs that nobody confirms: bounded state, and a peer that is there still gets in. */
START_TEST(syn_flood)
{
    struct peer c;

    bed_begin(0, NULL);
    listen_at(80);
    for (unsigned i = 0; i < 5000; i++) {
        c = (struct peer){ .v6 = i & 1, .port = 1024 + i % 60000, .us = 80, .seq = i * 7919, .window = 1000 };
        peer_send(&c, SYN, NULL, 0);
        drop_frames();
    }
    ck_assert_uint_le(count("half_open"), 256);
    ck_assert_uint_ge(count("half_open_evicted"), 4700);
    ck_assert_uint_eq(count("connections"), 0);
    ck_assert_uint_eq(n_accepted, 0);
    still_serves(999);
    bed_end();
}
END_TEST

/* A flood that does confirm: max-connections holds, those that are there go on. */
START_TEST(connection_flood)
{
    const char *const options[] = { "max-connections=20", NULL };
    struct peer c;

    bed_begin(0, options);
    listen_at(80);
    for (unsigned i = 0; i < 200; i++) {
        c = (struct peer){ .port = 5000 + i, .us = 80, .seq = i * 7919, .window = 1000 };
        peer_send(&c, SYN, NULL, 0);
        if (!peer_next(&c))
            continue;                   /* not answered */
        peer_send(&c, ACK, NULL, 0);
    }
    ck_assert_uint_eq(n_accepted, 20);
    ck_assert_uint_eq(count("connections"), 20);
    ck_assert_uint_ge(count("refused"), 180);
    unik_stream_close(accepted[7].s);
    accepted[7].s = NULL;
    turn();
    drop_frames();
    c = (struct peer){ .port = 5007, .us = 80, .seq = 7u * 7919 + 1, .window = 1000 };
    peer_send(&c, RST, NULL, 0);
    turn();
    still_serves(999);
    bed_end();
}
END_TEST

/* Resets: only the one with the exact sequence number ends the connection (RFC 5961); the others change nothing. */
START_TEST(rst_storm)
{
    struct peer c, at;

    bed_begin(0, NULL);
    listen_at(80);
    peer_open(&c, _i, 4000, 80);
    for (unsigned i = 0; i < 5000; i++) {
        at = c;
        at.seq = (uint32_t)random() | 1u << 31;
        if (at.seq - c.seq < 300000)
            continue;
        at.ack = (uint32_t)random();
        peer_send(&at, i & 1 ? RST : RST | ACK, NULL, 0);
        drop_frames();
    }
    ck_assert_int_eq(unik_stream_ended(accepted[0].s), 0);
    accepted[0].echo = true;
    peer_send(&c, ACK | PSH, "x", 1);
    ck_assert_ptr_nonnull(peer_next(&c));
    peer_send(&c, RST, NULL, 0);
    ck_assert_int_eq(unik_stream_ended(accepted[0].s), -ECONNRESET);
    ck_assert_int_eq(unik_stream_write(accepted[0].s, "x", 1), -EPIPE);
    no_frame();
    bed_end();
}
END_TEST

/* Resets for a port where nobody listens are answered by nothing, other packets by one reset each. */
START_TEST(closed_port)
{
    struct peer c = { .port = 4000, .us = 81, .seq = 99, .window = 1000 };
    struct sent *f;

    bed_begin(0, NULL);
    peer_send(&c, RST, NULL, 0);
    no_frame();
    peer_send(&c, SYN, NULL, 0);
    ck_assert_ptr_nonnull(f = next_frame());
    ck_assert(f->flags & RST);
    no_frame();
    bed_end();
}
END_TEST

/* Wrong checksums: of IP, TCP, UDP, ICMP. Each is dropped and counted, and a card's word that it is good only covers its own. */
START_TEST(bad_sums)
{
    struct unik_nic_offloads good = { .flags = UNIK_NIC_SUM_GOOD };
    struct packet *p, u;
    struct peer c;
    uint64_t before;

    bed_begin(0, NULL);
    listen_at(80);
    peer_open(&c, false, 4000, 80);
    accepted[0].read = true;
    pattern(data, 0, 100);
    p = peer_packet(&c, ACK, data, 100);
    p->bytes[p->size - 1] ^= 1;
    inject(p->bytes, p->size);
    ck_assert_uint_eq(accepted[0].got, 0);
    p->bytes[p->size - 1] ^= 1;
    p->bytes[14 + 10] ^= 1;             /* IP's */
    inject_with(p->bytes, p->size, &good, 1, false);
    ck_assert_uint_eq(accepted[0].got, 0);
    p->bytes[14 + 10] ^= 1;
    p->bytes[14 + 20 + 16] ^= 1;        /* TCP's, but the card says that it is good */
    inject_with(p->bytes, p->size, &good, 1, false);
    ck_assert_uint_eq(accepted[0].got, 100);
    drop_frames();
    make_udp(&u, false, 5, 6, "x", 1);
    u.bytes[u.size - 1] ^= 1;
    inject(u.bytes, u.size);
    no_frame();                         /* no "port unreachable" for what is not a packet */
    before = count("frames_in");
    ck_assert_uint_ge(before, 5);
    host_run(bed.h, 1.1);               /* lwIP's own counters are taken over by its timers */
    ck_assert_uint_ge(count("bad_sums"), 3);
    bed_end();
}
END_TEST

static void ping(struct packet *p, bool v6, unsigned id, const void *bytes, size_t n)
{
    static uint8_t l4[65536];

    memset(l4, 0, 8);
    l4[0] = v6 ? 128 : 8;
    put16(l4 + 4, id);
    memcpy(l4 + 8, bytes, n);
    make_ip(p, v6, v6 ? ICMP6 : ICMP, l4, n + 8);
    fix_sum(p);
}

/* Send bytes from..from+n of an IPv4 packet's payload as a fragment. */
static void fragment(const struct packet *whole, unsigned id, size_t from, size_t n, bool more)
{
    static struct packet p;

    memcpy(p.bytes, whole->bytes, 34);
    if (34 + from + n <= sizeof(whole->bytes))
        memcpy(p.bytes + 34, whole->bytes + 34 + from, n);
    p.size = 34 + n;
    put16(p.bytes + 16, (unsigned)n + 20);
    put16(p.bytes + 18, id);
    put16(p.bytes + 20, (unsigned)(from / 8) | (more ? 0x2000 : 0));
    put16(p.bytes + 24, 0);
    put16(p.bytes + 24, sum16(p.bytes + 14, 20, 0));
    inject(p.bytes, p.size);
}

/* Reassemble what the stack sends: its answer to a large ping, in fragments. */
static size_t answer(uint8_t *to)
{
    struct sent *f;
    size_t got = 0;

    while ((f = next_frame())) {
        size_t at = (get16(f->ip + 6) & 0x1fff) * 8u;

        memcpy(to + at, f->l4, f->l4_size);
        got += f->l4_size;
    }
    return got;
}

START_TEST(fragments)
{
    static uint8_t back[70000];
    static struct packet p;

    bed_begin(0, NULL);
    pattern(data, 0, 5000);
    ping(&p, false, 1, data, 5000);
    fragment(&p, 77, 2960, 2048, false);        /* the last one first; one twice */
    fragment(&p, 77, 1480, 1480, true);
    fragment(&p, 77, 1480, 1480, true);
    no_frame();
    fragment(&p, 77, 0, 1480, true);
    ck_assert_uint_eq(answer(back), 5008);
    ck_assert_mem_eq(back + 8, data, 5000);
    ck_assert_uint_eq(bed.n_held, 0);
    /* overlapping, beyond the end, of no length: no answer, nothing broken */
    fragment(&p, 78, 0, 1480, true);
    fragment(&p, 78, 1472, 1480, true);
    fragment(&p, 78, 8, 2000, true);
    fragment(&p, 78, 2960, 2048, false);
    fragment(&p, 79, 0, 0, true);
    fragment(&p, 79, 65528, 0, false);
    fragment(&p, 80, 65528, 1400, false);
    fragment(&p, 81, 8, 1, true);
    drop_frames();
    /* a flood of datagrams that never become whole */
    for (unsigned i = 0; i < 3000; i++)
        fragment(&p, 1000 + i, 0, 1480, true);
    ck_assert_uint_le(bed.n_held, UNIK_NIC_HOLD);
    drop_frames();
    ping(&p, false, 2, data, 100);
    inject(p.bytes, p.size);
    ck_assert_uint_eq(answer(back), 108);
    bed_end();
}
END_TEST

/* Segments out of order beyond what we may keep: the card has its frames back, and the connection goes on. */
START_TEST(out_of_order_flood)
{
    struct peer c[8], at;

    bed_begin(0, NULL);
    listen_at(80);
    for (unsigned k = 0; k < 8; k++) {
        peer_open(&c[k], false, 4000 + k, 80);
        accepted[k].read = true;
    }
    pattern(data, 0, 70000);
    for (unsigned i = 0; i < 4000; i++) {
        at = c[i % 8];
        at.seq += 1 + (unsigned)random() % 60000;
        peer_send(&at, ACK, data + (at.seq - c[i % 8].seq), 1 + (unsigned)random() % 100);
        drop_frames();
    }
    ck_assert_uint_le(bed.n_held, 34);
    for (unsigned k = 0; k < 8; k++) {
        for (unsigned at_byte = 0; at_byte < 60000; at_byte += 1000) {
            peer_send(&c[k], ACK, data + at_byte, 1000);
            drop_frames();
        }
        ck_assert_uint_ge(accepted[k].got, 60000);
    }
    ck_assert_uint_eq(bed.n_held, 0);
    bed_end();
}
END_TEST

/* A stranger says that the gateway is at his address, in all the ways that ARP and neighbour discovery have: we don't care. */
START_TEST(arp_spoofing)
{
    static const uint8_t thief[6] = { 2, 0, 0, 0, 0, 66 };
    struct packet p;
    struct peer c;
    struct sent *f;

    bed_begin(0, NULL);
    listen_at(80);
    for (int i = 0; i < 4; i++) {
        uint8_t *a = p.bytes + 14;

        make_eth(&p, 0x0806);
        memcpy(p.bytes + 6, thief, 6);
        memcpy(a, "\0\1\10\0\6\4\0\1", 8);
        a[7] = i & 1 ? 2 : 1;
        memcpy(a + 8, thief, 6);
        memcpy(a + 14, "\12\0\0\1", 4);         /* 10.0.0.1 */
        memcpy(a + 18, mac_us, 6);
        memcpy(a + 24, i & 2 ? "\12\0\0\1" : "\12\0\0\2", 4);
        p.size = 14 + 28;
        inject(p.bytes, p.size);
    }
    while ((f = next_frame()))          /* a question for our own address is answered */
        ck_assert_uint_eq(f->type, 0x0806);
    {
        uint8_t na[32] = { 136, 0, 0, 0, 0xe0 };        /* neighbour advertisement: override */

        na[8] = 0xfd, na[23] = 1;
        na[24] = 2, na[25] = 1;
        memcpy(na + 26, thief, 6);
        make_ip(&p, true, ICMP6, na, 32);
        p.bytes[14 + 7] = 255;
        fix_sum(&p);
        inject(p.bytes, p.size);
    }
    for (int v6 = 0; v6 < 2; v6++) {
        accepted[n_accepted % 64].echo = false;
        peer_open(&c, v6, 4000, 80);
        unik_stream_write(accepted[n_accepted - 1].s, "x", 1);
        turn();
        ck_assert_ptr_nonnull(f = peer_next(&c));
        ck_assert_mem_eq(f->bytes, mac_peer, 6);
        peer_send(&c, ACK, NULL, 0);
    }
    bed_end();
}
END_TEST

/* Frames of any bytes and any length, and good ones with a few bytes changed. */
START_TEST(noise)
{
    struct packet *p;
    struct peer c;

    srandom((unsigned)_i);
    bed_begin(_i & 1 ? UNIK_NIC_SUM | UNIK_NIC_TSO4 | UNIK_NIC_TSO6 : 0, NULL);
    listen_at(80);
    peer_open(&c, _i & 2, 4000, 80);
    accepted[0].echo = true;
    for (unsigned i = 0; i < 4000 && n_accepted < 60; i++) {
        size_t n;

        accepted[n_accepted % 64].echo = true;
        p = peer_packet(&c, (unsigned)random() & 0x3f, data, (size_t)random() % 200);
        for (int k = random() % 4; k > 0; k--)
            p->bytes[(size_t)random() % (random() & 1 ? 60 : p->size)] = (uint8_t)random();
        n = random() & 7 ? p->size : (size_t)random() % (p->size + 1);
        if (random() & 1 && p->size == n)
            fix_sum(p);
        inject_with(p->bytes, n, &(struct unik_nic_offloads){ .flags = random() & 3 ? 0 : UNIK_NIC_SUM_GOOD },
                    1 + (unsigned)(random() % 3 == 0), random() & 1);
        drop_frames();
    }
    still_serves(31);
    bed_end();
}
END_TEST

/* What is not for us, or cannot be: not served, not answered, counted (admit.c has the whole table). */
START_TEST(strangers)
{
    static const struct { bool v6; size_t at; const char *bytes; size_t n; const char *counter; } rows[] = {
        { false, 30, "\177\0\0\1", 4, "bad_address" }, { false, 26, "\177\0\0\1", 4, "bad_address" }, { false, 26, "\12\0\0\2", 4, "bad_address" },
        { false, 0, "\377\377\377\377\377\377", 6, "bad_address" }, { false, 0, "\0\26\76\136\154\1", 6, "not_ours" },
        { true, 38, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, "bad_address" }, { true, 0, "\63\63\0\0\0\1", 6, "bad_address" },
        { true, 20, "\73", 1, "bad_headers" }, { false, 12, "\1\0", 2, "not_ip" }
    };
    struct peer c = { .port = 4000, .us = 80, .seq = 1, .window = 1000 };
    struct end e = { 0 };

    bed_begin(0, NULL);
    listen_at(80);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct packet *p;

        c.v6 = rows[i].v6;
        p = peer_packet(&c, SYN, NULL, 0);
        memcpy(p->bytes + rows[i].at, rows[i].bytes, rows[i].n);
        if (rows[i].at != 20)
            fix_sum(p);
        inject(p->bytes, p->size);
        no_frame();
        ck_assert_msg(count(rows[i].counter) > 0, "row %zu: not counted as %s", i, rows[i].counter);
    }
    /* ... and nothing goes out to there either */
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, "127.0.0.1", 80, end_event, &e, &e.s), 0);
    turn();
    ck_assert_int_eq(unik_stream_ended(e.s), -ENETUNREACH);
    unik_stream_close(e.s);
    no_frame();
    still_serves(31);
    bed_end();
}
END_TEST

/* A connection whose owner and peer do nothing holds no buffers: only the two structs. */
START_TEST(idle_memory)
{
    struct peer c;
    uint64_t before, after;

    bed_begin(0, (const char *const[]){ "max-connections=10000", NULL });
    listen_at(80);
    host_run(bed.h, 0.2);
    before = count("memory");
    for (unsigned i = 0; i < 2000; i++) {
        peer_open(&c, i & 1, 2000 + i, 80);
        peer_send(&c, ACK, "x", 1);
        drop_frames();
        unik_stream_consume(accepted[(n_accepted - 1) % 64].s, 1);
        turn();
        drop_frames();
    }
    host_run(bed.h, 0.2);
    after = count("memory");
    ck_assert_uint_eq(count("connections"), 2000);
    if (after)                          /* with the sanitizer each piece is malloc()'s own */
        ck_assert_uint_le((after - before) / 2000, 1024);
    bed_end();
}
END_TEST

TCase *hostile_tests(void)
{
    TCase *t = tcase_create("hostile");

    tcase_add_test(t, syn_flood);
    tcase_add_test(t, connection_flood);
    tcase_add_loop_test(t, rst_storm, 0, 2);
    tcase_add_test(t, closed_port);
    tcase_add_test(t, bad_sums);
    tcase_add_test(t, fragments);
    tcase_add_test(t, out_of_order_flood);
    tcase_add_test(t, arp_spoofing);
    tcase_add_loop_test(t, noise, 0, 8);
    tcase_add_test(t, strangers);
    tcase_add_test(t, idle_memory);
    return t;
}
