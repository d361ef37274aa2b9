/* SPDX-License-Identifier: BSD-2-Clause */
/* probe - services to measure and to test with, from dom0 or another VM:
 *   probe.Echo             what comes in goes out
 *   probe.Discard          reads all, then says how many bytes
 *   probe.Chargen+N        N bytes of a known pattern
 *   probe.Exit+N           ends with exit code N
 *   probe.Key+A.B          the value of the QubesDB key /A/B
 *   probe.Call+VM+SERVICE  calls SERVICE of VM, and passes everything both ways: input, output, exit code
 *   probe.Resolve+NAME     the address of a name, as the network tells it
 *   probe.Connect+ADDRESS+PORT     a TCP connection to there, both ways; in an IPv6 address _ stands for :
 * and echo, discard and chargen over TCP, echo over UDP, for whoever can reach the VM (net.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unik/qubesdb.h>
#include "apps/probe/probe.h"

static const struct unik_option options[] = {
    { .key = "echo-port", .type = UNIK_INT, .offset = offsetof(struct probe_config, port[PROBE_ECHO]), .fallback = "0", .max = 65535,
      .help = "TCP and UDP port that sends back what comes; 0: none" },
    { .key = "discard-port", .type = UNIK_INT, .offset = offsetof(struct probe_config, port[PROBE_DISCARD]), .fallback = "0",
      .max = 65535, .help = "TCP port that reads all, then says how many bytes; 0: none" },
    { .key = "chargen-port", .type = UNIK_INT, .offset = offsetof(struct probe_config, port[PROBE_CHARGEN]), .fallback = "0",
      .max = 65535, .help = "TCP port that sends a known pattern until the peer has enough; 0: none" },
    { 0 }
};

static const struct unik_counter counters[] = {
    [CALLS] = { "calls", UNIK_COUNT, "calls answered" },
    [RUNNING] = { "running", UNIK_GAUGE, "calls now" },
    [REFUSED] = { "refused", UNIK_COUNT, "calls and connections refused" },
    [CONNECTIONS] = { "connections", UNIK_GAUGE, "TCP connections now" },
    [CONNECTIONS_HIGH] = { "connections_high", UNIK_HIGH, "the same, the most at a time" },
    [DATAGRAMS] = { "datagrams", UNIK_COUNT, "datagrams sent back" },
    { 0 }
};

static char pattern[PROBE_CHUNK];

/* ---- one call's life ---- */

static void leave(struct job *j, int code, void (*give_back)(struct unik_stream *s))
{
    struct probe *p = j->ctx->data;

    if (j->onward)
        give_back(j->onward->io);
    if (j->far)
        give_back(j->far);
    if (j->query)
        p->net->unresolve(p->net, j->query);
    j->call->exit_code = code;
    give_back(j->call->io);
    LIST_REMOVE(j, link);
    p->n--;
    j->ctx->counters[RUNNING]--;
    free(j);
}

void probe_end(struct job *j, int code) { leave(j, code, unik_stream_close); }
void probe_abort(struct job *j, int code) { leave(j, code, unik_stream_abort); }

/* from dom0, or from another VM */
struct job *probe_begin(struct unik_qrexec_call *call, void *arg)
{
    struct unik_ctx *ctx = arg;
    struct probe *p = ctx->data;
    struct job *j = p->n < JOBS_MAX ? calloc(1, sizeof(*j)) : NULL;

    if (!j) {
        ctx->counters[REFUSED]++;
        call->exit_code = UNIK_QREXEC_BROKEN;
        unik_stream_close(call->io);
        return NULL;
    }
    j->ctx = ctx;
    j->call = call;
    LIST_INSERT_HEAD(&p->jobs, j, link);
    p->n++;
    ctx->counters[CALLS]++;
    ctx->counters[RUNNING]++;
    return j;
}

/* Moves what fits. 1: the input has ended and all of it was moved; 0: more may come; negative: broken. */
int probe_pass(struct unik_stream *from, struct unik_stream *to)
{
    const void *bytes;
    size_t n;
    ssize_t k;

    while ((n = unik_stream_peek(from, &bytes)) > 0) {
        k = unik_stream_write(to, bytes, n);
        if (k < 0)
            return (int)k;
        unik_stream_consume(from, (size_t)k);
        if ((size_t)k < n)
            return 0;
    }
    return unik_stream_ended(from);
}

/* Who takes no more may still answer. */
bool probe_input(struct job *j, struct unik_stream *to)
{
    int e = j->in_done ? 0 : probe_pass(j->call->io, to);

    if (unik_stream_ended(j->call->io) < 0) {
        probe_abort(j, 0);
        return false;
    }
    if (e == 1)
        unik_stream_shut(to);
    j->in_done |= e != 0;
    return true;
}

static void on_echo(struct unik_stream *s, unsigned events, void *arg)
{
    int e = probe_pass(s, s);

    (void)events;
    if (e)
        probe_end(arg, e < 0);
}

static void on_discard(struct unik_stream *s, unsigned events, void *arg)
{
    struct job *j = arg;
    const void *bytes;
    size_t n;
    char text[32];

    (void)events;
    while ((n = unik_stream_peek(s, &bytes)) > 0) {
        j->count += n;
        unik_stream_consume(s, n);
    }
    if (!unik_stream_ended(s))
        return;
    n = (size_t)snprintf(text, sizeof(text), "%llu\n", (unsigned long long)j->count);
    probe_end(j, unik_stream_write(s, text, n) < 0);
}

static void on_chargen(struct unik_stream *s, unsigned events, void *arg)
{
    struct job *j = arg;

    (void)events;
    while (j->count > 0) {
        size_t at = (size_t)(-j->count % PROBE_CHUNK), n = PROBE_CHUNK - at;
        ssize_t k = unik_stream_write(s, pattern + at, n < j->count ? n : (size_t)j->count);

        if (k < 0) {
            probe_end(j, 1);
            return;
        }
        if (k == 0)
            return;
        j->count -= (uint64_t)k;
    }
    probe_end(j, 0);
}

/* ---- probe.Call ---- */

static void onward(struct unik_stream *s, unsigned events, void *arg)
{
    struct job *j = arg;
    int e;

    (void)s, (void)events;
    if (!probe_input(j, j->onward->io))
        return;
    e = probe_pass(j->onward->io, j->call->io);
    if (e == 1)
        probe_end(j, j->onward->exit_code);
    else if (e < 0)
        probe_abort(j, unik_stream_ended(j->onward->io) < 0 ? j->onward->exit_code : 0);
}

static void handle_call(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = probe_begin(call, arg);
    const char *plus = strchr(call->argument, '+');
    struct probe *p = j ? j->ctx->data : NULL;
    char target[UNIK_QREXEC_TARGET_MAX + 1];

    if (!j)
        return;
    snprintf(target, sizeof(target), "%.*s", plus ? (int)(plus - call->argument) : 0, call->argument);
    if (!plus || p->qrexec->call(p->qrexec, j->ctx, target, plus + 1, onward, j, &j->onward) < 0) {
        probe_end(j, UNIK_QREXEC_BROKEN);
        return;
    }
    unik_stream_on(call->io, onward, j);
}

/* ---- the others ---- */

static void handle_echo(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = probe_begin(call, arg);

    if (j)
        unik_stream_on(call->io, on_echo, j);
}

static void handle_discard(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = probe_begin(call, arg);

    if (j)
        unik_stream_on(call->io, on_discard, j);
}

static void handle_chargen(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = probe_begin(call, arg);

    if (!j)
        return;
    j->count = strtoull(call->argument, NULL, 10);
    unik_stream_on(call->io, on_chargen, j);
    on_chargen(call->io, UNIK_STREAM_ROOM, j);
}

static void handle_exit(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = probe_begin(call, arg);

    if (j)
        probe_end(j, (int)(strtoul(call->argument, NULL, 10) & 255));
}

static void handle_key(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = probe_begin(call, arg);
    struct probe *p = j ? j->ctx->data : NULL;
    char path[UNIK_QUBESDB_PATH_MAX + 1];
    const char *value = NULL;
    size_t len = 0;

    if (!j)
        return;
    snprintf(path, sizeof(path), "/%s", call->argument);
    for (char *c = path; *c; c++)
        if (*c == '.')
            *c = '/';
    if (p->qubesdb)
        value = p->qubesdb->read(p->qubesdb, path, &len);
    if (value)
        unik_stream_write(call->io, value, len);
    probe_end(j, value == NULL);
}

static void arrived(struct unik_ctx *ctx, const char *interface, void *iface)
{
    static const struct {
        const char *name;
        unik_qrexec_handler *handler;
    } services[] = { { "probe.Echo", handle_echo },   { "probe.Discard", handle_discard }, { "probe.Chargen", handle_chargen },
                     { "probe.Exit", handle_exit },   { "probe.Key", handle_key },         { "probe.Call", handle_call },
                     { "probe.Resolve", probe_resolve }, { "probe.Connect", probe_connect } };
    struct probe *p = ctx->data;
    int e;

    if (strcmp(interface, "qubesdb/1") == 0) {
        p->qubesdb = iface;
        return;
    }
    if (strcmp(interface, "net/1") == 0) {
        probe_net_arrived(ctx, iface);
        return;
    }
    p->qrexec = iface;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        e = p->qrexec->serve(p->qrexec, ctx, services[i].name, services[i].handler, ctx, NULL);
        if (e < 0)
            unik_error(ctx, "%s: %s", services[i].name, strerror(-e));
    }
}

static void gone(struct unik_ctx *ctx, const char *interface)
{
    struct probe *p = ctx->data;

    if (strcmp(interface, "qubesdb/1") == 0)
        p->qubesdb = NULL;
    else if (strcmp(interface, "net/1") == 0)
        probe_net_gone(ctx);
    else
        p->qrexec = NULL;
}

static int start(struct unik_ctx *ctx)
{
    struct probe *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (char)(i % 251);
    p->pattern = pattern;
    ctx->data = p;
    unik_ready(ctx);
    return 0;
}

static void stop(struct unik_ctx *ctx)
{
    struct probe *p = ctx->data;

    while (!LIST_EMPTY(&p->jobs))
        probe_end(LIST_FIRST(&p->jobs), UNIK_QREXEC_BROKEN);
    probe_net_gone(ctx);
    free(p);
    ctx->data = NULL;
    unik_stopped(ctx);
}

static const char *const wants[] = { "qrexec/1", "qubesdb/1", "net/1", NULL };

UNIK_PLUGIN(probe) = {
    UNIK_PLUGIN_HEAD, .name = "probe", .version = "1", .summary = "services to measure and to test with",
    .targets = UNIK_ON_ANY, .flags = UNIK_APP, .wants = wants, .options = options, .config_size = sizeof(struct probe_config),
    .counters = counters, .start = start, .stop = stop, .arrived = arrived, .gone = gone
};
