/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/www.h - what the files of this app share. */
#ifndef WWW_H
#define WWW_H

#include <sys/stat.h>
#include <unik/backoff.h>
#include <unik/net.h>
#include <unik/qrexec.h>
#include <unik/tls.h>

#include "filter.h"
#include "syntax.h"

#define WWW_ANSWER_HEAD 2048            /* room for an answer's line and fields, and an error's text */
#define WWW_CHUNK 32768                 /* bytes of a file read at a time; up to this size a file is kept whole */
#define WWW_PARTS 16                    /* pieces of a stream's memory that a file is read to at a time */
#define WWW_TURN (256 << 10)            /* bytes for one connection before the others get their turn */
#define WWW_FILES 512                   /* files in the cache, whatever their size */
#define WWW_BUCKETS 256
#define WWW_SPARE_HEADS 8               /* buffers for heads that come in parts, kept for the next one */
#define WWW_BACKLOG 511

struct www_config {
    const char *root, *index, *address;
    int64_t port, tls_port, max_connections;
    bool qrexec, dotfiles;
    uint64_t cache;
    double cache_time, head_timeout, idle_timeout, write_timeout;
};

enum www_counter {
    WWW_REQUESTS, WWW_2XX, WWW_3XX, WWW_4XX, WWW_5XX, WWW_BYTES, WWW_CONNECTIONS, WWW_CONNECTIONS_HIGH, WWW_REFUSED,
    WWW_TIMEOUTS, WWW_TRUNCATED, WWW_CACHE_HITS, WWW_CACHE_BYTES, WWW_GETS
};

enum www_way { WWW_NET, WWW_TLS, WWW_QREXEC };

struct www_conn;
struct www_get;
struct www_file;

/* Files in memory, newest use first. */
struct www_cache {
    struct www_file *buckets[WWW_BUCKETS], *first, *last;
    size_t files;
    uint64_t bytes;
};

/* A port on the network: door.c. */
struct www_door {
    struct www *w;
    enum www_way way;
    struct unik_net_listener *listener;
    struct unik_backoff backoff;
    ev_timer retry;
    char trouble[160];                  /* why it is wished for and not open; "" */
};

struct www {
    struct unik_ctx *ctx;
    const struct www_config *config;
    int root;                           /* the folder that is served */
    bool no_openat2;                    /* the kernel has none: open.c walks */
    struct www_cache cache;

    struct www_conn *conns;
    struct www_get *gets;
    size_t n_conns, n_gets;
    char *heads[WWW_SPARE_HEADS];
    size_t n_heads;

    struct unik_net *net;
    struct unik_tls *tls;
    struct www_door plain, secure;
    struct unik_qrexec *qrexec;
    struct unik_qrexec_service *tcp, *get;
    bool been_ready, draining, drained;

    time_t date_of;
    char date[WWW_DATE_SIZE];
    char scratch[WWW_ANSWER_HEAD + WWW_CHUNK];      /* one answer under construction; used within one call */
};

/* ---- files.c, cache.c, open.c: what is served ---- */

struct www_file {
    unsigned refs;
    int fd;                             /* -1: the bytes are in memory */
    char *bytes;
    uint64_t size;
    struct stat st;
    const char *type;
    char etag[56], date[WWW_DATE_SIZE];
    char head[320];                     /* the fields of a full answer */
    size_t head_n;
    /* as a row of the cache */
    char *path;
    bool listed, young;                 /* young: changed so lately that another change may not show in its times */
    double checked;
    struct www_file *same_bucket, *newer, *older;
};

/* 0 and a reference; -ENOENT (also for what is not a file, or would lead out of the root), -EISDIR (a folder, asked for
 * without its slash), -EACCES, -EAGAIN (no descriptor or memory now), -EIO. */
int www_file_get(struct www *w, const struct www_path *path, struct www_file **out);
void www_file_put(struct www_file *f);

/* Open for reading, never outside of the root, whatever links there are. An fd or a negative errno. */
int www_open(struct www *w, const char *path);

struct www_file *www_cache_find(struct www *w, const char *path);
void www_cache_add(struct www *w, const char *path, struct www_file *f);
void www_cache_drop(struct www *w, struct www_file *f);
void www_cache_clear(struct www *w);

/* ---- request.c: *from the network*, through the filter ---- */

#define WWW_LISTS_MAX 4                 /* lines of one list field */

struct www_request {
    unsigned status;                    /* 0, or the refusal, with why */
    const char *why;
    bool keep;                          /* the peer would go on with this connection */
    bool old;                           /* HTTP/1.0 */
    bool head;                          /* method HEAD */
    bool chunked;                       /* a body whose end cannot be known beforehand */
    bool expects;                       /* the peer waits for 100 before it sends a body */
    uint64_t body;                      /* bytes of a body */
    struct www_slice method, target, range, if_range, if_modified, if_unmodified;
    struct www_slice if_match[WWW_LISTS_MAX], if_none_match[WWW_LISTS_MAX];
};

/* The head that the filter found, from its request line on. Slices point into it. */
void www_request_parse(const struct www_filter *f, const char *head, size_t n, struct www_request *r);

/* ---- respond.c: what to answer ---- */

struct www_answer {
    unsigned status;
    bool close;
    size_t head_n;                      /* bytes of w->scratch */
    struct www_file *file;              /* a reference, or NULL: all is in the head */
    uint64_t from, end;                 /* bytes of the file */
};

void www_respond(struct www *w, const struct www_request *r, struct www_answer *a);
/* An answer that has no request: 408, 503, and what the filter refused. why: a few words more, or NULL. */
void www_refuse(struct www *w, unsigned status, const char *why, struct www_answer *a);
const char *www_reason(unsigned status);

/* ---- send.c: an answer on its way into a stream ---- */

struct www_send {
    char *rest;                         /* of the head, as far as the stream did not take it */
    size_t rest_at, rest_n;
    struct www_file *file;
    uint64_t at, end;
};

/* Take over an answer (head in w->scratch) and begin. */
int www_send_begin(struct www *w, struct unik_stream *s, struct www_send *send, const struct www_answer *a);
/* 1: all is written. 0: wait for ROOM. -EAGAIN: come again in the next turn of the loop. Other: broken; -EIO: the file
 * ended early. */
int www_send_on(struct www *w, struct unik_stream *s, struct www_send *send);
void www_send_free(struct www_send *send);

/* ---- server.c: one connection, whatever carries it ---- */

/* Serve HTTP on a stream, and close it at the end. */
void www_serve(struct www *w, struct unik_stream *s, enum www_way way);
void www_serve_drain(struct www *w);                    /* close the idle; the others after their answer */
void www_serve_stop(struct www *w, enum www_way way);   /* close all of this way */

/* ---- get.c: www.Get, *from another VM* ---- */

void www_get_call(struct unik_qrexec_call *call, void *arg);
void www_get_stop(struct www *w);

/* ---- door.c ---- */

void www_door_init(struct www_door *d, struct www *w, enum www_way way);
void www_door_open(struct www_door *d);         /* if what it takes is there, and it is not open */
void www_door_close(struct www_door *d);

/* ---- www.c ---- */

/* Something about the doors has changed. */
void www_tell_state(struct www *w);

/* The last connection or call has ended. */
void www_gone(struct www *w);

#endif
