/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/lock.h - one dom0 for a state folder, and for a VM's sockets, at a time. */
#ifndef UNIK_DOM0_LOCK_H
#define UNIK_DOM0_LOCK_H

#include <stddef.h>

#include "tools/unik-dom0/dom0.h"

struct locks {
    int fds[1 + DOM0_VMS_MAX];
    size_t n;
};

/* Before anything in the folder is touched: what is there may be in use. Locks are held until they are released. -1, with a line
 * on stderr: another one has it, or it cannot be made. */
int lock_state(struct locks *l, const char *dir);
/* The sockets between domain `self`, which this dom0 plays, and a VM. */
int lock_sockets(struct locks *l, const char *dir, int self, int domid);
void locks_release(struct locks *l);

#endif
