/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-sockets/stream.c - a TCP connection as a stream.
 *
 * Buffers are held only while bytes wait in them, so an idle connection costs its struct. Output goes straight to the
 * socket; what the socket does not take is kept. The peer is *from the network*: it can send anything and stop reading
 * for ever, and holds at most one buffer each way.
 *
 *   CONNECTING -> OPEN -> (close) FLUSHING -> DRAINING -> gone
 *
 * Closing with bytes of the peer unread would make the kernel answer them with a reset, which destroys what we sent and
 * the peer has not read yet. So our end is announced first, and what still comes is dropped until the peer's end. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockets.h"

enum state { CONNECTING, OPEN, FLUSHING, DRAINING };

struct sockets_stream {
    struct unik_stream base;            /* first */
    struct sockets *n;
    struct unik_ctx *owner;
    struct sockets_stream *next, **link;
    struct unik_ring in, out;
    ev_io io;
    ev_timer timer;                     /* CONNECTING, FLUSHING, DRAINING: the deadline */
    ev_timer wake;                      /* events found inside a call: told from the loop, at once */
    unsigned events;                    /* those */
    int error;
    size_t dropped;
    enum state state;
    bool eof, shut, want_room;
    char peer[SOCKETS_PEER_MAX];
};

static struct sockets_stream *of(struct unik_stream *s) { return (struct sockets_stream *)(void *)s; }

/* ---- buffers ---- */

static int take(struct sockets_pool *p, struct unik_ring *r)
{
    if (p->n) {
        *r = p->free[--p->n];
        return 0;
    }
    return unik_ring_init(r, p->size) < 0 ? -ENOMEM : 0;
}

static void give_back(struct sockets_pool *p, struct unik_ring *r)
{
    if (!r->at)
        return;
    if (p->n == SOCKETS_POOL) {
        unik_ring_free(r);
        return;
    }
    r->head = r->tail = 0;
    p->free[p->n++] = *r;
    memset(r, 0, sizeof(*r));
}

void sockets_pool_free(struct sockets_pool *p)
{
    while (p->n)
        unik_ring_free(&p->free[--p->n]);
}

/* ---- what the socket is watched for, and its end ---- */

static void watch(struct sockets_stream *s)
{
    bool more = s->state == OPEN ? !s->eof && !(s->in.at && unik_ring_room(&s->in) == 0) : s->state == DRAINING;
    int events = 0;

    if (!s->error) {
        if (more)
            events |= EV_READ;
        if (s->state == CONNECTING || unik_ring_used(&s->out))
            events |= EV_WRITE;
    }
    if (ev_is_active(&s->io) ? (s->io.events & (EV_READ | EV_WRITE)) == events : !events)
        return;
    ev_io_stop(s->n->ctx->loop, &s->io);
    ev_io_modify(&s->io, events);
    if (events)
        ev_io_start(s->n->ctx->loop, &s->io);
}

static void destroy(struct sockets_stream *s)
{
    struct sockets *n = s->n;

    ev_io_stop(n->ctx->loop, &s->io);
    ev_timer_stop(n->ctx->loop, &s->timer);
    ev_timer_stop(n->ctx->loop, &s->wake);
    close(s->io.fd);
    give_back(&n->in, &s->in);
    give_back(&n->out, &s->out);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    free(s);
    n->ctx->counters[SOCKETS_CONNECTIONS] = --n->n_streams;
    sockets_resume(n);
    sockets_gone(n);
}

/* The peer learns that the rest is missing: a reset instead of an end. */
static void abort_now(struct sockets_stream *s)
{
    struct linger hard = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(s->io.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    s->n->ctx->counters[SOCKETS_ABORTED]++;
    destroy(s);
}

static void set_timer(struct sockets_stream *s, double seconds)
{
    ev_timer_stop(s->n->ctx->loop, &s->timer);
    ev_timer_set(&s->timer, seconds, 0);
    ev_timer_start(s->n->ctx->loop, &s->timer);
}

static void tell(struct sockets_stream *s, unsigned events)
{
    if (s->base.cb && events)
        s->base.cb(&s->base, events, s->base.arg);
}

static void tell_later(struct sockets_stream *s, unsigned events)
{
    s->events |= events;
    ev_timer_start(s->n->ctx->loop, &s->wake);
}

static void on_wake(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct sockets_stream *s = w->data;
    unsigned events = s->events;

    (void)loop, (void)revents;
    s->events = 0;
    tell(s, events);
}

/* The connection broke. What arrived before can still be read; what was to be sent is lost. */
static void broke(struct sockets_stream *s, int error)
{
    s->error = error == -EPIPE ? -ECONNRESET : error;
    give_back(&s->n->out, &s->out);
    if (s->state == CONNECTING)
        s->n->ctx->counters[SOCKETS_CONNECT_FAILED]++;
    watch(s);
}

/* ---- moving bytes ---- */

/* Socket to buffer; the events to tell. */
static unsigned fill(struct sockets_stream *s)
{
    void *to;
    size_t run;
    ssize_t k;

    if (!s->in.at && take(&s->n->in, &s->in) < 0) {
        broke(s, -ENOMEM);
        return UNIK_STREAM_INPUT;
    }
    run = unik_ring_reserve(&s->in, &to);
    if (run == 0)
        return 0;
    k = recv(s->io.fd, to, run, 0);
    if (k > 0) {
        unik_ring_commit(&s->in, (size_t)k);
        s->n->ctx->counters[SOCKETS_BYTES_IN] += (uint64_t)k;
        return UNIK_STREAM_INPUT;
    }
    if (k < 0 && errno != EAGAIN && errno != EINTR)
        s->error = -errno;
    else if (k == 0)
        s->eof = true;
    if (unik_ring_used(&s->in) == 0)
        give_back(&s->n->in, &s->in);
    if (s->error) {
        broke(s, s->error);
        return UNIK_STREAM_INPUT;
    }
    return s->eof ? UNIK_STREAM_INPUT : 0;
}

/* Bytes the socket took, or a negative errno; "later" is 0. */
static ssize_t send_some(struct sockets_stream *s, const void *bytes, size_t n)
{
    ssize_t k = send(s->io.fd, bytes, n, MSG_NOSIGNAL);

    if (k < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    s->n->ctx->counters[SOCKETS_BYTES_OUT] += (uint64_t)k;
    return k;
}

/* Buffer to socket; the events to tell. */
static unsigned flush(struct sockets_stream *s)
{
    const void *from;
    unsigned events = 0;
    ssize_t k = 0;
    size_t run;

    while ((run = unik_ring_peek(&s->out, &from)) > 0) {
        k = send_some(s, from, run);
        if (k <= 0)
            break;
        unik_ring_consume(&s->out, (size_t)k);
        if ((size_t)k < run)
            break;
    }
    if (k < 0) {
        broke(s, (int)k);
        return UNIK_STREAM_INPUT;
    }
    if (s->want_room && unik_ring_room(&s->out) >= s->out.size / 2) {
        s->want_room = false;
        events = UNIK_STREAM_ROOM;
    }
    if (s->out.at && unik_ring_used(&s->out) == 0) {
        give_back(&s->n->out, &s->out);
        if (s->shut)
            shutdown(s->io.fd, SHUT_WR);
    }
    return events;
}

static unsigned connected(struct sockets_stream *s)
{
    socklen_t len = sizeof(int);
    int error = 0;

    if (getsockopt(s->io.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error) {
        broke(s, -error);
        return UNIK_STREAM_INPUT;
    }
    s->state = OPEN;
    ev_timer_stop(s->n->ctx->loop, &s->timer);
    s->n->ctx->counters[SOCKETS_CONNECTED]++;
    if (s->shut && !s->out.at)
        shutdown(s->io.fd, SHUT_WR);
    return UNIK_STREAM_OPEN;
}

/* ---- after close() ---- */

static void start_drain(struct sockets_stream *s)
{
    if (s->eof) {
        destroy(s);
        return;
    }
    s->state = DRAINING;
    shutdown(s->io.fd, SHUT_WR);
    set_timer(s, SOCKETS_DRAIN < s->n->config->linger ? SOCKETS_DRAIN : s->n->config->linger);
    watch(s);
}

static void linger(struct sockets_stream *s)
{
    static char nowhere[16384];

    if (s->state == FLUSHING) {
        flush(s);
        if (s->error)
            abort_now(s);
        else if (unik_ring_used(&s->out) == 0)
            start_drain(s);
        return;
    }
    for (;;) {
        ssize_t k = recv(s->io.fd, nowhere, sizeof(nowhere), 0);

        if (k < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        s->dropped += k > 0 ? (size_t)k : 0;
        if (k <= 0 || s->dropped > SOCKETS_DRAIN_BYTES) {
            destroy(s);
            return;
        }
        if ((size_t)k < sizeof(nowhere))
            return;
    }
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
    struct sockets_stream *s = w->data;
    bool closed = !s->base.ops;
    unsigned events = 0;

    (void)loop;
    if (s->state == CONNECTING) {
        events = connected(s);
        if (closed && s->error) {
            abort_now(s);
            return;
        }
        if (closed) {
            s->state = FLUSHING;
            set_timer(s, s->n->config->linger);
        }
    }
    if (closed) {
        linger(s);
        return;
    }
    if (!s->error && unik_ring_used(&s->out))
        events |= flush(s);
    if (!s->error && (revents & EV_READ))
        events |= fill(s);
    watch(s);
    tell(s, events);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct sockets_stream *s = w->data;

    (void)loop, (void)revents;
    if (s->state == DRAINING)
        destroy(s);                     /* all of ours is sent: the peer only never ended its side */
    else if (!s->base.ops)
        abort_now(s);
    else {
        broke(s, -ETIMEDOUT);
        tell(s, UNIK_STREAM_INPUT);
    }
}

/* ---- the stream's functions ---- */

static size_t op_peek(struct unik_stream *base, const void **bytes) { return unik_ring_peek(&of(base)->in, bytes); }

static void op_consume(struct unik_stream *base, size_t n)
{
    struct sockets_stream *s = of(base);
    bool was_full = s->in.at && unik_ring_room(&s->in) == 0;

    unik_ring_consume(&s->in, n);
    if (unik_ring_used(&s->in) == 0)
        give_back(&s->n->in, &s->in);
    if (was_full)
        watch(s);
}

static int op_ended(struct unik_stream *base)
{
    struct sockets_stream *s = of(base);

    if (unik_ring_used(&s->in))
        return 0;
    return s->error ? s->error : s->eof;
}

static size_t op_room(struct unik_stream *base)
{
    struct sockets_stream *s = of(base);

    if (s->error || s->shut)
        return 0;
    if (!s->out.at)
        return s->n->out.size;
    s->want_room = true;
    return unik_ring_room(&s->out);
}

static ssize_t op_write(struct unik_stream *base, const void *bytes, size_t n)
{
    struct sockets_stream *s = of(base);
    ssize_t k = 0;
    size_t done;

    if (s->error || s->shut)
        return -EPIPE;
    if (n && s->state == OPEN && !s->out.at)
        k = send_some(s, bytes, n);
    if (k < 0) {
        broke(s, (int)k);
        tell_later(s, UNIK_STREAM_INPUT);
        return -EPIPE;
    }
    done = (size_t)k;
    if (done == n)
        return k;
    if (!s->out.at && take(&s->n->out, &s->out) < 0) {
        broke(s, -ENOMEM);
        tell_later(s, UNIK_STREAM_INPUT);
        return -ENOMEM;
    }
    done += unik_ring_put(&s->out, (const char *)bytes + done, n - done);
    s->want_room |= done < n;
    watch(s);
    return (ssize_t)done;
}

static int op_shut(struct unik_stream *base)
{
    struct sockets_stream *s = of(base);

    if (s->shut || s->error)
        return 0;
    s->shut = true;
    if (s->state == OPEN && !s->out.at)
        shutdown(s->io.fd, SHUT_WR);
    return 0;
}

static void op_close(struct unik_stream *base)
{
    struct sockets_stream *s = of(base);

    s->base.cb = NULL;
    s->base.ops = NULL;                 /* closed: any later call by its owner is a bug, and faults */
    ev_timer_stop(s->n->ctx->loop, &s->wake);
    give_back(&s->n->in, &s->in);
    if (s->error || (s->state == CONNECTING && unik_ring_used(&s->out) == 0)) {
        destroy(s);
    } else if (s->state == CONNECTING || unik_ring_used(&s->out)) {
        if (s->state == OPEN)
            s->state = FLUSHING;
        set_timer(s, s->n->config->linger);
        watch(s);
    } else {
        start_drain(s);
    }
}

static void op_abort(struct unik_stream *base) { abort_now(of(base)); }

static struct unik_ctx *op_give(struct unik_stream *base, struct unik_ctx *owner)
{
    struct unik_ctx *before = of(base)->owner;

    of(base)->owner = owner;
    return before;
}

static const struct unik_stream_ops ops = {
    .size = sizeof(struct unik_stream_ops), .peek = op_peek, .consume = op_consume, .ended = op_ended, .room = op_room,
    .write = op_write, .shut = op_shut, .close = op_close, .abort = op_abort, .give = op_give
};

/* ---- making one ---- */

void sockets_tune(int fd)
{
    int one = 1, unsent = SOCKETS_UNSENT;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

struct unik_stream *sockets_stream_new(struct sockets *n, struct unik_ctx *owner, int fd, const struct sockaddr_storage *peer,
                                       bool connecting)
{
    struct sockets_stream *s = calloc(1, sizeof(*s));

    if (!s) {
        close(fd);
        return NULL;
    }
    s->n = n;
    s->owner = owner;
    s->base.ops = &ops;
    s->base.peer = s->peer;
    s->state = connecting ? CONNECTING : OPEN;
    sockets_format(peer, s->peer);
    ev_io_init(&s->io, on_io, fd, 0);
    ev_timer_init(&s->timer, on_timer, 0, 0);
    ev_timer_init(&s->wake, on_wake, 0, 0);
    s->io.data = s->timer.data = s->wake.data = s;
    s->next = n->streams;
    s->link = &n->streams;
    if (s->next)
        s->next->link = &s->next;
    n->streams = s;
    n->ctx->counters[SOCKETS_CONNECTIONS] = ++n->n_streams;
    if (n->n_streams > n->ctx->counters[SOCKETS_CONNECTIONS_HIGH])
        n->ctx->counters[SOCKETS_CONNECTIONS_HIGH] = n->n_streams;
    watch(s);
    return &s->base;
}

int sockets_connect(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned port, unik_stream_cb *cb,
                    void *arg, struct unik_stream **out)
{
    struct sockets *n = (struct sockets *)(void *)net;
    struct sockaddr_storage to;
    struct unik_stream *base;
    socklen_t len;
    int fd, e;

    if (!address || port == 0 || sockets_parse(address, port, &to, &len) < 0)
        return -EINVAL;
    if (n->n_streams >= (size_t)n->config->max_connections)
        return -EMFILE;
    fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    sockets_tune(fd);
    e = connect(fd, (struct sockaddr *)&to, len) < 0 ? errno : 0;
    base = sockets_stream_new(n, owner, fd, &to, true);
    if (!base)
        return -ENOMEM;
    unik_stream_on(base, cb, arg);
    if (e && e != EINPROGRESS) {
        broke(of(base), -e);
        tell_later(of(base), UNIK_STREAM_INPUT);
    } else {
        set_timer(of(base), n->config->connect_timeout);
    }
    *out = base;
    return 0;
}

size_t sockets_stream_abort_all(struct sockets *n, bool closed_too)
{
    struct sockets_stream *s = n->streams;
    size_t owned = 0;

    while (s) {
        struct sockets_stream *next = s->next;

        owned += s->base.ops != NULL;
        if (s->base.ops || closed_too)
            abort_now(s);
        s = next;
    }
    return owned;
}

size_t sockets_stream_left(struct sockets *n, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct sockets_stream *s = n->streams, *next; s; s = next) {
        next = s->next;
        if (s->owner != owner || !s->base.ops)
            continue;
        abort_now(s);
        found++;
    }
    return found;
}
