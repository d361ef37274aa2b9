/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/store.c - the QubesDB keys of one VM, in byte order of their paths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/unik-dom0/store.h"

static void free_entry(struct store_entry *e)
{
    free(e->path);
    free(e->value);
}

void store_free(struct store *s)
{
    for (size_t i = 0; i < s->n; i++)
        free_entry(&s->at[i]);
    free(s->at);
    *s = (struct store){ 0 };
}

size_t store_find(const struct store *s, const char *prefix)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(s->at[middle].path, prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int grow(struct store *s)
{
    size_t room = s->room ? 2 * s->room : 64;
    struct store_entry *at;

    if (s->n < s->room)
        return 0;
    if (s->n >= STORE_KEYS_MAX)
        return -ENOSPC;
    at = realloc(s->at, room * sizeof(*at));
    if (!at)
        return -ENOMEM;
    s->at = at;
    s->room = room;
    return 0;
}

int store_set(struct store *s, const char *path, const void *value, size_t len)
{
    size_t i = store_find(s, path);
    bool there = i < s->n && strcmp(s->at[i].path, path) == 0;
    struct store_entry e = { .len = len };
    int error = there ? 0 : grow(s);

    if (error < 0)
        return error;
    e.path = strdup(path);
    e.value = malloc(len + 1);
    if (!e.path || !e.value) {
        free_entry(&e);
        return -ENOMEM;
    }
    if (len)
        memcpy(e.value, value, len);
    e.value[len] = 0;
    if (there)
        free_entry(&s->at[i]);
    else {
        memmove(&s->at[i + 1], &s->at[i], (s->n - i) * sizeof(e));
        s->n++;
    }
    s->at[i] = e;
    return 0;
}

const struct store_entry *store_get(const struct store *s, const char *path)
{
    size_t i = store_find(s, path);

    return i < s->n && strcmp(s->at[i].path, path) == 0 ? &s->at[i] : NULL;
}

size_t store_remove(struct store *s, const char *path)
{
    size_t from = store_find(s, path), n = strlen(path), to = from;
    bool tree = n && path[n - 1] == '/';

    while (to < s->n && strncmp(s->at[to].path, path, n) == 0 && (tree || s->at[to].path[n] == 0))
        free_entry(&s->at[to++]);
    if (to > from)
        memmove(&s->at[from], &s->at[to], (s->n - to) * sizeof(*s->at));
    s->n -= to - from;
    return to - from;
}
