/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/messages.c - what a message from dom0 does.
 *
 * dom0 is trusted to configure this VM; still nothing is taken that the protocol does not allow, as it would mean that
 * the two sides are out of step. Then a new connection with a new dump is the way back.
 */
#include <errno.h>
#include <string.h>

#include "plugins/qubesdb/client.h"

static bool has_nul(const struct qubesdb *q)
{
    return memchr(q->in + QUBESDB_HEADER, 0, q->header.len) != NULL;
}

/* from dom0 */
const char *qubesdb_refuse_header(const struct qubesdb *q)
{
    const struct qubesdb_header *h = &q->header;
    size_t n = strlen(h->path);

    if (!qubesdb_from_dom0(h->type))
        return "no such message to a VM";
    if (q->phase == QUBESDB_SYNCING) {
        if (h->type != QUBESDB_GOT_MULTIREAD)
            return "in the middle of the dump";
        return n == 0 && h->len ? "the end of the dump has no value" : NULL;
    }
    switch (h->type) {
    case QUBESDB_GOT_MULTIREAD:
        return "after the end of the dump";
    case QUBESDB_WRITE:
        return qubesdb_key_ok(h->path) ? NULL : "not a key";
    case QUBESDB_RM:
        if (h->len)
            return "must have no value";
        if (n && h->path[0] == '/' && h->path[n - 1] == '/' && qubesdb_path_ok(h->path))
            return NULL;
        return qubesdb_key_ok(h->path) ? NULL : "not a key";
    default:
        return h->len ? "must have no value" : NULL;
    }
}

/* A change that only dom0's message caused: tell. */
static void tell(struct qubesdb *q, const char *path, bool repeat)
{
    qubesdb_watches_begin(&q->watches);
    qubesdb_watches_tell(&q->watches, &q->replica, path, repeat);
    qubesdb_watches_end(&q->watches);
}

/* Entries that left the table, one batch. */
static void tell_removed(struct qubesdb *q, struct qubesdb_entry *list)
{
    while (list) {
        struct qubesdb_entry *e = list;

        list = e->next;
        qubesdb_watches_tell(&q->watches, &q->replica, qubesdb_entry_path(e), false);
        qubesdb_replica_bury(&q->replica, e);
    }
}

static void skipped(struct qubesdb *q, const char *path, size_t len, const char *why)
{
    qubesdb_count(q, QUBESDB_SKIPPED);
    unik_warn(q->ctx, "key \"%s\" (%zu bytes) from dom0 skipped: %s", path, len, why);
}

static const char *store_error(int e)
{
    return e == -ENOSPC ? "the replica is full (max-entries, max-bytes)" : "no memory";
}

/* from dom0: always RESP_OK, whatever became of the request here. Any other answer, or one to a path that it would not
 * take, ends dom0's daemon; no answer at all does nothing to it. */
static void answer(struct qubesdb *q, const char *path)
{
    uint8_t message[QUBESDB_HEADER];
    int n = qubesdb_encode(message, sizeof(message), QUBESDB_OK, path, NULL, 0);

    if (n < 0 || unik_ring_room(&q->answers) < (size_t)n) {
        qubesdb_count(q, QUBESDB_ANSWERS_DROPPED);
        return;
    }
    unik_ring_put(&q->answers, message, (size_t)n);
}

/* from dom0: WRITE. Where an own request is on its way, dom0 will get that one after this, so ours is what stays. */
static void on_write(struct qubesdb *q, const char *path, const char *value, size_t len)
{
    struct qubesdb_entry *e = qubesdb_replica_find(&q->replica, path);
    bool same = e && e->len == len && memcmp(qubesdb_entry_value(e), value, len) == 0;
    int error;

    qubesdb_count(q, QUBESDB_WRITES_IN);
    answer(q, path);
    if (e && e->pending) {
        e->at_dom0 = true;
        return;
    }
    if (!same) {
        error = qubesdb_replica_set(&q->replica, path, value, len, &e);
        if (error < 0) {
            skipped(q, path, len, store_error(error));
            if (e) {                    /* what we have is wrong now: better nothing */
                qubesdb_replica_drop(&q->replica, e);
                tell(q, path, false);
            }
            return;
        }
    }
    e->at_dom0 = true;
    e->own = e->kept = false;
    tell(q, path, same);
}

/* from dom0: RM of a key, or of everything below "path/". */
static void on_remove(struct qubesdb *q, const char *path)
{
    struct qubesdb_entry *e;

    qubesdb_count(q, QUBESDB_REMOVES_IN);
    answer(q, path);
    if (path[strlen(path) - 1] == '/') {
        e = qubesdb_replica_cut(&q->replica, path);
        qubesdb_watches_begin(&q->watches);
        tell_removed(q, e);
        qubesdb_watches_end(&q->watches);
        return;
    }
    e = qubesdb_replica_find(&q->replica, path);
    if (!e)
        return;
    if (e->pending) {
        e->at_dom0 = false;
        return;
    }
    qubesdb_replica_drop(&q->replica, e);
    tell(q, path, false);
}

/* from dom0: an entry of the dump. One that we cannot keep is skipped: to reconnect would bring it back for ever. */
static void on_entry(struct qubesdb *q, const char *path, const char *value, size_t len)
{
    int e;

    if (!qubesdb_key_ok(path) || has_nul(q)) {
        skipped(q, path, len, "not a valid key or value");
        return;
    }
    e = qubesdb_replica_collect(&q->dump, path, value, len);
    if (e < 0)
        skipped(q, path, len, store_error(e));
}

/* Tell what the dump changed. By path, as callbacks may add and remove keys. */
static void tell_merged(struct qubesdb *q, struct qubesdb_entry *removed)
{
    char path[QUBESDB_PATH] = "";
    size_t i;

    qubesdb_watches_begin(&q->watches);
    tell_removed(q, removed);
    while ((i = qubesdb_replica_after(&q->replica, path)) < q->replica.n) {
        struct qubesdb_entry *e = q->replica.at[i];
        uint8_t mark = e->mark;

        memcpy(path, e->text, e->path_len + 1u);
        e->mark = QUBESDB_SAME;
        if (mark != QUBESDB_SAME)
            qubesdb_watches_tell(&q->watches, &q->replica, path, mark == QUBESDB_COMMITTED);
    }
    qubesdb_watches_end(&q->watches);
}

/* from dom0: the dump is complete. */
static void on_end(struct qubesdb *q)
{
    struct qubesdb_entry *marker = qubesdb_replica_find(&q->replica, q->config->marker);
    struct qubesdb_queue again;
    struct qubesdb_merged m;
    bool silent, new_store;

    qubesdb_replica_settle(&q->dump);
    silent = qubesdb_keep(&q->replica, &q->dump, q->config->marker);
    new_store = silent || qubesdb_store_is_new(&q->replica, &q->dump, q->config->marker);
    if (new_store) {
        if (marker)
            marker->own = true;         /* it may be there from a process before this one */
        if (qubesdb_own_prepare(q, &again) < 0) {
            qubesdb_lost(q, "no memory");
            return;
        }
    }
    if (qubesdb_merge(&q->replica, &q->dump, new_store, &m) < 0) {
        if (new_store)
            qubesdb_queue_free(&again);
        qubesdb_lost(q, "no memory");
        return;
    }
    if (new_store)
        qubesdb_own_again(q, &again);
    q->phase = QUBESDB_LIVE;
    q->synced = true;
    q->synced_at = ev_now(q->ctx->loop);
    qubesdb_count(q, QUBESDB_SYNCS);
    unik_info(q->ctx, "synced: %zu keys (%zu new, %zu changed, %zu removed)%s", q->replica.n, m.added, m.changed,
              m.gone, new_store ? "; dom0's daemon is a new one, our keys go out again" : "");
    if (silent)
        unik_warn(q->ctx, "dom0's daemon is a new one without the keys it had: %zu of them stay as they were", m.kept);
    tell_merged(q, m.removed);
    if (q->watches.due)
        qubesdb_watches_serve(&q->watches, &q->replica);
    if (q->watches.due)
        qubesdb_kick(q);
    unik_ready(q->ctx);
}

/* from dom0 */
void qubesdb_message(struct qubesdb *q)
{
    const struct qubesdb_header *h = &q->header;
    const char *value = (const char *)q->in + QUBESDB_HEADER;
    char shown[QUBESDB_SHOWN];

    switch (h->type) {
    case QUBESDB_GOT_MULTIREAD:
        if (h->path[0])
            on_entry(q, h->path, value, h->len);
        else
            on_end(q);
        break;
    case QUBESDB_WRITE:
        if (has_nul(q)) {
            qubesdb_violation(q, "NUL in the value");
            break;
        }
        qubesdb_show(shown, h->path, value, h->len);
        unik_debug(q->ctx, "dom0 wrote %s = %s", h->path, shown);
        on_write(q, h->path, value, h->len);
        break;
    case QUBESDB_RM:
        unik_debug(q->ctx, "dom0 removed %s", h->path);
        on_remove(q, h->path);
        break;
    default:
        qubesdb_own_answer(q, h);
    }
}
