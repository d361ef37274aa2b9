/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin lifecycle on the plugin xenstore on a scripted xenstored: what dom0 asks, and what it finds afterwards. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include <unik/text.h>
#include "protocol/xenstore.h"
#include "tests/common/store.h"

extern const struct unik_plugin unik_plugin_lifecycle;

static struct store t;
static struct unik_ctx *lifecycle;

static void open_lifecycle(void)
{
    store_open(&t, NULL);
    xenstored_set(t.s, "control/shutdown", "");
    lifecycle = host_add(t.h, &unik_plugin_lifecycle, NULL);
    ck_assert_int_eq(host_start(lifecycle), 0);
}

static bool is_quiet(struct store *s)
{
    return host_counter(s->ctx, "in_flight") == 0 && host_counter(s->ctx, "transactions") == 0;
}

/* dom0 writes a word; until all that follows from it is done. */
static void say(const char *word)
{
    xenstored_set(t.s, "control/shutdown", word);
    host_run(t.h, 0.02);
    ck_assert(store_until(&t, is_quiet));
}

static void close_lifecycle(void)
{
    host_stop_wait(lifecycle, STORE_SECONDS);
    ck_assert_int_eq(host_state(lifecycle), HOST_STOPPED);
    store_close(&t);
}

START_TEST(features_come_first)
{
    open_lifecycle();
    ck_assert(host_wait(lifecycle, HOST_READY, STORE_SECONDS));
    ck_assert_int_eq(strncmp(xenstored_seen(t.s), "WRITE WRITE WATCH ", 18), 0);
    ck_assert_str_eq(xenstored_get(t.s, "control/feature-poweroff"), "1");
    ck_assert_str_eq(xenstored_get(t.s, "control/feature-reboot"), "1");
    ck_assert_ptr_null(xenstored_get(t.s, "control/feature-suspend"));
    ck_assert(store_until(&t, is_quiet));
    ck_assert_int_eq(host_ended(t.h), -1);
    ck_assert_uint_eq(host_counter(lifecycle, "commands"), 0);
    close_lifecycle();
}
END_TEST

START_TEST(does_what_dom0_asks)
{
    static const struct { const char *word; int end; } words[] = {
        { "poweroff", UNIK_POWEROFF }, { "halt", UNIK_POWEROFF }, { "reboot", UNIK_REBOOT }
    };

    for (size_t i = 0; i < 3; i++) {
        open_lifecycle();
        ck_assert(store_until(&t, is_quiet));
        xenstored_seen(t.s);
        say(words[i].word);
        ck_assert_int_eq(host_ended(t.h), words[i].end);
        ck_assert_str_eq(xenstored_get(t.s, "control/shutdown"), "");
        /* In one transaction; then our own change fires the watch: a look at an empty word. */
        ck_assert_str_eq(xenstored_seen(t.s), "TRANSACTION_START READ WRITE TRANSACTION_END "
                                              "TRANSACTION_START READ TRANSACTION_END");
        ck_assert_uint_eq(host_counter(lifecycle, "acknowledged"), 1);
        close_lifecycle();
    }
}
END_TEST

START_TEST(a_word_that_was_there_before)
{
    store_open(&t, NULL);
    xenstored_set(t.s, "control/shutdown", "poweroff");
    lifecycle = host_add(t.h, &unik_plugin_lifecycle, NULL);
    ck_assert_int_eq(host_start(lifecycle), 0);
    host_run(t.h, 0.05);
    ck_assert_int_eq(host_ended(t.h), UNIK_POWEROFF);
    ck_assert_str_eq(xenstored_get(t.s, "control/shutdown"), "");
    close_lifecycle();
}
END_TEST

START_TEST(unknown_words_stay)
{
    static const char *const words[] = { "suspend", "crash", "power", "poweroff ", "Poweroff", "\x1b[2Jx", "s3" };

    open_lifecycle();
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        say(words[i]);
        ck_assert_int_eq(host_ended(t.h), -1);
        ck_assert_str_eq(xenstored_get(t.s, "control/shutdown"), words[i]);
        ck_assert_uint_eq(host_counter(lifecycle, "unknown"), i + 1);
        ck_assert_ptr_nonnull(strstr(t.last, "not acknowledged"));
        ck_assert_ptr_null(strchr(t.last, 0x1b));
    }
    say("a word that is far longer than any that anybody would ever say to a virtual machine");
    ck_assert_ptr_nonnull(strstr(t.last, "\"a word that is far longer than a\"..."));
    ck_assert_uint_eq(host_counter(lifecycle, "acknowledged"), 0);
    say("poweroff");
    ck_assert_int_eq(host_ended(t.h), UNIK_POWEROFF);
    close_lifecycle();
}
END_TEST

START_TEST(bytes_after_a_nul_are_not_the_word)
{
    open_lifecycle();
    xenstored_set_bytes(t.s, "control/shutdown", "poweroff\0x", 10);
    host_run(t.h, 0.05);
    ck_assert_int_eq(host_ended(t.h), -1);
    ck_assert_uint_eq(host_counter(lifecycle, "unknown"), 1);
    close_lifecycle();
}
END_TEST

START_TEST(the_second_word_is_acknowledged_too)
{
    open_lifecycle();
    say("reboot");
    say("poweroff");
    ck_assert_str_eq(xenstored_get(t.s, "control/shutdown"), "");
    ck_assert_int_eq(host_ended(t.h), UNIK_REBOOT);
    ck_assert_uint_eq(host_counter(lifecycle, "acknowledged"), 2);
    ck_assert_ptr_nonnull(strstr(t.last, "again"));
    close_lifecycle();
}
END_TEST

/* dom0 changes its mind between our read and our commit: the new word counts, and none is lost. */
static void change_mind(struct xenstored *s, void *arg)
{
    (void)arg;
    xenstored_on_commit(s, NULL, NULL);
    xenstored_set(s, "control/shutdown", "reboot");
}

START_TEST(a_word_that_changes_meanwhile)
{
    open_lifecycle();
    ck_assert(store_until(&t, is_quiet));
    xenstored_on_commit(t.s, change_mind, NULL);
    say("poweroff");
    ck_assert_int_eq(host_ended(t.h), UNIK_REBOOT);
    ck_assert_str_eq(xenstored_get(t.s, "control/shutdown"), "");
    ck_assert_uint_eq(host_counter(lifecycle, "retries"), 1);
    ck_assert_uint_eq(host_counter(lifecycle, "acknowledged"), 1);
    close_lifecycle();
}
END_TEST

START_TEST(spoilt_transactions)
{
    open_lifecycle();
    ck_assert(store_until(&t, is_quiet));
    xenstored_conflicts(t.s, 5);
    say("poweroff");
    ck_assert_int_eq(host_ended(t.h), UNIK_POWEROFF);
    ck_assert_uint_eq(host_counter(lifecycle, "retries"), 5);
    close_lifecycle();

    /* For ever: the answer goes without a transaction. */
    open_lifecycle();
    ck_assert(store_until(&t, is_quiet));
    xenstored_conflicts(t.s, 1000);
    say("poweroff");
    ck_assert_int_eq(host_ended(t.h), UNIK_POWEROFF);
    ck_assert_str_eq(xenstored_get(t.s, "control/shutdown"), "");
    ck_assert_uint_eq(host_counter(lifecycle, "retries"), 9);
    ck_assert_uint_eq(host_counter(lifecycle, "acknowledged"), 1);
    close_lifecycle();
}
END_TEST

START_TEST(features_that_cannot_be_written)
{
    store_open(&t, NULL);
    xenstored_set(t.s, "control/shutdown", "");
    xenstored_deny(t.s, XENSTORE_WRITE, "control/feature-reboot", -EACCES);
    lifecycle = host_add(t.h, &unik_plugin_lifecycle, NULL);
    ck_assert_int_eq(host_start(lifecycle), 0);
    ck_assert(host_wait(lifecycle, HOST_DEGRADED, STORE_SECONDS));
    ck_assert_ptr_nonnull(strstr(host_reason(lifecycle),
                                 "control/feature-reboot can't be written (Permission denied)"));
    ck_assert_ptr_nonnull(strstr(t.last, "control/feature-reboot"));
    ck_assert_str_eq(xenstored_get(t.s, "control/feature-poweroff"), "1");
    say("poweroff");
    ck_assert_int_eq(host_ended(t.h), UNIK_POWEROFF);
    close_lifecycle();
}
END_TEST

START_TEST(a_word_that_cannot_be_read_or_answered)
{
    open_lifecycle();
    ck_assert(store_until(&t, is_quiet));
    xenstored_deny(t.s, XENSTORE_READ, "control/shutdown", -EACCES);
    say("reboot");
    ck_assert_int_eq(host_ended(t.h), -1);
    ck_assert_ptr_nonnull(strstr(t.last, "read control/shutdown: Permission denied"));
    xenstored_deny(t.s, 0, NULL, 0);
    xenstored_deny(t.s, XENSTORE_WRITE, "control/shutdown", -EACCES);
    say("poweroff");                        /* obeyed all the same */
    ck_assert_int_eq(host_ended(t.h), UNIK_POWEROFF);
    ck_assert_str_eq(xenstored_get(t.s, "control/shutdown"), "poweroff");
    ck_assert_uint_eq(host_counter(lifecycle, "acknowledged"), 0);
    ck_assert_uint_eq(host_counter(lifecycle, "errors"), 2);
    xenstored_deny(t.s, 0, NULL, 0);
    close_lifecycle();
}
END_TEST

START_TEST(the_node_goes_and_comes)
{
    open_lifecycle();
    ck_assert(store_until(&t, is_quiet));
    xenstored_remove(t.s, "control/shutdown");
    host_run(t.h, 0.02);
    ck_assert_int_eq(host_ended(t.h), -1);
    ck_assert_uint_eq(host_counter(lifecycle, "errors"), 0);
    say("poweroff");
    ck_assert_int_eq(host_ended(t.h), UNIK_POWEROFF);
    close_lifecycle();
}
END_TEST

START_TEST(no_transaction_to_be_had)
{
    open_lifecycle();
    ck_assert(store_until(&t, is_quiet));
    xenstored_deny(t.s, XENSTORE_TRANSACTION_START, NULL, -ENOSPC);
    say("poweroff");
    ck_assert_int_eq(host_ended(t.h), -1);
    xenstored_deny(t.s, 0, NULL, 0);
    host_run(t.h, 0.5);                     /* tried again by itself */
    ck_assert_int_eq(host_ended(t.h), UNIK_POWEROFF);
    close_lifecycle();
}
END_TEST

/* The connection is lost after each number of bytes of the exchange: dom0's word is obeyed in the end. */
START_TEST(xenstored_restarts_at_any_byte)
{
    for (size_t at = 0; at < 90; at += 7) {
        open_lifecycle();
        ck_assert(store_until(&t, is_quiet));
        xenstored_close_after(t.s, at);
        xenstored_set(t.s, "control/shutdown", "poweroff");
        ck_assert(store_until(&t, store_is_back));
        for (int i = 0; i < 500 && host_ended(t.h) < 0; i++)
            host_run(t.h, 0.01);
        ck_assert_int_eq(host_ended(t.h), UNIK_POWEROFF);
        ck_assert_str_eq(xenstored_get(t.s, "control/shutdown"), "");
        close_lifecycle();
    }
}
END_TEST

START_TEST(features_are_written_after_a_loss)
{
    store_open(&t, NULL);
    xenstored_deaf(t.s, true);
    lifecycle = host_add(t.h, &unik_plugin_lifecycle, NULL);
    ck_assert_int_eq(host_start(lifecycle), 0);
    host_run(t.h, 0.01);
    xenstored_hang_up(t.s);
    ck_assert(host_wait(lifecycle, HOST_READY, STORE_SECONDS));
    ck_assert_str_eq(xenstored_get(t.s, "control/feature-poweroff"), "1");
    ck_assert_str_eq(xenstored_get(t.s, "control/feature-reboot"), "1");
    close_lifecycle();
}
END_TEST

static bool one_transaction(struct store *s) { return xenstored_counts(s->s).transactions == 1; }

START_TEST(stop_in_the_middle)
{
    open_lifecycle();
    ck_assert(store_until(&t, is_quiet));
    xenstored_hold(t.s, true);
    xenstored_set(t.s, "control/shutdown", "poweroff");
    ck_assert(store_until(&t, one_transaction));
    host_stop_wait(lifecycle, STORE_SECONDS);
    xenstored_hold(t.s, false);
    xenstored_release(t.s, 10, false);
    ck_assert(store_until(&t, is_quiet));
    ck_assert_uint_eq(xenstored_counts(t.s).watches, 0);
    ck_assert_uint_eq(xenstored_counts(t.s).transactions, 0);
    ck_assert_int_eq(host_ended(t.h), -1);
    store_close(&t);
}
END_TEST

START_TEST(status_names_the_domain)
{
    char text[512];
    struct unik_text out;

    store_open(&t, NULL);
    xenstored_set(t.s, "memory/target", "32768");
    lifecycle = host_add(t.h, &unik_plugin_lifecycle, NULL);
    ck_assert_int_eq(host_start(lifecycle), 0);
    ck_assert(host_wait(lifecycle, HOST_READY, STORE_SECONDS));
    ck_assert(store_until(&t, is_quiet));
    unik_text_init(&out, text, sizeof(text));
    lifecycle->plugin->status(lifecycle, &out);
    ck_assert_str_eq(text, "domid: 7\nname: vm-7\nmemory/target: 32768 kB\n");
    close_lifecycle();
}
END_TEST

START_TEST(no_watch_to_be_had)
{
    static const char *const options[] = { "watches=1", NULL };
    struct store_fired f = { 0 };

    store_open(&t, options);
    store_watch(&t, "data", &f);
    lifecycle = host_add(t.h, &unik_plugin_lifecycle, NULL);
    ck_assert_int_eq(host_start(lifecycle), -ENOSPC);
    ck_assert(store_until(&t, is_quiet));
    store_close(&t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lifecycle");
    TCase *c = tcase_create("lifecycle");
    SRunner *r;
    int failed;

    tcase_set_timeout(c, 900);
    tcase_add_test(c, features_come_first);
    tcase_add_test(c, does_what_dom0_asks);
    tcase_add_test(c, a_word_that_was_there_before);
    tcase_add_test(c, unknown_words_stay);
    tcase_add_test(c, bytes_after_a_nul_are_not_the_word);
    tcase_add_test(c, the_second_word_is_acknowledged_too);
    tcase_add_test(c, a_word_that_changes_meanwhile);
    tcase_add_test(c, spoilt_transactions);
    tcase_add_test(c, features_that_cannot_be_written);
    tcase_add_test(c, a_word_that_cannot_be_read_or_answered);
    tcase_add_test(c, the_node_goes_and_comes);
    tcase_add_test(c, no_transaction_to_be_had);
    tcase_add_test(c, xenstored_restarts_at_any_byte);
    tcase_add_test(c, features_are_written_after_a_loss);
    tcase_add_test(c, stop_in_the_middle);
    tcase_add_test(c, status_names_the_domain);
    tcase_add_test(c, no_watch_to_be_had);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
