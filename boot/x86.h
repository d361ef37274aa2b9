/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/x86.h - the few instructions that C does not have, and the bits of page-table entries. */
#ifndef BOOT_X86_H
#define BOOT_X86_H

#include <stdbool.h>
#include <stdint.h>

/* Page-table entries (both kinds of guest). Never PTE_GLOBAL: Xen keeps that bit for itself in PV. */
#define PTE_PRESENT 0x1ull
#define PTE_WRITE 0x2ull
#define PTE_USER 0x4ull
#define PTE_ACCESSED 0x20ull
#define PTE_DIRTY 0x40ull
#define PTE_LARGE 0x80ull                       /* 2 MB; PVH only */
#define PTE_KEPT 0x200ull                       /* ours: the frame is not the mapping's to free */
#define PTE_NO_EXEC (1ull << 63)
#define PTE_FRAME 0x000ffffffffff000ull
#define PTE_INNER (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define PTE_DATA (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | PTE_NO_EXEC)
#define PTE_CONST (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_NO_EXEC)
#define PTE_CODE (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY)

/* Error code of a page fault. */
#define FAULT_PRESENT 0x1u
#define FAULT_WRITE 0x2u
#define FAULT_USER 0x4u
#define FAULT_FETCH 0x10u

/* cpuid: leaf 1 ecx; leaf 7 ebx, ecx. Control register 4. Extended control register 0: x87, SSE and AVX state. */
#define CPUID_XSAVE (1u << 26)
#define CPUID_AVX (1u << 28)
#define CPUID_RDRAND (1u << 30)
#define CPUID_SMEP (1u << 7)
#define CPUID_RDSEED (1u << 18)
#define CPUID_UMIP (1u << 2)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP (1u << 11)
#define CR4_OSXSAVE (1u << 18)
#define CR4_SMEP (1u << 20)
#define XCR0_SSE 3u
#define XCR0_AVX 7u

/* x86 keeps stores in order and loads in order: only the compiler must be held back, except where a load must not pass an
 * earlier store. */
#define barrier() __asm__ volatile("" ::: "memory")
#define full_barrier() __asm__ volatile("mfence" ::: "memory")

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(sub));
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* False: nothing there now. */
static inline bool rdseed(uint64_t *v)
{
    bool ok;

    __asm__ volatile("rdseed %0; setc %1" : "=r"(*v), "=qm"(ok) : : "cc");
    return ok;
}

static inline bool rdrand(uint64_t *v)
{
    bool ok;

    __asm__ volatile("rdrand %0; setc %1" : "=r"(*v), "=qm"(ok) : : "cc");
    return ok;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void xsetbv(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t read_cr0(void) { uint64_t v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static inline uint64_t read_cr2(void) { uint64_t v; __asm__ volatile("mov %%cr2, %0" : "=r"(v)); return v; }
static inline uint64_t read_cr4(void) { uint64_t v; __asm__ volatile("mov %%cr4, %0" : "=r"(v)); return v; }
static inline void write_cr0(uint64_t v) { __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr3(uint64_t v) { __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static inline void write_cr4(uint64_t v) { __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }
static inline void invlpg(uint64_t va) { __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory"); }

#endif
