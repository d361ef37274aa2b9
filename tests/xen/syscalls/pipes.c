/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes and eventfd. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "probe.h"

static char bytes[70000];

static void pipes(void)
{
    struct stat st;
    int fd[2], n = 0;

    signal(SIGPIPE, SIG_IGN);
    P("pipe flags", pipe2(fd, 0x40));
    P("pipe bad pointer", syscall(SYS_pipe2, bad_near, 0));
    P("none left open", fcntl(3, F_GETFD));
    P("pipe", pipe2(fd, O_NONBLOCK | O_CLOEXEC));
    probe_text("ends", "%d %d", fd[0], fd[1]);
    P("getfl read", fcntl(fd[0], F_GETFL));
    P("getfl write", fcntl(fd[1], F_GETFL));
    P("getfd", fcntl(fd[0], F_GETFD));
    fstat(fd[0], &st);
    probe_text("mode", "%o", st.st_mode);
    P("read empty", read(fd[0], bytes, 1));
    P("read from the writer", read(fd[1], bytes, 1));
    P("write to the reader", write(fd[0], bytes, 1));
    P("write none", write(fd[1], bytes, 0));
    P("write", write(fd[1], "abcdef", 6));
    P("write bad pointer", write(fd[1], bad_near, 6));
    ioctl(fd[0], FIONREAD, &n);
    probe("bytes in it", n);
    P("read part", read(fd[0], bytes, 4));
    P("read bad pointer", read(fd[0], bad_near, 4));
    P("read the rest", read(fd[0], bytes + 4, 10));
    probe_text("text", "%.6s", bytes);
    P("seek", lseek(fd[0], 0, SEEK_SET));
    P("pread", pread(fd[0], bytes, 1, 0));
    P("fill", write(fd[1], bytes, sizeof(bytes)));
    P("full", write(fd[1], bytes, 1));
    P("take 5000", read(fd[0], bytes, 5000));
    P("4096 more", write(fd[1], bytes, 4096));
    P("take all", read(fd[0], bytes, sizeof(bytes)));
    for (int i = 0; i < 3000; i++) {        /* round and round: every byte comes as it went */
        char in[100], out[100];

        memset(in, i, sizeof(in));
        n += write(fd[1], in, sizeof(in)) == sizeof(in) && read(fd[0], out, sizeof(out)) == sizeof(out) &&
             memcmp(in, out, sizeof(in)) == 0;
    }
    probe("rounds", n);
    P("readv", (write(fd[1], "0123456789", 10), readv(fd[0], (struct iovec[]){ { bytes, 4 }, { bytes + 10, 100 } }, 2)));
    probe_text("pieces", "%.4s %.6s", bytes, bytes + 10);
    write(fd[1], "last", 4);
    P("close writer", close(fd[1]));
    P("read what is left", read(fd[0], bytes, 100));
    P("then the end", read(fd[0], bytes, 100));
    close(fd[0]);
    pipe2(fd, O_NONBLOCK);
    close(fd[0]);
    P("write without reader", write(fd[1], "x", 1));
    close(fd[1]);
}

static void eventfds(void)
{
    uint64_t v, three[3];
    int fd = eventfd(3, EFD_NONBLOCK);

    P("eventfd", fd);
    P("read short", read(fd, &v, 4));
    P("read", read(fd, &v, 8));
    probe("value", (long)v);
    P("read again", read(fd, &v, 8));
    v = 5;
    P("write", write(fd, &v, 8));
    P("write", write(fd, &v, 8));
    P("write short", write(fd, &v, 4));
    P("write bad pointer", write(fd, bad_near, 8));
    v = UINT64_MAX;
    P("write most", write(fd, &v, 8));
    v = UINT64_MAX - 1;
    P("write too much", write(fd, &v, 8));
    P("read", read(fd, three, 20));
    probe("sum", (long)three[0]);
    write(fd, (uint64_t[]){ 1 }, 8);
    P("read bad pointer", read(fd, bad_near, 8));
    P("eventfd flags", eventfd(0, 0x40));
    P("seek", lseek(fd, 0, SEEK_SET));
    close(fd);
    fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    P("semaphore", read(fd, &v, 8));
    probe("one", (long)v);
    P("semaphore", read(fd, &v, 8));
    P("semaphore", read(fd, &v, 8));
    close(fd);
}

void probe_pipes(void)
{
    pipes();
    eventfds();
}
