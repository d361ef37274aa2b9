/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/client.h - the parts of the plugin: a client of dom0's QubesDB daemon for this VM.
 *
 *   plugin.c      what the host sees: options, counters, start, drain, stop, status
 *   api.c         what other plugins call
 *   connection.c  the channel: connect, read whole messages, send whole messages, begin again
 *   messages.c    what a message from dom0 does
 *   own.c         own writes and removals on their way to dom0
 *   seed.c        the random seed
 *   replica.c, merge.c, queue.c, watch.c   data structures without I/O
 */
#ifndef PLUGINS_QUBESDB_CLIENT_H
#define PLUGINS_QUBESDB_CLIENT_H

#include <unik/backoff.h>
#include <unik/qubesdb.h>
#include <unik/ring.h>
#include <unik/vchan.h>

#include "protocol/qubesdb.h"
#include "plugins/qubesdb/queue.h"
#include "plugins/qubesdb/replica.h"
#include "plugins/qubesdb/watch.h"

#define QUBESDB_ANSWERS_MAX 65536   /* bytes of RESP_OK that wait for room: 910. dom0's daemon ignores them, so that
                                     * more are dropped and counted rather than input be left unread */
#define QUBESDB_BURST 512           /* messages taken in one go before other users of the loop get a turn */
#define QUBESDB_GOOD 10             /* seconds: a connection that lasted so long was a good one (unik/backoff.h) */

enum qubesdb_seed { QUBESDB_SEED_LEAVE, QUBESDB_SEED_MIX, QUBESDB_SEED_CLEAR };

struct qubesdb_config {
    int64_t max_entries;
    uint64_t max_bytes, max_pending;
    double retry, retry_max, flush;
    const char *marker;
    int seed;                       /* enum qubesdb_seed */
};

/* Rows of the counter table in plugin.c. */
enum qubesdb_counter {
    QUBESDB_CONNECTS, QUBESDB_SYNCS, QUBESDB_ENTRIES, QUBESDB_ENTRIES_HIGH, QUBESDB_BYTES, QUBESDB_WRITES_IN,
    QUBESDB_REMOVES_IN, QUBESDB_WRITES_OUT, QUBESDB_REMOVES_OUT, QUBESDB_ACKS, QUBESDB_REFUSED, QUBESDB_RESENT,
    QUBESDB_PENDING, QUBESDB_PENDING_HIGH, QUBESDB_SKIPPED, QUBESDB_PROTOCOL_ERRORS, QUBESDB_ANSWERS_DROPPED,
    QUBESDB_WATCHING
};

enum qubesdb_phase {
    QUBESDB_AWAY,                   /* no channel: the next try waits for the retry timer */
    QUBESDB_CONNECTING,             /* dom0's daemon is not there yet; no time limit */
    QUBESDB_ASKING,                 /* connected: MULTIREAD must be the very first bytes */
    QUBESDB_SYNCING,                /* the dump arrives */
    QUBESDB_LIVE
};

struct qubesdb {
    struct unik_qubesdb api;        /* first: the interface is the plugin's struct */
    struct unik_ctx *ctx;
    const struct qubesdb_config *config;
    struct unik_vchan *vchan;
    struct unik_stream *stream;     /* NULL in AWAY */
    enum qubesdb_phase phase;
    struct unik_backoff backoff;
    ev_timer retry;                 /* to the next try */
    int said;                       /* the error of connecting that was told last: not a line for each try */
    ev_idle kick;                   /* something was asked for inside an API call, and is done from the loop */
    ev_timer deadline;              /* of drain() */
    bool draining;
    bool synced;                    /* at least one dump was complete */
    double synced_at;               /* ev_now() of the last one */

    uint8_t in[QUBESDB_MESSAGE_MAX];    /* the message that arrives */
    size_t have;
    struct qubesdb_header header;   /* of it, once its 72 bytes are there */

    struct unik_ring answers;       /* RESP_OK for dom0's requests */
    struct qubesdb_queue queue;     /* own requests */
    struct qubesdb_replica replica;
    struct qubesdb_replica dump;    /* collected while SYNCING */
    struct qubesdb_watches watches;
};

static inline void qubesdb_count(struct qubesdb *q, enum qubesdb_counter c) { q->ctx->counters[c]++; }

/* ---- connection.c ---- */
void qubesdb_connect(struct qubesdb *q);
/* From the loop: take what has arrived, send what there is room for. */
void qubesdb_pump(struct qubesdb *q);
/* The connection is of no use any more: close it, and try again later. */
void qubesdb_lost(struct qubesdb *q, const char *why);
/* dom0 sent what it must not: a line that names the message in q->in, then qubesdb_lost(). */
void qubesdb_violation(struct qubesdb *q, const char *why);
/* Do the rest from the loop. */
void qubesdb_kick(struct qubesdb *q);

/* ---- messages.c ---- */
/* The header is complete: is the message one that may come now? NULL, or what is wrong. */
const char *qubesdb_refuse_header(const struct qubesdb *q);
/* The message is complete. The connection may be gone afterwards. */
void qubesdb_message(struct qubesdb *q);

/* ---- own.c ---- */
int qubesdb_own_write(struct qubesdb *q, const char *path, const void *value, size_t len);
int qubesdb_own_remove(struct qubesdb *q, const char *path);
/* dom0 answered: RESP_OK, RESP_ERROR or RESP_ERROR_NOENT. */
void qubesdb_own_answer(struct qubesdb *q, const struct qubesdb_header *h);
/* Send one request, if one may go out now and there is room for it: whether one did. */
bool qubesdb_own_send(struct qubesdb *q);
/* dom0's daemon started anew. Memory for all that may have to be written again: -ENOMEM. */
int qubesdb_own_prepare(struct qubesdb *q, struct qubesdb_queue *again);
/* Queue the lost keys, in front of what waits; takes `again`. */
void qubesdb_own_again(struct qubesdb *q, struct qubesdb_queue *again);

/* ---- api.c ---- */
extern const struct unik_qubesdb qubesdb_api;

/* ---- seed.c ---- */
#define QUBESDB_SEED_KEY "/qubes-random-seed"
int qubesdb_seed_start(struct qubesdb *q);
/* A value for the debug log: shortened, and never the seed. */
#define QUBESDB_SHOWN 64
void qubesdb_show(char out[QUBESDB_SHOWN], const char *path, const char *value, size_t len);

#endif
