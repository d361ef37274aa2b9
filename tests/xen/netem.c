/* SPDX-License-Identifier: BSD-2-Clause */
/* netem - make what leaves through a network interface of the lab's dom0 suffer, by the kernel's sch_netem (static; in place of tc).
 *
 *   netem INTERFACE LOSS DELAY REORDER     per cent of packets lost; milliseconds of delay; per cent that are not delayed, and so
 *                                          overtake others
 *   netem INTERFACE counts                 prints "sent N dropped N", as its queue has counted */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT 1000              /* packets that wait at a time */

static union {
    struct nlmsghdr head;
    char bytes[16384];
} m;

static void *add(int type, const void *data, size_t n)
{
    struct rtattr *a = (struct rtattr *)(void *)(m.bytes + NLMSG_ALIGN(m.head.nlmsg_len));

    a->rta_type = (unsigned short)type;
    a->rta_len = (unsigned short)RTA_LENGTH(n);
    if (n)
        memcpy(RTA_DATA(a), data, n);
    m.head.nlmsg_len = NLMSG_ALIGN(m.head.nlmsg_len) + RTA_ALIGN(a->rta_len);
    return a;
}

static uint32_t share(const char *per_cent) { return (uint32_t)(atof(per_cent) / 100 * 4294967295.0); }

static void begin(int type, int flags, const char *interface)
{
    struct tcmsg t = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)if_nametoindex(interface), .tcm_parent = TC_H_ROOT };

    m.head = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(sizeof(t)), .nlmsg_type = (unsigned short)type,
                                .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags), .nlmsg_seq = 1 };
    memcpy(NLMSG_DATA(&m.head), &t, sizeof(t));
}

static void options(char **argv)
{
    struct tc_netem_qopt o = { .limit = LIMIT, .loss = share(argv[2]), .gap = 1 };
    struct tc_netem_reorder r = { .probability = share(argv[4]) };
    int64_t ns = (int64_t)(atof(argv[3]) * 1e6);
    struct rtattr *a;

    add(TCA_KIND, "netem", 6);
    a = add(TCA_OPTIONS, &o, sizeof(o));
    add(TCA_NETEM_REORDER, &r, sizeof(r));
    add(TCA_NETEM_LATENCY64, &ns, sizeof(ns));
    a->rta_len = (unsigned short)(m.bytes + m.head.nlmsg_len - (char *)a);
}

/* The interface's root queue in one part of a dump. True: this was the last part. */
static int look(ssize_t n, int index)
{
    for (struct nlmsghdr *h = &m.head; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
        struct tcmsg *t = NLMSG_DATA(h);
        int left = (int)TCA_PAYLOAD(h);

        if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
            return 1;
        if (t->tcm_ifindex != index || t->tcm_parent != TC_H_ROOT)
            continue;
        for (struct rtattr *a = TCA_RTA(t); RTA_OK(a, left); a = RTA_NEXT(a, left))
            if (a->rta_type == TCA_STATS) {
                struct tc_stats s;

                memcpy(&s, RTA_DATA(a), sizeof(s));
                printf("sent %u dropped %u\n", s.packets, s.drops);
            }
    }
    return 0;
}

int main(int argc, char **argv)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), index = argc > 1 ? (int)if_nametoindex(argv[1]) : 0;
    struct nlmsgerr *e = NLMSG_DATA(&m.head);

    if ((argc != 5 && argc != 3) || !index) {
        fprintf(stderr, "netem: INTERFACE LOSS DELAY REORDER, or INTERFACE counts\n");
        return 2;
    }
    if (argc == 3) {
        ssize_t n;

        begin(RTM_GETQDISC, NLM_F_DUMP, argv[1]);
        if (send(fd, &m, m.head.nlmsg_len, 0) < 0)
            return 1;
        while ((n = recv(fd, &m, sizeof(m), 0)) > 0 && !look(n, index))
            ;
        return 0;
    }
    begin(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, argv[1]);
    options(argv);
    if (send(fd, &m, m.head.nlmsg_len, 0) < 0 || recv(fd, &m, sizeof(m), 0) < (ssize_t)NLMSG_LENGTH(sizeof(*e))) {
        perror("netem: netlink");
        return 1;
    }
    if (m.head.nlmsg_type != NLMSG_ERROR || e->error) {
        fprintf(stderr, "netem: %s\n", strerror(-e->error));
        return 1;
    }
    return 0;
}
