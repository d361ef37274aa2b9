/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/builtin.c - services every VM has: what dom0's own tools call and wait for
 * (doc/protocol/lifecycle.md, 7.2), and a look inside. A plugin that registers one of the qubes.* names gets
 * it instead.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/qrexec/core.h"

#define LINE_MAX_BYTES 100              /* of input that is looked at; the rest is thrown away */
#define TEXT_MAX 65536                  /* of a status report */
#define CLOCK_OFF 2                     /* seconds that qubes.SetDateTime leaves alone, as the stock agent does */

/* One call of a built-in that does not end at once. */
struct qrexec_job {
    struct qrexec_job *next, **link;
    struct qrexec_agent *a;
    struct unik_qrexec_call *call;
    void (*on_line)(struct qrexec_job *j);      /* once, with the first line or the end of input; NULL: input is ignored */
    bool to_end;                                /* the end of input, not a line, is what counts */
    char line[LINE_MAX_BYTES + 1];
    size_t have;
    char *text;                                 /* output */
    size_t n, at;
    struct qrexec_waiter waiter;
};

static void job_end(struct qrexec_job *j, int code)
{
    qrexec_session_unwait(j->a, &j->waiter);
    j->call->exit_code = code;
    unik_stream_close(j->call->io);
    *j->link = j->next;
    if (j->next)
        j->next->link = j->link;
    free(j->text);
    free(j);
}

static void job_complain(struct qrexec_job *j, const char *text)
{
    unik_warn(j->a->ctx, "%s from %s: %s", j->call->service, j->call->peer, text);
    qrexec_stream_write_err(j->call, text, strlen(text));
    qrexec_stream_write_err(j->call, "\n", 1);
    job_end(j, 1);
}

/* Keep the beginning of the input. True: the line, or the end, is there. from another VM */
static bool job_read(struct qrexec_job *j)
{
    bool line = false;
    const void *p;
    size_t n;

    while ((n = unik_stream_peek(j->call->io, &p)) > 0) {
        size_t k = n < LINE_MAX_BYTES - j->have ? n : LINE_MAX_BYTES - j->have;

        memcpy(j->line + j->have, p, k);
        j->have += k;
        unik_stream_consume(j->call->io, n);
        line = line || memchr(j->line, '\n', j->have) || j->have == LINE_MAX_BYTES;
    }
    return (line && !j->to_end) || unik_stream_ended(j->call->io) != 0;
}

static void on_job(struct unik_stream *s, unsigned events, void *arg)
{
    struct qrexec_job *j = arg;
    bool complete = job_read(j);
    ssize_t n = 0;

    (void)events;
    if (j->text) {
        n = unik_stream_write(s, j->text + j->at, j->n - j->at);
        j->at += n > 0 ? (size_t)n : 0;
        if (n < 0 || j->at == j->n)
            job_end(j, n < 0 ? UNIK_QREXEC_BROKEN : 0);
    } else if (complete && j->on_line) {
        void (*go)(struct qrexec_job *) = j->on_line;

        j->on_line = NULL;
        go(j);
    } else if (unik_stream_write(s, "", 0) < 0) {
        job_end(j, UNIK_QREXEC_BROKEN);         /* the caller has gone */
    }
}

static struct qrexec_job *job_new(struct unik_qrexec_call *call, struct qrexec_agent *a)
{
    struct qrexec_job *j = calloc(1, sizeof(*j));

    if (!j) {
        call->exit_code = UNIK_QREXEC_BROKEN;
        unik_stream_close(call->io);
        return NULL;
    }
    j->a = a;
    j->call = call;
    j->next = a->jobs;
    if (j->next)
        j->next->link = &j->next;
    j->link = &a->jobs;
    a->jobs = j;
    unik_stream_on(call->io, on_job, j);
    return j;
}

void qrexec_builtin_stop(struct qrexec_agent *a)
{
    while (a->jobs)
        job_end(a->jobs, UNIK_QREXEC_BROKEN);
}

/* ---- unik.Status, unik.Metrics ---- */

static void report(struct unik_qrexec_call *call, struct qrexec_agent *a, void (*fill)(struct unik_ctx *, struct unik_text *),
                   bool histograms)
{
    struct qrexec_job *j = job_new(call, a);
    struct unik_text text;

    if (!j)
        return;
    j->text = malloc(TEXT_MAX);
    if (!j->text) {
        job_end(j, UNIK_QREXEC_BROKEN);
        return;
    }
    unik_text_init(&text, j->text, TEXT_MAX);
    fill(a->ctx, &text);
    if (histograms)
        qrexec_stages_metrics(a, &text);
    j->n = text.used;
    on_job(call->io, 0, j);
}

static void status(struct unik_qrexec_call *call, void *arg)
{
    struct qrexec_agent *a = arg;

    report(call, a, a->ctx->host->status, false);
}

static void metrics(struct unik_qrexec_call *call, void *arg)
{
    struct qrexec_agent *a = arg;

    report(call, a, a->ctx->host->metrics, true);
}

/* ---- qubes.WaitForSession: a line with a user's name, which does not matter here ---- */

static void on_session(void *arg) { job_end(arg, 0); }

static void session_line(struct qrexec_job *j)
{
    if (qrexec_session(j->a))
        job_end(j, 0);
    else
        qrexec_session_wait(j->a, &j->waiter, on_session, j);
}

static void wait_for_session(struct unik_qrexec_call *call, void *arg)
{
    struct qrexec_job *j = job_new(call, arg);

    if (j)
        j->on_line = session_line;
}

/* ---- qubes.SetDateTime: one line as `date -u -Iseconds` prints it ---- */

static bool digits(const char *s, size_t n, int *value)
{
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        *value = *value * 10 + s[i] - '0';
    }
    return true;
}

/* "2026-11-22T06:22:03+00:00", or Z at the end. from dom0, or whom its policy allows */
static bool parse_time(const char *s, time_t *out)
{
    struct tm t = { 0 }, same;
    int year, month, hours = 0, minutes = 0;
    time_t seconds;

    if (strlen(s) < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' ||
        !digits(s, 4, &year) || !digits(s + 5, 2, &month) || !digits(s + 8, 2, &t.tm_mday) ||
        !digits(s + 11, 2, &t.tm_hour) || !digits(s + 14, 2, &t.tm_min) || !digits(s + 17, 2, &t.tm_sec))
        return false;
    t.tm_year = year - 1900;
    t.tm_mon = month - 1;
    if (strcmp(s + 19, "Z") != 0 &&
        (strlen(s) != 25 || (s[19] != '+' && s[19] != '-') || s[22] != ':' || !digits(s + 20, 2, &hours) ||
         !digits(s + 23, 2, &minutes) || hours > 14 || minutes > 59))
        return false;
    same = t;
    seconds = timegm(&same);
    if (year < 1970 || same.tm_mday != t.tm_mday || same.tm_mon != t.tm_mon || same.tm_hour != t.tm_hour ||
        same.tm_min != t.tm_min || same.tm_sec != t.tm_sec)
        return false;                   /* the 31st of a month of 30 days, 25 o'clock */
    hours = hours * 3600 + minutes * 60;
    *out = seconds - (s[19] == '-' ? -hours : hours);
    return true;
}

static void date_line(struct qrexec_job *j)
{
    struct timespec now, then = { 0 };
    double off;

    j->line[strcspn(j->line, "\r\n")] = 0;
    if (!parse_time(j->line, &then.tv_sec)) {
        job_complain(j, "not a time as \"date -u -Iseconds\" prints it");
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    off = difftime(then.tv_sec, now.tv_sec);
    if (off >= -CLOCK_OFF && off <= CLOCK_OFF) {
        job_end(j, 0);
        return;
    }
    if (!j->a->config->set_clock) {
        unik_info(j->a->ctx, "the clock is %.0f s off what %s says (%s); set-clock = no", -off, j->call->peer, j->line);
        job_end(j, 0);
    } else if (clock_settime(CLOCK_REALTIME, &then) < 0) {
        job_complain(j, strerror(errno));
    } else {
        unik_info(j->a->ctx, "the clock is set to %s, by %.0f s", j->line, off);
        job_end(j, 0);
    }
}

static void set_date_time(struct unik_qrexec_call *call, void *arg)
{
    struct qrexec_job *j = job_new(call, arg);

    if (j)
        j->on_line = date_line;
}

/* ---- what needs no more than "yes" ---- */

static void yes(struct unik_qrexec_call *call, void *arg)
{
    (void)arg;
    unik_stream_close(call->io);
}

static void yes_line(struct qrexec_job *j) { job_end(j, 0); }

static void read_to_end(struct unik_qrexec_call *call, void *arg)
{
    struct qrexec_job *j = job_new(call, arg);

    if (j) {
        j->to_end = true;
        j->on_line = yes_line;
    }
}

static const struct builtin {
    const char *name;
    unik_qrexec_handler *handler;
    bool reserved;                      /* not to be taken by a plugin */
    bool harmless;                      /* mode = stub says yes too */
} builtins[] = {
    { "unik.Status", status, true, false },
    { "unik.Metrics", metrics, true, false },
    { "qubes.WaitForSession", wait_for_session, false, true },
    { "qubes.SetDateTime", set_date_time, false, true },
    { "qubes.SetMonitorLayout", read_to_end, false, true },
    { "qubes.SuspendPre", yes, false, true },
    { "qubes.SuspendPost", yes, false, true },
    { "qubes.SuspendPreAll", yes, false, true },
    { "qubes.SuspendPostAll", yes, false, true },
    { "qubes.WaitForRunningSystem", yes, false, true },
    { "qubes.WaitForNetworkUplink", yes, false, true },
    { "qubes.PostInstall", yes, false, true },
    { "qubes.GetAppmenus", yes, false, true },
};

static const struct builtin *find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        if (strlen(builtins[i].name) == len && memcmp(builtins[i].name, name, len) == 0)
            return &builtins[i];
    return NULL;
}

unik_qrexec_handler *qrexec_builtin_find(const char *name, size_t len)
{
    const struct builtin *b = find(name, len);

    return b ? b->handler : NULL;
}

bool qrexec_builtin_reserved(const char *name)
{
    const struct builtin *b = find(name, strcspn(name, "+"));

    return b && b->reserved;
}

bool qrexec_builtin_harmless(const char *name, size_t len)
{
    const struct builtin *b = find(name, len);

    return b && b->harmless;
}
