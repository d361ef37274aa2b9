/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin xenstore against a scripted xenstored: every function of the interface, its errors, its limits. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/common/store.h"

static struct store t;

START_TEST(reads_and_writes)
{
    struct answer a;
    char big[1500];

    store_open(&t, NULL);
    ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
    ck_assert_str_eq(a.value, "vm-7");
    ck_assert_int_eq(store_read(&t, 0, "/local/domain/7/name", &a), 0);
    ck_assert_str_eq(a.value, "vm-7");
    ck_assert_int_eq(store_write(&t, 0, "data/vchan/0/512/ring-ref", "8"), 0);
    ck_assert_str_eq(xenstored_get(t.s, "data/vchan/0/512/ring-ref"), "8");
    ck_assert_int_eq(store_read(&t, 0, "data/vchan", &a), 0);
    ck_assert_uint_eq(a.len, 0);
    ck_assert_int_eq(store_read(&t, 0, "data/nothing", &a), -ENOENT);

    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)i;
    a = (struct answer){ 0 };
    ck_assert_int_eq(t.x->write(t.x, NULL, 0, "data/big", big, sizeof(big), store_answered, &a), 0);
    ck_assert_int_eq(store_wait(&t, &a), 0);
    ck_assert_int_eq(store_read(&t, 0, "data/big", &a), 0);
    ck_assert_uint_eq(a.len, sizeof(big));
    ck_assert_mem_eq(a.value, big, sizeof(big));
    store_close(&t);
}
END_TEST

START_TEST(folders_and_permissions)
{
    static const struct unik_xenstore_perm perms[] = { { UNIK_XENSTORE_NONE, 7 }, { UNIK_XENSTORE_READ, 0 },
                                                       { UNIK_XENSTORE_BOTH, 12 } };
    static const struct unik_xenstore_perm bad[] = { { UNIK_XENSTORE_NONE, 0x7ff0 } };
    struct answer a = { 0 };

    store_open(&t, NULL);
    ck_assert_int_eq(t.x->make_dir(t.x, NULL, 0, "data/a", store_answered, &a), 0);
    ck_assert_int_eq(store_wait(&t, &a), 0);
    ck_assert_int_eq(store_write(&t, 0, "data/b/c", "1"), 0);
    a.done = false;
    ck_assert_int_eq(t.x->directory(t.x, NULL, 0, "data", store_answered, &a), 0);
    ck_assert_int_eq(store_wait(&t, &a), 0);
    ck_assert_uint_eq(a.len, 4);
    ck_assert_mem_eq(a.value, "a\0b\0", 4);
    a.done = false;
    ck_assert_int_eq(t.x->directory(t.x, NULL, 0, "data/a", store_answered, &a), 0);
    ck_assert_int_eq(store_wait(&t, &a), 0);
    ck_assert_uint_eq(a.len, 0);

    a.done = false;
    ck_assert_int_eq(t.x->set_perms(t.x, NULL, 0, "data/b", perms, 3, store_answered, &a), 0);
    ck_assert_int_eq(store_wait(&t, &a), 0);
    ck_assert_str_eq(xenstored_perms(t.s, "data/b"), "n7,r0,b12");
    a.done = false;
    ck_assert_int_eq(t.x->get_perms(t.x, NULL, 0, "data/b", store_answered, &a), 0);
    ck_assert_int_eq(store_wait(&t, &a), 0);
    ck_assert_uint_eq(a.len, 10);
    ck_assert_mem_eq(a.value, "n7\0r0\0b12\0", 10);
    ck_assert_int_eq(t.x->set_perms(t.x, NULL, 0, "data/b", bad, 1, NULL, NULL), -EINVAL);
    ck_assert_int_eq(t.x->set_perms(t.x, NULL, 0, "data/b", perms, 0, NULL, NULL), -EINVAL);

    a.done = false;
    ck_assert_int_eq(t.x->remove(t.x, NULL, 0, "data/b", store_answered, &a), 0);
    ck_assert_int_eq(store_wait(&t, &a), 0);
    ck_assert_ptr_null(xenstored_get(t.s, "data/b/c"));
    store_close(&t);
}
END_TEST

START_TEST(errors_come_by_name)
{
    static const int errors[] = { -EINVAL, -EACCES, -EEXIST, -EISDIR, -ENOENT, -ENOMEM, -ENOSPC, -EIO, -ENOTEMPTY,
                                  -ENOSYS, -EROFS, -EBUSY, -EAGAIN, -EISCONN, -E2BIG };
    struct answer a;

    store_open(&t, NULL);
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        xenstored_deny(t.s, 2, "name", errors[i]);
        ck_assert_int_eq(store_read(&t, 0, "name", &a), errors[i]);
        ck_assert_uint_eq(a.len, 0);
        xenstored_deny(t.s, 0, NULL, 0);
    }
    ck_assert_uint_eq(host_counter(t.ctx, "errors"), sizeof(errors) / sizeof(*errors));
    /* Without a callback an error is logged, with type and path. */
    ck_assert_int_eq(t.x->remove(t.x, NULL, 0, "no/such", NULL, NULL), 0);
    ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
    ck_assert_ptr_nonnull(strstr(t.last, "RM no/such: No such file"));
    store_close(&t);
}
END_TEST

START_TEST(refuses_what_cannot_be_sent)
{
    static const char *const bad[] = { "", "a//b", "a/", "a b", "a\nb", "@releaseDomain", "a*" };
    struct unik_xenstore_watch *w;
    char path[4000], value[4097] = "";

    store_open(&t, NULL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, bad[i], store_answered, NULL), -EINVAL);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, NULL, store_answered, NULL), -EINVAL);
    ck_assert_int_eq(t.x->read(t.x, NULL, 99, "name", store_answered, NULL), -EINVAL);
    ck_assert_int_eq(t.x->end(t.x, NULL, 99, true, store_answered, NULL), -EINVAL);
    ck_assert_int_eq(t.x->end(t.x, NULL, 0, true, store_answered, NULL), -EINVAL);
    ck_assert_int_eq(t.x->begin(t.x, NULL, NULL, NULL), -EINVAL);
    ck_assert_int_eq(t.x->watch(t.x, NULL, "a//b", NULL, NULL, &w), -EINVAL);
    memset(path, 'a', sizeof(path));
    path[UNIK_XENSTORE_PATH_MAX + 1] = 0;
    path[0] = '/';
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, path, store_answered, NULL), -E2BIG);
    path[2049] = 0;
    path[0] = 'a';
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, path, store_answered, NULL), -E2BIG);
    ck_assert_int_eq(t.x->write(t.x, NULL, 0, "a", value, 4095, store_answered, NULL), -E2BIG);
    ck_assert_uint_eq(host_counter(t.ctx, "in_flight"), 0);
    ck_assert_uint_eq(host_counter(t.ctx, "requests"), 1);
    store_close(&t);
}
END_TEST

START_TEST(transactions)
{
    struct answer a;
    uint32_t one, two;

    store_open(&t, NULL);
    one = store_begin(&t);
    two = store_begin(&t);
    ck_assert_uint_ne(one, two);
    ck_assert_uint_eq(host_counter(t.ctx, "transactions"), 2);
    ck_assert_int_eq(store_write(&t, one, "data/x", "1"), 0);
    ck_assert_int_eq(store_read(&t, one, "data/x", &a), 0);
    ck_assert_int_eq(store_read(&t, two, "data/x", &a), -ENOENT);
    ck_assert_int_eq(store_read(&t, 0, "data/x", &a), -ENOENT);
    ck_assert_int_eq(store_end(&t, one, true), 0);
    ck_assert_int_eq(store_read(&t, 0, "data/x", &a), 0);
    /* The second wrote too, and was overtaken: all is to be done again. */
    ck_assert_int_eq(store_write(&t, two, "data/y", "2"), 0);
    ck_assert_int_eq(store_end(&t, two, true), -EAGAIN);
    ck_assert_ptr_null(xenstored_get(t.s, "data/y"));
    ck_assert_int_eq(t.x->read(t.x, NULL, two, "data/x", store_answered, &a), -EINVAL);
    one = store_begin(&t);
    ck_assert_int_eq(store_write(&t, one, "data/z", "3"), 0);
    ck_assert_int_eq(store_end(&t, one, false), 0);
    ck_assert_ptr_null(xenstored_get(t.s, "data/z"));
    ck_assert_uint_eq(host_counter(t.ctx, "transactions"), 0);
    ck_assert_uint_eq(xenstored_counts(t.s).transactions, 0);
    store_close(&t);
}
END_TEST

static bool no_transaction(struct store *s) { return xenstored_counts(s->s).transactions == 0; }
static bool one_transaction(struct store *s) { return xenstored_counts(s->s).transactions == 1; }

START_TEST(a_forgotten_transaction_is_ended)
{
    struct answer a = { 0 };

    store_open(&t, NULL);
    xenstored_hold(t.s, true);
    ck_assert_int_eq(t.x->begin(t.x, NULL, store_begun, &a), 0);
    ck_assert(store_until(&t, one_transaction));
    t.x->forget(t.x, &a);
    xenstored_hold(t.s, false);
    xenstored_release(t.s, 1, false);
    ck_assert(store_until(&t, no_transaction));
    ck_assert_str_eq(xenstored_seen(t.s), "TRANSACTION_START TRANSACTION_END");
    ck_assert_uint_eq(a.calls, 0);
    store_close(&t);
}
END_TEST

START_TEST(forget_silences_only_its_own)
{
    struct answer a = { 0 }, b = { 0 };

    store_open(&t, NULL);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &a), 0);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", store_answered, &b), 0);
    ck_assert_int_eq(t.x->read(t.x, NULL, 0, "domid", store_answered, &a), 0);
    t.x->forget(t.x, &a);
    ck_assert_int_eq(store_wait(&t, &b), 0);
    ck_assert_int_eq(store_read(&t, 0, "name", &b), 0);
    ck_assert_uint_eq(a.calls, 0);
    ck_assert_uint_eq(host_counter(t.ctx, "replies"), 5);
    store_close(&t);
}
END_TEST

/* ---- many ---- */

#define MANY 10000

struct many { unsigned sent, got, wrong; uint32_t order; bool done; };

static void on_many(int error, const char *value, size_t len, void *arg)
{
    struct many *m = arg;
    char expected[16];

    snprintf(expected, sizeof(expected), "%u", m->got % 10);
    m->wrong += error || len != 1 || strcmp(value, expected) != 0;
    m->got++;
    if (m->sent < MANY) {
        char path[32];

        snprintf(path, sizeof(path), "data/n%u", m->sent % 10);
        m->wrong += t.x->read(t.x, NULL, 0, path, on_many, m) != 0;
        m->sent++;
    }
    m->done = m->got == MANY;
}

START_TEST(ten_thousand_requests)
{
    struct many m = { 0 };
    char path[32], value[2] = "";

    store_open(&t, NULL);
    for (unsigned i = 0; i < 10; i++) {
        snprintf(path, sizeof(path), "data/n%u", i);
        value[0] = (char)('0' + i);
        xenstored_set(t.s, path, value);
    }
    for (; m.sent < 100; m.sent++) {
        snprintf(path, sizeof(path), "data/n%u", m.sent % 10);
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, path, on_many, &m), 0);
    }
    ck_assert(host_run_until(t.h, &m.done, STORE_SECONDS));
    ck_assert_uint_eq(m.got, MANY);
    ck_assert_uint_eq(m.wrong, 0);
    ck_assert_uint_eq(host_counter(t.ctx, "in_flight_high"), 100);
    ck_assert_uint_eq(host_counter(t.ctx, "refused"), 0);
    store_close(&t);
}
END_TEST

/* ---- limits ---- */

static void count_call(int error, const char *value, size_t len, void *arg)
{
    (void)value, (void)len;
    *(unsigned *)arg += error == 0;
}

START_TEST(requests_are_bounded)
{
    static const char *const options[] = { "requests=8", NULL };
    struct answer a = { 0 };
    unsigned ok = 0;

    store_open(&t, options);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", count_call, &ok), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(t.x->read(t.x, NULL, 0, "name", count_call, &ok), -ENOSPC);
    ck_assert_int_eq(t.x->begin(t.x, NULL, store_begun, &a), -ENOSPC);
    ck_assert_uint_eq(host_counter(t.ctx, "refused"), 4);
    while (ok < 8)
        host_run(t.h, 0.001);
    ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
    ck_assert_uint_eq(ok, 8);
    store_close(&t);
}
END_TEST

START_TEST(the_buffer_is_bounded)
{
    static const char *const options[] = { "requests=4096", "buffer=16K", NULL };
    static const char value[2000];
    unsigned sent = 0, ok = 0;
    int e = 0;

    store_open(&t, options);
    xenstored_deaf(t.s, true);
    while (e == 0 && sent < 4096) {
        e = t.x->write(t.x, NULL, 0, "data/x", value, sizeof(value), count_call, &ok);
        sent += e == 0;
        if (sent % 5 == 0)
            host_run(t.h, 0.001);
    }
    ck_assert_int_eq(e, -ENOSPC);
    ck_assert_uint_lt(sent, 4096);
    ck_assert_uint_le(host_counter(t.ctx, "queued_high"), 16384);
    ck_assert_uint_eq(host_counter(t.ctx, "refused"), 1);
    xenstored_deaf(t.s, false);
    for (int i = 0; i < 5000 && ok < sent; i++)
        host_run(t.h, 0.001);
    ck_assert_uint_eq(ok, sent);
    store_close(&t);
}
END_TEST

static void on_fire(const char *path, void *arg)
{
    (void)path;
    ++*(unsigned *)arg;
}

START_TEST(watches_and_transactions_are_bounded)
{
    static const char *const options[] = { "watches=3", "transactions=2", NULL };
    struct unik_xenstore_watch *w[3], *more;
    struct answer a = { 0 };
    unsigned fired = 0;
    uint32_t one, two;

    store_open(&t, options);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(t.x->watch(t.x, NULL, "data", on_fire, &fired, &w[i]), 0);
    ck_assert_int_eq(t.x->watch(t.x, NULL, "data", on_fire, &fired, &more), -ENOSPC);
    one = store_begin(&t);
    two = store_begin(&t);
    ck_assert_int_eq(t.x->begin(t.x, NULL, store_begun, &a), -ENOSPC);
    ck_assert_uint_eq(host_counter(t.ctx, "refused"), 2);
    ck_assert_int_eq(store_end(&t, one, true), 0);
    ck_assert_int_eq(store_end(&t, two, false), 0);
    one = store_begin(&t);
    ck_assert_int_eq(store_end(&t, one, true), 0);
    t.x->unwatch(t.x, w[1]);
    ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
    ck_assert_int_eq(t.x->watch(t.x, NULL, "data", on_fire, &fired, &w[1]), 0);
    for (int i = 0; i < 3; i++)
        t.x->unwatch(t.x, w[i]);
    ck_assert_int_eq(store_read(&t, 0, "name", &a), 0);
    ck_assert_uint_eq(xenstored_counts(t.s).watches, 0);
    store_close(&t);
}
END_TEST

/* ---- where xenstored is ---- */

START_TEST(bad_places_are_named)
{
    static const char *const both[] = { "socket=/a", "device=/b", NULL }, *const none[] = { "device=/no/device", NULL };
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_ANY, NULL);

    ck_assert_int_eq(host_start(host_add(h, &unik_plugin_xenstore, both)), -EINVAL);
    ck_assert_int_eq(host_start(host_add(h, &unik_plugin_xenstore, none)), -ENOENT);
    host_free(h);
}
END_TEST

START_TEST(the_environment_names_the_socket)
{
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_ANY, NULL);
    struct xenstored *s = xenstored_new(ev_default_loop(0), 3);
    struct unik_ctx *ctx = host_add(h, &unik_plugin_xenstore, NULL);
    struct unik_xenstore *x;

    setenv("XENSTORED_PATH", xenstored_socket(s), 1);
    ck_assert_int_eq(ctx->plugin->usable(ctx), 0);
    ck_assert_int_eq(host_start(ctx), 0);
    x = host_interface(h, "xenstore/1");
    ck_assert_int_eq(x->domid(x), -EAGAIN);
    ck_assert(host_wait(ctx, HOST_READY, STORE_SECONDS));
    ck_assert_int_eq(x->domid(x), 3);
    host_stop_wait(ctx, STORE_SECONDS);
    host_free(h);
    xenstored_free(s);
    unsetenv("XENSTORED_PATH");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("xenstore");
    TCase *c = tcase_create("interface");
    SRunner *r;
    int failed;

    tcase_set_timeout(c, 900);
    tcase_add_test(c, reads_and_writes);
    tcase_add_test(c, folders_and_permissions);
    tcase_add_test(c, errors_come_by_name);
    tcase_add_test(c, refuses_what_cannot_be_sent);
    tcase_add_test(c, transactions);
    tcase_add_test(c, a_forgotten_transaction_is_ended);
    tcase_add_test(c, forget_silences_only_its_own);
    tcase_add_test(c, ten_thousand_requests);
    tcase_add_test(c, requests_are_bounded);
    tcase_add_test(c, the_buffer_is_bounded);
    tcase_add_test(c, watches_and_transactions_are_bounded);
    tcase_add_test(c, bad_places_are_named);
    tcase_add_test(c, the_environment_names_the_socket);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
