# SPDX-License-Identifier: BSD-2-Clause
# vchan-socket: vchan/1 over unix sockets.
noinst_LTLIBRARIES += plugins/vchan-socket/libvchan-socket.la
plugins_vchan_socket_libvchan_socket_la_SOURCES = \
	plugins/vchan-socket/plugin.c plugins/vchan-socket/channel.h \
	plugins/vchan-socket/channel.c plugins/vchan-socket/output.c plugins/vchan-socket/hangup.c \
	plugins/vchan-socket/server.c plugins/vchan-socket/client.c \
	plugins/vchan-socket/pages.c plugins/vchan-socket/pages.h
STATIC_PLUGINS += plugins/vchan-socket/libvchan-socket.la

plugin_LTLIBRARIES += plugins/vchan-socket.la
plugins_vchan_socket_la_SOURCES =
plugins_vchan_socket_la_LIBADD = plugins/vchan-socket/libvchan-socket.la
plugins_vchan_socket_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-vchan
check_PROGRAMS += tests/test-vchan
tests_test_vchan_SOURCES = tests/test-vchan.c tests/vchan/suite.c tests/vchan/suite.h \
	tests/vchan/states.c tests/vchan/data.c tests/vchan/closing.c tests/vchan/pages.c tests/vchan/owner.c \
	tests/vchan/sockets.c tests/common/leaver.h
tests_test_vchan_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_vchan_LDADD = plugins/vchan-socket/libvchan-socket.la tests/common/libpeer.la tools/host/libhost.la \
	$(CHECK_LIBS) $(EV_LIBS)
endif
