/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/past.c - the last exceptions: told with a crash of the kernel, and otherwise found in the memory of a dead domain that
 * is kept (tests/xen/dom0.sh, by the symbol). Most are harmless: memory that the program touched for the first time. */
#include "boot/machine.h"

#define PAST 16u

/* Read by tests/xen/lacking.c too; it knows it by its name. On one page. */
static struct {
    char name[32];
    uint64_t n;                                 /* so far; the newest is at (n - 1) % PAST */
    struct {
        uint64_t vector, error, rip, rsp, cr2;
    } last[PAST];
} past __attribute__((aligned(1024))) = { .name = "unik: last exceptions" };

void past_note(const struct frame *f, uint64_t vector)
{
    unsigned at = past.n++ % PAST;

    past.last[at].vector = vector;
    past.last[at].error = f->error;
    past.last[at].rip = f->rip;
    past.last[at].rsp = f->rsp;
    past.last[at].cr2 = machine->fault_address();
}

void past_tell(void)
{
    say("  the last of %lu exceptions, the newest first:", past.n);
    for (uint64_t i = 0; i < PAST && i < past.n; i++) {
        unsigned at = (past.n - 1 - i) % PAST;

        say("    exception %lu error %lx rip %lx rsp %lx cr2 %lx", past.last[at].vector, past.last[at].error, past.last[at].rip,
            past.last[at].rsp, past.last[at].cr2);
    }
}
