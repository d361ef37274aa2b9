/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/event.c - event channels, two-level ABI (xen/xen.h, xen/event_channel.h): each port has a pending and a mask bit in the
 * page shared with Xen. An event sets pending; unless masked, Xen then interrupts us, which happens only while the program
 * runs or in machine_idle(). The bits are Xen's to set at any time, so each change of ours is one locked instruction. */
#include "boot/machine.h"

static struct {
    event_handler *handler;
    void *arg;
} ports[EVENT_PORTS];

static struct shared_info *shared HOT_DATA;

static void set_bit(xen_ulong_t *words, uint32_t n)
{
    __asm__ volatile("lock btsq %1, %0" : "+m"(words[n / 64]) : "r"((uint64_t)n % 64) : "memory", "cc");
}

static void clear_bit(xen_ulong_t *words, uint32_t n)
{
    __asm__ volatile("lock btrq %1, %0" : "+m"(words[n / 64]) : "r"((uint64_t)n % 64) : "memory", "cc");
}

static bool test_bit(const xen_ulong_t *words, uint32_t n)
{
    return *(const volatile xen_ulong_t *)&words[n / 64] >> n % 64 & 1;
}

void event_init(void)
{
    shared = machine_start.shared;
    memset(shared->evtchn_mask, 0xff, sizeof(shared->evtchn_mask));
}

int event_handle(uint32_t port, event_handler *handler, void *arg)
{
    if (port == 0 || port >= EVENT_PORTS)
        return -EINVAL;
    ports[port].handler = handler;
    ports[port].arg = arg;
    return 0;
}

/* A port Xen has just given us: masked, with nothing pending of a life before. */
static int64_t take(long result, uint32_t port, event_handler *handler, void *arg)
{
    if (result < 0)
        return result;
    set_bit(shared->evtchn_mask, port);
    event_handle(port, handler, arg);
    return port;
}

int64_t event_unbound(uint16_t remote, event_handler *handler, void *arg)
{
    struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = remote};
    long e = xen_event(EVTCHNOP_alloc_unbound, &op);

    return take(e, op.port, handler, arg);
}

int64_t event_interdomain(uint16_t remote, uint32_t remote_port, event_handler *handler, void *arg)
{
    struct evtchn_bind_interdomain op = {.remote_dom = remote, .remote_port = remote_port};
    long e = xen_event(EVTCHNOP_bind_interdomain, &op);

    return take(e, op.local_port, handler, arg);
}

int64_t event_virq(uint32_t virq, event_handler *handler, void *arg)
{
    struct evtchn_bind_virq op = {.virq = virq, .vcpu = 0};
    long e = xen_event(EVTCHNOP_bind_virq, &op);

    return take(e, op.port, handler, arg);
}

void event_mask(uint32_t port)
{
    if (port < EVENT_PORTS)
        set_bit(shared->evtchn_mask, port);
}

void event_unmask(uint32_t port)
{
    struct evtchn_unmask op = {.port = port};

    if (port >= EVENT_PORTS)
        return;
    clear_bit(shared->evtchn_mask, port);
    if (test_bit(shared->evtchn_pending, port)) {
        /* Came while masked. Only Xen can raise it again, and it looks at the mask bit: back with it. */
        set_bit(shared->evtchn_mask, port);
        xen_event(EVTCHNOP_unmask, &op);
    }
}

int event_notify(uint32_t port)
{
    struct evtchn_send op = {.port = port};

    return (int)xen_event(EVTCHNOP_send, &op);
}

int event_close(uint32_t port)
{
    struct evtchn_close op = {.port = port};
    long e;

    if (port == 0 || port >= EVENT_PORTS)
        return -EINVAL;
    set_bit(shared->evtchn_mask, port);
    e = xen_event(EVTCHNOP_close, &op);
    if (e < 0)
        return (int)e;
    clear_bit(shared->evtchn_pending, port);
    ports[port].handler = NULL;
    return 0;
}

HOT bool events_pending(void) { return *(volatile uint8_t *)&shared->vcpu_info[0].evtchn_upcall_pending != 0; }

void events_wake(void)
{
    if (shared)
        *(volatile uint8_t *)&shared->vcpu_info[0].evtchn_upcall_pending = 1;
}

/* One round: a handler for each port that is pending now. A peer that goes on sending cannot hold us here; what comes
 * meanwhile sets evtchn_upcall_pending again. */
HOT void events_run(void)
{
    struct vcpu_info *v = &shared->vcpu_info[0];
    uint64_t words;

    if (!events_pending())
        return;
    *(volatile uint8_t *)&v->evtchn_upcall_pending = 0;
    full_barrier();                             /* cleared before we look: what comes later is seen next time */
    nmi_tell();
    words = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (; words; words &= words - 1) {
        unsigned w = (unsigned)__builtin_ctzl(words);
        uint64_t bits = *(volatile xen_ulong_t *)&shared->evtchn_pending[w] & ~shared->evtchn_mask[w];

        for (; bits; bits &= bits - 1) {
            uint32_t port = w * 64 + (unsigned)__builtin_ctzl(bits);

            if (test_bit(shared->evtchn_mask, port))
                continue;                       /* masked by a handler of this round: pending stays */
            clear_bit(shared->evtchn_pending, port);
            if (ports[port].handler)
                ports[port].handler(ports[port].arg, port);
            else
                set_bit(shared->evtchn_mask, port);
        }
    }
}
