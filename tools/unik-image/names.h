/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/names.h - the names of an ELF's functions in the form that boot/image.h describes. */
#ifndef TOOLS_UNIK_IMAGE_NAMES_H
#define TOOLS_UNIK_IMAGE_NAMES_H

#include "tools/unik-image/bytes.h"
#include "tools/unik-image/elf.h"

/* Adds the table to out; nothing if the file has no symbols. The same symbols give the same bytes, in whatever order they are.
 * 0 or -ENOMEM. */
int names_add(struct bytes *out, const struct elf *e);

#endif
