/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/peer.c - the other side of a socket vchan, played by a test. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/common/peer.h"

#define RETRY_SECONDS 0.005     /* between two connects */

struct peer {
    struct host *h;
    int listener, fd;           /* -1: none */
};

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
    (void)loop, (void)revents;
    *(bool *)w->data = true;
}

/* Run the loop until the descriptor is ready for `events`, at the latest until the deadline. */
static bool wait_io(struct peer *p, int fd, int events, ev_tstamp deadline)
{
    struct ev_loop *loop = ev_default_loop(0);
    bool ready = false;
    ev_io w;

    if (ev_time() >= deadline)
        return false;
    ev_io_init(&w, on_io, fd, events);
    w.data = &ready;
    ev_io_start(loop, &w);
    host_run_until(p->h, &ready, deadline - ev_time());
    ev_io_stop(loop, &w);
    return ready;
}

static bool again(void) { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static struct peer *peer_new(struct host *h, struct sockaddr_un *a, const char *dir, int server, int client,
                             unsigned port)
{
    struct peer *p = calloc(1, sizeof(*p));
    int n;

    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    n = snprintf(a->sun_path, sizeof(a->sun_path), "%s/vchan.%d.%d.%u.sock", dir, server, client, port);
    if (!p || n >= (int)sizeof(a->sun_path)) {
        fprintf(stderr, "peer: no memory, or a long path: %s\n", a->sun_path);
        free(p);
        return NULL;
    }
    *p = (struct peer){ .h = h, .listener = -1, .fd = -1 };
    return p;
}

struct peer *peer_listen(struct host *h, const char *dir, int server, int client, unsigned port)
{
    struct sockaddr_un a;
    struct peer *p = peer_new(h, &a, dir, server, client, port);

    if (!p)
        return NULL;
    unlink(a.sun_path);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(p->listener, 5) < 0) {
        fprintf(stderr, "peer: %s: %s\n", a.sun_path, strerror(errno));
        peer_close(p);
        return NULL;
    }
    return p;
}

struct peer *peer_connect(struct host *h, const char *dir, int server, int client, unsigned port, double seconds)
{
    ev_tstamp deadline = ev_time() + seconds;
    struct sockaddr_un a;
    struct peer *p = peer_new(h, &a, dir, server, client, port);

    while (p) {
        p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (p->fd >= 0 && connect(p->fd, (struct sockaddr *)&a, sizeof(a)) == 0)
            return p;
        if (ev_time() >= deadline) {
            fprintf(stderr, "peer: %s: %s\n", a.sun_path, strerror(errno));
            break;
        }
        close_fd(&p->fd);
        host_run(h, RETRY_SECONDS);
    }
    peer_close(p);
    return NULL;
}

bool peer_accept(struct peer *p, double seconds)
{
    ev_tstamp deadline = ev_time() + seconds;

    peer_hang_up(p);
    while ((p->fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0)
        if (!again() || !wait_io(p, p->listener, EV_READ, deadline))
            return false;
    return true;
}

bool peer_send(struct peer *p, const void *bytes, size_t n)
{
    ev_tstamp deadline = ev_time() + PEER_SECONDS;
    size_t done = 0;

    while (done < n) {
        ssize_t k = send(p->fd, (const char *)bytes + done, n - done, MSG_NOSIGNAL);

        if (k > 0)
            done += (size_t)k;
        else if (!again() || !wait_io(p, p->fd, EV_WRITE, deadline))
            return false;
    }
    return true;
}

bool peer_recv(struct peer *p, void *bytes, size_t n, double seconds)
{
    ev_tstamp deadline = ev_time() + seconds;
    size_t done = 0;

    while (done < n) {
        ssize_t k = recv(p->fd, (char *)bytes + done, n - done, 0);

        if (k > 0)
            done += (size_t)k;
        else if (k == 0 || !again() || !wait_io(p, p->fd, EV_READ, deadline))
            return false;
    }
    return true;
}

bool peer_expect(struct peer *p, const void *bytes, size_t n)
{
    const unsigned char *want = bytes;
    unsigned char got[4096];
    size_t at = 0;

    while (at < n) {
        size_t k = n - at, i = 0;

        if (k > sizeof(got))
            k = sizeof(got);
        if (!peer_recv(p, got, k, PEER_SECONDS)) {
            fprintf(stderr, "peer: expected %zu bytes, but those from %zu on did not come\n", n, at);
            return false;
        }
        while (i < k && got[i] == want[at + i])
            i++;
        at += i;
        if (i < k) {
            fprintf(stderr, "peer: byte %zu of %zu: expected %02x, got %02x\n", at, n, want[at], got[i]);
            return false;
        }
    }
    return true;
}

size_t peer_try_recv(struct peer *p, void *bytes, size_t n)
{
    ssize_t k = recv(p->fd, bytes, n, 0);

    return k > 0 ? (size_t)k : 0;
}

bool peer_closed(struct peer *p, double seconds)
{
    ev_tstamp deadline = ev_time() + seconds;

    for (;;) {
        char dropped[4096];
        ssize_t k = recv(p->fd, dropped, sizeof(dropped), 0);

        if (k == 0 || (k < 0 && errno == ECONNRESET))
            return true;
        if (k < 0 && (!again() || !wait_io(p, p->fd, EV_READ, deadline)))
            return false;
    }
}

void peer_hang_up(struct peer *p) { close_fd(&p->fd); }

void peer_close(struct peer *p)
{
    if (!p)
        return;
    close_fd(&p->fd);
    close_fd(&p->listener);
    free(p);
}

char *test_dir(void)
{
    char *dir = strdup("/tmp/unik-test-XXXXXX");

    if (!dir || !mkdtemp(dir)) {
        fprintf(stderr, "peer: no folder for the test: %s\n", strerror(errno));
        abort();
    }
    return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void test_dir_remove(char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(dir);
}
