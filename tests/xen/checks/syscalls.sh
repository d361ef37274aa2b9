# A program that probes its kernel's system calls and Xen's devices prints the same lines on Linux (that of dom0) and on boot/.
# guests: image-pv image-pvh
mode=xen; [ $kind = image-pv ] || mode=xen-no-self-map
sh /share/make-files /tmp/files
/share/syscalls /tmp/files $mode >/tmp/linux 2>&1
program_guest syscalls probes "files $mode" || bad "xl create"
is "ends in order" ended_by 0 probes
grep -v '^kernel: ' $consoles/guest-probes.log | tr -d '\r' >/tmp/image
is "to the end" grep -q 'syscalls: end' /tmp/image
diff /tmp/linux /tmp/image >/tmp/diff
is "$(wc -l </tmp/linux) lines, all the same" test $? = 0 -a "$(wc -l </tmp/linux)" -gt 500
head -n 40 /tmp/diff | sed 's/^/      /'
rm -rf /tmp/files /tmp/linux /tmp/image /tmp/diff
