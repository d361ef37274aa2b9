# SPDX-License-Identifier: BSD-2-Clause
# hello: the smallest app, and the template.
noinst_LTLIBRARIES += apps/hello/libhello.la
apps_hello_libhello_la_SOURCES = apps/hello/hello.c
STATIC_PLUGINS += apps/hello/libhello.la

plugin_LTLIBRARIES += apps/hello.la
apps_hello_la_SOURCES =
apps_hello_la_LIBADD = apps/hello/libhello.la
apps_hello_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-hello
check_PROGRAMS += tests/test-hello
tests_test_hello_SOURCES = tests/test-hello.c
tests_test_hello_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_hello_LDADD = apps/hello/libhello.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
endif
