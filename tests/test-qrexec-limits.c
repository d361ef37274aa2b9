/* SPDX-License-Identifier: BSD-2-Clause */
/* qrexec messages: every limit on both sides of its edge; what encoders refuse because dom0's daemon would die of it or
 * take it for something else; and that what goes in comes out. */
#include <errno.h>
#include <stdlib.h>

#include "protocol/qrexec.h"
#include "tests/common/bytes.h"
#include "tests/common/run.h"

#define NAME_SET "ABCXYZabcxyz0189_.-"
#define BIG 70000

static uint8_t want[BIG], got[BIG];

#define SIZE sizeof(got)

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
    static const uint32_t ports[] = { 0, 512, 513, 768, 769, 0x10000, UINT32_MAX };

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        uint32_t p = ports[i];
        uint8_t body[8] = { 7, 0, 0, 0, (uint8_t)p, (uint8_t)(p >> 8), (uint8_t)(p >> 16), (uint8_t)(p >> 24) };
        struct qrexec_exec e;

        ck_assert_int_eq(qrexec_encode_terminated(got, SIZE, 7, p), 16);
        ck_assert_mem_eq(got + QREXEC_HEADER, body, 8);
        ck_assert_int_eq(qrexec_decode_terminated(body, 8, &e), 0);
        ck_assert_uint_eq(e.port, p);
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
        size_t field = version == 2 ? 32 : QREXEC_TARGET;
        size_t most = version == 2 ? 63 : i % 50 ? 300 : QREXEC_SERVICE_MAX - 1;
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
    TCase *t = tcase_create("qrexec-limits");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, edges_of_exec);
    tcase_add_test(t, edges_of_ports);
    tcase_add_test(t, edges_of_trigger);
    tcase_add_test(t, refused_triggers);
    tcase_add_test(t, round_trip_triggers);
    tcase_add_test(t, round_trip_others);
    return run_case("qrexec-limits", t);
}
