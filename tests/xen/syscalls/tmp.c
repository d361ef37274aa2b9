/* SPDX-License-Identifier: BSD-2-Clause */
/* /tmp: what programs and libraries make there. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include "probe.h"

static char buffer[20000], folder[] = "/tmp/probe.XXXXXX";

static void show(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        probe(path, -1);
    else
        probe_text(path, "mode %o links %lu size %ld", st.st_mode, S_ISDIR(st.st_mode) ? 0ul : (unsigned long)st.st_nlink,
                   S_ISDIR(st.st_mode) ? 0l : (long)st.st_size);
}

static void contents(void)
{
    int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0640), other;

    P("create", fd);
    P("create again", open("a", O_RDWR | O_CREAT | O_EXCL, 0640));
    show("a");
    P("write", write(fd, "0123456789", 10));
    P("pwrite", pwrite(fd, "xy", 2, 3));
    P("pwrite beyond", pwrite(fd, "far", 3, 5000));
    P("position", lseek(fd, 0, SEEK_CUR));
    P("pread", pread(fd, buffer, 20, 0));
    probe_text("text", "%.10s %d", buffer, buffer[10]);
    show("a");
    P("hole", pread(fd, buffer, sizeof(buffer), 100));
    probe_text("zeros, then", "%d %.3s", buffer[0] + buffer[4000], buffer + 4900);
    P("truncate", ftruncate(fd, 5));
    P("and longer", ftruncate(fd, 9));
    P("pread", pread(fd, buffer, 20, 0));
    probe_text("text", "%.5s %d", buffer, buffer[5] + buffer[8]);
    P("truncate negative", ftruncate(fd, -1));
    other = open("a", O_WRONLY | O_APPEND);
    P("append", write(other, "end", 3));
    P("read what is only for writing", read(other, buffer, 1));
    P("its position", lseek(other, 0, SEEK_CUR));
    P("pwrite appends too", pwrite(other, "!", 1, 0));
    P("writev", writev(other, (struct iovec[]){ { buffer, 2 }, { buffer, 0 }, { buffer, 3 } }, 3));
    P("pwritev", pwritev(fd, (struct iovec[]){ { (char *)(uintptr_t)"p", 1 }, { (char *)(uintptr_t)"q", 1 } }, 2, 1));
    show("a");
    P("pread", pread(fd, buffer, 20, 0));
    probe_text("text", "%.3s %.4s", buffer, buffer + 9);
    P("write bad pointer", write(fd, bad_near, 5));
    P("write kernel pointer", pwrite(fd, bad_kernel, 5, 0));
    P("pwrite negative", pwrite(fd, "x", 1, -1));
    P("allocate", fallocate(fd, 0, 0, 10000));
    show("a");
    P("allocate nothing", fallocate(fd, 0, 0, 0));
    P("posix_fallocate", posix_fallocate(fd, 0, 100));
    P("fsync", fsync(fd));
    close(other);
    close(fd);
    other = open("a", O_RDONLY);
    P("write what is only for reading", write(other, "x", 1));
    P("truncate it", ftruncate(other, 0));
    close(other);
    P("truncate by name", truncate("a", 3));
    P("open with truncation", close(open("a", O_RDWR | O_TRUNC)));
    show("a");
    P("truncate a folder", truncate(".", 3));
}

static void names(void)
{
    struct stat one, two;
    int fd = open("a", O_RDWR);

    P("write", write(fd, "of a", 4));
    fstat(fd, &one);
    P("rename", rename("a", "b"));
    stat("b", &two);
    probe_is("the same file", one.st_ino == two.st_ino && one.st_dev == two.st_dev);
    P("rename missing", rename("a", "c"));
    P("rename to itself", rename("b", "b"));
    P("rename to a folder's name", rename("b", "c/"));
    P("mkdir", mkdir("d", 0700));
    P("mkdir again", mkdir("d", 0700));
    P("mkdir in it", mkdir("d/e/", 0777));
    P("mkdir nowhere", mkdir("x/y", 0777));
    show("d");
    show("d/e");
    P("into it", rename("b", "d/b"));
    P("out of it, over nothing", renameat(AT_FDCWD, "d/b", AT_FDCWD, "b"));
    P("a folder over a file", rename("d", "b"));
    P("a file over a folder", rename("b", "d"));
    P("a folder into itself", rename("d", "d/e/f"));
    P("a folder over its own", rename("d/e", "d"));
    P("a folder's dot", rename("d/.", "f"));
    P("no replacing", renameat2(AT_FDCWD, "b", AT_FDCWD, "d", RENAME_NOREPLACE));
    P("rename flags", renameat2(AT_FDCWD, "b", AT_FDCWD, "d", 1u << 20));
    P("rmdir full", rmdir("d"));
    P("rmdir a file", rmdir("b"));
    P("unlink a folder", unlink("d"));
    P("rmdir a dot", rmdir("d/e/."));
    P("unlinkat", unlinkat(AT_FDCWD, "d/e", AT_REMOVEDIR));
    P("unlinkat flags", unlinkat(AT_FDCWD, "d", 0x10));
    P("rmdir", rmdir("d/"));
    P("unlink slash", unlink("b/"));
    P("unlink", unlink("b"));
    P("unlink again", unlink("b"));
    P("open", open("b", O_RDONLY));
    P("the open one lives", pread(fd, buffer, 10, 0));
    fstat(fd, &one);
    probe("links", (long)one.st_nlink);
    close(fd);
    P("create in a folder that is none", open("x/", O_RDWR | O_CREAT, 0600));
    P("make of a path as folder", mknod("plain", S_IFREG | 0600, 0));
    show("plain");
    P("umask", umask(077));
    close(open("masked", O_RDWR | O_CREAT, 0666));
    umask(022);
    show("masked");
    P("chmod", chmod("masked", 0755));
    show("masked");
    P("access", access("masked", R_OK | W_OK | X_OK));
    P("unlink both", unlink("masked") + unlink("plain"));
}

static void gone(void)
{
    int fd;

    mkdir("here", 0700);
    P("chdir", chdir("here"));
    P("rmdir", rmdir("../here"));
    P("getcwd", syscall(SYS_getcwd, buffer, sizeof(buffer)));
    P("create", open("x", O_RDWR | O_CREAT, 0600));
    P("mkdir", mkdir("x", 0700));
    fd = open(".", O_RDONLY | O_DIRECTORY);
    P("getdents", syscall(SYS_getdents64, fd, buffer, 512));
    close(fd);
    P("chdir back", chdir(folder));
}

static void lists(void)
{
    char path[64];
    int n = 0, removed = 0;
    struct dirent *e;
    DIR *d;

    mkdir("many", 0700);
    for (int i = 0; i < 300; i++) {
        snprintf(path, sizeof(path), "many/a-name-that-is-somewhat-long-%d", i);
        close(open(path, O_WRONLY | O_CREAT, 0600));
    }
    d = opendir("many");
    while (d && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        n++;
        removed += unlinkat(dirfd(d), e->d_name, 0) == 0;
    }
    closedir(d);
    probe_text("listed, removed", "%d %d", n, removed);
    P("rmdir", rmdir("many"));
}

static void libraries(void)
{
    char name[] = "file.XXXXXX", deep[] = "deep.XXXXXX";
    struct timespec t[2] = { { 5, 0 }, { 1000000000, 0 } };
    struct stat st;
    char *mapped;
    FILE *f;
    int fd = mkstemp(name);

    probe_is("mkstemp", fd >= 0 && strcmp(name, "file.XXXXXX") != 0);
    fstat(fd, &st);
    probe_text("its mode", "%o", st.st_mode);
    P("write", write(fd, "to be mapped", 12));
    mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    probe_text("mapped", "%.12s %d", mapped != MAP_FAILED ? mapped : "", mapped != MAP_FAILED ? mapped[12] : 1);
    munmap(mapped, 4096);
    mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (mapped != MAP_FAILED)
        mapped[0] = 'T';
    P("the file", pread(fd, buffer, 12, 0));
    probe_text("is as it was", "%.12s", buffer);
    munmap(mapped, 4096);
    P("futimens", futimens(fd, t));
    fstat(fd, &st);
    probe("time", (long)st.st_mtime);
    P("fchmod", fchmod(fd, 0644));
    P("fchown", fchown(fd, 0, 0));
    P("utimensat wrong", utimensat(AT_FDCWD, name, (struct timespec[]){ { 0, -5 }, { 0, 0 } }, 0));
    close(fd);
    P("unlink", unlink(name));
    probe_is("mkdtemp", mkdtemp(deep) != NULL);
    P("rmdir", rmdir(deep));
    f = tmpfile();
    probe_is("tmpfile", f != NULL);
    if (f) {
        fprintf(f, "%d lines\n", 5);
        rewind(f);
        probe_text("read back", "%s", fgets(buffer, sizeof(buffer), f) ? "5 lines" : "nothing");
        fclose(f);
    }
    f = fopen("stdio", "w+");
    for (int i = 0; f && i < 2000; i++)
        fprintf(f, "line %d\n", i);
    if (f && fseek(f, -10, SEEK_END) == 0 && fgets(buffer, sizeof(buffer), f) && fgets(buffer, sizeof(buffer), f))
        probe_text("last line", "%.9s", buffer);
    if (f)
        fclose(f);
    show("stdio");
    f = fopen("stdio", "a");
    P("append", fputs("more", f) >= 0 && fclose(f) == 0);
    show("stdio");
    P("remove", remove("stdio"));
    P("nameless, for reading", open(".", O_RDONLY | O_TMPFILE, 0600));
    P("nameless", close((int)syscall(SYS_openat2, AT_FDCWD, ".", &(struct open_how){ .flags = O_RDWR | O_TMPFILE, .mode = 0600 },
                                     sizeof(struct open_how))));
    P("openat2 creates", close((int)syscall(SYS_openat2, AT_FDCWD, "two", &(struct open_how){ .flags = O_RDWR | O_CREAT, .mode = 0600 },
                                            sizeof(struct open_how))));
    show("two");
    P("openat2 mode alone", syscall(SYS_openat2, AT_FDCWD, "two", &(struct open_how){ .flags = O_RDWR, .mode = 0600 }, sizeof(struct open_how)));
    P("unlink", unlink("two"));
}

void probe_tmp(void)
{
    int back = open(".", O_RDONLY | O_DIRECTORY);

    if (!mkdtemp(folder) || chdir(folder) < 0) {
        probe("a folder", -1);
        close(back);
        return;
    }
    contents();
    names();
    gone();
    lists();
    libraries();
    P("back", fchdir(back));
    P("nothing is left", rmdir(folder));
    close(back);
}
