/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/outbox.c - messages on their way into a stream that may have no room for them yet. */
#include <stdint.h>

#include "tools/unik-dom0/fault.h"
#include "tools/unik-dom0/outbox.h"

static void resume(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct outbox *o = w->data;

    (void)loop, (void)revents;
    o->until = SIZE_MAX;
    outbox_flush(o);
    if (o->resumed)
        o->resumed(o->arg);
}

int outbox_init(struct outbox *o, struct ev_loop *loop, size_t size, void (*resumed)(void *arg), void *arg)
{
    *o = (struct outbox){ .loop = loop, .until = SIZE_MAX, .resumed = resumed, .arg = arg };
    ev_timer_init(&o->pause, resume, FAULT_HALF_SECONDS, 0);
    o->pause.data = o;
    return unik_ring_init(&o->ring, size) < 0 ? -ENOMEM : 0;
}

void outbox_attach(struct outbox *o, struct unik_stream *stream)
{
    o->stream = stream;
    o->until = SIZE_MAX;
    ev_timer_stop(o->loop, &o->pause);
    unik_ring_consume(&o->ring, unik_ring_used(&o->ring));
}

int outbox_grow(struct outbox *o, size_t size)
{
    struct unik_ring bigger;
    const void *bytes;
    size_t n;

    if (unik_ring_init(&bigger, size) < 0)
        return -ENOMEM;
    while ((n = unik_ring_peek(&o->ring, &bytes)) > 0) {
        unik_ring_put(&bigger, bytes, n);
        unik_ring_consume(&o->ring, n);
    }
    unik_ring_free(&o->ring);
    o->ring = bigger;
    return 0;
}

void outbox_free(struct outbox *o)
{
    if (o->loop)
        ev_timer_stop(o->loop, &o->pause);
    unik_ring_free(&o->ring);
}

int outbox_push(struct outbox *o, const void *message, size_t n, bool in_halves)
{
    if (unik_ring_room(&o->ring) < n)
        return -ENOBUFS;
    if (in_halves && o->until == SIZE_MAX)
        o->until = unik_ring_used(&o->ring) + n / 2;
    unik_ring_put(&o->ring, message, n);
    return 0;
}

int outbox_flush(struct outbox *o)
{
    const void *bytes;
    size_t n;

    while (o->stream && (n = unik_ring_peek(&o->ring, &bytes)) > 0) {
        ssize_t k;

        if (n > o->until)
            n = o->until;
        if (n == 0) {
            if (!ev_is_active(&o->pause)) {
                ev_timer_set(&o->pause, FAULT_HALF_SECONDS, 0);
                ev_timer_start(o->loop, &o->pause);
            }
            return 0;
        }
        k = unik_stream_write(o->stream, bytes, n);
        if (k <= 0)
            return k == -ENOTCONN ? 0 : (int)k;
        unik_ring_consume(&o->ring, (size_t)k);
        if (o->until != SIZE_MAX)
            o->until -= (size_t)k;
    }
    return 0;
}
