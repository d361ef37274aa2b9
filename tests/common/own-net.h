/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/own-net.h - a network namespace of this process's own, for tests that want a TAP. */
#ifndef TESTS_COMMON_OWN_NET_H
#define TESTS_COMMON_OWN_NET_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* main()'s result of a suite that runs in one: 77 if it was skipped, and why is printed. */
static inline int own_net_run(Suite *s)
{
    const char *why = own_net();
    SRunner *r = srunner_create(s);
    int failed;

    if (why)
        printf("skipped: %s: %s\n", why, strerror(errno));
    else
        srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return why ? 77 : failed != 0;
}

#endif
