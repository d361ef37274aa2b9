# probe: services to measure and to test with.
noinst_LTLIBRARIES += apps/probe/libprobe.la
apps_probe_libprobe_la_SOURCES = apps/probe/probe.c apps/probe/probe.h apps/probe/net.c
STATIC_PLUGINS += apps/probe/libprobe.la

plugin_LTLIBRARIES += apps/probe.la
apps_probe_la_SOURCES =
apps_probe_la_LIBADD = apps/probe/libprobe.la
apps_probe_la_LDFLAGS = $(PLUGIN_LDFLAGS)
