/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/dns.h - questions and answers of DNS over UDP (RFC 1035), as far as a name server of few names and a client that has its
 * questions asked by somebody else need them. Questions are *from another VM*, answers *from the network*. */
#ifndef PROTOCOL_DNS_H
#define PROTOCOL_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER 12
#define DNS_NAME_MAX 254                /* a name as text, with NUL: 255 bytes on the wire (2.3.4), lengths become dots */
#define DNS_MESSAGE_MAX 1472            /* bytes; a plain question's answer has at most 512 (2.3.4), with EDNS more */
#define DNS_ANSWERS_MAX 8
#define DNS_ALIASES_MAX 16              /* CNAMEs that lead from one name to the next in an answer */
#define DNS_TTL 60                      /* seconds, of our own names */

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_AAAA = 28 };
enum dns_code { DNS_OK = 0, DNS_FORMAT = 1, DNS_SERVER_FAILURE = 2, DNS_NO_NAME = 3, DNS_NOT_DONE = 4 };

struct dns_question {
    uint16_t id, type, class;
    bool recursion;                     /* desired */
    char name[DNS_NAME_MAX];            /* lower case, without the last dot; bytes that no host name has become '?' */
    size_t end;                         /* where the question ends in the message */
};

struct dns_address {
    uint8_t size;                       /* 4 or 16 */
    uint8_t bytes[16];
};

/* A name as somebody has written it, before it is asked for: without the dot that may stand at its end, whatever else it is. 0; -EINVAL: no
 * name (RFC 1035 2.3.4, RFC 1123 2.1): empty, an empty label or one of more than 63 bytes, too long, with spaces or control characters or
 * the backslash that some clients take for an escape. */
int dns_plain_name(const char *name, char to[DNS_NAME_MAX]);
/* The last label is a number: an address in a short form, a wrong one, or nothing; there is no such domain (RFC 3696 2). */
bool dns_ends_in_number(const char *name);

/* A message with exactly one question, which is no answer. 0 or -EINVAL. */
int dns_decode_question(const void *message, size_t n, struct dns_question *q);

/* The answer to the question of a message that dns_decode_question() has taken: its head, its question, and the addresses,
 * at most DNS_ANSWERS_MAX. Bytes written, or -ENOSPC. */
int dns_encode_answer(const void *message, const struct dns_question *q, enum dns_code code,
                      const struct dns_address *addresses, size_t count, void *out, size_t size);

/* Do the addresses of an answer belong to the name in its question, or to the one that this is an alias of (3.3.1)? 0; -EINVAL: some
 * do not, or it is no whole answer to one question. That the question was ours is for the caller to see. */
int dns_check_answer(const void *message, size_t n);

/* The id of a message of at least DNS_HEADER bytes. */
uint16_t dns_id(const void *message);
void dns_set_id(void *message, uint16_t id);
/* Is it an answer? (of at least DNS_HEADER bytes) */
bool dns_is_answer(const void *message);

#endif
