/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/pages.c - "pages/1": pages granted through /dev/xen/gntalloc.
 *
 * Who gives a block back unmaps it and revokes the grants. Pages that the peer still maps stay with the kernel, references
 * too, until it lets go (Linux drivers/xen/gntalloc.c, __del_gref; our own kernel does the same).
 */
#include <errno.h>
#include <stdlib.h>
#include "plugins/vchan-xen/channel.h"

struct block {
    struct unik_shared shared;          /* first: a block is its shared part */
    LIST_ENTRY(block) link;
    uint32_t refs[];
};

static struct vchan_xen *plugin_of(struct unik_pages *p)
{
    return (struct vchan_xen *)(void *)((char *)p - offsetof(struct vchan_xen, pages.api));
}

/* The device is opened for the first block: most VMs share none. */
static int grant(struct vchan_xen *vx, int peer, bool writable, struct block *b)
{
    struct shared_pages *sp = &vx->pages;

    errno = 0;
    if (!sp->gntshr && !(sp->gntshr = xengntshr_open(vx->machine.logger, 0)))
        return errno ? -errno : -EIO;
    b->shared.bytes = xengntshr_share_pages(sp->gntshr, (uint32_t)peer, (int)b->shared.pages, b->refs, writable);
    return b->shared.bytes ? 0 : errno ? -errno : -EIO;
}

static void say_failure(struct vchan_xen *vx, int peer, size_t pages, int e)
{
    if (e == -ENOSPC)
        unik_warn(vx->ctx, "dom%d: %zu pages to share: more than the kernel's limit on grants (Linux: the parameter \"limit\" "
                  "of xen_gntalloc); %u are shared now", peer, pages, (unsigned)vx->ctx->counters[SHARED]);
    else
        unik_warn(vx->ctx, "dom%d: %zu pages to share: %s", peer, pages, strerror(-e));
}

static int api_share(struct unik_pages *p, int peer, size_t pages, bool writable, struct unik_shared **out)
{
    struct vchan_xen *vx = plugin_of(p);
    int self = vx->xs->domid(vx->xs), e;
    struct block *b;

    *out = NULL;
    if (self < 0)
        return self;
    if (vx->stopping || peer < 0 || peer > VCHAN_XEN_DOMID_LAST || peer == self || pages < 1 || pages > UNIK_PAGES_MAX)
        return -EINVAL;
    if (vx->ctx->counters[SHARED] + pages > SHARED_MAX)
        return -ENOSPC;
    b = calloc(1, sizeof(*b) + pages * sizeof(b->refs[0]));
    if (!b)
        return -ENOMEM;
    b->shared.pages = pages;
    b->shared.refs = b->refs;
    e = grant(vx, peer, writable, b);
    if (e < 0) {
        say_failure(vx, peer, pages, e);
        free(b);
        return e;
    }
    LIST_INSERT_HEAD(&vx->pages.blocks, b, link);
    vx->ctx->counters[SHARED] += pages;
    if (vx->ctx->counters[SHARED] > vx->ctx->counters[SHARED_HIGH])
        vx->ctx->counters[SHARED_HIGH] = vx->ctx->counters[SHARED];
    *out = &b->shared;
    return 0;
}

static void api_unshare(struct unik_pages *p, struct unik_shared *s)
{
    struct vchan_xen *vx = plugin_of(p);
    struct block *b = (struct block *)(void *)s;

    xengntshr_unshare(vx->pages.gntshr, s->bytes, (uint32_t)s->pages);
    vx->ctx->counters[SHARED] -= s->pages;
    LIST_REMOVE(b, link);
    free(b);
}

int vchan_xen_pages_start(struct vchan_xen *vx)
{
    vx->pages.api = (struct unik_pages){ .size = sizeof(vx->pages.api), .share = api_share, .unshare = api_unshare };
    LIST_INIT(&vx->pages.blocks);
    vx->ctx->counters[SHARED] = 0;
    return unik_provide(vx->ctx, "pages/1", &vx->pages.api);
}

/* Those who used the interface have stopped. */
void vchan_xen_pages_stop(struct vchan_xen *vx)
{
    struct block *b;

    while ((b = LIST_FIRST(&vx->pages.blocks)) != NULL) {
        unik_warn(vx->ctx, "%zu pages: left shared by their user", b->shared.pages);
        api_unshare(&vx->pages.api, &b->shared);
    }
    if (vx->pages.gntshr)
        xengntshr_close(vx->pages.gntshr);
    vx->pages.gntshr = NULL;
}
