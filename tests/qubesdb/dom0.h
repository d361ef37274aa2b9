/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qubesdb/dom0.h - what the tests of the qubesdb plugin share: the plugin in the smallest host, a dom0 to script,
 * and a record of what watchers are told. */
#ifndef TESTS_QUBESDB_DOM0_H
#define TESTS_QUBESDB_DOM0_H

#include <check.h>
#include <unik/qubesdb.h>
#include <unik/text.h>
#include "protocol/qubesdb.h"
#include "tests/common/fake-vchan.h"
#include "tools/host/host.h"

#define PATIENCE 300.0                   /* seconds until a test gives up waiting */

extern const struct unik_plugin unik_plugin_qubesdb;

struct guest {
    struct host *h;
    struct unik_ctx *ctx;
    struct unik_qubesdb *q;
    struct fake_vchan f;
    char log[65536];                    /* lines that the plugin logged */
    char events[65536];                 /* what watchers were told, see note() */
    size_t told;                        /* how many times */
};

extern struct guest g;

/* Start the plugin (no marker, no waiting between tries, unless options say so); stop it, and nothing may be left. */
void guest_up(const char *const *options);
void guest_up_plain(void);
void guest_up_synced(void);             /* and dom0 has given an empty dump */
void guest_down(void);

/* Run the loop until nothing happens any more; until a flag or a state. */
void turn(void);
#define UNTIL(condition) do { \
        double late_ = ev_time() + PATIENCE; \
        while (!(condition) && ev_time() < late_) \
            ev_run(EV_DEFAULT_ EVRUN_NOWAIT); \
        ck_assert_msg((condition), "did not come: " #condition); \
    } while (0)

/* dom0 sends; value NULL: none. */
void dom0_says(uint8_t type, const char *path, const char *value);
void dom0_says_bytes(uint8_t type, const char *path, const void *value, size_t len);
size_t dom0_message(uint8_t *to, uint8_t type, const char *path, const void *value, size_t len);
/* The next message from the guest is this one, to the byte. */
void dom0_hears(uint8_t type, const char *path, const char *value);
void dom0_hears_nothing(void);
/* Offer the channel and wait for the guest's MULTIREAD; the end of a dump; both, with "/key=value" entries between. */
void dom0_connect(void);
void dom0_end(void);
void dom0_sync(const char *const *entries);
/* The connection breaks; the guest has seen it. */
void dom0_breaks(void);

/* A callback for watches: appends "path=value " or "path- " (removed) to g.events; arg: a prefix for each, or NULL. */
void note(const char *path, const char *value, size_t len, void *arg);
/* Compare and clear. */
void told(const char *expected);
/* The whole replica as "path=value " text. */
const char *replica(void);
const char *value_of(const char *path); /* "-" if absent */
uint64_t counter(const char *name);
bool logged(const char *part);

#define ENTRIES(...) ((const char *const[]){ __VA_ARGS__, NULL })

Suite *suite_units(void);
Suite *suite_wire(void);
Suite *suite_watches(void);
Suite *suite_own(void);
Suite *suite_reconnect(void);
Suite *suite_model(void);
Suite *suite_sockets(void);

#endif
