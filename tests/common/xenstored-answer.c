/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/xenstored-answer.c - what a request does to tree, watches and transactions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/common/xenstored-private.h"

const char *xenstored_absolute(const struct xenstored *s, const char *path)
{
    static char absolute[8192];

    if (path[0] == '/' || path[0] == '@')
        snprintf(absolute, sizeof(absolute), "%s", path);
    else
        snprintf(absolute, sizeof(absolute), "%s/%s", s->home, path);
    return absolute;
}

/* ---- watches ---- */

static const char *as_seen(const struct xenstored *s, const struct conn_watch *w, const char *path)
{
    return w->path[0] == '/' || w->path[0] == '@' ? path : path + strlen(s->home) + 1;
}

void xenstored_fire(struct xenstored *s, const char *path, bool below)
{
    char changed[8192];

    snprintf(changed, sizeof(changed), "%s", path);
    for (struct conn *c = s->conns; c; c = c->next)
        for (size_t i = 0; i < c->watch_n; i++) {
            struct conn_watch *w = &c->watches[i];

            if (tree_within(changed, w->absolute))
                conn_event(c, as_seen(s, w, changed), w->token);
            else if (below && tree_within(w->absolute, changed))
                conn_event(c, as_seen(s, w, w->absolute), w->token);
        }
}

static int find_watch(struct conn *c, const char *path, const char *token)
{
    for (size_t i = 0; i < c->watch_n; i++)
        if (strcmp(c->watches[i].path, path) == 0 && strcmp(c->watches[i].token, token) == 0)
            return (int)i;
    return -1;
}

static void free_watch(struct conn_watch *w)
{
    free(w->path);
    free(w->absolute);
    free(w->token);
}

static int do_watch(struct conn *c, const struct xenstore_header *h, const char *path, const char *token)
{
    struct conn_watch *w = &c->watches[c->watch_n];

    if (find_watch(c, path, token) >= 0)
        return -EEXIST;
    if (c->watch_n == CONN_WATCHES)
        return -ENOSPC;
    *w = (struct conn_watch){ strdup(path), strdup(xenstored_absolute(c->s, path)), strdup(token) };
    c->watch_n++;
    conn_reply(c, *h, "OK", 3);
    conn_event(c, w->path, w->token);
    return 1;
}

static int do_unwatch(struct conn *c, const char *path, const char *token)
{
    int i = find_watch(c, path, token);

    if (i < 0)
        return -ENOENT;
    free_watch(&c->watches[i]);
    c->watches[i] = c->watches[--c->watch_n];
    return 0;
}

/* ---- transactions ---- */

static struct conn_tx *find_tx(struct conn *c, uint32_t id)
{
    for (int i = 0; i < CONN_TXS; i++)
        if (c->txs[i].id == id)
            return &c->txs[i];
    return NULL;
}

static void free_tx(struct conn_tx *t)
{
    tree_free(&t->tree);
    while (t->n)
        free(t->changed[--t->n]);
    *t = (struct conn_tx){ 0 };
}

static int do_begin(struct conn *c, const struct xenstore_header *h)
{
    struct conn_tx *t = find_tx(c, 0);
    char number[16];
    int n;

    if (!t)
        return -ENOSPC;
    t->id = ++c->s->next_tx;
    t->began = c->s->generation;
    tree_copy(&t->tree, &c->s->tree);
    n = snprintf(number, sizeof(number), "%u", t->id);
    conn_reply(c, *h, number, (size_t)n + 1);
    return 1;
}

static int do_end(struct conn *c, uint32_t id, bool commit)
{
    struct xenstored *s = c->s;
    struct conn_tx *t = id ? find_tx(c, id) : NULL;
    int e = 0;

    if (!t)
        return -ENOENT;
    if (commit && s->on_commit)
        s->on_commit(s, s->on_commit_arg);
    if (commit && (s->conflicts || (t->began != s->generation && t->n))) {
        s->conflicts -= s->conflicts > 0;
        e = -EAGAIN;
    } else if (commit && t->n) {
        struct tree old = s->tree;

        s->tree = t->tree;
        t->tree = old;
        s->generation++;
        for (size_t i = 0; i < t->n; i++)
            xenstored_fire(s, t->changed[i], false);
    }
    free_tx(t);
    return e;
}

static void changed(struct conn *c, struct conn_tx *t, const char *path, bool below)
{
    if (!t) {
        c->s->generation++;
        xenstored_fire(c->s, path, below);
    } else if (t->n < CHANGES) {
        t->changed[t->n++] = strdup(path);
    }
}

/* ---- nodes ---- */

static int answer_node(struct conn *c, const struct xenstore_header *h, const char *path, const char *rest, size_t n)
{
    struct conn_tx *t = h->tx ? find_tx(c, h->tx) : NULL;
    struct tree *tree = t ? &t->tree : &c->s->tree;
    struct tree_node *node = tree_find(tree, path);
    char names[8192];
    size_t k;

    if (h->tx && !t)
        return -ENOENT;
    if (h->type == XENSTORE_WRITE) {
        tree_set(tree_make(tree, path), rest, n);
        changed(c, t, path, false);
        return 0;
    }
    if (h->type == XENSTORE_MKDIR) {
        tree_make(tree, path);
        changed(c, t, path, false);
        return 0;
    }
    if (!node)
        return -ENOENT;
    switch (h->type) {
    case XENSTORE_READ:
        conn_reply(c, *h, node->value, node->len);
        return 1;
    case XENSTORE_DIRECTORY:
        k = tree_list(tree, path, names, sizeof(names));
        if (k > XENSTORE_PAYLOAD_MAX)
            return -E2BIG;
        conn_reply(c, *h, names, k);
        return 1;
    case XENSTORE_GET_PERMS:
        conn_reply(c, *h, node->perms, node->perms_len);
        return 1;
    case XENSTORE_SET_PERMS:
        tree_set_perms(node, rest, n);
        changed(c, t, path, false);
        return 0;
    case XENSTORE_RM:
        tree_remove(tree, path);
        changed(c, t, path, true);
        return 0;
    default:
        return -ENOSYS;
    }
}

static int denied(const struct xenstored *s, uint32_t type, const char *path)
{
    for (size_t i = 0; i < s->denial_n; i++) {
        const struct denial *d = &s->denials[i];

        if ((!d->type || d->type == type) && (!d->path || strcmp(d->path, path) == 0))
            return d->error;
    }
    return 0;
}

/* 0: reply OK. 1: a reply has been sent. Else the error to reply. */
static int answer(struct conn *c, const struct xenstore_header *h, const char *body)
{
    const char *end = memchr(body, 0, h->len), *rest;
    size_t n;
    int e;

    if (h->type == XENSTORE_TRANSACTION_END)
        return h->len == 2 && !body[1] ? do_end(c, h->tx, body[0] == 'T') : -EINVAL;
    if (!end)
        return -EINVAL;
    rest = end + 1;
    n = h->len - (size_t)(rest - body);
    if ((e = denied(c->s, h->type, xenstored_absolute(c->s, body))) < 0)
        return e;
    switch (h->type) {
    case XENSTORE_TRANSACTION_START:
        return do_begin(c, h);
    case XENSTORE_WATCH:
        return n && !rest[n - 1] ? do_watch(c, h, body, rest) : -EINVAL;
    case XENSTORE_UNWATCH:
        return n && !rest[n - 1] ? do_unwatch(c, body, rest) : -EINVAL;
    default: {
        char path[8192];

        snprintf(path, sizeof(path), "%s", xenstored_absolute(c->s, body));
        return answer_node(c, h, path, rest, n);
    }
    }
}

void conn_answer(struct conn *c, const struct xenstore_header *h, char *body)
{
    struct xenstored *s = c->s;
    size_t k = strlen(s->seen);
    int e;

    s->requests++;
    s->resets += h->type == XENSTORE_RESET_WATCHES;
    snprintf(s->seen + k, sizeof(s->seen) - k, "%s%s", k ? " " : "", xenstore_type_name(h->type));
    e = answer(c, h, body);
    if (e == 0) {
        conn_reply(c, *h, "OK", 3);
    } else if (e < 0) {
        struct xenstore_header error = { .type = XENSTORE_ERROR, .id = h->id, .tx = h->tx };

        conn_reply(c, error, xenstore_error_name(e), strlen(xenstore_error_name(e)) + 1);
    }
}

void conn_release(struct conn *c)
{
    while (c->watch_n)
        free_watch(&c->watches[--c->watch_n]);
    for (int i = 0; i < CONN_TXS; i++)
        if (c->txs[i].id)
            free_tx(&c->txs[i]);
}
