/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/queue.h - own requests in the order in which dom0 gets them, each as the bytes that go out.
 *
 *   oldest ... | next ... |
 *    sent, not answered | not sent
 * After a reconnect all of them are unsent again.
 */
#ifndef PLUGINS_QUBESDB_QUEUE_H
#define PLUGINS_QUBESDB_QUEUE_H

#include <stdbool.h>
#include <unik/ring.h>
#include "protocol/qubesdb.h"

struct qubesdb_queue {
    struct unik_ring ring;
    size_t most;                /* bytes that qubesdb_queue_fits() allows */
    size_t sent;                /* bytes from the ring's tail that went out */
    size_t count;               /* requests, dropped ones excluded */
    uint8_t whole[QUBESDB_MESSAGE_MAX];     /* the next message in one piece */
};

/* -ENOMEM. */
int qubesdb_queue_init(struct qubesdb_queue *q, size_t most);
void qubesdb_queue_free(struct qubesdb_queue *q);

/* Is there room for so many bytes of messages (header included)? */
bool qubesdb_queue_fits(const struct qubesdb_queue *q, size_t bytes);
/* Add a request. -EINVAL (not valid), -ENOSPC. */
int qubesdb_queue_push(struct qubesdb_queue *q, enum qubesdb_type type, const char *path, const void *value,
                       size_t len);
/* Add everything of another queue, which is freed. It must fit. */
void qubesdb_queue_append(struct qubesdb_queue *q, struct qubesdb_queue *from);

/* The next request to send: its length in bytes, 0 if there is none. */
size_t qubesdb_queue_next(struct qubesdb_queue *q, struct qubesdb_header *h);
/* That request in one piece; valid until the next call. */
const void *qubesdb_queue_bytes(struct qubesdb_queue *q, size_t n);
/* It went out; it is not to go out at all. */
void qubesdb_queue_sent(struct qubesdb_queue *q, size_t n);
void qubesdb_queue_skip(struct qubesdb_queue *q, size_t n);

/* The oldest request that was sent and not answered: false if there is none. */
bool qubesdb_queue_oldest(struct qubesdb_queue *q, struct qubesdb_header *h);
static inline bool qubesdb_queue_idle(struct qubesdb_queue *q)
{
    struct qubesdb_header h;

    return !qubesdb_queue_oldest(q, &h);
}
/* It was answered. */
void qubesdb_queue_answered(struct qubesdb_queue *q);

/* The connection is gone: all are unsent. */
void qubesdb_queue_restart(struct qubesdb_queue *q);

#endif
