/* SPDX-License-Identifier: BSD-2-Clause */
/* The app www around its requests: how it is reached, states, deadlines, limits, the cache, the end. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/www/www.h"
#include "tests/www/fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"

static struct fixture f;
static char answer[400000];

static size_t ask(const char *request)
{
    return fixture_ask(&f, NULL, request, strlen(request), answer, sizeof(answer));
}

static void begin(const char *const *options)
{
    fixture_open(&f);
    fixture_start(&f, options);
    host_publish(f.h, "net/1", &f.net);
    ck_assert_ptr_nonnull(f.accept);
}

static void end(void)
{
    fixture_stop(&f);
    fixture_close(&f);
}

/* ---- ways in, states ---- */

START_TEST(bad_options_are_refused)
{
    static const char *const rows[][3] = {
        { NULL }, { "root=", NULL }, { "root=/tmp", "index=a/b", NULL }, { "root=/tmp", "index=", NULL },
    };
    static const char *const nobody[] = { "root=/tmp", "port=0", "qrexec=no", NULL };
    static const char *const missing[] = { "root=/does/not/exist", NULL };
    static const char *const file[] = { "root=/etc/passwd", NULL };
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_int_eq(host_start(host_add(h, &unik_plugin_www, rows[i])), -EINVAL);
    ck_assert_int_eq(host_start(host_add(h, &unik_plugin_www, nobody)), -EINVAL);
    ck_assert_int_eq(host_start(host_add(h, &unik_plugin_www, missing)), -ENOENT);
    ck_assert_int_eq(host_start(host_add(h, &unik_plugin_www, file)), -ENOTDIR);
    host_free(h);
}
END_TEST

START_TEST(ready_by_qrexec_without_network)
{
    struct unik_qrexec_call *call;
    struct unik_stream *s;

    fixture_open(&f);
    fixture_start(&f, NULL);
    ck_assert_int_eq(host_state(f.www), HOST_STARTING);
    host_publish(f.h, "qrexec/1", &f.qrexec);
    ck_assert_int_eq(host_state(f.www), HOST_READY);
    ck_assert_str_eq(f.tcp_name, "qubes.ConnectTCP+80");
    /* The call carries HTTP: the very same server. */
    s = fixture_call(&f, true, "80", NULL, &call);
    fixture_write(&f, s, GET("/ten.txt") GET("/sub/"), strlen(GET("/ten.txt") GET("/sub/")));
    unik_stream_shut(s);
    answer[fixture_read(&f, s, answer, sizeof(answer) - 1)] = 0;
    ck_assert_ptr_nonnull(strstr(answer, "0123456789HTTP/1.1 200 OK"));
    ck_assert_int_eq(unik_stream_ended(s), 1);
    ck_assert_int_eq(call->exit_code, 0);
    unik_stream_close(s);
    free(call);
    /* qrexec goes with a call open. */
    s = fixture_call(&f, true, "80", NULL, &call);
    ck_assert_uint_eq(host_counter(f.www, "connections"), 1);
    host_publish(f.h, "qrexec/1", NULL);
    ck_assert_int_eq(host_state(f.www), HOST_DEGRADED);
    ck_assert_uint_eq(host_counter(f.www, "connections"), 0);
    ck_assert_ptr_null(f.tcp);
    unik_stream_close(s);
    free(call);
    host_publish(f.h, "net/1", &f.net);
    ck_assert_int_eq(host_state(f.www), HOST_READY);
    ck_assert_uint_eq(f.listen_port, 80);
    host_publish(f.h, "net/1", NULL);
    ck_assert_ptr_null(f.accept);
    ck_assert_int_eq(host_state(f.www), HOST_DEGRADED);
    end();
}
END_TEST

START_TEST(a_port_in_use_is_tried_again)
{
    fixture_open(&f);
    f.listen_error = -EADDRINUSE;
    fixture_start(&f, NULL);
    host_publish(f.h, "net/1", &f.net);
    ck_assert_int_eq(host_state(f.www), HOST_STARTING);
    ck_assert_ptr_nonnull(strstr(host_reason(f.www), "port 80"));
    ck_assert_ptr_nonnull(strstr(f.last_log, strerror(EADDRINUSE)));
    host_publish(f.h, "qrexec/1", &f.qrexec);   /* one way is open, the other still wished */
    ck_assert_int_eq(host_state(f.www), HOST_DEGRADED);
    f.listen_error = 0;
    ck_assert(host_wait(f.www, HOST_READY, 300));
    ck_assert_uint_eq(f.listen_calls, 2);
    ck_assert_ptr_nonnull(f.accept);
    end();
}
END_TEST

START_TEST(services_that_are_taken)
{
    fixture_open(&f);
    f.serve_error = -EEXIST;
    fixture_start(&f, NULL);
    host_publish(f.h, "qrexec/1", &f.qrexec);
    ck_assert_int_eq(host_state(f.www), HOST_STARTING);
    ck_assert_ptr_nonnull(strstr(f.last_log, "another plugin"));
    end();
}
END_TEST

START_TEST(ways_that_are_not_wished_stay_closed)
{
    static const char *const off_net[] = { "port=0", NULL }, *const off_qrexec[] = { "qrexec=no", "port=8080", NULL };

    fixture_open(&f);
    fixture_start(&f, off_net);
    host_publish(f.h, "net/1", &f.net);
    ck_assert_uint_eq(f.listen_calls, 0);
    host_publish(f.h, "qrexec/1", &f.qrexec);
    ck_assert_str_eq(f.tcp_name, "qubes.ConnectTCP+80");
    fixture_stop(&f);
    f.tcp_name[0] = 0;
    fixture_start(&f, off_qrexec);
    host_publish(f.h, "qrexec/1", &f.qrexec);
    ck_assert_str_eq(f.tcp_name, "");
    host_publish(f.h, "net/1", &f.net);
    ck_assert_uint_eq(f.listen_port, 8080);
    end();
}
END_TEST

/* ---- deadlines and limits ---- */

static void wait_end(struct unik_stream *s)
{
    for (int i = 0; i < 1000 && unik_stream_ended(s) == 0; i++)
        host_run(f.h, 0.005);
    ck_assert_int_eq(unik_stream_ended(s), 1);
}

START_TEST(deadlines)
{
    static const char *const options[] = { "head-timeout=100ms", "idle-timeout=200ms", "write-timeout=200ms", NULL };
    static const struct mem_options narrow = { 64, 0, 0 };
    static const char body[] = "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab";
    struct unik_stream *s;
    const void *p;

    begin(options);
    s = fixture_connect(&f, NULL);                      /* says nothing */
    wait_end(s);
    unik_stream_close(s);
    ck_assert_uint_eq(host_counter(f.www, "timeouts"), 1);

    s = fixture_connect(&f, NULL);                      /* never ends its head, though it goes on sending */
    for (int i = 0; i < 1000 && host_counter(f.www, "timeouts") == 1; i++) {
        unik_stream_write(s, i ? "X: y\r\n" : "GET / HTTP/1.1\r\n", i ? 6 : 16);
        host_run(f.h, 0.005);
    }
    answer[fixture_read(&f, s, answer, sizeof(answer) - 1)] = 0;
    ck_assert_int_eq(atoi(answer + 9), 408);
    wait_end(s);
    unik_stream_close(s);

    s = fixture_connect(&f, NULL);                      /* asks once, then nothing */
    fixture_write(&f, s, GET("/ten.txt"), strlen(GET("/ten.txt")));
    answer[fixture_read(&f, s, answer, sizeof(answer) - 1)] = 0;
    ck_assert_int_eq(atoi(answer + 9), 200);
    wait_end(s);
    unik_stream_close(s);
    ck_assert_uint_eq(host_counter(f.www, "timeouts"), 3);

    s = fixture_connect(&f, &narrow);                   /* never reads, and goes on sending */
    fixture_write(&f, s, GET("/big.bin"), strlen(GET("/big.bin")));
    for (int i = 0; i < 1000 && host_counter(f.www, "timeouts") == 3; i++) {
        unik_stream_write(s, "x", 1);
        host_run(f.h, 0.005);
    }
    ck_assert_uint_eq(host_counter(f.www, "timeouts"), 4);
    ck_assert_uint_gt(unik_stream_peek(s, &p), 0);
    unik_stream_close(s);

    s = fixture_connect(&f, NULL);                      /* announces a body that does not come */
    fixture_write(&f, s, body, strlen(body));
    answer[fixture_read(&f, s, answer, sizeof(answer) - 1)] = 0;
    ck_assert_int_eq(atoi(answer + 9), 200);
    wait_end(s);
    unik_stream_close(s);
    ck_assert_uint_eq(host_counter(f.www, "timeouts"), 5);
    end();
}
END_TEST

START_TEST(too_many_connections)
{
    static const char *const options[] = { "max-connections=2", NULL };
    struct unik_stream *s[3];

    begin(options);
    for (int i = 0; i < 3; i++)
        s[i] = fixture_connect(&f, NULL);
    ck_assert_uint_eq(host_counter(f.www, "connections"), 2);
    answer[fixture_read(&f, s[2], answer, sizeof(answer) - 1)] = 0;
    ck_assert_int_eq(atoi(answer + 9), 503);
    ck_assert_uint_eq(host_counter(f.www, "refused"), 1);
    for (int i = 0; i < 3; i++)
        unik_stream_close(s[i]);
    host_run(f.h, 0.01);
    ck_assert_uint_eq(host_counter(f.www, "connections"), 0);
    ck_assert_uint_eq(host_counter(f.www, "connections_high"), 2);
    ck_assert_uint_gt(ask(GET("/ten.txt")), 0);
    end();
}
END_TEST

START_TEST(a_peer_that_breaks_off)
{
    static const struct mem_options narrow = { 64, 0, 0 };
    static const char *const starts[] = { "", "GET / HT", GET("/big.bin"), GET("/big.bin") GET("/") };

    begin(NULL);
    for (size_t i = 0; i < COUNT(starts); i++)
        for (int broken = 0; broken < 2; broken++) {
            struct unik_stream *s = fixture_connect(&f, &narrow);

            fixture_write(&f, s, starts[i], strlen(starts[i]));
            host_run(f.h, 0.005);
            ck_assert_uint_eq(host_counter(f.www, "connections"), 1);
            if (broken)
                mem_break(s, -ECONNRESET);
            unik_stream_close(s);
            for (int k = 0; k < 100 && host_counter(f.www, "connections"); k++)
                host_run(f.h, 0.001);
            ck_assert_uint_eq(host_counter(f.www, "connections"), 0);
        }
    end();
}
END_TEST

/* ---- files that change ---- */

START_TEST(changed_files_are_seen)
{
    static const char *const options[] = { "cache-time=0", NULL };
    char path[200];

    begin(options);
    ask(GET("/ten.txt"));
    ask(GET("/ten.txt"));
    ck_assert_ptr_nonnull(strstr(answer, "0123456789"));
    ck_assert_uint_gt(host_counter(f.www, "cache_bytes"), 10);
    fixture_file(&f, "ten.txt", "abc", 3);
    ask(GET("/ten.txt"));
    ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nabc"));
    snprintf(path, sizeof(path), "%s/ten.txt", f.folder);
    ck_assert_int_eq(unlink(path), 0);
    ask(GET("/ten.txt"));
    ck_assert_int_eq(atoi(answer + 9), 404);
    ck_assert_uint_eq(host_counter(f.www, "cache_bytes"), 0);
    fixture_file(&f, "ten.txt", "new", 3);
    ask(GET("/ten.txt"));
    ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nnew"));
    ck_assert_uint_eq(host_counter(f.www, "cache_hits"), 0);
    end();
}
END_TEST

START_TEST(the_cache_is_bounded)
{
    static const char *const options[] = { "cache=20K", "cache-time=1h", NULL };
    static char bytes[6000];
    char name[30], request[100];

    begin(options);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20; i++) {
            snprintf(name, sizeof(name), "f%d", i);
            memset(bytes, 'a' + i, sizeof(bytes));
            if (round == 0)
                fixture_file(&f, name, bytes, sizeof(bytes));
            snprintf(request, sizeof(request), "GET /%s HTTP/1.1\r\nHost: h\r\n\r\n", name);
            ask(request);
            ck_assert_int_eq(memcmp(strstr(answer, "\r\n\r\n") + 4, bytes, sizeof(bytes)), 0);
            ck_assert_uint_le(host_counter(f.www, "cache_bytes"), 20 << 10);
            ck_assert_uint_eq(host_counter(f.www, "cache_hits"), 0);
        }
    ask(request);
    ck_assert_uint_eq(host_counter(f.www, "cache_hits"), 1);
    ck_assert_int_eq(memcmp(strstr(answer, "\r\n\r\n") + 4, bytes, sizeof(bytes)), 0);
    end();
}
END_TEST

/* A file in memory is dropped from the cache while a slow peer still gets it. */
START_TEST(a_file_outlives_the_cache)
{
    static const char *const options[] = { "cache-time=0", NULL };
    static const struct mem_options narrow = { 64, 0, 0 };
    static char bytes[30000];
    struct unik_stream *s;
    size_t n;

    begin(options);
    memset(bytes, 'q', sizeof(bytes));
    fixture_file(&f, "mid", bytes, sizeof(bytes));
    s = fixture_connect(&f, &narrow);
    fixture_write(&f, s, GET("/mid"), strlen(GET("/mid")));
    host_run(f.h, 0.005);
    fixture_file(&f, "mid", "other", 5);
    ask(GET("/mid"));
    ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nother"));
    n = fixture_read(&f, s, answer, sizeof(answer));
    ck_assert_uint_gt(n, sizeof(bytes));
    ck_assert_int_eq(memcmp(answer + n - sizeof(bytes), bytes, sizeof(bytes)), 0);
    unik_stream_close(s);
    end();
}
END_TEST

START_TEST(a_file_that_becomes_shorter_cuts_the_connection)
{
    static const struct mem_options narrow = { 4096, 0, 0 };
    struct unik_stream *s;
    size_t n;

    mem_in_place = _i;
    begin(NULL);
    s = fixture_connect(&f, &narrow);
    fixture_write(&f, s, GET("/big.bin"), strlen(GET("/big.bin")));
    host_run(f.h, 0.005);
    fixture_file(&f, "big.bin", "short", 5);
    n = fixture_read(&f, s, answer, sizeof(answer));
    ck_assert_uint_lt(n, 300000);
    ck_assert_int_eq(unik_stream_ended(s), -ECONNRESET);
    ck_assert_uint_eq(host_counter(f.www, "truncated"), 1);
    ck_assert_ptr_nonnull(strstr(f.last_log, "shorter"));
    unik_stream_close(s);
    end();
}
END_TEST

/* What open.c does where the kernel cannot resolve beneath a folder. */
START_TEST(opening_by_walking)
{
    static const char *const good[] = { "ten.txt", "sub/page.html", "sub" };
    static const char *const bad[] = { "inside", "outside", "up/etc/passwd", "loop", "none", "ten.txt/x",
                                       "sub//page.html", "../ten.txt/" };
    struct www *w = calloc(1, sizeof(*w));
    int fd;

    fixture_open(&f);
    w->root = open(f.folder, O_RDONLY | O_DIRECTORY);
    for (int walking = 0; walking < 2; walking++) {
        w->no_openat2 = walking;
        for (size_t i = 0; i < COUNT(good); i++) {
            fd = www_open(w, good[i]);
            ck_assert_msg(fd >= 0, "%s", good[i]);
            close(fd);
        }
        for (size_t i = walking ? 0 : 1; i < COUNT(bad); i++) {
            fd = www_open(w, bad[i]);
            ck_assert_msg(fd < 0 || (!walking && i == 6), "%s", bad[i]);
            if (fd >= 0)
                close(fd);
        }
    }
    close(w->root);
    free(w);
    fixture_close(&f);
}
END_TEST

/* ---- the end ---- */

START_TEST(drain_finishes_answers)
{
    static const struct mem_options narrow = { 1024, 0, 0 };
    struct unik_stream *idle, *half, *busy;
    size_t n;

    begin(NULL);
    host_publish(f.h, "qrexec/1", &f.qrexec);
    idle = fixture_connect(&f, NULL);
    half = fixture_connect(&f, NULL);
    busy = fixture_connect(&f, &narrow);
    fixture_write(&f, half, "GET / H", 7);
    fixture_write(&f, busy, GET("/big.bin") GET("/"), strlen(GET("/big.bin") GET("/")));
    host_run(f.h, 0.005);
    host_drain(f.www);
    ck_assert(!host_is_drained(f.www));
    ck_assert_ptr_null(f.accept);
    ck_assert_ptr_null(f.tcp);
    ck_assert_uint_eq(host_counter(f.www, "connections"), 1);
    wait_end(idle);
    wait_end(half);
    n = fixture_read(&f, busy, answer, sizeof(answer));
    ck_assert_uint_gt(n, 300000);
    ck_assert_uint_lt(n, 300500);                       /* one answer, not two */
    ck_assert_int_eq(unik_stream_ended(busy), 1);
    ck_assert(host_is_drained(f.www));
    unik_stream_close(idle);
    unik_stream_close(half);
    unik_stream_close(busy);
    end();
}
END_TEST

START_TEST(stop_closes_everything)
{
    static const struct mem_options narrow = { 1024, 0, 0 };
    struct unik_stream *s[4];
    struct unik_qrexec_call *call;

    begin(NULL);
    host_publish(f.h, "qrexec/1", &f.qrexec);
    for (int i = 0; i < 3; i++)
        s[i] = fixture_connect(&f, &narrow);
    fixture_write(&f, s[1], "GET / H", 7);
    fixture_write(&f, s[2], GET("/big.bin"), strlen(GET("/big.bin")));
    s[3] = fixture_call(&f, false, "big.bin", &narrow, &call);
    host_run(f.h, 0.005);
    host_stop(f.www);
    ck_assert_int_eq(host_state(f.www), HOST_STOPPED);
    ck_assert_int_eq(call->exit_code, UNIK_QREXEC_BROKEN);
    for (int i = 0; i < 4; i++)
        unik_stream_close(s[i]);
    free(call);
    host_run(f.h, 0.01);
    ck_assert_uint_eq(mem_open, 0);
    host_free(f.h);
    fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("www-life");
    TCase *t = tcase_create("www-life");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, bad_options_are_refused);
    tcase_add_test(t, ready_by_qrexec_without_network);
    tcase_add_test(t, a_port_in_use_is_tried_again);
    tcase_add_test(t, services_that_are_taken);
    tcase_add_test(t, ways_that_are_not_wished_stay_closed);
    tcase_add_test(t, deadlines);
    tcase_add_test(t, too_many_connections);
    tcase_add_test(t, a_peer_that_breaks_off);
    tcase_add_test(t, changed_files_are_seen);
    tcase_add_test(t, the_cache_is_bounded);
    tcase_add_test(t, a_file_outlives_the_cache);
    tcase_add_loop_test(t, a_file_that_becomes_shorter_cuts_the_connection, 0, 2);
    tcase_add_test(t, opening_by_walking);
    tcase_add_test(t, drain_finishes_answers);
    tcase_add_test(t, stop_closes_everything);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
