/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/net.h - "net/1": the network, whoever provides it (host sockets, or the VM's own TCP/IP).
 * Peers on the network are hostile. The plugin is ready when it has an address; link and addresses may come and go.
 *
 * owner: the plugin that asks, its ctx. What it leaves behind when it stops is taken back then, without a callback, and named
 * in the log; connections are cut off. Connections that come to a listener are its owner's. NULL: nobody's.
 */
#ifndef UNIK_NET_H
#define UNIK_NET_H

#include <stdbool.h>
#include <unik/plugin.h>
#include <unik/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_NET_ADDRESS_MAX 64         /* "10.137.0.5", "fd09::5", with NUL */

#define UNIK_NET_DATAGRAM_MAX 1472u     /* bytes of UDP payload that always can be sent; more may be refused (-EMSGSIZE) */

struct unik_net_listener;
struct unik_net_udp;
struct unik_net_query;
struct unik_net_watch;

/* A connection was made to a listener: set its callback with unik_stream_on(), or close it. peer is "address:port". */
typedef void unik_net_accept_cb(struct unik_stream *s, void *arg);

/* A datagram came. address and bytes are valid until the return. */
typedef void unik_net_udp_cb(struct unik_net_udp *u, const void *bytes, size_t n, const char *address, unsigned port,
                             void *arg);

/* The answer of resolve(): an address and 0, or NULL and why: -ENOENT (no such name), -ETIMEDOUT, -EHOSTUNREACH (no
 * server is known). The query is gone when this returns. */
typedef void unik_net_resolve_cb(int error, const char *address, void *arg);

/* Link or addresses have changed: ask address() and up(). */
typedef void unik_net_watch_cb(void *arg);

struct unik_net {
    size_t size;

    /* Listen for TCP on an address of ours ("" or NULL: all, IPv4 and IPv6). backlog: connections that may wait to be
     * accepted. Port 0: any free one, *port is set. 0 or a negative errno: -EADDRINUSE, -EACCES, -EINVAL, -EMFILE. */
    int (*listen)(struct unik_net *n, struct unik_ctx *owner, const char *address, unsigned *port, int backlog,
                  unik_net_accept_cb *cb, void *arg, struct unik_net_listener **out);
    void (*unlisten)(struct unik_net *n, struct unik_net_listener *l);

    /* Connect by TCP to a numeric address. OPEN tells success; failure is ended() < 0. */
    int (*connect)(struct unik_net *n, struct unik_ctx *owner, const char *address, unsigned port, unik_stream_cb *cb,
                   void *arg, struct unik_stream **out);

    /* Our i-th address as text; -ENOENT past the last one. */
    int (*address)(struct unik_net *n, unsigned i, char text[UNIK_NET_ADDRESS_MAX]);

    /* Can packets leave now? False while the link is down or no address is known. */
    bool (*up)(struct unik_net *n);
    int (*watch)(struct unik_net *n, struct unik_ctx *owner, unik_net_watch_cb *cb, void *arg, struct unik_net_watch **out);
    void (*unwatch)(struct unik_net *n, struct unik_net_watch *w);

    /* UDP: as listen() for address and port (0: any free one, *port is set). Datagrams that find no room are lost, as the
     * network loses them; counted. send: 0; -EAGAIN (no room now), -EMSGSIZE, -ENETUNREACH, -EINVAL (not an address). */
    int (*udp)(struct unik_net *n, struct unik_ctx *owner, const char *address, unsigned *port, unik_net_udp_cb *cb, void *arg,
               struct unik_net_udp **out);
    int (*send)(struct unik_net *n, struct unik_net_udp *u, const char *address, unsigned port, const void *bytes,
                size_t size);
    void (*unudp)(struct unik_net *n, struct unik_net_udp *u);

    /* Find the address of a name by DNS; a numeric address is answered as it is, or with -ENOENT if it is of the other
     * family. family: 4, 6, or 0 for either, IPv4 first. cb comes from the loop, once, within 30 s; unresolve() makes it
     * never come. 0 or a negative errno: -EINVAL, -EMFILE (too many at once). */
    int (*resolve)(struct unik_net *n, struct unik_ctx *owner, const char *name, unsigned family, unik_net_resolve_cb *cb,
                   void *arg, struct unik_net_query **out);
    void (*unresolve)(struct unik_net *n, struct unik_net_query *q);

    /* UDP, in the callback of a socket's: the address that the datagram was sent to, one of ours or a broadcast or multicast one.
     * -ENOENT: not known, or not in that callback. */
    int (*udp_to)(struct unik_net *n, struct unik_net_udp *u, char text[UNIK_NET_ADDRESS_MAX]);
    /* As send(), from an address of ours: so an answer comes from where the question went. More: -EADDRNOTAVAIL (not ours, or not this
     * socket's), -EINVAL (families differ). */
    int (*send_from)(struct unik_net *n, struct unik_net_udp *u, const char *from, const char *address, unsigned port,
                     const void *bytes, size_t size);
};

#ifdef __cplusplus
}
#endif
#endif
