/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/watch.c - which addresses we have, whether packets can leave, and who wants to know when that changes. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "stack.h"

struct unik_net_watch {
    struct unik_net_watch *next, **link;        /* link NULL: taken back while being told */
    struct unik_ctx *owner;
    unik_net_watch_cb *cb;
    void *arg;
};

static struct unik_net_watch *telling;  /* the next one to be told */

int stack_address(struct unik_net *net, unsigned i, char text[UNIK_NET_ADDRESS_MAX])
{
    const struct stack_addresses *a = &stack_of(net)->now;

    if (a->have4 && i-- == 0)
        return inet_ntop(AF_INET, &a->address.addr, text, UNIK_NET_ADDRESS_MAX) ? 0 : -ENOENT;
    if (a->have6 && i-- == 0)
        return inet_ntop(AF_INET6, a->address6.addr, text, UNIK_NET_ADDRESS_MAX) ? 0 : -ENOENT;
    return -ENOENT;
}

bool stack_up(struct unik_net *net)
{
    const struct stack *n = stack_of(net);

    return n->link && (n->now.have4 || n->now.have6);
}

int stack_watch(struct unik_net *net, struct unik_ctx *owner, unik_net_watch_cb *cb, void *arg, struct unik_net_watch **out)
{
    struct stack *n = stack_of(net);
    struct unik_net_watch *w = calloc(1, sizeof(*w));

    if (!w)
        return -ENOMEM;
    w->owner = owner;
    w->cb = cb;
    w->arg = arg;
    w->next = n->watches;
    w->link = &n->watches;
    if (w->next)
        w->next->link = &w->next;
    n->watches = w;
    *out = w;
    return 0;
}

void stack_unwatch(struct unik_net *net, struct unik_net_watch *w)
{
    (void)net;
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    if (telling == w)
        telling = w->next;
    free(w);
}

void watch_tell(struct stack *n)
{
    for (struct unik_net_watch *w = n->watches; w; w = telling) {
        telling = w->next;
        w->cb(w->arg);
    }
    telling = NULL;
}

void watch_free(struct stack *n)
{
    while (n->watches)
        stack_unwatch(&n->net, n->watches);
}

size_t watch_left(struct stack *n, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct unik_net_watch *w = n->watches, *next; w; w = next) {
        next = w->next;
        if (w->owner != owner)
            continue;
        stack_unwatch(&n->net, w);
        found++;
    }
    return found;
}
