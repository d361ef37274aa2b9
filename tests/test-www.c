/* SPDX-License-Identifier: BSD-2-Clause */
/* www over a stream in memory: every request of a table, delivered whole, byte by byte, and in random pieces through a
 * narrow stream. The answer must be the same bytes each time. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/www/fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define H "Host: h\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\n" H "\r\n"
#define WITH(target, fields) "GET " target " HTTP/1.1\r\n" H fields "\r\n"

static struct fixture f;

struct row {
    const char *request;
    long status;                        /* of the last answer; 0: nothing comes */
    const char *has[3];                 /* in the answer */
    const char *body;                   /* of the last answer, if it is said here */
    unsigned long answers;              /* 0: one */
};

static const struct row rows[] = {
    /* ---- files ---- */
    { GET("/"), 200, { "Content-Type: text/html; charset=utf-8\r\n", "Content-Length: 9\r\n" }, "<p>hello\n", 0 },
    { GET("/index.html"), 200, { "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "ETag: \"" }, "<p>hello\n", 0 },
    { GET("/ten.txt"), 200, { "Accept-Ranges: bytes\r\n", "text/plain; charset=utf-8" }, "0123456789", 0 },
    { GET("/ten.txt?a=b&c"), 200, { 0 }, "0123456789", 0 },
    { GET("/empty"), 200, { "Content-Length: 0\r\n", "application/octet-stream" }, "", 0 },
    { GET("/a%20b+c%25.css"), 200, { "text/css" }, "x{}", 0 },
    { GET("/sub/"), 200, { 0 }, "sub\n", 0 },
    { GET("//sub///page.html"), 200, { 0 }, "page\n", 0 },
    { GET("http://any.host:80/ten.txt"), 200, { 0 }, "0123456789", 0 },
    { GET("http://any.host"), 200, { 0 }, "<p>hello\n", 0 },
    { GET("http://any.host?x"), 200, { 0 }, "<p>hello\n", 0 },
    { GET("/inside"), 200, { 0 }, "page\n", 0 },
    { "HEAD /ten.txt HTTP/1.1\r\n" H "\r\n", 200, { "Content-Length: 10\r\n" }, "", 0 },
    { "HEAD /none HTTP/1.1\r\n" H "\r\n", 404, { "Content-Length: 14\r\n" }, "", 0 },
    { "\r\n\n\r\nGET /ten.txt HTTP/1.1\r\n" H "\r\n", 200, { 0 }, "0123456789", 0 },
    { "GET /ten.txt HTTP/1.1\nHost: h\n\n", 200, { 0 }, "0123456789", 0 },
    { "GET /ten.txt HTTP/1.1\r\nhOsT:h\r\n\r\n", 200, { 0 }, "0123456789", 0 },
    { "GET /ten.txt HTTP/1.1\r\nHost:\r\n\r\n", 200, { 0 }, "0123456789", 0 },
    /* ---- not files ---- */
    { GET("/sub"), 301, { "Location: /sub/\r\n" }, NULL, 0 },
    { GET("/sub?q=1"), 301, { "Location: /sub/?q=1\r\n" }, NULL, 0 },
    { GET("//sub"), 301, { "Location: /sub/\r\n" }, NULL, 0 },
    { GET("/none"), 404, { "Content-Type: text/plain" }, "404 Not Found\n", 0 },
    { GET("/sub/none/"), 404, { 0 }, NULL, 0 },
    { GET("/sub/none/x"), 404, { 0 }, NULL, 0 },
    { GET("/ten.txt/"), 404, { 0 }, NULL, 0 },
    { GET("/ten.txt/x"), 404, { 0 }, NULL, 0 },
    { GET("/fifo"), 404, { 0 }, NULL, 0 },
    { GET("/.secret"), 404, { 0 }, NULL, 0 },
    { GET("/.hidden/page.html"), 404, { 0 }, NULL, 0 },
    { GET("/%2esecret"), 404, { 0 }, NULL, 0 },
    /* ---- out of the root ---- */
    { GET("/../etc/passwd"), 400, { 0 }, NULL, 0 },
    { GET("/sub/../../etc/passwd"), 400, { 0 }, NULL, 0 },
    { GET("/%2e%2e/etc/passwd"), 400, { 0 }, NULL, 0 },
    { GET("/..%2f..%2fetc/passwd"), 404, { 0 }, NULL, 0 },
    { GET("/outside"), 404, { 0 }, NULL, 0 },
    { GET("/up/etc/passwd"), 404, { 0 }, NULL, 0 },
    { GET("/loop"), 404, { 0 }, NULL, 0 },
    { GET("/a%00b"), 400, { 0 }, NULL, 0 },
    { GET("/%zz"), 400, { 0 }, NULL, 0 },
    { GET("/a%2fb"), 404, { 0 }, NULL, 0 },
    { GET("//proc/self/environ"), 404, { 0 }, NULL, 0 },
    /* ---- methods ---- */
    { "POST / HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nab", 405, { "Allow: GET, HEAD\r\n" }, NULL, 0 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nab" GET("/ten.txt"), 200, { "405 Method" }, "0123456789", 2 },
    { "OPTIONS * HTTP/1.1\r\n" H "\r\n", 405, { "Allow: GET, HEAD\r\n" }, NULL, 0 },
    { "DELETE /ten.txt HTTP/1.1\r\n" H "\r\n", 405, { 0 }, NULL, 0 },
    { "CONNECT h:80 HTTP/1.1\r\n" H "\r\n", 405, { 0 }, NULL, 0 },
    { "TRACE / HTTP/1.1\r\n" H "\r\n", 405, { 0 }, NULL, 0 },
    { "BREW /pot HTTP/1.1\r\n" H "\r\n", 501, { 0 }, NULL, 0 },
    { "get / HTTP/1.1\r\n" H "\r\n", 501, { 0 }, NULL, 0 },
    { "G<T / HTTP/1.1\r\n" H "\r\n", 400, { 0 }, NULL, 0 },
    /* ---- versions ---- */
    { "GET /ten.txt HTTP/1.0\r\n\r\n", 200, { "Connection: close\r\n" }, "0123456789", 0 },
    { "GET /ten.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /sub/ HTTP/1.0\r\n\r\n", 200,
      { "Connection: keep-alive\r\n", "Connection: close\r\n" }, "sub\n", 2 },
    { "GET /ten.txt HTTP/1.0\r\n\r\n" GET("/"), 200, { 0 }, "0123456789", 0 },
    { "GET / HTTP/2.0\r\n" H "\r\n", 505, { "Connection: close\r\n" }, NULL, 0 },
    { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, { 0 }, NULL, 0 },
    { "GET /\r\n\r\n", 505, { 0 }, NULL, 0 },
    { "GET / HTTP/0.9\r\n\r\n", 505, { 0 }, NULL, 0 },
    { "GET / HTTP/1.10\r\n" H "\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTPS/1.1\r\n" H "\r\n", 400, { 0 }, NULL, 0 },
    /* ---- malformed ---- */
    { "GET / HTTP/1.1\r\n\r\n", 400, { "no Host" }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H H "\r\n", 400, { "more than one Host" }, NULL, 0 },
    { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, { "bad Host" }, NULL, 0 },
    { "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", 400, { "folded" }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "no colon\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H ": v\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "X: a\x01" "b\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "\x16\x03\x01\x02\n\n", 400, { 0 }, NULL, 0 },
    { "GET  / HTTP/1.1\r\n" H "\r\n", 400, { "bad request line" }, NULL, 0 },
    { "GET ten.txt HTTP/1.1\r\n" H "\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: x\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, x\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, { 0 }, NULL, 0 },
    { "GET / HTT", 0, { 0 }, NULL, 0 },
    { "", 0, { 0 }, NULL, 0 },
    { "\r\n\r\n\r\n", 0, { 0 }, NULL, 0 },
    /* ---- bodies ---- */
    { WITH("/", "Content-Length: 5\r\n") "abcde" GET("/ten.txt"), 200, { 0 }, "0123456789", 2 },
    { WITH("/", "Content-Length: 65537\r\n"), 413, { "Connection: close\r\n" }, NULL, 0 },
    { WITH("/ten.txt", "Transfer-Encoding: chunked\r\n") "1\r\na\r\n0\r\n\r\n" GET("/"), 200,
      { "Connection: close\r\n" },
      "0123456789", 0 },
    { WITH("/ten.txt", "Expect: 100-continue\r\n"), 200, { 0 }, "0123456789", 0 },
    { "PUT /x HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", 405,
      { "Connection: close\r\n" }, NULL, 0 },
    { WITH("/", "Expect: tea\r\n"), 417, { 0 }, NULL, 0 },
    { WITH("/", "Content-Length: 3\r\n") "ab", 200, { 0 }, "<p>hello\n", 0 },
    /* ---- connections ---- */
    { GET("/ten.txt") GET("/sub/") GET("/none") GET("/"), 200, { "404 Not Found" }, "<p>hello\n", 4 },
    { WITH("/ten.txt", "Connection: close\r\n") GET("/"), 200, { "Connection: close\r\n" }, "0123456789", 0 },
    { WITH("/ten.txt", "Connection: upgrade\r\nUpgrade: h2c\r\n"), 200, { 0 }, "0123456789", 0 },
    /* ---- ranges ---- */
    { WITH("/ten.txt", "Range: bytes=2-4\r\n"), 206,
      { "Content-Range: bytes 2-4/10\r\n", "Content-Length: 3\r\n" }, "234", 0 },
    { WITH("/ten.txt", "Range: bytes=-1\r\n"), 206, { "bytes 9-9/10\r\n" }, "9", 0 },
    { WITH("/ten.txt", "Range: bytes=7-\r\n"), 206, { "bytes 7-9/10\r\n" }, "789", 0 },
    { WITH("/ten.txt", "Range: bytes=0-1,2-3\r\n"), 206, { "bytes 0-3/10\r\n" }, "0123", 0 },
    { WITH("/ten.txt", "Range: bytes=0-1,5-6\r\n"), 200, { 0 }, "0123456789", 0 },
    { WITH("/ten.txt", "Range: bytes=10-\r\n"), 416, { "Content-Range: bytes */10\r\n" }, NULL, 0 },
    { WITH("/ten.txt", "Range: bytes=5-2\r\n"), 200, { 0 }, "0123456789", 0 },
    { WITH("/ten.txt", "Range: lines=1-2\r\n"), 200, { 0 }, "0123456789", 0 },
    { WITH("/ten.txt", "Range: bytes=0-1\r\nRange: bytes=2-3\r\n"), 200, { 0 }, "0123456789", 0 },
    { WITH("/empty", "Range: bytes=0-\r\n"), 200, { 0 }, "", 0 },
    { "HEAD /ten.txt HTTP/1.1\r\n" H "Range: bytes=2-4\r\n\r\n", 200, { "Content-Length: 10\r\n" }, "", 0 },
    { WITH("/none", "Range: bytes=2-4\r\n"), 404, { 0 }, NULL, 0 },
    { WITH("/ten.txt", "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\nRange: bytes=2-4\r\n"), 206, { 0 }, "234", 0 },
    { WITH("/ten.txt", "If-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\nRange: bytes=2-4\r\n"), 200,
      { 0 }, "0123456789", 0 },
    { WITH("/ten.txt", "If-Range: \"other\"\r\nRange: bytes=2-4\r\n"), 200, { 0 }, "0123456789", 0 },
    { WITH("/ten.txt", "If-Range: rubbish\r\nRange: bytes=2-4\r\n"), 200, { 0 }, "0123456789", 0 },
    /* ---- conditions ---- */
    { WITH("/ten.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 304, { "ETag: \"" }, "", 0 },
    { WITH("/ten.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n"), 200, { 0 }, NULL, 0 },
    { WITH("/ten.txt", "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n"), 304, { 0 }, "", 0 },
    { WITH("/ten.txt", "If-Modified-Since: rubbish\r\n"), 200, { 0 }, NULL, 0 },
    { WITH("/ten.txt", "If-None-Match: *\r\n"), 304, { 0 }, "", 0 },
    { WITH("/ten.txt", "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 200,
      { 0 }, NULL, 0 },
    { WITH("/none", "If-None-Match: *\r\n"), 404, { 0 }, NULL, 0 },
    { WITH("/ten.txt", "If-Match: *\r\n"), 200, { 0 }, NULL, 0 },
    { WITH("/ten.txt", "If-Match: \"x\"\r\n"), 412, { 0 }, NULL, 0 },
    { WITH("/ten.txt", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n"), 412, { 0 }, NULL, 0 },
    { WITH("/ten.txt", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 200, { 0 }, NULL, 0 },
    { WITH("/ten.txt", "If-Unmodified-Since: rubbish\r\n"), 200, { 0 }, NULL, 0 },
    { WITH("/ten.txt", "If-None-Match: 1\r\nIf-None-Match: 2\r\nIf-None-Match: 3\r\nIf-None-Match: 4\r\n"
      "If-None-Match: *\r\n"), 400, { 0 }, NULL, 0 },
};

/* Dates of now out of the answer, so that two can be compared. */
static void without_date(char *answer)
{
    for (char *p = answer; (p = strstr(p, "\r\nDate: ")) != NULL;) {
        char *end = strstr(p + 2, "\r\n");

        ck_assert_ptr_nonnull(end);
        ck_assert_int_eq(end - p, 2 + 6 + 29);
        memmove(p, end, strlen(end) + 1);
    }
}

/* Walks over `count` answers by their Content-Length; gives the last one's status and body. */
static long last_answer(const char *request, char *answer, unsigned long count, bool head, char **body)
{
    char *p = answer;
    long status = 0;

    *body = p;
    for (unsigned long i = 0; i < count; i++) {
        char *end = strstr(p, "\r\n\r\n"), *length = strstr(p, "Content-Length: ");
        unsigned long n;

        ck_assert_msg(end && strncmp(p, "HTTP/1.1 ", 9) == 0, "%s: answer %lu: %s", request, i, p);
        status = strtol(p + 9, NULL, 10);
        n = head || status == 304 || !length || length > end ? 0 : strtoul(length + 16, NULL, 10);
        ck_assert_msg(strlen(end + 4) >= n, "%s: body cut off", request);
        *body = end + 4;
        p = end + 4 + n;
    }
    ck_assert_msg(*p == 0, "%s: more than its answers: %s", request, p);
    return status;
}

static void check_row(const struct row *row, char *answer)
{
    unsigned long count = row->status == 0 ? 0 : row->answers ? row->answers : 1;
    char *body;
    long status = last_answer(row->request, answer, count, strncmp(row->request, "HEAD", 4) == 0, &body);

    ck_assert_msg(status == row->status, "%s: %s", row->request, answer);
    for (size_t i = 0; i < COUNT(row->has) && row->has[i]; i++)
        ck_assert_msg(strstr(answer, row->has[i]), "%s: no %s in: %s", row->request, row->has[i], answer);
    if (row->body)
        ck_assert_msg(strcmp(body, row->body) == 0, "%s: body %s", row->request, body);
}

START_TEST(table)
{
    static const struct mem_options ways[] = {
        { 0, 0, 0 }, { 0, 1, 0 }, { 64, 17, 12345 }, { 3, 2, 0 }, { 100, 1, 0 }, { 1, 1, 0 },
    };
    static char first[8192], answer[8192];
    /* Without this call links are refused, those that stay inside too. */
    bool links = syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0) < 0 && errno != ENOSYS;

    fixture_open(&f);
    fixture_start(&f, NULL);
    host_publish(f.h, "net/1", &f.net);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t way = 0; way < COUNT(ways); way++) {
            if (!links && strcmp(rows[i].request, GET("/inside")) == 0)
                continue;
            fixture_ask(&f, &ways[way], rows[i].request, strlen(rows[i].request), answer, sizeof(answer));
            without_date(answer);
            if (way == 0) {
                check_row(&rows[i], answer);
                snprintf(first, sizeof(first), "%s", answer);
            }
            ck_assert_msg(strcmp(answer, first) == 0, "%s: way %zu: %s\nnot: %s", rows[i].request, way, answer, first);
            ck_assert_uint_eq(host_counter(f.www, "connections"), 0);
        }
    ck_assert_uint_gt(host_counter(f.www, "responses_2xx"), 100);
    ck_assert_uint_eq(host_counter(f.www, "responses_5xx"), COUNT(ways) * 6);
    ck_assert_uint_eq(host_counter(f.www, "requests"),
                      host_counter(f.www, "responses_2xx") + host_counter(f.www, "responses_3xx") +
                      host_counter(f.www, "responses_4xx") + host_counter(f.www, "responses_5xx"));
    fixture_stop(&f);
    fixture_close(&f);
}
END_TEST

/* A tag from one answer, given back in every way. */
START_TEST(entity_tags)
{
    static const struct {
        const char *fields;             /* %s: the tag */
        int status;
    } asks[] = {
        { "If-None-Match: %s\r\n", 304 }, { "If-None-Match: W/%s\r\n", 304 }, { "If-None-Match: \"a\", %s\r\n", 304 },
        { "If-None-Match: \"a\"\r\nIf-None-Match: %s\r\n", 304 }, { "If-Match: %s\r\n", 200 },
        { "If-Match: W/%s\r\n", 412 }, { "If-Range: %s\r\nRange: bytes=0-0\r\n", 206 },
        { "If-Range: W/%s\r\nRange: bytes=0-0\r\n", 200 }, { "If-Match: %s\r\nIf-None-Match: *\r\n", 304 },
    };
    char answer[2000], request[500], fields[300], tag[64], *p;
    size_t n;

    fixture_open(&f);
    fixture_start(&f, NULL);
    host_publish(f.h, "net/1", &f.net);
    fixture_ask(&f, NULL, GET("/ten.txt"), strlen(GET("/ten.txt")), answer, sizeof(answer));
    p = strstr(answer, "ETag: ");
    ck_assert_ptr_nonnull(p);
    snprintf(tag, sizeof(tag), "%.*s", (int)strcspn(p + 6, "\r"), p + 6);
    ck_assert_int_eq(tag[0], '"');
    for (size_t i = 0; i < COUNT(asks); i++) {
        char *at = strstr(asks[i].fields, "%s") ? (snprintf(fields, sizeof(fields), "%.*s%s%s",
                          (int)(strstr(asks[i].fields, "%s") - asks[i].fields), asks[i].fields, tag,
                          strstr(asks[i].fields, "%s") + 2), fields) : NULL;

        ck_assert_ptr_nonnull(at);
        n = (size_t)snprintf(request, sizeof(request), "GET /ten.txt HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
        fixture_ask(&f, NULL, request, n, answer, sizeof(answer));
        ck_assert_msg(atoi(answer + 9) == asks[i].status, "%s: %s", fields, answer);
    }
    fixture_stop(&f);
    fixture_close(&f);
}
END_TEST

/* Heads at the limits: 8 KiB in all, 4 KiB of target. */
START_TEST(long_heads)
{
    static const struct mem_options ways[] = { { 0, 0, 0 }, { 0, 100, 7 }, { 512, 0, 0 } };
    static const char blank[] = { '\r', '\n', '\r', '\n' };
    static char request[20000], answer[4000];

    fixture_open(&f);
    fixture_start(&f, NULL);
    host_publish(f.h, "net/1", &f.net);
    for (size_t way = 0; way < COUNT(ways); way++) {
        for (size_t total = 8180; total <= 8200; total++) {
            size_t n = (size_t)snprintf(request, sizeof(request), "GET /ten.txt HTTP/1.1\r\nHost: h\r\nX: ");

            memset(request + n, 'x', total - n - 4);
            memcpy(request + total - sizeof(blank), blank, sizeof(blank));
            fixture_ask(&f, &ways[way], request, total, answer, sizeof(answer));
            ck_assert_msg(atoi(answer + 9) == (total <= 8192 ? 200 : 431), "%zu: %s", total, answer);
        }
        for (size_t total = 1000; total <= 16000; total += 500) {
            int status;
            size_t n = (size_t)snprintf(request, sizeof(request), "GET /");

            memset(request + n, 'x', total);
            n += total + (size_t)snprintf(request + n + total, 50, " HTTP/1.1\r\nHost: h\r\n\r\n");
            fixture_ask(&f, &ways[way], request, n, answer, sizeof(answer));
            status = atoi(answer + 9);
            ck_assert_msg(status == (total < 1024 ? 404 : 414), "%zu: %s", total, answer);
        }
    }
    fixture_stop(&f);
    fixture_close(&f);
}
END_TEST

START_TEST(large_files)
{
    static const struct mem_options ways[] = { { 0, 0, 0 }, { 1000, 0, 0 }, { 8192, 5000, 3 } };
    static char answer[700000], again[700000];
    static const char both[] = GET("/big.bin") WITH("/big.bin", "Range: bytes=100000-199999\r\n");

    mem_in_place = _i;
    fixture_open(&f);
    fixture_start(&f, NULL);
    host_publish(f.h, "net/1", &f.net);
    for (size_t way = 0; way < COUNT(ways); way++) {
        char *to = way ? again : answer, *body, *part;
        size_t n = fixture_ask(&f, &ways[way], both, sizeof(both) - 1, to, sizeof(answer));

        ck_assert_uint_gt(n, 400000);
        body = strstr(to, "\r\n\r\n") + 4;
        part = strstr(body + 300000, "\r\n\r\n") + 4;
        ck_assert_int_eq(strncmp(body + 300000, "HTTP/1.1 206", 12), 0);
        ck_assert_uint_eq(n - (size_t)(part - to), 100000);
        ck_assert_int_eq(memcmp(part, body + 100000, 100000), 0);
        ck_assert_int_eq(body[4096], 'a' + 4096 % 23 + 1);
        if (way)
            ck_assert_int_eq(memcmp(strstr(answer, "\r\n\r\n"), body - 4, 300000), 0);
    }
    ck_assert_uint_eq(host_counter(f.www, "cache_bytes"), 0);
    fixture_stop(&f);
    fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("www");
    TCase *t = tcase_create("www");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, table);
    tcase_add_test(t, entity_tags);
    tcase_add_test(t, long_heads);
    tcase_add_loop_test(t, large_files, 0, 2);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
