/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/fds.h - what must not be left open. */
#ifndef TESTS_COMMON_FDS_H
#define TESTS_COMMON_FDS_H

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* How many descriptors this process has. */
static inline int open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    struct dirent *e;
    int n = 0;

    if (!d)
        abort();
    while ((e = readdir(d)) != NULL)
        n += e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d);
    closedir(d);
    return n;
}

#endif
