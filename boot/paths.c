/* boot/paths.c - the system calls that take a path. The tree is read-only: what would change it is -EROFS. */
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

static int find(uint64_t dirfd, uint64_t user_path, bool follow, struct node **out)
{
    struct walk w = { .follow = follow };
    int e = get_path(dirfd, user_path, &w.from);

    return e < 0 ? e : tree_walk(&w, path, out, NULL);
}

/* ---- opening ---- */

static int64_t open_at(uint64_t dirfd, uint64_t user_path, uint64_t flags, uint64_t resolve)
{
    struct walk w = { .resolve = (unsigned)resolve };
    struct node *n;
    struct file *f;
    bool missing;
    int64_t e = get_path(dirfd, user_path, &w.from);

    if (e < 0)
        return e;
    if (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) {
        e = start(dirfd, &w.top);
        if (e < 0)
            return e;
        w.from = w.top;
    }
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return -EROFS;
    w.follow = !(flags & O_NOFOLLOW) && !(flags & O_CREAT && flags & O_EXCL);
    e = tree_walk(&w, path, &n, &missing);
    if (e == -ENOENT && missing && flags & O_CREAT)
        return -EROFS;
    if (e == 0)
        e = file_open(n, (unsigned)flags, &f);
    return e < 0 ? e : fd_new(f, (unsigned)flags & O_CLOEXEC);
}

int64_t sys_open(const uint64_t a[6]) { return open_at((uint64_t)AT_FDCWD, a[0], (uint32_t)a[1], 0); }
int64_t sys_openat(const uint64_t a[6]) { return open_at(a[0], a[1], (uint32_t)a[2], 0); }
int64_t sys_creat(const uint64_t a[6]) { return open_at((uint64_t)AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC, 0); }

int64_t sys_openat2(const uint64_t a[6])
{
    const uint64_t known = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_LARGEFILE | O_DIRECTORY |
                           O_NOFOLLOW | O_CLOEXEC | O_PATH | O_TMPFILE | 010000 | 020000 | 040000 | 01000000 | 04000000;
    struct linux_open_how how;

    if (a[3] < sizeof(how))
        return -EINVAL;
    if (a[3] > sizeof(how))
        return -E2BIG;
    if (user_in(&how, a[2], sizeof(how)) < 0)
        return -EFAULT;
    if (how.flags & ~known || how.resolve >= 2 * RESOLVE_IN_ROOT || (how.mode && !(how.flags & O_CREAT)) ||
        (how.resolve & RESOLVE_BENEATH && how.resolve & RESOLVE_IN_ROOT))
        return -EINVAL;
    return open_at(a[0], a[1], how.flags, how.resolve);
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
    e = find(dirfd, user_path, !(flags & AT_SYMLINK_NOFOLLOW), &n);
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

static int64_t statfs_out(uint64_t to)
{
    struct linux_statfs s = { .type = 0x858458f6 /* ramfs */, .bsize = PAGE, .namelen = 255, .frsize = PAGE, .flags = 1 /* ro */ };

    return user_out(to, &s, sizeof(s));
}

int64_t sys_statfs(const uint64_t a[6])
{
    struct node *n;
    int e = find((uint64_t)AT_FDCWD, a[0], true, &n);

    return e < 0 ? e : statfs_out(a[1]);
}

int64_t sys_fstatfs(const uint64_t a[6]) { return fd_file(a[0]) ? statfs_out(a[1]) : -EBADF; }

static int64_t access_at(uint64_t dirfd, uint64_t user_path, uint64_t mode, uint64_t flags)
{
    struct node *n;
    int e;

    if (mode & ~7ul || flags & ~(uint64_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    e = find(dirfd, user_path, !(flags & AT_SYMLINK_NOFOLLOW), &n);
    if (e < 0)
        return e;
    if (mode & X_OK && (n->mode & S_IFMT) != S_IFDIR && !(n->mode & 0111))
        return -EACCES;
    return mode & W_OK && !n->device ? -EROFS : 0;
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
    e = find(dirfd, user_path, false, &n);
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
    here = n;
    return 0;
}

int64_t sys_chdir(const uint64_t a[6])
{
    struct node *n;
    int e = find((uint64_t)AT_FDCWD, a[0], true, &n);

    return e < 0 ? e : change_to(n);
}

int64_t sys_fchdir(const uint64_t a[6])
{
    struct file *f = fd_file(a[0]);

    return !f ? -EBADF : f->node ? change_to(f->node) : -ENOTDIR;
}

int64_t sys_getcwd(const uint64_t a[6])
{
    int n = tree_path(working_folder(), path, MIN(a[1], sizeof(path)));

    if (n < 0)
        return n;
    return user_out(a[0], path, (size_t)n) < 0 ? -EFAULT : n;
}

/* ---- what would change the tree ---- */

static int64_t make_at(uint64_t dirfd, uint64_t user_path)
{
    struct walk w = { .follow = false };
    struct node *n;
    bool missing;
    int e = get_path(dirfd, user_path, &w.from);

    if (e == 0)
        e = tree_walk(&w, path, &n, &missing);
    return e == 0 ? -EEXIST : e == -ENOENT && missing ? -EROFS : e;
}

static int64_t change_at(uint64_t dirfd, uint64_t user_path)
{
    struct node *n;
    int e = find(dirfd, user_path, false, &n);

    return e < 0 ? e : -EROFS;
}

int64_t sys_mkdir(const uint64_t a[6]) { return make_at((uint64_t)AT_FDCWD, a[0]); }
int64_t sys_mkdirat(const uint64_t a[6]) { return make_at(a[0], a[1]); }
int64_t sys_symlink(const uint64_t a[6]) { return make_at((uint64_t)AT_FDCWD, a[1]); }
int64_t sys_link(const uint64_t a[6]) { return make_at((uint64_t)AT_FDCWD, a[1]); }
int64_t sys_mknod(const uint64_t a[6]) { return make_at((uint64_t)AT_FDCWD, a[0]); }
int64_t sys_change_path(const uint64_t a[6]) { return change_at((uint64_t)AT_FDCWD, a[0]); }
int64_t sys_change_path_at(const uint64_t a[6]) { return change_at(a[0], a[1]); }
int64_t sys_change_file(const uint64_t a[6]) { return fd_file(a[0]) ? -EROFS : -EBADF; }
int64_t sys_sync_file(const uint64_t a[6]) { return fd_file(a[0]) ? 0 : -EBADF; }
