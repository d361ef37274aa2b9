/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/store.c - the plugin xenstore between a host and a scripted xenstored. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/common/fds.h"
#include "tests/common/store.h"

static void on_log(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg)
{
    struct store *t = arg;

    (void)ctx;
    if (level <= UNIK_INFO)
        snprintf(t->last, sizeof(t->last), "%s", line);
    t->warnings += level <= UNIK_WARNING;
}

void store_init(struct store *t, const char *const *more)
{
    char place[160];
    const char *options[16] = { place };
    struct ev_loop *loop = ev_default_loop(0);

    ev_now_update(loop);
    ev_run(loop, EVRUN_NOWAIT);     /* libev opens its own descriptors now, not later */
    *t = (struct store){ .fds = open_fds() };
    for (int i = 0; more && more[i]; i++)
        options[i + 1] = more[i];
    t->s = xenstored_new(loop, STORE_DOMID);
    t->h = host_new(loop, UNIK_ON_QUBES, getenv("UNIK_TEST_LOG") ? stderr : NULL);
    host_on_log(t->h, on_log, t);
    snprintf(place, sizeof(place), "socket=%s", xenstored_socket(t->s));
    t->ctx = host_add(t->h, &unik_plugin_xenstore, options);
    ck_assert_ptr_nonnull(t->ctx);
}

void store_open(struct store *t, const char *const *options)
{
    store_init(t, options);
    ck_assert_int_eq(host_start(t->ctx), 0);
    ck_assert(host_wait(t->ctx, HOST_READY, STORE_SECONDS));
    t->x = host_interface(t->h, "xenstore/1");
    ck_assert_ptr_nonnull(t->x);
    ck_assert_int_eq(t->x->domid(t->x), STORE_DOMID);
    xenstored_seen(t->s);
}

static bool nobody_connected(struct store *t) { return xenstored_counts(t->s).connections == 0; }

void store_close(struct store *t)
{
    if (host_state(t->ctx) != HOST_STOPPED)
        host_stop_wait(t->ctx, STORE_SECONDS);
    ck_assert_int_eq(host_state(t->ctx), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(t->ctx, "in_flight"), 0);
    ck_assert_uint_eq(host_counter(t->ctx, "watches"), 0);
    ck_assert_uint_eq(host_counter(t->ctx, "transactions"), 0);
    xenstored_deaf(t->s, false);
    ck_assert(store_until(t, nobody_connected));
    ck_assert_uint_eq(xenstored_counts(t->s).resets, 0);
    xenstored_free(t->s);
    host_free(t->h);
    ck_assert_int_eq(open_fds(), t->fds);
}

void store_answered(int error, const char *value, size_t len, void *arg)
{
    struct answer *a = arg;

    a->done = true;
    a->calls++;
    a->error = error;
    a->len = len;
    ck_assert_uint_lt(len, sizeof(a->value));
    memcpy(a->value, value, len + 1);
    ck_assert_int_eq(a->value[len], 0);
}

void store_begun(int error, uint32_t tx, void *arg)
{
    struct answer *a = arg;

    a->done = true;
    a->calls++;
    a->error = error;
    a->tx = tx;
}

int store_wait(struct store *t, struct answer *a)
{
    ck_assert(host_run_until(t->h, &a->done, STORE_SECONDS));
    return a->error;
}

bool store_until(struct store *t, bool (*cond)(struct store *))
{
    double end = ev_time() + STORE_SECONDS;

    while (!cond(t) && ev_time() < end)
        host_run(t->h, 0.001);
    return cond(t);
}

int store_read(struct store *t, uint32_t tx, const char *path, struct answer *a)
{
    *a = (struct answer){ 0 };
    ck_assert_int_eq(t->x->read(t->x, NULL, tx, path, store_answered, a), 0);
    return store_wait(t, a);
}

int store_write(struct store *t, uint32_t tx, const char *path, const char *value)
{
    struct answer a = { 0 };

    ck_assert_int_eq(t->x->write(t->x, NULL, tx, path, value, strlen(value), store_answered, &a), 0);
    return store_wait(t, &a);
}

uint32_t store_begin(struct store *t)
{
    struct answer a = { 0 };

    ck_assert_int_eq(t->x->begin(t->x, NULL, store_begun, &a), 0);
    ck_assert_int_eq(store_wait(t, &a), 0);
    ck_assert_uint_ne(a.tx, 0);
    return a.tx;
}

int store_end(struct store *t, uint32_t tx, bool commit)
{
    struct answer a = { 0 };

    ck_assert_int_eq(t->x->end(t->x, NULL, tx, commit, store_answered, &a), 0);
    return store_wait(t, &a);
}

void store_fired(const char *path, void *arg)
{
    struct store_fired *f = arg;

    snprintf(f->path, sizeof(f->path), "%s", path);
    f->done = ++f->n == f->want;
    if (f->drop && *f->drop) {
        f->t->x->unwatch(f->t->x, *f->drop);
        *f->drop = NULL;
    }
}

void store_watch(struct store *t, const char *path, struct store_fired *f)
{
    f->t = t;
    ck_assert_int_eq(t->x->watch(t->x, NULL, path, store_fired, f, &f->w), 0);
    store_wait_fired(t, f, 1);
}

void store_wait_fired(struct store *t, struct store_fired *f, unsigned n)
{
    f->want = n;
    f->done = f->n >= n;
    ck_assert(host_run_until(t->h, &f->done, STORE_SECONDS));
    ck_assert_uint_eq(f->n, n);
}

bool store_is_back(struct store *t)
{
    return xenstored_counts(t->s).accepted == 2 && host_state(t->ctx) == HOST_READY;
}
