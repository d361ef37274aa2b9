/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/watchers.h - watchers of the loop that a plugin leaves active when it has stopped: they are stopped for it.
 *
 * watchers.c is for the dynamic program. In one into which plugins are built, watchers-none.c, nothing is known of watchers. */
#ifndef SUPERVISOR_WATCHERS_H
#define SUPERVISOR_WATCHERS_H

#include "supervisor/supervisor.h"

/* Around a plugin's stop(); stopped: it has said unik_stopped() in it. Names what an app has left behind in the log. */
void watchers_suspend(struct unit *u);
void watchers_resume(struct unit *u, bool stopped);

/* The plugin has stopped, this very moment: stop and name in the log what it has left behind. 0, or -EFAULT: the memory of one is
 * gone (said in the log, too), and libev still looks there: the program must end. */
int watchers_left(struct unit *u);

#endif
