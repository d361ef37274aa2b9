/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/pair.c - data ports, and the guest's duty to release them. */
#include <stdlib.h>

#include "tools/unik-dom0/pair.h"

static void release(struct pair *p)
{
    ev_timer_stop(p->vm->dom0->loop, &p->deadline);
    p->used = false;
}

static void too_late(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct pair *p = w->data;

    (void)loop, (void)revents;
    vm_violation(p->vm, "qrexec", "no CONNECTION_TERMINATED for domain %u, port %u, %g s after the call: "
                 "the port is lost", p->domain, p->port, p->vm->dom0->deadline);
}

int pairs_init(struct vm *vm)
{
    vm->pairs = calloc(PAIRS_MAX, sizeof(*vm->pairs));
    if (!vm->pairs)
        return -ENOMEM;
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        struct pair *p = &vm->pairs[i];

        p->vm = vm;
        ev_timer_init(&p->deadline, too_late, vm->dom0->deadline, 0);
        p->deadline.data = p;
    }
    return 0;
}

void pairs_free(struct vm *vm)
{
    for (size_t i = 0; vm->pairs && i < PAIRS_MAX; i++)
        release(&vm->pairs[i]);
    free(vm->pairs);
    vm->pairs = NULL;
}

size_t pairs_used(struct vm *vm)
{
    size_t n = 0;

    for (size_t i = 0; i < PAIRS_MAX; i++)
        n += vm->pairs[i].used && !vm->pairs[i].forgotten;
    return n;
}

static struct pair *take(struct vm *vm, uint32_t domain, uint32_t port)
{
    struct pair *p = NULL;

    for (size_t i = 0; i < PAIRS_MAX; i++) {
        if (!vm->pairs[i].used) {
            p = &vm->pairs[i];
            break;
        }
        if (vm->pairs[i].forgotten && !vm->pairs[i].open)
            p = &vm->pairs[i];
    }
    if (!p)
        return NULL;
    ev_timer_stop(vm->dom0->loop, &p->deadline);
    p->used = true;
    p->domain = domain;
    p->port = port;
    p->reserved = p->forgotten = p->terminated = p->open = p->without_exit = false;
    return p;
}

/* Reserved in the daemon's table, or in use by a channel of this process that outlived its reservation. */
static bool taken(struct vm *vm, uint32_t domain, uint32_t port)
{
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        struct pair *p = &vm->pairs[i];

        if (p->used && p->port == port && ((p->reserved && !p->forgotten) || (p->open && p->domain == domain)))
            return true;
    }
    return false;
}

struct pair *pair_reserve(struct vm *vm, uint32_t domain)
{
    uint32_t step = domain ? 2 : 1, port = QREXEC_DATA_PORT;
    struct pair *p;

    if (domain > (uint32_t)vm->domid)
        port++;                         /* 513 is odd */
    for (; port < QREXEC_DATA_PORT + QREXEC_DATA_PORTS; port += step) {
        if (taken(vm, domain, port))
            continue;
        p = take(vm, domain, port);
        if (p)
            p->reserved = true;
        return p;
    }
    return NULL;
}

struct pair *pair_expect(struct vm *vm, uint32_t domain, uint32_t port) { return take(vm, domain, port); }

void pair_drop(struct pair *p) { release(p); }

static void complain_of_exit(struct pair *p)
{
    vm_violation(p->vm, "qrexec", "the call on port %u ended without EXIT_CODE: its caller gets 255", p->port);
}

void pair_close(struct pair *p, enum pair_end how)
{
    p->open = false;
    if (p->terminated && how == PAIR_CUT)
        complain_of_exit(p);
    if (p->terminated) {
        release(p);
        return;
    }
    p->without_exit = how == PAIR_CUT;
    if (how != PAIR_LEFT && !p->forgotten) {
        ev_timer_set(&p->deadline, p->vm->dom0->deadline, 0);
        ev_timer_start(p->vm->dom0->loop, &p->deadline);
    }
}

static struct pair *find(struct vm *vm, uint32_t domain, uint32_t port)
{
    struct pair *old = NULL;

    for (size_t i = 0; i < PAIRS_MAX; i++) {
        struct pair *p = &vm->pairs[i];

        if (!p->used || p->terminated || p->domain != domain || p->port != port)
            continue;
        if (!p->forgotten)
            return p;
        old = p;
    }
    return old;
}

void pair_terminated(struct vm *vm, uint32_t domain, uint32_t port)
{
    struct pair *p = find(vm, domain, port);

    if (!p) {
        vm_note(vm, "qrexec", "CONNECTION_TERMINATED for domain %u, port %u, which is not in use", domain, port);
        return;
    }
    ev_timer_stop(vm->dom0->loop, &p->deadline);
    p->terminated = true;
    if (p->without_exit)
        complain_of_exit(p);
    if (!p->open)
        release(p);
    else
        p->reserved = false;            /* the end of the channel itself may still be on its way here */
}

void pairs_forget(struct vm *vm)
{
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        ev_timer_stop(vm->dom0->loop, &vm->pairs[i].deadline);
        vm->pairs[i].forgotten = vm->pairs[i].used;
    }
}

void pairs_pardon(struct vm *vm)
{
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        ev_timer_stop(vm->dom0->loop, &vm->pairs[i].deadline);
        vm->pairs[i].without_exit = false;
    }
}
