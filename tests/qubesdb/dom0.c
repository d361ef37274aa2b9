/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qubesdb/dom0.c - what the tests of the qubesdb plugin share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/qubesdb/dom0.h"

struct guest g;

static void on_log(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg)
{
    size_t n = strlen(g.log);

    (void)ctx, (void)arg;
    snprintf(g.log + n, sizeof(g.log) - n, "%d %s\n", (int)level, line);
}

void guest_up(const char *const *options)
{
    memset(g.log, 0, sizeof(g.log));
    memset(g.events, 0, sizeof(g.events));
    g.told = 0;
    g.h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    host_on_log(g.h, on_log, NULL);
    fake_vchan_init(&g.f, ev_default_loop(0), QUBESDB_PORT);
    ck_assert_int_eq(host_publish(g.h, "vchan/1", &g.f.api), 0);
    g.ctx = host_add(g.h, &unik_plugin_qubesdb, options);
    ck_assert_ptr_nonnull(g.ctx);
    ck_assert_int_eq(host_start(g.ctx), 0);
    g.q = host_interface(g.h, "qubesdb/1");
    ck_assert_ptr_nonnull(g.q);
}

void guest_up_plain(void)
{
    guest_up(ENTRIES("retry=0", "retry-max=0", "marker=", "random-seed=leave"));
}

void guest_up_synced(void)
{
    guest_up_plain();
    dom0_connect();
    dom0_end();
    UNTIL(host_state(g.ctx) == HOST_READY);
}

void guest_down(void)
{
    host_stop_wait(g.ctx, 300);
    ck_assert_int_eq(host_state(g.ctx), HOST_STOPPED);
    ck_assert_int_eq(g.f.open, 0);
    ck_assert_uint_eq(g.f.overlaps, 0);
    host_free(g.h);
}

void turn(void)
{
    for (int i = 0; i < 40; i++)
        ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
}

/* As dom0's daemon does it: what follows the path's NUL, and the padding, is whatever was there. */
size_t dom0_message(uint8_t *to, uint8_t type, const char *path, const void *value, size_t len)
{
    memset(to, 0xa5, QUBESDB_HEADER);
    to[0] = type;
    memcpy(to + 1, path, strlen(path) + 1);
    for (int i = 0; i < 4; i++)
        to[68 + i] = (uint8_t)(len >> (8 * i));
    if (len)
        memcpy(to + QUBESDB_HEADER, value, len);
    return QUBESDB_HEADER + len;
}

void dom0_says_bytes(uint8_t type, const char *path, const void *value, size_t len)
{
    static uint8_t message[QUBESDB_HEADER + 65536];

    fake_send(&g.f, message, dom0_message(message, type, path, value, len));
}

void dom0_says(uint8_t type, const char *path, const char *value)
{
    dom0_says_bytes(type, path, value, value ? strlen(value) : 0);
}

void dom0_hears(uint8_t type, const char *path, const char *value)
{
    uint8_t got[QUBESDB_MESSAGE_MAX] = { 0 }, wanted[QUBESDB_MESSAGE_MAX] = { 0 };
    size_t len = value ? strlen(value) : 0, n;

    wanted[0] = type;
    memcpy(wanted + 1, path, strlen(path));
    wanted[68] = (uint8_t)len;
    wanted[69] = (uint8_t)(len >> 8);
    if (len)
        memcpy(wanted + QUBESDB_HEADER, value, len);
    UNTIL(fake_waiting(&g.f) >= QUBESDB_HEADER + len);
    n = fake_take(&g.f, got, QUBESDB_HEADER + len);
    ck_assert_uint_eq(n, QUBESDB_HEADER + len);
    ck_assert_msg(memcmp(got, wanted, n) == 0, "wanted %s of \"%s\" (%zu bytes), got type %u \"%.63s\" (%u bytes)",
                  qubesdb_type_name(type), path, len, got[0], (char *)got + 1, got[68] + 256u * got[69]);
}

void dom0_hears_nothing(void)
{
    turn();
    ck_assert_uint_eq(fake_waiting(&g.f), 0);
}

void dom0_connect(void)
{
    fake_offer(&g.f);
    UNTIL(fake_connected(&g.f));
    dom0_hears(QUBESDB_MULTIREAD, "", NULL);
}

/* The end of a dump: only the first byte of the path is set; the rest is left over from the last entry. */
void dom0_end(void)
{
    uint8_t message[QUBESDB_HEADER];

    dom0_message(message, QUBESDB_GOT_MULTIREAD, "/name", NULL, 0);
    message[1] = 0;
    fake_send(&g.f, message, sizeof(message));
}

void dom0_sync(const char *const *entries)
{
    uint64_t before = counter("syncs");

    dom0_connect();
    for (; entries && *entries; entries++) {
        const char *eq = strchr(*entries, '=');
        char path[QUBESDB_PATH] = "";

        memcpy(path, *entries, (size_t)(eq - *entries));
        dom0_says(QUBESDB_GOT_MULTIREAD, path, eq + 1);
    }
    dom0_end();
    UNTIL(counter("syncs") == before + 1);
    turn();
    ck_assert_int_eq(host_state(g.ctx), HOST_READY);
}

void dom0_breaks(void)
{
    unsigned before = g.f.made;

    fake_hang_up(&g.f);
    UNTIL(g.f.made == before + 1);
}

void note(const char *path, const char *value, size_t len, void *arg)
{
    size_t n = strlen(g.events);

    if (value)
        ck_assert_uint_eq(strlen(value), len);
    else
        ck_assert_uint_eq(len, 0);
    snprintf(g.events + n, sizeof(g.events) - n, "%s%s%s%s ", arg ? (const char *)arg : "", path, value ? "=" : "-",
             value ? value : "");
    g.told++;
}

void told(const char *expected)
{
    turn();
    ck_assert_str_eq(g.events, expected);
    g.events[0] = 0;
}

static char text[262144];

static void add(const char *path, const char *value, size_t len, void *arg)
{
    size_t n = strlen(text);

    (void)len, (void)arg;
    snprintf(text + n, sizeof(text) - n, "%s=%s ", path, value);
}

const char *replica(void)
{
    text[0] = 0;
    g.q->list(g.q, "", add, NULL);
    return text;
}

const char *value_of(const char *path)
{
    size_t n = 12345;
    const char *v = g.q->read(g.q, path, &n);

    if (v)
        ck_assert_uint_eq(strlen(v), n);
    return v ? v : "-";
}

uint64_t counter(const char *name)
{
    uint64_t v = host_counter(g.ctx, name);

    ck_assert_msg(v != UINT64_MAX, "no counter %s", name);
    return v;
}

bool logged(const char *part) { return strstr(g.log, part) != NULL; }
