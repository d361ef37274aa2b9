/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/qrexec.c - the plugin: options, life, status. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "plugins/qrexec/core.h"
#include "plugins/qrexec/socket.h"

#define OPTION(k, t, field) .key = (k), .type = (t), .offset = offsetof(struct qrexec_config, field)

static const char *const modes[] = { "off", "stub", "serve", NULL };

static const struct unik_option options[] = {
    { OPTION("mode", UNIK_ENUM, mode), .fallback = "serve", .choices = modes,
      .help = "off: not there for dom0; stub: answers dom0's own calls politely, others with 127; serve: everything" },
    { OPTION("services", UNIK_BOOL, services), .fallback = "yes",
      .help = "look for services as files in service-path" },
    { OPTION("service-path", UNIK_STRING, service_path),
      .help = "folders, colon-separated; default QREXEC_SERVICE_PATH, else /run/qubes-rpc:/usr/local/etc/qubes-rpc:/etc/qubes-rpc" },
    { OPTION("config-path", UNIK_STRING, config_path),
      .help = "folders of the services' own config files; default QUBES_RPC_CONFIG_PATH, else as the stock agent" },
    { OPTION("exec", UNIK_BOOL, exec), .fallback = "no",
      .help = "run shell commands that dom0 sends: by the login shell of their account, or /bin/sh if it is our own" },
    { OPTION("agent-socket", UNIK_STRING, agent_socket),
      .help = "path for local programs that call (qrexec-client-vm: /var/run/qubes/qrexec-agent); default: none" },
    { OPTION("max-calls", UNIK_INT, max_calls), .fallback = "256", .min = 1, .max = QREXEC_DATA_PORTS,
      .help = "calls that run at once, each way; more are refused" },
    { OPTION("connect-timeout", UNIK_SECONDS, connect_timeout), .fallback = "120", .min = 1, .max = 3600,
      .help = "how long a call waits for its data channel" },
    { OPTION("retry-max", UNIK_SECONDS, retry_max), .fallback = "5s", .min = 0, .max = 600,
      .help = "longest wait before the channel to dom0 is offered again after a failure; once dom0 has connected, it is at once" },
    { OPTION("set-clock", UNIK_BOOL, set_clock), .fallback = "no",
      .help = "qubes.SetDateTime sets the clock; no: it only logs how far off it is" },
    { OPTION("announce", UNIK_BOOL, announce), .fallback = "no",
      .help = "tell dom0 which services this VM has (features-request)" },
    { OPTION("control-ring", UNIK_SIZE, control_ring), .fallback = "64K", .min = 4096, .max = UNIK_VCHAN_RING_MAX,
      .help = "ring of the channel to dom0, each way; below 64K some of dom0's messages don't fit on Xen" },
    { OPTION("data-ring", UNIK_SIZE, data_ring), .fallback = "64K", .min = 4096, .max = UNIK_VCHAN_RING_MAX,
      .help = "ring of a call that this VM makes, each way" },
    { OPTION("request-max", UNIK_SIZE, request_max), .fallback = "4096", .min = 256, .max = QREXEC_CONTROL_MAX,
      .help = "longest request sent to dom0; over 4096 hangs its daemon on socket vchan, and fits Xen's ring only" },
    { 0 }
};

static const struct unik_counter counters[] = {
    [QREXEC_CALLS_IN] = { "calls_in", UNIK_COUNT, "requests to run something here" },
    [QREXEC_CALLS_OUT] = { "calls_out", UNIK_COUNT, "calls made from here" },
    [QREXEC_CALLS_NOW] = { "calls_running", UNIK_GAUGE, "calls now, both ways" },
    [QREXEC_CALLS_HIGH] = { "calls_running_high", UNIK_HIGH, "most calls at once" },
    [QREXEC_REFUSED] = { "calls_refused", UNIK_COUNT, "calls that were not carried out, either way" },
    [QREXEC_UNREACHED] = { "calls_unreached", UNIK_COUNT, "calls whose data channel never came about" },
    [QREXEC_BYTES_IN] = { "bytes_in", UNIK_COUNT, "payload received" },
    [QREXEC_BYTES_OUT] = { "bytes_out", UNIK_COUNT, "payload sent" },
    [QREXEC_CONNECTS] = { "control_connects", UNIK_COUNT, "times dom0's daemon connected" },
    [QREXEC_PROTOCOL_ERRORS] = { "protocol_errors", UNIK_COUNT, "messages that make no sense, from anybody" },
    [QREXEC_UNRELEASED] = { "ports_unreleased", UNIK_GAUGE, "ports dom0 gets back when it is there" },
    [QREXEC_LOST_RELEASES] = { "ports_lost", UNIK_COUNT, "ports dom0 never gets back" },
    { 0 }
};

static int check(struct unik_ctx *ctx)
{
    const struct qrexec_config *config = ctx->config;

    if (config->request_max <= config->control_ring)
        return 0;
    unik_error(ctx, "request-max = %llu is more than control-ring = %llu", (unsigned long long)config->request_max,
               (unsigned long long)config->control_ring);
    return -EINVAL;
}

/* Where the idents of requests begin: what dom0 still says to those of a process before this one is not for ours. */
static uint32_t first_generation(struct unik_ctx *ctx)
{
    uint32_t n;

    return getrandom(&n, sizeof(n), GRND_NONBLOCK) == sizeof(n) ? n : (uint32_t)(ev_now(ctx->loop) * 1e3);
}

static void free_agent(struct qrexec_agent *a)
{
    free(a->control.body);
    free(a->request);
    free(a);
}

/* Programs of this machine: files as services, shell commands, local callers. */
static int start_programs(struct qrexec_agent *a)
{
    const struct qrexec_config *config = a->config;
    struct qrexec_exec_config exec = { .service_path = config->service_path, .config_path = config->config_path,
                                       .commands = config->exec, .services = config->services };
    int e = 0;

    a->exec = qrexec_exec_new(a->ctx, &exec);
    if (!a->exec)
        return -ENOMEM;
    if (config->agent_socket)
        e = qrexec_socket_open(a, a->ctx, config->agent_socket, QREXEC_SOCKET_MODE, &a->socket);     /* it logs */
    if (e < 0)
        qrexec_exec_free(a->exec);
    return e;
}

static int start(struct unik_ctx *ctx)
{
    const struct qrexec_config *config = ctx->config;
    struct qrexec_agent *a = calloc(1, sizeof(*a));
    int e = -ENOMEM;

    if (!a)
        return -ENOMEM;
    a->iface = (struct unik_qrexec){ .size = sizeof(a->iface), .serve = qrexec_service_add, .unserve = qrexec_service_remove,
                                     .call = qrexec_outgoing, .write_err = qrexec_stream_write_err, .err = qrexec_stream_err };
    a->ctx = ctx;
    a->config = config;
    a->vchan = unik_get(ctx, "vchan/1");
    a->generation = first_generation(ctx);
    a->control.body = malloc(QREXEC_CMD_MAX);
    a->request = malloc(config->request_max);
    ctx->data = a;
    ctx->counters[QREXEC_CALLS_NOW] = ctx->counters[QREXEC_UNRELEASED] = 0;
    if (!a->control.body || !a->request)
        goto out;
    if (config->mode == QREXEC_SERVE && (e = start_programs(a)) < 0)
        goto out;
    e = unik_provide(ctx, "qrexec/1", &a->iface);
    if (e < 0)
        goto programs;
    if (config->mode == QREXEC_OFF)
        unik_ready(ctx);
    else
        qrexec_control_start(a);
    return 0;

programs:
    if (a->socket)
        qrexec_socket_close(a->socket);
    if (a->exec)
        qrexec_exec_free(a->exec);
out:
    ctx->data = NULL;
    free_agent(a);
    return e;
}

/* Calls that run may end; new ones get 125. */
static void drain(struct unik_ctx *ctx)
{
    struct qrexec_agent *a = ctx->data;

    a->draining = true;
    for (struct qrexec_call *c = a->calls; c; c = c->next)
        if (c->state == QREXEC_HELD)
            qrexec_call_soon(c, 0);
    qrexec_call_check_drained(a);
}

/* Everything that holds a port ends first, so that the last thing dom0 gets is all its ports. */
static void stop(struct unik_ctx *ctx)
{
    struct qrexec_agent *a = ctx->data;

    a->draining = a->drained = true;
    qrexec_announce_stop(a);
    qrexec_builtin_stop(a);
    if (a->socket)
        qrexec_socket_close(a->socket);
    a->socket = NULL;
    if (a->exec)
        qrexec_exec_free(a->exec);
    qrexec_call_stop_all(a);
    ev_timer_stop(ctx->loop, &a->session_timer);
    if (a->config->mode != QREXEC_OFF)
        qrexec_control_stop(a);
    qrexec_service_free(a);
    ctx->data = NULL;
    free_agent(a);
    unik_stopped(ctx);
}

static void arrived(struct unik_ctx *ctx, const char *interface, void *iface)
{
    struct qrexec_agent *a = ctx->data;

    if (strcmp(interface, "qubesdb/1") == 0) {
        a->db = iface;
        qrexec_announce_arrived(a);
    }
}

static void gone(struct unik_ctx *ctx, const char *interface)
{
    struct qrexec_agent *a = ctx->data;

    if (strcmp(interface, "qubesdb/1") == 0 && a->db) {
        qrexec_announce_gone(a);
        a->db = NULL;
    }
}

static void left(struct unik_ctx *ctx, struct unik_ctx *user)
{
    qrexec_service_left(ctx->data, user);
    qrexec_call_left(ctx->data, user);
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    static const char *const states[] = { "asked", "connecting", "held", "running", "finishing" };
    struct qrexec_agent *a = ctx->data;

    if (!a)
        return;
    unik_text_add(out, "mode: %s\n", modes[a->config->mode]);
    if (a->control.up)
        unik_text_add(out, "dom0: connected, protocol %u\n", a->control.version);
    else
        unik_text_add(out, "dom0: not connected\n");
    for (size_t i = 0; i < QREXEC_SERVICES_MAX; i++)
        if (a->services[i])
            unik_text_add(out, "service: %s (%s)\n", a->services[i]->name, a->services[i]->ctx->plugin->name);
    qrexec_stages_status(a, out);
    for (const struct qrexec_call *c = a->calls; c; c = c->next)
        unik_text_add(out, "call: %s %s %s (domain %u port %u), %s, in %llu bytes, out %llu bytes, %.0f s\n",
                      c->pub.service[0] ? c->pub.service : "command", c->incoming ? "from" : "to", c->pub.peer, c->domain,
                      c->port, states[c->state], (unsigned long long)c->bytes_in, (unsigned long long)c->bytes_out,
                      ev_now(ctx->loop) - c->since);
}

static const char *const needs[] = { "vchan/1", NULL }, *const wants[] = { "qubesdb/1", NULL },
                  *const provides[] = { "qrexec/1", NULL };

UNIK_PLUGIN(qrexec) = {
    UNIK_PLUGIN_HEAD, .name = "qrexec", .version = "1", .summary = "services for dom0 and other VMs, and calls to theirs",
    .targets = UNIK_ON_QUBES, .flags = UNIK_STOP_LATE | UNIK_AWAITED, .needs = needs, .wants = wants, .provides = provides,
    .options = options, .config_size = sizeof(struct qrexec_config), .counters = counters, .check = check, .start = start,
    .drain = drain, .stop = stop, .arrived = arrived, .gone = gone, .status = status, .left = left
};
