/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/own.c - own writes and removals on their way to dom0.
 *
 * A request is in the replica at once and in the queue until dom0 has answered it; after a reconnect what is in the
 * queue goes out again, in order. merge.c has the rule for what had been answered.
 *
 * A removal of a key that dom0's daemon does not have ends that daemon, until the VM is restarted. So it goes out only
 * when no other request of ours is unanswered, all input is taken, and by all that dom0 told and acknowledged the key
 * is there; one that dom0 has made unnecessary meanwhile is dropped. What is left is dom0's own removal crossing ours.
 */
#include <errno.h>
#include <string.h>

#include "plugins/qubesdb/client.h"

/* There is room for it, and it is valid. */
static void enqueue(struct qubesdb *q, struct qubesdb_queue *queue, enum qubesdb_type type, struct qubesdb_entry *e)
{
    uint64_t *high = &q->ctx->counters[QUBESDB_PENDING_HIGH];
    bool write = type == QUBESDB_WRITE;
    int error = qubesdb_queue_push(queue, type, e->text, write ? qubesdb_entry_value(e) : NULL, write ? e->len : 0);

    if (error < 0) {
        unik_error(q->ctx, "%s of %s (%u bytes) not queued: %s", qubesdb_type_name(type), e->text, e->len,
                   strerror(-error));
        return;
    }
    e->pending++;
    if (queue->count > *high)
        *high = queue->count;
}

static bool marker_missing(const struct qubesdb *q)
{
    const struct qubesdb_entry *e;

    if (!q->config->marker[0])
        return false;
    e = qubesdb_replica_find(&q->replica, q->config->marker);
    return !e || !e->present;
}

int qubesdb_own_write(struct qubesdb *q, const char *path, const void *value, size_t len)
{
    bool mark = marker_missing(q) && strcmp(path, q->config->marker) != 0, appeared;
    size_t bytes = QUBESDB_HEADER + len + (mark ? QUBESDB_HEADER + 1 : 0);
    struct qubesdb_entry *e, *marker;

    if (!qubesdb_key_ok(path) || len > QUBESDB_VALUE_MAX || (len && memchr(value, 0, len)))
        return -EINVAL;
    if (!qubesdb_queue_fits(&q->queue, bytes))
        return -ENOSPC;
    e = qubesdb_replica_find(&q->replica, path);
    appeared = !e || !e->present;
    if (qubesdb_replica_set(&q->replica, path, value, len, &e) < 0)
        return -ENOSPC;
    if (mark && qubesdb_replica_set(&q->replica, q->config->marker, "1", 1, &marker) == 0)
        enqueue(q, &q->queue, QUBESDB_WRITE, marker);
    enqueue(q, &q->queue, QUBESDB_WRITE, e);
    if (appeared)
        qubesdb_watches_appeared(&q->watches, e->text);
    qubesdb_kick(q);
    return 0;
}

static void drop_if_over(struct qubesdb *q, struct qubesdb_entry *e)
{
    if (e->pending == 0 && !e->present)
        qubesdb_replica_drop(&q->replica, e);
}

int qubesdb_own_remove(struct qubesdb *q, const char *path)
{
    struct qubesdb_entry *e;

    if (!qubesdb_key_ok(path))
        return -EINVAL;
    e = qubesdb_replica_find(&q->replica, path);
    if (!e || !e->present)
        return -ENOENT;
    if (e->at_dom0 || e->pending) {
        if (!qubesdb_queue_fits(&q->queue, QUBESDB_HEADER))
            return -ENOSPC;
        enqueue(q, &q->queue, QUBESDB_RM, e);
    }
    e->present = false;
    drop_if_over(q, e);
    qubesdb_kick(q);
    return 0;
}

/* from dom0. Answers come in the order of the requests. */
void qubesdb_own_answer(struct qubesdb *q, const struct qubesdb_header *h)
{
    struct qubesdb_header asked;
    struct qubesdb_entry *e;

    if (!qubesdb_queue_oldest(&q->queue, &asked)) {
        qubesdb_violation(q, "an answer, and nothing was asked");
        return;
    }
    if (strcmp(asked.path, h->path) != 0) {
        unik_error(q->ctx, "dom0 was asked for %s of %s", qubesdb_type_name(asked.type), asked.path);
        qubesdb_violation(q, "an answer to something else");
        return;
    }
    qubesdb_queue_answered(&q->queue);
    e = qubesdb_replica_find(&q->replica, h->path);
    if (!e || e->pending == 0)
        return;
    e->pending--;
    if (h->type == QUBESDB_OK) {
        qubesdb_count(q, QUBESDB_ACKS);
        e->at_dom0 = e->own = asked.type == QUBESDB_WRITE;
        e->kept = false;
    } else {
        qubesdb_count(q, QUBESDB_REFUSED);
        unik_warn(q->ctx, "dom0 refused %s of %s (%u bytes): %s", qubesdb_type_name(asked.type), asked.path,
                  (unsigned)asked.len, h->type == QUBESDB_ERROR ? "error" : "no such key; its daemon ends after this");
        e->own = false;
        if (h->type == QUBESDB_ERROR_NOENT)
            e->at_dom0 = false;
    }
    drop_if_over(q, e);
}

/* The next request that dom0 needs to hear of: its length; 0: none may go out now. */
static size_t next_request(struct qubesdb *q, struct qubesdb_header *h)
{
    struct qubesdb_entry *e;
    size_t n;

    while ((n = qubesdb_queue_next(&q->queue, h)) > 0 && h->type == QUBESDB_RM) {
        if (!qubesdb_queue_idle(&q->queue))
            return 0;
        e = qubesdb_replica_find(&q->replica, h->path);
        if (e && e->at_dom0)
            return n;
        unik_debug(q->ctx, "dom0 has removed %s already", h->path);
        qubesdb_queue_skip(&q->queue, n);
        if (e) {
            e->pending--;
            drop_if_over(q, e);
        }
    }
    return n;
}

bool qubesdb_own_send(struct qubesdb *q)
{
    struct qubesdb_header h;
    size_t n = next_request(q, &h);

    if (n == 0 || unik_stream_room(q->stream) < n)
        return false;
    if (unik_stream_write(q->stream, qubesdb_queue_bytes(&q->queue, n), n) != (ssize_t)n)
        return false;
    qubesdb_queue_sent(&q->queue, n);
    qubesdb_count(q, h.type == QUBESDB_WRITE ? QUBESDB_WRITES_OUT : QUBESDB_REMOVES_OUT);
    return true;
}

int qubesdb_own_prepare(struct qubesdb *q, struct qubesdb_queue *again)
{
    size_t bytes = unik_ring_used(&q->queue.ring);
    int e;

    for (size_t i = 0; i < q->replica.n; i++)
        if (q->replica.at[i]->own)
            bytes += QUBESDB_HEADER + q->replica.at[i]->len;
    e = qubesdb_queue_init(again, bytes > q->queue.most ? bytes : q->queue.most);
    again->most = q->queue.most;        /* the larger ring is for these; new requests wait until it has emptied */
    return e;
}

static void write_again(struct qubesdb *q, struct qubesdb_queue *again, struct qubesdb_entry *e)
{
    e->lost = false;
    enqueue(q, again, QUBESDB_WRITE, e);
    qubesdb_count(q, QUBESDB_RESENT);
}

/* The marker first: with it in the store, a connection that breaks off in the middle leaves nothing in doubt. Then
 * children before parents (descending, as dom0 dumps): a parent's write is the trigger to look at its children. */
void qubesdb_own_again(struct qubesdb *q, struct qubesdb_queue *again)
{
    struct qubesdb_entry *marker = qubesdb_replica_find(&q->replica, q->config->marker);

    if (marker && marker->lost)
        write_again(q, again, marker);
    for (size_t i = q->replica.n; i-- > 0;)
        if (q->replica.at[i]->lost)
            write_again(q, again, q->replica.at[i]);
    qubesdb_queue_append(again, &q->queue);
    q->queue = *again;
}
