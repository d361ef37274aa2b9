# SPDX-License-Identifier: BSD-2-Clause
# probe: services to measure and to test with.
noinst_LTLIBRARIES += apps/probe/libprobe.la
apps_probe_libprobe_la_SOURCES = apps/probe/probe.c apps/probe/probe.h apps/probe/net.c
STATIC_PLUGINS += apps/probe/libprobe.la

plugin_LTLIBRARIES += apps/probe.la
apps_probe_la_SOURCES =
apps_probe_la_LIBADD = apps/probe/libprobe.la
apps_probe_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-probe
check_PROGRAMS += tests/test-probe
tests_test_probe_SOURCES = tests/test-probe.c tests/www/mem-stream.c tests/www/mem-stream.h tests/common/run.h
tests_test_probe_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_probe_LDADD = apps/probe/libprobe.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
endif
