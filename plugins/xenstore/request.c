/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/xenstore/request.c - requests in flight, matched to replies by request id; what the interface offers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/xenstore/client.h"

/* ---- the table: a request's id is its index and a serial number above it ---- */

int xenstore_requests_init(struct xenstore *x)
{
    x->requests = calloc(x->request_count, sizeof(*x->requests));
    if (!x->requests)
        return -ENOMEM;
    for (uint32_t i = x->request_count; i-- > 0;) {
        x->requests[i].next = x->free;
        x->free = &x->requests[i];
    }
    return 0;
}

void xenstore_requests_free(struct xenstore *x) { free(x->requests); }

static uint32_t next_id(struct xenstore *x)
{
    uint32_t index = (uint32_t)(x->free - x->requests), id;

    do {
        id = ++x->request_serial * x->request_count + index;
    } while (!id);
    return id;
}

static struct xenstore_request *take_place(struct xenstore *x, uint32_t id)
{
    struct xenstore_request *r = x->free;

    x->free = r->next;
    *r = (struct xenstore_request){ .prev = x->last, .id = id };
    if (x->last)
        x->last->next = r;
    else
        x->first = r;
    x->last = r;
    if (++*xenstore_count(x, GAUGE_IN_FLIGHT) > *xenstore_count(x, HIGH_IN_FLIGHT))
        *xenstore_count(x, HIGH_IN_FLIGHT) = *xenstore_count(x, GAUGE_IN_FLIGHT);
    return r;
}

/* Its reply is there: free the place, then act on a copy. */
static void finish(struct xenstore *x, struct xenstore_request *r, int error, const char *value, size_t len)
{
    struct xenstore_request done = *r;

    if (r->prev)
        r->prev->next = r->next;
    else
        x->first = r->next;
    if (r->next)
        r->next->prev = r->prev;
    else
        x->last = r->prev;
    r->id = 0;
    r->next = x->free;
    x->free = r;
    --*xenstore_count(x, GAUGE_IN_FLIGHT);
    if (error)
        ++*xenstore_count(x, COUNT_ERRORS);
    xenstore_pump(x);
    done.done(x, &done, error, value, len);
}

static struct xenstore_request *find(struct xenstore *x, uint32_t id)
{
    struct xenstore_request *r = &x->requests[id & (x->request_count - 1)];

    return id && r->id == id ? r : NULL;
}

/* ---- out ---- */

int xenstore_send(struct xenstore *x, const struct xenstore_message *m, struct xenstore_request **out)
{
    struct xenstore_header h = { .type = m->type, .tx = m->tx };
    struct xenstore_request *r;
    uint8_t *at;
    size_t size;
    int n;

    if (!x->link.up)
        return -ENOTCONN;
    if (!x->free)
        return -ENOSPC;
    h.id = next_id(x);
    at = xenstore_link_space(&x->link, &size);
    n = xenstore_encode(at, size, &h, m->path, m->second, m->value, m->len);
    if (n > XENSTORE_DEVICE_MESSAGE_MAX && x->link.device)
        n = -E2BIG;
    if (n < 0)
        return n;
    r = take_place(x, h.id);
    r->type = m->type;
    snprintf(r->path, sizeof(r->path), "%s", m->path ? m->path : "");
    xenstore_link_queue(&x->link, (size_t)n);
    ++*xenstore_count(x, COUNT_REQUESTS);
    *out = r;
    return 0;
}

int xenstore_send_own(struct xenstore *x, const struct xenstore_message *m, xenstore_done *done, uint32_t ref)
{
    struct xenstore_request *r;
    int e = xenstore_send(x, m, &r);

    if (e < 0)
        return e;
    r->internal = true;
    r->done = done;
    r->ref = ref;
    return 0;
}

/* ---- in ---- */

static bool is_list(uint32_t type) { return type == XENSTORE_DIRECTORY || type == XENSTORE_GET_PERMS; }

/* from dom0. Replies may come in any order; one that fits no request harms nobody. */
void xenstore_reply(struct xenstore *x, const struct xenstore_header *h, const char *body)
{
    struct xenstore_request *r = find(x, h->id);
    int error = 0;

    if (!r) {
        unik_warn(x->ctx, "%s: %s reply to request %u, which was not made: ignored", x->place,
                  xenstore_type_name(h->type), h->id);
        ++*xenstore_count(x, COUNT_STRAY);
        return;
    }
    ++*xenstore_count(x, COUNT_REPLIES);
    xenstore_link_answered(&x->link, r->id);
    if (h->type == XENSTORE_ERROR) {
        error = xenstore_error(body, h->len);
        if (error == -EPROTO)
            unik_warn(x->ctx, "%s: error of no known name (%u bytes) for %s %s", x->place, h->len,
                      xenstore_type_name(r->type), r->path);
    } else if (h->type != r->type) {
        unik_warn(x->ctx, "%s: reply of type %u to %s %s", x->place, h->type, xenstore_type_name(r->type), r->path);
        error = -EPROTO;
    } else if (is_list(h->type) && h->len && body[h->len - 1] != 0) {
        unik_warn(x->ctx, "%s: list without a final NUL for %s %s", x->place, xenstore_type_name(r->type), r->path);
        error = -EPROTO;
    }
    if (error == -EPROTO)
        ++*xenstore_count(x, COUNT_BAD);
    finish(x, r, error, error ? "" : body, error ? 0 : h->len);
}

void xenstore_request_fail(struct xenstore *x, uint32_t id, int error)
{
    struct xenstore_request *r = find(x, id);

    if (r)
        finish(x, r, error, "", 0);
}

void xenstore_requests_fail(struct xenstore *x, int error)
{
    while (x->first)
        finish(x, x->first, error, "", 0);
}

static void tell_canceled(struct xenstore_request *r)
{
    r->silent = true;
    if (r->type == XENSTORE_TRANSACTION_START && r->cb.tx)
        r->cb.tx(-ECANCELED, 0, r->arg);
    else if (r->type != XENSTORE_TRANSACTION_START && r->cb.plain)
        r->cb.plain(-ECANCELED, "", 0, r->arg);
}

/* Callbacks can send nothing any more, so the list keeps its members. */
void xenstore_requests_cancel(struct xenstore *x)
{
    for (struct xenstore_request *r = x->first; r; r = r->next)
        if (!r->internal && !r->silent)
            tell_canceled(r);
}

/* ---- the interface ---- */

static void plain_done(struct xenstore *x, const struct xenstore_request *r, int error, const char *value, size_t len)
{
    if (r->silent)
        return;
    if (r->cb.plain)
        r->cb.plain(error, value, len, r->arg);
    else if (error)
        unik_warn(x->ctx, "%s: %s %s: %s", x->place, xenstore_type_name(r->type), r->path, strerror(-error));
}

static int ask(struct unik_xenstore *api, struct unik_ctx *owner, struct xenstore_message m, unik_xenstore_cb *cb,
               void *arg)
{
    struct xenstore *x = xenstore_of(api);
    struct xenstore_request *r;
    int e;

    if (x->stopping)
        return -ENOTCONN;
    if (!m.path || (m.tx && xenstore_tx_number(x, m.tx, &m.tx) < 0))
        return -EINVAL;
    e = xenstore_send(x, &m, &r);
    if (e == -ENOSPC)
        ++*xenstore_count(x, COUNT_REFUSED);
    if (e < 0)
        return e;
    r->done = plain_done;
    r->owner = owner;
    r->cb.plain = cb;
    r->arg = arg;
    return 0;
}

static int api_read(struct unik_xenstore *api, struct unik_ctx *owner, uint32_t tx, const char *path,
                    unik_xenstore_cb *cb, void *arg)
{
    return ask(api, owner, (struct xenstore_message){ .type = XENSTORE_READ, .tx = tx, .path = path }, cb, arg);
}

static int api_directory(struct unik_xenstore *api, struct unik_ctx *owner, uint32_t tx, const char *path,
                         unik_xenstore_cb *cb, void *arg)
{
    return ask(api, owner, (struct xenstore_message){ .type = XENSTORE_DIRECTORY, .tx = tx, .path = path }, cb, arg);
}

static int api_write(struct unik_xenstore *api, struct unik_ctx *owner, uint32_t tx, const char *path,
                     const void *value, size_t len, unik_xenstore_cb *cb, void *arg)
{
    struct xenstore_message m = { .type = XENSTORE_WRITE, .tx = tx, .path = path, .value = value, .len = len };

    return ask(api, owner, m, cb, arg);
}

static int api_make_dir(struct unik_xenstore *api, struct unik_ctx *owner, uint32_t tx, const char *path,
                        unik_xenstore_cb *cb, void *arg)
{
    return ask(api, owner, (struct xenstore_message){ .type = XENSTORE_MKDIR, .tx = tx, .path = path }, cb, arg);
}

static int api_remove(struct unik_xenstore *api, struct unik_ctx *owner, uint32_t tx, const char *path,
                      unik_xenstore_cb *cb, void *arg)
{
    return ask(api, owner, (struct xenstore_message){ .type = XENSTORE_RM, .tx = tx, .path = path }, cb, arg);
}

static int api_get_perms(struct unik_xenstore *api, struct unik_ctx *owner, uint32_t tx, const char *path,
                         unik_xenstore_cb *cb, void *arg)
{
    return ask(api, owner, (struct xenstore_message){ .type = XENSTORE_GET_PERMS, .tx = tx, .path = path }, cb, arg);
}

/* Each row is a letter, a decimal domid and a NUL. */
static int api_set_perms(struct unik_xenstore *api, struct unik_ctx *owner, uint32_t tx, const char *path,
                         const struct unik_xenstore_perm *perms, size_t n, unik_xenstore_cb *cb, void *arg)
{
    char list[XENSTORE_PAYLOAD_MAX];
    struct xenstore_message m = { .type = XENSTORE_SET_PERMS, .tx = tx, .path = path, .value = list };

    if (!n)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (!perms[i].access || !strchr("nrwb", perms[i].access) || perms[i].domid > XENSTORE_DOMID_MAX)
            return -EINVAL;
        if (sizeof(list) - m.len < sizeof("b32767"))
            return -E2BIG;
        m.len += (size_t)snprintf(list + m.len, sizeof("b32767"), "%c%u", perms[i].access, perms[i].domid) + 1;
    }
    return ask(api, owner, m, cb, arg);
}

static void api_forget(struct unik_xenstore *api, void *arg)
{
    for (struct xenstore_request *r = xenstore_of(api)->first; r; r = r->next)
        if (!r->internal && r->arg == arg)
            r->silent = true;
}

/* A request without a callback needs nobody: it goes on. */
size_t xenstore_requests_left(struct xenstore *x, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct xenstore_request *r = x->first; r; r = r->next) {
        bool told = r->type == XENSTORE_TRANSACTION_START ? r->cb.tx != NULL : r->cb.plain != NULL;

        if (r->internal || r->silent || r->owner != owner || !told)
            continue;
        r->silent = true;
        found++;
    }
    return found;
}

static int api_domid(struct unik_xenstore *api)
{
    struct xenstore *x = xenstore_of(api);

    return x->domid < 0 ? -EAGAIN : x->domid;
}

const struct unik_xenstore xenstore_api = {
    .size = sizeof(struct unik_xenstore),
    .read = api_read,
    .directory = api_directory,
    .write = api_write,
    .make_dir = api_make_dir,
    .remove = api_remove,
    .get_perms = api_get_perms,
    .set_perms = api_set_perms,
    .begin = xenstore_begin,
    .end = xenstore_end,
    .forget = api_forget,
    .watch = xenstore_watch,
    .unwatch = xenstore_unwatch,
    .domid = api_domid,
};
