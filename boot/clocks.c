/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/clocks.c - the system calls for clocks, and sleeping. */
#include "boot/linux.h"

/* The numbers that clock_getcpuclockid() and pthread_getcpuclockid() make of process or thread 0, oneself, or 1, which is the same:
 * the complement of its number, times 8, plus 2 (process) or 6 (thread). */
#define CPU_CLOCK(number, kind) (~(uint32_t)(number) << 3 | (kind))

/* One program, one thread: all that the domain has run. */
static bool is_cpu_clock(uint64_t clock)
{
    switch ((uint32_t)clock) {
    case CLOCK_PROCESS_CPUTIME_ID: case CLOCK_THREAD_CPUTIME_ID:
    case CPU_CLOCK(0, 2): case CPU_CLOCK(1, 2): case CPU_CLOCK(0, 6): case CPU_CLOCK(1, 6): return true;
    }
    return false;
}

/* The clock's time; false: no such clock. */
static bool now_of(uint64_t clock, uint64_t *ns)
{
    if (is_cpu_clock(clock)) {
        *ns = time_used();
        return true;
    }
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

/* ---- CPU time ---- */

#define TICKS 100u                      /* a second: AT_CLKTCK */

/* All of it counts as the program's own: nobody looks at the clock on the way into the kernel. */
int64_t sys_getrusage(const uint64_t a[6])
{
    struct linux_rusage r = { .utime = { 0, 0 } };
    int32_t who = (int32_t)a[0];
    uint64_t ns = who == RUSAGE_CHILDREN ? 0 : time_used();

    if (who != RUSAGE_SELF && who != RUSAGE_THREAD && who != RUSAGE_CHILDREN)
        return -EINVAL;
    r.utime = (struct linux_timeval){ (int64_t)(ns / 1000000000), (int64_t)(ns % 1000000000 / 1000) };
    return user_out(a[1], &r, sizeof(r));
}

int64_t sys_times(const uint64_t a[6])
{
    struct linux_tms t = { .utime = (int64_t)(time_used() / (1000000000 / TICKS)) };

    if (a[0] && user_out(a[0], &t, sizeof(t)) < 0)
        return -EFAULT;
    return (int64_t)(time_monotonic() / (1000000000 / TICKS));
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

    if (!now_of(a[0], &now) || is_cpu_clock(a[0]))      /* who sleeps does not run: it would be for ever */
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
