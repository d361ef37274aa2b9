/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/front.h - the plugin's state, and what its files share, by the file they live in.
 *
 *   plugin.c    options, counters, "nic/1", start and stop
 *   search.c    which interfaces there are in device/vif, and which one is taken
 *   vif.c       the one that was taken: its back end's state, and ours
 *   offer.c     what we write there, in one transaction
 *   fetch.c     several nodes read at once
 *   link.c      a connection: pages, rings, event channel
 *   card.c      frames between rings and user
 *   rx.c tx.c ring.h sum.c     one direction, one ring, a checksum: no I/O
 *   machine.c   Xen's libraries
 */
#ifndef NETFRONT_FRONT_H
#define NETFRONT_FRONT_H

#include <sys/queue.h>
#include <unik/backoff.h>
#include <unik/nic.h>
#include <unik/xenstore.h>
#include "plugins/netfront/machine.h"
#include "plugins/netfront/rx.h"
#include "plugins/netfront/tx.h"

#define VIFS_MAX 8              /* looked at; a VM of Qubes has one, or two for a moment */
#define VIF_NUMBER_MAX 65535
#define VIF_PATH_MAX 128        /* "/local/domain/32751/backend/vif/32751/65535/feature-ipv6-csum-offload" and room */
#define VALUE_MAX 128           /* of a node's value that is looked at */
#define FETCH_MAX 8             /* nodes read at once */
#define LINKS_MAX 4             /* connections that ended and whose frames the user still has; no new one before they are back */
#define MTU_DEFAULT 1500u
#define MTU_MIN 68u             /* RFC 791 */
#define CONFLICTS_MAX 100       /* times a transaction is begun anew because somebody else interfered */
#define LASTED 20.0             /* seconds: a link that was up so long was a success */
#define BUDGET 64               /* frames taken in one turn of the loop: the others' turn comes too */
#define DOMID_LAST 0x7fef       /* public/xen.h: DOMID_FIRST_RESERVED comes next */

struct netfront_config {
    int64_t device;             /* -1: any */
    int64_t buffers;
    bool checksums, segments;
    double retry, retry_max;
};

/* ---- fetch.c ---- */

struct fetch_row {
    struct fetch *f;
    int error;
    size_t len;
    char value[VALUE_MAX];      /* NUL-terminated; -E2BIG if it was longer */
};
struct fetch {
    struct unik_ctx *ctx;       /* whose requests they are */
    struct unik_xenstore *xs;
    void (*done)(void *arg);    /* when all are answered */
    void *arg;
    unsigned n, pending;
    struct fetch_row row[FETCH_MAX];
};

void nf_fetch_init(struct fetch *f, struct unik_ctx *ctx, struct unik_xenstore *xs, void (*done)(void *arg), void *arg);
void nf_fetch_begin(struct fetch *f);
/* Read one more; between nf_fetch_begin() and nf_fetch_go(). Its row is the next one. */
void nf_fetch_add(struct fetch *f, const char *path);
void nf_fetch_go(struct fetch *f);         /* done() may come from in here, when nothing could be asked */
void nf_fetch_cancel(struct fetch *f);
/* Why the answers are worth nothing: -ECONNRESET and the like, or what xenstored had no room for. 0: they are good; a node that is not
 * there, may not be read or is too long is an answer too. */
int nf_fetch_error(const struct fetch *f);
/* The number in a row; fallback where there is no such node or it holds something else. */
uint32_t nf_fetch_number(const struct fetch *f, unsigned row, uint32_t most, uint32_t fallback);

/* ---- link.c ---- */

struct link {
    LIST_ENTRY(link) entry;             /* among those that ended */
    int peer;
    uint32_t port;
    bool bound;
    unsigned pages;                     /* each way */
    void *rings, *tx_pages, *rx_pages;  /* shared; rings: TX, then RX */
    uint32_t ring_refs[2], tx_refs[NETIF_RING_SIZE], rx_refs[NETIF_RING_SIZE];
    struct tx tx;
    struct rx rx;
};

struct netfront;
/* Pages, rings and port for the peer, nothing announced yet. 0 or a negative errno, *what says which part. */
int nf_link_open(struct netfront *nf, int peer, struct link **out, const char **what);
/* The peer gets no more. Memory goes when the user has given back the last frame. */
void nf_link_close(struct netfront *nf, struct link *l);
/* A frame of a connection that ended has come back: free it, if it was the last. */
void nf_link_settle(struct netfront *nf, struct link *l);
void nf_links_free(struct netfront *nf);   /* all that ended, whatever the user has */

/* ---- the plugin ---- */

enum step {
    STEP_NONE,          /* no interface */
    STEP_WAITING,       /* our state is Initialising: for the back end to be ready */
    STEP_READING,       /* its features */
    STEP_OFFERING,      /* the transaction that tells of our rings is under way */
    STEP_OFFERED,       /* our state is Connected: for the back end to be so too */
    STEP_LINKED,
    STEP_CLOSED,        /* our state is Closed: for the back end to be ready to begin anew */
    STEPS
};

struct vif {
    struct netfront *nf;
    enum step step;
    unsigned number;
    int peer;                           /* the back end's domain */
    char backend[VIF_PATH_MAX];
    struct unik_xenstore_watch *watch;  /* on its state */
    struct fetch state_row;
    bool asking, again;                 /* its state is being read; it has changed meanwhile */
    unsigned state;                     /* as last read; 0: not yet */
    const char *told, *tell;            /* our state as last written; the same if it did not reach xenstored, else NULL */
    bool pause;                         /* after a failure: not before the timer */
    ev_timer resume;
    struct unik_backoff backoff;
    struct fetch features;
    uint32_t tx;                        /* the offer's transaction, 0: none is open */
    unsigned pending, conflicts;
    int error;
};

struct search {
    struct netfront *nf;
    struct unik_xenstore_watch *watch;
    bool running, again;
    unsigned epoch;                     /* of our own writes, when it began */
    unsigned n, at;
    struct { unsigned number, state; int peer; char backend[VIF_PATH_MAX]; } row[VIFS_MAX];
    struct fetch fetch;
};

/* The interface comes first: a pointer to it is a pointer to this. */
struct netfront {
    struct unik_nic api;
    struct unik_ctx *ctx;
    struct unik_xenstore *xs;
    struct machine machine;
    const struct unik_nic_user *user;
    void *user_arg;
    struct unik_nic_info info;
    struct tx_limits limits;
    struct vif vif;
    struct search search;
    unsigned epoch;                     /* counts what we write to our own state */
    struct link *link;                  /* the connection, announced or not */
    LIST_HEAD(, link) ended;
    unsigned n_ended;
    ev_timer retry;                     /* xenstored could not answer */
    ev_io event;
    ev_idle due;                        /* there is more to do, without an event */
    ev_prepare flush;
    ev_timer reminder;                  /* while something sent is not answered */
    uint32_t answered;                  /* how much was, when it was last looked at */
    bool want_room, blocked;            /* the user waits for room; we wait for frames of the user's */
    bool stopping;
    char why[200];                      /* why there is no link */
};

static inline uint64_t *count(struct netfront *nf, enum netfront_counter c) { return &nf->ctx->counters[c]; }
static inline const struct netfront_config *config(const struct netfront *nf) { return nf->ctx->config; }

/* plugin.c: the reason shown while there is no link; logged when it is another than before. */
void netfront_degraded(struct netfront *nf, const char *fmt, ...) UNIK_PRINTF(2, 3);
void netfront_stopped(struct netfront *nf);

/* card.c */
void nf_card_init(struct netfront *nf);
void nf_card_end(struct netfront *nf);
void nf_card_up(struct netfront *nf);
void nf_card_down(struct netfront *nf);    /* before the connection goes */
void nf_card_soon(struct netfront *nf);    /* take a turn, from the loop */
int nf_card_attach(struct unik_nic *n, const struct unik_nic_user *user, void *arg);
void nf_card_detach(struct unik_nic *n);
const struct unik_nic_info *nf_card_info(struct unik_nic *n);
int nf_card_send(struct unik_nic *n, const struct unik_nic_offloads *o, const struct iovec *parts, unsigned count);
void nf_card_flush(struct unik_nic *n);
void nf_card_release(struct unik_nic *n, struct unik_nic_frame *f);

/* search.c */
int nf_search_begin(struct netfront *nf);
void nf_search_again(struct netfront *nf);
void nf_search_retry(struct netfront *nf, int error);      /* look at everything again, soon; not for a lost connection: watches fire then */
void nf_search_end(struct netfront *nf);

/* vif.c */
void nf_vif_init(struct netfront *nf);
void nf_vif_take(struct netfront *nf, unsigned i);         /* a row of the search */
void nf_vif_look(struct netfront *nf);                     /* read the back end's state */
void nf_vif_drop(struct netfront *nf, const char *why);    /* it is gone */
void nf_vif_lied(struct netfront *nf, const char *why);    /* the back end did what cannot be */
void nf_vif_offered(struct netfront *nf, int error);       /* the offer's transaction is over */
void nf_vif_stop(struct netfront *nf);                     /* netfront_stopped() comes from the loop, or from here */
void nf_vif_end(struct netfront *nf);                      /* forget all, write nothing */
void nf_vif_path(const struct netfront *nf, char path[VIF_PATH_MAX], const char *leaf);     /* of our own folder */

/* offer.c */
void nf_offer_begin(struct netfront *nf);
void nf_offer_cancel(struct netfront *nf);

#endif
