/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/text.h - a bounded text under construction: status reports, small replies. */
#ifndef UNIK_TEXT_H
#define UNIK_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unik_text {
    char *at;           /* the buffer, always NUL-terminated; the owner's */
    size_t size, used;  /* used without the NUL */
    bool cut;           /* something did not fit */
};

static inline void unik_text_init(struct unik_text *t, char *buffer, size_t size)
{
    t->at = buffer;
    t->size = size;
    t->used = 0;
    t->cut = false;
    if (size)
        buffer[0] = 0;
}

/* Append; what does not fit is cut, and remembered. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static inline void unik_text_add(struct unik_text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (t->used >= t->size) {
        t->cut = true;
        return;
    }
    va_start(ap, fmt);
    n = vsnprintf(t->at + t->used, t->size - t->used, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n >= t->size - t->used) {
        t->used = t->size - 1;
        t->cut = true;
    } else {
        t->used += (size_t)n;
    }
}

#ifdef __cplusplus
}
#endif
#endif
