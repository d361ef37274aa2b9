/* boot/dev-gntalloc.c - /dev/xen/gntalloc: pages of ours that another domain may map.
 *
 * One ALLOC_GREF makes a range: its pages, their grants, and a place in the file's offsets. The library takes it off the file's
 * list (DEALLOC_GREF) as soon as it has mapped it, so a range lives as long as the list or a mapping has it. When it goes:
 * the notice (clear a byte, send an event), then the end of the grants; grant.c keeps pages that the peer still maps.
 * A mapping lies within one range.
 */
#include "boot/dev-xen.h"
#include "boot/linux.h"

#define RANGE_MAX 16384u        /* pages in one range: 64 MiB, more than a window of the largest screen */

struct shared { void *page; uint32_t ref; };

struct range {
    struct gntalloc *of;        /* whose list has it; NULL: none */
    struct range *next;
    uint64_t index;             /* its first byte's offset in the file */
    uint32_t count, mappings;
    bool writable;
    struct unmap_notice notice;
    struct shared *shared;      /* count of them */
};

struct gntalloc {
    struct file file;
    struct range *ranges;
    uint64_t next_index;
};

static struct gntalloc *gntalloc_of(struct file *f) { return (struct gntalloc *)(void *)f; }

/* ---- a range's end ---- */

static void end_grants(struct range *r, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        grant_end(r->shared[i].ref, r->shared[i].page);
    pool_put(r->shared, r->count * sizeof(*r->shared));
    pool_put(r, sizeof(*r));
}

static void release(struct range *r)
{
    if (r->of || r->mappings)
        return;
    if (r->notice.action & UNMAP_NOTIFY_CLEAR_BYTE)
        ((volatile uint8_t *)r->shared[r->notice.offset / PAGE].page)[r->notice.offset % PAGE] = 0;
    notice_send(&r->notice);
    end_grants(r, r->count);
}

static void unlist(struct range *r)
{
    struct range **p = &r->of->ranges;

    while (*p != r)
        p = &(*p)->next;
    *p = r->next;
    r->of = NULL;
    release(r);
}

/* The listed range that has [index, index + size). */
static struct range *find(const struct gntalloc *g, uint64_t index, uint64_t size)
{
    struct range *r = g->ranges;

    while (r && !(index >= r->index && index - r->index < r->count * PAGE && size <= r->count * PAGE - (index - r->index)))
        r = r->next;
    return r;
}

/* ---- ioctls ---- */

static int grant(struct range *r, uint16_t domid, uint64_t refs_to)
{
    uint32_t i;
    int64_t ref;
    int e = 0;

    for (i = 0; i < r->count && e == 0; i++) {
        r->shared[i].page = page_alloc();
        ref = r->shared[i].page ? grant_give(domid, r->shared[i].page, !r->writable) : -ENOMEM;
        if (ref < 0) {
            if (r->shared[i].page)
                page_free(r->shared[i].page);
            e = (int)ref;
            break;
        }
        r->shared[i].ref = (uint32_t)ref;
        e = user_out(refs_to + i * sizeof(uint32_t), &r->shared[i].ref, sizeof(uint32_t));
    }
    if (e < 0)
        end_grants(r, i);
    return e;
}

static int64_t alloc(struct gntalloc *g, uint64_t argument)
{
    const uint64_t refs_to = argument + offsetof(struct ioctl_gntalloc_alloc_gref, gref_ids);
    struct ioctl_gntalloc_alloc_gref a;
    struct range *r;
    int e;

    if (user_in(&a, argument, offsetof(struct ioctl_gntalloc_alloc_gref, gref_ids)) < 0)
        return -EFAULT;
    if (a.count == 0 || a.count > RANGE_MAX || a.domid >= DOMID_RESERVED)
        return a.count > RANGE_MAX ? -ENOSPC : -EINVAL;
    r = pool_get(sizeof(*r));
    if (r)
        r->shared = pool_get(a.count * sizeof(*r->shared));
    if (!r || !r->shared) {
        pool_put(r, sizeof(*r));
        return -ENOMEM;
    }
    r->count = a.count;
    r->writable = a.flags & GNTALLOC_FLAG_WRITABLE;
    e = grant(r, a.domid, refs_to);
    if (e < 0)
        return e;
    r->index = g->next_index;
    if (user_out(argument + offsetof(struct ioctl_gntalloc_alloc_gref, index), &r->index, sizeof(r->index)) < 0) {
        end_grants(r, r->count);
        return -EFAULT;
    }
    g->next_index += r->count * PAGE;
    r->of = g;
    r->next = g->ranges;
    g->ranges = r;
    return 0;
}

static int64_t op_ioctl(struct file *f, unsigned request, uint64_t argument)
{
    struct gntalloc *g = gntalloc_of(f);
    struct ioctl_gntalloc_dealloc_gref d;
    struct ioctl_gntalloc_unmap_notify n;
    struct range *r;

    switch (request) {
    case IOCTL_GNTALLOC_ALLOC_GREF: return alloc(g, argument);
    case IOCTL_GNTALLOC_DEALLOC_GREF:
        if (user_in(&d, argument, sizeof(d)) < 0)
            return -EFAULT;
        r = find(g, d.index, d.count * PAGE);
        if (!r || r->index != d.index || r->count != d.count)
            return -EINVAL;
        unlist(r);
        return 0;
    case IOCTL_GNTALLOC_SET_UNMAP_NOTIFY:
        if (user_in(&n, argument, sizeof(n)) < 0)
            return -EFAULT;
        r = find(g, n.index, 1);
        return r ? notice_set(&r->notice, n.action, n.event_channel_port, n.index - r->index) : -ENOENT;
    }
    return -ENOTTY;
}

/* ---- mappings ---- */

static void unmap(void *owner, uint64_t start, uint64_t end)
{
    struct range *r = owner;

    for (uint64_t at = start; at < end; at += PAGE)
        user_clear_page(at);
    r->mappings--;
    release(r);
}

static const struct user_device mapping = { .unmap = unmap };

static int64_t op_map(struct file *f, enum user_where where, uint64_t address, uint64_t length, unsigned prot, unsigned flags,
                      uint64_t offset)
{
    struct range *r = find(gntalloc_of(f), offset, length);
    struct user_backing backing = { .device = &mapping, .owner = r };
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
    r->mappings++;
    for (uint64_t done = 0; done < length; done += PAGE) {
        int e = user_set_page((uint64_t)at + done, r->shared[(offset - r->index + done) / PAGE].page, prot & PROT_WRITE);

        if (e < 0) {
            user_unmap((uint64_t)at, length);
            return e;
        }
    }
    return at;
}

static void op_close(struct file *f)
{
    struct gntalloc *g = gntalloc_of(f);

    while (g->ranges)
        unlist(g->ranges);
    pool_put(g, sizeof(*g));
}

static const struct file_ops gntalloc_ops = { .ioctl = op_ioctl, .map = op_map, .close = op_close };

static int open_gntalloc(const struct device *d, unsigned flags, struct file **out)
{
    struct gntalloc *g = pool_get(sizeof(*g));

    (void)d;
    if (!g)
        return -ENOMEM;
    file_init(&g->file, &gntalloc_ops, flags);
    *out = &g->file;
    return 0;
}

const struct device device_gntalloc = { "dev/xen/gntalloc", 10, 61, open_gntalloc };
