/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/trigger.c - calls that the guest makes: cleaned, judged by the policy, sent on. */
#include <stdlib.h>
#include <unistd.h>

#include "protocol/cursor.h"
#include "tools/unik-dom0/control.h"
#include "tools/unik-dom0/pair.h"

struct request {
    struct vm *vm;
    const uint8_t *ident;                           /* 32 bytes, as they came */
    char target[QREXEC_TARGET];
    char service[QREXEC_SERVICE_MAX + 1];           /* name+argument */
};

/* The real daemon replaces bytes outside of letters, digits and `also` by '_': how many. */
static int clean(char *s, const char *also)
{
    int n = 0;

    for (; *s; s++) {
        bool ok = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr(also, *s);

        if (!ok) {
            *s = '_';
            n++;
        }
    }
    return n;
}

/* A field of n bytes as a string; its last byte counts as NUL. */
static void field(char *to, const uint8_t *from, size_t n)
{
    size_t len = from ? strnlen((const char *)from, n - 1) : 0;

    if (len)
        memcpy(to, from, len);
    to[len] = 0;
}

static bool ident_ok(const uint8_t *ident)
{
    char copy[QREXEC_IDENT];
    size_t n = strnlen((const char *)ident, QREXEC_IDENT);

    if (n == QREXEC_IDENT)
        return false;
    for (size_t i = n; i < QREXEC_IDENT; i++)
        if (ident[i])
            return false;
    memcpy(copy, ident, QREXEC_IDENT);
    return clean(copy, "_.- ") == 0;
}

/* Fill r from the body. NULL, or why the real daemon refuses it. */
static const char *parse(struct request *r, uint32_t type, const uint8_t *body, size_t n)
{
    const uint8_t *name, *target;
    struct reader in;
    size_t len;

    reader_init(&in, body, n);
    if (type == QREXEC_TRIGGER2) {
        name = reader_bytes(&in, 64);
        target = reader_bytes(&in, 32);
        field(r->target, target, 32);
        r->ident = reader_bytes(&in, QREXEC_IDENT);
        field(r->service, name, 64);
    } else {
        if (type == QREXEC_TRIGGER4 && reader_u8(&in) != 0)
            vm_note(r->vm, "qrexec", "a call with a source domain: only relays send one");
        if (type == QREXEC_TRIGGER4)
            reader_skip(&in, QREXEC_TARGET - 1);
        target = reader_bytes(&in, QREXEC_TARGET);
        field(r->target, target, QREXEC_TARGET);
        r->ident = reader_bytes(&in, QREXEC_IDENT);
        len = in.left;
        name = reader_bytes(&in, len);
        if (!name || len > QREXEC_SERVICE_MAX || strnlen((const char *)name, len) != len - 1)
            return "the service name does not end with its one NUL";
        memcpy(r->service, name, len);
    }
    if (!r->service[0] || r->service[0] == '+')
        return "no service name";
    if (!ident_ok(r->ident))
        return "bad ident";
    if (clean(r->service, "_.-+"))
        vm_violation(r->vm, "qrexec", "service name with bytes that dom0 replaces: %s", r->service);
    if (clean(r->target, "_.-@:"))
        vm_violation(r->vm, "qrexec", "target with bytes that dom0 replaces: %s", r->target);
    return NULL;
}

static void refuse(struct request *r, const char *why)
{
    dom0_log(r->vm->dom0, UNIK_INFO, r->vm->name, "qrexec: call of %s in \"%s\" refused: %s", r->service, r->target,
             why);
    r->vm->refused++;
    control_send_refused(r->vm, r->ident);
}

/* Tell the caller where to serve its data channel. */
static int send_connect(struct request *r, uint32_t domain, uint32_t port)
{
    return control_send_exec(r->vm, QREXEC_SERVICE_CONNECT, domain, port, r->ident, QREXEC_IDENT);
}

static void connect_dom0(struct request *r, const char *command, const char *file)
{
    struct pair *p = pair_reserve(r->vm, 0);

    if (!p) {
        refuse(r, "no free port: CONNECTION_TERMINATED is missing for the others");
        return;
    }
    if (send_connect(r, 0, p->port) < 0) {
        pair_drop(p);
        return;
    }
    if (service_start(p, r->service, r->target, command, file) < 0)
        pair_close(p, PAIR_LEFT);
}

/* The executable for a service in the folder: "name+argument" first, then "name". false: none. */
static bool find_file(struct dom0 *d, const char *service, char *path, size_t size)
{
    if (!d->services || strchr(service, '/'))
        return false;
    if (strchr(service, '+')) {
        if (snprintf(path, size, "%s/%s", d->services, service) < (int)size && access(path, X_OK) == 0)
            return true;
    } else if (snprintf(path, size, "%s/%s+", d->services, service) < (int)size && access(path, X_OK) == 0)
        return true;
    return snprintf(path, size, "%s/%.*s", d->services, (int)strcspn(service, "+"), service) < (int)size
           && access(path, X_OK) == 0;
}

/* The caller serves, the callee connects: no byte of it passes dom0 (doc/protocol/qrexec.md, 10 b). */
static void connect_vm(struct request *r, struct vm *callee)
{
    static char line[QREXEC_CMD_MAX];       /* used within one call only */
    uint32_t caller = (uint32_t)r->vm->domid;
    struct pair *theirs, *ours;
    int n;

    if (callee == r->vm || !control_version(callee)) {
        refuse(r, callee == r->vm ? "a VM cannot call itself" : "that VM is not connected");
        return;
    }
    theirs = pair_reserve(callee, caller);
    ours = theirs ? pair_expect(r->vm, (uint32_t)callee->domid, theirs->port) : NULL;
    n = snprintf(line, sizeof(line), "%s:QUBESRPC %s%s %s", callee->user, r->service,
                 strchr(r->service, '+') ? "" : "+", r->vm->name);
    if (!ours || n >= (int)sizeof(line) - 8
        || control_send_exec(callee, QREXEC_EXEC_CMDLINE, caller, theirs->port, line, (size_t)n + 1) < 0) {
        if (ours)
            pair_drop(ours);
        if (theirs)
            pair_drop(theirs);
        refuse(r, "no free port, or that VM cannot take it");
        return;
    }
    callee->calls++;
    send_connect(r, (uint32_t)callee->domid, theirs->port);
}

static void judge(struct request *r)
{
    struct dom0 *d = r->vm->dom0;
    const char *target = strcmp(r->target, "@adminvm") == 0 ? "dom0" : r->target;
    const struct policy_rule *rule = policy_find(&d->policy, r->service, target);
    char file[4096];
    bool have = find_file(d, r->service, file, sizeof(file));
    struct vm *callee;

    if (fault_strikes(&d->faults, FAULT_REFUSE_ALL))
        refuse(r, "fault refuse-all");
    else if (!rule && !(d->policy.n == 0 && have && strcmp(target, "dom0") == 0))
        refuse(r, "no rule");
    else if (rule && rule->action == POLICY_DENY)
        refuse(r, "policy");
    else if (rule && rule->action == POLICY_COMMAND)
        connect_dom0(r, rule->where, NULL);
    else {
        if (rule && *rule->where)
            target = rule->where;
        callee = vm_find(d, *target ? target : "-");
        if (strcmp(target, "dom0") == 0)
            connect_dom0(r, NULL, have ? file : NULL);
        else if (callee)
            connect_vm(r, callee);
        else
            refuse(r, "no such VM here");
    }
}

void trigger_receive(struct vm *vm, uint32_t type, const uint8_t *body, size_t n)
{
    static struct request r;        /* used within one call only */
    const char *wrong;

    r.vm = vm;
    wrong = parse(&r, type, body, n);
    vm->answered++;
    if (wrong) {
        vm_violation(vm, "qrexec", "a call that dom0 refuses as malformed: %s", wrong);
        refuse(&r, wrong);
        return;
    }
    dom0_log(vm->dom0, UNIK_DEBUG, vm->name, "qrexec: the guest calls %s in \"%s\"", r.service, r.target);
    judge(&r);
}
