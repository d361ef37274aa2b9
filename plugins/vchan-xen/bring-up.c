/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/bring-up.c - the two ends of a vchan, up to the point where libxenvchan takes over
 * (doc/protocol/vchan.md, 3.2 to 3.4). Whatever fails, libxenvchan_close() undoes what is there: a field is set
 * when what it names exists. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "plugins/vchan-xen/logic.h"
#include "plugins/vchan-xen/xen.h"

/* A negative errno from a library call that failed. */
static int failure(void) { return errno ? -errno : -EIO; }

/* An event channel of its own. Non-blocking: libxenvchan_wait() would stop the loop if an event were not there after
 * all. */
static int open_event(struct vchan_xen_machine *m, struct libxenvchan *lib)
{
    int fd, flags;

    lib->event = xenevtchn_open(m->logger, 0);
    if (!lib->event)
        return failure();
    fd = xenevtchn_fd(lib->event);
    flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? failure() : 0;
}

static int use_port(struct libxenvchan *lib, xenevtchn_port_or_error_t port)
{
    if (port < 0)
        return failure();
    lib->event_port = (uint32_t)port;
    return xenevtchn_unmask(lib->event, lib->event_port) < 0 ? failure() : 0;
}

static void *in_page(struct libxenvchan *lib, int order) { return (char *)lib->ring + ((size_t)1 << order); }

/* Pages for one ring, all writable for the peer: it moves no index in them, but may be the writer. */
static int share_ring(struct libxenvchan *lib, struct libxenvchan_ring *r, int peer, int order, uint32_t *refs)
{
    unsigned pages = vchan_xen_pages(order);
    void *buffer = in_page(lib, order);

    if (pages)
        buffer = xengntshr_share_pages(lib->gntshr, (uint32_t)peer, (int)pages, refs, 1);
    if (!buffer)
        return failure();
    r->buffer = buffer;
    r->order = order;
    return 0;
}

/* The page: everything a client looks at is there before its reference is announced. */
static int share(struct libxenvchan *lib, int peer, int read_order, int write_order, uint32_t *ref)
{
    uint32_t refs[VCHAN_XEN_PAGES_MAX];
    struct vchan_interface *page;
    int e;

    page = xengntshr_share_page_notify(lib->gntshr, (uint32_t)peer, ref, 1,
                                       offsetof(struct vchan_interface, srv_live), lib->event_port);
    if (!page)
        return failure();
    memset(page, 0, VCHAN_XEN_PAGE);
    lib->ring = page;
    lib->read.shr = &page->left;
    lib->write.shr = &page->right;
    if ((e = share_ring(lib, &lib->read, peer, read_order, refs)) < 0 ||
        (e = share_ring(lib, &lib->write, peer, write_order, refs + vchan_xen_pages(read_order))) < 0)
        return e;
    page->left_order = (uint16_t)read_order;
    page->right_order = (uint16_t)write_order;
    page->cli_live = 2;
    page->srv_live = 1;
    page->cli_notify = VCHAN_NOTIFY_WRITE;      /* the client signals its first write */
    memcpy((char *)page + sizeof(*page), refs,
           (vchan_xen_pages(read_order) + vchan_xen_pages(write_order)) * sizeof(refs[0]));
    return 0;
}

int vchan_xen_offer(struct vchan_xen_machine *m, int peer, int read_order, int write_order, struct libxenvchan **out,
                    uint32_t *ref)
{
    struct libxenvchan *lib = calloc(1, sizeof(*lib));
    int e;

    if (!lib)
        return -ENOMEM;
    lib->is_server = -1;                        /* a signed field of one bit */
    e = open_event(m, lib);
    if (e == 0)
        e = use_port(lib, xenevtchn_bind_unbound_port(lib->event, (uint32_t)peer));
    if (e == 0 && !(lib->gntshr = xengntshr_open(m->logger, 0)))
        e = failure();
    if (e == 0)
        e = share(lib, peer, read_order, write_order, ref);
    if (e < 0)
        libxenvchan_close(lib);
    else
        *out = lib;
    return e;
}

/* ---- client ---- */

static int map_ring(struct libxenvchan *lib, struct libxenvchan_ring *r, int peer, int order, uint32_t *refs,
                    int access)
{
    unsigned pages = vchan_xen_pages(order);
    void *buffer = in_page(lib, order);

    if (pages)
        buffer = xengnttab_map_domain_grant_refs(lib->gnttab, pages, (uint32_t)peer, refs, access);
    if (!buffer)
        return failure();
    r->buffer = buffer;
    r->order = order;
    return 0;
}

/* From another VM, all of the page, and it can change while we look: each value is copied once, then checked. */
static int map(struct libxenvchan *lib, int peer, uint32_t ref, const char **why)
{
    const size_t live_at = offsetof(struct vchan_interface, cli_live);
    volatile struct vchan_interface *page;
    uint32_t refs[VCHAN_XEN_PAGES_MAX];
    unsigned left, right, pages;
    int e;

    lib->ring = xengnttab_map_grant_ref_notify(lib->gnttab, (uint32_t)peer, ref, PROT_READ | PROT_WRITE, live_at,
                                               lib->event_port);
    page = lib->ring;
    if (!page)
        return failure();
    left = page->left_order;
    right = page->right_order;
    if ((*why = vchan_xen_bad_orders(left, right)) != NULL)
        return -EPROTO;
    if (page->cli_live != 2 || page->srv_live != 1)
        return -EBUSY;
    pages = vchan_xen_pages((int)left) + vchan_xen_pages((int)right);
    for (unsigned i = 0; i < pages; i++)
        refs[i] = page->grants[i];
    lib->write.shr = &lib->ring->left;
    lib->read.shr = &lib->ring->right;
    if ((e = map_ring(lib, &lib->write, peer, (int)left, refs, PROT_READ | PROT_WRITE)) < 0 ||
        (e = map_ring(lib, &lib->read, peer, (int)right, refs + vchan_xen_pages((int)left), PROT_READ)) < 0)
        return e;
    page->cli_live = 1;
    page->srv_notify = VCHAN_NOTIFY_WRITE;      /* the server signals its first write; before any atomic change of it */
    return 0;
}

int vchan_xen_attach(struct vchan_xen_machine *m, int peer, uint32_t ref, uint32_t port, struct libxenvchan **out,
                     const char **why)
{
    struct libxenvchan *lib = calloc(1, sizeof(*lib));
    int e;

    if (!lib)
        return -ENOMEM;
    e = open_event(m, lib);
    if (e == 0)
        e = use_port(lib, xenevtchn_bind_interdomain(lib->event, (uint32_t)peer, port));
    if (e == 0 && !(lib->gnttab = xengnttab_open(m->logger, 0)))
        e = failure();
    if (e == 0)
        e = map(lib, peer, ref, why);
    if (e == 0 && xenevtchn_notify(lib->event, lib->event_port) < 0)
        e = failure();
    if (e < 0)
        libxenvchan_close(lib);
    else
        *out = lib;
    return e;
}
