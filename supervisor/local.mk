# SPDX-License-Identifier: BSD-2-Clause
# The supervisor: dynamic (loads .so) and static (every plugin built in); the same sources.
noinst_LTLIBRARIES += supervisor/libsupervisor.la
supervisor_libsupervisor_la_SOURCES = \
	supervisor/config.c supervisor/config-read.c supervisor/config.h \
	supervisor/describe.c \
	supervisor/graph.c \
	supervisor/host.c \
	supervisor/init.c supervisor/init.h \
	supervisor/load.c \
	supervisor/loader.c supervisor/loader.h \
	supervisor/log.c supervisor/log.h \
	supervisor/object.h \
	supervisor/options.c supervisor/options.h \
	supervisor/process.c supervisor/process.h \
	supervisor/slow.c supervisor/slow.h \
	supervisor/status.c \
	supervisor/supervisor.c supervisor/supervisor.h \
	supervisor/unit.c supervisor/unit.h \
	supervisor/watchers.h
supervisor_libsupervisor_la_CPPFLAGS = $(AM_CPPFLAGS) -DPLUGINDIR='"$(plugindir)"'
supervisor_libsupervisor_la_LIBADD = $(EV_LIBS)

sbin_PROGRAMS += unik-supervisor
unik_supervisor_SOURCES = supervisor/main.c supervisor/object.c supervisor/object-check.c supervisor/slow-feed.c \
	supervisor/static-none.c supervisor/watchers.c
unik_supervisor_CPPFLAGS = $(AM_CPPFLAGS) $(VERSION_CPPFLAGS)
unik_supervisor_LDADD = supervisor/libsupervisor.la $(EV_LIBS) $(DL_LIBS)
# What --version tells of the libraries that were compiled with us, as far as they are there.
VERSION_CPPFLAGS = -DUNIK_LIBRARIES='"$(UNIK_LIBRARIES)"'

# All of a static program but its plugins: unik-image links it too.
noinst_LTLIBRARIES += supervisor/libmain.la
supervisor_libmain_la_SOURCES = supervisor/main.c supervisor/object-none.c supervisor/slow-none.c supervisor/watchers-none.c
supervisor_libmain_la_CPPFLAGS = $(AM_CPPFLAGS) $(VERSION_CPPFLAGS)
supervisor_libmain_la_LIBADD = supervisor/libsupervisor.la

# Every plugin built in, no dlopen: `make unik-supervisor-static`. The table is made from the symbols of the libraries that
# are linked, so it cannot drift from them.
EXTRA_PROGRAMS += unik-supervisor-static
unik_supervisor_static_SOURCES =
nodist_unik_supervisor_static_SOURCES = supervisor/static-table.c
unik_supervisor_static_LDADD = supervisor/libmain.la $(STATIC_PLUGINS) protocol/libprotocol.la $(EV_LIBS)
unik_supervisor_static_LDFLAGS = $(AM_LDFLAGS) -all-static
CLEANFILES += supervisor/static-table.c unik-supervisor-static
supervisor/static-table.c: $(srcdir)/scripts/static-table $(filter %.la,$(STATIC_PLUGINS))
	$(AM_V_GEN)$(MKDIR_P) supervisor && $(srcdir)/scripts/static-table $(STATIC_PLUGINS) >$@.new && mv $@.new $@

TESTS += tests/test-cli.sh
dist_noinst_SCRIPTS += tests/test-cli.sh

if HAVE_CHECK
TESTS += tests/test-config tests/test-supervisor
check_PROGRAMS += tests/test-config tests/test-supervisor
tests_test_config_SOURCES = tests/test-config.c supervisor/object-none.c supervisor/slow-none.c supervisor/watchers-none.c
tests_test_config_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_config_LDADD = supervisor/libsupervisor.la $(CHECK_LIBS)
tests_test_supervisor_SOURCES = tests/test-supervisor.c supervisor/object-none.c supervisor/slow-none.c supervisor/watchers-none.c
tests_test_supervisor_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_supervisor_LDADD = supervisor/libsupervisor.la $(CHECK_LIBS)
endif

FUZZ_TARGETS += tests/fuzz/fuzz-object tests/fuzz/fuzz-config
tests_fuzz_fuzz_object_SOURCES = tests/fuzz/fuzz-object.c tests/fuzz/must.h supervisor/object-check.c
tests_fuzz_fuzz_object_LDADD = $(FUZZ_MAIN)
tests_fuzz_fuzz_object_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz-config.c tests/fuzz/must.h supervisor/config.c supervisor/config-read.c \
	supervisor/log.c
tests_fuzz_fuzz_config_LDADD = $(FUZZ_MAIN)
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
