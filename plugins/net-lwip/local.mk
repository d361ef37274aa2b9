# SPDX-License-Identifier: BSD-2-Clause
# net-lwip: net/1 by lwIP, which is compiled here from Debian's source package (scripts/get-sources).
if HAVE_LWIP
LWIP_CPPFLAGS = -I$(top_srcdir)/plugins/net-lwip/port -isystem $(LWIP_DIR)/src/include -isystem $(LWIP_DIR)/src
# Somebody else's code: its warnings are not ours to look at. Packed structures are read as bytes where that matters.
LWIP_CFLAGS = -std=gnu11 -w $(SANITIZE) $(LWIP_SANITIZE) -fvisibility=hidden -ffunction-sections -fdata-sections
LWIP_OBJECTS = \
	plugins/net-lwip/lwip/def.lo plugins/net-lwip/lwip/dns.lo plugins/net-lwip/lwip/inet_chksum.lo plugins/net-lwip/lwip/init.lo \
	plugins/net-lwip/lwip/ip.lo plugins/net-lwip/lwip/mem.lo plugins/net-lwip/lwip/netif.lo plugins/net-lwip/lwip/pbuf.lo \
	plugins/net-lwip/lwip/stats.lo plugins/net-lwip/lwip/tcp.lo plugins/net-lwip/lwip/tcp_in.lo plugins/net-lwip/lwip/tcp_out.lo \
	plugins/net-lwip/lwip/udp.lo plugins/net-lwip/lwip/ipv4/dhcp.lo \
	plugins/net-lwip/lwip/ipv4/etharp.lo plugins/net-lwip/lwip/ipv4/icmp.lo plugins/net-lwip/lwip/ipv4/ip4.lo \
	plugins/net-lwip/lwip/ipv4/ip4_addr.lo plugins/net-lwip/lwip/ipv4/ip4_frag.lo plugins/net-lwip/lwip/ipv6/ethip6.lo \
	plugins/net-lwip/lwip/ipv6/icmp6.lo plugins/net-lwip/lwip/ipv6/inet6.lo plugins/net-lwip/lwip/ipv6/ip6.lo \
	plugins/net-lwip/lwip/ipv6/ip6_addr.lo plugins/net-lwip/lwip/ipv6/ip6_frag.lo plugins/net-lwip/lwip/ipv6/nd6.lo

LWIP_PORT = $(addprefix $(srcdir)/plugins/net-lwip/port/,lwipopts.h arch/cc.h arch/hooks.h arch/memory.h)
LWIP_COMPILE = $(AM_V_CC)$(MKDIR_P) $(@D) && $(LIBTOOL) $(AM_V_lt) --tag=CC --mode=compile $(CC) $(AM_CPPFLAGS) $(LWIP_CPPFLAGS) \
	$(CPPFLAGS) $(LWIP_CFLAGS) $(CFLAGS) -c -o $@ $<
plugins/net-lwip/lwip/%.lo: $(LWIP_DIR)/src/core/%.c $(LWIP_PORT)
	$(LWIP_COMPILE)
# Where we look into a static table: the file stands in one of ours.
plugins/net-lwip/lwip/dns.lo: plugins/net-lwip/port/dns.c $(LWIP_DIR)/src/core/dns.c $(LWIP_PORT)
	$(LWIP_COMPILE)
plugins/net-lwip/lwip/ipv4/etharp.lo: plugins/net-lwip/port/etharp.c $(LWIP_DIR)/src/core/ipv4/etharp.c $(LWIP_PORT)
	$(LWIP_COMPILE)
# lwIP's client for names takes its answers through answer.c.
plugins/net-lwip/lwip/dns.lo: LWIP_CPPFLAGS += -Dudp_recv=net_lwip_dns_recv
plugins/net-lwip/lwip/%.lo: $(LWIP_DIR)/src/netif/%.c $(LWIP_PORT)
	$(LWIP_COMPILE)
LWIP_OBJECTS += plugins/net-lwip/lwip/ethernet.lo
CLEANFILES += $(LWIP_OBJECTS) plugins/net-lwip/lwip/*.o plugins/net-lwip/lwip/*/*.o plugins/net-lwip/lwip/.libs/*.o \
	plugins/net-lwip/lwip/*/.libs/*.o

noinst_LTLIBRARIES += plugins/net-lwip/libnet-lwip.la
plugins_net_lwip_libnet_lwip_la_SOURCES = \
	plugins/net-lwip/net-lwip.c plugins/net-lwip/stack.h \
	plugins/net-lwip/admit.c plugins/net-lwip/admit.h plugins/net-lwip/admit-parts.h \
	plugins/net-lwip/admit-icmp6.c \
	plugins/net-lwip/answer.c \
	plugins/net-lwip/card.c \
	plugins/net-lwip/checksum.c \
	plugins/net-lwip/chunks.c \
	plugins/net-lwip/clock.c \
	plugins/net-lwip/config.c \
	plugins/net-lwip/cycles.c plugins/net-lwip/cycles.h \
	plugins/net-lwip/keys.c plugins/net-lwip/keys.h \
	plugins/net-lwip/listen.c \
	plugins/net-lwip/merge.c \
	plugins/net-lwip/neighbour.c \
	plugins/net-lwip/options.c \
	plugins/net-lwip/path.c \
	plugins/net-lwip/pools.c plugins/net-lwip/pools.h \
	plugins/net-lwip/random.c \
	plugins/net-lwip/resolve.c \
	plugins/net-lwip/reuse.c \
	plugins/net-lwip/stream-ops.c \
	plugins/net-lwip/stream.c plugins/net-lwip/stream.h \
	plugins/net-lwip/text.c \
	plugins/net-lwip/udp.c \
	plugins/net-lwip/watch.c \
	plugins/net-lwip/port/lwipopts.h plugins/net-lwip/port/arch/cc.h plugins/net-lwip/port/arch/hooks.h \
	plugins/net-lwip/port/arch/memory.h
plugins_net_lwip_libnet_lwip_la_CPPFLAGS = $(AM_CPPFLAGS) $(LWIP_CPPFLAGS) -DLWIP_LIBRARY='"$(LWIP_VERSION)"'
plugins_net_lwip_libnet_lwip_la_LIBADD = $(LWIP_OBJECTS)
STATIC_PLUGINS += plugins/net-lwip/libnet-lwip.la

plugin_LTLIBRARIES += plugins/net-lwip.la
plugins_net_lwip_la_SOURCES =
plugins_net_lwip_la_LIBADD = plugins/net-lwip/libnet-lwip.la protocol/libprotocol.la $(EV_LIBS)
# Never unloaded: lwIP is begun once for the process, and its timers stay.
plugins_net_lwip_la_LDFLAGS = $(PLUGIN_LDFLAGS) -Wl,-z,nodelete

if HAVE_CHECK
TESTS += tests/test-net-lwip
check_PROGRAMS += tests/test-net-lwip
tests_test_net_lwip_SOURCES = tests/test-net-lwip.c tests/lwip/bed.c tests/lwip/bed.h tests/lwip/packet.c tests/lwip/admit.c \
	tests/lwip/config.c tests/lwip/cost.c tests/lwip/flows.c tests/lwip/hostile.c tests/lwip/idle.c tests/lwip/names.c tests/lwip/neighbour.c \
	tests/lwip/path.c tests/lwip/reuse.c tests/lwip/tcp.c
tests_test_net_lwip_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_net_lwip_LDADD = plugins/net-lwip/libnet-lwip.la protocol/libprotocol.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)

# The suite of net/1, over a TAP.
TESTS += tests/test-net1-lwip
check_PROGRAMS += tests/test-net1-lwip
tests_test_net1_lwip_SOURCES = tests/net1/lwip.c tests/common/own-net.h $(NET1_SUITE)
tests_test_net1_lwip_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_net1_lwip_LDADD = plugins/net-lwip/libnet-lwip.la plugins/tap/libtap.la protocol/libprotocol.la tools/host/libhost.la \
	$(CHECK_LIBS) $(EV_LIBS)

# ... and streams over a line that loses frames.
TESTS += tests/test-net1-lossy
check_PROGRAMS += tests/test-net1-lossy
tests_test_net1_lossy_SOURCES = tests/net1/lossy.c tests/common/own-net.h tests/net1/bed.h tests/net1/far.c
tests_test_net1_lossy_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_test_net1_lossy_LDADD = plugins/net-lwip/libnet-lwip.la protocol/libprotocol.la tools/host/libhost.la $(CHECK_LIBS) $(EV_LIBS)
endif

FUZZ_TARGETS += tests/fuzz/fuzz-lwip
tests_fuzz_fuzz_lwip_SOURCES = tests/fuzz/fuzz-lwip.c tests/fuzz/must.h
tests_fuzz_fuzz_lwip_LDADD = plugins/net-lwip/libnet-lwip.la protocol/libprotocol.la tools/host/libhost.la $(EV_LIBS) $(FUZZ_MAIN)
tests_fuzz_fuzz_lwip_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif
# A folder: make's own rule would make a program of that name, of flows.c.
tests/lwip/flows: ;
EXTRA_DIST += tests/lwip/flows plugins/net-lwip/port/dns.c plugins/net-lwip/port/etharp.c
