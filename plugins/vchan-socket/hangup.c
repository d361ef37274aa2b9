/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-socket/hangup.c - notices that the peer of a channel has gone while its input fills the ring and nobody reads
 * it. libev cannot watch for that alone, and watching for input would wake us all the time; so such channels are put into an
 * epoll set of our own, with no events but the hang-up that is always told. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "plugins/vchan-socket/channel.h"

static void close_set(struct vchan_socket *vs)
{
    ev_io_stop(vs->ctx->loop, &vs->hangup);
    close(vs->hangup_fd);
    vs->hangup_fd = -1;
}

void vchan_socket_unwatch_hangup(struct channel *ch)
{
    struct vchan_socket *vs = ch->vs;

    if (!ch->hangup_watched)
        return;
    epoll_ctl(vs->hangup_fd, EPOLL_CTL_DEL, ch->fd, NULL);
    ch->hangup_watched = false;
    if (--vs->hangup_watched == 0)
        close_set(vs);
}

/* One a turn: what is told may close any other channel. from another VM */
static void on_hangup(struct ev_loop *loop, ev_io *w, int revents)
{
    struct vchan_socket *vs = w->data;
    struct epoll_event e;
    struct channel *ch;

    (void)loop, (void)revents;
    if (epoll_wait(vs->hangup_fd, &e, 1, 0) != 1)
        return;
    ch = e.data.ptr;
    vchan_socket_unwatch_hangup(ch);
    if (ev_is_active(&ch->in))
        return;                         /* read again meanwhile: the end of its input tells */
    vchan_socket_broken(ch, "peer closed", 0);
    vchan_socket_tell(ch, UNIK_STREAM_INPUT | UNIK_STREAM_ROOM);
}

/* From the first time that its ring is full: to go in and out each time would cost a slow reader more than it is worth. */
void vchan_socket_watch_hangup(struct channel *ch)
{
    struct vchan_socket *vs = ch->vs;
    struct epoll_event e = { .data.ptr = ch };

    if (ch->hangup_watched || ch->state != UNIK_VCHAN_CONNECTED)
        return;
    if (vs->hangup_fd < 0) {
        vs->hangup_fd = epoll_create1(EPOLL_CLOEXEC);
        if (vs->hangup_fd < 0)
            return;                     /* no descriptor left: the end is told when the input is read, or by a write */
        ev_io_init(&vs->hangup, on_hangup, vs->hangup_fd, EV_READ);
        vs->hangup.data = vs;
        ev_io_start(vs->ctx->loop, &vs->hangup);
    }
    if (epoll_ctl(vs->hangup_fd, EPOLL_CTL_ADD, ch->fd, &e) == 0) {
        ch->hangup_watched = true;
        vs->hangup_watched++;
    } else if (vs->hangup_watched == 0)
        close_set(vs);
}
