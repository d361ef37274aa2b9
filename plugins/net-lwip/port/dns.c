/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/port/dns.c - lwIP's dns.c, and a look at its table, which is static there. */
#include "core/dns.c"

/* Is a name being asked for? Then dns_tmr() asks again, or gives up. */
int net_lwip_dns_waits(void)
{
    for (int i = 0; i < DNS_TABLE_SIZE; i++)
        if (dns_table[i].state == DNS_STATE_NEW || dns_table[i].state == DNS_STATE_ASKING)
            return 1;
    return 0;
}

/* Answers that are kept grow older by so many seconds, as dns_tmr() would make them. */
void net_lwip_dns_age(unsigned seconds)
{
    for (int i = 0; i < DNS_TABLE_SIZE; i++)
        if (dns_table[i].state == DNS_STATE_DONE) {
            dns_table[i].ttl -= dns_table[i].ttl < seconds ? dns_table[i].ttl : seconds;
            if (dns_table[i].ttl == 0)
                dns_table[i].state = DNS_STATE_UNUSED;
        }
}
