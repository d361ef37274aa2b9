/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/data.c - one data channel with dom0 at one end: life, and what goes out. */
#include <stdlib.h>
#include <unistd.h>

#include "tools/unik-dom0/data.h"

#define RING_BYTES 65536            /* each way, as the real programs ask for */
#define BOX_BYTES 512               /* HELLO, ends of streams, EXIT_CODE */
#define CHUNK_MIN 4096              /* wait for so much room rather than send crumbs */
#define SLOW_TICK 0.1

static void on_local(void *arg) { data_turn(arg); }

static void on_stream(struct unik_stream *s, unsigned events, void *arg)
{
    struct data *d = arg;

    (void)s;
    if (events & UNIK_STREAM_OPEN) {
        d->connected = true;
        d->limit.repeat = d->vm->dom0->deadline;
        ev_timer_again(d->vm->dom0->loop, &d->limit);
    }
    data_turn(d);
}

/* Not connected in time; or connected, and no HELLO. */
static void on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct data *d = w->data;

    (void)revents;
    ev_timer_stop(loop, w);
    if (!d->connected) {
        d->error = -ETIMEDOUT;
        if (d->service)
            vm_violation(d->vm, "qrexec", "port %u: not served within %g s of SERVICE_CONNECT", d->pair->port,
                         d->vm->dom0->served_timeout);
    } else if (!d->version) {
        d->error = -EPROTO;
        vm_violation(d->vm, "qrexec", "port %u: no HELLO on the data channel within %g s", d->pair->port,
                     d->vm->dom0->deadline);
    }
    data_turn(d);
}

static void on_slow(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct data *d = w->data;
    const struct faults *f = &d->vm->dom0->faults;

    (void)loop, (void)revents;
    if (fault_on(f, FAULT_SLOW_READER))
        d->allowance = fault_value(f, FAULT_SLOW_READER) * SLOW_TICK + (d->allowance < 1 ? d->allowance : 0);
    data_turn(d);
}

static int offer(struct data *d)
{
    struct unik_vchan *v = d->vm->dom0->vchan;
    uint8_t hello[QREXEC_HEADER + 4];
    int e = v->listen(v, NULL, d->vm->domid, d->pair->port, RING_BYTES, RING_BYTES, on_stream, d, &d->stream);

    if (e < 0) {
        dom0_log(d->vm->dom0, UNIK_ERROR, d->vm->name, "cannot serve port %u: %s", d->pair->port, strerror(-e));
        return e;
    }
    outbox_attach(&d->box, d->stream);
    outbox_push(&d->box, hello, (size_t)qrexec_encode_hello(hello, sizeof(hello), d->vm->dom0->protocol),
                fault_on(&d->vm->dom0->faults, FAULT_HALF_DATA));
    return outbox_flush(&d->box);
}

static void on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct data *d = w->data;

    (void)loop, (void)revents;
    if (offer(d) < 0)
        d->error = -EPIPE;
    data_turn(d);
}

int data_init(struct data *d)
{
    struct dom0 *dom0 = d->vm->dom0;
    size_t box = fault_on(&dom0->faults, FAULT_HALF_DATA) ? 2 * 65536 : BOX_BYTES;

    d->in.fd = d->out.fd = d->err.fd = -1;
    d->exit_code = -1;
    if (outbox_init(&d->box, dom0->loop, box, on_local, d) < 0)
        return -ENOMEM;
    ev_timer_init(&d->limit, on_limit, 0, 0);
    ev_timer_init(&d->slow, on_slow, SLOW_TICK, SLOW_TICK);
    ev_timer_init(&d->late, on_late, 0, 0);
    d->limit.data = d->slow.data = d->late.data = d;
    d->pair->open = true;
    d->next = d->vm->datas;
    if (d->next)
        d->next->link = &d->next;
    d->link = &d->vm->datas;
    d->vm->datas = d;
    if (fault_on(&dom0->faults, FAULT_SLOW_READER))
        ev_timer_start(dom0->loop, &d->slow);
    return 0;
}

void data_fds(struct data *d, int in, int out, int err)
{
    struct ev_loop *loop = d->vm->dom0->loop;

    fdio_open(&d->in, loop, in, false, on_local, d);
    fdio_open(&d->out, loop, out, true, on_local, d);
    fdio_open(&d->err, loop, err, true, on_local, d);
}

static void start_limit(struct data *d, double seconds)
{
    d->limit.repeat = seconds;
    ev_timer_again(d->vm->dom0->loop, &d->limit);
}

int data_serve(struct data *d)
{
    struct faults *f = &d->vm->dom0->faults;

    start_limit(d, d->vm->dom0->connect_timeout);
    if (fault_strikes(f, FAULT_NO_DATA_SERVER)) {
        d->spoiled = true;
        if (fault_value(f, FAULT_NO_DATA_SERVER) > 0)
            start_limit(d, fault_value(f, FAULT_NO_DATA_SERVER));
        return 0;
    }
    if (fault_strikes(f, FAULT_LATE_DATA_SERVER)) {
        ev_timer_set(&d->late, fault_value(f, FAULT_LATE_DATA_SERVER), 0);
        ev_timer_start(d->vm->dom0->loop, &d->late);
        return 0;
    }
    return offer(d);
}

int data_join(struct data *d)
{
    struct unik_vchan *v = d->vm->dom0->vchan;
    int e = v->connect(v, NULL, d->vm->domid, d->pair->port, on_stream, d, &d->stream);

    if (e < 0)
        return e;
    outbox_attach(&d->box, d->stream);
    start_limit(d, d->vm->dom0->served_timeout);
    return 0;
}

void data_send_eof(struct data *d, uint32_t type)
{
    uint8_t message[QREXEC_HEADER];

    qrexec_encode_header(message, type, 0);
    outbox_push(&d->box, message, sizeof(message), fault_on(&d->vm->dom0->faults, FAULT_HALF_DATA));
}

void data_send_exit(struct data *d, int code)
{
    uint8_t message[QREXEC_HEADER + 4];
    int n = qrexec_encode_exit_code(message, sizeof(message), code);

    if (n > 0)
        outbox_push(&d->box, message, (size_t)n, fault_on(&d->vm->dom0->faults, FAULT_HALF_DATA));
}

/* Mistakes that begin once both have said HELLO. */
static void misbehave(struct data *d, uint32_t type)
{
    struct faults *f = &d->vm->dom0->faults;
    uint8_t bytes[256];

    memset(bytes, 0xa5, sizeof(bytes));
    if (fault_strikes(f, FAULT_OVERSIZE))
        qrexec_encode_header(bytes, type, (uint32_t)qrexec_data_max(d->version) + 1);
    else if (!fault_strikes(f, FAULT_GARBAGE))
        return;
    outbox_push(&d->box, bytes, sizeof(bytes), false);
    d->spoiled = d->in_done = true;
}

/* From the local descriptor into the channel, while both are willing. */
static void transmit(struct data *d)
{
    static uint8_t chunk[QREXEC_HEADER + 65536];    /* used within one call only */
    uint32_t type = d->service ? QREXEC_STDOUT : QREXEC_STDIN;
    bool halves = fault_on(&d->vm->dom0->faults, FAULT_HALF_DATA) && unik_ring_room(&d->box.ring) > sizeof(chunk);

    while (!d->in_done && d->in.fd >= 0 && outbox_empty(&d->box)) {
        size_t room = unik_stream_room(d->stream), most = qrexec_data_max(d->version);
        ssize_t n;

        if (room < QREXEC_HEADER + CHUNK_MIN)
            return;
        n = fdio_read(&d->in, chunk + QREXEC_HEADER, room - QREXEC_HEADER < most ? room - QREXEC_HEADER : most);
        if (n == -EAGAIN)
            return;
        if (n < 0 && !d->service && !d->local_error) {
            d->local_error = (int)n;
            d->local = "standard input";
            return;             /* no end of input: the service must not take what came for all of it */
        }
        if (n <= 0) {
            fdio_close(&d->in);
            data_send_eof(d, type);
            d->in_done = true;
            return;
        }
        d->carried += (uint64_t)n;
        qrexec_encode_header(chunk, type, (uint32_t)n);
        if (halves)
            outbox_push(&d->box, chunk, QREXEC_HEADER + (size_t)n, true);
        else
            unik_stream_write(d->stream, chunk, QREXEC_HEADER + (size_t)n);     /* room() said it takes all */
    }
}

void data_turn(struct data *d)
{
    struct faults *f = &d->vm->dom0->faults;
    bool had = d->version != 0;

    if (d->stream && !d->error) {
        outbox_flush(&d->box);
        data_receive(d);
        if (d->version && !had)
            misbehave(d, d->service ? QREXEC_STDOUT : QREXEC_STDIN);
        if (d->version && !d->error)
            transmit(d);
        if (d->version && !d->error && fault_on(f, FAULT_DROP_DATA)
            && (double)d->carried >= fault_value(f, FAULT_DROP_DATA) && fault_strikes(f, FAULT_DROP_DATA)) {
            d->spoiled = true;
            d->error = -EPROTO;
        }
        outbox_flush(&d->box);
    }
    d->turn(d);
}

void data_agent_gone(struct vm *vm)
{
    struct data *next;

    for (struct data *d = vm->datas; d; d = next) {
        next = d->next;
        if (!d->connected) {
            d->error = -ECONNRESET;
            data_turn(d);
        }
    }
}

void data_end(struct data *d, enum pair_end how)
{
    struct ev_loop *loop = d->vm->dom0->loop;

    ev_timer_stop(loop, &d->limit);
    ev_timer_stop(loop, &d->slow);
    ev_timer_stop(loop, &d->late);
    fdio_close(&d->in);
    fdio_close(&d->out);
    fdio_close(&d->err);
    if (d->stream)
        unik_stream_close(d->stream);
    d->stream = NULL;
    outbox_free(&d->box);
    *d->link = d->next;
    if (d->next)
        d->next->link = d->link;
    pair_close(d->pair, d->spoiled ? PAIR_LEFT : how);
}
