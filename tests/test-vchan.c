/* SPDX-License-Identifier: BSD-2-Clause */
/* vchan-socket: the tests of "vchan/1" over it, with two domains in one process. What is particular to sockets is in
 * tests/vchan/sockets.c. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/common/fds.h"
#include "tests/vchan/suite.h"

extern const struct unik_plugin unik_plugin_vchan_socket;

/* A host of its own for each: one host has one provider of an interface. */
static struct host *hosts[2];

static struct unik_ctx *add(struct host *h, const struct vchan_pair *p, int domid)
{
    char number[32], dir[200];
    const char *const options[] = { number, dir, "flush=3s", NULL };
    struct unik_ctx *ctx;

    snprintf(number, sizeof(number), "domid=%d", domid);
    snprintf(dir, sizeof(dir), "dir=%s", p->dir);
    ctx = host_add(h, &unik_plugin_vchan_socket, options);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(host_start(ctx), 0);
    ck_assert_int_eq(host_state(ctx), HOST_READY);
    return ctx;
}

static void up(struct vchan_pair *p)
{
    ev_default_loop(0);
    for (int i = 0; i < 2; i++)
        hosts[i] = host_new(EV_DEFAULT, UNIK_ON_QUBES, NULL);
    p->h = hosts[0];
    host_run(p->h, 0.001);              /* the loop opens its own descriptors now */
    p->fds = open_fds();
    p->dir = test_dir();
    for (int i = 0; i < 2; i++) {
        p->domid[i] = i + 1;
        p->ctx[i] = add(hosts[i], p, i + 1);
        p->v[i] = host_interface(hosts[i], "vchan/1");
        ck_assert_ptr_nonnull(p->v[i]);
        p->pages[i] = host_interface(hosts[i], "pages/1");
        ck_assert_ptr_nonnull(p->pages[i]);
    }
}

static void *page(struct vchan_pair *p, uint32_t ref, uint32_t first_of_block)
{
    char path[300];
    void *at;
    int fd;

    snprintf(path, sizeof(path), "%s/grants/%d.%u", p->dir, p->domid[0], first_of_block);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    at = mmap(NULL, UNIK_PAGE, PROT_READ, MAP_SHARED, fd, (off_t)(ref - first_of_block) * UNIK_PAGE);
    close(fd);
    return at == MAP_FAILED ? NULL : at;
}

static bool is_empty(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;

    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n == 2;                      /* itself and its parent */
}

static void down(struct vchan_pair *p)
{
    for (int i = 0; i < 2; i++) {
        host_stop_wait(p->ctx[i], PATIENCE);
        ck_assert_int_eq(host_state(p->ctx[i]), HOST_STOPPED);
        ck_assert_uint_eq(host_counter(p->ctx[i], "open"), 0);
        ck_assert_uint_eq(host_counter(p->ctx[i], "closing"), 0);
        ck_assert_uint_eq(host_counter(p->ctx[i], "shared_pages"), 0);
    }
    ck_assert_int_eq(open_fds(), p->fds);
    ck_assert_msg(is_empty(p->dir), "sockets were left in %s", p->dir);
    test_dir_remove(p->dir);
    for (int i = 0; i < 2; i++)
        host_free(hosts[i]);
}

static const struct vchan_fixture sockets = { "vchan over sockets", up, page, down };

int main(void)
{
    Suite *s = suite_create(sockets.name);
    SRunner *r;
    int failed;

    suite_use(&sockets);
    suite_add_tcase(s, suite_states());
    suite_add_tcase(s, suite_data());
    suite_add_tcase(s, suite_closing());
    suite_add_tcase(s, suite_pages());
    suite_add_tcase(s, suite_owner());
    suite_add_tcase(s, suite_sockets());
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
