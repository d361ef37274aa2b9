# SPDX-License-Identifier: BSD-2-Clause
# net-sockets: net/1 over the sockets of the host system.
noinst_LTLIBRARIES += plugins/net-sockets/libnet-sockets.la
plugins_net_sockets_libnet_sockets_la_SOURCES = \
	plugins/net-sockets/net-sockets.c plugins/net-sockets/sockets.h \
	plugins/net-sockets/address.c \
	plugins/net-sockets/listen.c \
	plugins/net-sockets/stream.c \
	plugins/net-sockets/udp.c \
	plugins/net-sockets/watch.c \
	plugins/net-sockets/resolve.c plugins/net-sockets/resolve.h
if HAVE_CARES
plugins_net_sockets_libnet_sockets_la_SOURCES += plugins/net-sockets/ask.c
plugins_net_sockets_libnet_sockets_la_LIBADD = $(CARES_LIBS)
else
plugins_net_sockets_libnet_sockets_la_SOURCES += plugins/net-sockets/ask-none.c
endif
STATIC_PLUGINS += plugins/net-sockets/libnet-sockets.la $(CARES_LIBS)

plugin_LTLIBRARIES += plugins/net-sockets.la
plugins_net_sockets_la_SOURCES =
plugins_net_sockets_la_LIBADD = plugins/net-sockets/libnet-sockets.la protocol/libprotocol.la $(EV_LIBS)
plugins_net_sockets_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-net-sockets tests/test-net1-sockets
check_PROGRAMS += tests/test-net-sockets tests/test-net1-sockets
# The suite of net/1, for whoever provides it.
NET1_SUITE = tests/net1/bed.h tests/common/ends.h tests/net1/far.c tests/net1/tcp.c tests/net1/udp.c \
                tests/net1/owner.c tests/common/leaver.h
tests_test_net1_sockets_SOURCES = tests/net1/sockets.c $(NET1_SUITE)
tests_test_net1_sockets_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_net1_sockets_LDADD = plugins/net-sockets/libnet-sockets.la protocol/libprotocol.la tools/host/libhost.la \
	$(CHECK_LIBS) $(EV_LIBS)
tests_test_net_sockets_SOURCES = tests/test-net-sockets.c tests/net1/bed.h tests/common/ends.h tests/net1/far.c
tests_test_net_sockets_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_net_sockets_LDADD = plugins/net-sockets/libnet-sockets.la protocol/libprotocol.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
endif
