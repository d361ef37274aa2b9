/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/reuse.c - the same client port again: a connection that is over gives way to a newer SYN at once (RFC 1122 4.2.2.13,
 * RFC 6191), and one that somebody still uses does not. */
#include <string.h>

#include "bed.h"

enum state { TIME_WAIT, FIN_WAIT_2, LAST_ACK, CLOSING };

static void become(struct peer *c, bool v6, enum state state)
{
    struct end *e;
    struct sent *f;

    peer_open(c, v6, 4000, 80);
    e = &accepted[(n_accepted - 1) % 64];
    if (state == LAST_ACK) {
        e->close_at_end = true;
        peer_send(c, FIN | ACK, NULL, 0);
    } else {
        unik_stream_close(e->s);
        e->s = NULL;
    }
    turn();
    while ((f = peer_next(c)) && !(f->flags & FIN))
        ;
    ck_assert_ptr_nonnull(f);
    if (state == FIN_WAIT_2)
        peer_send(c, ACK, NULL, 0);
    if (state == TIME_WAIT)
        peer_send(c, FIN | ACK, NULL, 0);
    if (state == CLOSING) {
        struct peer late = *c;

        late.ack--;                     /* our FIN has not arrived there yet */
        peer_send(&late, FIN | ACK, NULL, 0);
        c->seq = late.seq;
    }
    turn();
    drop_frames();
}

/* A SYN that many bytes after the end of the old connection: the answer's flags. */
static unsigned again(struct peer *c, uint32_t later)
{
    struct peer fresh = *c;
    struct sent *f;
    unsigned flags;

    fresh.seq = c->seq + later;
    peer_send(&fresh, SYN, NULL, 0);
    f = next_frame();
    if (!f)
        return 0;
    flags = f->flags;
    if (flags == (SYN | ACK)) {
        ck_assert_uint_eq(f->ack, fresh.seq);
        ck_assert_int_gt((int32_t)(f->seq - c->ack), 0);        /* our numbers are newer, too */
        fresh.ack = f->seq + 1;
        peer_send(&fresh, ACK, NULL, 0);
        *c = fresh;
    }
    no_frame();
    return flags;
}

START_TEST(gives_way)
{
    static const uint32_t later[] = { 0, 1000, 10000000, 0x7fffffff };
    const bool v6 = _i & 1;
    const enum state state = (enum state)(_i / 2);

    bed_begin(0, NULL);
    listen_at(80);
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        unsigned before = n_accepted;
        struct peer c;

        become(&c, v6, state);
        ck_assert_uint_eq(again(&c, later[i]), SYN | ACK);
        ck_assert_uint_eq(n_accepted, before + 2);
        peer_send(&c, ACK | PSH, "hello", 5);
        ck_assert_uint_eq(unik_stream_ended(accepted[before + 1].s), 0);
        peer_send(&c, RST, NULL, 0);
        turn();
        drop_frames();
    }
    bed_end();
}
END_TEST

START_TEST(does_not_give_way)
{
    const bool v6 = _i & 1;
    struct peer c;
    struct packet *p;
    struct peer fresh;
    unsigned flags;

    bed_begin(0, NULL);
    listen_at(80);
    become(&c, v6, TIME_WAIT);
    ck_assert_uint_eq(again(&c, (uint32_t)-5000), ACK);         /* an old one: it may be a late copy */
    fresh = c;
    p = peer_packet(&fresh, SYN, NULL, 0);
    p->bytes[p->size - 1] ^= 1;
    inject(p->bytes, p->size);          /* damaged */
    no_frame();
    fresh.ack = 77;
    peer_send(&fresh, SYN | ACK, NULL, 0);
    flags = next_frame()->flags;
    ck_assert_uint_eq(flags & SYN, 0);
    ck_assert_uint_eq(again(&c, 1), SYN | ACK);
    ck_assert_uint_eq(again(&c, 1000), ACK);                    /* and that one is somebody's now */
    ck_assert_int_eq(unik_stream_ended(accepted[n_accepted - 1].s), 0);
    unik_stream_shut(accepted[n_accepted - 1].s);               /* still read: FIN-WAIT-2 */
    turn();
    peer_acks(&c);
    ck_assert_uint_eq(again(&c, 1000), ACK);
    accepted[n_accepted - 1].read = true;
    pattern((uint8_t[5]){ 0 }, 0, 5);
    ck_assert_int_eq(unik_stream_ended(accepted[n_accepted - 1].s), 0);
    bed_end();
}
END_TEST

/* After many bytes the clock alone would give a number that the old connection has used. */
START_TEST(numbers_go_on)
{
    static uint8_t data[4096];
    struct peer c;

    bed_begin(0, NULL);
    listen_at(80);
    peer_open(&c, _i, 4000, 80);
    for (int i = 0; i < 256; i++) {
        ck_assert_int_eq(unik_stream_write(accepted[0].s, data, sizeof(data)), sizeof(data));
        turn();
        peer_acks(&c);
    }
    unik_stream_close(accepted[0].s);
    accepted[0].s = NULL;
    turn();
    peer_acks(&c);
    peer_send(&c, FIN | ACK, NULL, 0);
    turn();
    drop_frames();
    ck_assert_uint_eq(again(&c, 1), SYN | ACK);
    bed_end();
}
END_TEST

TCase *reuse_tests(void)
{
    TCase *t = tcase_create("reuse");

    tcase_add_loop_test(t, gives_way, 0, 8);
    tcase_add_loop_test(t, does_not_give_way, 0, 2);
    tcase_add_loop_test(t, numbers_go_on, 0, 2);
    return t;
}
