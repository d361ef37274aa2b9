/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/machine.h - the calls into Xen's libraries: shared pages and event channels. All that is not memory and xenstore. */
#ifndef NETFRONT_MACHINE_H
#define NETFRONT_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <xenevtchn.h>
#include <xengnttab.h>

struct machine {
    struct xentoollog_logger *logger;   /* the libraries print nothing: we say it, with the node */
    xenevtchn_handle *event;
    xengntshr_handle *grants;
};

/* 0 or a negative errno. */
int nf_machine_open(struct machine *m, const char **what);
void nf_machine_shut(struct machine *m);

/* Readable: nf_machine_event() has something. */
int nf_machine_fd(struct machine *m);
/* The port of the next event, which is silent until nf_machine_unmask(); negative: there is none. Does not block. */
long nf_machine_event(struct machine *m);
void nf_machine_unmask(struct machine *m, uint32_t port);

/* A port that the peer may bind to. 0 or a negative errno. */
int nf_machine_bind(struct machine *m, int peer, uint32_t *port);
void nf_machine_unbind(struct machine *m, uint32_t port);
int nf_machine_notify(struct machine *m, uint32_t port);

/* Fresh, zeroed pages, contiguous; refs has room for one a page. NULL, and errno. */
void *nf_machine_share(struct machine *m, int peer, unsigned pages, bool writable, uint32_t *refs);
/* The kernel keeps each page and reference until the peer has let go of it. */
void nf_machine_unshare(struct machine *m, void *bytes, unsigned pages);

#endif
