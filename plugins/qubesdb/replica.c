/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/replica.c - a sorted table of keys and values. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qubesdb/replica.h"

#define TABLE_FIRST 64          /* pointers; the table doubles up to max_entries */
#define VALUE_STEP 32           /* a value's memory is a multiple: most rewrites fit where the old value was */

void qubesdb_replica_init(struct qubesdb_replica *r, size_t max_entries, size_t max_bytes)
{
    *r = (struct qubesdb_replica){ .max_entries = max_entries, .max_bytes = max_bytes, .epoch = 1 };
}

void qubesdb_replica_clear(struct qubesdb_replica *r)
{
    qubesdb_replica_sweep(r);
    for (size_t i = 0; i < r->n; i++)
        free(r->at[i]);
    free(r->at);
    r->at = NULL;
    r->n = r->size = r->bytes = 0;
}

/* The index of the first entry whose path compares over `limit` with the given one: -1 not before it, 0 after it. */
static size_t search(const struct qubesdb_replica *r, const char *path, int limit)
{
    size_t low = 0, high = r->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(r->at[middle]->text, path);

        if (order > 0 || (order == 0 && limit < 0))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

size_t qubesdb_replica_from(const struct qubesdb_replica *r, const char *path) { return search(r, path, -1); }
size_t qubesdb_replica_after(const struct qubesdb_replica *r, const char *path) { return search(r, path, 0); }

struct qubesdb_entry *qubesdb_replica_find(const struct qubesdb_replica *r, const char *path)
{
    size_t i = search(r, path, -1);

    return i < r->n && strcmp(r->at[i]->text, path) == 0 ? r->at[i] : NULL;
}

static size_t entry_bytes(const struct qubesdb_entry *e) { return (size_t)e->path_len + e->len; }

static struct qubesdb_entry *entry_new(const char *path, const void *value, size_t len)
{
    size_t path_len = strlen(path), room = (len + VALUE_STEP - 1) / VALUE_STEP * VALUE_STEP;
    struct qubesdb_entry *e = malloc(sizeof(*e) + path_len + 1 + room + 1);

    if (!e)
        return NULL;
    *e = (struct qubesdb_entry){ .len = (uint32_t)len, .room = (uint32_t)room, .path_len = (uint8_t)path_len,
                                 .present = true };
    memcpy(e->text, path, path_len + 1);
    if (len)
        memcpy(qubesdb_entry_value(e), value, len);
    qubesdb_entry_value(e)[len] = 0;
    return e;
}

static int grow(struct qubesdb_replica *r)
{
    size_t size = r->size ? r->size * 2 : TABLE_FIRST;
    struct qubesdb_entry **at;

    if (r->n < r->size)
        return 0;
    at = realloc(r->at, size * sizeof(struct qubesdb_entry *));
    if (!at)
        return -ENOMEM;
    r->at = at;
    r->size = size;
    return 0;
}

static int insert(struct qubesdb_replica *r, size_t i, const char *path, const void *value, size_t len)
{
    struct qubesdb_entry *e;

    if (r->n >= r->max_entries || r->bytes + strlen(path) + len > r->max_bytes)
        return -ENOSPC;
    if (grow(r) < 0 || !(e = entry_new(path, value, len)))
        return -ENOMEM;
    memmove(&r->at[i + 1], &r->at[i], (r->n - i) * sizeof(struct qubesdb_entry *));
    r->at[i] = e;
    r->n++;
    r->bytes += entry_bytes(e);
    return 0;
}

static int replace(struct qubesdb_replica *r, size_t i, const void *value, size_t len)
{
    struct qubesdb_entry *old = r->at[i], *e = old;

    if (len > old->len && r->bytes + len - old->len > r->max_bytes)
        return -ENOSPC;
    r->bytes = r->bytes - old->len + len;
    if (len > old->room || old->lent == r->epoch) {
        e = entry_new(old->text, value, len);
        if (!e) {
            r->bytes = r->bytes - len + old->len;
            return -ENOMEM;
        }
        e->pending = old->pending;
        e->mark = old->mark;
        e->at_dom0 = old->at_dom0;
        e->own = old->own;
        e->lost = old->lost;
        e->kept = old->kept;
        r->at[i] = e;
        qubesdb_replica_bury(r, old);
    } else if (len) {
        memmove(qubesdb_entry_value(e), value, len);
    }
    e->len = (uint32_t)len;
    qubesdb_entry_value(e)[len] = 0;
    e->present = true;
    return 0;
}

int qubesdb_replica_set(struct qubesdb_replica *r, const char *path, const void *value, size_t len,
                        struct qubesdb_entry **out)
{
    size_t i = search(r, path, -1);
    int e;

    if (i < r->n && strcmp(r->at[i]->text, path) == 0)
        e = replace(r, i, value, len);
    else
        e = insert(r, i, path, value, len);
    if (e == 0)
        *out = r->at[i];
    return e;
}

void qubesdb_replica_drop(struct qubesdb_replica *r, struct qubesdb_entry *e)
{
    size_t i = search(r, e->text, -1);

    memmove(&r->at[i], &r->at[i + 1], (r->n - i - 1) * sizeof(struct qubesdb_entry *));
    r->n--;
    r->bytes -= entry_bytes(e);
    qubesdb_replica_bury(r, e);
}

struct qubesdb_entry *qubesdb_replica_cut(struct qubesdb_replica *r, const char *prefix)
{
    size_t from = search(r, prefix, -1), to = from, kept = from, n = strlen(prefix);
    struct qubesdb_entry *list = NULL, **end = &list;

    for (; to < r->n && strncmp(r->at[to]->text, prefix, n) == 0; to++) {
        struct qubesdb_entry *e = r->at[to];

        if (e->pending) {
            e->at_dom0 = false;
            r->at[kept++] = e;
        } else {
            r->bytes -= entry_bytes(e);
            e->next = NULL;
            *end = e;
            end = &e->next;
        }
    }
    if (kept < to) {
        memmove(&r->at[kept], &r->at[to], (r->n - to) * sizeof(struct qubesdb_entry *));
        r->n -= to - kept;
    }
    return list;
}

void qubesdb_replica_bury(struct qubesdb_replica *r, struct qubesdb_entry *e)
{
    e->next = r->buried;
    r->buried = e;
}

void qubesdb_replica_sweep(struct qubesdb_replica *r)
{
    while (r->buried) {
        struct qubesdb_entry *e = r->buried;

        r->buried = e->next;
        free(e);
    }
    if (++r->epoch == 0)
        r->epoch = 1;           /* 0 is "never lent" */
}

int qubesdb_replica_collect(struct qubesdb_replica *r, const char *path, const void *value, size_t len)
{
    return insert(r, r->n, path, value, len);
}

static int by_path(const void *a, const void *b)
{
    const struct qubesdb_entry *const *x = a, *const *y = b;
    int order = strcmp((*x)->text, (*y)->text);

    /* Of equal paths the one that came first comes first: settle() wrote the place of arrival into `lent`. */
    return order ? order : (*x)->lent < (*y)->lent ? -1 : 1;
}

static bool descending(const struct qubesdb_replica *r)
{
    for (size_t i = 1; i < r->n; i++)
        if (strcmp(r->at[i - 1]->text, r->at[i]->text) <= 0)
            return false;
    return true;
}

void qubesdb_replica_settle(struct qubesdb_replica *r)
{
    size_t kept = 0;

    if (descending(r)) {
        for (size_t i = 0; i < r->n / 2; i++) {
            struct qubesdb_entry *e = r->at[i];

            r->at[i] = r->at[r->n - 1 - i];
            r->at[r->n - 1 - i] = e;
        }
        return;
    }
    for (size_t i = 0; i < r->n; i++)
        r->at[i]->lent = (unsigned)i;
    qsort(r->at, r->n, sizeof(struct qubesdb_entry *), by_path);
    for (size_t i = 0; i < r->n; i++) {
        r->at[i]->lent = 0;
        if (i + 1 < r->n && strcmp(r->at[i]->text, r->at[i + 1]->text) == 0) {
            r->bytes -= entry_bytes(r->at[i]);
            free(r->at[i]);
        } else {
            r->at[kept++] = r->at[i];
        }
    }
    r->n = kept;
}
