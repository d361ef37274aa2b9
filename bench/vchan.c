/* SPDX-License-Identifier: BSD-2-Clause */
/* bench/vchan - bytes a second from one process to another through the socket vchan, against a plain socket pair that
 * moves the same bytes in the same chunks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unik/vchan.h>
#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_vchan_socket;

#define TOTAL ((uint64_t)1 << 30)       /* bytes of one run */
#define RUNS 3                          /* the best one counts */
#define RING 65536                      /* what qrexec asks for its data channels (doc/protocol/vchan.md, 1) */
#define PORT 513

static char chunk[65536];
static char dir[] = "/tmp/unik-bench-XXXXXX";

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- a plain socket pair ---- */

static void pair_write(int fd, size_t n)
{
    for (uint64_t sum = 0; sum < TOTAL; sum += n)
        for (size_t done = 0; done < n;) {
            ssize_t k = write(fd, chunk + done, n - done);

            if (k <= 0)
                die("write");
            done += (size_t)k;
        }
}

static void pair_read(int fd, size_t n)
{
    for (uint64_t sum = 0; sum < TOTAL;) {
        ssize_t k = read(fd, chunk, n);

        if (k <= 0)
            die("read");
        sum += (uint64_t)k;
    }
}

static double run_pair(size_t n)
{
    double begin = ev_time();
    int fds[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 || (pid = fork()) < 0)
        die("socketpair");
    if (pid == 0) {
        pair_write(fds[1], n);
        _exit(0);
    }
    pair_read(fds[0], n);
    waitpid(pid, NULL, 0);
    close(fds[0]);
    close(fds[1]);
    return (double)TOTAL / (ev_time() - begin);
}

/* ---- the vchan ---- */

struct side {
    struct ev_loop *loop;
    size_t n;
    uint64_t sum;
    double begin;
};

static void on_writer(struct unik_stream *s, unsigned events, void *arg)
{
    struct side *side = arg;

    (void)events;
    while (side->sum < TOTAL) {
        size_t n = TOTAL - side->sum < side->n ? (size_t)(TOTAL - side->sum) : side->n;
        ssize_t k = unik_stream_write(s, chunk, n);

        if (k < 0)
            die("unik_stream_write");
        side->sum += (uint64_t)k;
        if ((size_t)k < n)
            return;
    }
    if (unik_stream_ended(s))
        ev_break(side->loop, EVBREAK_ALL);
}

static void on_reader(struct unik_stream *s, unsigned events, void *arg)
{
    struct side *side = arg;
    const void *at;
    size_t n;

    if (events & UNIK_STREAM_OPEN)
        side->begin = ev_time();
    while ((n = unik_stream_peek(s, &at)) > 0) {
        unik_stream_consume(s, n);      /* in place: neither side of the comparison looks at the bytes */
        side->sum += n;
    }
    if (side->sum == TOTAL)
        ev_break(side->loop, EVBREAK_ALL);
    else if (unik_stream_ended(s))
        die("unik_stream_ended");
}

/* One side: domain 1 reads and is the server, domain 2 writes. Bytes a second. */
static double run_side(bool reads, size_t n)
{
    char option[64];
    const char *const options[] = { reads ? "domid=1" : "domid=2", option, NULL };
    struct side side = { .loop = ev_loop_new(0), .n = n };
    struct host *h = host_new(side.loop, UNIK_ON_QUBES, stderr);
    struct unik_stream *s = NULL;
    struct unik_vchan *v;
    struct unik_ctx *ctx;

    host_set_level(h, UNIK_WARNING);
    snprintf(option, sizeof(option), "dir=%s", dir);
    ctx = host_add(h, &unik_plugin_vchan_socket, options);
    if (!ctx || host_start(ctx) < 0)
        exit(1);
    v = host_interface(h, "vchan/1");
    if ((reads ? v->listen(v, NULL, 2, PORT, RING, RING, on_reader, &side, &s) :
         v->connect(v, NULL, 1, PORT, on_writer, &side, &s)) < 0)
        exit(1);
    ev_run(side.loop, 0);
    side.begin = ev_time() - side.begin;
    unik_stream_close(s);
    host_stop_wait(ctx, 1);
    host_free(h);
    ev_loop_destroy(side.loop);
    return (double)TOTAL / side.begin;
}

static double run_vchan(size_t n)
{
    pid_t pid = fork();
    double rate;

    if (pid < 0)
        die("fork");
    if (pid == 0) {
        run_side(false, n);
        _exit(0);
    }
    rate = run_side(true, n);
    waitpid(pid, NULL, 0);
    return rate;
}

int main(void)
{
    static const size_t sizes[] = { 4096, 65536 };

    if (!mkdtemp(dir))
        die("mkdtemp");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        double plain = 0, ours = 0, rate;

        for (int run = 0; run < RUNS; run++) {
            rate = run_pair(sizes[i]);
            plain = rate > plain ? rate : plain;
            rate = run_vchan(sizes[i]);
            ours = rate > ours ? rate : ours;
        }
        printf("vchan-socket, chunks of %5zu: %6.0f MiB/s, socket pair %6.0f MiB/s, ratio %.2f\n", sizes[i],
               ours / (1 << 20), plain / (1 << 20), ours / plain);
    }
    rmdir(dir);
    return 0;
}
