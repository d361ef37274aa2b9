/* SPDX-License-Identifier: BSD-2-Clause */
/* What the network may send, to net-lwip with a listener, a UDP socket, a name asked for and a connection being made, without a card
 * or a kernel. The input is a row of frames: one byte of flags, two of length, the bytes. Flags: 1 the card says that checksums are
 * good, 2 memory is shared, 4 in two parts, 8 an answer of the name server to our last question (the bytes follow its id), 16 sequence
 * number and acknowledgement are made to fit the last segment that the stack sent, 32 the frame is for our card, 64 the packet is for
 * our address, from the router's. Every frame must be given back. */
#include <stdlib.h>
#include <string.h>
#include <unik/net.h>
#include <unik/nic.h>

#include "must.h"
#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_net_lwip;

static struct {
    const struct unik_nic_user *user;
    void *arg;
    unsigned held;
} card;
static struct unik_nic_info info = { .link = true, .mac = { 0, 0x16, 0x3e, 0x5e, 0x6c, 0 }, .mtu = 1500,
                                     .offloads = UNIK_NIC_SUM | UNIK_NIC_TSO4 | UNIK_NIC_TSO6 };
static uint8_t question[64];            /* the last one's ports and id: bytes 34.. of the frame */
static uint8_t last_tcp[20];            /* the last segment's header */
static struct host *h;
static struct unik_net *net;

static int op_attach(struct unik_nic *n, const struct unik_nic_user *user, void *arg)
{
    (void)n;
    card.user = user;
    card.arg = arg;
    return 0;
}

static void op_detach(struct unik_nic *n) { (void)n; }
static const struct unik_nic_info *op_info(struct unik_nic *n) { (void)n; return &info; }
static void op_flush(struct unik_nic *n) { (void)n; }

static int op_send(struct unik_nic *n, const struct unik_nic_offloads *o, const struct iovec *parts, unsigned count)
{
    const uint8_t *b = parts[0].iov_base;

    (void)n, (void)o;
    must(count >= 1 && count <= UNIK_NIC_PARTS && parts[0].iov_len >= 14);
    if (parts[0].iov_len >= 34 + 20 && b[12] == 8 && b[13] == 0 && b[23] == 6)
        memcpy(last_tcp, b + 34, 20);
    if (parts[0].iov_len >= 34 + 8 && b[12] == 8 && b[13] == 0 && b[23] == 17) {
        memcpy(question, b + 34, 8);
        if (count > 1 && parts[1].iov_len >= 2)
            memcpy(question + 8, parts[1].iov_base, 2);
        else if (parts[0].iov_len >= 44)
            memcpy(question + 8, b + 42, 2);
    }
    return 0;
}

static void op_release(struct unik_nic *n, struct unik_nic_frame *f)
{
    (void)n;
    must(card.held > 0);
    card.held--;
    for (unsigned i = 0; i < f->n; i++)
        free(f->parts[i].iov_base);
    free(f);
}

static struct unik_nic nic = { .size = sizeof(nic), .attach = op_attach, .detach = op_detach, .info = op_info, .send = op_send,
                               .flush = op_flush, .release = op_release };

static void give(const uint8_t *bytes, size_t n, unsigned flags)
{
    struct unik_nic_frame *f = calloc(1, sizeof(*f));

    must(f != NULL);
    f->n = flags & 4 && n >= 2 ? 2 : 1;
    f->shared = flags & 2;
    f->offloads.flags = flags & 1 ? UNIK_NIC_SUM_GOOD : 0;
    for (unsigned i = 0; i < f->n; i++) {
        size_t k = f->n == 1 ? n : i == 0 ? (n > UNIK_NIC_PRIVATE ? UNIK_NIC_PRIVATE : n / 2) : n - f->parts[0].iov_len;

        f->parts[i] = (struct iovec){ malloc(k ? k : 1), k };
        memcpy(f->parts[i].iov_base, bytes + (i ? f->parts[0].iov_len : 0), k);
    }
    card.held++;
    card.user->input(card.arg, f);
    card.user->input_end(card.arg);
}

static void on_stream(struct unik_stream *s, unsigned events, void *arg)
{
    const void *b;
    size_t n = unik_stream_peek(s, &b);

    (void)events, (void)arg;
    if (n) {
        unik_stream_write(s, b, n);
        unik_stream_consume(s, n / 2 + 1 < n ? n / 2 + 1 : n);
    }
    if (unik_stream_ended(s))
        unik_stream_close(s);
}

static void on_accept(struct unik_stream *s, void *arg) { unik_stream_on(s, on_stream, arg); }

static void on_datagram(struct unik_net_udp *u, const void *bytes, size_t n, const char *address, unsigned port, void *arg)
{
    (void)arg;
    net->send(net, u, address, port, bytes, n);
}

static void on_name(int error, const char *address, void *arg)
{
    (void)arg;
    must(error < 0 ? !address : address && *address);
}

static void start(void)
{
    static const char *const options[] = { "ipv4=static", "address=10.0.0.2", "gateway=10.0.0.1", "address6=fd00::2", "dns=10.0.0.1",
                                           "neighbour=fe:ff:ff:ff:ff:ff", "max-connections=64", NULL };
    struct unik_net_listener *l;
    struct unik_net_udp *u;
    struct unik_ctx *ctx;
    unsigned tcp = 80, udp = 7;

    h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    host_publish(h, "nic/1", &nic);
    ctx = host_add(h, &unik_plugin_net_lwip, options);
    must(ctx && host_start(ctx) == 0);
    ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    net = host_interface(h, "net/1");
    must(net && net->listen(net, NULL, "", &tcp, 16, on_accept, NULL, &l) == 0
         && net->udp(net, NULL, "", &udp, on_datagram, NULL, &u) == 0);
}

/* The frame as the flags ask. */
static size_t shape(uint8_t *to, const uint8_t *bytes, size_t n, unsigned flags)
{
    static const uint8_t head[] = { 0, 0x16, 0x3e, 0x5e, 0x6c, 0, 0xfe, 255, 255, 255, 255, 255, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17,
                                    0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };

    if (flags & 8) {
        unsigned sum = 0;

        memcpy(to, head, 34);
        to[16] = (uint8_t)((n + 30) >> 8), to[17] = (uint8_t)(n + 30);
        for (int i = 14; i < 34; i += 2)
            sum += (unsigned)to[i] << 8 | to[i + 1];
        sum = ~((sum & 0xffff) + (sum >> 16));
        to[24] = (uint8_t)(sum >> 8), to[25] = (uint8_t)sum;
        memcpy(to + 34, question + 2, 2);
        memcpy(to + 36, question, 2);
        to[38] = (uint8_t)((n + 10) >> 8), to[39] = (uint8_t)(n + 10);
        to[40] = to[41] = 0;
        memcpy(to + 42, question + 8, 2);
        memcpy(to + 44, bytes, n);
        return n + 44;
    }
    memcpy(to, bytes, n);
    if (flags & 32 && n >= 14)
        memcpy(to, head, 12);
    if (flags & 64 && n >= 34 && to[12] == 8 && to[13] == 0)
        memcpy(to + 26, head + 26, 8);
    if (flags & 64 && n >= 54 && to[12] == 0x86 && to[13] == 0xdd) {
        memset(to + 22, 0, 32);
        to[22] = to[38] = 0xfd, to[37] = 1, to[53] = 2;
    }
    if (flags & 16 && n >= 54) {
        uint8_t *t = to + 34;
        uint32_t seq;

        memcpy(t, last_tcp + 2, 2);
        memcpy(t + 2, last_tcp, 2);
        memcpy(t + 4, last_tcp + 8, 4);
        seq = ((uint32_t)last_tcp[4] << 24 | (uint32_t)last_tcp[5] << 16 | (uint32_t)last_tcp[6] << 8 | last_tcp[7]) + t[8] % 8u;
        t[8] = (uint8_t)(seq >> 24), t[9] = (uint8_t)(seq >> 16), t[10] = (uint8_t)(seq >> 8), t[11] = (uint8_t)seq;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static uint8_t frame[5000];
    struct unik_net_query *q = NULL;
    struct unik_stream *s = NULL;
    static unsigned round;
    char name[40];

    if (!h)
        start();
    snprintf(name, sizeof(name), "n%u.example.org", round++);
    if (net->resolve(net, NULL, name, round % 3 == 0 ? 0 : round % 3 == 1 ? 4 : 6, on_name, NULL, &q) < 0)
        q = NULL;
    if (net->connect(net, NULL, "10.0.0.1", 7, on_stream, NULL, &s) < 0)
        s = NULL;
    ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    while (n >= 3) {
        unsigned flags = bytes[0];
        size_t k = ((size_t)bytes[1] << 8 | bytes[2]) % 4000;

        bytes += 3;
        n -= 3;
        k = k < n ? k : n;
        give(frame, shape(frame, bytes, k, flags), flags);
        bytes += k;
        n -= k;
    }
    ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    must(card.held <= UNIK_NIC_HOLD);
    return 0;
}
