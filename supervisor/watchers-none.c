/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/watchers-none.c - in a static program, and in tests: libev is called without us, nothing is known of watchers. */
#include "supervisor/watchers.h"

void watchers_suspend(struct unit *u) { (void)u; }
void watchers_resume(struct unit *u, bool stopped) { (void)u, (void)stopped; }

int watchers_left(struct unit *u)
{
    (void)u;
    return 0;
}
