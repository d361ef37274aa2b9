/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0's command lines. The parts that the parser finds, put together again, are the text. */
#include <string.h>

#include "protocol/qrexec.h"
#include "tests/fuzz/must.h"

static char again[1 << 17];
static size_t used;

static void add(const char *part, size_t n)
{
    must(used + n <= sizeof(again));
    memcpy(again + used, part, n);
    used += n;
}

static void check_rpc(const struct qrexec_command *c)
{
    must(c->command_len == c->descriptor_len + 9);
    used = 0;
    add("QUBESRPC ", 9);
    add(c->name, c->name_len);
    if (c->argument) {
        add("+", 1);
        add(c->argument, c->argument_len);
    }
    must(used == 9 + c->service_len && memcmp(again + 9, c->service, c->service_len) == 0);
    add(" ", 1);
    add(c->source, c->source_len);
    if (c->target) {
        add(" ", 1);
        add(c->target_type, c->target_type_len);
        add(" ", 1);
        add(c->target, c->target_len);
        must(c->target_len > 0);
    }
    must(used == c->command_len && memcmp(again, c->command, used) == 0);
    must(memcmp(again + 9, c->descriptor, c->descriptor_len) == 0);
    must(c->name_len >= 1 && c->name_len <= QREXEC_NAME_MAX && !memchr(c->name, '+', c->name_len));
    must(c->service_len <= QREXEC_SERVICE_MAX && c->source_len > 0);
}

/* The same bytes as names, which must not be read past their NUL. */
static void check_names(const char *text, size_t n)
{
    char *s = malloc(n + 1);

    if (!s)
        return;
    memcpy(s, text, n);
    s[n] = 0;
    must(!qrexec_ident_ok(s) || strlen(s) < QREXEC_IDENT);
    must(!qrexec_target_ok(s, 32) || qrexec_target_ok(s, QREXEC_TARGET));
    must(!qrexec_service_ok(s) || (s[0] && s[0] != '+' && strlen(s) < QREXEC_SERVICE_MAX));
    free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *text = (const char *)bytes;
    struct qrexec_command c;

    if (n > 70000)
        return 0;
    check_names(text, n);
    if (qrexec_parse_command(text, n, &c) < 0)
        return 0;
    must(inside(c.user, c.user_len, text, n) && inside(c.command, c.command_len, text, n));
    must(!memchr(c.user, ':', c.user_len));
    used = 0;
    add(c.user, c.user_len);
    add(":", 1);
    if (c.nogui)
        add("nogui:", 6);
    add(c.command, c.command_len);
    must(used == n && memcmp(again, text, n) == 0);
    if (c.rpc)
        check_rpc(&c);
    else
        must(!c.descriptor && !c.service && !c.name && !c.argument && !c.source && !c.target && !c.target_type);
    return 0;
}
