/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/server.c - one connection: requests in, answers out, in order, until one side has enough.
 *
 * The stream may be TCP or a qrexec call: nothing here knows. The peer is *from the network* or *from another VM*, and
 * hostile: it may send anything in pieces of any size, and never read.
 *
 *   WAITING (for a request) -> HEADING (a part of its head came) -> SENDING -> DROPPING (its body) -> WAITING
 *
 * filter.c sees each byte first. A head that arrives in one piece is used where it lies in the stream; one that comes in parts is
 * collected, and so is one with a chunked body, which must have come to its end (CHUNKS) before anything is answered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "www.h"

enum state { WAITING, HEADING, CHUNKS, SENDING, DROPPING };

struct www_conn {
    struct www *w;
    struct unik_stream *s;
    struct www_conn *next, **link;
    ev_timer timer;
    double deadline, fires;             /* the timer may fire earlier than the deadline: it then goes on */
    struct www_filter filter;           /* of the request that is coming */
    char *head;                         /* WWW_HEAD_MAX bytes, only while HEADING and in CHUNKS */
    size_t head_n;                      /* bytes there */
    uint64_t drop;
    struct www_send send;
    enum state state;
    enum www_way way;
    bool close_after, again;            /* again: the timer only ends this connection's turn */
};

/* ---- deadlines ---- */

static void arm(struct www_conn *c, double at)
{
    double now = ev_now(c->w->ctx->loop);

    ev_timer_stop(c->w->ctx->loop, &c->timer);
    ev_timer_set(&c->timer, at > now ? at - now : 0, 0);
    ev_timer_start(c->w->ctx->loop, &c->timer);
    c->fires = at;
}

/* A later deadline costs nothing until the earlier one has passed: a busy connection does not touch the timers. */
static void set_deadline(struct www_conn *c, double seconds)
{
    c->deadline = ev_now(c->w->ctx->loop) + seconds;
    if (!ev_is_active(&c->timer) || c->fires > c->deadline)
        arm(c, c->deadline);
}

/* ---- the buffer of a head that comes in parts ---- */

static bool take_head(struct www_conn *c)
{
    c->head = c->w->n_heads ? c->w->heads[--c->w->n_heads] : malloc(WWW_HEAD_MAX);
    c->head_n = 0;
    return c->head != NULL;
}

static void give_head(struct www_conn *c)
{
    if (c->head && c->w->n_heads < WWW_SPARE_HEADS)
        c->w->heads[c->w->n_heads++] = c->head;
    else
        free(c->head);
    c->head = NULL;
    c->head_n = 0;
}

/* An answer that is not all given: the peer must not take the part for the whole. */
static void end(struct www_conn *c, bool complete)
{
    struct www *w = c->w;

    ev_timer_stop(w->ctx->loop, &c->timer);
    if (complete)
        unik_stream_close(c->s);
    else
        unik_stream_abort(c->s);
    give_head(c);
    www_send_free(&c->send);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    free(c);
    w->ctx->counters[WWW_CONNECTIONS] = --w->n_conns;
    www_gone(w);
}

/* ---- answering ---- */

static void count(struct www *w, unsigned status)
{
    w->ctx->counters[WWW_REQUESTS]++;
    w->ctx->counters[status < 300 ? WWW_2XX : status < 400 ? WWW_3XX : status < 500 ? WWW_4XX : WWW_5XX]++;
}

/* What www_send_begin() and www_send_on() said: true if the connection is ready for its next request. */
static bool sent(struct www_conn *c, int e)
{
    if (e == 1) {
        www_send_free(&c->send);
        if (c->close_after || c->w->draining) {
            end(c, true);
            return false;
        }
        c->state = c->drop ? DROPPING : WAITING;
        set_deadline(c, c->drop ? c->w->config->head_timeout : c->w->config->idle_timeout);
        return true;
    }
    if (e == 0) {
        set_deadline(c, c->w->config->write_timeout);
    } else if (e == -EAGAIN) {
        c->again = true;
        arm(c, 0);
    } else {
        if (e == -EIO) {
            unik_warn(c->w->ctx, "%s: cut off: the file became shorter", c->s->peer);
            c->w->ctx->counters[WWW_TRUNCATED]++;
        }
        end(c, false);
    }
    return false;
}

static bool answer(struct www_conn *c, struct www_answer *a)
{
    count(c->w, a->status);
    c->close_after = a->close;
    c->state = SENDING;
    www_filter_begin(&c->filter);       /* for the next one */
    return sent(c, www_send_begin(c->w, c->s, &c->send, a));
}

static bool refuse(struct www_conn *c, unsigned status, const char *why)
{
    struct www_answer a;

    www_refuse(c->w, status, why, &a);
    unik_debug(c->w->ctx, "%s %u%s%s", c->s->peer, status, why ? ": " : "", why ? why : "");
    give_head(c);
    return answer(c, &a);
}

/* The request that is in c->head, if anything is, else lies in the stream, `used` bytes to consume. True: go on with the next. */
static bool respond(struct www_conn *c, const struct www_request *r, size_t used)
{
    struct www_answer a;

    www_respond(c->w, r, &a);
    unik_debug(c->w->ctx, "%s \"%.*s %.*s\" %u %llu", c->s->peer, (int)r->method.n, r->method.at,
               (int)(r->target.n < 512 ? r->target.n : 512), r->target.at ? r->target.at : "", a.status,
               (unsigned long long)(a.file ? a.end - a.from : 0));
    c->drop = a.close ? 0 : r->body;
    if (c->head)
        give_head(c);
    else
        unik_stream_consume(c->s, used);
    return answer(c, &a);
}

/* ---- reading ---- */

/* Nothing waits in the stream. True: the connection is gone. */
static bool ended(struct www_conn *c)
{
    int e = unik_stream_ended(c->s);

    if (e == 0 || (e == 1 && c->state == SENDING))
        return false;
    end(c, c->state != SENDING);
    return true;
}

/* Bytes of the stream that the filter has taken go into c->head. */
static bool keep(struct www_conn *c, const char *p, size_t n)
{
    if (!c->head && !take_head(c)) {
        end(c, true);
        return false;
    }
    memcpy(c->head + c->head_n, p, n);
    c->head_n += n;
    unik_stream_consume(c->s, n);
    return true;
}

/* A complete head; p: its end, n bytes of it, lies there in the stream. True: go on with the next request. */
static bool request(struct www_conn *c, const char *p, size_t n)
{
    const struct www_filter *f = &c->filter;
    struct www_request r;

    if (c->head && !keep(c, p, n))
        return false;
    www_request_parse(f, (c->head ? c->head : p) + f->start, f->n - f->start, &r);
    if (!r.chunked || r.expects || r.status == 400)
        return respond(c, &r, n);
    if (!c->head && !keep(c, p, n))
        return false;
    www_filter_begin_body(&c->filter);
    c->state = CHUNKS;
    set_deadline(c, c->w->config->head_timeout);
    return true;
}

/* Look for the next request. True: answered, or its body is awaited; false: nothing more to do now, or the connection is gone. */
static bool next_request(struct www_conn *c)
{
    struct www_filter *f = &c->filter;
    const void *bytes;
    size_t n;

    while ((n = unik_stream_peek(c->s, &bytes)) > 0) {
        n = www_filter_head(f, bytes, n);
        if (f->status)
            return refuse(c, f->status, f->why);
        if (f->done)
            return request(c, bytes, n);
        if (!c->head && www_filter_is_blank(f)) {
            unik_stream_consume(c->s, n);
            www_filter_begin(f);
            continue;
        }
        if (!keep(c, bytes, n))
            return false;
        if (c->state == WAITING) {
            c->state = HEADING;
            set_deadline(c, c->w->config->head_timeout);
        }
    }
    ended(c);
    return false;
}

/* A chunked body, which nobody wants; but what it hides must not pass for the next request. */
static bool read_chunks(struct www_conn *c)
{
    size_t head_n = c->head_n - c->filter.start;
    struct www_filter *f = &c->filter;
    struct www_request r;
    const void *bytes;
    size_t n;

    while (!f->done && (n = unik_stream_peek(c->s, &bytes)) > 0) {
        unik_stream_consume(c->s, www_filter_body(f, bytes, n));
        if (f->status)
            return refuse(c, f->status, f->why);
    }
    if (!f->done) {
        ended(c);
        return false;
    }
    www_request_parse(f, c->head + f->start, head_n, &r);
    return respond(c, &r, 0);
}

static bool drop_body(struct www_conn *c)
{
    const void *p;
    size_t n;

    while (c->drop && (n = unik_stream_peek(c->s, &p)) > 0) {
        n = n < c->drop ? n : (size_t)c->drop;
        unik_stream_consume(c->s, n);
        c->drop -= n;
    }
    if (c->drop) {
        ended(c);
        return false;
    }
    c->state = WAITING;
    set_deadline(c, c->w->config->idle_timeout);
    return true;
}

/* Only room counts while an answer is on its way: a peer that sends and never reads gets no longer time for it. */
static void run(struct www_conn *c, bool room)
{
    const void *p;
    bool more = true;

    if (c->state == SENDING) {
        if (unik_stream_peek(c->s, &p) == 0 && ended(c))
            return;
        if (c->again || !room)
            return;
        more = sent(c, www_send_on(c->w, c->s, &c->send));
    }
    while (more)
        more = c->state == DROPPING ? drop_body(c) : c->state == CHUNKS ? read_chunks(c) : next_request(c);
}

static void on_event(struct unik_stream *s, unsigned events, void *arg)
{
    (void)s;
    run(arg, events & UNIK_STREAM_ROOM);
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct www_conn *c = t->data;

    (void)revents;
    if (c->again) {
        c->again = false;
        set_deadline(c, c->w->config->write_timeout);
        run(c, true);
        return;
    }
    if (ev_now(loop) < c->deadline) {
        arm(c, c->deadline);
        return;
    }
    c->w->ctx->counters[WWW_TIMEOUTS]++;
    if (c->state == HEADING || c->state == CHUNKS)
        refuse(c, 408, NULL);
    else
        end(c, c->state != SENDING);
}

/* ---- from outside ---- */

/* More connections than wished: one short answer, without reading the question. */
static void too_many(struct www *w, struct unik_stream *s)
{
    struct www_answer a;

    www_refuse(w, 503, NULL, &a);
    count(w, 503);
    w->ctx->counters[WWW_REFUSED]++;
    if (unik_stream_room(s) >= a.head_n)
        unik_stream_write(s, w->scratch, a.head_n);
    unik_stream_close(s);
}

void www_serve(struct www *w, struct unik_stream *s, enum www_way way)
{
    struct www_conn *c;

    if (w->draining || w->n_conns >= (size_t)w->config->max_connections || !(c = calloc(1, sizeof(*c)))) {
        too_many(w, s);
        return;
    }
    www_filter_begin(&c->filter);
    c->w = w;
    c->s = s;
    c->way = way;
    c->next = w->conns;
    c->link = &w->conns;
    if (c->next)
        c->next->link = &c->next;
    w->conns = c;
    w->ctx->counters[WWW_CONNECTIONS] = ++w->n_conns;
    if (w->n_conns > w->ctx->counters[WWW_CONNECTIONS_HIGH])
        w->ctx->counters[WWW_CONNECTIONS_HIGH] = w->n_conns;
    ev_timer_init(&c->timer, on_timer, 0, 0);
    c->timer.data = c;
    set_deadline(c, w->config->head_timeout);
    unik_stream_on(s, on_event, c);
    run(c, false);                      /* bytes that came before are not told */
}

void www_serve_drain(struct www *w)
{
    struct www_conn *c = w->conns;

    while (c) {
        struct www_conn *next = c->next;

        if (c->state != SENDING)
            end(c, true);
        c = next;
    }
}

void www_serve_stop(struct www *w, enum www_way way)
{
    struct www_conn *c = w->conns;

    while (c) {
        struct www_conn *next = c->next;

        if (c->way == way)
            end(c, c->state != SENDING);
        c = next;
    }
}
