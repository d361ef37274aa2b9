/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-sockets/address.c - addresses as text, and which ones are ours. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sockets.h"

static struct sockaddr_in *v4(struct sockaddr_storage *a) { return (struct sockaddr_in *)(void *)a; }
static struct sockaddr_in6 *v6(struct sockaddr_storage *a) { return (struct sockaddr_in6 *)(void *)a; }

int sockets_parse(const char *address, unsigned port, struct sockaddr_storage *to, socklen_t *len)
{
    memset(to, 0, sizeof(*to));
    if (port > 65535)
        return -EINVAL;
    if (inet_pton(AF_INET, address, &v4(to)->sin_addr) == 1) {
        v4(to)->sin_family = AF_INET;
        v4(to)->sin_port = htons((uint16_t)port);
        *len = sizeof(struct sockaddr_in);
        return 0;
    }
    memset(to, 0, sizeof(*to));
    if (inet_pton(AF_INET6, address, &v6(to)->sin6_addr) != 1)
        return -EINVAL;
    v6(to)->sin6_family = AF_INET6;
    v6(to)->sin6_port = htons((uint16_t)port);
    *len = sizeof(struct sockaddr_in6);
    return 0;
}

/* An IPv4 peer of a socket for both families arrives as ::ffff:a.b.c.d: shown as what it is. */
void sockets_name(const struct sockaddr_storage *from, char text[UNIK_NET_ADDRESS_MAX])
{
    struct sockaddr_storage copy = *from;

    snprintf(text, UNIK_NET_ADDRESS_MAX, "?");
    if (from->ss_family == AF_INET)
        inet_ntop(AF_INET, &v4(&copy)->sin_addr, text, UNIK_NET_ADDRESS_MAX);
    else if (IN6_IS_ADDR_V4MAPPED(&v6(&copy)->sin6_addr))
        inet_ntop(AF_INET, &v6(&copy)->sin6_addr.s6_addr[12], text, UNIK_NET_ADDRESS_MAX);
    else
        inet_ntop(AF_INET6, &v6(&copy)->sin6_addr, text, UNIK_NET_ADDRESS_MAX);
}

void sockets_format(const struct sockaddr_storage *from, char text[SOCKETS_PEER_MAX])
{
    char name[UNIK_NET_ADDRESS_MAX];

    sockets_name(from, name);
    snprintf(text, SOCKETS_PEER_MAX, strchr(name, ':') ? "[%.45s]:%u" : "%.45s:%u", name, sockets_port(from));
}

void sockets_map(struct sockaddr_storage *to, socklen_t *len)
{
    struct sockaddr_in from;
    struct sockaddr_in6 a = { .sin6_family = AF_INET6 };

    if (to->ss_family != AF_INET)
        return;
    memcpy(&from, to, sizeof(from));
    a.sin6_port = from.sin_port;
    memset(&a.sin6_addr.s6_addr[10], 0xff, 2);
    memcpy(&a.sin6_addr.s6_addr[12], &from.sin_addr, 4);
    memcpy(to, &a, sizeof(a));
    *len = sizeof(a);
}

int sockets_bound(int type, const char *address, unsigned port, bool *both)
{
    struct sockaddr_storage a;
    socklen_t len;
    int one = 1, zero = 0, e, fd;
    bool any = !*address;

    if (sockets_parse(any ? "::" : address, port, &a, &len) < 0)
        return -EINVAL;
    *both = any;
    fd = socket(a.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return any && errno == EAFNOSUPPORT ? sockets_bound(type, "0.0.0.0", port, both) : -errno;
    if (type == SOCK_STREAM) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        sockets_tune(fd);
    }
    if (a.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, any ? &zero : &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&a, len) == 0)
        return fd;
    e = errno;
    close(fd);
    return any && e == EADDRNOTAVAIL ? sockets_bound(type, "0.0.0.0", port, both) : -e;
}

unsigned sockets_port(const struct sockaddr_storage *from)
{
    struct sockaddr_storage copy = *from;

    return ntohs(from->ss_family == AF_INET ? v4(&copy)->sin_port : v6(&copy)->sin6_port);
}

/* The text of one interface address, or false if it is not one that others could use. */
static bool usable(const struct ifaddrs *i, bool loopback, char text[UNIK_NET_ADDRESS_MAX])
{
    struct sockaddr_storage a = { 0 };

    if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || !(i->ifa_flags & IFF_LOOPBACK) != !loopback)
        return false;
    if (i->ifa_addr->sa_family == AF_INET) {
        memcpy(&a, i->ifa_addr, sizeof(struct sockaddr_in));
        return inet_ntop(AF_INET, &v4(&a)->sin_addr, text, UNIK_NET_ADDRESS_MAX) != NULL;
    }
    if (i->ifa_addr->sa_family != AF_INET6)
        return false;
    memcpy(&a, i->ifa_addr, sizeof(struct sockaddr_in6));
    return !IN6_IS_ADDR_LINKLOCAL(&v6(&a)->sin6_addr) &&
           inet_ntop(AF_INET6, &v6(&a)->sin6_addr, text, UNIK_NET_ADDRESS_MAX) != NULL;
}

/* Loopback counts only where there is nothing else: a developer's machine without a network. */
int sockets_own_address(unsigned i, char text[UNIK_NET_ADDRESS_MAX])
{
    struct ifaddrs *all, *p;
    unsigned seen = 0;

    if (getifaddrs(&all) < 0)
        return -ENOENT;
    for (p = all; p; p = p->ifa_next)
        if (usable(p, false, text) && seen++ == i)
            break;
    if (!p && seen == 0)
        for (p = all; p; p = p->ifa_next)
            if (usable(p, true, text) && seen++ == i)
                break;
    freeifaddrs(all);
    return p ? 0 : -ENOENT;
}
