/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/calls.h - the system calls of Linux on x86-64 that are answered: CALL(number, function), for whoever defines CALL.
 * Several may share a function. Anything else is said once and is -ENOSYS. */

CALL(0, sys_read)
CALL(1, sys_write)
CALL(3, sys_close)
CALL(8, sys_lseek)
CALL(16, sys_ioctl)
CALL(17, sys_pread64)
CALL(18, sys_pwrite64)
CALL(19, sys_readv)
CALL(20, sys_writev)
CALL(32, sys_dup)
CALL(33, sys_dup2)
CALL(72, sys_fcntl)
CALL(292, sys_dup3)
CALL(295, sys_preadv)
CALL(296, sys_pwritev)
CALL(436, sys_close_range)

/* Files and paths */
CALL(2, sys_open)
CALL(4, sys_stat)
CALL(5, sys_fstat)
CALL(6, sys_lstat)
CALL(21, sys_access)
CALL(79, sys_getcwd)
CALL(80, sys_chdir)
CALL(81, sys_fchdir)
CALL(85, sys_creat)
CALL(89, sys_readlink)
CALL(137, sys_statfs)
CALL(138, sys_fstatfs)
CALL(217, sys_getdents64)
CALL(257, sys_openat)
CALL(262, sys_newfstatat)
CALL(267, sys_readlinkat)
CALL(269, sys_faccessat)
CALL(437, sys_openat2)
CALL(439, sys_faccessat2)

/* What changes the tree, in /tmp */
CALL(76, sys_truncate)
CALL(77, sys_ftruncate)
CALL(82, sys_rename)
CALL(83, sys_mkdir)
CALL(84, sys_rmdir)
CALL(86, sys_link)
CALL(87, sys_unlink)
CALL(88, sys_symlink)
CALL(90, sys_chmod)
CALL(91, sys_fchmod)
CALL(92, sys_chown)
CALL(93, sys_fchown)
CALL(94, sys_lchown)
CALL(95, sys_umask)
CALL(132, sys_utime)
CALL(133, sys_mknod)
CALL(235, sys_utimes)
CALL(258, sys_mkdirat)
CALL(259, sys_mknodat)
CALL(260, sys_fchownat)
CALL(261, sys_futimesat)
CALL(263, sys_unlinkat)
CALL(264, sys_renameat)
CALL(265, sys_linkat)
CALL(266, sys_symlinkat)
CALL(268, sys_fchmodat)
CALL(280, sys_utimensat)
CALL(285, sys_fallocate)
CALL(316, sys_renameat2)
CALL(74, sys_sync_file)              /* fsync */
CALL(75, sys_sync_file)              /* fdatasync */
CALL(162, sys_zero)                  /* sync */

/* Waiting */
CALL(7, sys_poll)
CALL(23, sys_select)
CALL(22, sys_pipe)
CALL(213, sys_epoll_create)
CALL(232, sys_epoll_wait)
CALL(233, sys_epoll_ctl)
CALL(270, sys_pselect6)
CALL(271, sys_ppoll)
CALL(281, sys_epoll_wait)            /* epoll_pwait */
CALL(283, sys_timerfd_create)
CALL(284, sys_eventfd)
CALL(286, sys_timerfd_settime)
CALL(287, sys_timerfd_gettime)
CALL(290, sys_eventfd2)
CALL(291, sys_epoll_create1)
CALL(293, sys_pipe2)
CALL(441, sys_epoll_pwait2)

/* Memory */
CALL(9, sys_mmap)
CALL(10, sys_mprotect)
CALL(11, sys_munmap)
CALL(12, sys_brk)
CALL(25, sys_mremap)
CALL(28, sys_madvise)

/* Time */
CALL(35, sys_nanosleep)
CALL(96, sys_gettimeofday)
CALL(98, sys_getrusage)
CALL(100, sys_times)
CALL(164, sys_settimeofday)
CALL(201, sys_time)
CALL(227, sys_clock_settime)
CALL(228, sys_clock_gettime)
CALL(229, sys_clock_getres)
CALL(230, sys_clock_nanosleep)

/* The program */
CALL(13, sys_rt_sigaction)
CALL(14, sys_rt_sigprocmask)
CALL(34, sys_pause)
CALL(60, sys_exit)
CALL(62, sys_kill)
CALL(63, sys_uname)
CALL(97, sys_getrlimit)
CALL(99, sys_sysinfo)
CALL(127, sys_rt_sigpending)
CALL(128, sys_rt_sigtimedwait)
CALL(130, sys_pause)                 /* rt_sigsuspend */
CALL(131, sys_sigaltstack)
CALL(157, sys_prctl)
CALL(158, sys_arch_prctl)
CALL(160, sys_setrlimit)
CALL(169, sys_reboot)
CALL(200, sys_tkill)
CALL(202, sys_futex)
CALL(231, sys_exit)                  /* exit_group */
CALL(234, sys_tgkill)
CALL(302, sys_prlimit64)
CALL(318, sys_getrandom)
CALL(24, sys_sched_yield)
CALL(204, sys_sched_getaffinity)
CALL(309, sys_getcpu)
CALL(39, sys_one)                    /* getpid */
CALL(186, sys_one)                   /* gettid */
CALL(110, sys_zero)                  /* getppid */
CALL(111, sys_one)                   /* getpgrp */
CALL(121, sys_one)                   /* getpgid */
CALL(124, sys_one)                   /* getsid */
CALL(218, sys_one)                   /* set_tid_address */
CALL(102, sys_zero)                  /* getuid */
CALL(104, sys_zero)                  /* getgid */
CALL(105, sys_zero)                  /* setuid */
CALL(106, sys_zero)                  /* setgid */
CALL(107, sys_zero)                  /* geteuid */
CALL(108, sys_zero)                  /* getegid */
CALL(113, sys_zero)                  /* setreuid */
CALL(114, sys_zero)                  /* setregid */
CALL(115, sys_zero)                  /* getgroups */
CALL(116, sys_zero)                  /* setgroups */
CALL(117, sys_zero)                  /* setresuid */
CALL(119, sys_zero)                  /* setresgid */
CALL(203, sys_zero)                  /* sched_setaffinity */
CALL(273, sys_zero)                  /* set_robust_list */
CALL(135, sys_zero)                  /* personality */
CALL(140, sys_zero)                  /* getpriority */
CALL(141, sys_zero)                  /* setpriority */
CALL(142, sys_zero)                  /* sched_setparam */
CALL(144, sys_zero)                  /* sched_setscheduler */
CALL(145, sys_zero)                  /* sched_getscheduler */
CALL(149, sys_zero)                  /* mlock */
CALL(150, sys_zero)                  /* munlock */
CALL(151, sys_zero)                  /* mlockall */
CALL(152, sys_zero)                  /* munlockall */
CALL(324, sys_zero)                  /* membarrier */
CALL(109, sys_zero)                  /* setpgid */
CALL(112, sys_not_allowed)           /* setsid */

/* What there is not */
CALL(56, sys_no_thread)              /* clone */
CALL(57, sys_no_thread)              /* fork */
CALL(58, sys_no_thread)              /* vfork */
CALL(435, sys_no_thread)             /* clone3 */
CALL(59, sys_no_exec)                /* execve */
CALL(322, sys_no_exec)               /* execveat */
CALL(61, sys_no_child)               /* wait4 */
CALL(247, sys_no_child)              /* waitid */
CALL(165, sys_busy)                  /* mount */
CALL(166, sys_busy)                  /* umount2 */
CALL(41, sys_no_sockets)             /* socket */
CALL(53, sys_no_sockets)             /* socketpair */
CALL(40, sys_invalid)                /* sendfile */
CALL(326, sys_invalid)               /* copy_file_range */
CALL(334, sys_no_such)               /* rseq */
CALL(332, sys_no_such)               /* statx */
CALL(289, sys_no_such)               /* signalfd4 */
