/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/xenstore/watch.c - watches. Each has a token of its own, so that two on one path are two. Registering and
 * unregistering never fails for want of room: what cannot be sent now stays in the table and is sent when there is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/xenstore/client.h"

#define TOKEN_SIZE 9        /* eight hexadecimal digits */

int xenstore_watches_init(struct xenstore *x)
{
    x->watches = calloc(x->watch_count, sizeof(*x->watches));
    return x->watches ? 0 : -ENOMEM;
}

void xenstore_watches_free(struct xenstore *x)
{
    for (uint32_t i = 0; x->watches && i < x->watch_count; i++)
        free(x->watches[i].path);
    free(x->watches);
}

static struct unik_xenstore_watch *find(struct xenstore *x, uint32_t token)
{
    struct unik_xenstore_watch *w = &x->watches[token & (x->watch_count - 1)];

    return w->state != WATCH_FREE && w->token == token ? w : NULL;
}

static bool waits(enum xenstore_watch_state s) { return s == WATCH_WANTED || s == WATCH_UNWANTED; }

static void set(struct xenstore *x, struct unik_xenstore_watch *w, enum xenstore_watch_state state)
{
    x->todo += waits(state);
    x->todo -= waits(w->state);
    *xenstore_count(x, GAUGE_WATCHES) += state != WATCH_FREE;
    *xenstore_count(x, GAUGE_WATCHES) -= w->state != WATCH_FREE;
    w->state = state;
    if (state == WATCH_FREE) {
        free(w->path);
        w->path = NULL;
    }
}

static int send_token(struct xenstore *x, enum xenstore_type type, const struct unik_xenstore_watch *w,
                      xenstore_done *done)
{
    char token[TOKEN_SIZE];
    struct xenstore_message m = { .type = type, .path = w->path, .second = token };

    snprintf(token, sizeof(token), "%08x", w->token);
    return xenstore_send_own(x, &m, done, w->token);
}

static void watch_done(struct xenstore *x, const struct xenstore_request *r, int error, const char *value, size_t len)
{
    struct unik_xenstore_watch *w = find(x, r->ref);

    (void)value, (void)len;
    if (!w || w->state != WATCH_SENT)
        return;
    if (error)
        unik_error(x->ctx, "%s: watch %s: %s", x->place, w->path, strerror(-error));
    set(x, w, error ? WATCH_REFUSED : WATCH_ACTIVE);
}

/* Whatever xenstored answers, the watch is gone. */
static void unwatch_done(struct xenstore *x, const struct xenstore_request *r, int error, const char *value, size_t len)
{
    struct unik_xenstore_watch *w = find(x, r->ref);

    (void)error, (void)value, (void)len;
    if (w && w->state == WATCH_LEAVING)
        set(x, w, WATCH_FREE);
}

static void pump_one(struct xenstore *x, struct unik_xenstore_watch *w)
{
    int e;

    if (w->state == WATCH_UNWANTED) {
        if (send_token(x, XENSTORE_UNWATCH, w, unwatch_done) == 0)
            set(x, w, WATCH_LEAVING);
    } else if (w->state == WATCH_WANTED) {
        e = send_token(x, XENSTORE_WATCH, w, watch_done);
        if (e == 0) {
            set(x, w, WATCH_SENT);
        } else if (e != -ENOSPC && e != -ENOTCONN) {
            unik_error(x->ctx, "watch %s can't be sent: %s", w->path, strerror(-e));
            set(x, w, WATCH_REFUSED);
        }
    }
}

void xenstore_watches_pump(struct xenstore *x)
{
    for (uint32_t i = 0; i < x->watch_count; i++)
        if (waits(x->watches[i].state))
            pump_one(x, &x->watches[i]);
}

static struct unik_xenstore_watch *find_free(struct xenstore *x)
{
    if (*xenstore_count(x, GAUGE_WATCHES) >= x->watch_max)
        return NULL;
    for (uint32_t i = 0; i < x->watch_count; i++)
        if (x->watches[i].state == WATCH_FREE)
            return &x->watches[i];
    return NULL;
}

int xenstore_watch(struct unik_xenstore *api, struct unik_ctx *owner, const char *path, unik_xenstore_watch_cb *cb,
                   void *arg, struct unik_xenstore_watch **out)
{
    struct xenstore *x = xenstore_of(api);
    struct unik_xenstore_watch *w;

    if (!path || !cb || !out || !xenstore_path_ok(path, true))
        return -EINVAL;
    if (x->stopping)
        return -ENOTCONN;
    w = find_free(x);
    if (!w) {
        ++*xenstore_count(x, COUNT_REFUSED);
        return -ENOSPC;
    }
    w->path = strdup(path);
    if (!w->path)
        return -ENOMEM;
    w->token = ++x->watch_serial * x->watch_count + (uint32_t)(w - x->watches);
    w->owner = owner;
    w->cb = cb;
    w->arg = arg;
    set(x, w, WATCH_WANTED);
    xenstore_pump(x);
    *out = w;
    return 0;
}

/* The owner's pointer is dead; the place lives on until xenstored knows. */
static void drop(struct xenstore *x, struct unik_xenstore_watch *w)
{
    if (w->state == WATCH_SENT || w->state == WATCH_ACTIVE)
        set(x, w, WATCH_UNWANTED);
    else if (w->state == WATCH_WANTED || w->state == WATCH_REFUSED)
        set(x, w, WATCH_FREE);
}

void xenstore_unwatch(struct unik_xenstore *api, struct unik_xenstore_watch *w)
{
    struct xenstore *x = xenstore_of(api);

    if (!w)
        return;
    drop(x, w);
    xenstore_pump(x);
}

/* from dom0: xenstored's event. Linux's device may send the first one before the reply to the WATCH. */
void xenstore_watch_event(struct xenstore *x, const char *body, size_t n)
{
    const char *path, *token;
    struct unik_xenstore_watch *w;
    char *end;
    unsigned long number;

    if (xenstore_decode_event(body, n, &path, &token) < 0) {
        unik_warn(x->ctx, "%s: watch event of %zu bytes is not a path and a token: ignored", x->place, n);
        ++*xenstore_count(x, COUNT_BAD);
        return;
    }
    number = strtoul(token, &end, 16);
    w = *end || end - token != TOKEN_SIZE - 1 ? NULL : find(x, (uint32_t)number);
    if (!w || (w->state != WATCH_SENT && w->state != WATCH_ACTIVE)) {
        /* It was on its way when the watch was removed. */
        ++*xenstore_count(x, COUNT_LATE_EVENTS);
        return;
    }
    ++*xenstore_count(x, COUNT_EVENTS);
    w->cb(path, w->arg);
}

void xenstore_watches_lost(struct xenstore *x)
{
    for (uint32_t i = 0; i < x->watch_count; i++) {
        struct unik_xenstore_watch *w = &x->watches[i];

        if (w->state == WATCH_UNWANTED || w->state == WATCH_LEAVING)
            set(x, w, WATCH_FREE);
        else if (w->state != WATCH_FREE)
            set(x, w, WATCH_WANTED);
    }
}

void xenstore_watches_leave(struct xenstore *x)
{
    for (uint32_t i = 0; i < x->watch_count; i++)
        drop(x, &x->watches[i]);
}

size_t xenstore_watches_left(struct xenstore *x, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (uint32_t i = 0; i < x->watch_count; i++) {
        struct unik_xenstore_watch *w = &x->watches[i];

        if (w->owner != owner || w->state == WATCH_FREE || w->state == WATCH_UNWANTED || w->state == WATCH_LEAVING)
            continue;
        drop(x, w);
        found++;
    }
    return found;
}
