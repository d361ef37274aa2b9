/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/policy.c - which calls of the guest are allowed, and where they go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/unik-dom0/policy.h"

static const char blanks[] = " \t\r\n";

static void free_rule(struct policy_rule *r)
{
    free(r->service);
    free(r->target);
    free(r->where);
}

/* The third word and what follows it. */
static const char *parse_action(struct policy_rule *r, char *text)
{
    const char *where = "";

    for (char *end = text + strlen(text); end > text && strchr(blanks, end[-1]); end--)
        end[-1] = 0;
    if (strcmp(text, "deny") == 0)
        r->action = POLICY_DENY;
    else if (strcmp(text, "allow") == 0)
        r->action = POLICY_ALLOW;
    else if (strncmp(text, "allow:", 6) == 0 && text[6]) {
        r->action = POLICY_ALLOW;
        where = text + 6;
    } else if (strncmp(text, "dom0:", 5) == 0 && text[5]) {
        r->action = POLICY_COMMAND;
        where = text + 5;
    } else
        return "expected allow, allow:VM, deny or dom0:COMMAND";
    r->where = strdup(where);
    return r->where ? NULL : "no memory";
}

/* NULL, or what is wrong with the line. An empty one leaves r->service NULL. */
static const char *parse_line(struct policy_rule *r, char *line)
{
    char *rest, *service = strtok_r(line, blanks, &rest), *target;

    if (!service || *service == '#')
        return NULL;
    target = strtok_r(NULL, blanks, &rest);
    if (!target)
        return "expected SERVICE TARGET ACTION";
    rest += strspn(rest, blanks);
    r->service = strdup(service);
    r->target = strdup(strcmp(target, "@adminvm") == 0 ? "dom0" : target);
    return r->service && r->target ? parse_action(r, rest) : "no memory";
}

int policy_load(struct policy *p, const char *file, struct unik_text *why)
{
    FILE *f = fopen(file, "re");
    char line[4096];
    int number = 0, error = 0;

    if (!f) {
        error = -errno;
        unik_text_add(why, "%s: %s\n", file, strerror(-error));
        return error;
    }
    p->rules = calloc(POLICY_RULES_MAX, sizeof(*p->rules));
    p->n = 0;
    while (p->rules && fgets(line, sizeof(line), f)) {
        struct policy_rule r = { 0 };
        const char *wrong = parse_line(&r, line);

        number++;
        if (!wrong && r.service && p->n == POLICY_RULES_MAX)
            wrong = "too many rules";
        if (!wrong && r.service) {
            p->rules[p->n++] = r;
            continue;
        }
        free_rule(&r);
        if (wrong) {
            unik_text_add(why, "%s:%d: %s\n", file, number, wrong);
            error = -EINVAL;
        }
    }
    fclose(f);
    return p->rules ? error : -ENOMEM;
}

void policy_free(struct policy *p)
{
    for (size_t i = 0; i < p->n; i++)
        free_rule(&p->rules[i]);
    free(p->rules);
    *p = (struct policy){ 0 };
}

/* "name" stands for the name with any argument, "name+argument" for just that, * for all. */
static int service_fits(const char *rule, const char *service)
{
    size_t n = strlen(rule);

    if (strcmp(rule, "*") == 0)
        return 1;
    if (strchr(rule, '+'))
        return strcmp(rule, service) == 0;
    return strncmp(rule, service, n) == 0 && (service[n] == 0 || service[n] == '+');
}

const struct policy_rule *policy_find(const struct policy *p, const char *service, const char *target)
{
    for (size_t i = 0; i < p->n; i++)
        if (service_fits(p->rules[i].service, service)
            && (strcmp(p->rules[i].target, "*") == 0 || strcmp(p->rules[i].target, target) == 0))
            return &p->rules[i];
    return NULL;
}
