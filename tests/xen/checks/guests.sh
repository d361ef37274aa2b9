# One guest calls a service of another; dom0 only passes the word on. The peer's domain is destroyed in mid-call.
guest alice || bad "xl create alice"; alice=$id
guest bob || bad "xl create bob"; bob=$id
mkdir -p /tmp/dom0.both
printf '* * allow\n' >/tmp/policy
/share/unik-dom0 start --transport xen --state /tmp/dom0.both --vm domid=$alice,name=alice --vm domid=$bob,name=bob \
    --policy /tmp/policy >/tmp/dom0.both.log 2>&1 &
dom0_both=$!; dom0_names="$dom0_names both"
until_true 10 test -n "$(ls /tmp/dom0.both)"
is "both connected" sh -c "/share/unik-dom0 wait --state /tmp/dom0.both --vm alice --seconds 90 qrexec &&
    /share/unik-dom0 wait --state /tmp/dom0.both --vm bob --seconds 90 qrexec"
head -c 1000000 /dev/urandom >/tmp/in
d both call --vm alice probe.Call+bob+probe.Echo </tmp/in >/tmp/out
is "alice calls bob: 1 MB there and back, intact" cmp -s /tmp/in /tmp/out
d both call --vm alice probe.Call+bob+probe.Exit+42 </dev/null; rc=$?
is "alice calls bob: exit code 42" test $rc = 42
is "no violation" d both status --strict

channels=$(event_channels $alice)
t=$(now)
(sleep 600) | d both call --vm alice probe.Call+bob+probe.Echo >/dev/null 2>&1 & call=$!
sleep 2; xl destroy bob
i=0; while kill -0 $call 2>/dev/null && [ $i -lt 150 ]; do i=$((i + 1)); usleep 100000; done
is "bob destroyed in mid-call: alice's call ends" test $i -lt 150
is "alice lives" test "$(echo x | d both call --vm alice probe.Echo)" = x
is "alice's event channels: $channels before the call, $(event_channels $alice) after" until_true 5 test "$(event_channels $alice)" -le "$channels"
kill $call 2>/dev/null
rm -f /tmp/in /tmp/out
