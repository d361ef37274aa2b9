/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/policy.h - which calls of the guest are allowed, and where they go. */
#ifndef UNIK_DOM0_POLICY_H
#define UNIK_DOM0_POLICY_H

#include <unik/text.h>

#define POLICY_RULES_MAX 1024

enum policy_action {
    POLICY_DENY,
    POLICY_ALLOW,           /* to the VM `where` ("": the target as asked), or to dom0's services */
    POLICY_COMMAND          /* dom0 runs the shell command `where` */
};

struct policy_rule {
    char *service, *target, *where;
    enum policy_action action;
};

struct policy {
    struct policy_rule *rules;
    size_t n;
};

/* Lines "SERVICE[+ARGUMENT] TARGET allow[:VM]|deny|dom0:COMMAND"; * for any; # begins a comment. The first that fits
 * counts. 0, or a negative errno with one line per mistake in why. */
int policy_load(struct policy *p, const char *file, struct unik_text *why);
void policy_free(struct policy *p);
/* The rule for "name+argument" and a target, or NULL. */
const struct policy_rule *policy_find(const struct policy *p, const char *service, const char *target);

#endif
