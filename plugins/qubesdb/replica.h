/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/replica.h - the keys of this VM as dom0 has them, plus what we wrote ourselves: a sorted table.
 *
 * An entry may be in the table without being `present`: we removed it, and dom0 has not acknowledged that yet.
 * Pointers handed to readers stay valid until the next return to the loop: what is replaced or taken out meanwhile is
 * buried, and freed by qubesdb_replica_sweep().
 */
#ifndef PLUGINS_QUBESDB_REPLICA_H
#define PLUGINS_QUBESDB_REPLICA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum qubesdb_mark {
    QUBESDB_SAME,
    QUBESDB_CHANGED,            /* new or another value since the last dump */
    QUBESDB_COMMITTED           /* an empty directory key: the same, but something below it differs */
};

struct qubesdb_entry {
    struct qubesdb_entry *next; /* in a list of entries that left the table */
    uint32_t len, room;         /* bytes of value; of memory for it, without the NUL */
    uint32_t pending;           /* own requests on this key that dom0 has not answered */
    unsigned lent;              /* the epoch in which a reader was given a pointer */
    uint8_t path_len;
    uint8_t mark;               /* enum qubesdb_mark, between a sync and its telling */
    bool present;               /* readers see it */
    bool at_dom0;               /* dom0's daemon has the key, by all it told and acknowledged */
    bool own;                   /* what it has is our write */
    bool lost;                  /* ours, and dom0's new daemon does not have it: to be written again */
    bool kept;                  /* dom0's, and its new daemon has not had it yet: only a removal of this key removes it */
    char text[];                /* path, NUL, value, NUL */
};

struct qubesdb_replica {
    struct qubesdb_entry **at;  /* ascending byte order; while a dump is collected: as it arrives */
    size_t n, size;
    size_t bytes;               /* of paths and values */
    size_t max_entries, max_bytes;
    unsigned epoch;
    struct qubesdb_entry *buried;
};

static inline const char *qubesdb_entry_path(const struct qubesdb_entry *e) { return e->text; }
static inline char *qubesdb_entry_value(struct qubesdb_entry *e) { return e->text + e->path_len + 1; }

void qubesdb_replica_init(struct qubesdb_replica *r, size_t max_entries, size_t max_bytes);
/* Everything, buried entries included; the limits stay. */
void qubesdb_replica_clear(struct qubesdb_replica *r);

/* The entry of a path, present or not; NULL. */
struct qubesdb_entry *qubesdb_replica_find(const struct qubesdb_replica *r, const char *path);
/* The index of the first entry that is not before the path; after it. */
size_t qubesdb_replica_from(const struct qubesdb_replica *r, const char *path);
size_t qubesdb_replica_after(const struct qubesdb_replica *r, const char *path);

/* Store a value; *out is the entry, present now. The path is valid, the value within limits. Other marks of a new entry
 * are off, those of an old one stay. 0, -ENOSPC (limits), -ENOMEM; then nothing has changed. */
int qubesdb_replica_set(struct qubesdb_replica *r, const char *path, const void *value, size_t len,
                        struct qubesdb_entry **out);

/* Take an entry out and bury it. */
void qubesdb_replica_drop(struct qubesdb_replica *r, struct qubesdb_entry *e);
/* Take out what begins with prefix (and has no own request pending: such an entry is only marked as not at dom0).
 * A list in byte order through `next`, to be buried. */
struct qubesdb_entry *qubesdb_replica_cut(struct qubesdb_replica *r, const char *prefix);

/* A reader gets a pointer: the value's memory is not to be used again in this epoch. */
static inline void qubesdb_replica_lend(const struct qubesdb_replica *r, struct qubesdb_entry *e)
{
    e->lent = r->epoch;
}
void qubesdb_replica_bury(struct qubesdb_replica *r, struct qubesdb_entry *e);
/* Back in the loop: nobody holds a pointer any more. */
void qubesdb_replica_sweep(struct qubesdb_replica *r);

/* Collect a dump: add at the end, whatever the order. -ENOSPC, -ENOMEM. Then settle: sorted, of two with the same path
 * the later. dom0 sends in descending order, which costs one reversal. */
int qubesdb_replica_collect(struct qubesdb_replica *r, const char *path, const void *value, size_t len);
void qubesdb_replica_settle(struct qubesdb_replica *r);

/* ---- merge.c ---- */

struct qubesdb_merged {
    struct qubesdb_entry *removed;  /* list in byte order: keys that readers saw and that are gone; to be buried */
    size_t added, changed, gone, lost, kept;
};

/* Does a settled dump come from a store that is not the one our marker was in? */
bool qubesdb_store_is_new(const struct qubesdb_replica *r, const struct qubesdb_replica *dump, const char *marker);
/* If the dump is that of a daemon which has started anew and been told nothing by dom0 yet: mark what dom0 had as to be
 * kept, and true. */
bool qubesdb_keep(struct qubesdb_replica *r, const struct qubesdb_replica *dump, const char *marker);

/* Bring the replica up to a settled dump, which is empty afterwards. new_store: dom0's daemon has started anew, so that
 * own keys it lacks were not removed by anybody. 0, or -ENOMEM: nothing has changed. */
int qubesdb_merge(struct qubesdb_replica *r, struct qubesdb_replica *dump, bool new_store, struct qubesdb_merged *m);

#endif
