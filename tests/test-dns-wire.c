/* DNS messages byte by byte: the example of a question as RFC 1035 lays it out, answers of each kind, and what is refused. */
#include <errno.h>
#include <stdlib.h>

#include "protocol/dns.h"
#include "tests/common/bytes.h"
#include "tests/common/run.h"

static uint8_t in[2048], out[2048], want[2048];

#define HEAD "12 34 01 00 00 01 00 00 00 00 00 00 "
#define DEMO "04 'demo' 02 'vm' 00 "

START_TEST(questions)
{
    static const struct {
        const char *bytes, *name;
        uint16_t type;
    } good[] = {
        { HEAD DEMO "00 01 00 01", "demo.vm", DNS_A },
        { HEAD "04 'DeMo' 00 00 1c 00 01", "demo", DNS_AAAA },
        { HEAD "00 00 02 00 01", "", 2 },                                     /* the root's name servers */
        { HEAD "04 'a.b ' 00 00 01 00 01", "a?b?", DNS_A },                   /* never a name of ours */
        { "12 34 01 20 00 01 00 00 00 00 00 01 01 'x' 00 00 01 00 01 00 00 29 10 00 *6", "x", DNS_A },    /* with EDNS */
    };
    struct dns_question q;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        size_t n = bytes_of(good[i].bytes, in, sizeof(in));

        ck_assert_int_eq(dns_decode_question(in, n, &q), 0);
        ck_assert_uint_eq(q.id, 0x1234);
        ck_assert_str_eq(q.name, good[i].name);
        ck_assert_uint_eq(q.type, good[i].type);
        ck_assert_uint_eq(q.class, 1);
        ck_assert(q.recursion);
        ck_assert_uint_le(q.end, n);
    }
}
END_TEST

START_TEST(no_questions)
{
    static const char *const bad[] = {
        "", "12 34", HEAD, HEAD DEMO, HEAD DEMO "00 01 00",
        "12 34 81 00 00 01 00 00 00 00 00 00 " DEMO "00 01 00 01",            /* an answer */
        "12 34 29 00 00 01 00 00 00 00 00 00 " DEMO "00 01 00 01",            /* an update */
        "12 34 01 00 00 00 00 00 00 00 00 00 " DEMO "00 01 00 01",            /* none */
        "12 34 01 00 00 02 00 00 00 00 00 00 " DEMO "00 01 00 01 00 00 01 00 01",
        HEAD "c0 0c 00 01 00 01",                                             /* points at itself */
        HEAD "40 *64 00 00 01 00 01", HEAD "04 'dem'",
    };
    struct dns_question q;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(dns_decode_question(in, bytes_of(bad[i], in, sizeof(in)), &q), -EINVAL);
}
END_TEST

/* 255 bytes of name are the most: three labels of 63 and one of 61; one byte more is too much. */
START_TEST(longest_name)
{
    struct dns_question q;
    size_t n = bytes_of(HEAD, in, sizeof(in));

    for (int last = 61; last <= 62; last++) {
        size_t at = n;

        for (int i = 0; i < 4; i++) {
            int len = i < 3 ? 63 : last;

            in[at++] = (uint8_t)len;
            memset(in + at, 'a', (size_t)len);
            at += (size_t)len;
        }
        memcpy(in + at, "\0\0\1\0\1", 5);
        ck_assert_int_eq(dns_decode_question(in, at + 5, &q), last == 61 ? 0 : -EINVAL);
        if (last == 61)
            ck_assert_uint_eq(strlen(q.name), DNS_NAME_MAX - 1);
    }
}
END_TEST

START_TEST(answers)
{
    const struct dns_address a[2] = { { 4, { 10, 137, 0, 5 } }, { 16, { 0xfd, 9, [15] = 5 } } };
    struct dns_question q;
    size_t n = bytes_of(HEAD DEMO "00 01 00 01 00 00 29 10 00 *6", in, sizeof(in)), w;

    ck_assert_int_eq(dns_decode_question(in, n, &q), 0);
    w = bytes_of("12 34 81 80 00 01 00 02 00 00 00 00 " DEMO "00 01 00 01 "
                 "c0 0c 00 01 00 01 00 00 00 3c 00 04 0a 89 00 05 "
                 "c0 0c 00 1c 00 01 00 00 00 3c 00 10 fd 09 *13 05", want, sizeof(want));
    ck_assert_int_eq(dns_encode_answer(in, &q, DNS_OK, a, 2, out, sizeof(out)), (int)w);
    ck_assert_int_eq(memcmp(out, want, w), 0);
    ck_assert(dns_is_answer(out) && !dns_is_answer(in));
    ck_assert_int_eq(dns_encode_answer(in, &q, DNS_OK, a, 2, out, w - 1), -ENOSPC);
    w = bytes_of("12 34 81 83 00 01 00 00 00 00 00 00 " DEMO "00 01 00 01", want, sizeof(want));
    ck_assert_int_eq(dns_encode_answer(in, &q, DNS_NO_NAME, NULL, 0, out, sizeof(out)), (int)w);
    ck_assert_int_eq(memcmp(out, want, w), 0);
    dns_set_id(out, 0xabcd);
    ck_assert_uint_eq(dns_id(out), 0xabcd);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("dns");

    tcase_add_test(t, questions);
    tcase_add_test(t, no_questions);
    tcase_add_test(t, longest_name);
    tcase_add_test(t, answers);
    return run_case("dns-wire", t);
}
