/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/resolve.c - names, by lwIP's DNS client. An answer is *from the network*: lwIP takes it only from the server
 * asked, with the port and id of the question, both random; and answer.c lets pass only what belongs to the name that was asked for.
 *
 * lwIP cannot take a question back, and keeps each until its own end: a query that its owner has given up, or whose 30 s are over,
 * stays until then, without a callback. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lwip/dns.h"

#include "protocol/dns.h"
#include "stack.h"

#define DEADLINE 29.0                   /* seconds */

struct unik_net_query {
    struct stack *n;
    struct unik_ctx *owner;
    struct unik_net_query *next;
    unik_net_resolve_cb *cb;            /* NULL: nobody waits any more */
    void *arg;
    double deadline;
    int error;
    bool asked, found;                  /* lwIP still has our pointer; there is something to tell */
    char address[UNIK_NET_ADDRESS_MAX];
};

static void on_answer(const char *name, const ip_addr_t *address, void *arg)
{
    struct unik_net_query *q = arg;

    (void)name;
    if (!q->n) {                        /* its plugin has stopped */
        free(q);
        return;
    }
    q->asked = false;
    q->found = true;
    if (address)
        text_plain(address, q->address);
    else
        q->error = q->n->in_input ? -ENOENT : -ETIMEDOUT;      /* an answer that says no, or lwIP's last retry */
}

int stack_resolve(struct unik_net *net, struct unik_ctx *owner, const char *name, unsigned family, unik_net_resolve_cb *cb,
                  void *arg, struct unik_net_query **out)
{
    static const u8_t types[] = { [0] = LWIP_DNS_ADDRTYPE_IPV4_IPV6, [4] = LWIP_DNS_ADDRTYPE_IPV4, [6] = LWIP_DNS_ADDRTYPE_IPV6 };
    struct stack *n = stack_of(net);
    struct unik_net_query *q;
    ip_addr_t address;
    char plain[DNS_NAME_MAX];
    bool numeric;

    if (!cb || !name || dns_plain_name(name, plain) < 0 || (family != 0 && family != 4 && family != 6))
        return -EINVAL;
    numeric = text_address(plain, &address);
    if (!numeric && dns_ends_in_number(plain))
        return -EINVAL;                 /* lwIP would make an address of "127.1" */
    if (n->n_queries >= STACK_QUERIES_MAX)
        return -EMFILE;
    q = calloc(1, sizeof(*q));
    if (!q)
        return -ENOMEM;
    q->n = n;
    q->owner = owner;
    q->cb = cb;
    q->arg = arg;
    q->deadline = ev_now(n->ctx->loop) + DEADLINE;
    if (numeric) {
        q->found = true;
        if (family && family != (IP_IS_V6(&address) ? 6 : 4))
            q->error = -ENOENT;
        else
            text_plain(&address, q->address);
    } else if (n->now.n_dns == 0 || !stack_up(net)) {
        q->found = true;
        q->error = -EHOSTUNREACH;
    } else {
        err_t e;

        clock_enter(n);
        e = dns_gethostbyname_addrtype(plain, &address, on_answer, q, types[family]);

        if (e == ERR_OK)
            on_answer(plain, &address, q);
        else if (e == ERR_INPROGRESS)
            q->asked = true;
        else {
            free(q);
            return e == ERR_ARG || e == ERR_VAL ? -EINVAL : -EMFILE;
        }
    }
    n->ctx->counters[STACK_QUERIES]++;
    n->n_queries++;
    q->next = n->queries;
    n->queries = q;
    *out = q;
    return 0;
}

void stack_unresolve(struct unik_net *net, struct unik_net_query *q)
{
    (void)net;
    q->cb = NULL;
}

void resolve_turn(struct stack *n)
{
    struct unik_net_query **p = &n->queries;

    while (*p) {
        struct unik_net_query *q = *p;
        unik_net_resolve_cb *cb = q->cb;

        if (cb && !q->found && ev_now(n->ctx->loop) >= q->deadline) {
            q->found = true;
            q->error = -ETIMEDOUT;
        }
        if (cb && q->found) {
            q->cb = NULL;
            if (q->error)
                n->ctx->counters[STACK_QUERIES_FAILED]++;
            cb(q->error, q->error ? NULL : q->address, q->arg);
            p = &n->queries;            /* it may have asked for others */
            continue;
        }
        if (!cb && !q->asked) {
            *p = q->next;
            n->n_queries--;
            free(q);
            continue;
        }
        p = &q->next;
    }
}

/* At the end of the plugin. What lwIP still has is left to it: its table of names is all that refers to it, and on_answer()
 * must find something there. */
void resolve_free(struct stack *n)
{
    for (struct unik_net_query *q = n->queries; q; q = q->next)
        q->cb = NULL;
    resolve_turn(n);
    for (struct unik_net_query *q = n->queries; q; q = q->next)
        q->n = NULL;
    n->queries = NULL;
}

size_t resolve_left(struct stack *n, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct unik_net_query *q = n->queries, *next; q; q = next) {
        next = q->next;
        if (q->owner != owner || !q->cb)
            continue;
        stack_unresolve(&n->net, q);
        found++;
    }
    return found;
}
