/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/qrexec.h - "qrexec/1": services for dom0 and other VMs, and calls to theirs.
 *
 * A service is registered under its name, "my.Service", or with an argument, "qubes.ConnectTCP+80", which is looked for
 * first. Policy is dom0's: whoever gets through may call. The caller's name is dom0's word; argument and input are the
 * caller's, hostile unless it is dom0.
 */
#ifndef UNIK_QREXEC_H
#define UNIK_QREXEC_H

#include <unik/plugin.h>
#include <unik/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIK_QREXEC_NAME_MAX 255            /* bytes of a service name without argument */
#define UNIK_QREXEC_TARGET_MAX 63           /* bytes of a VM name or @keyword */

/* Exit codes with a meaning of their own (0..255 are allowed). */
enum unik_qrexec_exit {
    UNIK_QREXEC_BROKEN = 125,               /* the call could not be made or was cut off on this side */
    UNIK_QREXEC_REFUSED = 126,              /* policy said no, unknown target, or not connected to dom0 */
    UNIK_QREXEC_NO_SERVICE = 127,
    UNIK_QREXEC_LOST = 255                  /* the other side vanished before it gave a code */
};

struct unik_qrexec_call {
    /* Service side: read = the caller's stdin, write = stdout. Caller side: write = stdin, read = the service's stdout.
     * unik_stream_shut(io) sends the end of stdout (stdin) alone.
     * unik_stream_close(io) ends the call: on the service side what was written, both ends of stream and exit_code go
     * out; on the caller side the call is given up. Always close it, also after an error; the call is gone then. */
    struct unik_stream *io;

    const char *service;                    /* name without argument */
    const char *argument;                   /* "" if there was none: the two cannot be told apart on the wire */
    const char *peer;                       /* service side: the caller's name. Caller side: the target as given */
    const char *user;                       /* service side: the account dom0 asked for. Caller side: "" */

    /* Service side: what to send when io is closed; 0 at first. Caller side: the service's code, once
     * unik_stream_ended(io) is not 0; above if it gave none. */
    int exit_code;

    void *data;                             /* the handler's own */
};

/* A call came in. Set io's callback with unik_stream_on() and return. From dom0 or from another VM. */
typedef void unik_qrexec_handler(struct unik_qrexec_call *call, void *arg);

struct unik_qrexec_service;

struct unik_qrexec {
    size_t size;

    /* Register a service for ctx (the plugin that asks). The handler is called until unserve() or until ctx's plugin
     * has stopped. 0, -EINVAL (name), -EEXIST, -ENOSPC. *out may be NULL if the service stays for good. */
    int (*serve)(struct unik_qrexec *q, struct unik_ctx *ctx, const char *name, unik_qrexec_handler *handler, void *arg,
                 struct unik_qrexec_service **out);

    /* No new calls; running ones go on and are the handler's to end. */
    void (*unserve)(struct unik_qrexec *q, struct unik_qrexec_service *s);

    /* Call "name" or "name+argument" in target: a VM, "dom0", "@default", "@dispvm", "@dispvm:NAME". *out can be written
     * to at once (bytes wait for the connection). OPEN tells that it was accepted; a refusal is an end of input with
     * exit_code 126. There is no time limit while the user may be asked: close to give up.
     * 0, -EINVAL (would be malformed), -ENOTCONN (dom0 not there), -EAGAIN (too many calls). */
    int (*call)(struct unik_qrexec *q, struct unik_ctx *ctx, const char *target, const char *service,
                unik_stream_cb *cb, void *arg, struct unik_qrexec_call **out);

    /* stderr. Service side: queue bytes (taken whole, or 0 if there is no room now; told by io's ROOM).
     * Caller side: the stream that carries the service's stderr, read only; unread, it holds up the call. */
    ssize_t (*write_err)(struct unik_qrexec_call *call, const void *bytes, size_t n);
    struct unik_stream *(*err)(struct unik_qrexec_call *call);
};

#ifdef __cplusplus
}
#endif
#endif
