/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/abi.h - what a program for Linux on x86-64 may count on: numbers, flags and structures of its system calls.
 *
 * Ours, from the manuals (man 2, man 7) and the x86-64 psABI, so that boot/ needs no kernel headers;
 * tests/boot/test-abi.c holds every line against the system's own. Only what boot/ uses is here.
 */
#ifndef BOOT_ABI_H
#define BOOT_ABI_H

#include <stdint.h>

/* ---- files ---- */
enum {
    O_ACCMODE = 3, O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0100, O_EXCL = 0200, O_NOCTTY = 0400, O_TRUNC = 01000,
    O_APPEND = 02000, O_NONBLOCK = 04000, O_LARGEFILE = 0100000, O_DIRECTORY = 0200000, O_NOFOLLOW = 0400000,
    O_CLOEXEC = 02000000, O_PATH = 010000000, O_TMPFILE = 020200000
};
enum { AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_EACCESS = 0x200, AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000 };
enum { AT_REMOVEDIR = 0x200, RENAME_NOREPLACE = 1, UTIME_NOW = 0x3fffffff, UTIME_OMIT = 0x3ffffffe };
enum { S_IFMT = 0170000, S_IFIFO = 010000, S_IFCHR = 020000, S_IFDIR = 040000, S_IFREG = 0100000, S_IFLNK = 0120000 };
enum { R_OK = 4, W_OK = 2, X_OK = 1 };
enum { SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2 };
enum { F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_DUPFD_CLOEXEC = 1030, FD_CLOEXEC = 1 };
enum { CLOSE_RANGE_CLOEXEC = 4 };
enum { RESOLVE_NO_XDEV = 1, RESOLVE_NO_MAGICLINKS = 2, RESOLVE_NO_SYMLINKS = 4, RESOLVE_BENEATH = 8, RESOLVE_IN_ROOT = 16 };
enum { DT_FIFO = 1, DT_CHR = 2, DT_DIR = 4, DT_REG = 8, DT_LNK = 10 };
#define LINUX_PATH_MAX 4096         /* with the NUL */
#define LINUX_IOV_MAX 1024
#define LINUX_RW_MAX 0x7ffff000ul   /* most bytes that one read or write moves */

struct linux_stat {
    uint64_t dev, ino, nlink;
    uint32_t mode, uid, gid, pad0;
    uint64_t rdev;
    int64_t size, blksize, blocks;
    int64_t atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
    int64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat of x86-64");

struct linux_dirent { /* getdents64; the name follows, with its NUL, and is padded to 8 bytes */
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
} __attribute__((packed));

struct linux_iovec { uint64_t base, len; };
struct linux_open_how { uint64_t flags, mode, resolve; };
struct linux_statfs { int64_t type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, flags, spare[4]; };

/* ---- waiting ---- */
enum { POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 16, POLLNVAL = 32, POLLRDNORM = 64, POLLWRNORM = 256,
       POLLRDHUP = 0x2000 };
struct linux_pollfd { int32_t fd; int16_t events, revents; };

enum { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3 };
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
struct linux_epoll_event { uint32_t events; uint64_t data; } __attribute__((packed));
_Static_assert(sizeof(struct linux_epoll_event) == 12, "packed on x86-64");

enum { EFD_SEMAPHORE = 1 };
enum { TFD_TIMER_ABSTIME = 1, TFD_TIMER_CANCEL_ON_SET = 2 };
enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS_CPUTIME_ID = 2, CLOCK_THREAD_CPUTIME_ID = 3,
       CLOCK_MONOTONIC_RAW = 4, CLOCK_REALTIME_COARSE = 5, CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7 };
enum { TIMER_ABSTIME = 1 };
struct linux_timespec { int64_t sec, ns; };
struct linux_timeval { int64_t sec, us; };
struct linux_itimerspec { struct linux_timespec interval, value; };

/* ---- memory ---- */
enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3, MAP_TYPE = 15, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20,
       MAP_NORESERVE = 0x4000, MAP_POPULATE = 0x8000, MAP_STACK = 0x20000, MAP_FIXED_NOREPLACE = 0x100000 };
enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2 };
enum { MADV_NORMAL = 0, MADV_RANDOM = 1, MADV_SEQUENTIAL = 2, MADV_WILLNEED = 3, MADV_DONTNEED = 4, MADV_FREE = 8 };

/* ---- the program ---- */
enum { AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_BASE = 7, AT_FLAGS = 8, AT_ENTRY = 9, AT_UID = 11,
       AT_EUID = 12, AT_GID = 13, AT_EGID = 14, AT_PLATFORM = 15, AT_HWCAP = 16, AT_CLKTCK = 17, AT_SECURE = 23, AT_RANDOM = 25,
       AT_HWCAP2 = 26, AT_EXECFN = 31, AT_SYSINFO_EHDR = 33, AT_MINSIGSTKSZ = 51 };
enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS = 0x1002, ARCH_GET_FS = 0x1003, ARCH_GET_GS = 0x1004 };
enum { SIGHUP = 1, SIGABRT = 6, SIGKILL = 9, SIGSEGV = 11, SIGPIPE = 13, SIGTERM = 15, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19,
       SIGURG = 23, SIGWINCH = 28, LINUX_NSIG = 64 };
enum { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2 };
enum { SS_DISABLE = 2 };
struct linux_sigaction { uint64_t handler, flags, restorer, mask; };
struct linux_sigaltstack { uint64_t sp; int32_t flags, pad; uint64_t size; };
struct linux_utsname { char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65]; };
enum { RLIMIT_STACK = 3, RLIMIT_CORE = 4, RLIMIT_NPROC = 6, RLIMIT_NOFILE = 7, RLIMIT_MEMLOCK = 8, RLIM_NLIMITS = 16 };
struct linux_rlimit { uint64_t cur, max; };
enum { RUSAGE_SELF = 0, RUSAGE_CHILDREN = -1, RUSAGE_THREAD = 1 };
struct linux_rusage { struct linux_timeval utime, stime; int64_t rest[14]; };
struct linux_tms { int64_t utime, stime, cutime, cstime; };
struct linux_sysinfo {
    int64_t uptime;
    uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs, pad;
    uint64_t totalhigh, freehigh;
    uint32_t mem_unit;
};
enum { GRND_NONBLOCK = 1, GRND_RANDOM = 2, GRND_INSECURE = 4 };
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10, FUTEX_PRIVATE = 128, FUTEX_REALTIME = 256 };
#define REBOOT_MAGIC1 0xfee1deadu
#define REBOOT_RESTART 0x01234567u
#define REBOOT_HALT 0xcdef0123u
#define REBOOT_POWER_OFF 0x4321fedcu
#define REBOOT_CAD_ON 0x89abcdefu
#define REBOOT_CAD_OFF 0u
enum { PR_SET_PDEATHSIG = 1, PR_SET_NAME = 15, PR_GET_NAME = 16 };

/* ---- ioctl ---- */
enum { TCGETS = 0x5401, TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404, TCSBRK = 0x5409, TIOCGPGRP = 0x540f, TIOCGWINSZ = 0x5413,
       FIONREAD = 0x541b, FIONBIO = 0x5421, FIONCLEX = 0x5450, FIOCLEX = 0x5451, RNDGETENTCNT = (int)0x80045200,
       RNDADDENTROPY = 0x40085203 };
struct linux_termios { uint32_t iflag, oflag, cflag, lflag; uint8_t line, cc[19]; };
struct linux_winsize { uint16_t rows, columns, x, y; };

#endif
