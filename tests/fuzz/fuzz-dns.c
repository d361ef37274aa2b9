/* SPDX-License-Identifier: BSD-2-Clause */
/* A DNS question, and the answer to it; and an answer of somebody else's. */
#include <string.h>

#include "protocol/dns.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const struct dns_address a = { 4, { 10, 137, 0, 5 } };
    uint8_t out[DNS_MESSAGE_MAX];
    struct dns_question q, again;
    int k;

    if (dns_decode_question(bytes, n, &q) < 0) {
        dns_check_answer(bytes, n);
        return 0;
    }
    must(q.end > DNS_HEADER && q.end <= n && strlen(q.name) < DNS_NAME_MAX);
    must(!dns_is_answer(bytes) && dns_id(bytes) == q.id);
    k = dns_encode_answer(bytes, &q, DNS_OK, &a, 1, out, sizeof(out));
    must(k > 0 && dns_is_answer(out) && dns_id(out) == q.id);
    must(dns_decode_question(out, (size_t)k, &again) < 0);
    must(dns_check_answer(out, (size_t)k) == 0);
    out[2] = (uint8_t)(out[2] & 0x7f);
    must(dns_decode_question(out, (size_t)k, &again) == 0 && strcmp(again.name, q.name) == 0 && again.end == q.end);
    return 0;
}
