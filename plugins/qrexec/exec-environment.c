/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec-environment.c - the environment of a process that handles a call: what the stock agent gives, and
 * nothing that was meant for our own process alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unik/inherit.h>

#include "plugins/qrexec/exec-parts.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What we set ourselves. */
static const char *const of_the_account[] = { "HOME=", "USER=", "LOGNAME=", "SHELL=", NULL };
/* All that another account gets. */
static const char *const of_the_machine[] = { "PATH=", "LANG=", "LANGUAGE=", "LC_", "TZ=", NULL };

static void set(struct qrexec_environment *e, const char *key, const char *value)
{
    char *s = NULL;

    if (!value)
        return;
    if (e->n_own == QREXEC_ENV_OWN || asprintf(&s, "%s=%s", key, value) < 0)
        e->bad = true;                  /* a service must not miss who calls it */
    else
        e->own[e->n_own++] = e->at[e->n++] = s;
}

static bool begins(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

static bool begins_one_of(const char *var, const char *const *list)
{
    for (; *list; list++)
        if (begins(var, *list))
            return true;
    return false;
}

/* Variables of ours that go on to a child: none that a forged call could be mistaken by, none without a name. An empty
 * PATH is none at all: it would mean the folder that the child starts in. */
static bool inherited(const char *var, bool become)
{
    if (begins(var, "QREXEC"))
        return begins(var, "QREXEC_SERVICE_PATH=");
    if (!unik_inherits(var) || strcmp(var, "PATH=") == 0 || begins_one_of(var, of_the_account))
        return false;
    return !become || begins_one_of(var, of_the_machine);
}

static void set_request(struct qrexec_environment *e, const struct qrexec_plan *plan)
{
    const char *type = plan->target_type ? plan->target_type : "";

    set(e, "QREXEC_REMOTE_DOMAIN", plan->source);
    set(e, "QREXEC_SERVICE_FULL_NAME", plan->service);
    set(e, "QREXEC_SERVICE_ARGUMENT", plan->argument);
    set(e, "QREXEC_REQUESTED_TARGET_TYPE", type);
    if (strcmp(type, "name") == 0)
        set(e, "QREXEC_REQUESTED_TARGET", plan->target);
    else if (strcmp(type, "keyword") == 0)
        set(e, "QREXEC_REQUESTED_TARGET_KEYWORD", plan->target);
}

void qrexec_environment_free(struct qrexec_environment *e)
{
    for (size_t i = 0; i < e->n_own; i++)
        free(e->own[i]);
    free(e);
}

struct qrexec_environment *qrexec_environment_new(const struct qrexec_plan *plan)
{
    struct qrexec_environment *e = calloc(1, sizeof(*e));
    bool path = false;

    if (!e)
        return NULL;
    for (char **var = environ; *var && e->n < QREXEC_ENV_MAX; var++)
        if (inherited(*var, plan->become)) {
            e->at[e->n++] = *var;
            path = path || begins(*var, "PATH=");
        }
    if (!path)
        set(e, "PATH", DEFAULT_PATH);
    set(e, "HOME", plan->account.home);
    set(e, "USER", plan->account.name);
    set(e, "LOGNAME", plan->account.name);
    set(e, "SHELL", plan->account.shell);
    if (plan->kind == QREXEC_IS_PROGRAM)
        set_request(e, plan);
    if (e->bad) {
        qrexec_environment_free(e);
        return NULL;
    }
    return e;
}
