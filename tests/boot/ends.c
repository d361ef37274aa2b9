/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a domain, in a process of its own: here and not in machine.c, as the system's headers and boot/abi.h disagree. */
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char last_said[512];
const char *ends_with(void (*f)(void));

const char *ends_with(void (*f)(void))
{
    static char said[sizeof(last_said)];
    int status, both[2];
    size_t n = 0;
    ssize_t k;
    pid_t child;

    if (pipe(both) < 0 || (child = fork()) < 0)
        return NULL;
    if (child == 0) {
        dup2(both[1], STDERR_FILENO);           /* where panic() says it */
        close(both[0]);
        close(both[1]);
        f();
        _exit(0);
    }
    close(both[1]);
    while (n < sizeof(said) - 1 && (k = read(both[0], said + n, sizeof(said) - 1 - n)) > 0)
        n += (size_t)k;
    close(both[0]);
    said[n] = 0;
    if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) || strncmp(said, "panic: ", 7) != 0)
        return NULL;
    said[strcspn(said, "\n")] = 0;
    return said + 7;
}
