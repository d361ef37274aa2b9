/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/supervisor.c - the running program: who starts, who stops, who is tried again.
 *
 * Plugins change their states through unit_feed(). What follows from a change for others is worked out in one place,
 * look(), called from the loop soon after any change; so no plugin's callback runs inside another's call.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "supervisor/options.h"
#include "supervisor/slow.h"
#include "supervisor/supervisor.h"
#include "supervisor/watchers.h"

double supervisor_stop_seconds(const struct supervisor *s) { return s->config->stop_seconds; }

void supervisor_wake(struct supervisor *s)
{
    if (!ev_is_active(&s->soon)) {
        ev_timer_set(&s->soon, 0, 0);
        ev_timer_start(s->loop, &s->soon);
    }
}

/* ---- interfaces: telling those who want them ---- */

static bool wants(const struct unit *u, const char *interface)
{
    for (const char *const *p = u->loaded.plugin.wants; p && *p; p++)
        if (strcmp(*p, interface) == 0)
            return true;
    return false;
}

void supervisor_unpublish(struct unit *u)
{
    for (size_t i = 0; u->loaded.plugin.provides && u->loaded.plugin.provides[i]; i++) {
        const char *interface = u->loaded.plugin.provides[i];

        if (!u->provided[i])
            continue;
        for (size_t k = 0; k < u->sup->n; k++) {
            struct unit *v = u->sup->units[k];

            if (v == u || !unit_active(v) || !v->loaded.plugin.gone || !wants(v, interface))
                continue;
            slow_enter(v, "gone()");
            v->loaded.plugin.gone(&v->ctx, interface);
            slow_leave();
        }
        u->provided[i] = NULL;
    }
}

void supervisor_tell_left(struct unit *u)
{
    if (watchers_left(u) < 0) {
        u->sup->broken = true;
        supervisor_end(u->sup, UNIK_POWEROFF, "a plugin has freed what the loop uses");
    }
    for (size_t i = 0; i < u->sup->n; i++) {
        struct unit *v = u->sup->units[i];

        if (v == u || !unit_active(v) || !v->loaded.plugin.left)
            continue;
        slow_enter(v, "left()");
        v->loaded.plugin.left(&v->ctx, &u->ctx);
        slow_leave();
    }
}

void supervisor_tell_wants(struct unit *u)
{
    const struct unik_plugin *p = &u->loaded.plugin;
    void *iface;

    for (size_t i = 0; p->wants && p->wants[i] && p->arrived; i++) {
        struct unit *v = host_provider(u->sup, p->wants[i], &iface);

        if (!v || v == u)
            continue;
        slow_enter(u, "arrived()");
        p->arrived(&u->ctx, p->wants[i], iface);
        slow_leave();
    }
}

/* ---- what follows from a change ---- */

/* Whoever runs without what it needs has to leave, and comes back when that is back. */
static void let_dependents_leave(struct supervisor *s)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < s->n; i++) {
            struct unit *u = s->units[i];

            if ((u->state == UNIT_STARTING || unit_usable(u)) && !graph_can_start(s, u)) {
                u->next = UNIT_THEN_AGAIN;
                unit_feed(u, UNIT_LEAVE, NULL);
                again = true;
            }
        }
    }
}

static void after_stop(struct supervisor *s, struct unit *u)
{
    if (s->phase != SUPERVISOR_RUNS)
        return;
    switch (u->next) {
    case UNIT_THEN_AGAIN:
        u->next = UNIT_THEN_END;
        u->state = UNIT_CONFIGURED;
        unit_waits(u);
        break;
    case UNIT_THEN_RELOAD:
        u->next = UNIT_THEN_END;
        s->reread(s, u);
        break;
    case UNIT_THEN_FAILED:
        unit_failed_now(u);
        if (u->config->on_failure == UNIT_SHUTDOWN) {
            s->broken = true;
            supervisor_end(s, UNIK_POWEROFF, u->name);
        }
        break;
    case UNIT_THEN_END:
        break;
    }
}

/* Stop those who leave, one after another. */
static void stop_next(struct supervisor *s)
{
    struct unit *u;

    for (;;) {
        for (size_t i = 0; i < s->n; i++)
            if (s->units[i]->state == UNIT_STOPPING)
                return;
        u = graph_next_to_stop(s);
        if (!u)
            return;
        unit_feed(u, UNIT_STOP, NULL);
    }
}

static void start_all_that_can(struct supervisor *s)
{
    for (int apps = 0; apps < 2; apps++)        /* agents first: an app finds what it wants already there */
        for (size_t i = 0; i < s->n; i++)
            if (s->units[i]->state == UNIT_CONFIGURED && s->units[i]->app == (apps == 1) &&
                graph_can_start(s, s->units[i]))
                unit_feed(s->units[i], UNIT_START, NULL);
}

static bool has_settled(const struct supervisor *s, const struct unit *u);

/* Does it wait for one that is itself not going to be there soon? */
static bool waits_for_others(const struct supervisor *s, const struct unit *u)
{
    for (size_t i = 0; i < s->n; i++)
        if (graph_needs(u, s->units[i]) && !unit_usable(s->units[i]) && has_settled(s, s->units[i]))
            return true;
    return false;
}

/* What a plugin waits for may never come, as a network in a VM that has none: its start is over all the same. */
static bool has_settled(const struct supervisor *s, const struct unit *u)
{
    if (u->was_ready || (u->state == UNIT_FAILED && !u->retries))
        return true;
    if (u->loaded.plugin.flags & UNIK_AWAITED)
        return false;
    if (u->state == UNIT_FAILED || u->state == UNIT_CONFIGURED)
        return u->restarts > 0 || waits_for_others(s, u);
    return u->state == UNIT_STARTING && *u->reason;
}

bool supervisor_settled(const struct supervisor *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (!has_settled(s, s->units[i]))
            return false;
    return true;
}

static double now_monotonic(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell_ready(struct supervisor *s)
{
    if (s->told_ready || !supervisor_settled(s))
        return;
    s->told_ready = true;
    log_line(&s->log, UNIK_INFO, "ready: %zu plugins in %.1f ms", s->n, (now_monotonic() - s->began) * 1e3);
    for (size_t i = 0; i < s->n; i++)
        if (!s->units[i]->was_ready)
            log_line(&s->log, UNIK_INFO, "... but %s: %s", s->units[i]->name,
                     *s->units[i]->reason ? s->units[i]->reason : unit_state_name(s->units[i]->state));
}

static void all_leave(struct supervisor *s)
{
    ev_timer_stop(s->loop, &s->deadline);
    s->phase = SUPERVISOR_STOPS;
    for (size_t i = 0; i < s->n; i++) {
        s->units[i]->next = UNIT_THEN_END;
        unit_feed(s->units[i], UNIT_LEAVE, NULL);
    }
}

static bool all_drained(const struct supervisor *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (unit_active(s->units[i]) && !s->units[i]->drained)
            return false;
    return true;
}

static void check_end(struct supervisor *s)
{
    if (s->phase == SUPERVISOR_DRAINS && all_drained(s)) {
        all_leave(s);
        stop_next(s);
    }
    if (s->phase != SUPERVISOR_STOPS)
        return;
    for (size_t i = 0; i < s->n; i++)
        if (unit_active(s->units[i]))
            return;
    s->phase = SUPERVISOR_ENDED;
    log_line(&s->log, UNIK_INFO, "stopped");
    ev_break(s->loop, EVBREAK_ALL);
}

static void look(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct supervisor *s = w->data;

    (void)loop, (void)revents;
    let_dependents_leave(s);
    stop_next(s);
    for (size_t i = 0; i < s->n; i++)
        if (s->units[i]->state == UNIT_STOPPED)
            after_stop(s, s->units[i]);
    if (s->phase == SUPERVISOR_RUNS)
        start_all_that_can(s);
    tell_ready(s);
    check_end(s);
}

static void drained_late(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct supervisor *s = w->data;

    (void)loop, (void)revents;
    for (size_t i = 0; i < s->n; i++)
        if (unit_active(s->units[i]) && !s->units[i]->drained)
            log_line(&s->units[i]->log, UNIK_WARNING, "work still running after %.3g s is cut off", s->config->drain_seconds);
    all_leave(s);
    supervisor_wake(s);
}

/* ---- what main() and plugins ask for ---- */

void supervisor_start(struct supervisor *s)
{
    ev_init(&s->soon, look);
    s->soon.data = s;
    ev_init(&s->deadline, drained_late);
    s->deadline.data = s;
    for (size_t i = 0; i < s->n; i++)
        unit_waits(s->units[i]);
    supervisor_wake(s);
}

void supervisor_end(struct supervisor *s, enum unik_end how, const char *why)
{
    if (s->phase == SUPERVISOR_DRAINS) {
        all_leave(s);
        supervisor_wake(s);
    }
    if (s->phase != SUPERVISOR_RUNS)
        return;
    log_line(&s->log, UNIK_INFO, "%s: %s", how == UNIK_REBOOT ? "reboot" : "stopping", why);
    s->phase = SUPERVISOR_DRAINS;
    s->how = how;
    ev_now_update(s->loop);
    ev_timer_set(&s->deadline, s->config->drain_seconds, 0);
    ev_timer_start(s->loop, &s->deadline);
    for (size_t i = 0; i < s->n; i++) {
        struct unit *u = s->units[i];
        bool running = u->state == UNIT_STARTING || unit_usable(u);

        slow_enter(u, "drain()");
        if (running && u->loaded.plugin.drain)
            u->loaded.plugin.drain(&u->ctx);
        else
            u->drained = true;
        slow_leave();
    }
    supervisor_wake(s);
}

void supervisor_reload(struct supervisor *s)
{
    bool any = false;

    if (s->phase != SUPERVISOR_RUNS)
        return;
    for (size_t i = 0; i < s->n; i++) {
        struct unit *u = s->units[i];

        if (!u->app)
            continue;
        any = true;
        log_line(&u->log, UNIK_INFO, "loading again");
        u->next = UNIT_THEN_RELOAD;
        unit_feed(u, UNIT_LEAVE, NULL);
        if (u->state == UNIT_STOPPED)       /* it was not running: nothing will wake us */
            supervisor_wake(s);
    }
    if (!any)
        log_line(&s->log, UNIK_INFO, "SIGHUP loads app plugins again, and there is none");
}

void supervisor_free(struct supervisor *s)
{
    ev_timer_stop(s->loop, &s->soon);
    ev_timer_stop(s->loop, &s->deadline);
    while (s->n)
        unit_unload(s->units[--s->n]);
    options_free(supervisor_options, s->config);
}
