/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/change.c - the system calls that would change the tree. Only what is in /tmp can be (tmp.c); anything else is -EROFS. */
#include "boot/linux.h"

uint32_t file_mask = 022;

static bool is_dir(const struct node *n) { return (n->mode & S_IFMT) == S_IFDIR; }

/* /tmp itself: it cannot be taken away. */
static bool is_top(const struct node *n) { return n->writable && !n->gone && !n->parent->writable; }

int64_t sys_umask(const uint64_t a[6])
{
    uint32_t old = file_mask;

    file_mask = (uint32_t)a[0] & 0777;
    return old;
}

/* ---- making ---- */

static int64_t make_at(uint64_t dirfd, uint64_t user_path, uint32_t mode)
{
    struct missing missing;
    struct node *n;
    int e = path_find(dirfd, user_path, false, &n, &missing);

    if (e == 0)
        return -EEXIST;
    if (e != -ENOENT || !missing.folder)
        return e;
    if (missing.slash && (mode & S_IFMT) != S_IFDIR)
        return -ENOENT;
    if (missing.folder->writable && (mode & S_IFMT) != S_IFDIR && (mode & S_IFMT) != S_IFREG)
        return -EPERM;                  /* links, pipes, devices: not in /tmp */
    return tmp_make(&missing, mode & ~file_mask, &n);
}

static int64_t make_folder(uint64_t dirfd, uint64_t user_path, uint64_t mode)
{
    return make_at(dirfd, user_path, S_IFDIR | ((uint32_t)mode & 01777));
}

static int64_t make_other(uint64_t dirfd, uint64_t user_path, uint64_t mode)
{
    uint32_t kind = (uint32_t)mode & S_IFMT;

    return is_dir(&(struct node){ .mode = kind }) ? -EPERM :
           make_at(dirfd, user_path, (kind ? kind : (uint32_t)S_IFREG) | ((uint32_t)mode & 07777));
}

int64_t sys_mkdir(const uint64_t a[6]) { return make_folder((uint64_t)AT_FDCWD, a[0], a[1]); }
int64_t sys_mkdirat(const uint64_t a[6]) { return make_folder(a[0], a[1], a[2]); }
int64_t sys_mknod(const uint64_t a[6]) { return make_other((uint64_t)AT_FDCWD, a[0], a[1]); }
int64_t sys_mknodat(const uint64_t a[6]) { return make_other(a[0], a[1], a[2]); }
int64_t sys_symlink(const uint64_t a[6]) { return make_at((uint64_t)AT_FDCWD, a[1], S_IFLNK); }
int64_t sys_symlinkat(const uint64_t a[6]) { return make_at(a[1], a[2], S_IFLNK); }

static int64_t link_at(uint64_t from_fd, uint64_t from, uint64_t to_fd, uint64_t to)
{
    struct node *n;
    int e = path_find(from_fd, from, false, &n, NULL);

    return e < 0 ? e : is_dir(n) ? -EPERM : make_at(to_fd, to, S_IFLNK);
}

int64_t sys_link(const uint64_t a[6]) { return link_at((uint64_t)AT_FDCWD, a[0], (uint64_t)AT_FDCWD, a[1]); }
int64_t sys_linkat(const uint64_t a[6]) { return link_at(a[0], a[1], a[2], a[3]); }

/* ---- taking away ---- */

static int64_t remove_at(uint64_t dirfd, uint64_t user_path, bool folder)
{
    struct node *n;
    int e = path_find(dirfd, user_path, false, &n, NULL);

    if (e < 0)
        return e;
    if (path_ends_in_dots())
        return folder ? -EINVAL : -EISDIR;
    if (!n->writable)
        return -EROFS;
    if (folder != is_dir(n))
        return folder ? -ENOTDIR : -EISDIR;
    if (is_top(n))
        return -EBUSY;
    if (n->first_child)
        return -ENOTEMPTY;
    tmp_remove(n);
    return 0;
}

int64_t sys_unlink(const uint64_t a[6]) { return remove_at((uint64_t)AT_FDCWD, a[0], false); }
int64_t sys_rmdir(const uint64_t a[6]) { return remove_at((uint64_t)AT_FDCWD, a[0], true); }

int64_t sys_unlinkat(const uint64_t a[6])
{
    return a[2] & ~(uint64_t)AT_REMOVEDIR ? -EINVAL : remove_at(a[0], a[1], a[2] & AT_REMOVEDIR);
}

/* ---- another name ---- */

static bool lies_in(const struct node *n, const struct node *folder)
{
    for (; n != n->parent; n = n->parent)
        if (n == folder)
            return true;
    return false;
}

/* May n take the place of another? */
static int may_replace(const struct node *n, const struct node *other)
{
    if (is_dir(n) != is_dir(other))
        return is_dir(n) ? -ENOTDIR : -EISDIR;
    if (!other->writable)
        return -EROFS;
    if (is_top(other))
        return -EBUSY;
    return other->first_child ? -ENOTEMPTY : 0;
}

static int64_t rename_at(uint64_t from_fd, uint64_t from, uint64_t to_fd, uint64_t to, uint64_t flags)
{
    struct node *n, *other = NULL;
    struct missing place;
    int e = path_find(from_fd, from, false, &n, NULL);

    if (flags & ~(uint64_t)RENAME_NOREPLACE)
        return -EINVAL;
    if (e < 0)
        return e;
    if (path_ends_in_dots() || is_top(n))
        return -EBUSY;
    e = path_find(to_fd, to, false, &other, &place);
    if (e == 0 && path_ends_in_dots())
        return -EBUSY;
    if (e == 0)
        place = (struct missing){ .folder = other->parent, .name = other->name, .len = other->name_len };
    else if (e != -ENOENT || !place.folder)
        return e;
    if (n->writable != place.folder->writable)
        return -EXDEV;
    if (!n->writable)
        return -EROFS;
    if (other && flags & RENAME_NOREPLACE)
        return -EEXIST;
    if (is_dir(n) && lies_in(place.folder, n))
        return n == other ? 0 : -EINVAL;
    if (place.slash && !is_dir(n))
        return -ENOTDIR;
    if (n == other)
        return 0;
    if (other && (e = may_replace(n, other)) < 0)
        return e;
    return tmp_move(n, &place, other);
}

int64_t sys_rename(const uint64_t a[6]) { return rename_at((uint64_t)AT_FDCWD, a[0], (uint64_t)AT_FDCWD, a[1], 0); }
int64_t sys_renameat(const uint64_t a[6]) { return rename_at(a[0], a[1], a[2], a[3], 0); }
int64_t sys_renameat2(const uint64_t a[6]) { return rename_at(a[0], a[1], a[2], a[3], (uint32_t)a[4]); }

/* ---- another size ---- */

static int64_t resize(struct node *n, uint64_t size)
{
    if ((int64_t)size < 0)
        return -EINVAL;
    if (is_dir(n))
        return -EISDIR;
    return n->writable ? tmp_resize(n, size) : n->device ? -EINVAL : -EROFS;
}

int64_t sys_truncate(const uint64_t a[6])
{
    struct node *n;
    int e = path_find((uint64_t)AT_FDCWD, a[0], true, &n, NULL);

    return e < 0 ? e : resize(n, a[1]);
}

/* The open file of the tree that may be written to. */
static struct file *writer(uint64_t fd)
{
    struct file *f = fd_file(fd);

    return f && f->node && (f->flags & O_ACCMODE) != O_RDONLY && !(f->flags & O_PATH) ? f : NULL;
}

int64_t sys_ftruncate(const uint64_t a[6])
{
    struct file *f = fd_file(a[0]);

    if (!f || f->flags & O_PATH)
        return -EBADF;
    return writer(a[0]) ? resize(f->node, a[1]) : -EINVAL;
}

int64_t sys_fallocate(const uint64_t a[6])
{
    struct file *f = writer(a[0]);

    if (!f)
        return -EBADF;
    if ((int64_t)a[2] < 0 || (int64_t)a[3] <= 0)
        return -EINVAL;
    if (a[1] || !f->node->writable)
        return -EOPNOTSUPP;
    return tmp_reserve(f->node, a[2], a[3]);
}

/* ---- other attributes: of a path, or of an open file ---- */

static int64_t at_path(uint64_t dirfd, uint64_t user_path, bool follow, struct node **n)
{
    int e = path_find(dirfd, user_path, follow, n, NULL);

    return e < 0 ? e : (*n)->writable ? 0 : -EROFS;
}

static int64_t at_fd(uint64_t fd, struct node **n)
{
    struct file *f = fd_file(fd);

    if (!f || f->flags & O_PATH)
        return -EBADF;
    *n = f->node;
    return f->node && f->node->writable ? 0 : -EROFS;
}

static int64_t set_mode(int64_t e, struct node *n, uint64_t mode)
{
    if (e == 0)
        n->mode = (n->mode & S_IFMT) | ((uint32_t)mode & 07777);
    return e;
}

static int64_t set_owner(int64_t e, struct node *n, uint64_t uid, uint64_t gid)
{
    if (e < 0)
        return e;
    n->uid = (uint32_t)uid == UINT32_MAX ? n->uid : (uint32_t)uid;
    n->gid = (uint32_t)gid == UINT32_MAX ? n->gid : (uint32_t)gid;
    return 0;
}

/* C has no order for arguments: what finds the node comes first. */
#define WITH(find, then) struct node *n = NULL; int64_t e = find; return then

int64_t sys_chmod(const uint64_t a[6]) { WITH(at_path((uint64_t)AT_FDCWD, a[0], true, &n), set_mode(e, n, a[1])); }
int64_t sys_fchmod(const uint64_t a[6]) { WITH(at_fd(a[0], &n), set_mode(e, n, a[1])); }
int64_t sys_fchmodat(const uint64_t a[6]) { WITH(at_path(a[0], a[1], true, &n), set_mode(e, n, a[2])); }
int64_t sys_chown(const uint64_t a[6]) { WITH(at_path((uint64_t)AT_FDCWD, a[0], true, &n), set_owner(e, n, a[1], a[2])); }
int64_t sys_lchown(const uint64_t a[6]) { WITH(at_path((uint64_t)AT_FDCWD, a[0], false, &n), set_owner(e, n, a[1], a[2])); }
int64_t sys_fchown(const uint64_t a[6]) { WITH(at_fd(a[0], &n), set_owner(e, n, a[1], a[2])); }

int64_t sys_fchownat(const uint64_t a[6])
{
    WITH(at_path(a[0], a[1], !(a[4] & AT_SYMLINK_NOFOLLOW), &n), set_owner(e, n, a[2], a[3]));
}

static uint32_t seconds(int64_t s) { return s < 0 ? 0 : (uint32_t)MIN((uint64_t)s, UINT32_MAX); }

/* Only the time of the last change is kept. from: two times, the second of them that; 0: now. */
static int64_t set_times(int64_t e, struct node *n, uint64_t from)
{
    struct linux_timespec t[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };

    if (e == 0 && from && user_in(t, from, sizeof(t)) < 0)
        return -EFAULT;
    for (unsigned i = 0; i < 2; i++)
        if (t[i].ns != UTIME_NOW && t[i].ns != UTIME_OMIT && (t[i].ns < 0 || t[i].ns >= 1000000000))
            return -EINVAL;
    if (e == 0 && t[1].ns != UTIME_OMIT)
        n->mtime = t[1].ns == UTIME_NOW ? seconds((int64_t)(time_wall() / 1000000000)) : seconds(t[1].sec);
    return e;
}

int64_t sys_utimensat(const uint64_t a[6])
{
    WITH(a[1] ? at_path(a[0], a[1], !(a[3] & AT_SYMLINK_NOFOLLOW), &n) : at_fd(a[0], &n), set_times(e, n, a[2]));
}

/* Older calls: whole seconds at an offset, what else there is left out. */
static int64_t set_seconds(int64_t e, struct node *n, uint64_t from, uint64_t offset)
{
    int64_t s = (int64_t)(time_wall() / 1000000000);

    if (e == 0 && from && user_in(&s, from + offset, sizeof(s)) < 0)
        return -EFAULT;
    if (e == 0)
        n->mtime = seconds(s);
    return e;
}

int64_t sys_utime(const uint64_t a[6]) { WITH(at_path((uint64_t)AT_FDCWD, a[0], true, &n), set_seconds(e, n, a[1], 8)); }
int64_t sys_utimes(const uint64_t a[6]) { WITH(at_path((uint64_t)AT_FDCWD, a[0], true, &n), set_seconds(e, n, a[1], 16)); }
int64_t sys_futimesat(const uint64_t a[6]) { WITH(at_path(a[0], a[1], true, &n), set_seconds(e, n, a[2], 16)); }

int64_t sys_sync_file(const uint64_t a[6]) { return fd_file(a[0]) ? 0 : -EBADF; }
