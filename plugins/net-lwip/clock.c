/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/clock.c - lwIP's timers on the loop, and the end of each turn of it. */
#include <time.h>

#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"

#include "cycles.h"

#define ROUNDS 32                       /* of packets to ourselves in one turn */

static uint64_t ahead;                  /* ms: tests make time pass with it */
static struct stack *running;

void clock_jump(unsigned ms)
{
    ahead += ms;
    running->due = 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + ahead;
}

u32_t sys_now(void) { return (u32_t)now_ms(); }

/* One timer, armed for what is due next; none if nothing is. */
static void wait_for_next(struct stack *n)
{
    uint64_t due = n->netif.loop_first ? 1 : cycles_due(n), now;

    if (due == n->due)
        return;
    ev_timer_stop(n->ctx->loop, &n->timer);
    n->due = due;
    if (!due)
        return;
    now = now_ms();
    ev_timer_set(&n->timer, due > now ? (double)(due - now + 1) / 1000 : 0, 0);
    ev_timer_start(n->ctx->loop, &n->timer);
}

void clock_enter(struct stack *n)
{
    if (n->entered)
        return;
    n->entered = true;
    cycles_pass(n, now_ms());
}

void clock_tcp(struct stack *n)
{
    clock_enter(n);
    cycles_tcp();
}

/* lwIP's: a connection has come. */
void tcp_timer_needed(void)
{
    if (running)
        clock_tcp(running);
}

/* Packets to our own address come back with the checksum that the card would have filled in. */
static void loop_back(struct stack *n)
{
    u16_t flags = n->netif.chksum_flags;

    n->netif.chksum_flags = flags & (u16_t)~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP);
    n->in_input = true;
    clock_tcp(n);
    netif_poll(&n->netif);
    n->in_input = false;
    n->netif.chksum_flags = flags;
}

/* All that callbacks have left to do, then everything that is to be sent. */
void turn_end(struct stack *n)
{
    if (n->reconfigure) {
        n->reconfigure = false;
        config_apply(n);
    }
    for (int i = 0; i < ROUNDS; i++) {
        stream_turn(n);
        resolve_turn(n);
        if (!n->netif.loop_first)
            break;
        loop_back(n);
    }
    if (n->changed) {
        n->changed = false;
        stack_state(n);
        watch_tell(n);
    }
    card_flush(n);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct stack *n = w->data;

    (void)loop, (void)revents;
    n->ctx->counters[STACK_WAKEUPS]++;
    n->due = 0;                         /* it is over: armed again at the end of the turn */
    n->entered = true;
    cycles_run(n, now_ms());
    turn_end(n);
}

static void on_turn(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct stack *n = w->data;

    (void)loop, (void)revents;
    turn_end(n);
    stack_count(n);
    n->entered = false;
    if (n->stopping && n->n_streams == 0)
        stack_gone(n);                  /* here, as nobody up the stack has anything to do with it any more */
    else
        wait_for_next(n);
}

void clock_start(struct stack *n)
{
    running = n;
    cycles_start(now_ms());
    ev_timer_init(&n->timer, on_timer, 0, 0);
    ev_prepare_init(&n->turn, on_turn);
    n->timer.data = n->turn.data = n;
    ev_prepare_start(n->ctx->loop, &n->turn);
}

void clock_stop(struct stack *n)
{
    running = NULL;
    ev_timer_stop(n->ctx->loop, &n->timer);
    ev_prepare_stop(n->ctx->loop, &n->turn);
}
