/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/agent.h - what the parts of the agent know of each other.
 *
 *   qrexec.c    the plugin: options, life, status
 *   control.c   the channel to dom0's daemon: HELLO, requests in, reconnect
 *   ask.c       calls that wait for dom0's answer; ports to be given back
 *   call.c      the pool of calls, the turn that each gets, its end
 *   incoming.c  from dom0's request to the handler; outgoing.c: from a plugin's request to dom0's answer
 *   orphan.c    calls that outlive the daemon of dom0 that sent them
 *   data.c      the data channel: messages in and out
 *   stream.c    the streams a handler sees
 *   service.c   services registered in this process
 *   builtin.c   services this plugin brings; session.c: when the session is there; announce.c: telling dom0
 *   stages.c    how long calls took
 *   exec*.c     services as files of a Linux machine, and shell commands (exec.h)
 *   socket.c    calls of unmodified local programs (qrexec-client-vm)
 *
 * core.h has the state that all but the last two share.
 */
#ifndef PLUGINS_QREXEC_AGENT_H
#define PLUGINS_QREXEC_AGENT_H

#include <unik/plugin.h>
#include <unik/qrexec.h>
#include "protocol/qrexec.h"

struct qrexec_agent;

/* dom0's answer to a trigger: error 0 and where to serve the data channel; -EACCES refused; -ECONNRESET dom0's daemon went
 * away before it answered. Called once, from the loop. */
typedef void qrexec_answer_cb(int error, uint32_t domain, uint32_t port, void *arg);

/* Ask dom0 to connect a call (the ident is chosen here). 0, -EINVAL, -ENOTCONN, -EAGAIN (too many pending). On 0, *id (not 0)
 * names it for qrexec_forget(): the answer is then not told, and whoever dom0 sends is sent away. */
int qrexec_trigger(struct qrexec_agent *a, const char *source, const char *target, const char *service, qrexec_answer_cb *cb,
                   void *arg, uint32_t *id);
void qrexec_forget(struct qrexec_agent *a, uint32_t id);

/* The call on (domain, port) is over: tell dom0, now or on its next connection. */
void qrexec_release(struct qrexec_agent *a, uint32_t domain, uint32_t port);

/* stderr of a service's call, as unik_qrexec.write_err(); and its end, ahead of the end of the call (whose close sends it
 * otherwise): for services without a stderr, and for programs that close theirs. Once; no write_err after it. */
ssize_t qrexec_call_write_err(struct unik_qrexec_call *call, const void *bytes, size_t n);
void qrexec_call_shut_err(struct unik_qrexec_call *call);

/* Is the session there, for services that wait for it: all plugins were ready once. */
bool qrexec_session(struct qrexec_agent *a);

#endif
