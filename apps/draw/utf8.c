/* apps/draw/utf8.c - characters of UTF-8 text that may be anything. */
#include <unik/draw.h>

static int tail_bytes(unsigned char c) { return c < 0x80 ? 0 : c < 0xc2 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : -1; }

size_t unik_utf8_next(const char *text, size_t n, uint32_t *code)
{
    static const unsigned char lead_bits[] = { 0x7f, 0x1f, 0x0f, 0x07 };
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
    unsigned char c = (unsigned char)text[0];
    int tail = tail_bytes(c);
    uint32_t u;

    *code = 0xfffd;
    if (tail < 0 || n < (size_t)tail + 1)
        return 1;
    u = c & lead_bits[tail];
    for (int i = 1; i <= tail; i++) {
        c = (unsigned char)text[i];
        if ((c & 0xc0) != 0x80)
            return 1;
        u = u << 6 | (c & 0x3f);
    }
    if (u < least[tail] || u > 0x10ffff || (u >= 0xd800 && u < 0xe000))
        return 1;
    *code = u;
    return (size_t)tail + 1;
}

size_t unik_utf8_last(const char *text, size_t n)
{
    uint32_t code;

    for (size_t k = 4; k > 1; k--)
        if (k <= n && unik_utf8_next(text + n - k, k, &code) == k)
            return k;
    return 1;
}
