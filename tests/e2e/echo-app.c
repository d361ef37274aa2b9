/* SPDX-License-Identifier: BSD-2-Clause */
/* echo-app - an app for tests and benches: services that do with a call whatever can be done with one.
 *
 *   t.Echo          what comes in goes out
 *   t.Sink          counts what comes in, says the number at its end
 *   t.Source+N      N bytes of numbered lines (as seq -f %015.0f prints them)
 *   t.Zeros+N       N zero bytes, at no cost of its own
 *   t.Exit+N        a line on stderr, then the exit code; input is not read
 *   t.Err           what comes in goes to stderr
 *   t.Slow          never reads, never ends by itself
 *   t.Call+TARGET.SERVICE    calls SERVICE in TARGET and passes all on, both ways, stderr and exit code too
 *   t.Heap          bytes allocated in this process
 *   t.Fail          the app fails
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <unik/plugin.h>
#include <unik/qrexec.h>

#define LINE 16
#define BLOCK 65536

struct app {
    struct unik_ctx *ctx;
    struct unik_qrexec *q;
    LIST_HEAD(, job) jobs;
    char zeros[BLOCK];
};

struct job {
    LIST_ENTRY(job) link;
    struct app *app;
    struct unik_qrexec_call *call, *other;      /* other: the call that t.Call makes */
    void (*turn)(struct job *j);
    uint64_t count, left;
    bool shut;
    size_t have, at;
    char text[64];
    char *block;                                /* t.Source only */
};

enum { CALLS, JOBS };
static const struct unik_counter counters[] = {
    [CALLS] = { "calls", UNIK_COUNT, "calls that came in" },
    [JOBS] = { "jobs", UNIK_GAUGE, "calls that run" },
    { 0 }
};

static void end(struct job *j, int code)
{
    if (j->other)
        unik_stream_close(j->other->io);
    j->call->exit_code = code;
    unik_stream_close(j->call->io);
    LIST_REMOVE(j, link);
    j->app->ctx->counters[JOBS]--;
    free(j->block);
    free(j);
}

/* Move what can be moved. 1: the input has ended and all of it is out; a negative errno: one of the two is broken. */
static int pump(struct unik_stream *from, struct unik_stream *to)
{
    const void *p;
    size_t n;
    ssize_t k;

    while ((n = unik_stream_peek(from, &p)) > 0) {
        k = unik_stream_write(to, p, n);
        if (k <= 0)
            return (int)k;
        unik_stream_consume(from, (size_t)k);
    }
    return unik_stream_ended(from);
}

/* Is the caller still there? Else the job ends. */
static bool gone(struct job *j)
{
    if (unik_stream_write(j->call->io, "", 0) >= 0)
        return false;
    end(j, UNIK_QREXEC_BROKEN);
    return true;
}

static void echo(struct job *j)
{
    int e = pump(j->call->io, j->call->io);

    if (e)
        end(j, e == 1 ? 0 : UNIK_QREXEC_BROKEN);
}

static void say(struct job *j)
{
    ssize_t k = unik_stream_write(j->call->io, j->text + j->at, j->have - j->at);

    j->at += k > 0 ? (size_t)k : 0;
    if (k < 0 || j->at == j->have)
        end(j, k < 0 ? UNIK_QREXEC_BROKEN : 0);
}

static void count(struct job *j)
{
    const void *p;
    size_t n;
    int e;

    while ((n = unik_stream_peek(j->call->io, &p)) > 0) {
        j->count += n;
        unik_stream_consume(j->call->io, n);
    }
    e = unik_stream_ended(j->call->io);
    if (e < 0)
        end(j, UNIK_QREXEC_BROKEN);
    if (e != 1)
        return;
    j->have = (size_t)snprintf(j->text, sizeof(j->text), "%" PRIu64 "\n", j->count);
    j->turn = say;
    say(j);
}

/* Lines 000000000000000, 000000000000001, ... */
static void number_lines(struct job *j)
{
    for (size_t at = 0; at < BLOCK; at += LINE) {
        memcpy(j->block + at, j->text, LINE);
        for (char *digit = j->text + LINE - 2; ++*digit > '9'; digit--)
            *digit = '0';
    }
    j->at = 0;
}

static void source(struct job *j)
{
    ssize_t k = 1;

    while (j->left) {
        size_t n = BLOCK - j->at < j->left ? BLOCK - j->at : (size_t)j->left;

        k = unik_stream_write(j->call->io, j->block + j->at, n);
        if (k <= 0)
            break;
        j->at += (size_t)k;
        j->left -= (uint64_t)k;
        if (j->at == BLOCK)
            number_lines(j);
    }
    if (k < 0 || !j->left)
        end(j, k < 0 ? UNIK_QREXEC_BROKEN : 0);
}

static void zeros(struct job *j)
{
    ssize_t k = 1;

    while (j->left && (k = unik_stream_write(j->call->io, j->app->zeros, BLOCK < j->left ? BLOCK : (size_t)j->left)) > 0)
        j->left -= (uint64_t)k;
    if (k < 0 || !j->left)
        end(j, k < 0 ? UNIK_QREXEC_BROKEN : 0);
}

static void to_stderr(struct job *j)
{
    const void *p;
    size_t n;
    ssize_t k;
    int e;

    while ((n = unik_stream_peek(j->call->io, &p)) > 0) {
        n = n < 1024 ? n : 1024;
        k = j->app->q->write_err(j->call, p, n);
        if (k < 0)
            end(j, UNIK_QREXEC_BROKEN);
        if (k <= 0)
            return;
        unik_stream_consume(j->call->io, n);
    }
    e = unik_stream_ended(j->call->io);
    if (e)
        end(j, e == 1 ? 0 : UNIK_QREXEC_BROKEN);
}

static void wait_for_ever(struct job *j) { gone(j); }

/* ---- t.Call ---- */

static void relay(struct job *j)
{
    struct unik_stream *err = j->app->q->err(j->other);
    const void *p;
    size_t n;
    int e;

    if (gone(j))
        return;
    if (!j->shut) {
        e = pump(j->call->io, j->other->io);
        if (e) {
            unik_stream_shut(j->other->io);
            j->shut = true;
        }
    }
    while ((n = unik_stream_peek(err, &p)) > 0) {
        n = n < 1024 ? n : 1024;
        if (j->app->q->write_err(j->call, p, n) <= 0)
            return;
        unik_stream_consume(err, n);
    }
    e = pump(j->other->io, j->call->io);
    if (e)
        end(j, j->other->exit_code);
}

static void on_other(struct unik_stream *s, unsigned events, void *arg)
{
    struct job *j = arg;

    (void)s, (void)events;
    j->turn(j);
}

/* ---- calls ---- */

static void on_call(struct unik_stream *s, unsigned events, void *arg)
{
    struct job *j = arg;

    (void)s, (void)events;
    j->turn(j);
}

static struct job *begin(struct unik_qrexec_call *call, void *arg, void (*turn)(struct job *))
{
    struct app *app = arg;
    struct job *j = calloc(1, sizeof(*j));

    app->ctx->counters[CALLS]++;
    if (!j) {
        call->exit_code = UNIK_QREXEC_BROKEN;
        unik_stream_close(call->io);
        return NULL;
    }
    j->app = app;
    j->call = call;
    j->turn = turn;
    j->left = strtoull(call->argument, NULL, 10);
    LIST_INSERT_HEAD(&app->jobs, j, link);
    app->ctx->counters[JOBS]++;
    unik_stream_on(call->io, on_call, j);
    return j;
}

static void serve_echo(struct unik_qrexec_call *call, void *arg) { begin(call, arg, echo); }
static void serve_sink(struct unik_qrexec_call *call, void *arg) { begin(call, arg, count); }
static void serve_err(struct unik_qrexec_call *call, void *arg) { begin(call, arg, to_stderr); }
static void serve_slow(struct unik_qrexec_call *call, void *arg) { begin(call, arg, wait_for_ever); }

static void serve_source(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = begin(call, arg, source);

    if (!j || !(j->block = malloc(BLOCK))) {
        if (j)
            end(j, UNIK_QREXEC_BROKEN);
        return;
    }
    strcpy(j->text, "000000000000000\n");
    number_lines(j);
    source(j);
}

static void serve_zeros(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = begin(call, arg, zeros);

    if (j)
        zeros(j);
}

static void serve_exit(struct unik_qrexec_call *call, void *arg)
{
    struct app *app = arg;
    char text[64];

    snprintf(text, sizeof(text), "exit %.20s\n", call->argument);
    app->q->write_err(call, text, strlen(text));
    call->exit_code = atoi(call->argument);
    unik_stream_close(call->io);
}

static void serve_heap(struct unik_qrexec_call *call, void *arg)
{
    struct mallinfo2 m = mallinfo2();
    struct job *j = begin(call, arg, say);

    if (!j)
        return;
    j->have = (size_t)snprintf(j->text, sizeof(j->text), "%zu\n", m.uordblks + m.hblkhd);
    say(j);
}

static void serve_call(struct unik_qrexec_call *call, void *arg)
{
    const char *dot = strchr(call->argument, '.');
    struct job *j = begin(call, arg, relay);
    char target[UNIK_QREXEC_TARGET_MAX + 1];
    int e = -EINVAL;

    if (!j)
        return;
    if (dot && snprintf(target, sizeof(target), "%.*s", (int)(dot - call->argument), call->argument) < (int)sizeof(target))
        e = j->app->q->call(j->app->q, j->app->ctx, target, dot + 1, on_other, j, &j->other);
    if (e < 0)
        j->app->q->write_err(call, strerror(-e), strlen(strerror(-e)));
    if (e < 0)
        end(j, e == -ENOTCONN ? UNIK_QREXEC_REFUSED : UNIK_QREXEC_BROKEN);
    else
        unik_stream_on(j->app->q->err(j->other), on_other, j);
}

static void serve_fail(struct unik_qrexec_call *call, void *arg)
{
    struct app *app = arg;

    unik_stream_close(call->io);
    unik_failed(app->ctx, "t.Fail was called");
}

/* ---- life ---- */

static const struct { const char *name; unik_qrexec_handler *handler; } services[] = {
    { "t.Echo", serve_echo }, { "t.Sink", serve_sink }, { "t.Source", serve_source }, { "t.Zeros", serve_zeros },
    { "t.Exit", serve_exit }, { "t.Err", serve_err }, { "t.Slow", serve_slow }, { "t.Call", serve_call },
    { "t.Heap", serve_heap }, { "t.Fail", serve_fail },
};

static int start(struct unik_ctx *ctx)
{
    struct app *app = calloc(1, sizeof(*app));
    int e = 0;

    if (!app)
        return -ENOMEM;
    app->ctx = ctx;
    app->q = unik_get(ctx, "qrexec/1");
    ctx->counters[JOBS] = 0;
    for (size_t i = 0; e == 0 && i < sizeof(services) / sizeof(services[0]); i++)
        e = app->q->serve(app->q, ctx, services[i].name, services[i].handler, app, NULL);
    if (e < 0) {
        free(app);
        return e;
    }
    ctx->data = app;
    unik_ready(ctx);
    return 0;
}

/* Calls and services are left behind, as a careless app would: the agent ends them. */
static void stop(struct unik_ctx *ctx)
{
    struct app *app = ctx->data;
    struct job *j;

    while ((j = LIST_FIRST(&app->jobs)) != NULL) {
        LIST_REMOVE(j, link);
        free(j->block);
        free(j);
    }
    free(app);
    unik_stopped(ctx);
}

static const char *const needs[] = { "qrexec/1", NULL };

UNIK_PLUGIN(echo_app) = {
    UNIK_PLUGIN_HEAD, .name = "echo-app", .version = "1", .summary = "services for tests", .targets = UNIK_ON_QUBES,
    .flags = UNIK_APP, .needs = needs, .counters = counters, .start = start, .stop = stop
};
