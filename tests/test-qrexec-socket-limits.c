/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket for local programs: its limits, its path, its end. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/common/local-client.h"

START_TEST(one_account_cannot_take_all)
{
    int fd[256], n = 0;

    open_socket();
    for (; n < 192; n++) {
        fd[n] = client();
        ev_run(w.ctx->loop, EVRUN_NOWAIT);
    }
    ck_assert(world_until(&w, clients, &(size_t){ 192 }, 300));
    expect_end(client());
    ck_assert_ptr_nonnull(strstr(w.log, "it has 192 already"));
    if (geteuid() == 0) {
        ck_assert_int_eq(seteuid(65534), 0);
        for (; n < 256; n++) {
            fd[n] = client();
            ev_run(w.ctx->loop, EVRUN_NOWAIT);
        }
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert(world_until(&w, clients, &(size_t){ 256 }, 300));
    }
    for (int i = 1; i < n; i++)
        close(fd[i]);
    ck_assert(world_until(&w, clients, &(size_t){ 1 }, 300));
    close(asking());
    UNTIL(forgotten, 1);
    close(fd[0]);
    ck_assert(world_until(&w, nobody, NULL, 300));
    close_socket();
}
END_TEST

START_TEST(waits_when_full)
{
    int fd[257], n = 0;

    if (geteuid() != 0)
        return;
    open_socket();
    for (; n < 257; n++) {
        ck_assert_int_eq(seteuid(n < 128 ? 0 : 65534), 0);
        fd[n] = client();
        ck_assert_int_eq(seteuid(0), 0);
        ev_run(w.ctx->loop, EVRUN_NOWAIT);
    }
    host_run(w.h, 0.05);
    ck_assert_uint_eq(qrexec_socket_clients(s), 256);
    close(fd[0]);
    host_run(w.h, 0.05);
    ck_assert_uint_eq(qrexec_socket_clients(s), 256);   /* the one who waited */
    for (int i = 1; i < n; i++)
        close(fd[i]);
    ck_assert(world_until(&w, nobody, NULL, 300));
    close_socket();
}
END_TEST

START_TEST(out_of_descriptors)
{
    struct rlimit limit, low;
    size_t turns = 0;
    int fd;

    open_socket();
    fd = client();
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = (rlim_t)dup(0);      /* the lowest free number */
    close((int)low.rlim_cur);
    setrlimit(RLIMIT_NOFILE, &low);
    while (!strstr(w.log, "accept:") && turns++ < 100)
        ev_run(w.ctx->loop, EVRUN_NOWAIT);
    host_run(w.h, 0.3);
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_ptr_nonnull(strstr(w.log, "accept: Too many open files"));
    ck_assert_ptr_null(strstr(strstr(w.log, "accept:") + 1, "accept:"));    /* once, not again and again */
    close(asking());
    close(fd);
    UNTIL(forgotten, 1);
    ck_assert(world_until(&w, nobody, NULL, 300));
    close_socket();
}
END_TEST

/* ---- the path ---- */

START_TEST(paths)
{
    struct qrexec_socket *other = NULL;
    char longer[200];
    struct stat st;

    open_socket();
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0666);
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, path, 0600, &other), -EADDRINUSE);
    close(asking());                    /* still the first one's */
    UNTIL(forgotten, 1);
    world_file(&w, "file", 0644, "precious");
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, world_path(&w, "file"), 0600, &other), -EEXIST);
    ck_assert_int_eq(access(world_path(&w, "file"), F_OK), 0);
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, world_path(&w, "none/x"), 0600, &other), -ENOENT);
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, "", 0600, &other), -ENAMETOOLONG);
    memset(longer, 'x', sizeof(longer));
    longer[199] = 0;
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, longer, 0600, &other), -ENAMETOOLONG);
    ck_assert_ptr_null(other);
    close_socket();
}
END_TEST

START_TEST(stale_path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct stat st;
    int fd;

    open_socket();
    qrexec_socket_close(s);
    ck_assert_int_eq(access(path, F_OK), -1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(a.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    close(fd);                          /* a process that died */
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(qrexec_socket_open(NULL, w.ctx, path, 0600, &s), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    close(asking());
    UNTIL(forgotten, 1);
    unlink(path);                       /* somebody else took the name: not ours to remove */
    world_file(&w, "agent", 0644, "x");
    qrexec_socket_close(s);
    ck_assert_int_eq(access(path, F_OK), 0);
    s = NULL;
    close_socket();
}
END_TEST

START_TEST(closes_everything)
{
    int idle, pending, running;

    open_socket();
    idle = client();
    pending = asking();
    running = asking();
    answer(2, 0, 9, 700);
    qrexec_socket_close(s);
    s = NULL;
    ck_assert_uint_eq(agent.forgotten, 1);
    ck_assert_uint_eq(agent.released, 1);
    ck_assert_uint_eq(agent.port, 700);
    expect_end(idle);
    expect_end(pending);
    close(running);
    ck_assert_int_eq(access(path, F_OK), -1);
    close_socket();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qrexec-socket-limits");
    TCase *t = tcase_create("socket");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, one_account_cannot_take_all);
    tcase_add_test(t, waits_when_full);
    tcase_add_test(t, out_of_descriptors);
    tcase_add_test(t, paths);
    tcase_add_test(t, stale_path);
    tcase_add_test(t, closes_everything);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
