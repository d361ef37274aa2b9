/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/cursor.h - bounded reading and writing of little-endian wire data.
 *
 * Wire structs are never cast from a buffer. A reader hands out fields one by one and turns "bad" at the first that is
 * not there; every later read gives 0. Check reader_ok() once, at the end. A writer mirrors it.
 */
#ifndef PROTOCOL_CURSOR_H
#define PROTOCOL_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

struct writer {
    uint8_t *start;
    size_t used, size;
    bool bad;
};

void reader_init(struct reader *r, const void *bytes, size_t n);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
/* n bytes in place; NULL and bad if they are not there. */
const uint8_t *reader_bytes(struct reader *r, size_t n);
void reader_skip(struct reader *r, size_t n);
/* A field of exactly n bytes that holds a NUL-terminated string: a pointer into it; NULL and bad without a NUL in it.
 * What follows the NUL is not looked at. */
const char *reader_string(struct reader *r, size_t n);
/* Nothing bad happened. */
static inline bool reader_ok(const struct reader *r) { return !r->bad; }
/* Nothing bad happened, and nothing is left. */
static inline bool reader_done(const struct reader *r) { return !r->bad && r->left == 0; }

void writer_init(struct writer *w, void *bytes, size_t size);
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_bytes(struct writer *w, const void *bytes, size_t n);
void writer_zeros(struct writer *w, size_t n);
/* A string in a field of n bytes, zero-padded; bad if it does not fit with its NUL. */
void writer_string(struct writer *w, const char *s, size_t n);
/* Bytes written, or 0 if something did not fit. */
static inline size_t writer_done(const struct writer *w) { return w->bad ? 0 : w->used; }

#endif
