/* plugins/vchan-xen/peers.c - peers that disappear. A domain that is destroyed sends no event and leaves its live byte
 * as it was. What tells of it is @releaseDomain in xenstore, fired when a domain shuts down and again when it is gone,
 * without saying which: so every channel is looked at then.
 *
 * A connected channel is asked by the state of its own event channel, which is cut when the domain dies. Where that
 * cannot be asked (no privcmd device, or it refuses), and for those that wait, it is asked whether Xen still knows the
 * domain. It does for some moments after the news, hence the looks that follow; and for as long as somebody maps its
 * pages. So without privcmd a connected client, which maps its server's, does not learn that the server's domain has
 * died. */
#include <errno.h>
#include "plugins/vchan-xen/channel.h"

/* dom0 does not disappear while we are there. */
bool vchan_xen_peer_exists(struct vchan_xen *vx, int peer) { return peer == 0 || vchan_xen_exists(&vx->machine, peer); }

/* Whether more looks make sense: somebody relies on whether the domain is known. */
static bool look_at_all(struct vchan_xen *vx)
{
    struct channel *ch;
    bool again = false;

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
        } else if (status < 0) {
            again = true;
        }
    }
    return again;
}

static void on_recheck(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct vchan_xen *vx = w->data;

    (void)revents;
    if (!look_at_all(vx) || ++vx->rechecks == RECHECKS)
        return;
    ev_timer_set(w, RECHECK_FIRST * (1 << vx->rechecks), 0);
    ev_timer_start(loop, w);
}

/* Fires once at the beginning too, for nothing. */
static void on_released(const char *path, void *arg)
{
    struct vchan_xen *vx = arg;

    (void)path;
    ev_timer_stop(vx->ctx->loop, &vx->recheck);
    if (!look_at_all(vx))
        return;
    vx->rechecks = 0;
    ev_timer_set(&vx->recheck, RECHECK_FIRST, 0);
    ev_timer_start(vx->ctx->loop, &vx->recheck);
}

int vchan_xen_watch_peers(struct vchan_xen *vx)
{
    ev_timer_init(&vx->recheck, on_recheck, 0, 0);
    vx->recheck.data = vx;
    return vx->xs->watch(vx->xs, "@releaseDomain", on_released, vx, &vx->released);
}

void vchan_xen_unwatch_peers(struct vchan_xen *vx)
{
    if (vx->released)
        vx->xs->unwatch(vx->xs, vx->released);
    vx->released = NULL;
    ev_timer_stop(vx->ctx->loop, &vx->recheck);
}
