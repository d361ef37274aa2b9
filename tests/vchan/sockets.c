/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/sockets.c - what only the socket transport has: paths, deadlines, the stock library's ways. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/common/fds.h"
#include "tests/vchan/suite.h"

extern const struct unik_plugin unik_plugin_vchan_socket;

static const char *path_of(int server, int client, unsigned port)
{
    static char path[100];

    snprintf(path, sizeof(path), "%s/vchan.%d.%d.%u.sock", pair.dir, server, client, port);
    return path;
}

static bool exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* The library's server: its path and its listener stay when the client is there, and when it is gone. */
START_TEST(stock_server)
{
    struct peer *p = peer_listen(pair.h, pair.dir, 1, 2, 900);
    struct end b, c;

    end_connect(&b, 1, 900);
    WAIT_FOR(b.opens);
    ck_assert(peer_accept(p, PATIENCE));
    ck_assert(peer_send(p, "hello", 5));
    WAIT_FOR(b.inputs);
    ck_assert_int_eq(unik_stream_write(b.s, "world", 5), 5);
    ck_assert(peer_expect(p, "world", 5));
    peer_hang_up(p);
    WAIT_FOR(end_state(&b) == UNIK_VCHAN_DISCONNECTED);
    end_close(&b);
    end_connect(&b, 1, 900);                    /* the old path again */
    end_connect(&c, 1, 900);
    WAIT_FOR(b.opens || c.opens);
    ck_assert(peer_accept(p, PATIENCE));
    end_close(&c);
    end_close(&b);
    peer_close(p);
    ck_assert_int_eq(unlink(path_of(1, 2, 900)), 0);
}
END_TEST

/* What the peer's side has not taken yet, it does not get. */
START_TEST(abort_drops_what_waits)
{
    struct end a, b;
    unsigned before;

    end_pair(&a, &b, 930, 4096);
    b.want_put = 10000000;
    do {
        before = (unsigned)b.put;
        end_put(&b);
        host_run(pair.h, 0.02);
    } while (b.put != before);                  /* the ring is full, and so is the kernel's buffer */
    b.closed = true;
    unik_stream_abort(b.s);
    ck_assert_uint_eq(host_counter(pair.ctx[1], "closing"), 0);
    a.reading = true;
    end_get(&a);
    WAIT_FOR(unik_stream_ended(a.s) == 1);
    ck_assert_uint_lt(a.got, b.put);
    end_close(&a);
}
END_TEST

/* A path that nobody listens at any more, and then somebody makes it anew. */
START_TEST(path_left_behind)
{
    struct end b;
    struct peer *p = peer_listen(pair.h, pair.dir, 1, 2, 901);

    peer_close(p);
    ck_assert(exists(path_of(1, 2, 901)));
    end_connect(&b, 1, 901);
    host_run(pair.h, 0.3);
    ck_assert_int_eq(end_state(&b), UNIK_VCHAN_WAITING);
    p = peer_listen(pair.h, pair.dir, 1, 2, 901);
    WAIT_FOR(b.opens);
    ck_assert(peer_accept(p, PATIENCE));
    end_close(&b);
    ck_assert(peer_closed(p, PATIENCE));
    peer_close(p);
    end_listen(&b, 0, 901, 64, 64);             /* ours takes it over */
    end_close(&b);
    ck_assert(!exists(path_of(1, 2, 901)));
}
END_TEST

/* The name is gone when the client is there; a second client is refused, not queued. */
START_TEST(path_goes_with_the_first_client)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), second = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct end s;

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path_of(1, 2, 902));
    end_listen(&s, 0, 902, 64, 64);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(connect(second, (struct sockaddr *)&a, sizeof(a)), -1);
    ck_assert_int_eq(errno, EAGAIN);
    WAIT_FOR(s.opens);
    ck_assert(!exists(a.sun_path));
    ck_assert_int_eq(connect(second, (struct sockaddr *)&a, sizeof(a)), -1);
    ck_assert_int_eq(errno, ENOENT);
    close(second);
    close(fd);
    WAIT_FOR(unik_stream_ended(s.s) == 1);
    end_close(&s);
}
END_TEST

START_TEST(only_its_own_path_is_removed)
{
    struct end s;
    struct peer *p;

    end_listen(&s, 0, 903, 64, 64);
    p = peer_listen(pair.h, pair.dir, 1, 2, 903);
    end_close(&s);
    ck_assert(exists(path_of(1, 2, 903)));
    peer_close(p);
    unlink(path_of(1, 2, 903));
}
END_TEST

/* Half-close is a full disconnect for the library: here too, after what came before it. */
START_TEST(half_close_ends_it)
{
    struct end s;
    char byte;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path_of(1, 2, 904));
    end_listen(&s, 0, 904, 64, 64);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    shutdown(fd, SHUT_WR);
    WAIT_FOR(end_state(&s) == UNIK_VCHAN_DISCONNECTED);
    ck_assert_int_eq(unik_stream_read(s.s, &byte, 1), 1);
    ck_assert_int_eq(unik_stream_ended(s.s), 1);
    end_close(&s);
    close(fd);
}
END_TEST

/* A peer that stops reading its side, but stays and sends: told once as gone, and what it sent can be read. */
START_TEST(peer_refuses_our_output)
{
    struct end s;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path_of(1, 2, 905));
    end_listen(&s, 0, 905, 64, 64);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    WAIT_FOR(s.opens);
    shutdown(fd, SHUT_RD);
    for (unsigned i = 0; i < 200; i++) {
        uint8_t byte = pattern_at(i);

        ck_assert_int_eq(write(fd, &byte, 1), 1);
    }
    ck_assert_int_eq(unik_stream_write(s.s, "x", 1), 1);
    WAIT_FOR(end_state(&s) == UNIK_VCHAN_DISCONNECTED);
    ck_assert_int_eq(unik_stream_write(s.s, "x", 1), -EPIPE);
    s.reading = true;
    end_get(&s);
    WAIT_FOR(unik_stream_ended(s.s) == 1);
    ck_assert_uint_eq(s.got, 200);
    end_close(&s);
    close(fd);
}
END_TEST

/* A peer that never reads: the output of a closed channel is given up after the deadline, and counted. */
START_TEST(flush_has_a_deadline)
{
    struct peer *p;
    struct end s;

    end_listen(&s, 0, 906, 64, 65536);
    p = peer_connect(pair.h, pair.dir, 1, 2, 906, PATIENCE);
    WAIT_FOR(s.opens);
    s.want_put = 10000000;
    end_put(&s);
    end_close(&s);
    ck_assert_uint_eq(host_counter(pair.ctx[0], "closing"), 1);
    ck_assert_uint_eq(host_counter(pair.ctx[0], "open"), 0);
    end_listen(&s, 0, 906, 64, 64);             /* its name is free meanwhile */
    end_close(&s);
    WAIT_FOR(host_counter(pair.ctx[0], "closing") == 0);
    ck_assert_uint_eq(host_counter(pair.ctx[0], "cut"), 1);
    peer_close(p);
}
END_TEST

/* The plugin's stop waits for such output; abandon does not. */
START_TEST(stop_flushes_first)
{
    static char bytes[400000];
    struct peer *p;
    struct end s;
    size_t n = 0, put;

    end_listen(&s, 0, 907, 64, 65536);
    p = peer_connect(pair.h, pair.dir, 1, 2, 907, PATIENCE);
    WAIT_FOR(s.opens);
    s.want_put = 10000000;
    end_put(&s);
    put = s.put;
    ck_assert_uint_le(put, sizeof(bytes));
    end_close(&s);
    host_stop(pair.ctx[0]);
    ck_assert_int_eq(host_state(pair.ctx[0]), HOST_STOPPING);
    if (_i == 0) {
        WAIT_FOR((n += peer_try_recv(p, bytes + n, sizeof(bytes) - n)) == put);
        ck_assert(host_wait(pair.ctx[0], HOST_STOPPED, PATIENCE));
        ck_assert_uint_eq(host_counter(pair.ctx[0], "cut"), 0);
    } else {
        host_stop_wait(pair.ctx[1], PATIENCE);
        pair.ctx[0]->plugin->abandon(pair.ctx[0]);
        ck_assert_uint_eq(host_counter(pair.ctx[0], "cut"), 1);
        ck_assert_int_eq(host_start(pair.ctx[1]), 0);
        pair.ctx[0]->host->stopped(pair.ctx[0]);
    }
    peer_close(p);
    ck_assert_int_eq(host_start(pair.ctx[0]), 0);
}
END_TEST

START_TEST(long_path_is_refused)
{
    char option[300], deep[200];
    const char *const options[] = { option, "domid=1", NULL };
    struct host *h = host_new(EV_DEFAULT, UNIK_ON_QUBES, NULL);
    struct unik_stream *s;
    struct unik_vchan *v;
    struct unik_ctx *ctx;

    memset(deep, 'd', sizeof(deep));
    snprintf(option, sizeof(option), "dir=/%.*s", 89, deep);          /* vchan.0.1.1.sock still fits */
    ctx = host_add(h, &unik_plugin_vchan_socket, options);
    ck_assert_int_eq(host_start(ctx), 0);
    v = host_interface(h, "vchan/1");
    ck_assert_int_eq(v->listen(v, NULL, 12345, 6000, 64, 64, NULL, NULL, &s), -ENAMETOOLONG);
    ck_assert_int_eq(v->connect(v, NULL, 12345, 6000, NULL, NULL, &s), -ENAMETOOLONG);
    ck_assert_uint_eq(host_counter(ctx, "refused"), 2);
    host_stop_wait(ctx, PATIENCE);
    snprintf(option, sizeof(option), "dir=/%.*s", 120, deep);
    ctx = host_add(h, &unik_plugin_vchan_socket, options);
    ck_assert_int_eq(host_start(ctx), -EINVAL);
    host_free(h);
}
END_TEST

START_TEST(environment_is_read)
{
    static const char *const bad[] = { "one", "-1", "32752", "", "1 " };
    struct host *h = host_new(EV_DEFAULT, UNIK_ON_QUBES, NULL);
    struct unik_ctx *ctx = host_add(h, &unik_plugin_vchan_socket, NULL);
    struct unik_vchan *v;
    struct unik_stream *s;

    ck_assert_int_eq(unik_plugin_vchan_socket.usable(ctx), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        setenv("VCHAN_DOMAIN", bad[i], 1);
        ck_assert_int_eq(host_start(ctx), -EINVAL);
    }
    setenv("VCHAN_DOMAIN", "17", 1);
    setenv("VCHAN_SOCKET_DIR", pair.dir, 1);
    ck_assert_int_eq(host_start(ctx), 0);
    v = host_interface(h, "vchan/1");
    ck_assert_int_eq(v->domid(v), 17);
    ck_assert_int_eq(v->listen(v, NULL, 0, 512, 64, 64, NULL, NULL, &s), 0);
    ck_assert(exists(path_of(17, 0, 512)));
    unik_stream_close(s);
    host_stop_wait(ctx, PATIENCE);
    unsetenv("VCHAN_DOMAIN");
    unsetenv("VCHAN_SOCKET_DIR");
    host_free(h);
}
END_TEST

/* No descriptor for the client: this channel ends and says why, the next one works. */
START_TEST(no_descriptor_for_the_client)
{
    struct rlimit old, low;
    struct peer *p;
    struct end s;
    int spare = dup(0);

    end_listen(&s, 0, 908, 64, 64);
    p = peer_connect(pair.h, pair.dir, 1, 2, 908, PATIENCE);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    WAIT_FOR(s.inputs);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    ck_assert_int_eq(end_state(&s), UNIK_VCHAN_DISCONNECTED);
    ck_assert_ptr_nonnull(strstr(pair.v[0]->reason(s.s), "accept"));
    ck_assert_int_eq(unik_stream_ended(s.s), 1);
    end_close(&s);
    peer_close(p);
    close(spare);
    end_listen(&s, 0, 908, 64, 64);
    end_close(&s);
}
END_TEST

/* How many descriptors of inotify this process has. */
static int inotify_fds(void)
{
    char link[64], to[64];
    int n = 0;

    for (int fd = 0; fd < 256; fd++) {
        ssize_t k;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        k = readlink(link, to, sizeof(to) - 1);
        to[k > 0 ? k : 0] = 0;
        n += strstr(to, "inotify") != NULL;
    }
    return n;
}

/* The folder comes after the client: no watch can tell of it, so the timer finds it. The descriptor of the watch stays open when
 * nobody waits any more: closing it would hold up the loop for every call. */
START_TEST(folder_that_comes_late)
{
    char dir[200], option[220];
    const char *const options[] = { option, "domid=3", NULL };
    struct host *h = host_new(EV_DEFAULT, UNIK_ON_QUBES, NULL);
    struct unik_ctx *ctx;
    struct unik_vchan *v;
    struct unik_stream *s;
    struct peer *p;
    int before = inotify_fds();

    snprintf(dir, sizeof(dir), "%s/late", pair.dir);
    snprintf(option, sizeof(option), "dir=%s", dir);
    ctx = host_add(h, &unik_plugin_vchan_socket, options);
    ck_assert_int_eq(host_start(ctx), 0);
    v = host_interface(h, "vchan/1");
    ck_assert_int_eq(v->listen(v, NULL, 0, 1, 64, 64, NULL, NULL, &s), -ENOENT);
    ck_assert_int_eq(v->connect(v, NULL, 0, 1, NULL, NULL, &s), 0);
    host_run(h, 0.05);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    host_run(h, 0.3);                           /* now the folder is watched ... */
    ck_assert_int_eq(rmdir(dir), 0);            /* ... goes ... */
    host_run(h, 0.05);
    ck_assert_int_eq(mkdir(dir, 0700), 0);      /* ... and comes again */
    p = peer_listen(h, dir, 0, 3, 1);
    ck_assert(peer_accept(p, PATIENCE));
    WAIT_FOR(v->state(s) == UNIK_VCHAN_CONNECTED);
    ck_assert_int_eq(inotify_fds(), before + 1);
    unik_stream_close(s);
    peer_close(p);
    host_stop_wait(ctx, PATIENCE);
    ck_assert_int_eq(inotify_fds(), before);
    host_free(h);
    test_dir_remove(strdup(dir));
}
END_TEST

/* A path without listener: bound, and perhaps its server is gone. */
static void make_dead(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    close(fd);
}

/* The server makes its path while the client waits, and is gone before the two meet: nobody will come. */
START_TEST(server_comes_and_leaves)
{
    const char *path = path_of(1, 2, 909);
    char away[120];
    struct end b;

    snprintf(away, sizeof(away), "%s.away", path);
    end_connect(&b, 1, 909);
    host_run(pair.h, 0.01);
    make_dead(path);
    if (_i >= 3)                                /* ... and is seen to refuse */
        host_run(pair.h, 0.01);
    if (_i % 3 == 0)
        ck_assert_int_eq(unlink(path), 0);
    else if (_i % 3 == 1)
        ck_assert_int_eq(rename(path, away), 0);
    WAIT_FOR(end_state(&b) == UNIK_VCHAN_DISCONNECTED);
    ck_assert_uint_ge(b.inputs, 1);
    ck_assert_uint_eq(b.opens, 0);
    ck_assert_int_eq(unik_stream_ended(b.s), 1);
    ck_assert_str_eq(pair.v[1]->reason(b.s), "its server came and has left");
    end_close(&b);
    unlink(path);
    unlink(away);
}
END_TEST

/* The path of a server before ours says nothing about ours, be it there, or removed; nor does what happened before we looked. */
START_TEST(server_may_still_come)
{
    const char *path = path_of(1, 2, 909);
    struct end b, other;
    struct peer *p;

    end_connect(&other, 1, 910);
    host_run(pair.h, 0.01);                     /* the folder is watched */
    make_dead(path);
    if (_i >= 2)
        host_run(pair.h, 0.01);
    end_connect(&b, 1, 909);
    host_run(pair.h, 0.01);
    if (_i % 2)
        ck_assert_int_eq(unlink(path), 0);
    host_run(pair.h, 4);
    ck_assert_int_eq(end_state(&b), UNIK_VCHAN_WAITING);
    unlink(path);
    make_dead(path);                            /* one that is replaced at once, as a restarted one is */
    host_run(pair.h, 0.01);
    ck_assert_int_eq(unlink(path), 0);
    host_run(pair.h, 0.01);
    p = peer_listen(pair.h, pair.dir, 1, 2, 909);
    ck_assert(peer_accept(p, PATIENCE));
    WAIT_FOR(b.opens);
    end_close(&b);
    end_close(&other);
    peer_close(p);
    unlink(path);
}
END_TEST

START_TEST(too_many_are_refused)
{
    static struct end many[1024];
    struct unik_stream *s;

    for (unsigned i = 0; i < 1024; i++)
        end_connect(&many[i], 1, 1000 + i);
    ck_assert_int_eq(pair.v[1]->connect(pair.v[1], NULL, 1, 3000, NULL, NULL, &s), -EMFILE);
    host_run(pair.h, 0.05);
    ck_assert_int_le(open_fds(), pair.fds + 2);         /* each side's watch: those who wait have no descriptor of their own */
    for (unsigned i = 0; i < 1024; i++)
        end_close(&many[i]);
}
END_TEST

START_TEST(status_lists_channels)
{
    char text[1000];
    struct unik_text t;
    struct end a, b;

    end_pair(&a, &b, 910, 4096);
    ck_assert_int_eq(unik_stream_write(a.s, "12345", 5), 5);
    unik_text_init(&t, text, sizeof(text));
    pair.ctx[0]->plugin->status(pair.ctx[0], &t);
    ck_assert_ptr_nonnull(strstr(text, "domid: 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "dom2 port 910 connected, in 0/4096, out 5/4096\n"));
    end_close(&a);
    end_close(&b);
}
END_TEST

/* Blocks of a process that was killed: gone with the first new one; what has other names stays. */
START_TEST(old_pages_go)
{
    static const char *const names[] = { "1.77", "1.x", "11.5", "1." };
    struct unik_pages *p = pair.pages[0];
    struct unik_shared *s;
    char path[4][300], dir[200];

    snprintf(dir, sizeof(dir), "%s/grants", pair.dir);
    ck_assert(!exists(dir));
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    for (int i = 0; i < 4; i++) {
        snprintf(path[i], sizeof(path[i]), "%s/%s", dir, names[i]);
        fclose(fopen(path[i], "w"));
    }
    ck_assert_int_eq(p->share(p, 2, 1, false, &s), 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(exists(path[i]), i != 0);
    p->unshare(p, s);
    for (int i = 1; i < 4; i++)
        unlink(path[i]);
}
END_TEST

/* A folder that cannot be made; then it can. And a disk without room for the block. */
START_TEST(pages_without_a_place)
{
    struct unik_pages *p = pair.pages[0];
    struct rlimit was, small = { 4096, 4096 };
    struct unik_shared *s;
    char dir[200];

    snprintf(dir, sizeof(dir), "%s/grants", pair.dir);
    fclose(fopen(dir, "w"));
    ck_assert_int_eq(p->share(p, 2, 1, false, &s), -ENOTDIR);
    unlink(dir);
    getrlimit(RLIMIT_FSIZE, &was);
    small.rlim_max = was.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    ck_assert_int_eq(p->share(p, 2, 2, false, &s), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &was);
    ck_assert_int_eq(p->share(p, 2, 2, false, &s), 0);
    ck_assert_uint_eq(s->refs[1], s->refs[0] + 1);
    p->unshare(p, s);
}
END_TEST

TCase *suite_sockets(void)
{
    TCase *t = tcase_create("sockets");

    tcase_add_checked_fixture(t, suite_up, suite_down);
    tcase_set_timeout(t, 900);
    tcase_add_test(t, stock_server);
    tcase_add_test(t, abort_drops_what_waits);
    tcase_add_test(t, path_left_behind);
    tcase_add_test(t, path_goes_with_the_first_client);
    tcase_add_test(t, only_its_own_path_is_removed);
    tcase_add_test(t, half_close_ends_it);
    tcase_add_test(t, peer_refuses_our_output);
    tcase_add_test(t, flush_has_a_deadline);
    tcase_add_loop_test(t, stop_flushes_first, 0, 2);
    tcase_add_test(t, long_path_is_refused);
    tcase_add_test(t, environment_is_read);
    tcase_add_test(t, no_descriptor_for_the_client);
    tcase_add_test(t, folder_that_comes_late);
    tcase_add_loop_test(t, server_comes_and_leaves, 0, 6);
    tcase_add_loop_test(t, server_may_still_come, 0, 4);
    tcase_add_test(t, too_many_are_refused);
    tcase_add_test(t, status_lists_channels);
    tcase_add_test(t, old_pages_go);
    tcase_add_test(t, pages_without_a_place);
    return t;
}
