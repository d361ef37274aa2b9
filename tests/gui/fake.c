/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/fake.c - pages/1 and qubesdb/1 in memory. */
#include <stdio.h>
#include <stdlib.h>
#include "protocol/gui.h"
#include "tests/gui/fake.h"

/* ---- pages ---- */

static struct fake *pages_of(struct unik_pages *p) { return (struct fake *)(void *)((char *)p - offsetof(struct fake, pages)); }

static void drop(struct fake_block *b)
{
    free(b->shared.bytes);
    free(b->refs);
    free(b);
}

static int p_share(struct unik_pages *p, int peer, size_t pages, bool writable, struct unik_shared **out)
{
    struct fake *f = pages_of(p);
    struct fake_block *b;

    if (!pages || pages > UNIK_PAGES_MAX || writable)
        abort();
    if (f->shared + pages > f->most)
        return -ENOSPC;
    for (size_t i = 0; i < FAKE_BLOCKS; i++)
        if (!f->blocks[i]) {
            b = f->blocks[i] = calloc(1, sizeof(*b));
            b->shared = (struct unik_shared){ calloc(pages, UNIK_PAGE), pages, NULL };
            b->shared.refs = b->refs = calloc(pages, sizeof(b->refs[0]));
            for (size_t k = 0; k < pages; k++)
                b->refs[k] = f->next_ref += 3;
            b->peer = peer;
            b->live = true;
            f->shared += pages;
            f->shares++;
            *out = &b->shared;
            return 0;
        }
    fprintf(stderr, "fake: too many blocks\n");
    abort();
}

static size_t slot_of(struct fake *f, const struct fake_block *b)
{
    for (size_t i = 0; i < FAKE_BLOCKS; i++)
        if (f->blocks[i] == b)
            return i;
    abort();
}

static void p_unshare(struct unik_pages *p, struct unik_shared *s)
{
    struct fake *f = pages_of(p);
    struct fake_block *b = (struct fake_block *)(void *)s;
    size_t i = slot_of(f, b);

    if (!b->live)
        abort();
    b->live = false;
    f->shared -= s->pages;
    if (b->maps == 0) {
        f->blocks[i] = NULL;
        drop(b);
    }
}

struct fake_block *fake_map(struct fake *f, int peer, const uint32_t *refs, size_t n)
{
    for (size_t i = 0; i < FAKE_BLOCKS; i++) {
        struct fake_block *b = f->blocks[i];

        if (b && b->live && b->peer == peer && n && b->shared.pages == n && memcmp(b->refs, refs, n * sizeof(refs[0])) == 0) {
            b->maps++;
            return b;
        }
    }
    return NULL;
}

void fake_unmap(struct fake *f, struct fake_block *b)
{
    size_t i = slot_of(f, b);

    if (--b->maps == 0 && !b->live) {
        f->blocks[i] = NULL;
        drop(b);
    }
}

/* ---- qubesdb ---- */

static struct fake *db_of(struct unik_qubesdb *q) { return (struct fake *)(void *)((char *)q - offsetof(struct fake, db)); }

static int key_of(struct fake *f, const char *path)
{
    for (int i = 0; i < FAKE_KEYS; i++)
        if (f->keys[i].key && strcmp(f->keys[i].key, path) == 0)
            return i;
    return -1;
}

static const char *q_read(struct unik_qubesdb *q, const char *path, size_t *len)
{
    struct fake *f = db_of(q);
    int i = key_of(f, path);

    if (i < 0 || !f->keys[i].there)
        return NULL;
    if (len)
        *len = strlen(f->keys[i].value);
    return f->keys[i].value;
}

static int q_watch(struct unik_qubesdb *q, struct unik_ctx *owner, const char *path, unsigned flags,
                    unik_qubesdb_cb *cb, void *arg, struct unik_qubesdb_watch **out)
{
    struct fake *f = db_of(q);
    int i = key_of(f, path);

    if (!owner || i < 0 || f->keys[i].cb)
        abort();
    f->keys[i].cb = cb;
    f->keys[i].arg = arg;
    f->keys[i].tell = flags & UNIK_QUBESDB_NOW;
    ev_idle_start(f->v.loop, &f->db_idle);
    *out = (struct unik_qubesdb_watch *)(void *)&f->keys[i];
    return 0;
}

static void q_unwatch(struct unik_qubesdb *q, struct unik_qubesdb_watch *w)
{
    struct fake *f = db_of(q);

    for (int i = 0; i < FAKE_KEYS; i++)
        if ((void *)&f->keys[i] == (void *)w)
            f->keys[i].cb = NULL;
}

static void on_db(struct ev_loop *loop, ev_idle *w, int revents)
{
    struct fake *f = w->data;

    (void)revents;
    ev_idle_stop(loop, w);
    for (int i = 0; i < FAKE_KEYS; i++)
        if (f->keys[i].tell) {
            f->keys[i].tell = false;
            if (f->keys[i].cb)
                f->keys[i].cb(f->keys[i].key, f->keys[i].there ? f->keys[i].value : NULL, strlen(f->keys[i].value),
                              f->keys[i].arg);
        }
}

void fake_set(struct fake *f, const char *key, const char *value)
{
    int i = key_of(f, key);

    f->keys[i].there = value;
    snprintf(f->keys[i].value, sizeof(f->keys[i].value), "%s", value ? value : "");
    f->keys[i].tell = f->keys[i].cb;
    ev_idle_start(f->v.loop, &f->db_idle);
}

/* ---- all ---- */

void fake_init(struct fake *f, struct ev_loop *loop)
{
    memset(f, 0, sizeof(*f));
    fake_vchan_init(&f->v, loop, GUI_PORT);
    f->v.ring = 8192;                   /* as the plugin asks for */
    f->pages = (struct unik_pages){ sizeof(f->pages), p_share, p_unshare };
    f->db = (struct unik_qubesdb){ .size = sizeof(f->db), .read = q_read, .watch = q_watch, .unwatch = q_unwatch };
    f->next_ref = 8;
    f->most = SIZE_MAX;
    f->keys[0].key = "/name";
    f->keys[1].key = "/qubes-gui-domain-xid";
    f->keys[2].key = "/keyboard-layout";
    f->keys[3].key = "/qubes-keyboard";
    ev_idle_init(&f->db_idle, on_db);
    f->db_idle.data = f;
}

void fake_free(struct fake *f)
{
    ev_idle_stop(f->v.loop, &f->db_idle);
    if (f->v.open || f->v.overlaps || f->shared) {
        fprintf(stderr, "fake: left: %d channels, %zu pages\n", f->v.open, f->shared);
        abort();
    }
    for (size_t i = 0; i < FAKE_BLOCKS; i++)
        if (f->blocks[i]) {
            fprintf(stderr, "fake: block %zu is still mapped\n", i);
            abort();
        }
    for (int i = 0; i < FAKE_KEYS; i++)
        if (f->keys[i].cb)
            abort();
}
