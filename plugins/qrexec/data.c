/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/data.c - the data channel of one call: messages in and out (doc/protocol/qrexec.md, 2 and 4).
 *
 * The other end is dom0's client or another VM, which is hostile: a length over the version's limit, an unknown type or a bad
 * HELLO ends this call, and this call only. Payload is read where the channel has it; nothing is kept of it here, so that
 * what the reader leaves fills the ring and stops the sender.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qrexec/core.h"

#define MESSAGES_AT_ONCE 256    /* looked at before other calls get their turn: a peer can send empty ones without end */
#define TOGETHER 4096           /* up to here header and payload go out in one write; above, copying costs more */

/* from another VM: it closed, died, or was closed on this side */
bool qrexec_data_gone(const struct qrexec_call *c)
{
    return !c->channel || c->a->vchan->state(c->channel) == UNIK_VCHAN_DISCONNECTED;
}

/* ... and all that it sent is read: the transport may know that the peer has gone while it still holds some of that. */
bool qrexec_data_exhausted(const struct qrexec_call *c) { return !c->channel || unik_stream_ended(c->channel) != 0; }

/* ---- in ---- */

static void violation(struct qrexec_call *c, const char *what, const struct qrexec_header *h, uint32_t value)
{
    c->a->ctx->counters[QREXEC_PROTOCOL_ERRORS]++;
    unik_error(c->a->ctx, "%s %s %s (domain %u port %u): %s: message 0x%x (%s) of %u bytes, %u: call closed",
               c->incoming ? "call from" : "call to", c->pub.peer, c->pub.service, c->domain, c->port, what, h->type,
               qrexec_type_name(h->type), h->len, value);
    c->ended = -EPROTO;
    if (!c->incoming)
        c->pub.exit_code = UNIK_QREXEC_LOST;
    qrexec_call_soon(c, UNIK_STREAM_INPUT | UNIK_STREAM_ROOM);     /* which closes the channel */
}

/* A message's header is complete. from another VM */
static void on_header(struct qrexec_call *c)
{
    struct qrexec_parser *in = &c->in;
    struct qrexec_header h;
    bool eof;

    qrexec_decode_header(in->head, &h);
    in->have = in->small_have = 0;
    in->to = QREXEC_TO_NOBODY;
    eof = h.len == 0;
    if (h.len > c->max) {
        violation(c, "too long", &h, (uint32_t)c->max);
        return;
    }
    switch (h.type) {
    case QREXEC_STDIN:
    case QREXEC_STDOUT:                 /* the wrong one of the two for our role: stock agents take it as input too */
        if (c->io_eof || c->have_code)
            break;
        c->io_eof = eof;
        in->to = QREXEC_TO_IO;
        break;
    case QREXEC_STDERR:
        if (c->incoming || c->err_eof || c->have_code)
            break;
        c->err_eof = eof;
        in->to = QREXEC_TO_ERR;
        break;
    case QREXEC_EXIT_CODE:
        if (c->incoming || c->have_code)
            break;
        in->to = QREXEC_TO_CODE;
        break;
    default:
        violation(c, "unknown type", &h, h.type);
        return;
    }
    in->left = h.len;
    if (!c->incoming && !eof && in->to != QREXEC_TO_CODE)
        qrexec_stage(c, QREXEC_AT_BYTE);
}

static void on_code(struct qrexec_call *c)
{
    int code = UNIK_QREXEC_LOST;

    qrexec_decode_exit_code(c->in.small, c->in.small_have, &code);
    c->pub.exit_code = code;
    c->have_code = true;
}

/* Does somebody read this kind of payload? Else it is thrown away, so that it can't hold up the rest. */
static bool has_reader(const struct qrexec_call *c)
{
    return (c->in.to == QREXEC_TO_IO && c->open && !c->detached) || (c->in.to == QREXEC_TO_ERR && c->open && c->err_wanted);
}

static bool read_head(struct qrexec_call *c)
{
    struct qrexec_parser *in = &c->in;
    const void *p;
    size_t n;

    while (in->have < QREXEC_HEADER && (n = unik_stream_peek(c->channel, &p)) > 0) {
        n = n < QREXEC_HEADER - in->have ? n : QREXEC_HEADER - in->have;
        memcpy(in->head + in->have, p, n);
        in->have += (uint32_t)n;
        unik_stream_consume(c->channel, n);
    }
    return in->have == QREXEC_HEADER;
}

/* Payload that no reader gets: of HELLO and EXIT_CODE the first bytes are kept. True: the message is complete. */
static bool read_small(struct qrexec_call *c)
{
    struct qrexec_parser *in = &c->in;
    const void *p;
    size_t n, k;

    while (in->left && (n = unik_stream_peek(c->channel, &p)) > 0) {
        n = n < in->left ? n : in->left;
        k = in->to == QREXEC_TO_CODE || in->to == QREXEC_TO_HELLO ? sizeof(in->small) - in->small_have : 0;
        k = n < k ? n : k;
        memcpy(in->small + in->small_have, p, k);
        in->small_have += (uint32_t)k;
        unik_stream_consume(c->channel, n);
        in->left -= (uint32_t)n;
    }
    return in->left == 0;
}

void qrexec_data_advance(struct qrexec_call *c)
{
    struct qrexec_parser *in = &c->in;
    int budget = MESSAGES_AT_ONCE;

    while (c->channel && c->version && c->ended == 0) {
        if (in->left && has_reader(c))
            return;
        if (budget-- == 0) {
            qrexec_call_later(c);
            return;
        }
        if (in->left && !read_small(c))
            return;
        if (in->to == QREXEC_TO_CODE)
            on_code(c);
        in->to = QREXEC_TO_NOBODY;
        if (!read_head(c))
            return;
        on_header(c);
    }
}

size_t qrexec_data_peek(struct qrexec_call *c, enum qrexec_sink to, const void **bytes)
{
    size_t n;

    *bytes = NULL;
    qrexec_data_advance(c);
    if (c->in.to != to || !c->in.left || !has_reader(c) || !c->channel || c->ended)
        return 0;
    n = unik_stream_peek(c->channel, bytes);
    return n < c->in.left ? n : c->in.left;
}

void qrexec_data_consume(struct qrexec_call *c, size_t n)
{
    if (n > c->in.left || !c->channel)
        return;
    unik_stream_consume(c->channel, n);
    c->in.left -= (uint32_t)n;
    c->bytes_in += n;
    c->a->ctx->counters[QREXEC_BYTES_IN] += n;
    if (c->in.left == 0 && c->err_wanted)
        qrexec_call_soon(c, UNIK_STREAM_INPUT);         /* the next message may be for the other reader */
}

/* from another VM, or dom0 */
int qrexec_data_read_hello(struct qrexec_call *c)
{
    struct qrexec_parser *in = &c->in;
    struct qrexec_header h;
    uint32_t theirs = 0;

    if (in->to != QREXEC_TO_HELLO) {
        if (!read_head(c))
            return 0;
        qrexec_decode_header(in->head, &h);
        if (h.type != QREXEC_HELLO || h.len != 4) {
            violation(c, "expected HELLO", &h, 0);
            return -EPROTO;
        }
        in->to = QREXEC_TO_HELLO;
        in->left = h.len;
        in->small_have = 0;
    }
    if (!read_small(c))
        return 0;
    in->have = 0;
    in->to = QREXEC_TO_NOBODY;
    qrexec_decode_hello(in->small, in->small_have, &theirs);
    c->version = qrexec_version(QREXEC_VERSION, theirs);
    c->max = qrexec_data_max(c->version);
    if (c->version == 0) {
        violation(c, "HELLO with a version below 2", &(struct qrexec_header){ QREXEC_HELLO, 4 }, theirs);
        return -EPROTO;
    }
    return 1;
}

/* ---- out: only whole messages, so that header and payload always belong together ---- */

int qrexec_data_say_hello(struct qrexec_call *c)
{
    uint8_t hello[QREXEC_HEADER + 4];
    int n = qrexec_encode_hello(hello, sizeof(hello), QREXEC_VERSION);

    return unik_stream_room(c->channel) >= (size_t)n && unik_stream_write(c->channel, hello, (size_t)n) == n ? 0 : -EIO;
}

/* How many bytes of payload go out now, in messages as large as version and room allow. */
size_t qrexec_data_room(struct qrexec_call *c)
{
    size_t room = c->channel && c->version ? unik_stream_room(c->channel) : 0;
    size_t whole = c->max ? room / (c->max + QREXEC_HEADER) : 0, rest = room - whole * (c->max + QREXEC_HEADER);

    return whole * c->max + (rest > QREXEC_HEADER ? rest - QREXEC_HEADER : 0);
}

static bool put_message(struct qrexec_call *c, uint32_t type, const void *bytes, size_t n)
{
    uint8_t message[QREXEC_HEADER + TOGETHER];
    ssize_t done;

    qrexec_encode_header(message, type, (uint32_t)n);
    if (n <= TOGETHER) {
        if (n)
            memcpy(message + QREXEC_HEADER, bytes, n);
        done = unik_stream_write(c->channel, message, QREXEC_HEADER + n);
        return done == (ssize_t)(QREXEC_HEADER + n);
    }
    return unik_stream_write(c->channel, message, QREXEC_HEADER) == QREXEC_HEADER &&
           unik_stream_write(c->channel, bytes, n) == (ssize_t)n;
}

/* Payload bytes taken; n = 0 is an end of stream, whose caller looked for room itself. */
size_t qrexec_data_put(struct qrexec_call *c, uint32_t type, const void *bytes, size_t n)
{
    size_t done = 0;

    while (done < n) {
        size_t room = unik_stream_room(c->channel), k;

        if (room <= QREXEC_HEADER)
            break;
        k = room - QREXEC_HEADER < c->max ? room - QREXEC_HEADER : c->max;
        k = k < n - done ? k : n - done;
        if (!put_message(c, type, (const uint8_t *)bytes + done, k))
            break;
        done += k;
    }
    if (c->incoming && done)
        qrexec_stage(c, QREXEC_AT_BYTE);
    c->bytes_out += done;
    c->a->ctx->counters[QREXEC_BYTES_OUT] += done;
    return done;
}

static bool put_eof(struct qrexec_call *c, uint32_t type, bool *sent)
{
    if (!*sent && c->channel && unik_stream_room(c->channel) >= QREXEC_HEADER)
        *sent = put_message(c, type, NULL, 0);
    return *sent;
}

/* What a caller wrote before it was connected, then the end of its input if it gave that too. For a service: the ends of its
 * streams that it gave while there was no room. */
void qrexec_data_flush_early(struct qrexec_call *c)
{
    const void *p;
    size_t n, k;

    if (!c->version || qrexec_data_gone(c))
        return;
    while ((n = unik_ring_peek(&c->early, &p)) > 0) {
        k = qrexec_data_put(c, QREXEC_STDIN, p, n);
        unik_ring_consume(&c->early, k);
        if (k < n)
            return;
    }
    if (c->early.size)
        unik_ring_free(&c->early);
    if (c->want_eof)
        put_eof(c, c->incoming ? QREXEC_STDOUT : QREXEC_STDIN, &c->eof_sent);
    if (c->incoming && c->want_err_eof)
        put_eof(c, QREXEC_STDERR, &c->err_eof_sent);
}

/* The end of a service's call: the text for stderr if there is one, both ends of stream, each once, and the exit code.
 * JUST_EXEC carries the code alone, and so does a call that was aborted. True: all of it is in the channel. */
bool qrexec_data_finish(struct qrexec_call *c)
{
    bool alone = c->just_exec || c->aborted;
    uint8_t bytes[3 * QREXEC_HEADER + 4];
    size_t n = 0;
    int k;

    if (c->code_sent)
        return true;
    if (c->err_text && !alone && !c->err_eof_sent) {
        if (unik_stream_room(c->channel) < QREXEC_HEADER + strlen(c->err_text))
            return false;
        qrexec_data_put(c, QREXEC_STDERR, c->err_text, strlen(c->err_text));
        c->err_text = NULL;
    }
    if (!alone && !c->eof_sent)
        qrexec_encode_header(bytes + n, QREXEC_STDOUT, 0), n += QREXEC_HEADER;
    if (!alone && !c->err_eof_sent)
        qrexec_encode_header(bytes + n, QREXEC_STDERR, 0), n += QREXEC_HEADER;
    k = qrexec_encode_exit_code(bytes + n, sizeof(bytes) - n, c->pub.exit_code);
    if (k < 0)                          /* not 0..255: the caller would hang or take it for success [4] */
        k = qrexec_encode_exit_code(bytes + n, sizeof(bytes) - n, c->pub.exit_code & 255);
    n += (size_t)k;
    if (unik_stream_room(c->channel) < n)
        return false;
    c->code_sent = unik_stream_write(c->channel, bytes, n) == (ssize_t)n;
    if (c->code_sent)
        c->eof_sent = c->err_eof_sent = true;
    return c->code_sent;
}
