/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/net-offer.c - the VM's end of its cable: a TAP's descriptor, for whoever connects to DIR/tap.DOMID.
 * One VM has one cable: who comes later takes it from the one before. Without a connection the TAP has no carrier, so that
 * nothing is kept for a VM that is not there. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/unik-dom0/net.h"

#define STALE_FRAMES_MAX 4096           /* more than a TAP queues */
#define HEADER_BYTES 10                 /* of the header before each frame, until the VM says otherwise */

struct net_offer {
    struct vm *vm;
    int tap, folder, fd, client;        /* client -1: nobody */
    bool pulled;
    char name[32];
    ev_io accept, hangup;
};

bool net_offer_linked(const struct net_offer *o) { return o->client >= 0; }

const char *net_offer_state(const struct net_offer *o)
{
    return o->client >= 0 ? "link" : o->pulled ? "pulled" : "no link";
}

static void carrier(struct net_offer *o, int on)
{
    if (ioctl(o->tap, TUNSETCARRIER, &on) < 0)
        dom0_log(o->vm->dom0, UNIK_DEBUG, o->vm->name, "network: the carrier cannot be set");
}

static void drop(struct net_offer *o)
{
    if (o->client < 0)
        return;
    ev_io_stop(o->vm->dom0->loop, &o->hangup);
    close(o->client);
    o->client = -1;
    carrier(o, 0);
    dom0_state(o->vm->dom0, "%s: network gone", o->vm->name);
}

/* As if new: nothing in it that was meant for the one before, nor of what that one had arranged with it. */
static void clean(struct net_offer *o)
{
    char frame[65536 + HEADER_BYTES];
    int header = HEADER_BYTES;

    for (int i = 0; i < STALE_FRAMES_MAX && read(o->tap, frame, sizeof(frame)) > 0; i++)
        ;
    if (ioctl(o->tap, TUNSETOFFLOAD, 0) < 0 || ioctl(o->tap, TUNSETVNETHDRSZ, &header) < 0)
        dom0_log(o->vm->dom0, UNIK_DEBUG, o->vm->name, "network: the TAP cannot be set back");
}

static int hand_over(int to, int tap)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };
    char byte = 0;
    struct iovec iov = { &byte, 1 };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

    CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
    CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
    CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &tap, sizeof(int));
    return sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -errno;
}

/* The guest's side of the connection says nothing; its end is the VM's. */
static void on_hangup(struct ev_loop *loop, ev_io *w, int revents)
{
    struct net_offer *o = w->data;
    char bytes[256];
    ssize_t n = recv(o->client, bytes, sizeof(bytes), MSG_DONTWAIT);

    (void)loop, (void)revents;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        drop(o);
}

static void on_accept(struct ev_loop *loop, ev_io *w, int revents)
{
    struct net_offer *o = w->data;
    int fd = accept4(o->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)revents;
    if (fd < 0)
        return;
    drop(o);
    if (!o->pulled)
        clean(o);
    if (o->pulled || hand_over(fd, o->tap) < 0) {
        close(fd);
        return;
    }
    o->client = fd;
    ev_io_init(&o->hangup, on_hangup, fd, EV_READ);
    o->hangup.data = o;
    ev_io_start(loop, &o->hangup);
    carrier(o, 1);
    dom0_state(o->vm->dom0, "%s: network linked", o->vm->name);
}

static int open_socket(struct net_offer *o, const char *dir)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    mode_t mask;
    int e;

    snprintf(o->name, sizeof(o->name), "tap.%d", o->vm->domid);
    o->folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (o->folder < 0)
        return -errno;
    snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", o->folder, o->name);
    unlinkat(o->folder, o->name, 0);
    o->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mask = umask(077);
    e = o->fd < 0 || bind(o->fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(o->fd, 8) < 0 ? -errno : 0;
    umask(mask);
    return e;
}

int net_offer_start(struct net_offer **out, struct vm *vm, const char *dir, int tap)
{
    struct net_offer *o = calloc(1, sizeof(*o));
    int e;

    if (!o)
        return -ENOMEM;
    o->vm = vm;
    o->tap = tap;
    o->folder = o->fd = o->client = -1;
    *out = o;
    e = open_socket(o, dir);
    if (e < 0)
        return e;
    ev_io_init(&o->accept, on_accept, o->fd, EV_READ);
    o->accept.data = o;
    ev_io_start(vm->dom0->loop, &o->accept);
    return 0;
}

void net_offer_plug(struct net_offer *o, bool in)
{
    o->pulled = !in;
    if (!in)
        drop(o);
}

void net_offer_stop(struct net_offer *o)
{
    if (!o)
        return;
    drop(o);
    if (o->fd >= 0) {
        ev_io_stop(o->vm->dom0->loop, &o->accept);
        close(o->fd);
        unlinkat(o->folder, o->name, 0);
    }
    if (o->folder >= 0)
        close(o->folder);
    close(o->tap);
    free(o);
}
