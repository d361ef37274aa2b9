/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp-load - bulk TCP to a discard, or from a chargen: MiB a second until the last byte has arrived.
 *
 *   tcp-load in|out ADDRESS PORT MIB [BYTES]
 *
 * in: into discard in writes of BYTES (256 KiB), until its answer says how much it has read. out: from chargen in reads of BYTES. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const char *what)
{
    fprintf(stderr, "tcp-load: %s\n", what);
    return 1;
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    unsigned long long total, done = 0;
    size_t block = argc == 6 ? strtoul(argv[5], NULL, 10) : 256 << 10;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char answer[32] = "", *bytes = calloc(1, block);
    double begin;
    ssize_t k;

    if (argc < 5 || argc > 6 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 || !bytes || !block)
        return fail("usage: tcp-load in|out ADDRESS PORT MIB [BYTES]");
    total = strtoull(argv[4], NULL, 10) << 20;
    to.sin_port = htons((uint16_t)atoi(argv[3]));
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        return fail("cannot connect");
    begin = now();
    while (done < total) {
        size_t n = total - done < block ? (size_t)(total - done) : block;

        k = strcmp(argv[1], "in") == 0 ? send(fd, bytes, n, MSG_NOSIGNAL) : recv(fd, bytes, n, 0);
        if (k <= 0)
            return fail("broken off");
        done += (unsigned long long)k;
    }
    if (strcmp(argv[1], "in") == 0) {
        shutdown(fd, SHUT_WR);
        if (recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL) <= 0 || strtoull(answer, NULL, 10) != total)
            return fail("not all has arrived");
    }
    printf("%.0f\n", (double)(total >> 20) / (now() - begin));
    close(fd);
    free(bytes);
    return 0;
}
