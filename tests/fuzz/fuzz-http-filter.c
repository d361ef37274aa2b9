/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter of www against http_parser. Byte 0 says in what pieces the rest comes. What is taken the library must read in the
 * same way, and pieces change nothing. */
#include "tests/fuzz/must.h"
#include "tests/www/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *text = (const char *)bytes + 1;
    struct verdict whole, pieces;
    const char *why;

    if (n == 0)
        return 0;
    n--;
    whole = judge(text, n, SIZE_MAX, SIZE_MAX);
    pieces = judge(text, n, bytes[0] & 127, bytes[0] & 128 ? 1 : SIZE_MAX);
    must(whole.status == pieces.status && whole.length == pieces.length && whole.head == pieces.head);
    must(whole.status == 0 || whole.status == 200 || (whole.status >= 400 && whole.status <= 505));
    if (whole.status != 200)
        return 0;
    must(whole.used == pieces.used && whole.used <= n && whole.head <= whole.used && whole.f.start < whole.head);
    why = other_reading(text, n, &whole);
    if (why)
        fprintf(stderr, "the library finds else: %s\n", why);
    must(!why);
    return 0;
}
