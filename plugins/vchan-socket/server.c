/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-socket/server.c - the offering side: a path that exists until one client is there. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "plugins/vchan-socket/channel.h"

/* The socket's path, as the stock library names it. -ENAMETOOLONG if a socket can't have such a long one (the library
 * cuts it without a word, and the two sides miss each other). */
int vchan_socket_path(struct channel *ch)
{
    struct vchan_socket *vs = ch->vs;
    int server = ch->server ? vs->domid : ch->peer, client = ch->server ? ch->peer : vs->domid;
    char path[2 * SOCKET_PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/vchan.%d.%d.%u.sock", vs->dir, server, client, ch->port);

    if (n > (int)SOCKET_PATH_MAX) {
        unik_error(vs->ctx, "%s: %d bytes, and the path of a socket is at most %zu: choose a shorter dir", path, n,
                   SOCKET_PATH_MAX);
        return -ENAMETOOLONG;
    }
    ch->path.sun_family = AF_UNIX;
    memcpy(ch->path.sun_path, path, (size_t)n + 1);
    return 0;
}

/* Remove the path, unless somebody else has put his own there since. */
static void remove_path(struct channel *ch)
{
    struct stat st;

    if (lstat(ch->path.sun_path, &st) == 0 && st.st_dev == ch->path_dev && st.st_ino == ch->path_ino)
        unlink(ch->path.sun_path);
}

/* One client a server: once it is there, nobody else may find the name. After the shutdown the kernel refuses new ones,
 * who then try again later, and still hands out the one that is queued; a plain close would let another slip in, to be
 * connected and cut off. */
static void on_client(struct ev_loop *loop, ev_io *w, int revents)
{
    struct channel *ch = w->data;
    int listener = ch->fd, fd;

    (void)revents;
    remove_path(ch);
    shutdown(listener, SHUT_RD);
    fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ev_io_stop(loop, w);
    ch->fd = -1;
    if (fd >= 0) {
        close(listener);
        vchan_socket_connected(ch, fd);
        vchan_socket_tell(ch, UNIK_STREAM_OPEN);
        return;
    }
    vchan_socket_broken(ch, "accept", errno);
    unik_warn(ch->vs->ctx, "%s: %s", ch->path.sun_path, ch->reason);
    close(listener);
    ch->input_ended = true;
    vchan_socket_tell(ch, UNIK_STREAM_INPUT);
}

/* Make the path and listen. With a backlog of 0 one client can be queued; the next one's connect waits or fails, and it
 * tries again. */
int vchan_socket_serve(struct channel *ch)
{
    struct vchan_socket *vs = ch->vs;
    const char *path = ch->path.sun_path, *what = "socket";
    struct stat st;
    int e, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        goto failed;
    what = "remove";
    if (unlink(path) < 0 && errno != ENOENT)
        goto failed;
    what = "bind";
    if (bind(fd, (const struct sockaddr *)&ch->path, sizeof(ch->path)) < 0)
        goto failed;
    what = "listen";
    if (lstat(path, &st) < 0 || listen(fd, 0) < 0)
        goto failed;
    ch->path_dev = st.st_dev;
    ch->path_ino = st.st_ino;
    ch->fd = fd;
    ev_io_init(&ch->in, on_client, fd, EV_READ);
    ch->in.data = ch;
    ev_io_start(vs->ctx->loop, &ch->in);
    return 0;
failed:
    e = errno;
    unik_error(vs->ctx, "%s: %s: %s", path, what, strerror(e));
    if (fd >= 0)
        close(fd);
    return -e;
}

void vchan_socket_unserve(struct channel *ch)
{
    if (ch->fd < 0)
        return;
    remove_path(ch);
    ev_io_stop(ch->vs->ctx->loop, &ch->in);
    close(ch->fd);
    ch->fd = -1;
}
