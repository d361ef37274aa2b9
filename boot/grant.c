/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/grant.c - grant table, version 1 (xen/grant_table.h): pages of ours for other domains, and theirs for us.
 *
 * The other side is another domain and may keep a page mapped for as long as it likes. Until it lets go neither the reference
 * nor the page is used for anything else: such references wait in a list of their own and are tried again whenever a new one
 * is wanted. */
#include "boot/paging.h"

#define FRAMES 16u                              /* of the table, 512 entries each; Xen may give fewer */
#define PER_FRAME (PAGE / sizeof(struct grant_entry_v1))
#define REFS (FRAMES * PER_FRAME)
#define TRIES 16u                               /* waiting references looked at when a new one is wanted */
#define NONE 0u                                 /* not a reference: 0 to 7 are reserved */

static uint8_t table[FRAMES][PAGE] __attribute__((aligned(4096)));
static unsigned frames;                         /* of the table that are there */
static uint16_t next[REFS];                     /* lists through references: free ones, and those that wait */
static void *pages[REFS];                       /* what a waiting reference still shows */
static uint16_t free_refs, first_waiting, last_waiting;
static size_t waiting;

static struct grant_entry_v1 *entry(uint32_t ref) { return (struct grant_entry_v1 *)table + ref; }

/* Another frame of the table, and its references into the free list. */
static bool grow(void)
{
    if (frames == FRAMES || machine->grant_frame(frames, table[frames]) < 0)
        return false;
    for (uint32_t r = (frames + 1) * PER_FRAME; r-- > MAX(frames * PER_FRAME, GNTTAB_NR_RESERVED_ENTRIES);) {
        next[r] = free_refs;
        free_refs = (uint16_t)r;
    }
    frames++;
    return true;
}

/* No access from now on, unless the other side has it mapped: false. */
static bool revoke(uint32_t ref)
{
    uint16_t *flags = &entry(ref)->flags, old = *(volatile uint16_t *)flags;

    do
        if (old & (GTF_reading | GTF_writing))
            return false;
    while (!__atomic_compare_exchange_n(flags, &old, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return true;
}

static void release(uint32_t ref, void *page)
{
    page_free(page);
    next[ref] = free_refs;
    free_refs = (uint16_t)ref;
}

static void wait_for(uint32_t ref, void *page)
{
    pages[ref] = page;
    next[ref] = NONE;
    if (waiting == 0)
        first_waiting = (uint16_t)ref;
    else
        next[last_waiting] = (uint16_t)ref;
    last_waiting = (uint16_t)ref;
    waiting++;
}

/* Tries the n references that have waited longest; those that must go on waiting do so at the end. */
static void try_waiting(size_t n)
{
    for (n = MIN(n, waiting); n > 0; n--) {
        uint16_t ref = first_waiting;

        first_waiting = next[ref];
        waiting--;
        if (revoke(ref))
            release(ref, pages[ref]);
        else
            wait_for(ref, pages[ref]);
    }
}

int64_t grant_give(uint16_t domid, void *page, bool readonly)
{
    struct grant_entry_v1 *e;
    uint64_t frame = page_frame(page);
    uint16_t ref;

    try_waiting(TRIES);
    if (free_refs == NONE && !grow())
        try_waiting(waiting);
    if (free_refs == NONE || frame > UINT32_MAX)
        return -ENOSPC;
    ref = free_refs;
    free_refs = next[ref];
    e = entry(ref);
    e->domid = domid;
    e->frame = (uint32_t)frame;
    barrier();                                  /* Xen looks at the rest once the flags permit */
    *(volatile uint16_t *)&e->flags = (uint16_t)(GTF_permit_access | (readonly ? GTF_readonly : 0));
    return ref;
}

void grant_end(uint32_t ref, void *page)
{
    if (ref < GNTTAB_NR_RESERVED_ENTRIES || ref >= frames * PER_FRAME)
        panic("grant reference %u ended, which we never gave", ref);
    if (revoke(ref))
        release(ref, page);
    else
        wait_for(ref, page);
}

int grant_map(uint64_t address, uint16_t domid, uint32_t ref, bool readonly, uint32_t *handle)
{
    uint64_t *leaf = paging_leaf(address, true);

    if (!leaf)
        return -ENOMEM;
    return *leaf & PTE_PRESENT ? -EINVAL : machine->foreign_map(address, leaf, domid, ref, readonly, handle);
}

int grant_unmap(uint64_t address, uint32_t handle)
{
    uint64_t *leaf = paging_leaf(address, false);

    return leaf ? machine->foreign_unmap(address, leaf, handle) : -EINVAL;
}

void grant_init(void)
{
    if (!grow())
        panic("Xen gives us no grant table");
}
