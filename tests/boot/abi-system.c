/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of Linux's ABI as this machine's headers have them. */
#include <asm/prctl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/auxvec.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>

#include "tests/boot/abi.h"

const struct abi_number abi_of_system[] = {
#define X(name) { #name, (long)(int)(name) },
    NUMBERS
#undef X
    { "FUTEX_PRIVATE", FUTEX_PRIVATE_FLAG }, { "FUTEX_REALTIME", FUTEX_CLOCK_REALTIME },
    { "reboot", (int)LINUX_REBOOT_CMD_RESTART }, { "power off", (int)LINUX_REBOOT_CMD_POWER_OFF },
    { "halt", (int)LINUX_REBOOT_CMD_HALT }, { "reboot magic", (int)LINUX_REBOOT_MAGIC1 },
    { "stat", sizeof(struct stat) }, { "stat size", offsetof(struct stat, st_size) },
    { "stat mtime", offsetof(struct stat, st_mtime) }, { "stat rdev", offsetof(struct stat, st_rdev) },
    { "sysinfo unit", offsetof(struct sysinfo, mem_unit) }, { "sysinfo procs", offsetof(struct sysinfo, procs) },
    { "utsname", sizeof(struct utsname) }, { "rusage", sizeof(struct rusage) }, { "tms", sizeof(struct tms) }, { "epoll_event", sizeof(struct epoll_event) },
    { "dirent", offsetof(struct dirent64, d_name) }, { "open_how", sizeof(struct open_how) }, { "sigaltstack", sizeof(stack_t) },
    { "termios", 36 },          /* the kernel's, which no header of libc has */
    { "statfs", sizeof(struct statfs) }, { "statfs namelen", offsetof(struct statfs, f_namelen) },
    { "itimerspec", sizeof(struct itimerspec) }, { "pollfd", sizeof(struct pollfd) },
};
const unsigned abi_of_system_n = sizeof(abi_of_system) / sizeof(abi_of_system[0]);
