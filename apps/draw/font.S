/* SPDX-License-Identifier: BSD-2-Clause */
/* The font file, as its package brings it. */
    .section .rodata
    .balign 16
    .globl unik_draw_font_file, unik_draw_font_end
    .hidden unik_draw_font_file, unik_draw_font_end
unik_draw_font_file:
    .incbin UNIK_FONT
unik_draw_font_end:
    .byte 0
    .section .note.GNU-stack, "", @progbits
