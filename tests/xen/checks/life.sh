# xl reboot and xl destroy; a call runs on while the guest is told to stop, and is let finish.
# SPDX-License-Identifier: BSD-2-Clause
# guests: linux-pv image-pvh
guest life || bad "xl create"
dom0_for $id life
is "connected" ready life
t=$(now); xl reboot life
is "xl reboot ends it" until_true 60 gone life
note "gone $(since $t) s after xl reboot"
is "in order" until_true 60 said life 'supervisor\] reboot: '
clean_up
guest life || bad "xl create"
dom0_for $id life
is "connected again" ready life
rm -f /tmp/words; mkfifo /tmp/words
d life call probe.Echo </tmp/words >/tmp/out 2>/dev/null & call=$!
exec 9>/tmp/words
two_calls() { [ "$(counter life qrexec calls_running)" = 2 ]; }    # the question is one
is "a call runs" until_true 60 two_calls
xl shutdown life; until_true 60 said life 'supervisor\] stopping'
echo last words >&9; exec 9>&-; wait $call; rc=$?
is "a call that runs is let finish" test "$(cat /tmp/out)-$rc" = "last words-0"
is "and then it goes" until_true 60 gone life
clean_up
guest life || bad "xl create"
dom0_for $id life
ready life
xl destroy life
is "destroyed: dom0 sees it go" d life wait --seconds 60 gone
