/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/filter.h - every byte of a request, before anything else reads it, against the grammar of RFC 9112 (and of RFC 9110 and
 * 3986, where that points to). *From the network.* Two that read the same bytes in different ways are what request smuggling
 * lives on; so what the RFCs let a recipient be lenient about is refused here, with two exceptions that cannot be read in two
 * ways: empty lines before a request (9112, 2.2), and lines that end in a bare LF if all of a head do (2.2; people type them).
 *
 * Pure functions over one struct without pointers: bytes may come in pieces of any size. Nothing is allocated, all is bounded. */
#ifndef WWW_FILTER_H
#define WWW_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WWW_HEAD_MAX 8192               /* bytes of a request line and its fields, and of trailers; longer: 431 */
#define WWW_LINE_MAX 4096               /* of the request target; longer: 414 */
#define WWW_FIELDS_MAX 100              /* field lines; more: 431 */
#define WWW_BODY_MAX 65536              /* of a request's body, which is dropped; longer: 413 */
#define WWW_CHUNKED_MAX (4 * WWW_BODY_MAX)      /* the same with sizes, extensions and ends of chunks: 413 */
#define WWW_EXTENSION_MAX 256           /* bytes of one chunk's extensions */
#define WWW_AUTHORITY_MAX 264           /* a name of 255, a colon, a port; also of the other values that are looked at whole */

enum www_framing { WWW_NO_BODY, WWW_LENGTH, WWW_CHUNKED };

struct www_filter {
    unsigned status;                    /* not 0: refused with it, for good */
    const char *why;                    /* or NULL; a literal */
    bool done;                          /* the head is complete; after www_filter_body(), the body */
    bool old;                           /* HTTP/1.0 */
    enum www_framing framing;
    uint64_t length;                    /* bytes of the body; CHUNKED: of payload so far */
    size_t n;                           /* bytes of the head so far, empty lines before it included */
    size_t start;                       /* of these, where the request line begins */
    size_t method_n, target_n;          /* bytes of the method, and of the target behind the space that follows it */
    /* filter.c, chunks.c: where we are */
    uint8_t state, ends, hex, at, method, special;
    bool bad_form, trailers;
    bool has_host, has_length, has_encoding;
    unsigned fields;
    size_t name_n, value_n;
    uint64_t left;                      /* of a chunk */
    size_t overhead, extension;
    char name[20], value[WWW_AUTHORITY_MAX];
};

void www_filter_begin(struct www_filter *f);

/* Bytes of a head: how many were taken. Fewer than n: it is complete (done), or refused (status). */
size_t www_filter_head(struct www_filter *f, const char *bytes, size_t n);

/* Only empty lines so far: they need not be kept. */
bool www_filter_is_blank(const struct www_filter *f);

/* Bytes of a chunked body (framing is CHUNKED and the head was done), trailers included: how many were taken. Fewer than n: it is
 * complete, or refused. */
void www_filter_begin_body(struct www_filter *f);
size_t www_filter_body(struct www_filter *f, const char *bytes, size_t n);

/* ---- authority.c ---- */

enum www_authority { WWW_MAY_BE_EMPTY, WWW_NEEDS_HOST, WWW_NEEDS_PORT };

/* Is it uri-host [ ":" port ] (RFC 3986, 3.2, without user information), with what is needed? */
bool www_is_authority(const char *at, size_t n, enum www_authority needs);

/* ---- bytes.c: which byte may stand where ---- */

enum www_byte_class {
    WWW_TOKEN = 1,                      /* RFC 9110, 5.6.2: names of methods, fields, codings */
    WWW_VALUE = 2,                      /* 5.5: in a field's value; bytes above 127 are opaque text */
    WWW_PATH = 4, WWW_QUERY = 8,        /* RFC 3986, 3.3, 3.4: in a target, without % */
    WWW_HEX = 16,
    WWW_NAME = 32                       /* 3.2.2: in a registered name, without % */
};

extern const uint8_t www_bytes[256];

static inline bool www_is(char c, unsigned class) { return www_bytes[(unsigned char)c] & class; }

/* ---- filter.c, for chunks.c ---- */

void www_filter_refuse(struct www_filter *f, unsigned status, const char *why);
/* Field lines follow, and an empty line: the trailers of a chunked body. */
void www_filter_begin_trailers(struct www_filter *f);

#endif
