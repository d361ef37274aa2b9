/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/control.c - the channel to dom0's qrexec daemon: offered on port 512, HELLO first, offered again whenever
 * the daemon goes (doc/protocol/qrexec.md, 2, 3 and 9).
 *
 * The daemon is trusted not to attack, but it may be old, new or broken. It is fragile: an unknown type, a wrong length, a
 * bad port or half a message ends or blocks it until the VM is restarted. So only whole messages are written, and only
 * those that the encoders of protocol/ let through. It also blocks when we do not read: this channel is always read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qrexec/core.h"

#define CONTROL_DOMAIN 0
#define AGAIN_FIRST 0.01        /* seconds; dom0's test harness wants us back within half a second */
#define AGAIN_GOOD 10.0

static void offer(struct qrexec_agent *a);

/* Offer it again: at once, but after a while where that may go on for ever (broken: what dom0 said made no sense; or nobody
 * ever said HELLO). Everything that hung on this connection is told; data channels go on. */
static void control_lost(struct qrexec_agent *a, const char *why, bool broken)
{
    struct qrexec_control *k = &a->control;
    bool was_up = k->up;
    double delay;

    if (!k->stream)
        return;
    if (was_up)                         /* before the close: `why` may be the channel's */
        unik_warn(a->ctx, "dom0's qrexec daemon is gone: %s", why);
    unik_stream_close(k->stream);
    k->stream = NULL;
    k->up = false;
    k->have = k->skip = 0;
    if (was_up)
        unik_degraded(a->ctx, "waiting for dom0's qrexec daemon");
    qrexec_ask_lost(a);
    if (was_up && !broken)              /* to be there for the next daemon costs nothing */
        delay = k->backoff.next = 0;
    else
        delay = unik_backoff_delay(&k->backoff, ev_now(a->ctx->loop));
    ev_timer_stop(a->ctx->loop, &k->timer);
    ev_timer_set(&k->timer, delay, 0);
    ev_timer_start(a->ctx->loop, &k->timer);
}

/* A message that makes no sense on this channel: start over. */
static void control_broken(struct qrexec_agent *a, const char *what, uint32_t value)
{
    char why[120];

    a->ctx->counters[QREXEC_PROTOCOL_ERRORS]++;
    snprintf(why, sizeof(why), "%s (type 0x%x, %u bytes, value %u)", what, a->control.h.type, a->control.h.len, value);
    unik_error(a->ctx, "dom0: %s: closing the control channel", why);
    control_lost(a, why, true);
}

/* from dom0: its daemon repeats the number we sent, or, before 4.3, says its own */
static void on_hello(struct qrexec_agent *a, size_t n)
{
    struct qrexec_control *k = &a->control;
    uint32_t theirs = 0;

    if (k->h.type != QREXEC_HELLO || qrexec_decode_hello(k->body, n, &theirs) < 0) {
        control_broken(a, "expected HELLO", 0);
        return;
    }
    k->version = qrexec_version(QREXEC_VERSION, theirs);
    if (k->version == 0) {
        control_broken(a, "HELLO with a version below 2", theirs);
        return;
    }
    k->up = true;
    a->ctx->counters[QREXEC_CONNECTS]++;
    unik_info(a->ctx, "connected to dom0, protocol %u", k->version);
    unik_ready(a->ctx);
    qrexec_release_flush(a);
    qrexec_announce_turn(a);
}

static void malformed(struct qrexec_agent *a)
{
    a->ctx->counters[QREXEC_PROTOCOL_ERRORS]++;
    unik_error(a->ctx, "dom0: malformed %s of %u bytes left out", qrexec_type_name(a->control.h.type), a->control.h.len);
}

/* One whole message. from dom0; command lines and idents in it can hold bytes of other VMs */
static void on_message(struct qrexec_agent *a)
{
    struct qrexec_control *k = &a->control;
    char ident[QREXEC_IDENT];
    struct qrexec_exec e;
    size_t n = k->h.len;

    if (!k->up) {
        on_hello(a, n);
        return;
    }
    switch (k->h.type) {
    case QREXEC_EXEC_CMDLINE:
    case QREXEC_JUST_EXEC:
        if (qrexec_decode_exec(k->body, n, &e) < 0)
            malformed(a);
        else
            qrexec_call_incoming(a, &e, k->h.type == QREXEC_JUST_EXEC);
        break;
    case QREXEC_SERVICE_CONNECT:
        if (qrexec_decode_exec(k->body, n, &e) < 0) {
            malformed(a);
            break;
        }
        memset(ident, 0, sizeof(ident));
        memcpy(ident, e.text, strnlen(e.text, e.len < sizeof(ident) - 1 ? e.len : sizeof(ident) - 1));
        qrexec_ask_answer(a, ident, 0, e.domain, e.port);
        break;
    case QREXEC_SERVICE_REFUSED:
        if (qrexec_decode_refused(k->body, n, ident) < 0)
            malformed(a);
        else
            qrexec_ask_answer(a, ident, -EACCES, 0, 0);
        break;
    default:
        unik_warn(a->ctx, "dom0: unknown message 0x%x of %u bytes left out", k->h.type, k->h.len);
        break;
    }
}

/* Does anybody want a body of this length? Else it is skipped without being kept. */
static bool wanted(const struct qrexec_control *k)
{
    switch (k->h.type) {
    case QREXEC_EXEC_CMDLINE:
    case QREXEC_JUST_EXEC:
    case QREXEC_SERVICE_CONNECT:
    case QREXEC_SERVICE_REFUSED:
    case QREXEC_HELLO:
        return k->h.len <= QREXEC_CMD_MAX;
    default:
        return k->h.len == 0;           /* on_message() says what it was */
    }
}

static void on_header(struct qrexec_agent *a)
{
    struct qrexec_control *k = &a->control;

    qrexec_decode_header(k->head, &k->h);
    if (!k->up && (k->h.type != QREXEC_HELLO || k->h.len != 4)) {
        control_broken(a, "expected HELLO", 0);
        return;
    }
    if (!wanted(k)) {
        unik_warn(a->ctx, "dom0: message 0x%x (%s) of %u bytes left out", k->h.type, qrexec_type_name(k->h.type),
                  k->h.len);
        if (k->h.len > QREXEC_CMD_MAX)
            a->ctx->counters[QREXEC_PROTOCOL_ERRORS]++;
        k->skip = k->h.len;
        k->have = 0;
    } else if (k->h.len == 0) {
        k->have = 0;
        on_message(a);
    }
}

/* Take in what has arrived. `have` counts header and body of one message; true: call again. */
static bool read_some(struct qrexec_agent *a)
{
    struct qrexec_control *k = &a->control;
    size_t want, n;
    const void *p;

    if (!k->stream || (n = unik_stream_peek(k->stream, &p)) == 0)
        return false;
    if (k->skip) {
        n = n < k->skip ? n : k->skip;
        k->skip -= n;
        unik_stream_consume(k->stream, n);
    } else if (k->have < QREXEC_HEADER) {
        want = QREXEC_HEADER - k->have;
        n = n < want ? n : want;
        memcpy(k->head + k->have, p, n);
        k->have += n;
        unik_stream_consume(k->stream, n);
        if (k->have == QREXEC_HEADER)
            on_header(a);
    } else {
        want = QREXEC_HEADER + k->h.len - k->have;
        n = n < want ? n : want;
        memcpy(k->body + k->have - QREXEC_HEADER, p, n);
        k->have += n;
        unik_stream_consume(k->stream, n);
        if (n == want) {
            k->have = 0;
            on_message(a);
        }
    }
    return true;
}

static void on_control(struct unik_stream *s, unsigned events, void *arg)
{
    struct qrexec_agent *a = arg;
    struct qrexec_control *k = &a->control;

    if (events & UNIK_STREAM_OPEN) {
        unik_backoff_begin(&k->backoff, ev_now(a->ctx->loop));
        k->daemon++;
        qrexec_call_orphans(a);
    }
    while (read_some(a))
        ;
    if (k->stream == s && a->vchan->state(s) == UNIK_VCHAN_DISCONNECTED)
        control_lost(a, a->vchan->reason(s), false);
    else if (k->up)
        qrexec_release_flush(a);
}

/* Offer the channel with HELLO in it: a channel without would make dom0's daemon wait for ever, and with it the VM's start. */
static void offer(struct qrexec_agent *a)
{
    struct qrexec_control *k = &a->control;
    uint8_t hello[QREXEC_HEADER + 4];
    int n = qrexec_encode_hello(hello, sizeof(hello), QREXEC_VERSION);
    int e = a->vchan->listen(a->vchan, a->ctx, CONTROL_DOMAIN, QREXEC_PORT, a->config->control_ring,
                             a->config->control_ring, on_control, a, &k->stream);

    if (e < 0) {
        k->stream = NULL;
    } else if (unik_stream_write(k->stream, hello, (size_t)n) != n) {
        unik_stream_close(k->stream);
        k->stream = NULL;
        e = -EIO;
    }
    if (e < 0) {
        if (e != k->last_error)
            unik_error(a->ctx, "cannot offer port %u to dom0: %s", QREXEC_PORT, strerror(-e));
        ev_timer_set(&k->timer, unik_backoff_delay(&k->backoff, ev_now(a->ctx->loop)), 0);
        ev_timer_start(a->ctx->loop, &k->timer);
    }
    k->last_error = e;
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct qrexec_agent *a = w->data;

    (void)loop, (void)revents;
    unik_backoff_begin(&a->control.backoff, ev_now(a->ctx->loop));
    offer(a);
}

int qrexec_control_send(struct qrexec_agent *a, const void *bytes, size_t n)
{
    struct qrexec_control *k = &a->control;

    if (!k->up)
        return -ENOTCONN;
    if (unik_stream_room(k->stream) < n)
        return -EAGAIN;
    return unik_stream_write(k->stream, bytes, n) == (ssize_t)n ? 0 : -ENOTCONN;
}

void qrexec_control_start(struct qrexec_agent *a)
{
    struct qrexec_control *k = &a->control;

    k->backoff = (struct unik_backoff){ .first = AGAIN_FIRST, .most = a->config->retry_max, .good = AGAIN_GOOD };
    if (k->backoff.most < AGAIN_FIRST)
        k->backoff.most = AGAIN_FIRST;
    ev_timer_init(&k->timer, on_timer, 0, 0);
    k->timer.data = a;
    unik_degraded(a->ctx, "waiting for dom0's qrexec daemon");
    offer(a);
}

void qrexec_control_stop(struct qrexec_agent *a)
{
    struct qrexec_control *k = &a->control;

    ev_timer_stop(a->ctx->loop, &k->timer);
    if (k->up)
        qrexec_release_flush(a);
    if (k->stream)
        unik_stream_close(k->stream);
    k->stream = NULL;
    k->up = false;
}
