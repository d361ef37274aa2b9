/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/logic.h - what can be decided from plain values: names, sizes, indexes, states
 * (doc/protocol/vchan.md, 2 and 3).
 * No I/O; everything that comes from the other domain is hostile. */
#ifndef VCHAN_XEN_LOGIC_H
#define VCHAN_XEN_LOGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unik/vchan.h>

#define VCHAN_XEN_PATH_MAX 64           /* "/local/domain/32751/data/vchan/32751/4294967295/event-channel" */
#define VCHAN_XEN_DOMID_LAST 0x7fef     /* public/xen.h: DOMID_FIRST_RESERVED comes next */
#define VCHAN_XEN_PAGE 4096u
#define VCHAN_XEN_ORDER_SMALL 10        /* ring inside the shared page, at 1024 */
#define VCHAN_XEN_ORDER_LARGE 11        /* ... at 2048 */
#define VCHAN_XEN_ORDER_PAGES 12        /* from here on in pages of its own */
#define VCHAN_XEN_ORDER_MAX 20
#define VCHAN_XEN_PAGES_MAX 512         /* of both rings */

/* Names. leaf: "ring-ref", "event-channel", or NULL for the folder of both. peer's folder: port < 0. */
void vchan_xen_server_path(char path[VCHAN_XEN_PATH_MAX], int client, long long port, const char *leaf);
void vchan_xen_client_path(char path[VCHAN_XEN_PATH_MAX], int server, int client, unsigned port, const char *leaf);

/* A leaf's value: decimal, 1 to 2^31-1. 0: it is none (empty, not there yet, or nonsense). */
uint32_t vchan_xen_number(const char *value, size_t len);

/* The ring orders that a server chooses for these sizes, read and write as seen from it. */
void vchan_xen_orders(size_t read_min, size_t write_min, int *read, int *write);
/* Pages that a ring of this order has for itself. */
unsigned vchan_xen_pages(int order);
/* Can a client use a page that says these orders? NULL, or why not. */
const char *vchan_xen_bad_orders(unsigned left, unsigned right);

/* Bytes in a ring. -1: the indexes are impossible. */
long vchan_xen_used(uint32_t prod, uint32_t cons, int order);

/* What the live byte that the peer writes says about a channel that was in `state`. */
struct vchan_xen_look {
    enum unik_vchan_state state;
    bool opened;                        /* a waiting server's client came, be it that it has gone since */
    const char *why;                    /* disconnected */
};
struct vchan_xen_look vchan_xen_look(bool server, enum unik_vchan_state state, unsigned live);

/* When a domain was released: is the peer of this channel gone? port_status: EVTCHNOP_status of our port, or a negative
 * errno if it cannot be asked; exists: whether Xen still knows a domain of that number. */
bool vchan_xen_peer_gone(enum unik_vchan_state state, int port_status, bool exists);

#endif
