#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# get-sources without a network: each way to fail ends with a line that says what to do, and leaves nothing behind.
set -u
program=$UNIK_SOURCE/scripts/get-sources
work=$(mktemp -d) || exit 99; trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
command -v apt-get dpkg-source >/dev/null && [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] ||
    { echo "no apt-get, dpkg-source or debian-archive-keyring here"; exit 77; }
passed=0 failed=0
export UNIK_SOURCES=$work/build UNIK_DEBIAN_MIRROR=
run() { sh "$program" "$@" >out 2>&1; rc=$?; }
# expect NAME RC TEXT: that exit code, TEXT in the last line, and nothing half-done in the folder
expect() {
    if [ $rc = "$2" ] && tail -n 1 out | grep -q -e "$3" && [ -z "$(find build -name 'sources.*' 2>/dev/null)" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1)); echo "FAIL: $1: exit $rc, expected $2 and \"$3\""; sed 's/^/    /' out; ls -a build
    fi
}

# a place that is not there, and one that nobody signed
UNIK_DEBIAN_MIRROR=file:$work/nowhere run lwip; expect "no such place" 1 'UNIK_DEBIAN_MIRROR names another place$'
mkdir -p repo/dists/trixie/main/source; : >repo/dists/trixie/main/source/Sources
printf 'Origin: Debian\nSuite: trixie\nCodename: trixie\nComponents: main\nSHA256:\n %s 0 main/source/Sources\n' \
    "$(sha256sum </dev/null | cut -d ' ' -f 1)" >repo/dists/trixie/Release
UNIK_DEBIAN_MIRROR=file:$work/repo run lwip; expect "not signed" 1 'UNIK_DEBIAN_MIRROR names another place$'
run libev; expect "another library" 1 'libev: only lwip and mbedtls are known'
: >file; UNIK_SOURCES=$work/file/build run lwip; rc_of=$rc; [ "$rc_of" = 0 ] || rc=1; expect "no place for them" 1 'cannot be written; UNIK_SOURCES=DIR'
mkdir -p build/lwip; echo 2.2.0-1 >build/lwip/unik-version
UNIK_DEBIAN_MIRROR=file:$work/nowhere run lwip; rc_of=$rc; echo nothing >>out; expect "there already" 0 nothing
rm -rf build

# an apt-get of ours, which has a source package of a later version
mkdir -p tree/debian/source bin
printf 'Source: lwip\nMaintainer: Nobody <nobody@localhost>\n\nPackage: lwip\nArchitecture: all\nDescription: x\n' >tree/debian/control
version() {
    printf 'lwip (%s) x; urgency=low\n\n  * x\n\n -- Nobody <nobody@localhost>  Thu, 01 Jan 2026 00:00:00 +0000\n' "$1" >tree/debian/changelog
    rm -f lwip_*; dpkg-source -q -b tree 2>/dev/null || exit 99
}
echo '3.0 (native)' >tree/debian/source/format; echo int main >tree/opt.c
cat >bin/apt-get <<'END'
#!/bin/sh
case "$*" in
*update) [ ! -p "$FAKE/gate" ] || { echo >"$FAKE/here"; read -r _ <"$FAKE/gate"; } ;;
*source*) cp "$FAKE"/lwip_* . || exit 1; [ ! -e "$FAKE/cut" ] || truncate -s 100 ./*.tar.* ;;
esac
END
chmod +x bin/apt-get; export FAKE=$work PATH=$work/bin:$PATH UNIK_DEBIAN_MIRROR=file:$work/repo
version 2.3.0; run lwip; expect "another series" 1 'trixie has version 2.3.0, and this was written for 2.2.x$'
version 2.2.9; : >cut; run lwip; expect "cut" 1 'its source package could not be unpacked$'; rm cut
mkfifo gate here
setsid sh "$program" lwip >out 2>&1 & pid=$!
read -r _ <here; kill -TERM -- -$pid; wait $pid; rc=$?; [ "$rc" = 0 ] || rc=1; echo >>out; expect "ended in the middle" 1 ''
sh "$program" lwip >first 2>&1 & one=$!
read -r _ <here
sh "$program" lwip >second 2>&1 & two=$!
until grep -q 'waiting for another one' second; do sleep 0.05; done
mv gate open; echo >open; wait $one; rc=$?; cp first out; expect "two at once: the first" 0 "lwip 2.2.9: $work/build/lwip"
wait $two; rc=$?; cp second out; expect "and the second" 0 'waiting for another one'
run --update lwip; expect "again" 0 "lwip 2.2.9: $work/build/lwip"
[ "$(ls build build/lwip | tr '\n' ' ')" = "build: lwip  build/lwip: debian opt.c unik-version " ] ||
    { failed=$((failed + 1)); echo "FAIL: left:"; find build; }
echo "test-get-sources: $passed passed, $failed failed"
[ "$failed" = 0 ]
