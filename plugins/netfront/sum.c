/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/sum.c - see sum.h. */
#include "plugins/netfront/sum.h"

/* Add bytes as big-endian words; *odd: the next byte is the low half of a word. */
static uint64_t add(uint64_t sum, const uint8_t *p, size_t n, unsigned *odd)
{
    if (*odd && n) {
        sum += *p++;
        n--;
        *odd = 0;
    }
    for (; n >= 2; p += 2, n -= 2)
        sum += (uint64_t)p[0] << 8 | p[1];
    if (n) {
        sum += (uint64_t)p[0] << 8;
        *odd = 1;
    }
    return sum;
}

void nf_sum_complete(uint8_t *copy, size_t start, size_t offset, const struct iovec *parts, unsigned count)
{
    uint64_t sum = 0;
    unsigned odd = 0;
    uint16_t result;

    for (unsigned i = 0; i < count; i++) {
        size_t skip = i == 0 ? start : 0;

        sum = add(sum, (const uint8_t *)parts[i].iov_base + skip, parts[i].iov_len - skip, &odd);
    }
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    result = (uint16_t)~sum;
    if (result == 0)
        result = 0xffff;                /* 0 means "no checksum" in UDP, and is the same number in TCP */
    copy[start + offset] = (uint8_t)(result >> 8);
    copy[start + offset + 1] = (uint8_t)result;
}
