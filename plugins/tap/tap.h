/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tap/tap.h - what the files of this plugin share. */
#ifndef TAP_H
#define TAP_H

#include <unik/backoff.h>
#include <unik/nic.h>

#define TAP_FRAMES UNIK_NIC_HOLD        /* frames that can be with the user at a time; after that the others wait in the kernel */
#define TAP_TURN 64                     /* frames read in one turn of the loop, so that others have theirs */
#define TAP_HEADER 12u                  /* struct virtio_net_hdr_v1 */

struct tap_config {
    const char *device, *socket, *mac;
    int64_t mtu;
};

enum tap_counter { TAP_IN, TAP_OUT, TAP_BYTES_IN, TAP_BYTES_OUT, TAP_FULL, TAP_LOST, TAP_BAD, TAP_HELD_HIGH, TAP_LINKS };

struct tap_frame {
    struct unik_nic_frame frame;        /* first */
    struct tap_frame *next;             /* unused */
    uint8_t *memory;                    /* TAP_ROOM bytes */
    bool out;                           /* with the user */
};

struct tap {
    struct unik_nic nic;                /* first: the interface is the plugin */
    struct unik_ctx *ctx;
    const struct tap_config *config;
    const struct unik_nic_user *user;
    void *arg;
    struct unik_nic_info info;
    ev_io io;                           /* fd -1: none */
    ev_timer again;                     /* the next try to have a descriptor */
    struct unik_backoff backoff;
    ev_io door;                         /* the socket that gave it: its end is the end of the link. fd -1: none */
    char door_name[108];
    uint8_t *memory;
    struct tap_frame frames[TAP_FRAMES], *unused;
    unsigned n_out;
    bool want_room, in_input, resting;
};

/* open.c: where the descriptor comes from. */
void tap_open(struct tap *t);           /* try; again later if that fails */
void tap_shut(struct tap *t);           /* no link, no descriptor, no tries */
const char *tap_where(struct tap *t);
int tap_check(struct unik_ctx *ctx);

/* frames.c: the card. */
int tap_frames_init(struct tap *t);
void tap_frames_free(struct tap *t);
void tap_link(struct tap *t, int fd);   /* a descriptor: ready for use; -1: no link any more */

#endif
