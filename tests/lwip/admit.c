/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/admit.c - what may come in: the table of addresses, and frames of every kind that has no business here. Each row begins with
 * a frame that is taken, and changes one thing of it. */
#include <arpa/inet.h>
#include <string.h>

#include "bed.h"
#include "plugins/net-lwip/admit.h"

static const char *const names[] = { "take", "neighbour", "too big", "short", "others", "address", "headers" };

static struct admit_here here(void)
{
    struct admit_here h = { .have4 = true, .have6 = { true, true } };

    memcpy(h.mac, mac_us, 6);
    inet_pton(AF_INET, US4, h.address);
    inet_pton(AF_INET, "10.0.0.255", h.broadcast);
    inet_pton(AF_INET6, "fe80::216:3eff:fe5e:6c00", h.address6[0]);
    inet_pton(AF_INET6, US6, h.address6[1]);
    return h;
}

/* Bytes of a frame from an offset on, as hexadecimal text. */
static size_t hex(uint8_t *to, const char *text)
{
    size_t n = 0;

    for (; *text; text++) {
        unsigned v;

        if (*text == ' ')
            continue;
        ck_assert_int_eq(sscanf(text, "%2x", &v), 1);
        to[n++] = (uint8_t)v;
        text++;
    }
    return n;
}

static void check(const struct admit_here *h, const struct packet *p, size_t n, enum admit_verdict want, const char *what)
{
    struct admit_found found;
    enum admit_verdict got = admit_frame(h, p->bytes, n, p->size, &found);

    ck_assert_msg(got == want, "%s: %s, not %s", what, names[got], names[want]);
}

START_TEST(roles)
{
    static const struct { const char *address; unsigned roles; } rows[] = {
        { "0.0.0.0", ADMIT_PROBE }, { "0.0.0.1", 0 }, { "0.255.255.255", 0 }, { "1.0.0.0", 19 }, { "126.255.255.255", 19 }, { "127.0.0.0", 0 },
        { "127.0.0.1", 0 }, { "127.255.255.255", 0 }, { "128.0.0.0", 19 }, { "10.137.0.5", 19 }, { "169.254.1.1", 19 },
        { "223.255.255.255", 19 }, { "224.0.0.1", 6 }, { "239.255.255.255", 6 }, { "240.0.0.1", 0 }, { "255.255.255.254", 0 },
        { "255.255.255.255", 6 },
        { "::", ADMIT_PROBE }, { "::1", 0 }, { "::2", 0 }, { "::127.0.0.1", 0 }, { "::ffff:127.0.0.1", 0 }, { "::ffff:10.0.0.1", 0 },
        { "64:ff9b::1", 19 }, { "100::1", 0 }, { "100:0:0:1::1", 19 }, { "2001:db8::1", 19 }, { "fd00::1", 19 }, { "fe80::1", 19 }, { "ff00::1", 0 }, { "ff01::1", 0 },
        { "ff02::1", 6 }, { "ff05::2", 6 }, { "ff11::1", 0 }, { "ff0e::1", 6 }
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t a[16];
        unsigned got = inet_pton(AF_INET, rows[i].address, a) == 1 ? admit_roles4(a) :
                       inet_pton(AF_INET6, rows[i].address, a) == 1 ? admit_roles6(a) : 99;

        ck_assert_msg(got == rows[i].roles, "%s: %u, not %u", rows[i].address, got, rows[i].roles);
    }
}
END_TEST

#define S4 26                           /* where things are in a frame */
#define D4 30
#define S6 22
#define D6 38
#define L6 54

START_TEST(ethernet_and_ipv4)
{
    static const struct { const char *what; size_t at; const char *bytes; enum admit_verdict want; } rows[] = {
        { "as it is", 0, "", ADMIT_TAKE },
        { "for another card", 0, "00163e5e6c01", ADMIT_OTHERS }, { "for a group of cards", 0, "01005e000001", ADMIT_OTHERS },
        { "unicast in a broadcast frame", 0, "ffffffffffff", ADMIT_ADDRESS },
        { "from a group of cards", 6, "01005e000001", ADMIT_ADDRESS }, { "from no card", 6, "000000000000", ADMIT_ADDRESS },
        { "another protocol", 12, "8100", ADMIT_SHORT },
        { "version 5", 14, "55", ADMIT_HEADERS }, { "options", 14, "46", ADMIT_HEADERS }, { "too short a header", 14, "44", ADMIT_HEADERS },
        { "longer than the frame", 16, "00ff", ADMIT_SHORT }, { "shorter than its header", 16, "0013", ADMIT_SHORT },
        { "from 127.0.0.1", S4, "7f000001", ADMIT_ADDRESS }, { "from nobody", S4, "00000000", ADMIT_ADDRESS },
        { "from a group", S4, "e0000001", ADMIT_ADDRESS }, { "from all", S4, "ffffffff", ADMIT_ADDRESS },
        { "from all of our network", S4, "0a0000ff", ADMIT_ADDRESS }, { "from us", S4, "0a000002", ADMIT_ADDRESS },
        { "from a reserved one", S4, "f0000001", ADMIT_ADDRESS },
        { "to 127.0.0.1", D4, "7f000001", ADMIT_ADDRESS }, { "to nobody", D4, "00000000", ADMIT_ADDRESS },
        { "to another", D4, "0a000003", ADMIT_OTHERS }, { "to a group", D4, "e0000001", ADMIT_OTHERS },
        { "TCP to all", D4, "ffffffff", ADMIT_OTHERS }, { "TCP to our network", D4, "0a0000ff", ADMIT_OTHERS },
        { "a fragment", 20, "2000", ADMIT_TAKE }, { "a fragment beyond the end", 20, "1fff", ADMIT_HEADERS }
    };
    struct admit_here h = here();
    struct packet p;
    uint8_t l4[28] = { 0 };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_ip(&p, false, TCP, l4, 24);
        hex(p.bytes + rows[i].at, rows[i].bytes);
        check(&h, &p, p.size, rows[i].want, rows[i].what);
    }
    make_ip(&p, false, UDP, l4, 8);
    memcpy(p.bytes + D4, "\377\377\377\377", 4);
    check(&h, &p, p.size, ADMIT_TAKE, "UDP to all, in a frame to us");
    memset(p.bytes, 255, 6);
    check(&h, &p, p.size, ADMIT_TAKE, "UDP to all");
    make_ip(&p, false, UDP, l4, 8);
    put16(p.bytes + 36, 68);
    h.have4 = false;
    check(&h, &p, p.size, ADMIT_OTHERS, "no address, and none is coming");
    h.dhcp = true;
    check(&h, &p, p.size, ADMIT_TAKE, "an address may be coming");
    put16(p.bytes + 36, 69);
    check(&h, &p, p.size, ADMIT_OTHERS, "not that");
    for (size_t n = 0; n < 34; n++) {
        p.size = n;
        check(&h, &p, n, ADMIT_SHORT, "cut");
    }
}
END_TEST

START_TEST(arp)
{
    static const struct { const char *what; size_t at; const char *bytes; enum admit_verdict want; } rows[] = {
        { "as it is", 0, "", ADMIT_TAKE }, { "an answer", 20, "0002", ADMIT_TAKE }, { "neither", 20, "0003", ADMIT_HEADERS },
        { "token ring", 14, "0006", ADMIT_HEADERS }, { "IPv6", 16, "86dd", ADMIT_HEADERS }, { "long MACs", 18, "08", ADMIT_HEADERS },
        { "long addresses", 19, "10", ADMIT_HEADERS }, { "a group's MAC", 22, "01005e000001", ADMIT_ADDRESS },
        { "no MAC", 22, "000000000000", ADMIT_ADDRESS }, { "our MAC", 22, "00163e5e6c00", ADMIT_ADDRESS },
        { "in a frame from our MAC", 6, "00163e5e6c00", ADMIT_ADDRESS }, { "from 127.0.0.1", 28, "7f000001", ADMIT_ADDRESS },
        { "from a group", 28, "e0000001", ADMIT_ADDRESS }, { "from all", 28, "ffffffff", ADMIT_ADDRESS },
        { "from us", 28, "0a000002", ADMIT_ADDRESS }, { "a probe", 28, "00000000", ADMIT_TAKE },
        { "an answer of nobody", 20, "0002fefffffffffe00000000", ADMIT_ADDRESS }, { "for another card", 0, "00163e5e6c01", ADMIT_OTHERS }
    };
    const struct admit_here h = here();
    struct packet p;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_eth(&p, 0x0806);
        p.size = 14 + hex(p.bytes + 14, "0001 0800 06 04 0001 feffffffffff 0a000001 000000000000 0a000002");
        hex(p.bytes + rows[i].at, rows[i].bytes);
        check(&h, &p, p.size, rows[i].want, rows[i].what);
    }
    p.size--;
    memcpy(p.bytes, mac_us, 6);
    check(&h, &p, p.size, ADMIT_SHORT, "cut");
}
END_TEST

START_TEST(ipv6)
{
    static const char tcp[] = "0fa0 0050 00000001 00000000 5002 0100 0000 0000";
    static const struct { const char *what; size_t at; const char *bytes; unsigned kind; const char *chain; const char *l4; enum admit_verdict want; } rows[] = {
        { "as it is", 0, "", 6, "", tcp, ADMIT_TAKE },
        { "from our MAC", 6, "00163e5e6c00", 6, "", tcp, ADMIT_ADDRESS },
        { "for another card", 0, "00163e5e6c01", 6, "", tcp, ADMIT_OTHERS }, { "IPv4's group", 0, "01005e000001", 6, "", tcp, ADMIT_OTHERS },
        { "unicast in a frame to a group", 0, "333300000001", 6, "", tcp, ADMIT_ADDRESS },
        { "unicast in a frame to all", 0, "ffffffffffff", 6, "", tcp, ADMIT_ADDRESS },
        { "version 4", 14, "45", 6, "", tcp, ADMIT_HEADERS }, { "longer than the frame", 18, "0fff", 6, "", tcp, ADMIT_SHORT },
        { "from ::1", S6, "00000000000000000000000000000001", 6, "", tcp, ADMIT_ADDRESS },
        { "from ::", S6, "00000000000000000000000000000000", 6, "", tcp, ADMIT_ADDRESS },
        { "from ::ffff:10.0.0.1", S6, "00000000000000000000ffff0a000001", 6, "", tcp, ADMIT_ADDRESS },
        { "from ::10.0.0.1", S6, "0000000000000000000000000a000001", 6, "", tcp, ADMIT_ADDRESS },
        { "from a group", S6, "ff020000000000000000000000000001", 6, "", tcp, ADMIT_ADDRESS },
        { "from us", S6, "fd000000000000000000000000000002", 6, "", tcp, ADMIT_ADDRESS },
        { "from our link-local one", S6, "fe8000000000000002163efffe5e6c00", 6, "", tcp, ADMIT_ADDRESS },
        { "to ::1", D6, "00000000000000000000000000000001", 6, "", tcp, ADMIT_ADDRESS },
        { "to ::ffff:10.0.0.2", D6, "00000000000000000000ffff0a000002", 6, "", tcp, ADMIT_ADDRESS },
        { "to another", D6, "fd000000000000000000000000000003", 6, "", tcp, ADMIT_OTHERS },
        { "to our link-local one", D6, "fe8000000000000002163efffe5e6c00", 6, "", tcp, ADMIT_TAKE },
        { "to all nodes of the interface", D6, "ff010000000000000000000000000001", 6, "", tcp, ADMIT_ADDRESS },
        { "to all routers", D6, "ff020000000000000000000000000002", 6, "", tcp, ADMIT_OTHERS },
        { "no next header", 0, "", 59, "", tcp, ADMIT_HEADERS }, { "an unknown one", 0, "", 132, "", tcp, ADMIT_HEADERS },
        { "pad", 0, "", 60, "06 00 01 04 00000000", tcp, ADMIT_TAKE }, { "pads of one", 0, "", 0, "06 00 00 00 00 00 00 00", tcp, ADMIT_TAKE },
        { "an option that may be skipped", 0, "", 60, "06 00 1e 04 00000000", tcp, ADMIT_TAKE },
        { "one that may not", 0, "", 60, "06 00 5e 04 00000000", tcp, ADMIT_HEADERS },
        { "an option beyond its header", 0, "", 60, "06 00 01 05 00000000", tcp, ADMIT_HEADERS },
        { "an option without its length", 0, "", 60, "06 00 01 03 000000 01", tcp, ADMIT_HEADERS },
        { "a header beyond the packet", 0, "", 60, "06 09 01 04 00000000", tcp, ADMIT_HEADERS },
        { "hop by hop, then options", 0, "", 0, "3c 00 01 04 00000000 06 00 01 04 00000000", tcp, ADMIT_TAKE },
        { "hop by hop second", 0, "", 60, "00 00 01 04 00000000 06 00 01 04 00000000", tcp, ADMIT_HEADERS },
        { "a route that is over", 0, "", 43, "06 00 00 00 00000000", tcp, ADMIT_TAKE },
        { "a route that goes on", 0, "", 43, "06 00 00 01 00000000", tcp, ADMIT_HEADERS },
        { "too many headers", 0, "", 60, "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 0600010400000000", tcp, ADMIT_HEADERS },
        { "a fragment of one", 0, "", 44, "06 00 0000 00000001", tcp, ADMIT_TAKE },
        { "the first fragment", 0, "", 44, "06 00 0001 00000001", "0fa0 0050 00000001 00000000 5002 0100 0000 0000 00000000", ADMIT_TAKE },
        { "not in eights", 0, "", 44, "06 00 0001 00000001", tcp, ADMIT_HEADERS },
        { "a fragment of nothing", 0, "", 44, "06 00 0009 00000001", "", ADMIT_HEADERS },
        { "a later fragment", 0, "", 44, "06 00 0008 00000001", "00", ADMIT_TAKE },
        { "a fragment beyond the end", 0, "", 44, "06 00 fff8 00000001", tcp, ADMIT_HEADERS },
        { "two fragment headers", 0, "", 44, "2c 00 0000 00000001 06 00 0000 00000001", tcp, ADMIT_HEADERS },
        { "options inside a fragment", 0, "", 44, "3c 00 0001 00000001", "0600010400000000", ADMIT_HEADERS },
        { "options before a fragment", 0, "", 60, "2c 00 01 04 00000000 06 00 0008 00000001", tcp, ADMIT_HEADERS },
        { "a first fragment without all of TCP", 0, "", 44, "06 00 0001 00000001", "0fa0 0050 00000001", ADMIT_SHORT },
        { "half of TCP", 0, "", 6, "", "0fa0 0050", ADMIT_SHORT },
        { "UDP", 0, "", 17, "", "0001 0002 0008 1234", ADMIT_TAKE }, { "UDP without a checksum", 0, "", 17, "", "0001 0002 0008 0000", ADMIT_HEADERS },
        { "a question", 0, "", 58, "", "8000 0000 00000000", ADMIT_TAKE }, { "in a fragment of one", 0, "", 44, "3a 00 0000 00000001", "8000 0000 00000000", ADMIT_TAKE },
        { "too big", 0, "", 58, "", "0200 0000 00000500", ADMIT_TOO_BIG }, { "behind options", 0, "", 60, "3a 00 01 04 00000000", "0200 0000 00000500", ADMIT_TOO_BIG },
        { "in a fragment of one", 0, "", 44, "3a 00 0000 00000001", "0200 0000 00000032", ADMIT_HEADERS },
        { "in a fragment", 0, "", 44, "3a 00 0001 00000001", "0200 0000 00000032", ADMIT_HEADERS },
        { "in a fragment of one behind options", 0, "", 60, "2c 00 01 04 00000000 3a 00 0000 00000001", "0200 0000 00000032", ADMIT_HEADERS },
        { "unreachable in a fragment", 0, "", 44, "3a 00 0000 00000001", "0100 0000 00000000", ADMIT_HEADERS },
        { "a router", 0, "", 58, "", "8600 0000 00000000 00000000 00000000", ADMIT_OTHERS }, { "a redirect", 0, "", 58, "", "8900 0000 00000000", ADMIT_OTHERS },
        { "half of ICMPv6", 0, "", 58, "", "8000 0000", ADMIT_SHORT }
    };
    const struct admit_here h = here();
    struct packet p;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t rest[200];
        size_t n = hex(rest, rows[i].chain);

        n += hex(rest + n, rows[i].l4);
        make_ip(&p, true, rows[i].kind, rest, n);
        hex(p.bytes + rows[i].at, rows[i].bytes);
        check(&h, &p, p.size, rows[i].want, rows[i].what);
        for (size_t k = 0; k < p.size && rows[i].want != ADMIT_OTHERS && rows[i].want != ADMIT_ADDRESS; k++) {      /* the card lost the rest */
            struct packet cut = p;
            struct admit_found found;

            cut.size = k;
            ck_assert_int_ge(admit_frame(&h, cut.bytes, k, k, &found), ADMIT_SHORT);
        }
    }
}
END_TEST

#define GROUP "ff0200000000000000000001ff000002"        /* who asks for US6 */

/* Every rule of RFC 4861 7.1.1 and 7.1.2. */
START_TEST(neighbours)
{
    static const char ask[] = "8700 0000 00000000 fd000000000000000000000000000002", say[] = "8800 0000 60000000 fd000000000000000000000000000001";
    static const char source[] = "0101 feffffffffff", target[] = "0201 feffffffffff", nonce[] = "0e01 112233445566";
    static const struct { const char *what; size_t at; const char *bytes, *message, *first, *second; enum admit_verdict want; size_t option; } rows[] = {
        { "asked", 0, "", ask, source, "", ADMIT_NEIGHBOUR, 24 }, { "asked, no option", 0, "", ask, "", "", ADMIT_NEIGHBOUR, 0 },
        { "asked, nonce first", 0, "", ask, nonce, source, ADMIT_NEIGHBOUR, 32 }, { "asked, a nonce only", 0, "", ask, nonce, "", ADMIT_NEIGHBOUR, 0 },
        { "said", 0, "", say, target, "", ADMIT_NEIGHBOUR, 24 }, { "said, nonce first", 0, "", say, nonce, target, ADMIT_NEIGHBOUR, 32 },
        { "said, a nonce only", 0, "", say, nonce, "", ADMIT_NEIGHBOUR, 0 }, { "said, the other's option", 0, "", say, source, "", ADMIT_NEIGHBOUR, 0 },
        { "passed on by a router", 21, "fe", ask, source, "", ADMIT_HEADERS, 0 }, { "passed on by a router", 21, "fe", say, target, "", ADMIT_HEADERS, 0 },
        { "code 1", L6 + 1, "01", ask, source, "", ADMIT_HEADERS, 0 }, { "code 1", L6 + 1, "01", say, target, "", ADMIT_HEADERS, 0 },
        { "length 0", 0, "", ask, "0100", "", ADMIT_HEADERS, 0 }, { "length 0", 0, "", ask, "0100 feffffffffff", "", ADMIT_HEADERS, 0 },
        { "length 0", 0, "", say, "0e00 feffffffffff", target, ADMIT_HEADERS, 0 }, { "length 0 behind", 0, "", say, target, "0000 000000000000", ADMIT_HEADERS, 0 },
        { "beyond the packet", 0, "", say, target, "0e02 feffffffffff", ADMIT_HEADERS, 0 }, { "half an option", 0, "", say, "0201 feff", "", ADMIT_HEADERS, 0 },
        { "two eights of address", 0, "", say, "0202 feffffffffff 0000000000000000", "", ADMIT_HEADERS, 0 },
        { "a group's MAC", 0, "", say, "0201 01005e000001", "", ADMIT_HEADERS, 0 }, { "no MAC", 0, "", ask, "0101 000000000000", "", ADMIT_HEADERS, 0 },
        { "our MAC", 0, "", say, "0201 00163e5e6c00", "", ADMIT_HEADERS, 0 }, { "our MAC", 0, "", ask, "0101 00163e5e6c00", "", ADMIT_HEADERS, 0 },
        { "too short", 0, "", "8700 0000 00000000 fd0000000000000000000000000000", "", "", ADMIT_SHORT, 0 },
        { "of a group", L6 + 8, "ff02", ask, source, "", ADMIT_ADDRESS, 0 }, { "of ::1", L6 + 8, "0000000000000000 0000000000000001", say, target, "", ADMIT_ADDRESS, 0 },
        { "of another", L6 + 23, "03", ask, source, "", ADMIT_OTHERS, 0 }, { "of us", L6 + 23, "02", say, target, "", ADMIT_ADDRESS, 0 },
        { "to all, as an answer", D6, "ff020000000000000000000000000001", say, target, "", ADMIT_HEADERS, 0 },
        { "to all, by itself", D6, "ff020000000000000000000000000001", "8800 0000 20000000 fd000000000000000000000000000001", target, "", ADMIT_NEIGHBOUR, 24 },
        { "from nobody to us", S6, "00000000000000000000000000000000", ask, "", "", ADMIT_ADDRESS, 0 },
        { "from nobody", S6, "00000000000000000000000000000000" GROUP, ask, "", "", ADMIT_NEIGHBOUR, 0 },
        { "from nobody, with a MAC", S6, "00000000000000000000000000000000" GROUP, ask, source, "", ADMIT_HEADERS, 0 },
        { "from nobody to all nodes", S6, "00000000000000000000000000000000 ff020000000000000000000000000001", ask, "", "", ADMIT_ADDRESS, 0 },
        { "said by nobody", S6, "00000000000000000000000000000000" GROUP, say, target, "", ADMIT_ADDRESS, 0 }
    };
    const struct admit_here h = here();
    struct packet p;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct admit_found found;
        uint8_t l4[200];
        size_t n = hex(l4, rows[i].message);

        n += hex(l4 + n, rows[i].first);
        n += hex(l4 + n, rows[i].second);
        make_ip(&p, true, ICMP6, l4, n);
        p.bytes[21] = 255;
        hex(p.bytes + rows[i].at, rows[i].bytes);
        check(&h, &p, p.size, rows[i].want, rows[i].what);
        admit_frame(&h, p.bytes, p.size, p.size, &found);
        if (rows[i].want == ADMIT_NEIGHBOUR)
            ck_assert_uint_eq(found.option, rows[i].option ? L6 + rows[i].option : 0);
    }
    for (int kind = 0x87; kind <= 0x88; kind++) {       /* in a fragment, of one and of more (RFC 6980) */
        for (int more = 0; more < 2; more++) {
            uint8_t l4[40] = { 58, 0, 0, (uint8_t)more };

            hex(l4 + 8, kind == 0x87 ? ask : say);
            hex(l4 + 32, kind == 0x87 ? source : target);
            make_ip(&p, true, 44, l4, 40);
            p.bytes[21] = 255;
            check(&h, &p, p.size, ADMIT_HEADERS, "in a fragment");
        }
    }
}
END_TEST

TCase *admit_tests(void)
{
    TCase *t = tcase_create("admit");

    tcase_add_test(t, roles);
    tcase_add_test(t, ethernet_and_ipv4);
    tcase_add_test(t, arp);
    tcase_add_test(t, ipv6);
    tcase_add_test(t, neighbours);
    return t;
}
