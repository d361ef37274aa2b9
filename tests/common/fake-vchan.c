/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/fake-vchan.c - "vchan/1" in memory. */
#include <stdio.h>
#include <stdlib.h>
#include "tests/common/fake-vchan.h"

struct fake_stream {
    struct unik_stream stream;          /* first */
    struct fake_vchan *f;
    bool server;
    enum unik_vchan_state state;
    struct unik_ring in, out;
    size_t seen;                        /* bytes of the present window that were consumed */
    unsigned events;
    bool want_room;
    ev_idle idle;                       /* events are told from the loop */
};

static struct fake_stream *of(struct unik_stream *s) { return (struct fake_stream *)(void *)s; }
static struct fake_vchan *fake_of(struct unik_vchan *v) { return (struct fake_vchan *)(void *)v; }

static void on_idle(struct ev_loop *loop, ev_idle *w, int revents)
{
    struct fake_stream *s = w->data;
    unsigned events = s->events;

    (void)revents;
    ev_idle_stop(loop, w);
    s->events = 0;
    s->seen = 0;
    if (events && s->stream.cb)
        s->stream.cb(&s->stream, events, s->stream.arg);
}

static void raise_event(struct fake_stream *s, unsigned events)
{
    s->events |= events;
    ev_idle_start(s->f->loop, &s->idle);
}

/* ---- the stream ---- */

static size_t s_peek(struct unik_stream *stream, const void **bytes)
{
    struct fake_stream *s = of(stream);
    size_t n = unik_ring_peek(&s->in, bytes), window = s->f->window;

    if (window && n > window - s->seen) {
        n = window - s->seen;
        raise_event(s, UNIK_STREAM_INPUT);
    }
    return n;
}

static void s_consume(struct unik_stream *stream, size_t n)
{
    of(stream)->seen += n;
    unik_ring_consume(&of(stream)->in, n);
}

static int s_ended(struct unik_stream *stream)
{
    return of(stream)->state == UNIK_VCHAN_DISCONNECTED && unik_ring_used(&of(stream)->in) == 0;
}

/* A server takes writes before its client comes. */
static bool is_open(const struct fake_stream *s)
{
    return s->state == UNIK_VCHAN_CONNECTED || (s->state == UNIK_VCHAN_WAITING && s->server);
}

static size_t s_room(struct unik_stream *stream)
{
    struct fake_stream *s = of(stream);
    size_t used = unik_ring_used(&s->out);

    s->want_room = true;
    return !is_open(s) || used >= s->f->ring ? 0 : s->f->ring - used;
}

static ssize_t s_write(struct unik_stream *stream, const void *bytes, size_t n)
{
    struct fake_stream *s = of(stream);
    size_t room = s_room(stream);

    if (!is_open(s))
        return s->state == UNIK_VCHAN_WAITING ? -ENOTCONN : -EPIPE;
    return (ssize_t)unik_ring_put(&s->out, bytes, n < room ? n : room);
}

static int s_shut(struct unik_stream *stream)
{
    (void)stream;
    return -EOPNOTSUPP;
}

static void s_close(struct unik_stream *stream)
{
    struct fake_stream *s = of(stream);

    ev_idle_stop(s->f->loop, &s->idle);
    if (s->f->now == s)
        s->f->now = NULL;
    s->f->open--;
    unik_ring_free(&s->in);
    unik_ring_free(&s->out);
    free(s);
}

static const struct unik_stream_ops ops = {
    .size = sizeof(ops), .peek = s_peek, .consume = s_consume, .ended = s_ended, .room = s_room,
    .write = s_write, .shut = s_shut, .close = s_close
};

/* ---- vchan/1 ---- */

static int v_domid(struct unik_vchan *v)
{
    (void)v;
    return 7;
}

static int begin(struct fake_vchan *f, bool server, int peer, unsigned port, unik_stream_cb *cb, void *arg,
                 struct unik_stream **out)
{
    struct fake_stream *s;

    if (port != f->port)
        abort();
    if (f->refuse)
        return f->refuse;
    s = calloc(1, sizeof(*s));
    if (!s || unik_ring_init(&s->in, f->input) < 0 || unik_ring_init(&s->out, f->ring) < 0)
        abort();
    s->stream = (struct unik_stream){ &ops, cb, arg, "dom0" };
    s->f = f;
    s->server = server;
    s->state = UNIK_VCHAN_WAITING;
    ev_idle_init(&s->idle, on_idle);
    s->idle.data = s;
    if (f->open)
        f->overlaps++;
    f->open++;
    f->made++;
    f->now = s;
    f->peer = peer;
    *out = &s->stream;
    return 0;
}

static int v_listen(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, size_t read_min,
                    size_t write_min, unik_stream_cb *cb, void *arg, struct unik_stream **out)
{
    if (!owner || !read_min || !write_min)
        abort();
    return begin(fake_of(v), true, peer, port, cb, arg, out);
}

static int v_connect(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, unik_stream_cb *cb,
                     void *arg, struct unik_stream **out)
{
    struct fake_vchan *f = fake_of(v);
    int e = owner ? begin(f, false, peer, port, cb, arg, out) : -EINVAL;     /* a plugin says whose it is */

    if (e == 0 && f->offered)
        fake_connect(f);
    return e;
}

static enum unik_vchan_state v_state(struct unik_stream *s) { return of(s)->state; }

static const char *v_reason(struct unik_stream *s)
{
    (void)s;
    return "peer closed";
}

void fake_vchan_init(struct fake_vchan *f, struct ev_loop *loop, unsigned port)
{
    *f = (struct fake_vchan){ .api = { sizeof(struct unik_vchan), v_domid, v_listen, v_connect, v_state, v_reason },
                              .loop = loop, .port = port, .ring = FAKE_RING, .input = FAKE_INPUT };
}

/* ---- the other end ---- */

bool fake_waits(const struct fake_vchan *f) { return f->now && f->now->state == UNIK_VCHAN_WAITING; }
bool fake_connected(const struct fake_vchan *f) { return f->now && f->now->state == UNIK_VCHAN_CONNECTED; }
size_t fake_waiting(const struct fake_vchan *f) { return f->now ? unik_ring_used(&f->now->out) : 0; }
size_t fake_unread(const struct fake_vchan *f) { return f->now ? unik_ring_used(&f->now->in) : 0; }

void fake_connect(struct fake_vchan *f)
{
    f->offered = false;
    f->now->state = UNIK_VCHAN_CONNECTED;
    raise_event(f->now, UNIK_STREAM_OPEN);
}

void fake_offer(struct fake_vchan *f)
{
    f->offered = true;
    if (fake_waits(f))
        fake_connect(f);
}

void fake_hang_up(struct fake_vchan *f)
{
    if (!f->now)
        return;
    f->now->state = UNIK_VCHAN_DISCONNECTED;
    raise_event(f->now, UNIK_STREAM_INPUT);
}

void fake_send(struct fake_vchan *f, const void *bytes, size_t n)
{
    if (!fake_connected(f) || n == 0)
        return;
    if (unik_ring_put(&f->now->in, bytes, n) != n) {
        fprintf(stderr, "fake: the script ran ahead too far\n");
        abort();
    }
    raise_event(f->now, UNIK_STREAM_INPUT);
}

size_t fake_take(struct fake_vchan *f, void *bytes, size_t n)
{
    size_t done = 0, run;
    const void *at;

    while (f->now && done < n && (run = unik_ring_peek(&f->now->out, &at)) > 0) {
        run = run < n - done ? run : n - done;
        memcpy((char *)bytes + done, at, run);
        unik_ring_consume(&f->now->out, run);
        done += run;
    }
    if (done && fake_connected(f) && f->now->want_room) {
        f->now->want_room = false;
        raise_event(f->now, UNIK_STREAM_ROOM);
    }
    return done;
}
