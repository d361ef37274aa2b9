/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/tx.c - see tx.h. The first request of a frame says its whole size; then come an extra entry for segmentation and
 * the other slots (doc/protocol/network.md, 6). */
#include "plugins/netfront/tx.h"
#include "plugins/netfront/sum.h"

#define SLOTS_WHOLE ((NETIF_PACKET_MAX + NETIF_PAGE - 1) / NETIF_PAGE + 1)     /* the largest frame, and its extra entry */

void nf_tx_init(struct tx *t, uint64_t *counters, void *ring_page, void *pages, const uint32_t *refs, unsigned n)
{
    *t = (struct tx){ .counters = counters, .pages = pages, .refs = refs, .n = n };
    ring_init(&t->ring, ring_page, NETIF_TX_ENTRY);
    while (t->n_free < n) {
        t->free[t->n_free] = (uint16_t)(n - 1 - t->n_free);
        t->n_free++;
    }
}

static size_t length(const struct iovec *parts, unsigned count)
{
    size_t n = 0;

    for (unsigned i = 0; i < count; i++) {
        if (parts[i].iov_len > NETIF_PACKET_MAX)
            return SIZE_MAX;
        n += parts[i].iov_len;
    }
    return n;
}

/* Is it something the peer will take, as it is meant? */
static int check(const struct tx_limits *l, const struct unik_nic_offloads *o, const struct iovec *parts, unsigned count, size_t size)
{
    const unsigned both = UNIK_NIC_TSO4 | UNIK_NIC_TSO6;
    unsigned tso = o->flags & both;
    size_t sum_end = (size_t)o->sum_start + o->sum_offset + 2;

    if (count == 0 || count > UNIK_NIC_PARTS || size < NETIF_ETHERNET || parts[0].iov_len < NETIF_ETHERNET || tso == both)
        return -EINVAL;
    if (tso && (o->mss == 0 || (tso & l->offloads) == 0))
        return -EINVAL;
    if ((tso || (o->flags & UNIK_NIC_SUM)) && (sum_end > parts[0].iov_len || sum_end > NETIF_PAGE))
        return -EINVAL;
    return size > (tso ? UNIK_NIC_FRAME_MAX : l->frame) || (size > NETIF_PAGE && !l->many) ? -EMSGSIZE : 0;
}

static bool is_ipv6(const struct iovec *part)
{
    const uint8_t *p = part->iov_base;

    return p[12] == 0x86 && p[13] == 0xdd;
}

/* A place in the frame that is being read out. */
struct from { const struct iovec *part; size_t at; };

static void copy(uint8_t *to, size_t n, struct from *f)
{
    while (n) {
        size_t left = f->part->iov_len - f->at, k = left < n ? left : n;

        if (k)
            memcpy(to, (const uint8_t *)f->part->iov_base + f->at, k);
        to += k;
        n -= k;
        f->at += k;
        if (f->at == f->part->iov_len) {
            f->part++;
            f->at = 0;
        }
    }
}

/* The next n bytes into a page of their own. size: what the request says. */
static uint8_t *put(struct tx *t, struct from *from, size_t n, size_t size, uint16_t flags)
{
    uint16_t id = t->free[--t->n_free];
    uint8_t *page = t->pages + (size_t)id * NETIF_PAGE;
    struct netif_tx_request r = { .ref = t->refs[id], .flags = flags, .id = id, .size = (uint16_t)size };

    t->busy[id] = true;
    copy(page, n, from);
    netif_encode_tx_request(ring_next(&t->ring), &r);
    return page;
}

static void put_extra(struct tx *t, const struct unik_nic_offloads *o)
{
    struct netif_extra x = { .type = NETIF_EXTRA_GSO, .gso_size = o->mss,
                             .gso_type = o->flags & UNIK_NIC_TSO4 ? NETIF_GSO_TCP4 : NETIF_GSO_TCP6 };
    uint8_t *entry = ring_next(&t->ring);

    memset(entry, 0, NETIF_TX_ENTRY);
    netif_encode_extra(entry, &x);
    t->extras++;
}

int nf_tx_send(struct tx *t, const struct tx_limits *limits, const struct unik_nic_offloads *offloads, const struct iovec *parts,
            unsigned count)
{
    static const struct unik_nic_offloads none;
    const struct unik_nic_offloads *o = offloads ? offloads : &none;
    size_t size = length(parts, count), left = size;
    struct from from = { parts, 0 };
    bool tso = (o->flags & (UNIK_NIC_TSO4 | UNIK_NIC_TSO6)) != 0, blank = tso || (o->flags & UNIK_NIC_SUM), first = true;
    unsigned slots = (unsigned)((size + NETIF_PAGE - 1) / NETIF_PAGE);
    int e = check(limits, o, parts, count, size);

    if (e < 0)
        return e;
    if (t->n_free < slots || ring_space(&t->ring) < slots + tso)
        return -EAGAIN;
    if (blank && !tso && (!(limits->offloads & UNIK_NIC_SUM) || (is_ipv6(parts) && !limits->sum6)))
        blank = false;
    while (left) {
        size_t n = left < NETIF_PAGE ? left : NETIF_PAGE;
        unsigned flags = left > n ? NETIF_TX_MORE : 0;
        uint8_t *page;

        if (first && blank)
            flags |= NETIF_TX_BLANK | NETIF_TX_VALIDATED;
        if (first && tso)
            flags |= NETIF_TX_EXTRA;
        page = put(t, &from, n, first ? size : n, (uint16_t)flags);
        if (first && !blank && (o->flags & UNIK_NIC_SUM))
            nf_sum_complete(page, o->sum_start, o->sum_offset, parts, count);
        if (first && tso)
            put_extra(t, o);
        first = false;
        left -= n;
    }
    t->counters[TX_FRAMES]++;
    t->counters[TX_BYTES] += size;
    return 0;
}

/* From the backend domain: any id, any status. */
static const char *take_back(struct tx *t, const struct netif_tx_response *r)
{
    if (r->status == NETIF_NULL) {
        if (t->extras == 0)
            return "an answer to an extra entry that was not sent";
        t->extras--;
        return NULL;
    }
    if (r->id >= t->n || !t->busy[r->id])
        return "a sent page that it does not have is given back";
    t->busy[r->id] = false;
    t->free[t->n_free++] = r->id;
    t->counters[TX_DROPPED] += r->status == NETIF_DROPPED;
    t->counters[TX_ERRORS] += r->status != NETIF_DROPPED && r->status != NETIF_OKAY;
    return NULL;
}

int nf_tx_reap(struct tx *t, const char **why)
{
    int n = t->broken ? 0 : ring_waiting(&t->ring);

    if (n < 0)
        t->broken = "more sent packets are answered than there were";
    while (!t->broken && n-- > 0) {
        uint8_t entry[NETIF_TX_ENTRY];
        struct netif_tx_response r;

        ring_take(&t->ring, entry);
        netif_decode_tx_response(entry, &r);
        t->broken = take_back(t, &r);
    }
    *why = t->broken;
    return t->broken ? -EPROTO : 0;
}

bool nf_tx_want_room(struct tx *t)
{
    unsigned half = ring_pending(&t->ring) / 2;

    return ring_sleep(&t->ring, half ? half : 1);
}

bool nf_tx_has_room(const struct tx *t) { return t->n_free >= SLOTS_WHOLE && ring_space(&t->ring) >= SLOTS_WHOLE; }
