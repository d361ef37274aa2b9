/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/xen.h - the calls into Xen's libraries: making and taking apart a vchan, its bytes, its peer's
 * state.
 *
 * libxenvchan moves the bytes. Making the two ends is done here, on libxengnttab and libxenevtchn, into libxenvchan's
 * own struct: its init functions talk to xenstored with blocking calls, on a connection of their own each time; its
 * server frees and unmaps uninitialised pointers when grants run out; and its client cannot tell a page that was used
 * before.
 */
#ifndef VCHAN_XEN_XEN_H
#define VCHAN_XEN_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <libxenvchan.h>
#include <unik/ring.h>

/* What the plugin holds once. */
struct vchan_xen_machine {
    struct xentoollog_logger *logger;   /* the libraries print nothing: we say it, with the peer and the port */
    xenevtchn_handle *probe;            /* for asking whether a domain exists */
    struct xencall_handle *call;        /* for asking a port's status; NULL: this machine has no privcmd device */
    struct evtchn_status *status;       /* memory that the hypervisor can reach; NULL: it may not be asked. Linux of
                                         * 2026 allows no hypercall to a guest's processes */
};

/* 0 or a negative errno. */
int vchan_xen_open(struct vchan_xen_machine *m);
void vchan_xen_shut(struct vchan_xen_machine *m);

/* Does Xen know the domain? One that is dying and whose pages somebody still maps counts as known. */
bool vchan_xen_exists(struct vchan_xen_machine *m, int domid);
/* EVTCHNOP_status of a port of ours, or a negative errno. */
int vchan_xen_port_status(struct vchan_xen_machine *m, unsigned port);

/* Share rings of these orders with the peer: *ref is the page to announce, (*out)->event_port the port. */
int vchan_xen_offer(struct vchan_xen_machine *m, int peer, int read_order, int write_order, struct libxenvchan **out,
                    uint32_t *ref);
/* Use what a server announced. -EBUSY: it has, or had, another client; -EPROTO: its page makes no sense, *why says how;
 * -ESRCH: no such domain; -EINVAL: no such port, or it is not for us; others: what this machine lacks. */
int vchan_xen_attach(struct vchan_xen_machine *m, int peer, uint32_t ref, uint32_t port, struct libxenvchan **out,
                     const char **why);

/* The peer's live byte. */
unsigned vchan_xen_live(const struct libxenvchan *lib);

/* Move what waits into the ring, as far as there is room. 1: all of it, and the peer will signal the next byte; 0: the
 * ring is full; -EPROTO: impossible indexes; -EPIPE: closed and empty; others: the event channel fails. */
int vchan_xen_drain(struct libxenvchan *lib, struct unik_ring *rx, uint64_t *bytes);
/* Bytes that can be written. If that is not the whole ring, the peer will signal when it has read. -EPROTO. */
long vchan_xen_space(struct libxenvchan *lib);
/* How many were taken (fewer than n: the peer will signal room), -EPROTO, -EPIPE: the peer has closed, others. */
ssize_t vchan_xen_put(struct libxenvchan *lib, const void *bytes, size_t n);

#endif
