# Wire formats as pure functions; linked into whoever speaks them.
noinst_LTLIBRARIES += protocol/libprotocol.la
protocol_libprotocol_la_SOURCES = \
	protocol/cursor.c protocol/cursor.h \
	protocol/qrexec.c protocol/qrexec.h \
	protocol/qrexec-command.c \
	protocol/qubesdb.c protocol/qubesdb.h \
	protocol/xenstore.c protocol/xenstore.h
