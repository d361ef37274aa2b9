/* SPDX-License-Identifier: BSD-2-Clause */
/* qrexec messages: the bytes that the real daemons exchange, both ways, and fields that are not as they must be. */
#include <errno.h>

#include "protocol/qrexec.h"
#include "tests/common/bytes.h"
#include "tests/common/run.h"

#define BIG 70000

static uint8_t want[BIG], got[BIG];

/* The encoder wrote exactly these bytes. */
#define ck_encodes(call, text) do { \
    size_t want_n = bytes_of(text, want, sizeof(want)); \
    memset(got, 0xee, sizeof(got)); \
    ck_assert_int_eq(call, (int)want_n); \
    ck_assert_mem_eq(got, want, want_n); \
    ck_assert_uint_eq(got[want_n], 0xee); \
} while (0)

#define SIZE sizeof(got)

/* Body bytes in `want`; the header before them is checked. */
static const uint8_t *body_of(const char *text, uint32_t type, size_t *n)
{
    struct qrexec_header h;
    size_t all = bytes_of(text, want, sizeof(want));

    qrexec_decode_header(want, &h);
    ck_assert_uint_eq(h.type, type);
    ck_assert_uint_eq(h.len, all - QREXEC_HEADER);
    *n = h.len;
    return want + QREXEC_HEADER;
}

START_TEST(golden_hello)
{
    static const char *const text[] = { "00 03 00 00  04 00 00 00  02 00 00 00",
                                        "00 03 00 00  04 00 00 00  03 00 00 00",
                                        "00 03 00 00  04 00 00 00  04 00 00 00" };

    for (uint32_t v = 2; v <= 4; v++) {
        uint32_t version;
        size_t n;
        const uint8_t *body;

        ck_encodes(qrexec_encode_hello(got, SIZE, v), text[v - 2]);
        body = body_of(text[v - 2], QREXEC_HELLO, &n);
        ck_assert_int_eq(qrexec_decode_hello(body, n, &version), 0);
        ck_assert_uint_eq(version, v);
        ck_assert_int_eq(qrexec_decode_hello(body, 3, &version), -EINVAL);
        ck_assert_int_eq(qrexec_decode_hello(body, 5, &version), -EINVAL);
        ck_assert_int_eq(qrexec_decode_hello(NULL, 0, &version), -EINVAL);
        ck_assert_int_eq(qrexec_encode_hello(got, 11, v), -EINVAL);
        ck_assert_int_eq(qrexec_encode_hello(got, 12, v), 12);
    }
    ck_assert_int_eq(qrexec_encode_hello(got, SIZE, 0), -EINVAL);
    ck_assert_int_eq(qrexec_encode_hello(got, SIZE, 1), -EINVAL);
}
END_TEST

/* The message as it is, and without the NULs at its end. */
static void check_exec(const char *text, uint32_t type, uint32_t domain, uint32_t port, const char *what)
{
    struct qrexec_exec e;
    size_t n;
    const uint8_t *body;

    ck_encodes(qrexec_encode_exec(got, SIZE, type, domain, port, what, strlen(what)), text);
    body = body_of(text, type, &n);
    for (size_t k = n; k >= 8 + strlen(what); k--) {
        ck_assert_int_eq(qrexec_decode_exec(body, k, &e), 0);
        ck_assert_uint_eq(e.domain, domain);
        ck_assert_uint_eq(e.port, port);
        ck_assert_uint_eq(e.len, strlen(what));
        ck_assert_mem_eq(e.text, what, e.len);
    }
}

START_TEST(golden_exec)
{
    check_exec("00 02 00 00  15 00 00 00  00 00 00 00  01 02 00 00  75 73 65 72 3a 65 63 68 6f 20 68 69 00",
               QREXEC_EXEC_CMDLINE, 0, 513, "user:echo hi");
    check_exec("01 02 00 00  0b 00 00 00  2a 00 00 00  00 03 00 00 'u:'00", QREXEC_JUST_EXEC, 42, 768, "u:");
    check_exec("02 02 00 00  28 00 00 00  00 00 00 00  01 02 00 00  52 45 51 37 00 *27", QREXEC_SERVICE_CONNECT, 0, 513,
               "REQ7");
    memset(want, 'x', 32);
    ck_assert_int_eq(qrexec_encode_exec(got, SIZE, QREXEC_SERVICE_CONNECT, 0, 513, (char *)want, 31), 48);
    ck_assert_int_eq(qrexec_encode_exec(got, SIZE, QREXEC_SERVICE_CONNECT, 0, 513, (char *)want, 32), -EINVAL);
}
END_TEST

START_TEST(golden_refused)
{
    static const char text[] = "03 02 00 00  20 00 00 00  52 45 51 37 00 *27";
    char ident[QREXEC_IDENT];
    size_t n;
    const uint8_t *body;

    ck_encodes(qrexec_encode_refused(got, SIZE, "REQ7"), text);
    body = body_of(text, QREXEC_SERVICE_REFUSED, &n);
    ck_assert_int_eq(qrexec_decode_refused(body, n, ident), 0);
    ck_assert_str_eq(ident, "REQ7");
    ck_assert_int_eq(qrexec_decode_refused(body, 31, ident), -EINVAL);
    ck_assert_int_eq(qrexec_decode_refused(body, 33, ident), -EINVAL);
    memset(want, 'x', 32);
    ck_assert_int_eq(qrexec_decode_refused(want, 32, ident), -EINVAL);
    want[31] = 0;
    ck_assert_int_eq(qrexec_decode_refused(want, 32, ident), 0);
    ck_assert_uint_eq(strlen(ident), 31);
    ck_assert_int_eq(qrexec_encode_refused(got, SIZE, ident), 40);
    ck_assert_int_eq(qrexec_encode_refused(got, SIZE, "12345678901234567890123456789012"), -EINVAL);
}
END_TEST

START_TEST(golden_terminated)
{
    static const char text[] = "11 02 00 00  08 00 00 00  00 00 00 00  01 02 00 00";
    struct qrexec_exec e;
    size_t n;
    const uint8_t *body;

    ck_encodes(qrexec_encode_terminated(got, SIZE, 0, 513), text);
    body = body_of(text, QREXEC_TERMINATED, &n);
    ck_assert_int_eq(qrexec_decode_terminated(body, n, &e), 0);
    ck_assert_uint_eq(e.domain, 0);
    ck_assert_uint_eq(e.port, 513);
    ck_assert_uint_eq(e.len, 0);
    ck_assert_int_eq(qrexec_decode_terminated(body, 7, &e), -EINVAL);
    ck_assert_int_eq(qrexec_decode_terminated(body, 9, &e), -EINVAL);
}
END_TEST

/* Outgoing call to dom0, ident REQ7, service test.Echo+, in each version. */
static const char trigger2[] = "10 02 00 00  80 00 00 00 'test.Echo+' *54 'dom0' *28 'REQ7' *28";
static const char trigger3[] =
    "12 02 00 00  6b 00 00 00 64 6f 6d 30 *60 52 45 51 37 *28 74 65 73 74 2e 45 63 68 6f 2b 00";
static const char trigger4[] = "13 02 00 00  ab 00 00 00 *64 'dom0' *60 'REQ7' *28 'test.Echo+' 00";
static const char relay4[] = "13 02 00 00  ab 00 00 00 'work' *60 'dom0' *60 'REQ7' *28 'test.Echo+' 00";

static void check_trigger(const char *text, uint32_t type, uint32_t version, const char *source)
{
    static const struct qrexec_trigger call = { "", "dom0", "REQ7", "test.Echo+" };
    struct qrexec_trigger t = call;
    size_t n;
    const uint8_t *body = body_of(text, type, &n);

    ck_assert_int_eq(qrexec_decode_trigger(type, version, body, n, &t), 0);
    ck_assert_str_eq(t.source, source);
    ck_assert_str_eq(t.target, "dom0");
    ck_assert_str_eq(t.ident, "REQ7");
    ck_assert_str_eq(t.service, "test.Echo+");
    t = call;
    t.source = source;
    ck_encodes(qrexec_encode_trigger(got, SIZE, version, &t), text);
    ck_assert_int_eq(qrexec_encode_trigger(got, n + QREXEC_HEADER, version, &t), (int)n + QREXEC_HEADER);
    ck_assert_int_eq(qrexec_encode_trigger(got, n + QREXEC_HEADER - 1, version, &t), -EINVAL);
}

START_TEST(golden_trigger)
{
    struct qrexec_trigger t = { NULL, "dom0", "REQ7", "test.Echo+" };
    size_t n;
    const uint8_t *body;

    check_trigger(trigger2, QREXEC_TRIGGER2, 2, "");
    check_trigger(trigger3, QREXEC_TRIGGER3, 3, "");
    check_trigger(trigger4, QREXEC_TRIGGER4, 4, "");
    check_trigger(relay4, QREXEC_TRIGGER4, 4, "work");
    ck_encodes(qrexec_encode_trigger(got, SIZE, 4, &t), trigger4);
    ck_encodes(qrexec_encode_trigger(got, SIZE, 9, &t), trigger4);
    /* version 3's message is taken at 4 */
    body = body_of(trigger3, QREXEC_TRIGGER3, &n);
    ck_assert_int_eq(qrexec_decode_trigger(QREXEC_TRIGGER3, 4, body, n, &t), 0);
    ck_assert_str_eq(t.service, "test.Echo+");
}
END_TEST

START_TEST(golden_exit_code)
{
    static const char text[] = "93 01 00 00  04 00 00 00  00 00 00 00";
    static const char most[] = "93 01 00 00  04 00 00 00  ff 00 00 00";
    size_t n;
    const uint8_t *body;
    int code = -7;

    ck_encodes(qrexec_encode_exit_code(got, SIZE, 0), text);
    body = body_of(text, QREXEC_EXIT_CODE, &n);
    ck_assert_int_eq(qrexec_decode_exit_code(body, n, &code), 0);
    ck_assert_int_eq(code, 0);
    ck_encodes(qrexec_encode_exit_code(got, SIZE, 255), most);
    ck_assert_int_eq(qrexec_encode_exit_code(got, SIZE, -1), -EINVAL);
    ck_assert_int_eq(qrexec_encode_exit_code(got, SIZE, 256), -EINVAL);
    ck_assert_int_eq(qrexec_encode_exit_code(got, 11, 1), -EINVAL);
    for (size_t k = 0; k < 4; k++) {        /* too short: 255 */
        ck_assert_int_eq(qrexec_decode_exit_code(body, k, &code), 0);
        ck_assert_int_eq(code, 255);
    }
    bytes_of("2a 00 00 00 01", want, SIZE);
    ck_assert_int_eq(qrexec_decode_exit_code(want, 5, &code), 0);
    ck_assert_int_eq(code, 42);
    bytes_of("ff ff ff ff", want, SIZE);
    ck_assert_int_eq(qrexec_decode_exit_code(want, 4, &code), 0);
    ck_assert_int_eq(code, -1);
}
END_TEST

START_TEST(golden_data_headers)
{
    static const struct { const char *text; uint32_t type, len; } rows[] = {
        { "90 01 00 00  00 00 00 00", QREXEC_STDIN, 0 }, { "91 01 00 00  03 00 00 00", QREXEC_STDOUT, 3 },
        { "91 01 00 00  00 00 00 00", QREXEC_STDOUT, 0 }, { "92 01 00 00  00 00 00 00", QREXEC_STDERR, 0 },
        { "91 01 00 00  00 00 01 00", QREXEC_STDOUT, 65536 }, { "ff ff ff ff  ff ff ff ff", UINT32_MAX, UINT32_MAX },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct qrexec_header h;

        ck_assert_uint_eq(bytes_of(rows[i].text, want, SIZE), QREXEC_HEADER);
        qrexec_decode_header(want, &h);
        ck_assert_uint_eq(h.type, rows[i].type);
        ck_assert_uint_eq(h.len, rows[i].len);
        qrexec_encode_header(got, rows[i].type, rows[i].len);
        ck_assert_mem_eq(got, want, QREXEC_HEADER);
    }
}
END_TEST

START_TEST(versions_and_sizes)
{
    ck_assert_uint_eq(qrexec_data_max(2), 4096);
    ck_assert_uint_eq(qrexec_data_max(3), 65536);
    ck_assert_uint_eq(qrexec_data_max(4), 65536);
    ck_assert_uint_eq(qrexec_version(4, 3), 3);
    ck_assert_uint_eq(qrexec_version(3, 4), 3);
    ck_assert_uint_eq(qrexec_version(4, 9), 4);
    ck_assert_uint_eq(qrexec_version(4, 2), 2);
    ck_assert_uint_eq(qrexec_version(4, 1), 0);
    ck_assert_uint_eq(qrexec_version(4, 0), 0);
}
END_TEST

START_TEST(type_names)
{
    static const struct { uint32_t type; const char *name; } rows[] = {
        { 0x190, "STDIN" }, { 0x191, "STDOUT" }, { 0x192, "STDERR" }, { 0x193, "EXIT_CODE" }, { 0x200, "EXEC_CMDLINE" },
        { 0x201, "JUST_EXEC" }, { 0x202, "SERVICE_CONNECT" }, { 0x203, "SERVICE_REFUSED" }, { 0x210, "TRIGGER_SERVICE" },
        { 0x211, "CONNECTION_TERMINATED" }, { 0x212, "TRIGGER_SERVICE3" }, { 0x213, "TRIGGER_SERVICE4" },
        { 0x300, "HELLO" }, { 0x18f, "unknown" }, { 0x194, "unknown" }, { 0x204, "unknown" }, { 0x214, "unknown" },
        { 0, "unknown" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_str_eq(qrexec_type_name(rows[i].type), rows[i].name);
}
END_TEST

/* Change one byte of the good message: -EINVAL. */
static int with_byte(const char *text, uint32_t type, uint32_t version, size_t at, size_t n, uint8_t v)
{
    struct qrexec_trigger t;
    size_t len;

    body_of(text, type, &len);
    memset(want + QREXEC_HEADER + at, v, n);
    return qrexec_decode_trigger(type, version, want + QREXEC_HEADER, len, &t);
}

START_TEST(bad_fields_of_trigger)
{
    ck_assert_int_eq(with_byte(trigger3, QREXEC_TRIGGER3, 3, 0, 64, 'x'), -EINVAL);         /* no NUL in the target */
    ck_assert_int_eq(with_byte(trigger3, QREXEC_TRIGGER3, 3, 0, 63, 'x'), 0);
    ck_assert_int_eq(with_byte(trigger3, QREXEC_TRIGGER3, 3, 64, 32, 'x'), -EINVAL);        /* no NUL in the ident */
    ck_assert_int_eq(with_byte(trigger3, QREXEC_TRIGGER3, 3, 64, 31, 'x'), 0);
    ck_assert_int_eq(with_byte(trigger3, QREXEC_TRIGGER3, 3, 64 + 5, 1, 'x'), -EINVAL);     /* not zero behind it */
    ck_assert_int_eq(with_byte(trigger3, QREXEC_TRIGGER3, 3, 64 + 31, 1, 'x'), -EINVAL);
    ck_assert_int_eq(with_byte(trigger3, QREXEC_TRIGGER3, 3, 96 + 10, 1, 'x'), -EINVAL);    /* no NUL at the end */
    ck_assert_int_eq(with_byte(trigger3, QREXEC_TRIGGER3, 3, 96 + 9, 1, 0), -EINVAL);       /* NUL before the end */
    ck_assert_int_eq(with_byte(trigger4, QREXEC_TRIGGER4, 4, 0, 64, 'x'), -EINVAL);         /* no NUL in the source */
    ck_assert_int_eq(with_byte(trigger4, QREXEC_TRIGGER4, 4, 0, 63, 'x'), 0);
    ck_assert_int_eq(with_byte(trigger2, QREXEC_TRIGGER2, 2, 0, 64, 'x'), -EINVAL);         /* no NUL in the service */
    ck_assert_int_eq(with_byte(trigger2, QREXEC_TRIGGER2, 2, 64, 32, 'x'), -EINVAL);        /* no NUL in the target */
    ck_assert_int_eq(with_byte(trigger2, QREXEC_TRIGGER2, 2, 96, 32, 'x'), -EINVAL);        /* no NUL in the ident */
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("qrexec-wire");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, golden_hello);
    tcase_add_test(t, golden_exec);
    tcase_add_test(t, golden_refused);
    tcase_add_test(t, golden_terminated);
    tcase_add_test(t, golden_trigger);
    tcase_add_test(t, golden_exit_code);
    tcase_add_test(t, golden_data_headers);
    tcase_add_test(t, versions_and_sizes);
    tcase_add_test(t, type_names);
    tcase_add_test(t, bad_fields_of_trigger);
    return run_case("qrexec-wire", t);
}
