# SPDX-License-Identifier: BSD-2-Clause
# tap: nic/1 over a TUN/TAP descriptor of Linux.
noinst_LTLIBRARIES += plugins/tap/libtap.la
plugins_tap_libtap_la_SOURCES = plugins/tap/tap.c plugins/tap/tap.h plugins/tap/frames.c plugins/tap/open.c
STATIC_PLUGINS += plugins/tap/libtap.la

plugin_LTLIBRARIES += plugins/tap.la
plugins_tap_la_SOURCES =
plugins_tap_la_LIBADD = plugins/tap/libtap.la $(EV_LIBS)
plugins_tap_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-tap
check_PROGRAMS += tests/test-tap
tests_test_tap_SOURCES = tests/test-tap.c tests/common/own-net.h tests/common/run.h
tests_test_tap_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_tap_LDADD = plugins/tap/libtap.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
endif
