/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/pages.h - "pages/1": memory that another domain may map, by grant reference. vchan-xen and vchan-socket provide it.
 *
 * Over Xen the pages are granted through /dev/xen/gntalloc. Over vchan-socket there are no grants: each block is a file
 * DIR/OWN-DOMID.FIRST-REF (DIR: option grant-dir, else $UNIK_GRANT_DIR, else $VCHAN_SOCKET_DIR/grants), page i of the
 * file is reference FIRST-REF + i, and whoever plays the other domain maps the file.
 */
#ifndef UNIK_PAGES_H
#define UNIK_PAGES_H

#include <stdbool.h>
#include <unik/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_PAGE 4096u
#define UNIK_PAGES_MAX 98304u           /* of one block: what the GUI daemon takes at most (qubes-gui-protocol.h) */

/* A block of shared pages, contiguous in our memory. Read-only for its users; the bytes it points to are theirs. */
struct unik_shared {
    void *bytes;
    size_t pages;
    const uint32_t *refs;               /* one a page; never 0 */
};

struct unik_pages {
    size_t size;

    /* Share fresh, zeroed pages with a domain; writable: the peer may write to them too (then it is the peer's to change
     * them at any time: read once, check what was read). 0 or a negative errno: -EINVAL (pages 0 or over the limit),
     * -EAGAIN (our domid is not known yet), -ENOMEM, -ENOSPC (the kernel's limit on grants). */
    int (*share)(struct unik_pages *p, int peer, size_t pages, bool writable, struct unik_shared **out);

    /* Give a block back; the pointer and its memory are dead. A peer that still maps the pages keeps them: neither they nor
     * their references are used again before it lets go. */
    void (*unshare)(struct unik_pages *p, struct unik_shared *s);
};

#ifdef __cplusplus
}
#endif
#endif
