/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/paths.c - the system calls that take a path and look: opening, stat, the working folder. change.c has the others. */
#include "boot/linux.h"

static struct node *here;               /* the working folder; NULL: the root */
static char path[LINUX_PATH_MAX];       /* of the call that is being answered */

static struct node *working_folder(void) { return here ? here : tree_root(); }

/* Where a relative path begins. */
static int start(uint64_t dirfd, struct node **out)
{
    struct file *f;

    if ((int32_t)dirfd == AT_FDCWD) {
        *out = working_folder();
        return 0;
    }
    f = fd_file(dirfd);
    if (!f)
        return -EBADF;
    if (!f->node || (f->node->mode & S_IFMT) != S_IFDIR)
        return -ENOTDIR;
    *out = f->node;
    return 0;
}

/* The path into `path`; where a relative one begins into *from. */
static int get_path(uint64_t dirfd, uint64_t user_path, struct node **from)
{
    int64_t n = user_string(path, user_path, sizeof(path));

    if (n < 0)
        return (int)n;
    *from = tree_root();
    return path[0] == '/' ? 0 : n == 0 ? ((int32_t)dirfd == AT_FDCWD || fd_file(dirfd) ? -ENOENT : -EBADF) : start(dirfd, from);
}

int path_find(uint64_t dirfd, uint64_t user_path, bool follow, struct node **out, struct missing *missing)
{
    struct walk w = { .follow = follow };
    int e = get_path(dirfd, user_path, &w.from);

    if (missing)
        missing->folder = NULL;
    return e < 0 ? e : tree_walk(&w, path, out, missing);
}

bool path_ends_in_dots(void)
{
    size_t n = strlen(path), dots = 0;

    while (n && path[n - 1] == '/')
        n--;
    for (; n && path[n - 1] == '.'; n--)
        dots++;
    return (dots == 1 || dots == 2) && (!n || path[n - 1] == '/');
}

/* ---- opening ---- */

/* A new file of /tmp. */
static int64_t make(const struct missing *m, uint32_t mode, struct node **out)
{
    return m->slash ? -EISDIR : tmp_make(m, S_IFREG | (mode & 07777 & ~file_mask), out);
}

/* The same without a name, in a folder. */
static int64_t make_nameless(const struct node *folder, uint64_t flags, uint32_t mode, struct node **out)
{
    if ((flags & O_ACCMODE) == O_RDONLY)
        return -EINVAL;
    if ((folder->mode & S_IFMT) != S_IFDIR)
        return -ENOTDIR;
    return folder->writable ? tmp_make_nameless(S_IFREG | (mode & 07777 & ~file_mask), out) : -EROFS;
}

/* A descriptor of it. made: it has just been made for this, and goes again if there is none. */
static int64_t open_node(struct node *n, uint64_t flags, bool made)
{
    struct file *f;
    int64_t fd;

    node_get(n);
    fd = file_open(n, (unsigned)flags, &f);
    if (fd == 0)
        fd = fd_new(f, (unsigned)flags & O_CLOEXEC);
    if (fd < 0 && made && !n->gone)
        tmp_remove(n);
    node_put(n);
    return fd;
}

static int64_t open_at(uint64_t dirfd, uint64_t user_path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    const uint64_t nameless = O_TMPFILE, made_by = O_CREAT | O_EXCL | O_TRUNC | O_TMPFILE;
    struct walk w = { .resolve = (unsigned)resolve };
    struct missing missing;
    struct node *n;
    int64_t e = get_path(dirfd, user_path, &w.from);

    if (e < 0)
        return e;
    if (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) {
        e = start(dirfd, &w.top);
        if (e < 0)
            return e;
        w.from = w.top;
    }
    w.follow = !(flags & O_NOFOLLOW) && !(flags & O_CREAT && flags & O_EXCL);
    e = tree_walk(&w, path, &n, &missing);
    if (e == 0 && (flags & nameless) == nameless)
        e = make_nameless(n, flags, (uint32_t)mode, &n);
    else if (e != -ENOENT || !missing.folder || !(flags & O_CREAT))
        return e < 0 ? e : open_node(n, flags, false);
    else
        e = make(&missing, (uint32_t)mode, &n);
    return e < 0 ? e : open_node(n, flags & ~made_by, true);
}

int64_t sys_open(const uint64_t a[6]) { return open_at((uint64_t)AT_FDCWD, a[0], (uint32_t)a[1], a[2], 0); }
int64_t sys_openat(const uint64_t a[6]) { return open_at(a[0], a[1], (uint32_t)a[2], a[3], 0); }
int64_t sys_creat(const uint64_t a[6]) { return open_at((uint64_t)AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1], 0); }

int64_t sys_openat2(const uint64_t a[6])
{
    const uint64_t known = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_LARGEFILE | O_DIRECTORY |
                           O_NOFOLLOW | O_CLOEXEC | O_PATH | O_TMPFILE | 010000 | 020000 | 040000 | 01000000 | 04000000;
    struct linux_open_how how;
    bool makes;

    if (a[3] < sizeof(how))
        return -EINVAL;
    if (a[3] > sizeof(how))
        return -E2BIG;
    if (user_in(&how, a[2], sizeof(how)) < 0)
        return -EFAULT;
    makes = how.flags & O_CREAT || (how.flags & O_TMPFILE) == O_TMPFILE;
    if (how.flags & ~known || how.resolve >= 2 * RESOLVE_IN_ROOT || (how.mode && !makes) ||
        (how.resolve & RESOLVE_BENEATH && how.resolve & RESOLVE_IN_ROOT))
        return -EINVAL;
    return open_at(a[0], a[1], how.flags, how.mode, how.resolve);
}

/* ---- looking ---- */

static int64_t stat_out(const struct file *f, const struct node *n, uint64_t to)
{
    struct linux_stat st;

    fill_stat(f, n, &st);
    return user_out(to, &st, sizeof(st));
}

static int64_t stat_at(uint64_t dirfd, uint64_t user_path, uint64_t to, uint64_t flags)
{
    struct file *f;
    struct node *n;
    char first;
    int e;

    if (flags & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | 0x6000))
        return -EINVAL;
    if (flags & AT_EMPTY_PATH) {
        if (user_in(&first, user_path, 1) < 0)
            return -EFAULT;
        if (!first) {
            f = (int32_t)dirfd == AT_FDCWD ? NULL : fd_file(dirfd);
            if (!f && (int32_t)dirfd != AT_FDCWD)
                return -EBADF;
            return stat_out(f, f ? f->node : working_folder(), to);
        }
    }
    e = path_find(dirfd, user_path, !(flags & AT_SYMLINK_NOFOLLOW), &n, NULL);
    return e < 0 ? e : stat_out(NULL, n, to);
}

int64_t sys_newfstatat(const uint64_t a[6]) { return stat_at(a[0], a[1], a[2], (uint32_t)a[3]); }
int64_t sys_stat(const uint64_t a[6]) { return stat_at((uint64_t)AT_FDCWD, a[0], a[1], 0); }
int64_t sys_lstat(const uint64_t a[6]) { return stat_at((uint64_t)AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW); }

int64_t sys_fstat(const uint64_t a[6])
{
    struct file *f = fd_file(a[0]);

    return f ? stat_out(f, f->node, a[1]) : -EBADF;
}

static int64_t statfs_out(const struct node *n, uint64_t to)
{
    struct linux_statfs s = { .type = 0x858458f6 /* ramfs */, .bsize = PAGE, .namelen = 255, .frsize = PAGE, .flags = 1 /* ro */ };

    if (n && n->writable) {
        s.flags = 0;
        tmp_counts(&s);
    }
    return user_out(to, &s, sizeof(s));
}

int64_t sys_statfs(const uint64_t a[6])
{
    struct node *n;
    int e = path_find((uint64_t)AT_FDCWD, a[0], true, &n, NULL);

    return e < 0 ? e : statfs_out(n, a[1]);
}

int64_t sys_fstatfs(const uint64_t a[6])
{
    const struct file *f = fd_file(a[0]);

    return f ? statfs_out(f->node, a[1]) : -EBADF;
}

static int64_t access_at(uint64_t dirfd, uint64_t user_path, uint64_t mode, uint64_t flags)
{
    struct node *n;
    int e;

    if (mode & ~7ul || flags & ~(uint64_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    e = path_find(dirfd, user_path, !(flags & AT_SYMLINK_NOFOLLOW), &n, NULL);
    if (e < 0)
        return e;
    if (mode & X_OK && (n->mode & S_IFMT) != S_IFDIR && !(n->mode & 0111))
        return -EACCES;
    return mode & W_OK && !n->device && !n->writable ? -EROFS : 0;
}

int64_t sys_access(const uint64_t a[6]) { return access_at((uint64_t)AT_FDCWD, a[0], (uint32_t)a[1], 0); }
int64_t sys_faccessat(const uint64_t a[6]) { return access_at(a[0], a[1], (uint32_t)a[2], 0); }
int64_t sys_faccessat2(const uint64_t a[6]) { return access_at(a[0], a[1], (uint32_t)a[2], (uint32_t)a[3]); }

static int64_t readlink_at(uint64_t dirfd, uint64_t user_path, uint64_t to, uint64_t size)
{
    struct node *n;
    int e;

    if ((int32_t)size <= 0)
        return -EINVAL;
    e = path_find(dirfd, user_path, false, &n, NULL);
    if (e < 0)
        return e;
    if ((n->mode & S_IFMT) != S_IFLNK)
        return -EINVAL;
    size = MIN(size, n->bytes.size);
    return user_out(to, n->bytes.at, size) < 0 ? -EFAULT : (int64_t)size;
}

int64_t sys_readlink(const uint64_t a[6]) { return readlink_at((uint64_t)AT_FDCWD, a[0], a[1], a[2]); }
int64_t sys_readlinkat(const uint64_t a[6]) { return readlink_at(a[0], a[1], a[2], a[3]); }

/* ---- the working folder ---- */

static int64_t change_to(struct node *n)
{
    if ((n->mode & S_IFMT) != S_IFDIR)
        return -ENOTDIR;
    node_get(n);
    if (here)
        node_put(here);
    here = n;
    return 0;
}

int64_t sys_chdir(const uint64_t a[6])
{
    struct node *n;
    int e = path_find((uint64_t)AT_FDCWD, a[0], true, &n, NULL);

    return e < 0 ? e : change_to(n);
}

int64_t sys_fchdir(const uint64_t a[6])
{
    struct file *f = fd_file(a[0]);

    return !f ? -EBADF : f->node ? change_to(f->node) : -ENOTDIR;
}

int64_t sys_getcwd(const uint64_t a[6])
{
    int n = working_folder()->gone ? -ENOENT : tree_path(working_folder(), path, MIN(a[1], sizeof(path)));

    if (n < 0)
        return n;
    return user_out(a[0], path, (size_t)n) < 0 ? -EFAULT : n;
}
