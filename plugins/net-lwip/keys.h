/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/keys.h - addresses from QubesDB; see keys.c. */
#ifndef KEYS_H
#define KEYS_H

#include "stack.h"

void keys_watch(struct stack *n);
void keys_unwatch(struct stack *n);
void keys_read4(struct stack *n, struct stack_addresses *to);   /* fills in what is there */
void keys_read6(struct stack *n, struct stack_addresses *to);

#endif
