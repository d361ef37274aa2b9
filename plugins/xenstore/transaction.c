/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/xenstore/transaction.c - open transactions. A domain may have few (10 by xenstored's default), and one that
 * is left open counts until the connection ends: so each that nobody will end is ended here. */
#include <errno.h>
#include <string.h>

#include "plugins/xenstore/client.h"

static struct xenstore_tx *find(struct xenstore *x, uint32_t handle)
{
    for (uint32_t i = 0; i < x->tx_count; i++)
        if (x->txs[i].state != TX_FREE && x->txs[i].handle == handle)
            return &x->txs[i];
    return NULL;
}

static struct xenstore_tx *find_free(struct xenstore *x)
{
    for (uint32_t i = 0; i < x->tx_count; i++)
        if (x->txs[i].state == TX_FREE)
            return &x->txs[i];
    return NULL;
}

static void set(struct xenstore *x, struct xenstore_tx *t, enum xenstore_tx_state state)
{
    x->todo += (state == TX_UNWANTED) - (t->state == TX_UNWANTED);
    *xenstore_count(x, GAUGE_TRANSACTIONS) += (uint64_t)((state != TX_FREE) - (t->state != TX_FREE));
    t->state = state;
}

int xenstore_tx_number(struct xenstore *x, uint32_t handle, uint32_t *number)
{
    struct xenstore_tx *t = find(x, handle);

    if (!t || t->state != TX_OPEN)
        return -EINVAL;
    *number = t->number;
    return 0;
}

static void begin_done(struct xenstore *x, const struct xenstore_request *r, int error, const char *value, size_t len)
{
    struct xenstore_tx *t = find(x, r->ref);

    if (!error && xenstore_decode_tx(value, len, &t->number) < 0) {
        unik_warn(x->ctx, "%s: transaction number makes no sense: \"%.32s\"", x->place, value);
        ++*xenstore_count(x, COUNT_BAD);
        error = -EPROTO;
    }
    if (t)
        set(x, t, error ? TX_FREE : r->silent ? TX_UNWANTED : TX_OPEN);
    if (!r->silent)
        r->cb.tx(error, error ? 0 : r->ref, r->arg);
    xenstore_pump(x);
}

int xenstore_begin(struct unik_xenstore *api, struct unik_ctx *owner, unik_xenstore_tx_cb *cb, void *arg)
{
    struct xenstore *x = xenstore_of(api);
    struct xenstore_message m = { .type = XENSTORE_TRANSACTION_START, .value = "", .len = 1 };
    struct xenstore_tx *t = find_free(x);
    struct xenstore_request *r;
    int e;

    if (!cb)
        return -EINVAL;
    if (x->stopping)
        return -ENOTCONN;
    e = t ? xenstore_send(x, &m, &r) : -ENOSPC;
    if (e == -ENOSPC)
        ++*xenstore_count(x, COUNT_REFUSED);
    if (e < 0)
        return e;
    do {
        r->ref = ++x->tx_serial;
    } while (!r->ref || find(x, r->ref));
    t->handle = r->ref;
    t->owner = r->owner = owner;
    set(x, t, TX_STARTING);
    r->done = begin_done;
    r->cb.tx = cb;
    r->arg = arg;
    return 0;
}

/* Whatever xenstored answers, the transaction is over. */
static void end_done(struct xenstore *x, const struct xenstore_request *r, int error, const char *value, size_t len)
{
    struct xenstore_tx *t = find(x, r->ref);

    (void)value, (void)len;
    if (t)
        set(x, t, TX_FREE);
    if (r->silent || r->internal)
        return;
    if (r->cb.plain)
        r->cb.plain(error, "", 0, r->arg);
    else if (error)
        unik_warn(x->ctx, "%s: end of a transaction: %s", x->place, strerror(-error));
}

static struct xenstore_message end_message(const struct xenstore_tx *t, bool commit)
{
    return (struct xenstore_message){ .type = XENSTORE_TRANSACTION_END, .tx = t->number, .value = commit ? "T" : "F",
                                      .len = 2 };
}

int xenstore_end(struct unik_xenstore *api, struct unik_ctx *owner, uint32_t tx, bool commit, unik_xenstore_cb *cb,
                 void *arg)
{
    struct xenstore *x = xenstore_of(api);
    struct xenstore_tx *t = find(x, tx);
    struct xenstore_message m;
    struct xenstore_request *r;
    int e;

    if (!t || t->state != TX_OPEN)
        return -EINVAL;
    m = end_message(t, commit);
    e = x->stopping ? -ENOTCONN : xenstore_send(x, &m, &r);
    if (e == -ENOSPC && !commit && !cb) {
        /* Giving up always succeeds: it goes out when there is room. */
        set(x, t, TX_UNWANTED);
        return 0;
    }
    if (e == -ENOSPC)
        ++*xenstore_count(x, COUNT_REFUSED);
    if (e < 0)
        return e;
    set(x, t, TX_ENDING);
    r->ref = tx;
    r->owner = owner;
    r->done = end_done;
    r->cb.plain = cb;
    r->arg = arg;
    return 0;
}

void xenstore_txs_pump(struct xenstore *x)
{
    for (uint32_t i = 0; i < x->tx_count; i++) {
        struct xenstore_tx *t = &x->txs[i];
        struct xenstore_message m = end_message(t, false);

        if (t->state == TX_UNWANTED && xenstore_send_own(x, &m, end_done, t->handle) == 0)
            set(x, t, TX_ENDING);
    }
}

void xenstore_txs_lost(struct xenstore *x)
{
    for (uint32_t i = 0; i < x->tx_count; i++)
        set(x, &x->txs[i], TX_FREE);
}

void xenstore_txs_leave(struct xenstore *x)
{
    for (uint32_t i = 0; i < x->tx_count; i++)
        if (x->txs[i].state == TX_OPEN)
            set(x, &x->txs[i], TX_UNWANTED);
}

/* One that is still on its way in is given up when its number comes: its request was made silent. */
size_t xenstore_txs_left(struct xenstore *x, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (uint32_t i = 0; i < x->tx_count; i++)
        if (x->txs[i].state == TX_OPEN && x->txs[i].owner == owner) {
            set(x, &x->txs[i], TX_UNWANTED);
            found++;
        }
    return found;
}
