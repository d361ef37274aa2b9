/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/socket.h - the local socket for calls of unmodified programs (qrexec-client-vm;
 * doc/protocol/qrexec.md, 8). Any local program may connect: it can hurt nobody but itself.
 */
#ifndef PLUGINS_QREXEC_SOCKET_H
#define PLUGINS_QREXEC_SOCKET_H

#include <sys/types.h>

#include "plugins/qrexec/agent.h"

struct qrexec_socket;

#define QREXEC_SOCKET_MODE 0666         /* the stock agent's */

/* Listen at path, and make calls for who connects. A socket left there by a process that is gone is replaced.
 * 0 or a negative errno: -EADDRINUSE (somebody answers there), -EEXIST (the path is no socket), -ENAMETOOLONG, ...;
 * logged. */
int qrexec_socket_open(struct qrexec_agent *a, struct unik_ctx *ctx, const char *path, mode_t mode,
                       struct qrexec_socket **out);
/* Clients are closed: those who wait for an answer see a refusal, and the ports of the others are released. */
void qrexec_socket_close(struct qrexec_socket *s);
/* dom0 gives this pair out anew: the end of a client that had it must not free it again. */
void qrexec_socket_void(struct qrexec_socket *s, uint32_t domain, uint32_t port);
size_t qrexec_socket_clients(const struct qrexec_socket *s);

#endif
