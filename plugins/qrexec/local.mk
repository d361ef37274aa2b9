# qrexec: dom0's remote procedure calls.

# Services as files of a Linux machine, and the socket for local programs: used by the plugin, tested alone.
noinst_LTLIBRARIES += plugins/qrexec/libqrexec-exec.la
plugins_qrexec_libqrexec_exec_la_SOURCES = \
	plugins/qrexec/agent.h plugins/qrexec/exec.h plugins/qrexec/exec-parts.h \
	plugins/qrexec/exec.c \
	plugins/qrexec/exec-account.c \
	plugins/qrexec/exec-child.c \
	plugins/qrexec/exec-config.c \
	plugins/qrexec/exec-find.c \
	plugins/qrexec/exec-pump.c \
	plugins/qrexec/exec-run.c \
	plugins/qrexec/exec-socket.c \
	plugins/qrexec/socket.c plugins/qrexec/socket.h
