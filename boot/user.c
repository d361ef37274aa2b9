/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/user.c - the program's address space: which areas there are, and what happens when one is touched.
 *
 * Areas are kept in one sorted array. A page of an area is there only once it was touched (user_fault()): a zeroed page, a copy
 * of a page of a file, or, for what cannot be written, the file's own page in the image. */
#include "boot/paging.h"

#define AREAS 1024u                             /* mappings at a time; each vchan has three */
#define AHEAD 8u                                /* pages that one fault brings at most */

struct area {
    uint64_t start, end;                        /* start < end, whole pages */
    unsigned prot;
    struct user_backing backing;                /* file.at is the byte at start */
};

static struct area areas[AREAS];
static size_t nr_areas;
static uint64_t brk_start, brk_end;             /* brk_end: as the program sees it, any byte */
static uint64_t map_top = USER_MAP_TOP;
static uint64_t fs;

/* ---- the array ---- */

/* The first area that ends behind address; nr_areas if none. */
static size_t at_or_after(uint64_t address)
{
    size_t low = 0, high = nr_areas;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (areas[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct area *area_of(uint64_t address)
{
    size_t i = at_or_after(address);

    return i < nr_areas && areas[i].start <= address ? &areas[i] : NULL;
}

static void remove_area(size_t i) { memmove(&areas[i], &areas[i + 1], (--nr_areas - i) * sizeof(areas[0])); }

static void insert_area(size_t i, struct area a)
{
    memmove(&areas[i + 1], &areas[i], (nr_areas++ - i) * sizeof(areas[0]));
    areas[i] = a;
}

static bool plain(const struct area *a) { return !a->backing.file.size && !a->backing.device; }

static void merge(size_t i)
{
    if (i + 1 < nr_areas && areas[i].end == areas[i + 1].start && areas[i].prot == areas[i + 1].prot &&
        plain(&areas[i]) && plain(&areas[i + 1])) {
        areas[i].end = areas[i + 1].end;
        remove_area(i + 1);
    }
}

/* Merges what lies in or next to [start, end). */
static void merge_around(uint64_t start, uint64_t end)
{
    size_t i = at_or_after(start ? start - 1 : 0);

    while (i < nr_areas && areas[i].start <= end) {
        size_t before = nr_areas;
        merge(i);
        if (nr_areas == before)
            i++;
    }
}

/* Makes address a border between areas; may_cut() has allowed it. */
static void split(uint64_t address)
{
    struct area *a = area_of(address), second;

    if (!a || a->start == address)
        return;
    second = *a;
    second.start = address;
    if (a->backing.file.size) {
        uint64_t n = MIN(address - a->start, a->backing.file.size);
        second.backing.file.at += n;
        second.backing.file.size -= n;
        a->backing.file.size = n;
    }
    a->end = address;
    insert_area((size_t)(a - areas) + 1, second);
}

/* May both ends of [address, address + length) become borders? Nothing is changed. -ENOMEM: too many areas; -EINVAL: an end lies
 * inside a device's. */
static int may_cut(uint64_t address, uint64_t length)
{
    const uint64_t ends[2] = {address, address + length};
    size_t cuts = 0;

    for (unsigned i = 0; i < 2; i++) {
        const struct area *a = area_of(ends[i]);

        if (!a || a->start == ends[i])
            continue;
        if (a->backing.device)
            return -EINVAL;
        cuts++;
    }
    return nr_areas + cuts > AREAS ? -ENOMEM : 0;
}

/* ---- touching ---- */

static uint64_t rights_of(unsigned prot)
{
    if (!(prot & (USER_READ | USER_WRITE | USER_EXEC)))
        return 0;
    return PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY | (prot & USER_WRITE ? PTE_WRITE : 0) |
           (prot & USER_EXEC ? 0 : PTE_NO_EXEC);
}

/* New memory is mostly touched from its start to its end: a fault next to a page that is there brings some more pages, unless
 * memory runs short. The pages to bring, from `at` on. */
static uint64_t ahead(const struct area *a, uint64_t at)
{
    const uint64_t *before = at > a->start ? paging_leaf(at - PAGE, false) : NULL;

    if (!plain(a) || !before || !(*before & PTE_PRESENT) || pages_left() < pages_total() / 4)
        return at + PAGE;
    return MIN(at + AHEAD * PAGE, a->end);
}

int user_fault(uint64_t address, unsigned how)
{
    const struct area *a = area_of(address);
    unsigned allowed = a ? a->prot : 0;
    uint64_t at = PAGE_DOWN(address), offset, *leaf;
    const struct bytes *file;
    void *page;

    if (allowed & USER_WRITE)
        allowed |= USER_READ;                   /* the processor knows no memory that can only be written */
    if (!a || a->backing.device || !(allowed & how))
        return -EFAULT;
    leaf = paging_leaf(at, true);
    if (!leaf)
        return -ENOMEM;
    if (*leaf & PTE_PRESENT)
        return -EFAULT;
    file = &a->backing.file;
    offset = at - a->start;
    if (!(a->prot & USER_WRITE) && offset + PAGE <= file->size && (ADDRESS(file->at) & (PAGE - 1)) == 0)
        return paging_set(at, file->at + offset, rights_of(a->prot) | PTE_KEPT);
    if (offset >= file->size)
        return paging_fill(at, ahead(a, at), rights_of(a->prot));
    if (!(page = page_alloc()))
        return -ENOMEM;
    memcpy(page, file->at + offset, MIN(PAGE, file->size - offset));
    return paging_set(at, page, rights_of(a->prot));
}

static bool present(uint64_t page, bool write)
{
    const uint64_t *leaf = paging_leaf(page, false);

    return leaf && (*leaf & PTE_PRESENT) && (!write || (*leaf & PTE_WRITE));
}

void *user_buffer(uint64_t address, size_t n, bool write)
{
    if (n == 0)
        return (void *)USER_START;
    if (address < USER_START || n > USER_STACK_TOP || address > USER_STACK_TOP - n)
        return NULL;
    for (uint64_t a = PAGE_DOWN(address); a < address + n; a += PAGE) {
        if (present(a, write))
            continue;
        switch (user_fault(a, write ? USER_WRITE : USER_READ)) {
        case 0:
            continue;
        case -ENOMEM:
            program_starved(a);
        default:
            return NULL;
        }
    }
    return (void *)address;
}

int user_peek(void *to, uint64_t from, size_t n)
{
    if (n == 0 || from < USER_START || n > USER_STACK_TOP || from > USER_STACK_TOP - n)
        return -EFAULT;
    for (uint64_t a = PAGE_DOWN(from); a < from + n; a += PAGE)
        if (!present(a, false))
            return -EFAULT;
    memcpy(to, (const void *)from, n);
    return 0;
}

int user_in(void *to, uint64_t from, size_t n)
{
    const void *p = user_buffer(from, n, false);

    if (!p)
        return -EFAULT;
    memcpy(to, p, n);
    return 0;
}

int user_out(uint64_t to, const void *from, size_t n)
{
    void *p = user_buffer(to, n, true);

    if (!p)
        return -EFAULT;
    memcpy(p, from, n);
    return 0;
}

int64_t user_string(char *to, uint64_t from, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t part = MIN(size - done, PAGE - ((from + done) & (PAGE - 1)));
        const char *p = user_buffer(from + done, part, false);
        size_t n;

        if (!p)
            return -EFAULT;
        n = strnlen(p, part);
        memcpy(to + done, p, n);
        done += n;
        if (n < part) {
            to[done] = 0;
            return (int64_t)done;
        }
    }
    return -ENAMETOOLONG;
}

/* ---- making and unmaking ---- */

static bool inside(uint64_t address, uint64_t length)
{
    return address >= USER_START && length <= USER_STACK_TOP && address <= USER_STACK_TOP - length;
}

/* The highest gap below map_top of this length; 0 if there is none. */
static uint64_t gap(uint64_t length)
{
    uint64_t top = map_top;

    for (size_t i = nr_areas; i-- > 0;) {
        if (areas[i].start >= top)
            continue;
        if (areas[i].end <= top && top - areas[i].end >= length)
            return top - length;
        top = areas[i].start;
    }
    return top >= USER_START && top - USER_START >= length ? top - length : 0;
}

static bool is_free(uint64_t address, uint64_t length)
{
    size_t i = at_or_after(address);

    return i == nr_areas || areas[i].start >= address + length;
}

/* Memory that can be written must be there at this moment; it is not set aside. have: pages it has already, or that go for it. */
static bool affordable(uint64_t length, unsigned prot, size_t have)
{
    return !(prot & USER_WRITE) || (prot & USER_LAZY) || length / PAGE <= pages_left() + have;
}

int64_t user_map(enum user_where where, uint64_t address, uint64_t length, unsigned prot, const struct user_backing *backing)
{
    static const struct user_backing zeros;
    struct area a = {.prot = prot & ~(unsigned)USER_LAZY, .backing = backing ? *backing : zeros};
    int e;

    if (length == 0 || length > USER_STACK_TOP || (address & (PAGE - 1) && where != USER_HINT))
        return -EINVAL;
    length = PAGE_UP(length);
    if ((prot & USER_WRITE) && (prot & USER_EXEC))
        return -EACCES;
    if (!a.backing.device &&
        !affordable(length, prot, where == USER_FIXED && inside(address, length) ? paging_owned(address, address + length) : 0))
        return -ENOMEM;
    if (where == USER_HINT) {
        address = PAGE_DOWN(address);
        if (!address || !inside(address, length) || !is_free(address, length))
            address = gap(length);
        if (!address)
            return -ENOMEM;
    }
    if (!inside(address, length))
        return -ENOMEM;
    if (!is_free(address, length)) {
        if (where == USER_FIXED_NEW)
            return -EEXIST;
        if ((e = user_unmap(address, length)) < 0)     /* there is room for one more, then: one at least has gone */
            return e;
    }
    if (nr_areas == AREAS)
        return -ENOMEM;
    a.start = address;
    a.end = address + length;
    a.backing.file.size = MIN(a.backing.file.size, length);
    insert_area(at_or_after(address), a);
    merge_around(a.start, a.end);
    return (int64_t)address;
}

/* Borders at both ends, so that whole areas lie in [address, address + length). */
static int cut_out(uint64_t address, uint64_t length)
{
    int e = may_cut(address, length);

    if (e < 0)
        return e;
    split(address);
    split(address + length);
    return 0;
}

int user_unmap(uint64_t address, uint64_t length)
{
    size_t i;
    int e;

    length = PAGE_UP(length);
    if ((address & (PAGE - 1)) || length == 0 || !inside(address, length))
        return -EINVAL;
    if ((e = cut_out(address, length)) < 0)
        return e;
    while ((i = at_or_after(address)) < nr_areas && areas[i].start < address + length) {
        struct area a = areas[i];

        remove_area(i);
        if (a.backing.device)
            a.backing.device->unmap(a.backing.owner, a.start, a.end);
        else
            paging_clear(a.start, a.end);
    }
    return 0;
}

/* Is each page of it in some area? */
static bool covered(uint64_t address, uint64_t length)
{
    for (uint64_t at = address; at < address + length;) {
        const struct area *a = area_of(at);
        if (!a)
            return false;
        at = a->end;
    }
    return true;
}

/* All that can stand against new rights, before anything is changed. */
static int may_protect(uint64_t address, uint64_t length, unsigned prot)
{
    uint64_t end = address + length, more = 0;
    size_t have = 0;

    for (size_t i = at_or_after(address); i < nr_areas && areas[i].start < end; i++) {
        uint64_t from = MAX(address, areas[i].start), to = MIN(end, areas[i].end);

        if (areas[i].backing.device)
            return -EACCES;
        if ((prot & USER_WRITE) && !(areas[i].prot & USER_WRITE)) {
            more += to - from;
            have += paging_owned(from, to);
        }
    }
    if (!affordable(more, prot, have))
        return -ENOMEM;
    return rights_of(prot) ? 0 : paging_prepare_hiding(address, end);
}

int user_protect(uint64_t address, uint64_t length, unsigned prot)
{
    int e;

    length = PAGE_UP(length);
    if ((address & (PAGE - 1)) || (length && !inside(address, length)))
        return -EINVAL;
    if ((prot & USER_WRITE) && (prot & USER_EXEC))
        return -EACCES;
    if (length == 0)
        return 0;
    if (!covered(address, length))
        return -ENOMEM;
    if ((e = may_protect(address, length, prot)) < 0 || (e = cut_out(address, length)) < 0)
        return e;
    for (size_t i = at_or_after(address); i < nr_areas && areas[i].start < address + length; i++)
        areas[i].prot = prot & ~(unsigned)USER_LAZY;
    paging_protect(address, address + length, rights_of(prot));
    merge_around(address, address + length);
    return 0;
}

/* To another place, which is longer. Everything is prepared first: nothing fails once a page has moved. */
static int64_t move_area(uint64_t address, uint64_t old_length, uint64_t new_length, unsigned prot)
{
    int64_t to;

    if (nr_areas + 3 > AREAS)                   /* the new one, and two more when the old one is cut out */
        return -ENOMEM;
    to = user_map(USER_HINT, 0, new_length, prot | USER_LAZY, NULL);
    if (to < 0)
        return -ENOMEM;
    if (paging_prepare_move(address, (uint64_t)to, old_length) < 0) {
        user_unmap((uint64_t)to, new_length);
        return -ENOMEM;
    }
    paging_move(address, (uint64_t)to, old_length);
    user_unmap(address, old_length);
    return to;
}

int64_t user_remap(uint64_t address, uint64_t old_length, uint64_t new_length, bool may_move)
{
    const struct area *a = area_of(address);
    unsigned prot = a ? a->prot : 0;
    int e;

    old_length = PAGE_UP(old_length);
    new_length = PAGE_UP(new_length);
    if ((address & (PAGE - 1)) || old_length == 0 || new_length == 0 || !inside(address, old_length))
        return -EINVAL;
    if (!a || a->end - address < old_length)
        return -EFAULT;
    if (a->backing.device)
        return -EINVAL;
    if (new_length <= old_length) {
        if (new_length < old_length && (e = user_unmap(address + new_length, old_length - new_length)) < 0)
            return e;
        return (int64_t)address;
    }
    if (!plain(a) || !affordable(new_length - old_length, prot, 0))     /* nobody grows a mapping of a file */
        return -ENOMEM;
    if (user_map(USER_FIXED_NEW, address + old_length, new_length - old_length, prot, NULL) >= 0)
        return (int64_t)address;
    return may_move ? move_area(address, old_length, new_length, prot) : -ENOMEM;
}

int user_forget(uint64_t address, uint64_t length)
{
    length = PAGE_UP(length);
    if ((address & (PAGE - 1)) || (length && !inside(address, length)))
        return -EINVAL;
    if (!covered(address, length))
        return -ENOMEM;
    for (size_t i = at_or_after(address); i < nr_areas && areas[i].start < address + length; i++)
        if (!areas[i].backing.device)
            paging_clear(MAX(address, areas[i].start), MIN(address + length, areas[i].end));
    return 0;
}

void user_map_below(uint64_t top) { map_top = top; }

void user_brk_start(uint64_t address) { brk_start = brk_end = PAGE_UP(address); }

uint64_t user_brk(uint64_t address)
{
    uint64_t old = PAGE_UP(brk_end), new = PAGE_UP(address);

    if (address < brk_start || address > map_top)
        return brk_end;
    if (new > old && user_map(USER_FIXED_NEW, old, new - old, USER_READ | USER_WRITE, NULL) < 0)
        return brk_end;
    if (new < old && user_unmap(new, old - new) < 0)
        return brk_end;
    return brk_end = address;
}

/* ---- for devices ---- */

int user_set_page(uint64_t address, void *page, bool write)
{
    return paging_set(address, page, rights_of(write ? USER_READ | USER_WRITE : USER_READ) | PTE_KEPT);
}

void user_clear_page(uint64_t address) { paging_clear(address, address + PAGE); }

int user_set_fs(uint64_t base)
{
    if (base >= USER_STACK_TOP)
        return -EPERM;
    fs = base;
    machine->set_fs(base);
    return 0;
}

uint64_t user_fs(void) { return fs; }
