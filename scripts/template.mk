# SPDX-License-Identifier: BSD-2-Clause
# Builds @NAME@.so against the installed unik; "make run" runs it here, "make install" puts it beside the other plugins, "make image"
# makes @NAME@.xen, one file that Xen boots.
PKG_CONFIG ?= PKG_CONFIG_PATH="$$PKG_CONFIG_PATH:@PKGCONFIGDIR@" pkg-config
SUPERVISOR = $(shell $(PKG_CONFIG) --variable=sbindir unik)/unik-supervisor
UNIK_IMAGE = $(shell $(PKG_CONFIG) --variable=bindir unik)/unik-image
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -Wall -Wextra -fPIC -fvisibility=hidden $(shell $(PKG_CONFIG) --cflags unik) $(CFLAGS)

@NAME@.so: @NAME@.c
	$(CC) $(ALL_CFLAGS) -shared -o $@ $< $(LDFLAGS) -lev

@NAME@.o: @NAME@.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

@NAME@.xen: @NAME@.o @NAME@-vm.conf
	$(UNIK_IMAGE) -c @NAME@-vm.conf -o $@ --plugin @NAME@.o

image: @NAME@.xen

run: @NAME@.so
	UNIK_PLUGIN_PATH=. $(SUPERVISOR) -c @NAME@.conf

install: @NAME@.so
	install -D @NAME@.so $(DESTDIR)$(shell $(PKG_CONFIG) --variable=plugindir unik)/@NAME@.so

clean:
	rm -f @NAME@.so @NAME@.o @NAME@.xen @NAME@.cfg @NAME@.qubes
.PHONY: image run install clean
