/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/store.h - a host, the scripted xenstored, and the plugin xenstore connected to it: for tests of the
 * plugin and of those that stand on it. */
#ifndef TESTS_COMMON_STORE_H
#define TESTS_COMMON_STORE_H

#include <unik/xenstore.h>
#include "tests/common/xenstored.h"
#include "tools/host/host.h"

#define STORE_DOMID 7
#define STORE_SECONDS 300.0

extern const struct unik_plugin unik_plugin_xenstore;

struct store {
    struct host *h;
    struct xenstored *s;
    struct unik_ctx *ctx;
    struct unik_xenstore *x;
    int fds;                        /* open before all this */
    char last[1024];                /* the last line logged */
    unsigned warnings;              /* lines of warnings and errors */
};

/* What a callback was told. */
struct answer {
    bool done;
    unsigned calls;
    int error;
    uint32_t tx;
    size_t len;
    char value[4097];
};

/* What a watch was told. */
struct store_fired {
    struct store *t;
    unsigned n, want;
    bool done;                      /* n reached want */
    char path[64];                  /* the last */
    struct unik_xenstore_watch *w, **drop;      /* drop: unwatch this from inside the callback, and set it to NULL */
};

/* options: "key=value" more than the socket; NULL: none. Not started yet. */
void store_init(struct store *t, const char *const *options);
/* store_init(), started and ready. */
void store_open(struct store *t, const char *const *options);
/* Stop the plugin (if it has not stopped), and check that nothing is left of anything. */
void store_close(struct store *t);

void store_answered(int error, const char *value, size_t len, void *answer);
void store_begun(int error, uint32_t tx, void *answer);
/* Run the loop until it is answered; fails the test if it is not. Gives its error. */
int store_wait(struct store *t, struct answer *a);
/* Run the loop until cond() is true. */
bool store_until(struct store *t, bool (*cond)(struct store *t));
/* A whole request, waited for. */
int store_read(struct store *t, uint32_t tx, const char *path, struct answer *a);
int store_write(struct store *t, uint32_t tx, const char *path, const char *value);
uint32_t store_begin(struct store *t);
int store_end(struct store *t, uint32_t tx, bool commit);
/* The callback of a watch whose arg is a struct store_fired. */
void store_fired(const char *path, void *fired);
/* Watch, and run the loop until it fired for the first time. */
void store_watch(struct store *t, const char *path, struct store_fired *f);
/* Run the loop until it fired n times, exactly. */
void store_wait_fired(struct store *t, struct store_fired *f, unsigned n);
/* Ready, on the second connection. For store_until(). */
bool store_is_back(struct store *t);

#endif
