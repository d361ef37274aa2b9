/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/chacha20.h, chacha20.c and blake2s.c - the two primitives of the random generator. Pure; nothing secret stays behind
 * in memory of theirs but what the caller holds. */
#ifndef BOOT_CHACHA20_H
#define BOOT_CHACHA20_H

#include <stddef.h>
#include <stdint.h>

#define CHACHA20_BLOCK 64u
#define BLAKE2S_HASH 32u

/* RFC 8439, 2.3: one block of key stream. */
void chacha20_block(uint8_t out[CHACHA20_BLOCK], const uint32_t key[8], uint32_t counter, const uint32_t nonce[3]);

/* RFC 7693: BLAKE2s-256 without a key. */
struct blake2s {
    uint32_t h[8];
    uint64_t length;
    uint8_t block[64];
    size_t used;
};
void blake2s_init(struct blake2s *b);
void blake2s_add(struct blake2s *b, const void *bytes, size_t n);
void blake2s_end(struct blake2s *b, uint8_t out[BLAKE2S_HASH]);

#endif
