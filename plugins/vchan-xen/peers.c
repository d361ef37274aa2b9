/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/peers.c - peers that disappear. A domain that is destroyed sends no event and leaves its live byte
 * as it was. What tells of it is @releaseDomain in xenstore, fired when a domain shuts down and again when it is gone,
 * without saying which: so every channel is looked at then.
 *
 * A connected channel is asked by the state of its own event channel, which is cut when the domain dies. Where that
 * cannot be asked (no privcmd device, or it refuses), and for those that wait, it is asked whether Xen still knows the
 * domain. It does for some moments after the news, hence the looks that follow; and for as long as somebody maps its
 * pages. So without privcmd a connected client, which maps its server's, does not learn that the server's domain has
 * died.
 *
 * Since Xen 4.15 only dom0 hears of @releaseDomain, unless dom0 has given others leave to. So as long as there is a channel
 * with a domain other than dom0, every PEER_POLL seconds it is looked without any news. */
#include <errno.h>
#include "plugins/vchan-xen/channel.h"

/* dom0 does not disappear while we are there. */
bool vchan_xen_peer_exists(struct vchan_xen *vx, int peer) { return peer == 0 || vchan_xen_exists(&vx->machine, peer); }

/* Whether more looks make sense soon: somebody relies on whether the domain is known. *others: there are channels whose peer
 * can be gone one day. */
static bool look_at_all(struct vchan_xen *vx, bool *others)
{
    struct channel *ch;
    bool again = false;

    *others = false;

    LIST_FOREACH(ch, &vx->channels, link) {
        int status = -ENOTCONN;

        if (ch->peer == 0 || ch->state == UNIK_VCHAN_DISCONNECTED)
            continue;
        if (ch->state == UNIK_VCHAN_CONNECTED)
            status = vchan_xen_port_status(&vx->machine, ch->lib->event_port);
        if (vchan_xen_peer_gone(ch->state, status, vchan_xen_exists(&vx->machine, ch->peer))) {
            vx->ctx->counters[PEERS_GONE]++;
            vchan_xen_lost(ch, "peer domain is gone", 0);
            vchan_xen_due(ch);
        } else {
            *others = true;
            again = again || status < 0;
        }
    }
    return again;
}

static void look_in(struct vchan_xen *vx, double seconds)
{
    ev_timer_stop(vx->ctx->loop, &vx->recheck);
    ev_timer_set(&vx->recheck, seconds, 0);
    ev_timer_start(vx->ctx->loop, &vx->recheck);
}

static void on_recheck(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct vchan_xen *vx = w->data;
    bool others, again = look_at_all(vx, &others);

    (void)loop, (void)revents;
    if (again && vx->rechecks < RECHECKS)
        look_in(vx, RECHECK_FIRST * (1 << vx->rechecks++));
    else if (others)
        look_in(vx, PEER_POLL);
}

/* Fires once at the beginning too, for nothing. */
static void on_released(const char *path, void *arg)
{
    struct vchan_xen *vx = arg;

    (void)path;
    vx->rechecks = 0;
    on_recheck(vx->ctx->loop, &vx->recheck, 0);
}

/* There is one channel more. */
void vchan_xen_poll_peer(struct vchan_xen *vx, int peer)
{
    if (peer != 0 && !ev_is_active(&vx->recheck))
        look_in(vx, PEER_POLL);
}

int vchan_xen_watch_peers(struct vchan_xen *vx)
{
    vx->rechecks = RECHECKS;
    ev_timer_init(&vx->recheck, on_recheck, 0, 0);
    vx->recheck.data = vx;
    return vx->xs->watch(vx->xs, vx->ctx, "@releaseDomain", on_released, vx, &vx->released);
}

void vchan_xen_unwatch_peers(struct vchan_xen *vx)
{
    if (vx->released)
        vx->xs->unwatch(vx->xs, vx->released);
    vx->released = NULL;
    ev_timer_stop(vx->ctx->loop, &vx->recheck);
}
