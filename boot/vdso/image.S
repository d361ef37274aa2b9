/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/vdso/image.S - the linked file as a page of the kernel's constants, of which the program gets a mapping. */
    .section .rodata.vdso, "a", @progbits
    .balign 4096
    .globl vdso_image
vdso_image:
    .incbin "boot/vdso/vdso.so"
    .balign 4096

    .section .note.GNU-stack, "", @progbits
