/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of HTTP that are only text: paths, ranges, entity tags, dates, types. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "apps/www/syntax.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

START_TEST(paths)
{
    static const struct {
        const char *target, *path;      /* path NULL: refused with error */
        int error;
        bool folder;
    } rows[] = {
        { "/", "", 0, true },
        { "/a", "a", 0, false },
        { "/a/", "a", 0, true },
        { "/a/b.html", "a/b.html", 0, false },
        { "//a///b//", "a/b", 0, true },
        { "/a%20b", "a b", 0, false },
        { "/%C3%A9t%c3%a9", "\xc3\xa9t\xc3\xa9", 0, false },
        { "/100%25", "100%", 0, false },
        { "/%23x", "#x", 0, false },
        { "/a?b/../c", "a", 0, false },
        { "/?x", "", 0, true },
        { "/a...b/..c..", NULL, -ENOENT, false },
        { "/a..b/c.", "a..b/c.", 0, false },
        { "/...", NULL, -ENOENT, false },
        { "/a\\..\\b", "a\\..\\b", 0, false },
        { "", NULL, -EINVAL, false },
        { "a", NULL, -EINVAL, false },
        { "?x", NULL, -EINVAL, false },
        { "*", NULL, -EINVAL, false },
        { "/..", NULL, -EINVAL, false },
        { "/../", NULL, -EINVAL, false },
        { "/a/../b", NULL, -EINVAL, false },
        { "/.", NULL, -EINVAL, false },
        { "/./a", NULL, -EINVAL, false },
        { "/%2e%2E/etc/passwd", NULL, -EINVAL, false },
        { "/%2e", NULL, -EINVAL, false },
        { "/..%2fetc", NULL, -ENOENT, false },
        { "/a%2Fb", NULL, -ENOENT, false },
        { "/a%00b", NULL, -EINVAL, false },
        { "/a%0ab", NULL, -EINVAL, false },
        { "/a%7f", NULL, -EINVAL, false },
        { "/a#b", NULL, -EINVAL, false },
        { "/%", NULL, -EINVAL, false },
        { "/%4", NULL, -EINVAL, false },
        { "/%4g", NULL, -EINVAL, false },
        { "/%g4", NULL, -EINVAL, false },
        { "/%-1", NULL, -EINVAL, false },
        { "/.hidden", NULL, -ENOENT, false },
        { "/a/.git/config", NULL, -ENOENT, false },
        { "/%2egit", NULL, -ENOENT, false },
    };
    struct www_path p;

    for (size_t i = 0; i < COUNT(rows); i++) {
        int e = www_path_decode(rows[i].target, strlen(rows[i].target), false, &p);

        ck_assert_msg(e == rows[i].error, "%s: %d", rows[i].target, e);
        if (!rows[i].path)
            continue;
        ck_assert_msg(strcmp(p.at, rows[i].path) == 0, "%s: %s", rows[i].target, p.at);
        ck_assert_uint_eq(p.len, strlen(rows[i].path));
        ck_assert_msg(p.folder == rows[i].folder, "%s: folder", rows[i].target);
    }
    ck_assert_int_eq(www_path_decode("/.hidden/x", 10, true, &p), 0);
    ck_assert_int_eq(www_path_decode("/..", 3, true, &p), -EINVAL);
    ck_assert_int_eq(www_path_decode("/a?q=1", 6, false, &p), 0);
    ck_assert_uint_eq(p.query.n, 4);
    ck_assert_int_eq(memcmp(p.query.at, "?q=1", 4), 0);
}
END_TEST

START_TEST(long_paths)
{
    char target[WWW_PATH_MAX + 10];
    struct www_path p;

    memset(target, 'x', sizeof(target));
    target[0] = '/';
    ck_assert_int_eq(www_path_decode(target, WWW_PATH_MAX, false, &p), 0);
    ck_assert_uint_eq(p.len, WWW_PATH_MAX - 1);
    ck_assert_int_eq(www_path_decode(target, WWW_PATH_MAX + 1, false, &p), -ENAMETOOLONG);
    target[WWW_PATH_MAX - 1] = '/';
    ck_assert_int_eq(www_path_decode(target, WWW_PATH_MAX, false, &p), 0);
    ck_assert_uint_eq(p.len, WWW_PATH_MAX - 2);
    ck_assert(p.folder);
}
END_TEST

START_TEST(paths_as_urls)
{
    static const struct {
        const char *target, *url;
    } rows[] = {
        { "/", "/" }, { "/a", "/a/" }, { "//evil.example", "/evil.example/" }, { "/\\evil", "/%5Cevil/" },
        { "/a%20b/c", "/a%20b/c/" }, { "/%0d", NULL }, { "/a%25", "/a%25/" }, { "/<b>", "/%3Cb%3E/" },
    };
    struct www_path p;
    char url[64], tight[4];

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (www_path_decode(rows[i].target, strlen(rows[i].target), false, &p) < 0) {
            ck_assert_ptr_null(rows[i].url);
            continue;
        }
        ck_assert_uint_eq(www_path_encode(&p, url, sizeof(url)), strlen(rows[i].url));
        ck_assert_str_eq(url, rows[i].url);
    }
    ck_assert_int_eq(www_path_decode("/abcdef", 7, false, &p), 0);
    ck_assert_uint_eq(www_path_encode(&p, tight, sizeof(tight)), 0);
}
END_TEST

START_TEST(absolute_targets)
{
    static const struct {
        const char *target, *path;
    } rows[] = {
        { "/a", "/a" }, { "http://h/a", "/a" }, { "HTTP://h:80/a?b", "/a?b" }, { "https://h", "/" },
        { "http://h?x", "?x" }, { "http:///a", "http:///a" }, { "ftp://h/a", "ftp://h/a" }, { "*", "*" },
        { "http://", "http://" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct www_slice s = www_target_path(rows[i].target, strlen(rows[i].target));

        ck_assert_msg(s.n == strlen(rows[i].path) && memcmp(s.at, rows[i].path, s.n) == 0, "%s: %.*s", rows[i].target,
                      (int)s.n, s.at);
    }
}
END_TEST

START_TEST(ranges)
{
    static const struct {
        const char *field;
        uint64_t size;
        enum www_range kind;
        uint64_t from, end;
    } rows[] = {
        { "bytes=0-0", 10, WWW_RANGE_PART, 0, 1 },
        { "bytes=0-9", 10, WWW_RANGE_PART, 0, 10 },
        { "bytes=2-4", 10, WWW_RANGE_PART, 2, 5 },
        { "bytes=5-", 10, WWW_RANGE_PART, 5, 10 },
        { "bytes=-3", 10, WWW_RANGE_PART, 7, 10 },
        { "bytes=-30", 10, WWW_RANGE_PART, 0, 10 },
        { "bytes=9-99999999999999999999999", 10, WWW_RANGE_PART, 9, 10 },
        { "Bytes= 1-2", 10, WWW_RANGE_PART, 1, 3 },
        { "bytes=1-2 ,\t", 10, WWW_RANGE_PART, 1, 3 },
        { "bytes=,,1-2", 10, WWW_RANGE_PART, 1, 3 },
        { "bytes=0-1,2-3", 10, WWW_RANGE_PART, 0, 4 },
        { "bytes=4-6,2-5", 10, WWW_RANGE_PART, 2, 7 },
        { "bytes=0-1,20-", 10, WWW_RANGE_PART, 0, 2 },
        { "bytes=0-1,5-6", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=0-0,-1", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=10-", 10, WWW_RANGE_NONE, 0, 0 },
        { "bytes=10-20", 10, WWW_RANGE_NONE, 0, 0 },
        { "bytes=-0", 10, WWW_RANGE_NONE, 0, 0 },
        { "bytes=99999999999999999999-", 10, WWW_RANGE_NONE, 0, 0 },
        { "bytes=10-,11-12", 10, WWW_RANGE_NONE, 0, 0 },
        { "bytes=0-", 0, WWW_RANGE_ALL, 0, 0 },
        { "bytes=-1", 0, WWW_RANGE_ALL, 0, 0 },
        { "", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=,", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=-", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=1", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=2-1", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=1-2x", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=a-b", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=1--2", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=1-2 3-4", 10, WWW_RANGE_ALL, 0, 0 },
        { "lines=1-2", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,0-0,1-1,2-2,3-3,4-4,5-5", 10, WWW_RANGE_PART, 0, 10 },
        { "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,0-0,1-1,2-2,3-3,4-4,5-5,6-6", 10, WWW_RANGE_ALL, 0, 0 },
        { "bytes=0-18446744073709551615", UINT64_MAX, WWW_RANGE_PART, 0, UINT64_MAX },
        { "bytes=18446744073709551614-", UINT64_MAX, WWW_RANGE_PART, UINT64_MAX - 1, UINT64_MAX },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t from = 77, end = 77;
        enum www_range kind = www_range(rows[i].field, strlen(rows[i].field), rows[i].size, &from, &end);

        ck_assert_msg(kind == rows[i].kind, "%s: %d", rows[i].field, (int)kind);
        if (kind == WWW_RANGE_PART) {
            ck_assert_msg(from == rows[i].from && end == rows[i].end, "%s: %llu %llu", rows[i].field,
                          (unsigned long long)from, (unsigned long long)end);
            ck_assert(from < end && end <= rows[i].size);
        }
    }
}
END_TEST

START_TEST(entity_tags)
{
    static const struct {
        const char *list;
        bool weak, strong;
    } rows[] = {
        { "\"x\"", true, true }, { "W/\"x\"", true, false }, { "*", true, true }, { " * ", true, true },
        { "\"a\", \"x\"", true, true }, { "\"a\",\"x\"", true, true }, { "\"a\" , W/\"x\"", true, false },
        { ",,\"x\",", true, true }, { "\"a,x\"", false, false }, { "\"a\"", false, false }, { "x", false, false },
        { "", false, false }, { "\"x", false, false }, { "\"", false, false }, { "W/", false, false },
        { "W/x", false, false }, { "\"a\"\"x\"", false, false }, { "\"a\" \"x\"", false, false },
        { "*, \"x\"", false, false }, { "w/\"x\"", false, false }, { "\"\"", false, false }, { "\"xx\"", false, false },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *list = rows[i].list;

        ck_assert_msg(www_etag_in(list, strlen(list), "\"x\"", true) == rows[i].weak, "%s", list);
        ck_assert_msg(www_etag_in(list, strlen(list), "\"x\"", false) == rows[i].strong, "%s", list);
    }
}
END_TEST

START_TEST(dates)
{
    static const char *const good[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    }, *const bad[] = {
        "", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nix 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
        "784111777", "Sun, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 199", "Sun Nov", "Sun, 06 No",
    };
    char text[WWW_DATE_SIZE];
    time_t t;

    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(www_date_parse(good[i], strlen(good[i]), 1700000000, &t) == 0, "%s", good[i]);
        ck_assert_int_eq(t, 784111777);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(www_date_parse(bad[i], strlen(bad[i]), 1700000000, &t) == -EINVAL, "%s", bad[i]);
    for (time_t x = 0; x < 4200000000; x += 40123457) {
        www_date_format(x, text);
        ck_assert_uint_eq(strlen(text), WWW_DATE_SIZE - 1);
        ck_assert_int_eq(www_date_parse(text, strlen(text), 1700000000, &t), 0);
        ck_assert_int_eq(t, x);
    }
    www_date_format(784111777, text);
    ck_assert_str_eq(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    /* Two digits: not over 50 years ahead of now, which is 2023. */
    ck_assert_int_eq(www_date_parse("Monday, 01-Jan-73 00:00:00 GMT", 30, 1700000000, &t), 0);
    ck_assert_int_eq(t, 3250454400);
    ck_assert_int_eq(www_date_parse("Monday, 01-Jan-74 00:00:00 GMT", 30, 1700000000, &t), 0);
    ck_assert_int_eq(t, 126230400);
}
END_TEST

START_TEST(types)
{
    static const struct {
        const char *path, *type;
    } rows[] = {
        { "index.html", "text/html; charset=utf-8" }, { "a/b.HTML", "text/html; charset=utf-8" },
        { "x.css", "text/css; charset=utf-8" }, { "x.js", "text/javascript; charset=utf-8" }, { "x.png", "image/png" },
        { "x.7z", "application/x-7z-compressed" }, { "x.zst", "application/zstd" }, { "x.svg", "image/svg+xml" },
        { "a.tar.gz", "application/gzip" }, { "x.wasm", "application/wasm" }, { "x.txt", "text/plain; charset=utf-8" },
        { "x.woff2", "font/woff2" }, { "x", "application/octet-stream" }, { "x.", "application/octet-stream" },
        { "a.html/b", "application/octet-stream" }, { ".html", "application/octet-stream" },
        { "a/.html", "application/octet-stream" }, { "x.unknown", "application/octet-stream" },
        { "", "application/octet-stream" },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_msg(strcmp(www_type(rows[i].path), rows[i].type) == 0, "%s", rows[i].path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("www-syntax");
    TCase *t = tcase_create("syntax");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, paths);
    tcase_add_test(t, long_paths);
    tcase_add_test(t, paths_as_urls);
    tcase_add_test(t, absolute_targets);
    tcase_add_test(t, ranges);
    tcase_add_test(t, entity_tags);
    tcase_add_test(t, dates);
    tcase_add_test(t, types);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
