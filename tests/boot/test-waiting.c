/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting in the kernel: pipes, eventfd, timerfd, epoll against each other, with a clock that only moves while somebody waits. */
#include "tests/boot/machine.h"
#include "tests/common/run.h"

#define EVENTS 8192u        /* where a wait puts its events */

static struct linux_epoll_event *events(void) { return (struct linux_epoll_event *)(void *)(arena + EVENTS); }

static int64_t wait_for(int64_t ep, unsigned max, int ms) { return SYS(sys_epoll_wait, (uint64_t)ep, user_at(EVENTS), max, (uint64_t)ms); }

static int64_t ctl(int64_t ep, int op, int64_t fd, uint32_t what)
{
    struct linux_epoll_event e = { what, (uint64_t)fd };

    memcpy(arena, &e, sizeof(e));
    return SYS(sys_epoll_ctl, (uint64_t)ep, (uint64_t)op, (uint64_t)fd, user_at(0));
}

static int64_t write_count(int64_t fd, uint64_t n)
{
    memcpy(arena, &n, sizeof(n));
    return SYS(sys_write, (uint64_t)fd, user_at(0), 8);
}

static int64_t read_count(int64_t fd) { return SYS(sys_read, (uint64_t)fd, user_at(16), 8); }

/* All of a pipe's pages come back, whatever was written and read in whatever pieces; each byte is the one that is due. */
START_TEST(pipe_pieces)
{
    size_t before, in = 0, out = 0, wrong = 0;
    uint32_t seed = 12345;
    int fd[2];

    ck_assert_int_eq(SYS(sys_pipe2, user_at(0), O_NONBLOCK), 0);
    memcpy(fd, arena, sizeof(fd));
    before = pages_out;
    for (int i = 0; i < 5000; i++) {
        size_t n, room = 65536 - (in - out);
        int64_t r;

        seed = seed * 1664525 + 1013904223;
        n = (seed >> 8) % (i % 3 ? 3000 : 70000) + 1;
        if (seed >> 31) {
            for (size_t k = 0; k < n; k++)
                arena[1000 + k] = (uint8_t)((in + k) * 7 + (in + k) / 256);
            r = SYS(sys_write, (uint64_t)fd[1], user_at(1000), n);
            if (room == 0 || (n <= 4096 && room < n))
                ck_assert_int_eq(r, -EAGAIN);
            else
                ck_assert_int_eq(r, (int64_t)MIN(n, room));
            in += r > 0 ? (size_t)r : 0;
        } else {
            r = SYS(sys_read, (uint64_t)fd[0], user_at(1000), n);
            ck_assert_int_eq(r, in == out ? -EAGAIN : (int64_t)MIN(n, in - out));
            for (int64_t k = 0; k < r; k++)
                wrong += arena[1000 + k] != (uint8_t)((out + (size_t)k) * 7 + (out + (size_t)k) / 256);
            ck_assert_uint_eq(wrong, 0);
            out += r > 0 ? (size_t)r : 0;
        }
        ck_assert_uint_le(pages_out - before, 16);
    }
    while (SYS(sys_read, (uint64_t)fd[0], user_at(1000), 70000) > 0)
        ;
    ck_assert_uint_eq(pages_out, before);
    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd[1], user_at(0), 100), 100);
    SYS(sys_close, (uint64_t)fd[0]);
    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd[1], user_at(0), 100), -EPIPE);
    SYS(sys_close, (uint64_t)fd[1]);
    ck_assert_uint_eq(pages_out, before);
}
END_TEST

/* With a bad address in the middle nothing is lost and nothing comes twice. */
START_TEST(pipe_faults)
{
    int fd[2];

    SYS(sys_pipe2, user_at(0), O_NONBLOCK);
    memcpy(fd, arena, sizeof(fd));
    memset(arena + ARENA - 6000, 'x', 6000);
    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd[1], user_at(ARENA - 6000), 9000), 4096);
    ck_assert_int_eq(SYS(sys_read, (uint64_t)fd[0], user_at(ARENA - 2), 100), -EFAULT);
    ck_assert_int_eq(SYS(sys_read, (uint64_t)fd[0], user_at(0), 9000), 4096);
    ck_assert_int_eq(SYS(sys_read, (uint64_t)fd[0], user_at(0), 9000), -EAGAIN);
    SYS(sys_close, (uint64_t)fd[0]);
    SYS(sys_close, (uint64_t)fd[1]);
}
END_TEST

START_TEST(time_outs)
{
    int64_t ep = SYS(sys_epoll_create1, 0);
    uint64_t before = fake_now;

    ck_assert_int_eq(wait_for(ep, 8, 0), 0);
    ck_assert_uint_eq(fake_now, before);
    ck_assert_int_eq(wait_for(ep, 8, 250), 0);
    ck_assert_uint_eq(fake_now, before + 250000000);
    SYS(sys_close, (uint64_t)ep);
}
END_TEST

/* A timer that nobody looks at must not turn a wait into a spin: each look moves the clock. */
START_TEST(timers)
{
    struct linux_itimerspec every = { { 0, 1000000 }, { 0, 3000000 } }, never = { { 0, 0 }, { 0, 0 } };
    int64_t t = SYS(sys_timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK), ep = SYS(sys_epoll_create1, 0);
    uint64_t before = fake_now, n;

    memcpy(arena + 64, &every, sizeof(every));
    ck_assert_int_eq(SYS(sys_timerfd_settime, (uint64_t)t, 0, user_at(64), 0), 0);
    ck_assert_int_eq(wait_for(ep, 8, 10), 0);
    ck_assert_uint_eq(fake_now, before + 10000000);
    ck_assert_int_eq(read_count(t), 8);
    memcpy(&n, arena + 16, 8);
    ck_assert_uint_eq(n, 8);                    /* at 3, 4 ... 10 ms */
    ck_assert_int_eq(read_count(t), -EAGAIN);
    ck_assert_int_eq(ctl(ep, EPOLL_CTL_ADD, t, POLLIN), 0);
    ck_assert_int_eq(wait_for(ep, 8, -1), 1);
    ck_assert_uint_eq(fake_now, before + 11000000);
    memcpy(arena + 64, &never, sizeof(never));
    ck_assert_int_eq(SYS(sys_timerfd_settime, (uint64_t)t, 0, user_at(64), user_at(128)), 0);
    ck_assert_int_eq(read_count(t), -EAGAIN);
    ck_assert_int_eq(wait_for(ep, 8, 5), 0);
    SYS(sys_close, (uint64_t)t);
    SYS(sys_close, (uint64_t)ep);
    ck_assert_uint_eq(timerfd_next(), NEVER);
}
END_TEST

/* The wall clock is set: its timers move with it, and say so if that was asked for. */
START_TEST(wall_timers)
{
    struct linux_itimerspec at = { { 0, 0 }, { (int64_t)(fake_wall / 1000000000) + 100, 0 } };
    int64_t t = SYS(sys_timerfd_create, CLOCK_REALTIME, O_NONBLOCK), told = SYS(sys_timerfd_create, CLOCK_REALTIME, O_NONBLOCK);

    memcpy(arena + 64, &at, sizeof(at));
    SYS(sys_timerfd_settime, (uint64_t)t, TFD_TIMER_ABSTIME, user_at(64), 0);
    SYS(sys_timerfd_settime, (uint64_t)told, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, user_at(64), 0);
    ck_assert_int_eq(read_count(t), -EAGAIN);
    ck_assert_uint_le(timerfd_next() - fake_now, 100ull * 1000000000);
    time_set_wall(fake_wall + 60ull * 1000000000);
    ck_assert_uint_le(timerfd_next() - fake_now, 40ull * 1000000000);
    ck_assert_int_eq(read_count(t), -EAGAIN);
    ck_assert_int_eq(read_count(told), -ECANCELED);
    ck_assert_int_eq(read_count(told), -EAGAIN);
    time_set_wall(fake_wall + 60ull * 1000000000);
    ck_assert_int_eq(read_count(t), 8);
    SYS(sys_close, (uint64_t)t);
    SYS(sys_close, (uint64_t)told);
}
END_TEST

/* Many are ready, few are asked for: each has its turn. */
START_TEST(turns)
{
    enum { N = 50 };
    int64_t ep = SYS(sys_epoll_create1, 0), fd[N];
    unsigned seen[4096] = { 0 };

    for (int i = 0; i < N; i++) {
        fd[i] = SYS(sys_eventfd2, 1, O_NONBLOCK);
        ck_assert_int_eq(ctl(ep, EPOLL_CTL_ADD, fd[i], POLLIN), 0);
    }
    for (int i = 0; i < 10 * N / 5; i++) {
        ck_assert_int_eq(wait_for(ep, 5, -1), 5);
        for (int k = 0; k < 5; k++)
            seen[events()[k].data]++;
    }
    for (int i = 0; i < N; i++)
        ck_assert_uint_eq(seen[fd[i]], 10);
    for (int i = 0; i < N; i++)                 /* closed while on the list */
        SYS(sys_close, (uint64_t)fd[i]);
    ck_assert_int_eq(wait_for(ep, 8, 0), 0);
    SYS(sys_close, (uint64_t)ep);
}
END_TEST

/* Descriptors and epolls closed in any order leave nothing behind and nothing dangling (the sanitizer looks). */
START_TEST(closing)
{
    size_t before = pool_used();
    uint32_t seed = 99;

    for (int round = 0; round < 200; round++) {
        int64_t fds[12];

        for (int i = 0; i < 12; i++)
            fds[i] = i % 3 == 0 ? SYS(sys_epoll_create1, 0) : SYS(sys_eventfd2, (uint64_t)i & 1, O_NONBLOCK);
        for (int i = 0; i < 40; i++) {
            seed = seed * 1664525 + 1013904223;
            ctl(fds[(seed >> 8) % 4 * 3], (int)(seed >> 16) % 3 + 1, fds[(seed >> 20) % 12], POLLIN | (seed >> 24 & 4));
            wait_for(fds[(seed >> 4) % 4 * 3], 3, 0);
        }
        for (int i = 0; i < 12; i++) {
            seed = seed * 1664525 + 1013904223;
            SYS(sys_close, (uint64_t)fds[(seed >> 8) % 12]);
            write_count(fds[i], 1);
        }
        SYS(sys_close_range, 0, UINT32_MAX, 0);
    }
    ck_assert_uint_eq(pool_used(), before);
}
END_TEST

/* Wrong numbers in calls that compute with them. */
START_TEST(wrong_numbers)
{
    struct linux_timespec huge = { INT64_MAX, 0 }, negative = { -1, 0 };
    uint64_t ns;

    memcpy(arena, &huge, sizeof(huge));
    ck_assert_int_eq(time_in(user_at(0), &ns), 0);
    ck_assert_uint_eq(ns, NEVER);
    ck_assert_uint_eq(deadline_after(NEVER), NEVER);
    ck_assert_uint_eq(deadline_after(NEVER - 5), NEVER);
    memcpy(arena, &negative, sizeof(negative));
    ck_assert_int_eq(time_in(user_at(0), &ns), -EINVAL);
    ck_assert_int_eq(SYS(sys_epoll_wait, 0, user_at(0), 0xffffffff, 0), -EINVAL);
    ck_assert_int_eq(SYS(sys_poll, user_at(0), 0x20000000, 0), -EINVAL);
    ck_assert_int_eq(SYS(sys_dup2, 0, 0xffffffff), -EBADF);
    ck_assert_int_eq(SYS(sys_getdents64, 77, user_at(0), UINT64_MAX), -EBADF);
    ck_assert_int_eq(SYS(sys_getrandom, user_at(ARENA - 8), 16, 0), -EFAULT);
    ck_assert_int_eq(SYS(sys_getrandom, user_at(ARENA - 300), 1000, 0), 256);
}
END_TEST

/* The program's own time, by each of the names that there are for it; and not that of anybody else. */
START_TEST(cpu_clocks)
{
    static const int32_t own[] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, -6, -14, -2, -10 };
    struct linux_timespec t;
    struct linux_rusage r;
    struct linux_tms ticks;
    uint64_t before = fake_now;

    fake_used = 3021000000;
    for (size_t i = 0; i < ARRAY_LENGTH(own); i++) {
        ck_assert_int_eq(SYS(sys_clock_gettime, (uint64_t)own[i], user_at(0)), 0);
        memcpy(&t, arena, sizeof(t));
        ck_assert(t.sec == 3 && t.ns == 21000000);
        ck_assert_int_eq(SYS(sys_clock_getres, (uint64_t)own[i], user_at(0)), 0);
        ck_assert_int_eq(SYS(sys_clock_nanosleep, (uint64_t)own[i], 0, user_at(0), 0), -EINVAL);
    }
    ck_assert_uint_eq(fake_now, before);
    ck_assert_int_eq(SYS(sys_clock_gettime, (uint64_t)-22, user_at(0)), -EINVAL);       /* of process 2 */
    ck_assert_int_eq(SYS(sys_getrusage, RUSAGE_SELF, user_at(0)), 0);
    memcpy(&r, arena, sizeof(r));
    ck_assert(r.utime.sec == 3 && r.utime.us == 21000 && r.stime.sec == 0);
    ck_assert_int_eq(SYS(sys_getrusage, RUSAGE_THREAD, user_at(0)), 0);
    ck_assert_int_eq(SYS(sys_getrusage, (uint64_t)RUSAGE_CHILDREN, user_at(0)), 0);
    memcpy(&r, arena, sizeof(r));
    ck_assert(r.utime.sec == 0 && r.utime.us == 0);
    ck_assert_int_eq(SYS(sys_getrusage, 2, user_at(0)), -EINVAL);
    ck_assert_int_eq(SYS(sys_times, user_at(0)), (int64_t)(fake_now / 10000000));
    memcpy(&ticks, arena, sizeof(ticks));
    ck_assert_int_eq(ticks.utime + ticks.stime, 302);
    ck_assert_int_eq(SYS(sys_times, 0), (int64_t)(fake_now / 10000000));
    ck_assert_int_eq(SYS(sys_times, user_at(ARENA)), -EFAULT);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("waiting");

    tcase_add_test(t, pipe_pieces);
    tcase_add_test(t, pipe_faults);
    tcase_add_test(t, time_outs);
    tcase_add_test(t, timers);
    tcase_add_test(t, wall_timers);
    tcase_add_test(t, turns);
    tcase_add_test(t, closing);
    tcase_add_test(t, wrong_numbers);
    tcase_add_test(t, cpu_clocks);
    return run_case("boot: waiting", t);
}
