/* SPDX-License-Identifier: BSD-2-Clause */
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
    note XEN_ELFNOTE_PHYS32_ENTRY, .long pvh_entry - VIRT_BASE
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

    .globl pv_event, pv_failsafe, pv_syscall
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

    .pushsection .text.entry, "ax"
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
    .popsection

    .globl pv_enter
pv_enter:                                       /* rdi: struct frame */
    movq %rdi, %rsp
    jmp pv_return

/* ---- PVH: begins in 32-bit mode without paging, ebx: where hvm_start_info is ---- */

#define PHYSICAL(symbol) (symbol - VIRT_BASE)
#define TABLE 0x23                              /* present, writable, accessed */
#define LEAF 0x63                               /* ... and dirty */
#define LARGE 0x80
#define CR4_PAE 0x20
#define CR0 0x80010023                          /* paging, write protection also for us, FPU errors, FPU, protection */
#define EFER 0xc0000080
#define EFER_BITS 0x901                         /* no-execute, long mode, syscall */
#define KERNEL_CS 0x08                          /* pvh.c has the whole table */
#define KERNEL_DS 0x10
#define PROGRAM_DS 0x23
#define PROGRAM_CS 0x2b

    .code32
    .globl pvh_entry
pvh_entry:
    cld
    /* The first 2 MB, with the kernel, in small pages; 1 GB in large ones. Twice: where we are, and where we are linked. */
    movl $PHYSICAL(pvh_l1), %edi
    movl $LEAF, %eax
    movl $512, %ecx
1:  movl %eax, (%edi)
    addl $4096, %eax
    addl $8, %edi
    loop 1b
    movl $PHYSICAL(pvh_l2), %edi
    movl $(PHYSICAL(pvh_l1) + TABLE), (%edi)
    movl $(0x200000 + LEAF + LARGE), %eax
    movl $511, %ecx
1:  addl $8, %edi
    movl %eax, (%edi)
    movl $0x80000000, 4(%edi)                   /* not executable */
    addl $0x200000, %eax
    loop 1b
    movl $(PHYSICAL(pvh_l2) + TABLE), PHYSICAL(pvh_l3_low)
    movl $(PHYSICAL(pvh_l2) + TABLE), PHYSICAL(pvh_l3_high) + 8 * 510
    movl $(PHYSICAL(pvh_l3_low) + TABLE), PHYSICAL(pvh_l4)
    movl $(PHYSICAL(pvh_l3_high) + TABLE), PHYSICAL(pvh_l4) + 8 * 511
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $PHYSICAL(pvh_l4), %eax
    movl %eax, %cr3
    movl $EFER, %ecx
    movl $EFER_BITS, %eax
    xorl %edx, %edx
    wrmsr
    movl $CR0, %eax
    movl %eax, %cr0
    lgdt PHYSICAL(boot_gdt_pointer)
    ljmp $KERNEL_CS, $PHYSICAL(2f)

    .code64
2:  movabsq $3f, %rax
    jmp *%rax
3:  movl $KERNEL_DS, %eax
    movl %eax, %ss
    movl %eax, %ds
    movl %eax, %es
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    leaq kernel_stack_top(%rip), %rsp
    movl %ebx, %edi
    xorl %ebp, %ebp
    call pvh_start
    ud2

    .pushsection .rodata
    .balign 8
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer:
    .word 3 * 8 - 1
    .long PHYSICAL(boot_gdt)
    .popsection

    .pushsection .bss
    .balign 4096
    .globl pvh_l1, pvh_l2, pvh_l3_low, pvh_l3_high, pvh_l4, pvh_trouble_stack, pvh_nmi_stack
pvh_l1:
    .skip 4096
pvh_l2:
    .skip 4096
pvh_l3_low:
    .skip 4096
pvh_l3_high:
    .skip 4096
pvh_l4:
    .skip 4096
    .skip 4096
pvh_trouble_stack:                              /* top of the stack for double faults and machine checks */
    .skip 4096
pvh_nmi_stack:                                  /* top of the one for NMIs */
    .popsection

.macro pvh_stub vector, has_error
    .balign 16
pvh_trap_\vector:
    .if \has_error == 0
    pushq $0
    .endif
    pushq %rcx
    pushq %r11
    pushq %rax
    movl $\vector, %eax
    jmp pvh_trap
.endm
    per_vector pvh_stub

pvh_trap:
    push_rest
    movq %rsp, %rdi
    movl %eax, %esi
    call trap
pvh_return:
    pop_rest
    popq %rax
    popq %r11
    popq %rcx
    addq $8, %rsp
    iretq

    .globl pvh_event, pvh_syscall
    .balign 16
pvh_event:
    pushq $0
    pushq %rcx
    pushq %r11
    pushq %rax
    push_rest
    movq %rsp, %rdi
    call pvh_event_trap
    jmp pvh_return

    .pushsection .text.entry, "ax"
    .balign 16
pvh_syscall:                                    /* rcx = rip and r11 = rflags of the program; no stack of ours yet */
    movq %rsp, pvh_program_rsp(%rip)
    leaq kernel_stack_top(%rip), %rsp
    pushq $PROGRAM_DS
    pushq pvh_program_rsp(%rip)
    pushq %r11
    pushq $PROGRAM_CS
    pushq %rcx
    pushq $0
    pushq %rcx
    pushq %r11
    pushq %rax
    push_rest
    movq %rsp, %rdi
    call trap_syscall
    pop_rest
    popq %rax
    addq $24, %rsp
    popq %rcx                                   /* rip: below 512 GB, where the program's half ends, so sysret cannot fault */
    addq $8, %rsp
    popq %r11
    popq %rsp
    sysretq
    .popsection

    .globl pvh_enter
pvh_enter:                                      /* rdi: struct frame */
    movq %rdi, %rsp
    jmp pvh_return

/* Sleeps until an event. One that comes before hlt is seen at hlt: pvh.c then moves rip behind it. */
    .globl pvh_sleep, pvh_hlt, pvh_after_hlt
pvh_sleep:
    sti
pvh_hlt:
    hlt
pvh_after_hlt:
    cli
    ret

    .pushsection .bss
    .balign 8
pvh_program_rsp:
    .skip 8
    .popsection

/* ---- tables for C ---- */

    .section .rodata
    .balign 8
.macro pointers vector, has_error
    .quad pv_trap_\vector, pvh_trap_\vector
.endm
    .globl trap_stubs
trap_stubs:                                     /* for each vector: PV, PVH */
    per_vector pointers

/* The kernel's stack, with a page below it that is never mapped (memory.c). */
    .section .stack, "aw", @nobits
    .balign 4096
    .globl kernel_stack_guard, kernel_stack_top
kernel_stack_guard:
    .skip 4096
    .skip 16384 - 256                           /* its last page has room for the hottest variables too (kernel.ld) */
kernel_stack_top:

    .section .note.GNU-stack, "", @progbits
