/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/xenbus-ring.c - xenstore's ring (xen/io/xs_wire.h): 1024 bytes each way, so a message may go in pieces. Messages to
 * send wait in a buffer of ours; a message that comes is put together in another.
 *
 * From dom0: indices and lengths that make no sense end the use of the ring, for good and with one line. */
#include "boot/xenbus.h"

#define OUT_SIZE 16384u                         /* power of two; several of the longest messages */

static struct xenstore_domain_interface *ring;
static bool broken;

static uint8_t out[OUT_SIZE];
static uint32_t out_taken, out_put;             /* free-running */

static uint8_t in[XENBUS_MESSAGE];
static size_t in_used;

bool ring_broken(void) { return broken; }

static void broke(const char *why)
{
    if (!broken)
        say("xenstore: %s; it is not used any more", why);
    broken = true;
}

static uint32_t load(const uint32_t *index) { return *(const volatile uint32_t *)index; }
static void store(uint32_t *index, uint32_t value) { *(volatile uint32_t *)index = value; }

/* As much of what waits as fits into the ring. True if something moved. */
static bool push(void)
{
    uint32_t at = ring->req_prod, room = XENSTORE_RING_SIZE - (at - load(&ring->req_cons)), n;

    if (room > XENSTORE_RING_SIZE) {
        broke("nonsense in the ring's indices");
        return false;
    }
    n = MIN(room, out_put - out_taken);
    full_barrier();                             /* the other side's index before we overwrite what it has read */
    for (uint32_t i = 0; i < n; i++)
        ring->req[MASK_XENSTORE_IDX(at + i)] = (char)out[(out_taken + i) % OUT_SIZE];
    barrier();                                  /* the bytes before the index that shows them */
    store(&ring->req_prod, at + n);
    out_taken += n;
    return n > 0;
}

/* How many bytes of the message in `in` are still to come, as far as is known. */
static size_t missing(void)
{
    struct xsd_sockmsg head;

    if (in_used < sizeof(head))
        return sizeof(head) - in_used;
    memcpy(&head, in, sizeof(head));
    if (head.len > XENSTORE_PAYLOAD_MAX) {
        broke("a message longer than the protocol allows");
        return 0;
    }
    return sizeof(head) + head.len - in_used;
}

static void message_done(void)
{
    struct xsd_sockmsg head;

    memcpy(&head, in, sizeof(head));
    in_used = 0;
    xenbus_message(&head, in + sizeof(head));
}

/* As much as the ring has, at most to the end of one message. True if something moved. */
static bool pull(void)
{
    uint32_t at = ring->rsp_cons, there = load(&ring->rsp_prod) - at;
    size_t n;

    if (there > XENSTORE_RING_SIZE) {
        broke("nonsense in the ring's indices");
        return false;
    }
    barrier();                                  /* the index before the bytes it shows */
    n = MIN(there, missing());
    for (uint32_t i = 0; i < n; i++)
        in[in_used + i] = (uint8_t)ring->rsp[MASK_XENSTORE_IDX(at + i)];
    full_barrier();                             /* the bytes before the index that gives their place back */
    store(&ring->rsp_cons, at + (uint32_t)n);
    in_used += n;
    if (n > 0 && in_used >= sizeof(struct xsd_sockmsg) && missing() == 0 && !broken)
        message_done();
    return n > 0;
}

static void move(void)
{
    bool moved = false, out_moved, in_moved;

    do {
        out_moved = !broken && push();
        in_moved = !broken && pull();
        moved = moved || out_moved || in_moved;
    } while (out_moved || in_moved);
    if (moved)
        event_notify(machine_start.store_port);
}

static void on_event(void *arg, uint32_t port)
{
    (void)arg;
    (void)port;
    move();
    xenbus_moved();
}

bool ring_room(size_t n) { return OUT_SIZE - (out_put - out_taken) >= sizeof(struct xsd_sockmsg) + n; }

static void put(const void *bytes, size_t n)
{
    const uint8_t *at = bytes;

    while (n-- > 0)
        out[out_put++ % OUT_SIZE] = *at++;
}

void ring_put(const struct xsd_sockmsg *head, const struct piece pieces[3])
{
    put(head, sizeof(*head));
    for (int i = 0; i < 3; i++)
        put(pieces[i].at, pieces[i].size);
    if (!broken && push())
        event_notify(machine_start.store_port);
}

bool ring_init(void)
{
    ring = machine_start.store;
    if (!ring || event_handle(machine_start.store_port, on_event, NULL) < 0)
        return false;
    event_unmask(machine_start.store_port);
    return true;
}
