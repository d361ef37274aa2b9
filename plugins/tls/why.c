/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tls/why.c - errors of the library: in words, since its own table of them is larger than what we use of it; and as the alert
 * that the peer is told (RFC 8446, 6.2), for those that the library keeps to itself. */
#include <mbedtls/asn1.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <stdio.h>

#include "tls.h"

static const struct {
    int error;
    uint8_t alert;
    const char *text;
} errors[] = {
    { MBEDTLS_ERR_SSL_CONN_EOF, 0, "the connection ended" },
    { MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, 0, "the peer gave up" },
    { MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, 0, "the peer ended it" },
    { MBEDTLS_ERR_SSL_ALLOC_FAILED, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR, "no memory" },
    { MBEDTLS_ERR_SSL_INTERNAL_ERROR, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR, "an internal error" },
    { MBEDTLS_ERR_SSL_INVALID_RECORD, MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR, "not a record of TLS" },
    { MBEDTLS_ERR_SSL_INVALID_MAC, MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC, "a record was changed on its way" },
    { MBEDTLS_ERR_SSL_BAD_INPUT_DATA, MBEDTLS_SSL_ALERT_MSG_RECORD_OVERFLOW, "a message is too long" },
    { MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE, "a message out of its turn" },
    { MBEDTLS_ERR_SSL_UNEXPECTED_RECORD, MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE, "a record out of its turn" },
    { MBEDTLS_ERR_SSL_DECODE_ERROR, MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR, "a message cannot be read" },
    { MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER, "an impossible value in a message" },
    { MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION, MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_EXT, "an extension that nobody asked for" },
    { MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION, "no version of TLS that both know" },
    { MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, "no cipher or signature that both know" },
    { MBEDTLS_ERR_SSL_BAD_CERTIFICATE, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "the certificate cannot be read" },
    { MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "the certificate is not believed" },
    { MBEDTLS_ERR_X509_FATAL_ERROR, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "the certificate could not be verified" },
    { MBEDTLS_ERR_ECP_INVALID_KEY, MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER, "a point that is not on its curve" },
    { MBEDTLS_ERR_ECP_VERIFY_FAILED, MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR, "a signature is wrong" },
    { MBEDTLS_ERR_RSA_VERIFY_FAILED, MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR, "a signature is wrong" },
    { MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG, MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, "signed in a way that is not known here" },
    { MBEDTLS_ERR_X509_INVALID_FORMAT, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "not a certificate" },
    { MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "not a certificate" },
    { MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "no PEM" },
    { MBEDTLS_ERR_PK_KEY_INVALID_FORMAT, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "not a key" },
    { MBEDTLS_ERR_PK_PASSWORD_REQUIRED, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "has a password" },
    { MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE, MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, "a curve that is not known here" },
    { MBEDTLS_ERR_PK_UNKNOWN_PK_ALG, MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, "a kind of key that is not known here" },
};

/* The row of an error, or of what it was made from: the library adds what a parser said to what it was parsing. */
static size_t row(int error)
{
    size_t n = sizeof(errors) / sizeof(errors[0]);

    for (size_t i = 0; i < n; i++)
        if (errors[i].error == error)
            return i;
    for (size_t i = 0; i < n; i++)
        if ((-errors[i].error & ~0x7f) == (-error & ~0x7f) && (-errors[i].error & 0x7f) == 0)
            return i;
    return n;
}

const char *tls_why(int error, char *room, size_t size)
{
    size_t i = row(error);

    if (i < sizeof(errors) / sizeof(errors[0]))
        snprintf(room, size, "%s", errors[i].text);
    else
        snprintf(room, size, "error -0x%04x of mbedTLS", (unsigned)-error);
    return room;
}

uint8_t tls_alert(int error)
{
    size_t i = row(error);

    return i < sizeof(errors) / sizeof(errors[0]) ? errors[i].alert : MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
}
