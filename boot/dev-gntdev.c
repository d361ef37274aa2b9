/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/dev-gntdev.c - /dev/xen/gntdev: pages of other domains, mapped here.
 *
 * MAP_GRANT_REF only makes a range: domains, references and a place in the file's offsets; the hypervisor is asked in mmap(),
 * which takes the whole range, once. A range lives as long as the file's list or its mapping has it.
 */
#include "boot/dev-ranges.h"

struct foreign { uint32_t domid, ref, handle; };

struct mapped {
    struct range range;         /* first */
    uint64_t address;           /* of the mapping; 0: not mapped */
    uint32_t pages;             /* that are mapped: the first ones */
    bool writable;
    struct foreign *foreign;    /* range.count of them */
};

static struct mapped *mapped_of(struct range *r) { return (struct mapped *)(void *)r; }

static void release(struct range *r)
{
    struct mapped *m = mapped_of(r);

    if (r->of || m->address)
        return;
    notice_send(&r->notice);
    pool_put(m->foreign, r->count * sizeof(*m->foreign));
    pool_put(m, sizeof(*m));
}

/* ---- ioctls ---- */

static int read_refs(struct mapped *m, uint64_t from)
{
    struct ioctl_gntdev_grant_ref ref;

    for (uint32_t i = 0; i < m->range.count; i++) {
        if (user_in(&ref, from + i * sizeof(ref), sizeof(ref)) < 0)
            return -EFAULT;
        m->foreign[i] = (struct foreign){ .domid = ref.domid, .ref = ref.ref };
    }
    return 0;
}

static int64_t add(struct file *f, uint64_t argument)
{
    const size_t head = offsetof(struct ioctl_gntdev_map_grant_ref, refs);
    struct ioctl_gntdev_map_grant_ref a;
    struct mapped *m;
    int e;

    if (user_in(&a, argument, head) < 0)
        return -EFAULT;
    if (a.count == 0 || a.count > RANGE_MAX)
        return -EINVAL;
    m = pool_get(sizeof(*m));
    if (m)
        m->foreign = pool_get(a.count * sizeof(*m->foreign));
    if (!m || !m->foreign) {
        pool_put(m, sizeof(*m));
        return -ENOMEM;
    }
    m->range.count = a.count;
    range_list(f, &m->range);
    e = read_refs(m, argument + head);
    if (e == 0)
        e = user_out(argument + offsetof(struct ioctl_gntdev_map_grant_ref, index), &m->range.index, sizeof(m->range.index));
    if (e < 0)
        range_unlist(&m->range);
    return e;
}

/* The range that is exactly these pages. */
static struct range *whole(struct file *f, uint64_t index, uint64_t size)
{
    struct range *r = range_find(f, index, size);

    return r && r->index == index && r->count * PAGE == size ? r : NULL;
}

static int64_t drop(struct file *f, uint64_t argument)
{
    struct ioctl_gntdev_unmap_grant_ref u;
    struct range *r;

    if (user_in(&u, argument, sizeof(u)) < 0)
        return -EFAULT;
    r = whole(f, u.index, u.count * PAGE);
    if (!r)
        return -ENOENT;
    range_unlist(r);
    return 0;
}

static int64_t offset_of_address(struct file *f, uint64_t argument)
{
    struct ioctl_gntdev_get_offset_for_vaddr o;
    struct range *r = range_first(f);

    if (user_in(&o, argument, sizeof(o)) < 0)
        return -EFAULT;
    while (r && !(mapped_of(r)->address && mapped_of(r)->address == o.vaddr))
        r = r->next;
    if (!r)
        return -EINVAL;
    o.offset = r->index;
    o.count = r->count;
    return user_out(argument, &o, sizeof(o));
}

static int64_t set_notice(struct file *f, uint64_t argument)
{
    struct ioctl_gntdev_unmap_notify n;
    struct mapped *m;
    struct range *r;

    if (user_in(&n, argument, sizeof(n)) < 0)
        return -EFAULT;
    r = range_find(f, n.index, 1);
    if (!r)
        return -ENOENT;
    m = mapped_of(r);
    if (n.action & UNMAP_NOTIFY_CLEAR_BYTE && m->address && !m->writable)
        return -EINVAL;
    return notice_set(&r->notice, n.action, n.event_channel_port, n.index - r->index);
}

static int64_t op_ioctl(struct file *f, unsigned request, uint64_t argument)
{
    switch (request) {
    case IOCTL_GNTDEV_MAP_GRANT_REF: return add(f, argument);
    case IOCTL_GNTDEV_UNMAP_GRANT_REF: return drop(f, argument);
    case IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR: return offset_of_address(f, argument);
    case IOCTL_GNTDEV_SET_UNMAP_NOTIFY: return set_notice(f, argument);
    }
    return -ENOTTY;             /* SET_MAX_GRANTS: the library takes that for an answer */
}

/* ---- mappings ---- */

/* The byte is cleared while the page is still ours to write; the event follows the unmapping, as the peer looks at once. */
static void unmap(void *owner, uint64_t start, uint64_t end)
{
    struct mapped *m = owner;
    struct unmap_notice *notice = &m->range.notice;
    uint8_t zero = 0;

    (void)end;
    if (notice->action & UNMAP_NOTIFY_CLEAR_BYTE && notice->offset / PAGE < m->pages)
        user_out(start + notice->offset, &zero, 1);
    for (uint32_t i = 0; i < m->pages; i++)
        grant_unmap(start + i * PAGE, m->foreign[i].handle);
    notice_send(notice);
    m->address = 0;
    m->pages = 0;
    release(&m->range);
}

static const struct user_device mapping = { .unmap = unmap };

static int64_t op_map(struct file *f, enum user_where where, uint64_t address, uint64_t length, unsigned prot, unsigned flags,
                      uint64_t offset)
{
    struct range *r = whole(f, offset, length);
    struct mapped *m = mapped_of(r);
    struct user_backing backing = { .device = &mapping, .owner = m };
    int64_t at;
    int e = 0;

    if (!r || m->address || (flags & MAP_TYPE) == MAP_PRIVATE)
        return -EINVAL;
    if (prot & PROT_EXEC)
        return -EACCES;
    if (r->notice.action & UNMAP_NOTIFY_CLEAR_BYTE && !(prot & PROT_WRITE))
        return -EINVAL;
    at = user_map(where, address, length, prot, &backing);
    if (at < 0)
        return at;
    m->address = (uint64_t)at;
    m->writable = prot & PROT_WRITE;
    while (m->pages < r->count && e == 0) {
        struct foreign *p = &m->foreign[m->pages];

        e = p->domid > UINT16_MAX ? -EINVAL : grant_map((uint64_t)at + m->pages * PAGE, (uint16_t)p->domid, p->ref, !m->writable,
                                                        &p->handle);
        m->pages += e == 0;
    }
    if (e < 0)
        user_unmap((uint64_t)at, length);
    return e < 0 ? e : at;
}

static const struct file_ops gntdev_ops = { .ioctl = op_ioctl, .map = op_map, .close = ranges_close };

static int open_gntdev(const struct device *d, unsigned flags, struct file **out)
{
    (void)d;
    return ranges_open(&gntdev_ops, release, flags, out);
}

const struct device device_gntdev = { "dev/xen/gntdev", 10, 60, open_gntdev };
