/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/card.c - frames between the rings and the one user of the card. An event, or room that was waited for, or frames
 * given back: each leads to a turn. What a turn left in the rings is shown to the peer once, before the loop waits. */
#include <errno.h>
#include <stddef.h>
#include "plugins/netfront/front.h"

#define EVENTS_MAX 8            /* taken at a time: there is one port, and perhaps one of a connection that ended */
#define REMINDER 1.0            /* seconds */

static struct netfront *netfront_of(struct unik_nic *n) { return (struct netfront *)(void *)n; }

/* Is the connection one that frames go over? */
static bool is_up(const struct netfront *nf) { return nf->info.link; }

/* Show the peer what is new, with one event at most. */
static void show(struct netfront *nf)
{
    bool sent, posted;
    uint32_t before;

    if (!nf->link || !is_up(nf))
        return;
    before = nf->link->tx.ring.published;
    sent = nf_tx_publish(&nf->link->tx);
    if (nf->link->tx.ring.published != before && !ev_is_active(&nf->reminder)) {
        ring_answered(&nf->link->tx.ring, &nf->answered);
        ev_timer_again(nf->ctx->loop, &nf->reminder);
    }
    posted = nf_rx_post(&nf->link->rx);
    if (sent || posted) {
        ++*count(nf, NOTIFIES);
        nf_machine_notify(&nf->machine, nf->link->port);
    }
}

/* A peer to whom the event got lost never asks for another, and the connection would be dumb for good. It happens: Linux's netback was
 * seen, on a slow machine, to answer nothing on a ring that had just been connected, after one event of two. */
static void on_reminder(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct netfront *nf = w->data;
    uint32_t before = nf->answered;

    (void)revents;
    if (!nf->link || !is_up(nf) || ring_answered(&nf->link->tx.ring, &nf->answered)) {
        ev_timer_stop(loop, w);
    } else if (nf->answered == before) {
        ++*count(nf, REMINDERS);
        nf_machine_notify(&nf->machine, nf->link->port);
    }
}

void nf_card_soon(struct netfront *nf) { ev_idle_start(nf->ctx->loop, &nf->due); }

/* ---- out ---- */

static bool reap(struct netfront *nf)
{
    const char *why;

    if (nf_tx_reap(&nf->link->tx, &why) == 0)
        return true;
    nf_vif_lied(nf, why);
    return false;
}

/* False: the connection is over. */
static bool make_room(struct netfront *nf)
{
    if (!nf->want_room)
        return true;
    if (!reap(nf))
        return false;
    if (!nf_tx_has_room(&nf->link->tx)) {
        if (!nf_tx_want_room(&nf->link->tx))
            nf_card_soon(nf);
        return true;
    }
    nf->want_room = false;
    if (nf->user)
        nf->user->room(nf->user_arg);
    return true;
}

/* A lie that shows here is acted on from the loop: the user must not hear of it from inside its own call. */
int nf_card_send(struct unik_nic *n, const struct unik_nic_offloads *o, const struct iovec *parts, unsigned parts_n)
{
    struct netfront *nf = netfront_of(n);
    const char *why;
    int e;

    if (!is_up(nf))
        return -ENETDOWN;
    e = nf_tx_send(&nf->link->tx, &nf->limits, o, parts, parts_n);
    if (e != -EAGAIN)
        return e;
    if (nf_tx_reap(&nf->link->tx, &why) == 0)
        e = nf_tx_send(&nf->link->tx, &nf->limits, o, parts, parts_n);
    if (e == -EAGAIN) {
        ++*count(nf, TX_FULL);
        nf->want_room = true;
        show(nf);
        nf_card_soon(nf);
    }
    return e;
}

void nf_card_flush(struct unik_nic *n) { show(netfront_of(n)); }

/* ---- in ---- */

static void deliver(struct netfront *nf, struct rx_frame *f)
{
    if (nf->user) {
        nf->user->input(nf->user_arg, &f->nic);
    } else {
        ++*count(nf, RX_UNWANTED);
        nf_rx_release(&nf->link->rx, f);
    }
}

static void say_error(struct netfront *nf)
{
    struct rx *r = &nf->link->rx;

    if (r->last_error)
        unik_warn(nf->ctx, "device/vif/%u: a packet from domain %d was dropped: %s", nf->vif.number, nf->vif.peer, r->last_error);
    r->last_error = NULL;
}

/* As many as a turn may take. False: the connection is over. */
static bool receive(struct netfront *nf)
{
    struct rx_frame *f;
    const char *why;
    unsigned n = 0;
    int e = 0;

    while (n < BUDGET && (e = nf_rx_poll(&nf->link->rx, &f, &why)) == 1) {
        deliver(nf, f);
        n++;
    }
    if (n && nf->user)
        nf->user->input_end(nf->user_arg);
    say_error(nf);
    if (e == -EPROTO) {
        nf_vif_lied(nf, why);
        return false;
    }
    nf->blocked = e == -EAGAIN;
    if (e == 1 || (e == 0 && !nf_rx_sleep(&nf->link->rx)))
        nf_card_soon(nf);
    return true;
}

static void turn(struct netfront *nf)
{
    ev_idle_stop(nf->ctx->loop, &nf->due);
    if (is_up(nf) && make_room(nf))
        receive(nf);
}

static void on_due(struct ev_loop *loop, ev_idle *w, int revents)
{
    (void)loop, (void)revents;
    turn(w->data);
}

/* The events say nothing beyond that there is one: the rings tell. */
static void on_event(struct ev_loop *loop, ev_io *w, int revents)
{
    struct netfront *nf = w->data;

    (void)loop, (void)revents;
    for (unsigned i = 0; i < EVENTS_MAX; i++) {
        long port = nf_machine_event(&nf->machine);

        if (port < 0)
            break;
        ++*count(nf, EVENTS);
        if (nf->link && (uint32_t)port == nf->link->port)
            nf_machine_unmask(&nf->machine, (uint32_t)port);
    }
    turn(nf);
}

static void on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
    (void)loop, (void)revents;
    show(w->data);
}

void nf_card_release(struct unik_nic *n, struct unik_nic_frame *nic)
{
    struct netfront *nf = netfront_of(n);
    struct rx_frame *f = (struct rx_frame *)(void *)nic;
    struct rx *r = f->rx;

    nf_rx_release(r, f);
    if (!nf->link || r != &nf->link->rx)
        nf_link_settle(nf, (struct link *)(void *)((char *)r - offsetof(struct link, rx)));
    else if (nf->blocked)
        nf_card_soon(nf);
}

/* ---- the user, and the link ---- */

int nf_card_attach(struct unik_nic *n, const struct unik_nic_user *user, void *arg)
{
    struct netfront *nf = netfront_of(n);

    if (nf->user)
        return -EBUSY;
    nf->user = user;
    nf->user_arg = arg;
    return 0;
}

void nf_card_detach(struct unik_nic *n)
{
    struct netfront *nf = netfront_of(n);

    nf->user = NULL;
    nf->want_room = false;
    nf_links_free(nf);
    if (nf->link)
        nf_rx_release_all(&nf->link->rx);
    if (nf->blocked)
        nf_card_soon(nf);
}

const struct unik_nic_info *nf_card_info(struct unik_nic *n) { return &netfront_of(n)->info; }

static void changed(struct netfront *nf)
{
    if (nf->user)
        nf->user->changed(nf->user_arg);
}

/* Places to receive into are shown before the user hears of the link; a back end that was told to wait for them needs the event. */
void nf_card_up(struct netfront *nf)
{
    nf->info.link = true;
    nf->blocked = nf->want_room = false;
    nf_rx_post(&nf->link->rx);
    nf_machine_notify(&nf->machine, nf->link->port);
    nf_card_soon(nf);
    changed(nf);
}

void nf_card_down(struct netfront *nf)
{
    bool was_up = nf->info.link;

    nf->info.link = false;
    nf->want_room = nf->blocked = false;
    ev_idle_stop(nf->ctx->loop, &nf->due);
    ev_timer_stop(nf->ctx->loop, &nf->reminder);
    if (was_up)
        changed(nf);
}

void nf_card_init(struct netfront *nf)
{
    LIST_INIT(&nf->ended);
    ev_io_init(&nf->event, on_event, nf_machine_fd(&nf->machine), EV_READ);
    ev_idle_init(&nf->due, on_due);
    ev_set_priority(&nf->due, EV_MAXPRI);
    ev_prepare_init(&nf->flush, on_prepare);
    ev_timer_init(&nf->reminder, on_reminder, 0, REMINDER);
    nf->event.data = nf->due.data = nf->flush.data = nf->reminder.data = nf;
    ev_io_start(nf->ctx->loop, &nf->event);
    ev_prepare_start(nf->ctx->loop, &nf->flush);
}

void nf_card_end(struct netfront *nf)
{
    ev_io_stop(nf->ctx->loop, &nf->event);
    ev_idle_stop(nf->ctx->loop, &nf->due);
    ev_prepare_stop(nf->ctx->loop, &nf->flush);
    ev_timer_stop(nf->ctx->loop, &nf->reminder);
}
