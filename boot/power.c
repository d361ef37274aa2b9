/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/power.c - the ends of a domain. */
#include "boot/machine.h"

void power(enum power how)
{
    struct sched_shutdown op = {.reason = how};

    console_drain();
    for (;;)
        xen_sched(SCHEDOP_shutdown, &op);
}

void program_ended(int code)
{
    if (code == 0)
        power(POWER_OFF);
    say("the program ended with exit code %d", code);
    power(boot.on_failure);
}
