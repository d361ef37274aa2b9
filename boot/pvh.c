/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/pvh.c - a PVH guest: the processor's own page tables, descriptor tables and interrupts, under nested paging.
 *
 * start.S has mapped the first 2 MB, with the kernel, in small pages, and 1 GB in large ones, at VIRT_BASE. Frames are simply
 * physical addresses. What we make of it: rights for each page of the kernel, the rest of that mapping read-only; a direct map
 * at DIRECT of the free memory behind kernel, image and ramdisk; the program's half in slot 0 of the one level-4 table. The
 * kernel stays mapped while the program runs, without user access: the program is this kernel's only tenant, so there is
 * nothing that a processor's leaks could tell it about anybody else. */
#include "boot/image.h"
#include "boot/machine.h"
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/hvm/start_info.h>

#define BOOT_MAPPED (1ull << 30)                /* at VIRT_BASE, by start.S */
#define LARGE_PAGE (1ull << 21)
#define HIGH_RAM (4ull << 30)                   /* below it is a gap, for devices that we do not have */
#define FOREIGN_BASE (64ull << 30)              /* RAM is used up to there; one level-3 table maps more */
#define EVENT_VECTOR 0xf0u
#define FOREIGN_PAGES 8192u                     /* foreign pages mapped at a time */

#define CPUID_XEN_TSC_EMULATED 1u               /* leaf 3 of Xen's, eax (xen/arch-x86/cpuid.h) */
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_SFMASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define KERNEL_CS 0x08u
#define PROGRAM_SS 0x23u
#define PROGRAM_CS 0x2bu
#define TSS_SELECTOR 0x30u
#define SYSCALL_CLEARS 0x44700u                 /* of rflags: TF, IF, DF, NT, AC */

extern const uint8_t pvh_syscall[], pvh_event[], pvh_hlt[], pvh_after_hlt[];
extern uint8_t pvh_trouble_stack[], pvh_nmi_stack[];
extern uint64_t pvh_l1[ENTRIES], pvh_l2[ENTRIES], pvh_l4[ENTRIES];
void pvh_sleep(void);

static uint8_t shared_page[PAGE] __attribute__((aligned(4096)));
static uint8_t console_page[PAGE] __attribute__((aligned(4096))), store_page[PAGE] __attribute__((aligned(4096)));

/* ---- frames and entries ---- */

static uint64_t physical(uint64_t address) { return address - (address >= VIRT_BASE ? VIRT_BASE : DIRECT); }
static uint64_t frame(const void *page) { return physical(ADDRESS(page)) / PAGE; }
static void *page(uint64_t number) { return (void *)(DIRECT + number * PAGE); }

static void table_begin(void *table) { (void)table; }
static void table_hook(uint64_t *entry, uint64_t value) { *(volatile uint64_t *)entry = value; }

static void leaf(uint64_t address, uint64_t *entry, uint64_t value)
{
    bool stale = *entry & PTE_PRESENT;

    *(volatile uint64_t *)entry = value;
    if (stale)
        invlpg(address);
}

static void leaf_flush(void) { }

/* The kernel lies in the first 2 MB (kernel.ld). */
static void kernel_map(const void *at, uint64_t physical_address, uint64_t rights)
{
    pvh_l1[(ADDRESS(at) - VIRT_BASE) / PAGE] = rights ? physical_address | rights : 0;
    invlpg(ADDRESS(at));
}

/* ---- descriptor tables ---- */

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static struct tss tss;
static struct gate idt[256];
static uint64_t gdt[8] = {
    0,
    0x00af9b000000ffff,                         /* 0x08 kernel code */
    0x00cf93000000ffff,                         /* 0x10 kernel data */
    0,                                          /* 0x18 sysret counts from here */
    0x00cff3000000ffff,                         /* 0x20 program data */
    0x00affb000000ffff,                         /* 0x28 program code */
};

static void set_gate(unsigned vector, uint64_t to, uint8_t ist, uint8_t dpl)
{
    idt[vector] = (struct gate){
        .offset_low = (uint16_t)to, .offset_middle = (uint16_t)(to >> 16), .offset_high = (uint32_t)(to >> 32),
        .selector = KERNEL_CS, .ist = ist, .type = (uint8_t)(0x8e | dpl << 5),
    };
}

/* Double faults and machine checks have a stack of their own: they may come when ours is at its end. So have NMIs: they come in
 * the entries too, before there is a stack of ours, and go back to where they came from, which may be on that other stack. */
static uint8_t own_stack(unsigned vector) { return vector == 2 ? 2 : vector == 8 || vector == 18 ? 1 : 0; }

static void take_traps(void)
{
    struct table_pointer gdt_pointer = {sizeof(gdt) - 1, ADDRESS(gdt)}, idt_pointer = {sizeof(idt) - 1, ADDRESS(idt)};
    uint64_t base = ADDRESS(&tss);

    tss.rsp[0] = ADDRESS(kernel_stack_top);
    tss.ist[0] = ADDRESS(pvh_trouble_stack);
    tss.ist[1] = ADDRESS(pvh_nmi_stack);
    tss.io_map = sizeof(tss);
    gdt[6] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[7] = base >> 32;
    for (unsigned v = 0; v < VECTORS; v++)
        set_gate(v, trap_stubs[v][1], own_stack(v), v == 3 || v == 4 ? 3 : 0);
    set_gate(EVENT_VECTOR, ADDRESS(pvh_event), 0, 0);
    __asm__ volatile("lgdt %0" : : "m"(gdt_pointer));
    __asm__ volatile("lidt %0" : : "m"(idt_pointer));
    __asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR));
    wrmsr(MSR_STAR, (uint64_t)(0x18 | 3) << 48 | (uint64_t)KERNEL_CS << 32);
    wrmsr(MSR_LSTAR, ADDRESS(pvh_syscall));
    wrmsr(MSR_SFMASK, SYSCALL_CLEARS);
}

/* What the program's libraries find in cpuid must work: SSE, and AVX if there is; and no kernel's access where none is meant. */
static void take_processor(void)
{
    uint32_t one[4], seven[4] = {0}, max[4];
    uint64_t cr4 = read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT;

    cpuid(0, 0, max);
    cpuid(1, 0, one);
    if (max[0] >= 7)
        cpuid(7, 0, seven);
    if (seven[1] & CPUID_SMEP)
        cr4 |= CR4_SMEP;
    if (seven[2] & CPUID_UMIP)
        cr4 |= CR4_UMIP;
    if (one[2] & CPUID_XSAVE)
        cr4 |= CR4_OSXSAVE;
    write_cr4(cr4);
    if (one[2] & CPUID_XSAVE)
        xsetbv(one[2] & CPUID_AVX ? XCR0_AVX : XCR0_SSE);
}

/* ---- the hypervisor's pages ---- */

static void take_hypercalls(void)
{
    uint32_t r[4];

    for (uint32_t leaf_nr = XEN_CPUID_FIRST_LEAF; leaf_nr < XEN_CPUID_FIRST_LEAF + 0x10000; leaf_nr += 0x100) {
        cpuid(leaf_nr, 0, r);
        if (r[1] == XEN_CPUID_SIGNATURE_EBX && r[2] == XEN_CPUID_SIGNATURE_ECX && r[3] == XEN_CPUID_SIGNATURE_EDX) {
            cpuid(leaf_nr + 2, 0, r);
            wrmsr(r[1], ADDRESS(hypercall_page) - VIRT_BASE);
            cpuid(leaf_nr + 3, 0, r);
            boot.tsc_emulated = r[0] & CPUID_XEN_TSC_EMULATED;
            return;
        }
    }
    __asm__ volatile("ud2");                    /* not Xen: nobody to tell */
}

static uint64_t parameter(uint32_t index)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};

    return xen_hvm(HVMOP_get_param, &p) < 0 ? 0 : p.value;
}

/* Xen's page appears in place of one of ours, whose memory is lost. */
static int take_page(unsigned space, unsigned index, const void *at)
{
    struct xen_add_to_physmap op = {.domid = DOMID_SELF, .space = space, .idx = index, .gpfn = frame(at)};

    return (int)xen_memory(XENMEM_add_to_physmap, &op);
}

static int grant_frame(unsigned index, void *at) { return take_page(XENMAPSPACE_grant_table, index, at); }

/* Nobody would hear us but Xen: its log takes lines from this port, and shows them (xl dmesg) with guest_loglvl=all. */
_Noreturn static void no_console(void)
{
    for (const char *at = "no console: HVM_PARAM_CONSOLE_PFN is 0\n"; *at; at++)
        __asm__ volatile("outb %b0, %w1" : : "a"(*at), "Nd"(XEN_HVM_DEBUGCONS_IOPORT));
    power(POWER_CRASH);
}

static void take_rings(void)
{
    uint64_t console = parameter(HVM_PARAM_CONSOLE_PFN), store = parameter(HVM_PARAM_STORE_PFN);

    if (!console)
        no_console();
    kernel_map(console_page, console * PAGE, PTE_DATA);
    machine_start.console = (struct xencons_interface *)console_page;
    machine_start.console_port = (uint32_t)parameter(HVM_PARAM_CONSOLE_EVTCHN);
    if (store) {
        kernel_map(store_page, store * PAGE, PTE_DATA);
        machine_start.store = (struct xenstore_domain_interface *)store_page;
        machine_start.store_port = (uint32_t)parameter(HVM_PARAM_STORE_EVTCHN);
    }
}

static void take_events(void)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = 2ull << 56 | EVENT_VECTOR};

    if (take_page(XENMAPSPACE_shared_info, 0, shared_page) < 0 || xen_hvm(HVMOP_set_param, &p) < 0)
        panic("Xen gives us no events");
    machine_start.shared = (struct shared_info *)shared_page;
    machine_start.shared_frame = frame(shared_page);
}

/* ---- memory ---- */

static const void *boot_bytes(uint64_t address) { return (const void *)(VIRT_BASE + address); }

/* The end of the RAM that this address lies in; the address itself if there is none. */
static uint64_t ram_end(const struct hvm_start_info *si, uint64_t at)
{
    const struct hvm_memmap_table_entry *m = boot_bytes(si->memmap_paddr);

    for (uint32_t i = 0; i < si->memmap_entries; i++)
        if (m[i].type == XEN_HVM_MEMMAP_TYPE_RAM && m[i].addr <= at && m[i].addr + m[i].size > at)
            return PAGE_DOWN(MIN(m[i].addr + m[i].size, FOREIGN_BASE));
    return at;
}

/* Where the RAM ends in which the kernel lies, and that behind HIGH_RAM. */
static void find_ram(const struct hvm_start_info *si, uint64_t *low, uint64_t *high)
{
    long have = xen_memory(XENMEM_current_reservation, &(domid_t){DOMID_SELF});
    uint64_t most = have > 64 ? ((uint64_t)have - 64) * PAGE : FOREIGN_BASE;    /* 64: Xen's own pages of ours, not in the map */

    *low = ram_end(si, physical(ADDRESS(text_start)));
    if (*low == physical(ADDRESS(text_start)))
        panic("the domain has no memory map");
    *high = ram_end(si, HIGH_RAM);
    /* With memory= below maxmem= the map shows what we could have, and touching more than we have ends the domain. */
    *low = MIN(*low, most);
    *high = MIN(*high, HIGH_RAM + most - *low);
}

/* Memory the domain builder put behind the kernel and that we go on using. */
static uint64_t kept_end(void)
{
    uint64_t end = physical(ADDRESS(image_start)) + boot_image.size;

    if (boot.ramdisk.size)
        end = MAX(end, physical(ADDRESS(boot.ramdisk.at)) + boot.ramdisk.size);
    return PAGE_UP(end);
}

static uint64_t next_free;                      /* physical; for page tables, before there is an allocator */

static uint64_t *new_table(uint64_t *parent)
{
    uint64_t *table = (uint64_t *)(VIRT_BASE + next_free);

    memset(table, 0, PAGE);
    *parent = next_free | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
    next_free += PAGE;
    return table;
}

/* [first, end) at DIRECT: large pages where all of one is free, small ones at the ends. */
static void make_direct_map(uint64_t *l3, uint64_t first, uint64_t end)
{
    uint64_t *l2 = NULL, *l1;

    for (uint64_t at = first; at < end;) {
        if (!l2 || at % BOOT_MAPPED == 0)
            l2 = new_table(&l3[at / BOOT_MAPPED]);
        if (at % LARGE_PAGE == 0 && end - at >= LARGE_PAGE) {
            l2[at / LARGE_PAGE % ENTRIES] = at | PTE_DATA | PTE_LARGE;
            at += LARGE_PAGE;
            continue;
        }
        l1 = new_table(&l2[at / LARGE_PAGE % ENTRIES]);
        do
            l1[at / PAGE % ENTRIES] = at | PTE_DATA;
        while ((at += PAGE) < end && at % LARGE_PAGE);
    }
}

/* Code is not writable, what is writable is no code, and what lies behind the kernel is neither. */
static void protect_kernel(void)
{
    for (uint64_t a = VIRT_BASE; a < VIRT_BASE + LARGE_PAGE; a += PAGE) {
        uint64_t rights = PTE_CONST;

        if (a == ADDRESS(console_page) || a == ADDRESS(store_page))
            continue;
        if (a >= ADDRESS(text_start) && a < ADDRESS(rodata_start))
            rights = PTE_CODE;
        else if (a >= ADDRESS(data_start) && a < ADDRESS(image_start))
            rights = PTE_DATA;
        kernel_map((const void *)a, a - VIRT_BASE, a == ADDRESS(kernel_stack_guard) ? 0 : rights);
    }
    for (unsigned i = 1; i < ENTRIES; i++)
        pvh_l2[i] &= ~PTE_WRITE;
}

static void take_memory(const struct hvm_start_info *si)
{
    uint64_t end, high, tables, first, *l3;

    find_ram(si, &end, &high);
    next_free = kept_end();
    tables = 3 + high / BOOT_MAPPED + 1 + 4;    /* level 3, level 2 for each GB, four ends in small pages; rounded up */
    first = next_free + tables * PAGE;
    if (end < first + 64 * PAGE || first > BOOT_MAPPED)
        panic("not enough memory: %lu kB, of which kernel and image take %lu kB; give the domain more memory", end / 1024,
              next_free / 1024);
    l3 = new_table(&pvh_l4[DIRECT >> 39 & (ENTRIES - 1)]);
    make_direct_map(l3, first, end);
    make_direct_map(l3, HIGH_RAM, high);
    pvh_l4[0] = 0;                              /* where start.S came from */
    protect_kernel();
    write_cr3(physical(ADDRESS(pvh_l4)));
    if (high > HIGH_RAM) {
        memory_add((void *)(DIRECT + first), (high - first) / PAGE);
        memory_hole((void *)(DIRECT + end), (HIGH_RAM - end) / PAGE);
    } else {
        memory_add((void *)(DIRECT + first), (end - first) / PAGE);
    }
    if (!(machine_start.user_root = page_alloc()))
        panic("not enough memory for page tables");
    pvh_l4[0] = frame(machine_start.user_root) * PAGE | PTE_INNER;
}

/* How far behind image_start nothing else lies: the image must end before that. */
static size_t image_space(const struct hvm_start_info *si)
{
    const struct hvm_modlist_entry *m = boot_bytes(si->modlist_paddr);
    uint64_t start = physical(ADDRESS(image_start)), end = BOOT_MAPPED;
    uint64_t others[] = {physical(ADDRESS(si)), si->modlist_paddr, si->cmdline_paddr, si->memmap_paddr,
                         si->nr_modules ? m[0].paddr : 0};

    for (unsigned i = 0; i < ARRAY_LENGTH(others); i++)
        if (others[i] > start)
            end = MIN(end, others[i]);
    return end - start;
}

static void read_start_info(const struct hvm_start_info *si)
{
    const struct hvm_modlist_entry *m = boot_bytes(si->modlist_paddr);

    if (si->magic != XEN_HVM_START_MAGIC_VALUE || si->version < 1)
        panic("not a start of PVH that we know: magic %x, version %u", si->magic, si->version);
    if (si->cmdline_paddr) {
        size_t n = strnlen(boot_bytes(si->cmdline_paddr), sizeof(boot.command_line) - 1);
        memcpy(boot.command_line, boot_bytes(si->cmdline_paddr), n);
    }
    if (si->nr_modules) {
        if (m[0].paddr + m[0].size > BOOT_MAPPED)
            panic("the ramdisk lies too high in memory");
        boot.ramdisk = (struct bytes){boot_bytes(m[0].paddr), m[0].size};
    }
}

void pvh_start(uint64_t start_info)
{
    const struct hvm_start_info *si = boot_bytes(start_info);

    machine = &machine_pvh;
    boot.pvh = true;
    take_hypercalls();
    take_rings();
    take_traps();
    take_processor();
    read_start_info(si);
    find_image(image_space(si));
    take_memory(si);
    take_events();
    kernel_main();
}

/* ---- the rest of what is different ---- */

static void set_fs(uint64_t base) { wrmsr(MSR_FS_BASE, base); }

/* The interrupt that ends the sleep may come between sti and hlt (where the emulation does not restore sti's one-instruction shadow):
 * then hlt would sleep although the event is there already, so it is left out. */
void pvh_stay_awake(struct frame *f)
{
    if (f->rip >= ADDRESS(pvh_hlt) && f->rip < ADDRESS(pvh_after_hlt))
        f->rip = ADDRESS(pvh_after_hlt);
}

void pvh_event_trap(struct frame *f)
{
    pvh_stay_awake(f);
    trap_event(f);
}

/* Foreign pages appear first in our physical memory, where there is no RAM, then in the program. */
static uint64_t foreign_used[FOREIGN_PAGES / 64];

static int foreign_map(uint64_t address, uint64_t *entry, domid_t domid, grant_ref_t ref, bool readonly,
                       grant_handle_t *handle)
{
    struct gnttab_map_grant_ref op = {
        .flags = GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0), .ref = ref, .dom = domid,
    };
    unsigned i = 0;

    while (i < FOREIGN_PAGES && (foreign_used[i / 64] >> i % 64 & 1))
        i++;
    if (i == FOREIGN_PAGES)
        return -ENOMEM;
    op.host_addr = FOREIGN_BASE + i * PAGE;
    if (xen_grant(GNTTABOP_map_grant_ref, &op, 1) < 0 || op.status != GNTST_okay)
        return -EINVAL;
    foreign_used[i / 64] |= 1ull << i % 64;
    *handle = op.handle;
    leaf(address, entry, op.host_addr | PTE_CONST | PTE_USER | PTE_KEPT | (readonly ? 0 : PTE_WRITE));
    return 0;
}

static int foreign_unmap(uint64_t address, uint64_t *entry, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = *entry & PTE_FRAME, .handle = handle};
    uint64_t i = (op.host_addr - FOREIGN_BASE) / PAGE;

    if (op.host_addr < FOREIGN_BASE || i >= FOREIGN_PAGES)
        return -EINVAL;
    leaf(address, entry, 0);
    if (xen_grant(GNTTABOP_unmap_grant_ref, &op, 1) < 0 || op.status != GNTST_okay)
        return -EINVAL;                         /* the place stays taken */
    foreign_used[i / 64] &= ~(1ull << i % 64);
    return 0;
}

const struct machine machine_pvh = {
    .frame = frame,
    .page = page,
    .table_begin = table_begin,
    .table_hook = table_hook,
    .leaf = leaf,
    .leaf_flush = leaf_flush,
    .foreign_map = foreign_map,
    .foreign_unmap = foreign_unmap,
    .grant_frame = grant_frame,
    .program_cs = PROGRAM_CS,
    .program_ss = PROGRAM_SS,
    .enter = pvh_enter,
    .set_fs = set_fs,
    .fault_address = read_cr2,
    .idle = pvh_sleep,
};
