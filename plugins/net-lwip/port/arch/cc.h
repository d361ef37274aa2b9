/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/port/arch/cc.h - lwIP's view of the compiler and the machine. */
#ifndef UNIK_LWIP_CC_H
#define UNIK_LWIP_CC_H

#include <stdint.h>
#include <stddef.h>

#define LWIP_TIMEVAL_PRIVATE 0
#define LWIP_NO_CTYPE_H 0
#define LWIP_PROVIDE_ERRNO 0
#define LWIP_ERRNO_STDINCLUDE 1

unsigned net_lwip_random(void);                         /* random.c */
uint16_t net_lwip_sum(const void *bytes, int n);        /* checksum.c */
/* lwIP has found its own state broken: going on would be worse than the end. net-lwip.c */
void net_lwip_assert(const char *what, const char *file, int line) __attribute__((noreturn));

#define LWIP_RAND() net_lwip_random()
#define lwip_htons(x) __builtin_bswap16(x)
#define lwip_htonl(x) __builtin_bswap32(x)
#define LWIP_PLATFORM_DIAG(x) do { } while (0)
#define LWIP_PLATFORM_ASSERT(x) net_lwip_assert(x, __FILE__, __LINE__)

#endif
