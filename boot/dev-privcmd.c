/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/dev-privcmd.c - /dev/xen/privcmd: the one hypercall a program has use for, asking what one of its own event channels has
 * become (EVTCHNOP_status), by which it learns that a peer's domain is gone. Everything else is -EPERM. */
#include "boot/dev-xen.h"
#include "boot/hypercall.h"
#include "boot/linux.h"

struct privcmd_hypercall { uint64_t op, arg[5]; };
#define HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))     /* xen/sys/privcmd.h */

static int64_t port_status(uint64_t at)
{
    struct evtchn_status status;
    long e;

    if (user_in(&status, at, sizeof(status)) < 0)
        return -EFAULT;
    if (status.dom != DOMID_SELF)
        return -EPERM;
    e = xen_event(EVTCHNOP_status, &status);
    return e < 0 ? e : user_out(at, &status, sizeof(status));
}

static int64_t op_ioctl(struct file *f, unsigned request, uint64_t argument)
{
    struct privcmd_hypercall h;

    (void)f;
    if (request != HYPERCALL)
        return -ENOTTY;
    if (user_in(&h, argument, sizeof(h)) < 0)
        return -EFAULT;
    return h.op == __HYPERVISOR_event_channel_op && h.arg[0] == EVTCHNOP_status ? port_status(h.arg[1]) : -EPERM;
}

static void op_close(struct file *f) { pool_put(f, sizeof(*f)); }

static const struct file_ops privcmd_ops = { .ioctl = op_ioctl, .close = op_close };

static int open_privcmd(const struct device *d, unsigned flags, struct file **out)
{
    struct file *f = pool_get(sizeof(*f));

    (void)d;
    if (!f)
        return -ENOMEM;
    file_init(f, &privcmd_ops, flags);
    *out = f;
    return 0;
}

const struct device device_privcmd = { "dev/xen/privcmd", 10, 59, open_privcmd };
