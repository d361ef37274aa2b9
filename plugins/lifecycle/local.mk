# SPDX-License-Identifier: BSD-2-Clause
# lifecycle: dom0's wish to stop the VM.
noinst_LTLIBRARIES += plugins/lifecycle/liblifecycle.la
plugins_lifecycle_liblifecycle_la_SOURCES = plugins/lifecycle/lifecycle.h \
	plugins/lifecycle/lifecycle.c plugins/lifecycle/shutdown.c
STATIC_PLUGINS += plugins/lifecycle/liblifecycle.la

plugin_LTLIBRARIES += plugins/lifecycle.la
plugins_lifecycle_la_SOURCES =
plugins_lifecycle_la_LIBADD = plugins/lifecycle/liblifecycle.la $(EV_LIBS)
plugins_lifecycle_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-lifecycle
check_PROGRAMS += tests/test-lifecycle
tests_test_lifecycle_SOURCES = tests/test-lifecycle.c
tests_test_lifecycle_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_lifecycle_LDADD = plugins/lifecycle/liblifecycle.la $(STORE_LIBS)
endif
