/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/unit.h - one plugin in the running program: its state, and what each event does in each state. */
#ifndef SUPERVISOR_UNIT_H
#define SUPERVISOR_UNIT_H

#include <unik/backoff.h>
#include <unik/plugin.h>
#include "supervisor/config.h"
#include "supervisor/loader.h"
#include "supervisor/log.h"

enum unit_state {
    UNIT_CONFIGURED,        /* waits for what it needs */
    UNIT_STARTING,          /* start() was called */
    UNIT_READY,
    UNIT_DEGRADED,
    UNIT_LEAVING,           /* to be stopped as soon as those who need it have */
    UNIT_STOPPING,          /* stop() was called */
    UNIT_STOPPED,
    UNIT_FAILED,            /* will be started again after a while, or never: see retries */
    UNIT_STATES
};

enum unit_event {
    UNIT_START,             /* everything needed is ready */
    UNIT_IS_READY,          /* the plugin said unik_ready() */
    UNIT_IS_DEGRADED,       /* unik_degraded() */
    UNIT_HAS_FAILED,        /* unik_failed(), or start() gave an error */
    UNIT_LEAVE,             /* shutdown, reload, or something needed has gone */
    UNIT_STOP,              /* its turn has come: nobody needs it any more */
    UNIT_IS_STOPPED,        /* unik_stopped() */
    UNIT_LATE,              /* its timer: not ready, or not stopped, for too long; or time for the next try */
    UNIT_EVENTS
};

/* What is to happen once it has stopped. */
enum unit_next { UNIT_THEN_END, UNIT_THEN_AGAIN, UNIT_THEN_RELOAD, UNIT_THEN_FAILED };

enum unit_on_failure { UNIT_RESTART, UNIT_IGNORE, UNIT_SHUTDOWN };

struct unit_config {        /* the keys that every section may have */
    int on_failure;
    bool optional, fallback;
    const char *file;
};
extern const struct unik_option unit_options[];

struct supervisor;

struct unit {
    struct unik_ctx ctx;    /* first: a ctx is its unit */
    struct supervisor *sup;
    char *name;             /* outlives the loaded plugin */
    struct config_place place;      /* file: our own copy, as the config is given back once it is read */
    struct unit_config *config;
    struct loaded loaded;
    struct log_source log;
    uint64_t counters[LOADER_COUNTERS_MAX];

    enum unit_state state;
    enum unit_next next;
    char reason[200];       /* of degraded, failed; of starting: what it waits for */
    bool app;               /* UNIK_APP, kept while the plugin is being loaded again */
    bool was_ready;         /* once at least: `settled` */
    bool retries;           /* FAILED: the timer runs */
    bool drained;
    double since;           /* in this state: ev_now */
    uint64_t restarts;
    struct unik_backoff backoff;
    ev_timer timer;
    void *provided[LOADER_INTERFACES_MAX];      /* as plugin.provides; NULL: not published */
};

static inline struct unit *unit_of(struct unik_ctx *ctx) { return (struct unit *)(void *)ctx; }

/* Feed an event: the table of state x event. What changes in consequence elsewhere is done later, from the loop. */
void unit_feed(struct unit *u, enum unit_event event, const char *why);

/* It waits to be started: say so if that takes long. */
void unit_waits(struct unit *u);

/* Stopped after a failure: wait for the next try, or do not, as on-failure says. */
void unit_failed_now(struct unit *u);

const char *unit_state_name(enum unit_state state);
/* STARTING, READY, DEGRADED, LEAVING or STOPPING: the plugin holds something. */
bool unit_active(const struct unit *u);
/* READY or DEGRADED: what it provides may be needed. */
bool unit_usable(const struct unit *u);

#endif
