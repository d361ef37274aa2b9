# What else dom0 may do to a guest: a second CPU, NMIs, another memory target, a pause, an order to suspend that it did not offer.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv image-pvh
more='vcpus = 2'
guest odd "-o qrexec.set-clock=yes" || bad "xl create"
more=
dom0_for $id odd
is "connected, with a second CPU" ready odd
shown=$(sed -n 's/^\(....-..-.. ..:..:..\) -00:00: .*/\1/p' $consoles/guest-odd.log | tail -n 1)
is "its clock is Xen's: $shown" awk -v a=$(date -u -d "$shown" +%s) -v b=$(date -u +%s) 'BEGIN { exit !(b - a >= -2 && b - a < 300) }'
date -u -d @$(($(date -u +%s) + 100000)) +%Y-%m-%dT%H:%M:%S+00:00 | d odd call qubes.SetDateTime
is "qubes.SetDateTime sets it" until_true 60 said odd "^$(date -u -d @$(($(date -u +%s) + 100000)) +%Y-%m-%d) "
xl mem-set odd 16 2>/dev/null; xenstore-write /local/domain/$id/memory/target 8192
is "another memory target: it answers" test "$(echo x | d odd call probe.Echo)" = x
case $kind in
image-*)        # Linux obeys this one
    xenstore-write /local/domain/$id/control/shutdown suspend; usleep 300000
    is "suspend, which it did not offer: it answers" test "$(echo x | d odd call probe.Echo)" = x ;;
esac
case $kind in
image-*)        # Linux says it in its own words
    for n in 1 2 3; do
        xl trigger odd nmi
        is "NMI $n: a line says so" until_true 60 said odd "kernel: NMI ($n so far)"
        is "NMI $n: it answers" test "$(echo $n | d odd call probe.Echo)" = $n
    done
    head -c 2000000 /dev/urandom >/tmp/in
    for n in 1 2 3; do
        d odd call probe.Echo </tmp/in >/tmp/out & call=$!
        for n in 1 2 3 4 5 6 7 8; do xl trigger odd nmi; done
        wait $call
        cmp -s /tmp/in /tmp/out || bad "NMIs in the middle of a call: other bytes"
    done
    is "NMIs in the middle of calls: the same bytes" cmp -s /tmp/in /tmp/out
    rm -f /tmp/in /tmp/out ;;
esac
xl pause odd; sleep 3; xl unpause odd
is "paused for 3 s: it answers" test "$(echo x | d odd call probe.Echo)" = x
(usleep 500000; xl unpause odd) & xl pause odd
is "paused in the middle of a call" test "$(echo y | d odd call probe.Echo)" = y
wait $!
is "nothing lost: no violation" d odd status --strict
xl shutdown odd
is "and it powers off when told" ended_by 0 odd
