/* SPDX-License-Identifier: BSD-2-Clause */
/* http-load - asks for one URL path again and again over some connections, and counts the answers.
 *
 *   http-load PORT PATH CONNECTIONS SECONDS
 *
 * Keep-alive, one request under way on each connection. Prints answers a second, and ends with 1 at any answer that is
 * not 200 or not as long as the first. For bench/http.sh: both servers are asked by the same client. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1000

struct connection {
    int fd;
    size_t got, want;                   /* of the present answer; want 0: its head is not complete yet */
    char head[4096];
};

static struct connection connections[CONNECTIONS_MAX];
static char request[1024];
static size_t request_n, answer_n;
static unsigned long answers;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "http-load: %s\n", what);
    exit(1);
}

static void ask(struct connection *c)
{
    c->got = c->want = 0;
    if (send(c->fd, request, request_n, MSG_NOSIGNAL) != (ssize_t)request_n)
        fail("cannot send");
}

/* The head is complete: how long is the answer with its body? */
static void measure(struct connection *c)
{
    char *end, *length;

    c->head[c->got < sizeof(c->head) ? c->got : sizeof(c->head) - 1] = 0;
    end = strstr(c->head, "\r\n\r\n");
    if (!end)
        return;
    length = strcasestr(c->head, "\r\nContent-Length: ");
    if (strncmp(c->head, "HTTP/1.1 200 ", 13) != 0 || !length || length > end)
        fail("an answer that is not 200, or has no length");
    c->want = (size_t)(end + 4 - c->head) + strtoul(length + 18, NULL, 10);
    if (answer_n && c->want != answer_n)
        fail("an answer of another length");
    answer_n = c->want;
}

static void receive(struct connection *c)
{
    static char rest[1 << 16];
    size_t room = c->want || c->got >= sizeof(c->head) - 1 ? 0 : sizeof(c->head) - 1 - c->got;
    ssize_t n = recv(c->fd, room ? c->head + c->got : rest, room ? room : sizeof(rest), 0);

    if (n <= 0) {
        if (n < 0 && errno == EAGAIN)
            return;
        fail(n == 0 ? "the server closed" : strerror(errno));
    }
    c->got += (size_t)n;
    if (!c->want)
        measure(c);
    if (c->want && c->got > c->want)
        fail("more than one answer");
    if (c->want && c->got == c->want) {
        answers++;
        ask(c);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event events[256];
    double begin, end;
    int count, poll = epoll_create1(0);

    if (argc != 5 || (count = atoi(argv[3])) < 1 || count > CONNECTIONS_MAX)
        fail("usage: http-load PORT PATH CONNECTIONS SECONDS");
    to.sin_port = htons((uint16_t)atoi(argv[1]));
    request_n = (size_t)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[2]);
    for (int i = 0; i < count; i++) {
        struct connection *c = &connections[i];

        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
            fail(strerror(errno));
        epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
        ask(c);
    }
    begin = now();
    end = begin + atof(argv[4]);
    while (now() < end) {
        int n = epoll_wait(poll, events, 256, 1000);

        for (int i = 0; i < n; i++)
            receive(events[i].data.ptr);
    }
    printf("%.0f\n", (double)answers / (now() - begin));
    return 0;
}
