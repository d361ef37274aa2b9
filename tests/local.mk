# SPDX-License-Identifier: BSD-2-Clause
# tests: shared parts. Each folder's own fragment names the tests of its code.
#
# tests/common/libpeer.la: a scripted peer for tests of the socket vchan. Link it before tools/host/libhost.la.
check_LTLIBRARIES += tests/common/libpeer.la
tests_common_libpeer_la_SOURCES = tests/common/peer.c tests/common/peer.h tests/common/fds.h
if HAVE_CHECK
TESTS += tests/test-peer
check_PROGRAMS += tests/test-peer
tests_test_peer_SOURCES = tests/test-peer.c tests/common/run.h
tests_test_peer_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_peer_LDADD = tests/common/libpeer.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
endif

# include/unik/clean.h, which all others use
if HAVE_CHECK
TESTS += tests/test-clean
check_PROGRAMS += tests/test-clean
tests_test_clean_SOURCES = tests/test-clean.c
tests_test_clean_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_clean_LDADD = $(CHECK_LIBS)
endif
FUZZ_TARGETS += tests/fuzz/fuzz-clean
tests_fuzz_fuzz_clean_SOURCES = tests/fuzz/fuzz-clean.c tests/fuzz/must.h
tests_fuzz_fuzz_clean_LDADD = $(FUZZ_MAIN)
tests_fuzz_fuzz_clean_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

# A fuzz target of a fragment:
#   FUZZ_TARGETS += tests/fuzz/fuzz-x
#   tests_fuzz_fuzz_x_SOURCES = tests/fuzz/fuzz-x.c
#   tests_fuzz_fuzz_x_LDADD = protocol/libprotocol.la $(FUZZ_MAIN)
#   tests_fuzz_fuzz_x_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
# and its first inputs in tests/fuzz/corpus/fuzz-x/. make check replays them; make fuzz (--enable-fuzzing) goes on from there.
check_PROGRAMS += $(FUZZ_TARGETS)
if FUZZING
FUZZ_MAIN =
else
FUZZ_MAIN = tests/fuzz/libreplay.la
check_LTLIBRARIES += tests/fuzz/libreplay.la
tests_fuzz_libreplay_la_SOURCES = tests/fuzz/replay.c
TESTS += $(FUZZ_TARGETS)
endif

FUZZ_SECONDS = 10
fuzz: $(FUZZ_TARGETS)
	@for t in $(FUZZ_TARGETS); do \
		n=$$(basename $$t); mkdir -p fuzz-work/$$n; \
		echo "fuzz $$n"; \
		$$t -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=10 -print_final_stats=0 -verbosity=0 \
			fuzz-work/$$n $(srcdir)/tests/fuzz/corpus/$$n || exit 1; \
	done
.PHONY: fuzz
EXTRA_DIST += tests/fuzz/corpus

# Rules for the text of the sources: sanitizers find nothing else in it.
dist_noinst_SCRIPTS += tests/test-includes.sh tests/test-references.sh tests/test-papers.sh
if !SANITIZERS
# Who may include whom, headers that stand alone, sizes, exports.
TESTS += tests/test-includes.sh
# What comments and documents name is there.
TESTS += tests/test-references.sh
# Each file says its licence.
TESTS += tests/test-papers.sh
endif
AM_TESTS_ENVIRONMENT += CC='$(CC)'; CXX='$(CXX)'; export CC CXX;

# End to end: unik-supervisor and unik-dom0 as processes, with an app whose services do with a call all that can be done.
check_LTLIBRARIES += tests/e2e/echo-app.la
tests_e2e_echo_app_la_SOURCES = tests/e2e/echo-app.c
tests_e2e_echo_app_la_LDFLAGS = $(PLUGIN_LDFLAGS) -rpath /nowhere
check_LTLIBRARIES += tests/e2e/window-app.la
tests_e2e_window_app_la_SOURCES = tests/e2e/window-app.c
tests_e2e_window_app_la_LDFLAGS = $(PLUGIN_LDFLAGS) -rpath /nowhere
# test-e2e-life.sh has a xenstored of its own.
check_PROGRAMS += tests/e2e/xenstored
tests_e2e_xenstored_SOURCES = tests/e2e/xenstored.c tests/common/xenstored.c tests/common/xenstored.h \
	tests/common/xenstored-private.h tests/common/xenstored-answer.c tests/common/xenstored-tree.c tests/common/xenstored-tree.h
tests_e2e_xenstored_LDADD = protocol/libprotocol.la $(EV_LIBS)
E2E_TESTS = tests/test-e2e-calls.sh tests/test-e2e-many.sh tests/test-e2e-faults.sh tests/test-e2e-vms.sh tests/test-e2e-life.sh tests/test-e2e-net.sh tests/test-e2e-apps.sh \
	tests/test-e2e-gui.sh
TESTS += $(E2E_TESTS)
dist_noinst_SCRIPTS += $(E2E_TESTS)
EXTRA_DIST += tests/e2e/lib.sh
