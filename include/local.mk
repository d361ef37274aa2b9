# SPDX-License-Identifier: BSD-2-Clause
# The public headers: all a plugin author needs.
unikincludedir = $(includedir)/unik
unikinclude_HEADERS = \
	include/unik/backoff.h \
	include/unik/clean.h \
	include/unik/context.h \
	include/unik/draw.h \
	include/unik/gui.h \
	include/unik/inherit.h \
	include/unik/net.h \
	include/unik/nic.h \
	include/unik/pages.h \
	include/unik/plugin.h \
	include/unik/qrexec.h \
	include/unik/qubesdb.h \
	include/unik/ring.h \
	include/unik/stream.h \
	include/unik/text.h \
	include/unik/tls.h \
	include/unik/vchan.h \
	include/unik/xenstore.h
