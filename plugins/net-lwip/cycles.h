/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/cycles.h - lwIP's cyclic timers (cycles.c), for clock.c. Times are in milliseconds of a clock that only goes on. */
#ifndef CYCLES_H
#define CYCLES_H

#include "stack.h"

void cycles_start(uint64_t now);
void cycles_pass(const struct stack *n, uint64_t now);  /* make older what only grows old; calls nobody back */
void cycles_run(const struct stack *n, uint64_t now);   /* ... and do what is due */
uint64_t cycles_due(const struct stack *n);             /* when that will be; 0: never */
void cycles_tcp(void);                                  /* a connection has changed: the next tick looks at all of them */

#endif
