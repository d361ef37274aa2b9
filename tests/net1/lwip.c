/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/net1/lwip.c - the suite of net/1 over net-lwip: this process is in a network namespace of its own, whose kernel is the far end
 * of a TAP. Skipped where no such namespace can be made. */
#include <stdlib.h>

#include "tests/common/own-net.h"
#include "tests/net1/bed.h"

extern const struct unik_plugin unik_plugin_net_lwip, unik_plugin_tap;

struct bed bed = { .us = "10.137.0.5", .far = "10.137.255.254", .dns_port = 53 };
static struct unik_ctx *tap, *ctx;

void bed_begin(void)
{
    static const char *const card[] = { "device=net1", NULL };
    const char *const options[] = { "ipv4=static", "address=10.137.0.5", "gateway=10.137.255.254", "dns=10.137.255.254",
                                    "output-buffer=16K", NULL };

    bed.h = host_new(ev_default_loop(0), UNIK_ON_UNIX, getenv("NET1_LOG") ? stderr : NULL);
    tap = host_add(bed.h, &unik_plugin_tap, card);
    ck_assert_ptr_nonnull(tap);
    ck_assert_int_eq(host_start(tap), 0);
    /* the far end of the card that has just appeared */
    ck_assert_int_eq(system("ip addr add 10.137.255.254/32 dev net1 && ip link set net1 up && ip route replace 10.137.0.5 dev net1"), 0);
    ctx = host_add(bed.h, &unik_plugin_net_lwip, options);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(host_start(ctx), 0);
    ck_assert(host_wait(ctx, HOST_READY, BED_LONG));
    bed.net = host_interface(bed.h, "net/1");
    ck_assert_ptr_nonnull(bed.net);
}

void bed_end(void)
{
    host_stop_wait(ctx, 20);
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    host_stop_wait(tap, 20);
    ck_assert_int_eq(host_state(tap), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(ctx, "connections"), 0);
    host_free(bed.h);
}

int main(void)
{
    Suite *s = suite_create("net1-lwip");

    suite_add_tcase(s, net1_tcp());
    suite_add_tcase(s, net1_udp());
    suite_add_tcase(s, net1_owner());
    return own_net_run(s);
}
