/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/dev-ranges.c - files whose offsets are ranges of shared pages. */
#include "boot/dev-ranges.h"

static struct ranges *ranges_of(struct file *f) { return (struct ranges *)(void *)f; }

struct range *range_first(struct file *f) { return ranges_of(f)->first; }

int ranges_open(const struct file_ops *ops, void (*release)(struct range *r), unsigned flags, struct file **out)
{
    struct ranges *all = pool_get(sizeof(*all));

    if (!all)
        return -ENOMEM;
    all->release = release;
    file_init(&all->file, ops, flags);
    *out = &all->file;
    return 0;
}

void ranges_close(struct file *f)
{
    struct ranges *all = ranges_of(f);

    while (all->first)
        range_unlist(all->first);
    pool_put(all, sizeof(*all));
}

void range_list(struct file *f, struct range *r)
{
    struct ranges *all = ranges_of(f);

    r->index = all->next_index;
    r->of = all;
    r->next = all->first;
    all->first = r;
    all->next_index += r->count * PAGE;
}

void range_unlist(struct range *r)
{
    struct ranges *all = r->of;
    struct range **p = &all->first;

    while (*p != r)
        p = &(*p)->next;
    *p = r->next;
    r->of = NULL;
    all->release(r);
}

struct range *range_find(struct file *f, uint64_t index, uint64_t size)
{
    struct range *r = ranges_of(f)->first;

    while (r && !(index >= r->index && index - r->index < r->count * PAGE && size <= r->count * PAGE - (index - r->index)))
        r = r->next;
    return r;
}
