# SPDX-License-Identifier: BSD-2-Clause
# bench

# make bench-vchan: the socket vchan against a plain socket pair
EXTRA_PROGRAMS += bench/vchan
CLEANFILES += bench/vchan$(EXEEXT)
bench_vchan_SOURCES = bench/vchan.c
bench_vchan_LDADD = plugins/vchan-socket/libvchan-socket.la tools/host/libhost.la $(EV_LIBS)
bench-vchan: bench/vchan$(EXEEXT)
	./bench/vchan$(EXEEXT)
.PHONY: bench-vchan

# make bench-qrexec: calls of services in the process
EXTRA_PROGRAMS += bench/qrexec
CLEANFILES += bench/qrexec$(EXEEXT)
bench_qrexec_SOURCES = bench/qrexec.c
bench_qrexec_LDADD = plugins/qrexec/libqrexec.la plugins/vchan-socket/libvchan-socket.la protocol/libprotocol.la \
	tools/host/libhost.la $(EV_LIBS)
bench-qrexec: bench/qrexec$(EXEEXT)
	./bench/qrexec$(EXEEXT)
.PHONY: bench-qrexec

# make bench-http: www against nginx with one worker
EXTRA_PROGRAMS += bench/http-load
CLEANFILES += bench/http-load$(EXEEXT)
bench_http_load_SOURCES = bench/http-load.c
dist_noinst_SCRIPTS += bench/http.sh
bench-http: bench/http-load$(EXEEXT) tests/www-run$(EXEEXT)
	UNIK_BUILD=$(abs_top_builddir) $(srcdir)/bench/http.sh
.PHONY: bench-http

# make bench-gui: windows
EXTRA_PROGRAMS += bench/gui
CLEANFILES += bench/gui$(EXEEXT)
bench_gui_SOURCES = bench/gui.c
bench_gui_LDADD = plugins/gui/libgui.la $(GUI_KEYS) plugins/vchan-socket/libvchan-socket.la \
	protocol/libprotocol.la tools/host/libhost.la $(EV_LIBS)
bench-gui: bench/gui$(EXEEXT)
	./bench/gui$(EXEEXT)
.PHONY: bench-gui

# make bench-net: our own TCP/IP over a TAP against the kernel's
EXTRA_PROGRAMS += bench/udp-load bench/tcp-load
CLEANFILES += bench/udp-load$(EXEEXT) bench/tcp-load$(EXEEXT)
bench_udp_load_SOURCES = bench/udp-load.c
bench_tcp_load_SOURCES = bench/tcp-load.c
dist_noinst_SCRIPTS += bench/net.sh
bench-net: bench/udp-load$(EXEEXT) bench/tcp-load$(EXEEXT) all
	UNIK_BUILD=$(abs_top_builddir) $(srcdir)/bench/net.sh
.PHONY: bench-net

# bench/vm.sh: start, idle minute, memory
dist_noinst_SCRIPTS += bench/vm.sh
EXTRA_DIST += bench/README.md

# make bench-netfront: what a frame costs in the rings of netfront
if HAVE_XEN
EXTRA_PROGRAMS += bench/netfront
CLEANFILES += bench/netfront$(EXEEXT)
bench_netfront_SOURCES = bench/netfront.c bench/rings.h
bench_netfront_LDADD = plugins/netfront/libnetfront.la protocol/libprotocol.la $(NETFRONT_LIBS) $(EV_LIBS)
bench-netfront: bench/netfront$(EXEEXT)
	./bench/netfront$(EXEEXT)
.PHONY: bench-netfront

# make bench-packet: what a packet costs in driver and lwIP
if HAVE_LWIP
EXTRA_PROGRAMS += bench/packet
CLEANFILES += bench/packet$(EXEEXT)
bench_packet_SOURCES = bench/packet.c bench/rings.h
bench_packet_LDADD = plugins/net-lwip/libnet-lwip.la plugins/netfront/libnetfront.la protocol/libprotocol.la tools/host/libhost.la \
	$(NETFRONT_LIBS) $(EV_LIBS)
bench-packet: bench/packet$(EXEEXT)
	./bench/packet$(EXEEXT)
.PHONY: bench-packet
endif
endif
