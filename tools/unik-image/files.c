/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/files.c - the tree of files that goes into an image. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/unik-image/files.h"

struct file {
    char *to;                   /* without leading "/" */
    uint32_t mode;
    struct bytes bytes;
};

struct files {
    struct file at[FILES_MAX];
    size_t n;
};

static int complain(int e, const char *what)
{
    fprintf(stderr, "unik-image: %s: %s\n", what, strerror(-e));
    return e;
}

struct files *files_new(void) { return calloc(1, sizeof(struct files)); }

void files_free(struct files *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++) {
        free(f->at[i].to);
        bytes_free(&f->at[i].bytes);
    }
    free(f);
}

/* ---- collecting ---- */

/* A path in the image without "/" at either end, "//", "." and ".."; false if it is not one. */
static bool tidy(const char *path, char *out)
{
    size_t n = 0;

    while (*path) {
        size_t k = strcspn(path, "/");

        if ((k == 1 && path[0] == '.') || (k == 2 && strncmp(path, "..", 2) == 0) || n + k + 2 > FILES_PATH_MAX)
            return false;
        if (k) {
            if (n)
                out[n++] = '/';
            memcpy(out + n, path, k);
            n += k;
        }
        path += k + (path[k] == '/');
    }
    out[n] = 0;
    return true;
}

/* The entry of that path, new or emptied; NULL if there is no room for one more. */
static struct file *entry(struct files *f, const char *to, uint32_t mode)
{
    struct file *e = NULL;

    for (size_t i = 0; i < f->n && !e; i++)
        if (strcmp(f->at[i].to, to) == 0)
            e = &f->at[i];
    if (!e) {
        if (f->n == FILES_MAX)
            return NULL;
        e = &f->at[f->n];
        e->to = strdup(to);
        if (!e->to)
            return NULL;
        f->n++;
    }
    bytes_free(&e->bytes);
    e->mode = mode;
    return e;
}

/* The folders that a path lies in. */
static int parents(struct files *f, const char *to)
{
    char path[FILES_PATH_MAX];

    for (const char *slash = strchr(to, '/'); slash; slash = strchr(slash + 1, '/')) {
        bool there = false;

        snprintf(path, sizeof(path), "%.*s", (int)(slash - to), to);
        for (size_t i = 0; i < f->n; i++)
            if (strcmp(f->at[i].to, path) == 0) {
                if (!S_ISDIR(f->at[i].mode))
                    return -ENOTDIR;
                there = true;
            }
        if (!there && !entry(f, path, S_IFDIR | 0755))
            return -ENOSPC;
    }
    return 0;
}

static int add(struct files *f, const char *from, const char *to, unsigned depth);

static int add_folder(struct files *f, const char *from, const char *to, unsigned depth)
{
    struct dirent **names;
    int n = scandir(from, &names, NULL, NULL), e = n < 0 ? complain(-errno, from) : 0;

    for (int i = 0; i < n; i++) {
        char below[FILES_PATH_MAX], *path = NULL;

        if (e == 0 && strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0) {
            if (asprintf(&path, "%s/%s", from, names[i]->d_name) < 0)
                e = -ENOMEM;
            else if ((size_t)snprintf(below, sizeof(below), "%s%s%s", to, *to ? "/" : "", names[i]->d_name) >= sizeof(below))
                e = complain(-ENAMETOOLONG, path);
            else
                e = add(f, path, below, depth + 1);
            free(path);
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return e;
}

static int add(struct files *f, const char *from, const char *to, unsigned depth)
{
    char link[FILES_PATH_MAX];
    struct file *e;
    struct stat st;
    ssize_t n;
    int error;

    if (depth > FILES_DEPTH_MAX)
        return complain(-ELOOP, from);
    if ((depth ? lstat(from, &st) : stat(from, &st)) < 0)
        return complain(-errno, from);
    error = parents(f, to);
    if (error)
        return complain(error, to);
    if (S_ISDIR(st.st_mode)) {
        if (*to && !entry(f, to, S_IFDIR | 0755))
            return complain(-ENOSPC, from);
        return add_folder(f, from, to, depth);
    }
    if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
        fprintf(stderr, "unik-image: %s: neither file, folder nor link\n", from);
        return -EINVAL;
    }
    e = *to ? entry(f, to, S_ISLNK(st.st_mode) ? S_IFLNK | 0777 : S_IFREG | (st.st_mode & 0111 ? 0755 : 0644)) : NULL;
    if (!e)
        return complain(*to ? -ENOSPC : -EISDIR, from);
    if (S_ISREG(st.st_mode)) {
        error = bytes_read_file(&e->bytes, from);
        return error ? complain(error, from) : 0;
    }
    n = readlink(from, link, sizeof(link));
    if (n < 0 || n == sizeof(link))
        return complain(n < 0 ? -errno : -ENAMETOOLONG, from);
    bytes_add(&e->bytes, link, (size_t)n);
    return 0;
}

int files_add(struct files *f, const char *from, const char *to)
{
    char path[FILES_PATH_MAX];

    if (!tidy(to, path))
        return complain(-EINVAL, to);
    return add(f, from, path, 0);
}

int files_add_bytes(struct files *f, const void *bytes, size_t n, const char *to)
{
    char path[FILES_PATH_MAX];
    struct file *e;
    int error;

    if (!tidy(to, path) || !*path)
        return complain(-EINVAL, to);
    error = parents(f, path);
    e = error ? NULL : entry(f, path, S_IFREG | 0644);
    if (!e)
        return complain(error ? error : -ENOSPC, to);
    bytes_add(&e->bytes, bytes, n);
    return 0;
}

/* ---- the archive: a head of 6 + 13 * 8 hexadecimal digits, the name, the bytes; each padded to 4 ---- */

static void write_entry(struct bytes *out, size_t number, const char *name, uint32_t mode, const struct bytes *bytes)
{
    char head[111];
    const uint32_t fields[13] = { (uint32_t)number, mode, 0, 0, S_ISDIR(mode) ? 2 : 1, 0, (uint32_t)bytes->size, 0, 0, 0, 0,
                                  (uint32_t)strlen(name) + 1, 0 };

    memcpy(head, "070701", 7);
    for (int i = 0; i < 13; i++)
        snprintf(head + 6 + 8 * i, 9, "%08X", fields[i]);
    bytes_add(out, head, 110);
    bytes_add(out, name, strlen(name) + 1);
    bytes_align(out, 4);
    bytes_add(out, bytes->at, bytes->size);
    bytes_align(out, 4);
}

/* By path, with "/" before every other character: a folder, then all that is in it. */
static int before(const void *a, const void *b)
{
    const unsigned char *x = (const unsigned char *)((const struct file *)a)->to;
    const unsigned char *y = (const unsigned char *)((const struct file *)b)->to;

    while (*x && *x == *y)
        x++, y++;
    return (*x == '/' ? 1 : *x ? *x + 1 : 0) - (*y == '/' ? 1 : *y ? *y + 1 : 0);
}

int files_write(struct files *f, struct bytes *out)
{
    static const struct bytes nothing;

    qsort(f->at, f->n, sizeof(f->at[0]), before);
    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].bytes.bad)
            return complain(-ENOMEM, f->at[i].to);
        write_entry(out, i + 1, f->at[i].to, f->at[i].mode, &f->at[i].bytes);
    }
    write_entry(out, 0, "TRAILER!!!", 0, &nothing);
    return out->bad ? complain(-ENOMEM, "files") : 0;
}

/* ---- and back ---- */

static bool hex8(const uint8_t *at, uint32_t *v)
{
    *v = 0;
    for (int i = 0; i < 8; i++) {
        unsigned c = at[i], digit = c - '0' < 10 ? c - '0' : (c | 32) - 'a' < 6 ? (c | 32) - 'a' + 10 : 16;

        if (digit == 16)
            return false;
        *v = *v << 4 | digit;
    }
    return true;
}

const char *files_each(const uint8_t *archive, size_t n, void (*cb)(const struct files_entry *e, void *arg), void *arg)
{
    size_t at = 0;

    for (;;) {
        struct files_entry e;
        uint32_t size, name;

        if (n - at < 110 || memcmp(archive + at, "070701", 6) != 0)
            return "the archive of files is damaged";
        if (!hex8(archive + at + 14, &e.mode) || !hex8(archive + at + 54, &size) || !hex8(archive + at + 94, &name))
            return "the archive of files is damaged";
        at += 110;
        if (name == 0 || name > n - at || archive[at + name - 1] != 0)
            return "the archive of files is damaged";
        e.name = (const char *)archive + at;
        at += name;
        at += -at & 3;
        if (at > n || size > n - at)
            return "the archive of files is damaged";
        if (strcmp(e.name, "TRAILER!!!") == 0)
            return NULL;
        e.bytes = archive + at;
        e.size = size;
        cb(&e, arg);
        at += size;
        at += -at & 3;
        if (at > n)
            return "the archive of files is damaged";
    }
}
