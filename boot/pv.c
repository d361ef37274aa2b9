/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/pv.c - a paravirtual guest: Xen owns the page tables, we ask it for each change.
 *
 * What the domain builder left (xen/xen.h, struct start_info): the kernel, the ramdisk, the list of machine frames (p2m),
 * start_info, xenstore's and the console's page, page tables, a stack, then at least 512 kB of free pages; all of it mapped
 * from VIRT_BASE on, writable and executable, except that no page table is writable. Pages behind that are not mapped.
 *
 * What we make of it: rights for each page of this mapping; a direct map of all free pages at DIRECT; two level-4 tables that
 * share one level-3 table for the program's half. In the program's only that half is there, so that the kernel is not mapped
 * while the program runs. After the start no change ever touches a level-4 table, so the two cannot differ. */
#include "boot/machine.h"

#define M2P ((const uint64_t *)HYPERVISOR_VIRT_START)   /* machine frame -> frame of ours; Xen keeps it */
#define BATCH 128u                              /* changes of page tables in one hypercall */

extern const uint8_t pv_event[], pv_failsafe[], pv_syscall[];

static const uint64_t *p2m;                     /* frame of ours -> machine frame */
static uint64_t nr_pages;
static uint64_t *boot_l4;                       /* the kernel's level-4 table */
static uint8_t shared_page[PAGE] __attribute__((aligned(4096)));

static struct mmu_update batch[BATCH];
static unsigned batch_used;
static size_t batch_leaves;                     /* leaves changed since leaf_flush(); the batch may have gone out meanwhile */
static bool batch_stale;                        /* one of their old entries may be in the TLB */
static uint64_t batch_address;                  /* of the last one */

/* ---- frames ---- */

static uint64_t to_pfn(uint64_t address)
{
    return (address - (address >= VIRT_BASE ? VIRT_BASE : DIRECT)) / PAGE;
}

static uint64_t frame(const void *page) { return p2m[to_pfn(ADDRESS(page))]; }
static void *page(uint64_t mfn) { return (void *)(DIRECT + M2P[mfn] * PAGE); }
static uint64_t machine_address(const uint64_t *entry)
{
    return frame((const void *)PAGE_DOWN(ADDRESS(entry))) * PAGE + (ADDRESS(entry) & (PAGE - 1));
}

/* ---- changes ---- */

static void send_batch(void)
{
    long e;

    if (batch_used && (e = xen_mmu_update(batch, batch_used)) < 0)
        panic("Xen refuses a change of page tables: error %ld, entry %lx, value %lx", -e, batch[0].ptr, batch[0].val);
    batch_used = 0;
}

static void queue(const uint64_t *entry, uint64_t value)
{
    if (batch_used == BATCH)
        send_batch();
    batch[batch_used].ptr = machine_address(entry) | MMU_NORMAL_PT_UPDATE;
    batch[batch_used++].val = value;
}

static void mmuext(unsigned command, uint64_t mfn)
{
    struct mmuext_op op = {.cmd = command};
    long e;

    op.arg1.mfn = mfn;
    if ((e = xen_mmuext(&op, 1)) < 0)
        panic("Xen refuses mmuext operation %u: error %ld", command, -e);
}

static void map(uint64_t address, uint64_t value, unsigned flags)
{
    long e = xen_update_va_mapping(address, value, flags);

    if (e < 0)
        panic("Xen refuses the mapping %lx at %lx: error %ld", value, address, -e);
}

static void leaf(uint64_t address, uint64_t *entry, uint64_t value)
{
    batch_leaves++;
    batch_stale = batch_stale || (*entry & PTE_PRESENT);
    batch_address = address;
    queue(entry, value);
}

static void leaf_flush(void)
{
    if (batch_leaves == 1) {                    /* the usual page fault: one hypercall does both */
        map(batch_address, batch[0].val, batch_stale ? UVMF_INVLPG : 0);
        batch_used = 0;
    } else {
        send_batch();
        if (batch_stale)
            mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0);
    }
    batch_leaves = 0;
    batch_stale = false;
}

/* A page becomes a page table: Xen wants no writable mapping of it. It has one mapping only. */
static void table_begin(void *table) { map(ADDRESS(table), frame(table) * PAGE | PTE_CONST, UVMF_INVLPG); }

static void table_hook(uint64_t *entry, uint64_t value)
{
    leaf_flush();
    queue(entry, value);
    send_batch();
}

/* ---- the start: page tables as the domain builder made them ---- */

static void *boot_page(uint64_t mfn) { return (void *)(VIRT_BASE + M2P[mfn] * PAGE); }

/* The leaf of an address in the boot mapping, NULL if it has none. */
static uint64_t *boot_leaf(uint64_t address)
{
    uint64_t *table = boot_l4;

    for (int shift = 39; shift > 12; shift -= 9) {
        uint64_t e = table[address >> shift & (ENTRIES - 1)];
        if (!(e & PTE_PRESENT))
            return NULL;
        table = boot_page((e & PTE_FRAME) / PAGE);
    }
    return &table[address >> 12 & (ENTRIES - 1)];
}

/* Code is not writable, what is writable is no code, and what nobody writes is neither. */
static void protect_boot_mapping(uint64_t end, const void *console, const void *store)
{
    for (uint64_t a = ADDRESS(text_start); a < end; a += PAGE) {
        uint64_t rights = PTE_CONST;

        if (a < ADDRESS(rodata_start))
            rights = PTE_CODE;
        else if ((a >= ADDRESS(data_start) && a < ADDRESS(image_start)) || a == ADDRESS(console) || a == ADDRESS(store))
            rights = PTE_DATA;
        if (a == ADDRESS(kernel_stack_guard))
            queue(boot_leaf(a), 0);
        else if (a != ADDRESS(shared_page))
            queue(boot_leaf(a), p2m[to_pfn(a)] * PAGE | rights);
    }
    send_batch();
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0);
}

/* Pages for the tables of the direct map: first free pages of the boot mapping, up to (not with) limit, then pages of the
 * direct map itself as far as it is done. */
static uint64_t boot_next, boot_limit, ram_next;

static uint64_t *new_table(void)
{
    uint64_t address = boot_next < boot_limit ? VIRT_BASE + boot_next++ * PAGE : DIRECT + ram_next++ * PAGE;

    return memset((void *)address, 0, PAGE);
}

/* Hooks a table into *entry of its parent, which is one already. */
static void hook(uint64_t *entry, uint64_t *table)
{
    table_begin(table);
    table_hook(entry, frame(table) * PAGE | PTE_INNER);
}

/* All pages from first on at DIRECT, in order. */
static void make_direct_map(uint64_t first)
{
    uint64_t *l3 = new_table(), *l2 = NULL;

    hook(&boot_l4[DIRECT >> 39 & (ENTRIES - 1)], l3);
    for (uint64_t pfn = first; pfn < nr_pages;) {
        uint64_t *l1;

        if (!l2 || pfn % (ENTRIES * ENTRIES) == 0)
            hook(&l3[pfn / (ENTRIES * ENTRIES)], l2 = new_table());
        l1 = new_table();
        uint64_t *parent = &l2[pfn / ENTRIES % ENTRIES];
        do
            l1[pfn % ENTRIES] = p2m[pfn] * PAGE | PTE_DATA;
        while (++pfn < nr_pages && pfn % ENTRIES);
        hook(parent, l1);
    }
}

/* One level-3 table for the program in two level-4 tables: the kernel's, which Xen gave us, and the program's own. */
static void make_program_tables(void)
{
    uint64_t *l3 = page_alloc(), *l4 = page_alloc();

    if (!l3 || !l4)
        panic("not enough memory for page tables");
    hook(&boot_l4[0], l3);
    l4[0] = frame(l3) * PAGE | PTE_INNER;
    table_begin(l4);
    mmuext(MMUEXT_PIN_L4_TABLE, frame(l4));
    mmuext(MMUEXT_NEW_USER_BASEPTR, frame(l4));
    machine_start.user_root = l3;
}

static void take_memory(const struct start_info *si)
{
    uint64_t free = to_pfn(si->pt_base) + si->nr_pt_frames, end = free, tables;
    const uint64_t *e;

    boot_l4 = (uint64_t *)si->pt_base;
    while (end < nr_pages && (e = boot_leaf(VIRT_BASE + end * PAGE)) && (*e & PTE_PRESENT))
        end++;
    tables = (nr_pages - free) / ENTRIES + nr_pages / (ENTRIES * ENTRIES) + 4;  /* at most */
    boot_next = free;
    boot_limit = ram_next = MIN(end, free + tables);
    if (nr_pages < boot_limit + 64)
        panic("not enough memory: %lu kB are left behind kernel and image of %lu kB; give the domain more memory",
              (nr_pages - free) * 4, free * 4);
    protect_boot_mapping(VIRT_BASE + free * PAGE, machine_start.console, machine_start.store);
    for (uint64_t pfn = boot_limit; pfn < end; pfn++)   /* their only mapping will be the direct one */
        queue(boot_leaf(VIRT_BASE + pfn * PAGE), 0);
    send_batch();
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0);
    make_direct_map(boot_limit);
    memory_add((void *)(DIRECT + ram_next * PAGE), nr_pages - ram_next);
}

/* Xen starts us without AVX. */
static void take_processor(void)
{
    uint32_t one[4];

    cpuid(1, 0, one);
    if ((one[2] & CPUID_XSAVE) && (one[2] & CPUID_AVX)) {
        write_cr4(read_cr4() | CR4_OSXSAVE);
        xsetbv(XCR0_AVX);
    }
}

static void take_traps(void)
{
    static struct trap_info table[VECTORS + 1];
    struct callback_register event = {.type = CALLBACKTYPE_event, .address = ADDRESS(pv_event)};
    struct callback_register failsafe = {.type = CALLBACKTYPE_failsafe, .address = ADDRESS(pv_failsafe)};
    struct callback_register syscall = {.type = CALLBACKTYPE_syscall, .flags = CALLBACKF_mask_events, .address = ADDRESS(pv_syscall)};

    for (unsigned v = 0; v < VECTORS; v++) {
        table[v].vector = (uint8_t)v;
        table[v].flags = 4 | (v == 3 || v == 4 ? 3 : 0);       /* events masked; int3 and into are the program's */
        table[v].cs = FLAT_KERNEL_CS;
        table[v].address = trap_stubs[v][0];
    }
    if (xen_set_trap_table(table) < 0 || xen_callback(CALLBACKOP_register, &event) < 0 ||
        xen_callback(CALLBACKOP_register, &failsafe) < 0 || xen_callback(CALLBACKOP_register, &syscall) < 0 ||
        xen_stack_switch(FLAT_KERNEL_SS, ADDRESS(kernel_stack_top)) < 0)
        panic("Xen refuses our trap handlers");
}

/* Nobody would hear us. As long as traps have no handlers, one is the domain's end as a crash, and Xen's log (xl dmesg) shows the
 * registers: rip in this function, and "no conso", "le" in rax and rdx. */
_Noreturn static void no_console(void)
{
    __asm__ volatile("ud2" : : "a"(0x6f736e6f63206f6eull), "d"(0x656cull));
    __builtin_unreachable();
}

void pv_start(struct start_info *si)
{
    machine = &machine_pv;
    p2m = (const uint64_t *)si->mfn_list;
    nr_pages = si->nr_pages;
    if (!si->console.domU.mfn)
        no_console();
    machine_start.console = boot_page(si->console.domU.mfn);
    machine_start.console_port = si->console.domU.evtchn;
    if (si->store_mfn)
        machine_start.store = boot_page(si->store_mfn);
    machine_start.store_port = si->store_evtchn;
    memcpy(boot.command_line, si->cmd_line, MIN(sizeof(boot.command_line) - 1, sizeof(si->cmd_line)));
    if (si->mod_len)
        boot.ramdisk = (struct bytes){(const uint8_t *)(si->flags & SIF_MOD_START_PFN ? VIRT_BASE + si->mod_start * PAGE
                                                                                     : si->mod_start), si->mod_len};
    take_traps();
    take_processor();
    find_image(si->pt_base - ADDRESS(image_start));
    take_memory(si);
    map(ADDRESS(shared_page), si->shared_info | PTE_DATA, UVMF_INVLPG);
    machine_start.shared = (struct shared_info *)shared_page;
    machine_start.shared_frame = si->shared_info / PAGE;
    make_program_tables();
    kernel_main();
}

/* ---- the rest of what is different ---- */

static void set_fs(uint64_t base) { xen_set_segment_base(SEGBASE_FS, base); }

static uint64_t fault_address(void) { return machine_start.shared->vcpu_info[0].arch.cr2; }

/* Xen unmasks events and sleeps in one step. The event that ends it arrives before the hypercall returns, in trap_event(),
 * which leaves events masked; the store is for a return without an event. */
static void idle(void)
{
    xen_sched(SCHEDOP_block, NULL);
    machine_start.shared->vcpu_info[0].evtchn_upcall_mask = 1;
    barrier();
}

static int foreign_map(uint64_t address, uint64_t *entry, domid_t domid, grant_ref_t ref, bool readonly,
                       grant_handle_t *handle)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = address, .flags = GNTMAP_host_map | GNTMAP_application_map | (readonly ? GNTMAP_readonly : 0),
        .ref = ref, .dom = domid,
    };

    (void)entry;
    if (xen_grant(GNTTABOP_map_grant_ref, &op, 1) < 0 || op.status != GNTST_okay)
        return -EINVAL;
    *handle = op.handle;
    return 0;
}

static int foreign_unmap(uint64_t address, uint64_t *entry, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = address, .handle = handle};

    (void)entry;
    return xen_grant(GNTTABOP_unmap_grant_ref, &op, 1) < 0 || op.status != GNTST_okay ? -EINVAL : 0;
}

static int grant_frame(unsigned index, void *at)
{
    uint64_t frames[64];
    struct gnttab_setup_table op = {.dom = DOMID_SELF, .nr_frames = index + 1};

    if (index >= ARRAY_LENGTH(frames))
        return -ENOSPC;
    set_xen_guest_handle(op.frame_list, frames);
    if (xen_grant(GNTTABOP_setup_table, &op, 1) < 0 || op.status != GNTST_okay)
        return -ENOSPC;
    map(ADDRESS(at), frames[index] * PAGE | PTE_DATA, UVMF_INVLPG);
    return 0;
}

const struct machine machine_pv = {
    .frame = frame,
    .page = page,
    .table_begin = table_begin,
    .table_hook = table_hook,
    .leaf = leaf,
    .leaf_flush = leaf_flush,
    .foreign_map = foreign_map,
    .foreign_unmap = foreign_unmap,
    .grant_frame = grant_frame,
    .program_cs = FLAT_USER_CS,
    .program_ss = FLAT_USER_SS,
    .enter = pv_enter,
    .set_fs = set_fs,
    .fault_address = fault_address,
    .idle = idle,
};
