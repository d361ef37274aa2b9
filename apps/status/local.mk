# SPDX-License-Identifier: BSD-2-Clause
# status: a window with what unik.Status says.
if HAVE_DRAW
noinst_LTLIBRARIES += apps/status/libstatus.la
apps_status_libstatus_la_SOURCES = apps/status/status.c apps/status/view.c apps/status/view.h
STATIC_PLUGINS += apps/status/libstatus.la apps/draw/libunik-draw.la

plugin_LTLIBRARIES += apps/status.la
apps_status_la_SOURCES =
apps_status_la_LIBADD = apps/status/libstatus.la apps/draw/libunik-draw.la $(EV_LIBS)
apps_status_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-status
check_PROGRAMS += tests/test-status
tests_test_status_SOURCES = tests/test-status.c tests/common/fake-gui.c tests/common/fake-gui.h tests/common/fake-qrexec.h tests/www/mem-stream.c tests/www/mem-stream.h
tests_test_status_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_status_LDADD = apps/status/libstatus.la apps/draw/libunik-draw.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
endif
endif
