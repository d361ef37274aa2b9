/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/vm.c - one VM as dom0 sees it: its channels, what it did wrong, its status. */
#include <stdlib.h>
#include <strings.h>

#include "tools/unik-dom0/control.h"
#include "tools/unik-dom0/data.h"
#include "tools/unik-dom0/db.h"
#include "tools/unik-dom0/gui.h"
#include "tools/unik-dom0/net.h"
#include "tools/unik-dom0/pair.h"

struct vm *vm_new(struct dom0 *d, int domid, const char *name, const char *user)
{
    struct vm *vm = d->n_vms < DOM0_VMS_MAX ? calloc(1, sizeof(*vm)) : NULL;

    if (!vm)
        return NULL;
    vm->dom0 = d;
    vm->domid = domid;
    snprintf(vm->name, sizeof(vm->name), "%s", name);
    snprintf(vm->user, sizeof(vm->user), "%s", user);
    d->vms[d->n_vms++] = vm;
    return vm;
}

void vm_free(struct vm *vm)
{
    while (vm->datas)
        vm->datas->abandon(vm->datas);
    gui_free(vm);
    control_free(vm);
    db_free(vm);
    pairs_free(vm);
    free(vm);
}

struct vm *vm_by_domid(struct dom0 *d, uint32_t domid)
{
    for (size_t i = 0; i < d->n_vms; i++)
        if ((uint32_t)d->vms[i]->domid == domid)
            return d->vms[i];
    return NULL;
}

struct vm *vm_find(struct dom0 *d, const char *name)
{
    char *end;
    unsigned long domid;

    if (!name || !*name)
        return d->n_vms ? d->vms[0] : NULL;
    for (size_t i = 0; i < d->n_vms; i++)
        if (strcmp(d->vms[i]->name, name) == 0)
            return d->vms[i];
    domid = strtoul(name, &end, 10);
    return *end || domid > UINT32_MAX ? NULL : vm_by_domid(d, (uint32_t)domid);
}

void vm_violation(struct vm *vm, const char *channel, const char *fmt, ...)
{
    char *line = vm->last[vm->violations++ % DOM0_LAST_MAX];
    int n = snprintf(line, DOM0_LINE_MAX, "%s: ", channel);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line + n, DOM0_LINE_MAX - (size_t)n, fmt, ap);
    va_end(ap);
    dom0_log(vm->dom0, UNIK_ERROR, vm->name, "VIOLATION: %s", line);
}

void vm_note(struct vm *vm, const char *channel, const char *fmt, ...)
{
    char line[DOM0_LINE_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    vm->notes++;
    dom0_log(vm->dom0, UNIK_INFO, vm->name, "note: %s: %s", channel, line);
}

void vm_restart_fault(struct vm *vm)
{
    struct faults *f = &vm->dom0->faults;

    if ((control_version(vm) || gui_connected(vm)) && fault_strikes(f, FAULT_RESTART)) {
        control_restart(vm, fault_value(f, FAULT_RESTART));
        db_restart(vm, fault_value(f, FAULT_RESTART));
        gui_restart(vm, fault_value(f, FAULT_RESTART));
    }
}

unsigned long dom0_violations(struct dom0 *d)
{
    unsigned long n = 0;

    for (size_t i = 0; i < d->n_vms; i++)
        n += d->vms[i]->violations;
    return n;
}

void vm_status(struct vm *vm, struct unik_text *out)
{
    size_t running = 0;

    for (const struct data *d = vm->datas; d; d = d->next)
        running++;
    unik_text_add(out, "vm: %s, domid %d\n", vm->name, vm->domid);
    control_status(vm, out);
    unik_text_add(out, "calls: %lu to the guest, %lu from it, %lu of those refused, %zu running\n", vm->calls,
                  vm->answered, vm->refused, running);
    unik_text_add(out, "ports: %zu in use\n", pairs_used(vm));
    db_status(vm, out);
    gui_status(vm, out);
    net_status(vm, out);
    unik_text_add(out, "notes: %lu\nviolations: %lu\n", vm->notes, vm->violations);
    for (unsigned long i = vm->violations > DOM0_LAST_MAX ? vm->violations - DOM0_LAST_MAX : 0; i < vm->violations; i++)
        unik_text_add(out, "violation: %s\n", vm->last[i % DOM0_LAST_MAX]);
}
