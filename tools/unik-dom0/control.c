/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/control.c - the qrexec daemon of one VM: dom0's end of the control channel. */
#include <stdlib.h>

#include "protocol/cursor.h"
#include "tools/unik-dom0/control.h"
#include "tools/unik-dom0/data.h"
#include "tools/unik-dom0/outbox.h"
#include "tools/unik-dom0/pair.h"

#define BOX_BYTES ((size_t)8 * QREXEC_CONTROL_MAX)  /* messages that wait for a guest which does not read */
#define RETRY_SECONDS 0.05                  /* after the guest closed, before the next connect */

struct control {
    struct vm *vm;
    struct unik_stream *stream;     /* NULL: the daemon is away */
    bool open;
    uint32_t announced, version;    /* 0: no HELLO yet */
    unsigned long messages;         /* both ways, on this channel */
    uint8_t *in;                    /* QREXEC_CONTROL_MAX bytes: header and body of the message that comes in */
    size_t got;
    struct qrexec_header header;
    bool complained;                /* of half a message that does not go on */
    struct outbox out;
    ev_timer retry, stall;
};

static void begin(struct control *c);

static void leave(struct control *c, double seconds)
{
    struct dom0 *dom0 = c->vm->dom0;
    bool was = c->version != 0;

    if (c->stream)
        unik_stream_close(c->stream);
    c->stream = NULL;
    c->open = false;
    c->version = c->announced = 0;
    c->got = 0;
    outbox_attach(&c->out, NULL);
    ev_timer_stop(dom0->loop, &c->stall);
    ev_timer_stop(dom0->loop, &c->retry);
    ev_timer_set(&c->retry, seconds, 0);
    ev_timer_start(dom0->loop, &c->retry);
    if (was)
        dom0_state(dom0, "%s: qrexec gone", c->vm->name);
}

void control_restart(struct vm *vm, double seconds)
{
    dom0_log(vm->dom0, UNIK_INFO, vm->name, "qrexec: the daemon goes away for %g s", seconds);
    pairs_forget(vm);
    leave(vm->control, seconds);
}

/* The guest sent what the real daemon does not survive. */
static void die(struct control *c)
{
    dom0_log(c->vm->dom0, UNIK_WARNING, c->vm->name, "qrexec: the real daemon is gone now, until the VM restarts; "
             "this one comes back in %d s", DOM0_AWAY_SECONDS);
    pairs_forget(c->vm);
    leave(c, DOM0_AWAY_SECONDS);
}

/* The guest closed: the daemon waits for the next agent, ports stay reserved, calls not yet connected end. */
static void agent_gone(struct control *c)
{
    const char *why = c->vm->dom0->vchan->reason(c->stream);

    if (c->got)
        vm_violation(c->vm, "qrexec", "control channel closed in the middle of a message");
    else if (c->open && !c->announced)
        vm_note(c->vm, "qrexec", "control channel closed before HELLO: the real daemon ends then");
    dom0_log(c->vm->dom0, c->open ? UNIK_INFO : UNIK_DEBUG, c->vm->name, "qrexec: the agent went away (%s)",
             why ? why : "closed");
    leave(c, c->open ? RETRY_SECONDS : DOM0_AWAY_SECONDS);     /* never reached: the VM itself may be gone */
    pairs_pardon(c->vm);
    data_agent_gone(c->vm);
}

/* One more message on the channel: is the fault drop-control-after due? */
static bool dropped(struct control *c)
{
    struct faults *f = &c->vm->dom0->faults;

    c->messages++;
    if (!fault_on(f, FAULT_DROP_CONTROL) || (double)c->messages < fault_value(f, FAULT_DROP_CONTROL)
        || !fault_strikes(f, FAULT_DROP_CONTROL))
        return false;
    control_restart(c->vm, RETRY_SECONDS);
    return true;
}

static int send_message(struct control *c, const void *message, size_t n)
{
    if (!c->version)
        return -ENOTCONN;
    if (outbox_push(&c->out, message, n, fault_on(&c->vm->dom0->faults, FAULT_HALF_MESSAGE)) < 0) {
        vm_violation(c->vm, "qrexec", "the guest does not read its control channel: the real daemon stands still");
        return -ENOBUFS;
    }
    outbox_flush(&c->out);
    dropped(c);
    return 0;
}

int control_send_exec(struct vm *vm, uint32_t type, uint32_t domain, uint32_t port, const void *text, size_t n)
{
    static uint8_t message[QREXEC_HEADER + QREXEC_CMD_MAX];     /* used within one call only */
    struct writer w;

    if (n > QREXEC_CMD_MAX - 8)
        return -E2BIG;
    qrexec_encode_header(message, type, (uint32_t)n + 8);
    writer_init(&w, message + QREXEC_HEADER, QREXEC_CMD_MAX);
    writer_u32(&w, domain);
    writer_u32(&w, port);
    writer_bytes(&w, text, n);
    return send_message(vm->control, message, QREXEC_HEADER + writer_done(&w));
}

int control_send_refused(struct vm *vm, const uint8_t ident[QREXEC_IDENT])
{
    uint8_t message[QREXEC_HEADER + QREXEC_IDENT];

    qrexec_encode_header(message, QREXEC_SERVICE_REFUSED, QREXEC_IDENT);
    memcpy(message + QREXEC_HEADER, ident, QREXEC_IDENT);
    return send_message(vm->control, message, sizeof(message));
}

static void fatal(struct control *c, const char *what)
{
    vm_violation(c->vm, "qrexec", "control: %s (%s, 0x%x, %u bytes, protocol %u)", what,
                 qrexec_type_name(c->header.type), c->header.type, c->header.len, c->version);
    die(c);
}

/* What is wrong with a header, as sanitize_message_from_agent() of the real daemon would say; NULL: nothing. */
static const char *wrong(const struct control *c)
{
    uint32_t len = c->header.len;

    if (!c->version)
        return c->header.type != QREXEC_HELLO ? "expected HELLO" : len != 4 ? "HELLO has 4 bytes" : NULL;
    switch (c->header.type) {
    case QREXEC_TRIGGER2:
        return c->version > 2 ? "TRIGGER_SERVICE is for protocol 2" : len != 128 ? "128 bytes expected" : NULL;
    case QREXEC_TRIGGER3:
        return c->version < 3 ? "TRIGGER_SERVICE3 is for protocol 3 and 4"
               : len <= 96 || len > 96 + QREXEC_SERVICE_MAX ? "97 to 65096 bytes expected" : NULL;
    case QREXEC_TRIGGER4:
        return c->version < 4 ? "TRIGGER_SERVICE4 is for protocol 4"
               : len <= 160 || len > 160 + QREXEC_SERVICE_MAX ? "161 to 65160 bytes expected" : NULL;
    case QREXEC_TERMINATED:
        return len != 8 ? "8 bytes expected" : NULL;
    case QREXEC_HELLO:
        return "second HELLO";
    default:
        return "unknown type, or not for this direction";
    }
}

static void take_hello(struct control *c, const uint8_t *body)
{
    struct dom0 *dom0 = c->vm->dom0;
    uint8_t hello[QREXEC_HEADER + 4];
    uint32_t theirs = 0;
    struct writer w;

    qrexec_decode_hello(body, 4, &theirs);
    c->announced = theirs;
    c->version = qrexec_version(dom0->protocol, theirs);
    if (!c->version) {
        fatal(c, "HELLO with a version below 2");
        return;
    }
    /* From 4.3.7 on the real daemon gives back the very number; older ones name their own. */
    qrexec_encode_header(hello, QREXEC_HELLO, 4);
    writer_init(&w, hello + QREXEC_HEADER, 4);
    writer_u32(&w, dom0->protocol == 4 ? theirs : dom0->protocol);
    dom0_log(dom0, UNIK_INFO, c->vm->name, "qrexec: the guest speaks %u, dom0 %u: %u", theirs, dom0->protocol,
             c->version);
    if (send_message(c, hello, sizeof(hello)) < 0 || !c->version)
        return;
    dom0_state(dom0, "%s: qrexec connected, protocol %u", c->vm->name, c->version);
    vm_restart_fault(c->vm);
}

/* from the guest: one whole message whose header was found right. */
static void handle(struct control *c)
{
    const uint8_t *body = c->in + QREXEC_HEADER;
    struct qrexec_exec e;

    dom0_log(c->vm->dom0, UNIK_DEBUG, c->vm->name, "qrexec: got %s, %u bytes", qrexec_type_name(c->header.type),
             c->header.len);
    if (c->header.type == QREXEC_HELLO)
        take_hello(c, body);
    else if (c->header.type != QREXEC_TERMINATED)
        trigger_receive(c->vm, c->header.type, body, c->header.len);
    else if (qrexec_decode_terminated(body, c->header.len, &e) < 0 || e.port < QREXEC_DATA_PORT ||
             e.port >= QREXEC_DATA_PORT + QREXEC_DATA_PORTS)
        fatal(c, "port outside 513..768");
    else
        pair_terminated(c->vm, e.domain, e.port);
    if (c->stream)
        dropped(c);
}

static void watch_for_stall(struct control *c)
{
    struct ev_loop *loop = c->vm->dom0->loop;

    if (c->stream && c->open && (c->got || !c->announced)) {
        if (!ev_is_active(&c->stall)) {
            ev_timer_set(&c->stall, c->vm->dom0->deadline, 0);
            ev_timer_start(loop, &c->stall);
        }
    } else
        ev_timer_stop(loop, &c->stall);
}

static void on_stall(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct control *c = w->data;

    (void)loop, (void)revents;
    if (c->complained)
        return;
    c->complained = true;
    if (!c->announced)
        vm_violation(c->vm, "qrexec", "no HELLO on the control channel within %g s: the real VM start hangs",
                     c->vm->dom0->deadline);
    else
        vm_violation(c->vm, "qrexec", "half a control message (%zu bytes) for %g s: the real daemon stands still",
                     c->got, c->vm->dom0->deadline);
}

static void receive(struct control *c)
{
    const void *bytes;
    const char *what;
    size_t n, want;

    while (c->stream && (n = unik_stream_peek(c->stream, &bytes)) > 0) {
        want = c->got < QREXEC_HEADER ? QREXEC_HEADER : QREXEC_HEADER + c->header.len;
        if (n > want - c->got)
            n = want - c->got;
        memcpy(c->in + c->got, bytes, n);
        c->got += n;
        unik_stream_consume(c->stream, n);
        if (c->got == QREXEC_HEADER && want == QREXEC_HEADER) {
            qrexec_decode_header(c->in, &c->header);
            what = wrong(c);
            if (what) {
                fatal(c, what);
                return;
            }
        }
        if (c->got < QREXEC_HEADER || c->got < QREXEC_HEADER + c->header.len)
            continue;
        c->got = 0;
        c->complained = false;
        ev_timer_stop(c->vm->dom0->loop, &c->stall);
        handle(c);
    }
    if (c->stream && unik_stream_ended(c->stream))
        agent_gone(c);
    watch_for_stall(c);
}

static void on_stream(struct unik_stream *s, unsigned events, void *arg)
{
    struct control *c = arg;

    (void)s;
    if (events & UNIK_STREAM_OPEN)
        c->open = true;
    outbox_flush(&c->out);
    receive(c);
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop, (void)revents;
    begin(w->data);
}

static void begin(struct control *c)
{
    struct unik_vchan *v = c->vm->dom0->vchan;
    int e = v->connect(v, NULL, c->vm->domid, QREXEC_PORT, on_stream, c, &c->stream);

    c->messages = 0;
    c->complained = false;
    if (e < 0) {
        dom0_log(c->vm->dom0, UNIK_ERROR, c->vm->name, "qrexec: cannot connect to domain %d: %s", c->vm->domid,
                 strerror(-e));
        c->stream = NULL;
        ev_timer_set(&c->retry, DOM0_AWAY_SECONDS, 0);
        ev_timer_start(c->vm->dom0->loop, &c->retry);
        return;
    }
    outbox_attach(&c->out, c->stream);
}

int control_init(struct vm *vm)
{
    struct control *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    vm->control = c;
    c->vm = vm;
    ev_timer_init(&c->retry, on_retry, 0, 0);
    ev_timer_init(&c->stall, on_stall, 0, 0);
    c->retry.data = c->stall.data = c;
    c->in = malloc(QREXEC_CONTROL_MAX);
    if (!c->in || outbox_init(&c->out, vm->dom0->loop, BOX_BYTES, NULL, NULL) < 0)
        return -ENOMEM;
    begin(c);
    return 0;
}

void control_free(struct vm *vm)
{
    struct control *c = vm->control;

    if (!c)
        return;
    if (c->stream)
        unik_stream_close(c->stream);
    ev_timer_stop(vm->dom0->loop, &c->retry);
    ev_timer_stop(vm->dom0->loop, &c->stall);
    outbox_free(&c->out);
    free(c->in);
    free(c);
    vm->control = NULL;
}

uint32_t control_version(struct vm *vm) { return vm->control->version; }

void control_status(struct vm *vm, struct unik_text *out)
{
    const struct control *c = vm->control;

    if (c->version)
        unik_text_add(out, "qrexec: connected, protocol %u (the guest speaks %u)\n", c->version, c->announced);
    else
        unik_text_add(out, "qrexec: %s\n", !c->stream ? "away" :
                      c->open ? "waiting for HELLO" : "waiting for the guest");
}
