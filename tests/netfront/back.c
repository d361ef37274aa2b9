/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/netfront/back.c - see back.h. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include "protocol/xenstore.h"
#include "tests/netfront/back.h"
#include "tests/vchan/fake-xen.h"

extern const struct unik_plugin unik_plugin_netfront;

/* ---- the user ---- */

static void on_input(void *arg, struct unik_nic_frame *f)
{
    struct user *u = arg;

    u->frames++;
    u->offloads = f->offloads;
    u->parts = f->n;
    u->shared = f->shared;
    u->size = 0;
    ck_assert_uint_ge(f->n, 1);
    ck_assert_uint_le(f->n, UNIK_NIC_PARTS);
    for (unsigned i = 0; i < f->n; i++) {
        ck_assert_uint_gt(f->parts[i].iov_len, 0);
        ck_assert_uint_le(u->size + f->parts[i].iov_len, UNIK_NIC_FRAME_MAX);
        memcpy(u->bytes + u->size, f->parts[i].iov_base, f->parts[i].iov_len);
        u->size += f->parts[i].iov_len;
    }
    if (u->hold)
        u->held[u->n_held++] = f;
    else
        u->nic->release(u->nic, f);
}

static void on_end(void *arg) { ((struct user *)arg)->ends++; }
static void on_room(void *arg) { ((struct user *)arg)->rooms++; }
static void on_changed(void *arg) { ((struct user *)arg)->changes++; }
static const struct unik_nic_user user = { sizeof(user), on_input, on_end, on_room, on_changed };

/* ---- life ---- */

void back_open(struct back *b)
{
    memset(b, 0, sizeof(*b));
    fake_xen_reset();
    store_open(&b->t, NULL);
}

void back_start(struct back *b, const char *const *options)
{
    const char *all[8] = { "retry=20ms", "retry-max=200ms" };

    for (unsigned i = 0; options && options[i]; i++)
        all[i + 2] = options[i];
    b->ctx = host_add(b->t.h, &unik_plugin_netfront, all);
    ck_assert_ptr_nonnull(b->ctx);
    ck_assert_int_eq(host_start(b->ctx), 0);
    b->nic = host_interface(b->t.h, "nic/1");
    ck_assert_ptr_nonnull(b->nic);
    memset(&b->user, 0, sizeof(b->user));
    b->user.nic = b->nic;
    ck_assert_int_eq(b->nic->attach(b->nic, &user, &b->user), 0);
    ck_assert_int_eq(b->nic->attach(b->nic, &user, &b->user), -EBUSY);
}

void back_stop(struct back *b)
{
    if (host_state(b->ctx) != HOST_STOPPED) {
        b->nic->detach(b->nic);
        host_stop_wait(b->ctx, BACK_SECONDS);
    }
    ck_assert_int_eq(host_state(b->ctx), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(b->ctx, "rx_held"), 0);
}

static bool nothing_asked(struct back *b) { return host_counter(b->t.ctx, "in_flight") == 0; }

void back_close(struct back *b)
{
    back_stop(b);
    back_unmap(b);
    WAIT_UNTIL(b, nothing_asked);
    ck_assert_uint_eq(host_counter(b->t.ctx, "watches"), 0);
    ck_assert_uint_eq(host_counter(b->t.ctx, "transactions"), 0);
    ck_assert_uint_eq(fake_xen_handles(), 0);
    ck_assert_uint_eq(fake_xen_ports(), 0);
    ck_assert_uint_eq(fake_xen_mappings(), 0);
    store_close(&b->t);
}

bool back_until(struct back *b, bool (*cond)(struct back *b))
{
    for (int i = 0; i < 20000 && !cond(b); i++)
        host_run(b->t.h, 0.001);
    return cond(b);
}

void back_run(struct back *b) { host_run(b->t.h, 0.01); }

bool back_is_up(struct back *b) { return b->nic->info(b->nic)->link; }
bool back_is_down(struct back *b) { return !b->nic->info(b->nic)->link; }

/* ---- nodes ---- */

static const char *front_path(struct back *b, const char *leaf)
{
    static char path[200];

    snprintf(path, sizeof(path), "device/vif/%u%s%s", b->number, *leaf ? "/" : "", leaf);
    return path;
}

static const char *back_path(struct back *b, const char *leaf)
{
    static char path[200];

    snprintf(path, sizeof(path), "/local/domain/%u/backend/vif/%u/%u%s%s", b->peer, STORE_DOMID, b->number, *leaf ? "/" : "", leaf);
    return path;
}

/* What the toolstack has taken away, the guest cannot make again: the folder above is not its own. */
void back_front(struct back *b, const char *leaf, const char *value)
{
    xenstored_deny(b->t.s, 0, NULL, 0);
    if (!*leaf && !value)
        xenstored_deny(b->t.s, XENSTORE_WRITE, front_path(b, "state"), -EACCES);
    if (value)
        xenstored_set(b->t.s, front_path(b, leaf), value);
    else
        xenstored_remove(b->t.s, front_path(b, leaf));
}

void back_back(struct back *b, const char *leaf, const char *value)
{
    if (value)
        xenstored_set(b->t.s, back_path(b, leaf), value);
    else
        xenstored_remove(b->t.s, back_path(b, leaf));
}

const char *back_read(struct back *b, const char *leaf)
{
    const char *v = xenstored_get(b->t.s, front_path(b, leaf));

    return v ? v : "";
}

const char *back_state(struct back *b) { return back_read(b, "state"); }

void back_plug(struct back *b, unsigned number, unsigned peer)
{
    char text[16];

    b->number = number;
    b->peer = peer;
    snprintf(text, sizeof(text), "%u", peer);
    back_back(b, "online", "1");
    back_back(b, "state", "1");
    back_back(b, "mac", BACK_MAC);
    back_front(b, "backend", back_path(b, ""));
    back_front(b, "backend-id", text);
    back_front(b, "mac", BACK_MAC);
    back_front(b, "state", "1");
}

void back_unplug(struct back *b)
{
    back_front(b, "", NULL);
    back_back(b, "", NULL);
    back_unmap(b);
}

/* ---- the back end's life ---- */

void back_ready(struct back *b)
{
    static const char *const features[] = { "feature-rx-copy", "feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6",
                                            "feature-ipv6-csum-offload" };

    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        back_back(b, features[i], "1");
    back_back(b, "state", "2");
}

static uint8_t *map(struct back *b, uint32_t ref, int prot)
{
    uint8_t *p = xengnttab_map_domain_grant_refs(b->gnttab, 1, STORE_DOMID, &ref, prot);

    ck_assert_ptr_nonnull(p);
    return p;
}

static void unmap(struct back *b, void *p) { xengnttab_unmap(b->gnttab, p, 1); }

void back_map(struct back *b)
{
    int port;

    b->event = xenevtchn_open(NULL, 0);
    b->gnttab = xengnttab_open(NULL, 0);
    b->tx = map(b, (uint32_t)atoi(back_read(b, "tx-ring-ref")), PROT_READ | PROT_WRITE);
    b->rx = map(b, (uint32_t)atoi(back_read(b, "rx-ring-ref")), PROT_READ | PROT_WRITE);
    port = xenevtchn_bind_interdomain(b->event, STORE_DOMID, (uint32_t)atoi(back_read(b, "event-channel")));
    ck_assert_int_gt(port, 0);
    b->port = (uint32_t)port;
    b->tx_cons = b->rx_cons = b->tx_rsp = b->rx_rsp = 0;
    b->mapped = true;
}

void back_unmap(struct back *b)
{
    if (!b->mapped)
        return;
    unmap(b, b->tx);
    unmap(b, b->rx);
    xengnttab_close(b->gnttab);
    xenevtchn_close(b->event);
    b->mapped = false;
}

static bool is_offered(struct back *b) { return strcmp(back_state(b), "4") == 0; }

void back_connect(struct back *b)
{
    back_ready(b);
    WAIT_UNTIL(b, is_offered);
    back_map(b);
    back_back(b, "state", "4");
    WAIT_UNTIL(b, back_is_up);
}

/* ---- rings ---- */

uint32_t back_index(uint8_t *ring, enum netif_index which) { return __atomic_load_n((uint32_t *)(void *)(ring + which), __ATOMIC_ACQUIRE); }

void back_set_index(uint8_t *ring, enum netif_index which, uint32_t value)
{
    __atomic_store_n((uint32_t *)(void *)(ring + which), value, __ATOMIC_RELEASE);
}

void back_notify(struct back *b) { xenevtchn_notify(b->event, b->port); }

/* As the ring's macros do: an event if the front end asked for one within what is new. */
static void show(struct back *b, uint8_t *ring, uint32_t new)
{
    uint32_t old = back_index(ring, NETIF_RSP_PROD), event;

    back_set_index(ring, NETIF_RSP_PROD, new);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    event = back_index(ring, NETIF_RSP_EVENT);
    if ((uint32_t)(new - event) < (uint32_t)(new - old))
        back_notify(b);
}

static uint8_t *entry_at(uint8_t *ring, uint32_t index, uint32_t size)
{
    return ring + NETIF_RING_ENTRIES + (index & (NETIF_RING_SIZE - 1)) * size;
}

bool back_posted(struct back *b, unsigned n)
{
    for (int i = 0; i < 20000 && back_index(b->rx, NETIF_REQ_PROD) - b->rx_cons < n; i++)
        host_run(b->t.h, 0.001);
    return back_index(b->rx, NETIF_REQ_PROD) - b->rx_cons >= n;
}

bool back_place(struct back *b, struct netif_rx_request *q)
{
    uint32_t posted = back_index(b->rx, NETIF_REQ_PROD) - b->rx_cons;

    ck_assert_uint_le(posted, NETIF_RING_SIZE);
    if (!posted)
        return false;
    netif_decode_rx_request(entry_at(b->rx, b->rx_cons++, NETIF_RX_ENTRY), q);
    return true;
}

void back_answer(struct back *b, const uint8_t entry[NETIF_RX_ENTRY])
{
    memcpy(entry_at(b->rx, b->rx_rsp++, NETIF_RX_ENTRY), entry, NETIF_RX_ENTRY);
}

void back_slot(struct back *b, const void *bytes, size_t n, unsigned offset, unsigned flags)
{
    struct netif_rx_request q;
    struct netif_rx_response a = { .offset = (uint16_t)offset, .flags = (uint16_t)flags, .status = (int16_t)n };
    uint8_t entry[NETIF_RX_ENTRY], *page;

    ck_assert(back_place(b, &q));
    page = map(b, q.ref, PROT_READ | PROT_WRITE);
    if (bytes)
        memcpy(page + offset, bytes, n);
    unmap(b, page);
    a.id = q.id;
    netif_encode_rx_response(entry, &a);
    back_answer(b, entry);
}

void back_show(struct back *b)
{
    back_set_index(b->rx, NETIF_REQ_EVENT, b->rx_cons + 1);
    show(b, b->rx, b->rx_rsp);
}

void back_input(struct back *b, const void *bytes, size_t n, size_t slot, unsigned flags, const struct netif_extra *gso)
{
    const uint8_t *p = bytes;

    for (size_t at = 0; at < n; at += slot) {
        size_t k = n - at < slot ? n - at : slot;
        unsigned f = at + k < n ? NETIF_RX_MORE : 0;

        if (at == 0)
            f |= flags | (gso ? NETIF_RX_EXTRA : 0u);
        back_slot(b, p + at, k, 0, f);
        if (at == 0 && gso) {
            struct netif_rx_request q;
            uint8_t entry[NETIF_RX_ENTRY];

            ck_assert(back_place(b, &q));
            netif_encode_extra(entry, gso);
            back_answer(b, entry);
        }
    }
    back_show(b);
}

static void next_request(struct back *b, uint8_t entry[NETIF_TX_ENTRY])
{
    uint32_t n = back_index(b->tx, NETIF_REQ_PROD) - b->tx_cons;

    ck_assert_uint_le(n, NETIF_RING_SIZE);      /* fatal in netback */
    ck_assert_uint_gt(n, 0);                    /* a packet is shown whole */
    memcpy(entry, entry_at(b->tx, b->tx_cons++, NETIF_TX_ENTRY), NETIF_TX_ENTRY);
}

static void copy_slot(struct back *b, struct packet *p, const struct netif_tx_request *r, size_t n)
{
    uint8_t *page = map(b, r->ref, PROT_READ);

    ck_assert_uint_le(r->offset + n, NETIF_PAGE);
    memcpy(p->bytes + p->size, page + r->offset, n);
    p->size += n;
    unmap(b, page);
}

bool back_take(struct back *b, struct packet *p)
{
    uint8_t entry[NETIF_TX_ENTRY];
    struct netif_tx_request first, r;
    size_t rest;

    if (back_index(b->tx, NETIF_REQ_PROD) == b->tx_cons)
        return false;
    memset(p, 0, offsetof(struct packet, bytes));
    next_request(b, entry);
    netif_decode_tx_request(entry, &first);
    p->flags = first.flags;
    p->id[p->slots++] = first.id;
    ck_assert_uint_ge(first.size, NETIF_ETHERNET);
    if (first.flags & NETIF_TX_EXTRA) {
        struct netif_extra x;

        next_request(b, entry);
        ck_assert_int_eq(netif_decode_extra(entry, &x), 0);
        ck_assert(!x.more);
        p->gso = x;
    }
    /* the first slot's own size is what the others leave of the whole: they must be looked at first */
    rest = first.size;
    if (first.flags & NETIF_TX_MORE) {
        struct netif_tx_request others[NETIF_SLOTS_MAX];
        unsigned n = 0;

        do {
            ck_assert_uint_lt(n, NETIF_SLOTS_MAX - 1);
            next_request(b, entry);
            netif_decode_tx_request(entry, &r);
            ck_assert_uint_lt(r.size, rest);
            rest -= r.size;
            others[n++] = r;
            p->id[p->slots++] = r.id;
        } while (r.flags & NETIF_TX_MORE);
        copy_slot(b, p, &first, rest);
        for (unsigned i = 0; i < n; i++)
            copy_slot(b, p, &others[i], others[i].size);
    } else {
        copy_slot(b, p, &first, rest);
    }
    return true;
}

void back_reply(struct back *b, unsigned id, int status)
{
    struct netif_tx_response a = { .id = (uint16_t)id, .status = (int16_t)status };

    netif_encode_tx_response(entry_at(b->tx, b->tx_rsp++, NETIF_TX_ENTRY), &a);
}

void back_show_tx(struct back *b)
{
    back_set_index(b->tx, NETIF_REQ_EVENT, b->tx_cons + 1);
    show(b, b->tx, b->tx_rsp);
}

void back_done(struct back *b, const struct packet *p, int status)
{
    for (unsigned i = 0; i < p->slots; i++) {
        back_reply(b, p->id[i], status);
        if (i == 0 && p->gso.type)
            back_reply(b, 0xdead, NETIF_NULL);
    }
    back_show_tx(b);
}
