/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/syscall.c - system calls by their number. */
#include "boot/linux.h"

#define NUMBERS 512u

static system_call_fn *const table[NUMBERS] = {
#define CALL(number, function) [number] = function,
#include "boot/calls.h"
#undef CALL
};

struct frame *system_call_frame HOT_DATA;

/* Said once for each number, so that a program that tries again does not fill the log. */
static int64_t unknown(uint64_t number)
{
    static uint64_t said[NUMBERS / 64];
    static bool said_others;

    if (number >= NUMBERS) {
        if (!said_others)
            say("unknown system call %lu: ENOSYS (others above %u are not said)", (unsigned long)number, NUMBERS);
        said_others = true;
    } else if (!(said[number / 64] >> number % 64 & 1)) {
        said[number / 64] |= 1ull << number % 64;
        say("unknown system call %lu: ENOSYS (said once)", (unsigned long)number);
    }
    return -ENOSYS;
}

HOT void system_call(struct frame *f)
{
    const uint64_t a[6] = { f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9 };
    uint64_t number = f->rax;

    system_call_frame = f;
    f->rax = (uint64_t)(number < NUMBERS && table[number] ? table[number](a) : unknown(number));
}
