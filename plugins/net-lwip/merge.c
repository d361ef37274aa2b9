/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/merge.c - frames on their way out. lwIP makes one frame of each TCP segment; those of one connection that follow
 * each other and differ in nothing else are held back until the turn ends, and go to the card as one large frame that
 * it cuts again (TSO). lwIP itself knows nothing of it: each segment is acknowledged, lost and sent again on its own.
 *
 * The checksum of TCP is left to the card, if it offers that. */
#include <string.h>

#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/tcp.h"

#include "stack.h"

#define HEADERS_MAX 128                 /* Ethernet 14, IPv6 40, TCP 60 */
#define SEGMENTS 48                     /* merged at most */
#define FRAME_MAX 65000u                /* bytes of a merged frame */

/* The headers of a TCP frame of ours, as lwIP has just written them. */
struct tcp_frame {
    uint8_t *ip, *tcp;
    unsigned headers, payload;          /* bytes */
    bool v6;
    uint8_t flags;
    uint32_t seq;
};

static struct {
    struct pbuf *segments[SEGMENTS];    /* referenced */
    unsigned n_segments, n_parts;
    struct iovec parts[UNIK_NIC_PARTS]; /* parts[0]: header */
    uint8_t header[HEADERS_MAX];
    struct tcp_frame f;                 /* of the first one; pointers into header */
    unsigned total, size;               /* payload of all, and of each but the last */
    uint32_t next_seq;
    bool complete;                      /* nothing can follow */
} held;

static uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t be32(const uint8_t *p) { return (uint32_t)be16(p) << 16 | be16(p + 2); }
static void put16(uint8_t *p, unsigned v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }

/* Is it a TCP segment of ours? lwIP puts all headers of it into the first pbuf. */
static bool parse(const struct pbuf *p, struct tcp_frame *f)
{
    uint8_t *eth = p->payload;
    unsigned ip_size;

    if (p->len < 14 + 20 + 20)
        return false;
    f->ip = eth + 14;
    f->v6 = be16(eth + 12) == 0x86dd;
    if (f->v6) {
        if (f->ip[6] != 6 || p->len < 14 + 40 + 20)
            return false;
        ip_size = 40;
    } else {
        if (be16(eth + 12) != 0x0800 || f->ip[0] != 0x45 || f->ip[9] != 6 || (be16(f->ip + 6) & 0x3fff))
            return false;
        ip_size = 20;
    }
    f->tcp = f->ip + ip_size;
    f->headers = 14 + ip_size + (unsigned)(f->tcp[12] >> 4) * 4;
    if (f->headers > p->len || f->headers > HEADERS_MAX)
        return false;
    f->payload = p->tot_len - f->headers;
    f->flags = f->tcp[13];
    f->seq = be32(f->tcp + 4);
    return true;
}

/* The pseudo-header's sum, which the card completes (RFC 793, 8200). */
static void pseudo_sum(const struct tcp_frame *f, unsigned tcp_size)
{
    uint32_t sum = f->v6 ? net_lwip_sum(f->ip + 8, 32) : net_lwip_sum(f->ip + 12, 8);
    uint16_t words[2] = { lwip_htons((u16_t)tcp_size), lwip_htons(6) };
    uint16_t folded;

    sum += words[0] + words[1];
    sum = (sum & 0xffff) + (sum >> 16);
    folded = (uint16_t)((sum & 0xffff) + (sum >> 16));
    memcpy(f->tcp + 16, &folded, 2);
}

/* Append what a pbuf chain holds after `skip` bytes; neighbours in memory become one part. false: too many. */
static bool add_parts(struct iovec *parts, unsigned *n, const struct pbuf *p, unsigned skip)
{
    for (; p; p = p->next) {
        uint8_t *at = (uint8_t *)p->payload + skip;
        unsigned k;

        if (skip >= p->len) {
            skip -= p->len;
            continue;
        }
        k = p->len - skip;
        skip = 0;
        if (*n > 1 && (uint8_t *)parts[*n - 1].iov_base + parts[*n - 1].iov_len == at) {
            parts[*n - 1].iov_len += k;
            continue;
        }
        if (*n == UNIK_NIC_PARTS)
            return false;
        parts[(*n)++] = (struct iovec){ at, k };
    }
    return true;
}

err_t card_send(struct stack *n, const struct unik_nic_offloads *o, const struct iovec *parts, unsigned count)
{
    int e = n->nic && n->link ? n->nic->send(n->nic, o, parts, count) : -ENETDOWN;

    if (e == 0) {
        n->ctx->counters[STACK_FRAMES_OUT]++;
        return ERR_OK;
    }
    if (e == -EAGAIN) {
        n->ctx->counters[STACK_SEND_FULL]++;
        return ERR_MEM;
    }
    n->ctx->counters[STACK_FRAMES_DROPPED]++;
    return e == -ENETDOWN ? ERR_OK : ERR_IF;    /* link down: lost, as on a wire that is cut; TCP sends it again */
}

static void let_go(void)
{
    for (unsigned i = 0; i < held.n_segments; i++)
        pbuf_free(held.segments[i]);
    held.n_segments = 0;
}

int merge_flush(struct stack *n)
{
    struct unik_nic_offloads o = { .flags = UNIK_NIC_SUM };
    struct tcp_frame *f = &held.f;
    unsigned ip_size = f->headers - 14 + held.total;

    if (!held.n_segments)
        return 0;
    o.sum_start = (uint16_t)(f->tcp - held.header);
    o.sum_offset = 16;
    if (held.n_segments > 1) {
        o.flags |= f->v6 ? UNIK_NIC_TSO6 : UNIK_NIC_TSO4;
        o.mss = (uint16_t)held.size;
        if (f->v6) {
            put16(f->ip + 4, ip_size - 40);
        } else {
            uint16_t sum;

            put16(f->ip + 2, ip_size);
            put16(f->ip + 10, 0);
            sum = (uint16_t)~net_lwip_sum(f->ip, 20);
            memcpy(f->ip + 10, &sum, 2);
        }
    }
    pseudo_sum(f, ip_size - (f->v6 ? 40u : 20u));
    if (card_send(n, &o, held.parts, held.n_parts) == ERR_MEM)
        return -EAGAIN;
    if (held.n_segments > 1)
        n->ctx->counters[STACK_MERGED] += held.n_segments - 1;
    let_go();
    return 0;
}

void merge_drop(void) { let_go(); }

void merge_guard(struct stack *n, u16_t local_port, u16_t remote_port, u32_t before)
{
    if (held.n_segments && be16(held.f.tcp) == local_port && be16(held.f.tcp + 2) == remote_port &&
        TCP_SEQ_LT(held.f.seq, before) && merge_flush(n) != 0)
        let_go();
}

/* Everything but length, identification, sequence number, checksums and PSH is as in the first one. */
static bool follows(const struct tcp_frame *f)
{
    const struct tcp_frame *h = &held.f;
    unsigned options = f->headers - 14 - (f->v6 ? 40 : 20) - 20;

    return !held.complete && held.n_segments < SEGMENTS && f->v6 == h->v6 && f->headers == h->headers &&
           f->seq == held.next_seq && f->payload && f->payload <= held.size && held.total + f->payload <= FRAME_MAX &&
           ((f->flags ^ h->flags) & ~(TCP_PSH | TCP_FIN)) == 0 && be32(f->tcp) == be32(h->tcp) &&
           be32(f->tcp + 8) == be32(h->tcp + 8) && be16(f->tcp + 14) == be16(h->tcp + 14) &&
           memcmp(f->tcp + 20, h->tcp + 20, options) == 0 &&
           memcmp(f->ip - 14, held.header, 14) == 0 &&
           (f->v6 ? memcmp(f->ip, h->ip, 4) == 0 && memcmp(f->ip + 6, h->ip + 6, 34) == 0 :
                    memcmp(f->ip, h->ip, 2) == 0 && memcmp(f->ip + 6, h->ip + 6, 4) == 0 && memcmp(f->ip + 12, h->ip + 12, 8) == 0);
}

static bool append(struct pbuf *p, const struct tcp_frame *f)
{
    struct iovec parts[UNIK_NIC_PARTS];
    unsigned count = held.n_parts;

    memcpy(parts, held.parts, count * sizeof(parts[0]));
    if (!add_parts(parts, &count, p, f->headers))
        return false;
    memcpy(held.parts, parts, count * sizeof(parts[0]));
    held.n_parts = count;
    held.f.tcp[13] |= f->flags & (TCP_PSH | TCP_FIN);
    held.total += f->payload;
    held.next_seq += f->payload;
    held.complete = f->payload < held.size || (f->flags & (TCP_PSH | TCP_FIN));
    pbuf_ref(p);
    held.segments[held.n_segments++] = p;
    return true;
}

static bool begin(struct pbuf *p, const struct tcp_frame *f)
{
    held.n_parts = 1;
    memcpy(held.header, p->payload, f->headers);
    held.parts[0] = (struct iovec){ held.header, f->headers };
    if (!add_parts(held.parts, &held.n_parts, p, f->headers))
        return false;
    held.f = *f;
    held.f.ip = held.header + 14;
    held.f.tcp = held.header + (f->tcp - (uint8_t *)p->payload);
    held.total = held.size = f->payload;
    held.next_seq = f->seq + f->payload;
    held.complete = (f->flags & (TCP_PSH | TCP_FIN)) != 0;
    pbuf_ref(p);
    held.segments[0] = p;
    held.n_segments = 1;
    return true;
}

/* A frame as it is. */
static err_t single(struct stack *n, struct pbuf *p, const struct tcp_frame *f)
{
    static uint8_t flat[UNIK_NIC_FRAME_MAX];
    struct unik_nic_offloads o = { 0 };
    struct iovec parts[UNIK_NIC_PARTS];
    unsigned count = 1;

    if (f && !(n->netif.chksum_flags & NETIF_CHECKSUM_GEN_TCP)) {
        o.flags = UNIK_NIC_SUM;
        o.sum_start = (uint16_t)(f->tcp - (uint8_t *)p->payload);
        o.sum_offset = 16;
        pseudo_sum(f, (unsigned)((uint8_t *)p->payload + p->tot_len - f->tcp));
    }
    parts[0] = (struct iovec){ p->payload, p->len };
    if (!add_parts(parts, &count, p->next, 0)) {
        parts[0] = (struct iovec){ flat, pbuf_copy_partial(p, flat, p->tot_len, 0) };
        count = 1;
    }
    return card_send(n, &o, parts, count);
}

/* lwIP's linkoutput: p is lwIP's, and may be kept only by reference. */
err_t merge_output(struct stack *n, struct pbuf *p)
{
    unsigned offloads = n->nic && n->link ? n->nic->info(n->nic)->offloads : 0;
    struct tcp_frame f;
    bool tcp = parse(p, &f);

    if (held.n_segments) {
        if (tcp && follows(&f) && append(p, &f))
            return ERR_OK;
        if (merge_flush(n) != 0)
            return ERR_MEM;             /* the card is full, and frames keep their order */
    }
    if (tcp && f.payload && !(f.flags & (TCP_SYN | TCP_RST | TCP_URG)) &&
        (offloads & (f.v6 ? UNIK_NIC_TSO6 : UNIK_NIC_TSO4)) && (offloads & UNIK_NIC_SUM) && begin(p, &f))
        return ERR_OK;
    return single(n, p, tcp ? &f : NULL);
}
