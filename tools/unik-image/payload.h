/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/payload.h - the payload of boot/image.h put together, and a kernel with it written as one ELF file. */
#ifndef TOOLS_UNIK_IMAGE_PAYLOAD_H
#define TOOLS_UNIK_IMAGE_PAYLOAD_H

#include "boot/image.h"
#include "tools/unik-image/bytes.h"
#include "tools/unik-image/elf.h"

/* Parts as they are, in boot/image.h's order; texts with their NUL. Adds to out, which is empty. 0, -ENOMEM, -EFBIG. */
int payload_build(struct bytes *out, const struct bytes parts[IMAGE_PARTS]);

/* The program without what only debuggers read: sections, symbols. 0 or -ENOMEM. */
int payload_strip(struct bytes *out, const struct elf *program);

/* The kernel's segments and notes, and the payload as one more segment on the page after them. NULL, or what is wrong with
 * the kernel. */
const char *payload_attach(struct bytes *out, const struct elf *kernel, const struct bytes *payload);

/* The payload in an image: where it lies in the file. NULL, or what is wrong. */
const char *payload_find(const struct elf *image, struct image_bytes *payload);

#endif
