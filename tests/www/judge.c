/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/www/judge.c - the filter and the library side by side: judge.h. */
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/www/judge.h"

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* One piece, from v->used on; how many bytes of it belong to the request. */
static size_t take(struct verdict *v, const char *piece, size_t n)
{
    struct www_filter *f = &v->f;
    size_t at = 0;

    if (!v->head) {
        at = www_filter_head(f, piece, n);
        if (!f->done)
            return at;
        v->head = v->used + at;
        if (f->framing == WWW_CHUNKED)
            www_filter_begin_body(f);
    }
    if (f->framing == WWW_CHUNKED)
        return at + www_filter_body(f, piece + at, n - at);
    return at + least(n - at, f->framing == WWW_LENGTH ? v->head + f->length - v->used - at : 0);
}

struct verdict judge(const char *bytes, size_t n, size_t first, size_t rest)
{
    struct verdict v = { 0 };
    size_t at = 0;

    www_filter_begin(&v.f);
    while (at < n && !v.f.status) {
        size_t k = least(n - at, at < first ? first - at : rest), used;
        char *copy = malloc(k);

        if (!copy)
            abort();
        memcpy(copy, bytes + at, k);
        used = take(&v, copy, k);
        free(copy);
        v.used += used;
        at += k;
        if (used < k)
            break;
    }
    v.length = v.f.framing == WWW_NO_BODY ? 0 : v.f.length;
    if (v.f.status)
        v.status = v.f.status;
    else if (v.head && (v.f.framing == WWW_CHUNKED ? v.f.done : v.used == v.head + v.length))
        v.status = 200;
    return v;
}

/* ---- the library's reading ---- */

struct reading {
    const char *target, *next;          /* next: where the next field line should be */
    size_t target_n, value_n;
    uint64_t body;
    bool in_fields, complete, differs;
};

static int on_url(http_parser *p, const char *at, size_t n)
{
    struct reading *r = p->data;

    r->target = at;
    r->target_n = n;
    r->next = memchr(at, '\n', 64 + n);
    r->next = r->next ? r->next + 1 : at;
    r->in_fields = true;
    return 0;
}

/* It begins where a line begins, and its colon follows. */
static int on_field(http_parser *p, const char *at, size_t n)
{
    struct reading *r = p->data;

    if (r->in_fields)
        r->differs |= at != r->next || at[n] != ':';
    r->next = at + n + 1;
    return 0;
}

/* It is the rest of that line, without blanks around it. */
static int on_value(http_parser *p, const char *at, size_t n)
{
    struct reading *r = p->data;
    const char *from = r->next, *end = strchr(from, '\n'), *to = end;

    if (!r->in_fields)
        return 0;
    if (to > from && to[-1] == '\r')
        to--;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    while (n && (at[n - 1] == ' ' || at[n - 1] == '\t'))
        n--;
    r->differs |= n != (size_t)(to - from) || (n && at != from);
    r->next = end + 1;
    return 0;
}

static int on_headers(http_parser *p)
{
    struct reading *r = p->data;

    r->in_fields = false;
    r->differs |= *r->next != '\r' && *r->next != '\n';
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    struct reading *r = p->data;

    (void)at;
    r->body += n;
    return 0;
}

static int on_complete(http_parser *p)
{
    struct reading *r = p->data;

    r->complete = true;
    http_parser_pause(p, 1);
    return 0;
}

static const char *compare(const struct verdict *v, const http_parser *p, const struct reading *r, const char *head, size_t used)
{
    const char *method = http_method_str(p->method);

    if (strlen(method) != v->f.method_n || memcmp(method, head, v->f.method_n) != 0)
        return "method";
    if (r->target != head + v->f.method_n + 1 || r->target_n != v->f.target_n)
        return "target";
    if (p->http_major != 1 || (p->http_minor == 0) != v->f.old)
        return "version";
    if (r->differs)
        return "fields";
    if (!r->complete)
        return "not complete";
    if (r->body != v->length)
        return "length of the body";
    return used != v->used - v->f.start ? "end" : NULL;
}

const char *other_reading(const char *bytes, size_t n, const struct verdict *v)
{
    static const http_parser_settings settings = {
        .on_url = on_url, .on_header_field = on_field, .on_header_value = on_value, .on_headers_complete = on_headers,
        .on_body = on_body, .on_message_complete = on_complete
    };
    size_t size = n - v->f.start, used;
    char *copy = malloc(size + 1);
    struct reading r = { 0 };
    const char *why = NULL;
    http_parser p;

    if (!copy)
        abort();
    memcpy(copy, bytes + v->f.start, size);
    copy[size] = 0;
    http_parser_init(&p, HTTP_REQUEST);
    p.data = &r;
    used = http_parser_execute(&p, &settings, copy, size);
    if (HTTP_PARSER_ERRNO(&p) != HPE_OK && HTTP_PARSER_ERRNO(&p) != HPE_PAUSED)
        why = HTTP_PARSER_ERRNO(&p) == HPE_INVALID_METHOD ? NULL : http_errno_description(HTTP_PARSER_ERRNO(&p));
    else
        why = compare(v, &p, &r, copy, used);
    free(copy);
    return why;
}
