/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/reuse.c - the same addresses and ports again (RFC 1122 4.2.2.13, RFC 6191): a connection that is over gives way to a new
 * one, at once. lwIP 2.2.1 answers such a SYN with a reset or with an old acknowledgement, until TIME-WAIT ends.
 *
 * A SYN is *from the network*, from anybody. It has to be newer than all that the old connection has seen, and the old one has to be over
 * for us: in TIME-WAIT, or closed by its owner with nothing of ours but our FIN still to be sent. A connection that somebody here still
 * reads or writes never gives way to a SYN (RFC 5961 4). */
#include <string.h>

#include "arch/hooks.h"
#include "lwip/inet_chksum.h"
#include "lwip/priv/tcp_priv.h"

#include "stream.h"

#define BEYOND 0x10002u                 /* as far as the new connection's numbers begin after the old one's, at least */

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static bool floor_set;                  /* the connection that begins now has to number its bytes from here, or later */
static u32_t floor_seq;

static u32_t be32(const u8_t *p) { return (u32_t)p[0] << 24 | (u32_t)p[1] << 16 | (u32_t)p[2] << 8 | p[3]; }
static u16_t be16(const u8_t *p) { return (u16_t)(p[0] << 8 | p[1]); }

static bool same(const struct tcp_pcb *c, const ip_addr_t *us, const ip_addr_t *peer, const u8_t *tcp)
{
    return c->remote_port == be16(tcp) && c->local_port == be16(tcp + 2) && ip_addr_eq(&c->remote_ip, peer) && ip_addr_eq(&c->local_ip, us);
}

/* Nobody here waits for anything of it any more. */
static bool over(const struct tcp_pcb *c)
{
    const struct stack_stream *s = c->callback_arg;

    if (c->state == TIME_WAIT)
        return true;
    return (c->state == FIN_WAIT_2 || c->state == LAST_ACK || c->state == CLOSING) && !c->unsent && (!s || !s->base.ops);
}

static struct tcp_pcb *find(const ip_addr_t *us, const ip_addr_t *peer, const u8_t *tcp)
{
    struct tcp_pcb *const lists[] = { tcp_tw_pcbs, tcp_active_pcbs };

    for (size_t i = 0; i < 2; i++)
        for (struct tcp_pcb *c = lists[i]; c; c = c->next)
            if (same(c, us, peer, tcp))
                return over(c) ? c : NULL;
    return NULL;
}

static void addresses(const u8_t *ip, ip_addr_t *us, ip_addr_t *peer)
{
    memset(us, 0, sizeof(*us));
    memset(peer, 0, sizeof(*peer));
    if (ip[0] >> 4 == 6) {
        IP_SET_TYPE(us, IPADDR_TYPE_V6);
        IP_SET_TYPE(peer, IPADDR_TYPE_V6);
        memcpy(ip_2_ip6(peer)->addr, ip + 8, 16);
        memcpy(ip_2_ip6(us)->addr, ip + 24, 16);
    } else {
        memcpy(&ip_2_ip4(peer)->addr, ip + 12, 4);
        memcpy(&ip_2_ip4(us)->addr, ip + 16, 4);
    }
}

/* Is the whole segment as it was sent? p: the frame. */
static bool sound(struct pbuf *p, const struct admit_found *found, const ip_addr_t *us, const ip_addr_t *peer)
{
    u16_t size = (u16_t)(found->end - found->l4);
    bool good;

    pbuf_realloc(p, (u16_t)found->end);
    pbuf_remove_header(p, found->l4);
    good = ip_chksum_pseudo(p, IP_PROTO_TCP, size, peer, us) == 0;
    pbuf_add_header_force(p, found->l4);
    return good;
}

/* Before lwIP sees a TCP segment. summed: its checksum needs no verification. */
void reuse_before(struct pbuf *p, const struct admit_found *found, bool summed)
{
    const u8_t *frame = p->payload, *tcp = frame + found->l4;
    ip_addr_t us, peer;
    struct tcp_pcb *c;

    if (found->proto != IP_PROTO_TCP || p->len < found->l4 + 20 || found->end - found->l4 < 20 || (tcp[13] & (FIN | SYN | RST | ACK)) != SYN)
        return;
    addresses(frame + 14, &us, &peer);
    c = find(&us, &peer, tcp);
    if (!c || TCP_SEQ_LT(be32(tcp + 4), c->rcv_nxt) || !(summed || sound(p, found, &us, &peer)))
        return;
    floor_set = true;
    floor_seq = c->snd_nxt + BEYOND;
    tcp_abandon(c, 0);                  /* without a reset: that would meet the new one */
}

void reuse_after(void) { floor_set = false; }

u32_t reuse_isn(u32_t isn) { return floor_set && TCP_SEQ_LT(isn, floor_seq) ? floor_seq : isn; }
