/* SPDX-License-Identifier: BSD-2-Clause */
/* "USER:[nogui:]REST": each rule of the grammar, and the names that dom0 takes. */
#include <errno.h>
#include <stdlib.h>

#include "protocol/qrexec.h"
#include "tests/common/bytes.h"
#include "tests/common/run.h"

/* NULL: there is none. The text is not NUL-terminated where the parser sees it. */
struct row {
    const char *text;
    const char *user, *command, *descriptor, *service, *name, *argument, *source, *type, *target;
    bool nogui;
};

static const struct row good[] = {
    { .text = "user:echo hi", .user = "user", .command = "echo hi" },
    { .text = "user:", .user = "user", .command = "" },
    { .text = ":true", .user = "", .command = "true" },
    { .text = "user:a:b", .user = "user", .command = "a:b" },
    { .text = "user:nogui:true", .user = "user", .command = "true", .nogui = true },
    { .text = "user:nogui:", .user = "user", .command = "", .nogui = true },
    { .text = "user:nogui:nogui:x", .user = "user", .command = "nogui:x", .nogui = true },
    { .text = "user:nogu:x", .user = "user", .command = "nogu:x" },
    { .text = "user:qubesrpc a b", .user = "user", .command = "qubesrpc a b" },
    { .text = "user: QUBESRPC a b", .user = "user", .command = " QUBESRPC a b" },
    { .text = "user:QUBESRP", .user = "user", .command = "QUBESRP" },
    { .text = "user:QUBESRPC test.Svc+ vm42", .user = "user", .command = "QUBESRPC test.Svc+ vm42",
      .descriptor = "test.Svc+ vm42", .service = "test.Svc+", .name = "test.Svc", .argument = "", .source = "vm42" },
    { .text = "user:QUBESRPC qubes.SetDateTime dom0", .user = "user", .command = "QUBESRPC qubes.SetDateTime dom0",
      .descriptor = "qubes.SetDateTime dom0", .service = "qubes.SetDateTime", .name = "qubes.SetDateTime",
      .source = "dom0" },
    { .text = "root:nogui:QUBESRPC qubes.ConnectTCP+80 work", .user = "root",
      .command = "QUBESRPC qubes.ConnectTCP+80 work", .descriptor = "qubes.ConnectTCP+80 work",
      .service = "qubes.ConnectTCP+80", .name = "qubes.ConnectTCP", .argument = "80", .source = "work",
      .nogui = true },
    { .text = "user:QUBESRPC a+-x+y z", .user = "user", .command = "QUBESRPC a+-x+y z", .descriptor = "a+-x+y z",
      .service = "a+-x+y", .name = "a", .argument = "-x+y", .source = "z" },
    { .text = "user:QUBESRPC a+ vm name other", .user = "user", .command = "QUBESRPC a+ vm name other",
      .descriptor = "a+ vm name other", .service = "a+", .name = "a", .argument = "", .source = "vm", .type = "name",
      .target = "other" },
    { .text = "user:QUBESRPC a vm keyword adminvm", .user = "user", .command = "QUBESRPC a vm keyword adminvm",
      .descriptor = "a vm keyword adminvm", .service = "a", .name = "a", .source = "vm", .type = "keyword",
      .target = "adminvm" },
    /* what comes from dom0 itself is not cleaned */
    { .text = "user:QUBESRPC a/b\t~+\xff$ dom0", .user = "user", .command = "QUBESRPC a/b\t~+\xff$ dom0",
      .descriptor = "a/b\t~+\xff$ dom0", .service = "a/b\t~+\xff$", .name = "a/b\t~", .argument = "\xff$",
      .source = "dom0" },
};

static const char *const bad[] = {
    "", "user", "QUBESRPC a b",
    "user:QUBESRPC", "user:QUBESRPCa b", "user:QUBESRPC\ta b", "user:nogui:QUBESRPC",
    "user:QUBESRPC ", "user:QUBESRPC a", "user:QUBESRPC a ", "user:QUBESRPC  b", "user:QUBESRPC  a b",
    "user:QUBESRPC + b", "user:QUBESRPC +x b", "user:QUBESRPC a  b",
    "user:QUBESRPC a b ", "user:QUBESRPC a b name", "user:QUBESRPC a b name ", "user:QUBESRPC a b  c",
    "user:QUBESRPC a b other c", "user:QUBESRPC a b nam c", "user:QUBESRPC a b names c", "user:QUBESRPC a b name c ",
    "user:QUBESRPC a b name c d",
};

static void check_part(const char *what, const char *got, size_t len, const char *want)
{
    if (!want) {
        ck_assert_msg(got == NULL && len == 0, "%s is \"%.*s\", not absent", what, (int)len, got ? got : "");
        return;
    }
    ck_assert_msg(got && len == strlen(want) && memcmp(got, want, len) == 0, "%s is \"%.*s\", not \"%s\"", what,
                  (int)len, got ? got : "", want);
}

/* A copy that ends where the text does, so that valgrind or a sanitizer sees a byte too many. */
static char *exact(const char *text, size_t len)
{
    char *t = malloc(len ? len : 1);

    memcpy(t, text, len);
    return t;
}

START_TEST(good_commands)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const struct row *r = &good[i];
        char *text = exact(r->text, strlen(r->text));
        struct qrexec_command c;

        ck_assert_msg(qrexec_parse_command(text, strlen(r->text), &c) == 0, "refused: %s", r->text);
        check_part("user", c.user, c.user_len, r->user);
        check_part("command", c.command, c.command_len, r->command);
        check_part("descriptor", c.descriptor, c.descriptor_len, r->descriptor);
        check_part("service", c.service, c.service_len, r->service);
        check_part("name", c.name, c.name_len, r->name);
        check_part("argument", c.argument, c.argument_len, r->argument);
        check_part("source", c.source, c.source_len, r->source);
        check_part("target type", c.target_type, c.target_type_len, r->type);
        check_part("target", c.target, c.target_len, r->target);
        ck_assert_int_eq(c.nogui, r->nogui);
        ck_assert_int_eq(c.rpc, r->service != NULL);
        free(text);
    }
}
END_TEST

START_TEST(bad_commands)
{
    struct qrexec_command c;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *text = exact(bad[i], strlen(bad[i]));

        ck_assert_msg(qrexec_parse_command(text, strlen(bad[i]), &c) == -EINVAL, "taken: %s", bad[i]);
        free(text);
    }
    ck_assert_int_eq(qrexec_parse_command("user:a\0b", 8, &c), -EINVAL);
    ck_assert_int_eq(qrexec_parse_command(NULL, 0, &c), -EINVAL);
}
END_TEST

/* "u:QUBESRPC NAME[+ARGUMENT] s" with so many bytes each; no argument if the length is 0. */
static int with_lengths(size_t name, size_t argument)
{
    char *text = malloc(name + argument + 100), *at = text + sprintf(text, "u:QUBESRPC ");
    struct qrexec_command c;
    int e;

    memset(at, 'n', name);
    at += name;
    if (argument) {
        *at++ = '+';
        memset(at, 'a', argument - 1);
        at += argument - 1;
    }
    at += sprintf(at, " s");
    e = qrexec_parse_command(text, (size_t)(at - text), &c);
    if (e == 0) {
        ck_assert_uint_eq(c.name_len, name);
        ck_assert_uint_eq(c.service_len, name + argument);
    }
    free(text);
    return e;
}

START_TEST(lengths)
{
    ck_assert_int_eq(with_lengths(0, 0), -EINVAL);
    ck_assert_int_eq(with_lengths(1, 0), 0);
    ck_assert_int_eq(with_lengths(255, 0), 0);
    ck_assert_int_eq(with_lengths(256, 0), -EINVAL);
    ck_assert_int_eq(with_lengths(256, 1), -EINVAL);
    ck_assert_int_eq(with_lengths(255, 65000 - 255), 0);
    ck_assert_int_eq(with_lengths(255, 65001 - 255), -EINVAL);
    ck_assert_int_eq(with_lengths(1, 64999), 0);
    ck_assert_int_eq(with_lengths(1, 65000), -EINVAL);
}
END_TEST

START_TEST(names)
{
    char s[65001];

    ck_assert(qrexec_service_ok("a"));
    ck_assert(qrexec_service_ok("a+"));
    ck_assert(qrexec_service_ok("qubes.ConnectTCP+80"));
    ck_assert(qrexec_service_ok("-a_b.c-D9+-x++"));
    ck_assert(!qrexec_service_ok(NULL));
    ck_assert(!qrexec_service_ok(""));
    ck_assert(!qrexec_service_ok("+a"));
    memset(s, 'x', sizeof(s));
    s[255] = 0;
    ck_assert(qrexec_service_ok(s));
    s[255] = 'x', s[256] = 0;
    ck_assert(!qrexec_service_ok(s));
    s[255] = '+', s[256] = 'x', s[64999] = 0;
    ck_assert(qrexec_service_ok(s));
    s[64999] = 'x', s[65000] = 0;
    ck_assert(!qrexec_service_ok(s));

    ck_assert(qrexec_target_ok("", QREXEC_TARGET));
    ck_assert(qrexec_target_ok("@dispvm:my-vm_1.x", QREXEC_TARGET));
    ck_assert(!qrexec_target_ok(NULL, QREXEC_TARGET));
    memset(s, 'x', 64);
    s[63] = 0;
    ck_assert(qrexec_target_ok(s, QREXEC_TARGET));
    ck_assert(!qrexec_target_ok(s, 32));
    s[63] = 'x', s[64] = 0;
    ck_assert(!qrexec_target_ok(s, QREXEC_TARGET));
    s[31] = 0;
    ck_assert(qrexec_target_ok(s, 32));
    ck_assert(qrexec_ident_ok(s));
    s[31] = 'x', s[32] = 0;
    ck_assert(!qrexec_target_ok(s, 32));
    ck_assert(!qrexec_ident_ok(s));
    ck_assert(qrexec_ident_ok(""));
    ck_assert(!qrexec_ident_ok(NULL));
}
END_TEST

/* Every byte, against the sets as the document writes them. */
START_TEST(characters)
{
    for (int c = 1; c < 256; c++) {
        char s[3] = { 'a', (char)c, 0 };

        ck_assert_int_eq(qrexec_service_ok(s), is_one_of(c, "_.-+"));
        ck_assert_int_eq(qrexec_target_ok(s, QREXEC_TARGET), is_one_of(c, "_.-@:"));
        ck_assert_int_eq(qrexec_ident_ok(s), is_one_of(c, "_. -"));
    }
}
END_TEST

/* Build a command from random parts: the same parts come back. */
START_TEST(round_trip)
{
    static const char set[] = "abcXYZ019_.-+";
    static char name[300], argument[2000], source[64], target[64], user[40], text[4000];
    uint32_t seed = 31;

    for (int i = 0; i < 5000; i++) {
        bool nogui = random_below(&seed, 2), plus = random_below(&seed, 2), more = random_below(&seed, 2);
        struct qrexec_command c;
        int n;

        random_string(&seed, "abc-9 .", user, random_length(&seed, 39));
        random_string(&seed, "abcXYZ_.-", name, 1 + random_length(&seed, 254));
        random_string(&seed, set, argument, random_length(&seed, 1999));
        random_string(&seed, set, source, 1 + random_length(&seed, 62));
        random_string(&seed, "@:abc", target, 1 + random_length(&seed, 62));
        n = snprintf(text, sizeof(text), "%s:%sQUBESRPC %s%s%s %s%s%s", user, nogui ? "nogui:" : "", name,
                     plus ? "+" : "", plus ? argument : "", source, more ? " name " : "", more ? target : "");
        ck_assert_int_eq(qrexec_parse_command(text, (size_t)n, &c), 0);
        ck_assert(c.rpc);
        ck_assert_int_eq(c.nogui, nogui);
        check_part("user", c.user, c.user_len, user);
        check_part("name", c.name, c.name_len, name);
        check_part("argument", c.argument, c.argument_len, plus ? argument : NULL);
        check_part("source", c.source, c.source_len, source);
        check_part("target", c.target, c.target_len, more ? target : NULL);
        check_part("type", c.target_type, c.target_type_len, more ? "name" : NULL);
        check_part("descriptor", c.descriptor, c.descriptor_len, strstr(text, "QUBESRPC ") + 9);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("qrexec-command");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, good_commands);
    tcase_add_test(t, bad_commands);
    tcase_add_test(t, lengths);
    tcase_add_test(t, names);
    tcase_add_test(t, characters);
    tcase_add_test(t, round_trip);
    return run_case("qrexec-command", t);
}
