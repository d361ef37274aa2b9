/* SPDX-License-Identifier: BSD-2-Clause */
/* lacking, for dom0: domains that lack something, or have lost it.
 * lacking DOMID console|store: takes the console or xenstore out of what a domain that has not run yet will be told at its
 * start: for PV out of the start_info page, whose address is in rsi; for PVH out of its parameters. Between xl create -p
 * and xl unpause. Its console's ring itself stays, so that the domain's end can be seen.
 * lacking DOMID code|gates ADDRESS: spoils the kernel of a domain that runs, there: an instruction becomes none, or the table of
 * who takes an exception becomes empty.
 * lacking DOMID past ADDRESS: prints the last exceptions of a kernel (boot/past.c), the newest first. The domain may be dead. */
#define XC_WANT_COMPAT_MAP_FOREIGN_API
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xenctrl.h>
#include <xen/hvm/params.h>

static int out_of_parameters(xc_interface *xc, uint32_t domid, int console)
{
    return xc_hvm_param_set(xc, domid, console ? HVM_PARAM_CONSOLE_PFN : HVM_PARAM_STORE_PFN, 0);
}

static int out_of_start_info(xc_interface *xc, uint32_t domid, int console)
{
    vcpu_guest_context_any_t c;
    struct start_info *si;
    unsigned long mfn;

    if (xc_vcpu_getcontext(xc, domid, 0, &c) < 0 ||
        (mfn = xc_translate_foreign_address(xc, domid, 0, c.x64.user_regs.rsi)) == 0 ||
        !(si = xc_map_foreign_range(xc, (int)domid, XC_PAGE_SIZE, PROT_READ | PROT_WRITE, mfn)))
        return -1;
    if (strncmp(si->magic, "xen-3.0", 7) != 0) {
        fprintf(stderr, "no start_info at %lx\n", (unsigned long)c.x64.user_regs.rsi);
        return -1;
    }
    if (console)
        si->console.domU.mfn = 0;
    else
        si->store_mfn = 0;
    return munmap(si, XC_PAGE_SIZE);
}

#define GATES 512u                       /* bytes: those of all exceptions */

/* As boot/past.c has it: a name of 32 bytes, how many there were, and the last 16, five words each. */
static int past(xc_interface *xc, uint32_t domid, unsigned long address)
{
    unsigned long frame = xc_translate_foreign_address(xc, domid, 0, address);
    const char *page = frame ? xc_map_foreign_range(xc, (int)domid, XC_PAGE_SIZE, PROT_READ, frame) : NULL;
    uint64_t n, e[5];

    if (!page || strcmp(page + address % XC_PAGE_SIZE, "unik: last exceptions") != 0)
        return -1;
    page += address % XC_PAGE_SIZE + 32;
    memcpy(&n, page, sizeof(n));
    for (uint64_t i = 1; i <= 16 && i <= n; i++) {
        memcpy(e, page + 8 + (n - i) % 16 * sizeof(e), sizeof(e));
        printf("exception %lu error %lx rip %lx rsp %lx cr2 %lx\n", e[0], e[1], e[2], e[3], e[4]);
    }
    return 0;
}

static int spoil(xc_interface *xc, uint32_t domid, int gates, unsigned long address)
{
    static const unsigned char no_instruction[2] = { 0x0f, 0x0b };

    for (unsigned i = 0; i < (gates ? GATES : sizeof(no_instruction)); i++) {
        unsigned long frame = xc_translate_foreign_address(xc, domid, 0, address + i);
        unsigned char *page = frame ? xc_map_foreign_range(xc, (int)domid, XC_PAGE_SIZE, PROT_READ | PROT_WRITE, frame) : NULL;

        if (!page)
            return -1;
        page[(address + i) % XC_PAGE_SIZE] = gates ? 0 : no_instruction[i];
        munmap(page, XC_PAGE_SIZE);
    }
    return 0;
}

int main(int argc, char **argv)
{
    xc_interface *xc;
    xc_dominfo_t info;
    uint32_t domid;
    int console, running, e;

    running = argc == 4 && (strcmp(argv[2], "code") == 0 || strcmp(argv[2], "gates") == 0 || strcmp(argv[2], "past") == 0);
    if (!running && (argc != 3 || (strcmp(argv[2], "console") && strcmp(argv[2], "store")))) {
        fputs("usage: lacking DOMID console|store, or DOMID code|gates|past ADDRESS\n", stderr);
        return 2;
    }
    domid = (uint32_t)atoi(argv[1]);
    console = strcmp(argv[2], "console") == 0;
    if (!(xc = xc_interface_open(NULL, NULL, 0)) || xc_domain_getinfo(xc, domid, 1, &info) != 1 || info.domid != domid) {
        fputs("lacking: no such domain\n", stderr);
        return 1;
    }
    if (running && argv[2][0] == 'p')
        e = past(xc, domid, strtoul(argv[3], NULL, 16));
    else if (running)
        e = spoil(xc, domid, argv[2][0] == 'g', strtoul(argv[3], NULL, 16));
    else
        e = info.hvm ? out_of_parameters(xc, domid, console) : out_of_start_info(xc, domid, console);
    xc_interface_close(xc);
    if (e < 0)
        fputs("lacking: not done\n", stderr);
    return e < 0;
}
