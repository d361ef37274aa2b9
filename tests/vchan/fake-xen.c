/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/fake-xen.c - event channels as pipes, grants as pages of one file in memory. */
#pragma GCC visibility push(default)    /* libxenvchan must find these */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xencall.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xentoollog.h>
#include "tests/vchan/fake-xen.h"

#define PAGES 65536             /* used round and round: a page just given back is not used again soon */
#define PAGE 4096u
#define PORTS 4096
#define DOMAINS 64

struct xenevtchn_handle { int fds[2]; };
/* Of either side: the page with a live byte, and what to do when it goes. */
struct xengntdev_handle { void *page; uint32_t notify_at, notify_port; };
struct xencall_handle { int unused; };

struct port {
    int status;
    unsigned peer;              /* the domain that may be or is at the other end */
    uint32_t remote;
    xenevtchn_handle *handle;
    bool masked, again;
};

static struct port ports[PORTS];
static int memory = -1;
static uint32_t next_page;
static unsigned handles, pages_left;
static bool dead[DOMAINS], zombie[DOMAINS], no_privcmd;

void fake_xen_reset(void)
{
    memset(ports, 0, sizeof(ports));
    memset(dead, 0, sizeof(dead));
    memset(zombie, 0, sizeof(zombie));
    no_privcmd = false;
    pages_left = UINT32_MAX;
    next_page = 8;
    if (memory < 0)
        memory = memfd_create("fake-xen", MFD_CLOEXEC);
    if (memory < 0 || ftruncate(memory, PAGES * (off_t)PAGE) < 0)
        abort();
}

void fake_xen_no_privcmd(bool yes) { no_privcmd = yes; }
void fake_xen_zombie(unsigned domid, bool yes) { zombie[domid] = yes; }
void fake_xen_pages_left(unsigned pages) { pages_left = pages; }
unsigned fake_xen_handles(void) { return handles; }

unsigned fake_xen_ports(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < PORTS; i++)
        n += ports[i].status != EVTCHNSTAT_closed;
    return n;
}

unsigned fake_xen_mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512];
    unsigned n = 0;

    while (f && fgets(line, sizeof(line), f))
        n += strstr(line, "fake-xen") != NULL;
    if (f)
        fclose(f);
    return n;
}

/* ---- event channels ---- */

static void raise_event(uint32_t n)
{
    struct port *p = &ports[n];

    if (!p->handle)
        return;
    if (p->masked) {
        p->again = true;
        return;
    }
    p->masked = true;
    if (write(p->handle->fds[1], &n, sizeof(n)) != sizeof(n))
        abort();
}

static void close_port(uint32_t n)
{
    struct port *p = &ports[n];

    if (p->status == EVTCHNSTAT_interdomain) {
        ports[p->remote].status = EVTCHNSTAT_unbound;
        ports[p->remote].remote = 0;
    }
    *p = (struct port){ 0 };
}

void fake_xen_kill(unsigned domid)
{
    dead[domid] = true;
    for (uint32_t i = 1; i < PORTS; i++)
        if (ports[i].status == EVTCHNSTAT_interdomain && ports[i].peer == domid) {
            uint32_t theirs = ports[i].remote;
            xenevtchn_handle *h = ports[theirs].handle;

            close_port(theirs);
            ports[theirs].handle = h;   /* its owner in this process still has it, and closes it */
        }
}

void fake_xen_signal(uint32_t n)
{
    if (ports[n].status == EVTCHNSTAT_interdomain)
        raise_event(ports[n].remote);
}

static int new_port(struct port p)
{
    for (int i = 1; i < PORTS; i++)
        if (ports[i].status == EVTCHNSTAT_closed && !ports[i].handle) {
            ports[i] = p;
            return i;
        }
    errno = ENOSPC;
    return -1;
}

uint32_t fake_xen_new_port(unsigned peer)
{
    return (uint32_t)new_port((struct port){ .status = EVTCHNSTAT_unbound, .peer = peer });
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
    xenevtchn_handle *h = calloc(1, sizeof(*h));

    (void)logger, (void)flags;
    if (!h || pipe2(h->fds, O_CLOEXEC) < 0)
        abort();
    handles++;
    return h;
}

int xenevtchn_close(xenevtchn_handle *h)
{
    for (uint32_t i = 1; i < PORTS; i++)
        if (ports[i].handle == h)
            close_port(i);
    close(h->fds[0]);
    close(h->fds[1]);
    free(h);
    handles--;
    return 0;
}

int xenevtchn_fd(xenevtchn_handle *h) { return h->fds[0]; }

int xenevtchn_notify(xenevtchn_handle *h, evtchn_port_t n)
{
    if (n >= PORTS || ports[n].handle != h) {
        errno = ENOTCONN;
        return -1;
    }
    fake_xen_signal(n);
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(xenevtchn_handle *h, uint32_t domid)
{
    return new_port((struct port){ .status = EVTCHNSTAT_unbound, .peer = domid, .handle = h });
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *h, uint32_t domid, evtchn_port_t remote)
{
    int n;

    errno = domid >= DOMAINS || (dead[domid] && !zombie[domid]) ? ESRCH : EINVAL;
    if (errno == ESRCH || remote >= PORTS || ports[remote].status != EVTCHNSTAT_unbound)
        return -1;
    n = new_port((struct port){ .status = EVTCHNSTAT_interdomain, .peer = domid, .remote = remote, .handle = h });
    ports[remote].status = EVTCHNSTAT_interdomain;
    ports[remote].remote = (uint32_t)n;
    raise_event((uint32_t)n);           /* as Xen does: the first event carries no information */
    return n;
}

int xenevtchn_unbind(xenevtchn_handle *h, evtchn_port_t n)
{
    (void)h;
    close_port(n);
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *h)
{
    uint32_t n;

    return read(h->fds[0], &n, sizeof(n)) == sizeof(n) ? (int)n : -1;
}

int xenevtchn_unmask(xenevtchn_handle *h, evtchn_port_t n)
{
    bool again = ports[n].again;

    (void)h;
    ports[n].masked = ports[n].again = false;
    if (again)
        raise_event(n);
    return 0;
}

/* ---- grants ---- */

static void notify(void *page, uint32_t at, uint32_t port)
{
    ((char *)page)[at] = 0;
    fake_xen_signal(port);
}

static void *map_refs(void *at, uint32_t ref, uint32_t pages, int prot)
{
    void *p = mmap(at, pages * PAGE, prot, MAP_SHARED | (at ? MAP_FIXED : 0), memory, ref * (off_t)PAGE);

    return p == MAP_FAILED ? NULL : p;
}

void *fake_xen_page(uint32_t ref) { return map_refs(NULL, ref, 1, PROT_READ | PROT_WRITE); }

static uint32_t take_pages(uint32_t pages)
{
    uint32_t first;

    if (next_page + pages > PAGES)
        next_page = 8;
    first = next_page;
    next_page += pages;
    return first;
}

uint32_t fake_xen_new_page(void) { return take_pages(1); }

xengntshr_handle *xengntshr_open(struct xentoollog_logger *logger, unsigned open_flags)
{
    (void)logger, (void)open_flags;
    handles++;
    return calloc(1, sizeof(xengntshr_handle));
}

int xengntshr_close(xengntshr_handle *h)
{
    free(h);
    handles--;
    return 0;
}

void *xengntshr_share_pages(xengntshr_handle *h, uint32_t domid, int count, uint32_t *refs, int writable)
{
    uint32_t first;

    (void)h, (void)domid, (void)writable;
    if ((unsigned)count > pages_left) {
        errno = ENOSPC;
        return NULL;
    }
    pages_left -= (unsigned)count;
    first = take_pages((uint32_t)count);
    for (int i = 0; i < count; i++)
        refs[i] = first + (uint32_t)i;
    return map_refs(NULL, first, (uint32_t)count, PROT_READ | PROT_WRITE);
}

void *xengntshr_share_page_notify(xengntshr_handle *h, uint32_t domid, uint32_t *ref, int writable, uint32_t notify_at,
                                  evtchn_port_t port)
{
    void *page = xengntshr_share_pages(h, domid, 1, ref, writable);

    *h = (struct xengntdev_handle){ page, notify_at, port };
    return page;
}

int xengntshr_unshare(xengntshr_handle *h, void *at, uint32_t count)
{
    if (at == h->page)
        notify(at, h->notify_at, h->notify_port);
    return munmap(at, count * PAGE);
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned open_flags)
{
    (void)logger, (void)open_flags;
    handles++;
    return calloc(1, sizeof(xengnttab_handle));
}

int xengnttab_close(xengnttab_handle *h)
{
    free(h);
    handles--;
    return 0;
}

void *xengnttab_map_domain_grant_refs(xengnttab_handle *h, uint32_t count, uint32_t domid, uint32_t *refs, int prot)
{
    char *at = mmap(NULL, count * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)h, (void)domid;
    for (uint32_t i = 0; i < count; i++)
        if (refs[i] < 8 || refs[i] >= PAGES || !map_refs(at + i * PAGE, refs[i], 1, prot)) {
            munmap(at, count * PAGE);
            errno = EINVAL;
            return NULL;
        }
    return at;
}

void *xengnttab_map_grant_ref_notify(xengnttab_handle *h, uint32_t domid, uint32_t ref, int prot, uint32_t notify_at,
                                     evtchn_port_t port)
{
    void *page = xengnttab_map_domain_grant_refs(h, 1, domid, &ref, prot);

    *h = (struct xengntdev_handle){ page, notify_at, port };
    return page;
}

int xengnttab_unmap(xengnttab_handle *h, void *at, uint32_t count)
{
    if (at == h->page)
        notify(at, h->notify_at, h->notify_port);
    return munmap(at, count * PAGE);
}

/* ---- the hypercall ---- */

xencall_handle *xencall_open(struct xentoollog_logger *logger, unsigned open_flags)
{
    (void)logger, (void)open_flags;
    if (no_privcmd)
        return NULL;
    handles++;
    return calloc(1, sizeof(xencall_handle));
}

int xencall_close(xencall_handle *h)
{
    free(h);
    handles--;
    return 0;
}

void *xencall_alloc_buffer(xencall_handle *h, size_t size)
{
    (void)h;
    return malloc(size);
}

void xencall_free_buffer(xencall_handle *h, void *p)
{
    (void)h;
    free(p);
}

int xencall2(xencall_handle *h, unsigned int op, uint64_t command, uint64_t at)
{
    struct evtchn_status *s = (struct evtchn_status *)(uintptr_t)at;

    (void)h;
    if (op != 32 || command != EVTCHNOP_status || s->dom != DOMID_SELF || s->port >= PORTS) {
        errno = EINVAL;
        return -1;
    }
    s->status = (uint32_t)ports[s->port].status;
    return 0;
}
