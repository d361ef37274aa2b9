/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/www/judge.h - what the filter of www says of a request in pieces, and whether http_parser reads the same in it. */
#ifndef TESTS_WWW_JUDGE_H
#define TESTS_WWW_JUDGE_H

#include "apps/www/filter.h"

struct verdict {
    unsigned status;                    /* 0: nothing yet; 200: taken; or the refusal */
    uint64_t length;                    /* of the body */
    size_t head, used;                  /* bytes up to the end of the head, of the request; empty lines before it included */
    struct www_filter f;
};

/* The first piece has `first` bytes, the others `rest`. Each is a copy of its own size, for sanitizers. */
struct verdict judge(const char *bytes, size_t n, size_t first, size_t rest);

/* Of a request that was taken: NULL, or what http_parser finds else in it: method, target, version, fields, body, end. It may not
 * know the method. */
const char *other_reading(const char *bytes, size_t n, const struct verdict *v);

#endif
