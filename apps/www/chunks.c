/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/chunks.c - a chunked body (RFC 9112, 7.1), byte by byte: see filter.h. Lines end in CRLF here, whatever the head's
 * did. */
#include <string.h>

#include "filter.h"

enum state {
    SIZE, SIZE_LF, DATA, DATA_CR, DATA_LF,
    BEFORE_EXTENSION, BEFORE_NAME, NAME, AFTER_NAME, BEFORE_VALUE, TOKEN, QUOTED, PAIR, AFTER_QUOTED
};

#define SIZE_DIGITS 16

void www_filter_begin_body(struct www_filter *f)
{
    f->state = SIZE;
    f->done = false;
    f->at = 0;
    f->left = 0;
}

static void bad(struct www_filter *f) { www_filter_refuse(f, 400, "bad chunk"); }

static void end_size(struct www_filter *f)
{
    f->length += f->left;
    if (f->length > WWW_BODY_MAX)
        www_filter_refuse(f, 413, "body too long");
    f->extension = 0;
    f->state = SIZE_LF;
}

/* Behind a size, a name or a value: what the grammar lets follow all of these. */
static void follows(struct www_filter *f, char c, enum state after_space)
{
    if (c == '\r')
        end_size(f);
    else if (c == ';')
        f->state = BEFORE_NAME;
    else if (c == ' ' || c == '\t')
        f->state = after_space;
    else
        bad(f);
}

static void size(struct www_filter *f, char c)
{
    if (!www_is(c, WWW_HEX)) {
        if (f->at == 0)
            bad(f);
        else
            follows(f, c, BEFORE_EXTENSION);
        return;
    }
    if (++f->at > SIZE_DIGITS || f->left > WWW_BODY_MAX) {
        www_filter_refuse(f, 413, "body too long");
        return;
    }
    f->left = f->left << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static bool is_space(char c) { return c == ' ' || c == '\t'; }

/* *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS ( token / quoted-string ) ] ) */
static void extension(struct www_filter *f, char c)
{
    bool token = www_is(c, WWW_TOKEN);

    if (++f->extension > WWW_EXTENSION_MAX)
        www_filter_refuse(f, 400, "chunk extensions too long");
    switch ((enum state)f->state) {
    case BEFORE_EXTENSION:
        if (c == ';')
            f->state = BEFORE_NAME;
        else if (!is_space(c))
            bad(f);
        break;
    case BEFORE_NAME:
        if (token)
            f->state = NAME;
        else if (!is_space(c))
            bad(f);
        break;
    case NAME: case AFTER_NAME:
        if (c == '=')
            f->state = BEFORE_VALUE;
        else if (f->state == AFTER_NAME && !is_space(c) && c != ';')
            bad(f);
        else if (!token)
            follows(f, c, AFTER_NAME);
        break;
    case BEFORE_VALUE:
        if (token || c == '"')
            f->state = token ? TOKEN : QUOTED;
        else if (!is_space(c))
            bad(f);
        break;
    case TOKEN: case AFTER_QUOTED:
        if (!token || f->state == AFTER_QUOTED)
            follows(f, c, BEFORE_EXTENSION);
        break;
    case QUOTED:
        if (!www_is(c, WWW_VALUE))
            bad(f);
        else if (c == '"' || c == '\\')
            f->state = c == '"' ? AFTER_QUOTED : PAIR;
        break;
    default:                            /* PAIR */
        if (!www_is(c, WWW_VALUE))
            bad(f);
        f->state = QUOTED;
        break;
    }
}

static void end_line(struct www_filter *f, char c)
{
    if (c != '\n') {
        bad(f);
    } else if (f->state == DATA_LF) {
        f->state = SIZE;
        f->at = 0;
        f->left = 0;
    } else if (f->left) {
        f->state = DATA;
    } else {
        www_filter_begin_trailers(f);
    }
}

static void step(struct www_filter *f, char c)
{
    switch ((enum state)f->state) {
    case SIZE:
        size(f, c);
        break;
    case SIZE_LF: case DATA_LF:
        end_line(f, c);
        break;
    case DATA_CR:
        f->state = DATA_LF;
        if (c != '\r')
            bad(f);
        break;
    default:
        extension(f, c);
        break;
    }
    if (++f->overhead > WWW_CHUNKED_MAX - WWW_BODY_MAX)
        www_filter_refuse(f, 413, "body too long");
}

size_t www_filter_body(struct www_filter *f, const char *bytes, size_t n)
{
    size_t at = 0;

    while (at < n && !f->status && !f->done) {
        if (f->trailers) {
            at += www_filter_head(f, bytes + at, n - at);
        } else if (f->state == DATA) {
            size_t k = n - at < f->left ? n - at : (size_t)f->left;

            at += k;
            f->left -= k;
            if (f->left == 0)
                f->state = DATA_CR;
        } else {
            step(f, bytes[at++]);
        }
    }
    return at;
}
