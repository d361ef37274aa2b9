/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/xenbus.h - between the two halves of xenstore: xenbus-ring.c moves whole messages, xenbus.c knows whose they are. */
#ifndef BOOT_XENBUS_H
#define BOOT_XENBUS_H

#include "boot/machine.h"
#include <xen/io/xs_wire.h>

/* Binds the event; false without a ring. */
bool ring_init(void);
/* The ring's other side has broken the rules; nothing moves any more. */
bool ring_broken(void);
/* Is there room to put a message with n bytes behind its header? */
bool ring_room(size_t n);
/* Puts a message, which fits (ring_room()); head.len bytes in up to three pieces. */
struct piece {
    const void *at;
    size_t size;
};
void ring_put(const struct xsd_sockmsg *head, const struct piece pieces[3]);

/* xenbus.c: a message came, payload of head->len bytes (at most XENSTORE_PAYLOAD_MAX). */
void xenbus_message(const struct xsd_sockmsg *head, const uint8_t *payload);
/* xenbus.c: after each event, when messages have moved. */
void xenbus_moved(void);

#endif
