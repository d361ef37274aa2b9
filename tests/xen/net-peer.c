/* SPDX-License-Identifier: BSD-2-Clause */
/* net-peer - the other end of a guest's network, in the lab's dom0 (static; numeric addresses only).
 *
 *   net-peer dns ADDRESS NAME=ADDRESS...       a name server of these names
 *   net-peer echo ADDRESS PORT BYTES           random bytes to an echo port and back, compared
 *   net-peer send ADDRESS PORT BYTES           to a discard port, which must count as many
 *   net-peer receive ADDRESS PORT BYTES        from a chargen port of probe, compared
 *   net-peer many ADDRESS PORT COUNT           so many connections to an echo port at once, each with bytes of its own
 *   net-peer load ADDRESS PORT PATH CONNECTIONS SECONDS    HTTP with keep-alive
 *
 * Prints one line: seconds, or answers a second. Ends with 1 and a line on stderr if anything was not as it must be. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "protocol/dns.h"

#define CHUNK 65536
#define MANY_MAX 1000
#define PATIENCE 120            /* seconds without a byte */
#define PATTERN 32768           /* as probe's chargen: byte i is i % 32768 % 251 */

static unsigned char chunk[CHUNK], got[CHUNK];

static void fail(const char *what)
{
    fprintf(stderr, "net-peer: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int socket_of(const char *address, const char *port, int type, int (*use)(int, const struct sockaddr *, socklen_t))
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = type }, *a;
    struct timeval patience = { .tv_sec = PATIENCE };
    int fd;

    if (getaddrinfo(address, port, &hints, &a) != 0)
        fail("not an address or a port");
    fd = socket(a->ai_family, type, 0);
    if (fd < 0 || use(fd, a->ai_addr, a->ai_addrlen) < 0)
        fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    freeaddrinfo(a);
    errno = 0;
    return fd;
}

static int connected(char *const *where) { return socket_of(where[0], where[1], SOCK_STREAM, connect); }

static void send_all(int fd, const void *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t k = send(fd, (const char *)bytes + at, n - at, MSG_NOSIGNAL);

        if (k <= 0)
            fail("send");
        at += (size_t)k;
    }
}

/* The same bytes each time, from a seed. */
static void fill(uint64_t *seed, unsigned char *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        to[i] = (unsigned char)(*seed >> 56);
    }
}

static void send_random(int fd, uint64_t seed, unsigned long long bytes)
{
    while (bytes) {
        size_t n = bytes < CHUNK ? (size_t)bytes : CHUNK;

        fill(&seed, chunk, n);
        send_all(fd, chunk, n);
        bytes -= n;
    }
}

static void compare_random(int fd, uint64_t seed, unsigned long long bytes)
{
    while (bytes) {
        ssize_t n = recv(fd, got, bytes < CHUNK ? (size_t)bytes : CHUNK, 0);

        if (n <= 0)
            fail("receive");
        fill(&seed, chunk, (size_t)n);
        if (memcmp(chunk, got, (size_t)n) != 0)
            fail("other bytes than were sent");
        bytes -= (unsigned long long)n;
    }
}

static void echo(char **a)
{
    unsigned long long bytes = strtoull(a[2], NULL, 10);
    int fd = connected(a), status;
    pid_t writer = fork();

    if (writer == 0) {
        send_random(fd, 1, bytes);
        shutdown(fd, SHUT_WR);
        _exit(0);
    }
    compare_random(fd, 1, bytes);
    if (recv(fd, got, 1, 0) != 0)
        fail("no end");
    if (waitpid(writer, &status, 0) < 0 || status != 0)
        fail("the writer");
}

static void send_bytes(char **a)
{
    int fd = connected(a);
    char count[64];
    size_t n = 0;
    ssize_t k;

    send_random(fd, 1, strtoull(a[2], NULL, 10));
    shutdown(fd, SHUT_WR);
    while (n < sizeof(count) - 1 && (k = recv(fd, count + n, sizeof(count) - 1 - n, 0)) > 0)
        n += (size_t)k;
    count[n] = 0;
    if (strtoull(count, NULL, 10) != strtoull(a[2], NULL, 10))
        fail("another number of bytes arrived");
}

static void receive(char **a)
{
    unsigned long long want = strtoull(a[2], NULL, 10), at = 0;
    int fd = connected(a);

    while (at < want) {
        ssize_t n = recv(fd, got, CHUNK, 0);

        if (n <= 0)
            fail("receive");
        for (ssize_t i = 0; i < n; i++, at++)
            if (got[i] != at % PATTERN % 251)
                fail("other bytes than the pattern");
    }
}

static void many(char **a)
{
    static int fds[MANY_MAX];
    unsigned n = (unsigned)atoi(a[2]);

    if (n > MANY_MAX)
        fail("too many");
    for (unsigned i = 0; i < n; i++)
        fds[i] = connected(a);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < n; i++)
            send_random(fds[i], i + 1000 * round, 3000);
        for (unsigned i = n; i-- > 0;)
            compare_random(fds[i], i + 1000 * round, 3000);
    }
    for (unsigned i = 0; i < n; i++) {
        shutdown(fds[i], SHUT_WR);
        if (recv(fds[i], got, 1, 0) != 0)
            fail("no end");
        close(fds[i]);
    }
}

/* ---- HTTP ---- */

static struct answer { size_t got, want; char head[1024]; } answers[MANY_MAX];

/* Bytes of one answer: true when it is whole. */
static int take(struct answer *x, const char *bytes, size_t n)
{
    if (!x->want) {
        size_t k = sizeof(x->head) - 1 - x->got < n ? sizeof(x->head) - 1 - x->got : n;
        char *end, *length;

        memcpy(x->head + x->got, bytes, k);
        x->head[x->got + k] = 0;
        end = strstr(x->head, "\r\n\r\n");
        length = strcasestr(x->head, "\r\nContent-Length: ");
        if (end) {
            if (strncmp(x->head, "HTTP/1.1 200", 12) != 0 || !length)
                fail("not an answer with a file");
            x->want = (size_t)(end + 4 - x->head) + strtoul(length + 18, NULL, 10);
        }
    }
    x->got += n;
    if (!x->want || x->got < x->want)
        return 0;
    if (x->got > x->want)
        fail("more than one answer");
    x->got = x->want = 0;
    return 1;
}

static void load(char **a)
{
    static struct pollfd p[MANY_MAX];
    unsigned n = (unsigned)atoi(a[3]);
    unsigned long done = 0;
    double begin, end;
    char request[512];
    size_t size;

    size = (size_t)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: guest\r\n\r\n", a[2]);
    for (unsigned i = 0; i < n && i < MANY_MAX; i++)
        p[i] = (struct pollfd){ .fd = connected(a), .events = POLLIN };
    begin = now();
    for (unsigned i = 0; i < n; i++)
        send_all(p[i].fd, request, size);
    while ((end = now()) - begin < atof(a[4])) {
        if (poll(p, n, PATIENCE * 1000) <= 0)
            fail("nothing comes");
        for (unsigned i = 0; i < n; i++) {
            ssize_t k = p[i].revents ? recv(p[i].fd, got, CHUNK, 0) : -1;

            if (p[i].revents && k <= 0)
                fail("an end");
            if (k > 0 && take(&answers[i], (char *)got, (size_t)k)) {
                done++;
                send_all(p[i].fd, request, size);
            }
        }
    }
    printf("%.0f\n", (double)done / (end - begin));
}

/* ---- names ---- */

static void dns(char **a)
{
    int fd = socket_of(a[0], "53", SOCK_DGRAM, bind);
    struct sockaddr_storage from;
    unsigned char out[DNS_MESSAGE_MAX];

    for (;;) {
        socklen_t from_n = sizeof(from);
        ssize_t n = recvfrom(fd, got, sizeof(got), 0, (struct sockaddr *)&from, &from_n);
        enum dns_code code = DNS_NO_NAME;
        struct dns_address x = { 0 };
        struct dns_question q;
        int k;

        if (n < 0 || dns_decode_question(got, (size_t)n, &q) < 0)
            continue;
        for (char **row = a + 1; *row; row++) {
            size_t len = strcspn(*row, "=");
            unsigned b[4];

            if (strlen(q.name) != len || strncmp(q.name, *row, len) != 0)
                continue;
            code = DNS_OK;
            if (q.type == DNS_A && sscanf(*row + len, "=%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]) == 4)
                x = (struct dns_address){ 4, { (uint8_t)b[0], (uint8_t)b[1], (uint8_t)b[2], (uint8_t)b[3] } };
        }
        k = dns_encode_answer(got, &q, code, &x, x.size ? 1 : 0, out, sizeof(out));
        if (k > 0)
            sendto(fd, out, (size_t)k, 0, (struct sockaddr *)&from, from_n);
    }
}

int main(int argc, char **argv)
{
    static const struct { const char *name; int words; void (*run)(char **); } commands[] = {
        { "dns", 2, dns }, { "echo", 3, echo }, { "send", 3, send_bytes }, { "receive", 3, receive }, { "many", 3, many }, { "load", 5, load },
    };
    double begin = now();

    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].words) {
            commands[i].run(argv + 2);
            if (commands[i].run != load)
                printf("%.2f\n", now() - begin);
            return 0;
        }
    fprintf(stderr, "net-peer dns|echo|send|receive|many|load ...\n");
    return 2;
}
