#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The manual and the sample configs against what the programs say of themselves: every plugin and key of --describe stands in
# unik.conf(5) and the other way round; the samples pass --check; the pages are well-formed; the README's files exist.
set -u
cd "$UNIK_SOURCE" || exit 99
failed=0
bad() { failed=$((failed + 1)); echo "FAIL: $*"; }

# "plugin key" for each option of the tables
"$UNIK_BUILD/unik-supervisor" --describe | awk '
    /^\[/ { split($1, a, /[][]/); plugin = a[2] }
    /^keys of every plugin/ { plugin = "every" }
    held != "" && /; default / { print plugin, held }
    { held = "" }
    /^  [a-z][a-z0-9-]* +[^ ]/ && !/^  (counter|from:|targets:|needs:|wants:|provides:)/ { held = $1 }' | sort >"${TMPDIR:-/tmp}/unik-described.$$"
awk '/^\.Sh SUPERVISOR/ { plugin = "supervisor" } /^\.Sh EVERY/ { plugin = "every" } /^\.Sh (PLUGINS|FILES)/ { plugin = "" }
    /^\.Ss / { plugin = $2 } /^\.It Cm / && plugin { print plugin, $3 }' man/unik.conf.5 |
    { if [ -e "$UNIK_BUILD/plugins/.libs/net-lwip.so" ]; then cat; else grep -v '^net-lwip '; fi; } | sort >"${TMPDIR:-/tmp}/unik-manual.$$"
[ "$(wc -l <"${TMPDIR:-/tmp}/unik-described.$$")" -gt 20 ] || bad "--describe prints too little to compare"
d=$(diff "${TMPDIR:-/tmp}/unik-described.$$" "${TMPDIR:-/tmp}/unik-manual.$$") || bad "unik.conf(5) (>) is not what --describe says (<):
$d"
rm -f "${TMPDIR:-/tmp}/unik-described.$$" "${TMPDIR:-/tmp}/unik-manual.$$"

for c in conf/*.conf; do
    VCHAN_DOMAIN=1 "$UNIK_BUILD/unik-supervisor" -c "$c" --check >/dev/null || bad "$c"
done

if command -v mandoc >/dev/null; then
    for page in man/*.[1-9]; do
        mandoc -T lint -W warning "$page" || bad "$page"
    done
fi
for f in $(grep -o '`\(include\|conf\|doc\|scripts\|man\|apps\|plugins\|tests\|tools\|bench\)/[A-Za-z0-9./-]*`' README.md | tr -d '`' | sort -u); do
    [ -e "$f" ] || bad "README.md names $f, which is not there"
done
echo "test-docs: $failed failed"
[ "$failed" = 0 ]
