/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/outgoing.c - calls that this VM makes: dom0 is asked, says where, and the other side comes to us
 * (doc/protocol/qrexec.md, 8). We serve the data channel and are the caller on it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qrexec/core.h"

/* The call is over before its time: the caller is told once, and closes. */
void qrexec_outgoing_fail(struct qrexec_call *c, int ended, int code)
{
    ev_timer_stop(c->a->ctx->loop, &c->timer);
    c->ended = ended;
    c->pub.exit_code = code;
    c->state = QREXEC_RUNNING;
    qrexec_call_close_channel(c);
    qrexec_call_soon(c, UNIK_STREAM_INPUT | UNIK_STREAM_ROOM);
}

/* dom0 accepts: offer the data channel at once, HELLO in it. dom0 itself waits 5 s for us, other VMs 120 s. */
static int offer(struct qrexec_call *c, uint32_t domain, uint32_t port)
{
    struct qrexec_agent *a = c->a;
    size_t ring = a->config->data_ring;
    int e;

    c->domain = domain;
    c->port = port;
    c->paired = true;
    c->daemon = a->control.daemon;
    c->state = QREXEC_CONNECTING;
    e = a->vchan->listen(a->vchan, a->ctx, (int)domain, port, ring, ring, qrexec_call_on_channel, c, &c->channel);
    if (e < 0)
        c->channel = NULL;
    else
        e = qrexec_data_say_hello(c);
    if (e < 0) {
        unik_error(a->ctx, "call to %s %s: cannot offer domain %u port %u: %s", c->pub.peer, c->pub.service, domain, port,
                   strerror(-e));
        return e;
    }
    ev_timer_set(&c->timer, a->config->connect_timeout, 0);
    ev_timer_start(a->ctx->loop, &c->timer);
    return 0;
}

static void accepted(struct qrexec_call *c, uint32_t domain, uint32_t port)
{
    int e = offer(c, domain, port);

    qrexec_stage(c, QREXEC_AT_ACCEPTED);
    if (e < 0)
        qrexec_outgoing_fail(c, e, UNIK_QREXEC_BROKEN);
}

/* The one whom dom0 has told to come looks for our end until it finds one. If the port went back at once, dom0 would give it
 * out again, and he would take the next call's place. So it is offered until he has come and been sent away. */
void qrexec_outgoing_decline(struct qrexec_agent *a, uint32_t domain, uint32_t port)
{
    static const char name[] = "(given up)";
    struct qrexec_call *c = a->draining ? NULL : qrexec_call_new(a, false, sizeof(name));

    if (!c) {
        qrexec_release(a, domain, port);
        return;
    }
    c->pub.peer = c->pub.service = strcpy(c->text, name);
    c->pub.argument = c->pub.user = "";
    qrexec_stream_init(c);
    if (offer(c, domain, port) < 0)
        qrexec_call_end(c);
}

void qrexec_outgoing_make_way(struct qrexec_agent *a, uint32_t domain, uint32_t port)
{
    struct qrexec_call *next;

    for (struct qrexec_call *c = a->calls; c; c = next) {
        next = c->next;
        if (!c->incoming && c->state == QREXEC_CONNECTING && c->domain == domain && c->port == port)
            qrexec_call_unreached(c, "its port was given to another call", -ECONNRESET);
    }
}

static void answered(int error, uint32_t domain, uint32_t port, void *arg)
{
    struct qrexec_call *c = arg;

    c->ask = 0;
    if (error == 0) {
        accepted(c, domain, port);
        return;
    }
    c->a->ctx->counters[QREXEC_REFUSED]++;
    unik_info(c->a->ctx, "call to %s %s %s", c->pub.peer, c->pub.service,
              error == -EACCES ? "refused by dom0" : "ended: dom0 is gone");
    qrexec_outgoing_fail(c, error == -EACCES ? 1 : error, UNIK_QREXEC_REFUSED);
}

int qrexec_outgoing(struct unik_qrexec *q, struct unik_ctx *ctx, const char *target, const char *service,
                    unik_stream_cb *cb, void *arg, struct unik_qrexec_call **out)
{
    struct qrexec_agent *a = (struct qrexec_agent *)(void *)q;
    size_t target_size = strlen(target) + 1, name = strcspn(service, "+"), rest = strlen(service) - name;
    struct qrexec_call *c;
    int e;

    if (a->config->mode != QREXEC_SERVE)
        return -ENOTCONN;
    if (target_size > UNIK_QREXEC_TARGET_MAX + 1 || name > UNIK_QREXEC_NAME_MAX || name + rest > QREXEC_SERVICE_MAX)
        return -EINVAL;
    if (a->n_out >= (size_t)a->config->max_calls || !(c = qrexec_call_new(a, false, target_size + name + rest + 2)))
        return -EAGAIN;
    memcpy(c->text, target, target_size);
    c->pub.peer = c->text;
    c->pub.service = memcpy(c->text + target_size, service, name);
    c->text[target_size + name] = 0;
    c->pub.argument = memcpy(c->text + target_size + name + 1, rest ? service + name + 1 : "", rest ? rest : 1);
    c->pub.user = "";
    c->pub.exit_code = UNIK_QREXEC_LOST;
    c->state = QREXEC_ASKED;
    qrexec_stream_init(c);
    e = qrexec_trigger(a, "", target, service, answered, c, &c->ask);
    if (e < 0) {
        c->ask = 0;
        qrexec_call_end(c);
        return e;
    }
    qrexec_stage(c, QREXEC_AT_ASKED);
    a->ctx->counters[QREXEC_CALLS_OUT]++;
    c->counted = c->started = c->open = true;
    a->n_out++;
    a->n_started++;
    c->user = ctx == a->ctx ? NULL : ctx;
    unik_stream_on(&c->io, cb, arg);
    *out = &c->pub;
    return 0;
}
