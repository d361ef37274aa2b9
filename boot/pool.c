/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/pool.c - memory for the kernel's small objects: free lists of the sizes 32 to 2048, filled page by page. What was
 * given back is used again for the same size; pages do not go back, so it holds as much as was ever needed at a time. */
#include "boot/linux.h"

#define SMALLEST 32u
#define CLASSES 7u              /* 32 .. 2048 */

struct spare { struct spare *next; };

static struct spare *spares[CLASSES];
static size_t used;

static unsigned class_of(size_t n)
{
    unsigned c = 0;

    for (size_t size = SMALLEST; size < n; size *= 2)
        c++;
    return c;
}

static bool fill(unsigned c)
{
    size_t size = (size_t)SMALLEST << c;
    uint8_t *page = page_alloc();

    if (!page)
        return false;
    for (size_t at = 0; at < PAGE; at += size) {
        struct spare *s = (struct spare *)(void *)(page + at);

        s->next = spares[c];
        spares[c] = s;
    }
    return true;
}

void *pool_get(size_t n)
{
    unsigned c = class_of(n);
    struct spare *s;

    if (c >= CLASSES) {
        void *pages = n > PAGE * pages_total() ? NULL : n <= PAGE ? page_alloc() : pages_alloc(PAGE_UP(n) / PAGE);

        used += pages ? PAGE_UP(n) : 0;
        return pages;
    }
    if (!spares[c] && !fill(c))
        return NULL;
    s = spares[c];
    spares[c] = s->next;
    memset(s, 0, (size_t)SMALLEST << c);
    used += (size_t)SMALLEST << c;
    return s;
}

void pool_put(void *object, size_t n)
{
    unsigned c = class_of(n);
    struct spare *s = object;

    if (!object)
        return;
    if (c >= CLASSES) {
        for (size_t at = 0; at < PAGE_UP(n); at += PAGE)
            page_free((uint8_t *)object + at);
        used -= PAGE_UP(n);
        return;
    }
    s->next = spares[c];
    spares[c] = s;
    used -= (size_t)SMALLEST << c;
}

size_t pool_used(void) { return used; }
