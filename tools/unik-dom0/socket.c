/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/socket.c - the control socket of `start`: clients, packets, descriptors. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/unik-dom0/socket.h"

struct server {
    struct dom0 *dom0;
    int folder, fd;
    ev_io io;
    ev_prepare settled;
    struct client *clients;
    unsigned n;
};

int socket_address(const char *dir, struct sockaddr_un *a, int *folder)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    *folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0)
        return -errno;
    snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/%s", *folder, SOCKET_NAME);
    return 0;
}

static void client_free(struct client *c)
{
    struct server *s = c->dom0->server;

    ev_io_stop(c->dom0->loop, &c->io);
    ev_timer_stop(c->dom0->loop, &c->timer);
    for (int i = 0; i < 3; i++)
        if (c->fds[i] >= 0)
            close(c->fds[i]);
    if (!c->until_exit)
        close(c->fd);
    free(c->queue);
    free(c->request);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    s->n--;
    free(c);
}

/* It hung up, or does not read. */
static void client_drop(struct client *c)
{
    if (c->gone)
        c->gone(c);
    client_free(c);
}

static void set_events(struct client *c)
{
    int events = EV_READ | (c->sent < c->queued ? EV_WRITE : 0);

    if (c->io.events == events && ev_is_active(&c->io))
        return;
    ev_io_stop(c->dom0->loop, &c->io);
    ev_io_set(&c->io, c->fd, events);
    ev_io_start(c->dom0->loop, &c->io);
}

/* Send what the socket takes. false: the client is gone. */
static bool flush(struct client *c)
{
    while (c->sent < c->queued) {
        uint32_t n;

        memcpy(&n, c->queue + c->sent, sizeof(n));
        if (send(c->fd, c->queue + c->sent + sizeof(n), n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS;
        c->sent += sizeof(n) + n;
    }
    c->sent = c->queued = 0;
    return true;
}

static bool add_packet(struct client *c, char kind, const char *text, size_t n)
{
    uint32_t len = (uint32_t)n + 1;
    char *queue;

    if (c->queued + sizeof(len) + len > SOCKET_QUEUE_MAX)
        return false;
    queue = realloc(c->queue, c->queued + sizeof(len) + len);
    if (!queue)
        return false;
    c->queue = queue;
    memcpy(queue + c->queued, &len, sizeof(len));
    queue[c->queued + sizeof(len)] = kind;
    if (n)
        memcpy(queue + c->queued + sizeof(len) + 1, text, n);
    c->queued += sizeof(len) + len;
    return true;
}

void client_say(struct client *c, char kind, const char *text, size_t n)
{
    for (size_t k; n && !c->ending; text += k, n -= k) {
        k = n < SOCKET_TEXT_MAX ? n : SOCKET_TEXT_MAX;
        if (!add_packet(c, kind, text, k)) {
            shutdown(c->fd, SHUT_RDWR);     /* it must not take what it gets for all: to it, dom0 ended */
            break;
        }
    }
    set_events(c);
}

void client_printf(struct client *c, char kind, const char *fmt, ...)
{
    char line[8192];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n > 0)
        client_say(c, kind, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

void client_exit(struct client *c, int code)
{
    char text[16];

    if (c->ending)
        return;
    if (!add_packet(c, 'x', text, (size_t)snprintf(text, sizeof(text), "%d", code)))
        shutdown(c->fd, SHUT_RDWR);
    c->ending = true;
    c->gone = NULL;
    c->waits = NULL;
    ev_timer_stop(c->dom0->loop, &c->timer);
    set_events(c);
}

const char *client_word(const struct client *c, const char *key, const char *fallback)
{
    size_t k = strlen(key);

    for (const char *at = c->request; at < c->request + c->request_n; at += strlen(at) + 1)
        if (strncmp(at, key, k) == 0 && at[k] == '=')
            return at + k + 1;
    return fallback;
}

/* The request, or nothing, or the end. false: the client is gone. */
static bool receive(struct client *c)
{
    static char bytes[SOCKET_REQUEST_MAX];          /* used within one call only */
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(3 * sizeof(int))];
    } control;
    struct iovec iov = { bytes, sizeof(bytes) };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    ssize_t n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *h;

    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    h = CMSG_FIRSTHDR(&m);
    if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS) {
        size_t got = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < got && i < 3; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
            if (c->fds[i] < 0)
                c->fds[i] = fd;
            else
                close(fd);
        }
    }
    if (n == 0 || c->request || bytes[n - 1] || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return false;
    c->request = malloc((size_t)n);
    if (!c->request)
        return false;
    memcpy(c->request, bytes, (size_t)n);
    c->request_n = (size_t)n;
    request_begin(c);
    return true;
}

static void on_client(struct ev_loop *loop, ev_io *w, int revents)
{
    struct client *c = w->data;

    (void)loop;
    if ((revents & EV_READ) && !c->ending && !receive(c)) {
        client_drop(c);
        return;
    }
    if (!flush(c))
        client_drop(c);
    else if (c->ending && c->queued == 0)
        client_free(c);
    else
        set_events(c);
}

static void on_timer_unused(struct ev_loop *loop, ev_timer *w, int revents) { (void)loop, (void)w, (void)revents; }

static void on_accept(struct ev_loop *loop, ev_io *w, int revents)
{
    struct server *s = w->data;
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct client *c;

    (void)revents;
    if (fd < 0)
        return;
    c = s->n < SOCKET_CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
    if (!c) {
        close(fd);
        return;
    }
    c->dom0 = s->dom0;
    c->fd = fd;
    c->fds[0] = c->fds[1] = c->fds[2] = -1;
    ev_io_init(&c->io, on_client, fd, EV_READ);
    ev_init(&c->timer, on_timer_unused);
    c->io.data = c->timer.data = c;
    c->next = s->clients;
    if (c->next)
        c->next->link = &c->next;
    c->link = &s->clients;
    s->clients = c;
    s->n++;
    ev_io_start(loop, &c->io);
}

void server_each(struct dom0 *d, void (*visit)(struct client *c))
{
    struct client *next;

    for (struct client *c = d->server ? d->server->clients : NULL; c; c = next) {
        next = c->next;
        visit(c);
    }
}

static int open_server(struct server *s, const char *dir)
{
    struct sockaddr_un a;
    int e = socket_address(dir, &a, &s->folder);
    mode_t mask;

    if (e < 0)
        return e;
    unlink(a.sun_path);                 /* of one that was killed: the caller has the folder's lock */
    s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mask = umask(077);
    e = s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s->fd, 128) < 0 ? -errno : 0;
    umask(mask);
    return e;
}

/* Whatever the loop has done in this turn, those who wait for it are looked at before it sleeps. */
static void on_settled(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct server *s = w->data;

    (void)loop, (void)revents;
    request_wake(s->dom0);
}

int server_start(struct dom0 *d, const char *dir)
{
    struct server *s = calloc(1, sizeof(*s));
    int e;

    if (!s)
        return -ENOMEM;
    s->dom0 = d;
    s->folder = s->fd = -1;
    d->server = s;
    e = open_server(s, dir);
    if (e < 0)
        return e;
    ev_io_init(&s->io, on_accept, s->fd, EV_READ);
    s->io.data = s;
    ev_io_start(d->loop, &s->io);
    ev_prepare_init(&s->settled, on_settled);
    ev_set_priority(&s->settled, EV_MINPRI);
    s->settled.data = s;
    ev_prepare_start(d->loop, &s->settled);
    return 0;
}

void server_stop(struct dom0 *d)
{
    struct server *s = d->server;

    if (!s)
        return;
    for (struct client *next, *c = s->clients; c; c = next) {
        next = c->next;
        flush(c);
        client_drop(c);
    }
    if (s->fd >= 0) {
        ev_io_stop(d->loop, &s->io);
        ev_prepare_stop(d->loop, &s->settled);
        close(s->fd);
        unlinkat(s->folder, SOCKET_NAME, 0);
    }
    if (s->folder >= 0)
        close(s->folder);
    free(s);
    d->server = NULL;
}
