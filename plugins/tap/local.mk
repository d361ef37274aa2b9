# tap: nic/1 over a TUN/TAP descriptor of Linux.
noinst_LTLIBRARIES += plugins/tap/libtap.la
plugins_tap_libtap_la_SOURCES = plugins/tap/tap.c plugins/tap/tap.h plugins/tap/frames.c plugins/tap/open.c
STATIC_PLUGINS += plugins/tap/libtap.la

plugin_LTLIBRARIES += plugins/tap.la
plugins_tap_la_SOURCES =
plugins_tap_la_LIBADD = plugins/tap/libtap.la $(EV_LIBS)
plugins_tap_la_LDFLAGS = $(PLUGIN_LDFLAGS)
