/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/memory.c - which pages are free: one bit for each page of the direct map, kept in the first of them. */
#include "boot/machine.h"

static uint8_t *base;                           /* first page; the bits are in front of it */
static uint64_t *taken;                         /* bit i: page i is taken */
static size_t total, left, next;                /* pages; where to look first */
static size_t holes;                            /* of total: pages that there are not */

static bool is_taken(size_t i) { return taken[i / 64] >> i % 64 & 1; }
static void take(size_t i) { taken[i / 64] |= 1ull << i % 64; }

void memory_add(void *first, size_t pages)
{
    size_t bits = PAGE_UP((pages + 7) / 8) / PAGE;

    taken = first;
    memset(taken, 0, bits * PAGE);
    base = (uint8_t *)first + bits * PAGE;
    total = left = pages - bits;
    holes = 0;
}

void memory_hole(void *first, size_t pages)
{
    size_t i = (size_t)((uint8_t *)first - base) / PAGE;

    for (size_t k = i; k < i + pages; k++)
        take(k);
    left -= pages;
    holes += pages;
}

size_t pages_left(void) { return left; }
size_t pages_total(void) { return total - holes; }

/* The first of n free pages in a row from page `from` on, before page `end`; total if there are none. */
static size_t find(size_t from, size_t end, size_t n)
{
    size_t run = 0;

    for (size_t i = from; i < end; i++) {
        if (i % 64 == 0 && run == 0 && taken[i / 64] == UINT64_MAX) {
            i += 63;
            continue;
        }
        run = is_taken(i) ? 0 : run + 1;
        if (run == n)
            return i + 1 - n;
    }
    return total;
}

void *pages_alloc(size_t n)
{
    size_t i;

    if (n == 0 || n > left)
        return NULL;
    i = find(next, total, n);
    if (i == total)
        i = find(0, total, n);
    if (i == total)
        return NULL;
    next = i + n;
    left -= n;
    for (size_t k = i; k < i + n; k++)
        take(k);
    return memset(base + i * PAGE, 0, n * PAGE);
}

void *page_alloc(void) { return pages_alloc(1); }

void page_free(void *page)
{
    size_t i = (size_t)((uint8_t *)page - base) / PAGE;

    if ((uint8_t *)page < base || i >= total || !is_taken(i) || (ADDRESS(page) & (PAGE - 1)))
        panic("page %p freed, which is not taken", page);
    taken[i / 64] &= ~(1ull << i % 64);
    left++;
    next = MIN(next, i);
}

uint64_t page_frame(const void *page) { return machine->frame(page); }
