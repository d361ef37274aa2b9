/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/outbox.h - messages on their way into a stream that may have no room for them yet. */
#ifndef UNIK_DOM0_OUTBOX_H
#define UNIK_DOM0_OUTBOX_H

#include <ev.h>
#include <stdbool.h>
#include <unik/ring.h>
#include <unik/stream.h>

struct outbox {
    struct unik_ring ring;
    struct ev_loop *loop;
    struct unik_stream *stream;     /* NULL: bytes wait for one */
    size_t until;                   /* only so many bytes may go before the pause; SIZE_MAX: all */
    ev_timer pause;
    void (*resumed)(void *arg);     /* the pause is over, and flush was called */
    void *arg;
};

/* Room for `size` bytes. 0 or -ENOMEM. */
int outbox_init(struct outbox *o, struct ev_loop *loop, size_t size, void (*resumed)(void *arg), void *arg);
/* A new stream (or NULL): what waited for the old one is dropped. */
void outbox_attach(struct outbox *o, struct unik_stream *stream);
/* Make room for `size` bytes in all; nothing waits now, or it is kept. 0 or -ENOMEM. */
int outbox_grow(struct outbox *o, size_t size);
void outbox_free(struct outbox *o);
static inline bool outbox_empty(const struct outbox *o) { return unik_ring_used(&o->ring) == 0; }
/* Take one whole message. in_halves: its second half goes out a moment later. 0 or -ENOBUFS. Does not write. */
int outbox_push(struct outbox *o, const void *message, size_t n, bool in_halves);
/* Write what the stream takes. 0, or the stream's error. */
int outbox_flush(struct outbox *o);

#endif
