/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/packet.c - packets byte by byte: made, and taken apart. */
#include <arpa/inet.h>
#include <string.h>

#include "bed.h"

const uint8_t mac_us[6] = { 0x00, 0x16, 0x3e, 0x5e, 0x6c, 0x00 }, mac_peer[6] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };

void put16(uint8_t *p, unsigned v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }
void put32(uint8_t *p, uint32_t v) { put16(p, v >> 16), put16(p + 2, v & 0xffff); }
unsigned get16(const uint8_t *p) { return (unsigned)p[0] << 8 | p[1]; }
uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

static uint32_t add(const void *bytes, size_t n, uint32_t sum)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i + 1 < n; i += 2) {
        sum += get16(p + i);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    if (n & 1)
        sum += (uint32_t)p[n - 1] << 8;
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

uint16_t sum16(const void *bytes, size_t n, uint32_t start) { return (uint16_t)~add(bytes, n, start); }

void make_eth(struct packet *p, unsigned type)
{
    memcpy(p->bytes, mac_us, 6);
    memcpy(p->bytes + 6, mac_peer, 6);
    put16(p->bytes + 12, type);
    p->size = 14;
}

static uint32_t pseudo(const uint8_t *ip, bool v6, unsigned proto, size_t n)
{
    uint32_t sum = v6 ? add(ip + 8, 32, 0) : add(ip + 12, 8, 0);

    return sum + proto + (uint32_t)(n & 0xffff) + (uint32_t)(n >> 16);
}

void fix_sum(struct packet *p)
{
    uint8_t *ip = p->bytes + 14, *l4;
    bool v6 = get16(p->bytes + 12) == 0x86dd;
    size_t head = v6 ? 40 : (size_t)(ip[0] & 15) * 4, n = p->size - 14 - head;
    unsigned proto = v6 ? ip[6] : ip[9], at = proto == TCP ? 16 : proto == UDP ? 6 : 2;

    if (p->size < 14 + head)
        return;
    l4 = ip + head;
    if (!v6) {
        put16(ip + 10, 0);
        put16(ip + 10, sum16(ip, head, 0));
    }
    if (n < at + 2u)
        return;
    put16(l4 + at, 0);
    put16(l4 + at, sum16(l4, n, proto == ICMP ? 0 : pseudo(ip, v6, proto, n)));
}

void make_ip(struct packet *p, bool v6, unsigned proto, const void *l4, size_t n)
{
    static unsigned id;
    uint8_t *ip = p->bytes + 14;

    make_eth(p, v6 ? 0x86dd : 0x0800);
    memset(ip, 0, 40);
    if (v6) {
        ip[0] = 0x60;
        put16(ip + 4, (unsigned)n);
        ip[6] = (uint8_t)proto;
        ip[7] = 64;
        inet_pton(AF_INET6, PEER6, ip + 8);
        inet_pton(AF_INET6, US6, ip + 24);
    } else {
        ip[0] = 0x45;
        put16(ip + 2, (unsigned)n + 20);
        put16(ip + 4, ++id);
        ip[8] = 64;
        ip[9] = (uint8_t)proto;
        inet_pton(AF_INET, PEER4, ip + 12);
        inet_pton(AF_INET, US4, ip + 16);
        put16(ip + 10, sum16(ip, 20, 0));
    }
    p->size = 14 + (v6 ? 40 : 20) + n;
    memcpy(ip + (v6 ? 40 : 20), l4, n);
}

void make_udp(struct packet *p, bool v6, unsigned from, unsigned to, const void *bytes, size_t n)
{
    uint8_t l4[2048];

    ck_assert_uint_le(n + 8, sizeof(l4));
    put16(l4, from);
    put16(l4 + 2, to);
    put16(l4 + 4, (unsigned)n + 8);
    put16(l4 + 6, 0);
    memcpy(l4 + 8, bytes, n);
    make_ip(p, v6, UDP, l4, n + 8);
    fix_sum(p);
}

/* ---- what the stack sends ---- */

static void parse_options(struct sent *f, const uint8_t *o, size_t n)
{
    while (n && o[0] != 0) {
        size_t k = o[0] == 1 ? 1 : n > 1 ? o[1] : 0;

        ck_assert_uint_ge(k, 1);
        ck_assert_uint_le(k, n);
        if (o[0] == 2)
            f->mss = get16(o + 2);
        if (o[0] == 3)
            f->scale = o[2] + 1u;
        if (o[0] == 4)
            f->may_sack = true;
        if (o[0] == 5)
            for (size_t i = 2; i + 8 <= k; i += 8, f->sacks++) {
                f->sack[f->sacks * 2] = get32(o + i);
                f->sack[f->sacks * 2 + 1] = get32(o + i + 4);
            }
        o += k;
        n -= k;
    }
}

static void check_l4_sum(struct sent *f)
{
    unsigned at = f->proto == TCP ? 16 : f->proto == UDP ? 6 : 2;
    uint32_t start = f->proto == ICMP ? 0 : pseudo(f->ip, f->v6, f->proto, f->l4_size);

    if (f->offloads.flags & UNIK_NIC_SUM) {     /* the card does the rest: only the pseudo-header's is there */
        ck_assert_uint_eq(f->offloads.sum_start, f->l4 - f->bytes);
        ck_assert_uint_eq(f->offloads.sum_offset, at);
        ck_assert_uint_eq(get16(f->l4 + at), add("", 0, start));
        return;
    }
    if (f->proto == UDP && !f->v6 && get16(f->l4 + at) == 0)
        return;
    ck_assert_uint_eq(sum16(f->l4, f->l4_size, start), 0);
}

static void parse_ip(struct sent *f)
{
    size_t head = 40, total;

    f->ip = f->bytes + 14;
    f->v6 = f->type == 0x86dd;
    if (f->v6) {
        ck_assert_uint_ge(f->size, 14 + 40);
        total = get16(f->ip + 4) + 40u;
        f->proto = f->ip[6];
        f->fragment = f->proto == 44;
    } else {
        ck_assert_uint_ge(f->size, 14 + 20);
        head = (size_t)(f->ip[0] & 15) * 4;
        ck_assert_uint_ge(head, 20);
        ck_assert_uint_eq(sum16(f->ip, head, 0), 0);
        total = get16(f->ip + 2);
        f->proto = f->ip[9];
        f->fragment = (get16(f->ip + 6) & 0x3fff) != 0;
    }
    ck_assert_uint_eq(total, f->size - 14);
    ck_assert(!bed.info.mtu || f->size - 14 <= bed.info.mtu || (f->offloads.flags & (UNIK_NIC_TSO4 | UNIK_NIC_TSO6)));
    f->l4 = f->ip + head;
    f->l4_size = total - head;
}

void parse_frame(struct sent *f)
{
    ck_assert_uint_ge(f->size, 14);
    f->type = get16(f->bytes + 12);
    if (f->type != 0x0800 && f->type != 0x86dd)
        return;
    parse_ip(f);
    if (f->fragment)
        return;
    check_l4_sum(f);
    if (f->proto == UDP || f->proto == TCP) {
        size_t head = f->proto == UDP ? 8 : (size_t)(f->l4[12] >> 4) * 4;

        ck_assert_uint_ge(f->l4_size, head);
        f->from = get16(f->l4);
        f->to = get16(f->l4 + 2);
        f->payload = f->l4 + head;
        f->payload_size = f->l4_size - head;
        if (f->proto == TCP) {
            f->seq = get32(f->l4 + 4);
            f->ack = get32(f->l4 + 8);
            f->flags = f->l4[13];
            f->window = get16(f->l4 + 14);
            parse_options(f, f->l4 + 20, head - 20);
        }
    }
    if (f->offloads.flags & (UNIK_NIC_TSO4 | UNIK_NIC_TSO6)) {
        ck_assert_uint_eq(f->proto, TCP);
        ck_assert((f->offloads.flags & UNIK_NIC_SUM) && !(f->offloads.flags & UNIK_NIC_TSO4) == f->v6);
        ck_assert_uint_gt(f->offloads.mss, 0);
        ck_assert_uint_gt(f->payload_size, f->offloads.mss);
        ck_assert_uint_le((size_t)(f->payload - f->ip) + f->offloads.mss, bed.info.mtu);
    } else {
        ck_assert_uint_eq(f->offloads.mss, 0);
    }
}

/* ---- a TCP peer ---- */

struct packet *peer_packet(struct peer *c, unsigned flags, const void *bytes, size_t n)
{
    static uint8_t l4[65536];
    static struct packet p;
    size_t head = flags & SYN ? 28 : 20;

    ck_assert_uint_le(n + head, sizeof(l4));
    memset(l4, 0, head);
    put16(l4, c->port);
    put16(l4 + 2, c->us);
    put32(l4 + 4, c->seq);
    put32(l4 + 8, flags & ACK ? c->ack : 0);
    l4[12] = (uint8_t)(head / 4 << 4);
    l4[13] = (uint8_t)flags;
    put16(l4 + 14, c->window);
    if (flags & SYN) {                  /* MSS 1460, SACK, window scale 0 */
        static const uint8_t options[8] = { 2, 4, 0x05, 0xb4, 4, 2, 1, 0 };

        memcpy(l4 + 20, options, 8);
    }
    if (n)
        memcpy(l4 + head, bytes, n);
    make_ip(&p, c->v6, TCP, l4, head + n);
    fix_sum(&p);
    return &p;
}

void peer_send(struct peer *c, unsigned flags, const void *bytes, size_t n)
{
    struct packet *p = peer_packet(c, flags, bytes, n);

    c->seq += (uint32_t)n + !!(flags & SYN) + !!(flags & FIN);
    inject(p->bytes, p->size);
}

static struct sent *take(struct peer *c, struct sent *f)
{
    if (!f)
        return NULL;
    ck_assert_uint_eq(f->proto, TCP);
    ck_assert_uint_eq(f->to, c->port);
    ck_assert_uint_eq(f->from, c->us);
    ck_assert_int_eq(f->v6, c->v6);
    if (f->flags & SYN) {
        c->ack = f->seq + 1;
    } else if (!(f->flags & RST)) {
        if (f->payload_size || (f->flags & FIN))
            ck_assert_uint_eq(f->seq, c->ack);
        c->ack += (uint32_t)f->payload_size + !!(f->flags & FIN);
    }
    return f;
}

struct sent *peer_next(struct peer *c) { return take(c, next_frame()); }
struct sent *peer_wait(struct peer *c) { return take(c, wait_frame()); }

void peer_acks(struct peer *c)
{
    bool any = false;

    while (peer_next(c))
        any = true;
    if (any)
        peer_send(c, ACK, NULL, 0);
}

void peer_open(struct peer *c, bool v6, unsigned port, unsigned us)
{
    struct sent *f;

    *c = (struct peer){ .v6 = v6, .port = port, .us = us, .seq = 1000000u * port, .window = 65535 };
    peer_send(c, SYN, NULL, 0);
    f = peer_next(c);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->flags, SYN | ACK);
    ck_assert_uint_eq(f->ack, c->seq);
    ck_assert_uint_eq(f->mss, v6 ? 1440 : 1460);
    peer_send(c, ACK, NULL, 0);
}

void pattern(void *to, size_t from, size_t n)
{
    uint8_t *p = to;

    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)((from + i) * 2654435761u >> 13);
}

bool is_pattern(const void *bytes, size_t from, size_t n)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < n; i++)
        if (p[i] != (uint8_t)((from + i) * 2654435761u >> 13))
            return false;
    return true;
}
