/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/time.c - clocks from the page shared with Xen, one one-shot timer, and waiting. There are no ticks. */
#include "boot/machine.h"

#define SECOND 1000000000ull

static uint64_t latest;                         /* the monotonic clock was this late already */
static uint64_t used;                           /* so was the CPU time */
static int64_t wall_offset;                     /* ours, added to Xen's wall clock */
static int64_t *published;                      /* the program's copy of it */
static uint64_t wall_changes;
static uint64_t armed = NEVER;                  /* when the timer will fire */

/* Nanoseconds of Xen's system time: its last value, and what the time-stamp counter has gone on since, as 64 bits times a
 * fraction of 32 (xen.h, struct vcpu_time_info). An odd or changed version: Xen was writing, again. */
static uint64_t system_time(void)
{
    const volatile struct vcpu_time_info *t = &machine_start.shared->vcpu_info[0].time;
    uint64_t time, delta;
    uint32_t version;

    do {
        version = t->version;
        barrier();
        delta = rdtsc() - t->tsc_timestamp;
        delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
        time = t->system_time + (uint64_t)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
        barrier();
    } while ((version & 1) || version != t->version);
    return time;
}

uint64_t time_monotonic(void)
{
    uint64_t now = system_time();

    if (now > latest)
        latest = now;
    return latest;
}

/* Xen's wall clock is the moment at which system time was 0. */
static uint64_t xen_wall(void)
{
    const volatile struct shared_info *s = machine_start.shared;
    uint64_t at;
    uint32_t version;

    do {
        version = s->wc_version;
        barrier();
        at = ((uint64_t)s->wc_sec_hi << 32 | s->wc_sec) * SECOND + s->wc_nsec;
        barrier();
    } while ((version & 1) || version != s->wc_version);
    return at + time_monotonic();
}

uint64_t time_wall(void) { return xen_wall() + (uint64_t)wall_offset; }

void time_set_wall(uint64_t ns)
{
    wall_offset = (int64_t)(ns - xen_wall());
    wall_changes++;
    if (published)
        *published = wall_offset;
}

void time_publish(int64_t *at)
{
    published = at;
    *published = wall_offset;
}

/* Xen counts it: neither sleep nor what other domains take of the processor belongs to it. */
uint64_t time_used(void)
{
    struct vcpu_runstate_info info;

    if (xen_vcpu(VCPUOP_get_runstate_info, &info) < 0)
        panic("Xen does not say how long we have run");
    if (info.time[RUNSTATE_running] > used)
        used = info.time[RUNSTATE_running];
    return used;
}

uint64_t time_wall_changes(void) { return wall_changes; }

static void on_timer(void *arg, uint32_t port)
{
    (void)arg;
    (void)port;
    armed = NEVER;
}

/* The timer fires at this time or before; arming it costs a hypercall, so an earlier one that is armed already is kept: who
 * wakes too early looks at the clock and waits again. */
static void arm(uint64_t deadline)
{
    struct vcpu_set_singleshot_timer op = {.timeout_abs_ns = deadline};

    if (deadline >= INT64_MAX || (armed <= deadline && armed > latest))
        return;
    if (xen_vcpu(VCPUOP_set_singleshot_timer, &op) < 0)
        panic("Xen refuses a timer");
    armed = deadline;
}

bool wait_until(uint64_t deadline)
{
    if (events_pending()) {
        events_run();
        return true;
    }
    if (deadline != NEVER) {
        if (time_monotonic() >= deadline)
            return false;
        arm(deadline);
    }
    machine->idle();
    events_run();
    return true;
}

void time_init(void)
{
    int64_t port;

    xen_vcpu(VCPUOP_stop_periodic_timer, NULL);
    port = event_virq(VIRQ_TIMER, on_timer, NULL);
    if (port < 0)
        panic("Xen gives us no timer: error %ld", (long)-port);
    event_unmask((uint32_t)port);
}
