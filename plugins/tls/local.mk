# tls: tls/1 by mbedTLS.
if HAVE_MBEDTLS
noinst_LTLIBRARIES += plugins/tls/libtls.la
plugins_tls_libtls_la_SOURCES = \
	plugins/tls/plugin.c plugins/tls/tls.h \
	plugins/tls/credentials.c \
	plugins/tls/stream.c
TLS_LIBS = -lmbedtls -lmbedx509 -lmbedcrypto
STATIC_PLUGINS += plugins/tls/libtls.la $(TLS_LIBS)

plugin_LTLIBRARIES += plugins/tls.la
plugins_tls_la_SOURCES =
plugins_tls_la_LIBADD = plugins/tls/libtls.la $(TLS_LIBS) $(EV_LIBS)
plugins_tls_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-tls
check_PROGRAMS += tests/test-tls
tests_test_tls_SOURCES = tests/test-tls.c tests/www/mem-stream.c tests/www/mem-stream.h tests/common/run.h tests/common/ends.h
tests_test_tls_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_tls_LDADD = plugins/tls/libtls.la tools/host/libhost.la $(CHECK_LIBS) $(TLS_LIBS) $(EV_LIBS)
endif
TESTS += tests/test-https.sh
dist_noinst_SCRIPTS += tests/test-https.sh tests/tls/certificates.sh
check_PROGRAMS += tests/tls/fetch
tests_tls_fetch_SOURCES = tests/tls/fetch.c
tests_tls_fetch_LDADD = plugins/tls/libtls.la plugins/net-sockets/libnet-sockets.la tools/host/libhost.la $(TLS_LIBS) $(EV_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz-tls
tests_fuzz_fuzz_tls_SOURCES = tests/fuzz/fuzz-tls.c tests/fuzz/must.h
tests_fuzz_fuzz_tls_LDADD = plugins/tls/libtls.la tools/host/libhost.la $(TLS_LIBS) $(EV_LIBS) $(FUZZ_MAIN)
tests_fuzz_fuzz_tls_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif
