/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/bed.h - net-lwip between a card of the test's and a peer whose packets the test makes byte by byte. Every frame that
 * the stack sends is checked as it comes: lengths, checksums, addresses. */
#ifndef TESTS_LWIP_BED_H
#define TESTS_LWIP_BED_H

#include <check.h>
#include <unik/net.h>
#include <unik/nic.h>

#include "tools/host/host.h"

#define LONG 300.0                       /* seconds that anything may take on a busy machine */

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };
enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

/* ---- the card ---- */

struct sent {                           /* a frame of the stack's, parsed */
    struct sent *next;
    uint8_t *bytes;
    size_t size;
    struct unik_nic_offloads offloads;
    bool v6, fragment;
    unsigned type, proto;               /* Ethernet's, IP's */
    const uint8_t *ip, *l4, *payload;   /* l4: NULL unless IP */
    size_t l4_size, payload_size;       /* TCP, UDP: payload beyond the header */
    unsigned from, to;                  /* ports */
    uint32_t seq, ack;                  /* TCP */
    unsigned flags, window, mss, scale; /* TCP; mss, scale: options, 0 if there is none */
    bool may_sack;                      /* option: SACK permitted */
    unsigned sacks;                     /* blocks */
    uint32_t sack[8];
};

struct bed {
    struct host *h;
    struct unik_ctx *ctx;
    struct unik_net *net;
    struct unik_nic nic;
    struct unik_nic_info info;
    const struct unik_nic_user *user;
    void *user_arg;
    struct sent *first, **last;         /* sent, and not looked at yet */
    unsigned n_sent, n_held, n_flushes;
    unsigned room;                      /* frames that send() takes before -EAGAIN */
    const uint8_t *given;               /* the first part of the last frame that was injected, while it is with the stack */
    size_t given_size;
    char log[4000];                     /* the last lines */
};
extern struct bed bed;

#define US4 "10.0.0.2"
#define PEER4 "10.0.0.1"
#define US6 "fd00::2"
#define PEER6 "fd00::1"
extern const uint8_t mac_us[6], mac_peer[6];

/* Static addresses, the fixed neighbour, and these options more (NULL ends; may be NULL). offloads: of the card. */
void bed_begin(unsigned offloads, const char *const *options);
void bed_begin_raw(unsigned target, unsigned offloads, const char *const *options);  /* these options only */
void bed_end(void);                     /* everything must have been given back */

void inject_with(const void *frame, size_t size, const struct unik_nic_offloads *o, unsigned parts, bool shared);
void inject(const void *frame, size_t size);
struct sent *next_frame(void);          /* NULL: none; the caller's until the next call */
void no_frame(void);                    /* none was sent */
/* Run the loop until a frame is sent (timers). */
struct sent *wait_frame(void);
void drop_frames(void);

/* ---- making packets ---- */

struct packet {
    uint8_t bytes[65600];
    size_t size;
};

void put16(uint8_t *p, unsigned v);
void put32(uint8_t *p, uint32_t v);
unsigned get16(const uint8_t *p);
uint32_t get32(const uint8_t *p);
uint16_t sum16(const void *bytes, size_t n, uint32_t start);     /* complemented, as it stands in a header */

void make_eth(struct packet *p, unsigned type);
void make_ip(struct packet *p, bool v6, unsigned proto, const void *l4, size_t n);       /* l4's checksum is the caller's */
void make_udp(struct packet *p, bool v6, unsigned from, unsigned to, const void *bytes, size_t n);
void fix_sum(struct packet *p);         /* IPv4's header, and TCP, UDP, ICMP */
void parse_frame(struct sent *f);       /* fill in the fields from bytes and size; lengths and checksums must be right */

/* ---- a TCP peer ---- */

struct peer {
    bool v6;
    unsigned port, us;                  /* the peer's, the stack's */
    uint32_t seq;                       /* next byte of the peer's */
    uint32_t ack;                       /* next byte of the stack's that the peer expects */
    unsigned window;                    /* as it stands in the header */
};

struct packet *peer_packet(struct peer *c, unsigned flags, const void *bytes, size_t n); /* does not move seq */
void peer_send(struct peer *c, unsigned flags, const void *bytes, size_t n);    /* moves seq */
struct sent *peer_next(struct peer *c); /* the stack's next segment of this connection; must be in order; moves ack */
struct sent *peer_wait(struct peer *c); /* run the loop until there is one */
void peer_acks(struct peer *c);         /* takes everything that was sent, and acknowledges it */
void peer_open(struct peer *c, bool v6, unsigned port, unsigned us);    /* the whole handshake, to a listener */

/* ---- the stack's side ---- */

struct end {
    struct unik_stream *s;
    unsigned opens, inputs, rooms;
    size_t got;
    bool echo, read, close_at_end;      /* do that in the callback */
};
extern struct end accepted[64];
extern unsigned n_accepted;
struct unik_net_listener *listen_at(unsigned port);
void end_event(struct unik_stream *s, unsigned events, void *arg);
void turn(void);                        /* one turn of the loop */
uint64_t count(const char *name);

void pattern(void *to, size_t from, size_t n);   /* bytes that tell where they belong */
bool is_pattern(const void *bytes, size_t from, size_t n);

TCase *tcp_tests(void), *hostile_tests(void), *config_tests(void), *names_tests(void), *flow_tests(void), *path_tests(void), *cost_tests(void), *admit_tests(void), *reuse_tests(void), *neighbour_tests(void), *idle_tests(void);

#endif
