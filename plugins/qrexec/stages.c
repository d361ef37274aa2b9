/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/stages.c - how long each stage of a call took: of the last calls and of those slowest to answer, for unik.Status,
 * and of all of them as histograms, for unik.Metrics.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "plugins/qrexec/core.h"

/* What each stage is called once it is reached; its time is that since the stage before. */
static const char *const names[QREXEC_STAGES] = {
    [QREXEC_AT_ASKED] = "asked", [QREXEC_AT_ACCEPTED] = "accepted", [QREXEC_AT_CONNECTED] = "connected",
    [QREXEC_AT_STARTED] = "started", [QREXEC_AT_BYTE] = "first_byte", [QREXEC_AT_END] = "end"
};

/* Upper bounds, in seconds; one more bucket has what is longer. */
static const double bounds[QREXEC_BUCKETS - 1] = { 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void qrexec_stage(struct qrexec_call *c, enum qrexec_stage stage)
{
    if (c->at[stage] == 0)
        c->at[stage] = now();
}

static void count(struct qrexec_histogram *h, double seconds)
{
    size_t i = 0;

    while (i < QREXEC_BUCKETS - 1 && seconds > bounds[i])
        i++;
    h->n[i]++;
    h->sum += seconds;
}

/* Until its first byte, or its end if it gave none. */
static double answered(const struct qrexec_record *r)
{
    double sum = 0;

    for (int i = QREXEC_AT_ACCEPTED; i < QREXEC_STAGES && (i < QREXEC_AT_END || r->took[QREXEC_AT_BYTE] < 0); i++)
        sum += r->took[i] > 0 ? r->took[i] : 0;
    return sum;
}

/* In place of the fastest of the slowest, if it is slower. */
static void keep_slowest(struct qrexec_stages *s, const struct qrexec_record *r)
{
    struct qrexec_record *least = &s->slowest[0];

    for (size_t i = 0; i < QREXEC_SLOWEST; i++) {
        if (!s->slowest[i].what[0]) {
            s->slowest[i] = *r;
            return;
        }
        if (answered(&s->slowest[i]) < answered(least))
            least = &s->slowest[i];
    }
    if (answered(r) > answered(least))
        *least = *r;
}

void qrexec_stages_end(struct qrexec_call *c)
{
    struct qrexec_stages *s = &c->a->stages;
    struct qrexec_record *r = &s->last[s->n++ % QREXEC_LAST];
    double before = c->at[QREXEC_AT_ASKED];

    qrexec_stage(c, QREXEC_AT_END);
    *r = (struct qrexec_record){ .incoming = c->incoming, .domain = c->domain, .port = c->port, .code = c->pub.exit_code };
    snprintf(r->what, sizeof(r->what), "%s%s%s %s %s", c->pub.service[0] ? c->pub.service : "command",
             c->pub.argument[0] ? "+" : "", c->pub.argument, c->incoming ? "from" : "to", c->pub.peer);
    for (int i = QREXEC_AT_ACCEPTED; i < QREXEC_STAGES; i++) {
        r->took[i] = -1;
        if (c->at[i] == 0)
            continue;
        r->took[i] = c->at[i] - before;
        count(&s->histograms[c->incoming ? 0 : 1][i], r->took[i]);
        before = c->at[i];
    }
    keep_slowest(s, r);
}

static void show(struct unik_text *out, const char *title, const struct qrexec_record *r)
{
    unik_text_add(out, "%s: %s (domain %u port %u): code %d", title, r->what, r->domain, r->port, r->code);
    for (int i = QREXEC_AT_ACCEPTED; i < QREXEC_STAGES; i++)
        if (r->took[i] >= 0)
            unik_text_add(out, ", %s %.1f ms", names[i], r->took[i] * 1e3);
    unik_text_add(out, "\n");
}

void qrexec_stages_status(const struct qrexec_agent *a, struct unik_text *out)
{
    const struct qrexec_stages *s = &a->stages;

    for (uint64_t i = s->n > QREXEC_LAST ? s->n - QREXEC_LAST : 0; i < s->n; i++)
        show(out, "last", &s->last[i % QREXEC_LAST]);
    for (size_t i = 0; i < QREXEC_SLOWEST && s->slowest[i].what[0]; i++)
        show(out, "slowest to answer", &s->slowest[i]);
}

static void put_histogram(struct unik_text *out, const char *way, const char *stage, const struct qrexec_histogram *h)
{
    static const char name[] = "unik_qrexec_stage_seconds";
    uint64_t n = 0;

    for (size_t i = 0; i < QREXEC_BUCKETS - 1; i++) {
        n += h->n[i];
        unik_text_add(out, "%s_bucket{way=\"%s\",stage=\"%s\",le=\"%g\"} %llu\n", name, way, stage, bounds[i],
                      (unsigned long long)n);
    }
    n += h->n[QREXEC_BUCKETS - 1];
    unik_text_add(out, "%s_bucket{way=\"%s\",stage=\"%s\",le=\"+Inf\"} %llu\n", name, way, stage, (unsigned long long)n);
    unik_text_add(out, "%s_sum{way=\"%s\",stage=\"%s\"} %.6f\n", name, way, stage, h->sum);
    unik_text_add(out, "%s_count{way=\"%s\",stage=\"%s\"} %llu\n", name, way, stage, (unsigned long long)n);
}

void qrexec_stages_metrics(const struct qrexec_agent *a, struct unik_text *out)
{
    unik_text_add(out, "# HELP unik_qrexec_stage_seconds Time from the stage before until a call reached this one.\n"
                  "# TYPE unik_qrexec_stage_seconds histogram\n");
    for (int way = 0; way < 2; way++)
        for (int i = QREXEC_AT_ACCEPTED; i < QREXEC_STAGES; i++)
            if (i != (way == 0 ? QREXEC_AT_ACCEPTED : QREXEC_AT_STARTED))       /* the other way's */
                put_histogram(out, way == 0 ? "in" : "out", names[i], &a->stages.histograms[way][i]);
}
