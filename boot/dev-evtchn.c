/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/dev-evtchn.c - /dev/xen/evtchn: ports of event channels for the program.
 *
 * A port starts unmasked. When an event comes it is masked and queued once; read() gives the numbers of queued ports; writing
 * a number unmasks it. So a port is in the queue at most once, and the queue cannot overflow.
 */
#include "boot/dev-xen.h"
#include "boot/linux.h"

struct bound {
    struct evtchn *of;          /* NULL: closed, kept for a notice */
    struct bound *next, *before;
    struct bound *next_queued;
    uint32_t port;
    uint32_t pins;
    bool queued, masked;
};

struct evtchn {
    struct file file;
    struct bound *ports;
    struct bound *first, **last;        /* queued */
    int32_t only;               /* the one domain allowed; -1: all */
};

#define PER_PAGE (PAGE / sizeof(struct bound *))
static struct bound **by_port[EVENT_PORTS / (PAGE / sizeof(struct bound *))];

static struct evtchn *evtchn_of(struct file *f) { return (struct evtchn *)(void *)f; }

static struct bound *find(uint32_t port)
{
    return port < EVENT_PORTS && by_port[port / PER_PAGE] ? by_port[port / PER_PAGE][port % PER_PAGE] : NULL;
}

static struct bound *find_of(const struct evtchn *e, uint32_t port)
{
    struct bound *b = find(port);

    return b && b->of == e ? b : NULL;
}

/* ---- ports ---- */

static void on_event(void *arg, uint32_t port)
{
    struct bound *b = arg;

    event_mask(port);
    b->masked = true;
    if (b->queued || !b->of)
        return;
    b->queued = true;
    b->next_queued = NULL;
    *b->of->last = b;
    b->of->last = &b->next_queued;
    file_ready(&b->of->file);
}

static void unqueue(struct bound *b)
{
    struct bound **p = &b->of->first;

    if (!b->queued)
        return;
    while (*p != b)
        p = &(*p)->next_queued;
    *p = b->next_queued;
    if (!*p)
        b->of->last = p;
    b->queued = false;
}

static void forget(struct bound *b)
{
    event_close(b->port);
    by_port[b->port / PER_PAGE][b->port % PER_PAGE] = NULL;
    pool_put(b, sizeof(*b));
}

static void unbind(struct bound *b)
{
    unqueue(b);
    if (b->before)
        b->before->next = b->next;
    else
        b->of->ports = b->next;
    if (b->next)
        b->next->before = b->before;
    b->of = NULL;
    if (!b->pins)
        forget(b);
    else
        event_mask(b->port);
}

int evtchn_pin(uint32_t port)
{
    struct bound *b = find(port);

    if (!b || !b->of)
        return -EINVAL;
    b->pins++;
    return 0;
}

void evtchn_unpin(uint32_t port)
{
    struct bound *b = find(port);

    if (b && !--b->pins && !b->of)
        forget(b);
}

int notice_set(struct unmap_notice *notice, uint32_t action, uint32_t port, uint64_t offset)
{
    int e;

    if (action & ~(uint32_t)(UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT))
        return -EINVAL;
    e = action & UNMAP_NOTIFY_SEND_EVENT ? evtchn_pin(port) : 0;
    if (e < 0)
        return e;
    if (notice->action & UNMAP_NOTIFY_SEND_EVENT)
        evtchn_unpin(notice->port);
    *notice = (struct unmap_notice){ action, port, offset };
    return 0;
}

void notice_send(struct unmap_notice *notice)
{
    if (notice->action & UNMAP_NOTIFY_SEND_EVENT) {
        event_notify(notice->port);
        evtchn_unpin(notice->port);
    }
    notice->action = 0;
}

/* ---- binding ---- */

enum kind { UNBOUND, INTERDOMAIN, VIRQ };

/* The port, as the ioctl answers it. */
static int64_t bind(struct evtchn *e, enum kind kind, uint32_t what, uint32_t remote_port)
{
    struct bound *b;
    int64_t port;

    if (e->only >= 0 && (kind == VIRQ || what != (uint32_t)e->only))
        return -EACCES;
    if (kind != VIRQ && what > UINT16_MAX)
        return -EINVAL;
    b = pool_get(sizeof(*b));
    if (!b)
        return -ENOMEM;
    if (kind == UNBOUND)
        port = event_unbound((uint16_t)what, on_event, b);
    else if (kind == INTERDOMAIN)
        port = event_interdomain((uint16_t)what, remote_port, on_event, b);
    else
        port = event_virq(what, on_event, b);
    if (port < 0 || port >= EVENT_PORTS ||
        (!by_port[port / PER_PAGE] && !(by_port[port / PER_PAGE] = page_alloc()))) {
        if (port >= 0)
            event_close((uint32_t)port);
        pool_put(b, sizeof(*b));
        return port < 0 ? port : -ENOMEM;
    }
    b->of = e;
    b->port = (uint32_t)port;
    b->next = e->ports;
    if (b->next)
        b->next->before = b;
    e->ports = b;
    by_port[port / PER_PAGE][port % PER_PAGE] = b;
    event_unmask(b->port);
    return port;
}

static int64_t op_ioctl(struct file *f, unsigned request, uint64_t argument)
{
    union {
        struct ioctl_evtchn_bind_virq virq;
        struct ioctl_evtchn_bind_interdomain interdomain;
        struct ioctl_evtchn_bind_unbound_port unbound;
        struct ioctl_evtchn_unbind unbind;
        struct ioctl_evtchn_notify notify;
        struct ioctl_evtchn_restrict_domid restrict_domid;
    } u;
    const size_t size = request >> 16 & 0x3fff;
    struct evtchn *e = evtchn_of(f);
    struct bound *b;

    if (size > sizeof(u))
        return -ENOSYS;             /* as Linux answers what it does not know, here only */
    if (user_in(&u, argument, size) < 0)
        return -EFAULT;
    switch (request) {
    case IOCTL_EVTCHN_BIND_VIRQ: return bind(e, VIRQ, u.virq.virq, 0);
    case IOCTL_EVTCHN_BIND_INTERDOMAIN:
        return bind(e, INTERDOMAIN, u.interdomain.remote_domain, u.interdomain.remote_port);
    case IOCTL_EVTCHN_BIND_UNBOUND_PORT: return bind(e, UNBOUND, u.unbound.remote_domain, 0);
    case IOCTL_EVTCHN_UNBIND:
        if (u.unbind.port >= EVENT_PORTS)
            return -EINVAL;
        b = find_of(e, u.unbind.port);
        if (!b)
            return -ENOTCONN;
        unbind(b);
        return 0;
    case IOCTL_EVTCHN_NOTIFY:
        b = find_of(e, u.notify.port);
        return b ? event_notify(b->port) : -ENOTCONN;
    case IOCTL_EVTCHN_RESET:            /* queued events are dropped; their ports stay masked until they are written */
        while (e->first)
            unqueue(e->first);
        return 0;
    case IOCTL_EVTCHN_RESTRICT_DOMID:
        if (e->only >= 0)
            return -EACCES;
        if (u.restrict_domid.domid == 0 || u.restrict_domid.domid >= DOMID_RESERVED)
            return -EINVAL;
        e->only = u.restrict_domid.domid;
        return 0;
    }
    return -ENOSYS;
}

/* ---- reading and writing ---- */

static int64_t op_read(struct file *f, uint64_t to, size_t n)
{
    struct evtchn *e = evtchn_of(f);
    size_t done = 0;

    n &= ~(sizeof(uint32_t) - 1);
    if (n && !e->first)
        return -EAGAIN;
    while (done < n && e->first) {
        if (user_out(to + done, &e->first->port, sizeof(uint32_t)) < 0)
            return done ? (int64_t)done : -EFAULT;
        unqueue(e->first);
        done += sizeof(uint32_t);
    }
    return (int64_t)done;
}

static int64_t op_write(struct file *f, uint64_t from, size_t n)
{
    struct evtchn *e = evtchn_of(f);
    struct bound *b;
    uint32_t port;

    n &= ~(sizeof(uint32_t) - 1);
    for (size_t done = 0; done < n; done += sizeof(port)) {
        if (user_in(&port, from + done, sizeof(port)) < 0)
            return done ? (int64_t)done : -EFAULT;
        b = find_of(e, port);
        if (b && b->masked) {
            b->masked = false;
            event_unmask(port);
        }
    }
    return (int64_t)n;
}

static unsigned op_poll(struct file *f) { return POLLOUT | POLLWRNORM | (evtchn_of(f)->first ? POLLIN | POLLRDNORM : 0u); }

static void op_close(struct file *f)
{
    struct evtchn *e = evtchn_of(f);

    while (e->ports)
        unbind(e->ports);
    pool_put(e, sizeof(*e));
}

static const struct file_ops evtchn_ops = {
    .read = op_read, .write = op_write, .poll = op_poll, .ioctl = op_ioctl, .close = op_close,
};

static int open_evtchn(const struct device *d, unsigned flags, struct file **out)
{
    struct evtchn *e = pool_get(sizeof(*e));

    (void)d;
    if (!e)
        return -ENOMEM;
    file_init(&e->file, &evtchn_ops, flags);
    e->last = &e->first;
    e->only = -1;
    *out = &e->file;
    return 0;
}

const struct device device_evtchn = { "dev/xen/evtchn", 10, 63, open_evtchn };
