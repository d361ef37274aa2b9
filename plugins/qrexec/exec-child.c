/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec-child.c - start a process.
 *
 * Without a change of account by vfork(): the cost does not grow with our memory, and the result is known at once. With
 * one by fork(): memory must not be shared with a process that another account may already signal or trace.
 *
 * Between vfork() and exec the child runs in our memory, so it only makes plain system calls. Accounts, paths, argv and
 * environment are prepared before.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/qrexec/exec-parts.h"

#define FDS_WITHOUT_CLOSE_RANGE 4096    /* kernels before 5.11 */
#define FILE_MODE 022                   /* the umask of a service of the system */

static _Noreturn void give_up(int report, enum qrexec_spawn_step step)
{
    struct qrexec_spawn_problem p = { .step = (int)step, .error = errno };
    ssize_t n = write(report, &p, sizeof(p));

    (void)n;                            /* nobody left to tell */
    _exit(step == QREXEC_SPAWN_PROGRAM && p.error == ENOENT ? QREXEC_EXIT_NO_SERVICE : QREXEC_EXIT_PROBLEM);
}

/* Descriptors from 3 on do not outlive exec. Ours have close-on-exec already; libraries' may not. */
static void close_others(void)
{
#if defined(SYS_close_range) && defined(CLOSE_RANGE_CLOEXEC)
    if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
        return;
#endif
    for (int fd = 3; fd < FDS_WITHOUT_CLOSE_RANGE; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* 0, 1 and 2, whatever numbers the four descriptors have now. The new number of the report pipe, or -1. */
static int place_files(const struct qrexec_spawn *s, int report)
{
    int from[3] = { s->in, s->out, s->err };

    if (report < 3)
        report = fcntl(report, F_DUPFD_CLOEXEC, 3);
    for (int i = 0; i < 3; i++)
        if (from[i] < 3)
            from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
    for (int i = 0; i < 3; i++)
        if (dup2(from[i], i) < 0)
            return -1;
    return report;
}

/* Raw system calls: the C library's wrappers would first consult threads that this process does not have. */
static int become(const struct qrexec_account *a)
{
    if (syscall(SYS_setgroups, a->n_groups, a->groups) < 0 || syscall(SYS_setresgid, a->gid, a->gid, a->gid) < 0 ||
        syscall(SYS_setresuid, a->uid, a->uid, a->uid) < 0)
        return -1;
    return 0;
}

/* Signals are asked for and set directly, because libc keeps the two to itself that its posix_spawn() makes every child ignore. */
#define SIGNAL_SET ((size_t)(NSIG - 1) / 8)

struct kernel_sigaction { unsigned long handler, rest[7]; };    /* more than the kernel's: SIG_DFL, no flags, empty mask */

/* Which signals we ignore. Asked for once, for 64 calls take longer than all else that the loop waits for here but exec: the
 * supervisor's, from its start on; nobody else has any business to ignore one. */
static uint64_t ignored(void)
{
    static uint64_t set;
    static bool known;
    struct kernel_sigaction now;

    for (int i = 1; !known && i < NSIG; i++)
        if (syscall(SYS_rt_sigaction, i, NULL, &now, SIGNAL_SET) == 0 && now.handler == (unsigned long)SIG_IGN)
            set |= (uint64_t)1 << (i - 1);
    known = true;
    return set;
}

/* Handlers cannot live through exec, but what was ignored would stay ignored, and what was blocked, blocked. */
static void reset_signals(uint64_t set)
{
    static const struct kernel_sigaction fallback;
    sigset_t none;

    for (int i = 1; set; i++, set >>= 1)
        if (set & 1)
            syscall(SYS_rt_sigaction, i, &fallback, NULL, SIGNAL_SET);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Our process has raised its own limit, which is not what other programs are made for: select() knows 1,024. */
static void reset_limit(unsigned long files)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = files < r.rlim_max ? files : r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static __attribute__((noinline)) _Noreturn void child(const struct qrexec_spawn *s, int report, uint64_t signals)
{
    int placed = place_files(s, report);

    if (placed < 0)
        give_up(report, QREXEC_SPAWN_FILES);
    close_others();
    reset_limit(s->files);
    umask(FILE_MODE);
    setsid();
    if (s->become && become(s->become) < 0)
        give_up(placed, QREXEC_SPAWN_ACCOUNT);
    if (chdir(s->folder) < 0 && chdir("/") < 0)
        give_up(placed, QREXEC_SPAWN_FILES);
    reset_signals(signals);
    execve(s->path, s->argv, s->envp);
    give_up(placed, QREXEC_SPAWN_PROGRAM);
}

pid_t qrexec_spawn(const struct qrexec_spawn *s, int *started)
{
    uint64_t signals = ignored();
    sigset_t all, before;
    int report[2], e;
    pid_t pid;

    if (pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);    /* no handler of ours may run in the child */
    pid = s->become ? fork() : vfork();
    if (pid == 0)
        child(s, report[1], signals);
    e = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        return -e;
    }
    *started = report[0];
    return pid;
}

int qrexec_spawn_result(int started, struct qrexec_spawn_problem *p)
{
    ssize_t n = read(started, p, sizeof(*p));

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? -EAGAIN : 1;
    return n != (ssize_t)sizeof(*p);
}
