# One guest calls a service of another; dom0 only passes the word on. The peer's domain is destroyed in mid-call.
# SPDX-License-Identifier: BSD-2-Clause
# guests: linux-pv image-pv
guest alice || bad "xl create alice"; alice=$id
guest bob || bad "xl create bob"; bob=$id
mkdir -p /tmp/dom0.both
printf '* * allow\n' >/tmp/policy
/share/unik-dom0 start --transport xen --state /tmp/dom0.both --vm domid=$alice,name=alice --vm domid=$bob,name=bob \
    --deadline 120 --connect-timeout 120 --policy /tmp/policy >/tmp/dom0.both.log 2>&1 &
dom0_both=$!; dom0_names="$dom0_names both"
until_true 60 grep -q '^ready' /tmp/dom0.both.log
is "both connected" sh -c "/share/unik-dom0 wait --state /tmp/dom0.both --vm alice --seconds 90 qrexec &&
    /share/unik-dom0 wait --state /tmp/dom0.both --vm bob --seconds 90 qrexec"
head -c 1000000 /dev/urandom >/tmp/in
d both call --vm alice probe.Call+bob+probe.Echo </tmp/in >/tmp/out
is "alice calls bob: 1 MB there and back, intact" cmp -s /tmp/in /tmp/out
d both call --vm alice probe.Call+bob+probe.Exit+42 </dev/null; rc=$?
is "alice calls bob: exit code 42" test $rc = 42
is "no violation" d both status --strict

channels=$(settled event_channels $alice)
mkfifo /tmp/open; sleep 600 >/tmp/open & hold=$!
d both call --vm alice probe.Call+bob+probe.Echo </tmp/open >/dev/null 2>&1 & call=$!
more() { [ "$(event_channels $alice)" -gt "$((channels + 1))" ]; }
is "a call from alice to bob runs" until_true 60 more; sleep 2
xl destroy bob
is "bob destroyed in mid-call: alice's call ends" until_true 60 sh -c "! kill -0 $call"
wait $call; rc=$?
is "with 255: its service is lost" test $rc = 255
is "alice lives" test "$(echo x | d both call --vm alice probe.Echo)" = x
now_channels=$(settled event_channels $alice)
is "alice's event channels: $channels before the call, $now_channels after" test "$now_channels" -le "$channels"
kill $hold $call 2>/dev/null
rm -f /tmp/in /tmp/out /tmp/open

guest carol || bad "xl create carol"; carol=$id
guest dave "-o vecho.domid=$carol" || bad "xl create dave"; dave=$id
offered() { xenstore-exists /local/domain/$dave/data/vchan/$carol/7/ring-ref; }
is "dave offers a channel to carol" until_true 60 offered
xl destroy carol
is "carol destroyed before she came: dave hears of it" until_true 60 said dave 'vecho\] ended: peer domain is gone'
