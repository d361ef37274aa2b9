/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/port/lwipopts.h - what of lwIP is built, and its sizes. Each value that is not lwIP's own default is here.
 *
 * One thread, no operating system layer, the raw interface. Memory comes from pools.c, which takes the place of lwIP's memp.c:
 * the MEMP_NUM_ values below are upper limits, nothing is set aside for them. */
#ifndef UNIK_LWIPOPTS_H
#define UNIK_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS 0                   /* cycles.c runs them */
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_RAW 0
#define LWIP_STATS 1
#define LWIP_STATS_DISPLAY 0
#define MEM_STATS 0
#define MEMP_STATS 0
#define SYS_STATS 0
#define LWIP_STATS_LARGE 1
#define MIB2_STATS 1

/* ---- memory: pools.c ---- */
#define MEM_LIBC_MALLOC 1
#include "arch/memory.h"
#define mem_clib_malloc net_lwip_take
#define mem_clib_calloc net_lwip_take_zeroed
#define mem_clib_free net_lwip_give
#define MEM_ALIGNMENT 16
#define MEMP_NUM_TCP_PCB 65535          /* less: option max-connections, see pools.c */
#define MEMP_NUM_TCP_PCB_LISTEN 64
#define MEMP_NUM_TCP_SEG 32768
#define MEMP_NUM_UDP_PCB 160            /* the apps' (UDP_MAX) and those of DNS and DHCP */
#define MEMP_NUM_PBUF 65535
#define MEMP_NUM_REASSDATA 8
#define MEMP_NUM_FRAG_PBUF 256
#define MEMP_NUM_ND6_QUEUE 8
#define PBUF_POOL_SIZE 192              /* only its sanity check wants them: frames come as custom pbufs, see card.c */
#define PBUF_POOL_BUFSIZE 1664
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define PBUF_LINK_HLEN 16               /* Ethernet's 14, so that IP headers that we make are aligned */

/* ---- Ethernet, ARP, IPv4 ---- */
#define LWIP_IPV4 1
#define LWIP_ARP 1
#define ARP_TABLE_SIZE 32
#define ARP_QUEUEING 0                  /* one packet waits for each answer, not a list */
#define ETHARP_TRUST_IP_MAC 0
#define ETHARP_SUPPORT_STATIC_ENTRIES 1
#define LWIP_ICMP 1
#define LWIP_BROADCAST_PING 0
#define LWIP_MULTICAST_PING 0
#define IP_FORWARD 0
#define IP_OPTIONS_ALLOWED 0            /* source routing and the like: dropped */
#define IP_REASSEMBLY 1
#define IP_FRAG 1
#define IP_REASS_MAX_PBUFS 96           /* all datagrams together: two of 65,535 bytes in fragments of 1,500 */
#define IP_REASS_MAXAGE 5               /* seconds */
#define LWIP_IGMP 0
#define LWIP_AUTOIP 0
#define LWIP_DHCP 1
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define LWIP_ACD 0
#define LWIP_DHCP_PROVIDE_NTP_SERVERS 0
#define LWIP_NETIF_HOSTNAME 0
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_LOOPBACK 1           /* to our own address: netif_poll() in each turn */
#define LWIP_LOOPBACK_MAX_PBUFS 128
#define LWIP_HAVE_LOOPIF 0
#define LWIP_SINGLE_NETIF 1
#define LWIP_NETIF_TX_SINGLE_PBUF 0

/* ---- IPv6: addresses are given, never made from advertisements ---- */
#define LWIP_IPV6 1
#define LWIP_IPV6_MLD 0
#define LWIP_IPV6_AUTOCONFIG 0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0
#define LWIP_IPV6_DHCP6 0
#define LWIP_IPV6_FORWARD 0
#define LWIP_IPV6_REASS 1
#define LWIP_IPV6_FRAG 1
#define IPV6_FRAG_COPYHEADER 1          /* pointers of 64 bits do not fit into the header of a fragment */
#define LWIP_ND6_NUM_NEIGHBORS 16
#define LWIP_ND6_NUM_DESTINATIONS 16
#define LWIP_ND6_NUM_PREFIXES 2
#define LWIP_ND6_NUM_ROUTERS 2
#define LWIP_ND6_ALLOW_RA_UPDATES 0     /* nobody on the link changes our MTU */
#define LWIP_ND6_QUEUEING 1
#define LWIP_ND6_TCP_REACHABILITY_HINTS 0

/* ---- UDP, DNS ---- */
#define LWIP_UDP 1
#define LWIP_UDPLITE 0
#define LWIP_DNS 1
#define DNS_TABLE_SIZE 32               /* names asked for at a time, or kept */
#define DNS_MAX_REQUESTS DNS_TABLE_SIZE
#define DNS_MAX_SERVERS 2
#define DNS_MAX_NAME_LENGTH 256
#define LWIP_DNS_SUPPORT_MDNS_QUERIES 0
/* Only random ports and ids protect against forged answers, and these take one port a query. */
#define LWIP_DNS_SECURE (LWIP_DNS_SECURE_RAND_XID | LWIP_DNS_SECURE_NO_MULTIPLE_OUTSTANDING | LWIP_DNS_SECURE_RAND_SRC_PORT)

/* ---- TCP ---- */
#define LWIP_TCP 1
#define TCP_MSS 8960                    /* at most: the MTU decides */
#define TCP_CALCULATE_EFF_SEND_MSS 1
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3
#define TCP_WND (256 * 1024)            /* bytes on the way to us, or with us and not read */
#define TCP_SND_BUF (512 * 1024)        /* less: option output-buffer, see stream.c */
#define TCP_SND_QUEUELEN 4096           /* pbufs */
#define TCP_SNDLOWAT 16384
#define TCP_QUEUE_OOSEQ 1
#define LWIP_TCP_SACK_OUT 1
#define TCP_OOSEQ_MAX_BYTES TCP_WND     /* of each connection */
#define TCP_OOSEQ_MAX_PBUFS 128
#define TCP_OVERSIZE 0                  /* we write by reference */
#define SO_REUSE 1
#define TCP_LISTEN_BACKLOG 0            /* listen.c counts the half-open connections of all listeners */
#define LWIP_TCP_PCB_NUM_EXT_ARGS 1
#define LWIP_TCP_KEEPALIVE 1
#define TCP_TMR_INTERVAL 50             /* ms: the unit of lwIP's timers. At its default of 250 the shortest RTO is 1.5 s */
#define LWIP_TCP_RTO_TIME 1000          /* ms, before a round trip was measured: RFC 6298 */
#define TCP_MSL 15000                   /* ms; TIME-WAIT is twice that */
#define LWIP_RANDOMIZE_INITIAL_LOCAL_PORTS 1

/* ---- checksums: what the card does not do; card.c sets the flags of the netif ---- */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHECKSUM_ON_COPY 0
#define LWIP_CHKSUM net_lwip_sum

#define LWIP_HOOK_FILENAME "arch/hooks.h"
#define LWIP_HOOK_TCP_ISN net_lwip_isn
#define LWIP_HOOK_TCP_INPACKET_PCB net_lwip_segment
#define LWIP_HOOK_ND6_GET_GW net_lwip_gateway6

#endif
