/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/api.c - what other plugins call. Only list() calls back at once, all else from the loop. */
#include <string.h>

#include "plugins/qubesdb/client.h"

static struct qubesdb *self(struct unik_qubesdb *api) { return (struct qubesdb *)(void *)api; }

static const char *api_read(struct unik_qubesdb *api, const char *path, size_t *len)
{
    struct qubesdb *q = self(api);
    struct qubesdb_entry *e = qubesdb_replica_find(&q->replica, path);

    if (!e || !e->present)
        return NULL;
    qubesdb_replica_lend(&q->replica, e);
    if (len)
        *len = e->len;
    return qubesdb_entry_value(e);
}

static size_t api_list(struct unik_qubesdb *api, const char *prefix, unik_qubesdb_cb *cb, void *arg)
{
    struct qubesdb_replica *r = &self(api)->replica;
    size_t n = strlen(prefix), found = 0;

    for (size_t i = qubesdb_replica_from(r, prefix); i < r->n && strncmp(r->at[i]->text, prefix, n) == 0; i++) {
        struct qubesdb_entry *e = r->at[i];

        if (!e->present)
            continue;
        qubesdb_replica_lend(r, e);
        if (cb)
            cb(e->text, qubesdb_entry_value(e), e->len, arg);
        found++;
    }
    return found;
}

static int add_watch(struct qubesdb *q, const struct unik_qubesdb_watch *model, struct unik_qubesdb_watch **out)
{
    int e = qubesdb_watches_add(&q->watches, model, out);

    if (e == 0 && q->watches.due && q->synced)
        qubesdb_kick(q);
    return e;
}

static int api_watch(struct unik_qubesdb *api, struct unik_ctx *owner, const char *path, unsigned flags, unik_qubesdb_cb *cb,
                     void *arg, struct unik_qubesdb_watch **out)
{
    struct unik_qubesdb_watch model = { .owner = owner, .path = path, .flags = flags, .cb = cb, .arg = arg };

    return add_watch(self(api), &model, out);
}

static int api_await(struct unik_qubesdb *api, struct unik_ctx *owner, const char *path, unik_qubesdb_cb *cb, void *arg,
                     struct unik_qubesdb_watch **out)
{
    struct unik_qubesdb_watch model = { .owner = owner, .path = path, .await = true, .cb = cb, .arg = arg };

    return add_watch(self(api), &model, out);
}

static void api_unwatch(struct unik_qubesdb *api, struct unik_qubesdb_watch *w)
{
    qubesdb_watches_remove(&self(api)->watches, w);
}

static int api_write(struct unik_qubesdb *api, const char *path, const void *value, size_t len)
{
    return qubesdb_own_write(self(api), path, value, len);
}

static int api_remove(struct unik_qubesdb *api, const char *path) { return qubesdb_own_remove(self(api), path); }

const struct unik_qubesdb qubesdb_api = {
    .size = sizeof(struct unik_qubesdb),
    .read = api_read,
    .list = api_list,
    .watch = api_watch,
    .unwatch = api_unwatch,
    .await = api_await,
    .write = api_write,
    .remove = api_remove,
};
