/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tls/records.c - messages of a handshake may be cut at any byte into records, and several may share one (RFC 8446, 5.1; RFC
 * 5246, 6.2.1). The library joins pieces, but wants the four bytes that a message begins with in one record. So what comes is cut
 * anew: a message, or a piece of one, a record. Nothing is kept but those four bytes. What is encrypted passes as it is: the
 * library opens that, and joins the pieces inside by itself - but not where the four bytes are cut: 3.6 refuses
 * that (mbedtls_ssl_prepare_handshake_record()), and nobody can come between. Such a peer is told by an alert.
 *
 * The bytes are *from the network*. Whatever is wrong with them passes as well: the library refuses it. */
#include "tls.h"

enum { CHANGE_CIPHER_SPEC = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23 };

#define RECORD_SEALED (TLS_RECORD + 2048)   /* bytes of a sealed record at most (RFC 5246, 6.2.3) */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t length(const struct tls_records *r) { return (size_t)r->header[3] << 8 | r->header[4]; }

/* The head of a record of a handshake, of the version that the peer wrote. */
static void make(struct tls_records *r, size_t size)
{
    r->made[0] = HANDSHAKE;
    r->made[1] = r->header[1];
    r->made[2] = r->header[2];
    r->made[3] = (uint8_t)(size >> 8);
    r->made[4] = (uint8_t)size;
    r->n_made = 5;
    r->at = 0;
}

static void put(struct tls_records *r, const uint8_t *bytes, size_t n)
{
    memcpy(r->made + r->n_made, bytes, n);
    r->n_made += n;
}

/* What was read into a header that wants so many bytes: 1 it is complete, otherwise as unik_stream_read(). */
static ssize_t collect(struct unik_stream *raw, uint8_t *header, size_t *n, size_t want)
{
    ssize_t k = unik_stream_read(raw, header + *n, want - *n);

    if (k <= 0)
        return k;
    *n += (size_t)k;
    return *n == want ? 1 : -EAGAIN;
}

static ssize_t begin_record(struct tls_records *r, struct unik_stream *raw, bool plain)
{
    ssize_t e = collect(raw, r->header, &r->n_header, sizeof(r->header));

    if (e <= 0)
        return e;
    r->n_header = 0;
    r->changed |= r->header[0] == CHANGE_CIPHER_SPEC;
    if (r->header[0] == HANDSHAKE && (!r->changed || plain) && length(r) > 0 && length(r) <= TLS_RECORD) {
        r->record_left = length(r);
        return 1;
    }
    r->n_made = r->at = 0;
    if (r->n_message) {                 /* something else inside of a message: not allowed, and the library will see why */
        make(r, r->n_message);
        put(r, r->message, r->n_message);
        r->n_message = 0;
    }
    put(r, r->header, sizeof(r->header));
    r->pass = length(r);
    return 1;
}

/* The next record for the library, of what this one of the peer has. */
static ssize_t begin_piece(struct tls_records *r, struct unik_stream *raw)
{
    size_t run;

    if (r->message_left == 0) {
        size_t had = r->n_message;
        ssize_t e = collect(raw, r->message, &r->n_message, least(sizeof(r->message), had + r->record_left));

        r->record_left -= r->n_message - had;
        if (e <= 0)
            return e;
        if (r->n_message < sizeof(r->message))
            return 1;                   /* the rest is in the peer's next record */
        r->message_left = (size_t)r->message[1] << 16 | (size_t)r->message[2] << 8 | r->message[3];
    }
    run = least(least(r->message_left, r->record_left), TLS_RECORD - r->n_message);
    make(r, r->n_message + run);
    put(r, r->message, r->n_message);
    r->n_message = 0;
    r->pass = run;
    r->record_left -= run;
    r->message_left -= run;
    return 1;
}

ssize_t tls_records_read(struct tls_records *r, struct unik_stream *raw, void *to, size_t n, bool plain)
{
    ssize_t k;

    while (r->at == r->n_made && r->pass == 0) {
        k = r->record_left ? begin_piece(r, raw) : begin_record(r, raw, plain);
        if (k <= 0)
            return k;
    }
    if (r->at < r->n_made) {
        n = least(n, r->n_made - r->at);
        memcpy(to, r->made + r->at, n);
        r->at += n;
        return (ssize_t)n;
    }
    k = unik_stream_read(raw, to, least(n, r->pass));
    r->pass -= k > 0 ? (size_t)k : 0;
    return k;
}

uint8_t tls_records_alert(const struct tls_records *r)
{
    if (r->header[0] < CHANGE_CIPHER_SPEC || r->header[0] > DATA)
        return MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE;
    if (r->header[1] != 3)
        return MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION;
    return length(r) > RECORD_SEALED || (!r->changed && length(r) > TLS_RECORD) ? MBEDTLS_SSL_ALERT_MSG_RECORD_OVERFLOW :
           MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR;
}
