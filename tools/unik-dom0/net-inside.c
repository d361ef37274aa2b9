/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/net-inside.c - a network namespace as a Qubes VM's provider sees it: one TAP a VM, named and numbered as the
 * provider's vif, with the provider's MAC, the gateway's address, a route to the VM alone, a permanent neighbour, and the
 * addresses at which DNS is asked. As root, or in a user namespace of its own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <net/if_arp.h>
#include <netinet/in.h>

#include "tools/unik-dom0/net-inside.h"

/* Linux netback's own MAC, whatever the VM's is (doc/protocol/network.md, 3). */
static const uint8_t provider_mac[6] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };

struct inside {
    struct net_made made;
    int fds[DOM0_VMS_MAX + NET_DNS_MAX];
    size_t n;
    int netlink;
};

static int fail(struct inside *in, int error, const char *what)
{
    if (in->made.error == 0) {
        in->made.error = error;
        snprintf(in->made.what, sizeof(in->made.what), "%s", what);
    }
    return error;
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, text, strlen(text)) < 0)
        errno = 0;                      /* what depends on it says so */
    close(fd);
}

/* Root by right, or root of a user namespace that holds nobody but us. */
static int leave(struct inside *in)
{
    char map[32];
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (unshare(CLONE_NEWNET) == 0)
        return 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return fail(in, -errno, "no network namespace can be made here: be root, or allow user namespaces "
                    "(user.max_user_namespaces, kernel.unprivileged_userns_clone)");
    in->made.user_namespace = true;
    put("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
    put("/proc/self/uid_map", map);
    snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
    put("/proc/self/gid_map", map);
    return 0;
}

static int set_mac(const char *name)
{
    struct ifreq r = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), e;

    if (fd < 0)
        return -errno;
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    memcpy(r.ifr_hwaddr.sa_data, provider_mac, 6);
    e = ioctl(fd, SIOCSIFHWADDR, &r) < 0 ? -errno : 0;
    close(fd);
    return e;
}

/* The other end of the cable is the descriptor. No carrier until somebody has it. */
static int make_tap(struct inside *in, const struct net_plan_vif *v)
{
    struct ifreq r = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR) };
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), off = 0, e;

    if (fd < 0)
        return fail(in, -errno, "/dev/net/tun");
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", v->name);
    e = ioctl(fd, TUNSETIFF, &r) < 0 ? -errno : set_mac(v->name);
    if (e < 0) {
        close(fd);
        return fail(in, e, v->name);
    }
    ioctl(fd, TUNSETCARRIER, &off);
    in->fds[in->n++] = fd;
    return 0;
}

/* The gateway's address here, the VM's at the other end. */
static int give(struct inside *in, unsigned ifindex, const uint8_t mac[6], const struct netlink_ip *ip,
                const struct netlink_ip *gateway)
{
    int e = netlink_address(in->netlink, ifindex, gateway);

    if (e == 0)
        e = netlink_route(in->netlink, ifindex, ip);
    return e ? e : netlink_neighbour(in->netlink, ifindex, ip, mac);
}

static int make_vif(struct inside *in, const struct net_plan_vif *v)
{
    char path[96];
    unsigned ifindex;
    int e = make_tap(in, v);

    if (e < 0)
        return e;
    ifindex = if_nametoindex(v->name);
    /* A provider answers for every address, and takes packets from none but the VM's own: where /proc can be written. */
    snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/proxy_arp", v->name);
    put(path, "1");
    snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", v->name);
    put(path, "1");
    e = netlink_up(in->netlink, ifindex);
    if (e == 0 && v->ip.family)
        e = give(in, ifindex, v->mac, &v->ip, &v->gateway);
    if (e < 0)
        return fail(in, e, v->name);
    if (v->ip6.family && give(in, ifindex, v->mac, &v->ip6, &v->gateway6) < 0)
        in->made.no_ipv6 = true;
    return 0;
}

static int make_dns(struct inside *in, const struct netlink_ip *ip)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(53) };
    int fd, e = netlink_address(in->netlink, if_nametoindex("lo"), ip);

    if (e < 0)
        return fail(in, e, "an address for DNS");
    memcpy(&a.sin_addr, ip->bytes, 4);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        return fail(in, -errno, "a socket for DNS");
    in->fds[in->n++] = fd;
    return 0;
}

static void build(struct inside *in, const struct net_plan *plan)
{
    int e = leave(in);

    if (e < 0)
        return;
    in->netlink = netlink_open();
    e = in->netlink < 0 ? in->netlink : netlink_up(in->netlink, if_nametoindex("lo"));
    if (e < 0) {
        fail(in, e, "the loopback of the new namespace");
        return;
    }
    put("/proc/sys/net/ipv6/conf/default/accept_ra", "0");
    for (size_t i = 0; i < plan->n && e == 0; i++)
        e = make_vif(in, &plan->vifs[i]);
    for (size_t i = 0; i < NET_DNS_MAX && e == 0; i++)
        e = make_dns(in, &plan->dns[i]);
}

static void tell(struct inside *in, int fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(in->fds))];
    } control = { .room = { 0 } };
    struct iovec iov = { &in->made, sizeof(in->made) };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (in->made.error == 0) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(in->n * sizeof(int));
        CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
        CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
        CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(in->n * sizeof(int));
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), in->fds, in->n * sizeof(int));
    }
    if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
        _exit(1);
}

void net_inside(const struct net_plan *plan, int fd)
{
    struct inside in = { .netlink = -1 };
    char c;

    /* Nothing of dom0's stays open here, and its end is ours. */
    if (dup2(fd, 3) < 0)
        _exit(1);
    syscall(SYS_close_range, 4u, ~0u, 0u);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "unik-dom0-net");
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    build(&in, plan);
    tell(&in, 3);
    for (size_t i = 0; i < in.n; i++)
        close(in.fds[i]);
    while (in.made.error == 0 && read(3, &c, 1) != 0)
        ;
    _exit(0);
}
