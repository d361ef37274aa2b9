/* apps/www/request.c - one request head, *from the network*, by the http_parser library.
 * The head is complete and in one piece (server.c sees to that), so every field is one slice of it. */
#include <http_parser.h>
#include <string.h>
#include <strings.h>

#include "www.h"

struct parse {
    struct www_request *r;
    struct www_slice name;
    bool valued;                        /* the field has had its value: more of it is a folded line */
    bool expects, expects_other, encoded, chunked;
    unsigned hosts;
};

static void refuse(struct www_request *r, unsigned status, const char *why)
{
    if (r->status)
        return;
    r->status = status;
    r->why = why;
}

size_t www_head_end(const char *p, size_t n, size_t from)
{
    const char *end = p + n, *at = p + from;

    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && *at == '\n')
            return (size_t)(at + 1 - p);
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            return (size_t)(at + 2 - p);
    }
    return 0;
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
    parse->valued = false;
    /* A space before the colon hides a field from others on the way (RFC 9112, 5.1); the library may let it pass. */
    if (n == 0 || memchr(at, ' ', n))
        refuse(parse->r, 400, "bad field name");
    return 0;
}

/* name has as many bytes as the field's: the caller looked. */
static bool named(const struct parse *parse, const char *name)
{
    return strncasecmp(parse->name.at, name, parse->name.n) == 0;
}

static void host(struct parse *parse, struct www_slice v)
{
    parse->hosts++;
    for (size_t i = 0; i < v.n; i++)
        if (v.at[i] <= ' ' || strchr("/?#@\\\"<>", v.at[i]))
            refuse(parse->r, 400, "bad Host");
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

    if (parse->valued) {                /* RFC 9112, 5.2: refused, as it is read in different ways */
        refuse(r, 400, "folded field");
        return 0;
    }
    parse->valued = true;
    while (v.n && (v.at[v.n - 1] == ' ' || v.at[v.n - 1] == '\t'))
        v.n--;
    switch (parse->name.n) {
    case 4:
        if (named(parse, "Host"))
            host(parse, v);
        break;
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
        else if (named(parse, "Transfer-Encoding"))
            parse->encoded = true;
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
    parse->r->body = p->content_length == UINT64_MAX ? 0 : p->content_length;
    return 1;
}

static const http_parser_settings settings = {
    .on_url = on_url, .on_header_field = on_field, .on_header_value = on_value, .on_headers_complete = on_complete
};

static bool is_token(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] <= ' ' || at[i] == 127 || strchr("()<>@,;:\\\"/[]?={}", at[i]))
            return false;
    return n > 0;
}

/* The library did not take it. Some of that is well-formed, and only not ours: 501, 505. */
static void explain(struct www_request *r, enum http_errno error, const char *head, size_t n)
{
    const char *end = memchr(head, '\n', n), *space = memchr(head, ' ', n), *version;
    size_t line = end ? (size_t)(end - head) : n;

    if (line && head[line - 1] == '\r')
        line--;
    version = line > 9 ? head + line - 9 : NULL;
    if (version && memcmp(version, " HTTP/", 6) == 0 && version[6] >= '0' && version[6] <= '9' && version[6] != '1' &&
        version[7] == '.')
        refuse(r, 505, "HTTP version");
    else if (error == HPE_INVALID_METHOD && version && memcmp(version, " HTTP/1.", 8) == 0 && space &&
             space < version && is_token(head, (size_t)(space - head)))
        refuse(r, 501, "unknown method");
    else
        refuse(r, 400, http_errno_description(error));
}

static void judge(struct www_request *r, const http_parser *p, const struct parse *parse)
{
    if (p->http_major != 1)
        refuse(r, 505, "HTTP version");
    if (r->target.n > WWW_LINE_MAX)
        refuse(r, 414, "target too long");
    if (parse->hosts != 1 && !(r->old && parse->hosts == 0))
        refuse(r, 400, parse->hosts ? "more than one Host" : "no Host");
    if (parse->encoded && (!parse->chunked || r->old))
        refuse(r, 400, "Transfer-Encoding");
    if (parse->expects && parse->expects_other)
        refuse(r, 417, "unknown expectation");
    if (r->body > WWW_BODY_MAX)
        refuse(r, 413, "body too long");
    if (p->method != HTTP_GET && p->method != HTTP_HEAD)
        refuse(r, 405, NULL);
}

void www_request_parse(const char *head, size_t n, struct www_request *r)
{
    struct parse parse = { .r = r };
    const char *space = memchr(head, ' ', n);
    http_parser p;
    size_t used;

    memset(r, 0, sizeof(*r));
    r->method = (struct www_slice){ head, space ? (size_t)(space - head) : 0 };
    http_parser_init(&p, HTTP_REQUEST);
    p.data = &parse;
    used = http_parser_execute(&p, &settings, head, n);
    r->head = p.method == HTTP_HEAD && HTTP_PARSER_ERRNO(&p) == HPE_OK;
    r->old = p.http_major == 1 && p.http_minor == 0;
    if (HTTP_PARSER_ERRNO(&p) != HPE_OK)
        explain(r, HTTP_PARSER_ERRNO(&p), head, n);
    else if (used != n)
        refuse(r, 400, "not one head");
    else
        judge(r, &p, &parse);
    r->body_unknown = parse.encoded;
    /* After these, where the next request begins is not known, or the peer is still sending what nobody wants: an
     * expected 100 that never comes may or may not be followed by the body. */
    if (r->status == 400 || r->status == 413 || r->status == 505 || r->body_unknown || (parse.expects && r->body))
        r->keep = false;
}
