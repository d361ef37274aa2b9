/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/admit-icmp6.c - which messages of ICMPv6 may come in, and every rule of RFC 4861 (7.1) for those of neighbour discovery.
 *
 * Our addresses and router are given to us: advertisements of routers and redirects change nothing. Neither neighbour discovery nor
 * an error comes in fragments (RFC 6980): who asks somebody to believe him can say it in one packet. */
#include "admit-parts.h"

enum { TOO_BIG = 2, FIRST_QUESTION = 128, ROUTER_QUESTION = 133, ROUTER = 134, NEIGHBOUR_QUESTION = 135, NEIGHBOUR = 136, REDIRECT = 137 };
enum { OPTION_SOURCE = 1, OPTION_TARGET = 2 };
#define FIXED 24                        /* bytes of a neighbour message before its options */

/* Walk the options; *option: the one of that type, 0 if there is none. False: one has no length, or does not lie within the packet,
 * or is no Ethernet address of somebody else. */
static bool options(const struct admit_here *here, const struct admit_view *v, const struct admit_found *found, unsigned type, size_t *option)
{
    size_t size;

    *option = 0;
    for (size_t at = found->l4 + FIXED; at < found->end; at += size) {
        const uint8_t *o = v->frame + at;

        if (found->end - at < 8)
            return false;
        size = o[1] * 8u;
        if (size == 0 || size > found->end - at)
            return false;
        if (o[0] != type || *option)
            continue;
        if (size != 8 || !admit_is_mac(here, o + 2))
            return false;
        *option = at;
    }
    return true;
}

static enum admit_verdict neighbour(const struct admit_here *here, const struct admit_view *v, struct admit_found *found)
{
    const uint8_t *ip = v->frame + 14, *m = v->frame + found->l4, *target = m + 8;
    bool asks = m[0] == NEIGHBOUR_QUESTION;
    unsigned from = admit_roles6(ip + 8), to = admit_roles6(ip + 24);

    if (found->end - found->l4 < FIXED || v->n < found->end)
        return ADMIT_SHORT;
    if (ip[7] != 255 || m[1] != 0)
        return ADMIT_HEADERS;           /* a router has passed it on: it is not from our link */
    if (!(admit_roles6(target) & ADMIT_FROM))
        return ADMIT_ADDRESS;
    if (!options(here, v, found, asks ? OPTION_SOURCE : OPTION_TARGET, &found->option))
        return ADMIT_HEADERS;
    if (!asks)
        return (from & ADMIT_PROBE) || admit_ours6(here, target) ? ADMIT_ADDRESS :
               (to & ADMIT_GROUP) && (m[4] & 0x40) ? ADMIT_HEADERS : ADMIT_NEIGHBOUR;     /* nobody can answer all */
    if (from & ADMIT_PROBE) {
        if (found->option)
            return ADMIT_HEADERS;
        if (!admit_solicited(here, ip + 24))
            return ADMIT_ADDRESS;
    }
    return admit_ours6(here, target) ? ADMIT_NEIGHBOUR : ADMIT_OTHERS;
}

enum admit_verdict admit_icmp6(const struct admit_here *here, const struct admit_view *v, bool fragment, struct admit_found *found)
{
    unsigned type = v->frame[found->l4];
    bool asked = type == NEIGHBOUR_QUESTION;

    if ((admit_roles6(v->frame + 14 + 8) & ADMIT_PROBE) && !asked)
        return ADMIT_ADDRESS;
    if (fragment && (type < FIRST_QUESTION || (type >= ROUTER_QUESTION && type <= REDIRECT)))
        return ADMIT_HEADERS;
    switch (type) {
    case TOO_BIG:
        return ADMIT_TOO_BIG;
    case ROUTER_QUESTION:
    case ROUTER:
    case REDIRECT:
        return ADMIT_OTHERS;
    case NEIGHBOUR_QUESTION:
    case NEIGHBOUR:
        return neighbour(here, v, found);
    default:
        return ADMIT_TAKE;
    }
}
