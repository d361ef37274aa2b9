/* SPDX-License-Identifier: BSD-2-Clause */
/* The template app in the smallest host: it is ready at once, says its text, and leaves nothing behind. */
#include <check.h>
#include <string.h>

#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_hello;

static char last[200];

static void on_log(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg)
{
    (void)ctx, (void)level, (void)arg;
    snprintf(last, sizeof(last), "%s", line);
}

START_TEST(says_its_text)
{
    static const char *const options[] = { "text=good morning", "every=0", NULL };
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    struct unik_ctx *ctx = host_add(h, &unik_plugin_hello, options);

    host_on_log(h, on_log, NULL);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(host_start(ctx), 0);
    ck_assert_int_eq(host_state(ctx), HOST_READY);
    host_run(h, 0.02);
    ck_assert_str_eq(last, "good morning");
    ck_assert_uint_eq(host_counter(ctx, "said"), 1);
    host_stop_wait(ctx, 300);
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    host_free(h);
}
END_TEST

START_TEST(refuses_bad_options)
{
    static const char *const unknown[] = { "txt=x", NULL }, *const bad[] = { "every=soon", NULL };
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_UNIX, fopen("/dev/null", "w"));

    ck_assert_ptr_null(host_add(h, &unik_plugin_hello, unknown));
    ck_assert_ptr_null(host_add(h, &unik_plugin_hello, bad));
    host_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hello");
    TCase *t = tcase_create("hello");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, says_its_text);
    tcase_add_test(t, refuses_bad_options);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
