/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/eventfd.c - eventfd(2): a counter to wait for. */
#include "boot/linux.h"

#define MOST (UINT64_MAX - 1)

struct eventfd {
    struct file file;
    uint64_t count;
    bool semaphore;
};

static struct eventfd *eventfd_of(struct file *f) { return (struct eventfd *)(void *)f; }

static int64_t op_read(struct file *f, uint64_t to, size_t n)
{
    struct eventfd *e = eventfd_of(f);
    uint64_t v = e->semaphore ? 1 : e->count;

    if (n < sizeof(v))
        return -EINVAL;
    if (!e->count)
        return -EAGAIN;
    if (user_out(to, &v, sizeof(v)) < 0)
        return -EFAULT;
    e->count -= v;
    file_ready(f);
    return sizeof(v);
}

static int64_t op_write(struct file *f, uint64_t from, size_t n)
{
    struct eventfd *e = eventfd_of(f);
    uint64_t v;

    if (n < sizeof(v))
        return -EINVAL;
    if (user_in(&v, from, sizeof(v)) < 0)
        return -EFAULT;
    if (v == UINT64_MAX)
        return -EINVAL;
    if (v > MOST - e->count)
        return -EAGAIN;
    e->count += v;
    file_ready(f);
    return sizeof(v);
}

static unsigned op_poll(struct file *f)
{
    uint64_t count = eventfd_of(f)->count;

    return (count ? POLLIN : 0u) | (count < MOST ? POLLOUT : 0u);
}

static void op_close(struct file *f) { pool_put(f, sizeof(struct eventfd)); }

static const struct file_ops eventfd_ops = {
    .read = op_read, .write = op_write, .seek = file_seek_nothing, .poll = op_poll, .close = op_close,
    .mode = 0600,
};

static int64_t make(uint32_t count, uint32_t flags)
{
    struct eventfd *e;

    if (flags & ~(uint32_t)(EFD_SEMAPHORE | O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    e = pool_get(sizeof(*e));
    if (!e)
        return -ENOMEM;
    file_init(&e->file, &eventfd_ops, (flags & O_NONBLOCK) | O_RDWR);
    e->count = count;
    e->semaphore = flags & EFD_SEMAPHORE;
    return fd_new(&e->file, flags & O_CLOEXEC);
}

int64_t sys_eventfd(const uint64_t a[6]) { return make((uint32_t)a[0], 0); }
int64_t sys_eventfd2(const uint64_t a[6]) { return make((uint32_t)a[0], (uint32_t)a[1]); }
