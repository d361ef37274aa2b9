/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/qubesdb.h - "qubesdb/1": the VM's configuration as dom0 gives it, from a local replica.
 *
 * The plugin is ready after the first full sync. While dom0's daemon is away it is degraded and the replica still
 * answers; after the resync watchers are told only of what differs. dom0 is trusted, the values still need checking
 * before use: a key may be absent, late, or not parse. See protocol notes: booleans are "True"/"False" or "1"/"0".
 */
#ifndef UNIK_QUBESDB_H
#define UNIK_QUBESDB_H

#include <unik/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_QUBESDB_PATH_MAX 63    /* bytes; characters A-Z a-z 0-9 _ - / . : @, first /, last not / */
#define UNIK_QUBESDB_VALUE_MAX 3071 /* bytes, any but NUL */

struct unik_qubesdb_watch;

/* path: the key that changed, value NULL if it was removed. Told once for each key, also when dom0 removed a whole
 * subtree. Repeated writes of the same value are told only to watches with UNIK_QUBESDB_EVERY. */
typedef void unik_qubesdb_cb(const char *path, const char *value, size_t len, void *arg);

enum unik_qubesdb_watch_flags {
    UNIK_QUBESDB_NOW = 1,       /* first tell what is there: each matching key, or the exact key as removed if absent;
                                 * from the loop, and not before the first sync */
    UNIK_QUBESDB_EVERY = 2      /* also writes that change nothing: commit keys (a directory key written empty last) */
};

struct unik_qubesdb {
    size_t size;

    /* The value of a key: NUL-terminated, length in *len (may be NULL). NULL: absent, or not synced yet.
     * Valid until the next return to the loop. */
    const char *(*read)(struct unik_qubesdb *q, const char *path, size_t *len);

    /* Call cb for each key that begins with prefix, in byte order; how many. A prefix is plain: end a directory with /.
     * cb must not write or remove. */
    size_t (*list)(struct unik_qubesdb *q, const char *prefix, unik_qubesdb_cb *cb, void *arg);

    /* Watch a key, or with a trailing / everything below it. *out is for unwatch. 0, -EINVAL, -ENOMEM, -ENOSPC.
     * owner: the plugin that asks, its ctx: a watch that it leaves behind when it stops is taken back then. NULL: nobody's. */
    int (*watch)(struct unik_qubesdb *q, struct unik_ctx *owner, const char *path, unsigned flags, unik_qubesdb_cb *cb,
                 void *arg, struct unik_qubesdb_watch **out);
    void (*unwatch)(struct unik_qubesdb *q, struct unik_qubesdb_watch *w);

    /* Call cb once, from the loop, as soon as the key is there (also if it is there now): "wait until present". */
    int (*await)(struct unik_qubesdb *q, struct unik_ctx *owner, const char *path, unik_qubesdb_cb *cb, void *arg,
                 struct unik_qubesdb_watch **out);

    /* Write a key for dom0: into the replica at once, to dom0 as soon as it can take it, and again after a reconnect if
     * dom0's daemon did not acknowledge it. Own watchers are not told. 0, -EINVAL (path or value that would kill dom0's
     * daemon), -ENOSPC (queue or replica full). */
    int (*write)(struct unik_qubesdb *q, const char *path, const void *value, size_t len);

    /* Remove a key. -ENOENT if the replica does not have it. dom0's daemon dies when told to remove what it does not
     * have, and a removal may cross one of dom0's own: writing an empty value is safer. 0, -EINVAL, -ENOENT, -ENOSPC. */
    int (*remove)(struct unik_qubesdb *q, const char *path);
};

#ifdef __cplusplus
}
#endif
#endif
