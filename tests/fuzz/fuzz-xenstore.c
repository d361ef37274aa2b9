/* SPDX-License-Identifier: BSD-2-Clause */
/* xenstored's messages: the header, and each body that has a form. */
#include <errno.h>
#include <string.h>

#include "protocol/xenstore.h"
#include "tests/fuzz/must.h"

static uint8_t out[XENSTORE_HEADER + XENSTORE_PAYLOAD_MAX];

static void fuzz_event(const struct xenstore_header *h, const uint8_t *body)
{
    const char *path, *token;
    int k;

    if (xenstore_decode_event(body, h->len, &path, &token) < 0)
        return;
    must(inside(path, strlen(path) + 1, body, h->len) && inside(token, strlen(token) + 1, body, h->len));
    must(strlen(path) + strlen(token) + 2 == h->len);
    k = xenstore_encode(out, sizeof(out), h, path, token, NULL, 0);
    must((k > 0) == xenstore_path_ok(path, true));
    if (k > 0)
        must((size_t)k == XENSTORE_HEADER + h->len && memcmp(out + XENSTORE_HEADER, body, h->len) == 0);
}

static void fuzz_error(const struct xenstore_header *h, const uint8_t *body)
{
    int e = xenstore_error(body, h->len);

    must(e < 0);
    if (e != -EPROTO)
        must(strlen(xenstore_error_name(e)) + 1 == h->len && memcmp(xenstore_error_name(e), body, h->len) == 0);
}

static void fuzz_tx(const struct xenstore_header *h, const uint8_t *body)
{
    char text[16], *end;
    uint32_t tx;

    if (xenstore_decode_tx(body, h->len, &tx) < 0)
        return;
    must(tx != 0 && body[h->len - 1] == 0);
    must(strtoull((const char *)body, &end, 10) == tx && end == (const char *)body + h->len - 1);
    must(xenstore_decode_tx(text, (size_t)snprintf(text, sizeof(text), "%u", tx) + 1, &tx) == 0);
}

/* As a request: the body's first string is the path, the rest the value. */
static void fuzz_request(const struct xenstore_header *h, const uint8_t *body)
{
    const char *path = (const char *)body;
    size_t used;
    int k;

    if (h->len == 0 || !memchr(body, 0, h->len))
        return;
    used = strlen(path) + 1;
    k = xenstore_encode(out, sizeof(out), h, path, NULL, body + used, h->len - used);
    must(!xenstore_path_ok(path, false) || xenstore_path_ok(path, true));
    if (k < 0)
        must(!xenstore_path_ok(path, false));
    else
        must((size_t)k == XENSTORE_HEADER + h->len && memcmp(out + XENSTORE_HEADER, body, h->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const uint8_t *body = bytes + XENSTORE_HEADER;
    struct xenstore_header h;

    if (n < XENSTORE_HEADER || xenstore_decode_header(bytes, &h) < 0)
        return 0;
    must(h.len <= XENSTORE_PAYLOAD_MAX);
    must(xenstore_type_name(h.type)[0] != 0);
    if (n - XENSTORE_HEADER < h.len)
        h.len = (uint32_t)(n - XENSTORE_HEADER);
    switch (h.type) {
    case XENSTORE_WATCH_EVENT: fuzz_event(&h, body); break;
    case XENSTORE_ERROR: fuzz_error(&h, body); break;
    case XENSTORE_TRANSACTION_START: fuzz_tx(&h, body); break;
    default: fuzz_request(&h, body); break;
    }
    return 0;
}
