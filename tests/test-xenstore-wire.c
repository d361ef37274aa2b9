/* SPDX-License-Identifier: BSD-2-Clause */
/* xenstored's messages: each request and reply byte by byte, the limits of paths and payload, error names, events. */
#include <errno.h>
#include <stdlib.h>

#include "protocol/xenstore.h"
#include "tests/common/bytes.h"
#include "tests/common/run.h"

static uint8_t want[8192], got[8192];

#define SIZE sizeof(got)

/* Requests and replies: id 7, transaction 9. */
static const struct {
    enum xenstore_type type;
    const char *path, *second, *value;
    size_t len;
    const char *bytes;
} golden[] = {
    { XENSTORE_DIRECTORY, "device", NULL, NULL, 0, "01 *3 07 *3 09 *3 07 *3 'device'00" },
    { XENSTORE_READ, "domid", NULL, NULL, 0, "02 *3 07 *3 09 *3 06 *3 'domid'00" },
    { XENSTORE_READ, NULL, NULL, "42", 2, "02 *3 07 *3 09 *3 02 *3 '42'" },                         /* the reply */
    { XENSTORE_READ, NULL, NULL, NULL, 0, "02 *3 07 *3 09 *3 00 *3" },                              /* an empty node */
    { XENSTORE_GET_PERMS, "/tool", NULL, NULL, 0, "03 *3 07 *3 09 *3 06 *3 '/tool'00" },
    { XENSTORE_WATCH, "control/shutdown", "t1", NULL, 0, "04 *3 07 *3 09 *3 14 *3 'control/shutdown'00 't1'00" },
    { XENSTORE_WATCH, "@releaseDomain", "2", NULL, 0, "04 *3 07 *3 09 *3 11 *3 '@releaseDomain'00 '2'00" },
    { XENSTORE_UNWATCH, "@releaseDomain", "2", NULL, 0, "05 *3 07 *3 09 *3 11 *3 '@releaseDomain'00 '2'00" },
    { XENSTORE_TRANSACTION_START, "", NULL, NULL, 0, "06 *3 07 *3 09 *3 01 *3 00" },
    { XENSTORE_TRANSACTION_END, "T", NULL, NULL, 0, "07 *3 07 *3 09 *3 02 *3 'T'00" },
    { XENSTORE_TRANSACTION_END, "F", NULL, NULL, 0, "07 *3 07 *3 09 *3 02 *3 'F'00" },
    { XENSTORE_WRITE, "control/feature-poweroff", NULL, "1", 1,
      "0b *3 07 *3 09 *3 1a *3 'control/feature-poweroff'00 '1'" },
    { XENSTORE_WRITE, "control/shutdown", NULL, NULL, 0, "0b *3 07 *3 09 *3 11 *3 'control/shutdown'00" },
    { XENSTORE_WRITE, "data/x", NULL, "a\0b", 3, "0b *3 07 *3 09 *3 0a *3 'data/x'00 'a'00 'b'" },
    { XENSTORE_WRITE, "OK", NULL, NULL, 0, "0b *3 07 *3 09 *3 03 *3 'OK'00" },                      /* a reply */
    { XENSTORE_MKDIR, "data/vchan", NULL, NULL, 0, "0c *3 07 *3 09 *3 0b *3 'data/vchan'00" },
    { XENSTORE_RM, "/", NULL, NULL, 0, "0d *3 07 *3 09 *3 02 *3 '/'00" },
    { XENSTORE_SET_PERMS, "data/v", NULL, "n0\0r7", 6, "0e *3 07 *3 09 *3 0d *3 'data/v'00 'n0'00 'r7'00" },
    { XENSTORE_WATCH_EVENT, "control/shutdown", "t1", NULL, 0, "0f *3 07 *3 09 *3 14 *3 'control/shutdown'00 't1'00" },
    { XENSTORE_ERROR, "ENOENT", NULL, NULL, 0, "10 *3 07 *3 09 *3 07 *3 'ENOENT'00" },
    { XENSTORE_RESET_WATCHES, "", NULL, NULL, 0, "15 *3 07 *3 09 *3 01 *3 00" },
};

static int encode_row(size_t i, size_t size)
{
    struct xenstore_header h = { golden[i].type, 7, 9, 0xdead };

    return xenstore_encode(got, size, &h, golden[i].path, golden[i].second, golden[i].value, golden[i].len);
}

START_TEST(golden_messages)
{
    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        size_t n = bytes_of(golden[i].bytes, want, SIZE);
        struct xenstore_header h;

        memset(got, 0xee, SIZE);
        ck_assert_int_eq(encode_row(i, SIZE), (int)n);
        ck_assert_mem_eq(got, want, n);
        ck_assert_uint_eq(got[n], 0xee);
        ck_assert_int_eq(encode_row(i, n), (int)n);
        ck_assert_int_eq(encode_row(i, n - 1), -ENOSPC);
        ck_assert_int_eq(xenstore_decode_header(want, &h), 0);
        ck_assert_uint_eq(h.type, golden[i].type);
        ck_assert_uint_eq(h.id, 7);
        ck_assert_uint_eq(h.tx, 9);
        ck_assert_uint_eq(h.len, n - XENSTORE_HEADER);
        ck_assert_str_ne(xenstore_type_name(golden[i].type), "unknown");
    }
    ck_assert_str_eq(xenstore_type_name(XENSTORE_READ), "READ");
    ck_assert_str_eq(xenstore_type_name(0), "unknown");
    ck_assert_str_eq(xenstore_type_name(8), "unknown");
}
END_TEST

START_TEST(header_limits)
{
    static const struct { uint32_t len; bool good; } rows[] = {
        { 0, true }, { 4096, true }, { 4097, false }, { 0x10000, false }, { UINT32_MAX, false }
    };
    struct xenstore_header h;

    memset(want, 0, XENSTORE_HEADER);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int k = 0; k < 4; k++)
            want[12 + k] = (uint8_t)(rows[i].len >> 8 * k);
        ck_assert_int_eq(xenstore_decode_header(want, &h), rows[i].good ? 0 : -EINVAL);
    }
}
END_TEST

static int encode(enum xenstore_type type, const char *path, const char *second, const void *value, size_t len)
{
    return xenstore_encode(got, SIZE, &(struct xenstore_header){ .type = type }, path, second, value, len);
}

START_TEST(payload_limits)
{
    static char value[5000], token[5000];

    memset(value, 'v', sizeof(value));
    ck_assert_int_eq(encode(XENSTORE_WRITE, "a", NULL, value, 4094), 16 + 4096);
    ck_assert_int_eq(encode(XENSTORE_WRITE, "a", NULL, value, 4095), -E2BIG);
    ck_assert_int_eq(encode(XENSTORE_WRITE, "a", NULL, value, SIZE_MAX), -E2BIG);
    ck_assert_int_eq(encode(XENSTORE_WRITE, "a", NULL, NULL, 1), -EINVAL);
    ck_assert_int_eq(encode(XENSTORE_READ, NULL, NULL, value, 4096), 16 + 4096);
    ck_assert_int_eq(encode(XENSTORE_READ, NULL, NULL, value, 4097), -E2BIG);
    memset(token, 't', sizeof(token) - 1);
    ck_assert_int_eq(encode(XENSTORE_WATCH, "a", token, NULL, 0), -E2BIG);
    token[4093] = 0;
    ck_assert_int_eq(encode(XENSTORE_WATCH, "a", token, NULL, 0), 16 + 4096);
    ck_assert_int_eq(encode(XENSTORE_WATCH, "ab", token, NULL, 0), -E2BIG);
}
END_TEST

START_TEST(path_limits)
{
    static char path[4000];

    memset(path, 'p', sizeof(path) - 1);
    path[2048] = 0;
    ck_assert(xenstore_path_ok(path, false));
    ck_assert_int_eq(encode(XENSTORE_READ, path, NULL, NULL, 0), 16 + 2049);
    path[2048] = 'p', path[2049] = 0;
    ck_assert(!xenstore_path_ok(path, false));
    ck_assert_int_eq(encode(XENSTORE_READ, path, NULL, NULL, 0), -E2BIG);
    path[0] = '/';
    ck_assert(xenstore_path_ok(path, false));
    path[2049] = 'p', path[3072] = 0;
    ck_assert(xenstore_path_ok(path, false));
    ck_assert_int_eq(encode(XENSTORE_READ, path, NULL, NULL, 0), 16 + 3073);
    path[3072] = 'p', path[3073] = 0;
    ck_assert(!xenstore_path_ok(path, false));
    ck_assert_int_eq(encode(XENSTORE_READ, path, NULL, NULL, 0), -E2BIG);
}
END_TEST

START_TEST(path_checks)
{
    static const char *const good[] = { "/", "a", "/a", "a/b", "/local/domain/7/data/vchan/0/512", "a@b", "a_B-9" };
    static const char *const bad[] = { "", "//", "a//b", "/a/", "a/", "/a//", "a b", "a.b", "a:b", "a\x80" };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert(xenstore_path_ok(good[i], false) && xenstore_path_ok(good[i], true));
        ck_assert_int_gt(encode(XENSTORE_RM, good[i], NULL, NULL, 0), 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert(!xenstore_path_ok(bad[i], false) && !xenstore_path_ok(bad[i], true));
        ck_assert_int_eq(encode(XENSTORE_RM, bad[i], NULL, NULL, 0), -EINVAL);
        ck_assert_int_eq(encode(XENSTORE_WATCH, bad[i], "t", NULL, 0), -EINVAL);
    }
    ck_assert(!xenstore_path_ok(NULL, true));
    ck_assert(xenstore_path_ok("@releaseDomain", true));
    ck_assert(!xenstore_path_ok("@releaseDomain", false));
    ck_assert_int_eq(encode(XENSTORE_READ, "@releaseDomain", NULL, NULL, 0), -EINVAL);
    for (int c = 1; c < 256; c++) {
        char s[4] = { 'a', (char)c, 'z', 0 };

        ck_assert_int_eq(xenstore_path_ok(s, false), is_one_of(c, "-/_@"));
    }
}
END_TEST

START_TEST(errors)
{
    static const struct { int error; const char *name; } rows[] = {
        { EINVAL, "EINVAL" }, { EACCES, "EACCES" }, { EEXIST, "EEXIST" }, { EISDIR, "EISDIR" }, { ENOENT, "ENOENT" },
        { ENOMEM, "ENOMEM" }, { ENOSPC, "ENOSPC" }, { EIO, "EIO" }, { ENOTEMPTY, "ENOTEMPTY" }, { ENOSYS, "ENOSYS" },
        { EROFS, "EROFS" }, { EBUSY, "EBUSY" }, { EAGAIN, "EAGAIN" }, { EISCONN, "EISCONN" }, { E2BIG, "E2BIG" },
        { EPERM, "EPERM" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = strlen(rows[i].name);

        ck_assert_int_eq(xenstore_error(rows[i].name, n + 1), -rows[i].error);
        ck_assert_int_eq(xenstore_error(rows[i].name, n), -EPROTO);
        ck_assert_int_eq(xenstore_error(rows[i].name, n - 1), -EPROTO);
        ck_assert_str_eq(xenstore_error_name(-rows[i].error), rows[i].name);
    }
    ck_assert_int_eq(xenstore_error("ENOENT\0", 8), -EPROTO);
    ck_assert_int_eq(xenstore_error("EWHAT", 6), -EPROTO);
    ck_assert_int_eq(xenstore_error("", 1), -EPROTO);
    ck_assert_int_eq(xenstore_error(NULL, 0), -EPROTO);
    ck_assert_ptr_null(xenstore_error_name(-ECHILD));
    ck_assert_ptr_null(xenstore_error_name(0));
    ck_assert_ptr_null(xenstore_error_name(ENOENT));
}
END_TEST

START_TEST(events)
{
    const char *path, *token;

    ck_assert_int_eq(xenstore_decode_event("control/shutdown\0t1", 20, &path, &token), 0);
    ck_assert_str_eq(path, "control/shutdown");
    ck_assert_str_eq(token, "t1");
    ck_assert_int_eq(xenstore_decode_event("a\0", 3, &path, &token), 0);
    ck_assert_str_eq(token, "");
    ck_assert_int_eq(xenstore_decode_event("a\0bc", 4, &path, &token), -EINVAL);
    ck_assert_int_eq(xenstore_decode_event("a\0b\0c", 6, &path, &token), -EINVAL);
    ck_assert_int_eq(xenstore_decode_event("a\0b\0", 5, &path, &token), -EINVAL);
    ck_assert_int_eq(xenstore_decode_event("a", 2, &path, &token), -EINVAL);
    ck_assert_int_eq(xenstore_decode_event("abc", 3, &path, &token), -EINVAL);
    ck_assert_int_eq(xenstore_decode_event("", 0, &path, &token), -EINVAL);
    ck_assert_int_eq(xenstore_decode_event(NULL, 0, &path, &token), -EINVAL);
}
END_TEST

START_TEST(transactions)
{
    static const struct { const char *text; size_t n; uint32_t tx; } good[] = {
        { "1", 2, 1 }, { "42", 3, 42 }, { "4294967295", 11, UINT32_MAX }, { "007", 4, 7 }
    };
    static const struct { const char *text; size_t n; } bad[] = {
        { "", 0 }, { "", 1 }, { "0", 2 }, { "000", 4 }, { "1", 1 }, { "12", 2 }, { "1\0", 3 }, { "-1", 3 }, { "+1", 3 },
        { " 1", 3 }, { "1 ", 3 }, { "1x", 3 }, { "0x1", 4 }, { "4294967296", 11 }, { "99999999999999999999999", 24 },
    };
    uint32_t tx;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_int_eq(xenstore_decode_tx(good[i].text, good[i].n, &tx), 0);
        ck_assert_uint_eq(tx, good[i].tx);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(xenstore_decode_tx(bad[i].text, bad[i].n, &tx) == -EINVAL, "taken: %s", bad[i].text);
}
END_TEST

START_TEST(round_trip)
{
    uint32_t seed = 5;

    for (int i = 0; i < 5000; i++) {
        struct xenstore_header in = { XENSTORE_WATCH_EVENT, random_next(&seed), random_next(&seed), 0 }, h;
        char path[XENSTORE_REL_PATH_MAX + 1], token[1000], text[20];
        const char *path_out, *token_out;
        uint32_t tx = random_next(&seed), tx_out;
        int n;

        random_string(&seed, "abcXYZ019-_@", path, 1 + random_length(&seed, XENSTORE_REL_PATH_MAX - 1));
        random_string(&seed, "abc09 :/\xff", token, random_length(&seed, sizeof(token) - 1));
        n = xenstore_encode(got, SIZE, &in, path, token, NULL, 0);
        ck_assert_int_gt(n, XENSTORE_HEADER);
        ck_assert_int_eq(xenstore_decode_header(got, &h), 0);
        ck_assert_uint_eq(h.id, in.id);
        ck_assert_uint_eq(h.tx, in.tx);
        ck_assert_uint_eq(h.len, (uint32_t)n - XENSTORE_HEADER);
        ck_assert_int_eq(xenstore_decode_event(got + XENSTORE_HEADER, h.len, &path_out, &token_out), 0);
        ck_assert_str_eq(path_out, path);
        ck_assert_str_eq(token_out, token);

        n = snprintf(text, sizeof(text), "%u", tx);
        ck_assert_int_eq(xenstore_decode_tx(text, (size_t)n + 1, &tx_out), 0);
        ck_assert_uint_eq(tx_out, tx);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("xenstore-wire");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, golden_messages);
    tcase_add_test(t, header_limits);
    tcase_add_test(t, payload_limits);
    tcase_add_test(t, path_limits);
    tcase_add_test(t, path_checks);
    tcase_add_test(t, errors);
    tcase_add_test(t, events);
    tcase_add_test(t, transactions);
    tcase_add_test(t, round_trip);
    return run_case("xenstore-wire", t);
}
