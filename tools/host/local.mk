# SPDX-License-Identifier: BSD-2-Clause
# The smallest host, for unik-dom0, tests and benches.
noinst_LTLIBRARIES += tools/host/libhost.la
tools_host_libhost_la_SOURCES = \
	tools/host/host.c tools/host/host.h \
	supervisor/options.c supervisor/options.h
