/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's clock (boot/time.c) and the program's (boot/vdso/clock.c), on one page shared with Xen and one time-stamp counter,
 * both played: they say the same, whatever Xen's parameters are, and never go back. */
#include "boot/machine.h"

static uint64_t counter;
static void (*while_reading)(void);             /* as if Xen wrote between two reads */

static uint64_t fake_rdtsc(void)
{
    void (*once)(void) = while_reading;

    while_reading = NULL;
    if (once)
        once();
    return counter;
}

/* What Xen says of how long the domain has run. */
static uint64_t run_for;

static long fake_vcpu(unsigned op, void *arg)
{
    struct vcpu_runstate_info info = { .state = RUNSTATE_running, .time = { run_for, 50, 60, 70 } };

    if (op == VCPUOP_get_runstate_info)
        memcpy(arg, &info, sizeof(info));
    return 0;
}

#define rdtsc fake_rdtsc
#define xen_vcpu fake_vcpu
#include "boot/time.c"
#undef SECOND
#include "boot/vdso/clock.c"
#include <check.h>
#include <stdlib.h>
#include "tests/common/run.h"

struct vdso_own vdso_own;
static struct shared_info page;
extern const volatile struct shared_info vdso_shared __attribute__((alias("page")));
struct machine_start machine_start = { .shared = &page };
const uint8_t hypercall_page[PAGE];
const struct machine *machine;

bool events_pending(void) { return false; }
void events_run(void) { }
void event_unmask(uint32_t port) { (void)port; }
int64_t event_virq(uint32_t virq, event_handler *handler, void *arg) { (void)virq, (void)handler, (void)arg; return 1; }
void panic(const char *how, ...) { (void)how; abort(); }

static void set(uint64_t stamp, uint64_t ns, uint32_t multiply, int8_t shift)
{
    page.vcpu_info[0].time = (struct vcpu_time_info){ .version = page.vcpu_info[0].time.version + 2, .tsc_timestamp = stamp,
        .system_time = ns, .tsc_to_system_mul = multiply, .tsc_shift = shift };
}

static uint64_t programs(int32_t clock)
{
    struct linux_timespec t;

    ck_assert_int_eq(__vdso_clock_gettime(clock, &t), 0);
    ck_assert_int_ge(t.ns, 0);
    ck_assert_int_lt(t.ns, 1000000000);
    return (uint64_t)t.sec * 1000000000 + (uint64_t)t.ns;
}

static void setup(void)
{
    latest = vdso_own.latest = 0;
    wall_offset = 0;
    memset(&page, 0, sizeof(page));
    time_publish(&vdso_own.wall_offset);
}

START_TEST(known)
{
    counter = 5000;
    set(1000, 7000, 0x80000000, 1);             /* one tick is a nanosecond */
    ck_assert_uint_eq(time_monotonic(), 11000);
    ck_assert_uint_eq(programs(CLOCK_MONOTONIC), 11000);
    set(1000, 70000, 0x80000000, -1);           /* a quarter */
    ck_assert_uint_eq(programs(CLOCK_BOOTTIME), 71000);
    page.wc_sec = 0xfffffff0;
    page.wc_sec_hi = 1;
    page.wc_nsec = 999999999;
    ck_assert_uint_eq(programs(CLOCK_REALTIME), 0x1fffffff0ull * 1000000000 + 999999999 + 71000);
}
END_TEST

START_TEST(the_same)
{
    uint64_t seed = 1, before = 0;

    for (unsigned i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        counter += seed >> 40;
        if (i % 16 == 0)
            set(counter - (seed >> 50), before + (seed >> 45), (uint32_t)(seed >> 20) | 0x80000000u, (int8_t)((seed >> 33) % 9) - 4);
        if (i % 100 == 0) {
            page.wc_sec = (uint32_t)(seed >> 32);
            page.wc_nsec = (uint32_t)(seed >> 8) % 1000000000;
            page.wc_version += 2;
        }
        if (i % 1000 == 0)
            time_set_wall(seed >> 2);
        ck_assert_uint_eq(programs(i % 2 ? CLOCK_MONOTONIC : CLOCK_MONOTONIC_RAW), time_monotonic());
        ck_assert_uint_eq(programs(CLOCK_REALTIME), time_wall());
        ck_assert_uint_ge(time_monotonic(), before);
        before = time_monotonic();
    }
}
END_TEST

START_TEST(never_back)
{
    counter = 1000;
    set(1000, 500, 0x80000000, 1);
    ck_assert_uint_eq(programs(CLOCK_MONOTONIC), 500);
    set(1000, 400, 0x80000000, 1);              /* Xen measures its own clock anew */
    ck_assert_uint_eq(programs(CLOCK_MONOTONIC), 500);
    counter += 200;
    ck_assert_uint_eq(programs(CLOCK_MONOTONIC), 600);
}
END_TEST

static void moved(void)
{
    counter = 40;                               /* another processor's, which began later */
    set(10, 9000, 0x80000000, 1);
}

START_TEST(moved_while_reading)
{
    counter = 1000;
    set(1000, 5000, 0x80000000, 1);
    while_reading = moved;
    ck_assert_uint_eq(programs(CLOCK_MONOTONIC), 9030);
    counter = 1000;
    set(1000, 5000, 0x80000000, 1);
    while_reading = moved;
    ck_assert_uint_eq(time_monotonic(), 9030);
}
END_TEST

START_TEST(set_by_the_program)
{
    struct linux_timeval t = { 0, 0 };
    int64_t seconds = 0;
    uint64_t zone = 77;

    counter = 1000;
    set(1000, 5000, 0x80000000, 1);
    page.wc_sec = 1000;
    time_set_wall(1700000000123456789);
    ck_assert_uint_eq(programs(CLOCK_REALTIME), 1700000000123456789);
    ck_assert_uint_eq(programs(CLOCK_REALTIME_COARSE), 1700000000123456789);
    ck_assert_int_eq(__vdso_gettimeofday(&t, &zone), 0);
    ck_assert_int_eq(t.sec, 1700000000);
    ck_assert_int_eq(t.us, 123456);
    ck_assert_uint_eq(zone, 0);
    ck_assert_int_eq(__vdso_gettimeofday(NULL, NULL), 0);
    ck_assert_int_eq(__vdso_time(&seconds), 1700000000);
    ck_assert_int_eq(seconds, 1700000000);
    ck_assert_int_eq(__vdso_time(NULL), 1700000000);
    page.wc_sec = 1010;                         /* dom0 sets Xen's clock: ours goes with it */
    page.wc_version += 2;
    ck_assert_uint_eq(programs(CLOCK_REALTIME), 1700000010123456789);
    ck_assert_uint_eq(time_wall(), 1700000010123456789);
}
END_TEST

START_TEST(cpu_time)
{
    run_for = 1234567;
    ck_assert_uint_eq(time_used(), 1234567);
    run_for = 1234560;                          /* measured anew */
    ck_assert_uint_eq(time_used(), 1234567);
    run_for = 2000000;
    ck_assert_uint_eq(time_used(), 2000000);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("clock");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, known);
    tcase_add_test(t, the_same);
    tcase_add_test(t, never_back);
    tcase_add_test(t, moved_while_reading);
    tcase_add_test(t, set_by_the_program);
    tcase_add_test(t, cpu_time);
    return run_case("boot: clocks", t);
}
