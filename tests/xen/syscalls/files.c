/* SPDX-License-Identifier: BSD-2-Clause */
/* Files: open, read, seek, stat, links, access, bad pointers. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "probe.h"

static char buffer[70000];

static int opened(const char *path, int flags) { return open(path, flags); }

static void opens(void)
{
    static const struct { const char *path; int flags; } rows[] = {
        { "text", O_RDONLY }, { "missing", O_RDONLY }, { "", O_RDONLY }, { "text/", O_RDONLY }, { "text/x", O_RDONLY },
        { "folder", O_RDONLY }, { "folder/", O_RDONLY }, { "folder", O_WRONLY }, { "folder", O_RDONLY | O_DIRECTORY },
        { "text", O_RDONLY | O_DIRECTORY }, { "link", O_RDONLY }, { "link", O_RDONLY | O_NOFOLLOW }, { "loop", O_RDONLY },
        { "dangling", O_RDONLY }, { "folderlink/x", O_RDONLY }, { "folderlink/../text", O_RDONLY }, { "folder/up", O_RDONLY },
        { "./folder/.//inner/../x", O_RDONLY }, { "../../../../../../../../../../dev/null", O_RDONLY }, { "absolute", O_RDWR },
        { "link", O_PATH | O_NOFOLLOW }, { "text", O_PATH }, { "folder", O_PATH | O_DIRECTORY }, { "text", O_PATH | O_DIRECTORY },
        { "text", O_RDONLY | O_CREAT | O_EXCL }, { "folder", O_RDONLY | O_CREAT }, { "missing/x", O_RDONLY | O_CREAT, },
        { "link/", O_RDONLY }, { "dangling", O_RDONLY | O_CREAT | O_EXCL }, { "link", O_RDONLY | O_CREAT | O_EXCL },
    };
    char what[128];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd;

        errno = 0;
        fd = open(rows[i].path, rows[i].flags, 0600);
        snprintf(what, sizeof(what), "open \"%s\" %o", rows[i].path, (unsigned)rows[i].flags);
        probe(what, fd);
        if (fd >= 0)
            close(fd);
    }
    memset(buffer, 'a', 300);
    buffer[300] = 0;
    P("open long name", open(buffer, O_RDONLY));
    memset(buffer, 'a', 5000);
    buffer[5000] = 0;
    P("open long path", open(buffer, O_RDONLY));
    P("open bad pointer", syscall(SYS_openat, AT_FDCWD, bad_near, O_RDONLY));
    P("open kernel pointer", syscall(SYS_openat, AT_FDCWD, bad_kernel, O_RDONLY));
    memcpy(EDGE(4), "text", 4);
    P("open unterminated", syscall(SYS_openat, AT_FDCWD, EDGE(4), O_RDONLY));
    memcpy(EDGE(5), "text", 5);
    P("open at the edge", syscall(SYS_openat, AT_FDCWD, EDGE(5), O_RDONLY));
    close(3);
    P("openat bad folder", openat(77, "text", O_RDONLY));
    P("openat bad folder, absolute", close(openat(77, "/dev/null", O_RDONLY)));
    P("openat a file as folder", openat(opened("text", O_RDONLY), "x", O_RDONLY));
    close(3);
    P("openat folder", openat(opened("folder", O_RDONLY), "x", O_RDONLY));
    close(3);
    close(4);
}

static long open2(int at, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = { .flags = flags, .resolve = resolve };

    return syscall(SYS_openat2, at, path, &how, sizeof(how));
}

static void opens_beneath(void)
{
    static const struct { const char *path; uint64_t resolve; } rows[] = {
        { "x", RESOLVE_BENEATH }, { "up", RESOLVE_BENEATH }, { "../text", RESOLVE_BENEATH }, { "inner/../x", RESOLVE_BENEATH },
        { "/x", RESOLVE_BENEATH }, { "/x", RESOLVE_IN_ROOT }, { "../x", RESOLVE_IN_ROOT }, { "up", RESOLVE_NO_SYMLINKS },
        { "inner/deep", RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS }, { ".", RESOLVE_BENEATH }, { "..", RESOLVE_BENEATH },
        { "missing", RESOLVE_BENEATH }, { "inner/../../folder/x", RESOLVE_BENEATH }, { "x", 0x1000 },
        { "x", RESOLVE_BENEATH | RESOLVE_IN_ROOT },
    };
    struct open_how how = { .flags = O_RDONLY };
    char what[128];
    int at = opened("folder", O_RDONLY | O_DIRECTORY);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        long fd;

        errno = 0;
        fd = open2(at, rows[i].path, O_RDONLY, rows[i].resolve);
        snprintf(what, sizeof(what), "openat2 \"%s\" %llx", rows[i].path, (unsigned long long)rows[i].resolve);
        probe(what, fd);
        if (fd >= 0)
            close((int)fd);
    }
    P("openat2 flags", open2(at, "x", 1ull << 40, 0));
    P("openat2 size", syscall(SYS_openat2, at, "x", &how, 8));
    P("openat2 bad pointer", syscall(SYS_openat2, at, "x", bad_near, sizeof(how)));
    close(at);
}

static void reads(void)
{
    struct iovec v[4] = { { buffer, 3 }, { buffer + 3, 0 }, { buffer + 3, 4 }, { buffer + 7, 100 } };
    volatile int many = 5000;
    int fd = opened("text", O_RDONLY);

    P("read", read(fd, buffer, 5));
    P("read 0", read(fd, buffer, 0));
    P("read bad pointer", read(fd, bad_near, 5));
    P("read kernel pointer", read(fd, bad_kernel, 5));
    P("position after failures", lseek(fd, 0, SEEK_CUR));
    P("read to the edge", read(fd, EDGE(4), 4));
    P("read the rest", read(fd, buffer, sizeof(buffer)));
    P("read at the end", read(fd, buffer, 10));
    P("seek set", lseek(fd, 7, SEEK_SET));
    P("seek end", lseek(fd, -3, SEEK_END));
    P("seek before", lseek(fd, -100, SEEK_CUR));
    P("seek whence", lseek(fd, 0, 77));
    P("seek beyond", lseek(fd, 1000, SEEK_SET));
    P("read beyond", read(fd, buffer, 10));
    P("pread", pread(fd, buffer, 5, 7));
    probe_text("pread text", "%.5s", buffer);
    P("pread negative", pread(fd, buffer, 5, -1));
    P("pread end", pread(fd, buffer, 5, 12));
    P("pread beyond", pread(fd, buffer, 5, 1000));
    P("pread bad pointer", pread(fd, bad_near, 5, 0));
    lseek(fd, 0, SEEK_SET);
    P("readv", readv(fd, v, 4));
    probe_text("readv text", "%.12s", buffer);
    P("preadv", preadv(fd, v, 3, 2));
    P("readv none", readv(fd, v, 0));
    P("readv bad list", readv(fd, (struct iovec *)(void *)bad_near, 2));
    P("readv too many", readv(fd, v, many));
    v[1].iov_len = SIZE_MAX;
    P("readv negative", readv(fd, v, 2));
    P("write to a reader", write(fd, buffer, 1));
    P("ioctl", syscall(SYS_ioctl, fd, 0x5401, buffer));
    close(fd);
    P("read closed", read(fd, buffer, 1));
    P("read -1", read(-1, buffer, 1));
    fd = opened("folder", O_RDONLY);
    P("read folder", read(fd, buffer, 1));
    P("pread folder", pread(fd, buffer, 1, 0));
    close(fd);
    fd = opened("text", O_PATH);
    P("read path", read(fd, buffer, 1));
    P("fcntl path", fcntl(fd, F_GETFL));
    P("seek path", lseek(fd, 0, SEEK_SET));
    close(fd);
    fd = opened("big", O_RDONLY);
    P("read big", read(fd, buffer, sizeof(buffer)));
    probe_text("big middle", "%.9s", buffer + 5550);
    close(fd);
    fd = opened("empty", O_RDONLY);
    P("read empty", read(fd, buffer, 1));
    close(fd);
}

static void show_stat(const char *what, const struct stat *st)
{
    probe_text(what, "mode %o links %lu uid %u size %ld mtime %ld", st->st_mode,
               S_ISDIR(st->st_mode) ? 0ul : (unsigned long)st->st_nlink, st->st_uid,
               S_ISDIR(st->st_mode) ? 0l : (long)st->st_size, S_ISCHR(st->st_mode) ? 0l : (long)st->st_mtime);
}

static void stats(void)
{
    static const char *const paths[] = { "text", "empty", "big", "folder", "link", "folder/inner/deep", "hard1", "hard2", "run" };
    struct stat st, other;
    int fd;

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (stat(paths[i], &st) == 0)
            show_stat(paths[i], &st);
    if (lstat("link", &st) == 0)
        show_stat("lstat link", &st);
    P("stat missing", stat("missing", &st));
    P("stat through file", stat("text/x", &st));
    P("stat dangling", stat("dangling", &st));
    P("lstat dangling", lstat("dangling", &st));
    P("lstat link/", lstat("link/", &st));
    P("stat bad buffer", syscall(SYS_newfstatat, AT_FDCWD, "text", bad_near, 0));
    P("stat bad path", syscall(SYS_newfstatat, AT_FDCWD, bad_near, &st, 0));
    P("stat bad flags", syscall(SYS_newfstatat, AT_FDCWD, "text", &st, 0x10));
    stat("hard1", &st);
    stat("hard2", &other);
    probe_is("hard links are one file", st.st_ino == other.st_ino && st.st_dev == other.st_dev);
    stat("text", &other);
    probe_is("files differ", st.st_ino != other.st_ino);
    fd = opened("text", O_RDONLY);
    P("fstat", fstat(fd, &st));
    probe_is("fstat is stat", st.st_ino == other.st_ino && st.st_size == other.st_size);
    P("fstatat empty path", fstatat(fd, "", &st, AT_EMPTY_PATH));
    P("fstatat empty, no flag", fstatat(fd, "", &st, 0));
    close(fd);
    P("fstat closed", fstat(fd, &st));
    fd = opened("link", O_PATH | O_NOFOLLOW);
    P("fstat of a link", fstat(fd, &st));
    probe_is("it is a link", S_ISLNK(st.st_mode));
    close(fd);
    stat("/dev/null", &st);
    probe_text("/dev/null", "%o %lx", st.st_mode & S_IFMT, (unsigned long)st.st_rdev);
    stat("/dev/urandom", &st);
    probe_text("/dev/urandom", "%o %lx", st.st_mode & S_IFMT, (unsigned long)st.st_rdev);
}

static void links(void)
{
    memset(buffer, '#', 20);
    P("readlink", readlink("link", buffer, 10));
    probe_text("target", "%.6s", buffer);
    P("readlink short", readlink("link", buffer, 2));
    P("readlink of a file", readlink("text", buffer, 10));
    P("readlink of a folder", readlink("folder", buffer, 10));
    P("readlink missing", readlink("missing", buffer, 10));
    P("readlink size 0", syscall(SYS_readlink, "link", buffer, 0));
    P("readlink bad pointer", syscall(SYS_readlink, "link", bad_near, 10));
    P("readlink through", readlink("folder/up", buffer, 10));
    P("access read", access("text", R_OK));
    P("access exists", access("folder", F_OK));
    P("access missing", access("missing", F_OK));
    P("access run", access("run", X_OK));
    P("access no run", access("text", X_OK));
    P("access folder", access("folder", X_OK | R_OK));
    P("access dangling", access("dangling", F_OK));
    P("access mode", syscall(SYS_access, "text", 77));
    P("faccessat", faccessat(AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
    P("mkdir that is there", mkdir("folder", 0700));
    P("mkdir nowhere", mkdir("missing/x", 0700));
    P("symlink that is there", symlink("x", "text"));
    P("unlink missing", unlink("missing"));
    P("rename missing", rename("missing", "missing2"));
    P("truncate missing", truncate("missing", 0));
}

static void maps(void)
{
    int fd = opened("big", O_RDONLY);
    char *p = mmap(NULL, 10000, PROT_READ, MAP_PRIVATE, fd, 0), *q;

    probe_is("mmap", p != MAP_FAILED);
    probe_text("mapped", "%.9s %.9s", p, p + 9990);
    probe_text("behind the end", "%d %d", p[10000], p[12287]);
    q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096);
    probe_is("mmap private writable", q != MAP_FAILED);
    probe_text("at a page", "%.4s", q);
    memcpy(q, "mine", 4);
    probe_text("mine and not the file's", "%.4s %.4s", q, p + 4096);
    P("pread after", pread(fd, buffer, 4, 4096));
    probe_text("the file", "%.4s", buffer);
    P("munmap", munmap(q, 4096));
    P("munmap", munmap(p, 10000));
    q = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    probe_is("mmap shared, to read", q != MAP_FAILED && memcmp(q, "000000000\n", 10) == 0);
    munmap(q, 4096);
    P("mmap shared, to write", (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    P("mmap offset", (long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 1));
    P("mmap length 0", (long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0));
    P("mmap no sharing", (long)mmap(NULL, 4096, PROT_READ, 0, fd, 0));
    close(fd);
    P("mmap closed", (long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
    fd = opened("folder", O_RDONLY);
    P("mmap folder", (long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
    close(fd);
}

void probe_files(void)
{
    opens();
    opens_beneath();
    reads();
    stats();
    links();
    maps();
}
