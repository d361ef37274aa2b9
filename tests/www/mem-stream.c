/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/www/mem-stream.c - a writer's bytes wait on the wire; each turn of the loop moves a chunk to the reader. */
#include <stdlib.h>
#include <unik/ring.h>

#include "tests/www/mem-stream.h"

struct end {
    struct unik_stream base;            /* first */
    struct pair *pair;
    struct end *other;
    struct unik_ring wire, in;          /* written and not delivered; delivered and not read */
    bool shut, closed, eof, want_room;
    int error;
    unsigned events;
};

struct pair {
    struct end end[2];
    struct ev_loop *loop;
    struct mem_options o;
    ev_timer timer;
};

unsigned mem_open, mem_active;
bool mem_in_place;
static char places[2][700];

static struct end *of(struct unik_stream *s) { return (struct end *)(void *)s; }

static void wake(struct pair *p)
{
    if (ev_is_active(&p->timer))
        return;
    ev_timer_start(p->loop, &p->timer);
    mem_active++;
}

static size_t limit(const struct pair *p, const struct unik_ring *r)
{
    size_t used = unik_ring_used(r);

    return p->o.room > used ? p->o.room - used : 0;
}

static size_t chunk(struct pair *p)
{
    if (p->o.chunk == 0)
        return SIZE_MAX;
    if (p->o.seed == 0)
        return p->o.chunk;
    p->o.seed = p->o.seed * 1103515245u + 12345u;
    return 1 + (p->o.seed >> 8) % p->o.chunk;
}

/* One turn from writer to reader. True: something moved. */
static bool move(struct pair *p, struct end *w, struct end *r)
{
    size_t n = chunk(p), done = 0, run;
    const void *from;

    while (done < n && (run = unik_ring_peek(&w->wire, &from)) > 0) {
        size_t k = r->closed ? run : limit(p, &r->in);

        k = k < run ? k : run;
        k = k < n - done ? k : n - done;
        if (k == 0)
            break;
        if (!r->closed)
            unik_ring_put(&r->in, from, k);
        unik_ring_consume(&w->wire, k);
        done += k;
    }
    if (done) {
        r->events |= UNIK_STREAM_INPUT;
        if (w->want_room)
            w->events |= UNIK_STREAM_ROOM;
        w->want_room = false;
    }
    if (!unik_ring_used(&w->wire) && (w->shut || w->closed) && !r->eof) {
        r->eof = true;
        r->events |= UNIK_STREAM_INPUT;
        return true;
    }
    return done > 0;
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct pair *p = t->data;
    bool moved;

    (void)loop, (void)revents;
    mem_active--;
    moved = move(p, &p->end[0], &p->end[1]);
    moved = move(p, &p->end[1], &p->end[0]) || moved;
    if (moved)
        wake(p);
    for (int i = 0; i < 2; i++) {
        struct end *e = &p->end[i];
        unsigned events = e->events;

        e->events = 0;
        if (!e->closed && e->base.cb && events)
            e->base.cb(&e->base, events, e->base.arg);
    }
    if (!p->end[0].closed || !p->end[1].closed)
        return;
    if (ev_is_active(&p->timer)) {
        ev_timer_stop(p->loop, &p->timer);
        mem_active--;
    }
    for (int i = 0; i < 2; i++) {
        unik_ring_free(&p->end[i].wire);
        unik_ring_free(&p->end[i].in);
    }
    free(p);
}

static size_t op_peek(struct unik_stream *s, const void **bytes) { return unik_ring_peek(&of(s)->in, bytes); }

static void op_consume(struct unik_stream *s, size_t n)
{
    unik_ring_consume(&of(s)->in, n);
    wake(of(s)->pair);
}

static int op_ended(struct unik_stream *s)
{
    if (unik_ring_used(&of(s)->in))
        return 0;
    return of(s)->error ? of(s)->error : of(s)->eof;
}

static size_t op_room(struct unik_stream *s)
{
    size_t room = limit(of(s)->pair, &of(s)->wire);

    if (of(s)->error || of(s)->shut)
        return 0;
    of(s)->want_room |= room < of(s)->pair->o.room;
    return room;
}

static ssize_t op_write(struct unik_stream *s, const void *bytes, size_t n)
{
    struct end *e = of(s);
    size_t room = limit(e->pair, &e->wire), k = n < room ? n : room;

    if (e->error || e->shut || e->other->closed)
        return -EPIPE;
    unik_ring_put(&e->wire, bytes, k);
    e->want_room |= k < n;
    wake(e->pair);
    return (ssize_t)k;
}

/* Two places of odd sizes; what was in them before is gone. */
static unsigned op_reserve(struct unik_stream *s, struct iovec *parts, unsigned n)
{
    size_t room = mem_in_place ? op_room(s) : 0;
    unsigned i;

    memset(places, '?', sizeof(places));
    for (i = 0; i < n && i < 2 && room; i++) {
        parts[i] = (struct iovec){ places[i], room < 699 - 7 * i ? room : 699 - 7 * i };
        room -= parts[i].iov_len;
    }
    return i;
}

static int op_commit(struct unik_stream *s, size_t n)
{
    size_t first = n < 699 ? n : 699;
    ssize_t k = op_write(s, places[0], first);

    if (k >= 0 && n > first)
        k = op_write(s, places[1], n - first);
    return k < 0 ? (int)k : 0;
}

static int op_shut(struct unik_stream *s)
{
    of(s)->shut = true;
    wake(of(s)->pair);
    return 0;
}

static void op_close(struct unik_stream *s)
{
    struct end *e = of(s);

    if (e->closed)
        abort();
    e->closed = true;
    mem_open--;
    unik_ring_consume(&e->in, SIZE_MAX);
    wake(e->pair);
}

static void op_abort(struct unik_stream *s)
{
    unik_ring_consume(&of(s)->wire, SIZE_MAX);
    mem_break(s, -ECONNRESET);
    op_close(s);
}

static const struct unik_stream_ops ops = {
    .size = sizeof(struct unik_stream_ops), .peek = op_peek, .consume = op_consume, .ended = op_ended, .room = op_room,
    .write = op_write, .shut = op_shut, .close = op_close, .reserve = op_reserve, .commit = op_commit,
    .abort = op_abort
};

void mem_pair(struct ev_loop *loop, const struct mem_options *o, struct unik_stream *end[2])
{
    struct pair *p = calloc(1, sizeof(*p));

    if (!p)
        abort();
    p->loop = loop;
    p->o = *o;
    if (!p->o.room)
        p->o.room = 65536;
    for (int i = 0; i < 2; i++) {
        struct end *e = &p->end[i];

        e->base.ops = &ops;
        e->base.peer = "memory";
        e->pair = p;
        e->other = &p->end[1 - i];
        if (unik_ring_init(&e->wire, p->o.room) < 0 || unik_ring_init(&e->in, p->o.room) < 0)
            abort();
        end[i] = &e->base;
    }
    ev_timer_init(&p->timer, on_timer, 0, 0);
    p->timer.data = p;
    mem_open += 2;
}

void mem_break(struct unik_stream *s, int error)
{
    struct end *e = of(s)->other;

    e->error = error;
    e->events |= UNIK_STREAM_INPUT;
    wake(e->pair);
}
