/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of a request that have a grammar of their own: Range, lists of entity tags, dates. Bytes 0..7 are the
 * size of the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apps/www/syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint64_t size, from = 0, end = 0;
    const char *text = (const char *)bytes + 8;
    char again[WWW_DATE_SIZE];
    time_t t, back;

    if (n < 8)
        return 0;
    memcpy(&size, bytes, 8);
    n -= 8;
    if (www_range(text, n, size, &from, &end) == WWW_RANGE_PART && (from >= end || end > size))
        abort();
    if (www_etag_in(text, n, "\"a-b\"", false) && !www_etag_in(text, n, "\"a-b\"", true))
        abort();
    if (www_date_parse(text, n, 1700000000, &t) == 0 && t >= 0 && t < 253402300800) {
        www_date_format(t, again);
        if (www_date_parse(again, strlen(again), 1700000000, &back) < 0 || back != t)
            abort();
    }
    return 0;
}
