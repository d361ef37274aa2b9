/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/wait.c - times of the program, and waiting with all that can end it. */
#include "boot/linux.h"

#define SECOND 1000000000ull

bool linux_wait(uint64_t deadline)
{
    uint64_t timer = timerfd_next();

    if (timer >= deadline)
        return wait_until(deadline);
    wait_until(timer);
    return true;
}

uint64_t deadline_after(uint64_t ns)
{
    uint64_t at;

    return ns == NEVER || __builtin_add_overflow(time_monotonic(), ns, &at) ? NEVER : at;
}

bool timespec_valid(const struct linux_timespec *t) { return t->sec >= 0 && t->ns >= 0 && (uint64_t)t->ns < SECOND; }

uint64_t timespec_ns(const struct linux_timespec *t)
{
    return (uint64_t)t->sec > INT64_MAX / SECOND ? NEVER : (uint64_t)t->sec * SECOND + (uint64_t)t->ns;
}

int time_in(uint64_t from, uint64_t *ns)
{
    struct linux_timespec t;

    if (user_in(&t, from, sizeof(t)) < 0)
        return -EFAULT;
    if (!timespec_valid(&t))
        return -EINVAL;
    *ns = timespec_ns(&t);
    return 0;
}

int time_out(uint64_t to, uint64_t ns)
{
    struct linux_timespec t = { (int64_t)(ns / SECOND), (int64_t)(ns % SECOND) };

    return user_out(to, &t, sizeof(t));
}
