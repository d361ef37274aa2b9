/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/cache.c - small files kept in memory, by path; the least recently used goes first. */
#include <stdlib.h>
#include <string.h>

#include "www.h"

static struct www_file **bucket(struct www *w, const char *path)
{
    uint32_t hash = 2166136261u;

    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * 16777619u;
    return &w->cache.buckets[hash % WWW_BUCKETS];
}

static void unlink_use(struct www_cache *c, struct www_file *f)
{
    *(f->newer ? &f->newer->older : &c->first) = f->older;
    *(f->older ? &f->older->newer : &c->last) = f->newer;
}

static void link_first(struct www_cache *c, struct www_file *f)
{
    f->newer = NULL;
    f->older = c->first;
    *(c->first ? &c->first->newer : &c->last) = f;
    c->first = f;
}

struct www_file *www_cache_find(struct www *w, const char *path)
{
    struct www_file *f = *bucket(w, path);

    while (f && strcmp(f->path, path) != 0)
        f = f->same_bucket;
    if (f && w->cache.first != f) {
        unlink_use(&w->cache, f);
        link_first(&w->cache, f);
    }
    return f;
}

static uint64_t cost(const struct www_file *f) { return sizeof(*f) + f->size + strlen(f->path) + 1; }

void www_cache_drop(struct www *w, struct www_file *f)
{
    struct www_file **p = bucket(w, f->path);

    while (*p != f)
        p = &(*p)->same_bucket;
    *p = f->same_bucket;
    unlink_use(&w->cache, f);
    w->cache.files--;
    w->cache.bytes -= cost(f);
    w->ctx->counters[WWW_CACHE_BYTES] = w->cache.bytes;
    f->listed = false;
    www_file_put(f);
}

/* The cache takes a reference of its own, or leaves the file alone if it would fill the cache by itself. */
void www_cache_add(struct www *w, const char *path, struct www_file *f)
{
    struct www_file **p = bucket(w, path);

    f->path = strdup(path);
    if (!f->path || cost(f) > w->config->cache)
        return;
    while (w->cache.last && (w->cache.files >= WWW_FILES || w->cache.bytes + cost(f) > w->config->cache))
        www_cache_drop(w, w->cache.last);
    f->same_bucket = *p;
    *p = f;
    link_first(&w->cache, f);
    f->listed = true;
    f->refs++;
    w->cache.files++;
    w->cache.bytes += cost(f);
    w->ctx->counters[WWW_CACHE_BYTES] = w->cache.bytes;
}

void www_cache_clear(struct www *w)
{
    while (w->cache.first)
        www_cache_drop(w, w->cache.first);
}
