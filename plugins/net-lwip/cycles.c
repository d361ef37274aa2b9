/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/cycles.c - lwIP's cyclic timers, in the place of its timeouts.c, which runs all of them always. A tick is due only when
 * something waits for it; what merely grows old in the meantime (entries of caches, leases, silent connections) is made older in one go,
 * before anybody looks at it again. */
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/dhcp.h"

#include "cycles.h"
#include "stream.h"

#define AGE_MAX 4000u                   /* ticks: no cache keeps anything for longer, and no lease is counted further at once */
#define FOR_GOOD 0u                     /* no tick is waited for */

int net_lwip_arp_waits(void);           /* port/etharp.c */
int net_lwip_dns_waits(void);           /* port/dns.c */
void net_lwip_dns_age(unsigned seconds);

/* ---- TCP: two ticks of tcp_tmr() are one of tcp_slowtmr(), which counts tcp_ticks ---- */

static u32_t tcp_wait;                  /* ticks until something is due. It is looked for after a tick, as it goes through all connections */

static u32_t left(u32_t limit, u32_t since) { return tcp_ticks - since > limit ? 1 : limit - (tcp_ticks - since) + 1; }

/* Slow ticks until lwIP or stream.c has something to do for this connection by itself. */
static u32_t pcb_wait(const struct tcp_pcb *c)
{
    if (c->unacked || c->unsent || c->ooseq || c->refused_data || c->persist_backoff ||
        (c->flags & (TF_ACK_DELAY | TF_ACK_NOW | TF_CLOSEPEND | TF_NAGLEMEMERR)))
        return 1;
    switch (c->state) {
    case FIN_WAIT_2:
        return c->flags & TF_RXCLOSED ? left(TCP_FIN_WAIT_TIMEOUT / TCP_SLOW_INTERVAL, c->tmr) : FOR_GOOD;
    case ESTABLISHED:
    case CLOSE_WAIT:
        return ip_get_option(c, SOF_KEEPALIVE) ?
               left((c->keep_idle + c->keep_cnt_sent * c->keep_intvl) / TCP_SLOW_INTERVAL, c->tmr) : FOR_GOOD;
    case TIME_WAIT:
        return left(2 * TCP_MSL / TCP_SLOW_INTERVAL, c->tmr);
    default:
        return 1;
    }
}

static u32_t sooner(u32_t a, u32_t b) { return a == FOR_GOOD || (b != FOR_GOOD && b < a) ? b : a; }

static void tcp_look(const struct stack *n)
{
    u32_t slow = FOR_GOOD;

    for (const struct stack_stream *s = n->streams; s && slow != 1; s = s->next)
        if (s->pcb && stream_waits(s))
            slow = 1;
    for (const struct tcp_pcb *c = tcp_active_pcbs; c && slow != 1 && n->link; c = c->next)
        slow = sooner(slow, pcb_wait(c));
    for (const struct tcp_pcb *c = tcp_tw_pcbs; c && slow != 1 && n->link; c = c->next)
        slow = sooner(slow, pcb_wait(c));
    tcp_wait = slow > 1 ? slow * 2 : slow;
}

static u32_t tcp_ticks_left(const struct stack *n)
{
    (void)n;
    return tcp_wait;
}

static void tcp_age(u32_t ticks)
{
    static u32_t half;

    half += ticks;
    tcp_ticks += half / 2;
    half %= 2;
    tcp_wait = tcp_wait > ticks ? tcp_wait - ticks : tcp_wait ? 1 : FOR_GOOD;
}

void cycles_tcp(void) { tcp_wait = 1; }

/* ---- the others ---- */

static u32_t reass4_left(const struct stack *n) { (void)n; return pools_lwip_used(MEMP_REASSDATA) > 0; }
static u32_t reass6_left(const struct stack *n) { (void)n; return pools_lwip_used(MEMP_IP6_REASSDATA) > 0; }
static u32_t arp_left(const struct stack *n) { return n->link && net_lwip_arp_waits(); }
static u32_t dns_left(const struct stack *n) { (void)n; return net_lwip_dns_waits() != 0; }

static void arp_age(u32_t ticks)
{
    for (u32_t i = 0; i < ticks; i++)
        etharp_tmr();
}

static u32_t nd6_left(const struct stack *n)
{
    for (int i = 0; n->link && i < LWIP_ND6_NUM_NEIGHBORS; i++)
        if (neighbor_cache[i].state == ND6_INCOMPLETE || neighbor_cache[i].state == ND6_DELAY || neighbor_cache[i].state == ND6_PROBE ||
            neighbor_cache[i].q)
            return 1;
    return 0;
}

static void nd6_age(u32_t ticks)
{
    for (u32_t i = 0; i < ticks; i++)
        nd6_tmr();
}

static const struct dhcp *lease(const struct stack *n) { return n->link ? netif_dhcp_data(&n->netif) : NULL; }
static u32_t fine_left(const struct stack *n) { return lease(n) ? lease(n)->request_timeout : 0; }

static void fine_age(u32_t ticks)
{
    for (u32_t i = 0; i < ticks; i++)
        dhcp_fine_tmr();
}

static u32_t coarse_left(const struct stack *n)
{
    const struct dhcp *d = lease(n);
    u32_t ticks = FOR_GOOD;

    if (!d || d->state == DHCP_STATE_OFF)
        return FOR_GOOD;
    if (d->t0_timeout)
        ticks = d->t0_timeout > d->lease_used ? (u32_t)(d->t0_timeout - d->lease_used) : 1;
    return sooner(sooner(ticks, d->t1_renew_time), d->t2_rebind_time);
}

static void coarse_age(u32_t ticks)
{
    for (u32_t i = 0; i < ticks; i++)
        dhcp_coarse_tmr();
}

static void no_age(u32_t ticks) { (void)ticks; }
static void dns_age(u32_t ticks) { net_lwip_dns_age(ticks); }

/* left: ticks until one does more than count, 0: none will. age: so many pass, and none of them is that one. */
static const struct {
    u32_t interval;                     /* ms */
    void (*tick)(void);
    u32_t (*left)(const struct stack *n);
    void (*age)(u32_t ticks);
    u32_t most;                         /* more ticks than that make nothing any older */
} cycles[] = {
    { TCP_TMR_INTERVAL, tcp_tmr, tcp_ticks_left, tcp_age, UINT32_MAX },
    { IP_TMR_INTERVAL, ip_reass_tmr, reass4_left, no_age, 0 },
    { IP6_REASS_TMR_INTERVAL, ip6_reass_tmr, reass6_left, no_age, 0 },
    { ARP_TMR_INTERVAL, etharp_tmr, arp_left, arp_age, ARP_MAXAGE },
    { ND6_TMR_INTERVAL, nd6_tmr, nd6_left, nd6_age, AGE_MAX },
    { DNS_TMR_INTERVAL, dns_tmr, dns_left, dns_age, UINT32_MAX },
    { DHCP_FINE_TIMER_MSECS, dhcp_fine_tmr, fine_left, fine_age, AGE_MAX },
    { DHCP_COARSE_TIMER_MSECS, dhcp_coarse_tmr, coarse_left, coarse_age, AGE_MAX }
};
#define CYCLES (sizeof(cycles) / sizeof(cycles[0]))

static uint64_t last[CYCLES];           /* ms: when the last tick was, or would have been */

void cycles_start(uint64_t now)
{
    for (size_t i = 0; i < CYCLES; i++)
        last[i] = now;
    tcp_wait = FOR_GOOD;
}

/* Ticks of this one that are over; at most all before the next that does something. */
static u32_t pass(const struct stack *n, size_t i, uint64_t now)
{
    uint64_t over = (now - last[i]) / cycles[i].interval;
    u32_t next = over ? cycles[i].left(n) : 0, k;

    if (next && over >= next)
        over = next - 1;
    k = over < cycles[i].most ? (u32_t)over : cycles[i].most;
    cycles[i].age(k);
    last[i] += over * cycles[i].interval;
    return next - (next ? (u32_t)over : 0);
}

void cycles_pass(const struct stack *n, uint64_t now)
{
    for (size_t i = 0; i < CYCLES; i++)
        pass(n, i, now);
}

void cycles_run(const struct stack *n, uint64_t now)
{
    for (size_t i = 0; i < CYCLES; i++) {
        if (pass(n, i, now) != 1 || now - last[i] < cycles[i].interval)
            continue;
        cycles[i].tick();
        last[i] = now - (now - last[i]) % cycles[i].interval;  /* after a standstill not all at once: nobody could have answered */
        if (i == 0)
            tcp_look(n);
    }
}

uint64_t cycles_due(const struct stack *n)
{
    uint64_t due = 0;

    for (size_t i = 0; i < CYCLES; i++) {
        u32_t next = cycles[i].left(n);
        uint64_t at = last[i] + (uint64_t)next * cycles[i].interval;

        if (next && (due == 0 || at < due))
            due = at;
    }
    return due;
}
