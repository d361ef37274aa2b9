/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/blake2s.c - the hash BLAKE2s-256: RFC 7693. */
#include "boot/chacha20.h"
#include "boot/kernel.h"

static const uint32_t iv[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
};

static const uint8_t order[10][16] = {
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }, { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
    { 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 }, { 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
    { 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 }, { 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
    { 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 }, { 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
    { 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 }, { 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 }
};

static uint32_t right(uint32_t v, unsigned n) { return v >> n | v << (32 - n); }

static void mix(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d, uint32_t x, uint32_t y)
{
    *a += *b + x; *d = right(*d ^ *a, 16);
    *c += *d;     *b = right(*b ^ *c, 12);
    *a += *b + y; *d = right(*d ^ *a, 8);
    *c += *d;     *b = right(*b ^ *c, 7);
}

static void compress(struct blake2s *b, bool last)
{
    uint32_t v[16], m[16];

    memcpy(m, b->block, sizeof(m));
    memcpy(v, b->h, sizeof(b->h));
    memcpy(v + 8, iv, sizeof(iv));
    v[12] ^= (uint32_t)b->length;
    v[13] ^= (uint32_t)(b->length >> 32);
    if (last)
        v[14] = ~v[14];
    for (int r = 0; r < 10; r++) {
        const uint8_t *s = order[r];

        mix(&v[0], &v[4], &v[8], &v[12], m[s[0]], m[s[1]]);
        mix(&v[1], &v[5], &v[9], &v[13], m[s[2]], m[s[3]]);
        mix(&v[2], &v[6], &v[10], &v[14], m[s[4]], m[s[5]]);
        mix(&v[3], &v[7], &v[11], &v[15], m[s[6]], m[s[7]]);
        mix(&v[0], &v[5], &v[10], &v[15], m[s[8]], m[s[9]]);
        mix(&v[1], &v[6], &v[11], &v[12], m[s[10]], m[s[11]]);
        mix(&v[2], &v[7], &v[8], &v[13], m[s[12]], m[s[13]]);
        mix(&v[3], &v[4], &v[9], &v[14], m[s[14]], m[s[15]]);
    }
    for (int i = 0; i < 8; i++)
        b->h[i] ^= v[i] ^ v[i + 8];
    b->used = 0;
}

void blake2s_init(struct blake2s *b)
{
    memset(b, 0, sizeof(*b));
    memcpy(b->h, iv, sizeof(iv));
    b->h[0] ^= 0x01010000 | BLAKE2S_HASH;       /* sequential, no key */
}

void blake2s_add(struct blake2s *b, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    while (n) {
        size_t k;

        if (b->used == sizeof(b->block))
            compress(b, false);                 /* more follows: it is not the last */
        k = MIN(n, sizeof(b->block) - b->used);
        memcpy(b->block + b->used, p, k);
        b->used += k;
        b->length += k;
        p += k;
        n -= k;
    }
}

void blake2s_end(struct blake2s *b, uint8_t out[BLAKE2S_HASH])
{
    memset(b->block + b->used, 0, sizeof(b->block) - b->used);
    compress(b, true);
    memcpy(out, b->h, BLAKE2S_HASH);
    memset(b, 0, sizeof(*b));
}
