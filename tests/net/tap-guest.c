/* SPDX-License-Identifier: BSD-2-Clause */
/* The simplest VM at the end of a cable: takes a TAP's descriptor from unik-dom0's socket.
 *
 *   tap-guest SOCKET hold            says "linked" and, when the cable is pulled, "end"
 *   tap-guest SOCKET ask IP NAME     asks 10.139.1.1 for NAME from 10.137.x.y and prints "CODE ADDRESS..."
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define VNET_HEADER 10
#define ETHER 14
#define IP 20
#define UDP 8
#define SECONDS 300

static int cable;

static int take_tap(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec iov = { &byte, 1 };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    int tap = -1;

    cable = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    if (connect(cable, (struct sockaddr *)&a, sizeof(a)) == 0 && recvmsg(cable, &m, 0) == 1 && CMSG_FIRSTHDR(&m))
        memcpy(&tap, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(tap));
    return tap;
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static unsigned sum(const uint8_t *p, size_t n)
{
    unsigned long s = 0;

    for (size_t i = 0; i < n; i += 2)
        s += (unsigned long)p[i] << 8 | p[i + 1];
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (unsigned)~s & 0xffff;
}

/* A question in UDP (without a checksum, which IPv4 allows) in IP in Ethernet; its bytes. */
static size_t question(uint8_t *f, const char *ip, const char *name)
{
    uint8_t *e = f + VNET_HEADER, *i = e + ETHER, *u = i + IP, *d = u + UDP, *at = d + 12;

    memset(f, 0, 512);
    memset(e + 1, 0xff, 5);
    e[0] = 0xfe;
    memcpy(e + 6, "\x00\x16\x3e\x5e\x6c\x00\x08\x00", 8);
    memcpy(d, "\x12\x34\x01\x00\x00\x01", 6);
    while (*name) {
        size_t n = strcspn(name, ".");

        *at++ = (uint8_t)n;
        memcpy(at, name, n);
        at += n;
        name += n + (name[n] == '.');
    }
    memcpy(at, "\0\0\1\0\1", 5);
    at += 5;
    memcpy(u, "\x9c\x40\x00\x35", 4);
    put16(u + 4, (size_t)(at - u));
    i[0] = 0x45;
    put16(i + 2, (size_t)(at - i));
    i[8] = 64;
    i[9] = 17;
    inet_pton(AF_INET, ip, i + 12);
    inet_pton(AF_INET, "10.139.1.1", i + 16);
    put16(i + 10, sum(i, IP));
    return (size_t)(at - f);
}

/* Is it the answer to that? Then print it. */
static int show(const uint8_t *f, size_t n)
{
    const uint8_t *e = f + VNET_HEADER, *i = e + ETHER, *d = i + IP + UDP, *end = f + n, *at = d + 12;
    char text[64];

    if (n < VNET_HEADER + ETHER + IP + UDP + 12 || memcmp(e + 12, "\x08\x00\x45", 3) != 0 || i[9] != 17 ||
        memcmp(i + IP, "\x00\x35\x9c\x40", 4) != 0 || memcmp(d, "\x12\x34", 2) != 0)
        return 0;
    printf("%d", d[3] & 15);
    while (at < end && *at)
        at += 1 + *at;
    for (at += 5; end - at >= 16 && at[11] == 4; at += 16)
        printf(" %s", inet_ntop(AF_INET, at + 12, text, sizeof(text)));
    printf("\n");
    return 1;
}

static int ask(int tap, const char *ip, const char *name)
{
    uint8_t frame[2048];
    struct pollfd p = { .fd = tap, .events = POLLIN };
    ssize_t n;

    for (int i = 0; i < SECONDS; i++) {
        size_t size = question(frame, ip, name);

        if (write(tap, frame, size) != (ssize_t)size && errno != EIO)    /* EIO: the carrier is on its way */
            return 1;
        while (poll(&p, 1, 1000) > 0)
            if ((n = read(tap, frame, sizeof(frame))) > 0 && show(frame, (size_t)n))
                return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    char byte;
    int tap = argc > 2 ? take_tap(argv[1]) : -1;

    if (tap < 0)
        return 2;
    if (strcmp(argv[2], "ask") == 0 && argc == 5)
        return ask(tap, argv[3], argv[4]);
    printf("linked\n");
    fflush(stdout);
    while (read(cable, &byte, 1) > 0)
        ;
    printf("end\n");
    return 0;
}
