# The supervisor: dynamic (loads .so) and static (every plugin built in); the same sources.
noinst_LTLIBRARIES += supervisor/libsupervisor.la
supervisor_libsupervisor_la_SOURCES = \
	supervisor/config.c supervisor/config.h \
	supervisor/describe.c \
	supervisor/graph.c \
	supervisor/host.c \
	supervisor/load.c \
	supervisor/loader.c supervisor/loader.h \
	supervisor/log.c supervisor/log.h \
	supervisor/options.c supervisor/options.h \
	supervisor/status.c \
	supervisor/supervisor.c supervisor/supervisor.h \
	supervisor/unit.c supervisor/unit.h
supervisor_libsupervisor_la_CPPFLAGS = $(AM_CPPFLAGS) -DPLUGINDIR='"$(plugindir)"'
supervisor_libsupervisor_la_LIBADD = $(INI_LIBS) $(EV_LIBS) $(DL_LIBS)

sbin_PROGRAMS += unik-supervisor
unik_supervisor_SOURCES = supervisor/main.c supervisor/static-none.c
unik_supervisor_LDADD = supervisor/libsupervisor.la


if HAVE_CHECK
TESTS += tests/test-config tests/test-supervisor
check_PROGRAMS += tests/test-config tests/test-supervisor
tests_test_config_SOURCES = tests/test-config.c
tests_test_config_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_config_LDADD = supervisor/libsupervisor.la $(CHECK_LIBS)
tests_test_supervisor_SOURCES = tests/test-supervisor.c
tests_test_supervisor_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_supervisor_LDADD = supervisor/libsupervisor.la $(CHECK_LIBS)
endif
