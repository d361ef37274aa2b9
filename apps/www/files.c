/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/files.c - from a path to an open file or its bytes, with all that an answer says about it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "www.h"

#define YOUNG 2.0       /* seconds: times of files may be that coarse (FAT), so that two changes look like one */

void www_file_put(struct www_file *f)
{
    if (!f || --f->refs)
        return;
    if (f->fd >= 0)
        close(f->fd);
    free(f->bytes);
    free(f->path);
    free(f);
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void describe(struct www_file *f, const char *path)
{
    f->size = (uint64_t)f->st.st_size;
    f->type = www_type(path);
    snprintf(f->etag, sizeof(f->etag), "\"%llx-%llx-%llx\"", (unsigned long long)f->st.st_ino,
             (unsigned long long)f->st.st_mtim.tv_sec * 1000000000u + (unsigned long long)f->st.st_mtim.tv_nsec,
             (unsigned long long)f->size);
    www_date_format(f->st.st_mtim.tv_sec, f->date);
    f->head_n = (size_t)snprintf(f->head, sizeof(f->head),
                                 "Content-Type: %s\r\nContent-Length: %llu\r\nLast-Modified: %s\r\nETag: %s\r\n"
                                 "Accept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\n",
                                 f->type, (unsigned long long)f->size, f->date, f->etag);
}

/* All bytes of a small file, as they were at one time. 0; -EAGAIN: it changed meanwhile. */
static int read_all(struct www_file *f)
{
    struct stat after;
    uint64_t at = 0;

    f->bytes = malloc(f->size ? f->size : 1);
    if (!f->bytes)
        return -ENOMEM;
    while (at < f->size) {
        ssize_t n = pread(f->fd, f->bytes + at, f->size - at, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -EIO : -EAGAIN;
        at += (uint64_t)n;
    }
    if (fstat(f->fd, &after) < 0 || !same(&f->st, &after))
        return -EAGAIN;
    close(f->fd);
    f->fd = -1;
    return 0;
}

/* Large files stay open and are read as they are sent; small ones are read now. Takes fd. */
static int load(struct www *w, const char *path, int fd, const struct stat *st, struct www_file **out)
{
    struct www_file *f = calloc(1, sizeof(*f));
    int e;

    if (!f) {
        close(fd);
        return -EAGAIN;
    }
    f->refs = 1;
    f->fd = fd;
    f->st = *st;
    describe(f, path);
    if (f->size <= WWW_CHUNK) {
        e = read_all(f);
        if (e < 0 && e != -EAGAIN) {
            www_file_put(f);
            return e == -ENOMEM ? -EAGAIN : e;
        }
        if (e == 0) {
            f->checked = ev_now(w->ctx->loop);
            f->young = f->checked - (double)st->st_mtim.tv_sec < YOUNG;
            www_cache_add(w, path, f);
        }
    }
    *out = f;
    return 0;
}

static int translate(struct www *w, const char *path, int error)
{
    switch (error) {
    case -ENOENT: case -ENOTDIR: case -ELOOP: case -EXDEV: case -ENAMETOOLONG: case -ENXIO: case -ENODEV:
        return -ENOENT;
    case -EACCES: case -EPERM:
        return -EACCES;
    case -EMFILE: case -ENFILE: case -ENOMEM: case -EAGAIN:
        unik_warn(w->ctx, "%s: %s", path, strerror(-error));
        return -EAGAIN;
    default:
        unik_error(w->ctx, "%s: %s", path, strerror(-error));
        return -EIO;
    }
}

/* Seen within cache-time: taken as it is. Older: opened again, so that a changed link or permission counts too. */
int www_file_get(struct www *w, const struct www_path *path, struct www_file **out)
{
    char name[WWW_PATH_MAX + 256];
    const char *full = path->at;
    struct www_file *f;
    struct stat st;
    double now = ev_now(w->ctx->loop);
    int fd;

    if (path->folder) {
        if (path->len + strlen(w->config->index) + 2 > sizeof(name))
            return -ENOENT;
        snprintf(name, sizeof(name), "%s%s%s", path->at, path->len ? "/" : "", w->config->index);
        full = name;
    }
    f = www_cache_find(w, full);
    if (f && now >= f->checked && now - f->checked < w->config->cache_time) {
        w->ctx->counters[WWW_CACHE_HITS]++;
        f->refs++;
        *out = f;
        return 0;
    }
    fd = www_open(w, full);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int e = -errno;

        if (f)
            www_cache_drop(w, f);
        if (fd < 0)
            return translate(w, full, fd);
        close(fd);
        return translate(w, full, e);
    }
    if (f && !f->young && same(&f->st, &st)) {
        close(fd);
        f->checked = now;
        f->refs++;
        *out = f;
        return 0;
    }
    if (f)
        www_cache_drop(w, f);
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return S_ISDIR(st.st_mode) && !path->folder ? -EISDIR : -ENOENT;
    }
    return load(w, full, fd, &st, out);
}
