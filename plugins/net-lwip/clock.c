/* plugins/net-lwip/clock.c - lwIP's timers on the loop, and the end of each turn of it. */
#include <time.h>

#include "lwip/sys.h"
#include "lwip/timeouts.h"

#include "stack.h"

#define ROUNDS 32                       /* of packets to ourselves in one turn */

u32_t sys_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static void wait_for_next(struct stack *n)
{
    u32_t ms = sys_timeouts_sleeptime();
    double seconds = n->netif.loop_first ? 0 : ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? 60 : (ms + 1) / 1000.0;

    if (ev_is_active(&n->timer) && ev_timer_remaining(n->ctx->loop, &n->timer) <= seconds)
        return;                         /* early is harmless */
    ev_timer_stop(n->ctx->loop, &n->timer);
    ev_timer_set(&n->timer, seconds, 0);
    ev_timer_start(n->ctx->loop, &n->timer);
}

/* Packets to our own address come back with the checksum that the card would have filled in. */
static void loop_back(struct stack *n)
{
    u16_t flags = n->netif.chksum_flags;

    n->netif.chksum_flags = flags & (u16_t)~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP);
    n->in_input = true;
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
    sys_check_timeouts();
    stack_count(n);
    turn_end(n);
}

static void on_turn(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct stack *n = w->data;

    (void)loop, (void)revents;
    turn_end(n);
    if (n->stopping && n->n_streams == 0)
        stack_gone(n);                  /* here, as nobody up the stack has anything to do with it any more */
    else
        wait_for_next(n);
}

void clock_start(struct stack *n)
{
    sys_restart_timeouts();
    ev_timer_init(&n->timer, on_timer, 0, 0);
    ev_prepare_init(&n->turn, on_turn);
    n->timer.data = n->turn.data = n;
    ev_prepare_start(n->ctx->loop, &n->turn);
}

void clock_stop(struct stack *n)
{
    ev_timer_stop(n->ctx->loop, &n->timer);
    ev_prepare_stop(n->ctx->loop, &n->turn);
}
