/* SPDX-License-Identifier: BSD-2-Clause */
/* An NMI is said and survived, whoever it interrupts (boot/trap.c, boot/event.c): in the program at once, in the kernel, which may
 * be in the middle of a line, at the next look for events. Other exceptions stay what they were. The last 16 of all are kept
 * (boot/past.c). */
#include "boot/trap.c"
#include "boot/event.c"
#include "boot/past.c"
#include <check.h>
#include <setjmp.h>
#include <stdlib.h>
#include "tests/common/run.h"

#define KERNEL_CS 0x08u
#define PROGRAM_CS 0x2bu

const uint8_t hypercall_page[PAGE];
static uint64_t fault_address(void) { return 0xdead; }
static const struct machine fake = { .program_cs = PROGRAM_CS, .fault_address = fault_address };
const struct machine *machine = &fake;
static struct shared_info page;
struct machine_start machine_start = { .shared = &page };

static unsigned said, awake, handled;
static jmp_buf ended;

void say(const char *how, ...) { (void)how; said++; }
void panic(const char *how, ...) { (void)how; abort(); }
void panic_at(const struct frame *f, const char *how, ...) { (void)f, (void)how; longjmp(ended, 1); }
void program_crashed(const struct frame *f, const char *how, ...) { (void)f, (void)how; longjmp(ended, 2); }
int user_fault(uint64_t address, unsigned how) { (void)address, (void)how; return -EFAULT; }
size_t pages_total(void) { return 1; }
void system_call(struct frame *f) { (void)f; }
void pvh_stay_awake(struct frame *f) { (void)f; awake++; }
static void on_event(void *arg, uint32_t port) { (void)arg, (void)port; handled++; }

static void setup(void)
{
    memset(&page, 0, sizeof(page));
    said = awake = handled = 0;
    event_init();
}

START_TEST(in_the_program)
{
    struct frame f = { .cs = PROGRAM_CS, .rip = 0x400000, .rax = 7, .rflags = 0x202 }, before = f;

    trap(&f, NMI);
    ck_assert_uint_eq(said, 1);
    ck_assert_mem_eq(&f, &before, sizeof(f));
    trap_syscall(&f);
    ck_assert_uint_eq(said, 1);
}
END_TEST

START_TEST(in_the_kernel)
{
    struct frame f = { .cs = KERNEL_CS, .rflags = 0x2 }, program = { .cs = PROGRAM_CS };

    trap(&f, NMI);
    trap(&f, NMI);
    ck_assert_uint_eq(said, 0);                 /* it may be saying something just now */
    ck_assert_uint_eq(awake, 2);
    ck_assert(events_pending());                /* who waits looks again */
    trap_syscall(&program);
    ck_assert_uint_eq(said, 1);
    ck_assert(!events_pending());
    trap_syscall(&program);
    ck_assert_uint_eq(said, 1);
}
END_TEST

/* The note does not cost an event. */
START_TEST(with_an_event)
{
    struct frame f = { .cs = KERNEL_CS }, program = { .cs = PROGRAM_CS };

    event_handle(5, on_event, NULL);
    event_unmask(5);
    page.evtchn_pending[0] = 1 << 5;
    page.vcpu_info[0].evtchn_pending_sel = 1;
    page.vcpu_info[0].evtchn_upcall_pending = 1;
    trap(&f, NMI);
    trap_event(&program);
    ck_assert_uint_eq(handled, 1);
    ck_assert_uint_eq(said, 1);
}
END_TEST

START_TEST(before_there_are_events)
{
    struct frame f = { .cs = KERNEL_CS };

    shared = NULL;
    trap(&f, NMI);
    ck_assert_uint_eq(said, 0);
    event_init();
    page.vcpu_info[0].evtchn_upcall_pending = 1;
    events_run();
    ck_assert_uint_eq(said, 1);
}
END_TEST

START_TEST(others)
{
    struct frame kernel = { .cs = KERNEL_CS }, program = { .cs = PROGRAM_CS };
    volatile int how = setjmp(ended);

    if (how == 0)
        trap(&kernel, 8);
    ck_assert_int_eq(how, 1);
    how = setjmp(ended);
    if (how == 0)
        trap(&program, 6);
    ck_assert_int_eq(how, 2);
}
END_TEST

static void crash(uint64_t i)
{
    struct frame f = { .cs = PROGRAM_CS, .rip = 0x1000 + i, .rsp = 0x2000 + i, .error = i };

    if (setjmp(ended) == 0)
        trap(&f, i == 19 ? 6 : 13);
}

START_TEST(the_last_are_kept)
{
    uint64_t before = past.n;

    for (uint64_t i = 0; i < 20; i++)
        crash(i);
    ck_assert_uint_eq(past.n - before, 20);
    for (uint64_t i = 0; i < PAST; i++) {
        uint64_t at = (past.n - 1 - i) % PAST, which = 19 - i;

        ck_assert_uint_eq(past.last[at].vector, i == 0 ? 6 : 13);
        ck_assert_uint_eq(past.last[at].error, which);
        ck_assert_uint_eq(past.last[at].rip, 0x1000 + which);
        ck_assert_uint_eq(past.last[at].rsp, 0x2000 + which);
        ck_assert_uint_eq(past.last[at].cr2, 0xdead);
    }
    said = 0;
    past_tell();
    ck_assert_uint_eq(said, 1 + PAST);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("trap");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, in_the_program);
    tcase_add_test(t, in_the_kernel);
    tcase_add_test(t, with_an_event);
    tcase_add_test(t, before_there_are_events);
    tcase_add_test(t, others);
    tcase_add_test(t, the_last_are_kept);
    return run_case("boot: traps", t);
}
