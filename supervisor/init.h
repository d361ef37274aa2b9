/* supervisor/init.h - what the first process of a Linux VM has to do besides. All do nothing in any other process. */
#ifndef SUPERVISOR_INIT_H
#define SUPERVISOR_INIT_H

#include <unik/context.h>

#define INIT_CONFIG "/etc/unik.conf"        /* read by the first process if the command line names none */
#define INIT_MODULES "/etc/modules.list"    /* kernel modules to load, a path each, in order */

/* Mount /proc, /sys, /dev, /run and /tmp, open the console, load the listed kernel modules. */
void init_begin(void);
/* Power off or restart the VM. Returns only in a process that is not the first, or if the kernel refuses. */
void init_end(enum unik_end how);

#endif
