/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-socket/client.c - the seeking side: connect now, or when the server's path appears. The folder is
 * watched, so that waiting costs nothing; a timer is left for what no watch tells: a full backlog, a path without
 * listener.
 *
 * Who waits for a server that will never come is told so where that can be known: a path that was made while we waited, and now
 * is gone or refuses, was our server's, and it has left. Not before its path is made: it may be on its way. Not from a path that
 * was there before: stock servers leave theirs behind, so it can be that of the one before ours, which ours is about to
 * replace. And that a whole domain is gone shows nowhere: all have one folder, and none a file that stands for it. */
#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>
#include "plugins/vchan-socket/channel.h"

#define FIRST_DELAY 0.001       /* seconds; doubled from try to try */
#define SHORT_DELAY 0.1         /* the longest one where the server is likely to be busy for a moment */
#define LONG_DELAY 60.0         /* ... and where its path is there, but nobody listens, or nobody may connect */
#define SHORT_TRIES 30          /* so many with at most SHORT_DELAY: two to three seconds */
#define LEFT_TRIES SHORT_TRIES  /* so many that find nobody, after the server had come: it has left */

/* In this turn of the loop: a timer of 0 seconds would take libev's least wait, a millisecond. */
static void try_soon(struct channel *ch)
{
    ev_timer_stop(ch->vs->ctx->loop, &ch->timer);
    ev_feed_event(ch->vs->ctx->loop, &ch->timer, EV_TIMER);
}

/* ---- the watch on the folder ----
 *
 * The descriptor is open while the plugin runs, and only the watch comes and goes: closing an inotify descriptor waits for
 * the kernel, for 1 to 90 ms, and a channel is sought for nearly every call. */

static void unwatch(struct vchan_socket *vs)
{
    char bytes[4096];

    if (vs->watched < 0)
        return;
    inotify_rm_watch(vs->watch_fd, vs->watched);
    vs->watched = -1;
    while (read(vs->watch_fd, bytes, sizeof(bytes)) > 0)    /* that it is removed, and what nobody waits for now */
        ;
}

/* Wake those whose path an event names, or all of them. made: the path is new. */
static void wake(struct vchan_socket *vs, const char *name, bool made)
{
    struct channel *ch;

    LIST_FOREACH(ch, &vs->channels, link) {
        if (ch->server || ch->state != UNIK_VCHAN_WAITING)
            continue;
        if (name && strcmp(strrchr(ch->path.sun_path, '/') + 1, name) != 0)
            continue;
        if (made || !ch->came)
            ch->tries = ch->left = 0;
        ch->came = ch->came || made;
        try_soon(ch);
    }
}

/* Take in what has happened in the folder. False: nothing. */
static bool read_changes(struct vchan_socket *vs)
{
    union { struct inotify_event first; char bytes[4096]; } buffer;
    ssize_t n, at = 0;
    bool lost = false;

    n = read(vs->watch_fd, &buffer, sizeof(buffer));
    while (at + (ssize_t)sizeof(buffer.first) <= n) {
        struct inotify_event e;

        memcpy(&e, buffer.bytes + at, sizeof(e));
        if (e.mask & IN_Q_OVERFLOW || (e.wd == vs->watched && e.mask & (IN_IGNORED | IN_MOVE_SELF)))
            lost = true;
        else if (e.wd == vs->watched && e.len)
            wake(vs, buffer.bytes + at + sizeof(e), e.mask & (IN_CREATE | IN_MOVED_TO));
        at += (ssize_t)(sizeof(e) + e.len);
    }
    if (lost) {
        unwatch(vs);            /* events or the folder are gone: everybody looks again, and watches anew */
        wake(vs, NULL, false);
    }
    return n > 0;
}

static void on_change(struct ev_loop *loop, ev_io *w, int revents)
{
    (void)loop, (void)revents;
    read_changes(w->data);
}

/* false: cannot be watched (no such folder, no inotify): the timer must do. */
static bool watch(struct vchan_socket *vs)
{
    if (vs->watched < 0 && vs->watch_fd >= 0)
        vs->watched = inotify_add_watch(vs->watch_fd, vs->dir, IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM |
                                                                   IN_MOVE_SELF | IN_ONLYDIR);
    return vs->watched >= 0;
}

void vchan_socket_begin_watch(struct vchan_socket *vs)
{
    vs->watched = -1;
    vs->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (vs->watch_fd < 0)
        return;
    ev_io_init(&vs->watch, on_change, vs->watch_fd, EV_READ);
    vs->watch.data = vs;
    ev_io_start(vs->ctx->loop, &vs->watch);
}

void vchan_socket_end_watch(struct vchan_socket *vs)
{
    if (vs->watch_fd < 0)
        return;
    ev_io_stop(vs->ctx->loop, &vs->watch);
    close(vs->watch_fd);
    vs->watch_fd = vs->watched = -1;
}

static void rely_on_watch(struct channel *ch, bool yes)
{
    if (ch->watches == yes)
        return;
    ch->watches = yes;
    if (yes)
        ch->vs->waiting++;
    else if (--ch->vs->waiting == 0)
        unwatch(ch->vs);
}

/* ---- tries ---- */

/* A connected socket or a negative errno. */
static int try_connect(struct channel *ch)
{
    int e, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&ch->path, sizeof(ch->path)) == 0)
        return fd;
    e = errno;
    close(fd);
    return -e;
}

static void try_later(struct channel *ch, int error)
{
    bool passes = error == -EAGAIN || error == -ENOENT;
    double delay = FIRST_DELAY, most = passes || ch->tries < SHORT_TRIES ? SHORT_DELAY : LONG_DELAY;

    for (unsigned i = 0; i < ch->tries && delay < most; i++)
        if (i < 8 || i >= SHORT_TRIES)
            delay = delay * 2 < most ? delay * 2 : most;
    ch->tries++;
    if (!passes && error != -ECONNREFUSED && !ch->said) {
        ch->said = true;
        unik_warn(ch->vs->ctx, "%s: connect: %s; trying on", ch->path.sun_path, strerror(-error));
    }
    ev_timer_set(&ch->timer, delay, 0);
    ev_timer_start(ch->vs->ctx->loop, &ch->timer);
}

static void server_left(struct channel *ch)
{
    rely_on_watch(ch, false);
    vchan_socket_broken(ch, "its server came and has left", 0);
    ch->input_ended = true;
    vchan_socket_tell(ch, UNIK_STREAM_INPUT | UNIK_STREAM_ROOM);
}

static void on_try(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct channel *ch = w->data;
    int fd = try_connect(ch);

    (void)loop, (void)revents;
    if (fd < 0 && !ch->watches && watch(ch->vs)) {
        rely_on_watch(ch, true);
        fd = try_connect(ch);           /* it may have come just before the watch */
    }
    if (fd >= 0) {
        rely_on_watch(ch, false);
        vchan_socket_connected(ch, fd);
        vchan_socket_tell(ch, UNIK_STREAM_OPEN);
    } else if (ch->came && (fd == -ENOENT || fd == -ECONNREFUSED) && ++ch->left >= LEFT_TRIES) {
        server_left(ch);
    } else if (ch->came || fd != -ENOENT || !watch(ch->vs)) {
        try_later(ch, fd);
    }
}

void vchan_socket_seek(struct channel *ch)
{
    ev_timer_init(&ch->timer, on_try, 0, 0);
    ch->timer.data = ch;
    while (ch->vs->watched >= 0 && read_changes(ch->vs))
        ;
    ch->came = false;                   /* what has happened until now was another's server */
    try_soon(ch);
}

void vchan_socket_unseek(struct channel *ch)
{
    ev_timer_stop(ch->vs->ctx->loop, &ch->timer);
    rely_on_watch(ch, false);
}
