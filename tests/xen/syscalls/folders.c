/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders: getdents64, the working folder. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#include "probe.h"

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path)
{
    char names[32][64], *sorted[32];
    size_t n = 0;
    struct dirent *e;
    DIR *d = opendir(path);

    if (!d) {
        probe(path, -1);
        return;
    }
    while (n < 32 && (e = readdir(d)) != NULL) {
        snprintf(names[n], sizeof(names[n]), "%.40s type %d", e->d_name, e->d_type);
        sorted[n] = names[n];
        n++;
    }
    rewinddir(d);
    e = readdir(d);
    probe_is("rewound", e != NULL);
    closedir(d);
    qsort(sorted, n, sizeof(sorted[0]), by_name);
    for (size_t i = 0; i < n; i++)
        probe_text(path, "%s", sorted[i]);
}

void probe_folders(void)
{
    char buffer[512], *base;
    long n, total = 0;
    int fd;

    list(".");
    list("folder");
    list("missing");
    list("text");
    fd = open("folder", O_RDONLY | O_DIRECTORY);
    P("getdents too small", syscall(SYS_getdents64, fd, buffer, 10));
    P("getdents bad pointer", syscall(SYS_getdents64, fd, bad_near, 512));
    while ((n = syscall(SYS_getdents64, fd, buffer, 50)) > 0)
        for (long at = 0; at < n; total++)
            at += ((struct dirent64 *)(void *)(buffer + at))->d_reclen;
    probe("entries in pieces", total);
    P("getdents at the end", syscall(SYS_getdents64, fd, buffer, 512));
    P("fchdir", fchdir(fd));
    close(fd);
    P("open here", close(open("x", O_RDONLY)));
    base = getcwd(buffer, sizeof(buffer));
    base = base ? strrchr(base, '/') : NULL;
    probe_text("getcwd", "%s", base ? base : "none");
    P("getcwd short", syscall(SYS_getcwd, buffer, 2));
    P("getcwd bad pointer", syscall(SYS_getcwd, bad_near, 512));
    P("chdir back", chdir(".."));
    P("chdir file", chdir("text"));
    P("chdir missing", chdir("missing"));
    fd = open("text", O_RDONLY);
    P("fchdir file", fchdir(fd));
    P("getdents file", syscall(SYS_getdents64, fd, buffer, 512));
    close(fd);
    P("getdents closed", syscall(SYS_getdents64, fd, buffer, 512));
}
