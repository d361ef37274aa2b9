/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/search.c - which interfaces there are. Whatever changes in device/vif, all of it is looked at again: the folder may
 * vanish without any change of state, and come back under the same number with another back end
 * (doc/protocol/network.md, 5.1). */
#include <errno.h>
#include <stdio.h>
#include "plugins/netfront/front.h"

#define FOLDER "device/vif"

enum row { ROW_STATE, ROW_BACKEND, ROW_BACKEND_ID };

static void begin(struct netfront *nf);
static void read_next(struct netfront *nf);

/* ---- what was found is acted on ---- */

static int find(const struct search *s, unsigned number)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->row[i].number == number)
            return (int)i;
    return -1;
}

/* Is the one that was taken still what it was? */
static void check_taken(struct netfront *nf)
{
    const struct vif *v = &nf->vif;
    int i = find(&nf->search, v->number);

    if (v->step == STEP_NONE)
        return;
    if (i < 0 || !nf->search.row[i].backend[0])
        nf_vif_drop(nf, "it was taken away");
    else if (strcmp(nf->search.row[i].backend, v->backend) != 0)
        nf_vif_drop(nf, "it has another back end");
    else if (nf->search.row[i].state == 1 && v->step >= STEP_OFFERED)
        nf_vif_drop(nf, "it was made anew");
}

/* One that is new comes first; else one that somebody before us used, in this domain, and left. */
static void choose(struct netfront *nf)
{
    const struct search *s = &nf->search;
    int best = -1;

    if (nf->vif.step != STEP_NONE && nf->vif.step != STEP_CLOSED)
        return;
    for (unsigned i = 0; i < s->n; i++) {
        bool is_new = s->row[i].state == 1;

        if (!s->row[i].backend[0] || (config(nf)->device >= 0 && s->row[i].number != (unsigned)config(nf)->device))
            continue;
        if (nf->vif.step == STEP_CLOSED && !is_new)
            continue;
        if (best < 0 || (is_new && s->row[best].state != 1))
            best = (int)i;
    }
    if (best >= 0) {
        if (nf->vif.step != STEP_NONE)
            nf_vif_drop(nf, "there is a new one");
        nf_vif_take(nf, (unsigned)best);
    } else if (nf->vif.step == STEP_NONE && s->n == 0) {
        netfront_degraded(nf, "no network interface: " FOLDER " is empty");
    } else if (nf->vif.step == STEP_NONE && config(nf)->device >= 0) {
        netfront_degraded(nf, "no network interface: " FOLDER "/%u is not there or has no back end", (unsigned)config(nf)->device);
    }
}

static void finish(struct netfront *nf)
{
    struct search *s = &nf->search;

    s->running = false;
    if (s->again || s->epoch != nf->epoch) {    /* states that we have written since are older than what we know */
        begin(nf);
        return;
    }
    check_taken(nf);
    choose(nf);
}

/* ---- reading ---- */

/* from dom0 */
static void on_row(void *arg)
{
    struct netfront *nf = arg;
    struct search *s = &nf->search;
    const struct fetch *f = &s->fetch;
    unsigned number = s->row[s->at].number;
    uint32_t peer = nf_fetch_number(f, ROW_BACKEND_ID, DOMID_LAST, UINT32_MAX);
    const char *bad = NULL;

    if (nf_fetch_error(f)) {
        s->running = false;
        nf_search_retry(nf, nf_fetch_error(f));
        return;
    }
    s->row[s->at].state = nf_fetch_number(f, ROW_STATE, 8, 0);
    if (f->row[ROW_BACKEND].error || f->row[ROW_BACKEND].len >= VIF_PATH_MAX - sizeof("/feature-ipv6-csum-offload"))
        bad = "backend";
    else if (peer == UINT32_MAX)
        bad = "backend-id";
    if (bad && nf->vif.step == STEP_NONE)
        netfront_degraded(nf, FOLDER "/%u/%s is missing or wrong: this interface is not used", number, bad);
    s->row[s->at].peer = bad ? -1 : (int)peer;
    snprintf(s->row[s->at].backend, VIF_PATH_MAX, "%s", bad ? "" : f->row[ROW_BACKEND].value);
    s->at++;
    read_next(nf);
}

static void read_next(struct netfront *nf)
{
    static const char *const leaf[] = { "state", "backend", "backend-id" };
    struct search *s = &nf->search;

    if (s->at == s->n) {
        finish(nf);
        return;
    }
    nf_fetch_begin(&s->fetch);
    for (size_t i = 0; i < sizeof(leaf) / sizeof(leaf[0]); i++) {
        char path[VIF_PATH_MAX];

        snprintf(path, sizeof(path), FOLDER "/%u/%s", s->row[s->at].number, leaf[i]);
        nf_fetch_add(&s->fetch, path);
    }
    nf_fetch_go(&s->fetch);
}

/* The folder's names, in the order of their numbers; those that are no numbers are none of ours. */
static void list(struct search *s, const char *names, size_t len)
{
    for (const char *p = names; p < names + len && s->n < VIFS_MAX; p += strlen(p) + 1) {
        uint32_t number;
        unsigned at;

        if (netif_number(p, strlen(p), VIF_NUMBER_MAX, &number) < 0)
            continue;
        for (at = s->n++; at > 0 && s->row[at - 1].number > number; at--)
            s->row[at].number = s->row[at - 1].number;
        s->row[at].number = number;
    }
}

static void on_names(int error, const char *names, size_t len, void *arg)
{
    struct search *s = arg;
    struct netfront *nf = s->nf;

    if (error && error != -ENOENT && error != -EACCES) {
        s->running = false;
        nf_search_retry(nf, error);
        return;
    }
    s->n = s->at = 0;
    if (!error)
        list(s, names, len);
    read_next(nf);
}

static void begin(struct netfront *nf)
{
    struct search *s = &nf->search;
    int e;

    s->running = true;
    s->again = false;
    s->epoch = nf->epoch;
    e = nf->xs->directory(nf->xs, nf->ctx, 0, FOLDER, on_names, s);
    if (e < 0) {
        s->running = false;
        nf_search_retry(nf, e);
    }
}

void nf_search_retry(struct netfront *nf, int error)
{
    if (error == -ECONNRESET || error == -ENOTCONN || error == -ECANCELED || ev_is_active(&nf->retry))
        return;
    unik_warn(nf->ctx, FOLDER ": %s: trying again", strerror(-error));
    ev_timer_set(&nf->retry, config(nf)->retry, 0);
    ev_timer_start(nf->ctx->loop, &nf->retry);
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct netfront *nf = w->data;

    (void)loop, (void)revents;
    nf_search_again(nf);
    if (nf->vif.step != STEP_NONE)
        nf_vif_look(nf);
}

void nf_search_again(struct netfront *nf)
{
    if (nf->stopping)
        return;
    if (nf->search.running)
        nf->search.again = true;
    else
        begin(nf);
}

static void on_change(const char *path, void *arg)
{
    (void)path;
    nf_search_again(arg);
}

int nf_search_begin(struct netfront *nf)
{
    nf->search.nf = nf;
    ev_timer_init(&nf->retry, on_retry, 0, 0);
    nf->retry.data = nf;
    nf_fetch_init(&nf->search.fetch, nf->ctx, nf->xs, on_row, nf);
    return nf->xs->watch(nf->xs, nf->ctx, FOLDER, on_change, nf, &nf->search.watch);
}

void nf_search_end(struct netfront *nf)
{
    if (nf->search.watch)
        nf->xs->unwatch(nf->xs, nf->search.watch);
    nf->search.watch = NULL;
    nf->search.running = false;
    ev_timer_stop(nf->ctx->loop, &nf->retry);
    nf_fetch_cancel(&nf->search.fetch);
    nf->xs->forget(nf->xs, &nf->search);
}
