/* SPDX-License-Identifier: BSD-2-Clause */
/* QubesDB messages: the layout byte by byte, each type both ways; the limits; and what must not be sent because the
 * daemon at the other end exits. */
#include <errno.h>
#include <stdlib.h>

#include "protocol/qubesdb.h"
#include "tests/common/bytes.h"
#include "tests/common/run.h"

#define TYPES 14
#define SIZE sizeof(got)

static uint8_t want[QUBESDB_MESSAGE_MAX + 100], got[QUBESDB_MESSAGE_MAX + 100];
static char value[QUBESDB_VALUE_MAX + 2];

/* type, path[64], 3 zeros, length, value: one of every type, as it may be sent. */
static const struct {
    enum qubesdb_type type;
    const char *path, *value, *bytes;
} golden[] = {
    { QUBESDB_READ, "/name", "", "00 '/name' *59 *3 00 00 00 00" },
    { QUBESDB_WRITE, "/qubes-ip", "10.137.0.15", "01 '/qubes-ip' *55 *3 0b 00 00 00 '10.137.0.15'" },
    { QUBESDB_WRITE, "/qubes-firewall/10.137.0.5", "", "01 '/qubes-firewall/10.137.0.5' *38 *3 00 00 00 00" },
    { QUBESDB_MULTIREAD, "", "", "02 *64 *3 00 00 00 00" },
    { QUBESDB_MULTIREAD, "/qubes-ip", "", "02 '/qubes-ip' *55 *3 00 00 00 00" },
    { QUBESDB_LIST, "", "", "03 *64 *3 00 00 00 00" },
    { QUBESDB_RM, "/qubes-random-seed", "", "04 '/qubes-random-seed' *46 *3 00 00 00 00" },
    { QUBESDB_RM, "/vm-config/", "", "04 '/vm-config/' *53 *3 00 00 00 00" },
    { QUBESDB_WATCH, "/vm-config/", "", "05 '/vm-config/' *53 *3 00 00 00 00" },
    { QUBESDB_UNWATCH, "/vm-config/", "", "06 '/vm-config/' *53 *3 00 00 00 00" },
    { QUBESDB_OK, "/name", "", "07 '/name' *59 *3 00 00 00 00" },
    { QUBESDB_OK, "/vm-config/", "", "07 '/vm-config/' *53 *3 00 00 00 00" },
    { QUBESDB_ERROR_NOENT, "/name", "", "08 '/name' *59 *3 00 00 00 00" },
    { QUBESDB_ERROR, "/name", "", "09 '/name' *59 *3 00 00 00 00" },
    { QUBESDB_GOT_READ, "/name", "work", "0a '/name' *59 *3 04 00 00 00 'work'" },
    { QUBESDB_GOT_MULTIREAD, "/name", "work", "0b '/name' *59 *3 04 00 00 00 'work'" },
    { QUBESDB_GOT_MULTIREAD, "/qubes-base-template", "", "0b '/qubes-base-template' *44 *3 00 00 00 00" },
    { QUBESDB_GOT_MULTIREAD, "", "", "0b *64 *3 00 00 00 00" },
    { QUBESDB_GOT_LIST, "/name", "", "0c '/name' *59 *3 00 00 00 00" },
    { QUBESDB_GOT_LIST, "", "", "0c *64 *3 00 00 00 00" },
    { QUBESDB_GOT_WATCH, "/vm-config/", "", "0d '/vm-config/' *53 *3 00 00 00 00" },
};

START_TEST(golden_messages)
{
    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        size_t n = bytes_of(golden[i].bytes, want, sizeof(want)), len = strlen(golden[i].value);
        struct qubesdb_header h;

        ck_assert_uint_eq(n, QUBESDB_HEADER + len);
        memset(got, 0xee, SIZE);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, golden[i].type, golden[i].path, golden[i].value, len), (int)n);
        ck_assert_mem_eq(got, want, n);
        ck_assert_uint_eq(got[n], 0xee);
        ck_assert_int_eq(qubesdb_encode(got, n, golden[i].type, golden[i].path, golden[i].value, len), (int)n);
        ck_assert_int_eq(qubesdb_encode(got, n - 1, golden[i].type, golden[i].path, golden[i].value, len), -EINVAL);
        ck_assert_int_eq(qubesdb_decode(want, &h), 0);
        ck_assert_uint_eq(h.type, golden[i].type);
        ck_assert_str_eq(h.path, golden[i].path);
        ck_assert_uint_eq(h.len, len);
    }
}
END_TEST

/* The real daemon does not clean what is behind a path, nor the padding. */
START_TEST(garbage_behind_the_path)
{
    static const char dump_end[] = "0b 00 'qubes-vm-updateable' *44 a5 5a ff 00 00 00 00";
    static const char entry[] = "0b '/type'00 'bes-vm-type' *47 01 02 03 05 00 00 00 'AppVM'";
    struct qubesdb_header h;

    ck_assert_uint_eq(bytes_of(dump_end, want, sizeof(want)), QUBESDB_HEADER);
    ck_assert_int_eq(qubesdb_decode(want, &h), 0);
    ck_assert_str_eq(h.path, "");
    ck_assert_uint_eq(h.len, 0);
    ck_assert_uint_eq(bytes_of(entry, want, sizeof(want)), QUBESDB_HEADER + 5);
    ck_assert_int_eq(qubesdb_decode(want, &h), 0);
    ck_assert_str_eq(h.path, "/type");
    ck_assert_uint_eq(h.len, 5);
}
END_TEST

START_TEST(bad_headers)
{
    static const struct { uint32_t len; bool good; } rows[] = {
        { 0, true }, { 3071, true }, { 3072, false }, { 0x10000, false }, { 0x80000000, false }, { UINT32_MAX, false },
    };
    struct qubesdb_header h;

    memset(want, 0, QUBESDB_HEADER);
    memset(want + 1, 'x', QUBESDB_PATH);
    ck_assert_int_eq(qubesdb_decode(want, &h), -EINVAL);
    want[QUBESDB_PATH] = 0;
    ck_assert_int_eq(qubesdb_decode(want, &h), 0);
    ck_assert_uint_eq(strlen(h.path), 63);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int k = 0; k < 4; k++)
            want[68 + k] = (uint8_t)(rows[i].len >> 8 * k);
        ck_assert_int_eq(qubesdb_decode(want, &h), rows[i].good ? 0 : -EINVAL);
    }
}
END_TEST

START_TEST(value_limits)
{
    memset(value, 'v', sizeof(value));
    for (int type = 0; type < TYPES; type++) {
        bool carries = type == QUBESDB_WRITE || type == QUBESDB_GOT_READ || type == QUBESDB_GOT_MULTIREAD;

        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k", value, 0), QUBESDB_HEADER);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k", NULL, 0), QUBESDB_HEADER);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k", value, 1), carries ? QUBESDB_HEADER + 1 : -EINVAL);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k", value, 3071), carries ? QUBESDB_MESSAGE_MAX : -EINVAL);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k", value, 3072), -EINVAL);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k", value, SIZE_MAX), -EINVAL);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k", NULL, 1), -EINVAL);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k", "a\0b", 3), -EINVAL);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k", "\0", 1), -EINVAL);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k", "a\n\xff", 3), carries ? QUBESDB_HEADER + 3 : -EINVAL);
    }
    ck_assert_int_eq(qubesdb_encode(got, SIZE, QUBESDB_GOT_MULTIREAD, "", "x", 1), -EINVAL);
    ck_assert_int_eq(qubesdb_encode(got, SIZE, TYPES, "/k", NULL, 0), -EINVAL);
    ck_assert_int_eq(qubesdb_encode(got, SIZE, 0xff, "/k", NULL, 0), -EINVAL);
    ck_assert_int_eq(qubesdb_encode(got, SIZE, (enum qubesdb_type)-1, "/k", NULL, 0), -EINVAL);
}
END_TEST

START_TEST(path_rules)
{
    char path[80];
    bool key[TYPES] = { [QUBESDB_WRITE] = true, [QUBESDB_GOT_READ] = true, [QUBESDB_GOT_MULTIREAD] = true,
                        [QUBESDB_GOT_LIST] = true };

    for (int type = 0; type < TYPES; type++) {
        bool end = type == QUBESDB_GOT_MULTIREAD || type == QUBESDB_GOT_LIST, rm = type == QUBESDB_RM;

        /* a trailing slash is not a key; it is a subtree for RM */
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/dir/", NULL, 0), key[type] ? -EINVAL : QUBESDB_HEADER);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/", NULL, 0), key[type] ? -EINVAL : QUBESDB_HEADER);
        /* nothing without a slash at the front is ever stored: removing it ends the daemon */
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "k", NULL, 0), key[type] || rm ? -EINVAL : QUBESDB_HEADER);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "", NULL, 0),
                         (key[type] && !end) || rm ? -EINVAL : QUBESDB_HEADER);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "-k", NULL, 0), -EINVAL);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, "/k k", NULL, 0), -EINVAL);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, NULL, NULL, 0), -EINVAL);
        memset(path, 'p', sizeof(path));
        path[0] = '/';
        path[63] = 0;
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, path, NULL, 0), QUBESDB_HEADER);
        path[63] = 'p', path[64] = 0;
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, path, NULL, 0), -EINVAL);
    }
}
END_TEST

START_TEST(path_checks)
{
    char path[80];

    ck_assert(qubesdb_path_ok(""));
    ck_assert(qubesdb_path_ok("abc"));
    ck_assert(qubesdb_path_ok("/a-b_c.d:e@F/9/"));
    ck_assert(!qubesdb_path_ok("-a"));
    ck_assert(!qubesdb_path_ok(NULL));
    ck_assert(qubesdb_key_ok("/a"));
    ck_assert(qubesdb_key_ok("/a/b"));
    ck_assert(qubesdb_key_ok("/-a"));
    ck_assert(!qubesdb_key_ok(""));
    ck_assert(!qubesdb_key_ok("/"));
    ck_assert(!qubesdb_key_ok("a"));
    ck_assert(!qubesdb_key_ok("/a/"));
    ck_assert(!qubesdb_key_ok(NULL));
    memset(path, '/', sizeof(path));
    path[62] = 'x', path[63] = 0;
    ck_assert(qubesdb_path_ok(path) && qubesdb_key_ok(path));
    path[63] = 'x', path[64] = 0;
    ck_assert(!qubesdb_path_ok(path) && !qubesdb_key_ok(path));
    for (int c = 1; c < 256; c++) {
        char s[4] = { '/', (char)c, 'z', 0 };

        ck_assert_int_eq(qubesdb_path_ok(s), is_one_of(c, "_-/.:@"));
        ck_assert_int_eq(qubesdb_key_ok(s), is_one_of(c, "_-/.:@"));
    }
}
END_TEST

START_TEST(directions)
{
    static const bool from_dom0[TYPES] = { [QUBESDB_WRITE] = true, [QUBESDB_RM] = true, [QUBESDB_OK] = true,
                                           [QUBESDB_ERROR] = true, [QUBESDB_ERROR_NOENT] = true,
                                           [QUBESDB_GOT_MULTIREAD] = true };
    static const bool from_vm[TYPES] = { [QUBESDB_WRITE] = true, [QUBESDB_MULTIREAD] = true, [QUBESDB_RM] = true,
                                         [QUBESDB_OK] = true, [QUBESDB_ERROR] = true };

    for (int type = 0; type < 256; type++) {
        ck_assert_int_eq(qubesdb_from_dom0((uint8_t)type), type < TYPES && from_dom0[type]);
        ck_assert_int_eq(qubesdb_from_vm((uint8_t)type), type < TYPES && from_vm[type]);
        ck_assert((strcmp(qubesdb_type_name((uint8_t)type), "unknown") == 0) == (type >= TYPES));
    }
    ck_assert_str_eq(qubesdb_type_name(QUBESDB_RM), "RM");
}
END_TEST

START_TEST(round_trip)
{
    uint32_t seed = 111;

    for (int i = 0; i < 5000; i++) {
        enum qubesdb_type type = random_below(&seed, 2) ? QUBESDB_WRITE : QUBESDB_GOT_MULTIREAD;
        char path[QUBESDB_PATH] = "/";
        struct qubesdb_header h;
        size_t len;

        random_string(&seed, "abcXYZ019_-/.:@", path + 1, 1 + random_length(&seed, 61));
        if (path[strlen(path) - 1] == '/')
            path[strlen(path) - 1] = 'x';
        len = random_length(&seed, QUBESDB_VALUE_MAX);
        random_string(&seed, "value \n\t\x01\x7f\x80\xff", value, len);
        ck_assert_int_eq(qubesdb_encode(got, SIZE, type, path, value, len), (int)(QUBESDB_HEADER + len));
        ck_assert_int_eq(qubesdb_decode(got, &h), 0);
        ck_assert_uint_eq(h.type, type);
        ck_assert_str_eq(h.path, path);
        ck_assert_uint_eq(h.len, len);
        ck_assert_mem_eq(got + QUBESDB_HEADER, value, len);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("qubesdb-wire");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, golden_messages);
    tcase_add_test(t, garbage_behind_the_path);
    tcase_add_test(t, bad_headers);
    tcase_add_test(t, value_limits);
    tcase_add_test(t, path_rules);
    tcase_add_test(t, path_checks);
    tcase_add_test(t, directions);
    tcase_add_test(t, round_trip);
    return run_case("qubesdb-wire", t);
}
