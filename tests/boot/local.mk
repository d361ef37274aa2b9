# SPDX-License-Identifier: BSD-2-Clause
# The half of boot/ that is plain C, against a machine that is played (machine.c): files, waiting, random numbers.
BOOT_PLAIN = boot/pool.c boot/cpio.c boot/fd.c boot/files.c boot/paths.c boot/change.c boot/tmp.c boot/wait.c boot/pipe.c boot/eventfd.c boot/timerfd.c \
	boot/epoll.c boot/poll.c boot/random.c boot/chacha20.c boot/blake2s.c boot/dev-misc.c boot/clocks.c boot/elf.c
if HAVE_XEN
check_LTLIBRARIES += tests/boot/libplain.la
tests_boot_libplain_la_SOURCES = $(BOOT_PLAIN) tests/boot/machine.c tests/boot/ends.c tests/boot/machine.h

FUZZ_TARGETS += tests/fuzz/fuzz-cpio tests/fuzz/fuzz-elf
tests_fuzz_fuzz_cpio_SOURCES = tests/fuzz/fuzz-cpio.c
tests_fuzz_fuzz_cpio_LDADD = tests/boot/libplain.la $(FUZZ_MAIN)
tests_fuzz_fuzz_cpio_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_elf_SOURCES = tests/fuzz/fuzz-elf.c boot/tree.c
tests_fuzz_fuzz_elf_LDADD = tests/boot/libplain.la $(FUZZ_MAIN)
tests_fuzz_fuzz_elf_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-boot-trap tests/test-boot-elf tests/test-boot-tmp tests/test-boot-files tests/test-boot-waiting tests/test-boot-random tests/test-boot-seeding tests/test-boot-clock tests/test-boot-abi
check_PROGRAMS += tests/test-boot-trap tests/test-boot-elf tests/test-boot-tmp tests/test-boot-files tests/test-boot-waiting tests/test-boot-random tests/test-boot-seeding tests/test-boot-clock tests/test-boot-abi
tests_test_boot_files_SOURCES = tests/boot/test-files.c boot/tree.c
tests_test_boot_files_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_boot_files_LDADD = tests/boot/libplain.la $(CHECK_LIBS)
tests_test_boot_tmp_SOURCES = tests/boot/test-tmp.c boot/tree.c
tests_test_boot_tmp_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_boot_tmp_LDADD = tests/boot/libplain.la $(CHECK_LIBS)
tests_test_boot_elf_SOURCES = tests/boot/test-elf.c boot/tree.c
tests_test_boot_elf_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_boot_elf_LDADD = tests/boot/libplain.la $(CHECK_LIBS)
tests_test_boot_waiting_SOURCES = tests/boot/test-waiting.c boot/tree.c
tests_test_boot_waiting_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_boot_waiting_LDADD = tests/boot/libplain.la $(CHECK_LIBS)
tests_test_boot_random_SOURCES = tests/boot/test-random.c boot/tree.c
tests_test_boot_random_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_boot_random_LDADD = tests/boot/libplain.la $(CHECK_LIBS)
tests_test_boot_seeding_SOURCES = tests/boot/test-seeding.c boot/tree.c
tests_test_boot_seeding_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_boot_seeding_LDADD = tests/boot/libplain.la $(CHECK_LIBS)
tests_test_boot_clock_SOURCES = tests/boot/test-clock.c
tests_test_boot_clock_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -D__XEN_INTERFACE_VERSION__=0x00040e00
tests_test_boot_clock_LDADD = $(CHECK_LIBS)
tests_test_boot_trap_SOURCES = tests/boot/test-trap.c
tests_test_boot_trap_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) -D__XEN_INTERFACE_VERSION__=0x00040e00
tests_test_boot_trap_LDADD = $(CHECK_LIBS)
tests_test_boot_abi_SOURCES = tests/boot/test-abi.c tests/boot/abi-system.c tests/boot/abi.h
tests_test_boot_abi_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_boot_abi_LDADD = $(CHECK_LIBS)
endif
endif
