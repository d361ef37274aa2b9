/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/host/host.h - the smallest host: runs single plugins in a loop of the caller's, without the supervisor.
 * For programs that want a transport (unik-dom0), for tests and benches. No graph, no restarts: the caller is the graph.
 */
#ifndef TOOLS_HOST_H
#define TOOLS_HOST_H

#include <stdio.h>
#include <unik/plugin.h>

struct host;

enum host_state { HOST_NEW, HOST_STARTING, HOST_READY, HOST_DEGRADED, HOST_FAILED, HOST_STOPPING, HOST_STOPPED };

/* log: where lines go; NULL: nowhere. loop: the caller's, usually ev_default_loop(0). */
struct host *host_new(struct ev_loop *loop, unsigned target, FILE *log);
/* Every plugin must have stopped. */
void host_free(struct host *h);

/* Called at each change of a plugin's state, drained included. */
void host_on_change(struct host *h, void (*cb)(struct unik_ctx *ctx, enum host_state state, void *arg), void *arg);
/* Called with each log line, before the level is looked at (tests look for messages). */
void host_on_log(struct host *h, void (*cb)(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg), void *arg);
void host_set_level(struct host *h, enum unik_level most);

/* A context for a plugin, its options set from "key=value" strings (NULL ends; may be NULL). NULL and a line in the log (or
 * on stderr) for a bad option. Freed by host_free(). */
struct unik_ctx *host_add(struct host *h, const struct unik_plugin *plugin, const char *const *options);
/* check(), start(). 0 or the plugin's error. Interfaces already published are told to wants. */
int host_start(struct unik_ctx *ctx);
void host_drain(struct unik_ctx *ctx);
/* stop(); the state is HOST_STOPPED now or later. */
void host_stop(struct unik_ctx *ctx);
/* stop(), then run the loop until it has stopped or `seconds` passed (then abandon()). */
void host_stop_wait(struct unik_ctx *ctx, double seconds);
/* Run the loop until the plugin is in the state, or `seconds` passed: whether it is. */
bool host_wait(struct unik_ctx *ctx, enum host_state state, double seconds);
/* Run the loop until *flag is true, or `seconds` passed: *flag. */
bool host_run_until(struct host *h, const bool *flag, double seconds);
void host_run(struct host *h, double seconds);

enum host_state host_state(struct unik_ctx *ctx);
const char *host_reason(struct unik_ctx *ctx);      /* of degraded, failed; "" */
bool host_is_drained(struct unik_ctx *ctx);
/* How unik_end() was called: -1 not, else enum unik_end. */
int host_ended(struct host *h);

/* Publish (iface) or take back (NULL) an interface of the caller's own: a fake for tests. */
int host_publish(struct host *h, const char *interface, void *iface);
void *host_interface(struct host *h, const char *interface);
uint64_t host_counter(struct unik_ctx *ctx, const char *name);   /* UINT64_MAX: there is none of that name */

#endif
