/* boot/crash.c - the last words: what happened, registers, who called whom. Then the domain ends as crashed. */
#include "boot/image.h"
#include "boot/machine.h"

#define CALLS 24u                               /* most lines of a backtrace */

static bool crashing;                           /* a crash while reporting one: no more than the domain's end */

static void name_of(enum image_part names, uint64_t address, char *out, size_t size)
{
    uint64_t distance = 0;
    const char *name = image_name(&boot_image.part[names], address, &distance);

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

/* Frames linked through rbp: [rbp] the caller's rbp, [rbp + 8] where it goes on. Stops at anything odd. */
static void backtrace(enum image_part names, uint64_t rip, uint64_t rbp)
{
    one_call(names, rip);
    for (unsigned i = 0; i < CALLS; i++) {
        uint64_t link[2];

        if (names == IMAGE_KERNEL_NAMES) {
            if (!in_kernel_stack(rbp))
                return;
            memcpy(link, (const void *)rbp, sizeof(link));
        } else if (rbp % 8 || user_in(link, rbp, sizeof(link)) < 0) {
            return;
        }
        if (!link[1] || link[0] <= rbp)
            return;
        one_call(names, link[1] - 1);
        rbp = link[0];
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
    power(POWER_CRASH);
}

void program_crashed(const struct frame *f, const char *how, ...)
{
    va_list list;

    va_start(list, how);
    message("the program crashed: ", how, list);
    va_end(list);
    registers(f);
    backtrace(IMAGE_PROGRAM_NAMES, f->rip, f->rbp);
    power(boot.on_failure);
}
