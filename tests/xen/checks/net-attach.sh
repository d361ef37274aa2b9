# The card is detached and attached again, under load, and its nodes vanish without a word; nothing is left over in the guest.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv
spec=mac=00:16:3e:5e:6c:00,bridge=xenbr0
guest_vif= net_guest card 6 "-o netfront.retry=100ms" || bad "xl create"
dom0_for $id card --qubesdb /tmp/keys.card
is "connected to dom0, without a card" ready card || return
is "a line says so" until_true 60 said card 'netfront\] degraded: no network interface: device/vif is empty'
links() { counter card netfront connects; }
up() { until_true 60 ping -c 1 -W 1 $a4; }
page() { wget -O /tmp/page "http://$a4/1k" && cmp /tmp/page /share/1k; }
xl network-attach card $spec
is "attached: ping" up
is "attached: HTTP" page
wait_gone() { until_true 60 sh -c "! xenstore-exists /local/domain/$id/device/vif/0/state"; }

# with traffic both ways all the time
left() { echo "$(grants $id) $(event_channels $id) $(counter card xenstore watches)"; }
read -r g e v <<LEFT
$(settled left)
LEFT
(while :; do /share/net-peer receive $a4 19 2000000 || sleep 1; done) >/dev/null 2>&1 & out=$!
(while :; do /share/net-peer send $a4 9 2000000 || sleep 1; done) >/dev/null 2>&1 & in=$!
n=0
while [ $n -lt 5 ]; do
    sleep 2
    xl network-detach card 0 || break
    wait_gone || break
    xl network-attach card $spec || break
    up || break
    n=$((n + 1))
done
is "detached and attached under load, 5 times" test $n = 5
kill $out $in; wait $out $in 2>/dev/null
is "HTTP afterwards" page
is "the guest answers" test "$(echo x | d card call probe.Echo)" = x

# as when the back end's domain is dead: the nodes vanish, no state is seen
before=$(links)
xenstore-rm /local/domain/$id/device/vif/0
is "nodes gone: a line says so" until_true 60 said card 'it was taken away'
xenstore-rm /local/domain/0/backend/vif/$id/0; usleep 500000
xl network-attach card $spec
is "attached again after that: ping" up
is "and that is a new link" test "$(links)" -gt "$before"

read -r g2 e2 v2 <<LEFT
$(settled left)
LEFT
is "grants: $g before, $g2 after" test "$g2" -le "$((g + 8))"
is "event channels: $e before, $e2 after" test "$e" = "$e2"
is "watches: $v before, $v2 after" test "$v" = "$v2"
is "frames held: none" test "$(counter card netfront rx_held)" = 0
is "no rule broken" test "$(counter card netfront bad_peer)" = 0
note "$(links) links"
xl network-detach card 0
is "detached: a line says so" until_true 60 sh -c "[ \$(grep -c 'device/vif is empty' $consoles/guest-card.log) -ge 2 ]"
is "the guest answers" test "$(echo x | d card call probe.Echo)" = x
xl shutdown card
is "powers off when told" until_true 60 gone card
rm -f /tmp/page
