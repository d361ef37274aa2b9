/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-xen/logic.c - names, sizes, indexes, states. */
#include <stdio.h>
#include "plugins/vchan-xen/logic.h"

#define LIVE_GONE 0
#define LIVE_THERE 1
#define LIVE_NOBODY_YET 2
#define STATUS_INTERDOMAIN 2            /* public/event_channel.h */

/* Where the grant references in the shared page begin, and how many fit before the ring that lies behind them. */
#define GRANTS_AT 24u
#define GRANTS_FIT(end) (((end) - GRANTS_AT) / 4)

void vchan_xen_server_path(char path[VCHAN_XEN_PATH_MAX], int client, long long port, const char *leaf)
{
    if (port < 0)
        snprintf(path, VCHAN_XEN_PATH_MAX, "data/vchan/%d", client);
    else
        snprintf(path, VCHAN_XEN_PATH_MAX, "data/vchan/%d/%lld%s%s", client, port, leaf ? "/" : "", leaf ? leaf : "");
}

void vchan_xen_client_path(char path[VCHAN_XEN_PATH_MAX], int server, int client, unsigned port, const char *leaf)
{
    snprintf(path, VCHAN_XEN_PATH_MAX, "/local/domain/%d/data/vchan/%d/%u/%s", server, client, port, leaf);
}

uint32_t vchan_xen_number(const char *value, size_t len)
{
    uint64_t n = 0;

    if (len == 0 || len > 10)
        return 0;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return 0;
        n = n * 10 + (uint64_t)(value[i] - '0');
    }
    return n <= INT32_MAX ? (uint32_t)n : 0;
}

static int order_of(size_t size)
{
    int order = VCHAN_XEN_ORDER_PAGES;

    while (((size_t)1 << order) < size)
        order++;
    return order;
}

/* As libxenvchan does: the small places inside the page first. */
void vchan_xen_orders(size_t read_min, size_t write_min, int *read, int *write)
{
    const size_t small = 1u << VCHAN_XEN_ORDER_SMALL, large = 1u << VCHAN_XEN_ORDER_LARGE;

    *read = order_of(read_min);
    *write = order_of(write_min);
    if (read_min <= small && write_min <= large) {
        *read = VCHAN_XEN_ORDER_SMALL;
        *write = VCHAN_XEN_ORDER_LARGE;
    } else if (read_min <= large && write_min <= small) {
        *read = VCHAN_XEN_ORDER_LARGE;
        *write = VCHAN_XEN_ORDER_SMALL;
    } else if (read_min <= large) {
        *read = VCHAN_XEN_ORDER_LARGE;
    } else if (write_min <= large) {
        *write = VCHAN_XEN_ORDER_LARGE;
    }
}

unsigned vchan_xen_pages(int order)
{
    return order < VCHAN_XEN_ORDER_PAGES ? 0 : 1u << (order - VCHAN_XEN_ORDER_PAGES);
}

static bool is_order(unsigned order) { return order >= VCHAN_XEN_ORDER_SMALL && order <= VCHAN_XEN_ORDER_MAX; }

const char *vchan_xen_bad_orders(unsigned left, unsigned right)
{
    unsigned end = VCHAN_XEN_PAGE;

    if (!is_order(left) || !is_order(right))
        return "ring order out of range";
    if (left == right && left < VCHAN_XEN_ORDER_PAGES)
        return "both rings in the same place";
    if (left == VCHAN_XEN_ORDER_LARGE || right == VCHAN_XEN_ORDER_LARGE)
        end = 1u << VCHAN_XEN_ORDER_LARGE;
    if (left == VCHAN_XEN_ORDER_SMALL || right == VCHAN_XEN_ORDER_SMALL)
        end = 1u << VCHAN_XEN_ORDER_SMALL;
    if (vchan_xen_pages((int)left) + vchan_xen_pages((int)right) > GRANTS_FIT(end))
        return "grant references run into a ring";
    return NULL;
}

long vchan_xen_used(uint32_t prod, uint32_t cons, int order)
{
    uint32_t used = prod - cons;

    return used > (uint32_t)1 << order ? -1 : (long)used;
}

struct vchan_xen_look vchan_xen_look(bool server, enum unik_vchan_state state, unsigned live)
{
    struct vchan_xen_look look = { .state = state };

    if (state == UNIK_VCHAN_DISCONNECTED)
        return look;
    if (server && state == UNIK_VCHAN_WAITING) {
        if (live == LIVE_NOBODY_YET)
            return look;
        look.opened = true;
    }
    look.state = live == LIVE_THERE ? UNIK_VCHAN_CONNECTED : UNIK_VCHAN_DISCONNECTED;
    if (live != LIVE_THERE)
        look.why = live == LIVE_GONE ? "peer closed" : "bad live byte";
    return look;
}

bool vchan_xen_peer_gone(enum unik_vchan_state state, int port_status, bool exists)
{
    if (state == UNIK_VCHAN_CONNECTED && port_status >= 0)
        return port_status != STATUS_INTERDOMAIN;
    return state != UNIK_VCHAN_DISCONNECTED && !exists;
}
