#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# make install and uninstall: a config that was edited is the user's, one that was not is replaced; nothing else is left behind.
set -u
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
work=$(mktemp -d) || exit 99; trap 'rm -rf "$work"' EXIT
passed=0 failed=0
is() { local what=$1; shift; if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL: $what"; fi; }
conf() { make -C "$UNIK_BUILD" -s --no-print-directory "$1" prefix=/usr sysconfdir=/etc DESTDIR="$work/root" >"$work/said" 2>&1 || cat "$work/said"; }
etc=$work/root/etc/unik

conf install-data-local
is "installed" test -s "$etc/qubes.conf" -a -s "$etc/unix.conf"
is "by its installed place" grep -q '^root = /.*/site$' "$etc/qubes.conf"
cp "$etc/qubes.conf" "$work/first"
conf install-data-local
is "again: nothing new" test ! -e "$etc/qubes.conf.new"

echo "# mine" >>"$etc/qubes.conf"; cp "$etc/qubes.conf" "$work/edited"
conf install-data-local
is "an edited one stays" cmp -s "$etc/qubes.conf" "$work/edited"
is "and there is no new one, as nothing is new" test ! -e "$etc/qubes.conf.new"
sed -i 1d "$work/root/usr/share/unik/conf/"*.conf           # as an older version had installed them
cp "$work/root/usr/share/unik/conf/unix.conf" "$etc/unix.conf"
conf install-data-local
is "an edited one stays over a new version" cmp -s "$etc/qubes.conf" "$work/edited"
is "which is beside it" cmp -s "$etc/qubes.conf.new" "$work/first"
is "and make says so" grep -q 'qubes.conf: was edited, and stays' "$work/said"
is "one that was not edited is the new one" test "$(sed -n 1p "$etc/unix.conf" | cut -c 1-9)" = "# unix.co"

conf uninstall-conf
is "uninstalled: the edited one stays" cmp -s "$etc/qubes.conf" "$work/edited"
rm -f "$etc/qubes.conf"
is "and nothing else" test -z "$(find "$work/root" -type f)"
conf install-data-local; conf uninstall-conf
is "nothing edited: nothing left" test -z "$(find "$work/root" -type f)" -a ! -e "$etc"

# a program whose library is missing, as one whose objects are
program=tests/xen/xenstore-live
[ -e "$UNIK_BUILD/$program" ] || { make -C "$UNIK_BUILD" -n $program ${program//[\/-]/_}_{OBJECTS,LDADD,DEPENDENCIES}= >"$work/said" 2>&1
    is "what cannot be made says so" grep -q "$program is not made here: configure left out" "$work/said"; }
echo "test-install: $passed passed, $failed failed"
[ "$failed" = 0 ]
