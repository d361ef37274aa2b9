# www: serves a folder of files.
dist_site_DATA = apps/www/site/index.html apps/www/site/style.css apps/www/site/logo.svg apps/www/site/robots.txt
sitedir = $(pkgdatadir)/site

if HAVE_HTTP_PARSER
noinst_LTLIBRARIES += apps/www/libwww.la
apps_www_libwww_la_SOURCES = \
	apps/www/www.c apps/www/www.h \
	apps/www/syntax.h \
	apps/www/server.c \
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
tests_www_run_SOURCES = tests/www-run.c
tests_www_run_LDADD = apps/www/libwww.la plugins/net-sockets/libnet-sockets.la tools/host/libhost.la $(WWW_LIBS) $(EV_LIBS)
endif
