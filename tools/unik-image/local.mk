# SPDX-License-Identifier: BSD-2-Clause
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

noinst_PROGRAMS += tools/unik-image/unik-pack
tools_unik_image_unik_pack_SOURCES = tools/unik-image/pack.c
tools_unik_image_unik_pack_LDADD = tools/unik-image/libpack.la

# The folder that unik-image works from: the supervisor and every plugin as archives, the kernel, and its own programs. Made by
# make, image-parts/ in the build tree; installed as a whole, so that it serves an app from outside of this tree.
partsdir = $(pkglibdir)/image
UNIK_KERNEL =
if HAVE_XEN
UNIK_KERNEL += boot/unik-kernel
endif
IMAGE_PART_FILES = $(UNIK_KERNEL) $(UNIK_KEYBOARD) tools/unik-image/unik-pack $(srcdir)/scripts/static-table
IMAGE_PART_LIBS = supervisor/libmain.la protocol/libprotocol.la $(EV_LIBS) $(STATIC_PLUGINS)
image-parts/stamp: $(IMAGE_PART_FILES) $(filter %.la,$(IMAGE_PART_LIBS)) $(srcdir)/scripts/static-parts
	$(AM_V_GEN)$(srcdir)/scripts/static-parts image-parts $(IMAGE_PART_FILES) -- $(IMAGE_PART_LIBS) && touch $@
all-local: image-parts/stamp
install-exec-local: image-parts/stamp
	$(MKDIR_P) $(DESTDIR)$(partsdir)
	cd image-parts && for f in *; do case $$f in stamp) ;; unik-pack|unik-keyboard|static-table) $(INSTALL_SCRIPT) $$f $(DESTDIR)$(partsdir)/$$f ;; \
		*) $(INSTALL_DATA) $$f $(DESTDIR)$(partsdir)/$$f ;; esac || exit 1; done
uninstall-local:
	rm -rf $(DESTDIR)$(partsdir)
clean-local:
	rm -rf image-parts

bin_SCRIPTS += tools/unik-image/unik-image
CLEANFILES += tools/unik-image/unik-image
EXTRA_DIST += tools/unik-image/unik-image.in
tools/unik-image/unik-image: $(srcdir)/tools/unik-image/unik-image.in Makefile
	$(AM_V_GEN)$(MKDIR_P) tools/unik-image && sed -e 's|@partsdir@|$(partsdir)|g; s|@version@|$(PACKAGE_VERSION)|g' \
		$(srcdir)/tools/unik-image/unik-image.in >$@.new && chmod +x $@.new && mv $@.new $@

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

TESTS += tests/test-unik-image.sh
dist_noinst_SCRIPTS += tests/test-unik-image.sh
