/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/unit.c - one plugin in the running program: a table of state x event. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/slow.h"
#include "supervisor/supervisor.h"
#include "supervisor/unit.h"
#include "supervisor/watchers.h"

#define LATE_SECONDS 10         /* not ready for so long: a line says what it waits for */
#define BACKOFF_FIRST 0.2       /* seconds before the first restart */
#define BACKOFF_MOST 60
#define BACKOFF_GOOD 60         /* ran that long: the next failure counts as the first */

static const char *const failure_words[] = { "restart", "ignore", "shutdown", NULL };

const struct unik_option unit_options[] = {
    { .key = "on-failure", .type = UNIK_ENUM, .offset = offsetof(struct unit_config, on_failure), .fallback = "restart",
      .choices = failure_words, .help = "when the plugin fails: start it again after a while, go on without, or end all" },
    { .key = "optional", .type = UNIK_BOOL, .offset = offsetof(struct unit_config, optional), .fallback = "no",
      .help = "leave it out, with a line, where it cannot work: not built, machine or target without what it needs" },
    { .key = "fallback", .type = UNIK_BOOL, .offset = offsetof(struct unit_config, fallback), .fallback = "no",
      .help = "use it only if no other plugin provides what it provides" },
    { .key = "file", .type = UNIK_STRING, .offset = offsetof(struct unit_config, file),
      .help = "load it from this file instead of looking in plugin-path" },
    { 0 }
};

const char *unit_state_name(enum unit_state state)
{
    static const char *const names[] = { "configured", "starting", "ready", "degraded", "leaving", "stopping", "stopped",
                                         "failed" };

    return names[state];
}

bool unit_active(const struct unit *u) { return u->state >= UNIT_STARTING && u->state <= UNIT_STOPPING; }
bool unit_usable(const struct unit *u) { return u->state == UNIT_READY || u->state == UNIT_DEGRADED; }

static void enter(struct unit *u, enum unit_state state)
{
    u->state = state;
    u->since = ev_now(u->ctx.loop);
    if (state != UNIT_FAILED && state != UNIT_DEGRADED && state != UNIT_LEAVING && state != UNIT_STOPPING &&
        !(state == UNIT_STOPPED && u->next == UNIT_THEN_FAILED))    /* it is about to be FAILED, and the status says why */
        u->reason[0] = 0;
    supervisor_wake(u->sup);
}

static void set_reason(struct unit *u, const char *why)
{
    if (why)
        snprintf(u->reason, sizeof(u->reason), "%s", why);
}

static void timer_set(struct unit *u, double after)
{
    ev_timer_stop(u->ctx.loop, &u->timer);
    ev_now_update(u->ctx.loop);
    ev_timer_set(&u->timer, after, 0);
    ev_timer_start(u->ctx.loop, &u->timer);
}

/* ---- what events do ---- */

static void fails(struct unit *u, const char *why);

static void starts(struct unit *u, const char *why)
{
    char text[100];
    int e;

    (void)why;
    u->drained = false;
    u->next = UNIT_THEN_END;
    enter(u, UNIT_STARTING);
    unik_backoff_begin(&u->backoff, ev_now(u->ctx.loop));
    timer_set(u, LATE_SECONDS);
    slow_enter(u, "start()");
    e = u->ctx.plugin->start(&u->ctx);
    slow_leave();
    if (e > 0)
        snprintf(text, sizeof(text), "start() returned %d, which is neither 0 nor a negative errno", e);
    else if (e < 0)
        snprintf(text, sizeof(text), "start: %s", strerror(-e));
    if (e > 0 && (u->state != UNIT_STARTING || u->ctx.data)) {
        if (u->state == UNIT_STARTING || unit_usable(u))
            fails(u, text);             /* it is at work: its stop() is called */
        return;
    }
    if (e != 0) {
        ev_timer_stop(u->ctx.loop, &u->timer);
        supervisor_unpublish(u);        /* start() released all it took, so stop() is not called */
        supervisor_tell_left(u);
        u->next = UNIT_THEN_FAILED;
        log_line(&u->log, UNIK_ERROR, "%s", text);
        set_reason(u, text);
        enter(u, UNIT_STOPPED);
        return;
    }
    supervisor_tell_wants(u);
}

static void becomes_ready(struct unit *u, const char *why)
{
    const char *const *p = u->loaded.plugin.provides;
    char text[150];

    (void)why;
    for (size_t i = 0; p && p[i]; i++)
        if (!u->provided[i]) {          /* those who need it would find nothing */
            snprintf(text, sizeof(text), "ready without having published %s, which it provides", p[i]);
            fails(u, text);
            return;
        }
    ev_timer_stop(u->ctx.loop, &u->timer);
    u->was_ready = true;
    enter(u, UNIT_READY);
    log_line(&u->log, UNIK_INFO, "ready");
}

static void waits(struct unit *u, const char *why) { set_reason(u, why); }

static void degrades(struct unit *u, const char *why)
{
    enter(u, UNIT_DEGRADED);
    set_reason(u, why);
    log_line(&u->log, UNIK_WARNING, "degraded: %s", u->reason);
}

static void fails(struct unit *u, const char *why)
{
    set_reason(u, why);
    log_line(&u->log, UNIK_ERROR, "failed: %s", u->reason);
    u->next = UNIT_THEN_FAILED;
    ev_timer_stop(u->ctx.loop, &u->timer);
    enter(u, UNIT_LEAVING);
}

static void leaves(struct unit *u, const char *why)
{
    (void)why;
    ev_timer_stop(u->ctx.loop, &u->timer);
    enter(u, UNIT_LEAVING);
}

/* Waiting is no mistake by itself, but somebody should know what for. */
static void waits_long(struct unit *u, const char *why)
{
    char needed[200];
    struct unik_text t;

    (void)why;
    unik_text_init(&t, needed, sizeof(needed));
    status_waits_for(u, &t);
    log_line(&u->log, UNIK_WARNING, "not started after %d s: waits for%s", LATE_SECONDS, needed);
}

static void starts_long(struct unit *u, const char *why)
{
    (void)why;
    log_line(&u->log, UNIK_WARNING, "not ready after %d s: %s", LATE_SECONDS,
             u->reason[0] ? u->reason : "it does not say what it waits for");
}

/* Not running: nothing to stop. */
static void ends(struct unit *u, const char *why)
{
    (void)why;
    ev_timer_stop(u->ctx.loop, &u->timer);
    enter(u, UNIT_STOPPED);
}

static void stops(struct unit *u, const char *why)
{
    (void)why;
    enter(u, UNIT_STOPPING);
    supervisor_unpublish(u);
    timer_set(u, supervisor_stop_seconds(u->sup));
    watchers_suspend(u);
    slow_enter(u, "stop()");
    u->ctx.plugin->stop(&u->ctx);
    slow_leave();
    watchers_resume(u, u->state == UNIT_STOPPED);
}

static void is_stopped(struct unit *u, const char *why)
{
    (void)why;
    ev_timer_stop(u->ctx.loop, &u->timer);
    supervisor_tell_left(u);
    u->ctx.data = NULL;
    enter(u, UNIT_STOPPED);
}

static void too_slow(struct unit *u, const char *why)
{
    (void)why;
    log_line(&u->log, UNIK_ERROR, "did not stop within %.3g s", supervisor_stop_seconds(u->sup));
    slow_enter(u, "abandon()");
    if (u->ctx.plugin->abandon)
        u->ctx.plugin->abandon(&u->ctx);
    slow_leave();
    if (u->state == UNIT_STOPPING)
        is_stopped(u, NULL);
}

static void tries_again(struct unit *u, const char *why)
{
    (void)why;
    u->retries = false;
    u->restarts++;
    enter(u, UNIT_CONFIGURED);
    unit_waits(u);
}

static void unexpected(struct unit *u, const char *why)
{
    (void)why;
    log_line(&u->log, UNIK_WARNING, "a call from the plugin makes no sense while it is %s", unit_state_name(u->state));
}

static void nothing(struct unit *u, const char *why)
{
    (void)u, (void)why;
}

typedef void reaction(struct unit *u, const char *why);

static reaction *const table[UNIT_STATES][UNIT_EVENTS] = {
    /*                     START        IS_READY       IS_DEGRADED HAS_FAILED  LEAVE      STOP        IS_STOPPED   LATE */
    [UNIT_CONFIGURED] = { starts,      unexpected,    unexpected, unexpected, ends,      nothing,    unexpected,  waits_long },
    [UNIT_STARTING]   = { nothing,     becomes_ready, waits,      fails,      leaves,    nothing,    unexpected,  starts_long },
    [UNIT_READY]      = { nothing,     nothing,       degrades,   fails,      leaves,    nothing,    unexpected,  nothing },
    [UNIT_DEGRADED]   = { nothing,     becomes_ready, waits,      fails,      leaves,    nothing,    unexpected,  nothing },
    [UNIT_LEAVING]    = { nothing,     nothing,       nothing,    nothing,    nothing,   stops,      unexpected,  nothing },
    [UNIT_STOPPING]   = { nothing,     nothing,       nothing,    nothing,    nothing,   nothing,    is_stopped,  too_slow },
    [UNIT_STOPPED]    = { nothing,     unexpected,    unexpected, unexpected, nothing,   nothing,    unexpected,  nothing },
    [UNIT_FAILED]     = { nothing,     unexpected,    unexpected, unexpected, ends,      nothing,    unexpected,  tries_again },
};

void unit_waits(struct unit *u) { timer_set(u, LATE_SECONDS); }

void unit_feed(struct unit *u, enum unit_event event, const char *why) { table[u->state][event](u, why); }

void unit_failed_now(struct unit *u)
{
    double after;

    u->next = UNIT_THEN_END;
    u->state = UNIT_FAILED;
    u->since = ev_now(u->ctx.loop);
    if (u->config->on_failure == UNIT_RESTART) {
        u->backoff.first = BACKOFF_FIRST;
        u->backoff.most = BACKOFF_MOST;
        u->backoff.good = BACKOFF_GOOD;
        u->retries = true;
        after = unik_backoff_delay(&u->backoff, ev_now(u->ctx.loop));
        timer_set(u, after);
        log_line(&u->log, UNIK_INFO, "next try in %.3g s", after);
    } else {
        log_line(&u->log, UNIK_WARNING, u->config->on_failure == UNIT_IGNORE ? "going on without it" : "ending everything");
    }
    supervisor_wake(u->sup);
}
