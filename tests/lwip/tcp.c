/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/tcp.c - TCP as streams: order, loss, windows, ends. Each with a card that does nothing and with one that does all. */
#include <string.h>

#include "bed.h"

static const unsigned cards[] = { 0, UNIK_NIC_SUM | UNIK_NIC_TSO4 | UNIK_NIC_TSO6 };
static uint8_t data[1 << 20];

static void open_one(int i, struct peer *c, bool v6)
{
    bed_begin(cards[i], NULL);
    listen_at(80);
    peer_open(c, v6, 4000, 80);
    ck_assert_uint_eq(n_accepted, 1);
    no_frame();
}

START_TEST(echo)
{
    struct peer c;
    struct sent *f;

    open_one(_i & 1, &c, _i & 2);
    ck_assert_str_eq(accepted[0].s->peer, _i & 2 ? "[fd00::1]:4000" : "10.0.0.1:4000");
    accepted[0].echo = true;
    peer_send(&c, ACK | PSH, "hello", 5);
    f = peer_next(&c);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->payload_size, 5);
    ck_assert_mem_eq(f->payload, "hello", 5);
    ck_assert_uint_eq(f->ack, c.seq);
    no_frame();
    accepted[0].close_at_end = true;
    peer_send(&c, ACK | FIN, NULL, 0);
    f = peer_next(&c);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->ack, c.seq);
    while (!(f->flags & FIN))
        ck_assert_ptr_nonnull(f = peer_next(&c));
    peer_send(&c, ACK, NULL, 0);
    turn();
    ck_assert_ptr_null(accepted[0].s);
    ck_assert_uint_eq(count("connections"), 0);
    bed_end();
}
END_TEST

/* Segments in the wrong order, twice, and overlapping in all ways: the reader sees each byte once. */
START_TEST(reordered)
{
    static const struct { unsigned from, n; } pieces[] = {
        { 1000, 1000 }, { 3000, 500 }, { 900, 200 }, { 3100, 100 }, { 2900, 700 }, { 5000, 10 }, { 4990, 30 }, { 0, 1 }, { 1, 950 },
        { 500, 1200 }, { 1999, 902 }, { 3599, 2 }, { 3600, 1400 }, { 100, 6000 }, { 6000, 100 }
    };
    struct peer c, at;
    unsigned sacked = 0;

    open_one(_i, &c, false);
    accepted[0].read = true;
    pattern(data, 0, 8000);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct sent *f;

        at = c;
        at.seq += pieces[i].from;
        for (unsigned done = 0, n; done < pieces[i].n; done += n) {
            n = pieces[i].n - done < 1460 ? pieces[i].n - done : 1460;
            peer_send(&at, ACK, data + pieces[i].from + done, n);
        }
        while ((f = next_frame())) {
            ck_assert_uint_eq(f->payload_size, 0);
            sacked += f->sacks > 0;
            for (unsigned k = 0; k < f->sacks; k++)
                ck_assert((int32_t)(f->sack[k * 2 + 1] - f->sack[k * 2]) > 0);
        }
    }
    ck_assert_uint_eq(accepted[0].got, 6100);
    ck_assert_uint_gt(sacked, 0);
    bed_end();
}
END_TEST

/* A reader that does not read closes our window; when it reads, the window opens, and nothing was lost. */
START_TEST(our_zero_window)
{
    struct peer c, probe;
    struct sent *f;
    size_t sent_bytes = 0;
    uint32_t acked;

    open_one(_i, &c, false);
    acked = c.seq;
    for (int i = 0; i < 400; i++) {
        pattern(data, sent_bytes, 1400);
        peer_send(&c, ACK, data, 1400);
        sent_bytes += 1400;
        while ((f = peer_next(&c)))
            acked = f->ack;
        if (acked != c.seq && (int32_t)(c.seq - acked) > 3000)
            break;
    }
    ck_assert_uint_lt(sent_bytes, 300000);
    ck_assert_uint_eq(bed.n_held, 0);   /* what waits is in memory of ours */
    c.seq = acked;                      /* what was beyond the window is lost */
    sent_bytes = acked - 4000000001u;
    probe = c;
    pattern(data, sent_bytes, 1);
    peer_send(&probe, ACK, data, 1);
    f = peer_next(&c);
    ck_assert_ptr_nonnull(f);           /* a probe is answered with the old acknowledgement */
    ck_assert_uint_eq(f->ack, acked);
    drop_frames();
    accepted[0].read = true;
    end_event(accepted[0].s, 0, &accepted[0]);
    ck_assert_uint_eq(accepted[0].got, sent_bytes);
    turn();
    f = peer_next(&c);
    ck_assert_ptr_nonnull(f);           /* the window is open again: told at once */
    ck_assert_uint_ge(f->window, 8000);
    pattern(data, sent_bytes, 1000);
    peer_send(&c, ACK, data, 1000);
    ck_assert_uint_eq(accepted[0].got, sent_bytes + 1000);
    bed_end();
}
END_TEST

/* The peer's window closes: what is written waits, the stack asks now and then, and goes on where it was. */
START_TEST(their_zero_window)
{
    struct peer c;
    struct sent *f;
    uint32_t start;
    size_t got = 0;

    open_one(_i, &c, _i & 1);
    start = c.ack;
    c.window = 2000;
    peer_send(&c, ACK, "x", 1);
    peer_send(&c, ACK, "x", 1);         /* a smaller window counts with a new sequence number */
    drop_frames();
    pattern(data, 0, 10000);
    ck_assert_int_eq(unik_stream_write(accepted[0].s, data, 10000), 10000);
    turn();
    while ((f = peer_next(&c)))
        ;
    ck_assert_uint_le(c.ack - start, 2000);
    c.window = 0;
    peer_send(&c, ACK, NULL, 0);
    got = c.ack - start;
    f = peer_wait(&c);                  /* a probe: one byte at most */
    ck_assert_uint_le(f->payload_size, 1);
    if (f->payload_size)
        c.ack -= 1;                     /* there is no room for it */
    c.window = 65535;
    peer_send(&c, ACK, NULL, 0);
    while (got < 10000) {
        f = next_frame();
        if (!f)
            f = wait_frame();
        if (f->seq == c.ack && f->payload_size) {
            ck_assert(is_pattern(f->payload, got, f->payload_size));
            got += f->payload_size;
            c.ack += (uint32_t)f->payload_size;
            if (!bed.first)
                peer_send(&c, ACK, NULL, 0);
        }
    }
    bed_end();
}
END_TEST

/* A peer may acknowledge any byte: what is sent again is still what was written. */
START_TEST(partial_acks)
{
    struct peer c;
    struct sent *f;
    uint32_t start, next;
    unsigned again = 0;

    open_one(_i, &c, false);
    start = c.ack;
    pattern(data, 0, 20000);
    ck_assert_int_eq(unik_stream_write(accepted[0].s, data, 20000), 20000);
    turn();
    for (next = start; next != start + 20000;) {
        f = next_frame();
        if (!f)
            f = wait_frame();
        ck_assert(is_pattern(f->payload, f->seq - start, f->payload_size));
        again += (int32_t)(f->seq - next) < 0;
        if (f->payload_size && (int32_t)(f->seq - next) <= 0 && (int32_t)(f->seq + f->payload_size - next) > 0) {
            uint32_t rest = f->seq + (uint32_t)f->payload_size - next;

            next += rest < 700 ? rest : rest / 2;
            c.ack = next;
            peer_send(&c, ACK, NULL, 0);
        }
    }
    ck_assert_uint_gt(again, 0);
    turn();
    ck_assert_uint_eq(count("bytes_out"), 20000);
    bed_end();
}
END_TEST

/* Every tenth frame is lost, every third of large ones, and acknowledged only when it comes again. */
START_TEST(lossy)
{
    struct peer c;
    uint32_t start;
    unsigned n = 0, again = 0;
    size_t written = 0;
    bool lost = false;

    open_one(_i, &c, false);
    start = c.ack;
    while (c.ack - start < 60000) {
        struct sent *f;

        if (written < 60000) {
            size_t k = 60000 - written;

            pattern(data, written, k);
            written += (size_t)unik_stream_write(accepted[0].s, data, k);
            turn();
        }
        f = next_frame();
        if (!f)
            f = wait_frame();
        again += (int32_t)(f->seq - c.ack) <= 0 && lost;
        if (f->payload_size && ++n % (_i ? 3 : 10) == 0) {
            lost = true;
            continue;
        }
        ck_assert(is_pattern(f->payload, f->seq - start, f->payload_size));
        if (f->seq == c.ack)
            c.ack += (uint32_t)f->payload_size;
        peer_send(&c, ACK, NULL, 0);
    }
    ck_assert_uint_gt(again, 0);
    bed_end();
}
END_TEST

/* A large write leaves in few frames where the card cuts them, and whole in any case. */
START_TEST(merged)
{
    struct peer c;
    struct sent *f;
    uint32_t start;
    unsigned large = 0;

    open_one(_i & 1, &c, _i & 2);
    start = c.ack;
    pattern(data, 0, 200000);
    ck_assert_int_eq(unik_stream_write(accepted[0].s, data, 200000), 200000);
    turn();
    while (c.ack - start < 200000) {
        bool any = false;

        while ((f = peer_next(&c))) {
            ck_assert(is_pattern(f->payload, f->seq - start, f->payload_size));
            large += f->offloads.mss != 0;
            any = true;
        }
        ck_assert(any);
        peer_send(&c, ACK, NULL, 0);
    }
    if (_i & 1)
        ck_assert_uint_gt(large, 2);
    else
        ck_assert_uint_eq(large, 0);
    bed_end();
}
END_TEST

/* Received frames larger than the MTU, in several parts, in memory that the peer could change. */
START_TEST(large_frames)
{
    struct unik_nic_offloads o = { .flags = UNIK_NIC_SUM | (_i & 1 ? UNIK_NIC_TSO6 : UNIK_NIC_TSO4), .mss = 1400 };
    struct packet *p;
    struct peer c;

    open_one(1, &c, _i & 1);
    accepted[0].read = true;
    for (int i = 0; i < 20; i++) {
        pattern(data, (size_t)i * 50000, 50000);
        p = peer_packet(&c, ACK | PSH, data, 50000);
        memset(p->bytes + 14 + (c.v6 ? 40 : 20) + 16, 0x5a, 2);         /* the sum is not there */
        c.seq += 50000;
        inject_with(p->bytes, p->size, &o, 14, _i & 2);
        ck_assert_uint_eq(accepted[0].got, (size_t)(i + 1) * 50000);
        peer_acks(&c);
    }
    ck_assert_uint_eq(bed.n_held, 0);
    if (_i & 2)
        ck_assert_uint_eq(count("copied"), 20);
    bed_end();
}
END_TEST

/* The card has no room: nothing is lost, and nothing is sent twice when it has room again. */
START_TEST(card_full)
{
    struct peer c;
    struct sent *f;
    uint32_t start;

    open_one(_i, &c, false);
    start = c.ack;
    bed.room = 1;
    pattern(data, 0, 100000);
    ck_assert_int_eq(unik_stream_write(accepted[0].s, data, 100000), 100000);
    turn();
    while (c.ack - start < 100000) {
        while ((f = peer_next(&c)))
            ck_assert(is_pattern(f->payload, f->seq - start, f->payload_size));
        bed.room = 1;
        peer_send(&c, ACK, NULL, 0);
        bed.room = 1;
        bed.user->room(bed.user_arg);
        turn();
    }
    bed.room = 1u << 30;
    ck_assert_uint_gt(count("send_full"), 0);
    bed_end();
}
END_TEST

/* Both halves end on their own; what is written after the peer's end still arrives. */
START_TEST(half_close)
{
    struct peer c;
    struct sent *f;

    open_one(_i, &c, false);
    peer_send(&c, ACK | FIN, NULL, 0);
    ck_assert_ptr_nonnull(f = peer_next(&c));
    ck_assert_uint_eq(f->ack, c.seq);
    ck_assert_int_eq(unik_stream_ended(accepted[0].s), 1);
    ck_assert_int_eq(unik_stream_write(accepted[0].s, "late", 4), 4);
    ck_assert_int_eq(unik_stream_shut(accepted[0].s), 0);
    ck_assert_int_eq(unik_stream_write(accepted[0].s, "no", 2), -EPIPE);
    turn();
    f = peer_next(&c);
    ck_assert_ptr_nonnull(f);
    ck_assert_mem_eq(f->payload, "late", 4);
    if (!(f->flags & FIN))
        ck_assert_ptr_nonnull(f = peer_next(&c));
    ck_assert(f->flags & FIN);
    peer_send(&c, ACK, NULL, 0);
    turn();
    unik_stream_close(accepted[0].s);
    accepted[0].s = NULL;
    turn();
    ck_assert_uint_eq(count("connections"), 0);
    no_frame();
    bed_end();
}
END_TEST

/* Closed with bytes to send, and bytes unread: what was written arrives, then our end; no reset. */
START_TEST(close_with_output)
{
    struct peer c;
    struct sent *f;
    uint32_t start;
    bool ended = false;

    open_one(_i, &c, false);
    start = c.ack;
    peer_send(&c, ACK, "unread", 6);
    drop_frames();
    pattern(data, 0, 90000);
    ck_assert_int_eq(unik_stream_write(accepted[0].s, data, 90000), 90000);
    unik_stream_close(accepted[0].s);
    accepted[0].s = NULL;
    turn();
    while (!ended) {
        while ((f = peer_next(&c))) {
            ck_assert_uint_eq(f->flags & RST, 0);
            ck_assert(is_pattern(f->payload, f->seq - start, f->payload_size));
            ended |= (f->flags & FIN) != 0;
        }
        peer_send(&c, ACK, NULL, 0);
        turn();
    }
    ck_assert_uint_eq(c.ack - start, 90001);
    peer_send(&c, ACK, "later", 5);     /* not read by anybody, but no reason to reset */
    f = peer_wait(&c);
    ck_assert_uint_eq(f->flags & RST, 0);
    peer_send(&c, ACK | FIN, NULL, 0);
    turn();
    ck_assert_uint_eq(count("connections"), 0);
    bed_end();
}
END_TEST

START_TEST(connect_out)
{
    struct end e = { .read = true };
    struct peer c = { .v6 = _i & 1, .port = 7777, .seq = 5000, .window = 60000 };
    struct sent *f;

    bed_begin(cards[_i & 1], NULL);
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, c.v6 ? PEER6 : PEER4, 7777, end_event, &e, &e.s), 0);
    turn();
    f = next_frame();
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->flags, SYN);
    ck_assert_mem_eq(f->bytes, mac_peer, 6);    /* the fixed neighbour, without asking */
    c.us = f->from;
    c.ack = f->seq + 1;
    ck_assert_uint_eq(e.opens, 0);
    if (_i & 2) {
        peer_send(&c, RST | ACK, NULL, 0);
        ck_assert_int_eq(unik_stream_ended(e.s), -ECONNREFUSED);
        ck_assert_uint_eq(e.inputs, 1);
        ck_assert_uint_eq(count("connect_failed"), 1);
    } else {
        peer_send(&c, SYN | ACK, NULL, 0);
        ck_assert_uint_eq(e.opens, 1);
        peer_acks(&c);
        pattern(data, 0, 100);
        peer_send(&c, ACK, data, 100);
        ck_assert_uint_eq(e.got, 100);
    }
    unik_stream_close(e.s);
    drop_frames();
    bed_end();
}
END_TEST

/* To ourselves, with no card in between. */
START_TEST(to_ourselves)
{
    struct end e = { .read = true };

    bed_begin(cards[_i & 1], NULL);
    listen_at(80);
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, _i & 2 ? US6 : US4, 80, end_event, &e, &e.s), 0);
    for (int i = 0; i < 10 && n_accepted == 0; i++)
        turn();
    ck_assert_uint_eq(n_accepted, 1);
    accepted[0].echo = true;
    pattern(data, 0, 100000);
    ck_assert_int_eq(unik_stream_write(e.s, data, 100000), 100000);
    for (double until = ev_time() + LONG; e.got < 100000 && ev_time() < until;)
        host_run(bed.h, 0.01);
    ck_assert_uint_eq(e.got, 100000);
    unik_stream_close(e.s);
    accepted[0].close_at_end = true;
    for (int i = 0; i < 10; i++)
        turn();
    no_frame();
    bed_end();
}
END_TEST

TCase *tcp_tests(void)
{
    TCase *t = tcase_create("tcp");

    tcase_add_loop_test(t, echo, 0, 4);
    tcase_add_loop_test(t, reordered, 0, 2);
    tcase_add_loop_test(t, our_zero_window, 0, 2);
    tcase_add_loop_test(t, their_zero_window, 0, 2);
    tcase_add_loop_test(t, partial_acks, 0, 2);
    tcase_add_loop_test(t, lossy, 0, 2);
    tcase_add_loop_test(t, merged, 0, 4);
    tcase_add_loop_test(t, large_frames, 0, 4);
    tcase_add_loop_test(t, card_full, 0, 2);
    tcase_add_loop_test(t, half_close, 0, 2);
    tcase_add_loop_test(t, close_with_output, 0, 2);
    tcase_add_loop_test(t, connect_out, 0, 4);
    tcase_add_loop_test(t, to_ourselves, 0, 4);
    return t;
}
