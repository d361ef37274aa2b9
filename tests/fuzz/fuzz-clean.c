/* SPDX-License-Identifier: BSD-2-Clause */
/* Text made fit to be shown: what comes out is valid UTF-8 without control characters, no longer than what went in, and stays as it
 * is when it is cleaned again; what was clean before is not changed. */
#include <stdlib.h>
#include <string.h>

#include <unik/clean.h>
#include "tests/fuzz/must.h"

static bool is_clean(const char *text, size_t n, unsigned flags)
{
    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t k = unik_clean_next(text + i, n - i, &c);

        if (k == 0 || !(unik_clean_shown(c) || ((flags & UNIK_CLEAN_LINES) && (c == '\n' || c == '\t'))))
            return false;
        i += k;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *once = malloc(n + 1), *again = malloc(n + 1), *small = malloc(n / 2 + 1);

    must(once && again && small);
    for (unsigned flags = 0; flags <= UNIK_CLEAN_LINES; flags++) {
        size_t k = unik_clean(once, n + 1, bytes, n, flags), half = unik_clean(small, n / 2 + 1, bytes, n, flags);

        must(k <= n && once[k] == 0 && is_clean(once, k, flags));
        must(unik_clean(again, n + 1, once, k, flags) == k && memcmp(again, once, k) == 0);
        must(!is_clean((const char *)bytes, n, flags) || (k == n && memcmp(once, bytes, n) == 0));
        must(half <= k && memcmp(small, once, half) == 0 && small[half] == 0);
    }
    free(once);
    free(again);
    free(small);
    return 0;
}
