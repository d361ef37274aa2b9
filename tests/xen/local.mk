# SPDX-License-Identifier: BSD-2-Clause
# The checks under real Xen: tests/xen/run. Needs libxenvchan. All programs are static: dom0 and the guests of the lab have
# no libraries of this machine.
EXTRA_DIST += tests/xen/guest.conf tests/xen/net.conf tests/xen/kernel.conf tests/xen/nginx.conf \
	tests/xen/www.conf tests/xen/smoke tests/xen/dom0.sh tests/xen/checks
dist_noinst_SCRIPTS += tests/xen/run tests/xen/lab tests/xen/dom0-init tests/xen/kernel-init tests/xen/driver-init tests/xen/vif-script

# A bare libxenvchan echo, to measure against.
EXTRA_PROGRAMS += vchan-peer
vchan_peer_SOURCES = tests/xen/vchan-peer.c supervisor/init.c
vchan_peer_LDADD = $(XEN_LIBS)
vchan_peer_LDFLAGS = $(AM_LDFLAGS) -all-static

# Plugins more for the guests' program, which unik-image links.
EXTRA_LTLIBRARIES += tests/xen/libvecho.la tests/xen/libmisdeed.la tests/xen/libwindow-app.la
tests_xen_libvecho_la_SOURCES = tests/xen/vecho.c
tests_xen_libmisdeed_la_SOURCES = tests/xen/misdeed.c
tests_xen_libwindow_app_la_SOURCES = tests/e2e/window-app.c

# What the kernel below costs a program; runs as a guest's only program.
EXTRA_PROGRAMS += figures
figures_SOURCES = tests/xen/figures.c supervisor/init.c
figures_LDFLAGS = $(AM_LDFLAGS) -all-static

# The other end of a guest's network.
EXTRA_PROGRAMS += netem
netem_SOURCES = tests/xen/netem.c
netem_LDFLAGS = $(AM_LDFLAGS) -all-static
EXTRA_PROGRAMS += net-peer
net_peer_SOURCES = tests/xen/net-peer.c
net_peer_LDADD = protocol/libprotocol.la
net_peer_LDFLAGS = $(AM_LDFLAGS) -all-static

# For dom0's side of the checks.
EXTRA_PROGRAMS += lacking
lacking_SOURCES = tests/xen/lacking.c
lacking_LDADD = -lxenctrl -lxencall -lxendevicemodel -lxenevtchn -lxenforeignmemory -lxengnttab -lxentoolcore -lxentoollog
lacking_LDFLAGS = $(AM_LDFLAGS) -all-static
EXTRA_PROGRAMS += line
line_SOURCES = tests/xen/line.c
line_LDFLAGS = $(AM_LDFLAGS) -all-static

# The smallest guest that there can be, to measure starts against.
EXTRA_DIST += tests/xen/floor.S
CLEANFILES += floor $(EXTRA_PROGRAMS) $(EXTRA_LTLIBRARIES)
floor: $(srcdir)/tests/xen/floor.S
	$(AM_V_GEN)$(CC) -nostdlib -static -Wl,--build-id=none,-Ttext-segment=0xffffffff80100000 -o $@ $(srcdir)/tests/xen/floor.S

# dom0's side.
EXTRA_PROGRAMS += unik-dom0-static
unik_dom0_static_SOURCES = $(tools_unik_dom0_unik_dom0_SOURCES)
unik_dom0_static_CPPFLAGS = $(AM_CPPFLAGS) -DUNIK_HAVE_XEN
unik_dom0_static_LDADD = $(tools_unik_dom0_unik_dom0_LDADD) plugins/vchan-xen/libvchan-xen.la \
	plugins/xenstore/libxenstore.la protocol/libprotocol.la $(XEN_LIBS) $(EV_LIBS)
unik_dom0_static_LDFLAGS = $(AM_LDFLAGS) -all-static

# What a program sees of its kernel: run on Linux and as an image, and compared.
EXTRA_PROGRAMS += syscalls
syscalls_SOURCES = tests/xen/syscalls/main.c tests/xen/syscalls/probe.h tests/xen/syscalls/files.c \
	tests/xen/syscalls/folders.c tests/xen/syscalls/tmp.c tests/xen/syscalls/descriptors.c tests/xen/syscalls/pipes.c tests/xen/syscalls/waiting.c \
	tests/xen/syscalls/timers.c tests/xen/syscalls/memory.c tests/xen/syscalls/program.c tests/xen/syscalls/xen.c
syscalls_LDFLAGS = $(AM_LDFLAGS) -all-static
dist_noinst_SCRIPTS += tests/xen/syscalls/make-files
