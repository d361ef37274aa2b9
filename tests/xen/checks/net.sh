# A guest with a network card: ping, names, HTTP, 100 MB each way intact, IPv6, MTU, 200 connections; netfront against dom0's netback.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pvh
megabytes=100
net_guest net 5 || bad "xl create"
dom0_for $id net --qubesdb /tmp/keys.net
is "connected to dom0" ready net || return
is "connected to the back end" until_true 60 said net 'netfront\] device/vif/0: connected to domain 0'
is "ping" until_true 60 ping -c 1 -W 1 10.137.0.5
is "ping over IPv6" until_true 60 ping6 -c 1 -W 1 $a6
is "MTU: the largest packet" ping -c 3 -W 2 -s 1472 $a4
is "and a larger one, in fragments" ping -c 3 -W 2 -s 4000 $a4
page() { wget -O /tmp/page "$1" && cmp /tmp/page /share/1k; }
is "HTTP" page http://$a4/1k
is "HTTP over IPv6" page "http://[$a6]/1k"

/share/net-peer dns 10.139.1.1 example.org=10.137.255.254 & dns=$!
is "a name" test "$(d net call probe.Resolve+example.org </dev/null)" = 10.137.255.254
d net call probe.Resolve+nosuch.example.org </dev/null; rc=$?
is "a name that is not there" test $rc = 1
kill $dns
mkdir -p /tmp/web; cp /share/1k /tmp/web/
listens() { wget -q -O /dev/null "http://$1:8080/1k"; }
httpd -f -p 10.137.255.254:8080 -h /tmp/web & web=$!
until_true 60 listens 10.137.255.254
printf 'GET /1k HTTP/1.0\r\n\r\n' >/tmp/get
for there in 10.137.255.254 fd09_24ef_4179__a89_fffe; do
    [ $there = 10.137.255.254 ] || { kill $web; httpd -f -p '[fd09:24ef:4179::a89:fffe]:8080' -h /tmp/web & web=$!
        until_true 60 listens '[fd09:24ef:4179::a89:fffe]'; }
    d net call probe.Connect+$there+8080 </tmp/get | tail -c 1024 >/tmp/page
    is "the guest connects to $there" cmp -s /tmp/page /share/1k
done
kill $web

rate() { awk -v s="$1" -v n=$megabytes 'BEGIN { printf "%.1f MB/s", n / s }'; }
for there in $a4 $a6; do
    s=$(/share/net-peer receive $there 19 ${megabytes}000000); is "$megabytes MB out, intact: $there" test -n "$s"; out=$(rate "$s")
    s=$(/share/net-peer send $there 9 ${megabytes}000000); is "$megabytes MB in: $there" test -n "$s"; in=$(rate "$s")
    note "$there: out $out, in $in"
done
s=$(/share/net-peer echo $a4 7 ${megabytes}000000); is "$megabytes MB in and out again, intact" test -n "$s"
note "echo: $(rate "$s") each way at once"
s=$(/share/net-peer many $a4 7 200); is "200 connections at once" test -n "$s"
is "all of them counted" test "$(counter net probe connections_high)" -ge 200
# One report, read once: all counters are of the same moment.
d net call unik.Status </dev/null >/tmp/report 2>&1; is_value "the report comes" 0 $?
for c in rx_errors tx_errors bad_peer disconnects; do is_value "netfront: no $c" 0 "$(counter_in /tmp/report netfront $c)"; done
is_value "no bad checksum" 0 "$(counter_in /tmp/report net-lwip bad_sums)"
is_value "no violation of the protocols" 0 "$(d net status | sed -n 's/^violations: //p')"
note "$(awk '/^netfront:/ { on = 1 } /^$/ { on = 0 } on && /(frames|bytes|events|notifies|held_high):/ { printf "%s%s %s", n++ ? ", " : "", $1, $2 }' /tmp/report)"
xl shutdown net
is "powers off when told" until_true 60 gone net
rm -rf /tmp/web /tmp/page /tmp/get /tmp/report
