/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/link.c - a connection's memory and event channel. Pages are fresh for each: what another back end could see of an
 * old connection must not reach the next. */
#include <errno.h>
#include <stdlib.h>
#include "plugins/netfront/front.h"

static int share(struct netfront *nf, struct link *l, const char **what)
{
    *what = "pages of the rings";
    l->rings = nf_machine_share(&nf->machine, l->peer, 2, true, l->ring_refs);
    if (!l->rings)
        return errno ? -errno : -ENOSPC;
    *what = "pages to send from";
    l->tx_pages = nf_machine_share(&nf->machine, l->peer, l->pages, false, l->tx_refs);
    if (!l->tx_pages)
        return errno ? -errno : -ENOSPC;
    *what = "pages to receive into";
    l->rx_pages = nf_machine_share(&nf->machine, l->peer, l->pages, true, l->rx_refs);
    return l->rx_pages ? 0 : errno ? -errno : -ENOSPC;
}

static void discard(struct netfront *nf, struct link *l)
{
    if (l->rings)
        nf_machine_unshare(&nf->machine, l->rings, 2);
    if (l->tx_pages)
        nf_machine_unshare(&nf->machine, l->tx_pages, l->pages);
    if (l->rx_pages)
        nf_machine_unshare(&nf->machine, l->rx_pages, l->pages);
    free(l);
}

static void unbind(struct netfront *nf, struct link *l)
{
    if (l->bound)
        nf_machine_unbind(&nf->machine, l->port);
    l->bound = false;
}

int nf_link_open(struct netfront *nf, int peer, struct link **out, const char **what)
{
    struct link *l;
    int e;

    *out = NULL;
    *what = "frames of earlier connections that are still in use";
    if (nf->n_ended == LINKS_MAX)
        return -EBUSY;
    *what = "memory";
    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->peer = peer;
    l->pages = (unsigned)config(nf)->buffers;
    e = share(nf, l, what);
    if (e == 0) {
        *what = "event channel";
        e = nf_machine_bind(&nf->machine, peer, &l->port);
        l->bound = e == 0;
    }
    if (e < 0) {
        discard(nf, l);
        return e;
    }
    nf_tx_init(&l->tx, nf->ctx->counters, l->rings, l->tx_pages, l->tx_refs, l->pages);
    nf_rx_init(&l->rx, nf->ctx->counters, (uint8_t *)l->rings + NETIF_PAGE, l->rx_pages, l->rx_refs, l->pages);
    *out = l;
    return 0;
}

/* The pages for sending and the rings go at once; those that hold frames of the user's stay, and stay granted, till then. */
void nf_link_close(struct netfront *nf, struct link *l)
{
    unbind(nf, l);
    nf_machine_unshare(&nf->machine, l->rings, 2);
    nf_machine_unshare(&nf->machine, l->tx_pages, l->pages);
    l->rings = l->tx_pages = NULL;
    LIST_INSERT_HEAD(&nf->ended, l, entry);
    nf->n_ended++;
    nf_link_settle(nf, l);
}

void nf_link_settle(struct netfront *nf, struct link *l)
{
    if (nf_rx_held(&l->rx))
        return;
    LIST_REMOVE(l, entry);
    nf->n_ended--;
    discard(nf, l);
}

void nf_links_free(struct netfront *nf)
{
    struct link *l;

    while ((l = LIST_FIRST(&nf->ended)) != NULL) {
        nf_rx_release_all(&l->rx);
        nf_link_settle(nf, l);
    }
}
