/* SPDX-License-Identifier: BSD-2-Clause */
/* poll, select, epoll: what is ready, what is forgotten, what is refused. */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

#include "probe.h"

static void polls(void)
{
    struct pollfd p[5];
    char c[4096];
    int fd[2];

    pipe2(fd, O_NONBLOCK);
    p[0] = (struct pollfd){ fd[0], POLLIN, 0 };
    p[1] = (struct pollfd){ fd[1], POLLOUT, 0 };
    p[2] = (struct pollfd){ -1, POLLIN, 77 };
    p[3] = (struct pollfd){ 77, POLLIN, 0 };
    p[4] = (struct pollfd){ open("text", O_RDONLY), POLLIN | POLLOUT, 0 };
    P("poll", poll(p, 5, 0));
    probe_text("each", "%x %x %x %x %x", p[0].revents, p[1].revents, p[2].revents, p[3].revents, p[4].revents);
    P("poll none ready", poll(p, 1, 1));
    write(fd[1], "x", 1);
    P("poll input", poll(p, 1, -1));
    while (write(fd[1], c, sizeof(c)) > 0)
        ;
    P("poll full", poll(p + 1, 1, 0));
    close(fd[1]);
    P("poll closed writer", poll(p, 1, -1));
    probe_text("events", "%x", p[0].revents);
    while (read(fd[0], c, sizeof(c)) > 0)
        ;
    P("poll at the end", poll(p, 1, -1));
    probe_text("events", "%x", p[0].revents);
    close(fd[0]);
    pipe2(fd, O_NONBLOCK);
    close(fd[0]);
    p[0] = (struct pollfd){ fd[1], POLLOUT, 0 };
    P("poll no reader", poll(p, 1, -1));
    probe_text("events", "%x", p[0].revents);
    close(fd[1]);
    P("poll bad pointer", syscall(SYS_poll, bad_near, 2, 0));
    P("poll nothing", poll(NULL, 0, 1));
    P("poll too many", syscall(SYS_poll, p, 100000000u, 0));
    P("ppoll time", syscall(SYS_ppoll, p, 0, &(struct timespec){ 0, 2000000000 }, NULL, 8));
    P("ppoll", syscall(SYS_ppoll, p, 0, &(struct timespec){ 0, 1000 }, NULL, 8));
    close(p[4].fd);
}

static void selects(void)
{
    struct timeval now = { 0, 0 };
    fd_set r, w;
    int fd[2];

    pipe2(fd, O_NONBLOCK);
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_SET(fd[0], &r);
    FD_SET(fd[1], &w);
    P("select", select(fd[1] + 1, &r, &w, NULL, &now));
    probe_text("sets", "%d %d", FD_ISSET(fd[0], &r) != 0, FD_ISSET(fd[1], &w) != 0);
    write(fd[1], "x", 1);
    FD_SET(fd[0], &r);
    P("select input", select(fd[1] + 1, &r, &w, NULL, NULL));
    probe_text("sets", "%d %d", FD_ISSET(fd[0], &r) != 0, FD_ISSET(fd[1], &w) != 0);
    FD_SET(40, &r);
    P("select closed", select(41, &r, NULL, NULL, &now));
    P("select negative", select(-1, NULL, NULL, NULL, &now));
    close(fd[0]);
    close(fd[1]);
}

static struct epoll_event e[8];

static long ctl(int ep, int op, int fd, uint32_t events)
{
    return epoll_ctl(ep, op, fd, &(struct epoll_event){ events, { .u32 = (uint32_t)fd } });
}

static void show(const char *what, int ep, int max)
{
    char text[200] = "";
    size_t used = 0;
    int n = epoll_wait(ep, e, max, 0);

    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, " %u:%x", e[i].data.u32, e[i].events);
    probe_text(what, "%d%s", n, text);
}

static void epolls(void)
{
    uint64_t one = 1;
    int ep = epoll_create1(EPOLL_CLOEXEC), other, a, b, copy, file, fd[2];

    P("create", ep);
    P("create flags", epoll_create1(0x40));
    P("create size 0", syscall(SYS_epoll_create, 0));
    a = eventfd(0, EFD_NONBLOCK);
    b = eventfd(0, EFD_NONBLOCK);
    file = open("text", O_RDONLY);
    P("add", ctl(ep, EPOLL_CTL_ADD, a, EPOLLIN));
    P("add again", ctl(ep, EPOLL_CTL_ADD, a, EPOLLIN));
    P("add closed", ctl(ep, EPOLL_CTL_ADD, 77, EPOLLIN));
    P("add itself", ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN));
    P("add a file", ctl(ep, EPOLL_CTL_ADD, file, EPOLLIN));
    P("mod that is not in", ctl(ep, EPOLL_CTL_MOD, b, EPOLLIN));
    P("del that is not in", ctl(ep, EPOLL_CTL_DEL, b, 0));
    P("ctl unknown", ctl(ep, 77, b, EPOLLIN));
    P("ctl on an eventfd", ctl(a, EPOLL_CTL_ADD, b, EPOLLIN));
    P("ctl bad pointer", syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, b, bad_near));
    P("wait max 0", epoll_wait(ep, e, 0, 0));
    P("wait on an eventfd", epoll_wait(a, e, 8, 0));
    P("wait closed", epoll_wait(77, e, 8, 0));
    show("nothing", ep, 8);
    P("wait 1 ms", epoll_wait(ep, e, 8, 1));
    write(a, &one, 8);
    show("level", ep, 8);
    show("level again", ep, 8);
    P("wait bad pointer", syscall(SYS_epoll_wait, ep, bad_near, 8, 0));
    show("not lost", ep, 8);
    read(a, &one, 8);
    show("taken", ep, 8);
    P("mod out", ctl(ep, EPOLL_CTL_MOD, a, EPOLLIN | EPOLLOUT));
    show("writable", ep, 8);
    P("add b edge", ctl(ep, EPOLL_CTL_ADD, b, EPOLLIN | EPOLLET));
    write(b, &one, 8);
    ctl(ep, EPOLL_CTL_MOD, a, 0);
    show("edge", ep, 8);
    show("edge again", ep, 8);
    write(b, &one, 8);
    show("edge, new", ep, 8);
    P("one shot", ctl(ep, EPOLL_CTL_MOD, b, EPOLLIN | EPOLLONESHOT));
    show("one shot", ep, 8);
    show("one shot again", ep, 8);
    P("armed again", ctl(ep, EPOLL_CTL_MOD, b, EPOLLIN | EPOLLONESHOT));
    show("one shot", ep, 8);
    ctl(ep, EPOLL_CTL_MOD, b, EPOLLIN);
    ctl(ep, EPOLL_CTL_MOD, a, EPOLLOUT);
    show("one at a time", ep, 1);
    probe_is("in turn", e[0].data.u32 == (uint32_t)a || e[0].data.u32 == (uint32_t)b);
    one = e[0].data.u32;
    epoll_wait(ep, e, 1, 0);
    probe_is("the other", e[0].data.u32 != one);
    copy = dup(b);
    close(b);
    P("closed, but has a copy", epoll_wait(ep, e, 8, 0));
    close(copy);
    show("closed", ep, 8);
    other = epoll_create1(0);
    P("epoll in epoll", ctl(other, EPOLL_CTL_ADD, ep, EPOLLIN));
    show("inner is ready", other, 8);
    P("a ring", ctl(ep, EPOLL_CTL_ADD, other, EPOLLIN));
    ctl(ep, EPOLL_CTL_DEL, a, 0);
    show("inner is not", other, 8);
    close(other);
    pipe2(fd, O_NONBLOCK);
    ctl(ep, EPOLL_CTL_ADD, fd[0], EPOLLIN);
    ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN);
    show("pipe", ep, 8);
    close(fd[1]);
    show("hang up", ep, 8);
    close(fd[0]);
    show("gone", ep, 8);
    P("pwait2", syscall(SYS_epoll_pwait2, ep, e, 8, &(struct timespec){ 0, 1000 }, NULL, 8));
    close(ep);
    close(a);
    close(file);
}

void probe_waiting(void)
{
    polls();
    selects();
    epolls();
}
