/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/range.c - the Range field: "bytes=0-99", "bytes=500-", "bytes=-500", and lists of these. */
#include <strings.h>

#include "syntax.h"

struct cursor {
    const char *at, *end;
};

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
        c->at++;
}

/* A number; too large ones become the largest. False if there is no digit. */
static bool number(struct cursor *c, uint64_t *value)
{
    const char *from = c->at;

    *value = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        uint64_t digit = (uint64_t)(*c->at - '0');

        *value = *value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *value * 10 + digit;
    }
    return c->at > from;
}

/* One range of the list as from .. end - 1, empty if no byte of it exists. False: malformed. */
static bool one(struct cursor *c, uint64_t size, uint64_t *from, uint64_t *end)
{
    uint64_t first, last;
    bool has_first = number(c, &first);

    if (c->at == c->end || *c->at != '-')
        return false;
    c->at++;
    if (!number(c, &last)) {
        if (!has_first)
            return false;
        last = UINT64_MAX;
    } else if (!has_first) {            /* the last `last` bytes */
        *from = last < size ? size - last : 0;
        *end = last ? size : *from;
        return true;
    } else if (last < first) {
        return false;
    }
    *from = first < size ? first : size;
    *end = last < size ? last + 1 : size;
    return true;
}

enum www_range www_range(const char *field, size_t n, uint64_t size, uint64_t *from, uint64_t *end)
{
    struct cursor c = { field, field + n };
    unsigned seen = 0, parts = 0;

    if (n < 6 || strncasecmp(field, "bytes=", 6) != 0 || size == 0)
        return WWW_RANGE_ALL;
    c.at += 6;
    for (;;) {
        uint64_t a, b;

        skip_space(&c);
        if (c.at < c.end && *c.at != ',') {
            if (++seen > WWW_RANGES_MAX || !one(&c, size, &a, &b))
                return WWW_RANGE_ALL;
            if (b > a && parts && a <= *end && b >= *from) {
                *from = a < *from ? a : *from;
                *end = b > *end ? b : *end;
            } else if (b > a && parts++ == 0) {
                *from = a;
                *end = b;
            }
            skip_space(&c);
        }
        if (c.at == c.end)
            break;
        if (*c.at++ != ',')
            return WWW_RANGE_ALL;
    }
    if (seen == 0 || parts > 1)
        return WWW_RANGE_ALL;
    return parts ? WWW_RANGE_PART : WWW_RANGE_NONE;
}
