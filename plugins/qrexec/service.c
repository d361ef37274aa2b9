/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/service.c - services registered by plugins of this process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qrexec/core.h"

static size_t find_name(const struct qrexec_agent *a, const char *name, size_t len)
{
    size_t i = 0;

    while (i < QREXEC_SERVICES_MAX &&
           (!a->services[i] || strlen(a->services[i]->name) != len || memcmp(a->services[i]->name, name, len) != 0))
        i++;
    return i;
}

int qrexec_service_add(struct unik_qrexec *q, struct unik_ctx *ctx, const char *name, unik_qrexec_handler *handler,
                       void *arg, struct unik_qrexec_service **out)
{
    struct qrexec_agent *a = (struct qrexec_agent *)(void *)q;
    size_t len = strlen(name), at = 0;
    struct unik_qrexec_service *s;

    /* "name+" cannot be told from "name" on the wire [5] */
    if (!handler || !qrexec_service_ok(name) || strcspn(name, "+") > UNIK_QREXEC_NAME_MAX || name[len - 1] == '+')
        return -EINVAL;
    if (qrexec_builtin_reserved(name) || find_name(a, name, len) < QREXEC_SERVICES_MAX)
        return -EEXIST;
    while (at < QREXEC_SERVICES_MAX && a->services[at])
        at++;
    if (at == QREXEC_SERVICES_MAX || !(s = malloc(sizeof(*s) + len + 1)))
        return -ENOSPC;
    *s = (struct unik_qrexec_service){ .ctx = ctx, .handler = handler, .arg = arg };
    memcpy(s->name, name, len + 1);
    a->services[at] = s;
    if (out)
        *out = s;
    return 0;
}

void qrexec_service_remove(struct unik_qrexec *q, struct unik_qrexec_service *s)
{
    struct qrexec_agent *a = (struct qrexec_agent *)(void *)q;

    for (size_t i = 0; s && i < QREXEC_SERVICES_MAX; i++)
        if (a->services[i] == s) {
            a->services[i] = NULL;
            free(s);
            return;
        }
}

void qrexec_service_left(struct qrexec_agent *a, struct unik_ctx *user)
{
    for (size_t i = 0; i < QREXEC_SERVICES_MAX; i++)
        if (a->services[i] && a->services[i]->ctx == user)
            qrexec_service_remove(&a->iface, a->services[i]);
}

void qrexec_service_free(struct qrexec_agent *a)
{
    for (size_t i = 0; i < QREXEC_SERVICES_MAX; i++)
        qrexec_service_remove(&a->iface, a->services[i]);
}

/* from dom0; the argument is the caller's */
unik_qrexec_handler *qrexec_service_find(struct qrexec_agent *a, const struct qrexec_command *command, void **arg,
                                         struct unik_ctx **user)
{
    unik_qrexec_handler *handler;
    size_t i = QREXEC_SERVICES_MAX;

    if (command->argument && command->argument_len)
        i = find_name(a, command->service, command->service_len);
    if (i == QREXEC_SERVICES_MAX)
        i = find_name(a, command->name, command->name_len);
    if (i < QREXEC_SERVICES_MAX) {
        *arg = a->services[i]->arg;
        *user = a->services[i]->ctx;
        return a->services[i]->handler;
    }
    *user = NULL;
    handler = qrexec_builtin_find(command->name, command->name_len);
    *arg = a;
    return handler;
}
