/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-sockets/resolve.h - between resolve.c and the one who asks name servers: ask.c (c-ares) or ask-none.c. */
#ifndef SOCKETS_RESOLVE_H
#define SOCKETS_RESOLVE_H

#include "sockets.h"

struct unik_net_query {
    struct sockets *n;
    struct unik_ctx *owner;
    struct unik_net_query *next, **link;
    unik_net_resolve_cb *cb;            /* NULL: answered, or given up */
    void *arg;
    ev_timer timer;
    bool held;                          /* ask.c has it */
    bool asking;                        /* sockets_ask() runs for it */
    int error;                          /* known at once ... */
    char address[UNIK_NET_ADDRESS_MAX]; /* ... as is this */
};

/* Ask for a name; sockets_resolved() follows, from the loop, once. 0, and the query is held; or a negative errno. */
int sockets_ask(struct unik_net_query *q, const char *name, unsigned family);
void sockets_resolved(struct unik_net_query *q, int error, const char *address);
/* Gives all held ones back, and frees what was used; not while one is just being answered, and then later as usual. */
void sockets_ask_stop(struct sockets *n);

#endif
