# A program that knows nothing of us: Debian's busybox as an image, with files from a ramdisk, says what it says on Linux.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv image-pvh
# its COMMAND NAME: what it prints as a guest is what it printed on the machine that made the image
its() {
    program_guest busybox smoke "$2" || { bad "$1: xl create"; return; }
    is "$1: ends" ended_by "${3:-0}" smoke
    grep -v '^kernel: ' $consoles/guest-smoke.log | tr -d '\r' >/tmp/said
    is "$1: the same output" cmp /tmp/said /share/smoke/$1
}
its cat "cat smoke/text smoke/script.sh"
its sha256sum "sha256sum smoke/text smoke/big smoke/count.awk"
its awk "awk -f smoke/count.awk smoke/text"
its sh "sh smoke/script.sh"
its ls "ls -1R smoke"
its wc "wc smoke/text smoke/big"
rm -f /tmp/said
