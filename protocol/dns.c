/* protocol/dns.c - DNS messages: big-endian throughout, names as runs of length and bytes (RFC 1035, 3.1, 4.1). */
#include "protocol/dns.h"

#include <errno.h>
#include <string.h>

#include "protocol/cursor.h"

#define LABEL_MAX 63
#define NAME_WIRE_MAX 255
#define FLAG_ANSWER 0x8000u             /* QR */
#define FLAG_OPCODE 0x7800u
#define FLAG_RECURSION 0x0100u          /* RD */
#define FLAG_RECURSES 0x0080u           /* RA */
#define CLASS_IN 1
#define POINTER_TO_QUESTION (0xc000u | DNS_HEADER)

static uint16_t get16(struct reader *r)
{
    unsigned high = reader_u8(r);

    return (uint16_t)(high << 8 | reader_u8(r));
}

static void put16(struct writer *w, unsigned v)
{
    writer_u8(w, (uint8_t)(v >> 8));
    writer_u8(w, (uint8_t)v);
}

static char plain(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ? (char)c : '?';
}

/* Labels until the empty one. A question's name is the first in its message: it has nothing that it could point to. */
static void get_name(struct reader *r, char name[DNS_NAME_MAX])
{
    size_t used = 0, wire = 1;
    uint8_t n;

    while ((n = reader_u8(r)) > 0) {
        const uint8_t *label = reader_bytes(r, n);

        wire += 1u + n;
        if (n > LABEL_MAX || wire > NAME_WIRE_MAX)
            r->bad = true;
        if (r->bad)
            break;
        if (used)
            name[used++] = '.';
        for (uint8_t i = 0; i < n; i++)
            name[used++] = plain(label[i]);
    }
    name[used] = 0;
}

int dns_decode_question(const void *message, size_t n, struct dns_question *q)
{
    struct reader r;
    unsigned flags;

    memset(q, 0, sizeof(*q));
    reader_init(&r, message, n);
    q->id = get16(&r);
    flags = get16(&r);
    q->recursion = flags & FLAG_RECURSION;
    if (get16(&r) != 1 || (flags & (FLAG_ANSWER | FLAG_OPCODE)))
        return -EINVAL;
    reader_skip(&r, 6);
    get_name(&r, q->name);
    q->type = get16(&r);
    q->class = get16(&r);
    q->end = n - r.left;
    return reader_ok(&r) ? 0 : -EINVAL;
}

int dns_encode_answer(const void *message, const struct dns_question *q, enum dns_code code,
                      const struct dns_address *addresses, size_t count, void *out, size_t size)
{
    struct writer w;

    if (count > DNS_ANSWERS_MAX)
        count = DNS_ANSWERS_MAX;
    writer_init(&w, out, size);
    put16(&w, q->id);
    put16(&w, FLAG_ANSWER | FLAG_RECURSES | (q->recursion ? FLAG_RECURSION : 0) | (unsigned)code);
    put16(&w, 1);
    put16(&w, (unsigned)count);
    put16(&w, 0);
    put16(&w, 0);
    writer_bytes(&w, (const uint8_t *)message + DNS_HEADER, q->end - DNS_HEADER);
    for (size_t i = 0; i < count; i++) {
        put16(&w, POINTER_TO_QUESTION);
        put16(&w, addresses[i].size == 4 ? DNS_A : DNS_AAAA);
        put16(&w, CLASS_IN);
        put16(&w, 0);
        put16(&w, DNS_TTL);
        put16(&w, addresses[i].size);
        writer_bytes(&w, addresses[i].bytes, addresses[i].size);
    }
    return w.bad ? -ENOSPC : (int)writer_done(&w);
}

uint16_t dns_id(const void *message)
{
    const uint8_t *p = message;

    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

void dns_set_id(void *message, uint16_t id)
{
    uint8_t *p = message;

    p[0] = (uint8_t)(id >> 8);
    p[1] = (uint8_t)id;
}

bool dns_is_answer(const void *message) { return ((const uint8_t *)message)[2] & (FLAG_ANSWER >> 8); }
