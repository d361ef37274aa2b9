/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-sockets/ask-none.c - built without a resolver: addresses only. */
#include <errno.h>

#include "resolve.h"

int sockets_ask(struct unik_net_query *q, const char *name, unsigned family)
{
    (void)family;
    unik_warn(q->n->ctx, "%s: built without c-ares, so names cannot be found", name);
    return -EHOSTUNREACH;
}

void sockets_ask_stop(struct sockets *n) { (void)n; }
