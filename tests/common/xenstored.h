/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/xenstored.h - a scripted xenstored for tests: a real tree, watches and transactions in memory, served
 * over a unix socket on the loop of the test, with faults on request. One domain's view: relative paths are under its
 * home.
 *
 * What it does as the C xenstored does: a watch fires once after its OK; relative watches get relative paths; the
 * same path and token twice is EEXIST; a write makes the parents; a commit after any other change of the tree is
 * EAGAIN; what a connection leaves behind ends with it.
 */
#ifndef TESTS_COMMON_XENSTORED_H
#define TESTS_COMMON_XENSTORED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ev.h>

struct xenstored;

/* A folder is made under /tmp, with the socket in it. The tree has /local/domain/DOMID/domid and .../name. */
struct xenstored *xenstored_new(struct ev_loop *loop, unsigned domid);
void xenstored_free(struct xenstored *s);
const char *xenstored_socket(const struct xenstored *s);

/* The tree, as dom0 sees and changes it; relative paths are under the domain's home. Watches fire. */
const char *xenstored_get(struct xenstored *s, const char *path);      /* NULL: there is no such node */
void xenstored_set(struct xenstored *s, const char *path, const char *value);
void xenstored_set_bytes(struct xenstored *s, const char *path, const void *value, size_t n);
void xenstored_remove(struct xenstored *s, const char *path);
const char *xenstored_perms(struct xenstored *s, const char *path);    /* "n0,r5" */
/* Fire every watch on a special path: "@releaseDomain". */
void xenstored_special(struct xenstored *s, const char *path);

/* What clients hold, over all connections. */
struct xenstored_counts { unsigned connections, accepted, watches, transactions, requests, resets; };
struct xenstored_counts xenstored_counts(const struct xenstored *s);
/* Types of the last requests as a text, oldest first: "READ WATCH WRITE". Emptied by the call. */
const char *xenstored_seen(struct xenstored *s);

/* ---- faults ---- */

/* Requests of this type (0: any) on this path (NULL: any) end with this error. error 0 takes all such rules back. */
void xenstored_deny(struct xenstored *s, uint32_t type, const char *path, int error);
/* Called before each commit: write something there, and the commit is spoilt. */
void xenstored_on_commit(struct xenstored *s, void (*cb)(struct xenstored *s, void *arg), void *arg);
void xenstored_conflicts(struct xenstored *s, unsigned commits);       /* that many are answered EAGAIN */

/* Replies wait (events do not); let n of them go, the newest first if reversed. */
void xenstored_hold(struct xenstored *s, bool on);
unsigned xenstored_held(const struct xenstored *s);
void xenstored_release(struct xenstored *s, unsigned n, bool reversed);
/* Send at most that many bytes at a time, each in its own turn of the loop. 0: as many as there are. */
void xenstored_split(struct xenstored *s, size_t bytes);
/* Close the connection after so many more bytes were sent to it. */
void xenstored_close_after(struct xenstored *s, size_t bytes);
/* The next reply has another id, or another type. */
void xenstored_wrong_id(struct xenstored *s, uint32_t id);
void xenstored_wrong_type(struct xenstored *s, uint32_t type);
/* The next reply has this body. */
void xenstored_wrong_body(struct xenstored *s, const void *body, size_t n);
/* Bytes to every connection, as they are. */
void xenstored_raw(struct xenstored *s, const void *bytes, size_t n);
/* Do not read requests for a while. */
void xenstored_deaf(struct xenstored *s, bool on);
/* Serve this descriptor too (a pseudo terminal that plays the xenbus device). It is the server's from here on. */
void xenstored_adopt(struct xenstored *s, int fd);
/* Close all connections, and the listening socket too, or open that again. The tree stays. */
void xenstored_down(struct xenstored *s);
void xenstored_up(struct xenstored *s);
void xenstored_hang_up(struct xenstored *s);   /* connections only */

#endif
