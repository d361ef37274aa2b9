/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program asks about itself: names, signals, limits, one processor; calls that there are not. */
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "probe.h"

static void about(void)
{
    struct utsname u;
    struct rlimit r;
    struct sysinfo s;
    char name[16] = "";
    unsigned char random[64] = { 0 };

    P("uname", uname(&u));
    probe_text("system", "%s %s", u.sysname, u.machine);
    probe_is("release is a version", u.release[0] >= '3' && u.release[0] <= '9' && strchr(u.release, '.'));
    P("uname bad pointer", syscall(SYS_uname, bad_near));
    probe_text("ids", "%u %u %u %u", getuid(), geteuid(), getgid(), getegid());
    probe_is("pid is tid", getpid() == syscall(SYS_gettid));
    P("prctl name", prctl(PR_SET_NAME, "a name that is too long"));
    P("prctl name", prctl(PR_GET_NAME, name));
    probe_text("name", "%s", name);
    P("stack limit", getrlimit(RLIMIT_STACK, &r));
    probe_is("8 MiB", r.rlim_cur == 8ul << 20);
    P("sysinfo", sysinfo(&s));
    probe_is("memory", s.totalram > 0 && s.freeram <= s.totalram && s.procs > 0);
    P("getrandom", getrandom(random, 64, 0));
    probe_is("random", memcmp(random, random + 32, 32) != 0);
    P("getrandom flags", getrandom(random, 64, 77));
    P("getrandom bad pointer", syscall(SYS_getrandom, bad_near, 8, 0));
    probe_text("auxv", "%lu %lu %d %d %s", getauxval(AT_PAGESZ), getauxval(AT_SECURE), getauxval(AT_RANDOM) != 0,
               getauxval(AT_PHDR) != 0, (const char *)getauxval(AT_PLATFORM));
    probe_text("umask", "%o %o", (unsigned)syscall(SYS_umask, 077), (unsigned)syscall(SYS_umask, 022));
}

static void handler(int number) { (void)number; }

static void signals(void)
{
    struct sigaction s = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;
    sigset_t set, was;

    P("sigaction", sigaction(SIGUSR1, &s, NULL));
    P("sigaction old", sigaction(SIGUSR1, NULL, &old));
    probe_is("kept", old.sa_handler == handler && old.sa_flags & SA_RESTART);
    P("sigaction kill", syscall(SYS_rt_sigaction, SIGKILL, &s, NULL, 8));
    P("sigaction 65", syscall(SYS_rt_sigaction, 65, NULL, &old, 8));
    P("sigaction size", syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
    P("sigaction bad pointer", syscall(SYS_rt_sigaction, SIGUSR1, bad_near, NULL, 8));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGKILL);
    P("block", sigprocmask(SIG_BLOCK, &set, &was));
    P("mask", sigprocmask(SIG_BLOCK, NULL, &was));
    probe_text("blocked", "%d %d", sigismember(&was, SIGUSR2), sigismember(&was, SIGKILL));
    P("unblock", sigprocmask(SIG_UNBLOCK, &set, NULL));
    P("mask how", sigprocmask(77, &set, NULL));
    P("pending", sigpending(&was));
    signal(SIGUSR2, SIG_IGN);
    P("kill self, ignored", kill(getpid(), SIGUSR2));
    P("raise ignored", raise(SIGUSR2));
    P("kill 0", kill(getpid(), 0));
    P("child's signal", raise(SIGCHLD));
    P("kill nobody", kill(0x7ffffff, SIGTERM));
    P("kill wrong", kill(getpid(), 77));
    P("wait", wait(NULL));
    P("sigaltstack", sigaltstack(NULL, &(stack_t){ .ss_sp = NULL }));
    P("sigtimedwait", sigtimedwait(&set, NULL, &(struct timespec){ 0, 1000 }));
}

static void others(void)
{
    uint32_t word = 5;
    cpu_set_t cpus;
    unsigned cpu, node;

    P("sched_yield", sched_yield());
    probe_is("a processor", sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 0);
    P("getcpu", syscall(SYS_getcpu, &cpu, &node, NULL));
    P("futex wake", syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL));
    P("futex other value", syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 6, NULL));
    P("futex time-out", syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 5, &(struct timespec){ 0, 1000000 }));
    P("futex until", syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 5, &(struct timespec){ 1, 0 }, NULL, ~0u));
    P("futex unaligned", syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT_PRIVATE, 5, NULL));
    P("futex bad pointer", syscall(SYS_futex, 16, FUTEX_WAIT_PRIVATE, 5, NULL));
    P("number 499", syscall(499));
    P("number 500", syscall(500));
    P("number 4000000000", syscall(4000000000));
}

void probe_program(void)
{
    about();
    signals();
    others();
}
