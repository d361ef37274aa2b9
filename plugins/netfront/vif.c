/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/vif.c - the interface that was taken: our step and the back end's state decide what is done
 * (doc/protocol/network.md, 5). The back end may be in another domain than dom0: its nodes are
 * hostile, and it may vanish without a word. */
#include <errno.h>
#include <stdio.h>
#include "plugins/netfront/front.h"

#define BACK_STATES 9           /* 0: not read yet, or nonsense; 1 to 8 as xen/io/xenbus.h */
#define INITIALISING "1"
#define CLOSING "5"
#define CLOSED "6"

enum action { STAY, READ, UP, CLOSE, AGAIN, LATER };

/* CLOSE: end the connection and say so. AGAIN: back to Initialising. LATER: the same, after a while: the back end that closed may be
 * about to be taken away, or to be told to start anew by what we say. */
static const unsigned char actions[STEPS][BACK_STATES] = {
    /*                  -      init   wait   inited conn   closing closed reconf  */
    [STEP_NONE] =     { STAY,  STAY,  STAY,  STAY,  STAY,  STAY,   STAY,  STAY,  STAY },
    [STEP_WAITING] =  { STAY,  STAY,  READ,  STAY,  CLOSE, STAY,   STAY,  STAY,  STAY },
    [STEP_READING] =  { STAY,  STAY,  STAY,  STAY,  CLOSE, CLOSE,  CLOSE, STAY,  STAY },
    [STEP_OFFERING] = { STAY,  STAY,  STAY,  STAY,  STAY,  CLOSE,  CLOSE, STAY,  STAY },
    [STEP_OFFERED] =  { STAY,  STAY,  STAY,  STAY,  UP,    CLOSE,  CLOSE, STAY,  STAY },
    [STEP_LINKED] =   { CLOSE, CLOSE, CLOSE, CLOSE, STAY,  CLOSE,  CLOSE, STAY,  STAY },
    [STEP_CLOSED] =   { STAY,  AGAIN, AGAIN, STAY,  STAY,  STAY,   LATER, STAY,  STAY },
};

enum feature { FEATURE_MAC, FEATURE_MTU, FEATURE_RX_COPY, FEATURE_SG, FEATURE_TCP4, FEATURE_TCP6, FEATURE_SUM6 };
static const struct { const char *leaf; bool back; } features[] = {
    [FEATURE_MAC] = { "mac", false }, [FEATURE_MTU] = { "mtu", false }, [FEATURE_RX_COPY] = { "feature-rx-copy", true },
    [FEATURE_SG] = { "feature-sg", true }, [FEATURE_TCP4] = { "feature-gso-tcpv4", true },
    [FEATURE_TCP6] = { "feature-gso-tcpv6", true }, [FEATURE_SUM6] = { "feature-ipv6-csum-offload", true },
};

static void act(struct netfront *nf);

void nf_vif_path(const struct netfront *nf, char path[VIF_PATH_MAX], const char *leaf)
{
    snprintf(path, VIF_PATH_MAX, "device/vif/%u/%s", nf->vif.number, leaf);
}

static void back_path(const struct netfront *nf, char path[VIF_PATH_MAX], const char *leaf)
{
    snprintf(path, VIF_PATH_MAX, "%.*s/%s", (int)(VIF_PATH_MAX - sizeof("/feature-ipv6-csum-offload")), nf->vif.backend, leaf);
}

/* ---- our state ---- */

/* The folder may be gone by now: then there is nobody to tell. */
static void on_state_written(int error, const char *value, size_t len, void *arg)
{
    struct netfront *nf = arg;

    (void)value, (void)len;
    if (error == -ECONNRESET)
        nf->vif.tell = nf->vif.told;
    else if (error && error != -ENOENT && error != -EACCES && error != -ECANCELED)
        unik_warn(nf->ctx, "device/vif/%u/state: %s", nf->vif.number, strerror(-error));
}

static void on_last_state(int error, const char *value, size_t len, void *arg)
{
    on_state_written(error, value, len, arg);
    netfront_stopped(arg);
}

static int write_state(struct netfront *nf, const char *state, unik_xenstore_cb *cb)
{
    char path[VIF_PATH_MAX];
    int e;

    nf->epoch++;
    nf_vif_path(nf, path, "state");
    e = nf->xs->write(nf->xs, nf->ctx, 0, path, state, 1, cb, nf);
    nf->vif.told = state;
    nf->vif.tell = e < 0 ? state : NULL;
    return e;
}

/* ---- the connection ---- */

static void pause_for(struct netfront *nf)
{
    struct vif *v = &nf->vif;

    v->pause = true;
    ev_timer_stop(nf->ctx->loop, &v->resume);
    ev_timer_set(&v->resume, unik_backoff_delay(&v->backoff, ev_now(nf->ctx->loop)), 0);
    ev_timer_start(nf->ctx->loop, &v->resume);
}

static void unlink_card(struct netfront *nf)
{
    struct link *l = nf->link;

    if (!l)
        return;
    if (nf->vif.step == STEP_LINKED)
        ++*count(nf, DISCONNECTS);
    nf_card_down(nf);
    nf->link = NULL;
    nf_link_close(nf, l);
}

static void forget(struct netfront *nf)
{
    struct vif *v = &nf->vif;

    nf_fetch_cancel(&v->features);
    nf_offer_cancel(nf);
}

static void close_vif(struct netfront *nf, const char *why)
{
    struct vif *v = &nf->vif;

    forget(nf);
    unlink_card(nf);
    v->step = STEP_CLOSED;
    pause_for(nf);
    write_state(nf, CLOSING, on_state_written);
    write_state(nf, CLOSED, on_state_written);
    netfront_degraded(nf, "device/vif/%u: no link: %s", v->number, why);
}

static const char *state_name(unsigned state)
{
    static const char *const names[BACK_STATES] = { "of no known state", "initialising", "ready", "initialised", "connected",
                                                    "closing", "closed", "reconfiguring", "reconfigured" };

    return names[state < BACK_STATES ? state : 0];
}

static void say_waiting(struct netfront *nf)
{
    netfront_degraded(nf, "device/vif/%u: waiting for domain %d, whose back end is %s", nf->vif.number, nf->vif.peer,
                      state_name(nf->vif.state));
}

static void again(struct netfront *nf)
{
    write_state(nf, INITIALISING, on_state_written);
    nf->vif.step = STEP_WAITING;
    nf->vif.state = 0;                  /* what it was before we said so does not count */
    nf->vif.again = true;
}

/* ---- reading what the other side offers ---- */

/* Something is missing that may come: try again later, from the beginning. */
static void fail(struct netfront *nf, const char *what, const char *why)
{
    nf->vif.step = STEP_WAITING;
    pause_for(nf);
    netfront_degraded(nf, "device/vif/%u: %s: %s", nf->vif.number, what, why);
}

static bool has(const struct netfront *nf, enum feature f) { return nf_fetch_number(&nf->vif.features, f, 1, 0) == 1; }

/* The front's nodes are dom0's; the back's are the other domain's. */
static bool understand(struct netfront *nf)
{
    const struct fetch_row *row = nf->vif.features.row;
    const struct netfront_config *c = config(nf);
    uint32_t mtu = nf_fetch_number(&nf->vif.features, FEATURE_MTU, NETIF_PACKET_MAX - NETIF_ETHERNET, 0);
    unsigned offloads = c->checksums ? UNIK_NIC_SUM : 0;

    if (row[FEATURE_MAC].error || netif_mac(row[FEATURE_MAC].value, row[FEATURE_MAC].len, nf->info.mac) < 0) {
        fail(nf, "mac", row[FEATURE_MAC].error ? strerror(-row[FEATURE_MAC].error) : "not an address");
        return false;
    }
    if (!has(nf, FEATURE_RX_COPY)) {
        fail(nf, "the back end's feature-rx-copy", "not 1; other ways of receiving are of long ago");
        return false;
    }
    if (row[FEATURE_MTU].error != -ENOENT && mtu < MTU_MIN)
        unik_warn(nf->ctx, "device/vif/%u/mtu: \"%.20s\" is not one: %u is taken", nf->vif.number, row[FEATURE_MTU].value, MTU_DEFAULT);
    mtu = mtu < MTU_MIN ? MTU_DEFAULT : mtu;
    if (!has(nf, FEATURE_SG) && mtu > NETIF_PAGE - NETIF_ETHERNET)
        mtu = NETIF_PAGE - NETIF_ETHERNET;
    nf->info.mtu = mtu;
    nf->limits = (struct tx_limits){ .frame = mtu + NETIF_ETHERNET, .many = has(nf, FEATURE_SG), .sum6 = has(nf, FEATURE_SUM6) };
    if (c->checksums && c->segments && has(nf, FEATURE_SG)) {
        offloads |= has(nf, FEATURE_TCP4) ? UNIK_NIC_TSO4 : 0;
        offloads |= has(nf, FEATURE_TCP6) && has(nf, FEATURE_SUM6) ? UNIK_NIC_TSO6 : 0;
    }
    nf->info.offloads = nf->limits.offloads = offloads;
    return true;
}

static void on_features(void *arg)
{
    struct netfront *nf = arg;
    struct vif *v = &nf->vif;
    const char *what;
    int e = 0;

    if (nf_fetch_error(&v->features)) {
        v->step = STEP_WAITING;
        nf_search_retry(nf, nf_fetch_error(&v->features));
        return;
    }
    if (!understand(nf))
        return;
    if (!nf->link)
        e = nf_link_open(nf, v->peer, &nf->link, &what);
    if (e < 0) {
        fail(nf, what, strerror(-e));
        return;
    }
    v->step = STEP_OFFERING;
    nf_offer_begin(nf);
}

static void read_features(struct netfront *nf)
{
    char path[VIF_PATH_MAX];

    nf->vif.step = STEP_READING;
    unik_backoff_begin(&nf->vif.backoff, ev_now(nf->ctx->loop));
    nf_fetch_begin(&nf->vif.features);
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        if (features[i].back)
            back_path(nf, path, features[i].leaf);
        else
            nf_vif_path(nf, path, features[i].leaf);
        nf_fetch_add(&nf->vif.features, path);
    }
    nf_fetch_go(&nf->vif.features);
}

void nf_vif_offered(struct netfront *nf, int error)
{
    if (error == -ECONNRESET || error == -ENOTCONN) {
        nf->vif.step = STEP_WAITING;    /* with the same rings: the transaction may have been done */
        return;
    }
    if (error) {
        unlink_card(nf);
        fail(nf, "writing our half of it", strerror(-error));
        return;
    }
    nf->vif.step = STEP_OFFERED;
    say_waiting(nf);
    act(nf);
}

static void up(struct netfront *nf)
{
    const struct unik_nic_info *i = &nf->info;

    nf->vif.step = STEP_LINKED;
    nf->why[0] = 0;
    ++*count(nf, CONNECTS);
    unik_info(nf->ctx, "device/vif/%u: connected to domain %d: %02x:%02x:%02x:%02x:%02x:%02x, mtu %u%s%s%s", nf->vif.number,
              nf->vif.peer, i->mac[0], i->mac[1], i->mac[2], i->mac[3], i->mac[4], i->mac[5], i->mtu,
              i->offloads & UNIK_NIC_SUM ? ", checksums" : "", i->offloads & UNIK_NIC_TSO4 ? ", segments" : "",
              i->offloads & UNIK_NIC_TSO6 ? " (IPv6 too)" : "");
    unik_ready(nf->ctx);
    nf_card_up(nf);
}

/* ---- the back end's state ---- */

static void act(struct netfront *nf)
{
    struct vif *v = &nf->vif;

    if (v->pause && v->step != STEP_LINKED && actions[v->step][v->state] != CLOSE)
        return;
    switch ((enum action)actions[v->step][v->state]) {
    case STAY:
        if (v->step == STEP_WAITING || v->step == STEP_OFFERED)
            say_waiting(nf);
        break;
    case READ: read_features(nf); break;
    case UP: up(nf); break;
    case CLOSE: close_vif(nf, v->step == STEP_WAITING ? "the back end is connected to rings of before" : "the back end has closed"); break;
    case AGAIN:
    case LATER: again(nf); break;
    }
}

void nf_vif_look(struct netfront *nf)
{
    struct vif *v = &nf->vif;
    char path[VIF_PATH_MAX];

    if (v->asking) {
        v->again = true;
        return;
    }
    v->asking = true;
    v->again = false;
    back_path(nf, path, "state");
    nf_fetch_begin(&v->state_row);
    nf_fetch_add(&v->state_row, path);
    nf_fetch_go(&v->state_row);
}

/* From the backend domain. EACCES: its folder is gone, and what is above it may not be read. */
static void on_state(void *arg)
{
    struct netfront *nf = arg;
    struct vif *v = &nf->vif;
    const struct fetch_row *r = &v->state_row.row[0];

    v->asking = false;
    if (r->error == -ENOENT || r->error == -EACCES) {
        if (v->step == STEP_CLOSED || v->step == STEP_WAITING)
            netfront_degraded(nf, "device/vif/%u: no back end: %s/state: %s", v->number, v->backend, strerror(-r->error));
        else
            close_vif(nf, "the back end is gone");
        nf_search_again(nf);
    } else if (nf_fetch_error(&v->state_row)) {
        nf_search_retry(nf, nf_fetch_error(&v->state_row));
    } else {
        if (v->tell)
            write_state(nf, v->tell, on_state_written);
        v->state = nf_fetch_number(&v->state_row, 0, BACK_STATES - 1, 0);
        act(nf);
    }
    if (v->step != STEP_NONE && v->again)
        nf_vif_look(nf);
}

static void on_state_change(const char *path, void *arg)
{
    (void)path;
    nf_vif_look(arg);
}

static void on_resume(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct netfront *nf = w->data;

    (void)loop, (void)revents;
    nf->vif.pause = false;
    if (nf->vif.step != STEP_NONE)
        nf_vif_look(nf);
}

/* ---- taken, dropped ---- */

void nf_vif_init(struct netfront *nf)
{
    struct vif *v = &nf->vif;

    v->nf = nf;
    v->backoff = (struct unik_backoff){ .first = config(nf)->retry, .most = config(nf)->retry_max, .good = LASTED };
    ev_timer_init(&v->resume, on_resume, 0, 0);
    v->resume.data = nf;
    nf_fetch_init(&v->features, nf->ctx, nf->xs, on_features, nf);
    nf_fetch_init(&v->state_row, nf->ctx, nf->xs, on_state, nf);
}

/* In another state than Initialising, it was used before: by a program of this domain that has ended. */
void nf_vif_take(struct netfront *nf, unsigned i)
{
    struct vif *v = &nf->vif;
    char path[VIF_PATH_MAX];
    bool used = nf->search.row[i].state != 1;
    int e;

    v->step = STEP_WAITING;
    v->number = nf->search.row[i].number;
    v->peer = nf->search.row[i].peer;
    v->state = 0;
    v->pause = false;
    v->tell = v->told = NULL;
    snprintf(v->backend, sizeof(v->backend), "%s", nf->search.row[i].backend);
    back_path(nf, path, "state");
    if (used) {
        v->step = STEP_CLOSED;
        write_state(nf, CLOSING, on_state_written);
        write_state(nf, CLOSED, on_state_written);
    }
    e = nf->xs->watch(nf->xs, nf->ctx, path, on_state_change, nf, &v->watch);
    if (e < 0) {
        v->step = STEP_NONE;
        netfront_degraded(nf, "device/vif/%u: watch %s: %s", v->number, path, strerror(-e));
    }
}

void nf_vif_end(struct netfront *nf)
{
    struct vif *v = &nf->vif;

    forget(nf);
    nf_fetch_cancel(&v->state_row);
    v->asking = v->again = false;
    ev_timer_stop(nf->ctx->loop, &v->resume);
    if (v->watch)
        nf->xs->unwatch(nf->xs, v->watch);
    v->watch = NULL;
    unlink_card(nf);
    v->step = STEP_NONE;
}

void nf_vif_drop(struct netfront *nf, const char *why)
{
    unsigned number = nf->vif.number;

    nf_vif_end(nf);
    netfront_degraded(nf, "device/vif/%u: %s", number, why);
}

void nf_vif_lied(struct netfront *nf, const char *why)
{
    ++*count(nf, BAD_PEER);
    unik_warn(nf->ctx, "device/vif/%u: domain %d breaks the rules: %s", nf->vif.number, nf->vif.peer, why);
    close_vif(nf, why);
}

void nf_vif_stop(struct netfront *nf)
{
    bool told = nf->vif.step >= STEP_OFFERING && nf->vif.step <= STEP_LINKED;

    nf_vif_end(nf);
    if (!told || write_state(nf, CLOSING, on_state_written) < 0 || write_state(nf, CLOSED, on_last_state) < 0)
        netfront_stopped(nf);
}
