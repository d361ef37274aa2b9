/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of a domain: /dev/xen/xenbus, evtchn, gntalloc, gntdev, with the ioctls as the libraries use them. The peer is
 * the domain itself, which Xen allows. */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
typedef uint16_t domid_t;
#include <xen/sys/evtchn.h>
#include <xen/sys/gntalloc.h>
#include <xen/sys/gntdev.h>
#include <xen/io/xs_wire.h>

#include "probe.h"

static int self;        /* our domid */
static char body[5000];

/* ---- xenbus ---- */

static long ask(int fd, uint32_t type, uint32_t tx, const char *text, size_t n)
{
    struct xsd_sockmsg h = { .type = type, .req_id = 1234, .tx_id = tx, .len = (uint32_t)n };

    if (write(fd, &h, sizeof(h)) != sizeof(h))
        return -1;
    return n ? write(fd, text, n) : 0;
}

static ssize_t read_all(int fd, void *to, size_t n)
{
    size_t done = 0;

    while (done < n) {
        struct pollfd p = { fd, POLLIN, 0 };
        ssize_t r = read(fd, (char *)to + done, n - done);

        if (r < 0 && errno == EAGAIN)
            poll(&p, 1, -1);
        else if (r <= 0)
            return -1;
        else
            done += (size_t)r;
    }
    return (ssize_t)done;
}

/* The next message: its type, with the body in `body`, terminated. */
static struct xsd_sockmsg answer(int fd)
{
    struct xsd_sockmsg h = { 0, 0, 0, 0 };

    if (read_all(fd, &h, sizeof(h)) < 0 || h.len >= sizeof(body) || read_all(fd, body, h.len) < 0)
        h.type = 9999;
    body[h.type == 9999 ? 0 : h.len] = 0;
    return h;
}

static void show(const char *what, int fd)
{
    struct xsd_sockmsg h = answer(fd);

    probe_text(what, "type %u id %u length %u", h.type, h.req_id, h.type == XS_READ ? 0 : h.len);
}

/* After a watch, in either order: Linux says the event first, xenstored itself the answer. */
static void answer_and_event(int fd)
{
    bool answered = false, came = false;

    for (int i = 0; i < 2; i++) {
        struct xsd_sockmsg h = answer(fd);

        if (h.type == XS_WATCH && h.req_id == 1234)
            answered = true;
        else if (h.type == XS_WATCH_EVENT && h.len == 20 && memcmp(body, "data/syscalls\0token", 20) == 0)
            came = true;
    }
    probe_text("answer, first event", "%d %d", answered, came);
}

static void xenbus(void)
{
    struct xsd_sockmsg h = { .type = XS_READ, .len = 5000 };
    int fd = open("/dev/xen/xenbus", O_RDWR | O_NONBLOCK), other = open("/dev/xen/xenbus", O_RDWR);
    char tx[16];

    P("open", fd);
    P("read nothing", read(fd, body, 10));
    P("ask", ask(fd, XS_READ, 0, "domid", 6));
    show("answer", fd);
    self = atoi(body);
    probe_is("our number", body[0] >= '0' && body[0] <= '9');
    P("ask for nothing", ask(fd, XS_READ, 0, "no/such/node", 13));
    show("answer", fd);
    probe_text("error", "%s", body);
    P("too long", (write(fd, &h, sizeof(h)), 0));
    P("ask after that", ask(fd, XS_READ, 0, "domid", 6));
    show("answer", fd);
    P("write bad pointer", write(fd, bad_near, 16));
    P("ask two at once", ask(fd, XS_READ, 0, "domid", 6) + ask(fd, XS_READ, 0, "domid", 6));
    show("first", fd);
    P("ask on another", ask(other, XS_READ, 0, "domid", 6));
    show("its answer", other);
    answer(fd);
    P("write", ask(fd, XS_WRITE, 0, "data/syscalls\0value", 19));
    show("answer", fd);
    P("read it", ask(other, XS_READ, 0, "data/syscalls", 14));
    answer(other);
    probe_text("value", "%s", body);
    P("watch", ask(fd, XS_WATCH, 0, "data/syscalls\0token", 20));
    answer_and_event(fd);
    P("write again", ask(other, XS_WRITE, 0, "data/syscalls\0other", 19));
    answer(other);
    show("event", fd);
    P("same watch elsewhere", ask(other, XS_WATCH, 0, "data/syscalls\0token", 20));
    answer_and_event(other);
    P("unwatch", ask(fd, XS_UNWATCH, 0, "data/syscalls\0token", 20));
    show("answer", fd);
    P("transaction", ask(fd, XS_TRANSACTION_START, 0, "", 1));
    answer(fd);
    snprintf(tx, sizeof(tx), "%.15s", body);
    P("write in it", ask(fd, XS_WRITE, (uint32_t)atoi(tx), "data/syscalls\0in tx", 19));
    show("answer", fd);
    P("read outside", ask(other, XS_READ, 0, "data/syscalls", 14));
    answer(other);
    probe_text("value", "%s", body);
    P("commit", ask(fd, XS_TRANSACTION_END, (uint32_t)atoi(tx), "T", 2));
    show("answer", fd);
    show("event elsewhere", other);
    P("remove", ask(fd, XS_RM, 0, "data/syscalls", 14));
    show("answer", fd);
    close(other);
    other = open("/dev/xen/xenbus", O_RDWR | O_NONBLOCK);
    P("nothing of before", read(other, body, 100));
    close(other);
    close(fd);
}

/* ---- evtchn ---- */

static long notify(int fd, int port)
{
    return ioctl(fd, IOCTL_EVTCHN_NOTIFY, &(struct ioctl_evtchn_notify){ (unsigned)port });
}

/* Ports that are queued, as bits: 1 for a, 2 for b. */
static int queued(int fd, uint32_t a, uint32_t b)
{
    uint32_t ports[8];
    ssize_t n = read(fd, ports, sizeof(ports));
    int seen = 0;

    for (ssize_t i = 0; i < n / 4; i++)
        seen |= ports[i] == a ? 1 : ports[i] == b ? 2 : 4;
    return seen;
}

static bool comes(int fd)
{
    struct pollfd p = { fd, POLLIN, 0 };

    return poll(&p, 1, 10000) == 1 && p.revents & POLLIN;
}

static void status_of(uint32_t port)
{
    struct { uint16_t dom; uint32_t port, status, rest[4]; } s = { 0x7ff0 /* DOMID_SELF */, port, 77, { 0 } };
    struct { uint64_t op, arg[5]; } h = { 32 /* event_channel_op */, { 5 /* EVTCHNOP_status */, (uintptr_t)&s } };
    const unsigned hypercall = _IOC(_IOC_NONE, 'P', 0, sizeof(h));
    int fd = open("/dev/xen/privcmd", O_RDWR);

    P("privcmd", fd);
    P("status", ioctl(fd, hypercall, &h));
    probe("unbound", s.status);
    s.port = 1000;
    P("status of a port of nobody", ioctl(fd, hypercall, &h));
    probe("closed", s.status);
    s.port = 100000;
    P("status of no port", ioctl(fd, hypercall, &h));
    P("bad pointer", ioctl(fd, hypercall, bad_near));
    h.arg[1] = 8;
    P("bad pointer in it", ioctl(fd, hypercall, &h));
    P("privcmd unknown", ioctl(fd, 0x7777, &h));
    close(fd);
}

static void evtchn(void)
{
    int fd = open("/dev/xen/evtchn", O_RDWR | O_NONBLOCK);
    uint32_t number;
    int a, b;

    P("open", fd);
    P("read nothing", read(fd, body, 4));
    P("read short", read(fd, body, 3));
    a = ioctl(fd, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &(struct ioctl_evtchn_bind_unbound_port){ (unsigned)self });
    probe_is("unbound port", a > 0);
    b = ioctl(fd, IOCTL_EVTCHN_BIND_INTERDOMAIN, &(struct ioctl_evtchn_bind_interdomain){ (unsigned)self, (unsigned)a });
    probe_is("bound to it", b > 0 && b != a);
    probe_is("an event at the start", comes(fd));
    probe("for", queued(fd, (uint32_t)a, (uint32_t)b));
    number = (uint32_t)b;
    P("unmask", write(fd, &number, 4));
    P("notify", notify(fd, b));
    probe_is("comes", comes(fd));
    P("read bad pointer", read(fd, bad_near, 4));
    probe("for", queued(fd, (uint32_t)a, (uint32_t)b));
    P("notify while masked", notify(fd, b));
    P("notify back", notify(fd, a));
    probe_is("comes", comes(fd));
    probe("for", queued(fd, (uint32_t)a, (uint32_t)b));
    number = (uint32_t)a;
    P("unmask", write(fd, &number, 4));
    probe_is("what came meanwhile", comes(fd));
    probe("for", queued(fd, (uint32_t)a, (uint32_t)b));
    P("write a port of nobody", (number = 1000, write(fd, &number, 4)));
    P("notify a port of nobody", notify(fd, 1000));
    P("unbind a port of nobody", ioctl(fd, IOCTL_EVTCHN_UNBIND, &(struct ioctl_evtchn_unbind){ 1000 }));
    P("unbind", ioctl(fd, IOCTL_EVTCHN_UNBIND, &(struct ioctl_evtchn_unbind){ (unsigned)b }));
    P("unbind again", ioctl(fd, IOCTL_EVTCHN_UNBIND, &(struct ioctl_evtchn_unbind){ (unsigned)b }));
    P("notify it", notify(fd, b));
    P("to a port that is not", ioctl(fd, IOCTL_EVTCHN_BIND_INTERDOMAIN,
                                    &(struct ioctl_evtchn_bind_interdomain){ (unsigned)self, 1000 }));
    P("unknown", ioctl(fd, 0x7777, NULL));
    P("bad pointer", ioctl(fd, IOCTL_EVTCHN_NOTIFY, bad_near));
    P("reset", ioctl(fd, IOCTL_EVTCHN_RESET, 0));
    status_of((uint32_t)a);
    close(fd);
}

/* ---- gntalloc and gntdev ---- */

static void grants(bool self_map)
{
    union {
        struct ioctl_gntalloc_alloc_gref a;
        char room[sizeof(struct ioctl_gntalloc_alloc_gref) + 4];
    } u = { .a = { .domid = (uint16_t)self, .flags = GNTALLOC_FLAG_WRITABLE, .count = 2 } };
    union {
        struct ioctl_gntdev_map_grant_ref m;
        char room[sizeof(struct ioctl_gntdev_map_grant_ref) + sizeof(struct ioctl_gntdev_grant_ref)];
    } v = { .m = { .count = 2 } };
    struct ioctl_gntdev_get_offset_for_vaddr o;
    int alloc = open("/dev/xen/gntalloc", O_RDWR), dev = open("/dev/xen/gntdev", O_RDWR);
    int event = open("/dev/xen/evtchn", O_RDWR | O_NONBLOCK), a, b;
    uint32_t number;
    char *ours, *theirs;

    probe_is("open", alloc >= 0 && dev >= 0 && event >= 0);
    a = ioctl(event, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &(struct ioctl_evtchn_bind_unbound_port){ (unsigned)self });
    b = ioctl(event, IOCTL_EVTCHN_BIND_INTERDOMAIN, &(struct ioctl_evtchn_bind_interdomain){ (unsigned)self, (unsigned)a });
    comes(event);
    queued(event, 0, 0);
    number = (uint32_t)b;
    (void)!write(event, &number, 4);

    P("alloc", ioctl(alloc, IOCTL_GNTALLOC_ALLOC_GREF, &u));
    probe_is("two references", u.a.gref_ids[0] >= 8 && u.a.gref_ids[0] != *(&u.a.gref_ids[0] + 1));
    ours = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, alloc, (off_t)u.a.index);
    probe_is("mapped", ours != MAP_FAILED);
    P("mapped elsewhere", (long)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, alloc, (off_t)u.a.index + 65536));
    P("mapped private", (long)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, alloc, (off_t)u.a.index));
    probe_text("zeroed", "%d %d", ours[0], ours[8191]);
    strcpy(ours, "from us");
    strcpy(ours + 4096, "page two");
    P("notice", ioctl(alloc, IOCTL_GNTALLOC_SET_UNMAP_NOTIFY, &(struct ioctl_gntalloc_unmap_notify){
        u.a.index + 100, UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT, (uint32_t)b }));
    P("notice of nothing", ioctl(alloc, IOCTL_GNTALLOC_SET_UNMAP_NOTIFY, &(struct ioctl_gntalloc_unmap_notify){
        u.a.index + 65536, UNMAP_NOTIFY_CLEAR_BYTE, 0 }));
    P("dealloc", ioctl(alloc, IOCTL_GNTALLOC_DEALLOC_GREF, &(struct ioctl_gntalloc_dealloc_gref){ u.a.index, 2 }));
    P("dealloc again", ioctl(alloc, IOCTL_GNTALLOC_DEALLOC_GREF, &(struct ioctl_gntalloc_dealloc_gref){ u.a.index, 2 }));
    P("alloc bad pointer", ioctl(alloc, IOCTL_GNTALLOC_ALLOC_GREF, bad_near));
    P("unknown", ioctl(alloc, 0x7777, NULL));

    for (int i = 0; i < 2; i++)
        (&v.m.refs[0])[i] = (struct ioctl_gntdev_grant_ref){ (uint32_t)self, (&u.a.gref_ids[0])[i] };
    P("map", ioctl(dev, IOCTL_GNTDEV_MAP_GRANT_REF, &v));
    if (!self_map)
        goto unmapped;
    theirs = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, dev, (off_t)v.m.index);
    probe_is("mapped", theirs != MAP_FAILED);
    probe_text("seen", "%s, %s", theirs, theirs + 4096);
    strcpy(theirs, "from them");
    probe_text("seen", "%s", ours);
    P("mapped again", (long)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, dev, (off_t)v.m.index));
    o.vaddr = (uintptr_t)theirs;
    P("offset", ioctl(dev, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &o));
    probe_is("is it", o.offset == v.m.index && o.count == 2);
    o.vaddr = (uintptr_t)ours;
    P("offset of another", ioctl(dev, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &o));
    P("notice", ioctl(dev, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &(struct ioctl_gntdev_unmap_notify){
        v.m.index + 4096 + 5, UNMAP_NOTIFY_CLEAR_BYTE, 0 }));
    P("munmap", munmap(theirs, 8192));
    probe_text("byte cleared", "%d %s", ours[4096 + 5], ours + 4096);
unmapped:
    P("unmap", ioctl(dev, IOCTL_GNTDEV_UNMAP_GRANT_REF, &(struct ioctl_gntdev_unmap_grant_ref){ v.m.index, 2, 0 }));
    P("unmap again", ioctl(dev, IOCTL_GNTDEV_UNMAP_GRANT_REF, &(struct ioctl_gntdev_unmap_grant_ref){ v.m.index, 2, 0 }));
    v.m.count = 0;
    P("map none", ioctl(dev, IOCTL_GNTDEV_MAP_GRANT_REF, &v));
    v.m.count = 1;
    v.m.refs[0].ref = 100000;
    P("map a wrong reference", ioctl(dev, IOCTL_GNTDEV_MAP_GRANT_REF, &v));
    theirs = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, dev, (off_t)v.m.index);
    probe_is("is refused", theirs == MAP_FAILED);
    P("unknown", ioctl(dev, 0x7777, NULL));

    P("munmap ours", munmap(ours, 8192));
    probe_is("event", comes(event));
    probe("for", queued(event, (uint32_t)a, (uint32_t)b));
    close(dev);
    close(alloc);
    close(event);
}

void probe_xen(bool self_map)
{
    xenbus();
    evtchn();
    grants(self_map);
}
