/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/net1/far.c - what the cases share: events of streams, and the far end's plain sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net1/bed.h"

#define TURNS 8000                      /* of a few milliseconds each */

struct end accepted[ACCEPTED_MAX];
unsigned n_accepted;
static unsigned taken;                  /* of those, by bed_accept() */

void end_wait(struct end *e)
{
    ck_assert(host_run_until(bed.h, &e->flag, BED_LONG));
    e->flag = false;
}

void end_input(struct end *e)
{
    const void *p;

    for (int i = 0; i < TURNS && unik_stream_peek(e->s, &p) == 0 && unik_stream_ended(e->s) == 0; i++)
        host_run(bed.h, 0.005);
    ck_assert(unik_stream_peek(e->s, &p) > 0 || unik_stream_ended(e->s) != 0);
}

void bed_on_accept(struct unik_stream *s, void *arg)
{
    struct end *e = &accepted[n_accepted++ % ACCEPTED_MAX];

    memset(e, 0, sizeof(*e));
    e->s = s;
    e->close_at_once = arg != NULL;
    unik_stream_on(s, end_event, e);
}

struct unik_net_listener *bed_listen(unsigned *port, void *arg)
{
    struct unik_net_listener *l = NULL;

    n_accepted = taken = 0;
    *port = 0;
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "", port, 64, bed_on_accept, arg, &l), 0);
    ck_assert_uint_gt(*port, 0);
    return l;
}

struct end *bed_accept(void)
{
    for (int i = 0; i < TURNS && n_accepted == taken; i++)
        host_run(bed.h, 0.005);
    ck_assert_uint_gt(n_accepted, taken);
    return &accepted[taken++ % ACCEPTED_MAX];
}

static struct sockaddr_in address(const char *text, unsigned port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

    ck_assert_int_eq(inet_pton(AF_INET, text, &a.sin_addr), 1);
    return a;
}

int far_connect(unsigned port)
{
    struct sockaddr_in us = address(bed.us, port), far = address(bed.far, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&far, sizeof(far)), 0);
    for (int i = 0; i < TURNS && connect(fd, (struct sockaddr *)&us, sizeof(us)) < 0 && errno != EISCONN; i++) {
        ck_assert(errno == EINPROGRESS || errno == EALREADY);
        host_run(bed.h, 0.005);
    }
    return fd;
}

int far_listen(int type, unsigned *port)
{
    struct sockaddr_in a = address(bed.far, *port);
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert(type != SOCK_STREAM || listen(fd, 64) == 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

int far_accept(int fd)
{
    int s = -1;

    for (int i = 0; i < TURNS && (s = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0; i++)
        host_run(bed.h, 0.005);
    ck_assert_int_ge(s, 0);
    return s;
}

ssize_t far_read(int fd, void *buf, size_t n)
{
    size_t done = 0;

    for (int i = 0; i < TURNS && done < n; i++) {
        ssize_t k = recv(fd, (char *)buf + done, n - done, 0);

        if (k == 0 || (k < 0 && errno != EAGAIN))
            return done ? (ssize_t)done : k < 0 ? -errno : 0;
        done += k > 0 ? (size_t)k : 0;
        if (k < 0)
            host_run(bed.h, 0.005);
    }
    return (ssize_t)done;
}

void far_write(int fd, const void *bytes, size_t n)
{
    size_t done = 0;

    for (int i = 0; i < TURNS && done < n; i++) {
        ssize_t k = send(fd, (const char *)bytes + done, n - done, MSG_NOSIGNAL);

        ck_assert(k > 0 || (k < 0 && errno == EAGAIN));
        done += k > 0 ? (size_t)k : 0;
        if (k < 0)
            host_run(bed.h, 0.005);
    }
    ck_assert_uint_eq(done, n);
}

void pattern(uint8_t *to, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)((from + i) * 7 >> 3);
}
