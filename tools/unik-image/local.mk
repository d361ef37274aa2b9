# unik-image: config + plugins + app + files -> one file that Xen boots. The script links the program, unik-pack does the rest.
noinst_LTLIBRARIES += tools/unik-image/libpack.la
tools_unik_image_libpack_la_SOURCES = \
	boot/image.c boot/image.h \
	tools/unik-image/bytes.c tools/unik-image/bytes.h \
	tools/unik-image/describe.c tools/unik-image/describe.h \
	tools/unik-image/elf.c tools/unik-image/elf.h \
	tools/unik-image/files.c tools/unik-image/files.h \
	tools/unik-image/names.c tools/unik-image/names.h \
	tools/unik-image/payload.c tools/unik-image/payload.h

pkglibexecdir = $(libexecdir)/unik
pkglibexec_PROGRAMS = tools/unik-image/unik-pack
tools_unik_image_unik_pack_SOURCES = tools/unik-image/pack.c
tools_unik_image_unik_pack_LDADD = tools/unik-image/libpack.la

FUZZ_TARGETS += tests/fuzz/fuzz-image
tests_fuzz_fuzz_image_SOURCES = tests/fuzz/fuzz-image.c
tests_fuzz_fuzz_image_LDADD = tools/unik-image/libpack.la $(FUZZ_MAIN)
tests_fuzz_fuzz_image_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-image
check_PROGRAMS += tests/test-image
tests_test_image_SOURCES = tests/test-image.c
tests_test_image_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_image_LDADD = tools/unik-image/libpack.la $(CHECK_LIBS)
endif
