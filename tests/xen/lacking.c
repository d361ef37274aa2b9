/* lacking DOMID console|store: takes the console or xenstore out of what a domain that has not run yet will be told at its
 * start: for PV out of the start_info page, whose address is in rsi; for PVH out of its parameters. For dom0, between xl create -p
 * and xl unpause. Its console's ring itself stays, so that the domain's end can be seen. */
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

int main(int argc, char **argv)
{
    xc_interface *xc;
    xc_dominfo_t info;
    uint32_t domid;
    int console, e;

    if (argc != 3 || (strcmp(argv[2], "console") && strcmp(argv[2], "store"))) {
        fputs("usage: lacking DOMID console|store\n", stderr);
        return 2;
    }
    domid = (uint32_t)atoi(argv[1]);
    console = strcmp(argv[2], "console") == 0;
    if (!(xc = xc_interface_open(NULL, NULL, 0)) || xc_domain_getinfo(xc, domid, 1, &info) != 1 || info.domid != domid) {
        fputs("lacking: no such domain\n", stderr);
        return 1;
    }
    e = info.hvm ? out_of_parameters(xc, domid, console) : out_of_start_info(xc, domid, console);
    xc_interface_close(xc);
    if (e < 0)
        fputs("lacking: not done\n", stderr);
    return e < 0;
}
