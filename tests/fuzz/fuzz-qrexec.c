/* SPDX-License-Identifier: BSD-2-Clause */
/* Every decoder of qrexec messages. Input: a byte for the control channel's version, a header, a body. What is decoded
 * lies inside the body; encoded again, it is decoded to the same. */
#include <string.h>

#include "protocol/qrexec.h"
#include "tests/fuzz/must.h"

static uint8_t out[2 * QREXEC_CONTROL_MAX];

/* The encoder's result n is a whole message: its body. */
static const uint8_t *message(int n, uint32_t type, size_t *len)
{
    struct qrexec_header h;

    must(n >= QREXEC_HEADER);
    qrexec_decode_header(out, &h);
    must(h.type == type && h.len == (size_t)n - QREXEC_HEADER);
    *len = h.len;
    return out + QREXEC_HEADER;
}

static void fuzz_hello(const uint8_t *body, size_t n)
{
    uint32_t version;
    size_t len;

    if (qrexec_decode_hello(body, n, &version) < 0)
        return;
    must(n == 4);
    must((qrexec_version(QREXEC_VERSION, version) == 0) == (version < QREXEC_VERSION_MIN));
    if (version >= QREXEC_VERSION_MIN)
        must(memcmp(message(qrexec_encode_hello(out, sizeof(out), version), QREXEC_HELLO, &len), body, n) == 0);
    else
        must(qrexec_encode_hello(out, sizeof(out), version) < 0);
}

static void fuzz_exec(uint32_t type, const uint8_t *body, size_t n)
{
    struct qrexec_exec e, again;
    size_t len;
    int k;

    if (qrexec_decode_exec(body, n, &e) < 0)
        return;
    must(n > 8 && n <= QREXEC_CMD_MAX && inside(e.text, e.len, body, n));
    k = qrexec_encode_exec(out, sizeof(out), type, e.domain, e.port, e.text, e.len);
    if (type == QREXEC_SERVICE_CONNECT ? e.len >= QREXEC_IDENT : e.len > QREXEC_CMD_MAX - 9) {
        must(k < 0);
        return;
    }
    body = message(k, type, &len);
    must(qrexec_decode_exec(body, len, &again) == 0);
    must(again.domain == e.domain && again.port == e.port && again.len == e.len);
    must(memcmp(again.text, e.text, e.len) == 0);
}

static void fuzz_terminated(const uint8_t *body, size_t n)
{
    struct qrexec_exec e;
    size_t len;
    int k;

    if (qrexec_decode_terminated(body, n, &e) < 0)
        return;
    must(n == 8 && e.len == 0);
    k = qrexec_encode_terminated(out, sizeof(out), e.domain, e.port);
    must(memcmp(message(k, QREXEC_TERMINATED, &len), body, 8) == 0);
}

static void fuzz_refused(const uint8_t *body, size_t n)
{
    char ident[QREXEC_IDENT], again[QREXEC_IDENT];
    size_t len;

    if (qrexec_decode_refused(body, n, ident) < 0)
        return;
    must(n == QREXEC_IDENT && memchr(ident, 0, sizeof(ident)));
    body = message(qrexec_encode_refused(out, sizeof(out), ident), QREXEC_SERVICE_REFUSED, &len);
    must(qrexec_decode_refused(body, len, again) == 0 && strcmp(ident, again) == 0);
}

static void fuzz_trigger(uint32_t type, uint32_t version, const uint8_t *body, size_t n)
{
    struct qrexec_trigger t, again;
    bool good;
    size_t len;
    int k;

    if (qrexec_decode_trigger(type, version, body, n, &t) < 0)
        return;
    must(inside(t.target, strlen(t.target) + 1, body, n));
    must(inside(t.ident, strlen(t.ident) + 1, body, n));
    must(inside(t.service, strlen(t.service) + 1, body, n));
    if (type == QREXEC_TRIGGER3)
        version = 3;
    else
        must(version == 2 || inside(t.source, strlen(t.source) + 1, body, n));
    good = qrexec_service_ok(t.service) && qrexec_ident_ok(t.ident) &&
           qrexec_target_ok(t.target, version == 2 ? 32 : QREXEC_TARGET) && qrexec_target_ok(t.source, QREXEC_TARGET);
    k = qrexec_encode_trigger(out, sizeof(out), version, &t);
    if (!good) {
        must(k < 0);
        return;
    }
    body = message(k, type, &len);
    must(len == n && qrexec_decode_trigger(type, version, body, len, &again) == 0);
    must(strcmp(again.source, t.source) == 0 && strcmp(again.target, t.target) == 0);
    must(strcmp(again.ident, t.ident) == 0 && strcmp(again.service, t.service) == 0);
}

static void fuzz_exit_code(const uint8_t *body, size_t n)
{
    size_t len;
    int code, k;

    must(qrexec_decode_exit_code(body, n, &code) == 0);
    must(n >= 4 || code == 255);
    k = qrexec_encode_exit_code(out, sizeof(out), code);
    must((k > 0) == (code >= 0 && code <= 255));
    if (k > 0 && n >= 4)
        must(memcmp(message(k, QREXEC_EXIT_CODE, &len), body, 4) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct qrexec_header h;
    uint8_t again[QREXEC_HEADER];
    const uint8_t *body = bytes + 1 + QREXEC_HEADER;
    size_t len = n - 1 - QREXEC_HEADER;

    if (n < 1 + QREXEC_HEADER)
        return 0;
    qrexec_decode_header(bytes + 1, &h);
    qrexec_encode_header(again, h.type, h.len);
    must(memcmp(again, bytes + 1, QREXEC_HEADER) == 0);
    must(qrexec_type_name(h.type)[0] != 0);
    switch (h.type) {
    case QREXEC_HELLO: fuzz_hello(body, len); break;
    case QREXEC_TERMINATED: fuzz_terminated(body, len); break;
    case QREXEC_SERVICE_REFUSED: fuzz_refused(body, len); break;
    case QREXEC_EXIT_CODE: fuzz_exit_code(body, len); break;
    case QREXEC_EXEC_CMDLINE:
    case QREXEC_JUST_EXEC:
    case QREXEC_SERVICE_CONNECT: fuzz_exec(h.type, body, len); break;
    default: fuzz_trigger(h.type, bytes[0], body, len); break;
    }
    return 0;
}
