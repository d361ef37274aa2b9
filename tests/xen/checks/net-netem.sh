# A network that loses 2 % of the packets each way, lets some overtake others, and takes 10 ms: bytes intact, connections survive.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pvh
# only when named: two minutes, most of them waiting for what was lost
net_guest net 5 || bad "xl create"
dom0_for $id net --qubesdb /tmp/keys.net
is "connected to dom0" ready net 90 || return
# The far end is in a namespace behind dom0, which forwards: what goes there leaves dom0 through far0, what comes through the vif.
unshare -n sleep 1000 & far=$!
ip link add far0 type veth && ip link set veth0 netns $far
inside() { nsenter -t $far -n "$@"; }
echo 1 >/proc/sys/net/ipv4/ip_forward
ip addr add 10.99.0.1/24 dev far0; ip link set far0 up
inside ip addr add 10.99.0.2/24 dev veth0; inside ip link set veth0 up; inside ip route add default via 10.99.0.1
is "ping" until_true 60 inside ping -c 1 -W 1 $a4
is "a bad network, each way" sh -c "/share/netem vif$id.0 2 10 20 && /share/netem far0 2 10 20"
for way in receive send; do
    port=9; [ $way = send ] || port=19
    s=$(inside /share/net-peer $way $a4 $port 1000000); is "1 MB intact: $way" test -n "$s"
    note "$way: 1 MB in $s s"
done
s=$(inside /share/net-peer echo $a4 7 500000); is "half a MB in and out again, intact" test -n "$s"
s=$(inside /share/net-peer many $a4 7 50); is "50 connections at once" test -n "$s"
for i in vif$id.0 far0; do
    c=$(/share/netem $i counts); note "$i: $c"
    is "$i: packets were lost" test "${c##* }" -gt 5
done
is "segments were sent again" test "$(counter net net-lwip fast_retransmits)" -gt 0
is "no bad checksum" test "$(counter net net-lwip bad_sums)" = 0
kill $far; wait $far 2>/dev/null
ip link del far0 2>/dev/null
xl shutdown net
is "powers off when told" until_true 60 gone net
