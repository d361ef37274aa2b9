/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/incoming.c - requests of dom0 to run something here: from the control message to the handler
 * (doc/protocol/qrexec.md, 5 to 7). Each is answered over its data channel, also when it is refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qrexec/core.h"

/* Copies n bytes and a NUL to *at, which moves on. */
static const char *keep(char **at, const char *text, size_t n)
{
    char *start = *at;

    if (n)
        memcpy(start, text, n);
    start[n] = 0;
    *at = start + n + 1;
    return start;
}

/* The strings a handler sees. from dom0; service and argument may be another VM's, cleaned by dom0 */
static bool set_strings(struct qrexec_call *c, const struct qrexec_exec *e)
{
    struct qrexec_command command;
    char *at = c->text;
    bool ok;

    c->text_len = e->len;
    keep(&at, e->text, e->len);
    c->pub.service = c->pub.argument = c->pub.user = "";
    c->pub.peer = "dom0";
    ok = qrexec_parse_command(c->text, c->text_len, &command) == 0;
    if (ok) {
        c->pub.user = keep(&at, command.user, command.user_len);
        if (command.rpc) {
            c->pub.service = keep(&at, command.name, command.name_len);
            c->pub.argument = keep(&at, command.argument, command.argument ? command.argument_len : 0);
            c->pub.peer = keep(&at, command.source, command.source_len);
        }
    }
    return ok;
}

/* No handler: the code, and perhaps a text on stderr, is all there is. What the caller sends meanwhile is thrown away. */
static void answer(struct qrexec_call *c, int code, const char *text)
{
    c->pub.exit_code = code;
    c->err_text = text;
    c->backed_up = true;
    c->state = QREXEC_FINISHING;
    qrexec_call_soon(c, 0);
}

static void refuse(struct qrexec_call *c, int code, const char *text)
{
    c->a->ctx->counters[QREXEC_REFUSED]++;
    answer(c, code, text);
}

void qrexec_incoming_make_way(struct qrexec_agent *a, uint32_t domain, uint32_t port)
{
    struct qrexec_call *next;

    for (struct qrexec_call *c = a->calls; c; c = next) {
        next = c->next;
        if (c->incoming && c->state == QREXEC_CONNECTING && c->domain == domain && c->port == port)
            qrexec_call_unreached(c, "dom0 has given its port to another call", -ECONNRESET);
    }
}

void qrexec_call_incoming(struct qrexec_agent *a, const struct qrexec_exec *e, bool just_exec)
{
    struct qrexec_call *c;
    int error;

    if (!qrexec_pair_ok(e->domain, e->port)) {
        a->ctx->counters[QREXEC_PROTOCOL_ERRORS]++;
        unik_error(a->ctx, "dom0: request for domain %u port %u, which cannot be", e->domain, e->port);
        return;
    }
    if (qrexec_is_self(a, e->domain)) {
        unik_warn(a->ctx, "this VM calls itself, which no vchan can carry: refused");
        a->ctx->counters[QREXEC_REFUSED]++;
        qrexec_release(a, e->domain, e->port);
        return;
    }
    qrexec_release_void(a, e->domain, e->port);
    qrexec_incoming_make_way(a, e->domain, e->port);
    if (e->domain == 0)
        qrexec_outgoing_make_way(a, e->domain, e->port);
    a->ctx->counters[QREXEC_CALLS_IN]++;
    c = qrexec_call_new(a, true, 2 * e->len + 8);
    if (!c) {
        a->ctx->counters[QREXEC_REFUSED]++;
        unik_error(a->ctx, "a call from domain %u port %u is dropped: %zu others", e->domain, e->port, a->n_calls);
        qrexec_release(a, e->domain, e->port);
        return;
    }
    qrexec_stage(c, QREXEC_AT_ASKED);
    c->state = QREXEC_CONNECTING;
    c->just_exec = just_exec;
    c->domain = e->domain;
    c->port = e->port;
    c->paired = true;
    c->daemon = a->control.daemon;
    c->malformed = !set_strings(c, e);
    qrexec_stream_init(c);
    if (a->n_in < (size_t)a->config->max_calls) {
        c->counted = true;
        a->n_in++;
    }
    error = a->vchan->connect(a->vchan, a->ctx, (int)c->domain, c->port, qrexec_call_on_channel, c, &c->channel);
    if (error < 0) {
        unik_error(a->ctx, "call from %s %s (domain %u port %u): %s", c->pub.peer, c->pub.service, c->domain, c->port,
                   strerror(-error));
        c->channel = NULL;
        a->ctx->counters[QREXEC_UNREACHED]++;
        qrexec_call_end(c);
        return;
    }
    ev_timer_set(&c->timer, a->config->connect_timeout, 0);
    ev_timer_start(a->ctx->loop, &c->timer);
}

static void run(struct qrexec_call *c, struct unik_ctx *user)
{
    c->user = user;
    c->state = QREXEC_RUNNING;
    c->open = true;
    c->started = true;
    c->a->n_started++;
    qrexec_stage(c, QREXEC_AT_STARTED);
    unik_debug(c->a->ctx, "call from %s %s (domain %u port %u)", c->pub.peer, c->pub.service, c->domain, c->port);
}

/* JUST_EXEC tells only that it started, and carries nothing: the handler goes on with streams that lead nowhere. */
static void run_handler(struct qrexec_call *c, unik_qrexec_handler *handler, void *arg, struct unik_ctx *user)
{
    run(c, user);
    if (c->just_exec) {
        c->detached = true;
        if (qrexec_data_finish(c))
            qrexec_call_close_channel(c);
    }
    handler(&c->pub, arg);
}

static void run_plan(struct qrexec_call *c, struct qrexec_plan *plan)
{
    run(c, NULL);
    qrexec_exec_run(plan, &c->pub, c->just_exec);
}

/* dom0 puts the VM's default user in place of "DEFAULT" itself; in case it did not. */
static void set_user(struct qrexec_call *c, struct qrexec_command *command)
{
    size_t len;
    const char *user;

    if (strcmp(c->pub.user, "DEFAULT") != 0 || !c->a->db || !(user = c->a->db->read(c->a->db, "/default-user", &len)))
        return;
    command->user = user;
    command->user_len = len;
}

static void on_session(void *arg) { qrexec_call_soon(arg, 0); }

/* What is neither registered nor built in: files and shell commands. */
static void begin_other(struct qrexec_call *c, struct qrexec_command *command)
{
    struct qrexec_plan *plan = NULL;
    int code;

    set_user(c, command);
    code = qrexec_exec_plan(c->a->exec, command, &plan);
    if (code != 0) {
        refuse(c, code, NULL);
    } else if (qrexec_plan_waits(plan) && !qrexec_session(c->a)) {
        c->plan = plan;
        c->state = QREXEC_HELD;
        qrexec_session_wait(c->a, &c->waiter, on_session, c);
    } else {
        run_plan(c, plan);
    }
}

/* The session is there, or nothing new will begin. */
void qrexec_incoming_resume(struct qrexec_call *c)
{
    struct qrexec_plan *plan = c->plan;

    c->events = 0;
    if (c->a->draining) {
        refuse(c, UNIK_QREXEC_BROKEN, "shutting down\n");
    } else if (qrexec_session(c->a)) {
        c->plan = NULL;
        run_plan(c, plan);
        qrexec_call_soon(c, UNIK_STREAM_INPUT);
    }
}

/* The data channel is there: find out what is wanted, and begin or refuse. */
void qrexec_incoming_begin(struct qrexec_call *c)
{
    struct qrexec_agent *a = c->a;
    struct qrexec_command command;
    unik_qrexec_handler *handler;
    struct unik_ctx *user;
    void *arg;

    if (c->malformed || qrexec_parse_command(c->text, c->text_len, &command) < 0) {
        a->ctx->counters[QREXEC_PROTOCOL_ERRORS]++;
        unik_error(a->ctx, "dom0: command line that makes no sense, of %zu bytes: %.60s", c->text_len, c->text);
        refuse(c, UNIK_QREXEC_BROKEN, "malformed command line\n");
    } else if (a->config->mode == QREXEC_STUB) {
        if (command.rpc && qrexec_builtin_harmless(command.name, command.name_len))
            answer(c, 0, NULL);
        else
            refuse(c, UNIK_QREXEC_NO_SERVICE, NULL);
    } else if (a->draining) {
        refuse(c, UNIK_QREXEC_BROKEN, "shutting down\n");
    } else if (!c->counted) {
        unik_warn(a->ctx, "call from %s %s (domain %u port %u) refused: %zu run", c->pub.peer, c->pub.service, c->domain,
                  c->port, a->n_in);
        refuse(c, UNIK_QREXEC_BROKEN, "too many calls\n");
    } else if (command.rpc && (handler = qrexec_service_find(a, &command, &arg, &user)) != NULL) {
        run_handler(c, handler, arg, user);
    } else {
        begin_other(c, &command);
    }
}
