/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/admit.c - what may come in: the addresses, and the way through the headers. ICMPv6 is in admit-icmp6.c.
 *
 * RFC 1122 3.2.1.3 and 3.3.6, RFC 6890 (addresses); RFC 8200 4 and RFC 7112 (headers of IPv6); RFC 826 and 5227 (ARP). */
#include <string.h>

#include "admit-parts.h"

#define CHAIN_MAX 4                     /* headers between that of IPv6 and the transport's */
#define ANYWHERE (ADMIT_FROM | ADMIT_TO | ADMIT_OWN)

/* The first row that fits counts. */
static const struct { uint8_t prefix[4], bits; unsigned roles; } table4[] = {
    { { 0, 0, 0, 0 }, 32, ADMIT_PROBE },
    { { 0, 0, 0, 0 }, 8, 0 },                           /* this network */
    { { 127, 0, 0, 0 }, 8, 0 },                         /* loopback */
    { { 224, 0, 0, 0 }, 4, ADMIT_TO | ADMIT_GROUP },
    { { 255, 255, 255, 255 }, 32, ADMIT_TO | ADMIT_GROUP },
    { { 240, 0, 0, 0 }, 4, 0 },                         /* reserved */
    { { 0, 0, 0, 0 }, 0, ANYWHERE }
};

static const struct { uint8_t prefix[16], bits; unsigned roles; } table6[] = {
    { { 0 }, 128, ADMIT_PROBE },
    { { 0 }, 96, 0 },                                   /* ::1, and IPv4-compatible ones */
    { { [10] = 0xff, 0xff }, 96, 0 },                   /* IPv4-mapped */
    { { 0x01 }, 64, 0 },                                /* discard-only (RFC 6666) */
    { { 0xff }, 8, ADMIT_TO | ADMIT_GROUP },
    { { 0 }, 0, ANYWHERE }
};

static bool within(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
    unsigned rest = bits % 8;

    return memcmp(address, prefix, bits / 8) == 0 && (rest == 0 || ((address[bits / 8] ^ prefix[bits / 8]) >> (8 - rest)) == 0);
}

unsigned admit_roles4(const uint8_t *address)
{
    size_t i = 0;

    while (!within(address, table4[i].prefix, table4[i].bits))
        i++;
    return table4[i].roles;
}

unsigned admit_roles6(const uint8_t *address)
{
    size_t i = 0;

    if (address[0] == 0xff && (address[1] & 15) <= 1)
        return 0;                       /* groups of scope 0 (reserved) and 1 (this interface) do not travel (RFC 4291 2.7) */
    while (!within(address, table6[i].prefix, table6[i].bits))
        i++;
    return table6[i].roles;
}

bool admit_is_mac(const struct admit_here *here, const uint8_t *mac)
{
    static const uint8_t none[6];

    return !(mac[0] & 1) && memcmp(mac, none, 6) != 0 && memcmp(mac, here->mac, 6) != 0;
}

bool admit_ours6(const struct admit_here *here, const uint8_t *address)
{
    for (int i = 0; i < ADMIT_ADDRESSES6; i++)
        if (here->have6[i] && memcmp(here->address6[i], address, 16) == 0)
            return true;
    return false;
}

bool admit_solicited(const struct admit_here *here, const uint8_t *group)
{
    static const uint8_t prefix[13] = { 0xff, 0x02, [11] = 0x01, 0xff };

    for (int i = 0; i < ADMIT_ADDRESSES6; i++)
        if (here->have6[i] && memcmp(group, prefix, 13) == 0 && memcmp(group + 13, here->address6[i] + 13, 3) == 0)
            return true;
    return false;
}

/* May that be somebody on the wire, and not us? */
static bool other4(const struct admit_here *here, const uint8_t *address)
{
    return (admit_roles4(address) & ADMIT_FROM) && !(here->have4 && (memcmp(address, here->address, 4) == 0 ||
                                                                     memcmp(address, here->broadcast, 4) == 0));
}

static enum admit_verdict arp(const struct admit_here *here, const uint8_t *a, size_t n)
{
    static const uint8_t ethernet[6] = { 0, 1, 8, 0, 6, 4 };

    if (n < 28)
        return ADMIT_SHORT;
    if (memcmp(a, ethernet, 6) != 0 || a[6] != 0 || (a[7] != 1 && a[7] != 2))
        return ADMIT_HEADERS;
    if (!admit_is_mac(here, a + 8) || !(other4(here, a + 14) || (a[7] == 1 && (admit_roles4(a + 14) & ADMIT_PROBE))))
        return ADMIT_ADDRESS;
    return ADMIT_TAKE;
}

/* Our own address, a broadcast that we take, or what DHCP may send before we have one. */
static enum admit_verdict to4(const struct admit_here *here, const struct admit_view *v)
{
    const uint8_t *ip = v->frame + 14, *to = ip + 16;
    unsigned roles = admit_roles4(to);
    bool udp = ip[9] == 17 && ((ip[6] & 0x1f) | ip[7]) == 0 && v->n >= 14 + 20 + 4;
    bool dhcp = here->dhcp && udp && ip[20 + 2] == 0 && ip[20 + 3] == 68;

    if (!(roles & ADMIT_TO))
        return ADMIT_ADDRESS;
    if (here->have4 && memcmp(to, here->address, 4) == 0)
        return v->group ? ADMIT_ADDRESS : ADMIT_TAKE;
    if ((to[0] & to[1] & to[2] & to[3]) == 255 || (here->have4 && memcmp(to, here->broadcast, 4) == 0))
        return (here->have4 && ip[9] == 17) || dhcp ? ADMIT_TAKE : ADMIT_OTHERS;
    return dhcp && !(roles & ADMIT_GROUP) && !v->group ? ADMIT_TAKE : ADMIT_OTHERS;
}

static enum admit_verdict ip4(const struct admit_here *here, const struct admit_view *v, struct admit_found *found)
{
    const uint8_t *ip = v->frame + 14;
    enum admit_verdict verdict;
    size_t size, at;
    bool more;

    if (v->n < 14 + 20)
        return ADMIT_SHORT;
    if (ip[0] != 0x45)
        return ADMIT_HEADERS;           /* options: source routes and the like */
    size = admit_be16(ip + 2);
    if (size < 20 || 14 + size > v->whole)
        return ADMIT_SHORT;
    if (!other4(here, ip + 12))
        return ADMIT_ADDRESS;
    verdict = to4(here, v);
    if (verdict != ADMIT_TAKE)
        return verdict;
    more = ip[6] & 0x20;
    at = (admit_be16(ip + 6) & 0x1fff) * 8u;
    if (more || at) {
        if (size == 20 || at + size - 20 > 65515 || (more && (size - 20) % 8))
            return ADMIT_HEADERS;
        return ADMIT_TAKE;
    }
    found->proto = ip[9];
    found->l4 = 14 + 20;
    found->end = 14 + size;
    return ADMIT_TAKE;
}

/* ---- IPv6 ---- */

static enum admit_verdict addresses6(const struct admit_here *here, const struct admit_view *v)
{
    static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
    const uint8_t *from = v->frame + 14 + 8, *to = from + 16;
    unsigned roles = admit_roles6(to);

    if (!(admit_roles6(from) & (ADMIT_FROM | ADMIT_PROBE)) || admit_ours6(here, from) || !(roles & ADMIT_TO))
        return ADMIT_ADDRESS;
    if (roles & ADMIT_GROUP)
        return (memcmp(to, all_nodes, 16) == 0 && (here->have6[0] || here->have6[1])) || admit_solicited(here, to) ? ADMIT_TAKE :
               ADMIT_OTHERS;
    if (!admit_ours6(here, to))
        return ADMIT_OTHERS;
    return v->group ? ADMIT_ADDRESS : ADMIT_TAKE;
}

/* Each option lies within its header, and may be skipped by who does not know it (RFC 8200 4.2). */
static bool options6(const uint8_t *o, size_t n)
{
    for (size_t i = 0, k; i < n; i += k) {
        if (o[i] & 0xc0)
            return false;
        k = o[i] == 0 ? 1 : i + 1 < n ? o[i + 1] + 2u : 0;
        if (k == 0 || k > n - i)
            return false;
    }
    return true;
}

/* A header of options or of a route. Its size; 0: it must not be there. */
static size_t extension6(const struct admit_view *v, unsigned kind, size_t at, size_t end)
{
    const uint8_t *h = v->frame + at;
    size_t size;

    if (end - at < 8 || v->n < at + 8)
        return 0;
    size = 8 * (1u + h[1]);
    if (size > end - at || v->n < at + size)
        return 0;
    if (kind == IP6_ROUTE)
        return h[3] == 0 ? size : 0;    /* nowhere left to go: ignored, else somebody sends us round */
    return options6(h + 2, size - 2) ? size : 0;
}

static bool transport(unsigned kind) { return kind == IP6_TCP || kind == IP6_UDP || kind == IP6_ICMP; }

/* A fragment: only of what we take, and no header but IPv6's before it. *first: it holds the transport's header. */
static bool fragment6(const struct admit_view *v, size_t at, size_t end, bool *first, bool *whole)
{
    const uint8_t *h = v->frame + at;
    size_t offset, size;

    if (end - at < 8 || v->n < at + 8 || !transport(h[0]))
        return false;
    offset = admit_be16(h + 2) & 0xfff8u;
    size = end - at - 8;
    *first = offset == 0;
    *whole = *first && !(h[3] & 1);
    return *whole || (at == 14 + 40 && size > 0 && offset + size <= 65535 && !((h[3] & 1) && size % 8));
}

/* What stands in the transport's own header. fragment: there is a header of fragments before it. */
static enum admit_verdict transport6(const struct admit_here *here, const struct admit_view *v, unsigned kind, bool fragment,
                                     struct admit_found *found)
{
    const uint8_t *h = v->frame + found->l4;
    size_t need = kind == IP6_TCP ? 20 : 8;

    if (found->end - found->l4 < need || v->n < found->l4 + need)
        return ADMIT_SHORT;             /* the first fragment has all headers (RFC 7112), or it is none */
    if (kind == IP6_ICMP)
        return admit_icmp6(here, v, fragment, found);
    if (admit_roles6(v->frame + 14 + 8) & ADMIT_PROBE)
        return ADMIT_ADDRESS;
    if (kind == IP6_UDP && !(h[6] | h[7]))
        return ADMIT_HEADERS;           /* no checksum: not over IPv6 (RFC 8200 8.1) */
    return ADMIT_TAKE;
}

static enum admit_verdict ip6(const struct admit_here *here, const struct admit_view *v, struct admit_found *found)
{
    const uint8_t *ip = v->frame + 14;
    bool fragment = false, first = true, whole = true;
    enum admit_verdict verdict;
    size_t at = 14 + 40, size, end;
    unsigned kind;

    if (v->n < at)
        return ADMIT_SHORT;
    if (ip[0] >> 4 != 6)
        return ADMIT_HEADERS;
    end = at + admit_be16(ip + 4);
    if (end > v->whole)
        return ADMIT_SHORT;
    verdict = addresses6(here, v);
    if (verdict != ADMIT_TAKE)
        return verdict;
    kind = ip[6];
    for (int i = 0; !transport(kind); i++) {
        if (i == CHAIN_MAX || (kind == IP6_HOPS && i > 0))
            return ADMIT_HEADERS;
        if (kind == IP6_FRAGMENT)
            size = !fragment && fragment6(v, at, end, &first, &whole) ? 8 : 0;
        else
            size = kind == IP6_HOPS || kind == IP6_OPTIONS || kind == IP6_ROUTE ? extension6(v, kind, at, end) : 0;
        if (size == 0)
            return ADMIT_HEADERS;
        fragment |= kind == IP6_FRAGMENT;
        kind = v->frame[at];
        at += size;
    }
    found->l4 = at;
    found->end = end;
    found->proto = whole ? kind : 0;
    if (!first)
        return admit_roles6(ip + 8) & ADMIT_PROBE ? ADMIT_ADDRESS : ADMIT_TAKE;
    return transport6(here, v, kind, fragment, found);
}

/* ---- Ethernet ---- */

static bool for_us(const struct admit_here *here, const uint8_t *to, bool v6)
{
    static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };

    return memcmp(to, here->mac, 6) == 0 || memcmp(to, all, 6) == 0 || (v6 && to[0] == 0x33 && to[1] == 0x33);
}

enum admit_verdict admit_frame(const struct admit_here *here, const uint8_t *frame, size_t n, size_t whole, struct admit_found *found)
{
    struct admit_view v = { frame, n, whole, false };
    unsigned type;

    memset(found, 0, sizeof(*found));
    if (n < 14)
        return ADMIT_SHORT;
    type = admit_be16(frame + 12);
    if (type != 0x0800 && type != 0x0806 && type != 0x86dd)
        return ADMIT_SHORT;
    if (!for_us(here, frame, type == 0x86dd))
        return ADMIT_OTHERS;
    if (!admit_is_mac(here, frame + 6))
        return ADMIT_ADDRESS;
    v.group = frame[0] & 1;
    if (type == 0x0806)
        return arp(here, frame + 14, n - 14);
    return type == 0x0800 ? ip4(here, &v, found) : ip6(here, &v, found);
}
