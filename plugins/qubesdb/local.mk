# SPDX-License-Identifier: BSD-2-Clause
# qubesdb: the VM's configuration from dom0.
noinst_LTLIBRARIES += plugins/qubesdb/libqubesdb.la
plugins_qubesdb_libqubesdb_la_SOURCES = \
	plugins/qubesdb/api.c plugins/qubesdb/client.h \
	plugins/qubesdb/connection.c \
	plugins/qubesdb/merge.c \
	plugins/qubesdb/messages.c \
	plugins/qubesdb/own.c \
	plugins/qubesdb/plugin.c \
	plugins/qubesdb/queue.c plugins/qubesdb/queue.h \
	plugins/qubesdb/replica.c plugins/qubesdb/replica.h \
	plugins/qubesdb/seed.c \
	plugins/qubesdb/watch.c plugins/qubesdb/watch.h
STATIC_PLUGINS += plugins/qubesdb/libqubesdb.la protocol/libprotocol.la

plugin_LTLIBRARIES += plugins/qubesdb.la
plugins_qubesdb_la_SOURCES =
plugins_qubesdb_la_LIBADD = plugins/qubesdb/libqubesdb.la protocol/libprotocol.la
plugins_qubesdb_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-qubesdb
check_PROGRAMS += tests/test-qubesdb
tests_test_qubesdb_SOURCES = tests/test-qubesdb.c tests/qubesdb/dom0.c tests/qubesdb/dom0.h \
	tests/common/fake-vchan.c tests/common/fake-vchan.h tests/common/bytes.h \
	tests/qubesdb/units.c tests/qubesdb/wire.c tests/qubesdb/watches.c tests/qubesdb/own.c \
	tests/qubesdb/reconnect.c tests/qubesdb/model.c tests/qubesdb/sockets.c
tests_test_qubesdb_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qubesdb_LDADD = plugins/qubesdb/libqubesdb.la plugins/vchan-socket/libvchan-socket.la \
	protocol/libprotocol.la tests/common/libpeer.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
endif

FUZZ_TARGETS += tests/fuzz/fuzz-qubesdb-client
tests_fuzz_fuzz_qubesdb_client_SOURCES = tests/fuzz/fuzz-qubesdb-client.c tests/fuzz/must.h \
	tests/common/fake-vchan.c tests/common/fake-vchan.h tests/common/bytes.h
tests_fuzz_fuzz_qubesdb_client_LDADD = plugins/qubesdb/libqubesdb.la protocol/libprotocol.la \
	tools/host/libhost.la $(EV_LIBS) $(FUZZ_MAIN)
tests_fuzz_fuzz_qubesdb_client_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
