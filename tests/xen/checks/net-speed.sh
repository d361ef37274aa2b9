# A guest with our TCP/IP and front end next to a Linux PV guest with the kernel's and nginx: HTTP requests a second, bulk TCP each way.
# SPDX-License-Identifier: BSD-2-Clause
# guests: linux-pv
# only when named: three minutes
net_guest ours 5 || bad "xl create ours"
dom0_for $id ours --qubesdb /tmp/keys.ours
as linux-pv net_guest theirs 8; xl destroy theirs
sed -i 's|^ramdisk = .*|ramdisk = "/share/kernel-net.cpio"|; s|^extra = .*|extra = "console=hvc0 quiet -- 10.137.0.8 -c /etc/kernel.conf"|' /tmp/theirs.cfg
xl create -q /tmp/theirs.cfg
is "ours answers" until_true 180 ping -c 1 -W 1 10.137.0.5
is "theirs answers" until_true 180 timeout 10 /share/net-peer load 10.137.0.8 8080 /1k 1 0.1
until_true 60 timeout 10 /share/net-peer load 10.137.0.5 80 /1k 1 0.1
# In short turns, the best of all: the machine is shared.
rm -f /tmp/speed
rounds=6
for i in $(seq $rounds); do
    echo "ours requests $(/share/net-peer load 10.137.0.5 80 /1k 16 1.5)" >>/tmp/speed
    echo "nginx requests $(/share/net-peer load 10.137.0.8 8080 /1k 16 1.5)" >>/tmp/speed
    echo "www requests $(/share/net-peer load 10.137.0.8 80 /1k 16 1.5)" >>/tmp/speed
    for who in 5 8; do
        name=$([ $who = 5 ] && echo ours || echo kernel)
        echo "$name out $(awk -v s="$(/share/net-peer receive 10.137.0.$who 19 5000000)" 'BEGIN { print 5 / s }')" >>/tmp/speed
        echo "$name in $(awk -v s="$(/share/net-peer send 10.137.0.$who 9 5000000)" 'BEGIN { print 5 / s }')" >>/tmp/speed
    done
done
best() { awk -v w=$1 -v k=$2 '$1 == w && $2 == k && $3 > m { m = $3 } END { print m + 0 }' /tmp/speed; }
ratio() { awk -v a=$1 -v b=$2 'BEGIN { printf "%.2f", b ? a / b : 0 }'; }
o=$(best ours requests) n=$(best nginx requests) w=$(best www requests)
note "requests/s of 1 KiB, 16 connections: ours $o, nginx over the kernel $n: $(ratio $o $n); our www over the kernel $w"
for way in out in; do
    o=$(best ours $way) k=$(best kernel $way)
    note "bulk TCP $way: ours $o MB/s, the kernel's $k MB/s: $(ratio $o $k)"
done
is "measured" test "$(awk 'NF == 3 && $3 > 0' /tmp/speed | wc -l)" = $((7 * rounds))
for who in ours nginx www kernel; do
    for what in requests out in; do
        ! grep -q "^$who $what" /tmp/speed || note "$who $what: $(sed -n "s/^$who $what //p" /tmp/speed | tr '\n' ' ')"; done; done
note "ours: $(d ours call unik.Status </dev/null | awk '/^netfront:/ { on = 1 } /^$/ { on = 0 } on && /(frames|bytes|events|notifies):/ { printf "%s%s %s", n++ ? ", " : "", $1, $2 }')"
