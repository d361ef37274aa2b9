/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/text.c - strings and formatted text. The compiler calls memcpy, memmove, memset and memcmp of its own accord. */
#include "boot/kernel.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    void *at = to;

    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (t <= f || t >= f + n)
        return memcpy(to, from, n);
    while (n-- > 0)
        t[n] = f[n];
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    void *at = to;

    __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(byte) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n > 0; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

size_t strnlen(const char *s, size_t most)
{
    size_t n = 0;

    while (n < most && s[n])
        n++;
    return n;
}

size_t strlen(const char *s) { return strnlen(s, SIZE_MAX); }

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n > 0; n--, a++, b++) {
        if (*a != *b)
            return (uint8_t)*a < (uint8_t)*b ? -1 : 1;
        if (!*a)
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, SIZE_MAX); }

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++)
        if (!*s)
            return NULL;
    return (char *)(uintptr_t)s;
}

/* ---- formatted text ---- */

struct text {
    char *out;
    size_t used, size;                          /* size > 0; one byte is kept for the NUL */
};

static void put(struct text *t, char c)
{
    if (t->used + 1 < t->size)
        t->out[t->used++] = c;
}

static void put_string(struct text *t, const char *s, size_t n, size_t width)
{
    for (size_t i = n; i < width; i++)
        put(t, ' ');
    for (size_t i = 0; i < n; i++)
        put(t, s[i]);
}

static void put_number(struct text *t, uint64_t v, unsigned base, bool negative, size_t width, bool zeros)
{
    char digits[24];
    size_t n = 0;

    do
        digits[n++] = "0123456789abcdef"[v % base];
    while ((v /= base) != 0);
    if (negative && (!zeros || n >= width))
        digits[n++] = '-';
    else if (negative) {
        put(t, '-');
        width--;
    }
    for (size_t i = n; i < width; i++)
        put(t, zeros ? '0' : ' ');
    while (n > 0)
        put(t, digits[--n]);
}

size_t format_list(char *out, size_t size, const char *how, va_list list)
{
    struct text t = {out, 0, size};

    if (size == 0)
        return 0;
    for (; *how; how++) {
        size_t width = 0, most = SIZE_MAX;
        bool zeros = false, wide = false;

        if (*how != '%') {
            put(&t, *how);
            continue;
        }
        how++;
        if (*how == '0')
            zeros = true;
        for (; *how >= '0' && *how <= '9'; how++)
            width = width * 10 + (size_t)(*how - '0');
        if (how[0] == '.' && how[1] == '*') {
            most = (size_t)va_arg(list, int);
            how += 2;
        }
        for (; *how == 'l' || *how == 'z'; how++)
            wide = true;
        switch (*how) {
        case 's': {
            const char *s = va_arg(list, const char *);
            s = s ? s : "(null)";
            put_string(&t, s, strnlen(s, most), width);
            break;
        }
        case 'c':
            put(&t, (char)va_arg(list, int));
            break;
        case 'd':
        case 'i': {
            int64_t v = wide ? va_arg(list, int64_t) : va_arg(list, int);
            put_number(&t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0, width, zeros);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t v = wide ? va_arg(list, uint64_t) : va_arg(list, unsigned);
            put_number(&t, v, *how == 'u' ? 10 : 16, false, width, zeros);
            break;
        }
        case 'p':
            put_number(&t, (uint64_t)(uintptr_t)va_arg(list, void *), 16, false, 16, true);
            break;
        case '%':
            put(&t, '%');
            break;
        default:                                /* not one of ours: as it stands, and no argument is taken */
            put(&t, '%');
            if (!*how)
                how--;
            else
                put(&t, *how);
        }
    }
    t.out[t.used] = 0;
    return t.used;
}

size_t format(char *out, size_t size, const char *how, ...)
{
    va_list list;
    size_t n;

    va_start(list, how);
    n = format_list(out, size, how, list);
    va_end(list);
    return n;
}
