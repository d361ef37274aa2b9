/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/picture-file.h - pictures as files. */
#ifndef UNIK_DOM0_PICTURE_FILE_H
#define UNIK_DOM0_PICTURE_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* Is this a name that picture_write() knows what to do with? NULL, or why not. */
const char *picture_refuse(const char *file);
/* 0x00RRGGBB, row by row, into FILE.png or FILE.ppm. 0, or a negative errno. */
int picture_write(const char *file, const uint32_t *pixels, uint32_t width, uint32_t height);

#endif
