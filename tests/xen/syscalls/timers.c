/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, sleeping, timerfd. */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <time.h>

#include "probe.h"

static int64_t now(clockid_t c)
{
    struct timespec t = { 0, 0 };

    syscall(SYS_clock_gettime, c, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void clocks(void)
{
    static const clockid_t all[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                                     CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME };
    struct timespec t = { 0, 2000000 };
    struct timeval tv;
    int64_t before, wall;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        P("clock_gettime", syscall(SYS_clock_gettime, all[i], &t));
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i] == CLOCK_REALTIME_COARSE || all[i] == CLOCK_MONOTONIC_COARSE)
            continue;                           /* Linux's lag behind by a tick */
        before = now(all[i]);
        P("clock_gettime of libc", clock_gettime(all[i], &t));
        wall = t.tv_sec * 1000000000ll + t.tv_nsec;
        probe_is("it lies between two of the kernel's", before <= wall && wall <= now(all[i]));
    }
    P("unknown clock of libc", clock_gettime(77, &t));
    P("unknown clock", syscall(SYS_clock_gettime, 77, &t));
    P("clock bad pointer", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad_near));
    P("getres", syscall(SYS_clock_getres, CLOCK_MONOTONIC, &t));
    probe_text("resolution", "%ld %ld", (long)t.tv_sec, t.tv_nsec);
    P("gettimeofday", syscall(SYS_gettimeofday, &tv, NULL));
    wall = now(CLOCK_REALTIME);
    probe_is("both walls agree", tv.tv_sec <= wall / 1000000000 && tv.tv_sec + 5 > wall / 1000000000);
    probe_is("time agrees", time(NULL) + 5 > wall / 1000000000);
    probe_is("the wall is after 2001", wall / 1000000000 > 1000000000);
    before = now(CLOCK_MONOTONIC);
    t = (struct timespec){ 0, 2000000 };
    P("nanosleep", syscall(SYS_nanosleep, &t, NULL));
    probe_is("slept 2 ms", now(CLOCK_MONOTONIC) - before >= 2000000);
    before = now(CLOCK_MONOTONIC);
    t = (struct timespec){ (before + 3000000) / 1000000000, (before + 3000000) % 1000000000 };
    P("clock_nanosleep until", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
    probe_is("slept 3 ms", now(CLOCK_MONOTONIC) - before >= 3000000);
    P("until the past", syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &(struct timespec){ 1, 0 }, NULL));
    P("nanosleep wrong", syscall(SYS_nanosleep, &(struct timespec){ 0, 1000000000 }, NULL));
    P("nanosleep negative", syscall(SYS_nanosleep, &(struct timespec){ -1, 0 }, NULL));
    P("nanosleep bad pointer", syscall(SYS_nanosleep, bad_near, NULL));
    P("settime bad pointer", syscall(SYS_clock_settime, CLOCK_REALTIME, bad_near));
    P("settime monotonic", syscall(SYS_clock_settime, CLOCK_MONOTONIC, &(struct timespec){ 1, 0 }));
}

static int64_t spent_in(const struct rusage *r)
{
    return (r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1000000000ll + (r->ru_utime.tv_usec + r->ru_stime.tv_usec) * 1000ll;
}

/* CPU time goes on with who runs, and stands still with who sleeps. Its numbers are the machine's affair. */
static void cpu_time(void)
{
    int64_t start = now(CLOCK_MONOTONIC), before = now(CLOCK_PROCESS_CPUTIME_ID), slept = 0;
    struct timespec t = { 0, 0 };
    struct rusage r;
    struct tms ticks;
    clockid_t own;
    bool rests = false;

    P("clock_gettime process", syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &t));
    P("clock_gettime thread", clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t));
    P("its clock", clock_getcpuclockid(0, &own));
    P("clock_gettime own", clock_gettime(own, &t));
    P("clock_getres process", syscall(SYS_clock_getres, CLOCK_PROCESS_CPUTIME_ID, &t));
    P("clock_gettime of nobody", syscall(SYS_clock_gettime, (clockid_t)(~0x7fffffu << 3 | 2), &t));
    while (now(CLOCK_PROCESS_CPUTIME_ID) - before < 50000000 && now(CLOCK_MONOTONIC) - start < 60000000000)
        ;
    probe_is("it goes on with work", now(CLOCK_PROCESS_CPUTIME_ID) - before >= 50000000);
    probe_is("not faster than time", now(CLOCK_PROCESS_CPUTIME_ID) - before < (now(CLOCK_MONOTONIC) - start) * 5 / 4);
    P("getrusage", getrusage(RUSAGE_SELF, &r));
    probe_is("says the same", spent_in(&r) >= before + 40000000 && spent_in(&r) < now(CLOCK_PROCESS_CPUTIME_ID) + 20000000);
    P("getrusage thread", getrusage(RUSAGE_THREAD, &r));
    P("getrusage children", getrusage(RUSAGE_CHILDREN, &r));
    P("getrusage wrong", syscall(SYS_getrusage, 7, &r));
    P("getrusage bad pointer", syscall(SYS_getrusage, RUSAGE_SELF, bad_near));
    probe_is("times", times(&ticks) > 0 && ticks.tms_utime + ticks.tms_stime >= 4);
    probe_is("clock", clock() >= 40000);
    P("times bad pointer", syscall(SYS_times, bad_near));
    for (int i = 0; i < 20 && !rests; i++) {    /* a busy machine may count some of our sleep as ours, not always */
        before = now(CLOCK_PROCESS_CPUTIME_ID);
        slept = now(CLOCK_MONOTONIC);
        syscall(SYS_nanosleep, &(struct timespec){ 0, 100000000 }, NULL);
        rests = now(CLOCK_PROCESS_CPUTIME_ID) - before < (now(CLOCK_MONOTONIC) - slept) / 2;
    }
    probe_is("and stands still in sleep", rests);
}

static void timerfds(void)
{
    struct itimerspec s = { { 0, 0 }, { 0, 1000000 } };
    struct epoll_event e;
    struct pollfd p;
    uint64_t n = 0;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), ep = epoll_create1(0);

    P("create", fd);
    P("create unknown", timerfd_create(77, 0));
    P("create flags", timerfd_create(CLOCK_MONOTONIC, 0x40));
    P("read unarmed", read(fd, &n, 8));
    P("read short", read(fd, &n, 4));
    P("arm", timerfd_settime(fd, 0, &s, NULL));
    p = (struct pollfd){ fd, POLLIN, 0 };
    P("poll", poll(&p, 1, -1));
    P("read", read(fd, &n, 8));
    probe("times", (long)n);
    P("read again", read(fd, &n, 8));
    s.it_interval.tv_nsec = 1000000;
    P("periodic", timerfd_settime(fd, 0, &s, NULL));
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &(struct epoll_event){ EPOLLIN, { .u32 = 5 } });
    P("epoll", epoll_wait(ep, &e, 1, -1));
    P("read", read(fd, &n, 8));
    probe_is("at least once", n >= 1);
    P("epoll", epoll_wait(ep, &e, 1, -1));
    s.it_interval.tv_nsec = 0;
    s.it_value = (struct timespec){ 1000, 0 };
    P("far", timerfd_settime(fd, 0, &s, NULL));
    P("read far", read(fd, &n, 8));
    P("gettime", timerfd_gettime(fd, &s));
    probe_is("left", s.it_value.tv_sec >= 900 && s.it_value.tv_sec <= 1000);
    P("epoll nothing", epoll_wait(ep, &e, 1, 0));
    s.it_value = (struct timespec){ 1, 0 };
    P("in the past", timerfd_settime(fd, TFD_TIMER_ABSTIME, &s, NULL));
    P("poll", poll(&p, 1, -1));         /* on a busy machine Linux may need a moment */
    P("read", read(fd, &n, 8));
    probe("times", (long)n);
    s.it_value = (struct timespec){ 0, 0 };
    P("disarm", timerfd_settime(fd, 0, &s, NULL));
    P("read", read(fd, &n, 8));
    s.it_value.tv_nsec = 1000000000;
    P("wrong time", timerfd_settime(fd, 0, &s, NULL));
    P("wrong flags", timerfd_settime(fd, 77, &s, NULL));
    P("bad pointer", syscall(SYS_timerfd_settime, fd, 0, bad_near, NULL));
    P("not a timer", timerfd_settime(ep, 0, &(struct itimerspec){ { 0, 0 }, { 0, 0 } }, NULL));
    P("closed", timerfd_settime(77, 0, &(struct itimerspec){ { 0, 0 }, { 0, 0 } }, NULL));
    close(fd);
    fd = timerfd_create(CLOCK_REALTIME, 0);
    s = (struct itimerspec){ { 0, 0 }, { 0, 0 } };
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &s.it_value);
    P("wall clock", timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &s, NULL));
    P("blocking read", read(fd, &n, 8));
    close(fd);
    close(ep);
}

void probe_timers(void)
{
    clocks();
    cpu_time();
    timerfds();
}
