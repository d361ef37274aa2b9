/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/flows.c - captures of Linux talking to Linux (tests/lwip/flows/, made by its script "record"), played again with the stack
 * in the place of one of the two: it gets what that one got, and what it sends is compared with what that one sent, field by field.
 *
 * Compared: everything of ARP and of neighbour discovery; everything of ICMP; of TCP what the segments are (flags, sequence and
 * acknowledgement numbers, payload, the options and SACK blocks), of DNS the question. Not compared is what each stack chooses: first
 * sequence numbers and ports (they are mapped), DNS ids, TTL, IP ids, windows. A receiver may acknowledge at once, or later, or with
 * the data that it sends anyhow (RFC 1122, 4.2.3.2), and the end of a stream may come with its last data: only what an
 * acknowledgement says must be the same, in the end. Out of order, there is no such choice (RFC 5681, 4.2): one each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"

#define FRAMES_MAX 64
#define CONNECTIONS_MAX 4

static struct frame {
    bool ours;                          /* of the side that the stack plays */
    struct sent f;
} flow[FRAMES_MAX];
static unsigned n_flow;

static struct connection {
    unsigned peer_port, us_port;        /* of the capture */
    unsigned real_port;                 /* the stack's */
    bool begun, ended;                  /* the stack's SYN was seen; its FIN */
    uint32_t first, real_first;         /* the first sequence number of our side: the capture's, the stack's */
    uint32_t fin;                       /* of the stack's, where its FIN was */
    uint32_t owed, acked;               /* what our side has acknowledged so far: the capture's, the stack */
    struct end *end;                    /* the app's side */
    uint8_t output[8000];               /* what the app says */
    size_t out_size, written, needs;    /* ... once it has got so many bytes */
    size_t in_size;
    bool out_end;                       /* and then it ends its side */
    bool shut;
} connections[CONNECTIONS_MAX];
static unsigned n_connections;
static struct end active;

static uint32_t le32(const uint8_t *b) { return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24; }

/* A pcap file: a header of 24 bytes, then each frame with 16 bytes before it: two of time, two sizes (pcap-savefile(5)). */
static void read_flow(const char *name)
{
    const char *top = getenv("UNIK_SOURCE");
    char path[500];
    uint8_t head[24];
    FILE *f;

    snprintf(path, sizeof(path), "%s/tests/lwip/flows/%s.pcap", top ? top : ".", name);
    f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "no %s", path);
    ck_assert_uint_eq(fread(head, 1, 24, f), 24);
    ck_assert_uint_eq(le32(head), 0xa1b2c3d4);
    ck_assert_uint_eq(le32(head + 20), 1);      /* Ethernet */
    for (n_flow = 0; fread(head, 1, 16, f) == 16; n_flow++) {
        struct frame *fr = &flow[n_flow];

        ck_assert_uint_lt(n_flow, FRAMES_MAX);
        memset(fr, 0, sizeof(*fr));
        fr->f.size = le32(head + 8);
        ck_assert_uint_eq(fr->f.size, le32(head + 12));         /* nothing was cut off */
        ck_assert_uint_le(fr->f.size, 1514);
        fr->f.bytes = malloc(fr->f.size);
        ck_assert_uint_eq(fread(fr->f.bytes, 1, fr->f.size, f), fr->f.size);
        fr->ours = memcmp(fr->f.bytes + 6, mac_us, 6) == 0;
        parse_frame(&fr->f);            /* also checks that its checksums are right */
    }
    fclose(f);
    ck_assert_uint_gt(n_flow, 0);
}

static void forget_flow(void)
{
    for (unsigned i = 0; i < n_flow; i++)
        free(flow[i].f.bytes);
    n_flow = 0;
}

static struct connection *connection(const struct frame *fr)
{
    unsigned us = fr->ours ? fr->f.from : fr->f.to, peer = fr->ours ? fr->f.to : fr->f.from;
    struct connection *c;

    for (unsigned i = 0; i < n_connections; i++)
        if (connections[i].us_port == us && connections[i].peer_port == peer)
            return &connections[i];
    ck_assert_uint_lt(n_connections, CONNECTIONS_MAX);
    c = &connections[n_connections++];
    memset(c, 0, sizeof(*c));
    c->us_port = c->real_port = us;
    c->peer_port = peer;
    return c;
}

/* What each side of each connection says in all, and our first numbers: from the capture, before it is played. */
static void find_connections(void)
{
    n_connections = 0;
    for (unsigned i = 0; i < n_flow; i++) {
        struct sent *f = &flow[i].f;
        struct connection *c;

        if (f->proto != TCP)
            continue;
        c = connection(&flow[i]);
        if (!flow[i].ours) {
            c->in_size += f->payload_size;      /* in these captures nothing is said twice by the peer before the answer */
            continue;
        }
        if (f->flags & SYN)
            c->first = f->seq;
        if (f->payload_size) {
            size_t at = f->seq - c->first - 1;

            ck_assert_uint_le(at + f->payload_size, sizeof(c->output));
            if (!c->out_size)
                c->needs = c->in_size;
            memcpy(c->output + at, f->payload, f->payload_size);
            if (c->out_size < at + f->payload_size)
                c->out_size = at + f->payload_size;
        }
        if (f->flags & FIN)
            c->out_end = true;
    }
}

/* The app's part: read all, say what our side said when it had got as much, end when the peer has, or with the last word if our side did
 * that first. */
static void play_apps(void)
{
    for (unsigned i = 0; i < n_connections; i++) {
        struct connection *c = &connections[i];
        const void *bytes;
        size_t n;

        if (!c->end)
            c->end = active.s ? &active : i < n_accepted ? &accepted[i] : NULL;
        if (!c->end || !c->end->s)
            continue;
        while ((n = unik_stream_peek(c->end->s, &bytes)) > 0) {
            c->end->got += n;
            unik_stream_consume(c->end->s, n);
        }
        if (c->end->got < c->needs || c->shut)
            continue;
        if (c->written < c->out_size) {
            ssize_t k = unik_stream_write(c->end->s, c->output, c->out_size);

            if (k <= 0)
                continue;               /* not connected yet */
            ck_assert_uint_eq((size_t)k, c->out_size);
            c->written = c->out_size;
        }
        if (c->out_end && (!active.s || unik_stream_ended(c->end->s) == 1)) {
            ck_assert_int_eq(unik_stream_shut(c->end->s), 0);
            c->shut = true;
        }
    }
    turn();
}

/* Give the stack a frame of the peer's, with what is ours in it as the stack has it. */
static void give(struct frame *fr, unsigned real_port, unsigned id)
{
    static struct packet p;
    struct sent *f = &fr->f;
    uint8_t *l4;

    memcpy(p.bytes, f->bytes, f->size);
    p.size = f->size;
    l4 = f->l4 ? p.bytes + (f->l4 - f->bytes) : NULL;
    if (f->proto == TCP) {
        struct connection *c = connection(fr);

        put16(l4 + 2, c->real_port);
        if (f->flags & ACK)
            put32(l4 + 8, f->ack - c->first + c->real_first);
        for (uint8_t *o = l4 + 20; o < l4 + (l4[12] >> 4) * 4 && *o; o += *o == 1 ? 1 : o[1])
            for (unsigned i = 2; *o == 5 && i < o[1]; i += 4)
                put32(o + i, get32(o + i) - c->first + c->real_first);
    } else if (f->proto == UDP) {
        put16(l4 + 2, real_port);
        put16(l4 + 8, id);
    }
    if (f->l4)
        fix_sum(&p);
    inject(p.bytes, p.size);
    turn();
}

static bool before(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }

static bool only_acknowledges(const struct sent *f) { return !f->payload_size && !(f->flags & (SYN | FIN | RST)) && !f->sacks; }

/* A segment that says only what has arrived: not more than has, not less than was said before. */
static void check_ack(struct connection *c, const struct sent *f, unsigned at)
{
    uint32_t highest = c->acked;

    for (unsigned i = 0; i < at; i++)
        if (flow[i].f.proto == TCP && !flow[i].ours && connection(&flow[i]) == c) {
            uint32_t end = flow[i].f.seq + (uint32_t)flow[i].f.payload_size + !!(flow[i].f.flags & (SYN | FIN));

            if (before(highest, end) || !highest)
                highest = end;
        }
    ck_assert(!before(highest, f->ack));
    ck_assert(!c->acked || !before(f->ack, c->acked));
    c->acked = f->ack;
}

static struct connection *sender(const struct sent *f)
{
    for (unsigned i = 0; i < n_connections; i++)
        if (f->proto == TCP && connections[i].peer_port == f->to && (connections[i].real_port == f->from || (active.s && f->flags == SYN)))
            return &connections[i];
    ck_abort_msg("a frame of no connection: type %04x, protocol %u, port %u to %u", f->type, f->proto, f->from, f->to);
}

/* The stack's segment f against the capture's frame `at`. */
static void same_segment(struct connection *c, const struct sent *f, unsigned at)
{
    const struct sent *g = &flow[at].f;
    bool fin_early = (f->flags & FIN) && !(g->flags & FIN);

    if (g->flags & SYN) {
        c->begun = true;
        c->real_first = f->seq;
        c->real_port = f->from;
        ck_assert_uint_eq(f->mss, g->mss);
        ck_assert_int_eq(f->scale != 0, g->scale != 0);
        ck_assert_int_eq(f->may_sack, g->may_sack);
    }
    ck_assert_uint_eq(f->flags & ~(unsigned)(PSH | (fin_early ? FIN : 0)), g->flags & ~(unsigned)PSH);
    ck_assert_uint_eq(f->seq - c->real_first, g->seq - c->first);
    ck_assert_uint_eq(f->payload_size, g->payload_size);
    ck_assert_mem_eq(f->payload, g->payload, f->payload_size);
    if (g->flags & ACK)
        ck_assert_uint_eq(f->ack, g->ack);      /* the peer's numbers are the capture's */
    ck_assert_uint_eq(f->sacks, g->sacks);
    for (unsigned i = 0; i < g->sacks * 2; i++)
        ck_assert_uint_eq(f->sack[i], g->sack[i]);
    if (f->flags & FIN) {
        c->fin = f->seq + (uint32_t)f->payload_size;
        c->ended = true;
    }
    c->acked = f->ack;
}

static void same_bytes(const struct sent *f, const struct sent *g, const uint8_t *a, const uint8_t *b, size_t n)
{
    ck_assert_uint_eq(f->type, g->type);
    ck_assert_uint_eq(f->proto, g->proto);
    ck_assert_uint_eq(f->size, g->size);
    ck_assert_mem_eq(f->bytes, g->bytes, 6);    /* to whom */
    ck_assert_mem_eq(a, b, n);
}

/* The stack must send frame `at` of the capture. */
static void expect(unsigned at)
{
    struct sent *g = &flow[at].f, *f;
    struct connection *c;

    if (g->proto == TCP) {
        c = connection(&flow[at]);
        if (only_acknowledges(g)) {
            c->owed = g->ack;
            return;
        }
        if ((g->flags & FIN) && c->ended && c->fin - c->real_first == g->seq + g->payload_size - c->first)
            return;                     /* it came with the data before */
        for (f = wait_frame(); only_acknowledges(f); f = wait_frame())
            check_ack(sender(f), f, at);
        same_segment(c, f, at);
        if (g->flags & ACK)
            c->owed = g->ack;
        ck_assert_ptr_eq(sender(f), c);
        return;
    }
    f = wait_frame();
    if (g->type == 0x0806)
        same_bytes(f, g, f->bytes + 14, g->bytes + 14, 28);
    else
        same_bytes(f, g, f->l4, g->l4, g->l4_size);
    if (g->v6)
        ck_assert_mem_eq(f->ip + 8, g->ip + 8, 32);             /* from whom, to whom */
    else if (g->type == 0x0800)
        ck_assert_mem_eq(f->ip + 12, g->ip + 12, 8);
    if (g->proto == ICMP6 && g->l4[0] >= 133 && g->l4[0] <= 137)
        ck_assert_uint_eq(f->ip[7], 255);       /* RFC 4861, 7.1 */
}

/* Everything that was received is acknowledged, in the end, and nothing else is sent. */
static void settle(void)
{
    for (unsigned i = 0; i < n_connections; i++) {
        struct connection *c = &connections[i];

        while (before(c->acked, c->owed)) {
            struct sent *f = wait_frame();

            ck_assert(only_acknowledges(f));
            check_ack(sender(f), f, n_flow);
        }
        ck_assert_uint_eq(c->acked, c->owed);
    }
    while (bed.first) {
        struct sent *f = next_frame();

        ck_assert(f->proto == TCP && only_acknowledges(f));
        check_ack(sender(f), f, n_flow);
    }
}

static void begin(const char *name, unsigned offloads)
{
    memset(&active, 0, sizeof(active));
    read_flow(name);
    find_connections();
    bed_begin(offloads, (const char *const[]){ "address=" US4 "/24", "address6=" US6 "/64", "neighbour=ask", NULL });
}

static void play(void)
{
    for (unsigned i = 0; i < n_flow; i++) {
        if (flow[i].ours)
            expect(i);
        else
            give(&flow[i], 0, 0);
        play_apps();
    }
    settle();
}

static void finish(void)
{
    for (unsigned i = 0; i < n_connections; i++) {
        struct connection *c = &connections[i];

        ck_assert(c->end && c->end->s);
        ck_assert_uint_eq(c->end->got, c->in_size);
        ck_assert_int_eq(unik_stream_ended(c->end->s), 1);
        unik_stream_close(c->end->s);
        c->end->s = NULL;
    }
    bed_end();
    forget_flow();
}

static const char *const echoes[] = { "echo", "echo6" };

START_TEST(echo)
{
    begin(echoes[_i], 0);
    play();
    finish();
}
END_TEST

/* server: a request, an answer, the end. negotiate: three peers, one with all options, one without SACK and window scale, one with an
 * MSS of 536. lost-in: two segments are lost on the way to us, the peer sends them again. order-in: two pairs change places.
 * lost-out: ours is lost, and we send it again. */
static const char *const served[] = { "server", "negotiate", "lost-in", "order-in", "lost-out" };

START_TEST(server)
{
    begin(served[_i], 0);
    listen_at(80);
    play();
    finish();
}
END_TEST

START_TEST(client)
{
    begin("client", 0);
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, PEER4, 80, end_event, &active, &active.s), 0);
    turn();
    play();
    finish();
}
END_TEST

static struct { unsigned n; int error; char address[UNIK_NET_ADDRESS_MAX]; } answer;

static void on_answer(int error, const char *address, void *arg)
{
    (void)arg;
    answer.n++;
    answer.error = error;
    snprintf(answer.address, sizeof(answer.address), "%s", address ? address : "");
}

/* dnsmasq's answers: an address, one behind two aliases, one of IPv6, and that there is none. */
START_TEST(names)
{
    static const struct { const char *name; unsigned family; const char *address; } questions[] = {
        { "host.test", 4, "192.0.2.7" }, { "www.test", 4, "192.0.2.7" }, { "www.test", 6, "2001:db8::7" }, { "nosuch.test", 4, "" }
    };
    struct unik_net_query *q;

    begin("names", 0);
    ck_assert_uint_eq(n_flow, 8);
    for (unsigned i = 0; i < 4; i++) {
        struct sent *g = &flow[i * 2].f, *f;

        memset(&answer, 0, sizeof(answer));
        ck_assert_int_eq(bed.net->resolve(bed.net, NULL, questions[i].name, questions[i].family, on_answer, NULL, &q), 0);
        turn();
        if (i == 0)                     /* who has the server? the capture begins after that */
            for (f = wait_frame(); f->type == 0x0806; f = next_frame()) {
                struct packet p;

                make_eth(&p, 0x0806);
                memcpy(p.bytes + 14, f->bytes + 14, 28);
                p.bytes[21] = 2;
                memcpy(p.bytes + 22, mac_peer, 6);
                memcpy(p.bytes + 28, f->bytes + 38, 4);
                memcpy(p.bytes + 32, mac_us, 6);
                memcpy(p.bytes + 38, f->bytes + 28, 4);
                p.size = 42;
                inject(p.bytes, p.size);
                ck_assert_ptr_nonnull(bed.first);
            }
        else
            f = wait_frame();
        ck_assert_uint_eq(f->proto, UDP);
        ck_assert_uint_eq(f->to, 53);
        ck_assert_uint_eq(f->payload_size, g->payload_size);
        ck_assert_mem_eq(f->payload + 2, g->payload + 2, g->payload_size - 2);  /* all but the id */
        give(&flow[i * 2 + 1], f->from, get16(f->payload));
        ck_assert_uint_eq(answer.n, 1);
        ck_assert_int_eq(answer.error, *questions[i].address ? 0 : -ENOENT);
        ck_assert_str_eq(answer.address, questions[i].address);
    }
    finish();
}
END_TEST

TCase *flow_tests(void)
{
    TCase *t = tcase_create("flows");

    tcase_add_loop_test(t, echo, 0, 2);
    tcase_add_loop_test(t, server, 0, 5);
    tcase_add_test(t, client);
    tcase_add_test(t, names);
    return t;
}
