/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/idle.c - a VM that does nothing does not wake, and what was due in the meantime happens all the same. */
#include <arpa/inet.h>
#include <string.h>

#include "bed.h"

void clock_jump(unsigned ms);           /* plugins/net-lwip/stack.h, which needs lwIP */

/* No timer of TCP/IP wakes us for three seconds. What went before may need some time to end. */
static void quiet(void)
{
    uint64_t before = 0;

    for (double until = ev_time() + 2 * LONG; ev_time() < until;) {
        before = count("wakeups");
        host_run(bed.h, 3);
        if (count("wakeups") == before)
            return;
    }
    ck_abort_msg("still waking: %u times in the last 3 s", (unsigned)(count("wakeups") - before));
}

static void pass(unsigned ms)
{
    clock_jump(ms);
    turn();
}

START_TEST(nothing_at_all)
{
    bed_begin(0, NULL);
    quiet();
    bed.info.link = false;
    bed.user->changed(bed.user_arg);
    quiet();
    bed_end();
}
END_TEST

/* Connections that were used, and are silent now: established, half closed from either side, over. */
START_TEST(silent_connections)
{
    struct peer c[4];
    struct peer old;
    struct sent *f;

    bed_begin(0, NULL);
    listen_at(80);
    for (unsigned i = 0; i < 4; i++) {
        peer_open(&c[i], i & 1, 4000 + i, 80);
        accepted[i].echo = true;
        peer_send(&c[i], ACK | PSH, "hello", 5);
        peer_acks(&c[i]);
        ck_assert_uint_gt(unik_stream_room(accepted[i].s), 0);
    }
    unik_stream_shut(accepted[1].s);
    turn();
    peer_acks(&c[1]);
    peer_send(&c[2], FIN | ACK, NULL, 0);
    drop_frames();
    unik_stream_close(accepted[3].s);
    accepted[3].s = NULL;
    turn();
    peer_acks(&c[3]);
    peer_send(&c[3], FIN | ACK, NULL, 0);
    drop_frames();
    quiet();
    no_frame();
    for (unsigned i = 0; i < 3; i++) {  /* they are alive */
        accepted[i].got = 0;
        accepted[i].echo = i != 1;
        peer_send(&c[i], i == 2 ? ACK : ACK | PSH, i == 2 ? "" : "again", i == 2 ? 0 : 5);
        peer_acks(&c[i]);
    }
    ck_assert_uint_eq(accepted[0].got, 5);
    old = c[3];
    old.seq -= 5000;
    peer_send(&old, SYN, NULL, 0);
    ck_assert_ptr_nonnull(f = next_frame());
    ck_assert_uint_eq(f->flags, ACK);   /* TIME-WAIT */
    quiet();
    pass(31000);
    quiet();
    drop_frames();
    old.seq = c[3].seq - 5000;
    peer_send(&old, SYN, NULL, 0);
    ck_assert_ptr_nonnull(f = next_frame());
    ck_assert_uint_eq(f->flags, SYN | ACK);     /* over in time */
    bed_end();
}
END_TEST

/* After ten minutes of silence a peer is asked whether it is there, and nothing more happens when it says so. */
START_TEST(keepalive)
{
    struct peer c;
    struct sent *f;

    bed_begin(0, NULL);
    listen_at(80);
    peer_open(&c, _i, 4000, 80);
    quiet();
    pass(590000);
    quiet();
    no_frame();
    pass(11000);
    f = wait_frame();
    ck_assert_uint_eq(f->flags, ACK);
    ck_assert_uint_eq(f->seq, c.ack - 1);
    peer_send(&c, ACK, NULL, 0);
    quiet();
    no_frame();
    ck_assert_int_eq(unik_stream_ended(accepted[0].s), 0);
    bed_end();
}
END_TEST

/* Without a link nothing is sent again, and with one it is. */
START_TEST(no_link)
{
    struct peer c;
    struct sent *f;

    bed_begin(0, NULL);
    listen_at(80);
    peer_open(&c, false, 4000, 80);
    bed.info.link = false;
    bed.user->changed(bed.user_arg);
    ck_assert_int_eq(unik_stream_write(accepted[0].s, "patience", 8), 8);
    turn();
    quiet();
    no_frame();
    bed.info.link = true;
    bed.user->changed(bed.user_arg);
    do
        f = wait_frame();
    while (f->proto != TCP);
    ck_assert_mem_eq(f->payload, "patience", 8);
    bed_end();
}
END_TEST

static void on_datagram(struct unik_net_udp *u, const void *b, size_t n, const char *a, unsigned p, void *arg) { (void)u, (void)b, (void)n, (void)a, (void)p, (void)arg; }

static void arp_answer(void)
{
    struct packet p;

    make_eth(&p, 0x0806);
    memcpy(p.bytes + 14, "\0\1\10\0\6\4\0\2\376\377\377\377\377\377\12\0\0\1", 18);
    memcpy(p.bytes + 32, mac_us, 6);
    memcpy(p.bytes + 38, "\12\0\0\2", 4);
    p.size = 14 + 28;
    inject(p.bytes, p.size);
}

/* A neighbour that does not answer is asked again, and then forgotten; what one has said is believed for five minutes. */
START_TEST(arp_ages)
{
    const char *const options[] = { "ipv4=static", "address=" US4 "/24", "neighbour=ask", "ipv6=off", NULL };
    struct unik_net_udp *u;
    unsigned port = 0;
    struct sent *f;

    bed_begin_raw(UNIK_ON_QUBES, 0, options);
    drop_frames();
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, "", &port, on_datagram, NULL, &u), 0);
    quiet();
    ck_assert_int_eq(bed.net->send(bed.net, u, PEER4, 9, "x", 1), 0);
    for (int i = 0; i < 5; i++) {
        f = wait_frame();
        ck_assert_uint_eq(f->type, 0x0806);
        pass(1000);
    }
    quiet();
    drop_frames();
    ck_assert_int_eq(bed.net->send(bed.net, u, PEER4, 9, "x", 1), 0);
    ck_assert_uint_eq(wait_frame()->type, 0x0806);
    arp_answer();
    ck_assert_uint_eq(wait_frame()->type, 0x0800);
    quiet();
    pass(200000);
    quiet();
    ck_assert_int_eq(bed.net->send(bed.net, u, PEER4, 9, "x", 1), 0);
    ck_assert_uint_eq(wait_frame()->type, 0x0800);
    pass(110000);
    turn();
    ck_assert_int_eq(bed.net->send(bed.net, u, PEER4, 9, "x", 1), 0);
    ck_assert_uint_eq(wait_frame()->type, 0x0806);
    bed_end();
}
END_TEST

/* The same for IPv6: reachable for 30 s, then asked again when it is used (RFC 4861 7.3). */
START_TEST(neighbours_age)
{
    const char *const options[] = { "ipv4=static", "address=" US4, "address6=" US6, "gateway6=" PEER6, "neighbour=ask", NULL };
    struct unik_net_udp *u;
    unsigned port = 0;
    struct packet p;
    uint8_t m[32] = { 136, 0, 0, 0, 0x60 };
    struct sent *f;

    bed_begin_raw(UNIK_ON_QUBES, 0, options);
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, "", &port, on_datagram, NULL, &u), 0);
    ck_assert_int_eq(bed.net->send(bed.net, u, PEER6, 9, "x", 1), 0);
    drop_frames();
    inet_pton(AF_INET6, PEER6, m + 8);
    m[24] = 2, m[25] = 1;
    memcpy(m + 26, mac_peer, 6);
    make_ip(&p, true, ICMP6, m, 32);
    p.bytes[21] = 255;
    fix_sum(&p);
    inject(p.bytes, p.size);
    ck_assert_uint_eq(wait_frame()->proto, UDP);
    quiet();
    no_frame();
    pass(40000);
    quiet();
    no_frame();
    turn();
    ck_assert_int_eq(bed.net->send(bed.net, u, PEER6, 9, "x", 1), 0);
    ck_assert_uint_eq(wait_frame()->proto, UDP);        /* it is stale, and used */
    do
        f = wait_frame();
    while (f->proto != ICMP6);
    ck_assert_uint_eq(f->l4[0], 135);
    ck_assert_mem_eq(f->bytes, mac_peer, 6);            /* a probe */
    inject(p.bytes, p.size);
    quiet();
    bed_end();
}
END_TEST

TCase *idle_tests(void)
{
    TCase *t = tcase_create("idle");

    tcase_add_test(t, nothing_at_all);
    tcase_add_test(t, silent_connections);
    tcase_add_loop_test(t, keepalive, 0, 2);
    tcase_add_test(t, no_link);
    tcase_add_test(t, arp_ages);
    tcase_add_test(t, neighbours_age);
    return t;
}
