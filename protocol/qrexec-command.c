/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/qrexec-command.c - the command line that dom0 sends, and the names that dom0 takes.
 * dom0 is trusted, but source, service and argument may have been chosen by another VM. */
#include <errno.h>
#include <string.h>

#include "protocol/chars.h"
#include "protocol/qrexec.h"

#define NOGUI "nogui:"
#define RPC "QUBESRPC"

struct text {
    const char *at;
    size_t len;
};

static bool starts(const struct text *t, const char *with)
{
    size_t n = strlen(with);

    return t->len >= n && memcmp(t->at, with, n) == 0;
}

static bool is(const struct text *t, const char *word) { return t->len == strlen(word) && starts(t, word); }

static void skip(struct text *t, size_t n)
{
    t->at += n;
    t->len -= n;
}

/* Take what stands before the next `end`, and the end itself. Without one: take all, false. */
static bool take_until(struct text *t, char end, struct text *out)
{
    const char *e = memchr(t->at, end, t->len);

    out->at = t->at;
    out->len = e ? (size_t)(e - t->at) : t->len;
    skip(t, e ? out->len + 1 : out->len);
    return e != NULL;
}

/* "name" or "name+argument". */
static int parse_service(struct qrexec_command *c, struct text service)
{
    struct text name;
    bool plus;

    if (service.len < 1 || service.len > QREXEC_SERVICE_MAX)
        return -EINVAL;
    c->service = service.at;
    c->service_len = service.len;
    plus = take_until(&service, '+', &name);
    if (name.len < 1 || name.len > QREXEC_NAME_MAX)
        return -EINVAL;
    c->name = name.at;
    c->name_len = name.len;
    if (plus) {
        c->argument = service.at;
        c->argument_len = service.len;
    }
    return 0;
}

/* "SERVICE SOURCE [name|keyword TARGET]" */
static int parse_rpc(struct qrexec_command *c, struct text t)
{
    struct text service, source, type, target;
    bool more;

    c->rpc = true;
    c->descriptor = t.at;
    c->descriptor_len = t.len;
    if (!take_until(&t, ' ', &service) || parse_service(c, service) < 0)
        return -EINVAL;
    more = take_until(&t, ' ', &source);
    c->source = source.at;
    c->source_len = source.len;
    if (source.len == 0)
        return -EINVAL;
    if (!more)
        return 0;
    if (!take_until(&t, ' ', &type) || (!is(&type, "name") && !is(&type, "keyword")))
        return -EINVAL;
    if (take_until(&t, ' ', &target) || target.len == 0)
        return -EINVAL;
    c->target_type = type.at;
    c->target_type_len = type.len;
    c->target = target.at;
    c->target_len = target.len;
    return 0;
}

int qrexec_parse_command(const char *text, size_t len, struct qrexec_command *c)
{
    struct text t = { text, len }, user;

    *c = (struct qrexec_command){ 0 };
    if (len == 0 || memchr(text, 0, len) || !take_until(&t, ':', &user))
        return -EINVAL;
    c->user = user.at;
    c->user_len = user.len;
    c->nogui = starts(&t, NOGUI);
    if (c->nogui)
        skip(&t, strlen(NOGUI));
    c->command = t.at;
    c->command_len = t.len;
    if (!starts(&t, RPC))
        return 0;
    skip(&t, strlen(RPC));
    if (!starts(&t, " "))
        return -EINVAL;
    skip(&t, 1);
    return parse_rpc(c, t);
}

/* The daemon changes other characters to _, so that another service would be called than was asked for. */
bool qrexec_service_ok(const char *service)
{
    size_t name;

    if (!service || strlen(service) >= QREXEC_SERVICE_MAX)      /* the limit counts the NUL */
        return false;
    name = strcspn(service, "+");
    return name >= 1 && name <= QREXEC_NAME_MAX && chars_only(service, CHARS_ALNUM "_.-+");
}

bool qrexec_target_ok(const char *target, size_t field)
{
    return target && strlen(target) < field && chars_only(target, CHARS_ALNUM "_.-@:");
}

bool qrexec_ident_ok(const char *ident)
{
    return ident && strlen(ident) < QREXEC_IDENT && chars_only(ident, CHARS_ALNUM "_. -");
}
