/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/pair.h - (domain, port) of data channels that a guest was told of, until it says
 * CONNECTION_TERMINATED. */
#ifndef UNIK_DOM0_PAIR_H
#define UNIK_DOM0_PAIR_H

#include "tools/unik-dom0/dom0.h"

#define PAIRS_MAX ((size_t)2 * QREXEC_DATA_PORTS) /* ports of the VM's own daemon, and as many of other VMs' daemons */

struct pair {
    struct vm *vm;
    bool used;
    uint32_t domain, port;
    bool reserved;              /* in the table of this VM's daemon */
    bool forgotten;             /* of a daemon that has restarted since: the guest may still release it */
    bool terminated;            /* the guest did */
    bool open;                  /* a data channel of this process is still on it */
    bool without_exit;          /* the guest cut it before EXIT_CODE */
    ev_timer deadline;
};

enum pair_end {
    PAIR_DONE,                  /* EXIT_CODE came: the guest has nothing left to do but to release */
    PAIR_CUT,                   /* the guest closed the channel before */
    PAIR_LEFT                   /* dom0's side left, perhaps on purpose: the guest may need its time */
};

int pairs_init(struct vm *vm);
void pairs_free(struct vm *vm);
size_t pairs_used(struct vm *vm);

/* The lowest free port for a channel between the VM and `domain`, by the parity rule if that is a VM too
 * (doc/protocol/qrexec.md, 9). NULL: all are taken. */
struct pair *pair_reserve(struct vm *vm, uint32_t domain);
/* A channel on a port that another VM's daemon reserved. NULL: the table is full. */
struct pair *pair_expect(struct vm *vm, uint32_t domain, uint32_t port);
/* The guest was never told. */
void pair_drop(struct pair *p);
/* The data channel of this process is over. */
void pair_close(struct pair *p, enum pair_end how);
/* from the guest */
void pair_terminated(struct vm *vm, uint32_t domain, uint32_t port);
/* A daemon that restarts has an empty table. */
void pairs_forget(struct vm *vm);
/* A guest whose agent went away may know nothing any more: no deadline. */
void pairs_pardon(struct vm *vm);

#endif
