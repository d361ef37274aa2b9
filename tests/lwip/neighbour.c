/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/neighbour.c - neighbour discovery with neighbour = ask: where frames go after each advertisement, and what cannot move them. */
#include <arpa/inet.h>
#include <string.h>

#include "bed.h"

static const uint8_t friend_mac[6] = { 2, 0, 0, 0, 0, 1 }, thief[6] = { 2, 0, 0, 0, 0, 66 };

/* An advertisement of PEER6: flags, options. */
static void say_to(const char *to, unsigned flags, const void *options, size_t n, unsigned hops, bool bad_sum)
{
    struct packet p;
    uint8_t m[24 + 64] = { 136 };

    m[4] = (uint8_t)flags;
    inet_pton(AF_INET6, PEER6, m + 8);
    memcpy(m + 24, options, n);
    make_ip(&p, true, ICMP6, m, 24 + n);
    p.bytes[14 + 7] = (uint8_t)hops;
    inet_pton(AF_INET6, to, p.bytes + 14 + 24);
    if (strncmp(to, "ff", 2) == 0)
        memcpy(p.bytes, "\x33\x33\0\0\0\1", 6);
    fix_sum(&p);
    p.bytes[56] ^= bad_sum;
    inject(p.bytes, p.size);
}

static void say(unsigned flags, const void *options, size_t n) { say_to(US6, flags, options, n, 255, false); }

static size_t option(uint8_t *to, unsigned type, const uint8_t *mac)
{
    to[0] = (uint8_t)type, to[1] = 1;
    memcpy(to + 2, mac, 6);
    return 8;
}

static struct unik_net_udp *udp;
static void on_datagram(struct unik_net_udp *u, const void *b, size_t n, const char *a, unsigned p, void *arg) { (void)u, (void)b, (void)n, (void)a, (void)p, (void)arg; }

/* Where a datagram to PEER6 goes. */
static const uint8_t *to(void)
{
    struct sent *f;

    ck_assert_int_eq(bed.net->send(bed.net, udp, PEER6, 9, "x", 1), 0);
    turn();
    do
        ck_assert_ptr_nonnull(f = next_frame());
    while (f->proto != UDP);
    return f->bytes;
}

static void begin(void)
{
    const char *const options[] = { "ipv4=static", "address=" US4, "address6=" US6, "gateway6=" PEER6, "neighbour=ask", NULL };
    uint8_t o[8];
    unsigned port = 0;
    struct sent *f;

    bed_begin_raw(UNIK_ON_QUBES, 0, options);
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, "", &port, on_datagram, NULL, &udp), 0);
    ck_assert_int_eq(bed.net->send(bed.net, udp, PEER6, 9, "x", 1), 0);
    do
        f = wait_frame();
    while (f->proto != ICMP6 || f->l4[0] != 135);
    say(0x60, o, option(o, 2, friend_mac));
    do
        f = wait_frame();
    while (f->proto != UDP);            /* what had waited */
    ck_assert_mem_eq(f->bytes, friend_mac, 6);
    drop_frames();
}

START_TEST(advertisements)
{
    uint8_t o[16];

    begin();
    ck_assert_mem_eq(to(), friend_mac, 6);
    say(0x20, "\2\0", 2);
    say(0x20, "\2\0\2\0\0\0\0\102", 8);
    option(o, 14, thief);
    say(0x20, o, 8);
    say(0x60, o, 8);
    option(o + 8, 2, thief);
    say_to(US6, 0x20, o, 16, 64, false);
    say_to(US6, 0x20, o, 16, 255, true);
    say_to("ff02::1", 0x60, o, 16, 255, false);
    ck_assert_mem_eq(to(), friend_mac, 6);
    say(0x20, o, 16);                   /* a nonce, then the address: that one counts */
    ck_assert_mem_eq(to(), thief, 6);
    option(o, 2, friend_mac);
    option(o + 8, 14, thief);
    say_to("ff02::1", 0x20, o, 16, 255, false);
    ck_assert_mem_eq(to(), friend_mac, 6);
    bed_end();
}
END_TEST

/* Asked for our address: the answer goes to the option that holds one, wherever it stands. */
START_TEST(solicitations)
{
    struct packet p;
    uint8_t m[24 + 16] = { 135 };
    struct sent *f;

    begin();
    for (int i = 0; i < 4; i++) {
        inet_pton(AF_INET6, i == 3 ? PEER6 : US6, m + 8);
        option(m + 24, i == 1 ? 1 : 14, friend_mac);
        option(m + 32, i == 1 ? 14 : 1, friend_mac);
        if (i == 2)
            m[33] = 0;
        make_ip(&p, true, ICMP6, m, sizeof(m));
        p.bytes[14 + 7] = 255;
        fix_sum(&p);
        inject(p.bytes, p.size);
        f = next_frame();
        ck_assert_int_eq(f != NULL, i < 2);
        if (f) {
            ck_assert_uint_eq(f->l4[0], 136);
            ck_assert_mem_eq(f->bytes, friend_mac, 6);
        }
        no_frame();
    }
    bed_end();
}
END_TEST

TCase *neighbour_tests(void)
{
    TCase *t = tcase_create("neighbour");

    tcase_add_test(t, advertisements);
    tcase_add_test(t, solicitations);
    return t;
}
