/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/request.c - what a request asks for, by the http_parser library. The head is *from the network*, but each byte of it has
 * passed filter.c; it is complete and in one piece (server.c sees to that), so every field is one slice of it. */
#include <http_parser.h>
#include <string.h>
#include <strings.h>

#include "www.h"

struct parse {
    struct www_request *r;
    struct www_slice name;
    bool expects, expects_other, chunked;
    uint64_t length;
};

static void refuse(struct www_request *r, unsigned status, const char *why)
{
    if (r->status)
        return;
    r->status = status;
    r->why = why;
}

static int on_url(http_parser *p, const char *at, size_t n)
{
    struct parse *parse = p->data;

    parse->r->target = (struct www_slice){ at, n };
    return 0;
}

static int on_field(http_parser *p, const char *at, size_t n)
{
    struct parse *parse = p->data;

    parse->name = (struct www_slice){ at, n };
    return 0;
}

/* name has as many bytes as the field's: the caller looked. */
static bool named(const struct parse *parse, const char *name)
{
    return strncasecmp(parse->name.at, name, parse->name.n) == 0;
}

/* Fields that may be there once: two of them say nothing that can be relied on. */
static void once(struct www_slice *to, struct www_slice v) { *to = to->at ? (struct www_slice){ "", 0 } : v; }

static void list(struct parse *parse, struct www_slice *to, struct www_slice v)
{
    for (size_t i = 0; i < WWW_LISTS_MAX; i++)
        if (!to[i].at) {
            to[i] = v;
            return;
        }
    refuse(parse->r, 400, "too many lines of one field");
}

static int on_value(http_parser *p, const char *at, size_t n)
{
    struct parse *parse = p->data;
    struct www_request *r = parse->r;
    struct www_slice v = { at, n };

    while (v.n && (v.at[v.n - 1] == ' ' || v.at[v.n - 1] == '\t'))
        v.n--;
    switch (parse->name.n) {
    case 5:
        if (named(parse, "Range"))
            once(&r->range, v);
        break;
    case 6:
        if (named(parse, "Expect")) {
            parse->expects = true;
            parse->expects_other |= v.n != 12 || strncasecmp(v.at, "100-continue", 12) != 0;
        }
        break;
    case 8:
        if (named(parse, "If-Match"))
            list(parse, r->if_match, v);
        else if (named(parse, "If-Range"))
            once(&r->if_range, v);
        break;
    case 13:
        if (named(parse, "If-None-Match"))
            list(parse, r->if_none_match, v);
        break;
    case 17:
        if (named(parse, "If-Modified-Since"))
            once(&r->if_modified, v);
        break;
    case 19:
        if (named(parse, "If-Unmodified-Since"))
            once(&r->if_unmodified, v);
        break;
    default:
        break;
    }
    return 0;
}

/* The head is all we give to the library: 1 says that no body follows. */
static int on_complete(http_parser *p)
{
    struct parse *parse = p->data;

    parse->chunked = p->flags & F_CHUNKED;
    parse->r->keep = http_should_keep_alive(p) != 0;
    parse->length = p->content_length == UINT64_MAX ? 0 : p->content_length;
    return 1;
}

static const http_parser_settings settings = {
    .on_url = on_url, .on_header_field = on_field, .on_header_value = on_value, .on_headers_complete = on_complete
};

static void judge(struct www_request *r, const http_parser *p)
{
    if (r->body > WWW_BODY_MAX)
        refuse(r, 413, "body too long");
    if (p->method != HTTP_GET && p->method != HTTP_HEAD)
        refuse(r, 405, NULL);
}

/* Did the library find what the filter found? Whoever reads it in another way is not believed. */
static bool agrees(const struct www_filter *f, const struct parse *parse, const http_parser *p, const char *head)
{
    const struct www_request *r = parse->r;

    return r->target.at == head + f->method_n + 1 && r->target.n == f->target_n && p->http_major == 1 &&
           (p->http_minor == 0) == f->old && parse->chunked == (f->framing == WWW_CHUNKED) &&
           (f->framing != WWW_LENGTH || parse->length == f->length);
}

void www_request_parse(const struct www_filter *f, const char *head, size_t n, struct www_request *r)
{
    struct parse parse = { .r = r };
    http_parser p;
    size_t used;

    memset(r, 0, sizeof(*r));
    r->method = (struct www_slice){ head, f->method_n };
    r->old = f->old;
    r->chunked = f->framing == WWW_CHUNKED;
    r->body = f->framing == WWW_LENGTH ? f->length : 0;
    http_parser_init(&p, HTTP_REQUEST);
    p.data = &parse;
    used = http_parser_execute(&p, &settings, head, n);
    r->head = p.method == HTTP_HEAD && HTTP_PARSER_ERRNO(&p) == HPE_OK;
    if (HTTP_PARSER_ERRNO(&p) == HPE_INVALID_METHOD)
        refuse(r, 501, "unknown method");
    else if (HTTP_PARSER_ERRNO(&p) != HPE_OK || used != n || !agrees(f, &parse, &p, head))
        refuse(r, 400, "not one request");
    else if (parse.expects_other)
        refuse(r, 417, "unknown expectation");
    else
        judge(r, &p);
    r->expects = parse.expects;
    /* After these, where the next request begins is not known, or the peer is still sending what nobody wants: an
     * expected 100 that never comes may or may not be followed by the body. */
    if (r->status == 400 || r->status == 413 || r->status == 501 || r->chunked || (parse.expects && r->body))
        r->keep = false;
}
