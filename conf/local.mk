# SPDX-License-Identifier: BSD-2-Clause
# Sample configs. In the source tree they name the site by its place there; installed, by its installed place. Once installed they are
# the user's: one that was edited stays, and the new one goes beside it as NAME.new. What was installed is kept in confsampledir, which
# tells what was edited since.
confdir = $(sysconfdir)/unik
confsampledir = $(pkgdatadir)/conf
CONFS = conf/installed/qubes.conf conf/installed/unix.conf
EXTRA_DIST += conf/qubes.conf conf/unix.conf
CLEANFILES += $(CONFS)
all-local: $(CONFS)
conf/installed/%.conf: $(srcdir)/conf/%.conf Makefile
	$(AM_V_GEN)$(MKDIR_P) conf/installed && sed 's|apps/www/site|$(pkgdatadir)/site|' $< >$@.new && mv $@.new $@

install-data-local: $(CONFS)
	@$(MKDIR_P) "$(DESTDIR)$(confdir)" "$(DESTDIR)$(confsampledir)"
	@for c in $(CONFS); do \
		name=`basename $$c`; to="$(DESTDIR)$(confdir)/$$name"; sample="$(DESTDIR)$(confsampledir)/$$name"; \
		if test ! -e "$$to" || cmp -s "$$to" $$c || cmp -s "$$to" "$$sample"; then \
			$(INSTALL_DATA) $$c "$$to" && rm -f "$$to.new" || exit 1; \
		elif cmp -s $$c "$$sample"; then :; \
		else \
			echo "$$to: was edited, and stays; the new one is $$name.new"; \
			$(INSTALL_DATA) $$c "$$to.new" || exit 1; \
		fi; \
		$(INSTALL_DATA) $$c "$$sample" || exit 1; \
	done
uninstall-local: uninstall-conf
.PHONY: uninstall-conf
uninstall-conf:
	@for c in $(CONFS); do \
		name=`basename $$c`; to="$(DESTDIR)$(confdir)/$$name"; sample="$(DESTDIR)$(confsampledir)/$$name"; \
		if test -e "$$sample" && test -e "$$to" && ! cmp -s "$$to" "$$sample"; then echo "$$to: was edited, and stays"; \
		elif test -e "$$sample"; then rm -f "$$to"; fi; \
		rm -f "$$to.new" "$$sample"; \
	done
	@for d in "$(DESTDIR)$(confdir)" "$(DESTDIR)$(confsampledir)"; do test ! -d "$$d" || rmdir "$$d" 2>/dev/null || :; done

TESTS += tests/test-install.sh
dist_noinst_SCRIPTS += tests/test-install.sh
