/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/fake-store.c - one tree, several domains. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/common/xenstored-tree.h"
#include "tests/vchan/fake-store.h"

#define WATCHES 2048
#define TXS 16
#define CHANGES 32

enum kind { READ, LIST, WRITE, REMOVE, PERMS, BEGIN, END };

struct view {
    struct unik_xenstore api;
    unsigned domid;
};

struct request {
    struct request *next;
    struct view *by;
    enum kind kind;
    uint32_t tx;
    char path[128], value[64];
    size_t len;
    bool commit;
    unik_xenstore_cb *cb;
    unik_xenstore_tx_cb *begun;
    void *arg;
};

struct tx {
    bool used;
    unsigned generation;
    struct tree tree;
    char changed[CHANGES][128];
    unsigned n;
};

struct unik_xenstore_watch {
    bool used, fires;
    struct view *by;
    char path[128];
    unik_xenstore_watch_cb *cb;
    void *arg;
};

static struct view views[FAKE_STORE_VIEWS];
static struct tree tree;
static struct tx txs[TXS];
static struct unik_xenstore_watch watches[WATCHES];
static struct request *first, **end = &first;
static unsigned generation, spoil, requests;
static int failure;
static bool held;
static ev_idle turn;
static struct ev_loop *the_loop;

static void wake(void)
{
    if (!held)
        ev_idle_start(the_loop, &turn);
}

static void absolute(const struct view *v, const char *path, char out[128])
{
    if (path[0] == '/' || path[0] == '@')
        snprintf(out, 128, "%s", path);
    else
        snprintf(out, 128, "/local/domain/%u/%s", v->domid, path);
}

static void fire(const char *path, bool removed)
{
    for (size_t i = 0; i < WATCHES; i++)
        if (watches[i].used && (tree_within(path, watches[i].path) || (removed && tree_within(watches[i].path, path))))
            watches[i].fires = true;
    wake();
}

/* May this domain read the node? -EACCES for what it may not, and for what is not there at somebody else's. */
static int may_read(const struct view *v, const struct tree_node *n, const char *path)
{
    char home[64], row[16];

    snprintf(home, sizeof(home), "/local/domain/%u", v->domid);
    if (tree_within(path, home))
        return n ? 0 : -ENOENT;
    snprintf(row, sizeof(row), "r%u", v->domid);
    for (size_t at = 0; n && at < n->perms_len; at += strlen(n->perms + at) + 1)
        if (strcmp(n->perms + at, row) == 0)
            return 0;
    return -EACCES;
}

static void note_change(struct tx *t, const char *path, bool removed)
{
    if (t) {
        if (t->n == CHANGES)
            abort();
        snprintf(t->changed[t->n++], 128, "%c%s", removed ? '-' : '+', path);
    } else {
        generation++;
        fire(path, removed);
    }
}

static void finish_tx(struct tx *t, const struct request *r, int *error)
{
    if (r->commit && spoil) {
        spoil--;
        *error = -EAGAIN;
    } else if (r->commit && t->generation != generation) {
        *error = -EAGAIN;
    } else if (r->commit) {
        tree_free(&tree);
        tree_copy(&tree, &t->tree);
        generation++;
        for (unsigned i = 0; i < t->n; i++)
            fire(t->changed[i] + 1, t->changed[i][0] == '-');
    }
    tree_free(&t->tree);
    t->used = false;
}

static int begin_tx(uint32_t *number)
{
    for (uint32_t i = 1; i < TXS; i++)
        if (!txs[i].used) {
            txs[i] = (struct tx){ .used = true, .generation = generation };
            tree_copy(&txs[i].tree, &tree);
            *number = i;
            return 0;
        }
    return -ENOSPC;
}

static void answer(struct request *r)
{
    struct tx *t = r->tx ? &txs[r->tx] : NULL;
    struct tree *at = t ? &t->tree : &tree;
    struct tree_node *n = tree_find(at, r->path);
    char names[1024];
    uint32_t number = 0;
    const char *value = "";
    size_t len = 0;
    int e = failure;

    if (t && !t->used)
        e = -EINVAL;
    if (e < 0) {
        if (r->kind == END && t && t->used) {
            tree_free(&t->tree);
            t->used = false;
        }
    } else if (r->kind == READ) {
        e = may_read(r->by, n, r->path);
        value = e ? "" : n->value;
        len = e ? 0 : n->len;
    } else if (r->kind == LIST) {
        e = n ? 0 : -ENOENT;
        len = n ? tree_list(at, r->path, names, sizeof(names)) : 0;
        value = names;
    } else if (r->kind == WRITE) {
        tree_set(tree_make(at, r->path), r->value, r->len);
        note_change(t, r->path, false);
    } else if (r->kind == PERMS) {
        e = n ? 0 : -ENOENT;
        if (n)
            tree_set_perms(n, r->value, r->len);
        note_change(t, r->path, false);
    } else if (r->kind == REMOVE) {
        e = n ? 0 : -ENOENT;
        tree_remove(at, r->path);
        note_change(t, r->path, true);
    } else if (r->kind == BEGIN) {
        e = begin_tx(&number);
    } else {
        finish_tx(t, r, &e);
    }
    if (r->begun)
        r->begun(e, number, r->arg);
    else if (r->cb)
        r->cb(e, value, len, r->arg);
}

static void on_turn(struct ev_loop *loop, ev_idle *w, int revents)
{
    struct request *r = first;
    bool fired = false;

    (void)revents;
    for (size_t i = 0; i < WATCHES && !held; i++)
        if (watches[i].used && watches[i].fires) {
            watches[i].fires = false;
            fired = true;
            watches[i].cb(watches[i].path, watches[i].arg);
        }
    if (!r || held) {
        if (!fired)
            ev_idle_stop(loop, w);
        return;
    }
    first = r->next;
    if (!first)
        end = &first;
    answer(r);
    free(r);
}

/* ---- the interface ---- */

/* A plugin says whose its requests are. */
static void must_be_owned(const struct unik_ctx *owner)
{
    if (!owner)
        abort();
}

static int send(struct unik_xenstore *x, enum kind kind, uint32_t tx, const char *path, const void *value, size_t len,
                unik_xenstore_cb *cb, void *arg, struct request **out)
{
    struct request *r = calloc(1, sizeof(*r));

    if (!r || len > sizeof(r->value))
        abort();
    r->by = (struct view *)(void *)x;
    r->kind = kind;
    r->tx = tx;
    if (path)
        absolute(r->by, path, r->path);
    if (len)
        memcpy(r->value, value, len);
    r->len = len;
    r->cb = cb;
    r->arg = arg;
    *end = r;
    end = &r->next;
    requests++;
    wake();
    if (out)
        *out = r;
    return 0;
}

static int api_read(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path,
                    unik_xenstore_cb *cb, void *arg)
{
    must_be_owned(owner);
    return send(x, READ, tx, path, NULL, 0, cb, arg, NULL);
}

static int api_directory(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path,
                         unik_xenstore_cb *cb, void *arg)
{
    must_be_owned(owner);
    return send(x, LIST, tx, path, NULL, 0, cb, arg, NULL);
}

static int api_write(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path, const void *value,
                     size_t len, unik_xenstore_cb *cb, void *arg)
{
    must_be_owned(owner);
    return send(x, WRITE, tx, path, value, len, cb, arg, NULL);
}

static int api_remove(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path,
                      unik_xenstore_cb *cb, void *arg)
{
    must_be_owned(owner);
    return send(x, REMOVE, tx, path, NULL, 0, cb, arg, NULL);
}

static int api_set_perms(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, const char *path,
                         const struct unik_xenstore_perm *perms, size_t n, unik_xenstore_cb *cb, void *arg)
{
    char rows[64];
    size_t at = 0;

    must_be_owned(owner);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(rows + at, sizeof(rows) - at, "%c%u", (char)perms[i].access, perms[i].domid) + 1;
    return send(x, PERMS, tx, path, rows, at, cb, arg, NULL);
}

static int api_begin(struct unik_xenstore *x, struct unik_ctx *owner, unik_xenstore_tx_cb *cb, void *arg)
{
    struct request *r;

    must_be_owned(owner);
    send(x, BEGIN, 0, NULL, NULL, 0, NULL, arg, &r);
    r->begun = cb;
    return 0;
}

static int api_end(struct unik_xenstore *x, struct unik_ctx *owner, uint32_t tx, bool commit, unik_xenstore_cb *cb,
                   void *arg)
{
    struct request *r;

    must_be_owned(owner);
    send(x, END, tx, NULL, NULL, 0, cb, arg, &r);
    r->commit = commit;
    return 0;
}

static void api_forget(struct unik_xenstore *x, void *arg)
{
    (void)x;
    for (struct request *r = first; r; r = r->next)
        if (r->arg == arg) {
            r->cb = NULL;
            r->begun = NULL;
        }
}

static int api_watch(struct unik_xenstore *x, struct unik_ctx *owner, const char *path, unik_xenstore_watch_cb *cb,
                     void *arg, struct unik_xenstore_watch **out)
{
    must_be_owned(owner);
    for (size_t i = 0; i < WATCHES; i++)
        if (!watches[i].used) {
            watches[i] = (struct unik_xenstore_watch){ .used = true, .fires = true, .cb = cb, .arg = arg };
            watches[i].by = (struct view *)(void *)x;
            absolute(watches[i].by, path, watches[i].path);
            *out = &watches[i];
            wake();
            return 0;
        }
    return -ENOSPC;
}

static void api_unwatch(struct unik_xenstore *x, struct unik_xenstore_watch *w)
{
    (void)x;
    w->used = false;
}

static int api_domid(struct unik_xenstore *x) { return (int)((struct view *)(void *)x)->domid; }

/* ---- for the test ---- */

void fake_store_reset(struct ev_loop *loop)
{
    the_loop = loop;
    ev_idle_init(&turn, on_turn);
    ev_set_priority(&turn, EV_MAXPRI);
    spoil = requests = 0;
    failure = 0;
    held = false;
}

struct unik_xenstore *fake_store_view(unsigned domid)
{
    struct view *v = &views[domid];

    v->domid = domid;
    v->api = (struct unik_xenstore){
        .size = sizeof(v->api), .read = api_read, .directory = api_directory, .write = api_write, .remove = api_remove,
        .set_perms = api_set_perms, .begin = api_begin, .end = api_end, .forget = api_forget, .watch = api_watch,
        .unwatch = api_unwatch, .domid = api_domid
    };
    return &v->api;
}

bool fake_store_is_clean(void)
{
    for (size_t i = 0; i < TXS; i++)
        if (txs[i].used)
            return false;
    for (size_t i = 0; i < tree.n; i++)
        if (strstr(tree.nodes[i].path, "/data/vchan/"))
            return false;
    return !first;
}

void fake_store_free(void)
{
    tree_free(&tree);
    ev_idle_stop(the_loop, &turn);
}

const char *fake_store_get(const char *path)
{
    struct tree_node *n = tree_find(&tree, path);

    return n ? n->value : NULL;
}

const char *fake_store_perms(const char *path)
{
    static char text[64];
    struct tree_node *n = tree_find(&tree, path);
    size_t at = 0;

    text[0] = 0;
    for (size_t i = 0; n && i < n->perms_len; i += strlen(n->perms + i) + 1)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? "," : "", n->perms + i);
    return n ? text : NULL;
}

void fake_store_set(unsigned domid, const char *path, const char *value, unsigned reader)
{
    char full[128], rows[32];
    struct tree_node *n;
    int len;

    absolute(&views[domid], path, full);
    if (value) {
        n = tree_make(&tree, full);
        tree_set(n, value, strlen(value));
        len = snprintf(rows, sizeof(rows), "n%u%cr%u", domid, 0, reader);
        tree_set_perms(n, rows, (size_t)len + 1);
    } else {
        tree_remove(&tree, full);
    }
    generation++;
    fire(full, !value);
}

void fake_store_release(void) { fire("@releaseDomain", false); }
void fake_store_spoil(unsigned commits) { spoil = commits; }
void fake_store_fail(int error) { failure = error; }
unsigned fake_store_requests(void) { return requests; }

void fake_store_hold(bool yes)
{
    held = yes;
    wake();
}

unsigned fake_store_watches(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < WATCHES; i++)
        n += watches[i].used;
    return n;
}
