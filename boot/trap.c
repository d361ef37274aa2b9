/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/trap.c - exceptions, system calls and events, as start.S brings them: who it was and whom it concerns. */
#include "boot/machine.h"

#define NMI 2u
#define PAGE_FAULT 14u
#define FLAG_INTERRUPTS 0x200ull                /* rflags.IF; PV: events are let in */

static const char *const names[] = {
    "division error", "debug exception", "NMI", "breakpoint", "overflow", "bound range", "invalid instruction",
    "no FPU", "double fault", "exception 9", "invalid TSS", "segment not present", "stack fault", "general protection",
    "page fault", "exception 15", "floating-point error", "alignment check", "machine check", "SIMD floating-point error",
    "virtualization exception", "control protection",
};

static bool from_program(const struct frame *f) { return (f->cs & 3) == 3; }

static const char *access_of(uint64_t error)
{
    return error & FAULT_FETCH ? "execute" : error & FAULT_WRITE ? "write" : "read";
}

static void page_fault(struct frame *f)
{
    uint64_t address = machine->fault_address();
    unsigned how = f->error & FAULT_FETCH ? USER_EXEC : f->error & FAULT_WRITE ? USER_WRITE : USER_READ;

    if (!from_program(f))
        panic_at(f, "the kernel tried to %s address %lx (error %lx)", access_of(f->error), address, f->error);
    switch (user_fault(address, how)) {
    case 0:
        break;
    case -ENOMEM:
        program_crashed(f, "out of memory: %lu kB, all in use, when it touched address %lx", pages_total() * 4, address);
    default:
        program_crashed(f, "it tried to %s address %lx", access_of(f->error), address);
    }
}

static unsigned long nmis, nmis_told;

HOT void nmi_tell(void)
{
    if (nmis == nmis_told)
        return;
    say("NMI (%lu so far): somebody asked for one (xl trigger), or the host has a fault; going on", nmis);
    nmis_told = nmis;
}

/* From dom0 (xl trigger), or the host's hardware by way of Xen. It comes whenever it likes, in the middle of say() too: what it
 * finds in the kernel it only leaves a note for, which events_run() reads. */
static void nmi(struct frame *f)
{
    nmis++;
    pvh_stay_awake(f);
    if (from_program(f))
        nmi_tell();
    else
        events_wake();
}

void trap(struct frame *f, uint64_t vector)
{
    const char *name = vector < ARRAY_LENGTH(names) ? names[vector] : "unknown exception";

    past_note(f, vector);
    if (vector == NMI)
        nmi(f);
    else if (vector == PAGE_FAULT)
        page_fault(f);
    else if (from_program(f))
        program_crashed(f, "%s (error %lx)", name, f->error);
    else
        panic_at(f, "%s in the kernel (error %lx)", name, f->error);
}

/* Either the program was running, then handlers run now; or machine_idle() waits: it returns with events masked. */
HOT void trap_event(struct frame *f)
{
    if (from_program(f))
        events_run();
    else
        f->rflags &= ~FLAG_INTERRUPTS;
}

HOT void trap_syscall(struct frame *f)
{
    events_run();
    system_call(f);
}

void user_enter(uint64_t rip, uint64_t rsp)
{
    struct frame f = {
        .rip = rip, .rsp = rsp, .rflags = FLAG_INTERRUPTS | 2, .cs = machine->program_cs, .ss = machine->program_ss,
    };

    machine->enter(&f);                         /* the next entry begins at the stack's top again */
    panic("the program is not entered");
}
