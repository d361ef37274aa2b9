/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/stack.h - what the files of this plugin share. lwIP keeps its state in globals: there is one stack. */
#ifndef STACK_H
#define STACK_H

#include <unik/net.h>
#include <unik/nic.h>
#include <unik/qubesdb.h>

#include "lwip/opt.h"

#include "lwip/ip_addr.h"
#include "lwip/netif.h"
#include "lwip/tcp.h"

#include "admit.h"
#include "pools.h"

#define STACK_PEER_MAX 56               /* "[ffff:...:ffff]:65535" and NUL */
#define STACK_HALF_OPEN 256             /* connections whose SYN was answered and that nobody has confirmed yet */
#define STACK_CHUNK 4096u               /* bytes of a piece of a stream's buffers, its header included */
#define STACK_WARM (1u << 20)           /* bytes that wait in all connections, more or less what a processor's cache holds */
#define STACK_UDP_MAX 64
#define STACK_QUERIES_MAX DNS_TABLE_SIZE
#define STACK_DRAIN 2.0                 /* seconds that a closed connection waits for the peer's end ... */
#define STACK_DRAIN_BYTES (1u << 20)    /* ... and what it takes from it in that time */
#define STACK_LOG_EVERY 10.0            /* seconds between two lines about one kind of trouble */

enum stack_ipv4 { IPV4_AUTO, IPV4_QUBESDB, IPV4_DHCP, IPV4_STATIC, IPV4_HOST };
enum stack_ipv6 { IPV6_AUTO, IPV6_QUBESDB, IPV6_STATIC, IPV6_OFF };

struct stack_config {
    int ipv4, ipv6;
    const char *address, *gateway, *address6, *gateway6, *dns, *neighbour;
    int64_t mtu, max_connections;
    uint64_t buffers, heap, output;
    double linger, connect_timeout;
};

enum stack_counter {
    STACK_ACCEPTED, STACK_CONNECTED, STACK_CONNECT_FAILED, STACK_CONNECTIONS, STACK_CONNECTIONS_HIGH, STACK_REFUSED,
    STACK_HALF, STACK_HALF_EVICTED, STACK_ABORTED, STACK_RETRANSMITTED, STACK_BYTES_IN, STACK_BYTES_OUT, STACK_FRAMES_IN, STACK_FRAMES_OUT,
    STACK_MERGED, STACK_COPIED, STACK_BYTES_COPIED, STACK_FRAMES_DROPPED, STACK_SEND_FULL, STACK_BAD_SUMS, STACK_NO_SENSE, STACK_NOT_OURS,
    STACK_BAD_ADDRESS, STACK_BAD_HEADERS, STACK_MALFORMED, STACK_DATAGRAMS_IN,
    STACK_DATAGRAMS_OUT, STACK_QUERIES, STACK_QUERIES_FAILED, STACK_ANSWERS_REFUSED, STACK_SMALLER, STACK_BUFFERS_HIGH, STACK_NO_BUFFERS, STACK_MEMORY,
    STACK_MEMORY_USED, STACK_WAKEUPS
};

struct stack_stream;
struct stack_chunk;

/* What is configured now, or what it should become. */
struct stack_addresses {
    bool have4, have6;
    ip4_addr_t address, netmask, gateway;
    ip6_addr_t address6, gateway6;      /* gateway: zero if there is none */
    ip_addr_t dns[DNS_MAX_SERVERS];
    unsigned n_dns;
};

struct stack {
    struct unik_net net;                /* first: the interface is the plugin */
    struct unik_ctx *ctx;
    const struct stack_config *config;
    struct unik_nic *nic;               /* NULL: no card */
    struct unik_qubesdb *db;
    struct netif netif;
    bool netif_added, link, ready, draining, stopping, in_input;
    bool changed;                       /* link or addresses: the watchers are told at the end of the turn */
    int ipv4, ipv6;                     /* the modes, AUTO resolved */
    struct stack_addresses now;
    struct admit_here here;             /* the same for admit.c */
    bool reconfigure;                   /* keys have changed: read them again at the end of the turn */

    struct pool chunks, streams_pool;
    struct stack_stream *streams, *dirty, **dirty_end;
    size_t n_streams;
    struct unik_net_listener *listeners;
    struct unik_net_udp *udps, *receiving;      /* receiving: its callback runs */
    struct unik_net_query *queries;
    struct unik_net_watch *watches;
    size_t n_udps, n_queries;

    ev_timer timer;                     /* what is due next */
    uint64_t due;                       /* ms: what it is armed for; 0: it is not */
    bool entered;                       /* what only grows old was made older in this turn */
    ev_prepare turn;
};

/* net-lwip.c */
void stack_gone(struct stack *n);       /* the last connection is gone while stopping */
void stack_state(struct stack *n);      /* ready or degraded, from link and addresses */
void stack_count(struct stack *n);      /* lwIP keeps some counters itself */
struct stack *stack_of(struct unik_net *net);

/* clock.c: lwIP's timers on the loop, and the end of each turn. */
void clock_start(struct stack *n);
void clock_stop(struct stack *n);
void clock_enter(struct stack *n);      /* before lwIP is asked for anything: time has passed */
void clock_jump(unsigned ms);           /* for tests: so much time has passed */
void clock_tcp(struct stack *n);        /* ... and something happens to a connection */
void turn_end(struct stack *n);

/* card.c: the network card. */
void card_attach(struct stack *n, struct unik_nic *nic);
void card_detach(struct stack *n);      /* no frame is held any more when this returns */
int card_init(struct stack *n);
void card_free(struct stack *n);
void card_flush(struct stack *n);

/* merge.c: segments of one connection that follow each other go to the card as one frame, which it cuts again (TSO). */
err_t merge_output(struct stack *n, struct pbuf *p);
int merge_flush(struct stack *n);       /* 0: nothing waits any more */
void merge_drop(void);                  /* what waits is lost, as on the network */
/* Bytes before this sequence number are going: what waits and refers to them leaves, or is lost. */
void merge_guard(struct stack *n, u16_t local_port, u16_t remote_port, u32_t before);
err_t card_send(struct stack *n, const struct unik_nic_offloads *o, const struct iovec *parts, unsigned count);

/* config.c */
int config_check(struct unik_ctx *ctx);
void config_start(struct stack *n);
void config_db(struct stack *n, struct unik_qubesdb *db);    /* NULL: it goes */
void config_apply(struct stack *n);     /* read the source again and set what has changed */
void config_card(struct stack *n);      /* the card's link or MAC has changed */
bool config_mac(const char *text, uint8_t mac[6]);
extern bool config_fixed_neighbour;
extern uint8_t config_neighbour[6];

/* neighbour.c */
bool neighbour_plain(struct pbuf *p, const struct admit_found *found);

/* path.c */
void path_too_big(struct stack *n, struct pbuf *p, const struct admit_found *found);

/* reuse.c: before and after lwIP looks at what came; reuse_isn() where it makes the first sequence number of a connection. */
void reuse_before(struct pbuf *p, const struct admit_found *found, bool summed);
void reuse_after(void);
u32_t reuse_isn(u32_t isn);

/* random.c */
int random_init(void);                  /* 0, or -EAGAIN: the system has no entropy yet */
uint64_t random_siphash(const uint64_t k[2], const uint64_t *words, size_t n);
unsigned random_port(void);             /* an ephemeral one */

/* listen.c */
int stack_listen(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned *port, int backlog,
                 unik_net_accept_cb *cb, void *arg, struct unik_net_listener **out);
void stack_unlisten(struct unik_net *net, struct unik_net_listener *l);
void listen_init(void);
void listen_stop(struct stack *n);      /* nothing more is accepted; the listeners stay their owners' */
void listen_free(struct stack *n);
/* In each file: take back what a plugin that has stopped left behind; how many. */
size_t listen_left(struct stack *n, const struct unik_ctx *owner);
void listen_status(const struct stack *n, struct unik_text *out);

/* stream.c */
struct unik_stream *stream_new(struct stack *n, struct unik_ctx *owner, struct tcp_pcb *pcb, bool connecting);
int stack_connect(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned port, unik_stream_cb *cb,
                  void *arg, struct unik_stream **out);
void stream_turn(struct stack *n);      /* do what callbacks have left to do */
size_t stream_abort_all(struct stack *n, bool closed_too);   /* how many were still somebody's */
size_t stream_left(struct stack *n, const struct unik_ctx *owner);
void stream_room(struct stack *n);      /* the card takes frames again */

/* chunks.c: a stream's buffers */
struct stack_queue {
    struct stack_chunk *first, *last;
    struct stack_chunk *reserved;       /* empty ones that the owner may fill */
    size_t bytes;
};
struct stack_place {                    /* a byte of a queue, while nothing is taken out of it */
    const struct stack_chunk *chunk;
    size_t skip;
};
struct stack_place queue_place(const struct stack_queue *q, size_t skip);
size_t place_peek(struct stack_place *p, const void **bytes);   /* the first contiguous run from there; 0: the end */
size_t queue_peek(const struct stack_queue *q, const void **bytes);     /* from the front */
size_t queue_put(struct stack *n, struct stack_queue *q, const void *bytes, size_t size);
/* Room for `most` bytes after the last one, in at most `count` pieces: how many there are. The owner fills them from the first on; commit
 * makes `size` of these bytes part of the queue. */
unsigned queue_reserve(struct stack *n, struct stack_queue *q, size_t most, struct iovec *parts, unsigned count);
void queue_commit(struct stack *n, struct stack_queue *q, size_t size);
void queue_consume(struct stack *n, struct stack_queue *q, size_t size);
void queue_free(struct stack *n, struct stack_queue *q);

/* udp.c */
int stack_udp(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned *port, unik_net_udp_cb *cb,
              void *arg, struct unik_net_udp **out);
int stack_send(struct unik_net *net, struct unik_net_udp *u, const char *address, unsigned port, const void *bytes, size_t size);
int stack_udp_to(struct unik_net *net, struct unik_net_udp *u, char text[UNIK_NET_ADDRESS_MAX]);
int stack_send_from(struct unik_net *net, struct unik_net_udp *u, const char *from, const char *address, unsigned port, const void *bytes,
                    size_t size);
void stack_unudp(struct unik_net *net, struct unik_net_udp *u);
size_t udp_left(struct stack *n, const struct unik_ctx *owner);

/* resolve.c */
int stack_resolve(struct unik_net *net, struct unik_ctx *owner, const char *name, unsigned family, unik_net_resolve_cb *cb,
                  void *arg, struct unik_net_query **out);
void stack_unresolve(struct unik_net *net, struct unik_net_query *q);
void resolve_turn(struct stack *n);
void resolve_free(struct stack *n);
size_t resolve_left(struct stack *n, const struct unik_ctx *owner);

/* answer.c */
extern uint64_t answer_refused;         /* answers to questions for names that lwIP did not get */

/* watch.c */
int stack_address(struct unik_net *net, unsigned i, char text[UNIK_NET_ADDRESS_MAX]);
bool stack_up(struct unik_net *net);
int stack_watch(struct unik_net *net, struct unik_ctx *owner, unik_net_watch_cb *cb, void *arg, struct unik_net_watch **out);
void stack_unwatch(struct unik_net *net, struct unik_net_watch *w);
void watch_tell(struct stack *n);
void watch_free(struct stack *n);
size_t watch_left(struct stack *n, const struct unik_ctx *owner);

/* text.c */
bool text_address(const char *text, ip_addr_t *to);          /* numeric, no zone, nothing after it */
unsigned text_roles(const ip_addr_t *address);               /* enum admit_role */
void text_plain(const ip_addr_t *address, char text[UNIK_NET_ADDRESS_MAX]);
void text_peer(const ip_addr_t *address, unsigned port, char text[STACK_PEER_MAX]);

#endif
