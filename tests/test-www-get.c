/* SPDX-License-Identifier: BSD-2-Clause */
/* www.Get: a file by a qrexec call, without HTTP. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "apps/www/syntax.h"
#include "tests/www/fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct fixture f;
static char answer[400000];

static void begin(const char *const *options)
{
    fixture_open(&f);
    fixture_start(&f, options);
    host_publish(f.h, "qrexec/1", &f.qrexec);
    ck_assert_ptr_nonnull(f.get);
}

static void end(void)
{
    fixture_stop(&f);
    fixture_close(&f);
}

static void wait_end(struct unik_stream *s)
{
    for (int i = 0; i < 1000 && unik_stream_ended(s) == 0; i++)
        host_run(f.h, 0.005);
    ck_assert_int_eq(unik_stream_ended(s), 1);
}

START_TEST(get)
{
    static const struct {
        const char *argument, *in;      /* in: NULL: stdin stays open */
        int code;
        const char *out, *err;
    } rows[] = {
        { "ten.txt", NULL, 0, "0123456789", "" },
        { "sub+page.html", NULL, 0, "page\n", "" },
        { "sub", NULL, 0, "sub\n", "" },
        { "sub+", NULL, 0, "sub\n", "" },
        { "+ten.txt", NULL, 0, "0123456789", "" },
        { "empty", NULL, 0, "", "" },
        { "", "", 0, "<p>hello\n", "" },
        { "", "\n", 0, "<p>hello\n", "" },
        { "", "/\r\n", 0, "<p>hello\n", "" },
        { "", "/sub/page.html\nrest", 0, "page\n", "" },
        { "", "/a%20b%2bc%25.css", 0, "x{}", "" },
        { "none", NULL, 1, "", "www.Get: /none: no such file\n" },
        { "..+etc+passwd", NULL, 1, "", "www.Get: /../etc/passwd: not a path\n" },
        { ".secret", NULL, 1, "", "www.Get: /.secret: no such file\n" },
        { "outside", NULL, 1, "", "www.Get: /outside: no such file\n" },
        { "sub+none", NULL, 1, "", "www.Get: /sub/none: no such file\n" },
        { "", "ten.txt\n", 1, "", "www.Get: ten.txt: not a path\n" },
        { "", "/a\x01\x1b\n", 1, "", "www.Get: /a??: not a path\n" },
    };
    static const struct mem_options ways[] = { { 0, 0, 0 }, { 64, 1, 0 } };

    begin(NULL);
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        size_t r = i / 2;
        struct unik_qrexec_call *call;
        struct unik_stream *s = fixture_call(&f, false, rows[r].argument, &ways[i % 2], &call);

        if (rows[r].in) {
            fixture_write(&f, s, rows[r].in, strlen(rows[r].in));
            unik_stream_shut(s);
        }
        answer[fixture_read(&f, s, answer, sizeof(answer) - 1)] = 0;
        ck_assert_int_eq(unik_stream_ended(s), 1);
        ck_assert_msg(call->exit_code == rows[r].code, "%zu: %d", r, call->exit_code);
        ck_assert_str_eq(answer, rows[r].out);
        ck_assert_str_eq(f.err, rows[r].err);
        unik_stream_close(s);
        free(call);
    }
    ck_assert_uint_eq(host_counter(f.www, "gets"), COUNT(rows) * 2);
    end();
}
END_TEST

START_TEST(get_at_the_limits)
{
    static const char *const options[] = { "head-timeout=100ms", "write-timeout=100ms", NULL };
    static const struct mem_options narrow = { 1024, 0, 0 };
    static char line[WWW_PATH_MAX * 3 + 20];
    struct unik_qrexec_call *call;
    struct unik_stream *s;

    begin(options);
    s = fixture_call(&f, false, "big.bin", &narrow, &call);             /* a large file, slowly read */
    ck_assert_uint_eq(fixture_read(&f, s, answer, sizeof(answer)), 300000);
    ck_assert_int_eq(call->exit_code, 0);
    unik_stream_close(s);
    free(call);

    s = fixture_call(&f, false, "", NULL, &call);                       /* no path comes */
    wait_end(s);
    ck_assert_int_eq(call->exit_code, 1);
    ck_assert_ptr_nonnull(strstr(f.err, "no path in time"));
    unik_stream_close(s);
    free(call);

    s = fixture_call(&f, false, "big.bin", &narrow, &call);             /* nobody reads */
    for (int i = 0; i < 1000 && host_counter(f.www, "timeouts") < 2; i++)
        host_run(f.h, 0.005);
    ck_assert_int_eq(call->exit_code, 1);
    fixture_read(&f, s, answer, sizeof(answer));
    ck_assert_int_eq(unik_stream_ended(s), -ECONNRESET);
    unik_stream_close(s);
    free(call);

    s = fixture_call(&f, false, "big.bin", &narrow, &call);             /* the file becomes shorter */
    host_run(f.h, 0.005);
    fixture_file(&f, "big.bin", "short", 5);
    ck_assert_uint_lt(fixture_read(&f, s, answer, sizeof(answer)), 300000);
    ck_assert_int_eq(unik_stream_ended(s), -ECONNRESET);
    ck_assert_int_eq(call->exit_code, 1);
    ck_assert_ptr_nonnull(strstr(f.err, "shorter"));
    unik_stream_close(s);
    free(call);

    memset(line, 'x', sizeof(line));
    line[0] = '/';
    s = fixture_call(&f, false, "", NULL, &call);                       /* a line without end */
    fixture_write(&f, s, line, sizeof(line));
    wait_end(s);
    ck_assert_int_eq(call->exit_code, 1);
    ck_assert_ptr_nonnull(strstr(f.err, "too long"));
    unik_stream_close(s);
    free(call);

    line[sizeof(line) - 1] = 0;
    s = fixture_call(&f, false, line, NULL, &call);
    wait_end(s);
    ck_assert_int_eq(call->exit_code, 1);
    unik_stream_close(s);
    free(call);

    s = fixture_call(&f, false, "", NULL, &call);                       /* the caller goes */
    mem_break(s, -ECONNRESET);
    unik_stream_close(s);
    host_run(f.h, 0.01);
    ck_assert_int_eq(call->exit_code, 1);
    free(call);
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("www-get");
    TCase *t = tcase_create("www-get");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, get);
    tcase_add_test(t, get_at_the_limits);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
