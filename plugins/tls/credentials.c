/* plugins/tls/credentials.c - certificate, key and authorities from their files, and what is offered to everybody: TLS 1.2 with
 * forward secrecy and authenticated encryption, nothing older. */
#include <errno.h>
#include <mbedtls/error.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "tls.h"

static const int suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, 0
};

/* The kernel's generator: the best there is on every target, and nothing to seed or to save. */
static int random_bytes(void *arg, unsigned char *to, size_t n)
{
    (void)arg;
    while (n) {
        ssize_t k = getrandom(to, n, 0);

        if (k < 0 && errno != EINTR)
            return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
        to += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return 0;
}

static int complain(struct tls *t, const char *option, const char *file, int e)
{
    char why[128];

    mbedtls_strerror(e, why, sizeof(why));
    unik_error(t->ctx, "%s = %s: %s", option, file, why);
    return -EINVAL;
}

static int load_server(struct tls *t)
{
    const struct tls_config *c = t->config;
    int e = mbedtls_x509_crt_parse_file(&t->certificate, c->certificate);

    if (e < 0)
        return complain(t, "certificate", c->certificate, e);
    if (e > 0) {
        unik_error(t->ctx, "certificate = %s: %d of its certificates cannot be read", c->certificate, e);
        return -EINVAL;
    }
    e = mbedtls_pk_parse_keyfile(&t->key, c->key, NULL);
    if (e < 0)
        return complain(t, "key", c->key, e);
    if (mbedtls_pk_check_pair(&t->certificate.pk, &t->key) != 0) {
        unik_error(t->ctx, "key = %s: not the key of the first certificate in %s", c->key, c->certificate);
        return -EINVAL;
    }
    e = mbedtls_ssl_conf_own_cert(&t->server, &t->certificate, &t->key);
    if (e == 0)
        e = mbedtls_ssl_ticket_setup(&t->tickets, random_bytes, NULL, MBEDTLS_CIPHER_AES_256_GCM, TLS_TICKET_SECONDS);
    if (e < 0)
        return complain(t, "certificate", c->certificate, e);
    mbedtls_ssl_conf_session_tickets_cb(&t->server, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &t->tickets);
    t->can_serve = true;
    return 0;
}

static int load_client(struct tls *t)
{
    int e = mbedtls_x509_crt_parse_file(&t->authorities, t->config->authorities);

    if (e < 0)
        return complain(t, "authorities", t->config->authorities, e);
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
    mbedtls_ssl_conf_rng(c, random_bytes, NULL);
    mbedtls_ssl_conf_min_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_ciphersuites(c, suites);
    mbedtls_ssl_conf_authmode(c, end == MBEDTLS_SSL_IS_CLIENT ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
    return 0;
}

int tls_load(struct tls *t)
{
    int e = 0;

    mbedtls_x509_crt_init(&t->certificate);
    mbedtls_x509_crt_init(&t->authorities);
    mbedtls_pk_init(&t->key);
    mbedtls_ssl_ticket_init(&t->tickets);
    mbedtls_ssl_config_init(&t->server);
    mbedtls_ssl_config_init(&t->client);
    if (agree(&t->server, MBEDTLS_SSL_IS_SERVER) < 0 || agree(&t->client, MBEDTLS_SSL_IS_CLIENT) < 0)
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
    mbedtls_ssl_ticket_free(&t->tickets);
    mbedtls_pk_free(&t->key);
    mbedtls_x509_crt_free(&t->authorities);
    mbedtls_x509_crt_free(&t->certificate);
}

void tls_describe(const struct tls *t, char *text, size_t size)
{
    const mbedtls_x509_time *until = &t->certificate.valid_to;
    char name[128];

    if (mbedtls_x509_dn_gets(name, sizeof(name), &t->certificate.subject) < 0)
        snprintf(name, sizeof(name), "?");
    snprintf(text, size, "%s, until %04d-%02d-%02d", name, until->year, until->mon, until->day);
}
