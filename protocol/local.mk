# Wire formats as pure functions; linked into whoever speaks them.
noinst_LTLIBRARIES += protocol/libprotocol.la
protocol_libprotocol_la_SOURCES = \
	protocol/chars.h \
	protocol/cursor.c protocol/cursor.h \
	protocol/qrexec.c protocol/qrexec.h \
	protocol/qrexec-command.c \
	protocol/qubesdb.c protocol/qubesdb.h \
	protocol/xenstore.c protocol/xenstore.h

if HAVE_CHECK
PROTOCOL_TESTS = tests/test-qrexec-wire
TESTS += $(PROTOCOL_TESTS)
check_PROGRAMS += $(PROTOCOL_TESTS)
tests_test_qrexec_wire_SOURCES = tests/test-qrexec-wire.c tests/common/bytes.h
tests_test_qrexec_wire_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_qrexec_wire_LDADD = protocol/libprotocol.la $(CHECK_LIBS)
endif
