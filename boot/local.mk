# SPDX-License-Identifier: BSD-2-Clause
# boot/: the Xen kernel, one ELF without a program; unik-image puts that behind it. Freestanding, with flags of its own:
# general registers only, so that a system call leaves the program's floating-point state alone; no red zone, since traps
# use the same stack; frame pointers, for crash reports.
KERNEL_CPPFLAGS = -I$(top_srcdir) -D__XEN_INTERFACE_VERSION__=0x00040e00
KERNEL_CFLAGS = -std=gnu11 -O2 $(WARNINGS) -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fcf-protection=none -fno-stack-protector -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
	$(CALLGRAPH_CFLAGS)
CLEANFILES += boot/*.ci
KERNEL_LDFLAGS = -nostdlib -static -Wl,-T,$(top_srcdir)/boot/kernel.ld -Wl,--build-id=none -Wl,-z,max-page-size=4096

# The machine: from the entry to the grant table.
MACHINE_SOURCES = boot/start.S boot/pv.c boot/pvh.c boot/memory.c boot/paging.c boot/user.c boot/trap.c boot/event.c boot/time.c \
	boot/console.c boot/grant.c boot/xenbus.c boot/xenbus-ring.c boot/crash.c boot/past.c boot/power.c boot/main.c boot/text.c boot/image.c \
	boot/errno.h boot/hypercall.h boot/image.h boot/kernel.h boot/machine.h boot/paging.h boot/xenbus.h boot/x86.h

include boot/linux.mk

dist_noinst_SCRIPTS += tests/test-boot-stack.sh
if HAVE_XEN
noinst_PROGRAMS += boot/unik-kernel
TESTS += tests/test-boot-stack.sh
endif
boot_unik_kernel_SOURCES = $(MACHINE_SOURCES) $(LINUX_SOURCES)
boot_unik_kernel_CPPFLAGS = $(KERNEL_CPPFLAGS)
boot_unik_kernel_CFLAGS = $(KERNEL_CFLAGS)
boot_unik_kernel_CCASFLAGS =
boot_unik_kernel_LDFLAGS = $(KERNEL_LDFLAGS)
boot_unik_kernel_LINK = $(CC) $(boot_unik_kernel_LDFLAGS) -o $@
boot_unik_kernel_DEPENDENCIES = $(srcdir)/boot/kernel.ld
EXTRA_DIST += boot/kernel.ld

# What the program reads clocks with: linked alone, as a shared library of one page, and then a constant of the kernel.
VDSO_CFLAGS = -std=gnu11 -O2 $(WARNINGS) -ffreestanding -fPIC -fvisibility=hidden -mgeneral-regs-only -fcf-protection=none \
	-fno-stack-protector -fno-asynchronous-unwind-tables
VDSO_LDFLAGS = -nostdlib -shared -Wl,-T,$(top_srcdir)/boot/vdso/vdso.ld -Wl,--hash-style=sysv -Wl,--build-id=none \
	-Wl,-soname,linux-vdso.so.1
boot/vdso/vdso.so: $(srcdir)/boot/vdso/clock.c $(srcdir)/boot/vdso/vdso.ld $(srcdir)/boot/vdso/vdso.h
	@mkdir -p boot/vdso
	$(AM_V_GEN)$(CC) $(KERNEL_CPPFLAGS) $(VDSO_CFLAGS) $(VDSO_LDFLAGS) -o $@ $(srcdir)/boot/vdso/clock.c
boot/vdso/unik_kernel-image.$(OBJEXT): boot/vdso/vdso.so
CLEANFILES += boot/vdso/vdso.so boot/vdso/*.ci

if HAVE_XEN
if HAVE_CHECK
TESTS += tests/test-boot-xenbus
check_PROGRAMS += tests/test-boot-xenbus
tests_test_boot_xenbus_SOURCES = tests/test-boot-xenbus.c
tests_test_boot_xenbus_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -D__XEN_INTERFACE_VERSION__=0x00040e00
tests_test_boot_xenbus_LDADD = $(CHECK_LIBS)
TESTS += tests/test-boot-user
check_PROGRAMS += tests/test-boot-user
tests_test_boot_user_SOURCES = tests/test-boot-user.c
tests_test_boot_user_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -D__XEN_INTERFACE_VERSION__=0x00040e00
tests_test_boot_user_LDADD = $(CHECK_LIBS)
endif
endif
