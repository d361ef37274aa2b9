# SPDX-License-Identifier: BSD-2-Clause
# xenstore: the asynchronous client of xenstored.
noinst_LTLIBRARIES += plugins/xenstore/libxenstore.la
plugins_xenstore_libxenstore_la_SOURCES = plugins/xenstore/client.h \
	plugins/xenstore/plugin.c plugins/xenstore/link.c plugins/xenstore/request.c \
	plugins/xenstore/transaction.c plugins/xenstore/watch.c
STATIC_PLUGINS += plugins/xenstore/libxenstore.la

plugin_LTLIBRARIES += plugins/xenstore.la
plugins_xenstore_la_SOURCES =
plugins_xenstore_la_LIBADD = plugins/xenstore/libxenstore.la protocol/libprotocol.la $(EV_LIBS)
plugins_xenstore_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# A scripted xenstored, and the plugin connected to it: for tests of whatever stands on xenstore/1.
if HAVE_CHECK
check_LTLIBRARIES += tests/common/libxenstored.la
tests_common_libxenstored_la_SOURCES = \
	tests/common/xenstored.c tests/common/xenstored.h tests/common/xenstored-private.h \
	tests/common/xenstored-answer.c tests/common/xenstored-tree.c tests/common/xenstored-tree.h \
	tests/common/store.c tests/common/store.h tests/common/leaver.h
tests_common_libxenstored_la_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
STORE_LIBS = tests/common/libxenstored.la plugins/xenstore/libxenstore.la protocol/libprotocol.la \
	tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)

XENSTORE_TESTS = tests/test-xenstore tests/test-xenstore-watch tests/test-xenstore-faults tests/test-xenstore-device
TESTS += $(XENSTORE_TESTS)
check_PROGRAMS += $(XENSTORE_TESTS)
tests_test_xenstore_SOURCES = tests/test-xenstore.c
tests_test_xenstore_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_xenstore_LDADD = $(STORE_LIBS)
tests_test_xenstore_watch_SOURCES = tests/test-xenstore-watch.c
tests_test_xenstore_watch_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_xenstore_watch_LDADD = $(STORE_LIBS)
tests_test_xenstore_faults_SOURCES = tests/test-xenstore-faults.c
tests_test_xenstore_faults_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_xenstore_faults_LDADD = $(STORE_LIBS)
tests_test_xenstore_device_SOURCES = tests/test-xenstore-device.c
tests_test_xenstore_device_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_xenstore_device_LDADD = $(STORE_LIBS)
endif

FUZZ_TARGETS += tests/fuzz/fuzz-xenstore-client
tests_fuzz_fuzz_xenstore_client_SOURCES = tests/fuzz/fuzz-xenstore-client.c
tests_fuzz_fuzz_xenstore_client_LDADD = plugins/xenstore/libxenstore.la protocol/libprotocol.la \
	tools/host/libhost.la $(EV_LIBS) $(FUZZ_MAIN)
tests_fuzz_fuzz_xenstore_client_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

# The plugin against a real xenstored, in dom0 or a guest: make tests/xen/xenstore-live, a static program.
EXTRA_PROGRAMS += tests/xen/xenstore-live
tests_xen_xenstore_live_SOURCES = tests/xen/xenstore-live.c
EXTRA_DIST += tests/xen/xenstore-dom0
tests_xen_xenstore_live_LDADD = plugins/lifecycle/liblifecycle.la plugins/xenstore/libxenstore.la \
	protocol/libprotocol.la tools/host/libhost.la $(EV_LIBS)
tests_xen_xenstore_live_LDFLAGS = $(AM_LDFLAGS) -all-static
