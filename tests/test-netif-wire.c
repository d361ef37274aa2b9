/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring entries of a network interface, byte by byte as public/io/netif.h lays them out, and the values of its nodes. */
#include <errno.h>
#include <string.h>

#include "protocol/netif.h"
#include "tests/common/bytes.h"
#include "tests/common/run.h"

static uint8_t want[16], got[16];

#define BYTES(text) ck_assert_uint_eq(bytes_of(text, want, sizeof(want)), sizeof_entry); ck_assert_mem_eq(got, want, sizeof_entry)

START_TEST(requests)
{
    static const struct netif_tx_request t = { .ref = 0x11223344, .offset = 0x0102, .flags = NETIF_TX_BLANK | NETIF_TX_MORE,
                                               .id = 0xa0a1, .size = 1514 };
    static const struct netif_rx_request r = { .id = 0x0203, .ref = 0xfffefdfc };
    struct netif_tx_request t2;
    struct netif_rx_request r2;
    size_t sizeof_entry = NETIF_TX_ENTRY;

    memset(got, 0xee, sizeof(got));
    netif_encode_tx_request(got, &t);
    BYTES("44 33 22 11 02 01 05 00 a1 a0 ea 05");
    netif_decode_tx_request(got, &t2);
    ck_assert_mem_eq(&t, &t2, sizeof(t));
    ck_assert_uint_eq(got[12], 0xee);
    memset(got, 0xee, sizeof(got));
    sizeof_entry = NETIF_RX_ENTRY;
    netif_encode_rx_request(got, &r);
    BYTES("03 02 00 00 fc fd fe ff");
    netif_decode_rx_request(got, &r2);
    ck_assert_uint_eq(r2.id, r.id);
    ck_assert_uint_eq(r2.ref, r.ref);
    ck_assert_uint_eq(got[8], 0xee);
}
END_TEST

START_TEST(responses)
{
    static const struct netif_tx_response t = { .id = 255, .status = NETIF_DROPPED };
    static const struct netif_rx_response r = { .id = 7, .offset = 0x0100, .flags = NETIF_RX_VALIDATED | NETIF_RX_EXTRA, .status = 4096 };
    struct netif_tx_response t2;
    struct netif_rx_response r2;
    size_t sizeof_entry = NETIF_TX_ENTRY;

    netif_encode_tx_response(got, &t);
    BYTES("ff 00 fe ff *8");
    netif_decode_tx_response(got, &t2);
    ck_assert_uint_eq(t2.id, 255);
    ck_assert_int_eq(t2.status, -2);
    sizeof_entry = NETIF_RX_ENTRY;
    netif_encode_rx_response(got, &r);
    BYTES("07 00 00 01 09 00 00 10");
    netif_decode_rx_response(got, &r2);
    ck_assert_mem_eq(&r, &r2, sizeof(r));
}
END_TEST

START_TEST(extras)
{
    static const struct { const char *bytes; int error; struct netif_extra x; } rows[] = {
        { "01 00 a8 05 01 *3", 0, { .type = NETIF_EXTRA_GSO, .gso_size = 1448, .gso_type = NETIF_GSO_TCP4 } },
        { "01 01 94 05 02 00 ff ff", 0, { .type = NETIF_EXTRA_GSO, .more = true, .gso_size = 1428, .gso_type = NETIF_GSO_TCP6 } },
        { "04 01 01 02 03 04 05 06", 0, { .type = NETIF_EXTRA_HASH, .more = true } },
        { "02 00 01 02 03 04 05 06", 0, { .type = NETIF_EXTRA_MCAST_ADD } },
        { "05 fe *6", 0, { .type = NETIF_EXTRA_XDP } },
        { "00 01 *6", -EINVAL, { .more = true } },
        { "06 01 *6", -EINVAL, { .more = true } },
        { "ff 00 *6", -EINVAL, { 0 } },
        { "01 00 00 00 01 *3", -EINVAL, { 0 } },
        { "01 00 a8 05 00 *3", -EINVAL, { 0 } },
        { "01 00 a8 05 03 *3", -EINVAL, { 0 } },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct netif_extra x;

        ck_assert_uint_eq(bytes_of(rows[i].bytes, want, sizeof(want)), 8);
        ck_assert_int_eq(netif_decode_extra(want, &x), rows[i].error);
        ck_assert(x.more == rows[i].x.more);
        if (rows[i].error)
            continue;
        ck_assert_uint_eq(x.type, rows[i].x.type);
        ck_assert_uint_eq(x.gso_size, rows[i].x.gso_size);
        ck_assert_uint_eq(x.gso_type, rows[i].x.gso_type);
    }
    netif_encode_extra(got, &rows[0].x);
    bytes_of(rows[0].bytes, want, sizeof(want));
    ck_assert_mem_eq(got, want, 8);
}
END_TEST

START_TEST(numbers)
{
    static const struct { const char *text; uint32_t most; int error; uint32_t value; } rows[] = {
        { "0", 10, 0, 0 }, { "10", 10, 0, 10 }, { "11", 10, -EINVAL, 0 }, { "", 10, -EINVAL, 0 }, { "-1", 10, -EINVAL, 0 },
        { " 1", 10, -EINVAL, 0 }, { "1 ", 10, -EINVAL, 0 }, { "4294967295", UINT32_MAX, 0, UINT32_MAX },
        { "4294967296", UINT32_MAX, -EINVAL, 0 }, { "99999999999", UINT32_MAX, -EINVAL, 0 }, { "0x1", 10, -EINVAL, 0 },
        { "0000000001", 10, 0, 1 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t n = 0;

        ck_assert_int_eq(netif_number(rows[i].text, strlen(rows[i].text), rows[i].most, &n), rows[i].error);
        ck_assert_uint_eq(n, rows[i].value);
    }
}
END_TEST

START_TEST(addresses)
{
    static const struct { const char *text; int error; const char *mac; } rows[] = {
        { "00:16:3e:5e:6c:00", 0, "00 16 3e 5e 6c 00" }, { "FE:FF:ff:Ff:fF:fe", 0, "fe ff ff ff ff fe" },
        { "00:16:3e:5e:6c:0", -EINVAL, "" }, { "00:16:3e:5e:6c:000", -EINVAL, "" }, { "00-16-3e-5e-6c-00", -EINVAL, "" },
        { "00:16:3e:5e:6c:0g", -EINVAL, "" }, { "00:00:00:00:00:00", -EINVAL, "" }, { "01:16:3e:5e:6c:00", -EINVAL, "" },
        { "ff:ff:ff:ff:ff:ff", -EINVAL, "" }, { "", -EINVAL, "" },
    };
    uint8_t mac[6];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(mac, 0xaa, 6);
        ck_assert_int_eq(netif_mac(rows[i].text, strlen(rows[i].text), mac), rows[i].error);
        if (rows[i].error)
            memset(want, 0xaa, 6);
        else
            bytes_of(rows[i].mac, want, 6);
        ck_assert_mem_eq(mac, want, 6);
    }
    ck_assert_int_eq(netif_mac("00:16:3e\0005e:6c:00", 17, mac), -EINVAL);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("netif");

    tcase_add_test(t, requests);
    tcase_add_test(t, responses);
    tcase_add_test(t, extras);
    tcase_add_test(t, numbers);
    tcase_add_test(t, addresses);
    return run_case("netif wire", t);
}
