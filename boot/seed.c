/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/seed.c - a random seed for a machine that has no randomness itself: a node of xenstore, which dom0 writes before it lets
 * the domain run (xl create -p; xenstore-write; xl unpause). Only dom0 and the domain may read below data/. It is removed once
 * read, so that who sees the domain's memory later cannot go back from it to the first key. */
#include "boot/linux.h"
#include "boot/xenbus.h"

#define PATIENCE 5000000000ull  /* ns for each answer of xenstored */

static const char node[] = SEED_NODE;

static bool receive(struct xenbus_user *u, void *to, size_t n, uint64_t deadline)
{
    uint8_t *at = to;

    while (n) {
        int64_t k = xenbus_receive(u, at, n);

        if (k < 0 || (k == 0 && !wait_until(deadline)))
            return false;
        at += k;
        n -= (size_t)k;
    }
    return true;
}

/* One request about the node: the length of the answer, which is in message behind its header; -1 for none, or an error. */
static int64_t ask(struct xenbus_user *u, uint32_t type, uint8_t message[XENBUS_MESSAGE])
{
    struct xsd_sockmsg head = { .type = type, .len = sizeof(node) };
    uint64_t deadline = deadline_after(PATIENCE);

    memcpy(message, &head, sizeof(head));
    memcpy(message + sizeof(head), node, sizeof(node));
    if (xenbus_send(u, message, sizeof(head) + sizeof(node)) < 0 || !receive(u, &head, sizeof(head), deadline) ||
        head.len > XENBUS_MESSAGE - sizeof(head) || !receive(u, message + sizeof(head), head.len, deadline))
        return -1;
    return head.type == type ? (int64_t)head.len : -1;
}

size_t seed_take(uint8_t to[SEED_MAX])
{
    uint8_t *message = pool_get(XENBUS_MESSAGE);
    struct xenbus_user *u = NULL;
    int64_t n = message && xenbus_open(&u) == 0 ? ask(u, XS_READ, message) : -1;
    size_t taken = n > 0 ? MIN((size_t)n, SEED_MAX) : 0;

    if (taken) {
        memcpy(to, message + sizeof(struct xsd_sockmsg), taken);
        ask(u, XS_RM, message);
    }
    if (u)
        xenbus_close(u);
    if (message)
        memset(message, 0, XENBUS_MESSAGE);
    pool_put(message, XENBUS_MESSAGE);
    return taken;
}
