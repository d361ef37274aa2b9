/* SPDX-License-Identifier: BSD-2-Clause */
/* vchan-xen: the tests of "vchan/1" over it, with two domains in one process. libxenvchan is the real one; Xen below
 * it and xenstore beside it are played (fake-xen.h, fake-store.h). What is particular to Xen is in
 * tests/vchan/on-xen.c. */
#include <stdlib.h>
#include "tests/common/fds.h"
#include "tests/vchan/fake-store.h"
#include "tests/vchan/fake-xen.h"
#include "tests/vchan/suite.h"

extern const struct unik_plugin unik_plugin_vchan_xen;

static struct host *hosts[2];

static void up(struct vchan_pair *p)
{
    ev_default_loop(0);
    fake_xen_reset();
    fake_store_reset(EV_DEFAULT);
    for (int i = 0; i < 2; i++)
        hosts[i] = host_new(EV_DEFAULT, UNIK_ON_QUBES, NULL);
    p->h = hosts[0];
    host_run(p->h, 0.001);
    p->fds = open_fds();
    for (int i = 0; i < 2; i++) {
        p->domid[i] = i + 1;
        ck_assert_int_eq(host_publish(hosts[i], "xenstore/1", fake_store_view((unsigned)i + 1)), 0);
        p->ctx[i] = host_add(hosts[i], &unik_plugin_vchan_xen, NULL);
        ck_assert_ptr_nonnull(p->ctx[i]);
        ck_assert_int_eq(host_start(p->ctx[i]), 0);
        ck_assert_int_eq(host_state(p->ctx[i]), HOST_READY);
        p->v[i] = host_interface(hosts[i], "vchan/1");
        ck_assert_ptr_nonnull(p->v[i]);
        p->pages[i] = host_interface(hosts[i], "pages/1");
        ck_assert_ptr_nonnull(p->pages[i]);
    }
}

static void *page(struct vchan_pair *p, uint32_t ref, uint32_t first_of_block)
{
    (void)p, (void)first_of_block;
    return fake_xen_page(ref);
}

static void down(struct vchan_pair *p)
{
    for (int i = 0; i < 2; i++) {
        host_stop_wait(p->ctx[i], PATIENCE);
        ck_assert_int_eq(host_state(p->ctx[i]), HOST_STOPPED);
        ck_assert_uint_eq(host_counter(p->ctx[i], "open"), 0);
        ck_assert_uint_eq(host_counter(p->ctx[i], "shared_pages"), 0);
    }
    WAIT_FOR(fake_store_is_clean());
    ck_assert_uint_eq(fake_store_watches(), 0);
    ck_assert_uint_eq(fake_xen_handles(), 0);
    ck_assert_uint_eq(fake_xen_ports(), 0);
    ck_assert_uint_eq(fake_xen_mappings(), 0);
    ck_assert_int_eq(open_fds(), p->fds);
    fake_store_free();
    for (int i = 0; i < 2; i++)
        host_free(hosts[i]);
}

static const struct vchan_fixture xen = { "vchan over Xen, played", up, page, down };

int main(void)
{
    Suite *s = suite_create(xen.name);
    SRunner *r;
    int failed;

    suite_use(&xen);
    suite_add_tcase(s, suite_states());
    suite_add_tcase(s, suite_data());
    suite_add_tcase(s, suite_closing());
    suite_add_tcase(s, suite_pages());
    suite_add_tcase(s, suite_owner());
    suite_add_tcase(s, suite_on_xen());
    suite_add_tcase(s, suite_logic());
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
