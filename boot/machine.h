/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/machine.h - what differs between a PV and a PVH guest, and nothing else does: pv.c and pvh.c each fill this in. */
#ifndef BOOT_MACHINE_H
#define BOOT_MACHINE_H

#include "boot/hypercall.h"
#include "boot/kernel.h"
#include "boot/x86.h"

#define VIRT_BASE 0xffffffff80000000ul          /* the kernel: where its physical address 0 is (kernel.ld) */
#define DIRECT 0xffff880000000000ul             /* the domain's memory in one piece, for what page_alloc() gives */
#define ENTRIES 512u                            /* of one page table */

struct machine {
    /* The number that page tables and other domains use for the frame of a page (of the kernel's image or of page_alloc()),
     * and the way back, only for frames of page_alloc(). */
    uint64_t (*frame)(const void *page);
    void *(*page)(uint64_t frame);

    /* Page tables of the program. A new one is filled first, then made one (PV: it becomes read-only), then hooked into its
     * parent. */
    void (*table_begin)(void *page);
    void (*table_hook)(uint64_t *entry, uint64_t value);
    /* A leaf of the program changes. Takes effect at leaf_flush() at the latest. */
    void (*leaf)(uint64_t address, uint64_t *entry, uint64_t value);
    void (*leaf_flush)(void);

    /* A foreign page into the program: entry is its leaf, empty. */
    int (*foreign_map)(uint64_t address, uint64_t *entry, domid_t domid, grant_ref_t ref, bool readonly, grant_handle_t *handle);
    int (*foreign_unmap)(uint64_t address, uint64_t *entry, grant_handle_t handle);
    /* Frames of the grant table, Xen's, appear in the kernel's image at a page of .bss. */
    int (*grant_frame)(unsigned index, void *at);

    uint64_t program_cs, program_ss;            /* selectors the program runs with */
    void (*enter)(struct frame *f);             /* to the program with these registers; does not return (start.S) */
    void (*set_fs)(uint64_t base);
    uint64_t (*fault_address)(void);
    /* Lets events in and sleeps until one came; back with events masked. */
    void (*idle)(void);
};
extern const struct machine machine_pv, machine_pvh;
extern const struct machine *machine;           /* the one of the two that was booted (main.c) */

/* What the two tell the common part, before kernel_main(). */
struct machine_start {
    uint64_t *user_root;                        /* the level-3 table of the program's half, for paging.c */
    struct shared_info *shared;                 /* NULL until it is there */
    uint64_t shared_frame;                      /* its frame, as page tables have it */
    struct xencons_interface *console;          /* NULL without */
    uint32_t console_port;
    struct xenstore_domain_interface *store;    /* NULL without */
    uint32_t store_port;
};
extern struct machine_start machine_start;
/* main.c: finds the image, which lies within `space` bytes from image_start on. Needs the console only. */
void find_image(size_t space);
_Noreturn void kernel_main(void);

/* From the linker script: page boundaries, and the image behind the kernel. */
extern uint8_t text_start[], rodata_start[], data_start[], image_start[];
extern uint8_t kernel_stack_guard[], kernel_stack_top[];

/* memory.c: pages of the direct map, free from now on. */
void memory_add(void *first, size_t pages);
/* Some of them there are not. */
void memory_hole(void *first, size_t pages);

/* start.S: where each exception goes, PV and PVH. */
#define VECTORS 22u
extern const uint64_t trap_stubs[VECTORS][2];

/* Called by start.S. */
_Noreturn void pv_start(struct start_info *si);
_Noreturn void pvh_start(uint64_t start_info);
void pvh_event_trap(struct frame *f);
void pvh_stay_awake(struct frame *f);           /* what came just before hlt ends the sleep that has not begun */
void nmi_tell(void);                            /* trap.c: of NMIs that came while the kernel was busy */
void trap(struct frame *f, uint64_t vector);
void trap_event(struct frame *f);
void trap_syscall(struct frame *f);
void pv_enter(struct frame *f);
void pvh_enter(struct frame *f);

struct image;
extern struct image boot_image;                 /* main.c: the parts of the image, no bytes where there is none */

bool events_pending(void);                      /* event.c: events_run() would find something */
void events_wake(void);                         /* event.c: as if an event had come; safe at any time, from an NMI too */
void console_drain(void);                       /* console.c: waits a little until dom0 has read everything */
/* past.c: an exception, for the ring of the last; and that ring, in a report. */
void past_note(const struct frame *f, uint64_t vector);
void past_tell(void);

/* crash.c: panic() with the registers of a trap in the kernel. */
_Noreturn void panic_at(const struct frame *f, const char *how, ...) __attribute__((format(printf, 2, 3)));

/* Begins of the parts, called by kernel_main(). */
void console_init(void);
void event_init(void);
void time_init(void);
void xenbus_init(void);
void grant_init(void);

#endif
