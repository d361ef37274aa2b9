/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/ask.c - requests that wait for dom0's answer, and ports that dom0 has to get back
 * (doc/protocol/qrexec.md, 8 and 9).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qrexec/core.h"
#include "plugins/qrexec/socket.h"

/* ---- requests: a slot's number is the low byte of its id, so that an answer finds it at once ---- */

static void ident_of(uint32_t id, char ident[QREXEC_IDENT]) { snprintf(ident, QREXEC_IDENT, "unik-%08x", id); }

static struct qrexec_ask *ask_of_id(struct qrexec_agent *a, uint32_t id)
{
    struct qrexec_ask *ask = &a->asks[id % QREXEC_ASKS_MAX];

    return id && ask->id == id ? ask : NULL;
}

static struct qrexec_ask *ask_of_ident(struct qrexec_agent *a, const char *ident)
{
    char expected[QREXEC_IDENT];
    struct qrexec_ask *ask;

    if (strlen(ident) != 13)
        return NULL;
    ask = ask_of_id(a, (uint32_t)strtoul(ident + 5, NULL, 16));
    if (!ask)
        return NULL;
    ident_of(ask->id, expected);
    return strcmp(expected, ident) == 0 ? ask : NULL;
}

static uint32_t new_id(struct qrexec_agent *a, size_t slot)
{
    a->generation = (a->generation + 1) & 0xffffff;
    if (a->generation == 0)
        a->generation = 1;
    return a->generation << 8 | (uint32_t)slot;
}

int qrexec_trigger(struct qrexec_agent *a, const char *source, const char *target, const char *service, qrexec_answer_cb *cb,
                   void *arg, uint32_t *id)
{
    char ident[QREXEC_IDENT];
    struct qrexec_trigger t = { .source = source ? source : "", .target = target, .ident = ident, .service = service };
    size_t slot = 0;
    int n, e;

    if (!a->control.up || a->draining)
        return -ENOTCONN;
    while (slot < QREXEC_ASKS_MAX && a->asks[slot].id)
        slot++;
    if (slot == QREXEC_ASKS_MAX)
        return -EAGAIN;
    *id = new_id(a, slot);
    ident_of(*id, ident);
    /* request_max: the stock socket vchan hangs dom0's daemon on a body over 4,096 bytes [1], and vchan/1 does not say
     * what is below it. */
    n = qrexec_encode_trigger(a->request, a->config->request_max, a->control.version, &t);
    if (n < 0)
        return n;
    e = qrexec_control_send(a, a->request, (size_t)n);
    if (e < 0)
        return e;
    a->asks[slot] = (struct qrexec_ask){ *id, cb, arg };
    return 0;
}

void qrexec_forget(struct qrexec_agent *a, uint32_t id)
{
    struct qrexec_ask *ask = ask_of_id(a, id);

    if (ask)
        ask->id = 0;
}

/* from dom0: error 0 or -EACCES */
void qrexec_ask_answer(struct qrexec_agent *a, const char *ident, int error, uint32_t domain, uint32_t port)
{
    struct qrexec_ask *ask = ask_of_ident(a, ident);

    if (error == 0 && !qrexec_pair_ok(domain, port)) {
        a->ctx->counters[QREXEC_PROTOCOL_ERRORS]++;
        unik_error(a->ctx, "dom0: SERVICE_CONNECT of \"%s\" to domain %u port %u, which cannot be", ident, domain, port);
        error = -EACCES;
    } else if (error == 0 && qrexec_is_self(a, domain)) {
        unik_warn(a->ctx, "this VM calls itself, which no vchan can carry: refused");
        qrexec_release(a, domain, port);
        error = -EACCES;
    } else if (error == 0) {
        /* Another VM's port is in its own daemon's table, which ours does not mix with what it has given out itself [9]:
         * an earlier call of that pair that goes on here is still to be released. */
        if (domain == 0) {
            qrexec_release_void(a, domain, port);
            qrexec_incoming_make_way(a, domain, port);
        }
        qrexec_outgoing_make_way(a, domain, port);
    }
    if (!ask) {                         /* forgotten meanwhile, or never asked */
        unik_debug(a->ctx, "dom0: an answer to \"%s\", which is not awaited", ident);
        if (error == 0)
            qrexec_outgoing_decline(a, domain, port);
        return;
    }
    ask->id = 0;
    ask->cb(error, domain, port, ask->arg);
}

/* dom0's daemon is gone, and with it all it was asked. */
void qrexec_ask_lost(struct qrexec_agent *a)
{
    for (size_t i = 0; i < QREXEC_ASKS_MAX; i++)
        if (a->asks[i].id) {
            a->asks[i].id = 0;
            a->asks[i].cb(-ECONNRESET, 0, 0, a->asks[i].arg);
        }
}

/* ---- ports: each pair dom0 gave out goes back once, after the data channel is closed ---- */

bool qrexec_pair_ok(uint32_t domain, uint32_t port) { return domain <= QREXEC_DOMID_MAX && port != QREXEC_PORT; }

bool qrexec_is_self(struct qrexec_agent *a, uint32_t domain) { return a->vchan->domid(a->vchan) == (int)domain; }

static size_t find_release(const struct qrexec_agent *a, uint32_t domain, uint32_t port)
{
    size_t i = 0;

    while (i < a->n_releases && (a->releases[i].domain != domain || a->releases[i].port != port))
        i++;
    return i;
}

static void drop_releases(struct qrexec_agent *a, size_t at, size_t n)
{
    a->n_releases -= n;
    memmove(a->releases + at, a->releases + at + n, (a->n_releases - at) * sizeof(a->releases[0]));
    a->ctx->counters[QREXEC_UNRELEASED] = a->n_releases;
}

void qrexec_release(struct qrexec_agent *a, uint32_t domain, uint32_t port)
{
    if (!qrexec_pair_ok(domain, port) || find_release(a, domain, port) < a->n_releases)
        return;
    if (a->n_releases == QREXEC_RELEASES_MAX) {
        a->ctx->counters[QREXEC_LOST_RELEASES]++;
        unik_error(a->ctx, "dom0 does not get back domain %u port %u: %u others wait", domain, port, QREXEC_RELEASES_MAX);
        return;
    }
    a->releases[a->n_releases++] = (struct qrexec_pair){ domain, port };
    a->ctx->counters[QREXEC_UNRELEASED] = a->n_releases;
    qrexec_release_flush(a);
}

void qrexec_release_flush(struct qrexec_agent *a)
{
    uint8_t message[QREXEC_HEADER + 8];
    size_t sent = 0;

    while (sent < a->n_releases) {
        int n = qrexec_encode_terminated(message, sizeof(message), a->releases[sent].domain, a->releases[sent].port);

        if (n > 0 && qrexec_control_send(a, message, (size_t)n) < 0)
            break;
        sent++;
    }
    if (sent)
        drop_releases(a, 0, sent);
}

/* A restarted daemon begins with all ports free and gives them out again, while calls of the old one still run here. Their
 * end must not free the new owner's port. */
void qrexec_release_void(struct qrexec_agent *a, uint32_t domain, uint32_t port)
{
    size_t i = find_release(a, domain, port);

    if (i < a->n_releases)
        drop_releases(a, i, 1);
    for (struct qrexec_call *c = a->calls; c; c = c->next)
        if (c->paired && c->domain == domain && c->port == port)
            c->paired = false;
    if (a->socket)
        qrexec_socket_void(a->socket, domain, port);
}
