/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/vdso/vdso.h - what the program's clock (clock.c) and the kernel (image.c) must agree on: three pages in a row, of which the
 * last is an ELF file that libc finds by AT_SYSINFO_EHDR. */
#ifndef BOOT_VDSO_H
#define BOOT_VDSO_H

#include <stdint.h>

/* The first page, the program's to write: what it breaks there is its own clock. */
struct vdso_own {
    uint64_t latest;                            /* the monotonic clock was this late already */
    int64_t wall_offset;                        /* from the kernel: added to Xen's wall clock */
};
/* The second: struct shared_info, read-only. The program is the kernel's only tenant: the events and the last fault's address that
 * stand there as well are all its own. */

#endif
