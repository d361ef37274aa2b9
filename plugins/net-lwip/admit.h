/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/admit.h - what may come in. Every frame is *from the network* and passes here before lwIP sees a byte of it; addresses
 * from QubesDB, the config and DHCP are looked up in the same table. Nothing here knows lwIP: admit.c is functions of bytes. */
#ifndef ADMIT_H
#define ADMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where an address may stand. */
enum admit_role {
    ADMIT_FROM = 1,                     /* source of a packet, sender in ARP, target of neighbour discovery */
    ADMIT_TO = 2,                       /* destination of a packet */
    ADMIT_GROUP = 4,                    /* ... and that means more than one host */
    ADMIT_PROBE = 8,                    /* sender that has no address yet: ARP (RFC 5227), neighbour solicitation (RFC 4862) */
    ADMIT_OWN = 16                      /* ours, a router's, a name server's: in a key, in the config, from DHCP */
};
unsigned admit_roles4(const uint8_t *address);        /* enum admit_role */
unsigned admit_roles6(const uint8_t *address);

#define ADMIT_ADDRESSES6 2              /* link-local, and ours */

/* Who we are. */
struct admit_here {
    uint8_t mac[6];
    bool have4, dhcp;                   /* dhcp: an address may be on its way to us */
    uint8_t address[4], broadcast[4];   /* broadcast: of our network; 255.255.255.255 if it has none */
    bool have6[ADMIT_ADDRESSES6];
    uint8_t address6[ADMIT_ADDRESSES6][16];
};

enum admit_verdict {
    ADMIT_TAKE,
    ADMIT_NEIGHBOUR,                    /* neighbour solicitation or advertisement: lwIP may have it in its plain form */
    ADMIT_TOO_BIG,                      /* ICMPv6 "packet too big": never lwIP's */
    ADMIT_SHORT,                        /* no whole header, or neither IP nor ARP */
    ADMIT_OTHERS,                       /* somebody else's, or nothing that we have a use for */
    ADMIT_ADDRESS,                      /* an address that cannot be there */
    ADMIT_HEADERS                       /* a header or option that must not be there, or is malformed */
};

struct admit_found {
    size_t l4, end;                     /* where the transport's header begins in the frame, and where the packet ends */
    unsigned proto;                     /* 6, 17, 1, 58; 0: not IP, or a fragment */
    size_t option;                      /* ADMIT_NEIGHBOUR: the option with the link-layer address; 0: none */
};

/* frame: the first n bytes in one piece; whole: how many there are in all. Everything that is no TCP must be in one piece. */
enum admit_verdict admit_frame(const struct admit_here *here, const uint8_t *frame, size_t n, size_t whole, struct admit_found *found);

#endif
