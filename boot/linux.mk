# SPDX-License-Identifier: BSD-2-Clause
# The Linux half of the kernel: system calls, files, devices. boot/local.mk links it.
LINUX_SOURCES = boot/syscall.c boot/program.c boot/elf.c boot/process.c boot/clocks.c boot/mmap.c boot/fd.c boot/files.c \
	boot/paths.c boot/change.c boot/tree.c boot/tmp.c boot/cpio.c boot/pool.c boot/wait.c boot/pipe.c boot/eventfd.c boot/timerfd.c boot/epoll.c \
	boot/poll.c boot/random.c boot/seed.c boot/chacha20.c boot/blake2s.c boot/dev-misc.c boot/dev-xenbus.c boot/dev-evtchn.c \
	boot/dev-ranges.c boot/dev-gntalloc.c boot/dev-gntdev.c boot/dev-privcmd.c \
	boot/vdso/map.c boot/vdso/image.S boot/vdso/vdso.h \
	boot/linux.h boot/abi.h boot/calls.h boot/chacha20.h boot/dev-ranges.h boot/dev-xen.h
EXTRA_DIST += $(LINUX_SOURCES) boot/linux.mk boot/vdso/clock.c boot/vdso/vdso.ld
