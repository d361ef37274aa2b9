/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/paging.h - the program's page tables: user.c decides what is where, paging.c puts it there. */
#ifndef BOOT_PAGING_H
#define BOOT_PAGING_H

#include "boot/machine.h"

/* The leaf of an address, or NULL: without create, there is no table for it; with, no memory. */
uint64_t *paging_leaf(uint64_t address, bool create);
/* Makes page appear at address, with rights PTE_*. 0 or -ENOMEM. There is nothing yet. */
int paging_set(uint64_t address, const void *page, uint64_t rights);
/* The same for a frame that is no page of page_alloc() or of the image. */
int paging_set_frame(uint64_t address, uint64_t frame, uint64_t rights);
/* New zeroed pages from address on, where nothing is yet, up to end (the first has its table), to the first that is there or to the
 * end of free memory: at once, which costs hardly more than one. -ENOMEM: not even one. */
int paging_fill(uint64_t address, uint64_t end, uint64_t rights);
/* All of [start, end) goes; frames are freed unless they are PTE_KEPT. */
void paging_clear(uint64_t start, uint64_t end);
/* What is there in [start, end) gets these rights; 0: it is put aside, unreachable, and comes back with other rights. Cannot fail:
 * for rights 0 paging_prepare_hiding() has made the tables, or said -ENOMEM while nothing was changed yet. */
void paging_protect(uint64_t start, uint64_t end, uint64_t rights);
int paging_prepare_hiding(uint64_t start, uint64_t end);
/* Moves what is there or put aside, page by page, to a place where nothing is; paging_prepare_move() comes before, as above. */
void paging_move(uint64_t from, uint64_t to, uint64_t length);
int paging_prepare_move(uint64_t from, uint64_t to, uint64_t length);
/* How many pages that are the mapping's own are there or put aside. */
size_t paging_owned(uint64_t start, uint64_t end);

#endif
