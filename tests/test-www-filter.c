/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter in front of www's parser: every line of tests/www/smuggling.txt, whole, cut in two at every byte, and byte by byte;
 * what http_parser reads in those that are taken; and what the server makes of all of them, over the network and over qrexec. And
 * limits. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/www/fixture.h"
#include "tests/www/judge.h"

#define CASES_LEAST 150
#define CASE_MAX 4096

struct smuggled { unsigned line, status; uint64_t length; size_t rest, n; char bytes[CASE_MAX]; };

static FILE *corpus;
static unsigned line_number;

static void open_corpus(void)
{
    char path[500];

    snprintf(path, sizeof(path), "%s/tests/www/smuggling.txt", getenv("UNIK_SOURCE") ? getenv("UNIK_SOURCE") : ".");
    corpus = fopen(path, "r");
    ck_assert_msg(corpus != NULL, "%s: %s", path, strerror(errno));
    line_number = 0;
}

/* Up to the closing quote, which a case may also hold itself. */
static size_t unescape(const char *from, const char *end, char *to)
{
    size_t n = 0;

    while (from < end) {
        char c = *from++;
        unsigned hex;

        if (c == '\\') {
            c = *from++;
            if (c == 'x') {
                ck_assert_int_eq(sscanf(from, "%2x", &hex), 1);
                from += 2;
                c = (char)hex;
            } else {
                c = c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c;
            }
        }
        ck_assert_uint_lt(n, CASE_MAX);
        to[n++] = c;
    }
    return n;
}

static bool next_case(struct smuggled *c)
{
    static char line[4 * CASE_MAX];
    char verdict[16], length[24], rest[24], *quote;

    while (fgets(line, sizeof(line), corpus)) {
        line_number++;
        if (line[0] == '#' || line[0] == '\n')
            continue;
        ck_assert_int_eq(sscanf(line, "%15s %23s %23s", verdict, length, rest), 3);
        quote = strchr(line, '"');
        ck_assert(quote && strrchr(line, '"') > quote);
        c->line = line_number;
        c->status = strcmp(verdict, "ok") == 0 ? 200 : (unsigned)strtoul(verdict, NULL, 10);
        c->length = strtoull(length, NULL, 10);
        c->rest = strtoul(rest, NULL, 10);
        c->n = unescape(quote + 1, strrchr(line, '"'), c->bytes);
        return true;
    }
    fclose(corpus);
    return false;
}

static void check(const struct smuggled *c, size_t first, size_t rest)
{
    struct verdict v = judge(c->bytes, c->n, first, rest);

    ck_assert_msg(v.status == c->status, "line %u, cut at %zu: %u (%s), not %u", c->line, first, v.status, v.f.why ? v.f.why : "",
                  c->status);
    if (v.status != 200)
        return;
    ck_assert_msg(v.length == c->length, "line %u: a body of %llu", c->line, (unsigned long long)v.length);
    ck_assert_msg(c->n - v.used == c->rest, "line %u: %zu bytes left", c->line, c->n - v.used);
}

START_TEST(verdicts)
{
    static struct smuggled c;
    unsigned n = 0, refused = 0;

    open_corpus();
    while (next_case(&c)) {
        for (size_t cut = 0; cut <= c.n; cut++)
            check(&c, cut, SIZE_MAX);
        check(&c, 0, 1);
        n++;
        refused += c.status >= 400;
    }
    ck_assert_uint_ge(n, CASES_LEAST);
    ck_assert_uint_ge(refused, CASES_LEAST);
}
END_TEST

START_TEST(the_library_reads_the_same)
{
    static struct smuggled c;

    open_corpus();
    while (next_case(&c)) {
        struct verdict v = judge(c.bytes, c.n, SIZE_MAX, SIZE_MAX);
        const char *why = v.status == 200 ? other_reading(c.bytes, c.n, &v) : NULL;

        ck_assert_msg(!why, "line %u: %s", c.line, why);
    }
}
END_TEST

/* How many answers, and the first one's status. Their bodies hold no "HTTP/1.1". */
static unsigned answers(const char *text, unsigned *status)
{
    unsigned n = 0;

    *status = 0;
    for (const char *p = text; (p = strstr(p, "HTTP/1.1 ")) != NULL; p += 9)
        if (n++ == 0)
            *status = (unsigned)strtoul(p + 9, NULL, 10);
    return n;
}

/* All that comes back for these bytes and the end of input. */
static void ask(struct fixture *f, bool qrexec, const struct mem_options *o, const struct smuggled *c, char *answer, size_t size)
{
    struct unik_qrexec_call *call;
    struct unik_stream *s;

    if (!qrexec) {
        fixture_ask(f, o, c->bytes, c->n, answer, size);
        return;
    }
    s = fixture_call(f, true, "80", o, &call);
    fixture_write(f, s, c->bytes, c->n);
    unik_stream_shut(s);
    answer[fixture_read(f, s, answer, size - 1)] = 0;
    unik_stream_close(s);
    for (int i = 0; i < 100 && mem_open; i++)
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    free(call);
}

/* _i: over qrexec; else over the network. */
START_TEST(served)
{
    static const struct mem_options ways[] = { { 0, 0, 0 }, { 0, 1, 0 }, { 100, 33, 9 } };
    static struct smuggled c;
    static char answer[65536];
    struct fixture f;

    fixture_open(&f);
    fixture_file(&f, "hidden", "hidden", 6);
    fixture_start(&f, NULL);
    host_publish(f.h, "net/1", &f.net);
    host_publish(f.h, "qrexec/1", &f.qrexec);
    open_corpus();
    while (next_case(&c))
        for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
            unsigned status, n;

            ask(&f, _i, &ways[way], &c, answer, sizeof(answer));
            n = answers(answer, &status);
            if (c.status >= 400) {
                ck_assert_msg(n == 1 && status == c.status, "line %u: %u answers: %s", c.line, n, answer);
                ck_assert_msg(strstr(answer, "Connection: close\r\n") != NULL, "line %u: %s", c.line, answer);
                ck_assert_msg(strstr(answer, "\r\n\r\nhidden") == NULL, "line %u: smuggled", c.line);
            } else {
                ck_assert_msg(c.status ? n >= 1 && n <= 2 && status != 400 : n == 0, "line %u: %u answers: %s", c.line, n, answer);
                ck_assert_msg(c.rest || !strstr(answer, "\r\n\r\nhidden"), "line %u: smuggled", c.line);
            }
        }
    fixture_stop(&f);
    fixture_close(&f);
}
END_TEST

/* A head of n bytes and so many fields more. */
static struct verdict long_head(size_t target, size_t n, unsigned fields, size_t piece)
{
    static char head[3 * WWW_HEAD_MAX];
    size_t at = (size_t)sprintf(head, "GET /%0*d HTTP/1.1\r\nHost: h\r\n", (int)target - 1, 0);

    for (unsigned i = 0; i < fields; i++)
        at += (size_t)sprintf(head + at, "X: %u\r\n", i);
    if (n > at + 7)
        at += (size_t)sprintf(head + at, "Y: %0*d\r\n", (int)(n - at - 7), 0);
    at += (size_t)sprintf(head + at, "\r\n");
    return judge(head, at, 0, piece);
}

START_TEST(limits)
{
    static const size_t pieces[] = { 1, 7, SIZE_MAX };

    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(long_head(10, WWW_HEAD_MAX, 0, pieces[i]).status, 200);
        ck_assert_uint_eq(long_head(10, WWW_HEAD_MAX, 0, pieces[i]).head, WWW_HEAD_MAX);
        ck_assert_uint_eq(long_head(10, WWW_HEAD_MAX + 1, 0, pieces[i]).status, 431);
        ck_assert_uint_eq(long_head(10, 2 * WWW_HEAD_MAX, 0, pieces[i]).status, 431);
        ck_assert_uint_eq(long_head(WWW_LINE_MAX, 0, 0, pieces[i]).status, 200);
        ck_assert_uint_eq(long_head(WWW_LINE_MAX + 1, 0, 0, pieces[i]).status, 414);
        ck_assert_uint_eq(long_head(10, 0, WWW_FIELDS_MAX - 1, pieces[i]).status, 200);
        ck_assert_uint_eq(long_head(10, 0, WWW_FIELDS_MAX, pieces[i]).status, 431);
    }
}
END_TEST

/* A chunked body as long as may be, in chunks of `size`; and its trailers. */
static struct verdict long_body(size_t total, size_t size, size_t trailer, size_t piece)
{
    static char text[8 * WWW_CHUNKED_MAX];
    size_t at = (size_t)sprintf(text, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");

    for (size_t done = 0; done < total; done += size)
        at += (size_t)sprintf(text + at, "%zx\r\n%0*d\r\n", size, (int)size, 0);
    at += (size_t)sprintf(text + at, "0\r\nX: %0*d\r\n\r\n", (int)trailer, 0);
    return judge(text, at, 0, piece);
}

START_TEST(limits_of_bodies)
{
    static const size_t pieces[] = { 5, SIZE_MAX };

    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(long_body(WWW_BODY_MAX, WWW_BODY_MAX, 1, pieces[i]).status, 200);
        ck_assert_uint_eq(long_body(WWW_BODY_MAX, WWW_BODY_MAX, 1, pieces[i]).length, WWW_BODY_MAX);
        ck_assert_uint_eq(long_body(WWW_BODY_MAX, 16, 1, pieces[i]).status, 200);
        ck_assert_uint_eq(long_body(WWW_BODY_MAX, 1, 1, pieces[i]).status, 413);
        ck_assert_uint_eq(long_body(WWW_BODY_MAX + 16, 16, 1, pieces[i]).status, 413);
        ck_assert_uint_eq(long_body(WWW_BODY_MAX + 1, WWW_BODY_MAX + 1, 1, pieces[i]).status, 413);
        ck_assert_uint_eq(long_body(16, 16, WWW_HEAD_MAX - 7, pieces[i]).status, 200);
        ck_assert_uint_eq(long_body(16, 16, WWW_HEAD_MAX - 6, pieces[i]).status, 431);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("www-filter");
    TCase *t = tcase_create("filter");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, verdicts);
    tcase_add_test(t, the_library_reads_the_same);
    tcase_add_loop_test(t, served, 0, 2);
    tcase_add_test(t, limits);
    tcase_add_test(t, limits_of_bodies);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
