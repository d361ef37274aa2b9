/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/send.c - an answer on its way: its head, then bytes of a file, as fast as the stream takes them.
 * The first write carries the head and the beginning of the file together. The peer may read as slowly as it likes:
 * what waits here is a place in a file, and at most one head. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "www.h"

/* Up to n bytes of the file at `at` into `to`. Bytes, or -EIO: the file is shorter than it was. */
static ssize_t read_at(const struct www_file *f, uint64_t at, char *to, size_t n)
{
    ssize_t k;

    if (f->fd < 0) {
        memcpy(to, f->bytes + at, n);
        return (ssize_t)n;
    }
    do
        k = pread(f->fd, to, n, (off_t)at);
    while (k < 0 && errno == EINTR);
    return k > 0 ? k : -EIO;
}

/* The next bytes of a file that is not in memory, read to where the stream keeps them. Bytes; 0: the stream has no such place; -EIO or its
 * error. */
static ssize_t send_in_place(struct www *w, struct unik_stream *s, const struct www_send *send)
{
    uint64_t left = send->end - send->at;
    struct iovec parts[WWW_PARTS];
    unsigned n = send->file->fd < 0 ? 0 : unik_stream_reserve(s, parts, WWW_PARTS), i;
    ssize_t k;
    int e;

    for (i = 0; i < n && left; i++) {
        parts[i].iov_len = parts[i].iov_len < left ? parts[i].iov_len : (size_t)left;
        left -= parts[i].iov_len;
    }
    if (i == 0)
        return 0;
    do
        k = preadv(send->file->fd, parts, (int)i, (off_t)send->at);
    while (k < 0 && errno == EINTR);
    if (k <= 0)
        return -EIO;
    e = unik_stream_commit(s, (size_t)k);
    if (e < 0)
        return e;
    w->ctx->counters[WWW_BYTES] += (uint64_t)k;
    return k;
}

static size_t least(uint64_t a, size_t b) { return a < b ? (size_t)a : b; }

static ssize_t write_some(struct www *w, struct unik_stream *s, const char *bytes, size_t n)
{
    ssize_t k = unik_stream_write(s, bytes, n);

    if (k > 0)
        w->ctx->counters[WWW_BYTES] += (uint64_t)k;
    return k;
}

int www_send_begin(struct www *w, struct unik_stream *s, struct www_send *send, const struct www_answer *a)
{
    size_t n = a->head_n;
    ssize_t k;

    memset(send, 0, sizeof(*send));
    send->file = a->file;
    send->at = a->from;
    send->end = a->file ? a->end : a->from;
    if (send->file) {
        k = read_at(send->file, send->at, w->scratch + n, least(send->end - send->at, sizeof(w->scratch) - n));
        if (k < 0)
            return -EIO;
        n += (size_t)k;
    }
    k = write_some(w, s, w->scratch, n);
    if (k < 0)
        return (int)k;
    if ((size_t)k >= a->head_n) {
        send->at += (size_t)k - a->head_n;
    } else {
        send->rest_n = a->head_n - (size_t)k;
        send->rest = malloc(send->rest_n);
        if (!send->rest)
            return -ENOMEM;
        memcpy(send->rest, w->scratch + k, send->rest_n);
    }
    return (size_t)k == n ? www_send_on(w, s, send) : 0;
}

static int send_rest(struct www *w, struct unik_stream *s, struct www_send *send)
{
    ssize_t k = write_some(w, s, send->rest + send->rest_at, send->rest_n - send->rest_at);

    if (k < 0)
        return (int)k;
    send->rest_at += (size_t)k;
    if (send->rest_at < send->rest_n)
        return 0;
    free(send->rest);
    send->rest = NULL;
    return 1;
}

int www_send_on(struct www *w, struct unik_stream *s, struct www_send *send)
{
    size_t turn = 0;
    int e;

    if (send->rest) {
        e = send_rest(w, s, send);
        if (e <= 0)
            return e;
    }
    while (send->file && send->at < send->end) {
        size_t room, n;
        ssize_t k, taken;

        if (turn >= WWW_TURN)
            return -EAGAIN;
        k = send_in_place(w, s, send);
        if (k < 0)
            return (int)k;
        if (k > 0) {
            send->at += (uint64_t)k;
            turn += (size_t)k;
            continue;
        }
        room = unik_stream_room(s);
        n = least(send->end - send->at, room < WWW_CHUNK ? room : WWW_CHUNK);
        if (n == 0)
            return 0;
        k = read_at(send->file, send->at, w->scratch, n);
        if (k < 0)
            return -EIO;
        taken = write_some(w, s, w->scratch, (size_t)k);
        if (taken < 0)
            return (int)taken;
        send->at += (size_t)taken;
        turn += (size_t)taken;
        if (taken < k)
            return 0;
    }
    return 1;
}

void www_send_free(struct www_send *send)
{
    free(send->rest);
    www_file_put(send->file);
    memset(send, 0, sizeof(*send));
}
