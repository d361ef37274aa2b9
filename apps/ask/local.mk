# SPDX-License-Identifier: BSD-2-Clause
# ask: asks the user, for other VMs.
if HAVE_DRAW
noinst_LTLIBRARIES += apps/ask/libask.la
apps_ask_libask_la_SOURCES = apps/ask/ask.c apps/ask/ask.h apps/ask/dialog.c apps/ask/layout.c apps/ask/question.c
STATIC_PLUGINS += apps/ask/libask.la

plugin_LTLIBRARIES += apps/ask.la
apps_ask_la_SOURCES =
apps_ask_la_LIBADD = apps/ask/libask.la apps/draw/libunik-draw.la $(EV_LIBS)
apps_ask_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-ask
check_PROGRAMS += tests/test-ask
tests_test_ask_SOURCES = tests/test-ask.c tests/common/fake-gui.c tests/common/fake-gui.h tests/common/fake-qrexec.h tests/www/mem-stream.c tests/www/mem-stream.h
tests_test_ask_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_ask_LDADD = apps/ask/libask.la apps/draw/libunik-draw.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
endif
endif
