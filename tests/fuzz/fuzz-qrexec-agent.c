/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent against a vchan whose other ends are played from the input: dom0's daemon and the data channels, in any order,
 * cut anywhere, with little room, gone at any moment. Whatever comes in, what goes out must be what dom0's daemon and a peer
 * survive: whole messages of types, lengths and ports they know; and nothing may be left at the end.
 *
 * Input: bytes of operations, each followed by its operands (see play()). */
#include <string.h>
#include <unik/qrexec.h>
#include <unik/ring.h>
#include <unik/vchan.h>

#include "protocol/qrexec.h"
#include "tests/fuzz/must.h"
#include "tools/host/host.h"

#define CHANNELS 8
#define OPERATIONS 200


struct channel {
    struct unik_stream stream;          /* first */
    struct unik_ring in;
    bool used, control, server, gone;
    enum unik_vchan_state state;
    size_t room;
    uint8_t out[QREXEC_HEADER + 65536];  /* the message being written */
    size_t out_used;
    unsigned hellos, eofs[2];
    bool code;
};

static struct channel channels[CHANNELS];
static struct host *h;
static struct unik_ctx *qrexec, *app_ctx;
static struct unik_qrexec *q;
static struct unik_qrexec_call *held;
static unsigned given;                  /* pairs dom0 may have given out, and got back */
static unsigned released;

extern const struct unik_plugin unik_plugin_qrexec;

/* ---- the vchan ---- */

static struct channel *of(struct unik_stream *s) { return (struct channel *)(void *)s; }

static size_t op_peek(struct unik_stream *s, const void **bytes) { return unik_ring_peek(&of(s)->in, bytes); }
static void op_consume(struct unik_stream *s, size_t n) { unik_ring_consume(&of(s)->in, n); }
static int op_ended(struct unik_stream *s) { return of(s)->gone && !unik_ring_used(&of(s)->in); }
static int op_shut(struct unik_stream *s) { return (void)s, -EOPNOTSUPP; }
static enum unik_vchan_state api_state(struct unik_stream *s) { return of(s)->state; }
static const char *api_reason(struct unik_stream *s) { return (void)s, "played"; }

static size_t op_room(struct unik_stream *s)
{
    struct channel *c = of(s);

    return c->state == UNIK_VCHAN_DISCONNECTED || (c->state == UNIK_VCHAN_WAITING && !c->server) ? 0 : c->room;
}

/* dom0's daemon dies of anything else (doc/protocol/qrexec.md, 9). */
static void check_control(struct channel *c, const struct qrexec_header *head, const uint8_t *body)
{
    struct qrexec_trigger t;
    struct qrexec_exec e;

    if (c->hellos == 0) {
        must(head->type == QREXEC_HELLO && head->len == 4);
        c->hellos++;
    } else if (head->type == QREXEC_TERMINATED) {
        must(qrexec_decode_terminated(body, head->len, &e) == 0);
        must(++released <= given);
    } else {
        must(qrexec_decode_trigger(head->type, head->type == QREXEC_TRIGGER2 ? 2 : head->type == QREXEC_TRIGGER3 ? 3 : 4,
                                    body, head->len, &t) == 0);
    }
}

static void check_data(struct channel *c, const struct qrexec_header *head)
{
    must(!c->code);
    if (c->hellos == 0) {
        must(head->type == QREXEC_HELLO && head->len == 4);
        c->hellos++;
    } else if (c->server) {
        must(head->type == QREXEC_STDIN && !c->eofs[0]);
        c->eofs[0] += head->len == 0;
    } else if (head->type == QREXEC_EXIT_CODE) {
        must(head->len == 4);
        c->code = true;
    } else {
        unsigned which = head->type - QREXEC_STDOUT;

        must(which < 2 && !c->eofs[which]);
        c->eofs[which] += head->len == 0;
    }
}

static ssize_t op_write(struct unik_stream *s, const void *bytes, size_t n)
{
    struct channel *c = of(s);
    const uint8_t *p = bytes;
    struct qrexec_header head;

    if (c->state == UNIK_VCHAN_DISCONNECTED)
        return -EPIPE;
    if (c->state == UNIK_VCHAN_WAITING && !c->server)
        return -ENOTCONN;
    n = n < c->room ? n : c->room;
    c->room -= n;
    for (size_t i = 0; i < n; i++) {
        must(c->out_used < sizeof(c->out));
        c->out[c->out_used++] = p[i];
        if (c->out_used < QREXEC_HEADER)
            continue;
        qrexec_decode_header(c->out, &head);
        must(head.len <= sizeof(c->out) - QREXEC_HEADER);
        if (c->out_used < QREXEC_HEADER + head.len)
            continue;
        if (c->control)
            check_control(c, &head, c->out + QREXEC_HEADER);
        else
            check_data(c, &head);
        c->out_used = 0;
    }
    return (ssize_t)n;
}

static void op_close(struct unik_stream *s)
{
    struct channel *c = of(s);

    must(c->used);
    must(c->out_used == 0 || c->state == UNIK_VCHAN_DISCONNECTED);     /* half a message stalls the reader */
    unik_ring_free(&c->in);
    memset(c, 0, offsetof(struct channel, out));
    c->out_used = c->hellos = c->eofs[0] = c->eofs[1] = 0;
    c->code = false;
}

static const struct unik_stream_ops ops = {
    .size = sizeof(struct unik_stream_ops), .peek = op_peek, .consume = op_consume, .ended = op_ended, .room = op_room,
    .write = op_write, .shut = op_shut, .close = op_close
};

static int begin(bool server, int peer, unsigned port, unik_stream_cb *cb, void *arg, struct unik_stream **out)
{
    struct channel *c = channels;

    if (peer == 1 || peer < 0 || peer > 0x7fef)
        return -EINVAL;
    while (c < channels + CHANNELS && c->used)
        c++;
    if (c == channels + CHANNELS)
        return -EMFILE;
    c->stream = (struct unik_stream){ .ops = &ops, .cb = cb, .arg = arg, .peer = "played" };
    must(unik_ring_init(&c->in, 512) == 0);
    c->used = true;
    c->control = port == 512;
    c->server = server;
    c->room = 4096;
    *out = &c->stream;
    return 0;
}

static int api_domid(struct unik_vchan *v) { return (void)v, 1; }

static int api_listen(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, size_t read_min,
                      size_t write_min, unik_stream_cb *cb, void *arg, struct unik_stream **out)
{
    (void)v, (void)owner, (void)read_min, (void)write_min;
    return begin(true, peer, port, cb, arg, out);
}

static int api_connect(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, unik_stream_cb *cb,
                       void *arg, struct unik_stream **out)
{
    (void)v, (void)owner;
    return begin(false, peer, port, cb, arg, out);
}

static struct unik_vchan vchan = { .size = sizeof(vchan), .domid = api_domid, .listen = api_listen, .connect = api_connect,
                                   .state = api_state, .reason = api_reason };

/* ---- the app: a service that sends back what it gets, and a caller ---- */

static void on_echo(struct unik_stream *io, unsigned events, void *arg)
{
    const void *p;
    size_t n;

    (void)events, (void)arg;
    while ((n = unik_stream_peek(io, &p)) > 0) {
        ssize_t k = unik_stream_write(io, p, n);

        if (k <= 0)
            break;
        unik_stream_consume(io, (size_t)k);
    }
    if (unik_stream_ended(io) || unik_stream_write(io, "", 0) < 0)
        unik_stream_close(io);
}

static void on_call(struct unik_qrexec_call *call, void *arg)
{
    (void)arg;
    unik_stream_on(call->io, on_echo, NULL);
    q->write_err(call, "!", 1);
}

static void on_held(struct unik_stream *io, unsigned events, void *arg)
{
    const void *p;
    size_t n;

    (void)events, (void)arg;
    while ((n = unik_stream_peek(io, &p)) > 0)
        unik_stream_consume(io, n);
}

static int app_start(struct unik_ctx *ctx) { return unik_ready(ctx), 0; }
static void app_stop(struct unik_ctx *ctx) { unik_stopped(ctx); }

static const struct unik_plugin app = {
    UNIK_PLUGIN_HEAD, .name = "app", .version = "1", .summary = "", .targets = UNIK_ON_ANY, .start = app_start,
    .stop = app_stop
};

/* ---- the input ---- */

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t next(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static void tell(struct channel *c, unsigned events)
{
    if (c->used && c->stream.cb)
        c->stream.cb(&c->stream, events, c->stream.arg);
}

static void turn(void)
{
    for (int i = 0; i < 2; i++)
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
}

static void app_acts(uint8_t how)
{
    switch (how % 4) {
    case 0:
        if (!held && q->call(q, app_ctx, "work", "test.Out", on_held, NULL, &held) < 0)
            held = NULL;
        break;
    case 1:
        if (held)
            unik_stream_write(held->io, "input", how % 6);
        break;
    case 2:
        if (held)
            unik_stream_shut(held->io);
        break;
    case 3:
        if (held && (how & 4)) {
            q->err(held);
        } else if (held) {
            unik_stream_close(held->io);
            held = NULL;
        }
        break;
    }
}

static void play(struct input *in)
{
    uint8_t what = next(in);
    struct channel *c = &channels[(what >> 3) % CHANNELS];
    size_t n;

    switch (what & 7) {
    case 0:                             /* it connects */
        if (c->used && c->state == UNIK_VCHAN_WAITING) {
            c->state = UNIK_VCHAN_CONNECTED;
            tell(c, UNIK_STREAM_OPEN);
        }
        break;
    case 1: case 2: case 3:             /* bytes come */
        n = next(in);
        n = n < in->left ? n : in->left;
        if (c->used && c->state == UNIK_VCHAN_CONNECTED) {
            if (c->control)
                given += (unsigned)n / 8 + 1;
            unik_ring_put(&c->in, in->at, n);
            tell(c, UNIK_STREAM_INPUT);
        }
        in->at += n;
        in->left -= n;
        break;
    case 4:                             /* it goes */
        if (c->used && c->state == UNIK_VCHAN_CONNECTED) {
            c->state = UNIK_VCHAN_DISCONNECTED;
            c->gone = true;
            tell(c, UNIK_STREAM_INPUT | UNIK_STREAM_ROOM);
        }
        break;
    case 5:                             /* its ring has this much room now */
        n = next(in) * 4u;
        if (c->used) {
            c->room = n;
            tell(c, UNIK_STREAM_ROOM);
        }
        break;
    case 6:
        app_acts(next(in));
        break;
    case 7:
        host_drain(qrexec);
        break;
    }
    turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const options[] = { "services=no", NULL };
    struct input in = { bytes, n };

    h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    given = released = 0;
    held = NULL;
    must(host_publish(h, "vchan/1", &vchan) == 0);
    qrexec = host_add(h, &unik_plugin_qrexec, options);
    app_ctx = host_add(h, &app, NULL);
    must(qrexec && app_ctx && host_start(qrexec) == 0 && host_start(app_ctx) == 0);
    q = host_interface(h, "qrexec/1");
    must(q->serve(q, app_ctx, "test.Svc", on_call, NULL, NULL) == 0);
    for (int i = 0; i < OPERATIONS && in.left; i++)
        play(&in);
    host_stop_wait(app_ctx, 1);
    host_stop_wait(qrexec, 1);
    must(host_counter(qrexec, "calls_running") == 0);
    for (size_t i = 0; i < CHANNELS; i++)
        must(!channels[i].used);
    host_free(h);
    return 0;
}
