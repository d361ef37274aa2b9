/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/fd.c - descriptors: the table, and the calls that are the same for every kind of file. */
#include "boot/linux.h"

#define ADDRESSES (1ul << 47)                   /* of a program on x86-64 */
#define SLOTS (PAGE / sizeof(struct slot))      /* in a page of the table */

struct slot {
    struct file *file;
    uint64_t cloexec;
};

static struct slot *table[FD_MAX / (PAGE / sizeof(struct slot))];
static uint32_t lowest;         /* none below is free */
uint64_t fd_limit = FD_MAX;

/* ---- files ---- */

void file_init(struct file *f, const struct file_ops *ops, unsigned flags)
{
    f->ops = ops;
    f->refs = 1;
    f->flags = flags & ~(unsigned)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
}

void file_get(struct file *f) { f->refs++; }

void file_put(struct file *f)
{
    if (--f->refs)
        return;
    epoll_forget(f);
    f->ops->close(f);
}

void file_ready(struct file *f)
{
    if (f->watchers)
        epoll_ready(f);
}

int64_t file_seek_nothing(struct file *f, int64_t offset, unsigned whence)
{
    (void)f, (void)offset, (void)whence;
    return 0;
}

/* ---- the table ---- */

static struct slot *slot(uint64_t fd)
{
    struct slot *s = fd < FD_MAX ? table[fd / SLOTS] : NULL;

    return s ? s + fd % SLOTS : NULL;
}

struct file *fd_file(uint64_t fd)
{
    struct slot *s = slot((uint32_t)fd);

    return s ? s->file : NULL;
}

/* The first free one from `from` on, with its slot. */
static int64_t find_free(uint64_t from, struct slot **out)
{
    bool any = from <= lowest;

    for (uint64_t fd = any ? lowest : from; fd < fd_limit && fd < FD_MAX; fd++) {
        if (!table[fd / SLOTS] && !(table[fd / SLOTS] = page_alloc()))
            return -ENOMEM;
        *out = slot(fd);
        if ((*out)->file)
            continue;
        if (any)
            lowest = (uint32_t)fd;
        return (int64_t)fd;
    }
    return -EMFILE;
}

static int64_t put_at(struct file *f, unsigned cloexec, uint64_t from)
{
    struct slot *s;
    int64_t fd = find_free(from, &s);

    if (fd < 0) {
        file_put(f);
        return fd;
    }
    s->file = f;
    s->cloexec = cloexec ? FD_CLOEXEC : 0;
    return fd;
}

int64_t fd_new(struct file *f, unsigned cloexec) { return put_at(f, cloexec, 0); }

static int64_t close_fd(uint64_t fd)
{
    struct slot *s = slot(fd);
    struct file *f = s ? s->file : NULL;

    if (!f)
        return -EBADF;
    s->file = NULL;
    if (fd < lowest)
        lowest = (uint32_t)fd;
    file_put(f);
    return 0;
}

void fd_close_all(void)
{
    for (uint64_t fd = 0; fd < FD_MAX; fd++)
        close_fd(fd);
}

int64_t sys_close(const uint64_t a[6]) { return close_fd((uint32_t)a[0]); }

int64_t sys_close_range(const uint64_t a[6])
{
    uint64_t last = MIN((uint32_t)a[1], FD_MAX - 1);

    if ((uint32_t)a[0] > (uint32_t)a[1] || a[2] & ~(uint64_t)CLOSE_RANGE_CLOEXEC)
        return -EINVAL;
    for (uint64_t fd = (uint32_t)a[0]; fd <= last; fd++)
        if (!(a[2] & CLOSE_RANGE_CLOEXEC))
            close_fd(fd);
        else if (fd_file(fd))
            slot(fd)->cloexec = FD_CLOEXEC;
    return 0;
}

int64_t sys_dup(const uint64_t a[6])
{
    struct file *f = fd_file(a[0]);

    if (!f)
        return -EBADF;
    file_get(f);
    return fd_new(f, 0);
}

static int64_t dup_to(uint64_t from, uint64_t to, unsigned flags)
{
    struct file *f = fd_file(from);

    if (!f || to >= fd_limit || to >= FD_MAX)
        return -EBADF;
    if (!table[to / SLOTS] && !(table[to / SLOTS] = page_alloc()))
        return -ENOMEM;
    file_get(f);
    close_fd(to);
    *slot(to) = (struct slot){ f, flags & O_CLOEXEC ? FD_CLOEXEC : 0 };
    return (int64_t)to;
}

int64_t sys_dup2(const uint64_t a[6])
{
    uint32_t from = (uint32_t)a[0], to = (uint32_t)a[1];

    return from == to && fd_file(from) ? to : dup_to(from, to, 0);
}

int64_t sys_dup3(const uint64_t a[6])
{
    uint32_t from = (uint32_t)a[0], to = (uint32_t)a[1];

    if (a[2] & ~(uint64_t)O_CLOEXEC || from == to)
        return -EINVAL;
    return dup_to(from, to, (unsigned)a[2]);
}

int64_t sys_fcntl(const uint64_t a[6])
{
    const uint32_t settable = O_APPEND | O_NONBLOCK;
    struct file *f = fd_file(a[0]);

    if (!f)
        return -EBADF;
    if (f->flags & O_PATH && a[1] != F_DUPFD && a[1] != F_DUPFD_CLOEXEC && a[1] != F_GETFD && a[1] != F_SETFD && a[1] != F_GETFL)
        return -EBADF;
    switch (a[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        if (a[2] >= fd_limit || a[2] >= FD_MAX)
            return -EINVAL;
        file_get(f);
        return put_at(f, a[1] == F_DUPFD_CLOEXEC, a[2]);
    case F_GETFD: return (int64_t)slot((uint32_t)a[0])->cloexec;
    case F_SETFD: slot((uint32_t)a[0])->cloexec = a[2] & FD_CLOEXEC; return 0;
    case F_GETFL: return f->flags;
    case F_SETFL: f->flags = (f->flags & ~settable) | ((uint32_t)a[2] & settable); return 0;
    }
    return -EINVAL;
}

/* ---- reading and writing ---- */

static struct file *usable(uint64_t fd, bool writing)
{
    struct file *f = fd_file(fd);
    unsigned mode = f ? f->flags & O_ACCMODE : 0;

    return !f || f->flags & O_PATH || mode == (writing ? O_RDONLY : O_WRONLY) ? NULL : f;
}

/* One piece. What is not there now is waited for, if that is wanted. */
static int64_t move(struct file *f, uint64_t address, size_t n, bool writing, bool wait)
{
    int64_t (*op)(struct file *, uint64_t, size_t) = writing ? f->ops->write : f->ops->read;
    int64_t r;

    if (n > ADDRESSES || address > ADDRESSES - n)
        return -EFAULT;
    if (!op)
        return f->node && (f->node->mode & S_IFMT) == S_IFDIR ? -EISDIR : -EINVAL;
    while ((r = op(f, address, MIN(n, LINUX_RW_MAX))) == -EAGAIN && wait)
        linux_wait(NEVER);
    return r;
}

static int64_t move_all(const uint64_t a[6], bool writing)
{
    struct file *f = usable(a[0], writing);

    return f ? move(f, a[1], a[2], writing, !(f->flags & O_NONBLOCK)) : -EBADF;
}

int64_t sys_read(const uint64_t a[6]) { return move_all(a, false); }
int64_t sys_write(const uint64_t a[6]) { return move_all(a, true); }

/* Pieces, as long as each is moved whole. Only the first is waited for. at: where, or UINT64_MAX: at the file's position. */
static int64_t move_pieces(struct file *f, uint64_t pieces, uint64_t n, bool writing, uint64_t at)
{
    struct linux_iovec v;
    int64_t done = 0, r;

    if (n > LINUX_IOV_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i < n; i++) {
        if (user_in(&v, pieces + i * sizeof(v), sizeof(v)) < 0)
            return -EFAULT;
        if ((int64_t)v.len < 0)
            return -EINVAL;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (user_in(&v, pieces + i * sizeof(v), sizeof(v)) < 0)
            return done ? done : -EFAULT;
        if (v.len == 0 && n > 1)
            continue;
        v.len = MIN(v.len, LINUX_RW_MAX - (uint64_t)done);
        if (at == UINT64_MAX)
            r = move(f, v.base, v.len, writing, !done && !(f->flags & O_NONBLOCK));
        else
            r = (writing ? f->ops->write_at : f->ops->read_at)(f, v.base, v.len, at + (uint64_t)done);
        if (r < 0)
            return done ? done : r;
        done += r;
        if ((uint64_t)r < v.len || (uint64_t)done == LINUX_RW_MAX)
            break;
    }
    return done;
}

int64_t sys_readv(const uint64_t a[6])
{
    struct file *f = usable(a[0], false);

    return f ? move_pieces(f, a[1], a[2], false, UINT64_MAX) : -EBADF;
}

int64_t sys_writev(const uint64_t a[6])
{
    struct file *f = usable(a[0], true);

    return f ? move_pieces(f, a[1], a[2], true, UINT64_MAX) : -EBADF;
}

/* The file for moving bytes at a place; or what is wrong. */
static int64_t seekable(uint64_t fd, uint64_t at, bool writing, struct file **out)
{
    *out = usable(fd, writing);
    if ((int64_t)at < 0)
        return -EINVAL;
    if (!*out)
        return -EBADF;
    if (writing ? (*out)->ops->write_at : (*out)->ops->read_at)
        return 0;
    return (*out)->node && ((*out)->node->mode & S_IFMT) == S_IFDIR ? -EISDIR : -ESPIPE;
}

int64_t sys_pread64(const uint64_t a[6])
{
    struct file *f;
    int64_t e = seekable(a[0], a[3], false, &f);

    return e < 0 ? e : f->ops->read_at(f, a[1], MIN(a[2], LINUX_RW_MAX), a[3]);
}

int64_t sys_preadv(const uint64_t a[6])
{
    struct file *f;
    int64_t e = seekable(a[0], a[3], false, &f);

    return e < 0 ? e : move_pieces(f, a[1], a[2], false, a[3]);
}

int64_t sys_pwrite64(const uint64_t a[6])
{
    struct file *f;
    int64_t e = seekable(a[0], a[3], true, &f);

    return e < 0 ? e : f->ops->write_at(f, a[1], MIN(a[2], LINUX_RW_MAX), a[3]);
}

int64_t sys_pwritev(const uint64_t a[6])
{
    struct file *f;
    int64_t e = seekable(a[0], a[3], true, &f);

    return e < 0 ? e : move_pieces(f, a[1], a[2], true, a[3]);
}

int64_t sys_lseek(const uint64_t a[6])
{
    struct file *f = fd_file(a[0]);

    if (!f || f->flags & O_PATH)
        return -EBADF;
    return f->ops->seek ? f->ops->seek(f, (int64_t)a[1], (unsigned)a[2]) : -ESPIPE;
}

int64_t sys_ioctl(const uint64_t a[6])
{
    struct file *f = fd_file(a[0]);
    uint32_t request = (uint32_t)a[1];
    int on;

    if (!f || f->flags & O_PATH)
        return -EBADF;
    switch (request) {
    case FIOCLEX: slot((uint32_t)a[0])->cloexec = FD_CLOEXEC; return 0;
    case FIONCLEX: slot((uint32_t)a[0])->cloexec = 0; return 0;
    case FIONBIO:
        if (user_in(&on, a[2], sizeof(on)) < 0)
            return -EFAULT;
        f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~(uint32_t)O_NONBLOCK;
        return 0;
    }
    return f->ops->ioctl ? f->ops->ioctl(f, request, a[2]) : -ENOTTY;
}
