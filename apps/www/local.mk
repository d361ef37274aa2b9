# SPDX-License-Identifier: BSD-2-Clause
# www: serves a folder of files.
dist_site_DATA = apps/www/site/index.html apps/www/site/style.css apps/www/site/logo.svg apps/www/site/robots.txt
sitedir = $(pkgdatadir)/site

if HAVE_HTTP_PARSER
noinst_LTLIBRARIES += apps/www/libwww.la
apps_www_libwww_la_SOURCES = \
	apps/www/www.c apps/www/www.h \
	apps/www/syntax.h \
	apps/www/door.c \
	apps/www/server.c \
	apps/www/filter.c apps/www/filter.h \
	apps/www/chunks.c \
	apps/www/authority.c \
	apps/www/bytes.c \
	apps/www/request.c \
	apps/www/respond.c \
	apps/www/send.c \
	apps/www/files.c \
	apps/www/cache.c \
	apps/www/open.c \
	apps/www/get.c \
	apps/www/path.c \
	apps/www/range.c \
	apps/www/etag.c \
	apps/www/date.c \
	apps/www/types.c
WWW_LIBS = -lhttp_parser
STATIC_PLUGINS += apps/www/libwww.la $(WWW_LIBS)

plugin_LTLIBRARIES += apps/www.la
apps_www_la_SOURCES =
apps_www_la_LIBADD = apps/www/libwww.la $(WWW_LIBS) $(EV_LIBS)
apps_www_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# net-sockets and www in one small program: for tests with real clients, and benches.
check_PROGRAMS += tests/www-run
tests_www_run_SOURCES = tests/www/run.c
tests_www_run_LDADD = apps/www/libwww.la plugins/net-sockets/libnet-sockets.la protocol/libprotocol.la tools/host/libhost.la $(WWW_LIBS) $(EV_LIBS)

# The app with a network and a qrexec made of memory.
WWW_FIXTURE = tests/www/fixture.c tests/www/fixture.h tests/www/mem-stream.c tests/www/mem-stream.h

FUZZ_TARGETS += tests/fuzz/fuzz-http tests/fuzz/fuzz-http-filter tests/fuzz/fuzz-range tests/fuzz/fuzz-path
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz-http.c $(WWW_FIXTURE)
tests_fuzz_fuzz_http_LDADD = apps/www/libwww.la tools/host/libhost.la $(FUZZ_MAIN) $(WWW_LIBS) $(EV_LIBS)
tests_fuzz_fuzz_http_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_http_filter_SOURCES = tests/fuzz/fuzz-http-filter.c tests/www/judge.c tests/www/judge.h
tests_fuzz_fuzz_http_filter_LDADD = apps/www/libwww.la $(FUZZ_MAIN) $(WWW_LIBS) $(EV_LIBS)
tests_fuzz_fuzz_http_filter_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_range_SOURCES = tests/fuzz/fuzz-range.c
tests_fuzz_fuzz_range_LDADD = apps/www/libwww.la $(FUZZ_MAIN) $(WWW_LIBS) $(EV_LIBS)
tests_fuzz_fuzz_range_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_path_SOURCES = tests/fuzz/fuzz-path.c
tests_fuzz_fuzz_path_LDADD = apps/www/libwww.la $(FUZZ_MAIN) $(WWW_LIBS) $(EV_LIBS)
tests_fuzz_fuzz_path_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

TESTS += tests/test-www-curl.sh
dist_noinst_SCRIPTS += tests/test-www-curl.sh

if HAVE_CHECK
TESTS += tests/test-www-syntax tests/test-www-filter tests/test-www tests/test-www-life tests/test-www-get
check_PROGRAMS += tests/test-www-syntax tests/test-www-filter tests/test-www tests/test-www-life tests/test-www-get
EXTRA_DIST += tests/www/smuggling.txt
tests_test_www_filter_SOURCES = tests/test-www-filter.c tests/www/judge.c tests/www/judge.h $(WWW_FIXTURE)
tests_test_www_filter_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_www_filter_LDADD = apps/www/libwww.la tools/host/libhost.la $(CHECK_LIBS) $(WWW_LIBS) $(EV_LIBS)
tests_test_www_syntax_SOURCES = tests/test-www-syntax.c
tests_test_www_syntax_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_www_syntax_LDADD = apps/www/libwww.la $(CHECK_LIBS) $(WWW_LIBS) $(EV_LIBS)
tests_test_www_SOURCES = tests/test-www.c $(WWW_FIXTURE)
tests_test_www_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_www_LDADD = apps/www/libwww.la tools/host/libhost.la $(CHECK_LIBS) $(WWW_LIBS) $(EV_LIBS)
tests_test_www_life_SOURCES = tests/test-www-life.c $(WWW_FIXTURE)
tests_test_www_life_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_www_life_LDADD = apps/www/libwww.la tools/host/libhost.la $(CHECK_LIBS) $(WWW_LIBS) $(EV_LIBS)
tests_test_www_get_SOURCES = tests/test-www-get.c $(WWW_FIXTURE)
tests_test_www_get_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_www_get_LDADD = apps/www/libwww.la tools/host/libhost.la $(CHECK_LIBS) $(WWW_LIBS) $(EV_LIBS)
endif
endif
