/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-socket/channel.h - one channel over a unix socket, and what the files of this plugin share. */
#ifndef VCHAN_SOCKET_CHANNEL_H
#define VCHAN_SOCKET_CHANNEL_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unik/ring.h>
#include <unik/vchan.h>
#include "plugins/vchan-socket/pages.h"

#define CHANNELS_MAX 1024       /* open and closing; a qrexec peer has 256 data ports (doc/protocol/vchan.md, 1) */
#define CLOSING_MAX 256         /* closed ones whose output still goes out: at most a ring of memory each */
#define DOMID_LAST 0x7fef       /* Xen's numbers for domains end here (public/xen.h: DOMID_FIRST_RESERVED) */
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

enum { OPEN, OPEN_HIGH, CONNECTS, DISCONNECTS, BYTES_IN, BYTES_OUT, REFUSED, CLOSING, CUT,
       SHARED, SHARED_HIGH };

struct config {
    int64_t domid;
    const char *dir, *grant_dir;
    uint64_t ring_min, client_ring;
    double flush;
};

/* The plugin's state. The interface comes first: a pointer to it is a pointer to this. */
struct vchan_socket {
    struct unik_vchan api;
    struct unik_ctx *ctx;
    const struct config *config;
    int domid;
    char dir[SOCKET_PATH_MAX + 1];
    LIST_HEAD(, channel) channels;      /* every one, those that are closing too */
    unsigned n;
    TAILQ_HEAD(, channel) dirty;        /* those that have output to send before the loop waits */
    struct channel *reading;            /* whose INPUT is being told; NULL once it is closed */
    ev_prepare flush;                   /* never started: fed as an event, it runs after all others of the turn */
    int watch_fd;                       /* inotify; or -1: there is none */
    int watched;                        /* its watch on the folder, while a client waits for its server's path; or -1 */
    ev_io watch;
    unsigned waiting;                   /* clients that rely on it */
    int hangup_fd;                      /* epoll set of channels whose ring came full; or -1 */
    ev_io hangup;
    unsigned hangup_watched;            /* how many are in it */
    struct shared_pages pages;
    bool stopping;
};

struct channel {
    struct unik_stream stream;          /* first: a stream is its channel */
    struct vchan_socket *vs;
    LIST_ENTRY(channel) link;
    TAILQ_ENTRY(channel) dirty_link;
    struct unik_ctx *owner;
    int peer;
    unsigned port;
    char peer_name[12];
    bool server, dirty, want_room;
    bool input_ended;                   /* nothing more will come into rx */
    bool closing;                       /* the owner has closed it: only its output is left */
    bool watches;                       /* a waiting client that relies on the folder's watch */
    bool hangup_watched;                /* is in that set */
    bool said;                          /* its unusual error was logged */
    enum unik_vchan_state state;
    char reason[80];
    int fd;                             /* a waiting server's listener, later the connection; or -1 */
    ev_io in, out;                      /* out is active while the kernel takes no more */
    ev_timer timer;                     /* a waiting client's next try; a closing channel's deadline */
    unsigned tries;
    bool came;                          /* a server made the path while this client waited */
    unsigned left;                      /* tries since then that found nobody */
    unsigned room_told;                 /* loop iteration in which ROOM was told after a flush */
    struct unik_ring rx, tx;
    struct sockaddr_un path;
    dev_t path_dev;                     /* which file the listener's path was when we made it */
    ino_t path_ino;
};

/* plugin.c: the last channel of a stopping plugin is gone */
void vchan_socket_stopped(struct vchan_socket *vs);

/* channel.c */
struct channel *vchan_socket_new(struct vchan_socket *vs, int peer, unsigned port, bool server, size_t rx, size_t tx,
                                 unik_stream_cb *cb, void *arg, int *error);
void vchan_socket_free(struct channel *ch);
void vchan_socket_finish(struct channel *ch);
void vchan_socket_connected(struct channel *ch, int fd);
void vchan_socket_broken(struct channel *ch, const char *why, int error);
void vchan_socket_tell(struct channel *ch, unsigned events);
enum unik_vchan_state vchan_socket_state(struct unik_stream *s);
const char *vchan_socket_reason(struct unik_stream *s);

/* output.c */
ssize_t vchan_socket_send(struct channel *ch, const void *bytes, size_t n);
void vchan_socket_mark_dirty(struct channel *ch);
void vchan_socket_on_flush(struct ev_loop *loop, ev_prepare *w, int revents);
void vchan_socket_on_writable(struct ev_loop *loop, ev_io *w, int revents);
size_t vchan_socket_room(struct unik_stream *s);
ssize_t vchan_socket_write(struct unik_stream *s, const void *bytes, size_t n);
void vchan_socket_close(struct unik_stream *s);
void vchan_socket_abort(struct unik_stream *s);

/* hangup.c: tell the end of a peer also while nothing can be read from it; take that back before the descriptor closes */
void vchan_socket_watch_hangup(struct channel *ch);
void vchan_socket_unwatch_hangup(struct channel *ch);

/* server.c, client.c */
int vchan_socket_path(struct channel *ch);
int vchan_socket_serve(struct channel *ch);
void vchan_socket_unserve(struct channel *ch);
void vchan_socket_seek(struct channel *ch);
void vchan_socket_unseek(struct channel *ch);
void vchan_socket_begin_watch(struct vchan_socket *vs);
void vchan_socket_end_watch(struct vchan_socket *vs);

/* pages.c. The folder's name: -ENAMETOOLONG. */
int vchan_socket_pages_dir(const struct config *config, const char *sockets, char dir[GRANT_DIR_MAX + 1]);
int vchan_socket_pages_start(struct vchan_socket *vs);
void vchan_socket_pages_stop(struct vchan_socket *vs);

#endif
