/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/filter.c - a request's head, byte by byte: see filter.h. */
#include <string.h>
#include <strings.h>

#include "filter.h"

enum state {
    START, START_CR,                    /* empty lines before it */
    METHOD, TARGET, OTHER, PATH, QUERY, PROTOCOL, LINE_CR,
    FIELD, NAME, VALUE, VALUE_CR, END_CR,
    DONE
};

enum ends { ANY_END, CRLF, LF };        /* how the lines of this head end */
enum method { OTHER_METHOD, CONNECT, OPTIONS };
enum special { OPAQUE, HOST, LENGTH, ENCODING };

void www_filter_refuse(struct www_filter *f, unsigned status, const char *why)
{
    if (f->status)
        return;
    f->status = status;
    f->why = why;
}

static const char *refuse(struct www_filter *f, const char *at, const char *why)
{
    www_filter_refuse(f, 400, why);
    return at;
}

void www_filter_begin(struct www_filter *f) { memset(f, 0, offsetof(struct www_filter, name)); }

bool www_filter_is_blank(const struct www_filter *f) { return f->state == START && !f->status; }

static const char *skip(const char *p, const char *end, unsigned class)
{
    while (p < end && www_is(*p, class))
        p++;
    return p;
}

static bool is_end(char c) { return c == '\r' || c == '\n'; }

/* A line ends. In a head where some lines end in LF alone, others may take that LF for a part of a value. */
static void end_line(struct www_filter *f, enum ends how, enum state next)
{
    if (f->ends == ANY_END)
        f->ends = how;
    if (f->ends != how)
        www_filter_refuse(f, 400, "lines that end in different ways");
    f->state = next;
}

/* Of a name, as much as is looked at. */
static void keep_name(struct www_filter *f, size_t at, const char *p, size_t n)
{
    if (at < sizeof(f->name))
        memcpy(f->name + at, p, n < sizeof(f->name) - at ? n : sizeof(f->name) - at);
}

/* ---- the request line (RFC 9112, 3) ---- */

static const char *start(struct www_filter *f, const char *p)
{
    if (*p == '\r')
        f->state = START_CR;
    else if (*p != '\n') {
        f->state = METHOD;
        f->start = f->n;
        return p;
    }
    return p + 1;
}

static const char *method(struct www_filter *f, const char *p, const char *end)
{
    const char *to = skip(p, end, WWW_TOKEN);

    keep_name(f, f->method_n, p, (size_t)(to - p));
    f->method_n += (size_t)(to - p);
    if (to == end)
        return to;
    if (*to != ' ' || f->method_n == 0)
        return refuse(f, to, "bad method");
    if (f->method_n == 7 && memcmp(f->name, "CONNECT", 7) == 0)
        f->method = CONNECT;
    else if (f->method_n == 7 && memcmp(f->name, "OPTIONS", 7) == 0)
        f->method = OPTIONS;
    f->state = TARGET;
    return to + 1;
}

static const char *target(struct www_filter *f, const char *p)
{
    f->state = *p == '/' ? PATH : OTHER;
    f->bad_form = *p == '/' && f->method == CONNECT;
    return *p == ' ' || is_end(*p) ? refuse(f, p, "bad request line") : p;
}

/* Bytes of "http://" or "https://" in front of what was collected of the target; 0: neither. */
static size_t scheme(const struct www_filter *f)
{
    if (f->value_n >= 7 && strncasecmp(f->value, "http://", 7) == 0)
        return 7;
    return f->value_n >= 8 && strncasecmp(f->value, "https://", 8) == 0 ? 8 : 0;
}

/* One form of target for each method (RFC 9112, 3.2). The version decides what becomes of a wrong one. */
static void judge_form(struct www_filter *f)
{
    size_t from = scheme(f);

    if (from)
        f->bad_form = f->method == CONNECT || !www_is_authority(f->value + from, f->value_n - from, WWW_NEEDS_HOST);
    else if (f->method == CONNECT)
        f->bad_form = !www_is_authority(f->value, f->value_n, WWW_NEEDS_PORT);
    else
        f->bad_form = f->method != OPTIONS || f->value_n != 1 || f->value[0] != '*';
}

static const char *end_target(struct www_filter *f, const char *p)
{
    if (is_end(*p)) {                   /* as before HTTP/1.0 */
        www_filter_refuse(f, 505, "HTTP version");
        return p;
    }
    f->state = PROTOCOL;
    f->at = 0;
    return p + 1;
}

/* "http:", "https:/": a slash may follow that is not the path's. */
static bool in_scheme(const struct www_filter *f)
{
    size_t n = f->value_n;

    return (n >= 5 && n <= 6 && strncasecmp(f->value, "http:/", n) == 0) ||
           (n >= 6 && n <= 7 && strncasecmp(f->value, "https:/", n) == 0);
}

/* Up to its path: "*", "host:port", "http://host". */
static const char *other(struct www_filter *f, const char *p)
{
    if (*p == ' ' || is_end(*p)) {
        judge_form(f);
        return end_target(f, p);
    }
    if ((*p == '/' && !in_scheme(f)) || *p == '?') {
        judge_form(f);
        if (!scheme(f) || f->bad_form)
            return refuse(f, p, "bad target");
        f->state = PATH;
        return p;
    }
    if ((!www_is(*p, WWW_NAME) && !memchr("/:[]%", *p, 5)) || f->value_n == sizeof(f->value))
        return refuse(f, p, "bad target");
    f->value[f->value_n++] = *p;
    f->target_n++;
    return p + 1;
}

static const char *path(struct www_filter *f, const char *p, const char *end)
{
    const char *from = p;

    if (f->hex) {
        if (!www_is(*p, WWW_HEX))
            return refuse(f, p, "bad target");
        f->hex--;
        p++;
    }
    if (!f->hex)
        p = skip(p, end, f->state == PATH ? WWW_PATH : WWW_QUERY);
    f->target_n += (size_t)(p - from);
    if (f->target_n > WWW_LINE_MAX)
        www_filter_refuse(f, 414, NULL);
    if (p == end || f->hex)
        return p;
    if (*p == ' ' || is_end(*p))
        return end_target(f, p);
    if (*p == '?')
        f->state = QUERY;               /* taken as a part of it in the next turn */
    else if (*p != '%')
        return refuse(f, p, "bad target");
    else {
        f->hex = 2;
        f->target_n++;
        p++;
    }
    return p;
}

static void end_request_line(struct www_filter *f, enum ends how)
{
    end_line(f, how, FIELD);
    if (f->name[0] != '1')
        www_filter_refuse(f, 505, "HTTP version");
    if (f->bad_form)
        www_filter_refuse(f, 400, "bad target");
    f->old = f->name[1] == '0';
}

static const char *version(struct www_filter *f, const char *p, const char *end)
{
    static const char wanted[] = "HTTP/0.0";
    char c = *p;

    if (f->at == 0 && end - p >= 10 && memcmp(p, "HTTP/1.1\r\n", 10) == 0) {   /* as nearly all end */
        f->name[0] = f->name[1] = '1';
        end_request_line(f, CRLF);
        return p + 10;
    }
    if (f->at == sizeof(wanted) - 1) {
        if (c == '\n')
            end_request_line(f, LF);
        else if (c == '\r')
            f->state = LINE_CR;
        else
            return refuse(f, p, "bad HTTP version");
        return p + 1;
    }
    if (wanted[f->at] == '0') {
        f->name[f->at == 7] = c;
        c = c >= '0' && c <= '9' ? '0' : 'x';
    }
    if (c != wanted[f->at])
        return refuse(f, p, "bad HTTP version");
    f->at++;
    return p + 1;
}

/* ---- fields (RFC 9112, 5) ---- */

static const char *field(struct www_filter *f, const char *p)
{
    if (*p == '\r') {
        f->state = END_CR;
        return p + 1;
    }
    if (*p == ' ' || *p == '\t')
        return refuse(f, p, f->fields ? "folded field" : "space before the first field");
    if (!www_is(*p, WWW_TOKEN))
        return refuse(f, p, "bad field name");
    if (++f->fields > WWW_FIELDS_MAX) {
        www_filter_refuse(f, 431, "too many fields");
        return p;
    }
    f->name_n = f->value_n = 0;
    f->state = NAME;
    return p;
}

static enum special special_of(const struct www_filter *f)
{
    if (f->name_n == 4 && strncasecmp(f->name, "Host", 4) == 0)
        return HOST;
    if (f->name_n == 14 && strncasecmp(f->name, "Content-Length", 14) == 0)
        return LENGTH;
    return f->name_n == 17 && strncasecmp(f->name, "Transfer-Encoding", 17) == 0 ? ENCODING : OPAQUE;
}

static const char *name(struct www_filter *f, const char *p, const char *end)
{
    const char *to = skip(p, end, WWW_TOKEN);
    size_t n = (size_t)(to - p);

    keep_name(f, f->name_n, p, n);
    f->name_n += n;
    if (to == end)
        return to;
    if (*to != ':')                     /* a space before it hides the field from others on the way (5.1) */
        return refuse(f, to, "bad field name");
    f->special = special_of(f);
    if (f->name_n > 17 && strncasecmp(f->name, "Transfer-Encoding", 17) == 0)   /* the library takes it for that */
        return refuse(f, to, "bad field name");
    if (f->special && f->trailers)
        return refuse(f, to, "a field that may not be in a trailer");
    f->state = VALUE;
    return to + 1;
}

/* RFC 9112, 6.2: one number, once. Two that are the same are refused too: somebody has let that through. */
static void length(struct www_filter *f, const char *at, size_t n)
{
    uint64_t sum = 0;

    if (f->has_length || n == 0)
        www_filter_refuse(f, 400, n ? "more than one Content-Length" : "bad Content-Length");
    for (size_t i = 0; i < n; i++) {
        if (at[i] < '0' || at[i] > '9' || sum > UINT64_MAX / 20)
            www_filter_refuse(f, 400, "bad Content-Length");
        sum = sum * 10 + (unsigned)(at[i] - '0');
    }
    f->has_length = true;
    f->framing = WWW_LENGTH;
    f->length = sum;
}

/* 6.1: "chunked" and nothing else. Another coding before it is well-formed, and not ours; without it at the end, nobody can know
 * where the body ends. */
static void encoding(struct www_filter *f, const char *at, size_t n)
{
    size_t i = 0;

    if (f->has_encoding)
        www_filter_refuse(f, 400, "more than one Transfer-Encoding");
    f->has_encoding = true;
    f->framing = WWW_CHUNKED;
    if (n < 7 || strncasecmp(at + n - 7, "chunked", 7) != 0) {
        www_filter_refuse(f, 400, "bad Transfer-Encoding");
        return;
    }
    while (i < n - 7) {                 /* token OWS "," OWS */
        size_t from = i;

        i = (size_t)(skip(at + i, at + n, WWW_TOKEN) - at);
        if (i == from || i > n - 7 || (i - from == 7 && strncasecmp(at + from, "chunked", 7) == 0))
            break;
        while (i < n && (at[i] == ' ' || at[i] == '\t'))
            i++;
        if (at[i++] != ',')
            break;
        while (i < n && (at[i] == ' ' || at[i] == '\t'))
            i++;
        if (i == n - 7)
            www_filter_refuse(f, 501, "unknown transfer coding");
    }
    if (n != 7)
        www_filter_refuse(f, 400, "bad Transfer-Encoding");
}

static void end_value(struct www_filter *f)
{
    const char *at = f->value;
    size_t n = f->value_n;

    while (n && (*at == ' ' || *at == '\t'))
        at++, n--;
    /* Tabs behind them are well-formed, but the library does not take them there. */
    while (n && (at[n - 1] == ' ' || (at[n - 1] == '\t' && f->special == HOST)))
        n--;
    if (f->special == LENGTH)
        length(f, at, n);
    else if (f->special == ENCODING)
        encoding(f, at, n);
    else if (f->has_host)
        www_filter_refuse(f, 400, "more than one Host");
    else if (!www_is_authority(at, n, WWW_MAY_BE_EMPTY))
        www_filter_refuse(f, 400, "bad Host");
    f->has_host |= f->special == HOST;
}

static void end_field(struct www_filter *f, enum ends how)
{
    end_line(f, how, FIELD);
    if (f->special)
        end_value(f);
}

static const char *value(struct www_filter *f, const char *p, const char *end)
{
    const char *to = skip(p, end, WWW_VALUE);

    if (f->special && (size_t)(to - p) > sizeof(f->value) - f->value_n)
        return refuse(f, p, "a field that is too long");
    if (f->special) {
        memcpy(f->value + f->value_n, p, (size_t)(to - p));
        f->value_n += (size_t)(to - p);
    }
    if (to == end)
        return to;
    if (*to == '\r' && to + 1 < end && to[1] == '\n') {
        end_field(f, CRLF);
        return to + 2;
    }
    if (*to == '\n')
        end_field(f, LF);
    else if (*to == '\r')
        f->state = VALUE_CR;
    else
        return refuse(f, to, "bad field value");
    return to + 1;
}

/* What no field says alone (3.2, 6.1, 6.3). */
static void end_head(struct www_filter *f, enum ends how)
{
    end_line(f, how, DONE);
    if (!f->trailers && !f->has_host && !f->old)
        www_filter_refuse(f, 400, "no Host");
    if (!f->trailers && f->has_encoding && (f->old || f->has_length))
        www_filter_refuse(f, 400, f->old ? "Transfer-Encoding in HTTP/1.0" : "both Transfer-Encoding and Content-Length");
    if (f->method == CONNECT && (f->has_encoding || f->length > 0))     /* RFC 9110, 9.3.6: what follows is a tunnel's, or not */
        www_filter_refuse(f, 400, "CONNECT with a body");
    f->done = !f->status;
}

/* The byte behind a CR. */
static const char *after_cr(struct www_filter *f, const char *p)
{
    if (*p != '\n')                     /* 2.2 */
        return refuse(f, p, "bare CR");
    switch ((enum state)f->state) {
    case START_CR: f->state = START; break;
    case LINE_CR: end_request_line(f, CRLF); break;
    case VALUE_CR: end_field(f, CRLF); break;
    default: end_head(f, CRLF); break;
    }
    return p + 1;
}

static const char *step(struct www_filter *f, const char *p, const char *end)
{
    switch ((enum state)f->state) {
    case START: return start(f, p);
    case METHOD: return method(f, p, end);
    case TARGET: return target(f, p);
    case OTHER: return other(f, p);
    case PATH: case QUERY: return path(f, p, end);
    case PROTOCOL: return version(f, p, end);
    case FIELD:
        if (*p == '\n') {
            end_head(f, LF);
            return p + 1;
        }
        return field(f, p);
    case NAME: return name(f, p, end);
    case VALUE: return value(f, p, end);
    case START_CR: case LINE_CR: case VALUE_CR: case END_CR: return after_cr(f, p);
    case DONE: break;
    }
    return p;
}

void www_filter_begin_trailers(struct www_filter *f)
{
    f->state = FIELD;
    f->ends = CRLF;                     /* the leniency is for heads only */
    f->trailers = true;
    f->done = false;
    f->fields = 0;
    f->n = 0;
}

size_t www_filter_head(struct www_filter *f, const char *bytes, size_t n)
{
    const char *p = bytes, *end = bytes + (n < WWW_HEAD_MAX - f->n ? n : WWW_HEAD_MAX - f->n), *next;

    for (; p < end && !f->status && f->state != DONE; p = next) {
        next = step(f, p, end);
        f->n += (size_t)(next - p);
    }
    if (f->n == WWW_HEAD_MAX && f->state != DONE)
        www_filter_refuse(f, 431, NULL);
    return (size_t)(p - bytes);
}
