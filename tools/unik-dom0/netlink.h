/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/netlink.h - the few requests of rtnetlink(7) that give a card its address, routes and neighbours. */
#ifndef UNIK_DOM0_NETLINK_H
#define UNIK_DOM0_NETLINK_H

#include <stddef.h>
#include <stdint.h>

/* An IPv4 address (4 bytes) or an IPv6 address (16 bytes), as on the wire. */
struct netlink_ip {
    int family;                         /* AF_INET, AF_INET6 */
    uint8_t bytes[16];
};

/* Text to address. 0 or -EINVAL. */
int netlink_ip(const char *text, struct netlink_ip *ip);

/* A socket of the network namespace that the process is in; close() it. Or a negative errno. */
int netlink_open(void);

/* Each waits for the kernel's answer: 0 or a negative errno. Addresses and routes are for this one address (/32, /128). */
int netlink_up(int fd, unsigned ifindex);
int netlink_address(int fd, unsigned ifindex, const struct netlink_ip *ip);
int netlink_route(int fd, unsigned ifindex, const struct netlink_ip *to);
int netlink_neighbour(int fd, unsigned ifindex, const struct netlink_ip *ip, const uint8_t mac[6]);

#endif
