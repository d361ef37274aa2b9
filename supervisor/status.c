/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/status.c - the same facts as text for people and as Prometheus metrics. */
#include <string.h>
#include <time.h>
#include <unik/clean.h>

#include "supervisor/slow.h"
#include "supervisor/supervisor.h"

#define LINES_SHOWN 20

static double up(const struct supervisor *s)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9 - s->began;
}

static const char *overall(const struct supervisor *s)
{
    if (s->phase != SUPERVISOR_RUNS)
        return "stopping";
    for (size_t i = 0; i < s->n; i++)
        if (s->units[i]->state == UNIT_FAILED || s->units[i]->state == UNIT_DEGRADED)
            return "degraded";
    for (size_t i = 0; i < s->n; i++)
        if (s->units[i]->state != UNIT_READY)
            return "starting";
    return "ready";
}

void status_waits_for(const struct unit *u, struct unik_text *out)
{
    const char *comma = "";

    for (const char *const *p = u->loaded.plugin.needs; p && *p; p++) {
        const struct unit *b = graph_provider(u->sup, *p);

        if (b && unit_usable(b))
            continue;
        unik_text_add(out, "%s %s", comma, *p);
        if (b)
            unik_text_add(out, " (%s is %s)", b->name, unit_state_name(b->state));
        comma = ",";
    }
}

/* What the plugin says of itself, indented. */
static void report_own_lines(struct unit *u, struct unik_text *out)
{
    static char buffer[16384];
    struct unik_text own;

    unik_text_init(&own, buffer, sizeof(buffer));
    slow_enter(u, "status()");
    u->loaded.plugin.status(&u->ctx, &own);
    slow_leave();
    for (char *line = buffer; *line; ) {
        size_t n = strcspn(line, "\n");

        unik_text_add(out, "  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
    if (own.cut)
        unik_text_add(out, "  (cut)\n");
}

static void report_unit(const struct supervisor *s, struct unit *u, struct unik_text *out)
{
    const struct unik_counter *c = u->loaded.plugin.counters;

    unik_text_add(out, "\n%s: %s for %.1f s", u->name, unit_state_name(u->state), ev_now(s->loop) - u->since);
    if (u->reason[0])
        unik_text_add(out, " (%s)", u->reason);
    if (u->state == UNIT_CONFIGURED && !graph_can_start(s, u)) {
        unik_text_add(out, ", waits for");
        status_waits_for(u, out);
    }
    if (u->restarts)
        unik_text_add(out, ", restarts %llu", (unsigned long long)u->restarts);
    unik_text_add(out, "\n");
    for (size_t i = 0; c && c[i].name; i++)
        unik_text_add(out, "  %s: %llu\n", c[i].name, (unsigned long long)u->counters[i]);
    if (unit_active(u) && u->state != UNIT_STOPPING && u->loaded.plugin.status)
        report_own_lines(u, out);
}

void status_report(const struct supervisor *s, struct unik_text *out)
{
    size_t before = out->used;

    unik_text_add(out, "unik %s, target %s: %s, up %.1f s\n", PACKAGE_VERSION, s->config->target == 0 ? "qubes" : "unix",
                  overall(s), up(s));
    for (size_t i = 0; i < s->n; i++)
        report_unit(s, s->units[i], out);
    unik_text_add(out, "\nlast lines:\n");
    log_last(out, LINES_SHOWN);
    if (out->used > before)         /* names and reasons in it may be a peer's */
        out->used = before + unik_clean(out->at + before, out->size - before, out->at + before, out->used - before,
                                        UNIK_CLEAN_LINES);
}

/* A metric's name: unik_PLUGIN_COUNTER, dashes as underscores. */
static void metric_name(char *name, size_t size, const char *plugin, const struct unik_counter *c)
{
    snprintf(name, size, "unik_%s_%s%s", plugin, c->name, c->type == UNIK_COUNT ? "_total" : "");
    for (char *p = name; *p; p++)
        if (*p == '-')
            *p = '_';
}

void status_metrics(const struct supervisor *s, struct unik_text *out)
{
    unik_text_add(out, "# HELP unik_up_seconds Time since the program began.\n# TYPE unik_up_seconds gauge\n"
                  "unik_up_seconds %.3f\n", up(s));
    unik_text_add(out, "# HELP unik_plugin_state 1 for the state each plugin is in.\n# TYPE unik_plugin_state gauge\n");
    for (size_t i = 0; i < s->n; i++)
        unik_text_add(out, "unik_plugin_state{plugin=\"%s\",state=\"%s\"} 1\n", s->units[i]->name,
                      unit_state_name(s->units[i]->state));
    unik_text_add(out, "# HELP unik_plugin_restarts_total Starts after the first.\n# TYPE unik_plugin_restarts_total counter\n");
    for (size_t i = 0; i < s->n; i++)
        unik_text_add(out, "unik_plugin_restarts_total{plugin=\"%s\"} %llu\n", s->units[i]->name,
                      (unsigned long long)s->units[i]->restarts);
    for (size_t i = 0; i < s->n; i++) {
        const struct unik_counter *c = s->units[i]->loaded.plugin.counters;

        for (size_t k = 0; c && c[k].name; k++) {
            char name[200];

            metric_name(name, sizeof(name), s->units[i]->name, &c[k]);
            unik_text_add(out, "# HELP %s %s.\n# TYPE %s %s\n%s %llu\n", name, c[k].help, name,
                          c[k].type == UNIK_COUNT ? "counter" : "gauge", name,
                          (unsigned long long)s->units[i]->counters[k]);
        }
    }
}
