/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/dom0.h - the process that plays dom0, and the VMs it serves.
 *
 *   main.c      the commands                     client.c   commands that ask a running one
 *   start.c     `start`: options, loop, end      socket.c   its control socket; request.c what may be asked there
 *   vm.c        one VM: violations, status       fault.c    mistakes made on purpose
 *   control.c   qrexec daemon: channel 512       trigger.c  calls that the guest makes; policy.c whether it may
 *   pair.c      data ports, TERMINATED           data*.c    one data channel: framing, checks, pumping
 *   call.c      calls dom0 makes                 service.c  calls dom0 answers; fdio.c local descriptors
 *   db.c        QubesDB daemon: channel 111      store.c    its keys; keys.c where they come from first
 *   gui*.c      GUI daemon: port 6000, and the user in front of it (gui-parts.h)
 *   outbox.c    messages on their way out, whole or (a fault) in halves
 *   net*.c      the VMs' network: net.h
 */
#ifndef UNIK_DOM0_H
#define UNIK_DOM0_H

#include <ev.h>
#include <sys/resource.h>
#include <unik/text.h>
#include <unik/vchan.h>
#include "protocol/qrexec.h"
#include "tools/unik-dom0/fault.h"
#include "tools/unik-dom0/policy.h"

#define DOM0_VMS_MAX 16
#define DOM0_NAME_MAX 31                /* bytes of a VM name: dom0's own limit */
#define DOM0_LAST_MAX 16                /* violations kept for `status` */
#define DOM0_LINE_MAX 400
#define DOM0_CONNECT_SECONDS 10         /* the real client waits so long for a VM (doc/protocol/qrexec.md, 9) */
#define DOM0_SERVED_SECONDS 5           /* the VM calls dom0: how long the real daemon waits for its server */
#define DOM0_AWAY_SECONDS 1             /* a daemon that died comes back after that; the real one does not */

struct control;
struct db;
struct gui;
struct pair;
struct data;
struct net;

struct vm {
    struct dom0 *dom0;
    int domid;
    char name[DOM0_NAME_MAX + 1], user[DOM0_NAME_MAX + 1];
    struct control *control;
    struct db *db;
    struct gui *gui;                    /* NULL: no GUI daemon for it */
    struct pair *pairs;                 /* pair.c: PAIRS_MAX of them */
    struct data *datas;                 /* data channels with an end here */
    bool seen;                          /* it was connected once (request.c) */

    unsigned long violations, notes;
    unsigned long calls, answered, refused;     /* made by dom0, made by the guest, those of them refused */
    char last[DOM0_LAST_MAX][DOM0_LINE_MAX];    /* a ring of the last violations */
};

struct dom0 {
    struct ev_loop *loop;
    struct unik_vchan *vchan;
    struct vm *vms[DOM0_VMS_MAX];
    size_t n_vms;
    struct faults faults;
    struct policy policy;
    const char *services;               /* folder of executables, or NULL */
    uint32_t protocol;                  /* the newest qrexec that this dom0 speaks: 2, 3, 4 */
    uint32_t gui_version;               /* the newest GUI protocol: GUI_VERSION_OF(4..8) */
    bool no_gui;
    uint32_t screen_width, screen_height;       /* pixels */
    uint32_t clipboard_max;             /* bytes that a VM may copy: the limit of each VM in dom0 */
    const char *grant_dir;              /* files that stand for granted pages; NULL: real grants */
    double connect_timeout;             /* how long a call of dom0 waits for the guest to connect */
    double served_timeout;              /* how long the guest may take to serve a call of its own */
    double deadline;                    /* how long a guest may take for what it must do at once */
    enum unik_level level;
    struct server *server;              /* socket.c */
    struct net *net;                    /* net.c; NULL without --net */
    struct rlimit files;                /* RLIMIT_NOFILE as it was given to us: what a service has */
};

/* ---- log: one line on stderr; control characters in what a peer sent are replaced ---- */
void dom0_log(struct dom0 *d, enum unik_level level, const char *source, const char *fmt, ...) UNIK_PRINTF(4, 5);
/* One line on stdout for scripts: "ready", "work: qrexec connected ...". Wakes those who `wait`. */
void dom0_state(struct dom0 *d, const char *fmt, ...) UNIK_PRINTF(2, 3);

/* ---- vm.c ---- */
struct vm *vm_new(struct dom0 *d, int domid, const char *name, const char *user);
/* Closes its channels and frees it. */
void vm_free(struct vm *vm);
/* By name or number; NULL or "": the first. */
struct vm *vm_find(struct dom0 *d, const char *name);
struct vm *vm_by_domid(struct dom0 *d, uint32_t domid);
/* The guest did what kills or misleads the real daemons: logged, counted, and `start` will end with 1. */
void vm_violation(struct vm *vm, const char *channel, const char *fmt, ...) UNIK_PRINTF(3, 4);
/* Unusual, and harmless to the real ones. */
void vm_note(struct vm *vm, const char *channel, const char *fmt, ...) UNIK_PRINTF(3, 4);
/* The fault `restart`, if it is due and the guest is there. */
void vm_restart_fault(struct vm *vm);
void vm_status(struct vm *vm, struct unik_text *out);
unsigned long dom0_violations(struct dom0 *d);

#endif
