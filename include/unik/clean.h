/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/clean.h - text of a peer's, made fit to be logged, drawn, put in a title or pasted: valid UTF-8 without control characters.
 *
 * Each byte that is no UTF-8, and each character that is not shown as itself but changes how others are shown, becomes a question
 * mark, so that one sees that something was there. Such characters are the control characters (C0, DEL, C1), what ends a line or
 * a paragraph (U+2028, U+2029), and all that turns the direction of writing (U+061C, U+200E, U+200F, U+202A..U+202E,
 * U+2066..U+206F). The result is never longer than the text.
 */
#ifndef UNIK_CLEAN_H
#define UNIK_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_CLEAN_MARK '?'

enum unik_clean_flags {
    UNIK_CLEAN_LINES = 1    /* newline and tab may stay; carriage return, alone or before a newline, becomes a newline */
};

/* The character at text, n > 0 bytes: how many bytes it has (1..4, at most n), or 0 if there is none: not UTF-8 (RFC 3629). */
static inline size_t unik_clean_next(const void *text, size_t n, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
    const unsigned char *t = (const unsigned char *)text;
    size_t tail = t[0] < 0x80 ? 0 : t[0] < 0xe0 ? 1 : t[0] < 0xf0 ? 2 : 3, i;
    uint32_t u = tail ? t[0] & (0x3fu >> tail) : t[0];

    if ((t[0] >= 0x80 && t[0] < 0xc2) || t[0] > 0xf4 || n <= tail)
        return 0;
    for (i = 1; i <= tail; i++) {
        if ((t[i] & 0xc0) != 0x80)
            return 0;
        u = u << 6 | (t[i] & 0x3fu);
    }
    if (u < least[tail] || u > 0x10ffff || (u >= 0xd800 && u < 0xe000))
        return 0;
    *code = u;
    return tail + 1;
}

/* Is the character shown as itself, and as nothing else? */
static inline bool unik_clean_shown(uint32_t c)
{
    return !(c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
             (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x206f));
}

/* Write the n bytes of text, cleaned, to `to`, and a NUL: as much as fits, in whole characters. to may be text itself (what follows is
 * never touched beyond n + 1 bytes of it). How many bytes were written, without the NUL; size > 0. */
static inline size_t unik_clean(char *to, size_t size, const void *text, size_t n, unsigned flags)
{
    const unsigned char *from = (const unsigned char *)text;
    size_t used = 0, i = 0;

    while (i < n) {
        uint32_t c = 0;
        size_t k = unik_clean_next(from + i, n - i, &c), step = k ? k : 1, j;
        bool line = (flags & UNIK_CLEAN_LINES) && k == 1 && (c == '\n' || c == '\r' || c == '\t');

        if (line && c == '\r' && i + 1 < n && from[i + 1] == '\n') {
            i++;                        /* the newline is enough */
            continue;
        }
        if (!line && !(k && unik_clean_shown(c)))
            k = 0;
        if (used + (k ? k : 1) >= size)
            break;
        if (k == 0)
            to[used++] = UNIK_CLEAN_MARK;
        else if (line)
            to[used++] = c == '\r' ? '\n' : (char)c;
        else
            for (j = 0; j < k; j++)
                to[used++] = (char)from[i + j];
        i += step;
    }
    to[used] = 0;
    return used;
}

#ifdef __cplusplus
}
#endif
#endif
