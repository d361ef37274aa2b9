/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/vchan.h - "vchan/1": byte channels between domains. vchan-xen and vchan-socket provide it alike.
 *
 * A channel is named by (server's domid, client's domid, port) and is a unik_stream with three states:
 *   waiting       server without client, or client whose server is not there yet. A server takes writes up to its ring
 *                 and the client finds them; a client refuses them (-ENOTCONN).
 *   connected     told once by OPEN
 *   disconnected  final: input that had arrived can still be read, then ended() is 1. To reconnect, close and make a
 *                 new one - in that order: closing removes the name under which the new one is announced.
 * One server serves one client. There is no half-close: unik_stream_shut() gives -EOPNOTSUPP.
 * A peer that is another domain is hostile: ring indexes and sizes are checked, a bad one disconnects.
 *
 * owner: the plugin that asks, its ctx. A channel that it leaves behind when it stops is cut off then, without a
 * callback, and named in the log. unik_stream_give() changes the owner. NULL: nobody's.
 */
#ifndef UNIK_VCHAN_H
#define UNIK_VCHAN_H

#include <unik/plugin.h>
#include <unik/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

enum unik_vchan_state { UNIK_VCHAN_WAITING, UNIK_VCHAN_CONNECTED, UNIK_VCHAN_DISCONNECTED };

#define UNIK_VCHAN_RING_MAX (1u << 20)  /* bytes, each way: libxenvchan's limit */

struct unik_vchan {
    size_t size;

    /* This domain's number, or -EAGAIN while it is not known (xenstore has not answered yet). */
    int (*domid)(struct unik_vchan *v);

    /* Offer a channel to a peer. read_min, write_min: ring bytes at least, seen from here; 1..UNIK_VCHAN_RING_MAX.
     * 0 or a negative errno: -EINVAL, -ENOMEM, -EMFILE, -EADDRINUSE (this process offers that name already, and nobody has
     * come yet; once somebody has, the name is free again, though the channel lives).
     * Who offers again and again to a peer that comes and goes does so with unik_backoff (unik/backoff.h). */
    int (*listen)(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, size_t read_min,
                  size_t write_min, unik_stream_cb *cb, void *arg, struct unik_stream **out);

    /* Connect to a peer's channel, now or whenever it appears; no time limit: close it to give up. Where the transport can
     * tell that nobody will come, it ends instead, never connected: the peer's domain is gone, or a server appeared and left
     * before the two were connected, and none followed within seconds. Ring sizes are the server's choice.
     * 0 or a negative errno: -EINVAL (also: peer is this very domain), -ENOMEM, -EMFILE. */
    int (*connect)(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, unik_stream_cb *cb,
                   void *arg, struct unik_stream **out);

    enum unik_vchan_state (*state)(struct unik_stream *s);

    /* Why a disconnected channel ended, for a log line: "peer closed", "peer domain is gone", "bad ring index ...". */
    const char *(*reason)(struct unik_stream *s);
};

#ifdef __cplusplus
}
#endif
#endif
