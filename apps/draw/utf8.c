/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/draw/utf8.c - characters of UTF-8 text that may be anything. */
#include <unik/clean.h>
#include <unik/draw.h>

size_t unik_utf8_next(const char *text, size_t n, uint32_t *code)
{
    size_t k = unik_clean_next(text, n, code);

    if (k == 0)
        *code = 0xfffd;
    return k ? k : 1;
}

size_t unik_utf8_last(const char *text, size_t n)
{
    uint32_t code;

    for (size_t k = 4; k > 1; k--)
        if (k <= n && unik_utf8_next(text + n - k, k, &code) == k)
            return k;
    return 1;
}
