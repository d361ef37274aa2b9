/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/supervisor.h - all plugins together: loading, order, interfaces, restarts, the end.
 *
 *   config.c      the file            loader.c   a plugin's descriptor      options.c  option tables
 *   graph.c       who needs whom      unit.c     one plugin's states        host.c     what plugins call
 *   load.c        config to units     supervisor.c  the running program     status.c   reports
 *   log.c         lines               describe.c    tables for people          init.c     being /init
 *   slow.c        who takes long      process.c     what is inherited
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "supervisor/unit.h"

struct supervisor_config {
    int target;                     /* 0 qubes, 1 unix */
    const char *log, *plugin_path;
    double drain_seconds, stop_seconds, slow_seconds;
};
extern const struct unik_option supervisor_options[];

enum supervisor_phase { SUPERVISOR_RUNS, SUPERVISOR_DRAINS, SUPERVISOR_STOPS, SUPERVISOR_ENDED };

struct supervisor {
    struct ev_loop *loop;
    struct supervisor_config *config;
    struct log_source log;
    struct unit *units[CONFIG_SECTIONS_MAX];
    size_t n;
    enum supervisor_phase phase;
    enum unik_end how;
    bool broken;                    /* ended because a plugin with on-failure = shutdown failed */
    bool told_ready, reload;
    double began;                   /* seconds, CLOCK_MONOTONIC: when main() began */
    ev_timer soon, deadline;
    void (*reread)(struct supervisor *s, struct unit *u);   /* SIGHUP: load the unit's plugin and options anew */
};

/* Read options, load plugins, check all: every mistake is told (config_error) before it returns. 0 or -EINVAL. */
int supervisor_load(struct supervisor *s, struct config *c);
/* Start; then run the loop until the phase is SUPERVISOR_ENDED. */
void supervisor_start(struct supervisor *s);
/* Begin the end: drain, then stop in order. A second call skips the draining. */
void supervisor_end(struct supervisor *s, enum unik_end how, const char *why);
/* Load the app plugins anew. */
void supervisor_reload(struct supervisor *s);
void supervisor_free(struct supervisor *s);

/* ---- for the parts ---- */
void supervisor_wake(struct supervisor *s);                 /* look at all units, soon, from the loop */
void supervisor_unpublish(struct unit *u);                  /* gone() to those who want it */
void supervisor_tell_wants(struct unit *u);                 /* arrived() for what is published */
void supervisor_tell_left(struct unit *u);                  /* it has: stop its watchers, left() to all others */
double supervisor_stop_seconds(const struct supervisor *s);
bool supervisor_settled(const struct supervisor *s);

/* load.c */
void unit_unload(struct unit *u);
/* Load an app's code and options again, from a config read again. */
void supervisor_reread(struct supervisor *s, struct unit *u, struct config *c);
/* It could not be: it stays out until the next SIGHUP. */
void supervisor_not_reread(struct unit *u, const char *why);
const char *supervisor_plugin_path(const struct supervisor_config *config, char *buffer, size_t size);

/* status.c: " vchan/1 (vchan-xen is starting), ...": what it needs and has not. */
void status_waits_for(const struct unit *u, struct unik_text *out);

/* host.c */
extern const struct unik_host host_functions;
/* The unit that has the interface published and its struct; NULL. */
struct unit *host_provider(const struct supervisor *s, const char *interface, void **iface);

/* graph.c: every mistake is told. may_leave_out: before anything runs, drop optional plugins and fallbacks that have no place here.
 * 0 or -EINVAL. */
int graph_check(struct supervisor *s, struct config *c, bool may_leave_out);
/* Whose provides name the interface, or NULL. */
const struct unit *graph_provider(const struct supervisor *s, const char *interface);
/* Does a need something that b provides? Does it want something? */
bool graph_needs(const struct unit *a, const struct unit *b);
bool graph_wants(const struct unit *a, const struct unit *b);
/* Is everything u needs ready? */
bool graph_can_start(const struct supervisor *s, const struct unit *u);
/* The next unit to stop among those that leave, or NULL if each still has one that must go first. */
struct unit *graph_next_to_stop(const struct supervisor *s);

/* describe.c: tables of options, counters, interfaces; all plugins that can be found, or one. 0 or -ENOENT. */
int describe(const char *plugin, const char *path);

/* status.c */
void status_report(const struct supervisor *s, struct unik_text *out);
void status_metrics(const struct supervisor *s, struct unik_text *out);

#endif
