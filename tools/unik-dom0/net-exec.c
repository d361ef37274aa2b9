/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/net-exec.c - a command of the user's in the VMs' network namespace, with their name servers. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/unik-dom0/command.h"
#include "tools/unik-dom0/net.h"

static int complain(const char *what)
{
    fprintf(stderr, "unik-dom0: net exec: %s: %s\n", what, strerror(errno));
    return 1;
}

static int open_namespace(int pid, const char *kind)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* A user namespace can only be entered from outside of it. */
static bool is_ours(int fd, const char *path)
{
    struct stat a, b;

    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* In a mount namespace of the command's own; where that is not allowed, names are asked of the machine's servers, in vain. */
static void names_of_vms(const char *state)
{
    char from[4096];

    if (snprintf(from, sizeof(from), "%s/resolv.conf", state) >= (int)sizeof(from) || unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 || mount(from, "/etc/resolv.conf", NULL, MS_BIND, NULL) < 0)
        errno = 0;
}

int net_exec(int pid, const char *state, char **argv)
{
    int user = open_namespace(pid, "user"), net = open_namespace(pid, "net");

    if (user < 0 || net < 0)
        return complain("the namespace");
    if (!is_ours(user, "/proc/self/ns/user") && setns(user, CLONE_NEWUSER) < 0)
        return complain("the user namespace");
    if (setns(net, CLONE_NEWNET) < 0)
        return complain("the network namespace");
    names_of_vms(state);
    execvp(argv[0], argv);
    complain(argv[0]);
    return errno == ENOENT ? 127 : 126;
}
