/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/paging.c - the program's page tables.
 *
 * The program lives in the lower half's first 512 GB: one level-3 table, machine_start.user_root. Tables that were made stay:
 * there are never more than the program's widest use of addresses needed.
 *
 * What mprotect(PROT_NONE) hides must keep its contents, but an entry that is not present must not hold a frame (Xen would
 * watch or shoot the domain, because of L1TF), and "no user access" does not exist in PV. So such pages go into a second set of
 * tables of the same form, which no processor ever sees. */
#include "boot/paging.h"

#define FLUSH 32u                               /* pages freed together, after the TLB forgot them */

static uint64_t *aside;                         /* level-3 table of the second set; ordinary memory */

static unsigned slot(uint64_t address, int level) { return address >> (12 + 9 * level) & (ENTRIES - 1); }

static void *child(uint64_t entry) { return machine->page((entry & PTE_FRAME) / PAGE); }

/* hidden: in the second set, whose tables are filled by plain stores. */
static uint64_t *find(uint64_t *table, uint64_t address, bool create, bool hidden)
{
    for (int level = 2; level > 0; level--) {
        uint64_t *entry = &table[slot(address, level)];

        if (!(*entry & PTE_PRESENT)) {
            void *page = create ? page_alloc() : NULL;
            if (!page)
                return NULL;
            if (hidden) {
                *entry = machine->frame(page) * PAGE | PTE_INNER;
            } else {
                machine->table_begin(page);
                machine->table_hook(entry, machine->frame(page) * PAGE | PTE_INNER);
            }
        }
        table = child(*entry);
    }
    return &table[slot(address, 0)];
}

uint64_t *paging_leaf(uint64_t address, bool create) { return find(machine_start.user_root, address, create, false); }

int paging_set_frame(uint64_t address, uint64_t frame, uint64_t rights)
{
    uint64_t *leaf = paging_leaf(address, true);

    if (!leaf)
        return -ENOMEM;
    machine->leaf(address, leaf, frame * PAGE | rights);
    machine->leaf_flush();
    return 0;
}

int paging_set(uint64_t address, const void *page, uint64_t rights)
{
    return paging_set_frame(address, machine->frame(page), rights);
}

int paging_fill(uint64_t address, uint64_t end, uint64_t rights)
{
    uint64_t *leaf = paging_leaf(address, false), done = 0;
    void *page;

    end = MIN(end, (address | (ENTRIES * PAGE - 1)) + 1);       /* within one table */
    for (; leaf && address < end && !(*leaf & PTE_PRESENT) && (page = page_alloc()); address += PAGE, done++)
        machine->leaf(address, leaf++, machine->frame(page) * PAGE | rights);
    machine->leaf_flush();
    return done ? 0 : -ENOMEM;
}

/* The next address at or after this one, before end, that has a level-1 table; end if there is none. */
static uint64_t skip(uint64_t *root, uint64_t address, uint64_t end)
{
    while (address < end) {
        uint64_t e = root[slot(address, 2)];
        uint64_t step = 1ull << 30;

        if (e & PTE_PRESENT) {
            if (((uint64_t *)child(e))[slot(address, 1)] & PTE_PRESENT)
                return address;
            step = 1ull << 21;
        }
        address = (address | (step - 1)) + 1;
    }
    return end;
}

static void clear_aside(uint64_t start, uint64_t end)
{
    if (!aside)
        return;
    for (uint64_t a = skip(aside, start, end); a < end; a = skip(aside, a + PAGE, end)) {
        uint64_t *leaf = find(aside, a, false, true);
        if (*leaf && !(*leaf & PTE_KEPT))
            page_free(child(*leaf));
        *leaf = 0;
    }
}

void paging_clear(uint64_t start, uint64_t end)
{
    void *gone[FLUSH];
    unsigned n = 0;

    for (uint64_t a = skip(machine_start.user_root, start, end); a < end; a = skip(machine_start.user_root, a + PAGE, end)) {
        uint64_t *leaf = paging_leaf(a, false), old = *leaf;

        if (!(old & PTE_PRESENT))
            continue;
        machine->leaf(a, leaf, 0);
        if (!(old & PTE_KEPT))
            gone[n++] = child(old);
        if (n == FLUSH) {
            machine->leaf_flush();
            while (n > 0)
                page_free(gone[--n]);
        }
    }
    machine->leaf_flush();
    while (n > 0)
        page_free(gone[--n]);
    clear_aside(start, end);
}

/* The leaf of the second set, made if there is none; NULL without memory for it. */
static uint64_t *make_aside(uint64_t address)
{
    if (!aside && !(aside = page_alloc()))
        return NULL;
    return find(aside, address, true, true);
}

int paging_prepare_hiding(uint64_t start, uint64_t end)
{
    for (uint64_t a = skip(machine_start.user_root, start, end); a < end; a = skip(machine_start.user_root, a + PAGE, end))
        if ((*paging_leaf(a, false) & PTE_PRESENT) && !make_aside(a))
            return -ENOMEM;
    return 0;
}

static void hide(uint64_t address, uint64_t *leaf)
{
    *find(aside, address, false, true) = *leaf & (PTE_FRAME | PTE_KEPT | PTE_PRESENT);
    machine->leaf(address, leaf, 0);
}

/* What was put aside comes back. Its level-1 table is still there. */
static void bring_back(uint64_t start, uint64_t end, uint64_t rights)
{
    if (!aside)
        return;
    for (uint64_t a = skip(aside, start, end); a < end; a = skip(aside, a + PAGE, end)) {
        uint64_t *hidden = find(aside, a, false, true);
        if (*hidden)
            machine->leaf(a, paging_leaf(a, false), (*hidden & (PTE_FRAME | PTE_KEPT)) | rights);
        *hidden = 0;
    }
    machine->leaf_flush();
}

void paging_protect(uint64_t start, uint64_t end, uint64_t rights)
{
    if (rights)
        bring_back(start, end, rights);
    for (uint64_t a = skip(machine_start.user_root, start, end); a < end; a = skip(machine_start.user_root, a + PAGE, end)) {
        uint64_t *leaf = paging_leaf(a, false);

        if (!(*leaf & PTE_PRESENT))
            continue;
        if (!rights)
            hide(a, leaf);
        else if ((*leaf & PTE_KEPT) && (rights & PTE_WRITE))
            machine->leaf(a, leaf, 0);          /* the file's own page: a copy comes when it is touched */
        else
            machine->leaf(a, leaf, (*leaf & (PTE_FRAME | PTE_KEPT)) | rights);
    }
    machine->leaf_flush();
}

static size_t owned_in(uint64_t *root, uint64_t start, uint64_t end)
{
    size_t n = 0;

    for (uint64_t a = skip(root, start, end); a < end; a = skip(root, a + PAGE, end))
        n += (*find(root, a, false, false) & (PTE_PRESENT | PTE_KEPT)) == PTE_PRESENT;
    return n;
}

size_t paging_owned(uint64_t start, uint64_t end)
{
    return owned_in(machine_start.user_root, start, end) + (aside ? owned_in(aside, start, end) : 0);
}

/* ---- moving ---- */

int paging_prepare_move(uint64_t from, uint64_t to, uint64_t length)
{
    uint64_t end = from + length;

    for (uint64_t a = skip(machine_start.user_root, from, end); a < end; a = skip(machine_start.user_root, a + PAGE, end))
        if ((*paging_leaf(a, false) & PTE_PRESENT) && !paging_leaf(a - from + to, true))
            return -ENOMEM;
    if (!aside)
        return 0;
    for (uint64_t a = skip(aside, from, end); a < end; a = skip(aside, a + PAGE, end))
        if (*find(aside, a, false, true) && (!paging_leaf(a - from + to, true) || !make_aside(a - from + to)))
            return -ENOMEM;
    return 0;
}

void paging_move(uint64_t from, uint64_t to, uint64_t length)
{
    uint64_t end = from + length;

    for (uint64_t a = skip(machine_start.user_root, from, end); a < end; a = skip(machine_start.user_root, a + PAGE, end)) {
        uint64_t *leaf = paging_leaf(a, false), old = *leaf;

        if (!(old & PTE_PRESENT))
            continue;
        machine->leaf(a, leaf, 0);
        machine->leaf(a - from + to, paging_leaf(a - from + to, false), old);
    }
    machine->leaf_flush();
    if (!aside)
        return;
    for (uint64_t a = skip(aside, from, end); a < end; a = skip(aside, a + PAGE, end)) {
        uint64_t *hidden = find(aside, a, false, true);

        if (*hidden)
            *find(aside, a - from + to, false, true) = *hidden;
        *hidden = 0;
    }
}
