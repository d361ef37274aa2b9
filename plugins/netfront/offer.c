/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/offer.c - our half of the interface's nodes, written in one transaction with our state: the back end sees all or
 * nothing (doc/protocol/network.md, 4.1). */
#include <errno.h>
#include <stdio.h>
#include "plugins/netfront/front.h"

static void begin(struct netfront *nf);

static void finish(struct netfront *nf, int error)
{
    struct vif *v = &nf->vif;

    v->tx = 0;
    if (error == -EAGAIN && v->conflicts++ < CONFLICTS_MAX)
        begin(nf);
    else
        nf_vif_offered(nf, error);
}

static void on_end(int error, const char *value, size_t len, void *arg)
{
    (void)value, (void)len;
    finish(((struct vif *)arg)->nf, error);
}

static void end(struct netfront *nf)
{
    struct vif *v = &nf->vif;
    int e;

    if (v->error) {
        nf->xs->end(nf->xs, nf->ctx, v->tx, false, NULL, NULL);
        finish(nf, v->error);
        return;
    }
    nf->epoch++;
    e = nf->xs->end(nf->xs, nf->ctx, v->tx, true, on_end, v);
    if (e < 0)
        finish(nf, e);
}

static void note(struct vif *v, int error)
{
    if (error && !v->error)
        v->error = error;
}

static void on_write(int error, const char *value, size_t len, void *arg)
{
    struct vif *v = arg;

    (void)value, (void)len;
    note(v, error);
    if (--v->pending == 0)
        end(v->nf);
}

/* Left over from whoever had the interface before us, it would tell the back end to look elsewhere. */
static void on_remove(int error, const char *value, size_t len, void *arg)
{
    on_write(error == -ENOENT ? 0 : error, value, len, arg);
}

static void sent(struct vif *v, int error)
{
    if (error == 0)
        v->pending++;
    else
        note(v, error);
}

static void write_number(struct netfront *nf, const char *leaf, uint32_t value)
{
    char path[VIF_PATH_MAX], text[16];
    int n = snprintf(text, sizeof(text), "%u", (unsigned)value);

    nf_vif_path(nf, path, leaf);
    sent(&nf->vif, nf->xs->write(nf->xs, nf->ctx, nf->vif.tx, path, text, (size_t)n, on_write, &nf->vif));
}

static void remove_node(struct netfront *nf, const char *leaf)
{
    char path[VIF_PATH_MAX];

    nf_vif_path(nf, path, leaf);
    sent(&nf->vif, nf->xs->remove(nf->xs, nf->ctx, nf->vif.tx, path, on_remove, &nf->vif));
}

static void write_all(struct netfront *nf)
{
    static const char *const stale[] = { "multi-queue-num-queues", "event-channel-tx", "event-channel-rx" };
    const struct netfront_config *c = config(nf);

    for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]); i++)
        remove_node(nf, stale[i]);
    write_number(nf, "tx-ring-ref", nf->link->ring_refs[0]);
    write_number(nf, "rx-ring-ref", nf->link->ring_refs[1]);
    write_number(nf, "event-channel", nf->link->port);
    write_number(nf, "request-rx-copy", 1);
    write_number(nf, "feature-rx-notify", 1);
    write_number(nf, "feature-sg", 1);
    write_number(nf, "feature-no-csum-offload", !c->checksums);
    write_number(nf, "feature-ipv6-csum-offload", c->checksums);
    write_number(nf, "feature-gso-tcpv4", c->segments && c->checksums);
    write_number(nf, "feature-gso-tcpv6", c->segments && c->checksums);
    write_number(nf, "state", 4);
}

static void on_begin(int error, uint32_t tx, void *arg)
{
    struct vif *v = arg;

    if (error) {
        finish(v->nf, error);
        return;
    }
    v->tx = tx;
    v->pending = 1;                     /* one more than there are requests, until all have been made */
    write_all(v->nf);
    on_write(0, "", 0, v);
}

static void begin(struct netfront *nf)
{
    int e;

    nf->vif.error = 0;
    e = nf->xs->begin(nf->xs, nf->ctx, on_begin, &nf->vif);
    if (e < 0)
        finish(nf, e);
}

void nf_offer_begin(struct netfront *nf)
{
    nf->vif.conflicts = 0;
    begin(nf);
}

/* A commit that is under way cannot be taken back: what follows it in the queue can. */
void nf_offer_cancel(struct netfront *nf)
{
    nf->xs->forget(nf->xs, &nf->vif);
    if (nf->vif.tx)
        nf->xs->end(nf->xs, nf->ctx, nf->vif.tx, false, NULL, NULL);
    nf->vif.tx = 0;
}
