/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/net1/udp.c - datagrams, names (asked of a scripted server at the far end), addresses. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/dns.h"
#include "tests/net1/bed.h"

/* ---- datagrams ---- */

struct seen {
    struct unik_net_udp *u;
    unsigned count, port;
    size_t n;
    uint8_t bytes[2048];
    char address[UNIK_NET_ADDRESS_MAX];
    bool flag, leave;
};

static void on_datagram(struct unik_net_udp *u, const void *bytes, size_t n, const char *address, unsigned port, void *arg)
{
    struct seen *s = arg;

    ck_assert_ptr_eq(u, s->u);
    ck_assert_uint_le(n, sizeof(s->bytes));
    s->count++;
    s->n = n;
    s->port = port;
    memcpy(s->bytes, bytes, n);
    snprintf(s->address, sizeof(s->address), "%s", address);
    s->flag = true;
    if (s->leave)
        bed.net->unudp(bed.net, u);
}

static void wait_seen(struct seen *s)
{
    ck_assert(host_run_until(bed.h, &s->flag, BED_LONG));
    s->flag = false;
}

static ssize_t far_receive(int fd, void *buf, size_t n, struct sockaddr_in *from)
{
    socklen_t len = sizeof(*from);
    ssize_t k = -1;

    for (int i = 0; i < 4000 && (k = recvfrom(fd, buf, n, 0, (struct sockaddr *)from, &len)) < 0; i++)
        host_run(bed.h, 0.005);
    return k;
}

START_TEST(datagrams_both_ways)
{
    static const size_t sizes[] = { 0, 1, 100, UNIK_NET_DATAGRAM_MAX };
    static uint8_t bytes[2048], buf[2048];
    struct sockaddr_in to = { .sin_family = AF_INET }, from;
    struct seen s = { 0 };
    unsigned port = 0, far_port = 0;
    int fd;

    bed_begin();
    fd = far_listen(SOCK_DGRAM, &far_port);
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, "", &port, on_datagram, &s, &s.u), 0);
    ck_assert_uint_gt(port, 0);
    inet_pton(AF_INET, bed.us, &to.sin_addr);
    to.sin_port = htons((uint16_t)port);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        pattern(bytes, i, sizes[i]);
        ck_assert_int_eq(bed.net->send(bed.net, s.u, bed.far, far_port, bytes, sizes[i]), 0);
        ck_assert_int_eq(far_receive(fd, buf, sizeof(buf), &from), (ssize_t)sizes[i]);
        ck_assert_int_eq(memcmp(buf, bytes, sizes[i]), 0);
        ck_assert_uint_eq(ntohs(from.sin_port), port);
        ck_assert_uint_eq(from.sin_addr.s_addr, to.sin_addr.s_addr);
        ck_assert_int_eq(sendto(fd, bytes, sizes[i], 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)sizes[i]);
        wait_seen(&s);
        ck_assert_uint_eq(s.count, i + 1);
        ck_assert_uint_eq(s.n, sizes[i]);
        ck_assert_int_eq(memcmp(s.bytes, bytes, s.n), 0);
        ck_assert_str_eq(s.address, bed.far);
        ck_assert_uint_eq(s.port, far_port);
    }
    s.leave = true;
    sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
    sendto(fd, "y", 1, 0, (struct sockaddr *)&to, sizeof(to));
    wait_seen(&s);
    host_run(bed.h, 0.05);
    ck_assert_uint_eq(s.count, sizeof(sizes) / sizeof(sizes[0]) + 1);
    close(fd);
    bed_end();
}
END_TEST

/* A question came to one of our addresses: the answer leaves from there. */
static void on_question(struct unik_net_udp *u, const void *bytes, size_t n, const char *address, unsigned port, void *arg)
{
    struct seen *s = arg;

    ck_assert_int_eq(bed.net->udp_to(bed.net, u, s->address), 0);
    ck_assert_int_eq(bed.net->send_from(bed.net, u, s->address, address, port, bytes, n), 0);
    s->flag = true;
}

START_TEST(answers_from_where_it_was_asked)
{
    struct sockaddr_in to = { .sin_family = AF_INET }, from;
    struct seen s = { 0 };
    char text[UNIK_NET_ADDRESS_MAX];
    unsigned port = 0, far_port = 0;
    uint8_t buf[10];
    int fd;

    bed_begin();
    fd = far_listen(SOCK_DGRAM, &far_port);
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, "", &port, on_question, &s, &s.u), 0);
    ck_assert_int_eq(bed.net->udp_to(bed.net, s.u, text), -ENOENT);
    inet_pton(AF_INET, bed.us, &to.sin_addr);
    to.sin_port = htons((uint16_t)port);
    ck_assert_int_eq(sendto(fd, "where", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
    wait_seen(&s);
    ck_assert_str_eq(s.address, bed.us);
    ck_assert_int_eq(far_receive(fd, buf, sizeof(buf), &from), 5);
    ck_assert_uint_eq(from.sin_addr.s_addr, to.sin_addr.s_addr);
    ck_assert_uint_eq(ntohs(from.sin_port), port);
    ck_assert_int_eq(bed.net->udp_to(bed.net, s.u, text), -ENOENT);
    ck_assert_int_eq(bed.net->send_from(bed.net, s.u, "192.0.2.77", bed.far, far_port, "x", 1), -EADDRNOTAVAIL);
    ck_assert_int_eq(bed.net->send_from(bed.net, s.u, "nobody", bed.far, far_port, "x", 1), -EINVAL);
    ck_assert_int_eq(bed.net->send_from(bed.net, s.u, bed.us, "2001:db8::1", far_port, "x", 1), -EINVAL);
    bed.net->unudp(bed.net, s.u);
    close(fd);
    bed_end();
}
END_TEST

START_TEST(what_udp_refuses)
{
    struct seen s = { 0 }, t = { 0 };
    unsigned port = 0, again;

    bed_begin();
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, "", &port, on_datagram, &s, &s.u), 0);
    again = port;
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, "", &again, on_datagram, &t, &t.u), -EADDRINUSE);
    again = 65536;
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, "", &again, on_datagram, &t, &t.u), -EINVAL);
    again = 0;
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, "nowhere", &again, on_datagram, &t, &t.u), -EINVAL);
    ck_assert_int_eq(bed.net->send(bed.net, s.u, "nowhere", 9, "x", 1), -EINVAL);
    ck_assert_int_eq(bed.net->send(bed.net, s.u, bed.far, 0, "x", 1), -EINVAL);
    bed.net->unudp(bed.net, s.u);
    again = port;
    ck_assert_int_eq(bed.net->udp(bed.net, NULL, "", &again, on_datagram, &s, &s.u), 0);
    bed.net->unudp(bed.net, s.u);
    bed_end();
}
END_TEST

/* ---- names ---- */

struct answer {
    int error;
    unsigned count;
    char address[UNIK_NET_ADDRESS_MAX];
    bool flag;
};

static void on_answer(int error, const char *address, void *arg)
{
    struct answer *a = arg;

    a->count++;
    a->error = error;
    snprintf(a->address, sizeof(a->address), "%s", address ? address : "");
    a->flag = true;
}

static int ask(const char *name, unsigned family, struct answer *a, struct unik_net_query **q)
{
    memset(a, 0, sizeof(*a));
    return bed.net->resolve(bed.net, NULL, name, family, on_answer, a, q);
}

/* The scripted name server. It answers any number of questions until the query is answered:
 *   four.test A 192.0.2.4        six.test AAAA 2001:db8::6       both.test both        none.test no such name
 *   late.test only to the second question      liar.test first with a wrong id and rubbish, then right */
static bool serve_one(int fd, unsigned *asked)
{
    static const struct dns_address four = { 4, { 192, 0, 2, 4 } }, wrong = { 4, { 6, 6, 6, 6 } },
                                    six = { 16, { 0x20, 1, 0x0d, 0xb8, [15] = 6 } };
    uint8_t in[DNS_MESSAGE_MAX], out[DNS_MESSAGE_MAX];
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    ssize_t n = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from, &len);
    struct dns_question q;
    const struct dns_address *a = NULL;
    enum dns_code code = DNS_OK;
    int k;

    if (n < 0)
        return false;
    ck_assert_int_eq(dns_decode_question(in, (size_t)n, &q), 0);
    ++*asked;
    if (strcmp(q.name, "none.test") == 0)
        code = DNS_NO_NAME;
    else if (strcmp(q.name, "late.test") == 0 && *asked == 1)
        return true;
    else if (strcmp(q.name, "silent.test") == 0)
        return true;
    else if (q.type == DNS_A && strcmp(q.name, "six.test") != 0)
        a = &four;
    else if (q.type == DNS_AAAA && (strcmp(q.name, "six.test") == 0 || strcmp(q.name, "both.test") == 0))
        a = &six;
    if (strcmp(q.name, "liar.test") == 0 && q.type == DNS_A) {
        k = dns_encode_answer(in, &q, DNS_OK, &wrong, 1, out, sizeof(out));
        dns_set_id(out, (uint16_t)(q.id + 1));
        sendto(fd, out, (size_t)k, 0, (struct sockaddr *)&from, len);
        sendto(fd, out, 5, 0, (struct sockaddr *)&from, len);
        sendto(fd, "", 0, 0, (struct sockaddr *)&from, len);
    }
    k = dns_encode_answer(in, &q, code, a, a != NULL, out, sizeof(out));
    sendto(fd, out, (size_t)k, 0, (struct sockaddr *)&from, len);
    return true;
}

static void serve_until(int fd, const bool *flag)
{
    unsigned asked = 0;

    for (int i = 0; i < 8000 && !*flag; i++) {
        while (serve_one(fd, &asked))
            ;
        host_run(bed.h, 0.005);
    }
    ck_assert(*flag);
}

START_TEST(names)
{
    static const struct {
        const char *name;
        unsigned family;
        int error;
        const char *address;
    } rows[] = {
        { "four.test", 0, 0, "192.0.2.4" },      { "four.test", 4, 0, "192.0.2.4" },
        { "six.test", 6, 0, "2001:db8::6" },     { "both.test", 0, 0, "192.0.2.4" },
        { "both.test", 6, 0, "2001:db8::6" },    { "none.test", 4, -ENOENT, "" },
        { "none.test", 0, -ENOENT, "" },         { "late.test", 4, 0, "192.0.2.4" },
        { "liar.test", 4, 0, "192.0.2.4" },      { "six.test", 0, 0, "2001:db8::6" },
        { "four.test.", 4, 0, "192.0.2.4" },     { "none.test.", 4, -ENOENT, "" },
    };
    unsigned port;
    int fd;

    bed_begin();
    port = bed.dns_port;
    fd = far_listen(SOCK_DGRAM, &port);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct unik_net_query *q;
        struct answer a;

        ck_assert_int_eq(ask(rows[i].name, rows[i].family, &a, &q), 0);
        ck_assert_uint_eq(a.count, 0);
        serve_until(fd, &a.flag);
        ck_assert_msg(a.error == rows[i].error && strcmp(a.address, rows[i].address) == 0, "%s %u: %d \"%s\"", rows[i].name,
                      rows[i].family, a.error, a.address);
        ck_assert_uint_eq(a.count, 1);
    }
    close(fd);
    bed_end();
}
END_TEST

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

/* No name, and no question is made of it. */
START_TEST(no_names)
{
    static const char *const bad[] = {
        "", ".", "..", ".four.test", "four..test", "four.test..", SIXTY "abcd.test", "four." SIXTY "abcd",
        SIXTY "." SIXTY "." SIXTY "." SIXTY ".0123456789a", "a b", "a\tb", "a\177b", "a\\.b", "127.1", "1", "2130706433", "0x7f.1", "1.2.3.0x4",
        "1.2.3.4.5", "192.0.2.256"
    };
    struct unik_net_query *q;
    struct answer a;

    bed_begin();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(ask(bad[i], 0, &a, &q) == -EINVAL, "\"%s\" is taken", bad[i]);
    ck_assert_int_eq(ask(SIXTY "abc." SIXTY "abc." SIXTY "abc." "x" SIXTY ".", 4, &a, &q), 0);  /* as long as they may be */
    bed.net->unresolve(bed.net, q);
    bed_end();
}
END_TEST

START_TEST(names_that_are_addresses)
{
    struct unik_net_query *q;
    struct answer a;

    bed_begin();
    ck_assert_int_eq(ask("192.0.2.1", 0, &a, &q), 0);
    ck_assert_uint_eq(a.count, 0);      /* never from inside the call */
    ck_assert(host_run_until(bed.h, &a.flag, BED_LONG));
    ck_assert_int_eq(a.error, 0);
    ck_assert_str_eq(a.address, "192.0.2.1");
    ck_assert_int_eq(ask("192.0.2.1.", 0, &a, &q), 0);
    ck_assert(host_run_until(bed.h, &a.flag, BED_LONG));
    ck_assert_str_eq(a.address, "192.0.2.1");
    ck_assert_int_eq(ask("2001:db8::1", 6, &a, &q), 0);
    ck_assert(host_run_until(bed.h, &a.flag, BED_LONG));
    ck_assert_str_eq(a.address, "2001:db8::1");
    ck_assert_int_eq(ask("192.0.2.1", 6, &a, &q), 0);
    ck_assert(host_run_until(bed.h, &a.flag, BED_LONG));
    ck_assert_int_eq(a.error, -ENOENT);
    ck_assert_int_eq(ask("", 0, &a, &q), -EINVAL);
    ck_assert_int_eq(ask("x", 5, &a, &q), -EINVAL);
    ck_assert_int_eq(ask("a b", 0, &a, &q), -EINVAL);
    ck_assert_int_eq(ask("192.0.2.1", 0, &a, &q), 0);
    bed.net->unresolve(bed.net, q);
    host_run(bed.h, 0.05);
    ck_assert_uint_eq(a.count, 0);
    bed_end();
}
END_TEST

/* More at once than are taken; given up, none is heard of, and there is room again. */
START_TEST(names_given_up)
{
    struct unik_net_query *q[2000];
    struct answer a = { 0 }, last;
    unsigned n = 0, port, asked = 0;
    int fd, e = 0;

    bed_begin();
    port = bed.dns_port;
    fd = far_listen(SOCK_DGRAM, &port);
    while (n < 2000 && (e = bed.net->resolve(bed.net, NULL, "silent.test", 4, on_answer, &a, &q[n])) == 0)
        n++;
    ck_assert_int_eq(e, -EMFILE);
    ck_assert_uint_ge(n, 4);
    for (int i = 0; i < 10; i++) {
        while (serve_one(fd, &asked))
            ;
        host_run(bed.h, 0.01);
    }
    ck_assert_uint_eq(a.count, 0);
    for (unsigned i = 0; i < n; i++)
        bed.net->unresolve(bed.net, q[i]);
    e = -EMFILE;
    for (int i = 0; i < 6000 && e == -EMFILE; i++) {        /* at the latest when the questions' own time is over */
        e = ask("four.test", 4, &last, &q[0]);
        while (serve_one(fd, &asked))
            ;
        host_run(bed.h, 0.005);
    }
    ck_assert_int_eq(e, 0);
    serve_until(fd, &last.flag);
    ck_assert_str_eq(last.address, "192.0.2.4");
    ck_assert_uint_eq(a.count, 0);
    close(fd);
    bed_end();
}
END_TEST

/* ---- addresses ---- */

static void on_change(void *arg) { ++*(unsigned *)arg; }

START_TEST(addresses)
{
    char text[UNIK_NET_ADDRESS_MAX];
    struct unik_net_watch *w, *second;
    unsigned changes = 0;

    bed_begin();
    ck_assert_int_eq(bed.net->address(bed.net, 0, text), 0);
    ck_assert_uint_gt(strlen(text), 0);
    ck_assert_int_eq(bed.net->address(bed.net, 1000, text), -ENOENT);
    ck_assert(bed.net->up(bed.net));
    ck_assert_int_eq(bed.net->watch(bed.net, NULL, on_change, &changes, &w), 0);
    ck_assert_int_eq(bed.net->watch(bed.net, NULL, on_change, &changes, &second), 0);
    bed.net->unwatch(bed.net, w);
    bed.net->unwatch(bed.net, second);
    bed_end();
}
END_TEST

TCase *net1_udp(void)
{
    TCase *t = tcase_create("udp");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, datagrams_both_ways);
    tcase_add_test(t, answers_from_where_it_was_asked);
    tcase_add_test(t, what_udp_refuses);
    tcase_add_test(t, names);
    tcase_add_test(t, no_names);
    tcase_add_test(t, names_that_are_addresses);
    tcase_add_test(t, names_given_up);
    tcase_add_test(t, addresses);
    return t;
}
