/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/files.c - open files and folders of the tree: contents are read where the archive lies. */
#include "boot/linux.h"

static bool is_dir(const struct node *n) { return (n->mode & S_IFMT) == S_IFDIR; }

void fill_stat(const struct file *f, const struct node *n, struct linux_stat *st)
{
    memset(st, 0, sizeof(*st));
    st->blksize = PAGE;
    if (!n) {                   /* a pipe, an eventfd ... : the file itself is its number */
        st->ino = (uint64_t)(uintptr_t)f / 16;
        st->nlink = 1;
        st->mode = f->ops->mode;
        return;
    }
    st->dev = n->writable ? 2 : 1;
    st->ino = n->ino;
    st->nlink = n->nlink;
    st->mode = n->mode;
    st->uid = n->uid;
    st->gid = n->gid;
    st->rdev = n->rdev;
    st->size = (int64_t)n->bytes.size;
    st->blocks = (int64_t)((n->bytes.size + 511) / 512);
    st->atime = st->mtime = st->ctime = n->mtime;
}

/* ---- files ---- */

static int64_t read_node(struct file *f, uint64_t to, size_t n, uint64_t at)
{
    const struct bytes *b = &f->node->bytes;

    if (at >= b->size)
        return 0;
    n = MIN(n, b->size - at);
    return user_out(to, b->at + at, n) < 0 ? -EFAULT : (int64_t)n;
}

static int64_t op_read_at(struct file *f, uint64_t to, size_t n, uint64_t at) { return read_node(f, to, n, at); }

static int64_t op_read(struct file *f, uint64_t to, size_t n)
{
    int64_t r = read_node(f, to, n, f->at);

    if (r > 0)
        f->at += (uint64_t)r;
    return r;
}

int64_t file_seek(struct file *f, int64_t offset, unsigned whence)
{
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)f->at : (int64_t)f->node->bytes.size, at;

    if (whence > SEEK_END || __builtin_add_overflow(base, offset, &at) || at < 0)
        return -EINVAL;
    f->at = (uint64_t)at;
    return at;
}

/* Shared is as good as private: nobody can write. */
static int64_t op_map(struct file *f, enum user_where where, uint64_t address, uint64_t length, unsigned prot, unsigned flags,
                      uint64_t offset)
{
    const struct bytes *b = &f->node->bytes;
    struct user_backing backing = { .device = NULL };

    if ((flags & MAP_TYPE) != MAP_PRIVATE && prot & PROT_WRITE)
        return -EACCES;
    if (offset < b->size)
        backing.file = (struct bytes){ b->at + offset, b->size - offset };
    return user_map(where, address, length, prot, &backing);
}

void file_close_node(struct file *f)
{
    node_put(f->node);
    pool_put(f, sizeof(*f));
}

static const struct file_ops file_ops = {
    .read = op_read, .read_at = op_read_at, .seek = file_seek, .map = op_map, .close = file_close_node,
};

/* ---- folders: position 0 is ".", 1 is "..", then the places of what is in it ---- */

static struct node *entry(struct node *dir, uint64_t at, const char **name, size_t *len)
{
    struct node *n = dir->first_child;

    if (at < TREE_FIRST_PLACE) {
        *name = "..";
        *len = at + 1;
        return at ? dir->parent : dir;
    }
    while (n && n->place < at)
        n = n->next;
    return n;
}

static uint8_t kind(const struct node *n)
{
    switch (n->mode & S_IFMT) {
    case S_IFDIR: return DT_DIR;
    case S_IFLNK: return DT_LNK;
    case S_IFCHR: return DT_CHR;
    }
    return DT_REG;
}

int64_t sys_getdents64(const uint64_t a[6])
{
    struct file *f = fd_file(a[0]);
    uint64_t done = 0, size = (uint32_t)a[2];
    char record[PAGE_UP(sizeof(struct linux_dirent) + 256 + 8) / 8] __attribute__((aligned(8)));
    struct linux_dirent *d = (struct linux_dirent *)(void *)record;
    struct node *n, *next = NULL;

    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (!f->node || !is_dir(f->node))
        return -ENOTDIR;
    if (f->node->gone)
        return -ENOENT;
    for (;; done += d->reclen) {
        const char *name = NULL;
        size_t len;

        n = next ? next : entry(f->node, f->at, &name, &len);
        if (!n)
            break;
        if (!name) {
            name = n->name;
            len = n->name_len;
        }
        memset(record, 0, sizeof(record));
        d->ino = n->ino;
        d->off = (int64_t)(f->at < TREE_FIRST_PLACE ? f->at : n->place) + 1;
        d->reclen = (uint16_t)((sizeof(*d) + len + 1 + 7) & ~7ul);
        d->type = kind(n);
        memcpy(d->name, name, len);
        if (done + d->reclen > size)
            return done ? (int64_t)done : -EINVAL;
        if (user_out(a[1] + done, d, d->reclen) < 0)
            return done ? (int64_t)done : -EFAULT;
        next = f->at < TREE_FIRST_PLACE ? NULL : n->next;
        f->at = (uint64_t)d->off;
        if (f->at > TREE_FIRST_PLACE && !next) {
            done += d->reclen;
            break;
        }
    }
    return (int64_t)done;
}

static int64_t dir_seek(struct file *f, int64_t offset, unsigned whence)
{
    if (whence > SEEK_CUR || (whence == SEEK_CUR && offset) || offset < 0)
        return -EINVAL;
    if (whence == SEEK_SET)
        f->at = (uint64_t)offset;
    return (int64_t)f->at;
}

static const struct file_ops dir_ops = { .seek = dir_seek, .close = file_close_node };

/* ---- open ---- */

/* Only what is in /tmp can be changed; anything else: -EROFS, after all that Linux would complain about first. */
static int may_open(const struct node *n, unsigned flags)
{
    unsigned kind_of = n->mode & S_IFMT;
    bool writing = (flags & O_ACCMODE) != O_RDONLY;

    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (kind_of == S_IFLNK)
        return -ELOOP;
    if (flags & O_DIRECTORY && kind_of != S_IFDIR)
        return -ENOTDIR;
    if (kind_of == S_IFDIR && (writing || flags & O_CREAT))
        return -EISDIR;
    if (kind_of == S_IFREG && (writing || flags & O_TRUNC) && !n->writable)
        return -EROFS;
    return 0;
}

int64_t file_open(struct node *n, unsigned flags, struct file **out)
{
    struct file *f;
    int e;

    if (flags & O_PATH) {
        if (flags & O_DIRECTORY && !is_dir(n))
            return -ENOTDIR;
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
    } else {
        e = may_open(n, flags);
        if (e < 0)
            return e;
        flags |= O_LARGEFILE;
    }
    if (n->device && !(flags & O_PATH)) {
        e = n->device->open(n->device, flags, &f);
        if (e < 0)
            return e;
    } else {
        f = pool_get(sizeof(*f));
        if (!f)
            return -ENOMEM;
        file_init(f, is_dir(n) ? &dir_ops : n->writable ? &tmp_ops : &file_ops, flags);
        node_get(n);
        if (n->writable && flags & O_TRUNC && !(flags & O_PATH))
            tmp_resize(n, 0);
    }
    f->node = n;
    *out = f;
    return 0;
}

int file_open_path(const char *path, unsigned flags, struct file **out)
{
    const struct walk w = { .follow = true };
    struct node *n;
    int e = tree_walk(&w, path, &n, NULL);

    return e < 0 ? e : (int)file_open(n, flags, out);
}
