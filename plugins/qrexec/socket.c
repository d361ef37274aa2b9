/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/socket.c - calls of local programs through the agent's socket.
 *
 * A client connects, sends one TRIGGER message, and reads either 8 bytes - domain and port on which it is to serve the
 * data channel itself - or the end, which is a refusal. When it closes, its call is over. It must not be believed:
 * lengths, strings and timing are its own. One account cannot take all places.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugins/qrexec/socket.h"
#include "protocol/cursor.h"

#define CLIENTS_MAX 256                 /* dom0 keeps 256 pending requests and 256 ports a VM */
#define CLIENTS_PER_UID 192
#define REQUEST_SECONDS 5.0             /* for the request to be complete */
#define REQUEST_MAX (QREXEC_CONTROL_MAX - QREXEC_HEADER)
#define REPLY 8                         /* u32 domain, u32 port */
#define PAUSE_SECONDS 1.0               /* no more descriptors: let others close theirs */
#define BACKLOG 128

struct client {
    struct qrexec_socket *s;
    struct client *next, *prev;
    uid_t uid;
    ev_io io;
    ev_timer deadline;
    uint8_t header[QREXEC_HEADER];
    uint8_t *body;
    size_t got, want;                   /* bytes of header and body */
    uint32_t pending;                   /* qrexec_trigger()'s id; 0: none */
    bool answered;
    bool paired;                        /* dom0 is owed the release of (domain, port) */
    uint32_t domain, port;
};

struct qrexec_socket {
    struct qrexec_agent *agent;
    struct unik_ctx *ctx;
    struct sockaddr_un at;
    dev_t dev;                          /* of the node that we made */
    ino_t ino;
    ev_io listener;
    ev_timer pause;
    struct client *clients;
    size_t n;
};

/* ---- clients ---- */

static void client_free(struct client *c)
{
    struct qrexec_socket *s = c->s;

    ev_io_stop(s->ctx->loop, &c->io);
    ev_timer_stop(s->ctx->loop, &c->deadline);
    close(c->io.fd);
    if (c->pending)
        qrexec_forget(s->agent, c->pending);
    if (c->paired)
        qrexec_release(s->agent, c->domain, c->port);
    *(c->prev ? &c->prev->next : &s->clients) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    free(c->body);
    free(c);
    if (s->n-- == CLIENTS_MAX)
        ev_io_start(s->ctx->loop, &s->listener);
}

static void on_answer(int error, uint32_t domain, uint32_t port, void *arg)
{
    struct client *c = arg;
    uint8_t reply[REPLY];
    struct writer w;

    c->pending = 0;
    if (error < 0) {
        unik_info(c->s->ctx, "call of local uid %u refused: %s", (unsigned)c->uid, strerror(-error));
        client_free(c);
        return;
    }
    c->answered = c->paired = true;
    c->domain = domain;
    c->port = port;
    writer_init(&w, reply, sizeof(reply));
    writer_u32(&w, domain);
    writer_u32(&w, port);
    if (send(c->io.fd, reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(reply))
        client_free(c);                 /* nothing was sent before: it fits, or the client is gone */
}

static int trigger(struct client *c)
{
    struct qrexec_header h;
    struct qrexec_trigger t;
    uint32_t version;
    int e;

    qrexec_decode_header(c->header, &h);
    version = h.type == QREXEC_TRIGGER4 ? 4 : h.type == QREXEC_TRIGGER3 ? 3 : 2;
    e = qrexec_decode_trigger(h.type, version, c->body, h.len, &t);
    if (e == 0)
        e = qrexec_trigger(c->s->agent, t.source, t.target, t.service, on_answer, c, &c->pending);
    if (e < 0)
        unik_warn(c->s->ctx, "call of local uid %u: %s of %u bytes: %s", (unsigned)c->uid, qrexec_type_name(h.type),
                  (unsigned)h.len, strerror(-e));
    else
        unik_debug(c->s->ctx, "local uid %u calls %s in \"%s\"", (unsigned)c->uid, t.service, t.target);
    return e;
}

/* The header is here: how long the body will be. */
static int take_header(struct client *c)
{
    struct qrexec_header h;

    qrexec_decode_header(c->header, &h);
    if ((h.type != QREXEC_TRIGGER2 && h.type != QREXEC_TRIGGER3 && h.type != QREXEC_TRIGGER4) || h.len == 0 ||
        h.len > REQUEST_MAX) {
        unik_warn(c->s->ctx, "local uid %u sent type 0x%x with %u bytes: not a request", (unsigned)c->uid,
                  (unsigned)h.type, (unsigned)h.len);
        return -EINVAL;
    }
    c->body = malloc(h.len);
    c->want += h.len;
    return c->body ? 0 : -ENOMEM;
}

/* 0: more must come. 1: complete. Negative: done with this client. */
static int receive(struct client *c)
{
    uint8_t *to = c->got < QREXEC_HEADER ? c->header + c->got : c->body + (c->got - QREXEC_HEADER);
    ssize_t n = recv(c->io.fd, to, c->want - c->got, 0);
    int e = 0;

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n == 0)
        return -ECONNRESET;
    c->got += (size_t)n;
    if (c->got == QREXEC_HEADER && !c->body)
        e = take_header(c);
    return e < 0 ? e : c->got == c->want;
}

/* Once asked, a client says nothing but that it has done: any byte ends it as its close does. */
static void on_client(struct ev_loop *loop, ev_io *w, int revents)
{
    struct client *c = w->data;
    int e;

    (void)revents;
    e = c->pending || c->answered ? -ECONNRESET : receive(c);
    if (e == 1) {
        ev_timer_stop(loop, &c->deadline);
        e = trigger(c);
    }
    if (e < 0)
        client_free(c);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct client *c = w->data;

    (void)loop, (void)revents;
    unik_warn(c->s->ctx, "local uid %u did not complete its request in %.0f s", (unsigned)c->uid, REQUEST_SECONDS);
    client_free(c);
}

static size_t of_uid(const struct qrexec_socket *s, uid_t uid)
{
    size_t n = 0;

    for (const struct client *c = s->clients; c; c = c->next)
        n += c->uid == uid;
    return n;
}

static void client_new(struct qrexec_socket *s, int fd)
{
    struct ucred who = { .uid = (uid_t)-1 };
    socklen_t len = sizeof(who);
    struct client *c;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 || of_uid(s, who.uid) >= CLIENTS_PER_UID) {
        unik_warn(s->ctx, "call of local uid %u refused: it has %d already", (unsigned)who.uid, CLIENTS_PER_UID);
        close(fd);
        return;
    }
    c = calloc(1, sizeof(*c));
    if (!c) {
        close(fd);
        return;
    }
    c->s = s;
    c->uid = who.uid;
    c->want = QREXEC_HEADER;
    ev_io_init(&c->io, on_client, fd, EV_READ);
    ev_timer_init(&c->deadline, on_deadline, REQUEST_SECONDS, 0);
    c->io.data = c->deadline.data = c;
    c->next = s->clients;
    if (s->clients)
        s->clients->prev = c;
    s->clients = c;
    ev_io_start(s->ctx->loop, &c->io);
    ev_timer_start(s->ctx->loop, &c->deadline);
    if (++s->n == CLIENTS_MAX)
        ev_io_stop(s->ctx->loop, &s->listener);     /* the others wait in the backlog */
}

/* ---- the listening socket ---- */

static void on_listener(struct ev_loop *loop, ev_io *w, int revents)
{
    struct qrexec_socket *s = w->data;
    int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)revents;
    if (fd >= 0) {
        client_new(s, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        unik_warn(s->ctx, "%s: accept: %s", s->at.sun_path, strerror(errno));
        ev_io_stop(loop, w);
        ev_timer_start(loop, &s->pause);
    }
}

static void on_pause(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct qrexec_socket *s = w->data;

    (void)revents;
    if (s->n < CLIENTS_MAX)
        ev_io_start(loop, &s->listener);
}

/* A path where nobody listens any more is made free. */
static int remove_stale(const struct sockaddr_un *at)
{
    struct stat st;
    int fd, e = 0;

    if (lstat(at->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 || errno == EAGAIN)
        e = -EADDRINUSE;
    else if (errno != ECONNREFUSED)
        e = -errno;
    close(fd);
    if (e == 0 && unlink(at->sun_path) < 0)
        e = -errno;
    return e;
}

static int listen_at(struct qrexec_socket *s, mode_t mode)
{
    int fd = -1, e = remove_stale(&s->at);
    bool bound = false;
    struct stat st;

    if (e < 0)
        return e;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&s->at, sizeof(s->at)) < 0)
        goto fail;
    bound = true;
    if (chmod(s->at.sun_path, mode) < 0 || lstat(s->at.sun_path, &st) < 0 || listen(fd, BACKLOG) < 0)
        goto fail;
    s->dev = st.st_dev;
    s->ino = st.st_ino;
    return fd;

fail:
    e = -errno;
    if (bound)
        unlink(s->at.sun_path);
    close(fd);
    return e;
}

int qrexec_socket_open(struct qrexec_agent *a, struct unik_ctx *ctx, const char *path, mode_t mode,
                       struct qrexec_socket **out)
{
    struct qrexec_socket *s = calloc(1, sizeof(*s));
    int fd = -ENAMETOOLONG;

    if (!s)
        return -ENOMEM;
    s->agent = a;
    s->ctx = ctx;
    s->at.sun_family = AF_UNIX;
    if (*path && strlen(path) < sizeof(s->at.sun_path)) {
        memcpy(s->at.sun_path, path, strlen(path) + 1);
        fd = listen_at(s, mode);
    }
    if (fd < 0) {
        unik_error(ctx, "socket for local calls, %s: %s", path, strerror(-fd));
        free(s);
        return fd;
    }
    ev_io_init(&s->listener, on_listener, fd, EV_READ);
    ev_timer_init(&s->pause, on_pause, PAUSE_SECONDS, 0);
    s->listener.data = s->pause.data = s;
    ev_io_start(ctx->loop, &s->listener);
    *out = s;
    return 0;
}

void qrexec_socket_close(struct qrexec_socket *s)
{
    struct stat st;

    if (!s)
        return;
    while (s->clients)
        client_free(s->clients);
    ev_io_stop(s->ctx->loop, &s->listener);
    ev_timer_stop(s->ctx->loop, &s->pause);
    close(s->listener.fd);
    if (lstat(s->at.sun_path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
        unlink(s->at.sun_path);
    free(s);
}

void qrexec_socket_void(struct qrexec_socket *s, uint32_t domain, uint32_t port)
{
    for (struct client *c = s->clients; c; c = c->next)
        if (c->domain == domain && c->port == port)
            c->paired = false;
}

size_t qrexec_socket_clients(const struct qrexec_socket *s) { return s->n; }
