# SPDX-License-Identifier: BSD-2-Clause
# netfront: nic/1 over a virtual network interface of Xen.
if HAVE_XEN
NETFRONT_LIBS = -lxengnttab -lxenevtchn -lxentoollog -lxentoolcore
noinst_LTLIBRARIES += plugins/netfront/libnetfront.la
plugins_netfront_libnetfront_la_SOURCES = \
	plugins/netfront/card.c \
	plugins/netfront/counters.h \
	plugins/netfront/fetch.c \
	plugins/netfront/front.h \
	plugins/netfront/link.c \
	plugins/netfront/machine.c plugins/netfront/machine.h \
	plugins/netfront/offer.c \
	plugins/netfront/plugin.c \
	plugins/netfront/ring.h \
	plugins/netfront/rx.c plugins/netfront/rx.h \
	plugins/netfront/search.c \
	plugins/netfront/sum.c plugins/netfront/sum.h \
	plugins/netfront/tx.c plugins/netfront/tx.h \
	plugins/netfront/vif.c
STATIC_PLUGINS += plugins/netfront/libnetfront.la $(NETFRONT_LIBS)

plugin_LTLIBRARIES += plugins/netfront.la
plugins_netfront_la_SOURCES =
plugins_netfront_la_LIBADD = plugins/netfront/libnetfront.la protocol/libprotocol.la $(NETFRONT_LIBS)
plugins_netfront_la_LDFLAGS = $(PLUGIN_LDFLAGS)
endif

# The program's own functions take the place of Xen's libraries.
if HAVE_XEN
if HAVE_CHECK
TESTS += tests/test-netfront
check_PROGRAMS += tests/test-netfront
tests_test_netfront_SOURCES = tests/test-netfront.c tests/netfront/suite.h tests/netfront/back.c tests/netfront/back.h \
	tests/netfront/states.c tests/netfront/frames.c tests/netfront/lies.c tests/vchan/fake-xen.c tests/vchan/fake-xen.h
tests_test_netfront_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_netfront_LDADD = plugins/netfront/libnetfront.la $(STORE_LIBS) $(NETFRONT_LIBS)
endif
endif

# The rings alone: no library of Xen's is called.
if HAVE_XEN
FUZZ_TARGETS += tests/fuzz/fuzz-netfront
tests_fuzz_fuzz_netfront_SOURCES = tests/fuzz/fuzz-netfront.c tests/fuzz/must.h
tests_fuzz_fuzz_netfront_LDADD = plugins/netfront/libnetfront.la protocol/libprotocol.la $(NETFRONT_LIBS) $(EV_LIBS) $(FUZZ_MAIN)
tests_fuzz_fuzz_netfront_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif
