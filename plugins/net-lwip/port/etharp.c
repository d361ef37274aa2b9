/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/port/etharp.c - lwIP's etharp.c, and a look at its table, which is static there. */
#include "core/ipv4/etharp.c"

/* Is somebody being asked for? Then etharp_tmr() asks again, or gives up. */
int net_lwip_arp_waits(void)
{
    for (int i = 0; i < ARP_TABLE_SIZE; i++)
        if (arp_table[i].state == ETHARP_STATE_PENDING)
            return 1;
    return 0;
}
