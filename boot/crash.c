/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/crash.c - the last words: what happened, registers, who called whom. Then the domain ends as crashed. */
#include "boot/image.h"
#include "boot/linux.h"
#include "boot/machine.h"

#define CALLS 24u                               /* most lines of a backtrace */
#define SCANNED 4096u                           /* bytes of the program's stack that are searched for callers */

static bool crashing;                           /* a crash while reporting one: no more than the domain's end */

/* Names of the program are known by the addresses of its ELF. */
static const char *function(enum image_part names, uint64_t address, uint64_t *distance)
{
    return image_name(&boot_image.part[names], address - (names == IMAGE_PROGRAM_NAMES ? boot.program_base : 0), distance);
}

static void name_of(enum image_part names, uint64_t address, char *out, size_t size)
{
    uint64_t distance = 0;
    const char *name = function(names, address, &distance);

    if (name)
        format(out, size, "%s+0x%lx", name, distance);
    else
        format(out, size, "?");
}

static void one_call(enum image_part names, uint64_t address)
{
    char name[120];

    name_of(names, address, name, sizeof(name));
    say("    %lx %s", address, name);
}

static bool in_kernel_stack(uint64_t a)
{
    return a >= ADDRESS(kernel_stack_guard) + PAGE && a + 16 <= ADDRESS(kernel_stack_top) && a % 8 == 0;
}

/* Frames linked through rbp: [rbp] the caller's rbp, [rbp + 8] where it goes on. Stops at anything odd. How many callers. */
static unsigned backtrace(enum image_part names, uint64_t rip, uint64_t rbp)
{
    unsigned n = 0;

    one_call(names, rip);
    for (; n < CALLS; n++) {
        uint64_t link[2];

        if (names == IMAGE_KERNEL_NAMES) {
            if (!in_kernel_stack(rbp))
                break;
            memcpy(link, (const void *)rbp, sizeof(link));
        } else if (rbp % 8 || user_peek(link, rbp, sizeof(link)) < 0) {
            break;
        }
        if (!link[1] || link[0] <= rbp)
            break;
        one_call(names, link[1] - 1);
        rbp = link[0];
    }
    return n;
}

/* Is there an instruction that calls, right before this address? call rel32, or call through a register or memory. */
static bool after_a_call(uint64_t address)
{
    uint8_t before[7];

    if (user_peek(before, address - sizeof(before), sizeof(before)) < 0)
        return false;
    if (before[2] == 0xe8)
        return true;
    for (unsigned length = 2; length <= 7; length++)
        if (before[7 - length] == 0xff && (before[8 - length] & 0x38) == 0x10)
            return true;
    return false;
}

/* Programs are mostly compiled without frame pointers: what on the stack looks like the way back into a function. */
static void scan_stack(uint64_t rsp)
{
    unsigned found = 0;
    uint64_t word;

    for (uint64_t at = rsp & ~7ull; at < rsp + SCANNED && found < CALLS; at += 8) {
        if (user_peek(&word, at, sizeof(word)) < 0)
            return;
        if (!function(IMAGE_PROGRAM_NAMES, word - 1, NULL) || !after_a_call(word))
            continue;
        if (found++ == 0)
            say("  perhaps called from, by what is on the stack:");
        one_call(IMAGE_PROGRAM_NAMES, word - 1);
    }
}

static void registers(const struct frame *f)
{
    say("  rip %016lx rsp %016lx rflags %08lx cs %lx", f->rip, f->rsp, f->rflags, f->cs & 0xffff);
    say("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    say("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
    say("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
    say("  r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
}

__attribute__((format(printf, 2, 0)))
static void message(const char *who, const char *how, va_list list)
{
    char line[256];

    if (crashing)
        power(POWER_CRASH);
    crashing = true;
    format_list(line, sizeof(line), how, list);
    say("%s%s", who, line);
}

void panic(const char *how, ...)
{
    va_list list;

    va_start(list, how);
    message("crash of the kernel: ", how, list);
    va_end(list);
    backtrace(IMAGE_KERNEL_NAMES, ADDRESS(__builtin_return_address(0)), ADDRESS(__builtin_frame_address(0)));
    past_tell();
    power(POWER_CRASH);
}

void panic_at(const struct frame *f, const char *how, ...)
{
    va_list list;

    va_start(list, how);
    message("crash of the kernel: ", how, list);
    va_end(list);
    registers(f);
    backtrace(IMAGE_KERNEL_NAMES, f->rip, f->rbp);
    past_tell();
    power(POWER_CRASH);
}

void program_crashed(const struct frame *f, const char *how, ...)
{
    va_list list;

    va_start(list, how);
    message("the program crashed: ", how, list);
    va_end(list);
    registers(f);
    if (boot.program_base)
        say("  the program lies at %lx: addr2line wants that taken off", boot.program_base);
    if (backtrace(IMAGE_PROGRAM_NAMES, f->rip, f->rbp) < 2)
        scan_stack(f->rsp);
    power(boot.on_failure);
}

void program_starved(uint64_t address)
{
    const struct frame *f = system_call_frame;

    if (f)
        program_crashed(f, "out of memory: %lu kB, all in use, when system call %lu needed address %lx", pages_total() * 4, f->rax,
                        address);
    say("out of memory: %lu kB, all in use, before the program has begun", pages_total() * 4);
    power(boot.on_failure);
}
