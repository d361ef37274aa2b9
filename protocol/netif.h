/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/netif.h - the ring entries between a network front end and its back end (xen/io/netif.h, in our words), and the values
 * that both keep in xenstore. Pure functions: no I/O, no state.
 *
 * A ring is one page: four indexes (u32, free running), then 256 entries from byte 64 on. The back end's half of it is hostile:
 * whoever decodes an entry has copied it out of the page before, once.
 */
#ifndef PROTOCOL_NETIF_H
#define PROTOCOL_NETIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETIF_RING_SIZE 256u            /* entries of a page, of either kind */
#define NETIF_RING_ENTRIES 64u          /* where they begin */
#define NETIF_TX_ENTRY 12u              /* bytes from one entry to the next: the larger of request and response */
#define NETIF_RX_ENTRY 8u
#define NETIF_PAGE 4096u                /* offset + size of a slot stay within it */
#define NETIF_SLOTS_MAX 18u             /* data slots of one packet that every back end takes */
#define NETIF_PACKET_MAX 65535u
#define NETIF_ETHERNET 14u              /* bytes of header: the least that the first slot holds */

/* Where the indexes are. */
enum netif_index { NETIF_REQ_PROD = 0, NETIF_REQ_EVENT = 4, NETIF_RSP_PROD = 8, NETIF_RSP_EVENT = 12 };

/* The checksum flags differ by direction. */
enum netif_tx_flag { NETIF_TX_BLANK = 1, NETIF_TX_VALIDATED = 2, NETIF_TX_MORE = 4, NETIF_TX_EXTRA = 8 };
enum netif_rx_flag { NETIF_RX_VALIDATED = 1, NETIF_RX_BLANK = 2, NETIF_RX_MORE = 4, NETIF_RX_EXTRA = 8, NETIF_RX_PREFIX = 16 };

enum netif_status { NETIF_DROPPED = -2, NETIF_ERROR = -1, NETIF_OKAY = 0, NETIF_NULL = 1 };

/* In the first slot of a packet, size is the whole packet's; in the others, the slot's. */
struct netif_tx_request { uint32_t ref; uint16_t offset, flags, id, size; };
struct netif_tx_response { uint16_t id; int16_t status; };
struct netif_rx_request { uint16_t id; uint32_t ref; };
struct netif_rx_response { uint16_t id, offset, flags; int16_t status; };      /* status: bytes in this slot, or enum netif_status */

/* An entry that takes a slot of its own after the first of a packet, in either ring. */
enum netif_extra_type { NETIF_EXTRA_GSO = 1, NETIF_EXTRA_MCAST_ADD = 2, NETIF_EXTRA_MCAST_DEL = 3, NETIF_EXTRA_HASH = 4,
                        NETIF_EXTRA_XDP = 5 };
enum netif_gso { NETIF_GSO_TCP4 = 1, NETIF_GSO_TCP6 = 2 };
struct netif_extra {
    uint8_t type;
    bool more;                          /* another one follows */
    uint16_t gso_size;                  /* NETIF_EXTRA_GSO: payload of each packet on the wire, not 0 */
    uint8_t gso_type;
};

void netif_encode_tx_request(uint8_t entry[NETIF_TX_ENTRY], const struct netif_tx_request *r);
void netif_encode_tx_response(uint8_t entry[NETIF_TX_ENTRY], const struct netif_tx_response *r);
void netif_encode_rx_request(uint8_t entry[NETIF_RX_ENTRY], const struct netif_rx_request *r);
void netif_encode_rx_response(uint8_t entry[NETIF_RX_ENTRY], const struct netif_rx_response *r);
void netif_encode_extra(uint8_t entry[NETIF_RX_ENTRY], const struct netif_extra *x);

void netif_decode_tx_request(const uint8_t entry[NETIF_TX_ENTRY], struct netif_tx_request *r);
void netif_decode_tx_response(const uint8_t entry[NETIF_TX_ENTRY], struct netif_tx_response *r);
void netif_decode_rx_request(const uint8_t entry[NETIF_RX_ENTRY], struct netif_rx_request *r);
void netif_decode_rx_response(const uint8_t entry[NETIF_RX_ENTRY], struct netif_rx_response *r);
/* 0; -EINVAL: a type of no known kind, or segmentation of no known kind or into pieces of 0 bytes. more is valid in any case. */
int netif_decode_extra(const uint8_t entry[NETIF_RX_ENTRY], struct netif_extra *x);

/* ---- values in xenstore: decimal numbers, and a MAC address as 00:16:3e:5e:6c:00 ---- */

/* 0, or -EINVAL for what is not a decimal number of at most most. */
int netif_number(const char *value, size_t len, uint32_t most, uint32_t *out);
/* 0, or -EINVAL; one that no card can have (all zero, a group's) is refused too. */
int netif_mac(const char *value, size_t len, uint8_t mac[6]);

#endif
