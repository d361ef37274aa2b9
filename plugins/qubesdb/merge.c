/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/merge.c - what a new dump changes in the replica.
 *
 * dom0's word holds, with two exceptions for what we wrote ourselves:
 *   1. A key with an own request that dom0 has not answered keeps our state. The request goes out again, so that it is
 *      newer than whatever the dump has. (It may have been carried out, and dom0 may have removed the key since: that
 *      cannot be told from a request that was lost, and nothing accepted may be lost.)
 *   2. A key whose last writer was us, acknowledged, and that the dump lacks: gone if dom0's daemon is the same one
 *      (dom0 removed it while we were away: it must not come back); kept and written again if the daemon has started
 *      anew with an empty store (nobody removed it).
 * A key that the dump has with another value is dom0's again in any case; with the same value it stays whose it was.
 *
 * A daemon that has started anew is empty until somebody writes, which may be long after, and key by key. That is no
 * word of dom0 about the keys it had: those stay as they are, through any number of dumps, until they are written or
 * removed one by one.
 *
 * Whether the daemon is a new one shows by keys that were in the store, and that nobody has a reason to remove: a marker,
 * which we write before the first write of our own; the name of the VM; and all keys of dom0 together. As long as the
 * marker is there, the store is the one we know. Once dom0 has filled a new one (the name is there), its word holds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qubesdb/replica.h"

struct merge {
    struct qubesdb_merged *m;
    bool new_store;
    struct qubesdb_entry **at;
    size_t n, bytes;
    struct qubesdb_entry **removed;     /* the end of the list */
};

#define NAME "/name"            /* dom0 writes it at each start of the VM, and never removes it */

static bool was_there(const struct qubesdb_replica *r, const char *path)
{
    const struct qubesdb_entry *e = qubesdb_replica_find(r, path);

    return e && e->at_dom0;
}

bool qubesdb_store_is_new(const struct qubesdb_replica *r, const struct qubesdb_replica *dump, const char *marker)
{
    return was_there(r, marker) && !qubesdb_replica_find(dump, marker);
}

static bool same_value(struct qubesdb_entry *a, struct qubesdb_entry *b)
{
    return a->len == b->len && memcmp(qubesdb_entry_value(a), qubesdb_entry_value(b), a->len) == 0;
}

/* Nothing in the dump but what we wrote ourselves, or not the key that dom0 writes first. */
static bool dom0_is_silent(const struct qubesdb_replica *r, const struct qubesdb_replica *dump)
{
    if (was_there(r, NAME) && !qubesdb_replica_find(dump, NAME))
        return true;
    for (size_t i = 0; i < dump->n; i++) {
        struct qubesdb_entry *e = qubesdb_replica_find(r, dump->at[i]->text);

        if (!e || (!e->pending && (!e->own || !same_value(e, dump->at[i]))))
            return false;
    }
    return true;
}

bool qubesdb_keep(struct qubesdb_replica *r, const struct qubesdb_replica *dump, const char *marker)
{
    bool any = false;

    if ((was_there(r, marker) && qubesdb_replica_find(dump, marker)) || !dom0_is_silent(r, dump))
        return false;
    for (size_t i = 0; i < r->n; i++) {
        struct qubesdb_entry *e = r->at[i];

        if (!e->at_dom0 || e->own || e->pending || strcmp(e->text, marker) == 0)
            continue;
        e->kept = any = true;
    }
    return any;
}

static void keep(struct merge *s, struct qubesdb_entry *e)
{
    s->at[s->n++] = e;
    s->bytes += (size_t)e->path_len + e->len;
}

/* A key that the dump lacks. */
static void only_ours(struct merge *s, struct qubesdb_entry *e)
{
    e->at_dom0 = false;
    if (e->pending) {
        keep(s, e);
    } else if (e->kept) {
        s->m->kept++;
        keep(s, e);
    } else if (e->own && s->new_store) {
        e->lost = true;
        s->m->lost++;
        keep(s, e);
    } else {
        e->next = NULL;
        *s->removed = e;
        s->removed = &e->next;
        s->m->gone++;
    }
}

/* A key of the dump; ours: the replica's entry, or NULL. The one that is not kept is buried or freed. */
static void in_dump(struct merge *s, struct qubesdb_replica *r, struct qubesdb_entry *ours,
                    struct qubesdb_entry *theirs)
{
    theirs->at_dom0 = true;
    if (!ours) {
        theirs->mark = QUBESDB_CHANGED;
        s->m->added++;
        keep(s, theirs);
    } else if (ours->pending || same_value(ours, theirs)) {
        ours->at_dom0 = true;
        ours->kept = false;
        keep(s, ours);
        free(theirs);
    } else {
        theirs->mark = QUBESDB_CHANGED;
        s->m->changed++;
        keep(s, theirs);
        qubesdb_replica_bury(r, ours);
    }
}

/* Mark the empty directory keys above a path that differs, so that whoever waits for commits looks again. */
static void mark_above(const struct qubesdb_replica *r, const char *path)
{
    char above[64];

    for (size_t i = 1; path[i] && i < sizeof(above); i++)
        if (path[i] == '/') {
            struct qubesdb_entry *e;

            memcpy(above, path, i);
            above[i] = 0;
            e = qubesdb_replica_find(r, above);
            if (e && e->present && e->len == 0 && e->mark == QUBESDB_SAME)
                e->mark = QUBESDB_COMMITTED;
        }
}

int qubesdb_merge(struct qubesdb_replica *r, struct qubesdb_replica *dump, bool new_store, struct qubesdb_merged *m)
{
    size_t room = r->n + dump->n, i = 0, j = 0;
    struct merge s = { .m = m, .new_store = new_store, .removed = &m->removed };

    *m = (struct qubesdb_merged){ 0 };
    s.at = malloc((room ? room : 1) * sizeof(struct qubesdb_entry *));
    if (!s.at)
        return -ENOMEM;
    while (i < r->n || j < dump->n) {
        int order = i == r->n ? 1 : j == dump->n ? -1 : strcmp(r->at[i]->text, dump->at[j]->text);

        if (order < 0)
            only_ours(&s, r->at[i++]);
        else if (order > 0)
            in_dump(&s, r, NULL, dump->at[j++]);
        else
            in_dump(&s, r, r->at[i++], dump->at[j++]);
    }
    free(r->at);
    r->at = s.at;
    r->n = s.n;
    r->size = room ? room : 1;
    r->bytes = s.bytes;
    dump->n = 0;
    qubesdb_replica_clear(dump);
    for (i = 0; i < r->n; i++)
        if (r->at[i]->mark == QUBESDB_CHANGED)
            mark_above(r, r->at[i]->text);
    for (const struct qubesdb_entry *e = m->removed; e; e = e->next)
        mark_above(r, e->text);
    return 0;
}
