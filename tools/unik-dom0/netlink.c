/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/netlink.c - requests to the kernel's network configuration, one at a time. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/unik-dom0/netlink.h"

#define REQUEST_MAX 256

struct request {
    struct nlmsghdr head;
    uint8_t room[REQUEST_MAX];
};

int netlink_ip(const char *text, struct netlink_ip *ip)
{
    memset(ip, 0, sizeof(*ip));
    ip->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    return inet_pton(ip->family, text, ip->bytes) == 1 ? 0 : -EINVAL;
}

static uint8_t bytes_of(const struct netlink_ip *ip) { return ip->family == AF_INET ? 4 : 16; }
static uint8_t bits_of(const struct netlink_ip *ip) { return (uint8_t)(bytes_of(ip) * 8); }

static void begin(struct request *r, uint16_t type, const void *body, size_t n)
{
    memset(r, 0, sizeof(*r));
    r->head.nlmsg_type = type;
    r->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    if (type != RTM_NEWLINK)
        r->head.nlmsg_flags |= NLM_F_CREATE | NLM_F_REPLACE;
    memcpy(r->room, body, n);
    r->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(n);
}

static void add(struct request *r, uint16_t type, const void *value, size_t n)
{
    struct rtattr a = { .rta_len = (uint16_t)RTA_LENGTH(n), .rta_type = type };
    size_t at = NLMSG_ALIGN(r->head.nlmsg_len) - NLMSG_HDRLEN;

    memcpy(r->room + at, &a, sizeof(a));
    memcpy(r->room + at + RTA_LENGTH(0), value, n);
    r->head.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + at + RTA_SPACE(n));
}

static int ask(int fd, const struct request *r)
{
    struct {
        struct nlmsghdr head;
        struct nlmsgerr body;
        uint8_t more[REQUEST_MAX];
    } answer;
    ssize_t n;

    if (send(fd, r, r->head.nlmsg_len, 0) < 0)
        return -errno;
    do
        n = recv(fd, &answer, sizeof(answer), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if ((size_t)n < sizeof(answer.head) + sizeof(answer.body.error) || answer.head.nlmsg_type != NLMSG_ERROR)
        return -EPROTO;
    return answer.body.error;
}

int netlink_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    return fd < 0 ? -errno : fd;
}

int netlink_up(int fd, unsigned ifindex)
{
    struct ifinfomsg body = { .ifi_index = (int)ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
    struct request r;

    begin(&r, RTM_NEWLINK, &body, sizeof(body));
    return ask(fd, &r);
}

/* No duplicate address detection: nobody else is on this link, and the address is wanted at once. */
int netlink_address(int fd, unsigned ifindex, const struct netlink_ip *ip)
{
    struct ifaddrmsg body = { .ifa_family = (uint8_t)ip->family, .ifa_prefixlen = bits_of(ip), .ifa_flags = IFA_F_NODAD,
                              .ifa_index = ifindex };
    struct request r;

    begin(&r, RTM_NEWADDR, &body, sizeof(body));
    add(&r, IFA_LOCAL, ip->bytes, bytes_of(ip));
    add(&r, IFA_ADDRESS, ip->bytes, bytes_of(ip));
    return ask(fd, &r);
}

int netlink_route(int fd, unsigned ifindex, const struct netlink_ip *to)
{
    struct rtmsg body = { .rtm_family = (uint8_t)to->family, .rtm_dst_len = bits_of(to), .rtm_table = RT_TABLE_MAIN,
                          .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST,
                          .rtm_scope = to->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE };
    struct request r;

    begin(&r, RTM_NEWROUTE, &body, sizeof(body));
    add(&r, RTA_DST, to->bytes, bytes_of(to));
    add(&r, RTA_OIF, &ifindex, sizeof(ifindex));
    return ask(fd, &r);
}

int netlink_neighbour(int fd, unsigned ifindex, const struct netlink_ip *ip, const uint8_t mac[6])
{
    struct ndmsg body = { .ndm_family = (uint8_t)ip->family, .ndm_ifindex = (int)ifindex, .ndm_state = NUD_PERMANENT };
    struct request r;

    begin(&r, RTM_NEWNEIGH, &body, sizeof(body));
    add(&r, NDA_DST, ip->bytes, bytes_of(ip));
    add(&r, NDA_LLADDR, mac, 6);
    return ask(fd, &r);
}
