/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/qrexec.c - qrexec 2, 3 and 4: bodies of messages. Bytes to decode come from dom0 or from another VM. */
#include <errno.h>
#include <string.h>

#include "protocol/cursor.h"
#include "protocol/qrexec.h"

#define EXEC_PARAMS 8           /* u32 domain, u32 port */
#define SERVICE2 64             /* version 2's field for the service name */
#define TARGET2 32
#define TRIGGER2_BODY (SERVICE2 + TARGET2 + QREXEC_IDENT)
#define TRIGGER3_BLOCK (QREXEC_TARGET + QREXEC_IDENT)           /* before the service name */
#define TRIGGER4_BLOCK (QREXEC_TARGET + TRIGGER3_BLOCK)

size_t qrexec_data_max(uint32_t version) { return version < 3 ? 4096 : 65536; }

uint32_t qrexec_version(uint32_t ours, uint32_t theirs)
{
    uint32_t v = ours < theirs ? ours : theirs;

    return v < QREXEC_VERSION_MIN ? 0 : v;
}

const char *qrexec_type_name(uint32_t type)
{
    switch (type) {
    case QREXEC_STDIN: return "STDIN";
    case QREXEC_STDOUT: return "STDOUT";
    case QREXEC_STDERR: return "STDERR";
    case QREXEC_EXIT_CODE: return "EXIT_CODE";
    case QREXEC_EXEC_CMDLINE: return "EXEC_CMDLINE";
    case QREXEC_JUST_EXEC: return "JUST_EXEC";
    case QREXEC_SERVICE_CONNECT: return "SERVICE_CONNECT";
    case QREXEC_SERVICE_REFUSED: return "SERVICE_REFUSED";
    case QREXEC_TRIGGER2: return "TRIGGER_SERVICE";
    case QREXEC_TERMINATED: return "CONNECTION_TERMINATED";
    case QREXEC_TRIGGER3: return "TRIGGER_SERVICE3";
    case QREXEC_TRIGGER4: return "TRIGGER_SERVICE4";
    case QREXEC_HELLO: return "HELLO";
    default: return "unknown";
    }
}

void qrexec_decode_header(const void *bytes, struct qrexec_header *h)
{
    struct reader r;

    reader_init(&r, bytes, QREXEC_HEADER);
    h->type = reader_u32(&r);
    h->len = reader_u32(&r);
}

static void put_header(struct writer *w, uint32_t type, size_t len)
{
    writer_u32(w, type);
    writer_u32(w, (uint32_t)len);
}

void qrexec_encode_header(void *bytes, uint32_t type, uint32_t len)
{
    struct writer w;

    writer_init(&w, bytes, QREXEC_HEADER);
    put_header(&w, type, len);
}

static int result(const struct writer *w)
{
    size_t n = writer_done(w);

    return n ? (int)n : -EINVAL;
}

/* ---- decoding ---- */

int qrexec_decode_hello(const void *body, size_t n, uint32_t *version)
{
    struct reader r;

    reader_init(&r, body, n);
    *version = reader_u32(&r);
    return reader_done(&r) ? 0 : -EINVAL;
}

/* Like the stock agent, we take the text for a C string: what follows a NUL is padding. */
int qrexec_decode_exec(const void *body, size_t n, struct qrexec_exec *e)
{
    struct reader r;

    if (n <= EXEC_PARAMS || n > QREXEC_CMD_MAX)
        return -EINVAL;
    reader_init(&r, body, n);
    e->domain = reader_u32(&r);
    e->port = reader_u32(&r);
    e->text = (const char *)r.at;
    e->len = strnlen(e->text, r.left);
    return reader_ok(&r) ? 0 : -EINVAL;
}

int qrexec_decode_terminated(const void *body, size_t n, struct qrexec_exec *e)
{
    struct reader r;

    reader_init(&r, body, n);
    e->domain = reader_u32(&r);
    e->port = reader_u32(&r);
    e->text = "";
    e->len = 0;
    return reader_done(&r) ? 0 : -EINVAL;
}

int qrexec_decode_refused(const void *body, size_t n, char ident[QREXEC_IDENT])
{
    struct reader r;
    const char *s;

    reader_init(&r, body, n);
    s = reader_string(&r, QREXEC_IDENT);
    if (!reader_done(&r))
        return -EINVAL;
    memcpy(ident, s, strlen(s) + 1);
    return 0;
}

/* Nothing but zeros behind the string: the daemon refuses an ident with more. */
static bool zero_padded(const char *s, size_t field)
{
    for (size_t i = strlen(s); i < field; i++)
        if (s[i])
            return false;
    return true;
}

int qrexec_decode_trigger(uint32_t type, uint32_t version, const void *body, size_t n, struct qrexec_trigger *t)
{
    size_t block = type == QREXEC_TRIGGER4 ? TRIGGER4_BLOCK : TRIGGER3_BLOCK;
    struct reader r;

    reader_init(&r, body, n);
    t->source = "";
    if (type == QREXEC_TRIGGER2) {
        if (version != 2 || n != TRIGGER2_BODY)
            return -EINVAL;
        t->service = reader_string(&r, SERVICE2);
        t->target = reader_string(&r, TARGET2);
        t->ident = reader_string(&r, QREXEC_IDENT);
    } else {
        if ((type != QREXEC_TRIGGER3 || version < 3) && (type != QREXEC_TRIGGER4 || version < 4))
            return -EINVAL;
        if (n <= block || n > block + QREXEC_SERVICE_MAX)
            return -EINVAL;
        if (type == QREXEC_TRIGGER4)
            t->source = reader_string(&r, QREXEC_TARGET);
        t->target = reader_string(&r, QREXEC_TARGET);
        t->ident = reader_string(&r, QREXEC_IDENT);
        t->service = reader_string(&r, r.left);
    }
    if (!reader_done(&r) || !zero_padded(t->ident, QREXEC_IDENT))
        return -EINVAL;
    /* The name's NUL is the last byte, not an earlier one. */
    return type == QREXEC_TRIGGER2 || strlen(t->service) == n - block - 1 ? 0 : -EINVAL;
}

int qrexec_decode_exit_code(const void *body, size_t n, int *code)
{
    struct reader r;
    uint32_t v;

    reader_init(&r, body, n);
    v = reader_u32(&r);
    *code = reader_ok(&r) ? (int)(int32_t)v : 255;
    return 0;
}

/* ---- encoding ---- */

int qrexec_encode_hello(void *bytes, size_t size, uint32_t version)
{
    struct writer w;

    if (version < QREXEC_VERSION_MIN)
        return -EINVAL;
    writer_init(&w, bytes, size);
    put_header(&w, QREXEC_HELLO, 4);
    writer_u32(&w, version);
    return result(&w);
}

int qrexec_encode_exec(void *bytes, size_t size, uint32_t type, uint32_t domain, uint32_t port, const char *text,
                       size_t len)
{
    bool ident = type == QREXEC_SERVICE_CONNECT;
    size_t field = ident ? QREXEC_IDENT : len + 1;
    struct writer w;

    if (!ident && type != QREXEC_EXEC_CMDLINE && type != QREXEC_JUST_EXEC)
        return -EINVAL;
    if (len >= QREXEC_CMD_MAX - EXEC_PARAMS || len >= field || (len && memchr(text, 0, len)))
        return -EINVAL;
    writer_init(&w, bytes, size);
    put_header(&w, type, EXEC_PARAMS + field);
    writer_u32(&w, domain);
    writer_u32(&w, port);
    writer_bytes(&w, text, len);
    writer_zeros(&w, field - len);
    return result(&w);
}

int qrexec_encode_terminated(void *bytes, size_t size, uint32_t domain, uint32_t port)
{
    struct writer w;

    writer_init(&w, bytes, size);
    put_header(&w, QREXEC_TERMINATED, EXEC_PARAMS);
    writer_u32(&w, domain);
    writer_u32(&w, port);
    return result(&w);
}

int qrexec_encode_refused(void *bytes, size_t size, const char *ident)
{
    struct writer w;

    writer_init(&w, bytes, size);
    put_header(&w, QREXEC_SERVICE_REFUSED, QREXEC_IDENT);
    writer_string(&w, ident, QREXEC_IDENT);
    return result(&w);
}

int qrexec_encode_trigger(void *bytes, size_t size, uint32_t version, const struct qrexec_trigger *t)
{
    const char *source = t->source ? t->source : "";
    struct writer w;

    if (version < QREXEC_VERSION_MIN || !qrexec_service_ok(t->service) || !qrexec_ident_ok(t->ident) ||
        !qrexec_target_ok(t->target, version < 3 ? TARGET2 : QREXEC_TARGET) || !qrexec_target_ok(source, QREXEC_TARGET))
        return -EINVAL;
    if (*source && version < 4)
        return -EINVAL;         /* there is no place for it */
    writer_init(&w, bytes, size);
    if (version < 3) {
        put_header(&w, QREXEC_TRIGGER2, TRIGGER2_BODY);
        writer_string(&w, t->service, SERVICE2);
        writer_string(&w, t->target, TARGET2);
        writer_string(&w, t->ident, QREXEC_IDENT);
        return result(&w);
    }
    if (version == 3) {
        put_header(&w, QREXEC_TRIGGER3, TRIGGER3_BLOCK + strlen(t->service) + 1);
    } else {
        put_header(&w, QREXEC_TRIGGER4, TRIGGER4_BLOCK + strlen(t->service) + 1);
        writer_string(&w, source, QREXEC_TARGET);
    }
    writer_string(&w, t->target, QREXEC_TARGET);
    writer_string(&w, t->ident, QREXEC_IDENT);
    writer_bytes(&w, t->service, strlen(t->service) + 1);
    return result(&w);
}

int qrexec_encode_exit_code(void *bytes, size_t size, int code)
{
    struct writer w;

    if (code < 0 || code > 255)
        return -EINVAL;
    writer_init(&w, bytes, size);
    put_header(&w, QREXEC_EXIT_CODE, 4);
    writer_u32(&w, (uint32_t)code);
    return result(&w);
}
