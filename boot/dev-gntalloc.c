/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/dev-gntalloc.c - /dev/xen/gntalloc: pages of ours that another domain may map.
 *
 * One ALLOC_GREF makes a range: its pages, their grants, and a place in the file's offsets. The library takes it off the file's
 * list (DEALLOC_GREF) as soon as it has mapped it, so a range lives as long as the list or a mapping has it. When it goes:
 * the notice (clear a byte, send an event), then the end of the grants; grant.c keeps pages that the peer still maps.
 * A mapping lies within one range.
 */
#include "boot/dev-ranges.h"

struct shared { void *page; uint32_t ref; };

struct granted {
    struct range range;         /* first */
    uint32_t mappings;
    bool writable;
    struct shared *shared;      /* range.count of them */
};

static struct granted *granted_of(struct range *r) { return (struct granted *)(void *)r; }

/* ---- a range's end ---- */

static void end_grants(struct granted *g, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        grant_end(g->shared[i].ref, g->shared[i].page);
    pool_put(g->shared, g->range.count * sizeof(*g->shared));
    pool_put(g, sizeof(*g));
}

static void release(struct range *r)
{
    struct granted *g = granted_of(r);

    if (r->of || g->mappings)
        return;
    if (r->notice.action & UNMAP_NOTIFY_CLEAR_BYTE)
        ((volatile uint8_t *)g->shared[r->notice.offset / PAGE].page)[r->notice.offset % PAGE] = 0;
    notice_send(&r->notice);
    end_grants(g, r->count);
}

/* ---- ioctls ---- */

static int grant(struct granted *g, uint16_t domid, uint64_t refs_to)
{
    uint32_t i;
    int64_t ref;
    int e = 0;

    for (i = 0; i < g->range.count && e == 0; i++) {
        g->shared[i].page = page_alloc();
        ref = g->shared[i].page ? grant_give(domid, g->shared[i].page, !g->writable) : -ENOMEM;
        if (ref < 0) {
            if (g->shared[i].page)
                page_free(g->shared[i].page);
            e = (int)ref;
            break;
        }
        g->shared[i].ref = (uint32_t)ref;
        e = user_out(refs_to + i * sizeof(uint32_t), &g->shared[i].ref, sizeof(uint32_t));
    }
    if (e < 0)
        end_grants(g, i);
    return e;
}

static int64_t alloc(struct file *f, uint64_t argument)
{
    const uint64_t refs_to = argument + offsetof(struct ioctl_gntalloc_alloc_gref, gref_ids);
    struct ioctl_gntalloc_alloc_gref a;
    struct granted *g;
    int e;

    if (user_in(&a, argument, offsetof(struct ioctl_gntalloc_alloc_gref, gref_ids)) < 0)
        return -EFAULT;
    if (a.count == 0 || a.count > RANGE_MAX || a.domid >= DOMID_RESERVED)
        return a.count > RANGE_MAX ? -ENOSPC : -EINVAL;
    g = pool_get(sizeof(*g));
    if (g)
        g->shared = pool_get(a.count * sizeof(*g->shared));
    if (!g || !g->shared) {
        pool_put(g, sizeof(*g));
        return -ENOMEM;
    }
    g->range.count = a.count;
    g->writable = a.flags & GNTALLOC_FLAG_WRITABLE;
    e = grant(g, a.domid, refs_to);
    if (e < 0)
        return e;
    range_list(f, &g->range);
    e = user_out(argument + offsetof(struct ioctl_gntalloc_alloc_gref, index), &g->range.index, sizeof(g->range.index));
    if (e < 0)
        range_unlist(&g->range);
    return e;
}

static int64_t op_ioctl(struct file *f, unsigned request, uint64_t argument)
{
    struct ioctl_gntalloc_dealloc_gref d;
    struct ioctl_gntalloc_unmap_notify n;
    struct range *r;

    switch (request) {
    case IOCTL_GNTALLOC_ALLOC_GREF: return alloc(f, argument);
    case IOCTL_GNTALLOC_DEALLOC_GREF:
        if (user_in(&d, argument, sizeof(d)) < 0)
            return -EFAULT;
        r = range_find(f, d.index, d.count * PAGE);
        if (!r || r->index != d.index || r->count != d.count)
            return -EINVAL;
        range_unlist(r);
        return 0;
    case IOCTL_GNTALLOC_SET_UNMAP_NOTIFY:
        if (user_in(&n, argument, sizeof(n)) < 0)
            return -EFAULT;
        r = range_find(f, n.index, 1);
        return r ? notice_set(&r->notice, n.action, n.event_channel_port, n.index - r->index) : -ENOENT;
    }
    return -ENOTTY;
}

/* ---- mappings ---- */

static void unmap(void *owner, uint64_t start, uint64_t end)
{
    struct granted *g = owner;

    for (uint64_t at = start; at < end; at += PAGE)
        user_clear_page(at);
    g->mappings--;
    release(&g->range);
}

static const struct user_device mapping = { .unmap = unmap };

static int64_t op_map(struct file *f, enum user_where where, uint64_t address, uint64_t length, unsigned prot, unsigned flags,
                      uint64_t offset)
{
    struct range *r = range_find(f, offset, length);
    struct granted *g = granted_of(r);
    struct user_backing backing = { .device = &mapping, .owner = g };
    int64_t at;

    if ((flags & MAP_TYPE) == MAP_PRIVATE)
        return -EINVAL;
    if (!r)
        return -ENOENT;
    if (prot & PROT_EXEC)
        return -EACCES;
    at = user_map(where, address, length, prot, &backing);
    if (at < 0)
        return at;
    g->mappings++;
    for (uint64_t done = 0; done < length; done += PAGE) {
        int e = user_set_page((uint64_t)at + done, g->shared[(offset - r->index + done) / PAGE].page, prot & PROT_WRITE);

        if (e < 0) {
            user_unmap((uint64_t)at, length);
            return e;
        }
    }
    return at;
}

static const struct file_ops gntalloc_ops = { .ioctl = op_ioctl, .map = op_map, .close = ranges_close };

static int open_gntalloc(const struct device *d, unsigned flags, struct file **out)
{
    (void)d;
    return ranges_open(&gntalloc_ops, release, flags, out);
}

const struct device device_gntalloc = { "dev/xen/gntalloc", 10, 61, open_gntalloc };
