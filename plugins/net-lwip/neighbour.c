/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/neighbour.c - neighbour solicitations and advertisements in their plain form: the message, and behind it the option with
 * the link-layer address, or nothing. lwIP 2.2.1 (nd6_input) takes whatever option comes first for that one. */
#include <string.h>

#include "arch/cc.h"
#include "stack.h"

#define FIXED 24u
#define OPTION 8u
#define IP (14u + 40u)                  /* where ICMPv6 begins when no other header does */
#define ADVERTISEMENT 136
#define OVERRIDE 0x20

static void put16(uint8_t *p, unsigned v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }

/* The sum of an ICMPv6 message with its pseudo-header (RFC 8200 8.1): 0xffff if it is right. */
static uint16_t sum(const uint8_t *ip, const uint8_t *message, size_t size)
{
    uint32_t all = net_lwip_sum(ip + 8, 32) + (uint32_t)net_lwip_sum(message, (int)size) + lwip_htons((u16_t)size) + lwip_htons(58);

    all = (all & 0xffff) + (all >> 16);
    return (uint16_t)((all & 0xffff) + (all >> 16));
}

/* p is the whole frame in one piece, which admit_frame() has called ADMIT_NEIGHBOUR. False: its checksum is wrong. */
bool neighbour_plain(struct pbuf *p, const struct admit_found *found)
{
    uint8_t *frame = p->payload, *ip = frame + 14, *message = frame + IP;
    size_t size = FIXED;
    uint16_t check;

    if (sum(ip, frame + found->l4, found->end - found->l4) != 0xffff)
        return false;
    memmove(message, frame + found->l4, FIXED);
    if (found->option) {
        memmove(message + FIXED, frame + found->option, OPTION);
        size += OPTION;
    } else if (message[0] == ADVERTISEMENT) {
        message[4] &= (uint8_t)~OVERRIDE;       /* there is nothing to override with: lwIP would drop all of it */
    }
    ip[6] = 58;
    put16(ip + 4, (unsigned)size);
    put16(message + 2, 0);
    check = (uint16_t)~sum(ip, message, size);
    memcpy(message + 2, &check, 2);
    pbuf_realloc(p, (u16_t)(IP + size));
    return true;
}
