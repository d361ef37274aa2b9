/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/timerfd.c - timerfd_create(2): timers to wait for. None of them interrupts anybody: each wait asks for the next
 * that runs out, and whoever looks at a timer brings it up to date. */
#include "boot/linux.h"

struct timerfd {
    struct file file;
    struct timerfd *next;
    bool wall;                  /* counts CLOCK_REALTIME */
    bool cancel_on_set;
    uint64_t due, interval;     /* of its clock; due 0: not armed */
    uint64_t times;             /* ran out, not read yet */
    uint64_t wall_changes;      /* when it was armed or read */
};

static struct timerfd *timers;

static struct timerfd *timerfd_of(struct file *f) { return (struct timerfd *)(void *)f; }

static uint64_t now_of(const struct timerfd *t) { return t->wall ? time_wall() : time_monotonic(); }

static bool cancelled(const struct timerfd *t) { return t->cancel_on_set && t->wall_changes != time_wall_changes(); }

static void update(struct timerfd *t, uint64_t now)
{
    uint64_t n;

    if (!t->due || now < t->due)
        return;
    n = t->interval ? (now - t->due) / t->interval + 1 : 1;
    t->times += n;
    if (!t->interval || __builtin_mul_overflow(n, t->interval, &n) || __builtin_add_overflow(t->due, n, &t->due))
        t->due = 0;
}

/* How long until it runs out. */
static uint64_t left(const struct timerfd *t, uint64_t now) { return !t->due ? NEVER : t->due > now ? t->due - now : 0; }

uint64_t timerfd_next(void)
{
    uint64_t next = NEVER, monotonic, wall = 0;

    if (!timers)
        return NEVER;
    monotonic = time_monotonic();
    for (struct timerfd *t = timers; t; t = t->next) {
        if (t->due && t->wall && !wall)
            wall = time_wall();
        update(t, t->wall ? wall : monotonic);
        next = MIN(next, left(t, t->wall ? wall : monotonic));
    }
    return next > UINT64_MAX - monotonic ? NEVER : next + monotonic;
}

static int64_t op_read(struct file *f, uint64_t to, size_t n)
{
    struct timerfd *t = timerfd_of(f);

    if (n < sizeof(t->times))
        return -EINVAL;
    update(t, now_of(t));
    if (cancelled(t)) {
        t->wall_changes = time_wall_changes();
        t->times = 0;
        return -ECANCELED;
    }
    if (!t->times)
        return -EAGAIN;
    if (user_out(to, &t->times, sizeof(t->times)) < 0)
        return -EFAULT;
    t->times = 0;
    return sizeof(t->times);
}

static unsigned op_poll(struct file *f)
{
    struct timerfd *t = timerfd_of(f);

    update(t, t->due ? now_of(t) : 0);
    return t->times || cancelled(t) ? POLLIN : 0;
}

static void op_close(struct file *f)
{
    struct timerfd **p = &timers;

    while (*p != timerfd_of(f))
        p = &(*p)->next;
    *p = (*p)->next;
    pool_put(f, sizeof(struct timerfd));
}

static const struct file_ops timerfd_ops = {
    .read = op_read, .poll = op_poll, .close = op_close, .mode = 0600, .unannounced = true,
};

int64_t sys_timerfd_create(const uint64_t a[6])
{
    uint32_t clock = (uint32_t)a[0], flags = (uint32_t)a[1];
    struct timerfd *t;

    if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME) ||
        flags & ~(uint32_t)(O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    t = pool_get(sizeof(*t));
    if (!t)
        return -ENOMEM;
    file_init(&t->file, &timerfd_ops, (flags & O_NONBLOCK) | O_RDWR);
    t->wall = clock == CLOCK_REALTIME;
    t->next = timers;
    timers = t;
    return fd_new(&t->file, flags & O_CLOEXEC);
}

/* The value and interval as timerfd_gettime() gives them. */
static int out(struct timerfd *t, uint64_t to)
{
    uint64_t value;

    update(t, now_of(t));
    value = t->due ? MAX(left(t, now_of(t)), 1u) : 0;
    return time_out(to, t->interval) < 0 || time_out(to + sizeof(struct linux_timespec), value) < 0 ? -EFAULT : 0;
}

static struct timerfd *get(uint64_t fd, int64_t *error)
{
    struct file *f = fd_file(fd);

    *error = !f ? -EBADF : -EINVAL;
    return f && f->ops == &timerfd_ops ? timerfd_of(f) : NULL;
}

int64_t sys_timerfd_settime(const uint64_t a[6])
{
    struct linux_itimerspec new;
    uint64_t value;
    int64_t error;
    struct timerfd *t;

    if (user_in(&new, a[2], sizeof(new)) < 0)
        return -EFAULT;
    if (a[1] & ~(uint64_t)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || !timespec_valid(&new.value) ||
        !timespec_valid(&new.interval))
        return -EINVAL;
    t = get(a[0], &error);
    if (!t)
        return error;
    if (a[3] && out(t, a[3]) < 0)
        return -EFAULT;
    value = timespec_ns(&new.value);
    t->interval = timespec_ns(&new.interval);
    t->times = 0;
    t->cancel_on_set = t->wall && a[1] & TFD_TIMER_CANCEL_ON_SET && a[1] & TFD_TIMER_ABSTIME;
    t->wall_changes = time_wall_changes();
    if (value == 0)
        t->due = 0;
    else if (a[1] & TFD_TIMER_ABSTIME)
        t->due = value;
    else if (__builtin_add_overflow(now_of(t), value, &t->due))
        t->due = NEVER;
    return 0;
}

int64_t sys_timerfd_gettime(const uint64_t a[6])
{
    int64_t error;
    struct timerfd *t = get(a[0], &error);

    return t ? out(t, a[1]) : error;
}
