/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/xenstored-private.h - the parts of the scripted xenstored.
 *   xenstored.c         socket, connections, bytes out and in, the faults of both
 *   xenstored-answer.c  what a request does: tree, watches, transactions
 *   xenstored-tree.c    the nodes
 */
#ifndef TESTS_COMMON_XENSTORED_PRIVATE_H
#define TESTS_COMMON_XENSTORED_PRIVATE_H

#include "protocol/xenstore.h"
#include "tests/common/xenstored-tree.h"
#include "tests/common/xenstored.h"

#define CONN_TXS 32
#define CONN_WATCHES 4096
#define DENIALS 16
#define CHANGES 64

struct conn_watch {
    char *path, *absolute, *token;
};

struct conn_tx {
    uint32_t id;                    /* 0: free */
    uint64_t began;                 /* generation of the tree */
    struct tree tree;
    char *changed[CHANGES];
    size_t n;
};

struct conn {
    struct conn *next;
    struct xenstored *s;
    int fd;
    ev_io readable, writable;
    uint8_t in[65536];
    size_t in_used;
    uint8_t *out;
    size_t out_used, out_room;
    struct conn_watch watches[CONN_WATCHES];
    size_t watch_n;
    struct conn_tx txs[CONN_TXS];
};

struct held {
    struct held *next;
    struct conn *c;
    size_t n;
    uint8_t bytes[];
};

struct denial {
    uint32_t type;
    char *path;
    int error;
};

struct xenstored {
    struct ev_loop *loop;
    unsigned domid;
    char home[64], folder[64], socket[96];
    int fd;
    ev_io acceptable;
    struct conn *conns;
    struct tree tree;
    uint64_t generation;
    uint32_t next_tx;
    unsigned accepted, requests, resets;
    char seen[1024], seen_copy[1024];

    struct denial denials[DENIALS];
    size_t denial_n;
    unsigned conflicts;
    void (*on_commit)(struct xenstored *, void *);
    void *on_commit_arg;
    struct held *held;
    bool hold;
    size_t split, close_after;      /* close_after: bytes left + 1; 0: off */
    uint32_t wrong_id, wrong_type;
    uint8_t wrong_body[4096];
    size_t wrong_body_n;
    bool has_wrong_body;
};

/* Queue a reply, with the faults that are due; or an event, which nothing holds. */
void conn_reply(struct conn *c, struct xenstore_header h, const void *body, size_t n);
void conn_event(struct conn *c, const char *path, const char *token);
/* Do what a request asks, and reply. */
void conn_answer(struct conn *c, const struct xenstore_header *h, char *body);
/* Forget what a connection that ends holds. */
void conn_release(struct conn *c);
/* The tree changed here: tell the watches. below: those on nodes below too (all below was removed). */
void xenstored_fire(struct xenstored *s, const char *path, bool below);
/* Absolute path, in a static buffer. */
const char *xenstored_absolute(const struct xenstored *s, const char *path);

#endif
