# A program that probes its kernel's system calls and Xen's devices prints the same lines on Linux (that of dom0) and on boot/.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv image-pvh
mode=xen; [ $kind = image-pv ] || mode=xen-no-self-map
sh /share/make-files /tmp/files
/share/syscalls /tmp/files $mode >/tmp/linux.all 2>&1
grep -v '^note: ' /tmp/linux.all >/tmp/linux
same() {    # HOW CLOCKS: the lines, and whether clocks need a system call
    program_guest syscalls probes "files $mode" || bad "xl create"
    is "$1: ends in order" ended_by 0 probes
    grep -v '^kernel: ' $consoles/guest-probes.log | tr -d '\r' >/tmp/image.all
    grep -v '^note: ' /tmp/image.all >/tmp/image
    is "$1: to the end" grep -q 'syscalls: end' /tmp/image
    diff /tmp/linux /tmp/image >/tmp/diff; differ=$?
    is "$1: $(wc -l </tmp/linux) lines, all the same" test $differ = 0 -a "$(wc -l </tmp/linux)" -gt 500
    head -n 40 /tmp/diff | sed 's/^/      /'
    is "$1: clocks without a system call: $2" grep -q "^note: clocks without a system call: $2" /tmp/image.all
}
# The lab's processor has no counter that Xen trusts, so Xen emulates it unless told otherwise.
more='tsc_mode = "native"' && same "own counter" yes
more='tsc_mode = "always_emulate"'
if [ $kind = image-pv ]; then same "emulated counter" yes; else same "emulated counter" no; fi
more=
rm -rf /tmp/files /tmp/linux /tmp/linux.all /tmp/image /tmp/image.all /tmp/diff
