/* SPDX-License-Identifier: BSD-2-Clause */
/* figures - what the kernel below costs a program: one line each, nanoseconds, the best of some rounds.
 *   null      a system call that does nothing (getppid)
 *   fault     the first touch of a page of new memory
 *   clock     clock_gettime, however libc does it
 *   epoll     epoll_wait with something ready
 * Runs as the first process of a guest too, and then powers off.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/init.h"

#define ROUNDS 7
#define CALLS 500
#define PAGES 256

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int ready;       /* an epoll descriptor with something to tell */

static void null_calls(void)
{
    for (int i = 0; i < CALLS; i++)
        syscall(SYS_getppid);
}

static void clock_calls(void)
{
    for (int i = 0; i < CALLS; i++)
        now();
}

static void epoll_calls(void)
{
    struct epoll_event e;

    for (int i = 0; i < CALLS; i++)
        epoll_wait(ready, &e, 1, -1);
}

static void measure(const char *name, void (*work)(void))
{
    double best = 0;

    for (int i = 0; i < ROUNDS; i++) {
        double t = now();

        work();
        t = now() - t;
        if (i == 0 || t < best)
            best = t;
    }
    printf("figure %s %.0f\n", name, best / CALLS);
}

static void faults(void)
{
    double best = 0;

    for (int i = 0; i < ROUNDS; i++) {
        volatile char *at = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        double t = now();

        if (at == MAP_FAILED) {
            puts("figure fault: no memory");
            return;
        }
        for (int k = 0; k < PAGES; k++)
            at[k * 4096] = 1;
        t = now() - t;
        if (i == 0 || t < best)
            best = t;
        munmap((void *)(uintptr_t)at, PAGES * 4096);
    }
    printf("figure fault %.0f\n", best / PAGES);
}

int main(void)
{
    struct epoll_event e = { .events = EPOLLIN };
    int event = eventfd(1, 0);

    init_begin();
    setvbuf(stdout, NULL, _IOLBF, 0);
    ready = epoll_create1(0);
    epoll_ctl(ready, EPOLL_CTL_ADD, event, &e);
    measure("null", null_calls);
    faults();
    measure("clock", clock_calls);
    measure("epoll", epoll_calls);
    puts("figures: all");
    init_end(UNIK_POWEROFF);
    return 0;
}
