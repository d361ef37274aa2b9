/* boot/dev-gntdev.c - /dev/xen/gntdev: pages of other domains, mapped here.
 *
 * MAP_GRANT_REF only makes a range: domains, references and a place in the file's offsets; the hypervisor is asked in mmap(),
 * which takes the whole range, once. A range lives as long as the file's list or its mapping has it.
 */
#include "boot/dev-xen.h"
#include "boot/linux.h"

#define RANGE_MAX 16384u        /* pages in one range */

struct foreign { uint32_t domid, ref, handle; };

struct range {
    struct gntdev *of;          /* whose list has it; NULL: none */
    struct range *next;
    uint64_t index;
    uint64_t address;           /* of the mapping; 0: not mapped */
    uint32_t count, mapped;     /* pages; those that are mapped: the first ones */
    bool writable;
    struct unmap_notice notice;
    struct foreign *foreign;
};

struct gntdev {
    struct file file;
    struct range *ranges;
    uint64_t next_index;
};

static struct gntdev *gntdev_of(struct file *f) { return (struct gntdev *)(void *)f; }

static void release(struct range *r)
{
    if (r->of || r->address)
        return;
    notice_send(&r->notice);
    pool_put(r->foreign, r->count * sizeof(*r->foreign));
    pool_put(r, sizeof(*r));
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

/* ---- ioctls ---- */

static int read_refs(struct range *r, uint64_t from)
{
    struct ioctl_gntdev_grant_ref ref;

    for (uint32_t i = 0; i < r->count; i++) {
        if (user_in(&ref, from + i * sizeof(ref), sizeof(ref)) < 0)
            return -EFAULT;
        r->foreign[i] = (struct foreign){ .domid = ref.domid, .ref = ref.ref };
    }
    return 0;
}

static int64_t add(struct gntdev *g, uint64_t argument)
{
    const size_t head = offsetof(struct ioctl_gntdev_map_grant_ref, refs);
    struct ioctl_gntdev_map_grant_ref m;
    struct range *r;
    int e;

    if (user_in(&m, argument, head) < 0)
        return -EFAULT;
    if (m.count == 0 || m.count > RANGE_MAX)
        return -EINVAL;
    r = pool_get(sizeof(*r));
    if (r)
        r->foreign = pool_get(m.count * sizeof(*r->foreign));
    if (!r || !r->foreign) {
        pool_put(r, sizeof(*r));
        return -ENOMEM;
    }
    r->count = m.count;
    r->index = g->next_index;
    e = read_refs(r, argument + head);
    if (e == 0)
        e = user_out(argument + offsetof(struct ioctl_gntdev_map_grant_ref, index), &r->index, sizeof(r->index));
    if (e < 0) {
        release(r);
        return e;
    }
    g->next_index += r->count * PAGE;
    r->of = g;
    r->next = g->ranges;
    g->ranges = r;
    return 0;
}

static int64_t drop(struct gntdev *g, uint64_t argument)
{
    struct ioctl_gntdev_unmap_grant_ref u;
    struct range *r;

    if (user_in(&u, argument, sizeof(u)) < 0)
        return -EFAULT;
    for (r = g->ranges; r && !(r->index == u.index && r->count == u.count); r = r->next)
        ;
    if (!r)
        return -ENOENT;
    unlist(r);
    return 0;
}

static int64_t offset_of_address(struct gntdev *g, uint64_t argument)
{
    struct ioctl_gntdev_get_offset_for_vaddr o;
    struct range *r;

    if (user_in(&o, argument, sizeof(o)) < 0)
        return -EFAULT;
    for (r = g->ranges; r && !(r->address && r->address == o.vaddr); r = r->next)
        ;
    if (!r)
        return -EINVAL;
    o.offset = r->index;
    o.count = r->count;
    return user_out(argument, &o, sizeof(o));
}

static int64_t set_notice(struct gntdev *g, uint64_t argument)
{
    struct ioctl_gntdev_unmap_notify n;
    struct range *r;

    if (user_in(&n, argument, sizeof(n)) < 0)
        return -EFAULT;
    for (r = g->ranges; r && !(n.index >= r->index && n.index - r->index < r->count * PAGE); r = r->next)
        ;
    if (!r)
        return -ENOENT;
    if (n.action & UNMAP_NOTIFY_CLEAR_BYTE && r->address && !r->writable)
        return -EINVAL;
    return notice_set(&r->notice, n.action, n.event_channel_port, n.index - r->index);
}

static int64_t op_ioctl(struct file *f, unsigned request, uint64_t argument)
{
    struct gntdev *g = gntdev_of(f);

    switch (request) {
    case IOCTL_GNTDEV_MAP_GRANT_REF: return add(g, argument);
    case IOCTL_GNTDEV_UNMAP_GRANT_REF: return drop(g, argument);
    case IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR: return offset_of_address(g, argument);
    case IOCTL_GNTDEV_SET_UNMAP_NOTIFY: return set_notice(g, argument);
    }
    return -ENOTTY;             /* SET_MAX_GRANTS: the library takes that for an answer */
}

/* ---- mappings ---- */

/* The byte is cleared while the page is still ours to write; the event follows the unmapping, as the peer looks at once. */
static void unmap(void *owner, uint64_t start, uint64_t end)
{
    struct range *r = owner;
    uint8_t zero = 0;

    (void)end;
    if (r->notice.action & UNMAP_NOTIFY_CLEAR_BYTE && r->notice.offset / PAGE < r->mapped)
        user_out(start + r->notice.offset, &zero, 1);
    for (uint32_t i = 0; i < r->mapped; i++)
        grant_unmap(start + i * PAGE, r->foreign[i].handle);
    notice_send(&r->notice);
    r->address = 0;
    r->mapped = 0;
    release(r);
}

static const struct user_device mapping = { .unmap = unmap };

static int64_t op_map(struct file *f, enum user_where where, uint64_t address, uint64_t length, unsigned prot, unsigned flags,
                      uint64_t offset)
{
    struct user_backing backing = { .device = &mapping };
    struct range *r;
    int64_t at;
    int e = 0;

    for (r = gntdev_of(f)->ranges; r && !(r->index == offset && r->count * PAGE == length); r = r->next)
        ;
    if (!r || r->address || (flags & MAP_TYPE) == MAP_PRIVATE)
        return -EINVAL;
    if (prot & PROT_EXEC)
        return -EACCES;
    if (r->notice.action & UNMAP_NOTIFY_CLEAR_BYTE && !(prot & PROT_WRITE))
        return -EINVAL;
    backing.owner = r;
    at = user_map(where, address, length, prot, &backing);
    if (at < 0)
        return at;
    r->address = (uint64_t)at;
    r->writable = prot & PROT_WRITE;
    while (r->mapped < r->count && e == 0) {
        struct foreign *p = &r->foreign[r->mapped];

        e = p->domid > UINT16_MAX ? -EINVAL : grant_map((uint64_t)at + r->mapped * PAGE, (uint16_t)p->domid, p->ref, !r->writable,
                                                        &p->handle);
        r->mapped += e == 0;
    }
    if (e < 0)
        user_unmap((uint64_t)at, length);
    return e < 0 ? e : at;
}

static void op_close(struct file *f)
{
    struct gntdev *g = gntdev_of(f);

    while (g->ranges)
        unlist(g->ranges);
    pool_put(g, sizeof(*g));
}

static const struct file_ops gntdev_ops = { .ioctl = op_ioctl, .map = op_map, .close = op_close };

static int open_gntdev(const struct device *d, unsigned flags, struct file **out)
{
    struct gntdev *g = pool_get(sizeof(*g));

    (void)d;
    if (!g)
        return -ENOMEM;
    file_init(&g->file, &gntdev_ops, flags);
    *out = &g->file;
    return 0;
}

const struct device device_gntdev = { "dev/xen/gntdev", 10, 60, open_gntdev };
