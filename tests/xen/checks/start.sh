# A PV and a PVH guest of nothing but the static supervisor start, get dom0's keys, answer 100 calls, and power off when told.
for type in pv pvh; do
    t=$(now)
    guest start$type $type || { bad "$type: xl create"; continue; }
    created=$(since $t)
    dom0_for $id start$type
    until_true 90 said start$type 'supervisor\]' ; first=$(since $t)
    ready start$type 90; note "$type: created $created s, first line $first s, qrexec and QubesDB ready $(since $t) s"
    is "$type: dom0's keys arrive" test "$(d start$type call probe.Key+name </dev/null)" = start$type
    d start$type qubesdb write /vm-config/late here
    is "$type: a late key arrives" until_true 5 test "$(d start$type call probe.Key+vm-config.late </dev/null)" = here
    t=$(now); n=0
    while [ $n -lt 100 ] && [ "$(echo "call $n" | d start$type call probe.Echo)" = "call $n" ]; do n=$((n + 1)); done
    is "$type: 100 service calls" test $n = 100
    note "$type: a call, its client's start included: $(awk -v s="$(since $t)" 'BEGIN { printf "%.0f", s * 10 }') ms"
    t=$(now); xl shutdown start$type
    is "$type: powers off when told" until_true 30 gone start$type
    s=$(since $t); note "$type: gone $s s after xl shutdown"
    is "$type: in order" said start$type 'supervisor\] stopping: '
    is "$type: to the end" said start$type 'supervisor\] stopped'
    is "$type: no violation" d start$type status --strict
done
