/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/xen/floor.S - the smallest PV guest: it writes one line on its console and waits for ever. What it takes from xl create
 * to that line is what Xen and its tools take; nobody can be faster.
 *
 *   cc -nostdlib -static -Wl,--build-id=none,-Ttext-segment=0xffffffff80100000 -o floor floor.S
 */
#define BASE 0xffffffff80000000         /* where the first page of its memory is mapped */
#define M2P 0xffff800000000000          /* Xen's table: frame number of the machine -> of the guest */
/* start_info */
#define CONSOLE_FRAME 72
#define CONSOLE_PORT 80
/* the console's page */
#define OUT 1024
#define OUT_PROD 3084
/* hypercalls */
#define SCHED_OP 29
#define POLL 3
#define EVENT_CHANNEL_OP 32
#define SEND 4

.macro note type value
        .long 4, 8, \type
        .asciz "Xen"
        .quad \value
.endm
.macro words type text
        .long 4, 8, \type
        .asciz "Xen"
        .ascii "\text"
.endm
        .section .note.Xen, "a", @note
        words 6 "floor\0\0\0"           /* GUEST_OS */
        words 5 "xen-3.0\0"             /* XEN_VERSION */
        words 8 "generic\0"             /* LOADER */
        words 9 "yes\0\0\0\0\0"         /* PAE_MODE */
        note 3 BASE                     /* VIRT_BASE */
        note 4 BASE                     /* PADDR_OFFSET: the file's physical addresses are its virtual ones */
        note 1 _start                   /* ENTRY */

        .text
        .globl _start
_start:                                 /* rsi: start_info; rsp: a stack; events are masked */
        mov     CONSOLE_FRAME(%rsi), %rax
        movabs  $M2P, %rbx
        mov     (%rbx, %rax, 8), %rdi
        shl     $12, %rdi
        add     $BASE, %rdi             /* the console's page */
        mov     CONSOLE_PORT(%rsi), %eax
        push    %rax
        mov     %rdi, %rbx
        add     $OUT, %rdi
        lea     line(%rip), %rsi
        mov     $(end - line), %ecx
        rep movsb
        mfence                          /* the line, then the index that says it is there */
        movl    $(end - line), OUT_PROD(%rbx)
        mov     $EVENT_CHANNEL_OP, %eax
        mov     $SEND, %edi
        mov     %rsp, %rsi              /* { u32 port } */
        syscall
        push    $0                      /* { ports, nr_ports 0, timeout 0 }: until somebody destroys us */
        push    $0
        push    $0
again:  mov     $SCHED_OP, %eax
        mov     $POLL, %edi
        mov     %rsp, %rsi
        syscall
        jmp     again

line:   .ascii  "floor: here\r\n"
end:
        .section .note.GNU-stack, "", @progbits
