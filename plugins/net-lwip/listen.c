/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/listen.c - listeners, and what a flood of SYNs may cost.
 *
 * Each SYN that is answered takes a small struct of lwIP's until the handshake ends. There are at most STACK_HALF_OPEN of these for
 * all listeners; when one more comes, the oldest goes, without a packet: a flood from forged addresses pushes out itself first,
 * and a peer that really is there needs only one round trip. With max-connections reached, SYNs are not answered: their
 * senders ask again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unik/text.h>

#include "lwip/priv/tcp_priv.h"

#include "stack.h"

struct unik_net_listener {
    struct stack *n;
    struct unik_ctx *owner;
    struct unik_net_listener *next;
    struct tcp_pcb *pcb;                /* NULL: closed by drain */
    unik_net_accept_cb *cb;
    void *arg;
    double told;
    char text[STACK_PEER_MAX];
};

/* ---- the half-open ones, oldest first ---- */

struct half {
    struct half *next, **link;          /* link NULL: free */
    struct tcp_pcb *pcb;
    struct stack *n;
};

static struct half halves[STACK_HALF_OPEN], *oldest, **newest = &oldest, *unused;
static size_t n_halves;
static u8_t ext_id;

static void half_free(struct half *h)
{
    *h->link = h->next;
    if (h->next)
        h->next->link = h->link;
    else
        newest = h->link;
    h->link = NULL;
    h->next = unused;
    unused = h;
    h->n->ctx->counters[STACK_HALF] = --n_halves;
}

/* The connection is gone before it was one. */
static void half_gone(u8_t id, void *data)
{
    struct half *h = data;

    (void)id;
    if (h && h->link)
        half_free(h);
}

static err_t half_new(u8_t id, struct tcp_pcb_listen *lpcb, struct tcp_pcb *pcb);
static const struct tcp_ext_arg_callbacks ext = { .destroy = half_gone, .passive_open = half_new };

/* A SYN came: may it be answered? *from the network* */
static err_t half_new(u8_t id, struct tcp_pcb_listen *lpcb, struct tcp_pcb *pcb)
{
    struct unik_net_listener *l = lpcb->callback_arg;
    struct stack *n = l->n;
    struct half *h;

    if (n->n_streams >= (size_t)n->config->max_connections) {
        double now = ev_now(n->ctx->loop);

        n->ctx->counters[STACK_REFUSED]++;
        if (l->told == 0 || now - l->told >= STACK_LOG_EVERY) {
            unik_warn(n->ctx, "max-connections reached: not accepting for now (%zu connections)", n->n_streams);
            l->told = now;
        }
        return ERR_MEM;
    }
    if (!unused) {
        n->ctx->counters[STACK_HALF_EVICTED]++;
        tcp_abandon(oldest->pcb, 0);    /* half_gone() makes it unused */
    }
    h = unused;
    unused = h->next;
    h->next = NULL;
    h->link = newest;
    *newest = h;
    newest = &h->next;
    h->pcb = pcb;
    h->n = n;
    n->ctx->counters[STACK_HALF] = ++n_halves;
    tcp_ext_arg_set(pcb, id, h);
    tcp_ext_arg_set_callbacks(pcb, id, &ext);
    return ERR_OK;
}

void listen_init(void)
{
    static bool done;

    if (done)
        return;
    done = true;
    ext_id = tcp_ext_arg_alloc_id();
    for (size_t i = 0; i < STACK_HALF_OPEN; i++) {
        halves[i].next = unused;
        unused = &halves[i];
    }
}

/* ---- listeners ---- */

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct unik_net_listener *l = arg;
    struct unik_stream *s;

    if (!pcb || err != ERR_OK)
        return ERR_VAL;                 /* a SYN found no memory: its sender tries again */
    half_gone(ext_id, tcp_ext_arg_get(pcb, ext_id));
    tcp_ext_arg_set(pcb, ext_id, NULL);
    if (l->n->draining || l->n->n_streams >= (size_t)l->n->config->max_connections ||
        !(s = stream_new(l->n, l->owner, pcb, false))) {
        l->n->ctx->counters[STACK_REFUSED]++;
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    l->n->ctx->counters[STACK_ACCEPTED]++;
    l->cb(s, l->arg);
    return ERR_OK;
}

static int bind_error(err_t e) { return e == ERR_USE ? -EADDRINUSE : e == ERR_MEM || e == ERR_BUF ? -ENOMEM : -EINVAL; }

unsigned random_port(void) { return 32768 + net_lwip_random() % (61000 - 32768); }

int stack_listen(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned *port, int backlog,
                 unik_net_accept_cb *cb, void *arg, struct unik_net_listener **out)
{
    struct stack *n = stack_of(net);
    struct unik_net_listener *l;
    ip_addr_t at = *IP_ANY_TYPE;
    struct tcp_pcb *pcb, *listening;
    err_t e = ERR_USE;

    if (!cb || *port > 65535 || backlog < 1 || (address && *address && !text_address(address, &at)))
        return -EINVAL;
    if (n->draining)
        return -ESHUTDOWN;
    l = calloc(1, sizeof(*l));
    pcb = l ? tcp_new_ip_type(IP_GET_TYPE(&at)) : NULL;
    if (!pcb) {
        free(l);
        return -ENOMEM;
    }
    ip_set_option(pcb, SOF_REUSEADDR);  /* old connections in TIME-WAIT do not keep a new listener away */
    for (int i = 0; i < (*port ? 1 : 32) && e == ERR_USE; i++)
        e = tcp_bind(pcb, &at, (u16_t)(*port ? *port : random_port()));
    listening = e == ERR_OK ? tcp_listen_with_backlog_and_err(pcb, 255, &e) : NULL;
    if (!listening) {
        tcp_abort(pcb);
        free(l);
        return bind_error(e);
    }
    *port = listening->local_port;
    l->n = n;
    l->owner = owner;
    l->pcb = listening;
    l->cb = cb;
    l->arg = arg;
    l->next = n->listeners;
    n->listeners = l;
    if (address && *address)
        text_peer(&at, *port, l->text);
    else
        snprintf(l->text, sizeof(l->text), "port %u", *port);
    tcp_arg(listening, l);
    tcp_accept(listening, on_accept);
    tcp_ext_arg_set(listening, ext_id, NULL);
    tcp_ext_arg_set_callbacks(listening, ext_id, &ext);
    unik_info(n->ctx, "listening on %s", l->text);
    *out = l;
    return 0;
}

static void close_listener(struct unik_net_listener *l)
{
    struct half *h = oldest;

    if (!l->pcb)
        return;
    while (h) {                         /* lwIP would keep them, for nobody */
        struct half *next = h->next;

        if (h->pcb->listener == (struct tcp_pcb_listen *)l->pcb)
            tcp_abort(h->pcb);
        h = next;
    }
    tcp_close(l->pcb);
    l->pcb = NULL;
}

void stack_unlisten(struct unik_net *net, struct unik_net_listener *l)
{
    struct unik_net_listener **p = &stack_of(net)->listeners;

    while (*p != l)
        p = &(*p)->next;
    *p = l->next;
    close_listener(l);
    free(l);
}

void listen_stop(struct stack *n)
{
    for (struct unik_net_listener *l = n->listeners; l; l = l->next)
        close_listener(l);
}

void listen_free(struct stack *n)
{
    while (n->listeners)
        stack_unlisten(&n->net, n->listeners);
}

void listen_status(const struct stack *n, struct unik_text *out)
{
    for (const struct unik_net_listener *l = n->listeners; l; l = l->next)
        unik_text_add(out, "listening: %s\n", l->text);
}

size_t listen_left(struct stack *n, const struct unik_ctx *owner)
{
    size_t found = 0;

    for (struct unik_net_listener *l = n->listeners, *next; l; l = next) {
        next = l->next;
        if (l->owner != owner)
            continue;
        stack_unlisten(&n->net, l);
        found++;
    }
    return found;
}
