/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/client.c - the seeking side: wait until the server's entry is in xenstore, then use what it names.
 *
 * Only the two leaves are readable for us, not their folder, so the watch is on one of them, and a missing one may be
 * reported as EACCES. Values and page come from another VM; what makes no sense in them is a server that is not
 * there. */
#include <errno.h>
#include <stdlib.h>
#include "plugins/vchan-xen/channel.h"

#define RETRY_FIRST 1.0         /* seconds, doubled: this machine lacked memory, grants or descriptors */
#define RETRY_MOST 60.0
#define LEFT_LOOKS 10           /* looks without a server, after one was there, until the channel ends ... */
#define LEFT_EVERY 0.25         /* ... seconds apart: counted, so that a pause of this machine is one of them */
#define STAGING_MAX 65536u      /* bytes read ahead of the owner, whatever ring the server chose */

static void ask(struct channel *ch);

static void leaf_path(const struct channel *ch, char path[VCHAN_XEN_PATH_MAX], const char *leaf)
{
    vchan_xen_client_path(path, ch->peer, ch->vx->xs->domid(ch->vx->xs), ch->port, leaf);
}

static void give_up(struct channel *ch, const char *why, int error)
{
    vchan_xen_lost(ch, why, error);
    vchan_xen_unseek(ch);
    vchan_xen_due(ch);
}

/* What the entry says now: 0, 0: it is not there. What stands there from the beginning may be left over from a server before
 * ours. When it changes, our server has come, or has been there. */
static void seen(struct channel *ch, uint32_t event_channel, uint32_t ref)
{
    if (ch->looked && (event_channel != ch->last_event_channel || ref != ch->last_ref)) {
        ch->came = true;
        ch->left = 0;
    }
    ch->looked = true;
    ch->last_event_channel = event_channel;
    ch->last_ref = ref;
}

/* Nobody there. The watch tells when that changes, unless the domain itself is gone. A server that has been there does not come
 * twice; but one may take another's entry out before it writes its own, so that is looked at for a while. */
static void wait_on(struct channel *ch)
{
    if (!vchan_xen_peer_exists(ch->vx, ch->peer)) {
        ch->vx->ctx->counters[PEERS_GONE]++;
        give_up(ch, "peer domain is gone", 0);
    } else if (ch->came && ch->left >= LEFT_LOOKS) {
        give_up(ch, "its server came and has left", 0);
    } else if (ch->came) {
        ev_timer_stop(ch->vx->ctx->loop, &ch->retry);
        ev_timer_set(&ch->retry, LEFT_EVERY, 0);
        ev_timer_start(ch->vx->ctx->loop, &ch->retry);
    }
}

static void retry_later(struct channel *ch, int error)
{
    ch->delay = ch->delay == 0 ? RETRY_FIRST : ch->delay * 2 < RETRY_MOST ? ch->delay * 2 : RETRY_MOST;
    unik_warn(ch->vx->ctx, "%s port %u: connect: %s; again in %g s", ch->peer_name, ch->port, strerror(-error),
              ch->delay);
    ev_timer_set(&ch->retry, ch->delay, 0);
    ev_timer_start(ch->vx->ctx->loop, &ch->retry);
}

static void attach(struct channel *ch, uint32_t ref)
{
    struct libxenvchan *lib = NULL;
    const char *why = NULL;
    int e = vchan_xen_attach(&ch->vx->machine, ch->peer, ref, ch->event_channel, &lib, &why);
    size_t size;

    seen(ch, ch->event_channel, ref);
    if (e == -EPROTO) {
        ch->vx->ctx->counters[BAD_PEER]++;
        unik_warn(ch->vx->ctx, "%s port %u: bad page at grant reference %u: %s", ch->peer_name, ch->port, (unsigned)ref,
                  why ? why : "?");
    }
    if (e == -EPROTO || e == -EINVAL || e == -EBUSY || e == -ESRCH) {
        wait_on(ch);            /* left behind by a server that is gone, or taken by another client */
        return;
    }
    if (e < 0) {
        retry_later(ch, e);
        return;
    }
    size = (size_t)1 << lib->read.order;
    if (unik_ring_init(&ch->rx, size < STAGING_MAX ? size : STAGING_MAX) < 0) {
        libxenvchan_close(lib);
        give_up(ch, "connect", -ENOMEM);
        return;
    }
    vchan_xen_unseek(ch);
    vchan_xen_begin(ch, lib);
    vchan_xen_opened(ch);
    vchan_xen_tell(ch, UNIK_STREAM_OPEN);
}

static void missing(struct channel *ch)
{
    seen(ch, 0, 0);
    wait_on(ch);
}

/* The answers to a question. True: it is used up (the entry changed meanwhile, or is not there). */
static bool is_stale(struct channel *ch, int error, const char *value, size_t len, uint32_t *number)
{
    *number = error == 0 ? vchan_xen_number(value, len) : 0;
    if (*number && !ch->again)
        return false;
    ch->asking = false;
    if (ch->again)
        ask(ch);
    else if (error == 0 || error == -ENOENT || error == -EACCES)
        missing(ch);
    else
        give_up(ch, "xenstore", error);
    return true;
}

static void on_ring_ref(int error, const char *value, size_t len, void *arg)
{
    struct channel *ch = arg;
    uint32_t ref;

    if (is_stale(ch, error, value, len, &ref))
        return;
    ch->asking = false;
    attach(ch, ref);
}

static void on_event_channel(int error, const char *value, size_t len, void *arg)
{
    struct channel *ch = arg;
    struct unik_xenstore *xs = ch->vx->xs;
    char path[VCHAN_XEN_PATH_MAX];

    if (is_stale(ch, error, value, len, &ch->event_channel))
        return;
    leaf_path(ch, path, "ring-ref");
    error = xs->read(xs, ch->vx->ctx, 0, path, on_ring_ref, ch);
    if (error < 0)
        give_up(ch, "xenstore", error);
}

static void ask(struct channel *ch)
{
    struct unik_xenstore *xs = ch->vx->xs;
    char path[VCHAN_XEN_PATH_MAX];
    int error;

    ch->again = ch->asking;
    if (ch->asking)
        return;
    ch->asking = true;
    leaf_path(ch, path, "event-channel");
    error = xs->read(xs, ch->vx->ctx, 0, path, on_event_channel, ch);
    if (error < 0)
        give_up(ch, "xenstore", error);
}

static void on_entry(const char *path, void *arg)
{
    struct channel *ch = arg;

    (void)path;
    ev_timer_stop(ch->vx->ctx->loop, &ch->retry);
    ask(ch);
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct channel *ch = w->data;

    (void)loop, (void)revents;
    ch->left++;
    ask(ch);
}

int vchan_xen_seek(struct channel *ch)
{
    struct unik_xenstore *xs = ch->vx->xs;
    char path[VCHAN_XEN_PATH_MAX];

    ev_timer_init(&ch->retry, on_retry, 0, 0);
    ch->retry.data = ch;
    leaf_path(ch, path, "event-channel");
    return xs->watch(xs, ch->vx->ctx, path, on_entry, ch, &ch->watch);
}

/* Connected, or not wanted any more. */
void vchan_xen_unseek(struct channel *ch)
{
    struct unik_xenstore *xs = ch->vx->xs;

    if (ch->watch)
        xs->unwatch(xs, ch->watch);
    ch->watch = NULL;
    if (ch->asking)
        xs->forget(xs, ch);
    ch->asking = false;
    ev_timer_stop(ch->vx->ctx->loop, &ch->retry);
}
