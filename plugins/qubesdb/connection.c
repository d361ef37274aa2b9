/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/connection.c - the channel to dom0's daemon: connect, read and send whole messages, begin again.
 *
 * Two rules keep dom0's daemon alive: nothing is sent while input waits, and a message goes out in one piece or not at
 * all. (Its ring has 4096 bytes, more than the largest message.)
 */
#include <stdio.h>
#include <string.h>

#include "protocol/cursor.h"
#include "plugins/qubesdb/client.h"

static void on_stream(struct unik_stream *s, unsigned events, void *arg)
{
    (void)s, (void)events;
    qubesdb_pump(arg);
}

static void retry_later(struct qubesdb *q)
{
    double delay = unik_backoff_delay(&q->backoff, ev_now(q->ctx->loop));

    ev_timer_set(&q->retry, delay, 0);
    ev_timer_start(q->ctx->loop, &q->retry);
}

void qubesdb_connect(struct qubesdb *q)
{
    int e;

    unik_backoff_begin(&q->backoff, ev_now(q->ctx->loop));
    e = q->vchan->connect(q->vchan, q->ctx, 0, QUBESDB_PORT, on_stream, q, &q->stream);
    if (e < 0) {
        q->stream = NULL;
        if (e != q->said)
            unik_error(q->ctx, "connect to dom0, port %d: %s", QUBESDB_PORT, strerror(-e));
        q->said = e;
        unik_degraded(q->ctx, "cannot connect to dom0's daemon");
        retry_later(q);
        return;
    }
    q->said = 0;
    q->phase = QUBESDB_CONNECTING;
}

/* Close first: a channel that is still open would hold the name under which dom0's daemon offers the next one. */
void qubesdb_lost(struct qubesdb *q, const char *why)
{
    char reason[160];

    snprintf(reason, sizeof(reason), "%s", why);        /* why may live in the stream */
    unik_stream_close(q->stream);
    q->stream = NULL;
    q->have = 0;
    unik_ring_consume(&q->answers, unik_ring_used(&q->answers));
    qubesdb_queue_restart(&q->queue);
    qubesdb_replica_clear(&q->dump);
    unik_warn(q->ctx, "connection to dom0's daemon lost%s: %s", q->phase == QUBESDB_SYNCING ? " in the dump" : "",
              reason);
    q->phase = QUBESDB_AWAY;
    unik_degraded(q->ctx, reason);
    retry_later(q);
}

/* from dom0: the bytes are printed as they came (the host replaces control characters). */
void qubesdb_violation(struct qubesdb *q, const char *why)
{
    struct reader r;
    const char *path;
    uint32_t len;
    uint8_t type;

    reader_init(&r, q->in, QUBESDB_HEADER);
    type = reader_u8(&r);
    path = (const char *)reader_bytes(&r, QUBESDB_PATH);
    reader_skip(&r, 3);
    len = reader_u32(&r);
    qubesdb_count(q, QUBESDB_PROTOCOL_ERRORS);
    unik_error(q->ctx, "protocol error by dom0: %s (type %u) path \"%.*s\" length %u: %s", qubesdb_type_name(type),
               type, QUBESDB_PATH - 1, path ? path : "", (unsigned)len, why);
    qubesdb_lost(q, "protocol error");
}

/* The channel is open: ask for everything, before anything else. */
static void ask(struct qubesdb *q)
{
    uint8_t message[QUBESDB_HEADER];
    int n = qubesdb_encode(message, sizeof(message), QUBESDB_MULTIREAD, "", NULL, 0);

    if (n < 0 || q->vchan->state(q->stream) == UNIK_VCHAN_DISCONNECTED) {
        qubesdb_lost(q, q->vchan->reason(q->stream));
        return;
    }
    if (unik_stream_room(q->stream) < (size_t)n)
        return;
    if (unik_stream_write(q->stream, message, (size_t)n) != n) {
        qubesdb_lost(q, q->vchan->reason(q->stream));
        return;
    }
    unik_info(q->ctx, "connected to dom0's daemon");
    qubesdb_count(q, QUBESDB_CONNECTS);
    q->phase = QUBESDB_SYNCING;
}

/* from dom0. 1: q->in holds a whole message; 0: not yet; -1: the connection is gone. */
static int receive(struct qubesdb *q)
{
    for (;;) {
        size_t want = QUBESDB_HEADER + (q->have < QUBESDB_HEADER ? 0 : q->header.len);
        const char *wrong = NULL;
        ssize_t n;

        if (q->have == want)
            return 1;
        n = unik_stream_read(q->stream, q->in + q->have, want - q->have);
        if (n == -EAGAIN)
            return 0;
        if (n <= 0) {
            qubesdb_lost(q, q->vchan->reason(q->stream));
            return -1;
        }
        q->have += (size_t)n;
        if (q->have != QUBESDB_HEADER)
            continue;
        if (qubesdb_decode(q->in, &q->header) < 0)
            wrong = "path without end, or length over the limit";
        else
            wrong = qubesdb_refuse_header(q);
        if (wrong) {
            qubesdb_violation(q, wrong);
            return -1;
        }
    }
}

/* Whether all input is taken and the connection is still there. */
static bool drain_input(struct qubesdb *q, int *burst)
{
    while (*burst > 0) {
        int e = receive(q);

        if (e <= 0)
            return e == 0;
        qubesdb_message(q);
        if (!q->stream)
            return false;
        q->have = 0;
        --*burst;
    }
    qubesdb_kick(q);
    return false;
}

/* An answer that waits, or else an own request: whether one message went out. */
static bool send_one(struct qubesdb *q)
{
    uint8_t message[QUBESDB_HEADER];
    size_t n = 0, run;
    const void *bytes;

    if (unik_ring_used(&q->answers) == 0)
        return q->phase == QUBESDB_LIVE && qubesdb_own_send(q);
    if (unik_stream_room(q->stream) < sizeof(message))
        return false;
    while (n < sizeof(message) && (run = unik_ring_peek(&q->answers, &bytes)) > 0) {
        run = run < sizeof(message) - n ? run : sizeof(message) - n;
        memcpy(message + n, bytes, run);
        unik_ring_consume(&q->answers, run);
        n += run;
    }
    return unik_stream_write(q->stream, message, n) == (ssize_t)n;
}

/* After whatever happened: nobody holds pointers into the replica any more. */
static void settle(struct qubesdb *q)
{
    uint64_t *counters = q->ctx->counters;

    qubesdb_replica_sweep(&q->replica);
    counters[QUBESDB_ENTRIES] = q->replica.n;
    counters[QUBESDB_BYTES] = q->replica.bytes;
    counters[QUBESDB_PENDING] = q->queue.count;
    counters[QUBESDB_WATCHING] = q->watches.n;
    if (q->replica.n > counters[QUBESDB_ENTRIES_HIGH])
        counters[QUBESDB_ENTRIES_HIGH] = q->replica.n;
    if (q->draining && q->queue.count == 0) {
        q->draining = false;
        ev_timer_stop(q->ctx->loop, &q->deadline);
        unik_drained(q->ctx);
    }
}

void qubesdb_pump(struct qubesdb *q)
{
    int burst = QUBESDB_BURST;

    if (q->phase == QUBESDB_CONNECTING && q->vchan->state(q->stream) != UNIK_VCHAN_WAITING) {
        unik_backoff_begin(&q->backoff, ev_now(q->ctx->loop));
        q->phase = QUBESDB_ASKING;
    }
    if (q->phase == QUBESDB_ASKING)
        ask(q);
    while (q->phase >= QUBESDB_SYNCING && drain_input(q, &burst) && send_one(q))
        ;
    settle(q);
}

void qubesdb_kick(struct qubesdb *q)
{
    ev_idle_start(q->ctx->loop, &q->kick);
}
