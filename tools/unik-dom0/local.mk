# SPDX-License-Identifier: BSD-2-Clause
# unik-dom0: a dom0 for a developer's machine.
bin_PROGRAMS += tools/unik-dom0/unik-dom0
tools_unik_dom0_unik_dom0_SOURCES = \
	tools/unik-dom0/main.c tools/unik-dom0/command.h \
	tools/unik-dom0/start.c \
	tools/unik-dom0/client.c \
	tools/unik-dom0/socket.c tools/unik-dom0/socket.h \
	tools/unik-dom0/request.c \
	tools/unik-dom0/lock.c tools/unik-dom0/lock.h \
	tools/unik-dom0/log.c tools/unik-dom0/dom0.h \
	tools/unik-dom0/vm.c \
	tools/unik-dom0/fault.c tools/unik-dom0/fault.h \
	tools/unik-dom0/outbox.c tools/unik-dom0/outbox.h \
	tools/unik-dom0/control.c tools/unik-dom0/control.h \
	tools/unik-dom0/trigger.c \
	tools/unik-dom0/policy.c tools/unik-dom0/policy.h \
	tools/unik-dom0/pair.c tools/unik-dom0/pair.h \
	tools/unik-dom0/fdio.c tools/unik-dom0/fdio.h \
	tools/unik-dom0/data.c tools/unik-dom0/data-in.c tools/unik-dom0/data.h \
	tools/unik-dom0/call.c tools/unik-dom0/call.h \
	tools/unik-dom0/service.c \
	tools/unik-dom0/db.c tools/unik-dom0/db-in.c tools/unik-dom0/db.h tools/unik-dom0/db-parts.h \
	tools/unik-dom0/store.c tools/unik-dom0/store.h \
	tools/unik-dom0/keys.c \
	tools/unik-dom0/gui.c tools/unik-dom0/gui.h tools/unik-dom0/gui-parts.h \
	tools/unik-dom0/gui-in.c tools/unik-dom0/gui-window.c tools/unik-dom0/gui-pages.c \
	tools/unik-dom0/gui-user.c tools/unik-dom0/gui-keys.c tools/unik-dom0/gui-desk.c \
	tools/unik-dom0/gui-show.c tools/unik-dom0/gui-show-window.c tools/unik-dom0/gui-show-input.c tools/unik-dom0/gui-show-clipboard.c tools/unik-dom0/gui-show.h \
	tools/unik-dom0/gui-request.c tools/unik-dom0/gui-client.c tools/unik-dom0/ask.h \
	tools/unik-dom0/picture-file.c tools/unik-dom0/picture-file.h \
	tools/unik-dom0/net.c tools/unik-dom0/net.h \
	tools/unik-dom0/net-inside.c tools/unik-dom0/net-inside.h \
	tools/unik-dom0/netlink.c tools/unik-dom0/netlink.h \
	tools/unik-dom0/net-offer.c \
	tools/unik-dom0/net-dns.c \
	tools/unik-dom0/net-exec.c
tools_unik_dom0_unik_dom0_CPPFLAGS = $(AM_CPPFLAGS)
tools_unik_dom0_unik_dom0_LDADD = plugins/vchan-socket/libvchan-socket.la tools/host/libhost.la
if HAVE_XEN
tools_unik_dom0_unik_dom0_CPPFLAGS += -DUNIK_HAVE_XEN
tools_unik_dom0_unik_dom0_LDADD += plugins/vchan-xen/libvchan-xen.la plugins/xenstore/libxenstore.la $(XEN_LIBS)
endif
if HAVE_XCB
tools_unik_dom0_unik_dom0_CPPFLAGS += -DUNIK_HAVE_XCB $(XCB_CFLAGS)
tools_unik_dom0_unik_dom0_LDADD += $(XCB_LIBS)
endif
if HAVE_PNG
tools_unik_dom0_unik_dom0_CPPFLAGS += -DUNIK_HAVE_PNG $(PNG_CFLAGS)
tools_unik_dom0_unik_dom0_LDADD += $(PNG_LIBS)
endif
tools_unik_dom0_unik_dom0_LDADD += protocol/libprotocol.la $(EV_LIBS)

TESTS += tests/test-dom0-cli.sh tests/test-dom0-folders.sh tests/test-dom0-agent.sh tests/test-dom0-net.sh
dist_noinst_SCRIPTS += tests/test-dom0-cli.sh tests/test-dom0-folders.sh tests/test-dom0-agent.sh tests/test-dom0-net.sh
check_PROGRAMS += tests/net/tap-guest
tests_net_tap_guest_SOURCES = tests/net/tap-guest.c
if HAVE_CHECK
TESTS += tests/test-dom0
check_PROGRAMS += tests/test-dom0
tests_test_dom0_SOURCES = tests/test-dom0.c tests/dom0/run.c tests/dom0/run.h \
	tests/dom0/calls.c tests/dom0/control.c tests/dom0/guest.c tests/dom0/qubesdb.c tests/dom0/faults.c \
	tests/dom0/gui.c tests/dom0/gui-user.c tests/dom0/gui-show.c tests/dom0/gui-guest.c tests/dom0/gui-guest.h
tests_test_dom0_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
if HAVE_XTEST
tests_test_dom0_CPPFLAGS += -DUNIK_HAVE_XTEST $(XTEST_CFLAGS)
endif
tests_test_dom0_LDADD = protocol/libprotocol.la tests/common/libpeer.la tools/host/libhost.la $(XTEST_LIBS) $(XCB_LIBS) $(CHECK_LIBS) $(EV_LIBS)
endif
