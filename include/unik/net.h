/* unik/net.h - "net/1": the network, whoever provides it (host sockets, or the VM's own TCP/IP).
 * Peers on the network are hostile. The plugin is ready when it has an address; link and addresses may come and go.
 */
#ifndef UNIK_NET_H
#define UNIK_NET_H

#include <unik/plugin.h>
#include <unik/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_NET_ADDRESS_MAX 64         /* "10.137.0.5", "fd09::5", with NUL */

struct unik_net_listener;

/* A connection was made to a listener: set its callback with unik_stream_on(), or close it. peer is "address:port". */
typedef void unik_net_accept_cb(struct unik_stream *s, void *arg);

struct unik_net {
    size_t size;

    /* Listen for TCP on an address of ours ("" or NULL: all, IPv4 and IPv6). backlog: connections that may wait to be
     * accepted. Port 0: any free one, *port is set. 0 or a negative errno: -EADDRINUSE, -EACCES, -EINVAL, -EMFILE. */
    int (*listen)(struct unik_net *n, const char *address, unsigned *port, int backlog, unik_net_accept_cb *cb,
                  void *arg, struct unik_net_listener **out);
    void (*unlisten)(struct unik_net *n, struct unik_net_listener *l);

    /* Connect by TCP to a numeric address. OPEN tells success; failure is ended() < 0. */
    int (*connect)(struct unik_net *n, const char *address, unsigned port, unik_stream_cb *cb, void *arg,
                   struct unik_stream **out);

    /* Our i-th address as text; -ENOENT past the last one. */
    int (*address)(struct unik_net *n, unsigned i, char text[UNIK_NET_ADDRESS_MAX]);
};

#ifdef __cplusplus
}
#endif
#endif
