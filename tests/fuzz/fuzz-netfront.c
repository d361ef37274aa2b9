/* SPDX-License-Identifier: BSD-2-Clause */
/* The rings of netfront against a back end that writes what it likes, when it likes: the input is its program, one byte of what to do
 * and what that takes. Always: each page is in one place; what the user gets lies in the frame's head or in pages that the peer does
 * not have; the entries shown to the peer are ones that were meant. Also the values of xenstore, as they come. */
#include <stdlib.h>
#include <string.h>

#include "plugins/netfront/rx.h"
#include "plugins/netfront/tx.h"
#include "protocol/cursor.h"
#include "tests/fuzz/must.h"

#define PAGES 64

static _Alignas(4096) uint8_t rx_ring[4096], tx_ring[4096], rx_pages[PAGES * 4096], tx_pages[PAGES * 4096], data[65536];
static uint32_t refs[PAGES];
static uint64_t counters[NETFRONT_COUNTERS];
static struct rx rx;
static struct tx tx;
static struct rx_frame *held[RX_FRAMES_MAX];
static unsigned n_held;

static void count_page(bool *there, unsigned page, unsigned *n)
{
    must(page < PAGES && !there[page]);
    there[page] = true;
    ++*n;
}

static void check_rx(void)
{
    bool there[PAGES] = { false };
    unsigned n = 0;

    must(nf_rx_held(&rx) == n_held && counters[RX_HELD] == n_held && counters[RX_HELD_HIGH] <= RX_FRAMES_MAX);
    must(rx.ring.req_prod - rx.ring.rsp_cons <= PAGES && rx.n_free <= PAGES);
    for (unsigned i = 0; i < rx.n_free; i++)
        count_page(there, rx.free[i], &n);
    for (uint32_t i = rx.ring.rsp_cons; i != rx.ring.req_prod; i++)
        count_page(there, rx.posted[i & (NETIF_RING_SIZE - 1)], &n);
    for (unsigned i = 0; rx.packet.begun && i < rx.packet.slots; i++)
        count_page(there, rx.packet.slot[i].page, &n);
    for (unsigned i = 0; i < n_held; i++)
        for (unsigned k = 0; k < held[i]->pages; k++)
            count_page(there, held[i]->page[k], &n);
    must(n == PAGES);
}

static void check_frame(const struct rx_frame *f)
{
    size_t size = 0;

    must(f->nic.n >= 1 && f->nic.n <= UNIK_NIC_PARTS && f->nic.n == f->pages + 1 && f->out);
    must(inside(f->nic.parts[0].iov_base, f->nic.parts[0].iov_len, f->head, sizeof(f->head)));
    must(f->nic.n == 1 || f->nic.parts[0].iov_len == UNIK_NIC_PRIVATE);
    for (unsigned i = 0; i < f->nic.n; i++) {
        if (i)
            must(inside(f->nic.parts[i].iov_base, f->nic.parts[i].iov_len, rx_pages + f->page[i - 1] * 4096u, 4096));
        must(f->nic.parts[i].iov_len > 0);
        size += f->nic.parts[i].iov_len;
    }
    must(size >= NETIF_ETHERNET && size <= NETIF_PACKET_MAX);
    must(!(f->nic.offloads.flags & (UNIK_NIC_TSO4 | UNIK_NIC_TSO6)) == !f->nic.offloads.mss);
}

static void check_tx(void)
{
    unsigned busy = 0;

    must(tx.n_free <= PAGES && tx.ring.req_prod - tx.ring.rsp_cons <= NETIF_RING_SIZE);
    for (unsigned i = 0; i < PAGES; i++)
        busy += tx.busy[i];
    must(busy + tx.n_free == PAGES);
    if (!tx.broken)
        must(busy + tx.extras == tx.ring.req_prod - tx.ring.rsp_cons);
}

static void begin(void)
{
    memset(rx_ring, 0, sizeof(rx_ring));
    memset(tx_ring, 0, sizeof(tx_ring));
    memset(counters, 0, sizeof(counters));
    n_held = 0;
    for (unsigned i = 0; i < PAGES; i++)
        refs[i] = 8 + i;
    nf_rx_init(&rx, counters, rx_ring, rx_pages, refs, PAGES);
    nf_tx_init(&tx, counters, tx_ring, tx_pages, refs, PAGES);
    nf_rx_post(&rx);
}

static void send(uint8_t how, uint16_t size)
{
    static const struct tx_limits limits = { .frame = 1514, .many = true,
                                             .offloads = UNIK_NIC_SUM | UNIK_NIC_TSO4 | UNIK_NIC_TSO6 };
    struct unik_nic_offloads o = { .flags = how & 13, .mss = how & 12 ? 1000 : 0, .sum_start = how, .sum_offset = 16 };
    struct iovec parts[2] = { { data, how }, { data + how, size } };

    nf_tx_send(&tx, &limits, how & 16 ? &o : NULL, parts, how & 32 ? 2 : 1);
    nf_tx_publish(&tx);
}

static bool receive(bool hold)
{
    struct rx_frame *f;
    const char *why;
    int e = nf_rx_poll(&rx, &f, &why);

    must(e == 1 || e == 0 || (e == -EAGAIN && n_held == RX_FRAMES_MAX) || (e == -EPROTO && why));
    must((e == 1) == (f != NULL));
    if (!f)
        return e >= 0;
    held[n_held++] = f;
    check_frame(f);
    if (!hold)
        nf_rx_release(&rx, held[--n_held]);
    return true;
}

/* As the plugin does: a connection that is of no use any more ends, and another one begins. */
static void step(struct reader *in)
{
    uint8_t what = reader_u8(in);
    uint8_t *ring = what & 8 ? rx_ring : tx_ring;
    const char *why;
    uint16_t at;

    switch (what & 7) {
    case 0:                             /* a word, anywhere */
        at = reader_u16(in) & 4092;
        for (unsigned i = 0; i < 4; i++)
            ring[at + i] = reader_u8(in);
        break;
    case 1:                             /* some more answers are there */
        *(uint32_t *)(void *)(ring + NETIF_RSP_PROD) += reader_u8(in);
        break;
    case 2:                             /* an answer in the next place, as it should be */
        if (what & 8)
            memcpy(rx_ring + NETIF_RING_ENTRIES + (rx.ring.rsp_cons & 255) * NETIF_RX_ENTRY,
                   (uint8_t[]){ 0, 0, 0, 0, what >> 4, 0, reader_u8(in), reader_u8(in) }, 8);
        else
            memcpy(tx_ring + NETIF_RING_ENTRIES + (tx.ring.rsp_cons & 255) * NETIF_TX_ENTRY,
                   (uint8_t[]){ reader_u8(in), 0, what >> 7, 0 }, 4);
        *(uint32_t *)(void *)(ring + NETIF_RSP_PROD) += 1;
        break;
    case 3: send(reader_u8(in), reader_u16(in)); break;
    case 4:
        if (nf_tx_reap(&tx, &why) < 0)
            begin();
        break;
    case 5:
        if (!receive(what & 8))
            begin();
        break;
    case 6:
        while (n_held)
            nf_rx_release(&rx, held[--n_held]);
        break;
    default: nf_rx_post(&rx);
    }
    check_rx();
    check_tx();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct reader in;
    uint32_t number;
    uint8_t mac[6];

    if (netif_number((const char *)bytes, n, 1000, &number) == 0)
        must(number <= 1000 && n > 0 && n <= 10);
    if (netif_mac((const char *)bytes, n, mac) == 0)
        must(n == 17 && !(mac[0] & 1));
    begin();
    reader_init(&in, bytes, n);
    while (in.left && reader_ok(&in))
        step(&in);
    return 0;
}
