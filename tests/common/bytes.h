/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/bytes.h - for tests of wire formats: bytes from hex, and numbers that look random but are the same in
 * every run. */
#ifndef TESTS_COMMON_BYTES_H
#define TESTS_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* "00 03 'text'00 *28": hex, quoted text, and runs of zeros. How many bytes. */
static inline size_t bytes_of(const char *text, uint8_t *out, size_t size)
{
    size_t n = 0;

    while (*text && n < size) {
        unsigned v;
        int used;

        if (*text == '\'') {
            for (text++; *text && *text != '\'' && n < size; text++)
                out[n++] = (uint8_t)*text;
            text += *text == '\'';
        } else if (sscanf(text, " *%u%n", &v, &used) == 1) {
            for (text += used; v && n < size; v--)
                out[n++] = 0;
        } else if (sscanf(text, " %2x%n", &v, &used) == 1) {
            out[n++] = (uint8_t)v;
            text += used;
        } else {
            text++;
        }
    }
    return n;
}

/* A letter or digit of ASCII, or one of the others. */
static inline bool is_one_of(int c, const char *others)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(others, c));
}

/* xorshift: never 0, so the seed must not be. */
static inline uint32_t random_next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static inline uint32_t random_below(uint32_t *seed, uint32_t n) { return n ? random_next(seed) % n : 0; }

/* A string of n characters of the set; s has room for the NUL. */
static inline void random_string(uint32_t *seed, const char *set, char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s[i] = set[random_below(seed, (uint32_t)strlen(set))];
    s[n] = 0;
}

/* A length up to max; often 0, 1, max or near it. */
static inline size_t random_length(uint32_t *seed, size_t max)
{
    switch (random_below(seed, 6)) {
    case 0: return max;
    case 1: return max - random_below(seed, max < 3 ? (uint32_t)max + 1 : 3);
    case 2: return max < 1 ? 0 : random_below(seed, 2);
    default: return random_below(seed, (uint32_t)max + 1);
    }
}

#endif
