/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/watch.h - who is told of what. A telling is a batch from begin() to end(), from the loop.
 *
 * Inside a callback everything may be called: a watch made there is not told of the same batch, one taken back there is
 * told nothing more. Each is told what the replica has at that moment.
 */
#ifndef PLUGINS_QUBESDB_WATCH_H
#define PLUGINS_QUBESDB_WATCH_H

#include <unik/qubesdb.h>
#include "plugins/qubesdb/replica.h"

#define QUBESDB_WATCHES_MAX 1024        /* all users together; ours: the protocol has none */

struct qubesdb_watches {
    struct unik_qubesdb_watch *first, *last;
    size_t n;
    unsigned long batch;
    bool telling;
    bool due;                           /* some watch is to be told what is there: call serve() from the loop */
    bool dead;                          /* some watch is to be freed at end() */
};

/* await: told once, when the key is there. 0, -EINVAL, -ENOMEM, -ENOSPC. */
int qubesdb_watches_add(struct qubesdb_watches *s, const struct unik_qubesdb_watch *model,
                        struct unik_qubesdb_watch **out);
void qubesdb_watches_remove(struct qubesdb_watches *s, struct unik_qubesdb_watch *w);
void qubesdb_watches_free(struct qubesdb_watches *s);
/* Take back those of a plugin that has stopped; how many. */
size_t qubesdb_watches_left(struct qubesdb_watches *s, const struct unik_ctx *owner);

void qubesdb_watches_begin(struct qubesdb_watches *s);
/* A key changed; repeat: it was written without a change (or committed), which only some want to know. */
void qubesdb_watches_tell(struct qubesdb_watches *s, struct qubesdb_replica *r, const char *path, bool repeat);
void qubesdb_watches_end(struct qubesdb_watches *s);

/* A key came to be without a message from dom0 (own write): those who await it are due. */
void qubesdb_watches_appeared(struct qubesdb_watches *s, const char *path);
/* Tell those who are due what is there: a batch of its own. */
void qubesdb_watches_serve(struct qubesdb_watches *s, struct qubesdb_replica *r);

struct unik_qubesdb_watch {
    struct unik_qubesdb_watch *next, *prev;
    struct unik_ctx *owner;             /* NULL: nobody's */
    unik_qubesdb_cb *cb;
    void *arg;
    const char *path;                   /* of a model; added ones have their own copy below */
    unsigned flags;                     /* enum unik_qubesdb_watch_flags */
    bool await;
    bool due;                           /* not told yet what is there: until then, changes need not be told */
    bool gone;
    unsigned long since;                /* the batch in which it was made */
    size_t len;
    char copy[UNIK_QUBESDB_PATH_MAX + 1];
};

#endif
