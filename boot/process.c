/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/process.c - what a program asks about itself and its machine, and its ends. It is process 1, thread 1, root; there
 * is no other, and no signal is ever delivered. */
#include "boot/linux.h"

#define STACK_LIMIT (8ul << 20)
#define DEFAULT_IGNORED (1ul << SIGCHLD | 1ul << SIGCONT | 1ul << SIGURG | 1ul << SIGWINCH)

/* Says a thing once in the life of the domain. */
#define once(...) do { static bool said; if (!said) say(__VA_ARGS__); said = true; } while (0)

int64_t sys_zero(const uint64_t a[6]) { (void)a; return 0; }
int64_t sys_one(const uint64_t a[6]) { (void)a; return 1; }         /* getpid, gettid ... */
int64_t sys_no_such(const uint64_t a[6]) { (void)a; return -ENOSYS; }       /* libraries ask, and do without */
int64_t sys_no_child(const uint64_t a[6]) { (void)a; return -ECHILD; }
int64_t sys_no_sockets(const uint64_t a[6]) { (void)a; return -EAFNOSUPPORT; }
int64_t sys_not_allowed(const uint64_t a[6]) { (void)a; return -EPERM; }
int64_t sys_busy(const uint64_t a[6]) { (void)a; return -EBUSY; }   /* mount: what there is, is there */
int64_t sys_invalid(const uint64_t a[6]) { (void)a; return -EINVAL; }

int64_t sys_no_thread(const uint64_t a[6])
{
    (void)a;
    once("the program asks for another thread or process: there is one (ENOSYS, said once)");
    return -ENOSYS;
}

int64_t sys_no_exec(const uint64_t a[6])
{
    (void)a;
    once("the program asks for another program: there is one (ENOSYS, said once)");
    return -ENOSYS;
}

/* ---- the end ---- */

void program_gone(void)
{
    user_unmap(USER_START, USER_STACK_TOP - USER_START);
    fd_close_all();
}

int64_t sys_exit(const uint64_t a[6])
{
    program_gone();
    program_ended((int)(a[0] & 0xff));
}

int64_t sys_reboot(const uint64_t a[6])
{
    if ((uint32_t)a[0] != REBOOT_MAGIC1)
        return -EINVAL;
    switch ((uint32_t)a[2]) {
    case REBOOT_RESTART: program_gone(); power(POWER_REBOOT);
    case REBOOT_HALT:
    case REBOOT_POWER_OFF: program_gone(); power(POWER_OFF);
    case REBOOT_CAD_ON:
    case REBOOT_CAD_OFF: return 0;
    }
    return -EINVAL;
}

/* ---- signals: kept, and asked for by kill() to oneself only ---- */

static struct linux_sigaction actions[LINUX_NSIG + 1];
static uint64_t mask;
static struct linux_sigaltstack altstack = { .flags = SS_DISABLE };

int64_t sys_rt_sigaction(const uint64_t a[6])
{
    struct linux_sigaction new;

    if (a[3] != sizeof(uint64_t) || a[0] == 0 || a[0] > LINUX_NSIG)
        return -EINVAL;
    if (a[1] && user_in(&new, a[1], sizeof(new)) < 0)
        return -EFAULT;
    if (a[1] && (a[0] == SIGKILL || a[0] == SIGSTOP))
        return -EINVAL;
    if (a[2] && user_out(a[2], &actions[a[0]], sizeof(new)) < 0)
        return -EFAULT;
    if (a[1])
        actions[a[0]] = new;
    return 0;
}

int64_t sys_rt_sigprocmask(const uint64_t a[6])
{
    uint64_t set = 0, old = mask;

    if (a[3] != sizeof(mask))
        return -EINVAL;
    if (a[1] && user_in(&set, a[1], sizeof(set)) < 0)
        return -EFAULT;
    set &= ~(1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1));
    if (a[1])
        switch ((uint32_t)a[0]) {
        case SIG_BLOCK: mask |= set; break;
        case SIG_UNBLOCK: mask &= ~set; break;
        case SIG_SETMASK: mask = set; break;
        default: return -EINVAL;
        }
    return a[2] && user_out(a[2], &old, sizeof(old)) < 0 ? -EFAULT : 0;
}

int64_t sys_rt_sigpending(const uint64_t a[6])
{
    const uint64_t none = 0;

    return a[1] > sizeof(none) ? -EINVAL : user_out(a[0], &none, a[1]);
}

int64_t sys_sigaltstack(const uint64_t a[6])
{
    struct linux_sigaltstack new;

    if (a[0] && user_in(&new, a[0], sizeof(new)) < 0)
        return -EFAULT;
    if (a[1] && user_out(a[1], &altstack, sizeof(altstack)) < 0)
        return -EFAULT;
    if (!a[0])
        return 0;
    if (new.flags & ~SS_DISABLE)
        return -EINVAL;
    if (!(new.flags & SS_DISABLE) && new.size < 2048)
        return -ENOMEM;
    altstack = new.flags & SS_DISABLE ? (struct linux_sigaltstack){ .flags = SS_DISABLE } : new;
    return 0;
}

/* The program to itself: what would be ignored is; what would end it does; a handler is never called. */
static int64_t raise(uint64_t number)
{
    if (number > LINUX_NSIG)
        return -EINVAL;
    if (number == 0 || actions[number].handler == 1 /* SIG_IGN */ ||
        (actions[number].handler == 0 && number < 32 && DEFAULT_IGNORED >> number & 1))
        return 0;
    if (actions[number].handler == 0 /* SIG_DFL */) {
        if (number == SIGABRT)
            program_crashed(system_call_frame, "the program gave up: abort()");
        program_crashed(system_call_frame, "the program sent itself signal %u", (unsigned)number);
    }
    once("the program sends itself signal %u, for which it has a handler: signals are not delivered (said once)", (unsigned)number);
    return -ENOSYS;
}

int64_t sys_kill(const uint64_t a[6])
{
    int32_t pid = (int32_t)a[0];

    return pid == 1 || pid == 0 ? raise((uint32_t)a[1]) : -ESRCH;
}

int64_t sys_tkill(const uint64_t a[6]) { return (int32_t)a[0] == 1 ? raise((uint32_t)a[1]) : -ESRCH; }
int64_t sys_tgkill(const uint64_t a[6]) { return (int32_t)a[0] == 1 && (int32_t)a[1] == 1 ? raise((uint32_t)a[2]) : -ESRCH; }

int64_t sys_rt_sigtimedwait(const uint64_t a[6])
{
    uint64_t ns = NEVER, deadline;
    int e = a[2] ? time_in(a[2], &ns) : 0;

    if (e < 0)
        return e;
    deadline = deadline_after(ns);
    while (linux_wait(deadline))
        ;
    return -EAGAIN;
}

/* ---- limits, names, the machine ---- */

static struct linux_rlimit limits[RLIM_NLIMITS];
static char thread_name[16] = "init";

void process_init(void)
{
    for (unsigned i = 0; i < RLIM_NLIMITS; i++)
        limits[i] = (struct linux_rlimit){ UINT64_MAX, UINT64_MAX };
    limits[RLIMIT_STACK].cur = STACK_LIMIT;
    limits[RLIMIT_CORE].cur = 0;
    limits[RLIMIT_NPROC] = (struct linux_rlimit){ 1, 1 };
    limits[RLIMIT_NOFILE] = (struct linux_rlimit){ FD_MAX, FD_MAX };
}

static int64_t limit(uint64_t which, uint64_t new_from, uint64_t old_to)
{
    struct linux_rlimit new, old;

    if (which >= RLIM_NLIMITS)
        return -EINVAL;
    old = limits[which];
    if (new_from) {
        if (user_in(&new, new_from, sizeof(new)) < 0)
            return -EFAULT;
        if (new.cur > new.max)
            return -EINVAL;
        if (which == RLIMIT_NOFILE && new.max > FD_MAX)
            return -EPERM;
        limits[which] = new;
        fd_limit = limits[RLIMIT_NOFILE].cur;
    }
    return old_to && user_out(old_to, &old, sizeof(old)) < 0 ? -EFAULT : 0;
}

int64_t sys_prlimit64(const uint64_t a[6])
{
    return (int32_t)a[0] == 0 || (int32_t)a[0] == 1 ? limit((uint32_t)a[1], a[2], a[3]) : -ESRCH;
}

int64_t sys_getrlimit(const uint64_t a[6]) { return a[1] ? limit((uint32_t)a[0], 0, a[1]) : -EFAULT; }
int64_t sys_setrlimit(const uint64_t a[6]) { return a[1] ? limit((uint32_t)a[0], a[1], 0) : -EFAULT; }

/* Release: libraries read it as a version, and what is here is what Linux 6.1 has of it. */
int64_t sys_uname(const uint64_t a[6])
{
    static const struct linux_utsname name = {
        .sysname = "Linux", .nodename = "unik", .release = "6.1.0-unik", .version = "unik on Xen", .machine = "x86_64",
        .domainname = "(none)",
    };

    return user_out(a[0], &name, sizeof(name));
}

int64_t sys_sysinfo(const uint64_t a[6])
{
    struct linux_sysinfo s = { .uptime = (int64_t)(time_monotonic() / 1000000000), .totalram = pages_total() * PAGE,
                               .freeram = pages_left() * PAGE, .procs = 1, .mem_unit = 1 };

    return user_out(a[0], &s, sizeof(s));
}

int64_t sys_arch_prctl(const uint64_t a[6])
{
    uint64_t fs = user_fs();

    switch ((uint32_t)a[0]) {
    case ARCH_SET_FS: return user_set_fs(a[1]);
    case ARCH_GET_FS: return user_out(a[1], &fs, sizeof(fs));
    }
    return -EINVAL;
}

int64_t sys_prctl(const uint64_t a[6])
{
    char name[sizeof(thread_name)];
    int64_t n;

    switch ((uint32_t)a[0]) {
    case PR_SET_NAME:
        n = user_string(name, a[1], sizeof(name));
        if (n == -ENAMETOOLONG && user_in(name, a[1], sizeof(name) - 1) == 0)
            name[sizeof(name) - 1] = 0;
        else if (n < 0)
            return -EFAULT;
        memcpy(thread_name, name, sizeof(name));
        return 0;
    case PR_GET_NAME: return user_out(a[1], thread_name, sizeof(thread_name));
    case PR_SET_PDEATHSIG: return 0;
    }
    return -EINVAL;
}

/* ---- one processor, one thread ---- */

int64_t sys_sched_getaffinity(const uint64_t a[6])
{
    const uint64_t first = 1;

    if ((int32_t)a[0] > 1 || (int32_t)a[0] < 0)
        return -ESRCH;
    if ((uint32_t)a[1] < sizeof(first) || a[1] % sizeof(first))
        return -EINVAL;
    return user_out(a[2], &first, sizeof(first)) < 0 ? -EFAULT : (int64_t)sizeof(first);
}

int64_t sys_getcpu(const uint64_t a[6])
{
    const uint32_t first = 0;

    if ((a[0] && user_out(a[0], &first, sizeof(first)) < 0) || (a[1] && user_out(a[1], &first, sizeof(first)) < 0))
        return -EFAULT;
    return 0;
}

int64_t sys_sched_yield(const uint64_t a[6])
{
    (void)a;
    events_run();
    return 0;
}

/* Nobody else can wake the program: who waits without an end, waits for ever. */
int64_t sys_futex(const uint64_t a[6])
{
    uint32_t command = (uint32_t)a[1] & ~(uint32_t)(FUTEX_PRIVATE | FUTEX_REALTIME), value;
    uint64_t ns, now, deadline = NEVER;
    int e;

    if (command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET)
        return a[0] % 4 ? -EINVAL : 0;
    if (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET)
        return -ENOSYS;
    if (a[0] % 4)
        return -EINVAL;
    if (user_in(&value, a[0], sizeof(value)) < 0)
        return -EFAULT;
    if (value != (uint32_t)a[2])
        return -EAGAIN;
    if (a[3]) {
        e = time_in(a[3], &ns);
        if (e < 0)
            return e;
        now = (uint32_t)a[1] & FUTEX_REALTIME ? time_wall() : time_monotonic();
        deadline = command == FUTEX_WAIT ? deadline_after(ns) : deadline_after(ns > now ? ns - now : 0);
    } else {
        once("the program waits for a lock that it holds itself, for ever (said once)");
    }
    while (linux_wait(deadline))
        ;
    return -ETIMEDOUT;
}
