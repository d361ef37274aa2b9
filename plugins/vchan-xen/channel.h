/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/channel.h - one channel over libxenvchan, and what the files of this plugin share. */
#ifndef VCHAN_XEN_CHANNEL_H
#define VCHAN_XEN_CHANNEL_H

#include <sys/queue.h>
#include <unik/pages.h>
#include <unik/ring.h>
#include <unik/vchan.h>
#include <unik/xenstore.h>
#include "plugins/vchan-xen/logic.h"
#include "plugins/vchan-xen/xen.h"

#define CHANNELS_MAX 1024       /* a qrexec peer has 256 data ports (doc/protocol/vchan.md, 1); grants run out before */
#define ENTRIES_RUNNING 4       /* xenstore transactions at a time: xenstored grants a guest 10 */
#define RECHECKS 5              /* looks for peers that are gone, after a domain was released: the last ... */
#define PEER_POLL 10.0          /* seconds between looks without news, as the library of Qubes does */
#define RECHECK_FIRST 1.0       /* ... about half a minute later. A dying domain is known until its pages are free */
#define SHARED_MAX (1u << 20)   /* pages shared at a time: 4 GiB */

enum { OPEN, OPEN_HIGH, CONNECTS, DISCONNECTS, BYTES_IN, BYTES_OUT, REFUSED, PEERS_GONE, BAD_PEER,
       SHARED, SHARED_HIGH };

/* What the plugin keeps for "pages/1". */
struct shared_pages {
    struct unik_pages api;
    LIST_HEAD(, block) blocks;
    xengntshr_handle *gntshr;           /* NULL before the first block */
};

/* The plugin's state. The interface comes first: a pointer to it is a pointer to this. */
struct vchan_xen {
    struct unik_vchan api;
    struct unik_ctx *ctx;
    struct unik_xenstore *xs;
    struct vchan_xen_machine machine;
    LIST_HEAD(, channel) channels;
    unsigned n;
    TAILQ_HEAD(, channel) due;          /* those to be looked at in the next turn of the loop */
    unsigned n_due;
    ev_idle look;                       /* active while there are such: the loop does not wait then */
    TAILQ_HEAD(, entry) entries;        /* xenstore entries on their way in or out, in the order of asking */
    unsigned running;                   /* of these, in a transaction */
    bool pumping;
    ev_timer settled;                   /* stopping, and the last entry is gone: ends the plugin from the loop */
    struct unik_xenstore_watch *released;
    ev_timer recheck;
    unsigned rechecks;
    bool stopping;
    struct shared_pages pages;
};

struct channel {
    struct unik_stream stream;          /* first: a stream is its channel */
    struct vchan_xen *vx;
    LIST_ENTRY(channel) link;
    TAILQ_ENTRY(channel) due_link;
    struct unik_ctx *owner;
    int peer;
    unsigned port;
    char peer_name[12];
    bool server, due, want_room;
    bool more;                          /* rx was full: the vchan's ring may hold bytes that no event will tell of */
    bool untold;                        /* disconnected, and the owner does not know */
    bool input_ended;
    enum unik_vchan_state state;
    char reason[80];
    struct libxenvchan *lib;            /* NULL: a client that waits, or all is over and read */
    ev_io event;
    struct unik_ring rx;
    struct entry *entry;                /* server: what xenstore announces, until a client is there */
    struct unik_xenstore_watch *watch;  /* client that waits: on the server's event-channel */
    bool asking, again;                 /* it reads the entry; the entry changed meanwhile */
    uint32_t event_channel;
    bool looked, came;                  /* the entry was asked for; it has changed since */
    uint32_t last_event_channel, last_ref;      /* what it said last; 0: it was not there */
    unsigned left;                      /* looks since the last change */
    ev_timer retry;                     /* this machine lacked memory, grants, descriptors; or the server has left */
    double delay;
};

/* channel.c */
struct channel *vchan_xen_new(struct vchan_xen *vx, int peer, unsigned port, bool server, unik_stream_cb *cb,
                              void *arg);
void vchan_xen_free(struct channel *ch);
/* The vchan is there: watch its events. The ring's memory is there too. */
void vchan_xen_begin(struct channel *ch, struct libxenvchan *lib);
void vchan_xen_opened(struct channel *ch);
void vchan_xen_lost(struct channel *ch, const char *why, int error);
void vchan_xen_tell(struct channel *ch, unsigned events);
/* Look at it in the next turn of the loop, and tell its owner what is new. */
void vchan_xen_due(struct channel *ch);
void vchan_xen_on_look(struct ev_loop *loop, ev_idle *w, int revents);
enum unik_vchan_state vchan_xen_state(struct unik_stream *s);
const char *vchan_xen_reason(struct unik_stream *s);

/* client.c */
int vchan_xen_seek(struct channel *ch);
void vchan_xen_unseek(struct channel *ch);

/* entry.c */
int vchan_xen_announce(struct channel *ch, uint32_t ref);
void vchan_xen_withdraw(struct channel *ch);
void vchan_xen_forget_entries(struct vchan_xen *vx);

/* peers.c */
int vchan_xen_watch_peers(struct vchan_xen *vx);
void vchan_xen_unwatch_peers(struct vchan_xen *vx);
void vchan_xen_poll_peer(struct vchan_xen *vx, int peer);
bool vchan_xen_peer_exists(struct vchan_xen *vx, int peer);

/* pages.c */
int vchan_xen_pages_start(struct vchan_xen *vx);
void vchan_xen_pages_stop(struct vchan_xen *vx);

#endif
