/* boot/clocks.c - the system calls for clocks, and sleeping. */
#include "boot/linux.h"

/* The clock's time; false: no such clock. */
static bool now_of(uint64_t clock, uint64_t *ns)
{
    switch ((uint32_t)clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: *ns = time_wall(); return true;
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW: case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: *ns = time_monotonic(); return true;
    }
    return false;
}

int64_t sys_clock_gettime(const uint64_t a[6])
{
    uint64_t ns;

    return now_of(a[0], &ns) ? time_out(a[1], ns) : -EINVAL;
}

int64_t sys_clock_getres(const uint64_t a[6])
{
    uint64_t ns;

    if (!now_of(a[0], &ns))
        return -EINVAL;
    return a[1] ? time_out(a[1], 1) : 0;
}

int64_t sys_clock_settime(const uint64_t a[6])
{
    uint64_t ns;
    int e = time_in(a[1], &ns);

    if ((uint32_t)a[0] != CLOCK_REALTIME)
        return -EINVAL;
    if (e < 0)
        return e;
    if (ns == NEVER)
        return -EINVAL;
    time_set_wall(ns);
    return 0;
}

int64_t sys_gettimeofday(const uint64_t a[6])
{
    const uint64_t zone = 0;
    uint64_t ns = time_wall();
    struct linux_timeval t = { (int64_t)(ns / 1000000000), (int64_t)(ns % 1000000000 / 1000) };

    if ((a[0] && user_out(a[0], &t, sizeof(t)) < 0) || (a[1] && user_out(a[1], &zone, sizeof(zone)) < 0))
        return -EFAULT;
    return 0;
}

int64_t sys_settimeofday(const uint64_t a[6])
{
    struct linux_timeval t;

    if (!a[0])
        return 0;
    if (user_in(&t, a[0], sizeof(t)) < 0)
        return -EFAULT;
    if (t.sec < 0 || t.sec > INT64_MAX / 1000000000 || t.us < 0 || t.us >= 1000000)
        return -EINVAL;
    time_set_wall((uint64_t)t.sec * 1000000000 + (uint64_t)t.us * 1000);
    return 0;
}

int64_t sys_time(const uint64_t a[6])
{
    int64_t seconds = (int64_t)(time_wall() / 1000000000);

    return a[0] && user_out(a[0], &seconds, sizeof(seconds)) < 0 ? -EFAULT : seconds;
}

/* ---- sleeping ---- */

/* Nothing interrupts a sleep, so there is never a rest of it to tell. */
static int64_t sleep_until(uint64_t deadline)
{
    while (linux_wait(deadline))
        ;
    return 0;
}

int64_t sys_nanosleep(const uint64_t a[6])
{
    uint64_t ns;
    int e = time_in(a[0], &ns);

    return e < 0 ? e : sleep_until(deadline_after(ns));
}

/* An absolute time of the wall clock is looked at again after each event: the clock may be set. */
static int64_t sleep_until_wall(uint64_t ns)
{
    for (uint64_t now; (now = time_wall()) < ns;)
        linux_wait(deadline_after(ns - now));
    return 0;
}

int64_t sys_clock_nanosleep(const uint64_t a[6])
{
    uint64_t ns, now;
    int e;

    if (!now_of(a[0], &now))
        return -EINVAL;
    e = time_in(a[2], &ns);
    if (e < 0)
        return e;
    if (!(a[1] & TIMER_ABSTIME))
        return sleep_until(deadline_after(ns));
    return (uint32_t)a[0] == CLOCK_REALTIME ? sleep_until_wall(ns) : sleep_until(ns);
}

int64_t sys_pause(const uint64_t a[6])
{
    (void)a;
    return sleep_until(NEVER);
}
