/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/db.c - the QubesDB daemon of one VM: dom0's end of channel 111, and what dom0 changes. */
#include <stdlib.h>

#include "protocol/cursor.h"
#include "tools/unik-dom0/db-parts.h"

static int begin(struct db *d);

static void leave(struct db *d, double seconds)
{
    struct dom0 *dom0 = d->vm->dom0;
    bool was = d->synced;

    if (d->stream)
        unik_stream_close(d->stream);
    d->stream = NULL;
    d->open = d->synced = false;
    d->got = d->acks_n = 0;
    outbox_attach(&d->out, NULL);
    ev_timer_stop(dom0->loop, &d->stall);
    ev_timer_stop(dom0->loop, &d->ack);
    ev_timer_stop(dom0->loop, &d->retry);
    ev_timer_set(&d->retry, seconds, 0);
    ev_timer_start(dom0->loop, &d->retry);
    if (was)
        dom0_state(dom0, "%s: qubesdb gone", d->vm->name);
}

void db_restart(struct vm *vm, double seconds)
{
    dom0_log(vm->dom0, UNIK_INFO, vm->name, "qubesdb: the daemon goes away for %g s", seconds);
    leave(vm->db, seconds);
}

void db_die(struct db *d)
{
    dom0_log(d->vm->dom0, UNIK_WARNING, d->vm->name, "qubesdb: the real daemon is gone now, until the VM restarts; "
             "this one comes back in %d s", DOM0_AWAY_SECONDS);
    leave(d, DOM0_AWAY_SECONDS);
}

/* ---- what goes out ---- */

int db_put(struct db *d, enum qubesdb_type type, const char *path, const void *value, size_t len)
{
    uint8_t message[QUBESDB_MESSAGE_MAX];
    struct writer w;

    snprintf(d->field, sizeof(d->field), "%s", path);
    writer_init(&w, message, sizeof(message));
    writer_u8(&w, (uint8_t)type);
    writer_bytes(&w, d->field, sizeof(d->field));
    writer_bytes(&w, "\xa5\x5a\xff", 3);
    writer_u32(&w, (uint32_t)len);
    writer_bytes(&w, value, len);
    return outbox_push(&d->out, message, writer_done(&w), fault_on(&d->vm->dom0->faults, FAULT_HALF_QUBESDB));
}

void db_start_timer(struct db *d, ev_timer *w)
{
    if (ev_is_active(w))
        return;
    ev_timer_set(w, d->vm->dom0->deadline, 0);
    ev_timer_start(d->vm->dom0->loop, w);
}

/* A change made in dom0 goes to a guest that has synced; it owes a RESP_OK. */
static void tell_guest(struct db *d, enum qubesdb_type type, const char *path, const char *value, size_t len)
{
    if (!d->synced)
        return;
    if (d->acks_n == ACKS_MAX || db_put(d, type, path, value, len) < 0) {
        vm_violation(d->vm, "qubesdb", "the guest does not %s: the real daemon stands still",
                     d->acks_n == ACKS_MAX ? "answer" : "read");
        db_die(d);
        return;
    }
    snprintf(d->acks[(d->acks_from + d->acks_n++) % ACKS_MAX], QUBESDB_PATH, "%s", path);
    db_start_timer(d, &d->ack);
    outbox_flush(&d->out);
}

void db_fire(struct db *d, const char *path)
{
    size_t n = strlen(path);
    bool tree = n && path[n - 1] == '/';
    struct db_watch *next;

    for (struct db_watch *w = d->watches; w; w = next) {
        size_t k = strlen(w->path);
        bool below = k && w->path[k - 1] == '/';

        next = w->next;
        if (strcmp(w->path, path) == 0 || ((tree || below) && k < n && strncmp(w->path, path, k) == 0 && below))
            w->cb(w, path);
    }
}

int db_write(struct vm *vm, const char *path, const char *value)
{
    size_t len = strlen(value);
    int e;

    if (!qubesdb_key_ok(path) || len > QUBESDB_VALUE_MAX)
        return -EINVAL;
    e = store_set(&vm->db->store, path, value, len);
    if (e < 0)
        return e;
    tell_guest(vm->db, QUBESDB_WRITE, path, value, len);
    db_fire(vm->db, path);
    return 0;
}

int db_remove(struct vm *vm, const char *path)
{
    if (!qubesdb_path_ok(path) || path[0] != '/')
        return -EINVAL;
    if (store_remove(&vm->db->store, path) == 0)
        return -ENOENT;
    tell_guest(vm->db, QUBESDB_RM, path, NULL, 0);
    db_fire(vm->db, path);
    return 0;
}

void db_gone(struct db *d)
{
    const char *why = d->vm->dom0->vchan->reason(d->stream);
    bool synced = d->synced;

    dom0_log(d->vm->dom0, d->open ? UNIK_INFO : UNIK_DEBUG, d->vm->name, "qubesdb: the guest went away (%s)",
             why ? why : "closed");
    if (d->got)
        vm_violation(d->vm, "qubesdb", "closed in the middle of a message");
    if (!synced && d->open) {
        vm_violation(d->vm, "qubesdb", "the guest left before its MULTIREAD: the real daemon gives up for good");
        db_die(d);
    } else {
        leave(d, d->open ? 0 : DOM0_AWAY_SECONDS);      /* never reached: the VM itself may be gone */
    }
}

static void on_stream(struct unik_stream *s, unsigned events, void *arg)
{
    struct db *d = arg;

    (void)s;
    if (events & UNIK_STREAM_OPEN)
        d->open = true;
    outbox_flush(&d->out);
    db_receive(d);
}

static void on_stall(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct db *d = w->data;

    (void)loop, (void)revents;
    if (d->complained || (!d->got && d->synced))
        return;
    d->complained = true;
    vm_violation(d->vm, "qubesdb", d->got ? "half a message (%zu bytes) for %g s: the real daemon spins"
                 : "no MULTIREAD (%zu bytes came) within %g s", d->got, d->vm->dom0->deadline);
}

static void on_ack(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct db *d = w->data;

    (void)loop, (void)revents;
    vm_violation(d->vm, "qubesdb", "no RESP_OK for %s within %g s", d->acks[d->acks_from], d->vm->dom0->deadline);
    d->acks_from = (d->acks_from + 1) % ACKS_MAX;
    if (--d->acks_n)
        db_start_timer(d, &d->ack);
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct db *d = w->data;

    (void)loop, (void)revents;
    if (begin(d) < 0) {
        ev_timer_set(&d->retry, DOM0_AWAY_SECONDS, 0);
        ev_timer_start(d->vm->dom0->loop, &d->retry);
    }
}

static int begin(struct db *d)
{
    struct unik_vchan *v = d->vm->dom0->vchan;
    int e = v->listen(v, NULL, d->vm->domid, QUBESDB_PORT, RING_BYTES, RING_BYTES, on_stream, d, &d->stream);

    d->complained = false;
    if (e < 0) {
        d->stream = NULL;
        dom0_log(d->vm->dom0, UNIK_ERROR, d->vm->name, "qubesdb: cannot serve domain %d: %s", d->vm->domid,
                 strerror(-e));
        return e;
    }
    outbox_attach(&d->out, d->stream);
    return 0;
}

int db_init(struct vm *vm, const char *file, struct unik_text *why)
{
    struct db *d = calloc(1, sizeof(*d));
    int e;

    if (!d)
        return -ENOMEM;
    vm->db = d;
    d->vm = vm;
    ev_timer_init(&d->retry, on_retry, 0, 0);
    ev_timer_init(&d->stall, on_stall, 0, 0);
    ev_timer_init(&d->ack, on_ack, 0, 0);
    d->retry.data = d->stall.data = d->ack.data = d;
    e = outbox_init(&d->out, vm->dom0->loop, BOX_MIN, NULL, NULL);
    if (e == 0)
        e = file ? keys_load(&d->store, file, why) : keys_default(&d->store, vm->name, vm->user, vm->domid);
    return e < 0 ? e : begin(d);
}

void db_free(struct vm *vm)
{
    struct db *d = vm->db;

    if (!d)
        return;
    if (d->stream)
        unik_stream_close(d->stream);
    ev_timer_stop(vm->dom0->loop, &d->retry);
    ev_timer_stop(vm->dom0->loop, &d->stall);
    ev_timer_stop(vm->dom0->loop, &d->ack);
    outbox_free(&d->out);
    store_free(&d->store);
    free(d);
    vm->db = NULL;
}

void db_watch(struct vm *vm, struct db_watch *w)
{
    w->next = vm->db->watches;
    vm->db->watches = w;
}

void db_unwatch(struct vm *vm, struct db_watch *w)
{
    for (struct db_watch **at = &vm->db->watches; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            return;
        }
}

bool db_synced(struct vm *vm) { return vm->db->synced; }
const struct store *db_store(struct vm *vm) { return &vm->db->store; }

void db_status(struct vm *vm, struct unik_text *out)
{
    const struct db *d = vm->db;

    unik_text_add(out, "qubesdb: %s, %zu keys, %zu unanswered\n", d->synced ? "synced" : !d->stream ? "away" :
                  d->open ? "waiting for MULTIREAD" : "waiting for the guest", d->store.n, d->acks_n);
}
