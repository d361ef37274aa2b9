/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/stream.c - a TCP connection as a stream: lwIP's side, and what is done at the end of each turn.
 *
 *   CONNECTING -> OPEN -> (close) FLUSHING -> DRAINING -> gone
 *
 * The peer is *from the network*: it can send anything and stop reading for ever. What it sends and nobody reads is bounded by
 * the window we offer and by the pool of buffers; what it does not take, by the option output-buffer.
 *
 * Received bytes are read where the card has put them, as long as the owner reads them when it is told; what it leaves is copied,
 * so that the card has its memory back. Bytes to send stay in `out` until no segment of lwIP's refers to them: a peer
 * can acknowledge half a segment, and lwIP would send all of it again. */
#include <string.h>

#include "lwip/priv/tcp_priv.h"

#include "stream.h"

#define POLL 5                          /* of lwIP's slow ticks (2 * TCP_TMR_INTERVAL): how often deadlines are looked at */
#define AHEAD 8                         /* segments that lwIP is given beyond what the window lets it send */
#define KEEP_IDLE 600000u               /* ms of silence before a peer is asked whether it is still there */

static void set_deadline(struct stack_stream *s, double seconds)
{
    s->deadline = ev_now(s->n->ctx->loop) + seconds;
}

static void tell(struct stack_stream *s, unsigned events)
{
    if (s->base.cb && events)
        s->base.cb(&s->base, events, s->base.arg);
}

/* lwIP forgets us; what it still has to send refers to nothing of ours. */
static struct tcp_pcb *detach(struct stack_stream *s)
{
    struct tcp_pcb *pcb = s->pcb;

    s->pcb = NULL;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    return pcb;
}

static void abort_pcb(struct stack_stream *s)
{
    s->n->ctx->counters[STACK_ABORTED]++;
    tcp_abort(detach(s));
}

static void destroy(struct stack_stream *s)
{
    struct stack *n = s->n;

    if (s->queued && merge_flush(n) != 0)
        merge_drop();                   /* what waits there refers to our bytes */
    queue_free(n, &s->in);
    queue_free(n, &s->out);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    pool_give(&n->streams_pool, s);
    n->ctx->counters[STACK_CONNECTIONS] = --n->n_streams;
}

void stream_broke(struct stack_stream *s, int error)
{
    if (s->state == STREAM_CONNECTING)
        s->n->ctx->counters[STACK_CONNECT_FAILED]++;
    s->error = error;
    s->deadline = 0;
}

/* ---- lwIP's callbacks ---- */

/* Bytes before the first segment that lwIP keeps are the buffer's to give up. */
static void release(struct stack_stream *s)
{
    struct tcp_pcb *pcb = s->pcb;
    u32_t edge = pcb->snd_lbb;
    size_t done;

    if (pcb->unacked && TCP_SEQ_LT(lwip_ntohl(pcb->unacked->tcphdr->seqno), edge))
        edge = lwip_ntohl(pcb->unacked->tcphdr->seqno);
    if (pcb->unsent && TCP_SEQ_LT(lwip_ntohl(pcb->unsent->tcphdr->seqno), edge))
        edge = lwip_ntohl(pcb->unsent->tcphdr->seqno);
    if (!s->queued || TCP_SEQ_LEQ(edge, s->front))
        return;
    done = (u32_t)(edge - s->front) < s->queued ? (u32_t)(edge - s->front) : s->queued;     /* our FIN counts one, too */
    merge_guard(s->n, pcb->local_port, pcb->remote_port, edge);
    queue_consume(s->n, &s->out, done);
    s->queued -= done;
    s->front += (u32_t)done;
    s->n->ctx->counters[STACK_BYTES_OUT] += done;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    struct stack_stream *s = arg;

    (void)pcb, (void)len;
    release(s);
    stream_dirty(s);
    if (s->want_room && stream_room_now(s) >= stream_share(s->n) / 2) {
        s->want_room = false;
        tell(s, UNIK_STREAM_ROOM);
    }
    return ERR_OK;
}

/* Window for what the owner has read. */
static void give_window(struct stack_stream *s)
{
    while (s->pcb && s->unacknowledged) {
        u16_t k = s->unacknowledged < 0xffff ? (u16_t)s->unacknowledged : 0xffff;

        s->unacknowledged -= k;
        tcp_recved(s->pcb, k);
    }
}

/* What the owner has not read at once is copied. */
static void keep(struct stack_stream *s)
{
    s->n->ctx->counters[STACK_BYTES_COPIED] += s->fresh->tot_len;
    for (struct pbuf *p = s->fresh; p; p = p->next)
        if (queue_put(s->n, &s->in, p->payload, p->len) < p->len) {
            stream_broke(s, -ENOBUFS);
            break;
        }
    pbuf_free(s->fresh);
    s->fresh = NULL;
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct stack_stream *s = arg;

    (void)pcb, (void)err;
    if (!p) {
        s->eof = true;
        stream_dirty(s);
        tell(s, UNIK_STREAM_INPUT);
        return ERR_OK;
    }
    s->n->ctx->counters[STACK_BYTES_IN] += p->tot_len;
    if (!s->base.ops) {                 /* closed */
        s->dropped += p->tot_len;
        s->unacknowledged += p->tot_len;
        pbuf_free(p);
        if (s->dropped > STACK_DRAIN_BYTES)
            s->expired = true;
        stream_dirty(s);
        give_window(s);
        return ERR_OK;
    }
    s->fresh = p;
    tell(s, UNIK_STREAM_INPUT);
    if (s->fresh) {
        keep(s);
        if (s->error) {
            stream_dirty(s);
            tell(s, UNIK_STREAM_INPUT);
        }
    }
    give_window(s);
    return ERR_OK;
}

static void on_err(void *arg, err_t err)
{
    struct stack_stream *s = arg;
    bool was_connecting = s->state == STREAM_CONNECTING;

    s->pcb = NULL;
    stream_dirty(s);
    if (err == ERR_CLSD && s->eof)
        return;                         /* both ends in order: lwIP is just done */
    if (s->error)
        return;
    stream_broke(s, err == ERR_RST ? (was_connecting ? -ECONNREFUSED : -ECONNRESET) :
                    err == ERR_CLSD ? -ECONNRESET : err == ERR_ABRT ? -ETIMEDOUT : -ECONNABORTED);
    tell(s, UNIK_STREAM_INPUT);
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct stack_stream *s = arg;

    (void)pcb, (void)err;
    s->n->ctx->counters[STACK_CONNECTED]++;
    if (s->state == STREAM_CONNECTING)
        s->state = STREAM_OPEN;
    s->deadline = 0;
    stream_dirty(s);
    tell(s, UNIK_STREAM_OPEN);
    return ERR_OK;
}

/* Does on_poll() have anything to look at? */
bool stream_waits(const struct stack_stream *s)
{
    return s->deadline != 0 || s->expired || (s->n->link && s->queued < s->out.bytes) || (s->want_room && !s->out.bytes);
}

static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
    struct stack_stream *s = arg;

    (void)pcb;
    if (s->deadline != 0 && ev_now(s->n->ctx->loop) >= s->deadline) {
        s->expired = true;
        stream_dirty(s);
    }
    if (s->queued < s->out.bytes)
        stream_dirty(s);                /* lwIP had no memory for all of it */
    if (s->want_room && !s->out.bytes && stream_room_now(s)) {
        s->want_room = false;           /* other streams had taken all buffers */
        tell(s, UNIK_STREAM_ROOM);
    }
    return ERR_OK;
}

/* ---- the end of a turn ---- */

/* tcp_write() goes through all of pcb->unsent to find its end, for each call. It looks at nothing before the last segment, so that
 * one is all it is shown. *last: where the end was found the last time; NULL: not yet. */
static err_t write_at_end(struct tcp_pcb *pcb, struct tcp_seg **last, const void *bytes, u16_t n, u8_t flags)
{
    struct tcp_seg *all = pcb->unsent, *end = *last ? *last : all;
    err_t e;

    while (end && end->next)
        end = end->next;
    pcb->unsent = end;
    e = tcp_write(pcb, bytes, n, flags);
    *last = pcb->unsent;
    if (all)
        pcb->unsent = all;
    return e;
}

static void push(struct stack_stream *s)
{
    struct stack_place at = queue_place(&s->out, s->queued);
    struct tcp_pcb *pcb = s->pcb;
    struct tcp_seg *last = NULL;

    while (s->queued < s->out.bytes) {
        u32_t window = LWIP_MIN(pcb->snd_wnd, pcb->cwnd);
        const void *bytes;
        size_t run, room = tcp_sndbuf(pcb);

        if (pcb->unsent && (u32_t)(pcb->snd_lbb - pcb->lastack) > window + (u32_t)AHEAD * pcb->mss)
            break;
        run = place_peek(&at, &bytes);
        run = run < room ? run : room;
        if (run == 0)
            break;
        if (!s->queued)
            s->front = pcb->snd_lbb;
        if (write_at_end(pcb, &last, bytes, (u16_t)run, s->queued + run < s->out.bytes ? TCP_WRITE_FLAG_MORE : 0) != ERR_OK)
            break;
        s->queued += run;
        at.skip += run;
    }
}

/* The owner has closed. */
static void closing(struct stack_stream *s)
{
    if (s->state == STREAM_CONNECTING && s->out.bytes == 0) {
        abort_pcb(s);
        return;
    }
    if (s->state == STREAM_OPEN) {
        s->state = STREAM_FLUSHING;
        set_deadline(s, s->n->config->linger);
    }
    if (s->state == STREAM_FLUSHING && s->fin && s->out.bytes == 0) {
        s->state = STREAM_DRAINING;
        set_deadline(s, STACK_DRAIN < s->n->config->linger ? STACK_DRAIN : s->n->config->linger);
    }
    if (s->expired) {
        if (s->state == STREAM_DRAINING)
            tcp_close(detach(s));       /* all of ours has arrived: the peer only never ended its side */
        else
            abort_pcb(s);
    }
}

static void work(struct stack_stream *s)
{
    if (s->pcb && s->error)
        abort_pcb(s);
    if (s->pcb)
        give_window(s);
    if (s->pcb && s->state != STREAM_CONNECTING) {
        push(s);
        if (s->shut && !s->fin && s->queued == s->out.bytes && tcp_shutdown(s->pcb, 0, 1) == ERR_OK)
            s->fin = true;
        tcp_output(s->pcb);
    }
    if (s->pcb && !s->base.ops)
        closing(s);
    else if (s->pcb && s->expired) {
        stream_broke(s, -ETIMEDOUT);
        s->events |= UNIK_STREAM_INPUT;
        abort_pcb(s);
    }
    /* Both directions are at their ends, and nothing of ours is needed: lwIP does the rest alone. */
    if (s->pcb && s->eof && s->fin && s->out.bytes == 0)
        tcp_close(detach(s));
    if (s->events) {
        unsigned events = s->events;

        s->events = 0;
        tell(s, events);
    }
}

void stream_turn(struct stack *n)
{
    if (n->dirty)
        clock_tcp(n);
    while (n->dirty) {
        struct stack_stream *s = n->dirty;

        n->dirty = s->next_dirty;
        if (!n->dirty)
            n->dirty_end = &n->dirty;
        s->is_dirty = false;
        work(s);
        if (!s->pcb && !s->base.ops && !s->is_dirty)
            destroy(s);
    }
}

/* The card had no room for some: lwIP kept their segments. */
void stream_room(struct stack *n)
{
    for (struct stack_stream *s = n->streams; s; s = s->next)
        if (s->pcb && s->pcb->unsent)
            stream_dirty(s);
}

/* ---- making one ---- */

struct unik_stream *stream_new(struct stack *n, struct unik_ctx *owner, struct tcp_pcb *pcb, bool connecting)
{
    struct stack_stream *s = pool_take(&n->streams_pool);

    if (!s)
        return NULL;
    memset(s, 0, sizeof(*s));
    s->n = n;
    s->owner = owner;
    s->pcb = pcb;
    s->base.ops = &stream_ops;
    s->base.peer = s->peer;
    s->state = connecting ? STREAM_CONNECTING : STREAM_OPEN;
    text_peer(&pcb->remote_ip, pcb->remote_port, s->peer);
    tcp_arg(pcb, s);
    tcp_recv(pcb, on_recv);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_err);
    tcp_poll(pcb, on_poll, POLL);
    tcp_nagle_disable(pcb);
    ip_set_option(pcb, SOF_KEEPALIVE);
    pcb->keep_idle = KEEP_IDLE;
    s->next = n->streams;
    s->link = &n->streams;
    if (s->next)
        s->next->link = &s->next;
    n->streams = s;
    n->ctx->counters[STACK_CONNECTIONS] = ++n->n_streams;
    if (n->n_streams > n->ctx->counters[STACK_CONNECTIONS_HIGH])
        n->ctx->counters[STACK_CONNECTIONS_HIGH] = n->n_streams;
    return &s->base;
}

int stack_connect(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned port, unik_stream_cb *cb,
                  void *arg, struct unik_stream **out)
{
    struct stack *n = stack_of(net);
    struct unik_stream *base;
    struct stack_stream *s;
    struct tcp_pcb *pcb;
    ip_addr_t to;
    err_t e = ERR_USE;

    if (!address || port == 0 || port > 65535 || !text_address(address, &to))
        return -EINVAL;
    if (n->n_streams >= (size_t)n->config->max_connections)
        return -EMFILE;
    pcb = tcp_new_ip_type(IP_GET_TYPE(&to));
    if (!pcb)
        return -ENOMEM;
    for (int i = 0; i < 32 && e == ERR_USE; i++)        /* RFC 6056: a random one that is free */
        e = tcp_bind(pcb, IP_IS_V6(&to) ? IP6_ADDR_ANY : IP4_ADDR_ANY, (u16_t)random_port());
    base = e == ERR_OK ? stream_new(n, owner, pcb, true) : NULL;
    if (!base) {
        tcp_abort(pcb);
        return e == ERR_OK ? -ENOMEM : -EADDRINUSE;
    }
    s = (struct stack_stream *)(void *)base;
    unik_stream_on(base, cb, arg);
    set_deadline(s, n->config->connect_timeout);
    text_peer(&to, port, s->peer);
    clock_tcp(n);
    e = (text_roles(&to) & (ADMIT_TO | ADMIT_GROUP)) == ADMIT_TO ? tcp_connect(pcb, &to, (u16_t)port, on_connected) : ERR_RTE;
    if (e != ERR_OK) {
        stream_broke(s, e == ERR_RTE ? -ENETUNREACH : e == ERR_MEM || e == ERR_BUF ? -ENOMEM : -EADDRNOTAVAIL);
        s->events = UNIK_STREAM_INPUT;
    }
    stream_dirty(s);
    *out = base;
    return 0;
}

size_t stream_abort_all(struct stack *n, bool closed_too)
{
    size_t owned = 0;

    for (struct stack_stream *s = n->streams, *next; s; s = next) {
        next = s->next;
        owned += s->base.ops != NULL;
        if (!s->base.ops && !closed_too)
            continue;
        if (s->pcb)
            abort_pcb(s);
        s->base.ops = NULL;
        s->base.cb = NULL;
        stream_dirty(s);
    }
    stream_turn(n);
    return owned;
}

size_t stream_left(struct stack *n, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct stack_stream *s = n->streams, *next; s; s = next) {
        next = s->next;
        if (s->owner != owner || !s->base.ops)
            continue;
        unik_stream_abort(&s->base);
        found++;
    }
    return found;
}
