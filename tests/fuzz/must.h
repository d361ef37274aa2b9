/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/fuzz/must.h - what always holds, whatever the input. */
#ifndef TESTS_FUZZ_MUST_H
#define TESTS_FUZZ_MUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define must(what) do { \
    if (!(what)) { \
        fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
        abort(); \
    } \
} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The part lies inside the whole. */
static inline bool inside(const void *part, size_t part_n, const void *whole, size_t n)
{
    uintptr_t p = (uintptr_t)part, w = (uintptr_t)whole;

    return p >= w && part_n <= n && p - w <= n - part_n;
}

#endif
