/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/nic.h - "nic/1": one network card under a TCP/IP stack. netfront and tap provide it, net-lwip uses it.
 * The other end (backend domain, network) is hostile: frames may hold anything, but pointers and lengths are the driver's.
 */
#ifndef UNIK_NIC_H
#define UNIK_NIC_H

#include <stdbool.h>
#include <sys/uio.h>
#include <unik/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_NIC_PARTS 18               /* pieces of one frame at most: what netback takes (netif.h, XEN_NETIF_NR_SLOTS_MIN) */
#define UNIK_NIC_FRAME_MAX 65535u       /* bytes of one frame with GSO, Ethernet header included */
#define UNIK_NIC_HOLD 128               /* how much of what came in a user may hold: 1 for each frame, or n - 1 where it has n > 2
                                         * parts. With more, the card may have no memory left to receive into: copy, and release */

enum unik_nic_offload {
    UNIK_NIC_SUM = 1,                   /* TCP or UDP checksum not filled in: the field holds the pseudo-header's sum.
                                         * In: the data is as its sender wrote it, there is nothing to verify */
    UNIK_NIC_SUM_GOOD = 2,              /* in only: somebody below has verified the checksum */
    UNIK_NIC_TSO4 = 4,                  /* one TCP segment larger than the MTU, over IPv4 (implies UNIK_NIC_SUM) */
    UNIK_NIC_TSO6 = 8
};

struct unik_nic_offloads {
    unsigned flags;                     /* enum unik_nic_offload */
    uint16_t mss;                       /* TSO: payload bytes of each packet on the wire; else 0 */
    uint16_t sum_start;                 /* out, UNIK_NIC_SUM: where the TCP/UDP header begins in the frame ... */
    uint16_t sum_offset;                /* ... and where the checksum is in that header */
};

/* A frame that came in; the user's until unik_nic.release(). Parts that are marked shared can be changed by the peer while one
 * reads them: the driver copies at least the first UNIK_NIC_PRIVATE bytes (or the whole of a short frame) to memory of its own. Whoever
 * shows them to others copies them once before that, as net-lwip does; frames that are not shared are read where they are. To end the
 * grant of a page instead, and to make another, would cost more than sixty times the copy (make bench-netfront). */
#define UNIK_NIC_PRIVATE 256
struct unik_nic_frame {
    struct unik_nic_offloads offloads;
    unsigned n;
    struct iovec parts[UNIK_NIC_PARTS];
    bool shared;                        /* parts[1] and after lie in memory that the peer can write to */
};

struct unik_nic_info {
    bool link;                          /* frames can be sent now; the rest is valid only then */
    uint8_t mac[6];
    unsigned mtu;                       /* bytes of IP packet */
    unsigned offloads;                  /* what send() takes, enum unik_nic_offload */
};

/* The stack's side: one user at a time. Called from the loop, never from inside a call to the card. */
struct unik_nic_user {
    size_t size;
    void (*input)(void *arg, struct unik_nic_frame *f);     /* frames of one turn come one after the other ... */
    void (*input_end)(void *arg);                           /* ... then once this: send what they caused */
    void (*room)(void *arg);                                /* send() works again after -EAGAIN */
    void (*changed)(void *arg);                             /* info() has changed: link, MAC, MTU, offloads */
};

struct unik_nic {
    size_t size;

    /* 0, or -EBUSY. The user struct stays the caller's and valid until detach(). Frames not yet released at detach() are
     * the driver's again. */
    int (*attach)(struct unik_nic *n, const struct unik_nic_user *user, void *arg);
    void (*detach)(struct unik_nic *n);

    /* Current state; the pointer is valid as long as the card, its content until the next changed(). */
    const struct unik_nic_info *(*info)(struct unik_nic *n);

    /* Take a frame: its bytes are copied before this returns (the one copy of what an app has made in place, see
     * unik_stream_reserve(); unik_stream_write() is one more). offloads may be NULL. The first part holds the
     * whole headers. 0; -EAGAIN (no room: room() tells; nothing was taken); -ENETDOWN; -EMSGSIZE; -EINVAL. */
    int (*send)(struct unik_nic *n, const struct unik_nic_offloads *offloads, const struct iovec *parts, unsigned count);

    /* Frames given to send() since the last flush() go out now, with one notification. Called at the end of each turn. */
    void (*flush)(struct unik_nic *n);

    void (*release)(struct unik_nic *n, struct unik_nic_frame *f);
};

#ifdef __cplusplus
}
#endif
#endif
