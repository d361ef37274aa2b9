/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/xenstore.h - "xenstore/1": an asynchronous client of xenstored. Requests go out in order, replies come back through
 * callbacks from the loop; any number may be in flight up to the plugin's limit. xenstored (from dom0) is trusted;
 * values under other domains' directories are theirs, and hostile.
 *
 * owner: the plugin that asks, its ctx. The watches, requests with a callback and transactions that it leaves behind
 * when it stops are taken back then, without a callback, and counted in the log; a request that was sent may still be
 * done. NULL: nobody's.
 */
#ifndef UNIK_XENSTORE_H
#define UNIK_XENSTORE_H

#include <unik/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_XENSTORE_PATH_MAX 3072     /* bytes, absolute; 2048 relative to the own domain's directory */
#define UNIK_XENSTORE_PAYLOAD_MAX 4096  /* bytes of path and value together */

/* error: 0 or a negative errno as xenstored named it (-ENOENT, -EACCES, -EAGAIN, ...), -EPROTO for a reply that makes no
 * sense, -ECONNRESET when the connection broke before the reply (it may have been done; ask again when the plugin is
 * ready; all transactions are gone), -ECANCELED when the plugin stops. value: NUL-terminated after len bytes, valid during the call; directory lists
 * are names with a NUL each. */
typedef void unik_xenstore_cb(int error, const char *value, size_t len, void *arg);
typedef void unik_xenstore_tx_cb(int error, uint32_t tx, void *arg);

/* path: the node that changed, as seen by the watch (relative if the watch was). Fires once right after registration, and
 * again after each lost connection, as nobody knows what changed meanwhile. */
typedef void unik_xenstore_watch_cb(const char *path, void *arg);

struct unik_xenstore_watch;

enum unik_xenstore_access { UNIK_XENSTORE_NONE = 'n', UNIK_XENSTORE_READ = 'r', UNIK_XENSTORE_WRITE = 'w',
                            UNIK_XENSTORE_BOTH = 'b' };
struct unik_xenstore_perm {
    enum unik_xenstore_access access;
    unsigned domid;                     /* row 0: the owner, and what everybody else may do */
};

struct unik_xenstore {
    size_t size;

    /* tx: 0, or a transaction from begin(). Each returns 0 or a negative errno for what cannot be sent: -EINVAL, -E2BIG,
     * -ENOSPC (too many in flight), -ENOTCONN. cb may be NULL where only success is expected: an error is then logged. */
    int (*read)(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path,
                unik_xenstore_cb *cb, void *arg);
    int (*directory)(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path,
                     unik_xenstore_cb *cb, void *arg);
    int (*write)(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path, const void *value,
                 size_t len, unik_xenstore_cb *cb, void *arg);
    int (*make_dir)(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path,
                    unik_xenstore_cb *cb, void *arg);
    int (*remove)(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path,
                  unik_xenstore_cb *cb, void *arg);
    int (*get_perms)(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path,
                     unik_xenstore_cb *cb, void *arg);
    int (*set_perms)(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path,
                     const struct unik_xenstore_perm *perms, size_t n, unik_xenstore_cb *cb, void *arg);

    /* A transaction. end() with commit: -EAGAIN in its callback means that somebody interfered: do it all again. */
    int (*begin)(struct unik_xenstore *x, struct unik_ctx *owner, unik_xenstore_tx_cb *cb, void *arg);
    int (*end)(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, bool commit, unik_xenstore_cb *cb,
               void *arg);

    /* Forget all requests whose arg is this: their callbacks will not be called. */
    void (*forget)(struct unik_xenstore *x, void *arg);

    /* Tell cb of changes at path and below. Special: "@releaseDomain", "@introduceDomain".
     * Two watches on one path are two watches. Works without a connection too: it is registered when there is one. What
     * xenstored refuses is logged, and never fires. 0, -EINVAL, -ENOSPC (too many), -ENOMEM, -ENOTCONN (stopping). */
    int (*watch)(struct unik_xenstore *x, struct unik_ctx *owner, const char *path, unik_xenstore_watch_cb *cb,
                 void *arg, struct unik_xenstore_watch **out);
    void (*unwatch)(struct unik_xenstore *x, struct unik_xenstore_watch *w);

    /* This domain's number, read at start. -EAGAIN before the plugin is ready. */
    int (*domid)(struct unik_xenstore *x);
};

#ifdef __cplusplus
}
#endif
#endif
