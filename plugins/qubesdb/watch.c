/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/watch.c - who is told of what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/qubesdb.h"
#include "plugins/qubesdb/watch.h"

static bool is_prefix(const struct unik_qubesdb_watch *w) { return w->copy[w->len - 1] == '/'; }

static bool matches(const struct unik_qubesdb_watch *w, const char *path, size_t n)
{
    if (is_prefix(w))
        return n > w->len && memcmp(w->copy, path, w->len) == 0;
    return n == w->len && memcmp(w->copy, path, n) == 0;
}

static bool path_ok(const char *path, bool await)
{
    return qubesdb_key_ok(path) ||
           (!await && path[0] == '/' && path[strlen(path) - 1] == '/' && qubesdb_path_ok(path));
}

int qubesdb_watches_add(struct qubesdb_watches *s, const struct unik_qubesdb_watch *model,
                        struct unik_qubesdb_watch **out)
{
    struct unik_qubesdb_watch *w;

    if (!model->cb || !path_ok(model->path, model->await))
        return -EINVAL;
    if (s->n == QUBESDB_WATCHES_MAX)
        return -ENOSPC;
    w = malloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    *w = *model;
    w->len = strlen(model->path);
    memcpy(w->copy, model->path, w->len + 1);
    w->path = w->copy;
    w->due = w->await || (w->flags & UNIK_QUBESDB_NOW);
    w->gone = false;
    w->since = s->batch;
    w->next = NULL;
    w->prev = s->last;
    if (s->last)
        s->last->next = w;
    else
        s->first = w;
    s->last = w;
    s->n++;
    if (w->due)
        s->due = true;
    if (out)
        *out = w;
    return 0;
}

static void unlink_watch(struct qubesdb_watches *s, struct unik_qubesdb_watch *w)
{
    if (w->prev)
        w->prev->next = w->next;
    else
        s->first = w->next;
    if (w->next)
        w->next->prev = w->prev;
    else
        s->last = w->prev;
    free(w);
}

/* In a telling the list must keep its shape: the watch is only marked. */
void qubesdb_watches_remove(struct qubesdb_watches *s, struct unik_qubesdb_watch *w)
{
    if (!w || w->gone)
        return;
    w->gone = true;
    s->n--;
    if (s->telling)
        s->dead = true;
    else
        unlink_watch(s, w);
}

size_t qubesdb_watches_left(struct qubesdb_watches *s, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct unik_qubesdb_watch *w = s->first, *next; w; w = next) {
        next = w->next;
        if (w->owner != owner || w->gone)
            continue;
        qubesdb_watches_remove(s, w);
        found++;
    }
    return found;
}

void qubesdb_watches_free(struct qubesdb_watches *s)
{
    while (s->first)
        unlink_watch(s, s->first);
    s->n = 0;
}

void qubesdb_watches_begin(struct qubesdb_watches *s)
{
    s->batch++;
    s->telling = true;
}

void qubesdb_watches_end(struct qubesdb_watches *s)
{
    struct unik_qubesdb_watch *w, *next;

    s->telling = false;
    for (w = s->dead ? s->first : NULL; w; w = next) {
        next = w->next;
        if (w->gone)
            unlink_watch(s, w);
    }
    s->dead = false;
}

/* path is not the replica's own memory, which the callback may change. */
static void tell_one(struct qubesdb_watches *s, struct unik_qubesdb_watch *w, struct qubesdb_replica *r,
                     const char *path)
{
    struct qubesdb_entry *e = qubesdb_replica_find(r, path);

    if (e && !e->present)
        e = NULL;
    if (w->await) {
        if (!e)
            return;
        qubesdb_watches_remove(s, w);   /* before the call: taking it back in there is then harmless */
    }
    if (e)
        qubesdb_replica_lend(r, e);
    w->cb(path, e ? qubesdb_entry_value(e) : NULL, e ? e->len : 0, w->arg);
}

void qubesdb_watches_tell(struct qubesdb_watches *s, struct qubesdb_replica *r, const char *path, bool repeat)
{
    char key[UNIK_QUBESDB_PATH_MAX + 1];
    size_t n = strlen(path);

    memcpy(key, path, n + 1);
    for (struct unik_qubesdb_watch *w = s->first; w; w = w->next) {
        if (w->gone || w->due || w->since == s->batch || !matches(w, key, n))
            continue;
        if (!repeat || w->await || (w->flags & UNIK_QUBESDB_EVERY))
            tell_one(s, w, r, key);
    }
}

void qubesdb_watches_appeared(struct qubesdb_watches *s, const char *path)
{
    size_t n = strlen(path);

    for (struct unik_qubesdb_watch *w = s->first; w; w = w->next)
        if (w->await && !w->gone && matches(w, path, n))
            w->due = s->due = true;
}

/* By path, not by index: a callback may add and remove keys. */
static void serve_prefix(struct qubesdb_watches *s, struct unik_qubesdb_watch *w, struct qubesdb_replica *r)
{
    char key[UNIK_QUBESDB_PATH_MAX + 1];

    memcpy(key, w->copy, w->len + 1);
    while (!w->gone) {
        size_t i = qubesdb_replica_after(r, key);

        if (i == r->n || strncmp(r->at[i]->text, w->copy, w->len) != 0)
            return;
        memcpy(key, r->at[i]->text, r->at[i]->path_len + 1u);
        if (r->at[i]->present)
            tell_one(s, w, r, key);
    }
}

void qubesdb_watches_serve(struct qubesdb_watches *s, struct qubesdb_replica *r)
{
    s->due = false;
    qubesdb_watches_begin(s);
    for (struct unik_qubesdb_watch *w = s->first; w; w = w->next) {
        if (w->gone || !w->due || w->since == s->batch)
            continue;
        w->due = false;
        if (is_prefix(w))
            serve_prefix(s, w, r);
        else
            tell_one(s, w, r, w->copy);
    }
    qubesdb_watches_end(s);
}
