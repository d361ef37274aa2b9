/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/chacha20.c - the ChaCha20 block function: RFC 8439. */
#include "boot/chacha20.h"
#include "boot/kernel.h"

static uint32_t left(uint32_t v, unsigned n) { return v << n | v >> (32 - n); }

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b; *d = left(*d ^ *a, 16);
    *c += *d; *b = left(*b ^ *c, 12);
    *a += *b; *d = left(*d ^ *a, 8);
    *c += *d; *b = left(*b ^ *c, 7);
}

void chacha20_block(uint8_t out[CHACHA20_BLOCK], const uint32_t key[8], uint32_t counter, const uint32_t nonce[3])
{
    const uint32_t start[16] = {
        0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7],
        counter, nonce[0], nonce[1], nonce[2]
    };
    uint32_t s[16];

    memcpy(s, start, sizeof(s));
    for (int i = 0; i < 10; i++) {
        quarter(&s[0], &s[4], &s[8], &s[12]);
        quarter(&s[1], &s[5], &s[9], &s[13]);
        quarter(&s[2], &s[6], &s[10], &s[14]);
        quarter(&s[3], &s[7], &s[11], &s[15]);
        quarter(&s[0], &s[5], &s[10], &s[15]);
        quarter(&s[1], &s[6], &s[11], &s[12]);
        quarter(&s[2], &s[7], &s[8], &s[13]);
        quarter(&s[3], &s[4], &s[9], &s[14]);
    }
    for (int i = 0; i < 16; i++)
        s[i] += start[i];
    memcpy(out, s, CHACHA20_BLOCK);     /* x86 is little-endian */
}
