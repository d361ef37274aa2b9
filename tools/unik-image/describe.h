/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/describe.h - what is inside of an image, as text. */
#ifndef TOOLS_UNIK_IMAGE_DESCRIBE_H
#define TOOLS_UNIK_IMAGE_DESCRIBE_H

#include <stddef.h>
#include <stdio.h>

/* NULL, or what is wrong with the image; then what could be read has been printed. Safe on any bytes. */
const char *describe_image(FILE *to, const void *bytes, size_t n);
/* Only one of its files, as it is. */
const char *describe_file(FILE *to, const void *bytes, size_t n, const char *path);

#endif
