/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tls/address.c - a server that is named by its address: it is no name for the SNI (RFC 6066, 3), and the certificate must
 * have it as an address (RFC 5280, 4.2.1.6), not as a name that looks alike. */
#include <arpa/inet.h>
#include <string.h>

#include "tls.h"

bool tls_is_address(const char *name, struct tls_address *a)
{
    a->n = inet_pton(AF_INET, name, a->bytes) == 1 ? 4 : inet_pton(AF_INET6, name, a->bytes) == 1 ? 16 : 0;
    return a->n > 0;
}

int tls_check_address(void *arg, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    const struct tls_address *a = arg;

    if (depth != 0)
        return 0;                       /* an authority */
    for (const mbedtls_x509_sequence *s = &certificate->subject_alt_names; s; s = s->next)
        if ((s->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == MBEDTLS_X509_SAN_IP_ADDRESS && s->buf.len == a->n &&
            memcmp(s->buf.p, a->bytes, a->n) == 0)
            return 0;
    *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    return 0;
}
