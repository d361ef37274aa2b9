# An idle guest with a network does not wake: for a minute no timer of TCP/IP fires, and it takes no CPU (bench/vm.sh --image).
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pvh
# only when named
net_guest net 5 || bad "xl create"
dom0_for $id net --qubesdb /tmp/keys.net
is "connected to dom0" ready net || return
is "ping" until_true 60 ping -c 1 -W 1 $a4
is "a page" wget -q -O /dev/null http://$a4/1k
cpu() { xl list net | awk 'NR == 2 { print $6 }'; }
wakeups() { counter net net-lwip wakeups; }
# What has been used leaves something to be waited for once, at most as long as TIME-WAIT, 30 s; no timer runs before.
quiet() { local before; before=$(wakeups); sleep 35; [ "$(wakeups)" = "$before" ]; }
is "comes to rest" until_true 1 quiet
settled cpu >/dev/null; a=$(wakeups) c=$(cpu); sleep 60; e=$(cpu) b=$(wakeups)
note "idle with a network: $((b - a)) wake-ups of TCP/IP and $(awk -v a=$c -v b=$e 'BEGIN { printf "%.1f", b - a }') s of CPU in a minute"
is_value "no timer of TCP/IP in a minute" 0 $((b - a))
xl shutdown net
is "powers off when told" until_true 60 gone net
