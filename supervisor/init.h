/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/init.h - what the first process of a Linux VM has to do besides. All do nothing in any other process. */
#ifndef SUPERVISOR_INIT_H
#define SUPERVISOR_INIT_H

#include <signal.h>
#include <unik/context.h>

#define INIT_CONFIG "/etc/unik.conf"        /* read by the first process if the command line names none */
#define INIT_MODULES "/etc/modules.list"    /* kernel modules to load, a path each, in order */

#define INIT_SIGREBOOT SIGUSR2              /* to the first process: end in order, then restart the VM */

/* Is this program called as poweroff or reboot (links to it in /sbin)? Then the first process has been told. */
bool init_is_order(const char *name);

/* Mount /proc, /sys, /dev, /run and /tmp, open the console, load the listed kernel modules. */
void init_begin(void);
/* Power off or restart the VM. Returns only in a process that is not the first, or if the kernel refuses. */
void init_end(enum unik_end how);

#endif
