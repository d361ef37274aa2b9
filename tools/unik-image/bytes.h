/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/bytes.h - a buffer that grows, for what is put together piece by piece. */
#ifndef TOOLS_UNIK_IMAGE_BYTES_H
#define TOOLS_UNIK_IMAGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BYTES_MAX (512u << 20)

struct bytes {
    uint8_t *at;
    size_t size, room;
    bool bad;               /* no memory, or over BYTES_MAX: nothing more is added */
};

void bytes_add(struct bytes *b, const void *from, size_t n);
void bytes_zeros(struct bytes *b, size_t n);
void bytes_u32(struct bytes *b, uint32_t v);        /* little-endian */
void bytes_u64(struct bytes *b, uint64_t v);
void bytes_text(struct bytes *b, const char *s);    /* without its NUL */
/* Zeros up to the next multiple of `to`, a power of two. */
void bytes_align(struct bytes *b, size_t to);
/* Over what is there already. */
void bytes_put_u32(struct bytes *b, size_t offset, uint32_t v);
void bytes_put_u64(struct bytes *b, size_t offset, uint64_t v);
void bytes_free(struct bytes *b);

/* A whole file. 0 or a negative errno; -EFBIG over BYTES_MAX. */
int bytes_read_file(struct bytes *b, const char *path);

#endif
