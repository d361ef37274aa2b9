/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/fdio.h - descriptors of other programs, read and written without ever waiting for them.
 *
 * O_NONBLOCK belongs to the open file, which a shell, a terminal and the calling program share: it is not ours to set.
 * So a pipe or terminal is opened anew, a socket is asked call by call, and what allows neither is polled before each
 * small step.
 */
#ifndef UNIK_DOM0_FDIO_H
#define UNIK_DOM0_FDIO_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

struct fdio {
    int fd;                     /* -1: closed */
    enum { FDIO_PLAIN, FDIO_SOCKET, FDIO_CAREFUL } how;
    struct ev_loop *loop;
    ev_io ready;                /* started by read and write when they gave -EAGAIN; stops itself */
    void (*cb)(void *arg);
    void *arg;
};

/* Takes fd over; -1 is fine. writing: it will be written to, else read. */
void fdio_open(struct fdio *f, struct ev_loop *loop, int fd, bool writing, void (*cb)(void *arg), void *arg);
void fdio_close(struct fdio *f);
/* Bytes, 0 at the end, or a negative errno; after -EAGAIN cb tells when to try again. */
ssize_t fdio_read(struct fdio *f, void *bytes, size_t n);
ssize_t fdio_write(struct fdio *f, const void *bytes, size_t n);

#endif
