/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/checksum.c - the Internet checksum (RFC 1071), for lwIP where the card does not do it. */
#include <string.h>

#include "arch/cc.h"

/* The sum of 16-bit words in memory order, folded, not complemented. n: bytes. Eight at a time: the carries of 32-bit words
 * gather in the upper half, and the sum of ones' complement does not care in which order or width it is done. */
uint16_t net_lwip_sum(const void *bytes, int n)
{
    const unsigned char *p = bytes;
    uint64_t sum = 0;
    uint64_t more = 0;
    uint64_t word;

    for (; n >= 16; n -= 16, p += 16) {
        uint64_t second;

        memcpy(&word, p, 8);
        memcpy(&second, p + 8, 8);
        sum += (word & 0xffffffff) + (word >> 32);
        more += (second & 0xffffffff) + (second >> 32);
    }
    sum += more;
    for (; n >= 2; n -= 2, p += 2) {
        uint16_t two;

        memcpy(&two, p, 2);
        sum += two;
    }
    if (n > 0) {
        uint16_t last = 0;

        memcpy(&last, p, 1);
        sum += last;
    }
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}
