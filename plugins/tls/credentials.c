/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tls/credentials.c - certificate, key and authorities from their files, and what is offered to everybody: TLS 1.3 and 1.2 with
 * forward secrecy and authenticated encryption, nothing older. No session can be taken up again: there is no secret that outlives
 * a connection. */
#include <errno.h>
#include <mbedtls/platform_util.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls.h"

static const int suites[] = {
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_AES_256_GCM_SHA384, MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, 0
};
static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE
};

static void drop_file(unsigned char *bytes, size_t n)
{
    if (bytes)
        mbedtls_platform_zeroize(bytes, n);
    free(bytes);
}

/* PKCS #1 before PSS, which only TLS 1.2 sees: 3.6.6 refuses PSS there, and where it is the system's library nothing else helps. */
static const uint16_t signatures[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384, MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384, MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512, MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384, MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512, MBEDTLS_TLS1_3_SIG_NONE
};

/* All of a file, and room for a NUL. 0 or an errno. */
static int read_all(FILE *f, unsigned char **bytes, size_t *n)
{
    for (size_t size = TLS_FILE_FIRST; size <= TLS_FILE; size *= 2) {
        unsigned char *more = malloc(size);

        if (!more)
            return ENOMEM;
        if (*n)
            memcpy(more, *bytes, *n);
        drop_file(*bytes, *n);
        *bytes = more;
        *n += fread(more + *n, 1, size - *n, f);
        if (ferror(f))
            return errno;
        if (*n < size)
            return 0;
    }
    return EFBIG;
}

/* A file, with the NUL behind it by which the library knows text. NULL: a line says why. It is for drop_file(). */
static unsigned char *read_file(struct tls *t, const char *option, const char *file, size_t *n)
{
    unsigned char *bytes = NULL;
    FILE *f = fopen(file, "re");
    int e = f ? 0 : errno;

    *n = 0;
    if (f) {
        setvbuf(f, NULL, _IONBF, 0);    /* of a key no copy stays behind */
        e = read_all(f, &bytes, n);
        fclose(f);
    }
    if (e != 0) {
        unik_error(t->ctx, "%s = %s: %s", option, file, strerror(e));
        drop_file(bytes, *n);
        return NULL;
    }
    bytes[(*n)++] = 0;
    return bytes;
}

static int complain(struct tls *t, const char *option, const char *file, int e)
{
    char why[128];

    unik_error(t->ctx, "%s = %s: %s", option, file, tls_why(e, why, sizeof(why)));
    return -EINVAL;
}

/* Certificates: how many of them cannot be read, or -EINVAL and a line. */
static int load_certificates(struct tls *t, const char *option, const char *file, mbedtls_x509_crt *chain)
{
    size_t n;
    unsigned char *bytes = read_file(t, option, file, &n);
    int e;

    if (!bytes)
        return -EINVAL;
    e = mbedtls_x509_crt_parse(chain, bytes, n);
    drop_file(bytes, n);
    return e < 0 ? complain(t, option, file, e) : e;
}

static int load_key(struct tls *t, const char *file)
{
    size_t n;
    unsigned char *bytes = read_file(t, "key", file, &n);
    int e;

    if (!bytes)
        return -EINVAL;
    e = mbedtls_pk_parse_key(&t->key, bytes, n, NULL, 0, tls_random, NULL);
    drop_file(bytes, n);
    return e < 0 ? complain(t, "key", file, e) : 0;
}

static int load_server(struct tls *t)
{
    const struct tls_config *c = t->config;
    int e = load_certificates(t, "certificate", c->certificate, &t->certificate);

    if (e > 0)
        unik_error(t->ctx, "certificate = %s: %d of its certificates cannot be read", c->certificate, e);
    if (e != 0 || load_key(t, c->key) < 0)
        return -EINVAL;
    if (mbedtls_pk_check_pair(&t->certificate.pk, &t->key, tls_random, NULL) != 0) {
        unik_error(t->ctx, "key = %s: not the key of the first certificate in %s", c->key, c->certificate);
        return -EINVAL;
    }
    e = mbedtls_ssl_conf_own_cert(&t->server, &t->certificate, &t->key);
    if (e < 0)
        return complain(t, "certificate", c->certificate, e);
    t->can_serve = true;
    return 0;
}

static int load_client(struct tls *t)
{
    int e = load_certificates(t, "authorities", t->config->authorities, &t->authorities);

    if (e < 0)
        return e;
    if (e > 0)                          /* bundles of systems have some that a library does not know: the others count */
        unik_warn(t->ctx, "authorities = %s: %d of its certificates cannot be read", t->config->authorities, e);
    mbedtls_ssl_conf_ca_chain(&t->client, &t->authorities, NULL);
    t->can_connect = true;
    return 0;
}

static int agree(mbedtls_ssl_config *c, int end)
{
    int e = mbedtls_ssl_config_defaults(c, end, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

    if (e < 0)
        return e;
    mbedtls_ssl_conf_rng(c, tls_random, NULL);
    mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_3);
    mbedtls_ssl_conf_tls13_key_exchange_modes(c, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
    mbedtls_ssl_conf_ciphersuites(c, suites);
    mbedtls_ssl_conf_groups(c, groups);
    mbedtls_ssl_conf_sig_algs(c, signatures);
#ifdef MBEDTLS_SSL_SESSION_TICKETS      /* a system's library */
    mbedtls_ssl_conf_session_tickets(c, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
    mbedtls_ssl_conf_authmode(c, end == MBEDTLS_SSL_IS_CLIENT ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
    return 0;
}

int tls_load(struct tls *t)
{
    int e = 0;

    mbedtls_x509_crt_init(&t->certificate);
    mbedtls_x509_crt_init(&t->authorities);
    mbedtls_pk_init(&t->key);
    mbedtls_ssl_config_init(&t->server);
    mbedtls_ssl_config_init(&t->client);
    if (psa_crypto_init() != PSA_SUCCESS || agree(&t->server, MBEDTLS_SSL_IS_SERVER) < 0 || agree(&t->client, MBEDTLS_SSL_IS_CLIENT) < 0)
        return -ENOMEM;
    if (t->config->certificate)
        e = load_server(t);
    if (t->config->authorities && load_client(t) < 0)
        e = -EINVAL;
    return e;
}

void tls_unload(struct tls *t)
{
    mbedtls_ssl_config_free(&t->client);
    mbedtls_ssl_config_free(&t->server);
    mbedtls_pk_free(&t->key);
    mbedtls_x509_crt_free(&t->authorities);
    mbedtls_x509_crt_free(&t->certificate);
    mbedtls_psa_crypto_free();
}

void tls_describe(const struct tls *t, char *text, size_t size)
{
    const mbedtls_x509_time *until = &t->certificate.valid_to;
    char name[128];

    if (mbedtls_x509_dn_gets(name, sizeof(name), &t->certificate.subject) < 0)
        snprintf(name, sizeof(name), "?");
    snprintf(text, size, "%s, until %04d-%02d-%02d", name, until->year, until->mon, until->day);
}
