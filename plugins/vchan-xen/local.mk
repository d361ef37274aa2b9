# SPDX-License-Identifier: BSD-2-Clause
# vchan-xen: vchan/1 over libxenvchan.
if HAVE_XEN
XEN_LIBS = -lxenvchan -lxenstore -lxengnttab -lxenevtchn -lxencall -lxentoollog -lxentoolcore
noinst_LTLIBRARIES += plugins/vchan-xen/libvchan-xen.la
plugins_vchan_xen_libvchan_xen_la_SOURCES = \
	plugins/vchan-xen/plugin.c plugins/vchan-xen/channel.h \
	plugins/vchan-xen/channel.c plugins/vchan-xen/client.c plugins/vchan-xen/entry.c plugins/vchan-xen/peers.c \
	plugins/vchan-xen/bring-up.c plugins/vchan-xen/pages.c plugins/vchan-xen/xen.c plugins/vchan-xen/xen.h \
	plugins/vchan-xen/logic.c plugins/vchan-xen/logic.h
STATIC_PLUGINS += plugins/vchan-xen/libvchan-xen.la $(XEN_LIBS)

plugin_LTLIBRARIES += plugins/vchan-xen.la
plugins_vchan_xen_la_SOURCES =
plugins_vchan_xen_la_LIBADD = plugins/vchan-xen/libvchan-xen.la $(XEN_LIBS)
plugins_vchan_xen_la_LDFLAGS = $(PLUGIN_LDFLAGS)
endif

# libxenvchan is the real one in these tests; the program's own functions take the place of the libraries below it.
if HAVE_XEN
if HAVE_CHECK
TESTS += tests/test-vchan-xen
check_PROGRAMS += tests/test-vchan-xen
tests_test_vchan_xen_SOURCES = tests/test-vchan-xen.c tests/vchan/suite.c tests/vchan/suite.h \
	tests/vchan/states.c tests/vchan/data.c tests/vchan/closing.c tests/vchan/pages.c tests/vchan/owner.c tests/vchan/on-xen.c \
	tests/vchan/logic.c tests/common/leaver.h \
	tests/vchan/fake-xen.c tests/vchan/fake-xen.h tests/vchan/fake-store.c tests/vchan/fake-store.h
tests_test_vchan_xen_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_vchan_xen_LDADD = plugins/vchan-xen/libvchan-xen.la tests/common/libxenstored.la tests/common/libpeer.la \
	plugins/xenstore/libxenstore.la protocol/libprotocol.la tools/host/libhost.la $(XEN_LIBS) $(CHECK_LIBS) $(EV_LIBS)
endif
endif
