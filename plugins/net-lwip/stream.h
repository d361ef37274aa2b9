/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/stream.h - a TCP connection as a stream: what stream.c (lwIP's side) and stream-ops.c (the owner's side) share.
 *
 * The owner's calls never call lwIP: they move bytes between buffers and note what is to be done; stream_turn() does it at the end of
 * the turn, outside of all of lwIP's callbacks. So a stream can be closed, written and read from any callback, and what one turn
 * wrote leaves in as few segments as possible. */
#ifndef STREAM_H
#define STREAM_H

#include "stack.h"

enum stream_state { STREAM_CONNECTING, STREAM_OPEN, STREAM_FLUSHING, STREAM_DRAINING };

struct stack_stream {
    struct unik_stream base;            /* first; ops NULL: closed by its owner */
    struct stack *n;
    struct unik_ctx *owner;
    struct tcp_pcb *pcb;                /* NULL: lwIP knows nothing of us any more */
    struct stack_stream *next, **link;  /* of all */
    struct stack_stream *next_dirty;
    struct stack_queue in, out;
    struct pbuf *fresh;                 /* bytes of the frame that is being told of right now, after those in `in` */
    size_t unacknowledged;              /* read by the owner, and not yet told to lwIP */
    size_t queued;                      /* bytes at the front of `out` that lwIP refers to */
    u32_t front;                        /* sequence number of the first byte in `out`, while queued > 0 */
    double deadline;                    /* 0: none; seconds as ev_now() */
    size_t dropped;
    int error;
    unsigned events;                    /* to be told at the end of the turn */
    enum stream_state state;
    bool is_dirty, eof, shut, fin, want_room, expired;
    char peer[STACK_PEER_MAX];
};

extern const struct unik_stream_ops stream_ops;

void stream_dirty(struct stack_stream *s);
bool stream_waits(const struct stack_stream *s);   /* something of it is looked at from time to time */
void stream_broke(struct stack_stream *s, int error);
size_t stream_share(const struct stack *n);       /* bytes that may wait in one connection now */
size_t stream_room_now(const struct stack_stream *s);

#endif
