/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec.c - what a request means on this machine, and the table of what runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugins/qrexec/exec-parts.h"

#define SERVICE_PATH "/run/qubes-rpc:/usr/local/etc/qubes-rpc:/etc/qubes-rpc"
#define CONFIG_PATH "/run/qubes/rpc-config:/usr/local/etc/qubes/rpc-config:/etc/qubes/rpc-config"

/* ---- the table ---- */

static char *choose_path(const char *configured, const char *variable, const char *fallback)
{
    const char *env = getenv(variable);

    return strdup(configured ? configured : env ? env : fallback);
}

struct qrexec_runner *qrexec_exec_new(struct unik_ctx *ctx, const struct qrexec_exec_config *config)
{
    struct qrexec_runner *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->ctx = ctx;
    x->commands = config->commands;
    x->services = config->services;
    x->service_path = choose_path(config->service_path, "QREXEC_SERVICE_PATH", SERVICE_PATH);
    x->config_path = choose_path(config->config_path, "QUBES_RPC_CONFIG_PATH", CONFIG_PATH);
    if (!x->service_path || !x->config_path) {
        qrexec_exec_free(x);
        return NULL;
    }
    return x;
}

void qrexec_exec_free(struct qrexec_runner *x)
{
    if (!x)
        return;
    while (x->runs)
        x->runs->ops->drop(x->runs);
    free(x->service_path);
    free(x->config_path);
    free(x);
}

size_t qrexec_exec_running(struct qrexec_runner *x) { return x->n_serving; }

int qrexec_run_add(struct qrexec_runner *x, struct qrexec_run *r, const struct qrexec_run_ops *ops)
{
    if (x->n_runs == QREXEC_RUNS_MAX)
        return -EAGAIN;
    *r = (struct qrexec_run){ .ops = ops, .x = x, .next = x->runs, .serves = true };
    if (x->runs)
        x->runs->prev = r;
    x->runs = r;
    x->n_runs++;
    x->n_serving++;
    return 0;
}

void qrexec_run_served(struct qrexec_run *r)
{
    r->x->n_serving -= r->serves;
    r->serves = false;
}

void qrexec_run_remove(struct qrexec_run *r)
{
    qrexec_run_served(r);
    *(r->prev ? &r->prev->next : &r->x->runs) = r->next;
    if (r->next)
        r->next->prev = r->prev;
    r->x->n_runs--;
}

/* ---- plans ---- */

static const char *keep(char **to, const char *s, size_t len)
{
    char *at = *to;

    if (!s)
        return NULL;
    memcpy(at, s, len);
    at[len] = 0;
    *to += len + 1;
    return at;
}

static struct qrexec_plan *plan_new(struct qrexec_runner *x, const struct qrexec_command *c)
{
    size_t strings = c->command_len + c->descriptor_len + c->service_len + c->argument_len + c->source_len +
        c->target_type_len + c->target_len + 7;
    const char *label = c->rpc ? c->service : c->command;
    size_t label_len = c->rpc ? c->service_len : c->command_len;
    struct qrexec_plan *plan = calloc(1, sizeof(*plan) + strings);
    char *to;

    if (!plan)
        return NULL;
    plan->x = x;
    to = plan->text;
    plan->command = keep(&to, c->command, c->command_len);
    snprintf(plan->label, sizeof(plan->label), "%.*s", (int)(label_len < 95 ? label_len : 95), label);
    if (!c->rpc)
        return plan;
    plan->descriptor = keep(&to, c->descriptor, c->descriptor_len);
    plan->descriptor_len = c->descriptor_len + 1;
    plan->service = keep(&to, c->service, c->service_len);
    plan->argument = keep(&to, c->argument, c->argument_len);
    plan->source = keep(&to, c->source, c->source_len);
    plan->target_type = keep(&to, c->target_type, c->target_type_len);
    plan->target = keep(&to, c->target, c->target_len);
    return plan;
}

void qrexec_plan_free(struct qrexec_plan *plan) { free(plan); }

bool qrexec_plan_waits(const struct qrexec_plan *plan) { return plan->waits; }

/* Root may become anybody; nobody else can become another. */
static int set_account(struct qrexec_plan *plan, const struct qrexec_command *c)
{
    const char *forced = plan->config.force_user, *user = *forced ? forced : c->user;
    size_t len = *forced ? strlen(forced) : c->user_len;
    int e = qrexec_account_find(user, len, &plan->account);

    if (e < 0) {
        unik_warn(plan->x->ctx, "%s: user \"%.*s\" in /etc/passwd, /etc/group: %s", plan->label,
                  (int)(len < 64 ? len : 64), user, e == -ENOENT ? "no such account" : strerror(-e));
        return QREXEC_EXIT_PROBLEM;
    }
    plan->become = plan->account.uid != geteuid() || (geteuid() == 0 && plan->account.gid != getegid());
    if (plan->become && geteuid() != 0) {
        unik_warn(plan->x->ctx,
                  "%s: asked to run as %s (uid %u), but this process has uid %u and only root can change it",
                  plan->label, plan->account.name, (unsigned)plan->account.uid, (unsigned)geteuid());
        return QREXEC_EXIT_PROBLEM;
    }
    return 0;
}

static int set_address(struct qrexec_plan *plan)
{
    char said[256];
    struct unik_text why;

    unik_text_init(&why, said, sizeof(said));
    if (qrexec_tcp_address(plan->path, plan->argument, &plan->address, &plan->address_len, &why) < 0) {
        unik_warn(plan->x->ctx, "%s: %s: %s", plan->label, plan->path, said);
        return QREXEC_EXIT_PROBLEM;
    }
    return 0;
}

static int plan_service(struct qrexec_plan *plan, const struct qrexec_command *c)
{
    const struct qrexec_service_config *config = &plan->config;
    struct qrexec_runner *x = plan->x;
    int code;

    if (!x->services)
        return QREXEC_EXIT_NO_SERVICE;
    code = qrexec_find_service(x->ctx, x->service_path, c, &plan->kind, plan->path);
    if (code == 0)
        code = qrexec_find_config(x->ctx, x->config_path, c, &plan->config);
    if (code != 0)
        return code;
    plan->waits = config->wait_for_session && !c->nogui;
    if (plan->kind == QREXEC_IS_TCP)
        return set_address(plan);
    if (plan->kind == QREXEC_IS_UNIX)
        return 0;
    if (config->skip_descriptor || config->exit_on_client_eof || config->exit_on_service_eof)
        unik_warn(x->ctx, "%s: its config has keys for sockets, but %s is a program: without effect", plan->label,
                  plan->path);
    return set_account(plan, c);
}

static int plan_command(struct qrexec_plan *plan, const struct qrexec_command *c)
{
    if (!plan->x->commands) {
        unik_warn(plan->x->ctx, "shell command \"%s\" from dom0 refused: exec = no", plan->label);
        return QREXEC_EXIT_PROBLEM;
    }
    plan->kind = QREXEC_IS_COMMAND;
    return set_account(plan, c);
}

static bool has_nul(const char *s, size_t len) { return len > 0 && memchr(s, 0, len); }

int qrexec_exec_plan(struct qrexec_runner *x, const struct qrexec_command *c, struct qrexec_plan **out)
{
    struct qrexec_plan *plan;
    int code;

    *out = NULL;
    if (has_nul(c->user, c->user_len) || has_nul(c->command, c->command_len)) {
        unik_warn(x->ctx, "NUL byte inside a command line from dom0");
        return QREXEC_EXIT_PROBLEM;
    }
    plan = plan_new(x, c);
    if (!plan) {
        unik_warn(x->ctx, "no memory for a request");
        return QREXEC_EXIT_PROBLEM;
    }
    code = c->rpc ? plan_service(plan, c) : plan_command(plan, c);
    if (code != 0) {
        qrexec_plan_free(plan);
        return code;
    }
    *out = plan;
    return 0;
}

void qrexec_exec_run(struct qrexec_plan *plan, struct unik_qrexec_call *call, bool just_exec)
{
    if (plan->kind == QREXEC_IS_UNIX || plan->kind == QREXEC_IS_TCP)
        qrexec_run_socket(plan, call, just_exec);
    else
        qrexec_run_process(plan, call, just_exec);
}
