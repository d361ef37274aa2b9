/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/slow.h - the option slow-callback: a line, under the plugin's name, for each of its callbacks that took longer. */
#ifndef SUPERVISOR_SLOW_H
#define SUPERVISOR_SLOW_H

#include "supervisor/supervisor.h"

/* Begin, if the option is set. */
void slow_start(struct supervisor *s);

/* Around each call of the host into a plugin; calls may be nested, and each is charged with its own part only. Nothing while the
 * option is not set. */
void slow_enter(struct unit *u, const char *what);
void slow_leave(void);

/* Around what the loop calls; cb: the callback, for slow_owner(). */
void slow_callback_begins(const void *cb);
void slow_callback_ended(void);

/* slow-feed.c, or slow-none.c in the static program, where only whole turns of the loop can be timed: between them and the plugins
 * there is nothing of ours. */
extern const bool slow_names_callbacks;
/* Have slow_callback_begins() called before each callback. */
void slow_feed_start(struct ev_loop *loop);
/* Whose function this is; NULL: the supervisor's, or a library's. */
struct unit *slow_owner(const struct supervisor *s, const void *cb);

#endif
