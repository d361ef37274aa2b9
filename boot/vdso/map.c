/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/vdso/map.c - the three pages of vdso.h appear in the program. */
#include "boot/linux.h"
#include "boot/machine.h"
#include "boot/paging.h"
#include "boot/vdso/vdso.h"

extern const uint8_t vdso_image[PAGE];          /* image.S */

/* Neither page is the mapping's to free. */
static void unmap(void *owner, uint64_t start, uint64_t end)
{
    (void)owner;
    paging_clear(start, end);
}

static const struct user_device device = { .unmap = unmap };

uint64_t vdso_map(void)
{
    const struct user_backing pages = { .device = &device }, file = { .file = { vdso_image, PAGE } };
    struct vdso_own *own = page_alloc();
    int64_t at = user_map(USER_HINT, 0, 3 * PAGE, 0, NULL);

    if (!own || at < 0 || user_map(USER_FIXED, (uint64_t)at, 2 * PAGE, USER_READ, &pages) < 0 ||
        user_map(USER_FIXED, (uint64_t)at + 2 * PAGE, PAGE, USER_READ | USER_EXEC, &file) < 0 ||
        user_set_page((uint64_t)at, own, true) < 0 ||
        paging_set_frame((uint64_t)at + PAGE, machine_start.shared_frame, PTE_CONST | PTE_USER | PTE_KEPT) < 0)
        panic("not enough memory for the program's clock");
    time_publish(&own->wall_offset);
    return (uint64_t)at + 2 * PAGE;
}
