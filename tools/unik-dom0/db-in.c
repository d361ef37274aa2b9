/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/db-in.c - QubesDB messages from the guest, checked as hard as the real daemon does. */
#include "tools/unik-dom0/db-parts.h"

static void fatal(struct db *d, const char *what)
{
    vm_violation(d->vm, "qubesdb", "%s (%s, %u, path \"%s\", %u bytes)", what, qubesdb_type_name(d->header.type),
                 d->header.type, d->header.path, d->header.len);
    db_die(d);
}

static void answer(struct db *d, enum qubesdb_type type, const char *path)
{
    if (db_put(d, type, path, NULL, 0) < 0) {
        vm_violation(d->vm, "qubesdb", "the guest does not read: the real daemon stands still");
        db_die(d);
        return;
    }
    outbox_flush(&d->out);
}

static void take_write(struct db *d, const uint8_t *value)
{
    if (memchr(value, 0, d->header.len)) {
        vm_violation(d->vm, "qubesdb", "WRITE %s: NUL in the value", d->header.path);
        answer(d, QUBESDB_ERROR, d->header.path);
    } else if (!qubesdb_key_ok(d->header.path))
        fatal(d, "WRITE of what is not a key");
    else if (store_set(&d->store, d->header.path, value, d->header.len) < 0)
        answer(d, QUBESDB_ERROR, d->header.path);
    else {
        answer(d, QUBESDB_OK, d->header.path);
        db_fire(d, d->header.path);
    }
}

static void take_rm(struct db *d)
{
    if (d->header.len) {
        vm_violation(d->vm, "qubesdb", "RM %s with data", d->header.path);
        answer(d, QUBESDB_ERROR, d->header.path);
    } else if (store_remove(&d->store, d->header.path) == 0) {
        answer(d, QUBESDB_ERROR_NOENT, d->header.path);
        if (d->stream)
            fatal(d, "RM of a key that is not there");
    } else {
        answer(d, QUBESDB_OK, d->header.path);
        db_fire(d, d->header.path);
    }
}

/* All keys in descending order, then the end: an entry with an empty path. */
static void dump(struct db *d)
{
    struct faults *f = &d->vm->dom0->faults;
    size_t sent = 0;

    for (size_t i = d->store.n; i-- > 0; sent++) {
        if (fault_on(f, FAULT_QUBESDB_DROP) && (double)sent >= fault_value(f, FAULT_QUBESDB_DROP)
            && fault_strikes(f, FAULT_QUBESDB_DROP)) {
            outbox_flush(&d->out);
            db_restart(d->vm, DOM0_AWAY_SECONDS);
            return;
        }
        db_put(d, QUBESDB_GOT_MULTIREAD, d->store.at[i].path, d->store.at[i].value, d->store.at[i].len);
    }
    db_put(d, QUBESDB_GOT_MULTIREAD, "", NULL, 0);
    d->synced = true;
    outbox_flush(&d->out);
    dom0_state(d->vm->dom0, "%s: qubesdb synced, %zu keys", d->vm->name, d->store.n);
}

static void take_multiread(struct db *d)
{
    size_t need = BOX_MIN + unik_ring_used(&d->out.ring);

    if (d->synced) {
        fatal(d, "second MULTIREAD on one connection");
        return;
    }
    if (d->header.path[0] || d->header.len)
        vm_violation(d->vm, "qubesdb", "MULTIREAD with path \"%s\" and %u bytes: expected none", d->header.path,
                     d->header.len);
    for (size_t i = 0; i < d->store.n; i++)
        need += QUBESDB_HEADER + d->store.at[i].len;
    if (d->out.ring.size < need && outbox_grow(&d->out, need) < 0) {
        dom0_log(d->vm->dom0, UNIK_ERROR, d->vm->name, "qubesdb: no memory for the dump");
        db_die(d);
        return;
    }
    dump(d);
}

static void take_ok(struct db *d)
{
    if (d->acks_n == 0) {
        vm_violation(d->vm, "qubesdb", "RESP_OK %s answers nothing", d->header.path);
        return;
    }
    if (d->header.len || strcmp(d->acks[d->acks_from], d->header.path) != 0)
        vm_violation(d->vm, "qubesdb", "RESP_OK \"%s\" with %u bytes: expected \"%s\" with none", d->header.path,
                     d->header.len, d->acks[d->acks_from]);
    d->acks_from = (d->acks_from + 1) % ACKS_MAX;
    d->acks_n--;
    ev_timer_stop(d->vm->dom0->loop, &d->ack);
    if (d->acks_n)
        db_start_timer(d, &d->ack);
}

static void take_error(struct db *d)
{
    if (d->header.len) {
        fatal(d, "RESP_ERROR with data");
        return;
    }
    vm_violation(d->vm, "qubesdb", "RESP_ERROR %s: the guest could not take a change", d->header.path);
    if (d->acks_n)
        take_ok(d);
}

/* One whole message whose header was found right. */
static void handle(struct db *d)
{
    dom0_log(d->vm->dom0, UNIK_DEBUG, d->vm->name, "qubesdb: got %s %s", qubesdb_type_name(d->header.type),
             d->header.path);
    switch (d->header.type) {
    case QUBESDB_WRITE:
        take_write(d, d->in + QUBESDB_HEADER);
        break;
    case QUBESDB_RM:
        take_rm(d);
        break;
    case QUBESDB_MULTIREAD:
        take_multiread(d);
        break;
    case QUBESDB_OK:
        take_ok(d);
        break;
    default:
        take_error(d);
    }
}

/* What verify_hdr() of the real daemon does not let pass. */
static bool check_header(struct db *d)
{
    if (qubesdb_decode(d->in, &d->header) < 0)
        fatal(d, "header without an end of the path, or over 3071 bytes");
    else if (!qubesdb_from_vm(d->header.type))
        fatal(d, "unknown type, or not for this direction");
    else if (!qubesdb_path_ok(d->header.path))
        fatal(d, "bad character in the path");
    else
        return true;
    return false;
}

void db_receive(struct db *d)
{
    const void *bytes;
    size_t n, want;

    while (d->stream && (n = unik_stream_peek(d->stream, &bytes)) > 0) {
        want = d->got < QUBESDB_HEADER ? QUBESDB_HEADER : QUBESDB_HEADER + d->header.len;
        if (n > want - d->got)
            n = want - d->got;
        memcpy(d->in + d->got, bytes, n);
        d->got += n;
        unik_stream_consume(d->stream, n);
        if (d->got == QUBESDB_HEADER && want == QUBESDB_HEADER && !check_header(d))
            return;
        if (d->got < QUBESDB_HEADER || d->got < QUBESDB_HEADER + d->header.len)
            continue;
        d->got = 0;
        d->complained = false;
        ev_timer_stop(d->vm->dom0->loop, &d->stall);
        handle(d);
    }
    if (d->stream && unik_stream_ended(d->stream))
        db_gone(d);
    else if (d->stream && d->open && (d->got || !d->synced))
        db_start_timer(d, &d->stall);
}
