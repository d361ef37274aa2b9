/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/announce.c - with announce = yes: dom0 is told, once, that this VM has qrexec and which services
 * (doc/protocol/qubesdb.md, 8.1). One bad character would make dom0 refuse all of it, so each key is checked. The
 * feature `os` is never asked for: it changes what dom0 assumes of the VM's memory and kernel.
 */
#include <stdio.h>
#include <string.h>

#include "plugins/qrexec/core.h"

static void on_answer(struct unik_stream *s, unsigned events, void *arg)
{
    struct qrexec_agent *a = arg;
    const void *p;
    size_t n;

    (void)events;
    while ((n = unik_stream_peek(s, &p)) > 0)
        unik_stream_consume(s, n);
    if (unik_stream_ended(s) == 0)
        return;
    if (a->announce.call->exit_code == 0)
        unik_info(a->ctx, "announced to dom0");
    else
        unik_warn(a->ctx, "qubes.FeaturesRequest in dom0 ended with %d", a->announce.call->exit_code);
    unik_stream_close(s);
    a->announce.call = NULL;
}

static void request(struct qrexec_agent *a, const char *feature)
{
    char path[UNIK_QUBESDB_PATH_MAX + 2];
    int n = snprintf(path, sizeof(path), "/features-request/%s", feature), e;

    /* '+' of a service with an argument is not a character of a path either */
    if (n > UNIK_QUBESDB_PATH_MAX || strspn(feature, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") !=
        strlen(feature)) {
        unik_info(a->ctx, "%s cannot be announced: the name is too long or has other characters", feature);
        return;
    }
    e = a->db->write(a->db, path, "1", 1);
    if (e < 0)
        unik_warn(a->ctx, "cannot announce %s: %s", feature, strerror(-e));
}

static void announce(struct qrexec_agent *a)
{
    struct unik_qrexec_call *call;
    char feature[sizeof("supported-rpc.") + UNIK_QREXEC_NAME_MAX];
    int e;

    a->announce.done = true;
    request(a, "qrexec");
    for (size_t i = 0; i < QREXEC_SERVICES_MAX; i++)
        if (a->services[i]) {
            snprintf(feature, sizeof(feature), "supported-rpc.%s", a->services[i]->name);
            request(a, feature);
        }
    e = qrexec_outgoing(&a->iface, a->ctx, "dom0", "qubes.FeaturesRequest", on_answer, a, &call);
    if (e < 0) {
        unik_warn(a->ctx, "cannot call qubes.FeaturesRequest in dom0: %s", strerror(-e));
        return;
    }
    a->announce.call = call;
    unik_stream_shut(call->io);
}

/* Whenever one of the conditions may have become true. */
void qrexec_announce_turn(struct qrexec_agent *a)
{
    if (a->config->announce && a->announce.synced && a->announce.settled && a->control.up && a->db && !a->announce.done)
        announce(a);
}

static void on_settled(void *arg)
{
    struct qrexec_agent *a = arg;

    a->announce.settled = true;
    qrexec_announce_turn(a);
}

/* from dom0: any answer tells that the first sync is over */
static void on_key(const char *path, const char *value, size_t len, void *arg)
{
    struct qrexec_agent *a = arg;

    (void)path, (void)value, (void)len;
    if (a->announce.synced)
        return;
    a->announce.synced = true;
    qrexec_session_wait(a, &a->announce.waiter, on_settled, a);
}

void qrexec_announce_arrived(struct qrexec_agent *a)
{
    int e;

    if (!a->config->announce || a->config->mode != QREXEC_SERVE || a->announce.done)
        return;
    e = a->db->watch(a->db, a->ctx, "/name", UNIK_QUBESDB_NOW, on_key, a, &a->announce.watch);
    if (e < 0)
        unik_warn(a->ctx, "cannot watch QubesDB, nothing is announced: %s", strerror(-e));
}

/* The database goes, and with it the watch. */
void qrexec_announce_gone(struct qrexec_agent *a)
{
    if (a->announce.watch)
        a->db->unwatch(a->db, a->announce.watch);
    a->announce.watch = NULL;
    a->announce.synced = a->announce.settled = false;
    qrexec_session_unwait(a, &a->announce.waiter);
}

void qrexec_announce_stop(struct qrexec_agent *a)
{
    if (a->db)
        qrexec_announce_gone(a);
    if (a->announce.call)
        unik_stream_close(a->announce.call->io);
    a->announce.call = NULL;
}
