/* SPDX-License-Identifier: BSD-2-Clause */
/* packet - what a packet costs in driver, TCP/IP and nothing else: make bench-packet. netfront's rings, net-lwip and lwIP are the real
 * ones; the back end and the far end of the network are played in this process and not timed, the app does the least there is. No
 * system call is in the figures. */
#include <arpa/inet.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unik/net.h>
#include "bench/rings.h"
#include "tools/host/host.h"

#define RUNS 25                         /* the best counts */
#define TURNS 200                       /* of the far end in a run */
#define WANTED 2000                     /* ns for a packet */
#define HEAD 54                         /* Ethernet 14, IPv4 20, TCP 20 */
#define LARGE 64000                     /* bytes of TCP in one frame with segmentation */

extern const struct unik_plugin unik_plugin_net_lwip;

static const struct unik_nic_info info = { .link = true, .mac = { 0, 0x16, 0x3e, 0x5e, 0x6c, 0 }, .mtu = 1500,
                                           .offloads = UNIK_NIC_SUM | UNIK_NIC_TSO4 };
static const struct unik_nic_user *user;
static void *user_arg;
static struct unik_ctx *lwip;
static struct unik_net *net;

static struct far {                     /* the far end: one connection */
    uint32_t seq, ack;                  /* its next byte, the next that it expects */
    unsigned from, to;                  /* ports */
} far_end;
static unsigned frames_out, datagrams;
static double spent;

static void put16(uint8_t *p, unsigned v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }
static void put32(uint8_t *p, uint32_t v) { put16(p, v >> 16), put16(p + 2, v & 0xffff); }
static uint32_t get32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

/* ---- the card: netfront's rings ---- */

static int op_attach(struct unik_nic *n, const struct unik_nic_user *u, void *arg)
{
    (void)n;
    user = u;
    user_arg = arg;
    return 0;
}

static void op_detach(struct unik_nic *n) { (void)n; }

static const struct unik_nic_info *op_info(struct unik_nic *n)
{
    (void)n;
    return &info;
}

static int op_send(struct unik_nic *n, const struct unik_nic_offloads *o, const struct iovec *parts, unsigned count)
{
    (void)n;
    return nf_tx_send(&tx, &limits, o, parts, count);
}

static void op_flush(struct unik_nic *n)
{
    (void)n;
    nf_tx_publish(&tx);
}

static void op_release(struct unik_nic *n, struct unik_nic_frame *f)
{
    (void)n;
    nf_rx_release(&rx, (struct rx_frame *)(void *)f);
}

static struct unik_nic nic = { .size = sizeof(nic), .attach = op_attach, .detach = op_detach, .info = op_info, .send = op_send,
                               .flush = op_flush, .release = op_release };

/* ---- the far end: not timed ---- */

static uint32_t given;                  /* answers in the ring that are not shown yet */

static void slot(const uint8_t *bytes, size_t n, unsigned flags)
{
    uint8_t *page = rx_pages + (size_t)rx.posted[given & 255] * 4096;
    struct netif_rx_response a = { .status = (int16_t)n, .flags = (uint16_t)flags };

    memcpy(page, bytes, n);
    netif_encode_rx_response(rx_ring + NETIF_RING_ENTRIES + (given++ & 255) * NETIF_RX_ENTRY, &a);
}

/* A packet with n bytes of data, into the ring. */
static void give(unsigned proto, unsigned tcp_flags, size_t n)
{
    static uint8_t frame[HEAD + 8 + LARGE];
    size_t head = proto == 17 ? 42 : tcp_flags & 2 ? HEAD + 4 : HEAD, size = head + n;
    struct netif_extra x = { .type = NETIF_EXTRA_GSO, .gso_size = 1448, .gso_type = NETIF_GSO_TCP4 };
    unsigned flags = NETIF_RX_VALIDATED | NETIF_RX_BLANK;
    uint8_t *ip = frame + 14, *l4 = ip + 20;
    uint32_t sum = 0;

    memset(frame, 0, head);
    memcpy(frame, info.mac, 6);
    memset(frame + 6, 0xfe, 6);
    put16(frame + 12, 0x0800);
    ip[0] = 0x45, ip[8] = 64, ip[9] = (uint8_t)proto;
    put16(ip + 2, (unsigned)size - 14);
    put32(ip + 12, 0x0a000001), put32(ip + 16, 0x0a000002);
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~sum & 0xffff);
    put16(l4, far_end.from), put16(l4 + 2, far_end.to);
    if (proto == 17) {
        put16(l4 + 4, (unsigned)n + 8);
    } else {
        put32(l4 + 4, far_end.seq), put32(l4 + 8, far_end.ack);
        l4[12] = (uint8_t)((head - 34) / 4 << 4), l4[13] = (uint8_t)tcp_flags;
        put16(l4 + 14, 65535);
        if (tcp_flags & 2)
            memcpy(l4 + 20, "\3\3\3\1", 4);     /* window scale 3 */
        far_end.seq += (uint32_t)n + !!(tcp_flags & 2);
    }
    memcpy(frame + head, data, n);
    slot(frame, size < 4096 ? size : 4096, flags | (size > 4096 ? NETIF_RX_MORE | NETIF_RX_EXTRA : 0));
    if (size > 4096)
        netif_encode_extra(rx_ring + NETIF_RING_ENTRIES + (given++ & 255) * NETIF_RX_ENTRY, &x);
    for (size_t at = 4096; at < size; at += 4096)
        slot(frame + at, size - at < 4096 ? size - at : 4096, size - at > 4096 ? NETIF_RX_MORE : 0);
}

static void look(const struct netif_tx_request *q)
{
    const uint8_t *ip = tx_pages + (size_t)q->id * 4096 + 14, *l4 = ip + 20;

    frames_out++;
    if (ip[9] == 6)
        far_end.ack = get32(l4 + 4) + q->size - 34u - (l4[12] >> 4) * 4u + ((l4[13] & 2) >> 1);
}

/* ---- timed: the back end has told that something came ---- */

static void deliver(void)
{
    struct rx_frame *f;
    const char *why;
    double begin;

    __atomic_store_n(index_of(rx_ring, NETIF_RSP_PROD), given, __ATOMIC_RELEASE);
    begin = now();
    if (nf_tx_reap(&tx, &why) < 0)
        abort();
    while (nf_rx_poll(&rx, &f, &why) == 1)
        user->input(user_arg, &f->nic);
    user->input_end(user_arg);
    nf_rx_post(&rx);
    spent += now() - begin;
    rings_answer(look);
}

/* ---- the app ---- */

static void on_datagram(struct unik_net_udp *u, const void *bytes, size_t n, const char *address, unsigned port, void *arg)
{
    datagrams++;
    if (arg && net->send(net, u, address, port, bytes, n) < 0)
        abort();
}

static void on_discard(struct unik_stream *s, unsigned events, void *arg)
{
    const void *bytes;
    size_t n;

    (void)events, (void)arg;
    while ((n = unik_stream_peek(s, &bytes)) > 0)
        unik_stream_consume(s, n);
}

static void on_chargen(struct unik_stream *s, unsigned events, void *arg)
{
    (void)events, (void)arg;
    while (unik_stream_write(s, data, sizeof(data)) == (ssize_t)sizeof(data))
        ;
}

static struct unik_stream *stream;

static void on_accept(struct unik_stream *s, void *arg)
{
    stream = s;
    unik_stream_on(s, arg ? on_chargen : on_discard, NULL);
    if (arg)
        on_chargen(s, 0, NULL);
}

/* ---- figures ---- */

static double worst;

static double copying(size_t n)         /* seconds for a copy of n bytes from one page to the next */
{
    double best = 1;

    for (int run = 0; run < RUNS; run++) {
        double begin = now();

        for (size_t i = 0; i < 200; i++)
            for (size_t at = 0; at < n; at += 4096) {
                memcpy(tx_pages + (i * 16 + at / 4096) % 256 * 4096, rx_pages + (i * 16 + at / 4096) % 256 * 4096, n - at < 4096 ? n - at : 4096);
                __asm__ volatile("" : : : "memory");
            }
        begin = (now() - begin) / 200;
        best = begin < best ? begin : best;
    }
    return best;
}

/* seconds: for one packet of n bytes, copied so many times on its way. */
static void line(const char *what, double seconds, size_t n, unsigned copies)
{
    printf("%-58s %6.0f ns, of which copying %4.0f\n", what, seconds * 1e9, copying(n) * copies * 1e9);
    if (n <= 1514 && seconds > worst)
        worst = seconds;
}

static void udp(const char *what, size_t n, bool echo)
{
    struct unik_net_udp *u;
    double best = 1;
    unsigned port = 7;

    if (net->udp(net, NULL, "", &port, on_datagram, echo ? net : NULL, &u) < 0)
        abort();
    far_end = (struct far){ .from = 4000, .to = 7 };
    for (int run = 0; run < RUNS; run++) {
        spent = 0;
        datagrams = frames_out = 0;
        for (int i = 0; i < TURNS; i++) {
            for (int k = 0; k < 32; k++)
                give(17, 0, n);
            deliver();
        }
        if (datagrams != TURNS * 32 || (echo && frames_out != datagrams))
            abort();
        spent /= datagrams + frames_out;
        best = spent < best ? spent : best;
    }
    net->unudp(net, u);
    line(what, best, n + 42, n + 42 > UNIK_NIC_PRIVATE || echo);
}

static struct unik_net_listener *tcp_begin(unsigned from, bool chargen)
{
    struct unik_net_listener *l;
    unsigned port = 9;

    if (net->listen(net, NULL, "", &port, 8, on_accept, chargen ? net : NULL, &l) < 0)
        abort();
    far_end = (struct far){ .from = from, .to = 9, .seq = 1000 };
    give(6, 2, 0);
    deliver();
    give(6, 16, 0);
    deliver();
    return l;
}

static void tcp_end(struct unik_net_listener *l)
{
    unik_stream_close(stream);
    give(6, 4, 0);
    deliver();
    net->unlisten(net, l);
    ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    rings_answer(look);
}

static void tcp_in(const char *what, size_t n, unsigned batch)
{
    struct unik_net_listener *l = tcp_begin(n < 2000 ? 5000 : 5001, false);
    uint64_t before = host_counter(lwip, "bytes_in");
    double best = 1;

    for (int run = 0; run < RUNS; run++) {
        spent = 0;
        for (int i = 0; i < TURNS; i++) {
            for (unsigned k = 0; k < batch; k++)
                give(6, 16, n);
            deliver();
        }
        spent /= TURNS * batch;
        best = spent < best ? spent : best;
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    }
    if (host_counter(lwip, "bytes_in") - before != (uint64_t)RUNS * TURNS * batch * n)
        abort();
    tcp_end(l);
    line(what, best, n + HEAD, 1);
}

static void tcp_out(const char *what)
{
    struct unik_net_listener *l = tcp_begin(5002, true);
    double best = 1;

    for (int run = 0; run < RUNS; run++) {
        uint32_t begin = far_end.ack;

        spent = 0;
        for (int i = 0; i < TURNS; i++) {
            give(6, 16, 0);
            deliver();
        }
        spent /= (double)(far_end.ack - begin) / LARGE;
        best = spent < best ? spent : best;
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    }
    tcp_end(l);
    line(what, best, LARGE, 2);
}

int main(void)
{
    const char *options[] = { "ipv4=static", "address=10.0.0.2", "gateway=10.0.0.1", "neighbour=fe:ff:ff:ff:ff:ff", NULL };
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);

    rings_begin();
    lwip = host_add(h, &unik_plugin_net_lwip, options);
    host_publish(h, "nic/1", &nic);
    if (!lwip || host_start(lwip) < 0 || !(net = host_interface(h, "net/1")))
        return 1;
    ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    rings_answer(look);
    printf("driver and lwIP, best of %d runs\n", RUNS);
    udp("UDP, 18 bytes, in", 18, false);
    udp("UDP, 1472 bytes, in", 1472, false);
    udp("UDP echo, 18 bytes: a packet", 18, true);
    udp("UDP echo, 1472 bytes: a packet", 1472, true);
    tcp_in("TCP in, 1448 bytes, read and acknowledged", 1448, 32);
    tcp_in("TCP in, 64000 bytes as one frame", LARGE, 3);
    tcp_out("TCP out, 64000 bytes: written, segments, acknowledgements");
    printf("a packet of at most 1514 bytes costs %.2f us at most; wanted: %.2f or less\n", worst * 1e6, WANTED / 1e3);
    host_stop_wait(lwip, 0.1);
    host_free(h);
    return worst * 1e9 > WANTED;
}
