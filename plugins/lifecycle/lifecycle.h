/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/lifecycle/lifecycle.h - the parts of the plugin, by the file they live in. */
#ifndef PLUGINS_LIFECYCLE_LIFECYCLE_H
#define PLUGINS_LIFECYCLE_LIFECYCLE_H

#include <unik/backoff.h>
#include <unik/plugin.h>
#include <unik/xenstore.h>

#define LIFECYCLE_FEATURES 2
#define LIFECYCLE_FACTS 2
#define LIFECYCLE_FACT_MAX 64       /* bytes kept of a fact for status */

enum { COUNT_COMMANDS, COUNT_ACKNOWLEDGED, COUNT_UNKNOWN, COUNT_RETRIES, COUNT_ERRORS };

struct lifecycle;

/* ---- shutdown.c: control/shutdown ---- */

struct lifecycle_shutdown {
    struct unik_xenstore_watch *watch;
    bool busy;                      /* a look at the node has not ended yet */
    bool again;                     /* the watch fired meanwhile */
    unsigned tries;                 /* transactions that were spoilt */
    uint32_t tx;                    /* 0: none open */
    int command;                    /* the word being answered; -1: none */
    bool ending;                    /* unik_end() was called */
};

int lifecycle_shutdown_start(struct lifecycle *l);
void lifecycle_shutdown_look(struct lifecycle *l);
void lifecycle_shutdown_stop(struct lifecycle *l);

/* ---- lifecycle.c ---- */

/* A node that is written or read once. */
struct lifecycle_node {
    struct lifecycle *l;
    const char *path;
    bool write;                     /* "1"; else it is read */
    bool asked, done;               /* in flight; nothing more to try */
    char value[LIFECYCLE_FACT_MAX];
};

struct lifecycle {
    struct unik_ctx *ctx;
    struct unik_xenstore *x;
    struct lifecycle_shutdown shutdown;
    struct lifecycle_node feature[LIFECYCLE_FEATURES], fact[LIFECYCLE_FACTS];
    char problem[160];              /* a feature node that could not be written; "" */
    bool settled;                   /* ready, or degraded, was told */
    struct unik_backoff backoff;
    ev_timer retry;
};

/* xenstored is away or has no room: all that did not get done is tried again. */
void lifecycle_later(struct lifecycle *l);
void lifecycle_error(struct lifecycle *l, const char *what, const char *path, int error);

#endif
