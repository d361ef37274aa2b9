/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/vdso/clock.c - the clocks without a system call, in the program's own code: what boot/time.c does, on the same page shared
 * with Xen. Linked alone (vdso.ld), and no part of the kernel. */
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include "boot/abi.h"
#include "boot/errno.h"
#include "boot/vdso/vdso.h"
#include "boot/x86.h"

#define EXPORT __attribute__((visibility("default")))
#define SECOND 1000000000ull
#define SYS_clock_gettime 228

/* In front of the file: vdso.ld. */
extern struct vdso_own vdso_own;
extern const volatile struct shared_info vdso_shared;

int __vdso_clock_gettime(int32_t clock, struct linux_timespec *t);
int __vdso_gettimeofday(struct linux_timeval *t, uint64_t *zone);
int64_t __vdso_time(int64_t *t);

/* The time may go on elsewhere while we look: another version, again. */
static uint64_t monotonic(void)
{
    const volatile struct vcpu_time_info *i = &vdso_shared.vcpu_info[0].time;
    uint64_t now, delta;
    uint32_t version;

    do {
        version = i->version;
        barrier();
        delta = rdtsc() - i->tsc_timestamp;
        delta = i->tsc_shift < 0 ? delta >> -i->tsc_shift : delta << i->tsc_shift;
        now = i->system_time + (uint64_t)((unsigned __int128)delta * i->tsc_to_system_mul >> 32);
        barrier();
    } while ((version & 1) || version != i->version);
    if (now < vdso_own.latest)
        return vdso_own.latest;
    return vdso_own.latest = now;
}

static uint64_t wall(void)
{
    uint64_t at;
    uint32_t version;

    do {
        version = vdso_shared.wc_version;
        barrier();
        at = ((uint64_t)vdso_shared.wc_sec_hi << 32 | vdso_shared.wc_sec) * SECOND + vdso_shared.wc_nsec;
        barrier();
    } while ((version & 1) || version != vdso_shared.wc_version);
    return at + monotonic() + (uint64_t)*(volatile int64_t *)&vdso_own.wall_offset;
}

static int ask_kernel(int32_t clock, struct linux_timespec *t)
{
    int64_t result = SYS_clock_gettime;

    __asm__ volatile("syscall" : "+a"(result) : "D"((int64_t)clock), "S"(t) : "rcx", "r11", "memory");
    return (int)result;
}

EXPORT int __vdso_clock_gettime(int32_t clock, struct linux_timespec *t)
{
    uint64_t ns;

    switch (clock) {
    case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: ns = wall(); break;
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW: case CLOCK_MONOTONIC_COARSE: case CLOCK_BOOTTIME: ns = monotonic(); break;
    default: return ask_kernel(clock, t);
    }
    t->sec = (int64_t)(ns / SECOND);
    t->ns = (int64_t)(ns % SECOND);
    return 0;
}

EXPORT int __vdso_gettimeofday(struct linux_timeval *t, uint64_t *zone)
{
    uint64_t ns = wall();

    if (t) {
        t->sec = (int64_t)(ns / SECOND);
        t->us = (int64_t)(ns % SECOND / 1000);
    }
    if (zone)
        *zone = 0;
    return 0;
}

EXPORT int64_t __vdso_time(int64_t *t)
{
    int64_t now = (int64_t)(wall() / SECOND);

    if (t)
        *t = now;
    return now;
}
