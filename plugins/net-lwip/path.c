/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/path.c - a router on the way says that a packet of ours is too big (ICMPv6, RFC 4443 3.2, RFC 8201). Over IPv4 nobody
 * has to: our packets may be cut on the way there.
 *
 * Such a message is *from the network*, from anybody, and lwIP 2.2.1 would believe it whole. It is believed here only if it quotes a
 * segment of a connection of ours that is on the way now: who does not see our packets has to guess port and sequence number; and
 * if it names at least what IPv6 asks of every link. It makes the segments of that connection smaller, never larger, and sends again what
 * is not acknowledged. lwIP sees none of these messages. */
#include "lwip/icmp6.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip6.h"
#include "lwip/priv/tcp_priv.h"

#include "stack.h"

#define SMALLEST 1280u                  /* bytes that every link of IPv6 takes (RFC 8200, 5) */
#define HEADERS (40u + 20u)
#define QUOTED (40u + 8u)               /* as much of our packet as is looked at: its header, ports, sequence number */

static struct tcp_pcb *find(const struct ip6_hdr *ip, u16_t us, u16_t peer, u32_t seq)
{
    for (struct tcp_pcb *c = tcp_active_pcbs; c; c = c->next)
        if (c->state >= ESTABLISHED && c->local_port == us && c->remote_port == peer && IP_IS_V6_VAL(c->local_ip) &&
            ip6_addr_cmp_packed(ip_2_ip6(&c->local_ip), &ip->src, 0) && ip6_addr_cmp_packed(ip_2_ip6(&c->remote_ip), &ip->dest, 0))
            return TCP_SEQ_GEQ(seq, c->lastack) && TCP_SEQ_LT(seq, c->snd_nxt) ? c : NULL;
    return NULL;
}

/* What was made for the path as we thought it was is cut: each segment is the head of the queue for a moment, as lwIP cuts that one. */
static void cut(struct tcp_pcb *c)
{
    struct tcp_seg *head = c->unsent;

    for (struct tcp_seg *s = head; s; s = s->next) {
        c->unsent = s;
        if (s->len > c->mss && tcp_split_unsent_seg(c, c->mss) != ERR_OK)
            break;                      /* no memory: it goes as it is, and comes back here */
    }
    c->unsent = head;
}

static bool smaller(struct stack *n, const u8_t *icmp)
{
    const struct ip6_hdr *ip = (const void *)(icmp + 8);
    const u8_t *tcp = icmp + 8 + 40;
    u32_t mtu = (u32_t)icmp[4] << 24 | (u32_t)icmp[5] << 16 | (u32_t)icmp[6] << 8 | icmp[7];
    u32_t seq = (u32_t)tcp[4] << 24 | (u32_t)tcp[5] << 16 | (u32_t)tcp[6] << 8 | tcp[7];
    struct tcp_pcb *c;

    if (IP6H_V(ip) != 6 || IP6H_NEXTH(ip) != IP6_NEXTH_TCP)
        return false;
    c = find(ip, (u16_t)(tcp[0] << 8 | tcp[1]), (u16_t)(tcp[2] << 8 | tcp[3]), seq);
    if (!c || mtu < SMALLEST || mtu >= n->netif.mtu || c->mss <= mtu - HEADERS)
        return false;
    c->mss = (u16_t)(mtu - HEADERS);
    merge_flush(n);                     /* segments that wait there cannot be taken back */
    if (tcp_rexmit_rto_prepare(c) == ERR_OK) {
        cut(c);
        tcp_rexmit_rto_commit(c);
    } else {
        cut(c);
    }
    return true;
}

/* p: the frame, in one piece, with such a message. */
void path_too_big(struct stack *n, struct pbuf *p, const struct admit_found *found)
{
    const struct ip6_hdr *ip = (const void *)((const u8_t *)p->payload + 14);
    u16_t size = (u16_t)(found->end - found->l4);
    ip6_addr_t from, to;

    if (size < 8 + QUOTED || p->len < found->end)
        return;
    ip6_addr_copy_from_packed(from, ip->src);
    ip6_addr_copy_from_packed(to, ip->dest);
    pbuf_realloc(p, (u16_t)found->end);
    pbuf_remove_header(p, found->l4);
    if (ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, size, &from, &to) == 0 && smaller(n, p->payload))
        n->ctx->counters[STACK_SMALLER]++;
}
