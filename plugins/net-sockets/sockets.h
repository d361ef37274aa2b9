/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-sockets/sockets.h - what the files of this plugin share. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <sys/socket.h>
#include <unik/net.h>
#include <unik/ring.h>

#define SOCKETS_POOL 16                 /* buffers kept for the next stream that needs one */
#define SOCKETS_ACCEPT_MAX 32           /* connections accepted in one wake-up: others get their turn in between */
#define SOCKETS_PEER_MAX 56             /* "[ffff:...:ffff]:65535" and NUL */
#define SOCKETS_PAUSE 0.5               /* seconds without accepting when file descriptors or memory ran out */
#define SOCKETS_TELL_EVERY 10.0         /* seconds between two lines about that */
#define SOCKETS_UNSENT (128 << 10)       /* bytes the system may hold for a slow peer; it would take megabytes */
#define SOCKETS_DRAIN 2.0               /* seconds that a closed connection waits for the peer's end */
#define SOCKETS_DRAIN_BYTES (1u << 20)  /* and what it takes from it in that time */
#define SOCKETS_UDP_MAX 64
#define SOCKETS_DATAGRAM_MAX 65536      /* bytes: more than a datagram can have */
#define SOCKETS_DATAGRAMS 32            /* of one socket before others get their turn */
#define SOCKETS_QUERIES_MAX 64          /* names that are being looked for */
#define SOCKETS_NAME_SECONDS 25.0       /* then the answer is that there was none */

struct sockets_config {
    int ipv4;                           /* "host" is the only choice: it says in the config file what this plugin is */
    const char *address, *dns;
    int64_t max_connections;
    uint64_t input, output;
    double linger, connect_timeout;
};

enum sockets_counter {
    SOCKETS_ACCEPTED, SOCKETS_CONNECTED, SOCKETS_CONNECT_FAILED, SOCKETS_CONNECTIONS, SOCKETS_CONNECTIONS_HIGH,
    SOCKETS_BYTES_IN, SOCKETS_BYTES_OUT, SOCKETS_PAUSES, SOCKETS_REFUSED, SOCKETS_ABORTED, SOCKETS_DATAGRAMS_IN,
    SOCKETS_DATAGRAMS_OUT, SOCKETS_NAMES_FOUND, SOCKETS_NAMES_FAILED
};

struct sockets_pool {
    struct unik_ring free[SOCKETS_POOL];
    size_t n, size;                     /* size: bytes of each */
};

struct sockets_stream;
struct asker;

struct sockets {
    struct unik_net net;                /* first: the interface is the plugin */
    struct unik_ctx *ctx;
    const struct sockets_config *config;
    struct sockets_pool in, out;
    struct sockets_stream *streams;
    size_t n_streams;
    struct unik_net_listener *listeners, *accepting;
    struct unik_net_udp *udps, *receiving;
    struct sockaddr_storage datagram_to;        /* where that was sent to which is received; no family: not known */
    size_t n_udps;
    struct unik_net_query *queries;
    size_t n_queries;
    struct asker *asker;                /* ask.c's; NULL while no name is asked for */
    struct unik_net_watch *watches;
    bool telling;                       /* watch.c goes through them */
    ev_io changes;                      /* the system tells of links and addresses; fd -1: it cannot */
    ev_timer pause;
    bool paused, full, draining, stopping;
    double told;
    int reserve;                        /* a descriptor to give up when there is no other: see listen.c */
};

/* address.c: text and socket addresses; numeric only. */
int sockets_parse(const char *address, unsigned port, struct sockaddr_storage *to, socklen_t *len);
void sockets_format(const struct sockaddr_storage *from, char text[SOCKETS_PEER_MAX]);
void sockets_name(const struct sockaddr_storage *from, char text[UNIK_NET_ADDRESS_MAX]);
/* An IPv4 address as a socket for both families wants it. */
void sockets_map(struct sockaddr_storage *to, socklen_t *len);
/* A bound socket, or a negative errno. "": both families by one socket, or IPv4 alone where there is no IPv6. */
int sockets_bound(int type, const char *address, unsigned port, bool *both);
unsigned sockets_port(const struct sockaddr_storage *from);
int sockets_own_address(unsigned i, char text[UNIK_NET_ADDRESS_MAX]);

/* listen.c */
int sockets_listen(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned *port, int backlog,
                   unik_net_accept_cb *cb, void *arg, struct unik_net_listener **out);
void sockets_unlisten(struct unik_net *net, struct unik_net_listener *l);
void sockets_pause_init(struct sockets *n);
void sockets_resume(struct sockets *n);         /* a descriptor is free again */
void sockets_listen_stop(struct sockets *n);    /* nothing more is accepted; the listeners stay their owners' */
void sockets_listen_free(struct sockets *n);
/* In each file: take back what a plugin that has stopped left behind; how many. */
size_t sockets_listen_left(struct sockets *n, const struct unik_ctx *owner);
const char *sockets_listener_text(const struct unik_net_listener *l);
const struct unik_net_listener *sockets_listener_next(const struct unik_net_listener *l);

/* stream.c */
/* What every TCP socket gets. Accepted ones inherit it from the listening one. */
void sockets_tune(int fd);
/* Takes fd (also on failure: closed). NULL: no memory. The stream counts as a connection until its fd is closed. */
struct unik_stream *sockets_stream_new(struct sockets *n, struct unik_ctx *owner, int fd, const struct sockaddr_storage *peer,
                                       bool connecting);
int sockets_connect(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned port, unik_stream_cb *cb,
                    void *arg, struct unik_stream **out);
size_t sockets_stream_abort_all(struct sockets *n, bool closed_too);  /* how many were still somebody's */
size_t sockets_stream_left(struct sockets *n, const struct unik_ctx *owner);
void sockets_pool_free(struct sockets_pool *p);

/* udp.c */
int sockets_udp(struct unik_net *net, struct unik_ctx *owner, const char *address, unsigned *port, unik_net_udp_cb *cb,
                void *arg, struct unik_net_udp **out);
int sockets_send(struct unik_net *net, struct unik_net_udp *u, const char *address, unsigned port, const void *bytes,
                 size_t size);
int sockets_udp_to(struct unik_net *net, struct unik_net_udp *u, char text[UNIK_NET_ADDRESS_MAX]);
int sockets_send_from(struct unik_net *net, struct unik_net_udp *u, const char *from, const char *address, unsigned port,
                      const void *bytes, size_t size);
void sockets_unudp(struct unik_net *net, struct unik_net_udp *u);
void sockets_udp_free(struct sockets *n);
size_t sockets_udp_left(struct sockets *n, const struct unik_ctx *owner);

/* resolve.c */
int sockets_resolve(struct unik_net *net, struct unik_ctx *owner, const char *name, unsigned family, unik_net_resolve_cb *cb,
                    void *arg, struct unik_net_query **out);
void sockets_unresolve(struct unik_net *net, struct unik_net_query *q);
void sockets_resolve_free(struct sockets *n);
size_t sockets_resolve_left(struct sockets *n, const struct unik_ctx *owner);

/* watch.c */
void sockets_watch_init(struct sockets *n);
int sockets_watch(struct unik_net *net, struct unik_ctx *owner, unik_net_watch_cb *cb, void *arg, struct unik_net_watch **out);
void sockets_unwatch(struct unik_net *net, struct unik_net_watch *w);
void sockets_watch_free(struct sockets *n);
size_t sockets_watch_left(struct sockets *n, const struct unik_ctx *owner);

/* net-sockets.c: the last connection is gone while stopping. */
void sockets_gone(struct sockets *n);

#endif
