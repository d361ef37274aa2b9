/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/card.c - the network card (nic/1) as lwIP's one netif.
 *
 * A frame that comes is not copied: lwIP gets pbufs that point into it, and the card has it back when the last of these is
 * freed. Most are, before input() returns. A stack that keeps many (segments out of order, fragments) would leave the card without
 * buffers, so beyond HELD frames are copied into memory of ours when they come; and so are parts that the other end can
 * still write to, as everything that reads them relies on their not changing. */
#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"
#include "netif/ethernet.h"

#include "stack.h"

#define HELD 32                         /* frames of the card that we keep after input() at most */

struct held_frame;
struct part {
    struct pbuf_custom pbuf;            /* first: lwIP frees it by its address */
    struct held_frame *of;
};

struct held_frame {
    struct held_frame *next;
    struct unik_nic_frame *frame;
    unsigned parts;                     /* not freed yet */
    struct part part[UNIK_NIC_PARTS];
};

static struct held_frame frames[HELD + 1], *unused;     /* one more: the one that is being looked at */
static struct unik_nic *owner;

static void part_free(struct pbuf *p)
{
    struct held_frame *h = ((struct part *)(void *)p)->of;

    if (--h->parts)
        return;
    owner->release(owner, h->frame);
    h->next = unused;
    unused = h;
}

static struct pbuf *refer(struct unik_nic_frame *f)
{
    struct held_frame *h = unused;
    struct pbuf *all = NULL;

    unused = h->next;
    h->frame = f;
    h->parts = f->n;
    for (unsigned i = 0; i < f->n; i++) {
        struct part *part = &h->part[i];
        struct pbuf *p;

        part->of = h;
        part->pbuf.custom_free_function = part_free;
        p = pbuf_alloced_custom(PBUF_RAW, (u16_t)f->parts[i].iov_len, PBUF_REF, &part->pbuf, f->parts[i].iov_base,
                                (u16_t)f->parts[i].iov_len);
        if (all)
            pbuf_cat(all, p);
        else
            all = p;
    }
    return all;
}

static struct pbuf *copy(struct stack *n, struct unik_nic_frame *f, size_t size)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_RAM);
    size_t at = 0;

    for (unsigned i = 0; p && i < f->n; i++) {
        memcpy((uint8_t *)p->payload + at, f->parts[i].iov_base, f->parts[i].iov_len);
        at += f->parts[i].iov_len;
    }
    n->nic->release(n->nic, f);
    n->ctx->counters[p ? STACK_COPIED : STACK_FRAMES_DROPPED]++;
    n->ctx->counters[STACK_BYTES_COPIED] += at;
    return p;
}

/* May lwIP skip the verification of this frame's TCP or UDP checksum? Only where there is one in the frame: the first fragment
 * of a datagram says nothing about the others. */
static bool sum_known(const struct unik_nic_frame *f)
{
    const uint8_t *b = f->parts[0].iov_base;

    if (!(f->offloads.flags & (UNIK_NIC_SUM | UNIK_NIC_SUM_GOOD)) || f->parts[0].iov_len < 14 + 20)
        return false;
    if (b[12] == 0x08 && b[13] == 0x00)
        return ((b[20] & 0x3f) | b[21]) == 0 && (b[23] == 6 || b[23] == 17);
    return b[12] == 0x86 && b[13] == 0xdd && (b[20] == 6 || b[20] == 17);
}

/* Only for TCP do we rely on lwIP to read what is spread over several parts; and on the first holding all headers. */
static bool in_place(const struct unik_nic_frame *f)
{
    const uint8_t *b = f->parts[0].iov_base;

    return f->n == 1 || (f->parts[0].iov_len >= UNIK_NIC_PRIVATE && (b[13] == 0x00 ? b[23] == 6 && !(b[20] & 0x3f) && !b[21] : b[20] == 6));
}

/* Whether lwIP may have it. p: the frame. */
static bool admitted(struct stack *n, struct pbuf *p, bool summed)
{
    static const enum stack_counter counters[] = {
        [ADMIT_SHORT] = STACK_NO_SENSE, [ADMIT_OTHERS] = STACK_NOT_OURS, [ADMIT_ADDRESS] = STACK_BAD_ADDRESS, [ADMIT_HEADERS] = STACK_BAD_HEADERS
    };
    struct admit_found found;
    enum admit_verdict verdict = admit_frame(&n->here, p->payload, p->len, p->tot_len, &found);

    switch (verdict) {
    case ADMIT_TAKE:
        if (found.proto == 0 || found.proto == 6)
            clock_tcp(n);
        reuse_before(p, &found, summed);
        return true;
    case ADMIT_NEIGHBOUR:
        if (neighbour_plain(p, &found))
            return true;
        n->ctx->counters[STACK_BAD_HEADERS]++;
        return false;
    case ADMIT_TOO_BIG:
        path_too_big(n, p, &found);
        return false;
    default:
        n->ctx->counters[counters[verdict]]++;
        return false;
    }
}

/* One frame, *from the network*. */
static void on_input(void *arg, struct unik_nic_frame *f)
{
    struct stack *n = arg;
    struct netif *netif = &n->netif;
    bool summed = sum_known(f);
    size_t size = 0;
    struct pbuf *p;

    for (unsigned i = 0; i < f->n; i++)
        size += f->parts[i].iov_len;
    n->ctx->counters[STACK_FRAMES_IN]++;
    if (size > UNIK_NIC_FRAME_MAX || f->parts[0].iov_len < 14) {
        n->ctx->counters[STACK_NO_SENSE]++;
        n->nic->release(n->nic, f);
        return;
    }
    NETIF_SET_CHECKSUM_CTRL(netif, (u16_t)(summed ? netif->chksum_flags & ~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP) :
                                           netif->chksum_flags | NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP));
    p = (f->shared && f->n > 1) || !in_place(f) || !unused || !unused->next ? copy(n, f, size) : refer(f);
    clock_enter(n);
    n->in_input = true;
    if (p && (!admitted(n, p, summed) || netif->input(p, netif) != ERR_OK))
        pbuf_free(p);
    n->in_input = false;
    reuse_after();
}

static void on_input_end(void *arg) { turn_end(arg); }

static void on_room(void *arg)
{
    struct stack *n = arg;

    clock_enter(n);
    stream_room(n);
    turn_end(n);
}

static void use_info(struct stack *n)
{
    const struct unik_nic_info *i = n->nic ? n->nic->info(n->nic) : NULL;
    bool link = i && i->link;
    struct netif *netif = &n->netif;

    if (link) {
        int64_t mtu = n->config->mtu && n->config->mtu < (int64_t)i->mtu ? n->config->mtu : (int64_t)i->mtu;

        memcpy(netif->hwaddr, i->mac, 6);
        netif->mtu = (u16_t)(mtu < 1280 ? 1280 : mtu > 9000 ? 9000 : mtu);
        netif->chksum_flags = i->offloads & UNIK_NIC_SUM ? NETIF_CHECKSUM_ENABLE_ALL & ~NETIF_CHECKSUM_GEN_TCP : NETIF_CHECKSUM_ENABLE_ALL;
    }
    if (link != n->link) {
        n->link = link;
        n->changed = true;
        if (link)
            unik_info(n->ctx, "link up: %02x:%02x:%02x:%02x:%02x:%02x, MTU %u", i->mac[0], i->mac[1], i->mac[2], i->mac[3],
                      i->mac[4], i->mac[5], netif->mtu);
        else
            unik_info(n->ctx, "link down");
    }
    if (link)
        netif_set_link_up(netif);       /* announces our addresses */
    else
        netif_set_link_down(netif);
    config_card(n);
}

static void on_changed(void *arg)
{
    clock_tcp(arg);
    use_info(arg);
    turn_end(arg);
}

static const struct unik_nic_user user = {
    .size = sizeof(struct unik_nic_user), .input = on_input, .input_end = on_input_end, .room = on_room, .changed = on_changed
};

void card_attach(struct stack *n, struct unik_nic *nic)
{
    int e = nic->attach(nic, &user, n);

    if (e < 0) {
        unik_error(n->ctx, "the network card is in use by somebody else");
        return;
    }
    n->nic = owner = nic;
    use_info(n);
}

/* Make lwIP let go of every frame: whatever it keeps of what came. */
static void forget_input(void)
{
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        tcp_free_ooseq(pcb);
    for (int i = 0; i <= IP_REASS_MAXAGE; i++)
        ip_reass_tmr();
    for (int i = 0; i <= IPV6_REASS_MAXAGE; i++)
        ip6_reass_tmr();
}

void card_detach(struct stack *n)
{
    struct unik_nic *nic = n->nic;

    if (!nic)
        return;
    merge_drop();
    forget_input();
    n->nic = NULL;
    use_info(n);
    nic->detach(nic);
}

void card_flush(struct stack *n)
{
    merge_flush(n);
    if (n->nic)
        n->nic->flush(n->nic);
}

/* ---- the netif ---- */

static err_t link_output(struct netif *netif, struct pbuf *p) { return merge_output(netif->state, p); }

/* With a fixed neighbour there is nobody else on the link: no question is asked, and no answer can lie. */
static err_t output4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    if (!(admit_roles4((const uint8_t *)&to->addr) & ADMIT_TO))
        return ERR_RTE;                 /* 127.0.0.1 and the like: nobody is there */
    if (!config_fixed_neighbour || ip4_addr_isbroadcast(to, netif) || ip4_addr_ismulticast(to))
        return etharp_output(netif, p, to);
    return ethernet_output(netif, p, (struct eth_addr *)netif->hwaddr, (struct eth_addr *)config_neighbour, ETHTYPE_IP);
}

static err_t output6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to)
{
    if (!(admit_roles6((const uint8_t *)to->addr) & ADMIT_TO))
        return ERR_RTE;
    if (!config_fixed_neighbour || ip6_addr_ismulticast(to))
        return ethip6_output(netif, p, to);
    return ethernet_output(netif, p, (struct eth_addr *)netif->hwaddr, (struct eth_addr *)config_neighbour, ETHTYPE_IPV6);
}

static err_t netif_begin(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->hwaddr_len = 6;
    netif->mtu = 1500;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = output4;
    netif->output_ip6 = output6;
    netif->linkoutput = link_output;
    return ERR_OK;
}

int card_init(struct stack *n)
{
    unused = NULL;
    for (unsigned i = 0; i <= HELD; i++) {
        frames[i].next = unused;
        unused = &frames[i];
    }
    if (!netif_add(&n->netif, NULL, NULL, NULL, n, netif_begin, ethernet_input))
        return -ENOMEM;
    n->netif_added = true;
    netif_set_default(&n->netif);
    netif_set_up(&n->netif);
    return 0;
}

void card_free(struct stack *n)
{
    if (n->netif_added && netif_dhcp_data(&n->netif)) {
        dhcp_release_and_stop(&n->netif);
        dhcp_cleanup(&n->netif);
    }
    if (n->netif_added)
        netif_remove(&n->netif);
    n->netif_added = false;
}
