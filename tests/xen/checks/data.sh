# 20 MB each way arrive intact, and through a call that the guest makes itself.
# SPDX-License-Identifier: BSD-2-Clause
# guests: linux-pv image-pvh
guest data || bad "xl create"
printf 'probe.Sum dom0 dom0:md5sum\nprobe.Many dom0 dom0:head -c 20000000 /dev/zero | tr "\\\\000" x\n* * deny\n' >/tmp/policy
dom0_for $id data --policy /tmp/policy
is "connected" ready data
head -c 20000000 /dev/urandom >/tmp/in
t=$(now); d data call probe.Echo </tmp/in >/tmp/out; s=$(since $t)
is "20 MB in and out again, intact" cmp -s /tmp/in /tmp/out
note "$(awk -v s=$s 'BEGIN { printf "%.2f", 20 / s }') MB/s each way at once"
t=$(now); n=$(d data call probe.Discard </tmp/in); s=$(since $t)
is "20 MB in" test "$n" = 20000000
note "$(awk -v s=$s 'BEGIN { printf "%.2f", 20 / s }') MB/s in"
t=$(now); n=$(d data call probe.Chargen+20000000 </dev/null | md5sum); s=$(since $t)
is "20 MB out" test "$(d data call probe.Chargen+20000000 </dev/null | wc -c)" = 20000000
note "$(awk -v s=$s 'BEGIN { printf "%.2f", 20 / s }') MB/s out"
is "the guest calls dom0: output" test "$(d data call probe.Call+dom0+probe.Many </dev/null | md5sum)" = \
    "$(head -c 20000000 /dev/zero | tr '\000' x | md5sum)"
is "the guest calls dom0: input and output" test "$(d data call probe.Call+dom0+probe.Sum </tmp/in)" = "$(md5sum </tmp/in)"
d data call probe.Call+dom0+probe.Denied </dev/null; rc=$?
is "the guest is refused: 126" test $rc = 126
is "no violation" d data status --strict
rm -f /tmp/in /tmp/out
