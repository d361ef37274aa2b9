/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/fdio.c - descriptors of other programs, read and written without ever waiting for them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/unik-dom0/fdio.h"

#define CAREFUL_MAX 4096        /* a pipe that polls writable takes so much without waiting (PIPE_BUF) */

static void on_ready(struct ev_loop *loop, ev_io *w, int revents)
{
    struct fdio *f = w->data;

    (void)revents;
    ev_io_stop(loop, w);
    f->cb(f->arg);
}

/* A second open file on the same pipe or terminal, which may be non-blocking. */
static int open_again(int fd, bool writing)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, (writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void fdio_open(struct fdio *f, struct ev_loop *loop, int fd, bool writing, void (*cb)(void *arg), void *arg)
{
    struct stat st;
    int again;

    *f = (struct fdio){ .fd = fd, .how = FDIO_PLAIN, .loop = loop, .cb = cb, .arg = arg };
    if (fd >= 0 && fstat(fd, &st) == 0) {
        if (S_ISSOCK(st.st_mode))
            f->how = FDIO_SOCKET;
        else if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
            again = open_again(fd, writing);
            if (again >= 0) {
                close(fd);
                f->fd = again;
            } else
                f->how = FDIO_CAREFUL;
        }
    }
    ev_io_init(&f->ready, on_ready, f->fd, writing ? EV_WRITE : EV_READ);
    f->ready.data = f;
}

void fdio_close(struct fdio *f)
{
    if (f->fd < 0)
        return;
    ev_io_stop(f->loop, &f->ready);
    close(f->fd);
    f->fd = -1;
}

static bool would_wait(struct fdio *f, short events)
{
    struct pollfd p = { .fd = f->fd, .events = events };

    return f->how == FDIO_CAREFUL && poll(&p, 1, 0) == 0;
}

static ssize_t result(struct fdio *f, ssize_t n)
{
    if (n >= 0)
        return n;
    if (errno == EWOULDBLOCK || errno == EINTR)
        errno = EAGAIN;
    if (errno == EAGAIN)
        ev_io_start(f->loop, &f->ready);
    return -errno;
}

ssize_t fdio_read(struct fdio *f, void *bytes, size_t n)
{
    if (would_wait(f, POLLIN)) {
        errno = EAGAIN;
        return result(f, -1);
    }
    if (f->how == FDIO_SOCKET)
        return result(f, recv(f->fd, bytes, n, MSG_DONTWAIT));
    return result(f, read(f->fd, bytes, n));
}

ssize_t fdio_write(struct fdio *f, const void *bytes, size_t n)
{
    if (would_wait(f, POLLOUT)) {
        errno = EAGAIN;
        return result(f, -1);
    }
    if (f->how == FDIO_SOCKET)
        return result(f, send(f->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL));
    if (f->how == FDIO_CAREFUL && n > CAREFUL_MAX)
        n = CAREFUL_MAX;
    return result(f, write(f->fd, bytes, n));
}
