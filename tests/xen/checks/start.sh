# A guest of nothing but the static supervisor starts, gets dom0's keys, answers 100 calls, and powers off when told.
# guests: linux-pv linux-pvh image-pv image-pvh
t=$(now)
guest start || bad "xl create"
created=$(since $t)
dom0_for $id start
until_true 90 said start 'supervisor\]' ; first=$(since $t)
ready start 90; note "created $created s, first line $first s, qrexec and QubesDB ready $(since $t) s"
is "dom0's keys arrive" test "$(d start call probe.Key+name </dev/null)" = start
d start qubesdb write /vm-config/late here
is "a late key arrives" until_true 5 test "$(d start call probe.Key+vm-config.late </dev/null)" = here
t=$(now); n=0
while [ $n -lt 100 ] && [ "$(echo "call $n" | d start call probe.Echo)" = "call $n" ]; do n=$((n + 1)); done
is "100 service calls" test $n = 100
note "a call, its client's start included: $(awk -v s="$(since $t)" 'BEGIN { printf "%.0f", s * 10 }') ms"
t=$(now); xl shutdown start
is "powers off when told" until_true 30 gone start
s=$(since $t); note "gone $s s after xl shutdown"
is "in order" said start 'supervisor\] stopping: '
is "to the end" said start 'supervisor\] stopped'
is "no violation" d start status --strict
