/* tests/common/own-net.h - a network namespace of this process's own, for tests that want a TAP. */
#ifndef TESTS_COMMON_OWN_NET_H
#define TESTS_COMMON_OWN_NET_H

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Enters one, with its loopback up. NULL; or what this machine does not allow, and errno: the test is skipped then. */
static inline const char *own_net(void)
{
    struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd;

    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return "no network namespace";
    fd = open("/dev/net/tun", O_RDWR);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0)
        return "no TAP";
    close(fd);
    return system("ip link set lo up") == 0 ? NULL : "no iproute2";
}

#endif
