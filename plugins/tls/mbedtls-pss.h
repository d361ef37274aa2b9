/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tls/mbedtls-pss.h - read before the client of TLS 1.2 when mbedTLS is compiled here. The library offers RSA-PSS, which is for
 * both versions (RFC 8446, 4.2.3), and verifies it; but 3.6.6 refuses it in an answer of TLS 1.2, which is what most servers with
 * an RSA key give. That it was offered is still checked, by the library. */
#include "common.h"
#include "ssl_misc.h"

#define mbedtls_ssl_sig_alg_is_supported(ssl, alg) \
    (mbedtls_ssl_sig_alg_is_supported(ssl, alg) || ((alg) >= MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256 && \
                                                   (alg) <= MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512))
