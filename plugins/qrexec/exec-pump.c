/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec-pump.c - bytes between a call and file descriptors.
 *
 * Nothing is kept that the other side has no room for: input stays in the call until the descriptor takes it, output
 * stays in the descriptor until the call has room, so that back-pressure reaches both ends. Only stderr is read ahead,
 * by one piece. The bytes are another VM's; the program or service behind the descriptors is local.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/qrexec/exec-parts.h"

static void watch(struct qrexec_pump *p, ev_io *w, bool on)
{
    if (on)
        ev_io_start(p->x->ctx->loop, w);
    else
        ev_io_stop(p->x->ctx->loop, w);
}

/* One direction of a socket that serves both, or a descriptor of its own. */
static void end_fd(struct qrexec_pump *p, int fd, int other, int how)
{
    if (fd != other)
        close(fd);
    else if (!p->lost)                  /* else it is closed in a moment: no end in order before that */
        shutdown(fd, how);
}

void qrexec_pump_end_in(struct qrexec_pump *p)
{
    if (p->in < 0)
        return;
    watch(p, &p->in_watch, false);
    end_fd(p, p->in, p->out, SHUT_WR);
    p->in = -1;
    p->head_left = 0;
}

static void end_out(struct qrexec_pump *p)
{
    watch(p, &p->out_watch, false);
    end_fd(p, p->out, p->in, SHUT_RD);
    p->out = -1;
    if (!p->lost && !p->broken)
        unik_stream_shut(p->call->io);
}

static void log_line(struct qrexec_pump *p)
{
    if (p->line_used)
        unik_info(p->x->ctx, "%s: stderr: %.*s", p->label, (int)p->line_used, p->line);
    p->line_used = 0;
}

static void log_stderr(struct qrexec_pump *p, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n' || p->line_used == sizeof(p->line))
            log_line(p);
        if (bytes[i] != '\n')
            p->line[p->line_used++] = bytes[i];
    }
}

static void end_err(struct qrexec_pump *p)
{
    watch(p, &p->err_watch, false);
    close(p->err);
    p->err = -1;
    log_line(p);
    if (!p->lost)
        qrexec_call_shut_err(p->call);
}

/* The caller is gone: whoever runs behind the descriptors sees them closed; behind a TCP connection, a reset. */
static void lose(struct qrexec_pump *p)
{
    struct linger hard = { .l_onoff = 1, .l_linger = 0 };

    if (p->lost)
        return;
    if (p->tcp)
        setsockopt(p->out >= 0 ? p->out : p->in, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    unik_info(p->x->ctx, "%s: caller %s is gone", p->label, p->call->peer);
    p->lost = true;
    qrexec_pump_stop(p);
}

void qrexec_pump_stop(struct qrexec_pump *p)
{
    unik_stream_on(p->call->io, NULL, NULL);
    ev_timer_stop(p->x->ctx->loop, &p->again);
    p->lost = true;
    qrexec_pump_end_in(p);
    if (p->out >= 0)
        end_out(p);
    if (p->err >= 0)
        end_err(p);
}

/* Up to n bytes to `in`: how many it took. Fewer than n: it is full and watched, or has ended. */
static size_t put(struct qrexec_pump *p, const void *bytes, size_t n)
{
    ssize_t k = send(p->in, bytes, n, MSG_NOSIGNAL);

    if (k == (ssize_t)n)
        return n;
    if (k < 0 && errno != EAGAIN && errno != EINTR) {
        if (errno != EPIPE && errno != ECONNRESET)
            unik_warn(p->x->ctx, "%s: writing its input: %s", p->label, strerror(errno));
        p->broken |= p->tcp && errno != EPIPE;  /* told once: reading finds an end then */
        qrexec_pump_end_in(p);
        return 0;
    }
    watch(p, &p->in_watch, true);
    return k < 0 ? 0 : (size_t)k;
}

/* Whether the head is out of the way. */
static bool put_head(struct qrexec_pump *p)
{
    while (p->in >= 0 && p->head_left) {
        size_t want = p->head_left, k = put(p, p->head, want);

        p->head += k;
        p->head_left -= k < p->head_left ? k : p->head_left;
        if (k < want)
            return p->in < 0;
    }
    return true;
}

void qrexec_pump_input(struct qrexec_pump *p)
{
    size_t moved = 0, n;
    const void *bytes;
    int e;

    if (p->lost || (!p->held_up && !put_head(p)))
        return;
    while ((n = unik_stream_peek(p->call->io, &bytes)) > 0) {
        size_t k = n;

        if (p->held_up)
            return;
        if (moved >= QREXEC_PUMP_BYTES) {
            ev_timer_start(p->x->ctx->loop, &p->again);
            return;
        }
        if (p->in >= 0)
            k = put(p, bytes, n);
        if (p->in < 0)
            k = n;                      /* nobody reads it any more: dropped, so that the caller is not held up */
        unik_stream_consume(p->call->io, k);
        moved += k;
        if (k < n)
            return;
    }
    watch(p, &p->in_watch, false);
    e = unik_stream_ended(p->call->io);
    if (e < 0)
        lose(p);
    else if (e == 1 && !p->held_up)
        qrexec_pump_end_in(p);
}

static void output(struct qrexec_pump *p)
{
    for (size_t moved = 0; p->out >= 0 && !p->lost; ) {
        size_t n = unik_stream_room(p->call->io);
        ssize_t k;

        if (n == 0 && unik_stream_write(p->call->io, "", 0) < 0) {
            lose(p);
            return;
        }
        if (n == 0 || p->held_up) {
            watch(p, &p->out_watch, false);     /* ROOM brings us back */
            return;
        }
        if (n > QREXEC_SCRATCH)
            n = QREXEC_SCRATCH;
        k = read(p->out, p->x->scratch, n);
        if (k < 0 && (errno == EAGAIN || errno == EINTR)) {
            watch(p, &p->out_watch, true);
            return;
        }
        if (k <= 0) {
            p->broken |= p->tcp && k < 0;
            end_out(p);                 /* of a Unix socket ECONNRESET too: the other end closed with our bytes unread */
            return;
        }
        if (unik_stream_write(p->call->io, p->x->scratch, (size_t)k) != k) {
            lose(p);
            return;
        }
        moved += (size_t)k;
        if ((size_t)k < n || moved >= QREXEC_PUMP_BYTES) {
            watch(p, &p->out_watch, true);
            return;
        }
    }
}

static void errors(struct qrexec_pump *p)
{
    for (size_t moved = 0; p->err >= 0 && !p->lost; ) {
        ssize_t k;

        if (p->err_used) {
            k = qrexec_call_write_err(p->call, p->err_bytes, p->err_used);
            if (k < 0) {
                lose(p);
                return;
            }
            watch(p, &p->err_watch, k > 0);
            if (k == 0)
                return;
            p->err_used = 0;
            moved += (size_t)k;
        }
        if (moved >= QREXEC_PUMP_BYTES)
            return;
        k = read(p->err, p->err_bytes, sizeof(p->err_bytes));
        if (k < 0 && (errno == EAGAIN || errno == EINTR)) {
            watch(p, &p->err_watch, true);
            return;
        }
        if (k <= 0) {
            end_err(p);
            return;
        }
        log_stderr(p, p->err_bytes, (size_t)k);
        p->err_used = (size_t)k;
    }
}

static void on_call(struct unik_stream *io, unsigned events, void *arg)
{
    struct qrexec_pump *p = arg;

    (void)io;
    if (events & UNIK_STREAM_INPUT)
        qrexec_pump_input(p);
    if (events & UNIK_STREAM_ROOM) {
        output(p);
        errors(p);
    }
    p->settle(p);
}

static void on_in(struct ev_loop *loop, ev_io *w, int revents)
{
    struct qrexec_pump *p = w->data;

    (void)loop, (void)revents;
    qrexec_pump_input(p);
    p->settle(p);
}

static void on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct qrexec_pump *p = w->data;

    (void)loop, (void)revents;
    qrexec_pump_input(p);
    p->settle(p);
}

static void on_out(struct ev_loop *loop, ev_io *w, int revents)
{
    struct qrexec_pump *p = w->data;

    (void)loop, (void)revents;
    output(p);
    p->settle(p);
}

static void on_err(struct ev_loop *loop, ev_io *w, int revents)
{
    struct qrexec_pump *p = w->data;

    (void)loop, (void)revents;
    errors(p);
    p->settle(p);
}

void qrexec_pump_start(struct qrexec_pump *p)
{
    ev_io_init(&p->in_watch, on_in, p->in, EV_WRITE);
    ev_io_init(&p->out_watch, on_out, p->out, EV_READ);
    ev_io_init(&p->err_watch, on_err, p->err, EV_READ);
    ev_timer_init(&p->again, on_again, 0, 0);
    p->in_watch.data = p->out_watch.data = p->err_watch.data = p->again.data = p;
    unik_stream_on(p->call->io, on_call, p);
    watch(p, &p->out_watch, p->out >= 0 && !p->held_up);
    watch(p, &p->err_watch, p->err >= 0);
    ev_timer_start(p->x->ctx->loop, &p->again);     /* what came before us is looked at from the loop */
}
