/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/net-inside.h - the process that lives in the VMs' network namespace, and what it is told and tells. */
#ifndef UNIK_DOM0_NET_INSIDE_H
#define UNIK_DOM0_NET_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <net/if.h>

#include "tools/unik-dom0/dom0.h"
#include "tools/unik-dom0/netlink.h"

#define NET_DNS_MAX 2                   /* addresses at which names are asked */
#define NET_MTU 1500

/* One VM's cable: what the VM has at its end, and we at ours. family 0: none. */
struct net_plan_vif {
    char name[IFNAMSIZ];
    uint8_t mac[6];                     /* the VM's: a permanent neighbour, it is never asked for */
    struct netlink_ip ip, gateway, ip6, gateway6;
};

struct net_plan {
    struct net_plan_vif vifs[DOM0_VMS_MAX];
    size_t n;
    struct netlink_ip dns[NET_DNS_MAX];
};

/* What comes back, in one packet, with the descriptors of n TAPs and NET_DNS_MAX UDP sockets on port 53. */
struct net_made {
    int error;                          /* 0 or a negative errno, and then no descriptors */
    bool user_namespace, no_ipv6;
    char what[160];                     /* what failed */
};

/* In a child: leaves for a new namespace, builds what the plan says, tells through fd, and stays until the other end of fd is
 * closed, as the namespace lives as long as somebody is in it. */
void net_inside(const struct net_plan *plan, int fd) __attribute__((noreturn));

#endif
