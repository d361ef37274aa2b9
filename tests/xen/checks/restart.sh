# dom0's daemons are killed and come back 200 times; nothing is left over: grants, event channels, nodes, watches.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pvh
guest restart "-o qrexec.retry-max=50ms -o qubesdb.retry=50ms -o qubesdb.retry-max=50ms" || bad "xl create"
dom0_for $id restart
is "connected" ready restart
d restart call probe.Echo </dev/null
left() { echo "$(grants $id) $(event_channels $id) $(nodes $id) $(counter restart xenstore watches) $(counter restart vchan-xen open)"; }
read -r g e n w v <<LEFT
$(settled left)
LEFT
t=$(now); i=0
while [ $i -lt 200 ]; do        # every tenth time a kill, which leaves the closing to the kernel; else an orderly close
    if [ $((i % 10)) = 0 ]; then
        eval "kill -9 \$dom0_restart"; eval "wait \$dom0_restart" 2>/dev/null
        dom0_for $id restart
    else
        d restart restart --seconds 0 qrexec; d restart restart --seconds 0 qubesdb
    fi
    ready restart || break
    i=$((i + 1))
    [ $((i % 20)) = 0 ] && { [ "$(echo $i | d restart call probe.Echo)" = $i ] || break; }
done
is "200 times back" test $i = 200
note "$(awk -v s="$(since $t)" 'BEGIN { printf "%.0f", s * 5 }') ms each"
d restart call probe.Echo </dev/null
read -r g2 e2 n2 w2 v2 <<LEFT
$(settled left)
LEFT
is "grants: $g before, $g2 after" test "$g" = "$g2"
is "event channels: $e before, $e2 after" test "$e" = "$e2"
is "xenstore nodes: $n before, $n2 after" test "$n" = "$n2"
is "watches: $w before, $w2 after" test "$w" = "$w2" -a -n "$w"
is "channels: $v before, $v2 after" test "$v" = "$v2" -a -n "$v"
