/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/object.c - shared objects, in the dynamic program.
 *
 * What is mapped is a copy of ours in memory: a file that somebody overwrites or cuts while it runs would take its code away under
 * us, and kill the program. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/object.h"

#define TRY_SECONDS 5                   /* then a child that loads an object is ended */

static int copy_bytes(int from, int to)
{
    char buffer[65536];
    size_t total = 0;
    ssize_t n;

    while ((n = read(from, buffer, sizeof(buffer))) > 0) {
        total += (size_t)n;
        if (total > OBJECT_MAX)
            return -EFBIG;
        if (write(to, buffer, (size_t)n) != n)
            return -ENOSPC;
    }
    return n < 0 ? -errno : 0;
}

/* The copy's descriptor, or a negative errno. -ENOSYS: there can be no copy here. */
static int copy_file(const char *file, struct unik_text *why)
{
    int from = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), to, e;
    struct stat st;

    if (from < 0 || fstat(from, &st) < 0 || !S_ISREG(st.st_mode)) {
        unik_text_add(why, "%s: %s", file, from < 0 ? strerror(errno) : "not a file");
        if (from >= 0)
            close(from);
        return -EINVAL;
    }
    to = memfd_create("unik-plugin", MFD_CLOEXEC);
    e = to < 0 ? -ENOSYS : copy_bytes(from, to);
    close(from);
    if (e == 0)
        return to;
    if (to >= 0) {
        unik_text_add(why, "%s: %s", file, strerror(-e));
        close(to);
        return -EINVAL;
    }
    return e;
}

int object_take(struct object *o, const char *file, struct unik_text *why)
{
    struct stat st;
    void *bytes;
    int e;

    *o = (struct object){ .fd = copy_file(file, why) };
    if (o->fd == -ENOSYS)
        o->fd = -1;
    if (o->fd < -1)
        return -EINVAL;
    if (o->fd < 0)
        return 0;
    if (fstat(o->fd, &st) < 0 || st.st_size == 0) {
        unik_text_add(why, "%s: empty", file);
        object_close(o);
        return -EINVAL;
    }
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, o->fd, 0);
    unik_text_add(why, "%s: ", file);
    e = bytes == MAP_FAILED ? -EINVAL : object_check(bytes, (size_t)st.st_size, why);
    if (bytes != MAP_FAILED)
        munmap(bytes, (size_t)st.st_size);
    if (e < 0)
        object_close(o);
    else
        unik_text_init(why, why->at, why->size);
    return e;
}

/* By our number, so that a debugger finds it, too. */
static const char *copy_name(const struct object *o)
{
    static char name[64];

    snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)getpid(), o->fd);
    return name;
}

int object_load(struct object *o, const char *file, struct unik_text *why)
{
    const char *copy = copy_name(o), *problem;

    o->handle = dlopen(o->fd < 0 || access(copy, R_OK) < 0 ? file : copy, RTLD_NOW | RTLD_LOCAL);
    if (o->handle)
        return 0;
    problem = dlerror();
    if (strncmp(problem, copy, strlen(copy)) == 0)
        unik_text_add(why, "%s%s", file, problem + strlen(copy));
    else
        unik_text_add(why, "%s", problem);
    object_close(o);
    return -EINVAL;
}

const void *object_symbol(const struct object *o, const char *name) { return dlsym(o->handle, name); }

void object_close(struct object *o)
{
    void *stays;

    if (o->handle)
        dlclose(o->handle);
    stays = o->handle && o->fd >= 0 ? dlopen(copy_name(o), RTLD_LAZY | RTLD_NOLOAD) : NULL;
    if (stays)
        dlclose(stays);                 /* some can't be unloaded: then its name, which the linker goes by, must not come again */
    else if (o->fd >= 0)
        close(o->fd);
    *o = (struct object){ .fd = -1 };
}

int object_try(void (*load)(void *arg), void *arg, const char *file, struct unik_text *why)
{
    int status = 0;
    pid_t pid = fork(), ended;

    if (pid == 0) {
        for (int i = 1; i < NSIG; i++)
            signal(i, SIG_DFL);
        alarm(TRY_SECONDS);
        load(arg);
        _exit(0);
    }
    if (pid < 0)
        return 0;                       /* no child now: it is loaded as it is */
    do
        ended = waitpid(pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended != pid || status == 0)
        return 0;
    if (!WIFSIGNALED(status))           /* the linker gave up, or a constructor */
        unik_text_add(why, "%s: damaged: loading it ends the program", file);
    else if (WTERMSIG(status) == SIGALRM)
        unik_text_add(why, "%s: damaged: loading it did not end within %d s", file, TRY_SECONDS);
    else
        unik_text_add(why, "%s: damaged: loading it ends in %s", file, strsignal(WTERMSIG(status)));
    return -EINVAL;
}
