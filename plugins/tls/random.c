/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tls/random.c - random numbers of the kernel: the best there are on every target, and nothing to seed or to save. */
#include <errno.h>
#include <psa/crypto.h>
#include <sys/random.h>

#include "tls.h"

int tls_random(void *unused, unsigned char *to, size_t n)
{
    (void)unused;
    while (n) {
        ssize_t k = getrandom(to, n, 0);

        if (k < 0 && errno != EINTR)
            return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
        to += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return 0;
}

#ifdef MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
/* What the library calls where it is compiled with our config. */
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *unused, uint8_t *to, size_t size, size_t *n)
{
    (void)unused;
    if (tls_random(NULL, to, size) < 0)
        return PSA_ERROR_INSUFFICIENT_ENTROPY;
    *n = size;
    return PSA_SUCCESS;
}
#endif
