# Sample configs. In the source tree they name the site by its place there; installed, by its installed place.
confdir = $(sysconfdir)/unik
conf_DATA = conf/installed/qubes.conf conf/installed/unix.conf
EXTRA_DIST += conf/qubes.conf conf/unix.conf
CLEANFILES += $(conf_DATA)
conf/installed/%.conf: $(srcdir)/conf/%.conf Makefile
	$(AM_V_GEN)$(MKDIR_P) conf/installed && sed 's|apps/www/site|$(pkgdatadir)/site|' $< >$@.new && mv $@.new $@
