/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/respond.c - what a request is answered: the file, the conditions on it, its part, and the head of it all. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unik/text.h>

#include "www.h"

const char *www_reason(unsigned status)
{
    switch (status) {
    case 200: return "OK";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
    }
}

/* ---- the head ---- */

static void put(struct www *w, struct www_answer *a, const char *text, size_t n)
{
    if (n > WWW_ANSWER_HEAD - a->head_n)
        n = WWW_ANSWER_HEAD - a->head_n;
    memcpy(w->scratch + a->head_n, text, n);
    a->head_n += n;
}

#define PUT(w, a, literal) put(w, a, literal, sizeof(literal) - 1)

#define ADD(w, a, ...) do { \
        struct unik_text text_; \
        unik_text_init(&text_, (w)->scratch + (a)->head_n, WWW_ANSWER_HEAD - (a)->head_n); \
        unik_text_add(&text_, __VA_ARGS__); \
        (a)->head_n += text_.used; \
    } while (0)

static void begin(struct www *w, struct www_answer *a, unsigned status)
{
    time_t now = (time_t)ev_now(w->ctx->loop);

    if (now != w->date_of) {
        w->date_of = now;
        www_date_format(now, w->date);
    }
    a->status = status;
    a->head_n = 0;
    if (status == 200)
        PUT(w, a, "HTTP/1.1 200 OK\r\nDate: ");
    else
        ADD(w, a, "HTTP/1.1 %u %s\r\nDate: ", status, www_reason(status));
    put(w, a, w->date, WWW_DATE_SIZE - 1);
    PUT(w, a, "\r\n");
}

/* The peer is told what becomes of the connection where it could not know. */
static void end_head(struct www *w, struct www_answer *a, const struct www_request *r)
{
    if (a->close)
        PUT(w, a, "Connection: close\r\n");
    else if (r && r->old)
        PUT(w, a, "Connection: keep-alive\r\n");
    PUT(w, a, "\r\n");
}

/* An answer without a file. extra: complete field lines. */
static void plain(struct www *w, const struct www_request *r, struct www_answer *a, unsigned status, const char *extra)
{
    const char *why = r && r->status == status && r->why ? r->why : NULL;
    char body[160];
    int n = snprintf(body, sizeof(body), "%u %s%s%s\n", status, www_reason(status), why ? ": " : "", why ? why : "");

    begin(w, a, status);
    put(w, a, extra, strlen(extra));
    ADD(w, a, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n", n);
    end_head(w, a, r);
    if (!r || !r->head)
        put(w, a, body, (size_t)n);
}

void www_refuse(struct www *w, unsigned status, const char *why, struct www_answer *a)
{
    struct www_request none = { .status = status, .why = why };

    memset(a, 0, sizeof(*a));
    a->close = true;
    plain(w, &none, a, status, "");
}

static void moved(struct www *w, const struct www_request *r, struct www_answer *a, const struct www_path *path)
{
    char line[WWW_ANSWER_HEAD - 512] = "Location: ";
    size_t at = strlen(line), n = www_path_encode(path, line + at, sizeof(line) - at - 3);

    if (n == 0 || n + path->query.n > sizeof(line) - at - 3) {
        plain(w, r, a, 404, "");
        return;
    }
    at += n;
    if (path->query.n)
        memcpy(line + at, path->query.at, path->query.n);
    memcpy(line + at + path->query.n, "\r\n", 3);
    plain(w, r, a, 301, line);
}

/* ---- conditions (RFC 9110, 13.2.2) ---- */

static bool in_lists(const struct www_slice *lists, const char *etag, bool weak)
{
    for (size_t i = 0; i < WWW_LISTS_MAX && lists[i].at; i++)
        if (www_etag_in(lists[i].at, lists[i].n, etag, weak))
            return true;
    return false;
}

/* Did the file change after that date? A date that is none counts as not given: `unknown`. */
static bool changed_since(struct www *w, const struct www_file *f, struct www_slice date, bool unknown)
{
    time_t t;

    if (www_date_parse(date.at, date.n, (time_t)ev_now(w->ctx->loop), &t) < 0)
        return unknown;
    return f->st.st_mtim.tv_sec > t;
}

/* 0: send it. 304, 412. */
static unsigned conditions(struct www *w, const struct www_request *r, const struct www_file *f)
{
    if (r->if_match[0].at) {
        if (!in_lists(r->if_match, f->etag, false))
            return 412;
    } else if (r->if_unmodified.at && changed_since(w, f, r->if_unmodified, false)) {
        return 412;
    }
    if (r->if_none_match[0].at)
        return in_lists(r->if_none_match, f->etag, true) ? 304 : 0;
    return r->if_modified.at && !changed_since(w, f, r->if_modified, true) ? 304 : 0;
}

/* Does the peer hold a part of this very file? A date proves it only if that second can see no further change. */
static bool range_is_of(struct www *w, const struct www_slice *if_range, const struct www_file *f)
{
    time_t t, now = (time_t)ev_now(w->ctx->loop);

    if (!if_range->at)
        return true;
    if (if_range->n && (if_range->at[0] == '"' || if_range->at[0] == 'W'))
        return www_etag_in(if_range->at, if_range->n, f->etag, false);
    return www_date_parse(if_range->at, if_range->n, now, &t) == 0 && t == f->st.st_mtim.tv_sec && now > t + 1;
}

/* ---- the file ---- */

static void not_modified(struct www *w, const struct www_request *r, struct www_answer *a, const struct www_file *f)
{
    begin(w, a, 304);
    ADD(w, a, "Last-Modified: %s\r\nETag: %s\r\n", f->date, f->etag);
    end_head(w, a, r);
}

static void partial(struct www *w, const struct www_request *r, struct www_answer *a, const struct www_file *f)
{
    begin(w, a, 206);
    ADD(w, a, "Content-Type: %s\r\nContent-Length: %llu\r\nContent-Range: bytes %llu-%llu/%llu\r\nLast-Modified: %s\r\n"
        "ETag: %s\r\nAccept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\n", f->type,
        (unsigned long long)(a->end - a->from), (unsigned long long)a->from, (unsigned long long)a->end - 1,
        (unsigned long long)f->size, f->date, f->etag);
    end_head(w, a, r);
}

static void respond_file(struct www *w, const struct www_request *r, struct www_answer *a, struct www_file *f)
{
    enum www_range range = WWW_RANGE_ALL;
    unsigned status = conditions(w, r, f);
    char extra[64];

    a->from = 0;
    a->end = f->size;
    if (status == 304) {
        not_modified(w, r, a, f);
        return;
    }
    if (status) {
        plain(w, r, a, status, "");
        return;
    }
    if (r->range.at && !r->head && range_is_of(w, &r->if_range, f))
        range = www_range(r->range.at, r->range.n, f->size, &a->from, &a->end);
    if (range == WWW_RANGE_NONE) {
        snprintf(extra, sizeof(extra), "Content-Range: bytes */%llu\r\n", (unsigned long long)f->size);
        plain(w, r, a, 416, extra);
        return;
    }
    if (range == WWW_RANGE_PART) {
        partial(w, r, a, f);
    } else {
        a->from = 0;
        a->end = f->size;
        begin(w, a, 200);
        put(w, a, f->head, f->head_n);
        end_head(w, a, r);
    }
    if (r->head || a->from == a->end)
        return;
    f->refs++;
    a->file = f;
}

static void lookup(struct www *w, const struct www_request *r, struct www_answer *a)
{
    struct www_slice target = www_target_path(r->target.at, r->target.n);
    struct www_path path;
    struct www_file *f;
    int e;

    if (target.n && target.at[0] == '?')        /* "http://host?x" */
        target = (struct www_slice){ "/", 1 };
    e = www_path_decode(target.at, target.n, w->config->dotfiles, &path);
    if (e == 0)
        e = www_file_get(w, &path, &f);
    else if (e == -EINVAL)
        plain(w, r, a, 400, "");
    else if (e == -ENAMETOOLONG)
        plain(w, r, a, 414, "");
    if (e == 0) {
        respond_file(w, r, a, f);
        www_file_put(f);
    } else if (e == -EISDIR) {
        moved(w, r, a, &path);
    } else if (e == -EAGAIN) {
        plain(w, r, a, 503, "Retry-After: 1\r\n");
    } else if (e != -EINVAL && e != -ENAMETOOLONG) {
        plain(w, r, a, e == -ENOENT ? 404 : e == -EACCES ? 403 : 500, "");
    }
}

void www_respond(struct www *w, const struct www_request *r, struct www_answer *a)
{
    memset(a, 0, sizeof(*a));
    a->close = !r->keep || w->draining;
    if (r->status == 405)
        plain(w, r, a, 405, "Allow: GET, HEAD\r\n");
    else if (r->status)
        plain(w, r, a, r->status, "");
    else
        lookup(w, r, a);
}
