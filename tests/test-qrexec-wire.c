/* qrexec messages: the bytes that the real daemons exchange, both ways; every limit on both sides of its edge; what encoders
 * refuse because dom0's daemon would die of it; and that what goes in comes out. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "protocol/qrexec.h"
#include "tests/common/bytes.h"

#define NAME_SET "ABCXYZabcxyz0189_.-"
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
    static const char *const text[] = { "00 03 00 00  04 00 00 00  02 00 00 00", "00 03 00 00  04 00 00 00  03 00 00 00",
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

START_TEST(golden_exec)
{
    static const char text[] = "00 02 00 00  15 00 00 00  00 00 00 00  01 02 00 00 'user:echo hi'00";
    static const char just[] = "01 02 00 00  0b 00 00 00  2a 00 00 00  00 03 00 00 'u:'00";
    struct qrexec_exec e;
    size_t n;
    const uint8_t *body;

    ck_encodes(qrexec_encode_exec(got, SIZE, QREXEC_EXEC_CMDLINE, 0, 513, "user:echo hi", 12), text);
    body = body_of(text, QREXEC_EXEC_CMDLINE, &n);
    ck_assert_int_eq(qrexec_decode_exec(body, n, &e), 0);
    ck_assert_uint_eq(e.domain, 0);
    ck_assert_uint_eq(e.port, 513);
    ck_assert_uint_eq(e.len, 12);
    ck_assert_mem_eq(e.text, "user:echo hi", 12);
    /* without its final NUL */
    ck_assert_int_eq(qrexec_decode_exec(body, n - 1, &e), 0);
    ck_assert_uint_eq(e.len, 12);

    ck_encodes(qrexec_encode_exec(got, SIZE, QREXEC_JUST_EXEC, 42, 768, "u:", 2), just);
    body = body_of(just, QREXEC_JUST_EXEC, &n);
    ck_assert_int_eq(qrexec_decode_exec(body, n, &e), 0);
    ck_assert_uint_eq(e.domain, 42);
    ck_assert_uint_eq(e.port, 768);
    ck_assert_uint_eq(e.len, 2);
}
END_TEST

START_TEST(golden_connect)
{
    static const char text[] = "02 02 00 00  28 00 00 00  00 00 00 00  01 02 00 00  52 45 51 37 00 *27";
    struct qrexec_exec e;
    size_t n;
    const uint8_t *body;

    ck_encodes(qrexec_encode_exec(got, SIZE, QREXEC_SERVICE_CONNECT, 0, 513, "REQ7", 4), text);
    body = body_of(text, QREXEC_SERVICE_CONNECT, &n);
    ck_assert_int_eq(qrexec_decode_exec(body, n, &e), 0);
    ck_assert_uint_eq(e.port, 513);
    ck_assert_uint_eq(e.len, 4);
    ck_assert_mem_eq(e.text, "REQ7", 4);
    /* other lengths than 40 are met, too */
    ck_assert_int_eq(qrexec_decode_exec(body, 8 + 5, &e), 0);
    ck_assert_uint_eq(e.len, 4);

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
static const char trigger3[] = "12 02 00 00  6b 00 00 00 64 6f 6d 30 *60 52 45 51 37 *28 74 65 73 74 2e 45 63 68 6f 2b 00";
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
    static const char text[] = "93 01 00 00  04 00 00 00  00 00 00 00", most[] = "93 01 00 00  04 00 00 00  ff 00 00 00";
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
    ck_assert_str_eq(qrexec_type_name(QREXEC_STDIN), "STDIN");
    ck_assert_str_eq(qrexec_type_name(QREXEC_TRIGGER3), "TRIGGER_SERVICE3");
    ck_assert_str_eq(qrexec_type_name(0x214), "unknown");
}
END_TEST

START_TEST(edges_of_exec)
{
    const size_t most = QREXEC_CMD_MAX - 8 - 1;
    char *text = calloc(1, BIG);
    struct qrexec_exec e;

    memset(want, 'x', sizeof(want));
    ck_assert_int_eq(qrexec_decode_exec(want, 8, &e), -EINVAL);
    ck_assert_int_eq(qrexec_decode_exec(want, 9, &e), 0);
    ck_assert_uint_eq(e.len, 1);
    ck_assert_int_eq(qrexec_decode_exec(want, 65535, &e), 0);
    ck_assert_uint_eq(e.len, 65535 - 8);
    ck_assert_int_eq(qrexec_decode_exec(want, 65536, &e), -EINVAL);
    ck_assert_int_eq(qrexec_decode_exec(want, 0, &e), -EINVAL);

    memset(text, 'x', most + 1);
    ck_assert_int_eq(qrexec_encode_exec(got, SIZE, QREXEC_EXEC_CMDLINE, 0, 513, text, most), 8 + 65535);
    ck_assert_int_eq(qrexec_decode_exec(got + 8, 65535, &e), 0);
    ck_assert_uint_eq(e.len, most);
    ck_assert_int_eq(qrexec_encode_exec(got, SIZE, QREXEC_EXEC_CMDLINE, 0, 513, text, most + 1), -EINVAL);
    ck_assert_int_eq(qrexec_encode_exec(got, SIZE, QREXEC_EXEC_CMDLINE, 0, 513, text, SIZE_MAX), -EINVAL);
    ck_assert_int_eq(qrexec_encode_exec(got, SIZE, QREXEC_EXEC_CMDLINE, 0, 513, "a\0b", 3), -EINVAL);
    ck_assert_int_eq(qrexec_encode_exec(got, SIZE, QREXEC_EXEC_CMDLINE, 0, 513, NULL, 0), 17);
    ck_assert_int_eq(qrexec_encode_exec(got, SIZE, QREXEC_TERMINATED, 0, 513, "a", 1), -EINVAL);
    ck_assert_int_eq(qrexec_encode_exec(got, SIZE, QREXEC_HELLO, 0, 513, "a", 1), -EINVAL);
    ck_assert_int_eq(qrexec_encode_exec(got, 17, QREXEC_EXEC_CMDLINE, 0, 513, "a", 1), -EINVAL);
    ck_assert_int_eq(qrexec_encode_exec(got, 18, QREXEC_EXEC_CMDLINE, 0, 513, "a", 1), 18);
    free(text);
}
END_TEST

START_TEST(edges_of_ports)
{
    static const struct { uint32_t port; bool good; } rows[] = {
        { 0, false }, { 512, false }, { 513, true }, { 768, true }, { 769, false }, { UINT32_MAX, false }
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t p = rows[i].port;
        uint8_t body[8] = { 7, 0, 0, 0, (uint8_t)p, (uint8_t)(p >> 8), (uint8_t)(p >> 16), (uint8_t)(p >> 24) };
        struct qrexec_exec e;

        ck_assert_int_eq(qrexec_encode_terminated(got, SIZE, 7, p), rows[i].good ? 16 : -EINVAL);
        ck_assert_int_eq(qrexec_decode_terminated(body, 8, &e), rows[i].good ? 0 : -EINVAL);
    }
    ck_assert_int_eq(qrexec_encode_terminated(got, 15, 7, 513), -EINVAL);
}
END_TEST

/* A body of n bytes that is right but for its length. */
static int trigger_of_length(uint32_t type, uint32_t version, size_t block, size_t n)
{
    struct qrexec_trigger t;

    memset(want, 0, block);
    memset(want + block, 'x', sizeof(want) - block);
    if (type != QREXEC_TRIGGER2 && n > block)
        want[n - 1] = 0;
    return qrexec_decode_trigger(type, version, want, n, &t);
}

START_TEST(edges_of_trigger)
{
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER2, 2, 128, 127), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER2, 2, 128, 128), 0);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER2, 2, 128, 129), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER3, 3, 96, 0), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER3, 3, 96, 96), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER3, 3, 96, 97), 0);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER3, 3, 96, 96 + 65000), 0);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER3, 3, 96, 96 + 65001), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER4, 4, 160, 160), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER4, 4, 160, 161), 0);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER4, 4, 160, 160 + 65000), 0);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER4, 4, 160, 160 + 65001), -EINVAL);
    /* a type that is not of this version kills the daemon */
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER2, 3, 128, 128), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER2, 4, 128, 128), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER3, 2, 96, 97), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER3, 4, 96, 97), 0);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER4, 3, 160, 161), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TRIGGER4, 2, 160, 161), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_TERMINATED, 4, 160, 161), -EINVAL);
    ck_assert_int_eq(trigger_of_length(QREXEC_HELLO, 2, 128, 128), -EINVAL);
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

static int encode(uint32_t version, const char *source, const char *target, const char *ident, const char *service)
{
    return qrexec_encode_trigger(got, SIZE, version, &(struct qrexec_trigger){ source, target, ident, service });
}

START_TEST(refused_triggers)
{
    char *name = calloc(1, BIG), text[80];

    for (uint32_t v = 2; v <= 4; v++) {
        ck_assert_int_gt(encode(v, "", "", "", "a"), 0);
        ck_assert_int_gt(encode(v, "", "@dispvm:some-vm", "SOCKET 7.a-b_c", "a.B-c_9+x-+y.z"), 0);
        ck_assert_int_eq(encode(v, "", "dom0", "i", ""), -EINVAL);
        ck_assert_int_eq(encode(v, "", "dom0", "i", "+x"), -EINVAL);
        ck_assert_int_eq(encode(v, "", "dom0", "i", "a b"), -EINVAL);
        ck_assert_int_eq(encode(v, "", "dom0", "i", "a/b"), -EINVAL);
        ck_assert_int_eq(encode(v, "", "dom0", "i", NULL), -EINVAL);
        ck_assert_int_eq(encode(v, "", "$adminvm", "i", "a"), -EINVAL);
        ck_assert_int_eq(encode(v, "", NULL, "i", "a"), -EINVAL);
        ck_assert_int_eq(encode(v, "", "dom0", "i+", "a"), -EINVAL);
        ck_assert_int_eq(encode(v, "", "dom0", NULL, "a"), -EINVAL);
        memset(text, 0, sizeof(text));
        memset(text, 'x', 31);
        ck_assert_int_gt(encode(v, "", text, text, "a"), 0);
        text[31] = 'x';
        ck_assert_int_eq(encode(v, "", "dom0", text, "a"), -EINVAL);
        ck_assert(v == 2 ? encode(v, "", text, "i", "a") == -EINVAL : encode(v, "", text, "i", "a") > 0);
        memset(text, 'x', 63);
        ck_assert(v == 2 ? encode(v, "", text, "i", "a") == -EINVAL : encode(v, "", text, "i", "a") > 0);
        ck_assert_int_gt(encode(v, "", "dom0", "i", text), 0);
        text[63] = 'x';
        ck_assert_int_eq(encode(v, "", text, "i", "a"), -EINVAL);
        ck_assert(v == 2 ? encode(v, "", "", "i", text) == -EINVAL : encode(v, "", "", "i", text) > 0);
        ck_assert(v == 4 ? encode(v, "work", "", "i", "a") > 0 : encode(v, "work", "", "i", "a") == -EINVAL);
        ck_assert_int_eq(encode(v, "wo rk", "", "i", "a"), -EINVAL);
        ck_assert_int_eq(encode(v, text, "", "i", "a"), -EINVAL);
    }
    ck_assert_int_eq(encode(1, "", "dom0", "i", "a"), -EINVAL);
    ck_assert_int_eq(encode(0, "", "dom0", "i", "a"), -EINVAL);
    memset(name, 'x', 65000);
    name[1] = '+';
    ck_assert_int_eq(encode(3, "", "dom0", "i", name), -EINVAL);
    ck_assert_int_eq(encode(4, "", "dom0", "i", name), -EINVAL);
    name[64999] = 0;
    ck_assert_int_eq(encode(3, "", "dom0", "i", name), 8 + 96 + 65000);
    ck_assert_int_eq(encode(4, "", "dom0", "i", name), QREXEC_CONTROL_MAX);
    free(name);
}
END_TEST

/* ---- what goes in comes out ---- */

START_TEST(round_trip_triggers)
{
    static char service[QREXEC_SERVICE_MAX + 1];
    uint32_t seed = 20170228;

    for (int i = 0; i < 5000; i++) {
        uint32_t version = 2 + random_below(&seed, 3);
        size_t field = version == 2 ? 32 : QREXEC_TARGET, most = version == 2 ? 63 : i % 50 ? 300 : QREXEC_SERVICE_MAX - 1;
        char source[QREXEC_TARGET] = "", target[QREXEC_TARGET], ident[QREXEC_IDENT];
        struct qrexec_trigger in = { source, target, ident, service }, out;
        struct qrexec_header h;
        int n;

        if (version == 4 && random_below(&seed, 2))
            random_string(&seed, NAME_SET "@:", source, random_length(&seed, QREXEC_TARGET - 1));
        random_string(&seed, NAME_SET "@:", target, random_length(&seed, field - 1));
        random_string(&seed, NAME_SET " ", ident, random_length(&seed, QREXEC_IDENT - 1));
        random_string(&seed, NAME_SET "+", service, 1 + random_length(&seed, most - 1));
        if (service[0] == '+')
            service[0] = 'p';
        if (strcspn(service, "+") > QREXEC_NAME_MAX)
            service[QREXEC_NAME_MAX] = '+';
        n = qrexec_encode_trigger(got, SIZE, version, &in);
        ck_assert_int_gt(n, QREXEC_HEADER);
        qrexec_decode_header(got, &h);
        ck_assert_uint_eq(h.len, (uint32_t)n - QREXEC_HEADER);
        ck_assert_int_eq(qrexec_decode_trigger(h.type, version, got + QREXEC_HEADER, h.len, &out), 0);
        ck_assert_str_eq(out.source, source);
        ck_assert_str_eq(out.target, target);
        ck_assert_str_eq(out.ident, ident);
        ck_assert_str_eq(out.service, service);
    }
}
END_TEST

START_TEST(round_trip_others)
{
    static char text[QREXEC_CMD_MAX + 1];
    uint32_t seed = 4711;

    for (int i = 0; i < 5000; i++) {
        static const uint32_t types[] = { QREXEC_EXEC_CMDLINE, QREXEC_JUST_EXEC, QREXEC_SERVICE_CONNECT };
        uint32_t type = types[random_below(&seed, 3)], domain = random_next(&seed), port = random_next(&seed), version;
        size_t most = type == QREXEC_SERVICE_CONNECT ? 31 : i % 50 ? 200 : QREXEC_CMD_MAX - 9;
        size_t len = random_length(&seed, most);
        struct qrexec_header h;
        struct qrexec_exec e;
        char ident[QREXEC_IDENT];
        int n, code;

        random_string(&seed, NAME_SET ":+ /'\n\x80\xff", text, len);
        n = qrexec_encode_exec(got, SIZE, type, domain, port, text, len);
        ck_assert_int_gt(n, 0);
        qrexec_decode_header(got, &h);
        ck_assert_uint_eq(h.type, type);
        ck_assert_int_eq(qrexec_decode_exec(got + QREXEC_HEADER, h.len, &e), 0);
        ck_assert_uint_eq(e.domain, domain);
        ck_assert_uint_eq(e.port, port);
        ck_assert_uint_eq(e.len, len);
        ck_assert_mem_eq(e.text, text, len);

        port = QREXEC_DATA_PORT + port % QREXEC_DATA_PORTS;
        ck_assert_int_eq(qrexec_encode_terminated(got, SIZE, domain, port), 16);
        ck_assert_int_eq(qrexec_decode_terminated(got + QREXEC_HEADER, 8, &e), 0);
        ck_assert_uint_eq(e.domain, domain);
        ck_assert_uint_eq(e.port, port);

        text[random_length(&seed, 31)] = 0;
        text[31] = 0;
        ck_assert_int_eq(qrexec_encode_refused(got, SIZE, text), 40);
        ck_assert_int_eq(qrexec_decode_refused(got + QREXEC_HEADER, 32, ident), 0);
        ck_assert_str_eq(ident, text);

        ck_assert_int_eq(qrexec_encode_exit_code(got, SIZE, i % 256), 12);
        ck_assert_int_eq(qrexec_decode_exit_code(got + QREXEC_HEADER, 4, &code), 0);
        ck_assert_int_eq(code, i % 256);

        domain = domain < 2 ? 2 : domain;
        ck_assert_int_eq(qrexec_encode_hello(got, SIZE, domain), 12);
        ck_assert_int_eq(qrexec_decode_hello(got + QREXEC_HEADER, 4, &version), 0);
        ck_assert_uint_eq(version, domain);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("qrexec-wire");
    TCase *t = tcase_create("qrexec-wire");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, golden_hello);
    tcase_add_test(t, golden_exec);
    tcase_add_test(t, golden_connect);
    tcase_add_test(t, golden_refused);
    tcase_add_test(t, golden_terminated);
    tcase_add_test(t, golden_trigger);
    tcase_add_test(t, golden_exit_code);
    tcase_add_test(t, golden_data_headers);
    tcase_add_test(t, versions_and_sizes);
    tcase_add_test(t, edges_of_exec);
    tcase_add_test(t, edges_of_ports);
    tcase_add_test(t, edges_of_trigger);
    tcase_add_test(t, bad_fields_of_trigger);
    tcase_add_test(t, refused_triggers);
    tcase_add_test(t, round_trip_triggers);
    tcase_add_test(t, round_trip_others);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
