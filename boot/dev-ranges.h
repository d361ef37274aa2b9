/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/dev-ranges.h - what /dev/xen/gntalloc and gntdev have in common: a file whose offsets are shared pages, range after range.
 *
 * The program names a range by the offset that it got for it. A range is listed until the program takes it off or closes the
 * file; a mapping may keep it longer. No offset is used twice. */
#ifndef BOOT_DEV_RANGES_H
#define BOOT_DEV_RANGES_H

#include "boot/dev-xen.h"
#include "boot/linux.h"

#define RANGE_MAX 16384u        /* pages in one range: 64 MiB, more than a window of the largest screen */

/* First in a device's own struct. */
struct range {
    struct ranges *of;          /* whose list has it; NULL: none */
    struct range *next;
    uint64_t index;             /* its first byte's offset in the file */
    uint32_t count;             /* pages */
    struct unmap_notice notice;
};

struct ranges {
    struct file file;
    struct range *first;        /* the youngest */
    uint64_t next_index;
    void (*release)(struct range *r);   /* it is listed no more: free it, unless it is mapped */
};

int ranges_open(const struct file_ops *ops, void (*release)(struct range *r), unsigned flags, struct file **out);
void ranges_close(struct file *f);      /* a file_ops.close */

/* Those that are listed, by next. */
struct range *range_first(struct file *f);
/* Gives it the next offsets. */
void range_list(struct file *f, struct range *r);
void range_unlist(struct range *r);
/* The listed range that has the bytes [index, index + size), or NULL. */
struct range *range_find(struct file *f, uint64_t index, uint64_t size);

#endif
