/* SPDX-License-Identifier: BSD-2-Clause */
/* bench/qrexec - what a call costs the guest, and bytes a second through one, against a plain socket pair that moves the same
 * bytes in the same chunks. dom0 is another process that does as little as it can. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unik/qrexec.h>
#include "protocol/qrexec.h"
#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_qrexec, unik_plugin_vchan_socket;

#define CALLS 20000
#define TOTAL ((uint64_t)1 << 30)
#define RUNS 3                          /* the best one counts */

static char chunk[65536], dir[] = "/tmp/unik-bench-XXXXXX";

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- a plain socket pair ---- */

static void write_all(int fd, const void *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = send(fd, (const char *)bytes + done, n - done, MSG_NOSIGNAL);

        if (k <= 0)
            die("send");
        done += (size_t)k;
    }
}

static uint64_t read_all(int fd, uint64_t n)
{
    static char got[65536 + QREXEC_HEADER];
    uint64_t sum = 0;

    while (sum < n) {
        ssize_t k = read(fd, got, sizeof(got));

        if (k <= 0)
            break;
        sum += (uint64_t)k;
    }
    return sum;
}

static double run_pair(size_t n)
{
    double begin = ev_time();
    int fds[2];
    pid_t pid = -1;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 || (pid = fork()) < 0)
        die("socketpair");
    if (pid == 0) {
        for (uint64_t sum = 0; sum < TOTAL; sum += n)
            write_all(fds[1], chunk, n);
        _exit(0);
    }
    if (read_all(fds[0], TOTAL) != TOTAL)
        die("read");
    waitpid(pid, NULL, 0);
    close(fds[0]);
    close(fds[1]);
    return (double)TOTAL / (ev_time() - begin);
}

/* ---- dom0 ---- */

static void path_of(struct sockaddr_un *a, int server, int client, unsigned port)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(a->sun_path, sizeof(a->sun_path), "%s/vchan.%d.%d.%u.sock", dir, server, client, port);
}

static void expect(int fd, size_t n)
{
    char got[64];

    if (recv(fd, got, n, MSG_WAITALL) != (ssize_t)n)
        die("recv");
}

static int dom0_connect(void)
{
    uint8_t hello[12];
    struct sockaddr_un a;
    int fd;

    path_of(&a, 1, 0, QREXEC_PORT);
    while ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        close(fd);
        usleep(1000);
    }
    expect(fd, sizeof(hello));
    qrexec_encode_hello(hello, sizeof(hello), 4);
    write_all(fd, hello, sizeof(hello));
    return fd;
}

/* Ask for a service, and take its data channel. */
static int dom0_call(int control, const char *line)
{
    uint8_t message[200];
    struct sockaddr_un a;
    int fd, listener = socket(AF_UNIX, SOCK_STREAM, 0);
    int n = qrexec_encode_exec(message, sizeof(message), QREXEC_EXEC_CMDLINE, 0, 513, line, strlen(line));

    path_of(&a, 0, 1, 513);
    if (listener < 0 || bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(listener, 1) < 0)
        die("listen");
    write_all(control, message, (size_t)n);
    fd = accept(listener, NULL, NULL);
    close(listener);
    unlink(a.sun_path);
    qrexec_encode_hello(message, sizeof(message), 4);
    write_all(fd, message, 12);
    expect(fd, 12);
    return fd;
}

static void dom0_end(int control, int fd)
{
    read_all(fd, UINT64_MAX);
    close(fd);
    expect(control, QREXEC_HEADER + 8);
}

static void dom0_small_calls(int control)
{
    uint8_t eof[QREXEC_HEADER];

    qrexec_encode_header(eof, QREXEC_STDIN, 0);
    for (int i = 0; i < CALLS; i++) {
        int fd = dom0_call(control, "user:QUBESRPC bench.Null dom0");

        write_all(fd, eof, sizeof(eof));
        dom0_end(control, fd);
    }
}

static void dom0_sends(int control, size_t n)
{
    int fd = dom0_call(control, "user:QUBESRPC bench.Sink dom0");
    uint8_t head[QREXEC_HEADER];
    struct iovec run[2] = { { head, sizeof(head) }, { chunk, n } };

    qrexec_encode_header(head, QREXEC_STDIN, (uint32_t)n);
    for (uint64_t sum = 0; sum < TOTAL; sum += n)
        if (writev(fd, run, 2) != (ssize_t)(n + sizeof(head)))
            die("writev");
    qrexec_encode_header(head, QREXEC_STDIN, 0);
    write_all(fd, head, sizeof(head));
    dom0_end(control, fd);
}

/* ---- the guest ---- */

struct guest {
    struct host *h;
    size_t n;
    uint64_t sum;
};

static void on_null(struct unik_stream *io, unsigned events, void *arg)
{
    (void)events, (void)arg;
    if (unik_stream_ended(io))
        unik_stream_close(io);
}

static void on_sink(struct unik_stream *io, unsigned events, void *arg)
{
    const void *at;
    size_t n;

    (void)events, (void)arg;
    while ((n = unik_stream_peek(io, &at)) > 0)
        unik_stream_consume(io, n);
    if (unik_stream_ended(io))
        unik_stream_close(io);
}

static void on_source(struct unik_stream *io, unsigned events, void *arg)
{
    struct guest *g = arg;

    (void)events;
    while (g->sum < TOTAL) {
        ssize_t k = unik_stream_write(io, chunk, g->n);

        if (k < 0)
            die("unik_stream_write");
        g->sum += (uint64_t)k;
        if ((size_t)k < g->n)
            return;
    }
    unik_stream_close(io);
}

static void null(struct unik_qrexec_call *call, void *arg) { unik_stream_on(call->io, on_null, arg); }
static void sink(struct unik_qrexec_call *call, void *arg) { unik_stream_on(call->io, on_sink, arg); }

static void source(struct unik_qrexec_call *call, void *arg)
{
    unik_stream_on(call->io, on_source, arg);
    on_source(call->io, 0, arg);
}

static double cpu(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void on_child(struct ev_loop *loop, ev_child *w, int revents)
{
    (void)revents;
    if (w->rstatus)
        exit(1);
    ev_break(loop, EVBREAK_ALL);
}

enum what { SMALL, IN, OUT };

/* One run with a dom0 of its own: seconds, and in *used those of the guest's processor time. */
static double run(enum what what, size_t n, double *used)
{
    static const char *const options[] = { "services=no", NULL };
    struct ev_loop *loop = ev_default_loop(0);
    struct guest g = { .h = host_new(loop, UNIK_ON_QUBES, stderr), .n = n };
    char option[64];
    const char *const vchan_options[] = { "domid=1", option, NULL };
    struct unik_ctx *vchan, *qrexec;
    struct unik_qrexec *q;
    double begin, before;
    ev_child child;
    pid_t pid = fork();

    if (pid == 0) {
        int control = dom0_connect();

        if (what == SMALL)
            dom0_small_calls(control);
        else if (what == IN)
            dom0_sends(control, n);
        else
            dom0_end(control, dom0_call(control, "user:QUBESRPC bench.Source dom0"));
        _exit(0);
    }
    ev_loop_fork(loop);
    host_set_level(g.h, UNIK_ERROR);
    snprintf(option, sizeof(option), "dir=%s", dir);
    vchan = host_add(g.h, &unik_plugin_vchan_socket, vchan_options);
    qrexec = host_add(g.h, &unik_plugin_qrexec, options);
    if (host_start(vchan) < 0 || host_start(qrexec) < 0)
        exit(1);
    q = host_interface(g.h, "qrexec/1");
    q->serve(q, vchan, "bench.Null", null, &g, NULL);
    q->serve(q, vchan, "bench.Sink", sink, &g, NULL);
    q->serve(q, vchan, "bench.Source", source, &g, NULL);
    ev_child_init(&child, on_child, pid, 0);
    ev_child_start(loop, &child);
    begin = ev_time();
    before = cpu();
    ev_run(loop, 0);
    *used = cpu() - before;
    begin = ev_time() - begin;
    ev_child_stop(loop, &child);
    host_stop_wait(qrexec, 1);
    host_stop_wait(vchan, 1);
    host_free(g.h);
    return begin;
}

int main(void)
{
    static const size_t sizes[] = { 4096, 65536 };
    double used, best = 1e9, seconds;

    if (!mkdtemp(dir))
        die("mkdtemp");
    for (int i = 0; i < RUNS; i++) {
        seconds = run(SMALL, 0, &used);
        best = used < best ? used : best;
    }
    printf("qrexec, an empty call of a service in the process: %.1f us of the guest, %.1f us from end to end\n",
           best / CALLS * 1e6, seconds / CALLS * 1e6);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        double plain = 0, in = 0, out = 0, rate;

        for (int k = 0; k < RUNS; k++) {
            rate = run_pair(sizes[i]);
            plain = rate > plain ? rate : plain;
            rate = (double)TOTAL / run(IN, sizes[i], &used);
            in = rate > in ? rate : in;
            rate = (double)TOTAL / run(OUT, sizes[i], &used);
            out = rate > out ? rate : out;
        }
        printf("qrexec, chunks of %5zu: in %5.0f MiB/s, out %5.0f MiB/s, socket pair %5.0f MiB/s, ratio %.2f in, %.2f out\n",
               sizes[i], in / (1 << 20), out / (1 << 20), plain / (1 << 20), in / plain, out / plain);
    }
    rmdir(dir);
    return 0;
}
