/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/lock.c - one dom0 for a state folder, and for a VM's sockets, at a time. The files stay: who removes a lock file
 * takes it from under the one who has just opened it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "tools/unik-dom0/lock.h"

static int open_lock(const char *dir, const char *name)
{
    int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, e;

    if (folder < 0)
        return -errno;
    fd = openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    e = fd < 0 ? -errno : 0;
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        e = errno == EWOULDBLOCK ? -EBUSY : -errno;
        close(fd);
    }
    close(folder);
    return e < 0 ? e : fd;
}

static int take(struct locks *l, const char *dir, const char *name, const char *what)
{
    int fd = open_lock(dir, name);

    if (fd < 0) {
        fprintf(stderr, "unik-dom0: %s: %s%s\n", dir, what, fd == -EBUSY ? "in use by another one" : strerror(-fd));
        return -1;
    }
    l->fds[l->n++] = fd;
    return 0;
}

int lock_state(struct locks *l, const char *dir) { return take(l, dir, "lock", ""); }

int lock_sockets(struct locks *l, const char *dir, int self, int domid)
{
    char name[64], what[64];

    snprintf(name, sizeof(name), ".dom0.%d.%d.lock", self, domid);
    snprintf(what, sizeof(what), "the sockets of domain %d: ", domid);
    return take(l, dir, name, what);
}

void locks_release(struct locks *l)
{
    while (l->n > 0)
        close(l->fds[--l->n]);
}
