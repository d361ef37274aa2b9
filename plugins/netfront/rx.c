/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/rx.c - see rx.h. From the backend domain, all of it: a packet that makes no sense is dropped at its end and its
 * pages go round again; only an impossible index ends the connection. Place i of the responses answers request i; the id in it is
 * not looked at, as extra entries have none (doc/protocol/network.md, 6). */
#include "plugins/netfront/rx.h"

void nf_rx_init(struct rx *r, uint64_t *counters, void *ring_page, void *pages, const uint32_t *refs, unsigned n)
{
    *r = (struct rx){ .counters = counters, .pages = pages, .refs = refs, .n = n };
    ring_init(&r->ring, ring_page, NETIF_RX_ENTRY);
    for (unsigned i = 0; i < n; i++)
        r->free[r->n_free++] = (uint16_t)(n - 1 - i);
    for (unsigned i = 0; i < RX_FRAMES_MAX; i++) {
        r->frames[i].rx = r;
        r->idle[r->n_idle++] = &r->frames[i];
    }
}

bool nf_rx_post(struct rx *r)
{
    while (r->n_free && ring_space(&r->ring)) {
        uint16_t page = r->free[--r->n_free];
        uint32_t at = r->ring.req_prod & (NETIF_RING_SIZE - 1);
        struct netif_rx_request q = { .id = (uint16_t)at, .ref = r->refs[page] };

        r->posted[at] = page;
        netif_encode_rx_request(ring_next(&r->ring), &q);
    }
    return ring_publish(&r->ring);
}

static void give_back(struct rx *r, uint16_t page) { r->free[r->n_free++] = page; }

/* ---- a packet is put together ---- */

static void spoil(struct rx_packet *p, const char *why)
{
    if (!p->bad)
        p->bad = why;
}

/* One response that is an extra entry: it takes a place, and the page behind it comes back unused. */
static void take_extra(struct rx_packet *p, const uint8_t *entry)
{
    struct netif_extra x;

    if (netif_decode_extra(entry, &x) < 0)
        spoil(p, "an extra entry makes no sense");
    else if (x.type == NETIF_EXTRA_GSO)
        p->gso = x;
    p->extra = x.more;
}

static const char *bad_slot(const struct rx_packet *p, const struct netif_rx_response *a)
{
    if (a->status < 0)
        return "the back end could not deliver it";
    if ((unsigned)a->offset + (unsigned)a->status > NETIF_PAGE)
        return "a slot goes beyond its page";
    if (a->status == 0)
        return "an empty slot";
    if (p->slots == NETIF_SLOTS_MAX)
        return "too many slots";
    if (p->size + (size_t)a->status > NETIF_PACKET_MAX)
        return "too large";
    return NULL;
}

static void take_slot(struct rx *r, uint16_t page, const struct netif_rx_response *a)
{
    struct rx_packet *p = &r->packet;
    const char *bad;

    if (!p->begun) {
        *p = (struct rx_packet){ .begun = true, .flags = a->flags, .extra = (a->flags & NETIF_RX_EXTRA) != 0 };
        if (a->flags & NETIF_RX_PREFIX)
            spoil(p, "a way of segmentation that was not agreed on");
    }
    p->more = (a->flags & NETIF_RX_MORE) != 0;
    bad = bad_slot(p, a);
    if (bad) {
        spoil(p, bad);
        give_back(r, page);
        return;
    }
    p->slot[p->slots].page = page;
    p->slot[p->slots].offset = a->offset;
    p->slot[p->slots].size = (uint16_t)a->status;
    p->slots++;
    p->size += (size_t)a->status;
}

static void drop(struct rx *r)
{
    struct rx_packet *p = &r->packet;

    for (unsigned i = 0; i < p->slots; i++)
        give_back(r, p->slot[i].page);
    r->counters[RX_ERRORS]++;
    r->last_error = p->bad;
}

static unsigned offloads_of(const struct rx_packet *p)
{
    unsigned flags = 0;

    if (p->flags & NETIF_RX_BLANK)
        flags |= UNIK_NIC_SUM;
    if (p->flags & NETIF_RX_VALIDATED)
        flags |= UNIK_NIC_SUM_GOOD;
    if (p->gso.gso_size)
        flags |= UNIK_NIC_SUM | (p->gso.gso_type == NETIF_GSO_TCP4 ? UNIK_NIC_TSO4 : UNIK_NIC_TSO6);
    return flags;
}

/* The head is copied, from as many slots as it takes; a page that is used up by that is free again. The rest stays where it is. */
static bool fill(struct rx *r, struct rx_frame *f)
{
    struct rx_packet *p = &r->packet;
    size_t head = p->size < UNIK_NIC_PRIVATE ? p->size : UNIK_NIC_PRIVATE, at = 0;

    f->nic.n = 1;
    f->nic.parts[0] = (struct iovec){ f->head, head };
    f->pages = 0;
    for (unsigned i = 0; i < p->slots; i++) {
        uint8_t *bytes = r->pages + (size_t)p->slot[i].page * NETIF_PAGE + p->slot[i].offset;
        size_t n = p->slot[i].size, k = head - at < n ? head - at : n;

        memcpy(f->head + at, bytes, k);
        at += k;
        if (k == n) {
            give_back(r, p->slot[i].page);
        } else if (f->nic.n == UNIK_NIC_PARTS) {
            give_back(r, p->slot[i].page);      /* the last of 18 slots, and the head did not fill the first */
            return false;
        } else {
            f->nic.parts[f->nic.n++] = (struct iovec){ bytes + k, n - k };
            f->page[f->pages++] = p->slot[i].page;
        }
    }
    return true;
}

/* The last slot has come. NULL: it was dropped. */
static struct rx_frame *finish(struct rx *r)
{
    struct rx_packet *p = &r->packet;
    struct rx_frame *f;

    p->begun = false;
    if (!p->bad && p->size < NETIF_ETHERNET)
        spoil(p, "shorter than an Ethernet header");
    if (p->bad) {
        drop(r);
        return NULL;
    }
    f = r->idle[--r->n_idle];
    f->out = true;
    if (++r->counters[RX_HELD] > r->counters[RX_HELD_HIGH])
        r->counters[RX_HELD_HIGH] = r->counters[RX_HELD];
    f->nic.offloads = (struct unik_nic_offloads){ .flags = offloads_of(p), .mss = p->gso.gso_size };
    if (!fill(r, f)) {
        nf_rx_release(r, f);
        r->counters[RX_ERRORS]++;
        r->last_error = "too many slots";
        return NULL;
    }
    f->nic.shared = f->nic.n > 1;
    r->counters[RX_FRAMES]++;
    r->counters[RX_BYTES] += p->size;
    return f;
}

int nf_rx_poll(struct rx *r, struct rx_frame **out, const char **why)
{
    struct rx_packet *p = &r->packet;
    int n = ring_waiting(&r->ring);

    *out = NULL;
    *why = "more places are answered than were given";
    if (n < 0)
        return n;
    while (n-- > 0) {
        uint16_t page = r->posted[r->ring.rsp_cons & (NETIF_RING_SIZE - 1)];
        uint8_t entry[NETIF_RX_ENTRY];
        struct netif_rx_response a;

        if (r->n_idle == 0)
            return -EAGAIN;
        ring_take(&r->ring, entry);
        if (p->begun && p->extra) {
            take_extra(p, entry);
            give_back(r, page);
        } else {
            netif_decode_rx_response(entry, &a);
            take_slot(r, page, &a);
        }
        if (!p->extra && !p->more && (*out = finish(r)) != NULL)
            return 1;
    }
    return 0;
}

void nf_rx_release(struct rx *r, struct rx_frame *f)
{
    for (unsigned i = 0; i < f->pages; i++)
        give_back(r, f->page[i]);
    f->pages = 0;
    f->out = false;
    r->counters[RX_HELD]--;
    r->idle[r->n_idle++] = f;
}

void nf_rx_release_all(struct rx *r)
{
    for (unsigned i = 0; i < RX_FRAMES_MAX; i++)
        if (r->frames[i].out)
            nf_rx_release(r, &r->frames[i]);
}
