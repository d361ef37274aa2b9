/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/xenstore/client.h - the parts of the client, by the file they live in.
 *
 *   plugin.c       options, which xenstored, coming and going of the connection, domid, stop
 *   link.c         one descriptor (device or socket), bytes in and out, messages cut from them
 *   request.c      what is in flight, by request id; what the interface offers
 *   transaction.c  which transactions are open
 *   watch.c        which watches there are, by token
 */
#ifndef PLUGINS_XENSTORE_CLIENT_H
#define PLUGINS_XENSTORE_CLIENT_H

#include <unik/backoff.h>
#include <unik/xenstore.h>
#include "protocol/xenstore.h"

#define XENSTORE_MESSAGE_MAX (XENSTORE_HEADER + XENSTORE_PAYLOAD_MAX)
/* Linux's xenbus device collects a message in a buffer of this size, header included, and refuses a larger one. */
#define XENSTORE_DEVICE_MESSAGE_MAX 4096
#define XENSTORE_IN_SIZE ((size_t)4 * XENSTORE_MESSAGE_MAX)
#define XENSTORE_PLACE_MAX 108      /* path of a socket or device: sun_path's size */
#define XENSTORE_STOP_SECONDS 1.0   /* for the last replies; the connection is closed then in any case */
#define XENSTORE_DOMID_MAX 0x7fef   /* numbers from 0x7ff0 on are not domains (xen/xen.h) */
#define XENSTORE_LOG_PATH 96        /* bytes of a request's path kept for log lines */

struct xenstore;
struct xenstore_request;

enum xenstore_counter {
    COUNT_REQUESTS, COUNT_REPLIES, COUNT_ERRORS, COUNT_REFUSED, COUNT_STRAY, COUNT_BAD, COUNT_EVENTS, COUNT_LATE_EVENTS,
    COUNT_CONNECTS, COUNT_LOST, GAUGE_IN_FLIGHT, HIGH_IN_FLIGHT, GAUGE_WATCHES, GAUGE_TRANSACTIONS, HIGH_QUEUED
};

struct xenstore_config {
    const char *socket, *device;
    int64_t requests, watches, transactions;
    uint64_t buffer;
};

/* ---- link.c ------------------------------------------------------------------------------------------------- */

struct xenstore_link {
    int fd;                         /* -1: not connected */
    bool device;
    bool up;                        /* requests may be queued */
    ev_io readable, writable;
    ev_timer again;                 /* the device would not take a message: it has no "writable" to wait for */
    ev_prepare flush;               /* never started, only fed: once a turn of the loop writes what was queued */
    uint8_t *out;
    size_t out_size, out_start, out_end;
    size_t head_left;               /* device: bytes still to go of the message begun; 0: none is */
    uint32_t head_id;               /* and its request id */
    bool head_is_done;              /* and whether nothing has to be waited for after it */
    uint32_t unanswered;            /* device: the request whose reply the next one waits for; 0: none */
    size_t in_used;
    uint8_t in[XENSTORE_IN_SIZE + 1];   /* one more: a value is NUL-terminated in place while its callback runs */
};

int xenstore_link_init(struct xenstore_link *l, struct xenstore *x, size_t out_size);
void xenstore_link_free(struct xenstore_link *l);
/* 0, or a negative errno. Never blocks. */
int xenstore_link_open(struct xenstore_link *l, const char *place, bool device);
void xenstore_link_close(struct xenstore_link *l);
/* Where the next message may be encoded, and how large it may be. After that, _queue() with its size. */
uint8_t *xenstore_link_space(struct xenstore_link *l, size_t *size);
void xenstore_link_queue(struct xenstore_link *l, size_t n);
/* The reply to this request came. */
void xenstore_link_answered(struct xenstore_link *l, uint32_t id);
/* Bytes that came in, any number. -EPROTO: no message can be found in them any more. */
int xenstore_link_feed(struct xenstore_link *l, const void *bytes, size_t n);

/* ---- request.c ---------------------------------------------------------------------------------------------- */

/* What to do with a reply. The request is a copy, its place is free again: the callback may send the next one. */
typedef void xenstore_done(struct xenstore *x, const struct xenstore_request *r, int error, const char *value,
                           size_t len);

struct xenstore_request {
    struct xenstore_request *next, *prev;   /* in flight, in the order of sending; or free (next only) */
    uint32_t id;                            /* 0: free */
    uint32_t type;
    uint32_t ref;                           /* handle of its transaction, or token of its watch */
    bool internal;                          /* not somebody's: forget() does not find it */
    struct unik_ctx *owner;                 /* NULL: nobody's */
    bool silent;                            /* forgotten: the reply is taken, nobody is told */
    xenstore_done *done;
    union { unik_xenstore_cb *plain; unik_xenstore_tx_cb *tx; } cb;
    void *arg;
    char path[XENSTORE_LOG_PATH];
};

struct xenstore_message {
    uint32_t type, tx;                      /* tx: xenstored's number */
    const char *path, *second;
    const void *value;
    size_t len;
};

int xenstore_requests_init(struct xenstore *x);
void xenstore_requests_free(struct xenstore *x);
/* 0 and a request whose type, path and id are set, or a negative errno as in unik/xenstore.h. */
int xenstore_send(struct xenstore *x, const struct xenstore_message *m, struct xenstore_request **out);
/* The same for the client's own needs: works while it stops, is not counted as refused. */
int xenstore_send_own(struct xenstore *x, const struct xenstore_message *m, xenstore_done *done, uint32_t ref);
void xenstore_reply(struct xenstore *x, const struct xenstore_header *h, const char *body);
/* One request did not get out (its id), or all that wait will get no reply. */
void xenstore_request_fail(struct xenstore *x, uint32_t id, int error);
void xenstore_requests_fail(struct xenstore *x, int error);
/* Tell everybody -ECANCELED now, and take the replies silently. */
void xenstore_requests_cancel(struct xenstore *x);
/* In each of the three files: take back what a plugin that has stopped left behind; how many. */
size_t xenstore_requests_left(struct xenstore *x, const struct unik_ctx *owner);
extern const struct unik_xenstore xenstore_api;

/* ---- transaction.c ------------------------------------------------------------------------------------------ */

enum xenstore_tx_state { TX_FREE, TX_STARTING, TX_OPEN, TX_UNWANTED, TX_ENDING };

struct xenstore_tx {
    enum xenstore_tx_state state;
    struct unik_ctx *owner;
    uint32_t handle;                        /* what users hold. Not xenstored's number: that begins anew with each */
    uint32_t number;                        /* connection, and a stale one must not hit somebody else's transaction */
};

int xenstore_begin(struct unik_xenstore *api, struct unik_ctx *owner, unik_xenstore_tx_cb *cb, void *arg);
int xenstore_end(struct unik_xenstore *api, struct unik_ctx *owner, uint32_t tx, bool commit, unik_xenstore_cb *cb,
                 void *arg);
/* xenstored's number of an open transaction. 0, or -EINVAL: there is no such open transaction. */
int xenstore_tx_number(struct xenstore *x, uint32_t handle, uint32_t *number);
void xenstore_txs_pump(struct xenstore *x);
void xenstore_txs_lost(struct xenstore *x);     /* the connection is gone, and they with it */
void xenstore_txs_leave(struct xenstore *x);    /* stop: abort those that are open */
size_t xenstore_txs_left(struct xenstore *x, const struct unik_ctx *owner);

/* ---- watch.c ------------------------------------------------------------------------------------------------ */

enum xenstore_watch_state {
    WATCH_FREE,
    WATCH_WANTED,                           /* to be registered */
    WATCH_SENT, WATCH_ACTIVE,
    WATCH_REFUSED,                          /* xenstored said no; tried again with the next connection */
    WATCH_UNWANTED,                         /* removed by its owner; to be unregistered */
    WATCH_LEAVING
};

struct unik_xenstore_watch {
    enum xenstore_watch_state state;
    struct unik_ctx *owner;
    uint32_t token;
    char *path;
    unik_xenstore_watch_cb *cb;
    void *arg;
};

int xenstore_watches_init(struct xenstore *x);
void xenstore_watches_free(struct xenstore *x);
int xenstore_watch(struct unik_xenstore *api, struct unik_ctx *owner, const char *path, unik_xenstore_watch_cb *cb,
                   void *arg, struct unik_xenstore_watch **out);
void xenstore_unwatch(struct unik_xenstore *api, struct unik_xenstore_watch *w);
void xenstore_watch_event(struct xenstore *x, const char *body, size_t n);
void xenstore_watches_pump(struct xenstore *x);
void xenstore_watches_lost(struct xenstore *x);     /* all have to be registered again */
void xenstore_watches_leave(struct xenstore *x);    /* stop: unregister all */
size_t xenstore_watches_left(struct xenstore *x, const struct unik_ctx *owner);

/* ---- plugin.c ----------------------------------------------------------------------------------------------- */

struct xenstore {
    struct unik_xenstore api;               /* first: users hold a pointer to it */
    struct unik_ctx *ctx;
    struct xenstore_link link;

    struct xenstore_request *requests;      /* request_count of them, a power of two */
    struct xenstore_request *free, *first, *last;
    uint32_t request_count, request_serial;

    struct xenstore_tx *txs;
    uint32_t tx_count, tx_serial;
    struct unik_xenstore_watch *watches;    /* watch_count of them, a power of two; watch_max may be used */
    uint32_t watch_count, watch_max, watch_serial;
    unsigned todo;                          /* watches and transactions that wait for room to send something */

    char place[XENSTORE_PLACE_MAX];
    bool is_device;
    struct unik_backoff backoff;
    ev_timer retry, deadline;
    int domid;                              /* -1: not known yet */
    bool stopping, told;                    /* told: that the connection is gone */
};

static inline struct xenstore *xenstore_of(struct unik_xenstore *api) { return (struct xenstore *)(void *)api; }
static inline uint64_t *xenstore_count(struct xenstore *x, enum xenstore_counter c) { return &x->ctx->counters[c]; }

/* Room came free: send what the client itself has waiting. Before anybody's callback can take the room. */
static inline void xenstore_pump(struct xenstore *x)
{
    if (x->todo && x->link.up) {
        xenstore_txs_pump(x);
        xenstore_watches_pump(x);
    }
}

/* The descriptor is of no use any more. Last thing a caller does: x may be gone. */
void xenstore_lost(struct xenstore *x, int error, const char *why);
/* Messages were taken: is a stop complete? Last thing a caller does: x may be gone. */
void xenstore_settle(struct xenstore *x);
/* Everything but the watchers of a connection: for start(), and for a fuzz target, which has no connection. */
struct xenstore *xenstore_new(struct unik_ctx *ctx);
void xenstore_free(struct xenstore *x);

#endif
