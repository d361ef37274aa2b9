# xl reboot and xl destroy; a call runs on while the guest is told to stop, and is let finish.
# guests: linux-pv image-pvh
guest life || bad "xl create"
dom0_for $id life
is "connected" ready life
t=$(now); xl reboot life
is "xl reboot ends it" until_true 30 gone life
note "gone $(since $t) s after xl reboot"
is "in order" said life 'supervisor\] reboot: '
clean_up
guest life || bad "xl create"
dom0_for $id life
is "connected again" ready life
(sleep 2; echo last words) | d life call probe.Echo >/tmp/out 2>/dev/null & call=$!
usleep 700000; xl shutdown life; wait $call; rc=$?
is "a call that runs is let finish" test "$(cat /tmp/out)-$rc" = "last words-0"
is "and then it goes" until_true 30 gone life
clean_up
guest life || bad "xl create"
dom0_for $id life
ready life
xl destroy life
is "destroyed: dom0 sees it go" d life wait --seconds 30 gone
