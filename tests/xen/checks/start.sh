# A guest of nothing but the static supervisor starts, gets dom0's keys, answers 100 calls, and powers off when told.
# SPDX-License-Identifier: BSD-2-Clause
# guests: linux-pv linux-pvh image-pv image-pvh
t=$(now)
guest start || bad "xl create"
created=$(since $t)
dom0_for $id start
until_true 180 said start 'supervisor\]' ; first=$(since $t)
ready start; note "created $created s, first line $first s, qrexec and QubesDB ready $(since $t) s"
is "dom0's keys arrive" test "$(d start call probe.Key+name </dev/null)" = start
d start qubesdb write /vm-config/late here
late() { [ "$(d start call probe.Key+vm-config.late </dev/null)" = here ]; }
is "a late key arrives" until_true 60 late
t=$(now); n=0
while [ $n -lt 100 ] && [ "$(echo "call $n" | d start call probe.Echo)" = "call $n" ]; do n=$((n + 1)); done
is "100 service calls" test $n = 100
note "a call, its client's start included: $(awk -v s="$(since $t)" 'BEGIN { printf "%.0f", s * 10 }') ms"
t=$(now); xl shutdown start
is "powers off when told" until_true 60 gone start
s=$(since $t); note "gone $s s after xl shutdown"
is "in order" until_true 60 said start 'supervisor\] stopping: '
is "to the end" until_true 60 said start 'supervisor\] stopped'
is "no violation" d start status --strict
