/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/data-in.c - what comes in on a data channel: from the guest, checked as hard as the real programs do,
 * and pumped from the ring straight into the local descriptor. */
#include "tools/unik-dom0/data.h"
#include "protocol/cursor.h"

static void violation(struct data *d, const char *what)
{
    vm_violation(d->vm, "qrexec", "port %u: %s (%s, 0x%x, %u bytes)", d->pair->port, what,
                 qrexec_type_name(d->header.type), d->header.type, d->header.len);
}

static void fatal(struct data *d, const char *what)
{
    violation(d, what);
    d->error = -EPROTO;
}

/* The guest is the service: STDOUT, STDERR, EXIT_CODE in this order of ends; take_exit_code() looks at that. */
static void check_as_caller(struct data *d)
{
    if (d->exit_seen)
        violation(d, "message after EXIT_CODE");
    else if (d->header.type == QREXEC_STDIN)
        violation(d, "a service sends no STDIN; taken as STDOUT, as the real client does");
    else if (d->header.type == QREXEC_STDERR ? d->stderr_eof : d->header.type == QREXEC_STDOUT && d->stdout_eof)
        violation(d, "message after the end of its stream");
}

/* The guest is the caller: STDIN only. */
static void check_as_service(struct data *d)
{
    if (d->header.type == QREXEC_STDOUT)
        violation(d, "a caller sends no STDOUT; taken as STDIN, as the real client does");
    else if (d->header.type != QREXEC_STDIN)
        violation(d, "a caller sends STDIN only; ignored");
    else if (d->stdin_eof)
        violation(d, "message after the end of its stream");
}

static void begin(struct data *d)
{
    const struct qrexec_header *h = &d->header;

    d->body_left = h->len;
    if (!d->version) {
        if (h->type != QREXEC_HELLO || h->len != 4)
            fatal(d, "expected HELLO of 4 bytes");
        return;
    }
    if (h->type < QREXEC_STDIN || h->type > QREXEC_EXIT_CODE)
        fatal(d, h->type == QREXEC_HELLO ? "second HELLO" : "unknown type");
    else if (h->len > qrexec_data_max(d->version))
        fatal(d, d->version < 3 ? "over 4096 bytes" : "over 65536 bytes");
    else if (d->service)
        check_as_service(d);
    else
        check_as_caller(d);
    if (!d->error && h->type == QREXEC_EXIT_CODE && h->len != 4)
        violation(d, "EXIT_CODE has 4 bytes");
}

static void take_hello(struct data *d)
{
    struct dom0 *dom0 = d->vm->dom0;
    uint8_t hello[QREXEC_HEADER + 4];
    uint32_t theirs = 0;

    qrexec_decode_hello(d->small, 4, &theirs);
    d->version = qrexec_version(dom0->protocol, theirs);
    if (!d->version) {
        vm_violation(d->vm, "qrexec", "port %u: HELLO with version %u", d->pair->port, theirs);
        d->error = -EPROTO;
        return;
    }
    ev_timer_stop(dom0->loop, &d->limit);
    if (d->service)             /* the guest serves, so it spoke first */
        outbox_push(&d->box, hello, (size_t)qrexec_encode_hello(hello, sizeof(hello), dom0->protocol),
                    fault_on(&dom0->faults, FAULT_HALF_DATA));
}

static void take_exit_code(struct data *d)
{
    struct reader r;
    int code;

    reader_init(&r, d->small, 4);
    code = d->header.len < 4 ? 255 : (int)reader_u32(&r);
    if (d->exit_seen)
        return;
    if (code < 0 || code > 255)
        vm_violation(d->vm, "qrexec", "port %u: exit code %d is not in 0..255%s", d->pair->port, code,
                     code == -1 ? ": to the real client it means still running" : "");
    if (code == 0 && !d->stdout_eof && !d->just_exec)       /* with another code, the call was aborted */
        violation(d, "EXIT_CODE 0 before the end of STDOUT: the real client hangs until the channel closes");
    d->exit_seen = true;
    d->exit_code = code == -1 ? -1 : code & 255;
}

/* A message is complete. */
static void finish(struct data *d)
{
    bool end = d->header.len == 0;

    d->head_got = 0;
    if (d->header.type == QREXEC_HELLO)
        take_hello(d);
    else if (d->header.type == QREXEC_EXIT_CODE && !d->service)
        take_exit_code(d);
    else if (d->header.type == QREXEC_STDERR && end && !d->service) {
        d->stderr_eof = true;
        fdio_close(&d->err);
    } else if ((d->header.type == QREXEC_STDOUT || d->header.type == QREXEC_STDIN) && end) {
        if (d->service)
            d->stdin_eof = true;
        else
            d->stdout_eof = true;
        fdio_close(&d->out);
    }
}

/* Where the body of this message goes; NULL: nowhere. */
static struct fdio *target(struct data *d)
{
    struct fdio *f = &d->out;

    if (d->header.type == QREXEC_HELLO || d->header.type == QREXEC_EXIT_CODE)
        return NULL;
    if (d->header.type == QREXEC_STDERR)
        f = d->service ? NULL : &d->err;
    return f && f->fd >= 0 ? f : NULL;
}

/* n bytes of body at p: how many were used; 0: the descriptor takes none now. */
static size_t take_body(struct data *d, const uint8_t *p, size_t n)
{
    struct fdio *f = target(d);
    ssize_t k;

    if (fault_on(&d->vm->dom0->faults, FAULT_SLOW_READER)) {
        if (!ev_is_active(&d->slow))
            ev_timer_start(d->vm->dom0->loop, &d->slow);
        if ((double)n > d->allowance)
            n = (size_t)d->allowance;
        d->allowance -= (double)n;
    }
    if (f && n) {
        k = fdio_write(f, p, n);
        if (k == -EAGAIN)
            return 0;
        if (k < 0 && !d->service && !d->local_error) {
            d->local_error = (int)k;
            d->local = f == &d->err ? "standard error" : "standard output";
        }
        if (k < 0)
            fdio_close(f);      /* the rest is dropped; a command of dom0 need not read its input */
        else
            n = (size_t)k;
    }
    for (size_t i = 0; !f && i < n; i++) {
        size_t at = d->header.len - d->body_left + i;

        if (at >= sizeof(d->small))
            break;
        d->small[at] = p[i];
    }
    d->carried += n;
    return n;
}

static void ended(struct data *d)
{
    int e = unik_stream_ended(d->stream);

    if (e == 0)
        return;
    if (d->connected && !d->spoiled && (d->head_got || d->body_left))
        vm_violation(d->vm, "qrexec", "port %u: closed in the middle of a message", d->pair->port);
    d->error = -EPIPE;
}

void data_receive(struct data *d)
{
    const void *bytes;
    size_t n, k;

    while (!d->error) {
        n = unik_stream_peek(d->stream, &bytes);
        if (n == 0) {
            ended(d);
            return;
        }
        if (d->head_got < QREXEC_HEADER) {
            k = QREXEC_HEADER - d->head_got < n ? QREXEC_HEADER - d->head_got : n;
            memcpy(d->head + d->head_got, bytes, k);
            d->head_got += k;
            unik_stream_consume(d->stream, k);
            if (d->head_got < QREXEC_HEADER)
                continue;
            qrexec_decode_header(d->head, &d->header);
            begin(d);
        } else {
            k = take_body(d, bytes, d->body_left < n ? d->body_left : n);
            if (k == 0)
                return;
            d->body_left -= k;
            unik_stream_consume(d->stream, k);
        }
        if (!d->error && d->body_left == 0)
            finish(d);
    }
}
