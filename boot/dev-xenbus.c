/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/dev-xenbus.c - /dev/xen/xenbus: xenstore's messages as a stream each way. Each open file is a user of its own
 * (xenbus.c); the libraries write a header and a body one after the other, so what is written is collected until a message
 * is whole. Nothing a file leaves behind stays: xenbus_close() ends its transactions and watches. */
#include "boot/linux.h"

#define HEADER 16u              /* type, req_id, tx_id, length of the payload: xen/io/xs_wire.h */

struct xenbus_file {
    struct file file;
    struct xenbus_user *user;
    uint8_t *message;           /* XENBUS_MESSAGE bytes of room */
    size_t have;
};

static struct xenbus_file *xenbus_of(struct file *f) { return (struct xenbus_file *)(void *)f; }

static int64_t op_read(struct file *f, uint64_t to, size_t n)
{
    struct xenbus_file *x = xenbus_of(f);
    void *buffer;

    n = MIN(n, XENBUS_MESSAGE);
    if (n == 0)
        return 0;
    if (!xenbus_readable(x->user))
        return -EAGAIN;
    buffer = user_buffer(to, n, true);
    return buffer ? (int64_t)xenbus_receive(x->user, buffer, n) : -EFAULT;
}

/* Bytes of the message that is being written: all its header says, or the header. */
static size_t wanted(const struct xenbus_file *x)
{
    uint32_t len;

    if (x->have < HEADER)
        return HEADER;
    memcpy(&len, x->message + 12, sizeof(len));
    return len > XENBUS_MESSAGE - HEADER ? 0 : HEADER + len;
}

static int64_t op_write(struct file *f, uint64_t from, size_t n)
{
    struct xenbus_file *x = xenbus_of(f);
    size_t done = 0;

    while (done < n) {
        size_t whole = wanted(x), k;
        int e;

        k = MIN(n - done, whole - x->have);
        if (x->have + k == whole && whole > HEADER && !xenbus_writable(x->user))
            return done ? (int64_t)done : -EAGAIN;
        if (user_in(x->message + x->have, from + done, k) < 0)
            return done ? (int64_t)done : -EFAULT;
        x->have += k;
        done += k;
        whole = wanted(x);
        if (whole && x->have < whole)
            continue;
        e = whole ? xenbus_send(x->user, x->message, whole) : -EINVAL;
        if (e == -EAGAIN) {             /* the last piece again, later */
            x->have -= k;
            done -= k;
            return done ? (int64_t)done : -EAGAIN;
        }
        x->have = 0;
        if (e < 0)
            return e;
    }
    return (int64_t)n;
}

static unsigned op_poll(struct file *f)
{
    struct xenbus_file *x = xenbus_of(f);

    return (xenbus_readable(x->user) ? POLLIN | POLLRDNORM : 0u) | (xenbus_writable(x->user) ? POLLOUT | POLLWRNORM : 0u);
}

static void op_close(struct file *f)
{
    struct xenbus_file *x = xenbus_of(f);

    xenbus_close(x->user);
    pool_put(x->message, XENBUS_MESSAGE);
    pool_put(x, sizeof(*x));
}

static const struct file_ops xenbus_ops = {
    .read = op_read, .write = op_write, .poll = op_poll, .close = op_close, .unannounced = true,
};

static int open_xenbus(const struct device *d, unsigned flags, struct file **out)
{
    struct xenbus_file *x = pool_get(sizeof(*x));
    int e;

    (void)d;
    if (!x)
        return -ENOMEM;
    x->message = pool_get(XENBUS_MESSAGE);
    e = x->message ? xenbus_open(&x->user) : -ENOMEM;
    if (e < 0) {
        pool_put(x->message, XENBUS_MESSAGE);
        pool_put(x, sizeof(*x));
        return e;
    }
    file_init(&x->file, &xenbus_ops, flags);
    *out = &x->file;
    return 0;
}

const struct device device_xenbus = { "dev/xen/xenbus", 10, 62, open_xenbus };
const struct device device_proc_xenbus = { "proc/xen/xenbus", 10, 62, open_xenbus };
