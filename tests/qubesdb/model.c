/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qubesdb/model.c - a random run: a dom0 that behaves as the real daemon does, the guest writing and removing,
 * connections that break anywhere, daemons that start anew. Whenever all is quiet, dom0's store, the guest's replica
 * and what a watcher was told agree; and dom0's daemon is never sent what would end it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/common/bytes.h"
#include "tests/qubesdb/dom0.h"

#define KEYS 32
#define BASE 4                          /* keys that dom0's daemon has when it starts */
#define STEPS 1500
#define MARKER (KEYS - 1)

struct store { char value[KEYS][40]; bool has[KEYS]; };

static char path[KEYS][24];
static struct store dom0, mirror;
static bool ours[KEYS];                 /* the guest was the last to write it, as dom0 sees it */
static bool synced;                     /* dom0 forwards its changes on this connection */
static uint32_t seed;

static int key_of(const char *p)
{
    for (int k = 0; k < KEYS; k++)
        if (strcmp(path[k], p) == 0)
            return k;
    ck_abort_msg("no such key: %s", p);
    return 0;
}

/* Byte order of paths is the order of their numbers. */
static void name_keys(void)
{
    for (int k = 0; k < KEYS; k++)
        snprintf(path[k], sizeof(path[k]), k < BASE ? "/base%d" : k % 8 == 0 ? "/d%02d" : "/d%02d/%d",
                 k < BASE ? k : k / 8 * 8, k % 8);
    strcpy(path[MARKER], "/unik-store");
}

static void set(struct store *s, int k, const char *value)
{
    s->has[k] = value != NULL;
    snprintf(s->value[k], sizeof(s->value[k]), "%s", value ? value : "");
}

static void same(const struct store *a, const struct store *b, const char *what)
{
    for (int k = 0; k < KEYS; k++)
        ck_assert_msg(a->has[k] == b->has[k] && (!a->has[k] || strcmp(a->value[k], b->value[k]) == 0),
                      "%s: %s is %s%s, wanted %s%s; seed %u", what, path[k], a->has[k] ? "=" : "absent", a->value[k],
                      b->has[k] ? "=" : "absent", b->value[k], seed);
}

/* The watcher: told of differences only. */
static void on_event(const char *p, const char *value, size_t len, void *arg)
{
    int k = key_of(p);

    (void)arg;
    ck_assert_uint_eq(len, value ? strlen(value) : 0);
    ck_assert_msg(!value ? mirror.has[k] : !mirror.has[k] || strcmp(mirror.value[k], value) != 0,
                  "told of no change: %s", p);
    set(&mirror, k, value);
}

/* ---- dom0's daemon ---- */

static void dump(void)
{
    size_t some = random_below(&seed, 4) ? SIZE_MAX : random_below(&seed, 2000);
    uint8_t message[QUBESDB_HEADER + 40];

    for (int k = KEYS - 1; k >= -1 && some; k--) {
        size_t n;

        if (k >= 0 && !dom0.has[k])
            continue;
        n = dom0_message(message, QUBESDB_GOT_MULTIREAD, k < 0 ? "" : path[k], k < 0 ? NULL : dom0.value[k],
                         k < 0 ? 0 : strlen(dom0.value[k]));
        n = n < some ? n : some;
        fake_send(&g.f, message, n);
        some -= some == SIZE_MAX ? 0 : n;
    }
    if (!some)                                      /* it broke off */
        fake_hang_up(&g.f);
    else
        synced = true;
}

static void daemon_message(const uint8_t *bytes)
{
    char value[QUBESDB_VALUE_MAX + 1] = "";
    struct qubesdb_header h;

    ck_assert_int_eq(qubesdb_decode(bytes, &h), 0);
    ck_assert(qubesdb_from_vm(h.type));
    ck_assert_uint_eq(fake_take(&g.f, value, h.len), h.len);
    switch (h.type) {
    case QUBESDB_MULTIREAD:
        ck_assert_msg(!synced, "a second MULTIREAD");
        ck_assert_str_eq(h.path, "");
        dump();
        break;
    case QUBESDB_WRITE:
        ck_assert_msg(synced, "before MULTIREAD");
        ck_assert(qubesdb_key_ok(h.path));
        set(&dom0, key_of(h.path), value);
        ours[key_of(h.path)] = true;
        dom0_says(QUBESDB_OK, h.path, NULL);
        break;
    case QUBESDB_RM:
        ck_assert_msg(synced, "before MULTIREAD");
        ck_assert_msg(dom0.has[key_of(h.path)], "RM of %s, which dom0 does not have: its daemon ends", h.path);
        set(&dom0, key_of(h.path), NULL);
        dom0_says(QUBESDB_OK, h.path, NULL);
        break;
    default:
        ck_assert_uint_eq(h.type, QUBESDB_OK);
        ck_assert_uint_eq(h.len, 0);
    }
}

/* Read up to `most` messages. The guest writes whole ones. */
static void daemon_reads(unsigned most)
{
    uint8_t bytes[QUBESDB_HEADER];

    while (most-- && fake_connected(&g.f) && fake_take(&g.f, bytes, sizeof(bytes)) == sizeof(bytes))
        daemon_message(bytes);
}

static void spin(unsigned n)
{
    while (n--) {
        ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
        if (!fake_connected(&g.f))
            synced = false;
    }
}

static void quiet(void);

/* A removal by dom0 that crosses one by the guest ends the daemon: that is another test. So what the guest has on its
 * way is read first; and where input comes in small pieces, the guest has nothing on its way at all. */
static void no_crossing(void)
{
    if (g.f.window)
        quiet();
    daemon_reads(1000);
}

static void daemon_changes(void)
{
    int k = (int)random_below(&seed, MARKER), below;
    char value[40];

    switch (random_below(&seed, 6)) {
    case 0:
        no_crossing();
        set(&dom0, k, NULL);
        if (synced)
            dom0_says(QUBESDB_RM, path[k], NULL);
        spin(g.f.window ? 30 : 0);
        break;
    case 1:
        no_crossing();
        k = k / 8 * 8;
        snprintf(value, sizeof(value), "/d%02d/", k);
        for (below = k; below < MARKER; below++)
            if (strncmp(path[below], value, strlen(value)) == 0)
                set(&dom0, below, NULL);
        if (synced)
            dom0_says(QUBESDB_RM, value, NULL);
        spin(g.f.window ? 30 : 0);
        break;
    default:
        /* Never what the guest writes: in a dump it could not tell whose that is. */
        snprintf(value, sizeof(value), "dom0-%u", random_below(&seed, 5));
        set(&dom0, k, value);
        ours[k] = false;
        if (synced)
            dom0_says(QUBESDB_WRITE, path[k], value);
    }
}

/* The connection breaks; what the guest had sent and nobody read is gone. */
static void breaks(bool new_store)
{
    fake_hang_up(&g.f);
    synced = false;
    if (!new_store)
        return;
    for (int k = 0; k < KEYS; k++) {
        set(&dom0, k, k < BASE ? "base" : NULL);
        ours[k] = false;
    }
}

/* ---- the guest ---- */

static void guest_changes(void)
{
    int k = (int)random_below(&seed, MARKER);
    char value[40] = "";

    if (random_below(&seed, 4) == 0) {
        if (g.q->remove(g.q, path[k]) == 0)
            set(&mirror, k, NULL);
        return;
    }
    if (random_below(&seed, 4))
        snprintf(value, sizeof(value), "guest-%u", random_below(&seed, 5));
    ck_assert_int_eq(g.q->write(g.q, path[k], value, strlen(value)), 0);
    set(&mirror, k, value);
    set(&mirror, MARKER, "1");                      /* the plugin's own */
}

static struct store now;

static void collect(const char *p, const char *value, size_t len, void *arg)
{
    (void)len, (void)arg;
    set(&now, key_of(p), value);
}

/* Let everything arrive, and compare. */
static void quiet(void)
{
    double late = ev_time() + PATIENCE;
    uint64_t at = 0;

    do {
        fake_offer(&g.f);
        spin(20);
        daemon_reads(1000);
        spin(20);
        at = fake_waiting(&g.f) || fake_unread(&g.f) || counter("pending") || host_state(g.ctx) != HOST_READY;
    } while (at && ev_time() < late);
    ck_assert_uint_eq(at, 0);
    memset(&now, 0, sizeof(now));
    g.q->list(g.q, "", collect, NULL);
    same(&now, &dom0, "the replica");
    same(&mirror, &now, "what the watcher was told");
}

/* From quiet: the daemon starts anew. Its keys hold, and ours come back. */
static void new_daemon(void)
{
    struct store wanted = { 0 };

    for (int k = 0; k < KEYS; k++) {
        if (k < BASE)
            set(&wanted, k, "base");
        else if (dom0.has[k] && ours[k] && dom0.has[MARKER])
            set(&wanted, k, dom0.value[k]);
    }
    if (dom0.has[MARKER])
        set(&wanted, MARKER, "1");
    breaks(true);
    quiet();
    same(&dom0, &wanted, "after a restart");
}

/* From quiet: the same daemon, where keys of ours were removed meanwhile: they stay removed. */
static void removed_meanwhile(void)
{
    struct store wanted;

    breaks(false);
    for (int k = 0; k < MARKER; k++)
        if (random_below(&seed, 3) == 0)
            set(&dom0, k, NULL);
    wanted = dom0;
    quiet();
    same(&dom0, &wanted, "after a reconnect");
}

START_TEST(random_run)
{
    seed = 1000003u * (unsigned)(_i + 1);
    name_keys();
    memset(&mirror, 0, sizeof(mirror));
    memset(&dom0, 0, sizeof(dom0));
    guest_up(ENTRIES("retry=0", "retry-max=0", "random-seed=leave"));
    g.f.window = _i % 3 == 1 ? 17 : 0;
    g.f.ring = _i % 3 == 2 ? QUBESDB_MESSAGE_MAX : FAKE_RING;
    ck_assert_int_eq(g.q->watch(g.q, NULL, "/", UNIK_QUBESDB_NOW, on_event, NULL, NULL), 0);
    breaks(true);
    quiet();
    for (int i = 0; i < STEPS; i++) {
        switch (random_below(&seed, 12)) {
        case 0: case 1: case 2: daemon_changes(); break;
        case 3: case 4: case 5: guest_changes(); break;
        case 6: case 7: daemon_reads(random_below(&seed, 4)); break;
        case 8: fake_offer(&g.f); break;
        case 9: spin(random_below(&seed, 6)); break;
        default:
            if (random_below(&seed, 15) == 0)
                breaks(random_below(&seed, 3) == 0);
            else if (random_below(&seed, 15) == 0)
                quiet();
        }
        spin(random_below(&seed, 3));
    }
    for (int i = 0; i < 10; i++) {
        quiet();
        new_daemon();
        guest_changes();
        guest_changes();
        daemon_changes();
        quiet();
        removed_meanwhile();
    }
    ck_assert_uint_eq(counter("protocol_errors"), 0);
    ck_assert_uint_eq(counter("refused"), 0);
    ck_assert_uint_eq(counter("skipped"), 0);
    ck_assert_uint_gt(counter("resent"), 0);
    guest_down();
}
END_TEST

Suite *suite_model(void)
{
    Suite *s = suite_create("qubesdb: model");
    TCase *t = tcase_create("model");

    tcase_set_timeout(t, 900);
    tcase_add_loop_test(t, random_run, 0, 12);
    suite_add_tcase(s, t);
    return s;
}
