/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/dev-misc.c - /dev/null, zero, full, random, urandom, and the console as a terminal. */
#include "boot/linux.h"

#define CHUNK 512u              /* bytes at a time through the kernel's stack */
#define DRAIN_MAX 10000000000ull        /* ns */

static void op_close(struct file *f) { pool_put(f, sizeof(*f)); }

static int open_with(const struct file_ops *ops, unsigned flags, struct file **out)
{
    struct file *f = pool_get(sizeof(*f));

    if (!f)
        return -ENOMEM;
    file_init(f, ops, flags);
    *out = f;
    return 0;
}

/* ---- null, zero, full ---- */

static int64_t read_end(struct file *f, uint64_t to, size_t n)
{
    (void)f, (void)to, (void)n;
    return 0;
}

static int64_t write_all(struct file *f, uint64_t from, size_t n)
{
    (void)f, (void)from;
    return (int64_t)n;
}

static int64_t write_none(struct file *f, uint64_t from, size_t n)
{
    (void)f, (void)from, (void)n;
    return -ENOSPC;
}

static int64_t read_zeros(struct file *f, uint64_t to, size_t n)
{
    static const uint8_t zeros[CHUNK];
    size_t done = 0;

    (void)f;
    for (; done < n; done += MIN(n - done, CHUNK))
        if (user_out(to + done, zeros, MIN(n - done, CHUNK)) < 0)
            return done ? (int64_t)done : -EFAULT;
    return (int64_t)n;
}

static int64_t map_zeros(struct file *f, enum user_where where, uint64_t address, uint64_t length, unsigned prot, unsigned flags,
                         uint64_t offset)
{
    (void)f, (void)flags, (void)offset;
    return user_map(where, address, length, prot, NULL);
}

static const struct file_ops null_ops = { .read = read_end, .write = write_all, .seek = file_seek_nothing, .close = op_close };
static const struct file_ops zero_ops = {
    .read = read_zeros, .write = write_all, .seek = file_seek_nothing, .map = map_zeros, .close = op_close,
};
static const struct file_ops full_ops = { .read = read_zeros, .write = write_none, .seek = file_seek_nothing, .close = op_close };

static int open_null(const struct device *d, unsigned flags, struct file **out)
{
    return open_with(d == &device_null ? &null_ops : d == &device_zero ? &zero_ops : &full_ops, flags, out);
}

const struct device device_null = { "dev/null", 1, 3, open_null };
const struct device device_zero = { "dev/zero", 1, 5, open_null };
const struct device device_full = { "dev/full", 1, 7, open_null };

/* ---- random, urandom ---- */

static int64_t read_random(struct file *f, uint64_t to, size_t n)
{
    const uint64_t a[6] = { to, n, 0 };

    (void)f;
    return sys_getrandom(a);
}

/* Mixed in. What comes from the program can harm nothing. */
static int64_t write_random(struct file *f, uint64_t from, size_t n)
{
    uint8_t part[CHUNK];
    size_t done = 0;

    (void)f;
    while (done < n) {
        size_t k = MIN(n - done, sizeof(part));

        if (user_in(part, from + done, k) < 0)
            return done ? (int64_t)done : -EFAULT;
        random_mix(part, k);
        done += k;
    }
    memset(part, 0, sizeof(part));
    return (int64_t)n;
}

static const struct file_ops random_ops = { .read = read_random, .write = write_random, .seek = file_seek_nothing, .close = op_close };

static int open_random(const struct device *d, unsigned flags, struct file **out)
{
    (void)d;
    return open_with(&random_ops, flags, out);
}

const struct device device_random = { "dev/random", 1, 8, open_random };
const struct device device_urandom = { "dev/urandom", 1, 9, open_random };

/* ---- the console: a terminal that hands on each byte as it comes and echoes nothing ---- */

static int64_t read_console(struct file *f, uint64_t to, size_t n)
{
    uint8_t part[CHUNK];
    size_t k;

    (void)f;
    if (n == 0)
        return 0;
    if (!console_readable())
        return -EAGAIN;
    if (!user_buffer(to, MIN(n, sizeof(part)), true))
        return -EFAULT;
    k = console_read(part, MIN(n, sizeof(part)));
    return user_out(to, part, k) < 0 ? -EFAULT : (int64_t)k;
}

static int64_t write_console(struct file *f, uint64_t from, size_t n)
{
    uint8_t part[CHUNK];
    size_t done = 0;

    (void)f;
    while (done < n) {
        size_t k = MIN(n - done, sizeof(part));

        if (user_in(part, from + done, k) < 0)
            return done ? (int64_t)done : -EFAULT;
        console_write(part, k);
        done += k;
    }
    return (int64_t)n;
}

static unsigned poll_console(struct file *f)
{
    (void)f;
    return POLLOUT | POLLWRNORM | (console_readable() ? POLLIN | POLLRDNORM : 0u);
}

/* tcdrain(): who asks for it may wait, but not for ever for a dom0 that reads nothing. */
static int64_t drain_console(void)
{
    uint64_t deadline = deadline_after(DRAIN_MAX);

    while (console_unread())
        if (!linux_wait(deadline))
            return -EIO;
    return 0;
}

/* Settings are taken and have no effect. */
static int64_t ioctl_console(struct file *f, unsigned request, uint64_t argument)
{
    struct linux_termios t = { .oflag = 5 /* OPOST ONLCR */, .cflag = 0xbf /* B38400 CS8 CREAD */ };
    struct linux_winsize w = { 0, 0, 0, 0 };

    (void)f;
    switch (request) {
    case TCGETS: return user_out(argument, &t, sizeof(t));
    case TCSETS:
    case TCSETSW:
    case TCSETSF: return user_in(&t, argument, sizeof(t));
    case TCSBRK: return argument ? drain_console() : 0;
    case TIOCGWINSZ: return user_out(argument, &w, sizeof(w));
    }
    return -ENOTTY;
}

static const struct file_ops console_ops = {
    .read = read_console, .write = write_console, .poll = poll_console, .ioctl = ioctl_console, .close = op_close,
    .unannounced = true,
};

static int open_console(const struct device *d, unsigned flags, struct file **out)
{
    (void)d;
    return open_with(&console_ops, flags, out);
}

const struct device device_console = { "dev/console", 5, 1, open_console };
const struct device device_tty = { "dev/tty", 5, 0, open_console };
