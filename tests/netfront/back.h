/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/netfront/back.h - a back end for the plugin netfront, played in the test's process: the toolstack's and the back end's nodes in
 * the scripted xenstored, and the other half of the rings on the played Xen (tests/vchan/fake-xen.h). It looks at what the front end
 * sends as hard as Linux's netback does (doc/protocol/network.md, 6, "fatal"): a packet that would disable the
 * device fails the test. */
#ifndef TESTS_NETFRONT_BACK_H
#define TESTS_NETFRONT_BACK_H

#include <unik/nic.h>
#include "protocol/netif.h"
#include "tests/common/store.h"

#define BACK_DOMID 3
#define BACK_SECONDS 300.0
#define BACK_MAC "00:16:3e:5e:6c:01"

/* What the user of the card was told; frames are copied. */
struct user {
    struct unik_nic *nic;
    unsigned frames, ends, rooms, changes;
    bool hold;                          /* keep frames instead of giving them back */
    unsigned n_held;
    struct unik_nic_frame *held[1024];
    struct unik_nic_offloads offloads;  /* of the last frame */
    unsigned parts;
    bool shared;
    size_t size;
    uint8_t bytes[65536];
};

struct back {
    struct store t;
    struct unik_ctx *ctx;
    struct unik_nic *nic;
    struct user user;
    unsigned number, peer;              /* D, and the back end's domid */
    bool mapped;
    void *event, *gnttab;               /* xenevtchn_handle, xengnttab_handle */
    uint32_t port;
    uint8_t *tx, *rx;                   /* the rings */
    uint32_t tx_cons, rx_cons, tx_rsp, rx_rsp;      /* requests taken, responses written */
};

/* A host, xenstored and the plugin xenstore; nothing in device/vif. */
void back_open(struct back *b);
/* Start netfront ("key=value" options, or NULL), attach the user. */
void back_start(struct back *b, const char *const *options);
/* Stop it, and check that nothing is left: grants, ports, watches, transactions, descriptors. */
void back_stop(struct back *b);
void back_close(struct back *b);

/* The toolstack: make the nodes of both sides, in states 1; take them away. */
void back_plug(struct back *b, unsigned number, unsigned peer);
void back_unplug(struct back *b);
void back_front(struct back *b, const char *leaf, const char *value);      /* value NULL: remove */
void back_back(struct back *b, const char *leaf, const char *value);
const char *back_read(struct back *b, const char *leaf);        /* of the front end; "" if it is not there */
const char *back_state(struct back *b);

/* The back end: write features, state 2; await the front's 4; map, bind; state 4. */
void back_ready(struct back *b);
void back_map(struct back *b);
void back_unmap(struct back *b);
/* All of it, until the user has the link. */
void back_connect(struct back *b);
bool back_until(struct back *b, bool (*cond)(struct back *b));
void back_run(struct back *b);          /* what is due now, and a little */
bool back_is_up(struct back *b);
bool back_is_down(struct back *b);

/* ---- rings ---- */

uint32_t back_index(uint8_t *ring, enum netif_index which);
void back_set_index(uint8_t *ring, enum netif_index which, uint32_t value);
void back_notify(struct back *b);
/* RX: wait until at least so many places are posted and not taken. */
bool back_posted(struct back *b, unsigned n);
/* RX: the next place's request; false: none is posted. */
bool back_place(struct back *b, struct netif_rx_request *q);
/* RX: answer the next place with a slot of these bytes, as one of a packet. offset within the page. */
void back_slot(struct back *b, const void *bytes, size_t n, unsigned offset, unsigned flags);
/* RX: answer it with anything. */
void back_answer(struct back *b, const uint8_t entry[NETIF_RX_ENTRY]);
/* RX: show what was answered; event: as the front end asked for it. */
void back_show(struct back *b);
/* A whole packet in slots of at most `slot` bytes, with gso or not, shown. */
void back_input(struct back *b, const void *bytes, size_t n, size_t slot, unsigned flags, const struct netif_extra *gso);

/* TX: a packet, and what was said of it. */
struct packet { size_t size; unsigned slots, flags; struct netif_extra gso; uint16_t id[NETIF_SLOTS_MAX + 2]; uint8_t bytes[65536]; };
/* Take the next packet, without answering; false: there is none. */
bool back_take(struct back *b, struct packet *p);
void back_done(struct back *b, const struct packet *p, int status);
void back_reply(struct back *b, unsigned id, int status);      /* one response, not shown yet */
void back_show_tx(struct back *b);

#define WAIT_UNTIL(b, cond) ck_assert(back_until((b), (cond)))

#endif
