/* SPDX-License-Identifier: BSD-2-Clause */
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
#define FLAG_CODE 0x000fu
#define CLASS_IN 1
#define POINTER 0xc0u
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

int dns_plain_name(const char *name, char to[DNS_NAME_MAX])
{
    size_t n = strnlen(name, DNS_NAME_MAX + 1), label = 0;

    if (n > 0 && name[n - 1] == '.')
        n--;
    if (n == 0 || n >= DNS_NAME_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)name[i];

        if (c <= ' ' || c == 127 || c == '\\')
            return -EINVAL;
        if (c == '.' && label == 0)
            return -EINVAL;
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL_MAX)
            return -EINVAL;
    }
    if (label == 0)
        return -EINVAL;
    memcpy(to, name, n);
    to[n] = 0;
    return 0;
}

bool dns_ends_in_number(const char *name)
{
    const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
    bool hex = last[0] == '0' && (last[1] == 'x' || last[1] == 'X');

    return *last && last[strspn(last, hex ? "0123456789abcdefABCDEFxX" : "0123456789")] == 0;
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

/* A name on the wire, without pointers, in lower case: two are the same if their bytes are. */
struct wire_name {
    size_t n;
    uint8_t bytes[NAME_WIRE_MAX];
};

/* The name at r. A pointer (4.1.4) leads to an earlier place, and each further one to a place before that: this ends. */
static void get_wire_name(struct reader *r, const uint8_t *message, struct wire_name *to)
{
    size_t limit = (size_t)(r->at - message);
    struct reader away, *at = r;
    uint8_t n;

    to->n = 0;
    do {
        const uint8_t *label;

        n = reader_u8(at);
        if (n >= POINTER) {
            size_t target = (n & ~POINTER) << 8 | reader_u8(at);

            if (at->bad || target >= limit) {
                r->bad = true;
                return;
            }
            reader_init(&away, message + target, limit - target);
            limit = target;
            at = &away;
            n = 1;                      /* not the end */
            continue;
        }
        label = reader_bytes(at, n);
        if (at->bad || n > LABEL_MAX || to->n + 1u + n > NAME_WIRE_MAX) {
            r->bad = true;
            return;
        }
        to->bytes[to->n++] = n;
        for (uint8_t i = 0; i < n; i++)
            to->bytes[to->n++] = label[i] >= 'A' && label[i] <= 'Z' ? (uint8_t)(label[i] + ('a' - 'A')) : label[i];
    } while (n);
}

static bool same_name(const struct wire_name *a, const struct wire_name *b) { return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0; }

struct record {
    struct wire_name owner;
    uint16_t type, class;
    struct reader data;
};

static void get_record(struct reader *r, const uint8_t *message, struct record *to)
{
    size_t n;

    get_wire_name(r, message, &to->owner);
    to->type = get16(r);
    to->class = get16(r);
    reader_skip(r, 4);
    n = get16(r);
    to->data = *r;
    to->data.left = n;
    reader_skip(r, n);
}

/* One look at all records: follow an alias of `name`, true if there was one; and count addresses of others. */
static bool follow(struct reader records, const uint8_t *message, unsigned count, struct wire_name *name, unsigned *strangers)
{
    struct wire_name target;
    struct record record;
    bool moved = false;

    *strangers = 0;
    for (unsigned i = 0; i < count; i++) {
        get_record(&records, message, &record);
        if (record.class != CLASS_IN)
            continue;
        if ((record.type == DNS_A || record.type == DNS_AAAA) && !same_name(&record.owner, name))
            ++*strangers;
        if (record.type == DNS_CNAME && !moved && same_name(&record.owner, name)) {
            get_wire_name(&record.data, message, &target);
            moved = !record.data.bad;
        }
    }
    if (moved)
        *name = target;
    return moved;
}

int dns_check_answer(const void *message, size_t n)
{
    unsigned flags, count, strangers;
    struct wire_name name;
    struct record record;
    struct reader r, records;

    reader_init(&r, message, n);
    reader_skip(&r, 2);
    flags = get16(&r);
    if (get16(&r) != 1 || !(flags & FLAG_ANSWER) || (flags & FLAG_OPCODE))
        return -EINVAL;
    count = get16(&r);
    reader_skip(&r, 4);
    get_wire_name(&r, message, &name);
    reader_skip(&r, 4);
    if (!reader_ok(&r))
        return -EINVAL;
    if (flags & FLAG_CODE)              /* it says no: its records are of no interest */
        return 0;
    records = r;
    for (unsigned i = 0; i < count && !r.bad; i++)      /* each has at least 11 bytes: this ends soon enough */
        get_record(&r, message, &record);
    if (r.bad)
        return -EINVAL;
    for (unsigned i = 0; i < DNS_ALIASES_MAX && follow(records, message, count, &name, &strangers); i++)
        ;
    follow(records, message, count, &name, &strangers);
    return strangers ? -EINVAL : 0;
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
