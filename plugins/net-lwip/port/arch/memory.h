/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/port/arch/memory.h - lwIP's heap is pools.c. */
#ifndef UNIK_LWIP_MEMORY_H
#define UNIK_LWIP_MEMORY_H

#include <stddef.h>

void *net_lwip_take(size_t size);
void *net_lwip_take_zeroed(size_t n, size_t size);
void net_lwip_give(void *p);

#endif
