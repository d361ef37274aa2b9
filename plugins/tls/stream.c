/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tls/stream.c - TLS over a stream, as a stream.
 *
 *   HANDSHAKE -> OPEN -> (close) CLOSING -> gone
 *
 * Out: the library seals a record and gives its bytes at once to the stream below; what that does not take is kept in one buffer,
 * and no record is begun that might not fit there. So a record once begun is always taken whole.
 * In: records are opened when the owner looks for bytes, or when it is to be told of them; at most a buffer's worth is kept, and the
 * rest stays below. The peer is *from the network* or *from another VM*: the library checks what it sends, and the handshake has a
 * deadline. A handshake costs a signature, about a millisecond: max-connections bounds how many are under way. Whatever is wrong
 * with what it sends, it is told by an alert. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls.h"

#define KEY_UPDATE 24                   /* RFC 8446, 4.6.3 */

enum state { HANDSHAKE, OPEN, CLOSING };

struct tls_stream {
    struct unik_stream base;            /* first */
    struct tls *t;
    struct unik_ctx *owner;             /* whose raw was: who uses this one */
    struct tls_stream *next, **link;
    struct unik_stream *raw;
    mbedtls_ssl_context ssl;
    struct tls_address address;         /* the server's, if that is its name */
    struct tls_records records;         /* between raw and the library */
    size_t record_left;                 /* bytes of a record of ours that the library still has to give */
    bool alerted;                         /* the last record was an alert */
    struct unik_ring in, out;           /* opened bytes; sealed bytes */
    ev_timer deadline;                  /* HANDSHAKE, CLOSING */
    ev_timer wake;                      /* to be told from the loop, at once */
    unsigned events;                    /* that */
    int error;                          /* final: what ended() says */
    enum state state;
    bool client, end, shut, notified, aborted, want_room;
    bool given_turn;                    /* aborted, and the alert has had a turn to leave */
};

static struct tls_stream *of(struct unik_stream *s) { return (struct tls_stream *)(void *)s; }

/* ---- buffers ---- */

static int take(struct tls_pool *p, struct unik_ring *r)
{
    if (p->n) {
        *r = p->free[--p->n];
        return 0;
    }
    return unik_ring_init(r, p->size) < 0 ? -ENOMEM : 0;
}

static void give_back(struct tls_pool *p, struct unik_ring *r)
{
    if (!r->at)
        return;
    if (p->n == TLS_POOL) {
        unik_ring_free(r);
        return;
    }
    r->head = r->tail = 0;
    p->free[p->n++] = *r;
    memset(r, 0, sizeof(*r));
}

void tls_pool_free(struct tls_pool *p)
{
    while (p->n)
        unik_ring_free(&p->free[--p->n]);
}

/* ---- ends ---- */

static void destroy(struct tls_stream *s)
{
    struct tls *t = s->t;

    ev_timer_stop(t->ctx->loop, &s->deadline);
    ev_timer_stop(t->ctx->loop, &s->wake);
    if (s->aborted)
        unik_stream_abort(s->raw);
    else
        unik_stream_close(s->raw);
    mbedtls_ssl_free(&s->ssl);
    give_back(&t->in, &s->in);
    give_back(&t->out, &s->out);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    free(s);
    t->ctx->counters[TLS_CONNECTIONS] = --t->n_streams;
    tls_gone(t);
}

static void broke(struct tls_stream *s, int error)
{
    if (!s->error)
        s->error = error == -EPIPE ? -ECONNRESET : error;
}

static void tell_later(struct tls_stream *s, unsigned events)
{
    s->events |= events;
    if (!ev_is_active(&s->wake))
        ev_timer_start(s->t->ctx->loop, &s->wake);
}

static void set_deadline(struct tls_stream *s, double seconds)
{
    ev_timer_stop(s->t->ctx->loop, &s->deadline);
    ev_timer_set(&s->deadline, seconds, 0);
    ev_timer_start(s->t->ctx->loop, &s->deadline);
}

/* ---- the library's way to the stream below ---- */

/* Buffer to stream. */
static void flush(struct tls_stream *s)
{
    const void *from;
    size_t run;

    while ((run = unik_ring_peek(&s->out, &from)) > 0) {
        ssize_t k = unik_stream_write(s->raw, from, run);

        if (k == -ENOTCONN)
            break;
        if (k < 0) {
            broke(s, (int)k);
            give_back(&s->t->out, &s->out);
            return;
        }
        unik_ring_consume(&s->out, (size_t)k);
        if ((size_t)k < run)
            break;
    }
    if (unik_ring_used(&s->out) == 0)
        give_back(&s->t->out, &s->out);
}

/* A record of ours begins: is it an alert? In TLS 1.3 that is known by its size, and by nothing else being sent meanwhile. */
static void note_record(struct tls_stream *s, const unsigned char *bytes, size_t n)
{
    enum { ALERT = 21, DATA = 23, SEALED_ALERT = 2 + 1 + 16 };
    size_t length = n < 5 ? 0 : (size_t)bytes[3] << 8 | bytes[4];

    s->record_left = 5 + length;
    s->alerted = bytes[0] == ALERT || (bytes[0] == DATA && length == SEALED_ALERT);
}

static int bio_send(void *arg, const unsigned char *bytes, size_t n)
{
    struct tls_stream *s = arg;
    size_t done = 0;

    if (s->record_left == 0)
        note_record(s, bytes, n);
    if (!s->out.at) {
        ssize_t k = unik_stream_write(s->raw, bytes, n);

        if (k < 0 && k != -ENOTCONN) {
            broke(s, (int)k);
            return MBEDTLS_ERR_SSL_CONN_EOF;
        }
        done = k > 0 ? (size_t)k : 0;
    }
    if (done < n && !s->out.at && take(&s->t->out, &s->out) < 0) {
        broke(s, -ENOMEM);
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
    done += unik_ring_put(&s->out, bytes + done, n - done);
    s->record_left -= done < s->record_left ? done : s->record_left;
    return done ? (int)done : MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int bio_receive(void *arg, unsigned char *to, size_t n)
{
    struct tls_stream *s = arg;
    bool plain = mbedtls_ssl_get_version_number(&s->ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
    ssize_t k = tls_records_read(&s->records, s->raw, to, n, plain);

    if (k == -EAGAIN)
        return MBEDTLS_ERR_SSL_WANT_READ;
    if (k < 0)
        broke(s, (int)k);
    return k <= 0 ? MBEDTLS_ERR_SSL_CONN_EOF : (int)k;
}

/* ---- moving ---- */

/* What the library says, as an errno. 0: it only waits. */
static int errno_of(int e)
{
    switch (e) {
    case MBEDTLS_ERR_SSL_WANT_READ: case MBEDTLS_ERR_SSL_WANT_WRITE: case MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET: return 0;
    case MBEDTLS_ERR_SSL_CONN_EOF: return -ECONNRESET;
    case MBEDTLS_ERR_SSL_ALLOC_FAILED: return -ENOMEM;
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED: return -EACCES;
    default: return -EPROTO;
    }
}

/* A post-handshake message that the library has not: its peers have to do with the keys that they have. */
static bool wants_new_keys(const struct tls_stream *s)
{
    return s->state != HANDSHAKE && s->ssl.MBEDTLS_PRIVATE(in_msg) && s->ssl.MBEDTLS_PRIVATE(in_msg)[0] == KEY_UPDATE;
}

/* Why it failed. As a client, our user wants to know; as a server, anybody can cause that. */
static void explain(struct tls_stream *s, int e)
{
    const char *what = s->state == HANDSHAKE ? "handshake" : "connection";
    char why[256];
    uint32_t flags = mbedtls_ssl_get_verify_result(&s->ssl);

    if (e == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && flags != UINT32_MAX) {
        mbedtls_x509_crt_verify_info(why, sizeof(why), "", flags);
        why[strcspn(why, "\n")] = 0;
    } else if (e == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        snprintf(why, sizeof(why), "the peer gave up, with alert %d", s->ssl.MBEDTLS_PRIVATE(in_msg)[1]);
    } else if (e == MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE && wants_new_keys(s)) {
        snprintf(why, sizeof(why), "the peer changed its keys (KeyUpdate), which is not supported");
    } else {
        tls_why(e, why, sizeof(why));
    }
    if (s->client)
        unik_warn(s->t->ctx, "%s with %s: %s", what, s->base.peer, why);
    else
        unik_debug(s->t->ctx, "%s of %s: %s", what, s->base.peer, why);
}

/* The library gave up with this error. The peer is told why, unless the library told it, or it is the peer that gave up. */
static void alert(struct tls_stream *s, int e)
{
    uint8_t what = e == MBEDTLS_ERR_SSL_INVALID_RECORD ? tls_records_alert(&s->records) : tls_alert(e);

    if (!s->alerted && what && !s->error)
        mbedtls_ssl_send_alert_message(&s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, what);
}

/* The events to tell. */
static unsigned shake(struct tls_stream *s)
{
    int e;

    s->alerted = false;
    e = mbedtls_ssl_handshake(&s->ssl);
    if (e && errno_of(e))
        alert(s, e);
    flush(s);
    if (e == MBEDTLS_ERR_SSL_WANT_READ || e == MBEDTLS_ERR_SSL_WANT_WRITE) {
        if (!s->error)
            return 0;
    } else if (e == 0) {
        s->state = OPEN;
        ev_timer_stop(s->t->ctx->loop, &s->deadline);
        s->t->ctx->counters[s->client ? TLS_CONNECTED : TLS_ACCEPTED]++;
        return UNIK_STREAM_OPEN | UNIK_STREAM_INPUT;
    }
    explain(s, e);
    broke(s, errno_of(e) ? errno_of(e) : -ECONNRESET);
    ev_timer_stop(s->t->ctx->loop, &s->deadline);
    s->t->ctx->counters[TLS_FAILED]++;
    return UNIK_STREAM_INPUT;
}

/* Open records into the buffer, as far as it has room. */
static void fill(struct tls_stream *s)
{
    void *to;
    size_t run;

    s->alerted = false;                 /* reading sends nothing else */
    while (!s->error && !s->end) {
        int k;

        if (!s->in.at && take(&s->t->in, &s->in) < 0) {
            broke(s, -ENOMEM);
            return;
        }
        run = unik_ring_reserve(&s->in, &to);
        if (run == 0)
            return;
        k = mbedtls_ssl_read(&s->ssl, to, run);
        if (k > 0) {
            unik_ring_commit(&s->in, (size_t)k);
            s->t->ctx->counters[TLS_BYTES_IN] += (uint64_t)k;
            continue;
        }
        if (k == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
            s->end = true;
        } else if (k == 0 || k == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
            broke(s, -ECONNRESET);      /* the stream below ended without that: cut off, by whomever; or the peer gave up */
        } else if (errno_of(k)) {
            alert(s, k);
            explain(s, k);
            broke(s, errno_of(k));
        } else if (k != MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
            break;
        }
    }
    flush(s);                           /* the library may have had an alert to send */
    if (unik_ring_used(&s->in) == 0)
        give_back(&s->t->in, &s->in);
}

/* Bytes that a record may have now, with so many bytes of the buffer left free behind it. */
static size_t fits(const struct tls_stream *s, size_t kept)
{
    size_t left = s->out.at ? unik_ring_room(&s->out) : s->t->out.size;

    return left > kept + TLS_OVERHEAD ? left - kept - TLS_OVERHEAD : 0;
}

/* What is promised: two records, the second of which has its overhead too. */
static size_t room(const struct tls_stream *s) { return fits(s, TLS_OVERHEAD); }

/* The end of our side, behind all that was written. */
static void notify(struct tls_stream *s)
{
    if (s->notified || s->error || room(s) == 0)
        return;
    s->notified = true;
    mbedtls_ssl_close_notify(&s->ssl);
}

/* ---- events ---- */

static void tell(struct tls_stream *s, unsigned events)
{
    if (s->base.cb && events)
        s->base.cb(&s->base, events, s->base.arg);
}

static void closing(struct tls_stream *s)
{
    flush(s);
    notify(s);
    if (s->error || (s->notified && !s->out.at))
        destroy(s);
}

static void step(struct tls_stream *s, unsigned below)
{
    unsigned events = s->events;
    const void *p;

    s->events = 0;
    if (s->aborted && !s->given_turn) {
        s->given_turn = true;
        tell_later(s, 0);               /* the stream below may be told in this turn, and behind us */
        return;
    }
    if (s->aborted) {
        destroy(s);
        return;
    }
    if (s->state == CLOSING) {
        closing(s);
        return;
    }
    if (!s->error && s->state == HANDSHAKE)
        events |= shake(s);
    if (!s->error && s->state == OPEN) {
        flush(s);
        if (s->shut)
            notify(s);
        if ((below & UNIK_STREAM_INPUT) || (events & UNIK_STREAM_OPEN)) {
            fill(s);
            if (unik_ring_peek(&s->in, &p) > 0 || s->end)
                events |= UNIK_STREAM_INPUT;
        }
        if (s->want_room && room(s) >= TLS_OUT / 2) {
            s->want_room = false;
            events |= UNIK_STREAM_ROOM;
        }
    }
    if (s->error)
        events |= UNIK_STREAM_INPUT;
    tell(s, events);
}

static void on_raw(struct unik_stream *raw, unsigned events, void *arg)
{
    (void)raw;
    step(arg, events);
}

static void on_wake(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop, (void)revents;
    step(w->data, 0);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct tls_stream *s = w->data;

    (void)loop, (void)revents;
    if (s->state == CLOSING) {
        destroy(s);
        return;
    }
    s->t->ctx->counters[TLS_TIMEOUTS]++;
    s->t->ctx->counters[TLS_FAILED]++;
    broke(s, -ETIMEDOUT);
    tell(s, UNIK_STREAM_INPUT);
}

/* ---- the stream's functions ---- */

static size_t op_peek(struct unik_stream *base, const void **bytes)
{
    struct tls_stream *s = of(base);

    if (s->state == OPEN && unik_ring_used(&s->in) == 0)
        fill(s);
    return unik_ring_peek(&s->in, bytes);
}

static void op_consume(struct unik_stream *base, size_t n)
{
    struct tls_stream *s = of(base);

    unik_ring_consume(&s->in, n);
    if (unik_ring_used(&s->in) == 0)
        give_back(&s->t->in, &s->in);
}

static int op_ended(struct unik_stream *base)
{
    struct tls_stream *s = of(base);

    if (unik_ring_used(&s->in))
        return 0;
    return s->error ? s->error : s->end;
}

static size_t op_room(struct unik_stream *base)
{
    struct tls_stream *s = of(base);

    if (s->error || s->shut || s->state != OPEN)
        return 0;
    s->want_room = true;
    return room(s);
}

static ssize_t op_write(struct unik_stream *base, const void *bytes, size_t n)
{
    struct tls_stream *s = of(base);
    size_t done = 0;

    if (s->error || s->shut)
        return -EPIPE;
    if (s->state != OPEN)
        return -ENOTCONN;
    while (done < n && fits(s, 0) > 0) {
        size_t run = n - done < fits(s, 0) ? n - done : fits(s, 0);
        int k = mbedtls_ssl_write(&s->ssl, (const unsigned char *)bytes + done, run < TLS_RECORD ? run : TLS_RECORD);

        if (k <= 0) {
            broke(s, errno_of(k) ? errno_of(k) : -ECONNRESET);
            tell_later(s, UNIK_STREAM_INPUT);
            return -EPIPE;
        }
        done += (size_t)k;
    }
    s->want_room |= done < n;
    s->t->ctx->counters[TLS_BYTES_OUT] += done;
    return (ssize_t)done;
}

static int op_shut(struct unik_stream *base)
{
    struct tls_stream *s = of(base);

    if (s->shut || s->error)
        return 0;
    s->shut = true;
    if (s->state == OPEN)
        notify(s);
    return 0;
}

static void op_close(struct unik_stream *base)
{
    struct tls_stream *s = of(base);

    s->base.cb = NULL;
    s->base.ops = NULL;                 /* closed: any later call by its owner is a bug, and faults */
    give_back(&s->t->in, &s->in);
    if (s->error || s->state == HANDSHAKE) {
        destroy(s);
        return;
    }
    s->state = CLOSING;
    set_deadline(s, s->t->config->linger);
    closing(s);
}

/* RFC 8446, 6.1: who does not end with close_notify ends with an error alert. It goes to the stream below at once, or not
 * at all, and that is aborted two turns later: some streams send in the next turn what is written in this one. */
static void op_abort(struct unik_stream *base)
{
    struct tls_stream *s = of(base);

    s->base.cb = NULL;
    s->base.ops = NULL;
    s->aborted = true;
    if (s->error || s->notified || s->out.at) {
        destroy(s);
        return;
    }
    mbedtls_ssl_send_alert_message(&s->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
    give_back(&s->t->in, &s->in);
    s->state = CLOSING;
    unik_stream_on(s->raw, NULL, NULL);
    ev_timer_stop(s->t->ctx->loop, &s->wake);
    tell_later(s, 0);
}

static const struct unik_stream_ops ops = {
    .size = sizeof(struct unik_stream_ops), .peek = op_peek, .consume = op_consume, .ended = op_ended, .room = op_room,
    .write = op_write, .shut = op_shut, .close = op_close, .abort = op_abort
};

/* ---- making one ---- */

/* Whom the certificate must name. 0 or the library's error. */
static int expect(struct tls_stream *s, const char *name)
{
    if (!tls_is_address(name, &s->address))
        return mbedtls_ssl_set_hostname(&s->ssl, name);
    mbedtls_ssl_set_verify(&s->ssl, tls_check_address, &s->address);
    return mbedtls_ssl_set_hostname(&s->ssl, NULL);
}

static int make(struct tls *t, mbedtls_ssl_config *config, const char *name, struct unik_stream *raw, unik_stream_cb *cb,
                void *arg, struct unik_stream **out)
{
    struct tls_stream *s = calloc(1, sizeof(*s));

    if (!s) {
        unik_stream_close(raw);
        return -ENOMEM;
    }
    mbedtls_ssl_init(&s->ssl);
    if (mbedtls_ssl_setup(&s->ssl, config) < 0 || (name && expect(s, name) < 0)) {
        mbedtls_ssl_free(&s->ssl);
        free(s);
        unik_stream_close(raw);
        return -ENOMEM;
    }
    mbedtls_ssl_set_bio(&s->ssl, s, bio_send, bio_receive, NULL);
    s->t = t;
    s->raw = raw;
    s->owner = unik_stream_give(raw, t->ctx);
    s->client = name != NULL;
    s->base.ops = &ops;
    s->base.peer = raw->peer;
    unik_stream_on(&s->base, cb, arg);
    unik_stream_on(raw, on_raw, s);
    ev_timer_init(&s->deadline, on_deadline, 0, 0);
    ev_timer_init(&s->wake, on_wake, 0, 0);
    s->deadline.data = s->wake.data = s;
    s->next = t->streams;
    s->link = &t->streams;
    if (s->next)
        s->next->link = &s->next;
    t->streams = s;
    t->ctx->counters[TLS_CONNECTIONS] = ++t->n_streams;
    if (t->n_streams > t->ctx->counters[TLS_CONNECTIONS_HIGH])
        t->ctx->counters[TLS_CONNECTIONS_HIGH] = t->n_streams;
    set_deadline(s, t->config->handshake_timeout);
    tell_later(s, 0);                   /* bytes that came before are not told; a client begins */
    *out = &s->base;
    return 0;
}

static int refuse(struct tls *t, struct unik_stream *raw, int error)
{
    if (error == -EMFILE)
        t->ctx->counters[TLS_REFUSED]++;
    unik_stream_close(raw);
    return error;
}

int tls_serve(struct unik_tls *tls, struct unik_stream *raw, unik_stream_cb *cb, void *arg, struct unik_stream **out)
{
    struct tls *t = (struct tls *)(void *)tls;

    if (!t->can_serve || t->stopping)
        return refuse(t, raw, -ENOENT);
    if (t->n_streams >= (size_t)t->config->max_connections)
        return refuse(t, raw, -EMFILE);
    return make(t, &t->server, NULL, raw, cb, arg, out);
}

/* A name as certificates and the SNI have it (RFC 6066, 3): without the dot of a name that is whole. */
static int bare(const char *name, char host[MBEDTLS_SSL_MAX_HOST_NAME_LEN + 1])
{
    size_t n = strlen(name);

    n -= n > 1 && name[n - 1] == '.';
    if (n == 0 || n > MBEDTLS_SSL_MAX_HOST_NAME_LEN || name[n - 1] == '.')
        return -EINVAL;
    memcpy(host, name, n);
    host[n] = 0;
    return 0;
}

int tls_connect(struct unik_tls *tls, const char *name, struct unik_stream *raw, unik_stream_cb *cb, void *arg,
                struct unik_stream **out)
{
    struct tls *t = (struct tls *)(void *)tls;
    char host[MBEDTLS_SSL_MAX_HOST_NAME_LEN + 1];

    if (!name || bare(name, host) < 0)
        return refuse(t, raw, -EINVAL);
    if (!t->can_connect || t->stopping)
        return refuse(t, raw, -ENOENT);
    if (t->n_streams >= (size_t)t->config->max_connections)
        return refuse(t, raw, -EMFILE);
    return make(t, &t->client, host, raw, cb, arg, out);
}

size_t tls_abort_all(struct tls *t, bool closed_too)
{
    struct tls_stream *s = t->streams;
    size_t owned = 0;

    while (s) {
        struct tls_stream *next = s->next;

        owned += s->base.ops != NULL;
        if (s->base.ops || closed_too)
            destroy(s);
        s = next;
    }
    return owned;
}

size_t tls_left(struct tls *t, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct tls_stream *s = t->streams, *next; s; s = next) {
        next = s->next;
        if (s->owner != owner || !s->base.ops)
            continue;
        unik_stream_abort(&s->base);
        found++;
    }
    return found;
}
