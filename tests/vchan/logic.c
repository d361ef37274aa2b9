/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/logic.c - what vchan-xen decides from plain values. */
#include <string.h>
#include "plugins/vchan-xen/logic.h"
#include "tests/vchan/suite.h"

START_TEST(paths)
{
    char path[VCHAN_XEN_PATH_MAX];

    vchan_xen_server_path(path, 0, 512, NULL);
    ck_assert_str_eq(path, "data/vchan/0/512");
    vchan_xen_server_path(path, 3, 6000, "ring-ref");
    ck_assert_str_eq(path, "data/vchan/3/6000/ring-ref");
    vchan_xen_server_path(path, 3, -1, NULL);
    ck_assert_str_eq(path, "data/vchan/3");
    vchan_xen_client_path(path, 32751, 32751, 4294967295u, "event-channel");
    ck_assert_str_eq(path, "/local/domain/32751/data/vchan/32751/4294967295/event-channel");
    vchan_xen_server_path(path, 32751, 4294967295u, "event-channel");
    ck_assert_str_eq(path, "data/vchan/32751/4294967295/event-channel");
}
END_TEST

START_TEST(numbers)
{
    static const char *const bad[] = { "", "0", "-1", "1x", " 1", "2147483648", "99999999999", "0x10", "+5" };

    ck_assert_uint_eq(vchan_xen_number("1", 1), 1);
    ck_assert_uint_eq(vchan_xen_number("2147483647", 10), 2147483647);
    ck_assert_uint_eq(vchan_xen_number("0012", 4), 12);
    ck_assert_uint_eq(vchan_xen_number("8\0", 2), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_uint_eq(vchan_xen_number(bad[i], strlen(bad[i])), 0);
}
END_TEST

/* doc/protocol/vchan.md, 3.2: the server's choice. */
START_TEST(orders)
{
    static const struct { size_t r, w; int read, write; } rows[] = {
        { 1, 1, 10, 11 }, { 1024, 2048, 10, 11 }, { 1025, 1024, 11, 10 }, { 2048, 1024, 11, 10 },
        { 1025, 1025, 11, 12 }, { 2048, 2048, 11, 12 }, { 128, 8192, 11, 13 }, { 8192, 128, 13, 11 },
        { 4096, 4096, 12, 12 }, { 4097, 2049, 13, 12 },
        { 65536, 65536, 16, 16 }, { 65537, 1, 17, 11 }, { 1048576, 1048576, 20, 20 }
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int r = 0, w = 0;

        vchan_xen_orders(rows[i].r, rows[i].w, &r, &w);
        ck_assert_msg(r == rows[i].read && w == rows[i].write, "%zu, %zu: orders %d, %d", rows[i].r, rows[i].w, r, w);
        ck_assert_ptr_null(vchan_xen_bad_orders((unsigned)r, (unsigned)w));
    }
    ck_assert_uint_eq(vchan_xen_pages(11), 0);
    ck_assert_uint_eq(vchan_xen_pages(12), 1);
    ck_assert_uint_eq(vchan_xen_pages(20), 256);
}
END_TEST

START_TEST(orders_of_a_hostile_page)
{
    static const unsigned bad[][2] = {
        { 0, 12 }, { 9, 12 }, { 12, 9 }, { 21, 12 }, { 12, 65535 }, { 10, 10 }, { 11, 11 }, { 10, 20 }, { 20, 10 }
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(vchan_xen_bad_orders(bad[i][0], bad[i][1]) != NULL, "%u, %u", bad[i][0], bad[i][1]);
    ck_assert_ptr_null(vchan_xen_bad_orders(10, 19));   /* 128 references end before 1024 */
    ck_assert_ptr_null(vchan_xen_bad_orders(11, 20));   /* 256, before 2048 */
    ck_assert_ptr_null(vchan_xen_bad_orders(10, 11));
    ck_assert_ptr_null(vchan_xen_bad_orders(12, 12));
}
END_TEST

START_TEST(indexes)
{
    ck_assert_int_eq(vchan_xen_used(0, 0, 12), 0);
    ck_assert_int_eq(vchan_xen_used(4096, 0, 12), 4096);
    ck_assert_int_eq(vchan_xen_used(4097, 0, 12), -1);
    ck_assert_int_eq(vchan_xen_used(0, 1, 12), -1);
    ck_assert_int_eq(vchan_xen_used(10, UINT32_MAX - 9, 12), 20);       /* they run free, past the end of 32 bits */
    ck_assert_int_eq(vchan_xen_used(UINT32_MAX, 0, 20), -1);
}
END_TEST

START_TEST(states)
{
    const enum unik_vchan_state w = UNIK_VCHAN_WAITING, c = UNIK_VCHAN_CONNECTED, d = UNIK_VCHAN_DISCONNECTED;
    static const char closed[] = "peer closed", bad[] = "bad live byte";
    const struct { bool server; enum unik_vchan_state from; unsigned live; enum unik_vchan_state to; bool opened;
                   const char *why; } rows[] = {
        { true, w, 2, w, false, NULL }, { true, w, 1, c, true, NULL }, { true, w, 0, d, true, closed },
        { true, w, 7, d, true, bad }, { true, c, 1, c, false, NULL }, { true, c, 0, d, false, closed },
        { true, c, 2, d, false, bad }, { true, d, 1, d, false, NULL }, { false, c, 1, c, false, NULL },
        { false, c, 0, d, false, closed }, { false, c, 2, d, false, bad }, { false, d, 0, d, false, NULL }
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vchan_xen_look l = vchan_xen_look(rows[i].server, rows[i].from, rows[i].live);

        ck_assert_msg(l.state == rows[i].to && l.opened == rows[i].opened, "row %zu", i);
        ck_assert_pstr_eq(l.why, rows[i].why);
    }
}
END_TEST

START_TEST(gone)
{
    ck_assert(!vchan_xen_peer_gone(UNIK_VCHAN_CONNECTED, 2, true));
    ck_assert(vchan_xen_peer_gone(UNIK_VCHAN_CONNECTED, 1, true));       /* unbound: cut off, while Xen knows it */
    ck_assert(vchan_xen_peer_gone(UNIK_VCHAN_CONNECTED, 0, true));
    ck_assert(!vchan_xen_peer_gone(UNIK_VCHAN_CONNECTED, 2, false));
    ck_assert(vchan_xen_peer_gone(UNIK_VCHAN_CONNECTED, -1, false));
    ck_assert(!vchan_xen_peer_gone(UNIK_VCHAN_CONNECTED, -1, true));
    ck_assert(vchan_xen_peer_gone(UNIK_VCHAN_WAITING, -1, false));
    ck_assert(!vchan_xen_peer_gone(UNIK_VCHAN_WAITING, -1, true));
    ck_assert(!vchan_xen_peer_gone(UNIK_VCHAN_DISCONNECTED, -1, false));
}
END_TEST

TCase *suite_logic(void)
{
    TCase *t = tcase_create("logic");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, paths);
    tcase_add_test(t, numbers);
    tcase_add_test(t, orders);
    tcase_add_test(t, orders_of_a_hostile_page);
    tcase_add_test(t, indexes);
    tcase_add_test(t, states);
    tcase_add_test(t, gone);
    return t;
}
