/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/text.c - addresses as text. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "stack.h"

/* lwIP's own parser takes hexadecimal and short forms too: the system's is stricter. */
bool text_address(const char *text, ip_addr_t *to)
{
    uint8_t bytes[16];

    memset(to, 0, sizeof(*to));
    if (inet_pton(AF_INET, text, bytes) == 1) {
        IP_SET_TYPE(to, IPADDR_TYPE_V4);
        memcpy(&ip_2_ip4(to)->addr, bytes, 4);
        return true;
    }
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    IP_SET_TYPE(to, IPADDR_TYPE_V6);
    memcpy(ip_2_ip6(to)->addr, bytes, 16);
    return true;
}

unsigned text_roles(const ip_addr_t *address)
{
    return IP_IS_V6(address) ? admit_roles6((const uint8_t *)ip_2_ip6(address)->addr) : admit_roles4((const uint8_t *)&ip_2_ip4(address)->addr);
}

void text_plain(const ip_addr_t *address, char text[UNIK_NET_ADDRESS_MAX])
{
    text[0] = 0;
    if (IP_IS_V6(address))
        inet_ntop(AF_INET6, ip_2_ip6(address)->addr, text, UNIK_NET_ADDRESS_MAX);
    else
        ip4addr_ntoa_r(ip_2_ip4(address), text, UNIK_NET_ADDRESS_MAX);      /* for each datagram: inet_ntop() takes longer than all of lwIP */
}

void text_peer(const ip_addr_t *address, unsigned port, char text[STACK_PEER_MAX])
{
    char name[INET6_ADDRSTRLEN] = "?";

    if (IP_IS_V6(address)) {
        inet_ntop(AF_INET6, ip_2_ip6(address)->addr, name, sizeof(name));
        snprintf(text, STACK_PEER_MAX, "[%s]:%u", name, port);
    } else {
        inet_ntop(AF_INET, &ip_2_ip4(address)->addr, name, sizeof(name));
        snprintf(text, STACK_PEER_MAX, "%s:%u", name, port);
    }
}
