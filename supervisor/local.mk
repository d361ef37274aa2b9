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

