/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/names.c - UDP, and names: DNS answers that are right, wrong, forged or none. */
#include <string.h>

#include "bed.h"

static struct { unsigned n, from; size_t size; char address[UNIK_NET_ADDRESS_MAX]; uint8_t bytes[65536]; } got;
static struct { unsigned n; int error; char address[UNIK_NET_ADDRESS_MAX]; } answer;

static void on_datagram(struct unik_net_udp *u, const void *bytes, size_t n, const char *address, unsigned port, void *arg)
{
    (void)u, (void)arg;
    got.n++;
    got.from = port;
    got.size = n;
    snprintf(got.address, sizeof(got.address), "%s", address);
    memcpy(got.bytes, bytes, n);
}

START_TEST(udp)
{
    struct unik_net_udp *u, *second;
    unsigned port = 7, other = 7, any = 0;
    static uint8_t data[4000];
    struct packet p;
    struct sent *f;

    memset(&got, 0, sizeof(got));
    bed_begin(_i ? UNIK_NIC_SUM : 0, NULL);
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, NULL, &port, on_datagram, NULL, &u), 0);
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, NULL, &other, on_datagram, NULL, &second), -EADDRINUSE);
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, NULL, &any, on_datagram, NULL, &second), 0);
    ck_assert_uint_ge(any, 1024);
    for (int v6 = 0; v6 < 2; v6++) {
        make_udp(&p, v6, 1234, 7, "datagram", 8);
        inject(p.bytes, p.size);
        ck_assert_uint_eq(got.n, (unsigned)v6 + 1);
        ck_assert_str_eq(got.address, v6 ? PEER6 : PEER4);
        ck_assert_uint_eq(got.from, 1234);
        ck_assert_uint_eq(got.size, 8);
        ck_assert_mem_eq(got.bytes, "datagram", 8);
        pattern(data, 0, 1472);
        ck_assert_int_eq(bed.net->send(bed.net, u, v6 ? PEER6 : PEER4, 99, data, v6 ? 1452 : 1472), 0);
        ck_assert_ptr_nonnull(f = next_frame());
        ck_assert_uint_eq(f->from, 7);
        ck_assert_uint_eq(f->to, 99);
        ck_assert(is_pattern(f->payload, 0, f->payload_size) && f->payload_size == (v6 ? 1452 : 1472));
    }
    ck_assert_int_eq(bed.net->send(bed.net, u, PEER4, 99, data, 4000), 0);      /* in fragments */
    ck_assert_uint_ge(bed.n_sent, 3);
    drop_frames();
    ck_assert_int_eq(bed.net->send(bed.net, u, PEER4, 99, NULL, 0), 0);         /* an empty one is one, too */
    ck_assert_ptr_nonnull(f = next_frame());
    ck_assert_uint_eq(f->payload_size, 0);
    ck_assert_int_eq(bed.net->send(bed.net, u, "here", 99, data, 4), -EINVAL);
    ck_assert_int_eq(bed.net->send(bed.net, u, PEER4, 99, data, 65508), -EMSGSIZE);
    bed.room = 0;
    ck_assert_int_eq(bed.net->send(bed.net, u, PEER4, 99, data, 4), -EAGAIN);
    bed.room = 100;
    make_udp(&p, false, 1234, 8, "x", 1);
    inject(p.bytes, p.size);
    ck_assert_ptr_nonnull(f = next_frame());    /* nobody there: told so */
    ck_assert_uint_eq(f->proto, ICMP);
    bed.net->unudp(bed.net, u);
    bed.net->unudp(bed.net, second);
    bed_end();
}
END_TEST

/* ---- DNS: RFC 1035 ---- */

static void on_answer(int error, const char *address, void *arg)
{
    (void)arg;
    answer.n++;
    answer.error = error;
    snprintf(answer.address, sizeof(answer.address), "%s", address ? address : "");
}

/* The question as it lies in the frame, answered: rcode, and an address record of `type` (0: none). */
static size_t dns_answer(uint8_t *to, const struct sent *q, unsigned rcode, unsigned type)
{
    size_t n = q->payload_size;

    memcpy(to, q->payload, n);
    put16(to + 2, 0x8180 | rcode);
    put16(to + 6, type ? 1 : 0);
    if (type) {
        put16(to + n, 0xc00c);
        put16(to + n + 2, type);
        put16(to + n + 4, 1);
        put32(to + n + 6, 60);
        put16(to + n + 10, type == 1 ? 4 : 16);
        memset(to + n + 12, 9, 16);
        n += type == 1 ? 16 : 28;
    }
    return n;
}

static void reply(const struct sent *q, const uint8_t *bytes, size_t n)
{
    struct packet p;

    make_udp(&p, false, 53, q->from, bytes, n);
    inject(p.bytes, p.size);
}

static struct sent *question(void)
{
    struct sent *f;

    do
        f = wait_frame();
    while (f->proto != UDP);            /* datagrams that nobody waits for are told of by ICMP */
    ck_assert_uint_eq(f->to, 53);
    return f;
}

static struct unik_net_query *ask(const char *name, unsigned family)
{
    struct unik_net_query *q = NULL;

    memset(&answer, 0, sizeof(answer));
    ck_assert_int_eq(bed.net->resolve(bed.net, NULL, name, family, on_answer, NULL, &q), 0);
    ck_assert_uint_eq(answer.n, 0);     /* from the loop, never at once */
    turn();
    return q;
}

START_TEST(names)
{
    unsigned ports[3], ids[3];
    struct sent *q;
    uint8_t b[600];
    size_t n;

    bed_begin(0, NULL);
    ask("192.0.2.7", 0);
    ck_assert_uint_eq(answer.n, 1);
    ck_assert_str_eq(answer.address, "192.0.2.7");
    for (int i = 0; i < 3; i++) {
        char name[40];

        snprintf(name, sizeof(name), "host%d.example.org", i);
        ask(name, i == 1 ? 6 : 4);
        q = question();
        ports[i] = q->from;
        ids[i] = get16(q->payload);
        reply(q, b, dns_answer(b, q, i == 2 ? 3 : 0, i == 0 ? 1 : i == 1 ? 28 : 0));
        turn();
        ck_assert_uint_eq(answer.n, 1);
        ck_assert_int_eq(answer.error, i == 2 ? -ENOENT : 0);
        ck_assert_str_eq(answer.address, i == 0 ? "9.9.9.9" : i == 1 ? "909:909:909:909:909:909:909:909" : "");
    }
    ck_assert(ports[0] != ports[1] || ports[1] != ports[2]);    /* no counter, no constant */
    ck_assert(ids[0] != ids[1] || ids[1] != ids[2]);
    /* either family: IPv4 first, then IPv6 */
    ask("both.example.org", 0);
    q = question();
    reply(q, b, dns_answer(b, q, 0, 0));
    q = question();
    n = dns_answer(b, q, 0, 28);
    reply(q, b, n);
    turn();
    ck_assert_uint_eq(answer.n, 1);
    ck_assert_str_eq(answer.address, "909:909:909:909:909:909:909:909");
    ck_assert_uint_eq(count("queries"), 5);
    bed_end();
}
END_TEST

/* Answers that are not: wrong id, port, server, question, cut anywhere, names that point at themselves. */
START_TEST(forged)
{
    struct sent *q, copy;
    static uint8_t keep[2000];
    uint8_t b[600];
    struct packet p;
    size_t n;

    bed_begin(0, NULL);
    ask("real.example.org", 4);
    q = question();
    copy = *q;
    memcpy(keep, q->payload, q->payload_size);
    copy.payload = keep;
    n = dns_answer(b, &copy, 0, 1);
    b[0] ^= 1;                          /* another id */
    reply(&copy, b, n);
    b[0] ^= 1;
    copy.from ^= 1;                     /* another port */
    reply(&copy, b, n);
    copy.from ^= 1;
    make_udp(&p, false, 53, copy.from, b, n);
    p.bytes[14 + 15] ^= 2;              /* another server */
    fix_sum(&p);
    inject(p.bytes, p.size);
    b[13] ^= 1;                         /* another question */
    reply(&copy, b, n);
    b[13] ^= 1;
    turn();
    ck_assert_uint_eq(answer.n, 0);
    for (size_t cut = 0; cut < n; cut++) {      /* some of these say that there is no address: also an end */
        reply(&copy, b, cut);
        turn();
        ck_assert_str_eq(answer.address, "");
    }
    ask("loop.example.org", 4);
    q = question();
    n = dns_answer(b, q, 0, 1);
    put16(b + 12, 0xc00c);              /* names that are themselves */
    reply(q, b, n);
    put16(b + q->payload_size, 0xc000 | (unsigned)q->payload_size);
    reply(q, b, n);
    turn();
    ck_assert_str_eq(answer.address, "");
    bed_end();
}
END_TEST

/* An answer to the right question, with an address that is said to be somebody else's: not for us, and the true one still counts. */
START_TEST(others_address)
{
    uint8_t b[600], alias[600];
    struct sent *q;
    size_t n;

    bed_begin(0, NULL);
    ask("real.example.org", 4);
    q = question();
    n = dns_answer(b, q, 0, 1);
    put16(b + q->payload_size, 0xc000 | (12 + 5));      /* the owner: example.org */
    reply(q, b, n);
    turn();
    ck_assert_uint_eq(answer.n, 0);
    put16(b + q->payload_size, 0xc000 | 12);
    /* now it is an alias of example.org, which has the address */
    memcpy(alias, b, q->payload_size);
    put16(alias + 6, 2);
    memcpy(alias + q->payload_size, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x11\xc0\x11", 16);
    memcpy(alias + q->payload_size + 16, b + q->payload_size + 2, 14);
    reply(q, alias, q->payload_size + 30);
    turn();
    ck_assert_uint_eq(answer.n, 1);
    ck_assert_str_eq(answer.address, "9.9.9.9");
    host_run(bed.h, 1.1);               /* lwIP's timers take the counter over */
    ck_assert_uint_eq(count("answers_refused"), 1);
    bed_end();
}
END_TEST

START_TEST(no_server)
{
    struct unik_net_query *q;

    bed_begin_raw(UNIK_ON_QUBES, 0, (const char *const[]){ "ipv4=static", "address=" US4, NULL });
    ask("x.example.org", 0);
    ck_assert_int_eq(answer.error, -EHOSTUNREACH);
    ck_assert_int_eq(bed.net->resolve(bed.net, NULL, "", 0, on_answer, NULL, &q), -EINVAL);
    ck_assert_int_eq(bed.net->resolve(bed.net, NULL, "x", 5, on_answer, NULL, &q), -EINVAL);
    bed_end();
    /* given up before the answer; and too many at once */
    bed_begin(0, NULL);
    q = ask("given-up.example.org", 4);
    bed.net->unresolve(bed.net, q);
    for (int i = 0; i < 31; i++) {
        char name[40];

        snprintf(name, sizeof(name), "many%d.example.org", i);
        ck_assert_int_eq(bed.net->resolve(bed.net, NULL, name, 4, on_answer, NULL, &q), 0);
    }
    ck_assert_int_eq(bed.net->resolve(bed.net, NULL, "one.more", 4, on_answer, NULL, &q), -EMFILE);
    turn();
    ck_assert_uint_eq(answer.n, 0);
    bed_end();
}
END_TEST

TCase *names_tests(void)
{
    TCase *t = tcase_create("names");

    tcase_add_loop_test(t, udp, 0, 2);
    tcase_add_test(t, names);
    tcase_add_test(t, forged);
    tcase_add_test(t, others_address);
    tcase_add_test(t, no_server);
    return t;
}
