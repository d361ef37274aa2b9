/* SPDX-License-Identifier: BSD-2-Clause */
/* udp-load - sends datagrams to an echo and counts what comes back: what a packet costs the one who echoes.
 *
 *   udp-load ADDRESS PORT BYTES SECONDS
 *
 * WINDOW datagrams are under way; what is lost is sent again after a while without any answer. Prints echoes a second. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define WINDOW 32
#define BYTES_MAX 1472

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    static char bytes[BYTES_MAX];
    struct pollfd p = { .events = POLLIN };
    unsigned long echoes = 0;
    double begin, end;
    size_t n;

    if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || (n = strtoul(argv[3], NULL, 10)) > BYTES_MAX) {
        fprintf(stderr, "usage: udp-load ADDRESS PORT BYTES SECONDS\n");
        return 2;
    }
    to.sin_port = htons((uint16_t)atoi(argv[2]));
    p.fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (p.fd < 0 || connect(p.fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        return 1;
    begin = now();
    end = begin + atof(argv[4]);
    while (now() < end) {
        for (int i = 0; i < WINDOW; i++)
            if (send(p.fd, bytes, n, 0) < 0)
                break;
        while (poll(&p, 1, 100) > 0) {          /* each answer brings the next question */
            if (recv(p.fd, bytes, sizeof(bytes), 0) < 0)
                continue;
            echoes++;
            if (now() >= end)
                break;
            if (send(p.fd, bytes, n, 0) < 0)
                break;
        }
    }
    printf("%.0f\n", (double)echoes / (now() - begin));
    return echoes == 0;
}
