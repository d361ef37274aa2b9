/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/open.c - open a file below the root and nowhere else.
 *
 * The path has no ".." (path.c), but links in the tree could lead out of it. The kernel resolves beneath the root where
 * it can; where it cannot, each part is opened by itself and a link is refused, whether it stays inside or not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "www.h"

/* A FIFO or a device must not hold us up before it is seen not to be a file. */
#define FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static int walk(struct www *w, const char *path)
{
    int at = w->root, next, e;
    char part[256];

    for (;;) {
        size_t n = strcspn(path, "/");
        bool last = !path[n];

        if (n == 0 || n >= sizeof(part)) {
            next = -1;
            errno = ENOENT;
        } else {
            memcpy(part, path, n);
            part[n] = 0;
            next = openat(at, part, FLAGS | O_NOFOLLOW | (last ? 0 : O_DIRECTORY));
        }
        e = errno;
        if (at != w->root)
            close(at);
        if (next < 0)
            return -e;
        if (last)
            return next;
        at = next;
        path += n + 1;
    }
}

int www_open(struct www *w, const char *path)
{
    struct open_how how = { .flags = FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

    if (!*path)
        path = ".";
    for (int tries = 0; !w->no_openat2 && tries < 3; tries++) {
        long fd = syscall(SYS_openat2, w->root, path, &how, sizeof(how));

        if (fd >= 0)
            return (int)fd;
        if (errno == ENOSYS || errno == E2BIG || errno == EINVAL)
            w->no_openat2 = true;
        else if (errno != EAGAIN)       /* EAGAIN: something was renamed meanwhile */
            return -errno;
    }
    return w->no_openat2 ? walk(w, path) : -EAGAIN;
}
