/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/bytes.c - a buffer that grows. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/unik-image/bytes.h"

#define CHUNK 65536

/* Room for n more; false and bad if there is none. */
static bool reserve(struct bytes *b, size_t n)
{
    size_t room = b->room ? b->room : CHUNK;
    uint8_t *more;

    if (b->bad || n > BYTES_MAX - b->size) {
        b->bad = true;
        return false;
    }
    while (room < b->size + n)
        room *= 2;
    if (room == b->room)
        return true;
    more = realloc(b->at, room);
    if (!more) {
        b->bad = true;
        return false;
    }
    b->at = more;
    b->room = room;
    return true;
}

void bytes_add(struct bytes *b, const void *from, size_t n)
{
    if (n == 0 || !reserve(b, n))
        return;
    memcpy(b->at + b->size, from, n);
    b->size += n;
}

void bytes_zeros(struct bytes *b, size_t n)
{
    if (n == 0 || !reserve(b, n))
        return;
    memset(b->at + b->size, 0, n);
    b->size += n;
}

static void set_u32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

void bytes_u32(struct bytes *b, uint32_t v)
{
    uint8_t at[4];

    set_u32(at, v);
    bytes_add(b, at, 4);
}

void bytes_u64(struct bytes *b, uint64_t v)
{
    bytes_u32(b, (uint32_t)v);
    bytes_u32(b, (uint32_t)(v >> 32));
}

void bytes_text(struct bytes *b, const char *s) { bytes_add(b, s, strlen(s)); }

void bytes_align(struct bytes *b, size_t to) { bytes_zeros(b, -b->size & (to - 1)); }

void bytes_put_u32(struct bytes *b, size_t offset, uint32_t v)
{
    if (!b->bad && offset + 4 <= b->size)
        set_u32(b->at + offset, v);
}

void bytes_put_u64(struct bytes *b, size_t offset, uint64_t v)
{
    bytes_put_u32(b, offset, (uint32_t)v);
    bytes_put_u32(b, offset + 4, (uint32_t)(v >> 32));
}

void bytes_free(struct bytes *b)
{
    free(b->at);
    memset(b, 0, sizeof(*b));
}

int bytes_read_file(struct bytes *b, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), e = 0;
    ssize_t n;

    if (fd < 0)
        return -errno;
    for (;;) {
        if (!reserve(b, CHUNK)) {
            e = -EFBIG;
            break;
        }
        n = read(fd, b->at + b->size, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            e = n < 0 ? -errno : 0;
            break;
        }
        b->size += (size_t)n;
    }
    close(fd);
    return e;
}
