# SPDX-License-Identifier: BSD-2-Clause
# qrexec: dom0's remote procedure calls.

# Services as files of a Linux machine, and the socket for local programs: used by the plugin, tested alone.
noinst_LTLIBRARIES += plugins/qrexec/libqrexec-exec.la
plugins_qrexec_libqrexec_exec_la_SOURCES = \
	plugins/qrexec/agent.h plugins/qrexec/exec.h plugins/qrexec/exec-parts.h \
	plugins/qrexec/exec.c \
	plugins/qrexec/exec-account.c \
	plugins/qrexec/exec-child.c \
	plugins/qrexec/exec-environment.c \
	plugins/qrexec/exec-config.c \
	plugins/qrexec/exec-find.c \
	plugins/qrexec/exec-pump.c \
	plugins/qrexec/exec-run.c \
	plugins/qrexec/exec-socket.c \
	plugins/qrexec/socket.c plugins/qrexec/socket.h

# The agent itself.
noinst_LTLIBRARIES += plugins/qrexec/libqrexec.la
plugins_qrexec_libqrexec_la_SOURCES = \
	plugins/qrexec/core.h \
	plugins/qrexec/announce.c \
	plugins/qrexec/ask.c \
	plugins/qrexec/builtin.c \
	plugins/qrexec/call.c \
	plugins/qrexec/control.c \
	plugins/qrexec/data.c \
	plugins/qrexec/incoming.c \
	plugins/qrexec/orphan.c \
	plugins/qrexec/outgoing.c \
	plugins/qrexec/qrexec.c \
	plugins/qrexec/service.c \
	plugins/qrexec/session.c \
	plugins/qrexec/stages.c \
	plugins/qrexec/stream.c
plugins_qrexec_libqrexec_la_LIBADD = plugins/qrexec/libqrexec-exec.la
STATIC_PLUGINS += plugins/qrexec/libqrexec.la

plugin_LTLIBRARIES += plugins/qrexec.la
plugins_qrexec_la_SOURCES =
plugins_qrexec_la_LIBADD = plugins/qrexec/libqrexec.la protocol/libprotocol.la $(EV_LIBS)
plugins_qrexec_la_LDFLAGS = $(PLUGIN_LDFLAGS)

if HAVE_CHECK
TESTS += tests/test-qrexec
check_PROGRAMS += tests/test-qrexec
tests_test_qrexec_SOURCES = tests/test-qrexec.c tests/qrexec/fixture.c tests/qrexec/fixture.h \
	tests/qrexec/incoming.c tests/qrexec/outgoing.c tests/qrexec/control.c tests/qrexec/peers.c \
	tests/qrexec/builtin.c tests/qrexec/life.c tests/qrexec/programs.c tests/qrexec/bulk.c \
	tests/qrexec/crossed.c
tests_test_qrexec_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_LDADD = plugins/qrexec/libqrexec.la plugins/vchan-socket/libvchan-socket.la tests/common/libpeer.la \
	protocol/libprotocol.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
endif

if HAVE_CHECK
QREXEC_EXEC_TESTS = tests/test-qrexec-find tests/test-qrexec-exec tests/test-qrexec-exec-io tests/test-qrexec-exec-socket \
	tests/test-qrexec-socket tests/test-qrexec-socket-limits
QREXEC_EXEC_FAKE = tests/common/fake-call.c tests/common/fake-call.h
QREXEC_SOCKET_FAKE = $(QREXEC_EXEC_FAKE) tests/common/local-client.c tests/common/local-client.h
QREXEC_EXEC_LIBS = plugins/qrexec/libqrexec-exec.la protocol/libprotocol.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
TESTS += $(QREXEC_EXEC_TESTS)
check_PROGRAMS += $(QREXEC_EXEC_TESTS)
tests_test_qrexec_find_SOURCES = tests/test-qrexec-find.c $(QREXEC_EXEC_FAKE)
tests_test_qrexec_find_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_find_LDADD = $(QREXEC_EXEC_LIBS)
tests_test_qrexec_exec_SOURCES = tests/test-qrexec-exec.c $(QREXEC_EXEC_FAKE)
tests_test_qrexec_exec_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_exec_LDADD = $(QREXEC_EXEC_LIBS)
tests_test_qrexec_exec_io_SOURCES = tests/test-qrexec-exec-io.c $(QREXEC_EXEC_FAKE)
tests_test_qrexec_exec_io_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_exec_io_LDADD = $(QREXEC_EXEC_LIBS)
tests_test_qrexec_exec_socket_SOURCES = tests/test-qrexec-exec-socket.c $(QREXEC_EXEC_FAKE)
tests_test_qrexec_exec_socket_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_exec_socket_LDADD = $(QREXEC_EXEC_LIBS)
tests_test_qrexec_socket_SOURCES = tests/test-qrexec-socket.c $(QREXEC_SOCKET_FAKE)
tests_test_qrexec_socket_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_socket_LDADD = $(QREXEC_EXEC_LIBS)
tests_test_qrexec_socket_limits_SOURCES = tests/test-qrexec-socket-limits.c $(QREXEC_SOCKET_FAKE)
tests_test_qrexec_socket_limits_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_socket_limits_LDADD = $(QREXEC_EXEC_LIBS)
endif

FUZZ_TARGETS += tests/fuzz/fuzz-qrexec-agent
tests_fuzz_fuzz_qrexec_agent_SOURCES = tests/fuzz/fuzz-qrexec-agent.c
tests_fuzz_fuzz_qrexec_agent_LDADD = plugins/qrexec/libqrexec.la protocol/libprotocol.la tools/host/libhost.la $(EV_LIBS) $(FUZZ_MAIN)
tests_fuzz_fuzz_qrexec_agent_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZ_TARGETS += tests/fuzz/fuzz-rpc-config
tests_fuzz_fuzz_rpc_config_SOURCES = tests/fuzz/fuzz-rpc-config.c
tests_fuzz_fuzz_rpc_config_LDADD = plugins/qrexec/libqrexec-exec.la $(FUZZ_MAIN)
tests_fuzz_fuzz_rpc_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

TESTS += tests/test-qrexec-e2e.sh tests/test-qrexec-kills.sh tests/test-qrexec-session.sh
dist_noinst_SCRIPTS += tests/test-qrexec-e2e.sh tests/test-qrexec-kills.sh tests/test-qrexec-session.sh
