/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/random.c - what an attacker off the path must not guess: sequence numbers, ports, DNS ids. */
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "stack.h"
#include "arch/hooks.h"

static uint8_t store[256];
static size_t left;                     /* bytes of the store that were not given out */
static uint64_t key[2];

int random_init(void)
{
    left = 0;
    return getrandom(key, sizeof(key), GRND_NONBLOCK) == sizeof(key) ? 0 : -EAGAIN;
}

/* After random_init() the system's generator is there, and getrandom() does not fail for small requests. */
unsigned net_lwip_random(void)
{
    unsigned n;

    if (left < sizeof(n)) {
        if (getrandom(store, sizeof(store), 0) != sizeof(store))
            net_lwip_assert("getrandom", __FILE__, __LINE__);
        left = sizeof(store);
    }
    left -= sizeof(n);
    memcpy(&n, store + left, sizeof(n));
    memset(store + left, 0, sizeof(n));
    return n;
}

/* ---- SipHash-2-4 (Aumasson, Bernstein: SipHash: a fast short-input PRF, 2012), of whole 64-bit words ---- */

static uint64_t rotate(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

static void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

uint64_t random_siphash(const uint64_t k[2], const uint64_t *words, size_t n)
{
    uint64_t v[4] = { k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d, k[0] ^ 0x6c7967656e657261,
                      k[1] ^ 0x7465646279746573 };
    uint64_t end = (uint64_t)(n * 8) << 56;

    for (size_t i = 0; i <= n; i++) {
        uint64_t m = i < n ? words[i] : end;

        v[3] ^= m;
        sip_round(v);
        sip_round(v);
        v[0] ^= m;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* RFC 6528: a clock of 4 µs a step, plus a secret function of who talks to whom. */
u32_t net_lwip_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote, u16_t remote_port)
{
    uint64_t words[5] = { (uint64_t)local_port << 16 | remote_port };
    struct timespec now;

    if (IP_IS_V6(local)) {
        memcpy(&words[1], ip_2_ip6(local)->addr, 16);
        memcpy(&words[3], ip_2_ip6(remote)->addr, 16);
    } else {
        words[1] = ip_2_ip4(local)->addr;
        words[2] = ip_2_ip4(remote)->addr;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    return reuse_isn((u32_t)random_siphash(key, words, 5) + (u32_t)((uint64_t)now.tv_sec * 250000 + (uint64_t)now.tv_nsec / 4000));
}
