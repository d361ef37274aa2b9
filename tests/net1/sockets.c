/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/net1/sockets.c - the suite of net/1 over net-sockets: both ends on the loopback. */
#include <stdlib.h>

#include "tests/common/fds.h"
#include "tests/net1/bed.h"

extern const struct unik_plugin unik_plugin_net_sockets;

struct bed bed = { .us = "127.0.0.1", .far = "127.0.0.2", .dns_port = BED_DNS_PORT };
static struct unik_ctx *ctx;
static int fds_before;

void bed_begin(void)
{
    char dns[64];
    const char *const options[] = { "output-buffer=4K", "input-buffer=4K", dns, NULL };

    snprintf(dns, sizeof(dns), "dns=%s:%u", bed.far, bed.dns_port);
    fds_before = open_fds();
    bed.h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    ctx = host_add(bed.h, &unik_plugin_net_sockets, options);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(host_start(ctx), 0);
    ck_assert_int_eq(host_state(ctx), HOST_READY);
    bed.net = host_interface(bed.h, "net/1");
    ck_assert_ptr_nonnull(bed.net);
}

void bed_end(void)
{
    host_stop_wait(ctx, 20);
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(ctx, "connections"), 0);
    host_free(bed.h);
    ck_assert_int_le(open_fds(), fds_before + 2);      /* libev's own, made by its first use */
}

int main(void)
{
    Suite *s = suite_create("net1-sockets");
    SRunner *r;
    int failed;

    suite_add_tcase(s, net1_tcp());
    suite_add_tcase(s, net1_udp());
    suite_add_tcase(s, net1_owner());
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
