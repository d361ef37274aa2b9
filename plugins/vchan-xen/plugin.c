/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/plugin.c - "vchan/1" over Xen's shared pages and event channels, with libxenvchan. The interface's
 * entry points, the plugin's life. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <unik/text.h>
#include "plugins/vchan-xen/channel.h"

#define STATUS_LINES 64         /* channels shown one by one in a status report */

static const struct unik_counter counters[] = {
    [OPEN] = { "open", UNIK_GAUGE, "connected channels" },
    [OPEN_HIGH] = { "open_high", UNIK_HIGH, "connected channels, the most at a time" },
    [CONNECTS] = { "connects", UNIK_COUNT, "channels that were connected" },
    [DISCONNECTS] = { "disconnects", UNIK_COUNT, "connected channels that ended, by whichever side" },
    [BYTES_IN] = { "bytes_in", UNIK_COUNT, "bytes received" },
    [BYTES_OUT] = { "bytes_out", UNIK_COUNT, "bytes sent" },
    [REFUSED] = { "refused", UNIK_COUNT, "channels asked for and not made: bad name, no memory or grants, too many" },
    [PEERS_GONE] = { "peers_gone", UNIK_COUNT, "channels that ended because the peer's domain was gone" },
    [BAD_PEER] = { "bad_peer", UNIK_COUNT, "channels or offers with impossible values in the peer's shared page" },
    [SHARED] = { "shared_pages", UNIK_GAUGE, "pages granted to other domains" },
    [SHARED_HIGH] = { "shared_pages_high", UNIK_HIGH, "pages granted, the most at a time" },
    { 0 }
};

static struct vchan_xen *plugin_of(struct unik_vchan *v) { return (struct vchan_xen *)(void *)v; }

static int api_domid(struct unik_vchan *v) { return plugin_of(v)->xs->domid(plugin_of(v)->xs); }

static int refuse(struct vchan_xen *vx, int peer, unsigned port, int error)
{
    vx->ctx->counters[REFUSED]++;
    unik_warn(vx->ctx, "dom%d port %u: refused: %s", peer, port, strerror(-error));
    return error;
}

static int check_peer(struct vchan_xen *vx, int peer)
{
    int self = vx->xs->domid(vx->xs);

    if (self < 0)
        return self;
    if (vx->stopping || peer < 0 || peer > VCHAN_XEN_DOMID_LAST || peer == self)
        return -EINVAL;
    return vx->n == CHANNELS_MAX ? -EMFILE : 0;
}

static bool is_served(struct vchan_xen *vx, int peer, unsigned port)
{
    struct channel *ch;

    LIST_FOREACH(ch, &vx->channels, link)
        if (ch->server && ch->state == UNIK_VCHAN_WAITING && ch->peer == peer && ch->port == port)
            return true;
    return false;
}

static int serve(struct channel *ch, size_t read_min, size_t write_min)
{
    struct libxenvchan *lib = NULL;
    int e, read_order, write_order;
    uint32_t ref = 0;

    vchan_xen_orders(read_min, write_min, &read_order, &write_order);
    if (unik_ring_init(&ch->rx, (size_t)1 << read_order) < 0)
        return -ENOMEM;
    e = vchan_xen_offer(&ch->vx->machine, ch->peer, read_order, write_order, &lib, &ref);
    if (e < 0)
        return e;
    vchan_xen_begin(ch, lib);
    return vchan_xen_announce(ch, ref);
}

static int api_listen(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, size_t read_min,
                      size_t write_min, unik_stream_cb *cb, void *arg, struct unik_stream **out)
{
    struct vchan_xen *vx = plugin_of(v);
    struct channel *ch;
    int e = check_peer(vx, peer);

    *out = NULL;
    if (e == 0 && (read_min < 1 || read_min > UNIK_VCHAN_RING_MAX || write_min < 1 || write_min > UNIK_VCHAN_RING_MAX))
        e = -EINVAL;
    if (e == 0 && is_served(vx, peer, port))
        e = -EADDRINUSE;
    if (e < 0)
        return refuse(vx, peer, port, e);
    ch = vchan_xen_new(vx, peer, port, true, cb, arg);
    e = ch ? serve(ch, read_min, write_min) : -ENOMEM;
    if (e < 0) {
        if (ch)
            vchan_xen_free(ch);
        return refuse(vx, peer, port, e);
    }
    ch->owner = owner;
    *out = &ch->stream;
    return 0;
}

static int api_connect(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, unik_stream_cb *cb,
                       void *arg, struct unik_stream **out)
{
    struct vchan_xen *vx = plugin_of(v);
    struct channel *ch;
    int e = check_peer(vx, peer);

    *out = NULL;
    if (e < 0)
        return refuse(vx, peer, port, e);
    ch = vchan_xen_new(vx, peer, port, false, cb, arg);
    e = ch ? vchan_xen_seek(ch) : -ENOMEM;
    if (e < 0) {
        if (ch)
            vchan_xen_free(ch);
        return refuse(vx, peer, port, e);
    }
    ch->owner = owner;
    *out = &ch->stream;
    return 0;
}

/* On Xen there may be sockets all the same: a developer's machine that is itself a VM. The environment says which. */
static int usable(struct unik_ctx *ctx)
{
    static const char *const needed[] = { "/dev/xen/evtchn", "/dev/xen/gntalloc", "/dev/xen/gntdev" };

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (access(needed[i], R_OK | W_OK) < 0) {
            int e = -errno;

            unik_debug(ctx, "%s: %s", needed[i], strerror(-e));
            return e;
        }
    if (getenv("VCHAN_SOCKET_DIR") || getenv("VCHAN_DOMAIN")) {
        unik_info(ctx, "the environment asks for socket vchan (VCHAN_SOCKET_DIR or VCHAN_DOMAIN is set)");
        return -ENODEV;
    }
    return 0;
}

static void end(struct vchan_xen *vx)
{
    struct unik_ctx *ctx = vx->ctx;

    ev_timer_stop(ctx->loop, &vx->settled);
    ev_idle_stop(ctx->loop, &vx->look);
    vchan_xen_unwatch_peers(vx);
    vchan_xen_pages_stop(vx);
    vchan_xen_shut(&vx->machine);
    ctx->data = NULL;
    free(vx);
}

static void on_settled(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct vchan_xen *vx = w->data;
    struct unik_ctx *ctx = vx->ctx;

    (void)loop, (void)revents;
    end(vx);
    unik_stopped(ctx);
}

static void prepare(struct vchan_xen *vx, struct unik_ctx *ctx)
{
    vx->api = (struct unik_vchan){ .size = sizeof(vx->api), .domid = api_domid, .listen = api_listen,
                                   .connect = api_connect, .state = vchan_xen_state, .reason = vchan_xen_reason };
    vx->ctx = ctx;
    vx->xs = unik_get(ctx, "xenstore/1");
    LIST_INIT(&vx->channels);
    TAILQ_INIT(&vx->due);
    TAILQ_INIT(&vx->entries);
    ev_idle_init(&vx->look, vchan_xen_on_look);
    ev_set_priority(&vx->look, EV_MAXPRI);
    ev_timer_init(&vx->settled, on_settled, 0, 0);
    vx->look.data = vx->settled.data = vx;
    ctx->counters[OPEN] = 0;
    ctx->data = vx;
}

static int start(struct unik_ctx *ctx)
{
    struct vchan_xen *vx = calloc(1, sizeof(*vx));
    int e;

    if (!vx)
        return -ENOMEM;
    prepare(vx, ctx);
    e = vchan_xen_open(&vx->machine);
    if (e < 0) {
        unik_error(ctx, "/dev/xen/evtchn: %s", strerror(-e));
    } else {
        if (!vx->machine.status)
            unik_info(ctx, "no hypercalls for us (privcmd): that a domain we connected to has crashed is not noticed");
        e = vchan_xen_watch_peers(vx);
    }
    if (e == 0)
        e = unik_provide(ctx, "vchan/1", &vx->api);
    if (e == 0)
        e = vchan_xen_pages_start(vx);
    if (e < 0) {
        end(vx);
        return e;
    }
    unik_info(ctx, "domain %d", vx->xs->domid(vx->xs));
    unik_ready(ctx);
    return 0;
}

/* Those who used the interface have stopped. Entries that are on their way out of xenstore go before us. */
static void stop(struct unik_ctx *ctx)
{
    struct vchan_xen *vx = ctx->data;
    struct channel *ch;

    vx->stopping = true;
    while ((ch = LIST_FIRST(&vx->channels)) != NULL) {
        unik_warn(ctx, "%s port %u: left open by its user", ch->peer_name, ch->port);
        vchan_xen_free(ch);
    }
    if (TAILQ_EMPTY(&vx->entries)) {
        end(vx);
        unik_stopped(ctx);
    }
}

static void abandon(struct unik_ctx *ctx)
{
    vchan_xen_forget_entries(ctx->data);
    end(ctx->data);
}

/* A plugin has stopped and left channels here: their callbacks must not be called any more. */
static void left(struct unik_ctx *ctx, struct unik_ctx *user)
{
    struct vchan_xen *vx = ctx->data;
    struct channel *ch, *next;

    for (ch = vx ? LIST_FIRST(&vx->channels) : NULL; ch; ch = next) {
        next = LIST_NEXT(ch, link);
        if (ch->owner != user)
            continue;
        unik_warn(ctx, "%s stopped and left behind: %s %s port %u", user->plugin->name,
                  ch->server ? "channel to" : "channel from", ch->peer_name, ch->port);
        unik_stream_abort(&ch->stream);
    }
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    static const char *const states[] = { "waiting", "connected", "disconnected" };
    struct vchan_xen *vx = ctx->data;
    struct channel *ch;
    unsigned lines = 0;

    if (!vx)
        return;
    unik_text_add(out, "domid: %d\n", vx->xs->domid(vx->xs));
    LIST_FOREACH(ch, &vx->channels, link) {
        if (lines++ == STATUS_LINES) {
            unik_text_add(out, "channel: %u in all\n", vx->n);
            break;
        }
        unik_text_add(out, "channel: %s %s port %u %s, in %zu/%zu", ch->server ? "to" : "from", ch->peer_name, ch->port,
                      states[ch->state], unik_ring_used(&ch->rx), ch->rx.size);
        if (ch->lib)
            unik_text_add(out, ", rings %u/%u", 1u << ch->lib->read.order, 1u << ch->lib->write.order);
        unik_text_add(out, "\n");
    }
}

static const char *const needs[] = { "xenstore/1", NULL }, *const provides[] = { "vchan/1", "pages/1", NULL };

UNIK_PLUGIN(vchan_xen) = {
    UNIK_PLUGIN_HEAD, .name = "vchan-xen", .version = "1", .summary = "vchan over Xen's shared memory",
    .targets = UNIK_ON_QUBES, .needs = needs, .provides = provides, .counters = counters, .usable = usable,
    .start = start, .stop = stop, .abandon = abandon, .left = left, .status = status
};
