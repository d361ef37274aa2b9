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

struct sockets_config {
    int ipv4;                           /* "host" is the only choice: it says in the config file what this plugin is */
    const char *address;
    int64_t max_connections;
    uint64_t input, output;
    double linger, connect_timeout;
};

enum sockets_counter {
    SOCKETS_ACCEPTED, SOCKETS_CONNECTED, SOCKETS_CONNECT_FAILED, SOCKETS_CONNECTIONS, SOCKETS_CONNECTIONS_HIGH,
    SOCKETS_BYTES_IN, SOCKETS_BYTES_OUT, SOCKETS_PAUSES, SOCKETS_REFUSED, SOCKETS_ABORTED
};

struct sockets_pool {
    struct unik_ring free[SOCKETS_POOL];
    size_t n, size;                     /* size: bytes of each */
};

struct sockets_stream;

struct sockets {
    struct unik_net net;                /* first: the interface is the plugin */
    struct unik_ctx *ctx;
    const struct sockets_config *config;
    struct sockets_pool in, out;
    struct sockets_stream *streams;
    size_t n_streams;
    struct unik_net_listener *listeners, *accepting;
    ev_timer pause;
    bool paused, full, draining, stopping;
    double told;
    int reserve;                        /* a descriptor to give up when there is no other: see listen.c */
};

/* address.c: text and socket addresses. Numeric only: nothing here may wait for a name server. */
int sockets_parse(const char *address, unsigned port, struct sockaddr_storage *to, socklen_t *len);
void sockets_format(const struct sockaddr_storage *from, char text[SOCKETS_PEER_MAX]);
unsigned sockets_port(const struct sockaddr_storage *from);
int sockets_own_address(unsigned i, char text[UNIK_NET_ADDRESS_MAX]);

/* listen.c */
int sockets_listen(struct unik_net *net, const char *address, unsigned *port, int backlog, unik_net_accept_cb *cb,
                   void *arg, struct unik_net_listener **out);
void sockets_unlisten(struct unik_net *net, struct unik_net_listener *l);
void sockets_pause_init(struct sockets *n);
void sockets_resume(struct sockets *n);         /* a descriptor is free again */
void sockets_listen_stop(struct sockets *n);    /* nothing more is accepted; the listeners stay their owners' */
void sockets_listen_free(struct sockets *n);
const char *sockets_listener_text(const struct unik_net_listener *l);
const struct unik_net_listener *sockets_listener_next(const struct unik_net_listener *l);

/* stream.c */
/* What every TCP socket gets. Accepted ones inherit it from the listening one. */
void sockets_tune(int fd);
/* Takes fd (also on failure: closed). NULL: no memory. The stream counts as a connection until its fd is closed. */
struct unik_stream *sockets_stream_new(struct sockets *n, int fd, const struct sockaddr_storage *peer, bool connecting);
int sockets_connect(struct unik_net *net, const char *address, unsigned port, unik_stream_cb *cb, void *arg,
                    struct unik_stream **out);
size_t sockets_stream_abort_all(struct sockets *n, bool closed_too);  /* how many were still somebody's */
void sockets_pool_free(struct sockets_pool *p);

/* net-sockets.c: the last connection is gone while stopping. */
void sockets_gone(struct sockets *n);

#endif
