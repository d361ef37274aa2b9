# SPDX-License-Identifier: BSD-2-Clause
# Wire formats as pure functions; linked into whoever speaks them.
noinst_LTLIBRARIES += protocol/libprotocol.la
protocol_libprotocol_la_SOURCES = \
	protocol/chars.h \
	protocol/cursor.c protocol/cursor.h \
	protocol/gui.c protocol/gui.h \
	protocol/dns.c protocol/dns.h \
	protocol/netif.c protocol/netif.h \
	protocol/qrexec.c protocol/qrexec.h \
	protocol/qrexec-command.c \
	protocol/qubesdb.c protocol/qubesdb.h \
	protocol/xenstore.c protocol/xenstore.h

if HAVE_CHECK
PROTOCOL_TESTS = tests/test-cursor \
	tests/test-gui-wire \
	tests/test-dns-wire \
	tests/test-netif-wire \
	tests/test-qrexec-wire \
	tests/test-qrexec-limits \
	tests/test-qrexec-command \
	tests/test-qubesdb-wire \
	tests/test-xenstore-wire
TESTS += $(PROTOCOL_TESTS)
check_PROGRAMS += $(PROTOCOL_TESTS)
tests_test_cursor_SOURCES = tests/test-cursor.c tests/common/bytes.h tests/common/run.h
tests_test_cursor_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_cursor_LDADD = protocol/libprotocol.la $(CHECK_LIBS)
tests_test_gui_wire_SOURCES = tests/test-gui-wire.c tests/common/bytes.h tests/common/run.h
tests_test_gui_wire_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_gui_wire_LDADD = protocol/libprotocol.la $(CHECK_LIBS)
tests_test_dns_wire_SOURCES = tests/test-dns-wire.c tests/common/bytes.h tests/common/run.h
tests_test_dns_wire_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_dns_wire_LDADD = protocol/libprotocol.la $(CHECK_LIBS)
tests_test_netif_wire_SOURCES = tests/test-netif-wire.c tests/common/bytes.h tests/common/run.h
tests_test_netif_wire_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_netif_wire_LDADD = protocol/libprotocol.la $(CHECK_LIBS)
tests_test_qrexec_wire_SOURCES = tests/test-qrexec-wire.c tests/common/bytes.h tests/common/run.h
tests_test_qrexec_wire_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_wire_LDADD = protocol/libprotocol.la $(CHECK_LIBS)
tests_test_qrexec_limits_SOURCES = tests/test-qrexec-limits.c tests/common/bytes.h tests/common/run.h
tests_test_qrexec_limits_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_limits_LDADD = protocol/libprotocol.la $(CHECK_LIBS)
tests_test_qrexec_command_SOURCES = tests/test-qrexec-command.c tests/common/bytes.h tests/common/run.h
tests_test_qrexec_command_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_command_LDADD = protocol/libprotocol.la $(CHECK_LIBS)
tests_test_qubesdb_wire_SOURCES = tests/test-qubesdb-wire.c tests/common/bytes.h tests/common/run.h
tests_test_qubesdb_wire_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qubesdb_wire_LDADD = protocol/libprotocol.la $(CHECK_LIBS)
tests_test_xenstore_wire_SOURCES = tests/test-xenstore-wire.c tests/common/bytes.h tests/common/run.h
tests_test_xenstore_wire_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_xenstore_wire_LDADD = protocol/libprotocol.la $(CHECK_LIBS)
endif

FUZZ_TARGETS += tests/fuzz/fuzz-qrexec tests/fuzz/fuzz-qrexec-command \
	tests/fuzz/fuzz-qubesdb tests/fuzz/fuzz-xenstore tests/fuzz/fuzz-gui
tests_fuzz_fuzz_qrexec_SOURCES = tests/fuzz/fuzz-qrexec.c tests/fuzz/must.h
tests_fuzz_fuzz_qrexec_LDADD = protocol/libprotocol.la $(FUZZ_MAIN)
tests_fuzz_fuzz_qrexec_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_qrexec_command_SOURCES = tests/fuzz/fuzz-qrexec-command.c tests/fuzz/must.h
tests_fuzz_fuzz_qrexec_command_LDADD = protocol/libprotocol.la $(FUZZ_MAIN)
tests_fuzz_fuzz_qrexec_command_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_qubesdb_SOURCES = tests/fuzz/fuzz-qubesdb.c tests/fuzz/must.h
tests_fuzz_fuzz_qubesdb_LDADD = protocol/libprotocol.la $(FUZZ_MAIN)
tests_fuzz_fuzz_qubesdb_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_xenstore_SOURCES = tests/fuzz/fuzz-xenstore.c tests/fuzz/must.h
tests_fuzz_fuzz_xenstore_LDADD = protocol/libprotocol.la $(FUZZ_MAIN)
tests_fuzz_fuzz_xenstore_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_gui_SOURCES = tests/fuzz/fuzz-gui.c tests/fuzz/must.h
tests_fuzz_fuzz_gui_LDADD = protocol/libprotocol.la $(FUZZ_MAIN)
tests_fuzz_fuzz_gui_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
FUZZ_TARGETS += tests/fuzz/fuzz-dns
tests_fuzz_fuzz_dns_SOURCES = tests/fuzz/fuzz-dns.c tests/fuzz/must.h
tests_fuzz_fuzz_dns_LDADD = protocol/libprotocol.la $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
