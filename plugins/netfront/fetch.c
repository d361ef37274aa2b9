/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/fetch.c - several nodes read at once. Values may be the back end's: hostile, and bounded here. */
#include <errno.h>
#include "plugins/netfront/front.h"

void nf_fetch_init(struct fetch *f, struct unik_ctx *ctx, struct unik_xenstore *xs, void (*done)(void *arg), void *arg)
{
    *f = (struct fetch){ .ctx = ctx, .xs = xs, .done = done, .arg = arg };
    for (unsigned i = 0; i < FETCH_MAX; i++)
        f->row[i].f = f;
}

static void answered(struct fetch *f)
{
    if (--f->pending == 0)
        f->done(f->arg);
}

static void on_value(int error, const char *value, size_t len, void *arg)
{
    struct fetch_row *r = arg;

    r->error = error == 0 && len >= VALUE_MAX ? -E2BIG : error;
    r->len = r->error ? 0 : len;
    memcpy(r->value, value, r->len);
    r->value[r->len] = 0;
    answered(r->f);
}

/* One more is pending than there are requests, until all have been made. */
void nf_fetch_begin(struct fetch *f)
{
    f->n = 0;
    f->pending = 1;
}

void nf_fetch_add(struct fetch *f, const char *path)
{
    struct fetch_row *r = &f->row[f->n++];
    int e = f->xs->read(f->xs, f->ctx, 0, path, on_value, r);

    if (e == 0) {
        f->pending++;
        return;
    }
    r->error = e;
    r->len = 0;
    r->value[0] = 0;
}

void nf_fetch_go(struct fetch *f) { answered(f); }

void nf_fetch_cancel(struct fetch *f)
{
    for (unsigned i = 0; i < f->n; i++)
        f->xs->forget(f->xs, &f->row[i]);
    f->n = f->pending = 0;
}

int nf_fetch_error(const struct fetch *f)
{
    for (unsigned i = 0; i < f->n; i++) {
        int e = f->row[i].error;

        if (e && e != -ENOENT && e != -EACCES && e != -E2BIG)
            return e;
    }
    return 0;
}

uint32_t nf_fetch_number(const struct fetch *f, unsigned row, uint32_t most, uint32_t fallback)
{
    const struct fetch_row *r = &f->row[row];
    uint32_t n;

    return r->error == 0 && netif_number(r->value, r->len, most, &n) == 0 ? n : fallback;
}
