/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/entry.c - what xenstore says about a served channel: two leaves below data/vchan/PEER/PORT, which
 * the peer may read. They appear together and go as soon as a client is there, so that no second one finds them; the
 * peer's folder goes with the last of them.
 *
 * Each step is a transaction whose parts are answered later, and the channel may be closed meanwhile. So an entry has
 * a life of its own, in a queue; entries of one name follow each other in the order in which they were asked for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "plugins/vchan-xen/channel.h"

#define CONFLICTS_MAX 100       /* times a transaction is begun anew because somebody else interfered */

enum step { STEP_QUEUED, STEP_RUNNING, STEP_PRESENT };

struct entry {
    TAILQ_ENTRY(entry) link;            /* in the queue, unless PRESENT */
    struct vchan_xen *vx;
    struct channel *ch;                 /* NULL: nobody wants it any more */
    int peer;
    unsigned port;
    uint32_t ref, event_channel;
    enum step step;
    bool removing;                      /* what it is queued or running for; else announcing */
    unsigned conflicts;
    uint32_t tx;
    unsigned pending;                   /* requests of the transaction without answer */
    int error;                          /* the first of them */
};

static void pump(struct vchan_xen *vx);
static void begin(struct entry *e);

static struct unik_xenstore *store(struct entry *e) { return e->vx->xs; }

static void drop(struct entry *e)
{
    TAILQ_REMOVE(&e->vx->entries, e, link);
    free(e);
}

/* The transaction is over. Its owner may have closed the channel meanwhile: what was announced then goes at once. */
static void finish(struct entry *e, int error)
{
    struct vchan_xen *vx = e->vx;
    struct channel *ch = e->ch;
    bool unwanted = !e->removing && !ch, gone;

    vx->running--;
    if (error == -EAGAIN && !unwanted && e->conflicts++ < CONFLICTS_MAX) {
        begin(e);
        return;
    }
    /* xenstored takes no permission for a domain that is not there. */
    gone = error == -EINVAL && !unwanted && !vchan_xen_peer_exists(vx, e->peer);
    if (error < 0 && !unwanted && !gone)
        unik_warn(vx->ctx, "dom%d port %u: xenstore: %s the entry: %s", e->peer, e->port,
                  e->removing ? "removing" : "making", strerror(-error));
    if (e->removing || error < 0) {
        drop(e);
        if (ch) {
            ch->entry = NULL;
            vchan_xen_lost(ch, gone ? "peer domain is gone" : "xenstore", gone ? 0 : error);
            vchan_xen_due(ch);
        }
    } else if (unwanted) {
        e->removing = true;
        e->conflicts = 0;
        begin(e);
        return;
    } else {
        TAILQ_REMOVE(&vx->entries, e, link);
        e->step = STEP_PRESENT;
    }
    pump(vx);
}

static void on_end(int error, const char *value, size_t len, void *arg)
{
    (void)value, (void)len;
    finish(arg, error);
}

/* When all parts are answered: commit, or give up what an error spoilt. */
static void end_when_answered(struct entry *e)
{
    bool wanted = e->removing || e->ch;
    int error;

    if (e->pending)
        return;
    if (e->error == 0 && wanted) {
        error = store(e)->end(store(e), e->vx->ctx, e->tx, true, on_end, e);
        if (error < 0)
            finish(e, error);
        return;
    }
    store(e)->end(store(e), e->vx->ctx, e->tx, false, NULL, NULL);
    finish(e, e->error ? e->error : -ECANCELED);
}

static void note(struct entry *e, int error)
{
    if (error < 0 && e->error == 0)
        e->error = error;
}

static void on_part(int error, const char *value, size_t len, void *arg)
{
    struct entry *e = arg;

    (void)value, (void)len;
    e->pending--;
    note(e, error);
    end_when_answered(e);
}

/* Count a request that went out; note the error of one that could not. */
static void sent(struct entry *e, int error)
{
    if (error < 0)
        note(e, error);
    else
        e->pending++;
}

/* ---- announcing ---- */

/* The peer reads, nobody else: the value is worth nothing to others, but it is none of their business. */
static void write_leaf(struct entry *e, const char *leaf, uint32_t value)
{
    struct unik_xenstore *xs = store(e);
    const struct unik_xenstore_perm perms[] = {
        { UNIK_XENSTORE_NONE, (unsigned)xs->domid(xs) }, { UNIK_XENSTORE_READ, (unsigned)e->peer }
    };
    char path[VCHAN_XEN_PATH_MAX], text[16];
    int n = snprintf(text, sizeof(text), "%u", (unsigned)value);

    vchan_xen_server_path(path, e->peer, e->port, leaf);
    sent(e, xs->write(xs, e->vx->ctx, e->tx, path, text, (size_t)n, on_part, e));
    sent(e, xs->set_perms(xs, e->vx->ctx, e->tx, path, perms, 2, on_part, e));
}

/* ---- removing ---- */

static void on_list(int error, const char *names, size_t len, void *arg)
{
    struct entry *e = arg;
    char path[VCHAN_XEN_PATH_MAX];

    (void)names;
    e->pending--;
    vchan_xen_server_path(path, e->peer, -1, NULL);
    if (error == 0 && len == 0)
        sent(e, store(e)->remove(store(e), e->vx->ctx, e->tx, path, on_part, e));
    else if (error != -ENOENT)
        note(e, error);
    end_when_answered(e);
}

static void on_removed(int error, const char *value, size_t len, void *arg)
{
    on_part(error == -ENOENT ? 0 : error, value, len, arg);
}

static void remove_leaves(struct entry *e)
{
    struct unik_xenstore *xs = store(e);
    char path[VCHAN_XEN_PATH_MAX];

    vchan_xen_server_path(path, e->peer, e->port, NULL);
    sent(e, xs->remove(xs, e->vx->ctx, e->tx, path, on_removed, e));
    vchan_xen_server_path(path, e->peer, -1, NULL);
    sent(e, xs->directory(xs, e->vx->ctx, e->tx, path, on_list, e));
}

/* ---- the queue ---- */

static void on_begin(int error, uint32_t tx, void *arg)
{
    struct entry *e = arg;

    if (error < 0) {
        finish(e, error);
        return;
    }
    e->tx = tx;
    if (e->removing) {
        remove_leaves(e);
    } else if (e->ch) {
        write_leaf(e, "ring-ref", e->ref);
        write_leaf(e, "event-channel", e->event_channel);
    }
    end_when_answered(e);
}

static void begin(struct entry *e)
{
    int error;

    e->step = STEP_RUNNING;
    e->pending = 0;
    e->error = 0;
    e->vx->running++;
    error = store(e)->begin(store(e), e->vx->ctx, on_begin, e);
    if (error < 0)
        finish(e, error);
}

static bool is_behind_its_namesake(const struct entry *e)
{
    const struct entry *o;

    TAILQ_FOREACH(o, &e->vx->entries, link) {
        if (o == e)
            return false;
        if (o->peer == e->peer && o->port == e->port)
            return true;
    }
    return false;
}

static struct entry *next_to_begin(struct vchan_xen *vx)
{
    struct entry *e;

    TAILQ_FOREACH(e, &vx->entries, link)
        if (e->step == STEP_QUEUED && !is_behind_its_namesake(e))
            return e;
    return NULL;
}

/* Begin what may begin. A beginning that fails at once comes back here: the outer call goes on. */
static void pump(struct vchan_xen *vx)
{
    struct entry *e;

    if (vx->pumping)
        return;
    vx->pumping = true;
    while (vx->running < ENTRIES_RUNNING && (e = next_to_begin(vx)) != NULL)
        begin(e);
    vx->pumping = false;
    if (vx->stopping && TAILQ_EMPTY(&vx->entries))
        ev_timer_start(vx->ctx->loop, &vx->settled);
}

/* Put a served channel's page and port where its peer looks. */
int vchan_xen_announce(struct channel *ch, uint32_t ref)
{
    struct entry *e = calloc(1, sizeof(*e));

    if (!e)
        return -ENOMEM;
    *e = (struct entry){ .vx = ch->vx, .ch = ch, .peer = ch->peer, .port = ch->port, .ref = ref,
                         .event_channel = ch->lib->event_port };
    ch->entry = e;
    TAILQ_INSERT_TAIL(&ch->vx->entries, e, link);
    pump(ch->vx);
    return 0;
}

/* Take it out again, once; nothing if that was done. */
void vchan_xen_withdraw(struct channel *ch)
{
    struct vchan_xen *vx = ch->vx;
    struct entry *e = ch->entry;

    if (!e)
        return;
    ch->entry = NULL;
    e->ch = NULL;
    if (e->step == STEP_QUEUED) {
        drop(e);
    } else if (e->step == STEP_PRESENT) {
        e->step = STEP_QUEUED;
        e->removing = true;
        e->conflicts = 0;
        TAILQ_INSERT_TAIL(&vx->entries, e, link);
    }
    pump(vx);
}

void vchan_xen_forget_entries(struct vchan_xen *vx)
{
    struct entry *e;

    while ((e = TAILQ_FIRST(&vx->entries)) != NULL) {
        vx->xs->forget(vx->xs, e);
        drop(e);
    }
    vx->running = 0;
}
