/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/process.c - what a process inherits from whoever started it, and this one does not rely on. */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/init.h"
#include "supervisor/process.h"

#define FILE_MODE 022

static unsigned long before;           /* process_files(), until raise_limit(); 0: that was never called */

static const int handled[] = { SIGHUP, SIGUSR1, INIT_SIGREBOOT, SIGTERM, SIGINT, 0 };

/* Else the next socket would be number 2, and the log would go to whoever is behind it. Without /dev/null: a descriptor that can
 * neither be read nor written. */
static void open_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            (void)!open("/", O_PATH | O_DIRECTORY);
}

/* Handlers do not live through exec, but what is ignored stays ignored, and what is blocked, blocked: with SIGCHLD ignored no
 * process of ours would ever end. Those of job control stay as the shell wants them. */
static void reset_signals(void)
{
    struct sigaction a;
    sigset_t wait;

    for (int i = 1; i < NSIG; i++)
        if (i != SIGTSTP && i != SIGTTIN && i != SIGTTOU && sigaction(i, NULL, &a) == 0 && a.sa_handler == SIG_IGN)
            signal(i, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);           /* a log file that has reached its limit */
    sigemptyset(&wait);
    for (const int *s = handled; *s; s++)
        if (getpid() == 1 || (*s != SIGTERM && *s != SIGINT))   /* those may end us while nothing runs yet */
            sigaddset(&wait, *s);
    sigprocmask(SIG_SETMASK, &wait, NULL);
}

/* The soft limit, often 1,024, is for programs that use select(). */
static void raise_limit(void)
{
    struct rlimit r;

    before = process_files();
    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur == r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

void process_begin(void)
{
    open_descriptors();
    reset_signals();
    umask(FILE_MODE);
    raise_limit();
}

void process_ready(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

unsigned long process_files(void)
{
    struct rlimit r;

    return getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur == RLIM_INFINITY ? ~0ul : (unsigned long)r.rlim_cur;
}

unsigned long process_files_before(void) { return before ? before : process_files(); }
