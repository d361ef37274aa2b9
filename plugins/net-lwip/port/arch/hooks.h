/* plugins/net-lwip/port/arch/hooks.h - questions that lwIP asks us. */
#ifndef UNIK_LWIP_HOOKS_H
#define UNIK_LWIP_HOOKS_H

#include "lwip/ip_addr.h"
#include "lwip/netif.h"

/* random.c: the first sequence number of a connection. Addresses and ports as lwIP keeps them. */
u32_t net_lwip_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote, u16_t remote_port);

/* config.c: the router to an address beyond the link; NULL: none. */
const ip6_addr_t *net_lwip_gateway6(struct netif *netif, const ip6_addr_t *to);

#endif
