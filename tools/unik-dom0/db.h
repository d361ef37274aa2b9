/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/db.h - the QubesDB daemon of one VM. */
#ifndef UNIK_DOM0_DB_H
#define UNIK_DOM0_DB_H

#include "tools/unik-dom0/dom0.h"
#include "tools/unik-dom0/store.h"

/* file: the first keys; NULL: the default ones. 0, or a negative errno with lines in why. */
int db_init(struct vm *vm, const char *file, struct unik_text *why);
void db_free(struct vm *vm);
bool db_synced(struct vm *vm);
const struct store *db_store(struct vm *vm);

/* From the command line, as dom0's programs do. 0, -EINVAL (path, value), -ENOENT, -ENOSPC. */
int db_write(struct vm *vm, const char *path, const char *value);
int db_remove(struct vm *vm, const char *path);

/* Told of every path written or removed; "dir/" for a subtree. The struct is the watcher's, until db_unwatch(). */
struct db_watch {
    const char *path;               /* a key, or with a trailing / all below */
    void (*cb)(struct db_watch *w, const char *path);
    void *arg;
    struct db_watch *next;
};
void db_watch(struct vm *vm, struct db_watch *w);
void db_unwatch(struct vm *vm, struct db_watch *w);

/* The daemon goes away and is back after so many seconds, with its keys. */
void db_restart(struct vm *vm, double seconds);
void db_status(struct vm *vm, struct unik_text *out);

#endif
