/* SPDX-License-Identifier: BSD-2-Clause */
/* /tmp of the kernel: files that live in memory, up to a limit, and leave nothing behind; the rest of the tree stays as it was. */
#include "tests/boot/machine.h"
#include <stdio.h>
#include <stdlib.h>
#include "tests/common/run.h"

#define HERE ((uint64_t)AT_FDCWD)
#define DATA 16384u                     /* in the arena: bytes to write; READ: those read */
#define READ 131072u

static uint64_t name(const char *text) { return user_put(0, text); }
static int64_t open_file(const char *path, unsigned flags) { return SYS(sys_openat, HERE, name(path), flags, 0644); }
static int64_t close_file(int64_t fd) { return SYS(sys_close, (uint64_t)fd); }

static int64_t put(int64_t fd, const char *text, size_t n)
{
    memcpy(arena + DATA, text, n);
    return SYS(sys_write, (uint64_t)fd, user_at(DATA), n);
}

static int64_t get(int64_t fd, uint64_t at, size_t n) { return SYS(sys_pread64, (uint64_t)fd, user_at(READ), n, at); }

static bool read_is(int64_t fd, uint64_t at, const char *text, size_t n)
{
    return get(fd, at, n) == (int64_t)n && memcmp(arena + READ, text, n) == 0;
}

static int64_t rename_to(const char *from, const char *to, unsigned flags)
{
    return SYS(sys_renameat2, HERE, name(from), HERE, user_put(4096, to), flags);
}

static struct linux_stat stat_of(const char *path)
{
    struct linux_stat st;

    memset(&st, 0, sizeof(st));
    if (SYS(sys_stat, name(path), user_at(8192)) == 0)
        memcpy(&st, arena + 8192, sizeof(st));
    return st;
}

static void start(const char *option)
{
    static uint8_t image[65536];
    struct bytes archive = { image, 0 };

    archive.size = cpio_put(image, 0, "etc/conf", S_IFREG | 0644, "conf", 4);
    archive.size = cpio_put(image, archive.size, "tmp/given", S_IFREG | 0644, "given", 5);
    ck_assert_int_eq(tree_init(), 0);
    ck_assert_int_eq(tree_add_archive(&archive), 0);
    fake_tmp = option;
    tmp_init();
}

/* What there was of memory and names before, there is after. */
static size_t pages_before, pool_before;

static int64_t names_left(void)
{
    struct linux_statfs s;

    SYS(sys_statfs, name("/tmp"), user_at(8192));
    memcpy(&s, arena + 8192, sizeof(s));
    ck_assert_int_eq(s.type, 0x01021994);
    return s.ffree;
}

static int64_t names_before;

static void setup(void)
{
    start("64K");
    close_file(open_file("/tmp/warm", O_RDWR | O_CREAT));       /* the table of descriptors, pages of the pool */
    SYS(sys_unlink, name("/tmp/warm"));
    pages_before = pages_out;
    pool_before = pool_used();
    names_before = names_left();
}

static void nothing_left(void)
{
    ck_assert_uint_eq(pool_used(), pool_before);
    ck_assert_int_eq(names_left(), names_before);
}

START_TEST(contents)
{
    int64_t fd = open_file("/tmp/a", O_RDWR | O_CREAT | O_EXCL), other;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(open_file("/tmp/a", O_RDWR | O_CREAT | O_EXCL), -EEXIST);
    ck_assert_int_eq(put(fd, "hello", 5), 5);
    ck_assert(read_is(fd, 0, "hello", 5));
    ck_assert_int_eq(get(fd, 5, 10), 0);
    ck_assert_int_eq(SYS(sys_lseek, (uint64_t)fd, 10000, SEEK_SET), 10000);
    ck_assert_int_eq(put(fd, "far", 3), 3);
    ck_assert_int_eq(stat_of("/tmp/a").size, 10003);
    ck_assert_int_eq(get(fd, 0, 20000), 10003);
    for (size_t i = 5; i < 10000; i++)
        ck_assert_uint_eq(arena[READ + i], 0);
    other = open_file("/tmp/a", O_WRONLY | O_APPEND);
    ck_assert_int_eq(put(other, "!", 1), 1);
    ck_assert_int_eq(get(other, 0, 1), -EBADF);
    ck_assert(read_is(fd, 10000, "far!", 4));
    ck_assert_int_eq(SYS(sys_ftruncate, (uint64_t)fd, 3), 0);
    ck_assert_int_eq(SYS(sys_ftruncate, (uint64_t)fd, 8), 0);
    ck_assert(read_is(fd, 0, "hel\0\0\0\0\0", 8));             /* what was cut off does not come back */
    memcpy(arena + DATA, "XY", 2);
    ck_assert_int_eq(SYS(sys_pwrite64, (uint64_t)fd, user_at(DATA), 2, 4096), 2);
    ck_assert_int_eq(stat_of("/tmp/a").size, 4098);
    close_file(open_file("/tmp/a", O_RDWR | O_TRUNC));
    ck_assert_int_eq(stat_of("/tmp/a").size, 0);
    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd, user_at(ARENA - 3), 5), -EFAULT);
    ck_assert_int_eq(SYS(sys_fallocate, (uint64_t)fd, 0, 100, 5000), 0);
    ck_assert_int_eq(stat_of("/tmp/a").size, 5100);
    close_file(fd);
    close_file(other);
    ck_assert_int_eq(SYS(sys_unlink, name("/tmp/a")), 0);
    ck_assert_int_eq(open_file("/tmp/a", O_RDONLY), -ENOENT);
    nothing_left();
}
END_TEST

/* Without a name a file lives on, as long as somebody has it open. */
START_TEST(nameless)
{
    int64_t fd = open_file("/tmp/a", O_RDWR | O_CREAT), second;
    struct linux_stat st;

    ck_assert_int_eq(put(fd, "still", 5), 5);
    ck_assert_int_eq(SYS(sys_unlink, name("/tmp/a")), 0);
    second = open_file("/tmp/a", O_RDWR | O_CREAT | O_EXCL);            /* another one */
    ck_assert_int_ge(second, 0);
    ck_assert_int_eq(get(second, 0, 5), 0);
    ck_assert(read_is(fd, 0, "still", 5));
    SYS(sys_fstat, (uint64_t)fd, user_at(8192));
    memcpy(&st, arena + 8192, sizeof(st));
    ck_assert_uint_eq(st.nlink, 0);
    close_file(fd);
    fd = SYS(sys_openat, HERE, name("/tmp"), O_RDWR | O_TMPFILE, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(put(fd, "x", 1), 1);
    ck_assert_int_eq(SYS(sys_openat, HERE, name("/tmp"), O_RDONLY | O_TMPFILE, 0600), -EINVAL);
    ck_assert_int_eq(SYS(sys_openat, HERE, name("/etc"), O_RDWR | O_TMPFILE, 0600), -EROFS);
    ck_assert_int_eq(SYS(sys_openat, HERE, name("/tmp/a"), O_RDWR | O_TMPFILE, 0600), -ENOTDIR);
    close_file(fd);
    close_file(second);
    SYS(sys_unlink, name("/tmp/a"));
    nothing_left();
}
END_TEST

START_TEST(bytes_end)
{
    int64_t fd = open_file("/tmp/a", O_RDWR | O_CREAT), other = open_file("/tmp/b", O_RDWR | O_CREAT);

    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd, user_at(0), 60000), 60000);
    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd, user_at(0), 60000), 65536 - 60000);
    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd, user_at(0), 1), -ENOSPC);
    ck_assert_int_eq(SYS(sys_write, (uint64_t)other, user_at(0), 1), -ENOSPC);
    ck_assert_int_eq(SYS(sys_fallocate, (uint64_t)other, 0, 0, 1), -ENOSPC);
    ck_assert_int_eq(SYS(sys_ftruncate, (uint64_t)other, 65537), -EFBIG);
    ck_assert_int_eq(SYS(sys_ftruncate, (uint64_t)other, 65536), 0);    /* zeros take none */
    ck_assert_int_eq(get(other, 65000, 1000), 536);
    ck_assert_int_eq(SYS(sys_ftruncate, (uint64_t)fd, 61440), 0);
    ck_assert_int_eq(SYS(sys_write, (uint64_t)other, user_at(0), 5000), 4096);  /* as much as there is */
    ck_assert_int_eq(SYS(sys_lseek, (uint64_t)fd, 1ul << 40, SEEK_SET), 1l << 40);
    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd, user_at(0), 1), -ENOSPC);
    ck_assert_int_eq(get(fd, 1ul << 40, 1), 0);
    close_file(fd);
    close_file(other);
    SYS(sys_unlink, name("/tmp/a"));
    SYS(sys_unlink, name("/tmp/b"));
    nothing_left();
}
END_TEST

/* No more memory at all: that is no space, too, and what was made for nothing goes again. */
START_TEST(memory_ends)
{
    size_t most = pages_most;
    int64_t fd = open_file("/tmp/a", O_RDWR | O_CREAT);

    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd, user_at(0), 4096), 4096);
    pages_most = pages_out + 1;
    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd, user_at(0), 20000), 4096);
    ck_assert_int_eq(SYS(sys_write, (uint64_t)fd, user_at(0), 20000), -ENOSPC);
    pages_most = most;
    close_file(fd);
    SYS(sys_unlink, name("/tmp/a"));
    fd_limit = 3;
    while ((fd = open_file("/etc/conf", O_RDONLY)) >= 0)
        ;
    ck_assert_int_eq(open_file("/tmp/new", O_RDWR | O_CREAT), -EMFILE);
    ck_assert_int_eq(stat_of("/tmp/new").ino, 0);
    fd_limit = FD_MAX;
    fd_close_all();
    nothing_left();
}
END_TEST

START_TEST(names_end)
{
    char path[32];
    int64_t fd = 0, n = 0;

    for (; fd >= 0; n++) {
        snprintf(path, sizeof(path), "/tmp/%ld", (long)n);
        fd = open_file(path, O_RDWR | O_CREAT);
        if (fd >= 0)
            close_file(fd);
    }
    ck_assert_int_eq(fd, -ENOSPC);
    ck_assert_int_eq(n - 1, names_before);
    ck_assert_int_eq(SYS(sys_mkdir, name("/tmp/folder"), 0755), -ENOSPC);
    while (n-- > 1) {
        snprintf(path, sizeof(path), "/tmp/%ld", (long)n - 1);
        ck_assert_int_eq(SYS(sys_unlink, name(path)), 0);
    }
    nothing_left();
}
END_TEST

START_TEST(folders)
{
    int64_t fd;

    ck_assert_int_eq(SYS(sys_mkdir, name("/tmp/a"), 0777), 0);
    ck_assert_uint_eq(stat_of("/tmp/a").mode, S_IFDIR | 0755);          /* the mask */
    ck_assert_int_eq(SYS(sys_mkdir, name("/tmp/a"), 0777), -EEXIST);
    ck_assert_int_eq(SYS(sys_mkdir, name("/tmp/x/y"), 0777), -ENOENT);
    ck_assert_int_eq(SYS(sys_mkdir, name("/tmp/a/b/"), 0777), 0);
    ck_assert_int_eq(open_file("/tmp/a/c/", O_RDWR | O_CREAT), -EISDIR);
    close_file(open_file("/tmp/a/b/file", O_RDWR | O_CREAT));
    ck_assert_int_eq(SYS(sys_rmdir, name("/tmp/a/b")), -ENOTEMPTY);
    ck_assert_int_eq(SYS(sys_rmdir, name("/tmp/a/b/file")), -ENOTDIR);
    ck_assert_int_eq(SYS(sys_unlink, name("/tmp/a/b")), -EISDIR);
    ck_assert_int_eq(SYS(sys_unlink, name("/tmp/a/b/file/")), -ENOTDIR);
    ck_assert_int_eq(SYS(sys_rmdir, name("/tmp/a/b/.")), -EINVAL);
    ck_assert_int_eq(SYS(sys_rmdir, name("/tmp")), -EBUSY);
    ck_assert_int_eq(SYS(sys_unlinkat, HERE, name("/tmp/a/b/file"), 0x400), -EINVAL);
    ck_assert_int_eq(SYS(sys_chdir, name("/tmp/a/b")), 0);
    fd = open_file(".", O_RDONLY | O_DIRECTORY);
    ck_assert_int_eq(SYS(sys_unlink, name("file")), 0);
    ck_assert_int_eq(SYS(sys_unlinkat, HERE, name("/tmp/a/b"), AT_REMOVEDIR), 0);
    ck_assert_int_eq(SYS(sys_rmdir, name("/tmp/a")), 0);
    ck_assert_int_eq(SYS(sys_getcwd, user_at(8192), 100), -ENOENT);     /* it is gone, and we are in it */
    ck_assert_int_eq(open_file("new", O_RDWR | O_CREAT), -ENOENT);
    ck_assert_int_eq(SYS(sys_getdents64, (uint64_t)fd, user_at(8192), 1000), -ENOENT);
    ck_assert_int_ge(SYS(sys_openat, (uint64_t)fd, name(".."), O_RDONLY), 0);
    fd_close_all();
    ck_assert_int_eq(SYS(sys_chdir, name("/")), 0);
    nothing_left();
}
END_TEST

START_TEST(other_names)
{
    int64_t fd = open_file("/tmp/a", O_RDWR | O_CREAT);

    put(fd, "of a", 4);
    close_file(open_file("/tmp/b", O_RDWR | O_CREAT));
    ck_assert_int_eq(rename_to("/tmp/a", "/tmp/b", RENAME_NOREPLACE), -EEXIST);
    ck_assert_int_eq(rename_to("/tmp/a", "/tmp/b", 2), -EINVAL);
    ck_assert_int_eq(rename_to("/tmp/a", "/tmp/b", 0), 0);              /* the old b goes */
    ck_assert_uint_eq(stat_of("/tmp/a").ino, 0);
    ck_assert_int_eq(stat_of("/tmp/b").size, 4);
    ck_assert_int_eq(rename_to("/tmp/b", "/tmp/b", 0), 0);
    ck_assert_int_eq(rename_to("/tmp/b", "/tmp/c/", 0), -ENOTDIR);
    ck_assert_int_eq(rename_to("/tmp/b", "/etc/b", 0), -EXDEV);
    ck_assert_int_eq(rename_to("/etc/conf", "/tmp/conf", 0), -EXDEV);
    ck_assert_int_eq(rename_to("/etc/conf", "/etc/b", 0), -EROFS);
    ck_assert_int_eq(rename_to("/tmp/b", "/tmp/given", 0), -EROFS);
    ck_assert_int_eq(rename_to("/tmp/given", "/tmp/d", 0), -EXDEV);
    ck_assert_int_eq(rename_to("/tmp", "/tmp/b/c", 0), -EBUSY);
    SYS(sys_mkdir, name("/tmp/folder"), 0755);
    SYS(sys_mkdir, name("/tmp/folder/in"), 0755);
    ck_assert_int_eq(rename_to("/tmp/folder", "/tmp/folder/in/deep", 0), -EINVAL);
    ck_assert_int_eq(rename_to("/tmp/folder/in", "/tmp/folder", 0), -ENOTEMPTY);
    ck_assert_int_eq(rename_to("/tmp/folder", "/tmp/b", 0), -ENOTDIR);
    ck_assert_int_eq(rename_to("/tmp/b", "/tmp/folder", 0), -EISDIR);
    ck_assert_int_eq(rename_to("/tmp/folder/in", "/tmp/out", 0), 0);
    ck_assert_uint_eq(stat_of("/tmp/folder").nlink, 2);
    ck_assert_int_eq(rename_to("/tmp/out", "/tmp/folder", 0), 0);       /* an empty one is replaced */
    ck_assert_int_eq(rename_to("/tmp/folder", "/tmp/.", 0), -EBUSY);
    ck_assert(read_is(fd, 0, "of a", 4));
    close_file(fd);
    SYS(sys_rmdir, name("/tmp/folder"));
    SYS(sys_unlink, name("/tmp/b"));
    nothing_left();
}
END_TEST

/* A list that is read in pieces, while what it says is removed. */
START_TEST(list_and_remove)
{
    enum { N = 200 };
    bool seen[N] = { false };
    char path[64];
    int64_t dir, n, found = 0;

    SYS(sys_mkdir, name("/tmp/many"), 0755);
    for (int i = 0; i < N; i++) {
        snprintf(path, sizeof(path), "/tmp/many/%d", i);
        close_file(open_file(path, O_WRONLY | O_CREAT));
    }
    dir = open_file("/tmp/many", O_RDONLY | O_DIRECTORY);
    while ((n = SYS(sys_getdents64, (uint64_t)dir, user_at(DATA), 200)) > 0)
        for (int64_t at = 0; at < n;) {
            struct linux_dirent d;
            const char *entry = (const char *)arena + DATA + at + offsetof(struct linux_dirent, name);

            memcpy(&d, arena + DATA + at, sizeof(d));
            at += d.reclen;
            if (entry[0] == '.')
                continue;
            ck_assert(!seen[strtol(entry, NULL, 10)]);
            seen[strtol(entry, NULL, 10)] = true;
            found++;
            snprintf(path, sizeof(path), "/tmp/many/%s", entry);
            ck_assert_int_eq(SYS(sys_unlink, name(path)), 0);
        }
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(found, N);
    close_file(dir);
    ck_assert_int_eq(SYS(sys_rmdir, name("/tmp/many")), 0);
    nothing_left();
}
END_TEST

START_TEST(attributes)
{
    struct linux_timespec t[2] = { { 1, 0 }, { 1234, 5 } };
    int64_t fd = open_file("/tmp/a", O_RDWR | O_CREAT);

    ck_assert_uint_eq(stat_of("/tmp/a").mode, S_IFREG | 0644);
    ck_assert_uint_eq(stat_of("/tmp/a").mtime, fake_wall / 1000000000);
    ck_assert_int_eq(SYS(sys_fchmod, (uint64_t)fd, 0600), 0);
    ck_assert_int_eq(SYS(sys_chown, name("/tmp/a"), 5, UINT32_MAX), 0);
    ck_assert_uint_eq(stat_of("/tmp/a").mode, S_IFREG | 0600);
    ck_assert(stat_of("/tmp/a").uid == 5 && stat_of("/tmp/a").gid == 0);
    memcpy(arena + DATA, t, sizeof(t));
    ck_assert_int_eq(SYS(sys_utimensat, (uint64_t)fd, 0, user_at(DATA), 0), 0);
    ck_assert_int_eq(stat_of("/tmp/a").mtime, 1234);
    t[1].ns = UTIME_NOW;
    memcpy(arena + DATA, t, sizeof(t));
    ck_assert_int_eq(SYS(sys_utimensat, HERE, name("/tmp/a"), user_at(DATA), 0), 0);
    ck_assert_uint_eq(stat_of("/tmp/a").mtime, fake_wall / 1000000000);
    ck_assert_int_eq(SYS(sys_access, name("/tmp/a"), W_OK), 0);
    ck_assert_int_eq(SYS(sys_symlink, name("x"), user_put(4096, "/tmp/link")), -EPERM);
    ck_assert_int_eq(SYS(sys_link, name("/tmp/a"), user_put(4096, "/tmp/link")), -EPERM);
    close_file(fd);
    SYS(sys_unlink, name("/tmp/a"));
    nothing_left();
}
END_TEST

/* A private mapping is a copy; a shared one would have to be none, so there is none. */
START_TEST(mapped)
{
    int64_t fd = open_file("/tmp/a", O_RDWR | O_CREAT);
    uint64_t at = user_at(0) + 65536;

    put(fd, "to be mapped", 12);
    ck_assert_int_eq(SYS(sys_ftruncate, (uint64_t)fd, 5000), 0);
    memset(arena + 65536, 0, 8192);
    ck_assert_int_eq(tmp_ops.map(fd_file((uint64_t)fd), USER_FIXED, at, 8192, PROT_READ, MAP_PRIVATE, 0), (int64_t)at);
    ck_assert_int_eq(memcmp(arena + 65536, "to be mapped", 13), 0);
    ck_assert_int_eq(tmp_ops.map(fd_file((uint64_t)fd), USER_FIXED, at, 8192, PROT_READ, MAP_SHARED, 0), -ENODEV);
    ck_assert_int_eq(tmp_ops.map(fd_file((uint64_t)fd), USER_FIXED, at, 8192, PROT_WRITE | PROT_EXEC, MAP_PRIVATE, 0), -EACCES);
    close_file(fd);
    SYS(sys_unlink, name("/tmp/a"));
    nothing_left();
}
END_TEST

START_TEST(the_rest_is_read_only)
{
    static const char *const paths[] = { "/etc/conf", "/tmp/given" };

    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        ck_assert_int_eq(open_file(paths[i], O_RDWR), -EROFS);
        ck_assert_int_eq(open_file(paths[i], O_RDONLY | O_TRUNC), -EROFS);
        ck_assert_int_eq(SYS(sys_unlink, name(paths[i])), -EROFS);
        ck_assert_int_eq(SYS(sys_truncate, name(paths[i]), 0), -EROFS);
        ck_assert_int_eq(SYS(sys_chmod, name(paths[i]), 0), -EROFS);
    }
    ck_assert_int_eq(open_file("/etc/new", O_RDWR | O_CREAT), -EROFS);
    ck_assert_int_eq(SYS(sys_mkdir, name("/new"), 0755), -EROFS);
    ck_assert_int_eq(SYS(sys_symlink, name("x"), user_put(4096, "/new")), -EROFS);
    ck_assert_int_eq(SYS(sys_rmdir, name("/etc")), -EROFS);
}
END_TEST

static uint32_t seed = 7;
static uint32_t chance(uint32_t n) { return (seed = seed * 1664525 + 1013904223) >> 8 & 0xffff ? (seed >> 9) % n : 0; }

/* One of few paths, up to three folders deep, so that they meet. */
static void some_path(char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "/tmp");

    for (uint32_t depth = chance(3) + 1; depth > 0; depth--)
        n += (size_t)snprintf(out + n, size - n, "/%c", 'a' + (char)chance(3));
}

/* Folders come to lie deeper when they get another name. */
static void remove_all(const char *path)
{
    char deeper[512];

    for (char c = 'a'; c < 'd'; c++) {
        snprintf(deeper, sizeof(deeper), "%s/%c", path, c);
        if (SYS(sys_unlink, name(deeper)) != -EISDIR)
            continue;
        remove_all(deeper);
        ck_assert_int_eq(SYS(sys_rmdir, name(deeper)), 0);
    }
}

/* Everything in any order, and names that go while they are used: nothing dangles (the sanitizers look), nothing is lost. */
START_TEST(any_order)
{
    char path[64], other[64];
    int64_t fds[8] = { -1, -1, -1, -1, -1, -1, -1, -1 };

    for (int i = 0; i < 60000; i++) {
        int64_t *fd = &fds[chance(ARRAY_LENGTH(fds))];

        some_path(path, sizeof(path));
        some_path(other, sizeof(other));
        switch (chance(12)) {
        case 0: case 1: SYS(sys_mkdir, name(path), 0755); break;
        case 2: SYS(sys_rmdir, name(path)); break;
        case 3: SYS(sys_unlink, name(path)); break;
        case 4: case 5: rename_to(path, other, chance(2)); break;
        case 6: SYS(sys_chdir, name(path)); break;
        case 7: close_file(*fd); *fd = -1; break;
        case 8: *fd = *fd < 0 ? open_file(path, O_RDONLY) : *fd; break;
        case 9: *fd = *fd < 0 ? open_file(path, O_RDWR | O_CREAT | (chance(2) ? O_TRUNC : 0)) : *fd; break;
        case 10: SYS(sys_pwrite64, (uint64_t)*fd, user_at(DATA), chance(9000), chance(30000)); break;
        case 11: SYS(sys_ftruncate, (uint64_t)*fd, chance(40000)); break;
        }
        SYS(sys_getdents64, (uint64_t)*fd, user_at(DATA), 400);
        ck_assert_uint_le(pages_out, pages_before + 64 + 64);   /* /tmp's limit; names and lists of pages are in the pool's own */
    }
    for (size_t i = 0; i < ARRAY_LENGTH(fds); i++)
        close_file(fds[i]);
    SYS(sys_chdir, name("/"));
    remove_all("/tmp");
    nothing_left();
}
END_TEST

static const char *wrong;
static void start_wrong(void) { start(wrong); }

START_TEST(options)
{
    static const char *const bad[] = { "", " ", "x", "1X", "1MM", "-1", "99999999999999999999", "9999999999G", "1M,2M" };

    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        wrong = bad[i];
        ck_assert_ptr_nonnull(ends_with(start_wrong));
    }
    start("0 rest of the line");
    ck_assert_int_eq(open_file("/tmp/a", O_RDWR | O_CREAT), -EROFS);
    start("3M rest");
    ck_assert_int_ge(open_file("/tmp/a", O_RDWR | O_CREAT), 0);
    SYS(sys_statfs, name("/tmp"), user_at(8192));
    ck_assert_int_eq(((struct linux_statfs *)(void *)(arena + 8192))->blocks, 768);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("tmp");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, contents);
    tcase_add_test(t, nameless);
    tcase_add_test(t, bytes_end);
    tcase_add_test(t, memory_ends);
    tcase_add_test(t, names_end);
    tcase_add_test(t, folders);
    tcase_add_test(t, other_names);
    tcase_add_test(t, list_and_remove);
    tcase_add_test(t, attributes);
    tcase_add_test(t, mapped);
    tcase_add_test(t, any_order);
    tcase_add_test(t, the_rest_is_read_only);
    tcase_add_test(t, options);
    return run_case("boot: tmp", t);
}
