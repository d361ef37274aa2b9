/* tests/common/store.h - a host, the scripted xenstored, and the plugin xenstore connected to it: for tests of the plugin and
 * of those that stand on it. */
#ifndef TESTS_COMMON_STORE_H
#define TESTS_COMMON_STORE_H

#include <unik/xenstore.h>
#include "tests/common/xenstored.h"
#include "tools/host/host.h"

#define STORE_DOMID 7
#define STORE_SECONDS 20.0

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
int store_fds(void);

#endif
