/* SPDX-License-Identifier: BSD-2-Clause */
/* line FILE TEXT SECONDS - wait until a line of FILE holds TEXT; print when that was, as /proc/uptime counts. Without the start of
 * a program for each look, which takes a while under emulation. Exit code 1: not in time. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STEP 2000       /* microseconds from look to look */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static char bytes[262144];
    double end;

    if (argc != 4)
        return 2;
    for (end = now() + atof(argv[3]); now() < end; usleep(STEP)) {
        int fd = open(argv[1], O_RDONLY);
        ssize_t n = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes) - 1);

        if (fd >= 0)
            close(fd);
        bytes[n > 0 ? n : 0] = 0;
        if (strstr(bytes, argv[2])) {
            printf("%.3f\n", now());
            return 0;
        }
    }
    return 1;
}
