# SPDX-License-Identifier: BSD-2-Clause
# What users and packagers run.
dist_noinst_SCRIPTS += scripts/static-table scripts/static-parts scripts/deps scripts/test scripts/demo scripts/get-sources
bin_SCRIPTS += scripts/unik-new-app
CLEANFILES += scripts/unik-new-app
EXTRA_DIST += scripts/unik-new-app.in scripts/template.mk

# The template is the hello app itself.
templatedir = $(pkgdatadir)/template
dist_template_DATA = apps/hello/hello.c scripts/template.mk

scripts/unik-new-app: $(srcdir)/scripts/unik-new-app.in Makefile
	$(AM_V_GEN)$(MKDIR_P) scripts && sed -e 's|@templatedir@|$(templatedir)|g; s|@pkgconfigdir@|$(libdir)/pkgconfig|g' $(srcdir)/scripts/unik-new-app.in >$@.new && \
		chmod +x $@.new && mv $@.new $@

TESTS += tests/test-get-sources.sh
dist_noinst_SCRIPTS += tests/test-get-sources.sh
