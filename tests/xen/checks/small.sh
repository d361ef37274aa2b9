# The least memory: 8 MiB as PV, 24 as PVH, and much of it: 700 MiB, which a program can have.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv image-pvh
[ $kind = image-pv ] && memory=8 || memory=24
guest small "" $memory || bad "xl create with $memory MiB"
dom0_for $id small
is "connected with $memory MiB" ready small
head -c 1000000 /dev/urandom >/tmp/in
d small call probe.Echo </tmp/in >/tmp/out
is "1 MB in and out again" cmp -s /tmp/in /tmp/out
n=0; while [ $n -lt 50 ] && [ "$(echo $n | d small call probe.Echo)" = $n ]; do n=$((n + 1)); done
is "50 calls" test $n = 50
is "no violation" d small status --strict
note "$(sed -n 's/.*\(P[VH]* guest, [0-9]* kB free\).*/\1/p' $consoles/guest-small.log | head -n 1) of $memory MiB before the program"
note "guest.xen: $(($(stat -c %s /share/guest.xen) / 1024)) KiB"
rm -f /tmp/in /tmp/out
clean_up
guest big "" 700 || bad "xl create with 700 MiB"
dom0_for $id big
is "connected with 700 MiB" ready big
taken=$(d big call misdeed.Memory </dev/null 2>/dev/null)
is "of which a program takes at least 600000 KiB: $taken" test "${taken%% *}" -ge 600000
is "the guest answers" test "$(echo x | d big call probe.Echo)" = x
