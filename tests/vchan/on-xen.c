/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/on-xen.c - what only the Xen transport has: the entry in xenstore, domains that die, pages that lie. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <libxenvchan.h>
#include "tests/common/store.h"
#include "tests/vchan/fake-store.h"
#include "tests/vchan/fake-xen.h"
#include "tests/vchan/suite.h"

extern const struct unik_plugin unik_plugin_vchan_xen;

#define LEAF "/local/domain/1/data/vchan/2/900"

static uint32_t announced(const char *leaf)
{
    char path[100];
    const char *value;

    snprintf(path, sizeof(path), LEAF "/%s", leaf);
    value = fake_store_get(path);
    return value ? (uint32_t)atoi(value) : 0;
}

START_TEST(entry_comes_and_goes)
{
    struct end a, b, other;

    end_listen(&a, 0, 900, 4096, 4096);
    end_listen(&other, 0, 901, 4096, 4096);
    WAIT_FOR(fake_store_get(LEAF "/event-channel") && fake_store_get("/local/domain/1/data/vchan/2/901/ring-ref"));
    ck_assert_uint_ge(announced("ring-ref"), 8);
    ck_assert_uint_ge(announced("event-channel"), 1);
    ck_assert_str_eq(fake_store_perms(LEAF "/ring-ref"), "n1,r2");
    ck_assert_str_eq(fake_store_perms(LEAF "/event-channel"), "n1,r2");
    end_connect(&b, 1, 900);
    WAIT_FOR(a.opens && b.opens && !fake_store_get(LEAF));
    ck_assert_ptr_nonnull(fake_store_get("/local/domain/1/data/vchan/2"));      /* the other is there */
    end_close(&other);
    WAIT_FOR(!fake_store_get("/local/domain/1/data/vchan/2"));
    ck_assert_uint_eq(fake_store_watches(), 2);         /* @releaseDomain for each side; the client's is gone */
    end_close(&a);
    end_close(&b);
}
END_TEST

/* Closed and offered again before xenstore answered anything, many times: what is there at the end is the last. */
START_TEST(entries_of_one_name_keep_their_order)
{
    struct end a, b;

    for (unsigned i = 0; i < 50; i++) {
        end_listen(&a, 0, 900, 4096, 4096);
        for (unsigned k = 0; k < i % 12; k++)
            ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
        if (i < 49)
            end_close(&a);
    }
    end_connect(&b, 1, 900);
    WAIT_FOR(a.opens && b.opens);
    host_run(pair.h, 0.02);
    ck_assert_ptr_null(fake_store_get(LEAF));
    end_close(&a);
    end_close(&b);
}
END_TEST

START_TEST(conflicts_are_tried_again)
{
    struct end a, b;

    fake_store_spoil(5);
    end_listen(&a, 0, 900, 4096, 4096);
    end_connect(&b, 1, 900);
    WAIT_FOR(a.opens && b.opens);
    fake_store_spoil(5);
    WAIT_FOR(!fake_store_get(LEAF));
    end_close(&a);
    end_close(&b);
}
END_TEST

START_TEST(store_that_fails)
{
    struct end a, b;

    fake_store_fail(-EIO);
    end_listen(&a, 0, 900, 4096, 4096);
    end_connect(&b, 1, 900);
    WAIT_FOR(end_state(&a) == UNIK_VCHAN_DISCONNECTED && end_state(&b) == UNIK_VCHAN_DISCONNECTED);
    WAIT_FOR(a.inputs && b.inputs);
    ck_assert_int_eq(unik_stream_ended(a.s), 1);
    ck_assert_ptr_nonnull(strstr(pair.v[0]->reason(a.s), "xenstore"));
    fake_store_fail(0);
    end_close(&a);
    end_close(&b);
}
END_TEST

/* The peer's domain dies: no event, the live byte stays. Only @releaseDomain and the port tell. */
START_TEST(peer_domain_dies)
{
    struct end a, b, waiting, seeking;
    bool no_privcmd = _i & 1;

    if (no_privcmd) {
        host_stop_wait(pair.ctx[0], PATIENCE);
        fake_xen_no_privcmd(true);
        ck_assert_int_eq(host_start(pair.ctx[0]), 0);
        pair.v[0] = host_interface(pair.h, "vchan/1");
    }
    end_pair(&a, &b, 900, 4096);
    end_listen(&waiting, 0, 901, 64, 64);
    end_connect(&seeking, 0, 902);
    b.want_put = 100;
    end_put(&b);
    WAIT_FOR(a.inputs);
    fake_store_release();               /* somebody else's end */
    host_run(pair.h, 0.05);
    ck_assert_int_eq(end_state(&a), UNIK_VCHAN_CONNECTED);
    ck_assert_int_eq(end_state(&waiting), UNIK_VCHAN_WAITING);
    fake_xen_kill(2);
    fake_xen_zombie(2, true);           /* for a moment Xen knows it still */
    fake_store_release();
    host_run(pair.h, 0.05);
    ck_assert_int_eq(end_state(&a), no_privcmd ? UNIK_VCHAN_CONNECTED : UNIK_VCHAN_DISCONNECTED);
    ck_assert_int_eq(end_state(&waiting), UNIK_VCHAN_WAITING);
    fake_xen_zombie(2, false);
    WAIT_FOR(end_state(&a) == UNIK_VCHAN_DISCONNECTED && end_state(&waiting) == UNIK_VCHAN_DISCONNECTED);
    WAIT_FOR(end_state(&seeking) == UNIK_VCHAN_DISCONNECTED);
    WAIT_FOR(waiting.inputs && seeking.inputs);
    ck_assert_str_eq(pair.v[0]->reason(a.s), "peer domain is gone");
    ck_assert_uint_eq(host_counter(pair.ctx[0], "peers_gone"), 3);
    end_get(&a);
    ck_assert_uint_eq(a.got, 100);      /* what it had sent is there */
    ck_assert_int_eq(unik_stream_ended(a.s), 1);
    end_close(&a);
    end_close(&b);
    end_close(&waiting);
    end_close(&seeking);
}
END_TEST

static struct vchan_interface *page_of(struct end *a, struct end *b, uint32_t *port)
{
    struct vchan_interface *page;

    end_listen(a, 0, 900, 4096, 4096);
    WAIT_FOR(announced("event-channel"));
    page = fake_xen_page(announced("ring-ref"));
    *port = announced("event-channel");
    end_connect(b, 1, 900);
    WAIT_FOR(a->opens && b->opens);
    return page;
}

/* From another VM: each index that it can set to what cannot be, seen by the other side at the next event. */
START_TEST(impossible_indexes)
{
    struct end a, b;
    uint32_t port;
    struct vchan_interface *page = page_of(&a, &b, &port);
    struct end *victim = _i < 2 ? &a : &b;
    uint32_t *const index[] = { &page->left.prod, &page->right.cons, &page->right.prod, &page->left.cons };

    *index[_i] += 5000;
    if (_i & 1)
        ck_assert_int_eq(unik_stream_write(victim->s, "x", 1), -EPIPE);
    else
        fake_xen_signal(victim == &b ? port : port + 1);
    WAIT_FOR(end_state(victim) == UNIK_VCHAN_DISCONNECTED && victim->inputs);
    ck_assert_msg(strstr(pair.v[victim->side]->reason(victim->s), "bad ") != NULL, "%s",
                  pair.v[victim->side]->reason(victim->s));
    ck_assert_ptr_nonnull(strstr(pair.v[victim->side]->reason(victim->s), "size 4096"));
    ck_assert_int_eq(unik_stream_ended(victim->s), 1);
    ck_assert_uint_eq(host_counter(pair.ctx[victim->side], "bad_peer"), 1);
    *index[_i] -= 5000;
    end_close(&a);
    end_close(&b);
    munmap(page, 4096);
}
END_TEST

START_TEST(impossible_live_byte)
{
    struct end a, b;
    uint32_t port;
    struct vchan_interface *page = page_of(&a, &b, &port);

    page->cli_live = 2;
    fake_xen_signal(port + 1);
    WAIT_FOR(end_state(&a) == UNIK_VCHAN_DISCONNECTED);
    ck_assert_str_eq(pair.v[0]->reason(a.s), "bad live byte");
    end_close(&a);
    end_close(&b);
    munmap(page, 4096);
}
END_TEST

/* A server that announces nonsense is one that is not there: the client waits, and finds the good one that follows. */
START_TEST(nonsense_offers)
{
    static const struct { const char *ref, *port; unsigned left, right, cli, srv; } rows[] = {
        { "", "", 12, 12, 2, 1 }, { "0", NULL, 12, 12, 2, 1 }, { "99999999999", NULL, 12, 12, 2, 1 },
        { NULL, "4000", 12, 12, 2, 1 }, { NULL, NULL, 9, 12, 2, 1 }, { NULL, NULL, 11, 11, 2, 1 },
        { NULL, NULL, 65535, 12, 2, 1 }, { NULL, NULL, 12, 12, 1, 1 }, { NULL, NULL, 12, 12, 0, 1 },
        { NULL, NULL, 12, 12, 2, 0 }, { "7", NULL, 12, 12, 2, 1 }
    };
    uint32_t ref = fake_xen_new_page(), port = fake_xen_new_port(2);
    struct vchan_interface *page = fake_xen_page(ref);
    char ref_text[16], port_text[16];
    struct end a, b;

    memset(page, 0, 4096);
    page->left_order = (uint16_t)rows[_i].left;
    page->right_order = (uint16_t)rows[_i].right;
    page->cli_live = (uint8_t)rows[_i].cli;
    page->srv_live = (uint8_t)rows[_i].srv;
    snprintf(ref_text, sizeof(ref_text), "%u", (unsigned)ref);
    snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
    end_connect(&b, 1, 900);
    fake_store_set(1, LEAF "/ring-ref", rows[_i].ref ? rows[_i].ref : ref_text, 2);
    fake_store_set(1, LEAF "/event-channel", rows[_i].port ? rows[_i].port : port_text, 2);
    host_run(pair.h, 0.05);
    ck_assert_int_eq(end_state(&b), UNIK_VCHAN_WAITING);
    ck_assert_uint_eq(b.opens, 0);
    fake_store_set(1, LEAF, NULL, 0);
    end_listen(&a, 0, 900, 4096, 4096);
    WAIT_FOR(a.opens && b.opens);
    end_close(&a);
    end_close(&b);
    munmap(page, 4096);
    fake_xen_reset();
}
END_TEST

/* The server's entry appears while the client waits, names nobody, and goes or stays: nobody will come. The same for one that
 * was there before, once it goes. */
START_TEST(server_comes_and_leaves)
{
    struct end b;

    if (_i < 2)
        end_connect(&b, 1, 900);
    host_run(pair.h, 0.02);
    fake_store_set(1, LEAF "/ring-ref", "9", 2);
    fake_store_set(1, LEAF "/event-channel", "4000", 2);
    if (_i == 2)
        end_connect(&b, 1, 900);
    host_run(pair.h, 0.02);
    ck_assert_int_eq(end_state(&b), UNIK_VCHAN_WAITING);
    if (_i >= 1)
        fake_store_set(1, LEAF, NULL, 0);
    WAIT_FOR(end_state(&b) == UNIK_VCHAN_DISCONNECTED && b.inputs);
    ck_assert_str_eq(pair.v[1]->reason(b.s), "its server came and has left");
    ck_assert_int_eq(unik_stream_ended(b.s), 1);
    ck_assert_uint_eq(b.opens, 0);
    end_close(&b);
    fake_store_set(1, "/local/domain/1/data/vchan/2", NULL, 0);
}
END_TEST

/* An entry that was there before says nothing about our server, and one that replaces another is our server. */
START_TEST(server_may_still_come)
{
    struct end a, b;

    if (_i == 1) {
        fake_store_set(1, LEAF "/ring-ref", "9", 2);
        fake_store_set(1, LEAF "/event-channel", "4000", 2);
    }
    end_connect(&b, 1, 900);
    host_run(pair.h, 4);
    ck_assert_int_eq(end_state(&b), UNIK_VCHAN_WAITING);
    fake_store_set(1, LEAF "/ring-ref", "9", 2);
    fake_store_set(1, LEAF "/event-channel", "4001", 2);
    host_run(pair.h, 0.02);
    fake_store_set(1, LEAF, NULL, 0);
    host_run(pair.h, 0.02);
    end_listen(&a, 0, 900, 4096, 4096);
    WAIT_FOR(a.opens && b.opens);
    end_close(&a);
    end_close(&b);
}
END_TEST

/* No grants left: refused with everything given back, and later calls work. */
START_TEST(grants_run_out)
{
    struct unik_stream *s;
    struct end a, b;

    for (unsigned left = 0; left < 3; left++) {
        unsigned handles = fake_xen_handles();

        fake_xen_pages_left(left * 14);         /* for nothing; the page; the page and one ring */
        ck_assert_int_eq(pair.v[0]->listen(pair.v[0], NULL, 2, 900, 65536, 65536, NULL, NULL, &s), -ENOSPC);
        ck_assert_ptr_null(s);
        ck_assert_uint_eq(fake_xen_handles(), handles);
        ck_assert_uint_eq(fake_xen_mappings(), 0);
    }
    fake_xen_pages_left(10000);
    end_pair(&a, &b, 900, 65536);
    end_close(&a);
    end_close(&b);
}
END_TEST

/* Closing while the answers of xenstore are under way, at each point of the way. */
START_TEST(closes_while_xenstore_answers)
{
    struct end a, b;

    for (unsigned turns = 0; turns < 30; turns++) {
        end_listen(&a, 0, 900, 4096, 4096);
        end_connect(&b, 1, 900);
        for (unsigned i = 0; i < turns; i++)
            ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
        end_close(turns & 1 ? &a : &b);
        host_run(pair.h, 0.005);
        end_close(turns & 1 ? &b : &a);
    }
}
END_TEST

/* The plugin stops while entries are on their way: they are taken out first; or it is abandoned. */
START_TEST(stops_while_xenstore_answers)
{
    struct end a;

    for (unsigned turns = 0; turns < 20; turns++) {
        end_listen(&a, 0, 900, 4096, 4096);
        for (unsigned i = 0; i < turns; i++)
            ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
        if (turns == 5)
            fake_store_hold(true);
        end_close(&a);
        host_stop(pair.ctx[0]);
        if (turns == 5) {
            ck_assert_int_eq(host_state(pair.ctx[0]), HOST_STOPPING);
            pair.ctx[0]->plugin->abandon(pair.ctx[0]);
            pair.ctx[0]->host->stopped(pair.ctx[0]);
            fake_store_hold(false);
            WAIT_FOR(fake_store_is_clean() || fake_store_get(LEAF));
            fake_store_set(1, LEAF, NULL, 0);
        }
        ck_assert(host_wait(pair.ctx[0], HOST_STOPPED, PATIENCE));
        ck_assert(turns == 5 || fake_store_is_clean());
        ck_assert_int_eq(host_start(pair.ctx[0]), 0);
        pair.v[0] = host_interface(pair.h, "vchan/1");
    }
}
END_TEST

/* The real client of xenstore in between: what it and xenstored make of our requests. */
START_TEST(entry_through_the_real_client)
{
    struct unik_stream *s = NULL;
    struct unik_vchan *v;
    struct unik_ctx *ctx;
    struct store t;

    store_open(&t, NULL);
    ctx = host_add(t.h, &unik_plugin_vchan_xen, NULL);
    ck_assert_int_eq(host_start(ctx), 0);
    v = host_interface(t.h, "vchan/1");
    ck_assert_int_eq(v->domid(v), STORE_DOMID);
    ck_assert_int_eq(v->listen(v, NULL, 0, 512, 4096, 4096, NULL, NULL, &s), 0);
    WAIT_FOR(xenstored_get(t.s, "data/vchan/0/512/event-channel") || v->state(s) == UNIK_VCHAN_DISCONNECTED);
    ck_assert_str_eq(v->reason(s), "");
    ck_assert_str_eq(xenstored_perms(t.s, "data/vchan/0/512/ring-ref"), "n7,r0");
    unik_stream_close(s);
    WAIT_FOR(!xenstored_get(t.s, "data/vchan/0"));
    ck_assert_int_eq(v->connect(v, NULL, 0, 111, NULL, NULL, &s), 0);
    xenstored_set(t.s, "/local/domain/0/data/vchan/7/111/ring-ref", "9");
    xenstored_set(t.s, "/local/domain/0/data/vchan/7/111/event-channel", "4001");
    host_run(t.h, 0.05);
    ck_assert_int_eq(v->state(s), UNIK_VCHAN_WAITING);
    unik_stream_close(s);
    host_stop_wait(ctx, PATIENCE);
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    store_close(&t);
}
END_TEST

START_TEST(environment_decides)
{
    struct unik_ctx *ctx = pair.ctx[0];

    ck_assert_int_lt(ctx->plugin->usable(ctx), 0);      /* no devices here */
}
END_TEST

/* The kernel's limit on grants: said, and nothing is half done. */
START_TEST(no_grants_left_for_pages)
{
    struct unik_pages *p = pair.pages[0];
    struct unik_shared *s;

    fake_xen_pages_left(10);
    ck_assert_int_eq(p->share(p, 2, 11, false, &s), -ENOSPC);
    ck_assert_ptr_null(s);
    ck_assert_int_eq(p->share(p, 2, 10, false, &s), 0);
    ck_assert_uint_eq(host_counter(pair.ctx[0], "shared_pages"), 10);
    p->unshare(p, s);
}
END_TEST

TCase *suite_on_xen(void)
{
    TCase *t = tcase_create("on Xen");

    tcase_add_checked_fixture(t, suite_up, suite_down);
    tcase_set_timeout(t, 900);
    tcase_add_test(t, entry_comes_and_goes);
    tcase_add_test(t, entries_of_one_name_keep_their_order);
    tcase_add_test(t, conflicts_are_tried_again);
    tcase_add_test(t, store_that_fails);
    tcase_add_loop_test(t, peer_domain_dies, 0, 2);
    tcase_add_loop_test(t, impossible_indexes, 0, 4);
    tcase_add_test(t, impossible_live_byte);
    tcase_add_loop_test(t, nonsense_offers, 0, 11);
    tcase_add_loop_test(t, server_comes_and_leaves, 0, 3);
    tcase_add_loop_test(t, server_may_still_come, 0, 2);
    tcase_add_test(t, grants_run_out);
    tcase_add_test(t, closes_while_xenstore_answers);
    tcase_add_test(t, stops_while_xenstore_answers);
    tcase_add_test(t, entry_through_the_real_client);
    tcase_add_test(t, environment_decides);
    tcase_add_test(t, no_grants_left_for_pages);
    return t;
}
