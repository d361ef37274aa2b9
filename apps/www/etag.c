/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/etag.c - lists of entity tags: "a", W/"b,c" */
#include <string.h>

#include "syntax.h"

bool www_etag_in(const char *list, size_t n, const char *etag, bool weak)
{
    const char *p = list, *end = list + n;
    size_t len = strlen(etag);

    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (p < end && *p == '*') {
        for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
            ;
        return p == end;
    }
    while (p < end) {
        bool is_weak = end - p >= 2 && p[0] == 'W' && p[1] == '/';
        const char *from;

        if (*p == ' ' || *p == '\t' || *p == ',') {
            p++;
            continue;
        }
        from = p += is_weak ? 2 : 0;
        if (p == end || *p++ != '"')
            return false;
        while (p < end && *p != '"')
            p++;
        if (p++ == end)
            return false;
        if ((weak || !is_weak) && (size_t)(p - from) == len && memcmp(from, etag, len) == 0)
            return true;
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        if (p < end && *p != ',')
            return false;
    }
    return false;
}
