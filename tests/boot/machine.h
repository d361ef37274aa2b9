/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/machine.h - the machine half of the kernel, played: pages from malloc(), the program's memory as one array, a clock
 * that stands still until somebody waits. */
#ifndef TESTS_BOOT_MACHINE_H
#define TESTS_BOOT_MACHINE_H

#include "boot/linux.h"

#define ARENA 262144u
extern uint8_t arena[ARENA];        /* the program's memory: the only addresses user_in() and user_out() take */
extern uint64_t fake_now, fake_used, fake_wall;        /* ns */
extern size_t pages_out;            /* given out and not back */
extern size_t pages_most;           /* page_alloc() gives no more than that */
extern char last_said[512];
extern const char *fake_option;     /* what follows "kernel.random=" on the command line; NULL without */
extern const char *fake_tmp;        /* the same of "kernel.tmp=" */
extern size_t fake_seed;            /* length of what dom0 left in xenstore */
extern unsigned seeds_taken;        /* how often it was asked for */

/* What was mapped with USER_FIXED_NEW, and where brk() begins. */
struct fake_map { uint64_t address, length; unsigned prot; size_t file; };
extern struct fake_map fake_maps[16];
extern size_t fake_maps_n;
extern uint64_t fake_brk;

/* Address of a place in the arena. */
static inline uint64_t user_at(size_t offset) { return (uint64_t)(uintptr_t)(arena + offset); }
/* Copies a string there; its address. */
uint64_t user_put(size_t offset, const char *text);

/* A system call by its function, with up to six arguments. */
#define SYS(function, ...) function((const uint64_t[6]){ __VA_ARGS__ })

/* ends.c: what panic() says when this function calls it; NULL if it does not. */
const char *ends_with(void (*f)(void));

/* Building archives: appends an entry, returns the new size. */
size_t cpio_put(uint8_t *to, size_t at, const char *name, uint32_t mode, const void *content, size_t n);
size_t cpio_put_link(uint8_t *to, size_t at, const char *name, uint32_t ino, uint32_t nlink, const void *content, size_t n);

#endif
