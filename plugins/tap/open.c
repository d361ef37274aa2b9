/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tap/open.c - where the descriptor comes from: a device of this machine, by name, or somebody who has it and hands it over
 * through a unix socket (unik-dom0). From dom0 or from the machine: trusted. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tap.h"

const char *tap_where(struct tap *t)
{
    const char *dir = getenv("VCHAN_SOCKET_DIR"), *domain = getenv("VCHAN_DOMAIN");

    if (t->config->device && *t->config->device)
        return t->config->device;
    if (t->config->socket && *t->config->socket)
        snprintf(t->door_name, sizeof(t->door_name), "%s", t->config->socket);
    else if (dir && domain)
        snprintf(t->door_name, sizeof(t->door_name), "%s/tap.%s", dir, domain);
    else
        t->door_name[0] = 0;
    return t->door_name;
}

/* The descriptor as we want it: no waiting, our header, and all that the kernel's network code offers. */
static int set_up(struct tap *t, int fd)
{
    unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    int size = TAP_HEADER, flags = fcntl(fd, F_GETFL);
    struct ifreq r = { 0 };

    if (ioctl(fd, TUNGETIFF, &r) < 0 || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    if (!(r.ifr_flags & IFF_TAP) || !(r.ifr_flags & IFF_NO_PI) || !(r.ifr_flags & IFF_VNET_HDR)) {
        unik_error(t->ctx, "%s: the device is not a TAP device with IFF_NO_PI and IFF_VNET_HDR", tap_where(t));
        return -EINVAL;
    }
    if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0)
        return -errno;
    t->info.offloads = UNIK_NIC_SUM | UNIK_NIC_TSO4 | UNIK_NIC_TSO6;    /* sending them needs nobody's leave */
    if (ioctl(fd, TUNSETOFFLOAD, offload) < 0)
        unik_warn(t->ctx, "%s: the kernel sends no large frames: %s", tap_where(t), strerror(errno));
    return 0;
}

static int open_device(struct tap *t)
{
    struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), e;

    if (fd < 0)
        return -errno;
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", t->config->device);
    e = ioctl(fd, TUNSETIFF, &r) < 0 ? -errno : 0;
    if (e < 0) {
        close(fd);
        return e;
    }
    return fd;
}

static void later(struct tap *t)
{
    ev_timer_set(&t->again, unik_backoff_delay(&t->backoff, ev_now(t->ctx->loop)), 0);
    ev_timer_start(t->ctx->loop, &t->again);
}

static void close_door(struct tap *t)
{
    if (t->door.fd < 0)
        return;
    ev_io_stop(t->ctx->loop, &t->door);
    close(t->door.fd);
    t->door.fd = -1;
}

static void got(struct tap *t, int fd)
{
    int e = set_up(t, fd);

    if (e < 0) {
        unik_error(t->ctx, "%s: %s", tap_where(t), strerror(-e));
        close(fd);
        close_door(t);
        later(t);
        return;
    }
    unik_info(t->ctx, "%s: connected", tap_where(t));
    tap_link(t, fd);
}

/* The one byte with the descriptor, or the end. */
static void on_door(struct ev_loop *loop, ev_io *w, int revents)
{
    struct tap *t = w->data;
    union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(int))]; } control;
    char byte;
    struct iovec v = { &byte, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    ssize_t k = recvmsg(w->fd, &m, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = k > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    int fd = -1;

    (void)loop, (void)revents;
    if (k < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (k <= 0) {
        close_door(t);
        if (t->io.fd >= 0) {
            unik_info(t->ctx, "%s: gone", tap_where(t));
            tap_link(t, -1);
        }
        later(t);
        return;
    }
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    if (fd < 0)
        return;
    if (t->io.fd >= 0)
        tap_link(t, -1);                /* another one instead */
    got(t, fd);
}

static int knock(struct tap *t)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd;

    if (snprintf(a.sun_path, sizeof(a.sun_path), "%s", tap_where(t)) >= (int)sizeof(a.sun_path) || !a.sun_path[0])
        return -ENOENT;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        int e = -errno;

        close(fd);
        return e;
    }
    ev_io_init(&t->door, on_door, fd, EV_READ);
    t->door.data = t;
    ev_io_start(t->ctx->loop, &t->door);
    return 0;
}

void tap_open(struct tap *t)
{
    bool device = t->config->device && *t->config->device;
    int e;

    unik_backoff_begin(&t->backoff, ev_now(t->ctx->loop));
    e = device ? open_device(t) : knock(t);
    if (e < 0) {
        if (t->backoff.next == 0)       /* the first of many tries */
            unik_info(t->ctx, "%s: %s; waiting", *tap_where(t) ? tap_where(t) : "no device and no socket", strerror(-e));
        later(t);
    } else if (device) {
        got(t, e);
    }
}

void tap_shut(struct tap *t)
{
    ev_timer_stop(t->ctx->loop, &t->again);
    close_door(t);
    if (t->io.fd >= 0)
        tap_link(t, -1);
}
