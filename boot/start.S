/* boot/start.S - the entries: Xen starts us here, and traps, events and system calls arrive here.
 *
 * Both kinds of guest build the same struct frame (kernel.h) on the one kernel stack and go on in C. They differ in what is
 * on the stack already, and in how one goes back:
 *   PV   Xen pushes rcx, r11, [error code], rip, cs, rflags, rsp, ss; back by the hypercall iret, which wants exactly the
 *        end of our frame.
 *   PVH  the processor pushes [error code], rip, cs, rflags, rsp, ss; back by iretq, from a system call by sysretq.
 */
#define __ASSEMBLY__ 1
#include <xen/xen.h>
#include <xen/elfnote.h>

/* Where the kernel is linked, minus where it lies in the domain's memory. */
#define VIRT_BASE 0xffffffff80000000
#define IRET 23                                 /* __HYPERVISOR_iret */

/* ---- notes: what the domain builder reads ---- */

.macro note type, data:vararg
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  \data
2:  .balign 4
.endm

    .pushsection .note.Xen, "a", @note
    note XEN_ELFNOTE_GUEST_OS, .asciz "unik"
    note XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
    note XEN_ELFNOTE_LOADER, .asciz "generic"
    note XEN_ELFNOTE_PAE_MODE, .asciz "yes"
    note XEN_ELFNOTE_VIRT_BASE, .quad VIRT_BASE
    note XEN_ELFNOTE_PADDR_OFFSET, .quad 0
    note XEN_ELFNOTE_ENTRY, .quad pv_entry
    note XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
    .popsection

    .text
    .balign 4096
    .globl hypercall_page
hypercall_page:
    .fill 4096, 1, 0xcc                         /* Xen's; a call before it is filled stops */

/* ---- the frame ---- */

/* rcx and r11 lie on the stack where rax belongs behind: after this, rsp is a struct frame and eax the vector. */
.macro push_rest
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    xorl %ebp, %ebp                             /* a backtrace ends here */
    cld
.endm

.macro pop_rest
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
.endm

/* Does this vector come with an error code? */
.macro per_vector name
    \name 0, 0
    \name 1, 0
    \name 2, 0
    \name 3, 0
    \name 4, 0
    \name 5, 0
    \name 6, 0
    \name 7, 0
    \name 8, 1
    \name 9, 0
    \name 10, 1
    \name 11, 1
    \name 12, 1
    \name 13, 1
    \name 14, 1
    \name 15, 0
    \name 16, 0
    \name 17, 1
    \name 18, 0
    \name 19, 0
    \name 20, 0
    \name 21, 1
.endm

/* ---- PV ---- */

    .globl pv_entry
pv_entry:                                       /* rsi: start_info; on the boot stack, events masked */
    cld
    leaq kernel_stack_top(%rip), %rsp
    movq %rsi, %rdi
    xorl %ebp, %ebp
    call pv_start
    ud2

.macro pv_stub vector, has_error
    .balign 16
pv_trap_\vector:
    popq %rcx
    popq %r11
    .if \has_error == 0
    pushq $0
    .endif
    pushq %rcx
    pushq %r11
    pushq %rax
    movl $\vector, %eax
    jmp pv_trap
.endm
    per_vector pv_stub

pv_trap:
    push_rest
    movq %rsp, %rdi
    movl %eax, %esi
    call trap
pv_return:
    pop_rest
    movq $0, 24(%rsp)                           /* frame.error: now the flags of iret */
    movl $IRET, %eax
    syscall
    ud2

    .globl pv_event, pv_failsafe, pv_syscall, pv_sysenter
    .balign 16
pv_event:
    popq %rcx
    popq %r11
    pushq $0
    pushq %rcx
    pushq %r11
    pushq %rax
    push_rest
    movq %rsp, %rdi
    call trap_event
    jmp pv_return

pv_failsafe:                                    /* only bad segment selectors lead here; we load none */
    ud2

    .balign 16
pv_syscall:                                     /* rcx = rip and r11 = rflags of the program: what syscall does */
    popq %rcx
    popq %r11
    pushq $0
    pushq %rcx
    pushq %r11
    pushq %rax
    push_rest
    movq %rsp, %rdi
    call trap_syscall
    pop_rest
    movq $VGCF_in_syscall, 24(%rsp)
    movl $IRET, %eax
    syscall
    ud2

/* ---- the first time in the program: user_enter(frame) ---- */

    .globl return_to_program
return_to_program:
    movq %rdi, %rsp
    jmp pv_return

/* ---- tables for C ---- */

    .section .rodata
    .balign 8
.macro pv_pointer vector, has_error
    .quad pv_trap_\vector
.endm
    .globl pv_traps
pv_traps:
    per_vector pv_pointer

/* The kernel's stack, with a page below it that is never mapped (memory.c). */
    .section .stack, "aw", @nobits
    .balign 4096
    .globl kernel_stack_guard, kernel_stack_top
kernel_stack_guard:
    .skip 4096
    .skip 16384
kernel_stack_top:

    .section .note.GNU-stack, "", @progbits
