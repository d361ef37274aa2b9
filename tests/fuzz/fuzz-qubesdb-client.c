/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of dom0's QubesDB daemon, fed with any bytes as dom0's. The first byte of the input chooses how the rest is
 * cut and what the guest does meanwhile. Always: what goes out are whole messages that dom0's daemon survives, MULTIREAD
 * first and once; the replica is in order and within its limits; a proper dump afterwards makes the plugin ready. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unik/qubesdb.h>
#include "protocol/qubesdb.h"
#include "tests/common/bytes.h"
#include "tests/fuzz/must.h"
#include "tests/common/fake-vchan.h"
#include "tools/host/host.h"

#define ENTRIES_MAX 64          /* max-entries below */
#define OWN_MAX 5               /* own keys and the marker stay when dom0's dump fills the table */

extern const struct unik_plugin unik_plugin_qubesdb;

static struct fake_vchan fake;
static struct unik_qubesdb *q;
static struct unik_qubesdb_watch *handle;
static unsigned connection;
static bool asked;
static uint32_t seed;
static const char *const paths[] = { "/a", "/d/1", "/d", "/qubes-random-seed" };

static void turn(int times)
{
    while (times--)
        ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
}

/* As strict as dom0's daemon. */
static void check_output(void)
{
    uint8_t message[QUBESDB_MESSAGE_MAX];
    struct qubesdb_header h;

    if (fake.made != connection)
        asked = false;
    connection = fake.made;
    while (fake_take(&fake, message, QUBESDB_HEADER) > 0) {
        must(qubesdb_decode(message, &h) == 0);
        must(qubesdb_from_vm(h.type));
        must(qubesdb_path_ok(h.path));
        must(asked == (h.type != QUBESDB_MULTIREAD));
        asked = true;
        must(fake_take(&fake, message, h.len) == h.len);
        must(h.len == 0 || h.type == QUBESDB_WRITE);
        must(memchr(message, 0, h.len) == NULL);
        if (h.type == QUBESDB_WRITE)
            must(qubesdb_key_ok(h.path));
        if (h.type == QUBESDB_RM)
            must(qubesdb_key_ok(h.path));
    }
}

static void check_key(const char *path, const char *value, size_t len, void *arg)
{
    char *last = arg;

    must(strcmp(last, path) < 0);
    must(qubesdb_key_ok(path));
    must(strlen(value) == len && len <= QUBESDB_VALUE_MAX);
    snprintf(last, QUBESDB_PATH, "%s", path);
}

static void check_replica(struct unik_ctx *ctx)
{
    char last[QUBESDB_PATH] = "";

    must(q->list(q, "", check_key, last) <= ENTRIES_MAX + OWN_MAX);
    must(host_counter(ctx, "entries") <= ENTRIES_MAX + OWN_MAX);
    must(host_counter(ctx, "bytes") <= 65536 + OWN_MAX * 100);
}

static void on_event(const char *path, const char *value, size_t len, void *arg)
{
    (void)arg;
    must(qubesdb_key_ok(path));
    must(value ? strlen(value) == len : len == 0);
    switch (random_below(&seed, 8)) {
    case 0: q->write(q, path, "x", 1); break;
    case 1: q->remove(q, path); break;
    case 2: q->unwatch(q, handle); handle = NULL; break;
    case 3: q->await(q, NULL, path, on_event, NULL, NULL); break;
    default: break;
    }
}

static void guest_acts(void)
{
    const char *path = paths[random_below(&seed, 4)];

    switch (random_below(&seed, 6)) {
    case 0: q->write(q, path, "value", random_below(&seed, 6)); break;
    case 1: q->remove(q, path); break;
    case 2: q->await(q, NULL, path, on_event, NULL, NULL); break;
    case 3:
        if (!handle)
            q->watch(q, NULL, "/", random_below(&seed, 4), on_event, NULL, &handle);
        break;
    default: break;
    }
}

static void proper_dump(struct unik_ctx *ctx)
{
    static const uint8_t end[QUBESDB_HEADER] = { QUBESDB_GOT_MULTIREAD };

    fake_hang_up(&fake);
    turn(5);
    fake_offer(&fake);
    for (int i = 0; i < 1000 && !fake_connected(&fake); i++)
        turn(1);
    turn(5);
    check_output();
    must(asked);
    fake_send(&fake, end, sizeof(end));
    turn(10);
    must(host_state(ctx) == HOST_READY);
    check_output();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const options[] = { "retry=0", "retry-max=0", "random-seed=leave", "max-entries=64",
                                           "max-bytes=64K", NULL };
    struct host *h;
    struct unik_ctx *ctx;
    size_t at = 1;

    if (n < 1)
        return 0;
    h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    fake_vchan_init(&fake, ev_default_loop(0), QUBESDB_PORT);
    fake.input = n + 4096;
    host_publish(h, "vchan/1", &fake.api);
    ctx = host_add(h, &unik_plugin_qubesdb, options);
    must(ctx && host_start(ctx) == 0);
    q = host_interface(h, "qubesdb/1");
    handle = NULL;
    connection = 0;
    seed = 1u + bytes[0];
    fake_offer(&fake);
    turn(5);
    while (at < n) {
        size_t some = bytes[0] & 1 ? 1 + random_below(&seed, 200) : n - at;

        some = some < n - at ? some : n - at;
        check_output();
        fake_send(&fake, bytes + at, some);
        at += some;
        if (bytes[0] & 2)
            guest_acts();
        turn(3);
        fake_offer(&fake);
    }
    turn(5);
    check_output();
    check_replica(ctx);
    proper_dump(ctx);
    check_replica(ctx);
    host_stop_wait(ctx, 1);
    must(host_state(ctx) == HOST_STOPPED);
    must(fake.open == 0 && fake.overlaps == 0);
    host_free(h);
    return 0;
}
