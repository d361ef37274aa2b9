/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/machine.c - see machine.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <xentoollog.h>
#include "plugins/netfront/machine.h"

static int failure(void) { return errno ? -errno : -EIO; }

static int open_event(struct machine *m)
{
    int fd, flags;

    m->event = xenevtchn_open(m->logger, 0);
    if (!m->event)
        return failure();
    fd = xenevtchn_fd(m->event);
    flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? failure() : 0;
}

int nf_machine_open(struct machine *m, const char **what)
{
    int e;

    *m = (struct machine){ 0 };
    *what = "/dev/xen/evtchn";
    m->logger = (struct xentoollog_logger *)(void *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
    e = m->logger ? open_event(m) : -ENOMEM;
    if (e == 0) {
        *what = "/dev/xen/gntalloc";
        m->grants = xengntshr_open(m->logger, 0);
        e = m->grants ? 0 : failure();
    }
    if (e < 0)
        nf_machine_shut(m);
    return e;
}

void nf_machine_shut(struct machine *m)
{
    if (m->grants)
        xengntshr_close(m->grants);
    if (m->event)
        xenevtchn_close(m->event);
    if (m->logger)
        xtl_logger_destroy(m->logger);
    *m = (struct machine){ 0 };
}

int nf_machine_fd(struct machine *m) { return xenevtchn_fd(m->event); }

long nf_machine_event(struct machine *m) { return xenevtchn_pending(m->event); }

void nf_machine_unmask(struct machine *m, uint32_t port) { xenevtchn_unmask(m->event, port); }

int nf_machine_bind(struct machine *m, int peer, uint32_t *port)
{
    xenevtchn_port_or_error_t p = xenevtchn_bind_unbound_port(m->event, (uint32_t)peer);

    if (p < 0)
        return failure();
    *port = (uint32_t)p;
    return 0;
}

void nf_machine_unbind(struct machine *m, uint32_t port) { xenevtchn_unbind(m->event, port); }

int nf_machine_notify(struct machine *m, uint32_t port) { return xenevtchn_notify(m->event, port) < 0 ? failure() : 0; }

void *nf_machine_share(struct machine *m, int peer, unsigned pages, bool writable, uint32_t *refs)
{
    errno = 0;
    return xengntshr_share_pages(m->grants, (uint32_t)peer, (int)pages, refs, writable);
}

void nf_machine_unshare(struct machine *m, void *bytes, unsigned pages) { xengntshr_unshare(m->grants, bytes, pages); }
