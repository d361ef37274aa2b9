/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tls/tls.h - what the files of this plugin share. The library is mbedTLS 3.6: TLS 1.3 and 1.2. */
#ifndef TLS_H
#define TLS_H

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <unik/ring.h>
#include <unik/tls.h>

#define TLS_RECORD 16384                /* bytes of plaintext in a record at most (RFC 8446, 5.1) */
#define TLS_OVERHEAD 512                /* more than a record's head, nonce, padding and tag take */
#define TLS_OUT 32768                   /* bytes kept that the stream below did not take */
#define TLS_POOL 16                     /* buffers kept for the next stream that needs one */
#define TLS_FILE_FIRST 16384            /* bytes that a file is expected to have: a key has fewer */
#define TLS_FILE 2097152                /* bytes of a file at most, one less: bundles of systems have a quarter of a million */

struct tls_config {
    const char *certificate, *key, *authorities;
    double handshake_timeout, linger;
    int64_t max_connections;
};

enum tls_counter {
    TLS_ACCEPTED, TLS_CONNECTED, TLS_FAILED, TLS_TIMEOUTS, TLS_REFUSED, TLS_CONNECTIONS, TLS_CONNECTIONS_HIGH, TLS_BYTES_IN,
    TLS_BYTES_OUT
};

struct tls_pool {
    struct unik_ring free[TLS_POOL];
    size_t n, size;                     /* size: bytes of each */
};

struct tls_stream;

struct tls {
    struct unik_tls tls;                /* first: the interface is the plugin */
    struct unik_ctx *ctx;
    const struct tls_config *config;
    mbedtls_x509_crt certificate, authorities;
    mbedtls_pk_context key;
    mbedtls_ssl_config server, client;
    bool can_serve, can_connect;
    struct tls_pool in, out;
    struct tls_stream *streams;
    size_t n_streams;
    bool stopping;
};

/* credentials.c: files and what is agreed on with everybody. 0, or -EINVAL and lines that name the file. */
int tls_load(struct tls *t);
void tls_unload(struct tls *t);
/* "NAME, until 2027-01-01" */
void tls_describe(const struct tls *t, char *text, size_t size);

/* random.c: the kernel's numbers, for the library. 0 or its error. */
int tls_random(void *unused, unsigned char *to, size_t n);

/* records.c: what comes from the peer, *from the network*, on its way to the library: each message of a handshake begins a record
 * of its own, however the peer cut them. */
struct tls_records {
    uint8_t header[5], message[4];      /* of a record, of a message: as much as came */
    uint8_t made[13];                   /* what the library gets next, in place of that */
    size_t n_header, n_message, n_made, at;
    size_t pass;                        /* then so many bytes as they come */
    size_t record_left, message_left;
    bool changed;                       /* ChangeCipherSpec has passed */
};
/* As unik_stream_read(). plain: handshake records are readable though ChangeCipherSpec has passed (TLS 1.3). */
ssize_t tls_records_read(struct tls_records *r, struct unik_stream *raw, void *to, size_t n, bool plain);
/* What is wrong with the record at hand, as an alert (RFC 8446, 6.2); the library does not say. */
uint8_t tls_records_alert(const struct tls_records *r);

/* why.c: an error of the library as a sentence, and as what the peer is to be told if the library told it nothing. */
const char *tls_why(int error, char *room, size_t size);
uint8_t tls_alert(int error);

/* address.c: a name that is an address, and whether the server's certificate has it (for mbedtls_ssl_set_verify(); arg: the address) */
struct tls_address { size_t n; uint8_t bytes[16]; };
bool tls_is_address(const char *name, struct tls_address *a);
int tls_check_address(void *arg, mbedtls_x509_crt *certificate, int depth, uint32_t *flags);

/* stream.c */
int tls_serve(struct unik_tls *t, struct unik_stream *raw, unik_stream_cb *cb, void *arg, struct unik_stream **out);
int tls_connect(struct unik_tls *t, const char *name, struct unik_stream *raw, unik_stream_cb *cb, void *arg,
                struct unik_stream **out);
size_t tls_abort_all(struct tls *t, bool closed_too);   /* how many were still somebody's */
size_t tls_left(struct tls *t, const struct unik_ctx *owner);    /* cut off those of a plugin that has stopped; how many */
void tls_pool_free(struct tls_pool *p);

/* tls.c: the last stream is gone while stopping. */
void tls_gone(struct tls *t);

#endif
