/* SPDX-License-Identifier: BSD-2-Clause */
/* What is shown of a peer's text: a table of inputs, and all code points. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <unik/clean.h>

#define ROW(from, lines, to) { from, sizeof(from) - 1, lines, to }

static const struct { const char *from; size_t n; unsigned flags; const char *to; } rows[] = {
    ROW("", 0, ""),
    ROW("plain ~ text", 0, "plain ~ text"),
    ROW("gr\xc3\xbc\xc3\x9f, \xe2\x82\xac, \xf0\x9f\x98\x80", 0, "gr\xc3\xbc\xc3\x9f, \xe2\x82\xac, \xf0\x9f\x98\x80"),
    ROW("a\0b", 0, "a?b"),
    ROW("\x01\x1f\x7f\x1b[31m", 0, "????[31m"),
    ROW("a\nb\tc\r\nd\re", 0, "a?b?c??d?e"),
    ROW("a\nb\tc\r\nd\re\r", UNIK_CLEAN_LINES, "a\nb\tc\nd\ne\n"),
    ROW("\r\r\n\n", UNIK_CLEAN_LINES, "\n\n\n"),
    ROW("\x0b\x0c\x00", UNIK_CLEAN_LINES, "???"),
    ROW("\xc2\x80 \xc2\x85 \xc2\x9b\xc2\x9f \xc2\xa0", 0, "? ? ?? \xc2\xa0"),       /* C1; then a no-break space */
    ROW("\x80\x9b\xff\xfe", 0, "????"),                                                 /* no UTF-8 */
    ROW("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", 0, "???"),                              /* ALM, LRM, RLM */
    ROW("a\xe2\x80\xae" "gpj.exe", 0, "a?gpj.exe"),                                     /* RLO */
    ROW("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad", 0, "????"),
    ROW("\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9", 0, "????"),             /* isolates */
    ROW("\xe2\x80\xa8\xe2\x80\xa9", UNIK_CLEAN_LINES, "??"),                        /* line, paragraph */
    ROW("\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xb0", 0, "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xb0"),
    ROW("\xc0\xaf\xc1\xbf\xe0\x80\xaf\xe0\x9f\xbf\xf0\x80\x80\xaf", 0, "??????????????"),   /* longer than need be */
    ROW("\xed\xa0\x80\xed\xbf\xbf\xf4\x90\x80\x80\xf5\x80\x80\x80", 0, "??????????????"),   /* surrogates; beyond the last */
    ROW("\xee\x80\x80\xf4\x8f\xbf\xbf", 0, "\xee\x80\x80\xf4\x8f\xbf\xbf"),
    ROW("\xc3", 0, "?"), ROW("\xe2\x82", 0, "??"), ROW("\xf0\x9f\x98", 0, "???"),       /* cut */
    ROW("\xc3(\xe2(\x82\xe2\x82(\xf0\x9f\x98(", 0, "?(?(\?\?\?(\?\?\?("),
};

START_TEST(table)
{
    size_t n = rows[_i].n;
    char to[200], *place = malloc(n + 1);

    ck_assert_uint_eq(unik_clean(to, sizeof(to), rows[_i].from, n, rows[_i].flags), strlen(rows[_i].to));
    ck_assert_str_eq(to, rows[_i].to);
    ck_assert_ptr_nonnull(place);
    memcpy(place, rows[_i].from, n);
    ck_assert_uint_eq(unik_clean(place, n + 1, place, n, rows[_i].flags), strlen(rows[_i].to));   /* in its place */
    ck_assert_str_eq(place, rows[_i].to);
    free(place);
}
END_TEST

static size_t encode(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

START_TEST(every_code_point)
{
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char from[4], to[8];
        size_t n = encode(c, from), k = unik_clean(to, sizeof(to), from, n, 0);

        if (c >= 0xd800 && c < 0xe000)
            ck_assert_msg(k == n && memcmp(to, "????", n) == 0, "U+%04x", (unsigned)c);
        else if (unik_clean_shown(c))
            ck_assert_msg(k == n && memcmp(to, from, n) == 0, "U+%04x", (unsigned)c);
        else
            ck_assert_msg(k == 1 && to[0] == '?', "U+%04x", (unsigned)c);
    }
}
END_TEST

/* Cut between characters, never inside of one. */
START_TEST(no_room)
{
    static const char text[] = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80";
    static const size_t fits[] = { 0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };
    char to[16];

    for (size_t size = 1; size < sizeof(fits) / sizeof(fits[0]); size++) {
        memset(to, 'X', sizeof(to));
        ck_assert_uint_eq(unik_clean(to, size, text, sizeof(text) - 1, 0), fits[size]);
        ck_assert_uint_eq(strlen(to), fits[size]);
        ck_assert_int_eq(to[size], 'X');
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("clean");
    TCase *t = tcase_create("clean");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, table, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_test(t, every_code_point);
    tcase_add_test(t, no_room);
    tcase_set_timeout(t, 900);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
