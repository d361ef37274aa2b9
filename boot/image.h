/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/image.h - what unik-image puts behind the kernel, and how the kernel finds it.
 *
 * The payload is one more segment of the ELF file, on the page that follows the kernel's bss. All numbers little-endian:
 *
 *    0  8 bytes  IMAGE_MAGIC
 *    8  u32      IMAGE_VERSION
 *   12  u32      IMAGE_PARTS
 *   16  u64      bytes of the payload, this head included: a multiple of IMAGE_PAGE
 *   24  u64      image_sum() of bytes 32 to the end
 *   32  for each part: u32 offset from the payload's start, u32 bytes
 *
 * The program begins on a page, so that its pages can be mapped where they are; other parts at multiples of 8. A part that
 * is not there has 0 bytes. The texts (command line, notes) end with a NUL, which their size counts.
 *
 * Used by the kernel (freestanding) and by unik-image. The sum finds accidents, not attackers: whoever can change the file
 * can change the sum.
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define IMAGE_MAGIC "unik-img"
#define IMAGE_VERSION 1
#define IMAGE_PAGE 4096
#define IMAGE_HEAD (32 + 8 * IMAGE_PARTS)       /* bytes before the first part may begin */
#define IMAGE_SUMMED 32                         /* the sum covers what follows */
#define IMAGE_SIZE_MAX (256u << 20)

enum image_part {
    IMAGE_PROGRAM,          /* a static ELF without sections */
    IMAGE_FILES,            /* cpio, "newc" */
    IMAGE_COMMAND_LINE,     /* words that go before those of the VM's own command line */
    IMAGE_PROGRAM_NAMES,    /* names of functions, for crash reports: image_name() */
    IMAGE_KERNEL_NAMES,
    IMAGE_NOTES,            /* lines for unik-image --describe */
    IMAGE_PARTS
};

struct image_bytes {
    const uint8_t *at;
    size_t size;
};

struct image {
    struct image_bytes part[IMAGE_PARTS];
    size_t size;            /* of the whole payload */
};

/* Check the payload at bytes, of which `available` may be read, and find its parts, in place. NULL, or what is wrong:
 * the end of a sentence "the image is unusable: ...". */
const char *image_read(struct image *image, const void *bytes, size_t available);

/* n: a multiple of 8. */
uint64_t image_sum(const void *bytes, size_t n);

/* ---- names ----
 *    0  u64  base: an address
 *    8  u32  n
 *   12  u32  0
 *   16  for each of n functions, by address: u32 address - base, u32 offset of its name in the text
 *   then the text: names that each end with a NUL
 * An empty name says: no function from here on. Addresses of a position-independent program are those before loading. */
#define IMAGE_NAMES_HEAD 16

/* The name of the function at an address and the distance to its start; NULL if no function is known there. Safe on any
 * bytes. distance may be NULL. */
const char *image_name(const struct image_bytes *names, uint64_t address, uint64_t *distance);

#endif
