/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/hypercall.h - one typed function per hypercall in use; raw calls nowhere else but in start.S (iret).
 *
 * Both kinds of guest call into the page hypercall_page, which Xen fills: for PV the domain builder finds it by an ELF note,
 * for PVH we name it in an MSR. Arguments in rdi rsi rdx r10 r8, result in rax; 0 or more, or -errno. */
#ifndef BOOT_HYPERCALL_H
#define BOOT_HYPERCALL_H

#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

extern const uint8_t hypercall_page[];

static inline long hypercall(unsigned nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    register uint64_t r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("call *%[entry]"
                     : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10)
                     : [entry] "r"(hypercall_page + 32 * nr)
                     : "rcx", "r8", "r9", "r11", "memory");
    return result;
}
#define ADDRESS(p) ((uint64_t)(uintptr_t)(p))

/* ---- both kinds of guest ---- */

static inline long xen_event(unsigned op, void *arg)
{
    return hypercall(__HYPERVISOR_event_channel_op, op, ADDRESS(arg), 0, 0);
}

static inline long xen_sched(unsigned op, void *arg)
{
    return hypercall(__HYPERVISOR_sched_op, op, ADDRESS(arg), 0, 0);
}

/* Of vCPU 0, the only one. */
static inline long xen_vcpu(unsigned op, void *arg)
{
    return hypercall(__HYPERVISOR_vcpu_op, op, 0, ADDRESS(arg), 0);
}

static inline long xen_memory(unsigned op, void *arg)
{
    return hypercall(__HYPERVISOR_memory_op, op, ADDRESS(arg), 0, 0);
}

static inline long xen_grant(unsigned op, void *arg, unsigned count)
{
    return hypercall(__HYPERVISOR_grant_table_op, op, ADDRESS(arg), count, 0);
}

/* ---- PV only ---- */

static inline long xen_set_trap_table(const struct trap_info *table)
{
    return hypercall(__HYPERVISOR_set_trap_table, ADDRESS(table), 0, 0, 0);
}

static inline long xen_stack_switch(uint64_t ss, uint64_t rsp)
{
    return hypercall(__HYPERVISOR_stack_switch, ss, rsp, 0, 0);
}

static inline long xen_callback(unsigned op, void *arg)
{
    return hypercall(__HYPERVISOR_callback_op, op, ADDRESS(arg), 0, 0);
}

static inline long xen_set_segment_base(unsigned which, uint64_t base)
{
    return hypercall(__HYPERVISOR_set_segment_base, which, base, 0, 0);
}

static inline long xen_update_va_mapping(uint64_t va, uint64_t entry, uint64_t flags)
{
    return hypercall(__HYPERVISOR_update_va_mapping, va, entry, flags, 0);
}

static inline long xen_mmu_update(const struct mmu_update *list, unsigned count)
{
    return hypercall(__HYPERVISOR_mmu_update, ADDRESS(list), count, 0, DOMID_SELF);
}

static inline long xen_mmuext(const struct mmuext_op *list, unsigned count)
{
    return hypercall(__HYPERVISOR_mmuext_op, ADDRESS(list), count, 0, DOMID_SELF);
}

/* ---- PVH only ---- */

static inline long xen_hvm(unsigned op, void *arg)
{
    return hypercall(__HYPERVISOR_hvm_op, op, ADDRESS(arg), 0, 0);
}

#endif
