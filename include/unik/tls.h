/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/tls.h - "tls/1": TLS over any unik_stream, both ends. Certificates and keys are the tls plugin's options.
 * The peer is hostile. TLS 1.3 and 1.2, with forward secrecy; no session is taken up again. A TLS stream is a stream like any other;
 * its end is in order (1) only after the peer's close_notify, and a connection that just stops is -ECONNRESET. Half-close works in
 * both versions. Messages of the handshake may come cut into records in any way, up to 16 KiB each.
 * Errors of ended(): -EACCES the peer's certificate is not believed (connect() only; a line says why); -EPROTO the peer broke the
 * protocol, has nothing in common with us, or said by an alert that it gave up; -ETIMEDOUT the handshake took too long; -ENOMEM;
 * otherwise the error of the stream below. What is the peer's fault it is told by an alert (RFC 8446, 6.2) before raw is closed.
 */
#ifndef UNIK_TLS_H
#define UNIK_TLS_H

#include <unik/plugin.h>
#include <unik/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unik_tls {
    size_t size;

    /* Serve TLS over a connected stream, with the plugin's certificate. raw belongs to the new stream from now on, also
     * when this fails. OPEN tells that the handshake is done (bounded in time); failure is ended() < 0. The new stream's
     * peer is raw's. 0 or a negative errno: -ENOENT (no certificate is configured), -ENOMEM, -EMFILE. */
    int (*serve)(struct unik_tls *t, struct unik_stream *raw, unik_stream_cb *cb, void *arg, struct unik_stream **out);

    /* Be the client over a stream, which may still be opening. name: whom the certificate must name, and the SNI; a dot at its end
     * is not part of it.
     * An address (as "192.0.2.1", "2001:db8::1") must be in the certificate as one, and is no SNI. As serve(); -EINVAL: no
     * name (NULL, "") or one longer than 255 bytes; -ENOENT: no authorities are configured. */
    int (*connect)(struct unik_tls *t, const char *name, struct unik_stream *raw, unik_stream_cb *cb, void *arg,
                   struct unik_stream **out);

    /* The certificate is there: serve() can work. */
    bool (*can_serve)(struct unik_tls *t);
};

#ifdef __cplusplus
}
#endif
#endif
