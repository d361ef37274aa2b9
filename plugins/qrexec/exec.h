/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec.h - services as files of a Linux machine, and shell commands (doc/protocol/qrexec.md, 5 to 7).
 * On a machine without processes only the lookup of nothing remains: every plan is "no such service".
 */
#ifndef PLUGINS_QREXEC_EXEC_H
#define PLUGINS_QREXEC_EXEC_H

#include "plugins/qrexec/agent.h"

struct qrexec_runner;           /* one per agent: children, sockets */
struct qrexec_plan;             /* what is to run for one call, and how */

struct qrexec_exec_config {
    /* Folders, colon-separated. NULL: QREXEC_SERVICE_PATH, QUBES_RPC_CONFIG_PATH of the environment, else the stock
     * agent's. */
    const char *service_path, *config_path;
    bool commands;                              /* shell commands allowed (exec = yes) */
    bool services;                              /* files in service_path are looked for */
};

struct qrexec_runner *qrexec_exec_new(struct unik_ctx *ctx, const struct qrexec_exec_config *config);
/* Children are left to run; their calls are closed. */
void qrexec_exec_free(struct qrexec_runner *x);
size_t qrexec_exec_running(struct qrexec_runner *x);

/* Find what a request means and read its service config. 0 and a plan, or the exit code to answer with (127 no such
 * service, 125 anything else; logged). No side effects; nothing of `command` is kept. from dom0 (names and arguments of
 * other VMs cleaned by dom0). */
int qrexec_exec_plan(struct qrexec_runner *x, const struct qrexec_command *command, struct qrexec_plan **out);
void qrexec_plan_free(struct qrexec_plan *plan);        /* one that is not run */
bool qrexec_plan_waits(const struct qrexec_plan *plan); /* wait-for-session is set (and not "nogui:") */

/* Run the plan as the handler of this call: takes both over, and closes call->io in the end. just_exec: nothing is
 * carried, the exit code says whether it started (0, 125, 127), and the child goes on by itself. */
void qrexec_exec_run(struct qrexec_plan *plan, struct unik_qrexec_call *call, bool just_exec);

#endif
