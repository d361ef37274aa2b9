/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/xen.c - bytes, events, and what became of the peer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <xencall.h>
#include <xentoollog.h>
#include "plugins/vchan-xen/logic.h"
#include "plugins/vchan-xen/xen.h"

#define EVENT_CHANNEL_OP 32             /* public/xen.h; the header's own name means an older call by default */
#define NO_PORT UINT32_MAX              /* no domain has such a port */

int vchan_xen_open(struct vchan_xen_machine *m)
{
    int e;

    *m = (struct vchan_xen_machine){ 0 };
    m->logger = (struct xentoollog_logger *)(void *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
    m->probe = m->logger ? xenevtchn_open(m->logger, 0) : NULL;
    if (!m->probe) {
        e = m->logger ? -errno : -ENOMEM;
        vchan_xen_shut(m);
        return e;
    }
    m->call = xencall_open(m->logger, 0);
    m->status = m->call ? xencall_alloc_buffer(m->call, sizeof(*m->status)) : NULL;
    e = vchan_xen_port_status(m, 0);
    if (m->status && (e == -EPERM || e == -ENOSYS)) {
        xencall_free_buffer(m->call, m->status);
        m->status = NULL;
    }
    return 0;
}

void vchan_xen_shut(struct vchan_xen_machine *m)
{
    if (m->status)
        xencall_free_buffer(m->call, m->status);
    if (m->call)
        xencall_close(m->call);
    if (m->probe)
        xenevtchn_close(m->probe);
    if (m->logger)
        xtl_logger_destroy(m->logger);
    *m = (struct vchan_xen_machine){ 0 };
}

/* An unprivileged domain may not ask for another's state, but binding tells it: no such domain, or no such port. */
bool vchan_xen_exists(struct vchan_xen_machine *m, int domid)
{
    return xenevtchn_bind_interdomain(m->probe, (uint32_t)domid, NO_PORT) >= 0 || errno != ESRCH;
}

int vchan_xen_port_status(struct vchan_xen_machine *m, unsigned port)
{
    if (!m->status)
        return -ENOSYS;
    *m->status = (struct evtchn_status){ .dom = DOMID_SELF, .port = port };
    if (xencall2(m->call, EVENT_CHANNEL_OP, EVTCHNOP_status, (uint64_t)(uintptr_t)m->status) < 0)
        return -errno;
    return (int)m->status->status;
}

unsigned vchan_xen_live(const struct libxenvchan *lib)
{
    return lib->is_server ? __atomic_load_n(&lib->ring->cli_live, __ATOMIC_ACQUIRE) :
           __atomic_load_n(&lib->ring->srv_live, __ATOMIC_ACQUIRE);
}

/* From another VM, both indexes: libxenvchan takes impossible ones for an empty or full ring, and hangs. */
static long used(const struct libxenvchan_ring *r)
{
    return vchan_xen_used(__atomic_load_n(&r->shr->prod, __ATOMIC_ACQUIRE),
                          __atomic_load_n(&r->shr->cons, __ATOMIC_ACQUIRE), r->order);
}

/* libxenvchan_read() asks the peer for a signal whenever it finds less than it was asked for, and looks again after
 * that: so the loop ends with a read of nothing, or with a full ring. */
int vchan_xen_drain(struct libxenvchan *lib, struct unik_ring *rx, uint64_t *bytes)
{
    size_t run;
    void *to;
    int n;

    while ((run = unik_ring_reserve(rx, &to)) > 0) {
        if (used(&lib->read) < 0)
            return -EPROTO;
        errno = 0;
        n = libxenvchan_read(lib, to, run);
        if (n == 0)
            return 1;
        if (n < 0)
            return libxenvchan_is_open(lib) ? -(errno ? errno : EIO) : -EPIPE;
        unik_ring_commit(rx, (size_t)n);
        *bytes += (uint64_t)n;
    }
    return 0;
}

long vchan_xen_space(struct libxenvchan *lib)
{
    long n = used(&lib->write), size = 1L << lib->write.order;

    if (n == 0)
        return size;
    n = n < 0 ? n : libxenvchan_buffer_space(lib);
    return n < 0 || used(&lib->write) < 0 ? -EPROTO : n;
}

ssize_t vchan_xen_put(struct libxenvchan *lib, const void *bytes, size_t n)
{
    int k;

    if (used(&lib->write) < 0)
        return -EPROTO;
    errno = 0;
    k = libxenvchan_write(lib, bytes, n < INT32_MAX ? n : INT32_MAX);
    if (k >= 0)
        return k;
    return libxenvchan_is_open(lib) ? -(errno ? errno : EIO) : -EPIPE;
}
