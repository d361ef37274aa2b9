/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS messages byte by byte: the example of a question as RFC 1035 lays it out, answers of each kind, and what is refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* www.demo asked for; pointers: 0c www.demo, 10 demo */
#define ASKED(n) "12 34 81 80 00 01 00 0" n " 00 00 00 00 03 'wWw' 04 'demo' 00 00 01 00 01 "
#define FIXED "00 01 00 00 00 3c "
#define ADDRESS "00 01 " FIXED "00 04 0a 89 00 05 "

START_TEST(owners)
{
    static const struct {
        const char *bytes;
        bool good;
    } messages[] = {
        { ASKED("0"), true },
        { ASKED("1") "c0 0c " ADDRESS, true },
        { ASKED("1") "03 'WWW' c0 10 " ADDRESS, true },                       /* whatever the case, half a pointer */
        { ASKED("1") "03 'www' 04 'demo' 00 " ADDRESS, true },
        { ASKED("1") "c0 10 " ADDRESS, false },                               /* of demo, which nobody asked for */
        { ASKED("1") "03 'ww2' c0 10 " ADDRESS, false },
        { ASKED("1") "00 " ADDRESS, false },
        { ASKED("2") "c0 0c " ADDRESS "c0 10 " ADDRESS, false },
        { ASKED("1") "c0 10 00 1c " FIXED "00 10 *16", false },
        { ASKED("1") "c0 10 00 10 " FIXED "00 02 01 'x'", true },            /* a text: not an address */
        { ASKED("1") "c0 10 00 01 00 03 00 00 00 3c 00 04 *4", true },       /* of another class: lwIP looks for IN only */
        { ASKED("2") "c0 0c 00 05 " FIXED "00 02 c0 10 c0 10 " ADDRESS, true },        /* www.demo is demo */
        { ASKED("2") "c0 10 " ADDRESS "c0 0c 00 05 " FIXED "00 02 c0 10", true },      /* in another order */
        { ASKED("2") "c0 0c 00 05 " FIXED "00 02 c0 10 c0 0c " ADDRESS, false },       /* an alias has no address */
        { ASKED("2") "c0 10 00 05 " FIXED "00 02 c0 10 c0 10 " ADDRESS, false },       /* an alias of another */
        { ASKED("3") "c0 0c 00 05 " FIXED "00 04 01 'a' c0 10 c0 26 00 05 " FIXED "00 02 c0 10 c0 10 " ADDRESS, true },
        { ASKED("1") "c0 0c 00 05 " FIXED "00 02 c0 0c", true },              /* its own alias, without an address */
        { ASKED("2") "c0 0c 00 05 " FIXED "00 01 00 00 " ADDRESS, true },     /* an alias of the root */
        { "12 34 81 83 00 01 00 01 00 00 00 00 03 'www' 00 00 01 00 01 00 " ADDRESS, true },    /* no such name */
        { ASKED("1") "c0 1a " ADDRESS, false },                               /* forward, or at itself */
        { ASKED("1") "03 'www' c0 1b " ADDRESS, false },
        { ASKED("1") "c0 00 " ADDRESS, false },                               /* at the head: no name */
        { ASKED("1") "c0", false }, { ASKED("1"), false }, { ASKED("1") "c0 0c 00 01 " FIXED "00 04 0a 89 00", false },
        { ASKED("1") "40 *64 00 " ADDRESS, false },
        { "12 34 01 80 00 01 00 00 00 00 00 00 03 'www' 00 00 01 00 01", false },     /* a question */
        { "12 34 81 80 00 02 00 00 00 00 00 00 03 'www' 00 00 01 00 01", false },
        { "12 34 81 80 00 01 00 00 00 00 00 00 03 'www' 00 00 01 00", false }, { "", false }, { "12 34 81 80", false },
    };

    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        size_t n = bytes_of(messages[i].bytes, in, sizeof(in));

        ck_assert_msg(dns_check_answer(in, n) == (messages[i].good ? 0 : -EINVAL), "message %zu", i);
    }
}
END_TEST

/* Aliases that lead around end, too; and the bytes that make names longest. */
START_TEST(aliases)
{
    size_t n = bytes_of("12 34 81 80 00 01 00 40 00 00 00 00 01 'a' 00 00 01 00 01", in, sizeof(in));

    for (int i = 0; i < 64; i++)        /* a is b, b is a, ... */
        n += bytes_of(i & 1 ? "01 'b' 00 00 05 " FIXED "00 02 c0 0c" : "c0 0c 00 05 " FIXED "00 03 01 'b' 00", in + n, sizeof(in) - n);
    ck_assert_int_eq(dns_check_answer(in, n), 0);
    n = bytes_of("12 34 81 80 00 01 00 01 00 00 00 00", in, sizeof(in));
    for (int i = 0; i < 4; i++)
        n += bytes_of(i < 3 ? "3f *63" : "3d *61", in + n, sizeof(in) - n);
    n += bytes_of("00 00 01 00 01 c0 0c " ADDRESS, in + n, sizeof(in) - n);
    ck_assert_int_eq(dns_check_answer(in, n), 0);
    n = bytes_of(ASKED("1") "01 'x'", in, sizeof(in));
    for (int i = 0; i < 4; i++)
        n += bytes_of("3f *63", in + n, sizeof(in) - n);
    n += bytes_of("00 " ADDRESS, in + n, sizeof(in) - n);
    ck_assert_int_eq(dns_check_answer(in, n), -EINVAL);
}
END_TEST

START_TEST(plain_names)
{
    static const struct { const char *name, *plain; bool number; } rows[] = {
        { "a", "a", false }, { "a.", "a", false }, { "example.org.", "example.org", false }, { "1", "1", true }, { "1.2.3.4.", "1.2.3.4", true },
        { "a.0x1", "a.0x1", true }, { "a.0xg", "a.0xg", false }, { "4a", "4a", false }, { "1.a", "1.a", false }, { "_a.b-c", "_a.b-c", false },
        { "", NULL, false }, { ".", NULL, false }, { "..", NULL, false }, { ".a", NULL, false }, { "a..b", NULL, false }, { "a..", NULL, false },
        { "a b", NULL, false }, { "a\n", NULL, false }, { "a\\b", NULL, false }
    };
    char text[600], plain[DNS_NAME_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int e = dns_plain_name(rows[i].name, plain);

        ck_assert_msg(e == (rows[i].plain ? 0 : -EINVAL), "%s: %d", rows[i].name, e);
        if (e == 0) {
            ck_assert_str_eq(plain, rows[i].plain);
            ck_assert_msg(dns_ends_in_number(plain) == rows[i].number, "%s", plain);
        }
    }
    for (size_t n = 1; n < sizeof(text); n++) {         /* labels of one byte, then one label */
        for (size_t k = 0; k < n; k++)
            text[k] = k % 2 ? '.' : 'a';
        text[n] = 0;
        ck_assert_int_eq(dns_plain_name(text, plain), n - !(n % 2) < DNS_NAME_MAX ? 0 : -EINVAL);
        memset(text, 'a', n);
        ck_assert_int_eq(dns_plain_name(text, plain), n <= 63 ? 0 : -EINVAL);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("dns");

    tcase_add_test(t, questions);
    tcase_add_test(t, no_questions);
    tcase_add_test(t, longest_name);
    tcase_add_test(t, answers);
    tcase_add_test(t, owners);
    tcase_add_test(t, aliases);
    tcase_add_test(t, plain_names);
    return run_case("dns-wire", t);
}
