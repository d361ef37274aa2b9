/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/admit-parts.h - what admit.c and admit-icmp6.c share. */
#ifndef ADMIT_PARTS_H
#define ADMIT_PARTS_H

#include "admit.h"

enum { IP6_HOPS = 0, IP6_TCP = 6, IP6_UDP = 17, IP6_ROUTE = 43, IP6_FRAGMENT = 44, IP6_ICMP = 58, IP6_OPTIONS = 60 };

/* A frame: n bytes of it in one piece, whole in all; group: sent to more than one. */
struct admit_view {
    const uint8_t *frame;
    size_t n, whole;
    bool group;
};

static inline unsigned admit_be16(const uint8_t *p) { return (unsigned)p[0] << 8 | p[1]; }

bool admit_is_mac(const struct admit_here *here, const uint8_t *mac);   /* of one card, and not of ours: nobody else has that */
bool admit_ours6(const struct admit_here *here, const uint8_t *address);
bool admit_solicited(const struct admit_here *here, const uint8_t *group);      /* the group of who asks for us (RFC 4291 2.7.1) */

/* A whole ICMPv6 header is at found->l4. */
enum admit_verdict admit_icmp6(const struct admit_here *here, const struct admit_view *v, bool fragment, struct admit_found *found);

#endif
