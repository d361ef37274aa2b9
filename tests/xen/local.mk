# The checks under real Xen: tests/xen/run. Needs libxenvchan. All programs are static: dom0 and the guests of the lab have
# no libraries of this machine.
EXTRA_DIST += tests/xen/floor.S tests/xen/guest.conf tests/xen/dom0.sh tests/xen/checks
dist_noinst_SCRIPTS += tests/xen/run tests/xen/lab tests/xen/dom0-init tests/xen/vif-script

# A bare libxenvchan echo, to measure against.
EXTRA_PROGRAMS += vchan-peer
vchan_peer_SOURCES = tests/xen/vchan-peer.c supervisor/init.c
vchan_peer_LDADD = $(XEN_LIBS)
vchan_peer_LDFLAGS = $(AM_LDFLAGS) -all-static

# The guests' /init: the static supervisor, with one plugin more.
EXTRA_PROGRAMS += unik-guest
unik_guest_SOURCES = tests/xen/vecho.c
nodist_unik_guest_SOURCES = tests/xen/guest-table.c
unik_guest_LDADD = supervisor/libmain.la $(STATIC_PLUGINS) protocol/libprotocol.la $(EV_LIBS)
unik_guest_LDFLAGS = $(AM_LDFLAGS) -all-static
CLEANFILES += tests/xen/guest-table.c $(EXTRA_PROGRAMS)
tests/xen/guest-table.c: supervisor/static-table.c
	$(AM_V_GEN)$(MKDIR_P) tests/xen && sed -e 's/^    0$$/    \&unik_plugin_vecho,\n    0/' \
		-e 's/^const struct unik_plugin \*const/extern const struct unik_plugin unik_plugin_vecho;\n&/' $< >$@.new && mv $@.new $@

# dom0's side.
EXTRA_PROGRAMS += unik-dom0-static
unik_dom0_static_SOURCES = $(tools_unik_dom0_unik_dom0_SOURCES)
unik_dom0_static_CPPFLAGS = $(AM_CPPFLAGS) -DUNIK_HAVE_XEN
unik_dom0_static_LDADD = $(tools_unik_dom0_unik_dom0_LDADD) plugins/vchan-xen/libvchan-xen.la \
	plugins/xenstore/libxenstore.la protocol/libprotocol.la $(XEN_LIBS) $(EV_LIBS)
unik_dom0_static_LDFLAGS = $(AM_LDFLAGS) -all-static
