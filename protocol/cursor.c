/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/cursor.c - bounded reading and writing of little-endian wire data. */
#include <string.h>

#include "protocol/cursor.h"

void reader_init(struct reader *r, const void *bytes, size_t n)
{
    r->at = bytes ? bytes : (const void *)"";
    r->left = bytes ? n : 0;
    r->bad = !bytes && n > 0;
}

const uint8_t *reader_bytes(struct reader *r, size_t n)
{
    const uint8_t *at = r->at;

    if (r->bad || n > r->left) {
        r->bad = true;
        return NULL;
    }
    r->at += n;
    r->left -= n;
    return at;
}

uint8_t reader_u8(struct reader *r)
{
    const uint8_t *b = reader_bytes(r, 1);

    return b ? b[0] : 0;
}

uint16_t reader_u16(struct reader *r)
{
    const uint8_t *b = reader_bytes(r, 2);

    return b ? (uint16_t)(b[0] | b[1] << 8) : 0;
}

uint32_t reader_u32(struct reader *r)
{
    const uint8_t *b = reader_bytes(r, 4);

    return b ? b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24 : 0;
}

void reader_skip(struct reader *r, size_t n) { reader_bytes(r, n); }

const char *reader_string(struct reader *r, size_t n)
{
    const uint8_t *b = reader_bytes(r, n);

    if (!b || !memchr(b, 0, n)) {
        r->bad = true;
        return NULL;
    }
    return (const char *)b;
}

void writer_init(struct writer *w, void *bytes, size_t size)
{
    *w = (struct writer){ .start = bytes, .size = bytes ? size : 0 };
}

/* Room for n bytes, which the caller fills; NULL and bad if there is none. */
static uint8_t *take(struct writer *w, size_t n)
{
    uint8_t *at;

    if (w->bad || n > w->size - w->used) {
        w->bad = true;
        return NULL;
    }
    at = w->start + w->used;
    w->used += n;
    return at;
}

void writer_u8(struct writer *w, uint8_t v)
{
    uint8_t *b = take(w, 1);

    if (b)
        b[0] = v;
}

void writer_u16(struct writer *w, uint16_t v)
{
    writer_u8(w, (uint8_t)v);
    writer_u8(w, (uint8_t)(v >> 8));
}

void writer_u32(struct writer *w, uint32_t v)
{
    uint8_t *b = take(w, 4);

    for (int i = 0; b && i < 4; i++)
        b[i] = (uint8_t)(v >> 8 * i);
}

void writer_bytes(struct writer *w, const void *bytes, size_t n)
{
    uint8_t *b = n ? take(w, n) : NULL;

    if (b)
        memcpy(b, bytes, n);
}

void writer_zeros(struct writer *w, size_t n)
{
    uint8_t *b = n ? take(w, n) : NULL;

    if (b)
        memset(b, 0, n);
}

void writer_string(struct writer *w, const char *s, size_t n)
{
    size_t len = strnlen(s, n);

    if (len == n) {
        w->bad = true;
        return;
    }
    writer_bytes(w, s, len);
    writer_zeros(w, n - len);
}
