#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# unik-dom0 start --net: the namespace with its TAPs, addresses, neighbours and names; the cable given and pulled; nothing left at
# the end, however it comes; as root, and without root in a user namespace. Skipped where neither can make a namespace.
. "${UNIK_SOURCE:-.}/tests/e2e/lib.sh"
tap_guest=$UNIK_BUILD/tests/net/tap-guest

# possible COMMAND...: can a network with a TAP be made so? COMMAND runs it in another way, such as setpriv
possible() { "$@" "$unik_dom0" start --net --state "$work/try" >try.out 2>&1 & local pid=$!
    until_true grep -qsE '^ready|--net:' try.out; kill "$pid" 2>/dev/null; wait "$pid"; grep -q ^ready try.out; rm -rf "$work/try"; }
if ! possible env >/dev/null; then echo "skipped: $(cat try.out)"; exit 77; fi

net() { ask net exec "$@"; }
pid_inside() { ask status >/dev/null && pgrep -P "$dom0_pid" -f unik-dom0 | head -n 1; }

printf '# a comment\n192.0.2.7 seven.test  sieben.test\n2001:db8::7 seven.test\nrubbish line\n' >hosts
dom0 --domid 5 --name demo --vm domid=300,name=other --net --hosts "$work/hosts"
inside=$(pid_inside)

# ---- addresses ----
same "VM's addresses" "10.137.0.5 10.137.255.254 10.139.1.1 10.139.1.2" \
    "$(for k in ip gateway primary-dns secondary-dns; do ask qubesdb read /qubes-$k; done | xargs)"
same "the other's" "10.137.1.46 fd09:24ef:4179::a89:12c 10.137.255.254" \
    "$(for k in ip ip6 gateway; do ask qubesdb --vm other read /qubes-$k; done | xargs)"
routes() { net cat /proc/net/route | awk 'NR > 1 { print $1, $2, $8 }' | sort | xargs; }
same "routes to the VMs alone" "vif300.0 2E01890A FFFFFFFF vif5.0 0500890A FFFFFFFF" "$(routes)"
same "Netback's MAC" "fe:ff:ff:ff:ff:ff" "$(net cat /sys/class/net/vif5.0/address 2>/dev/null || net ip -o link show vif5.0 | grep -o fe:ff:ff:ff:ff:ff)"
same "neighbours that need not be asked for" "10.137.0.5 0x6 00:16:3e:5e:6c:00 vif5.0" \
    "$(net cat /proc/net/arp | awk '$6 == "vif5.0" { print $1, $3, $4, $6 }')"
same "names are asked of the VMs' servers" "10.139.1.1 10.139.1.2" "$(net cat /etc/resolv.conf | awk '{ print $2 }' | xargs)"
net sh -c 'exit 7'; same "exit code of a command" 7 $?
net no-such-command 2>err; same "no such command" 127 $?

# ---- the cable ----
"$tap_guest" state/vchan/tap.5 hold >held & others+=($!)
ask wait --seconds 600 net; same "linked" 0 $?
same "its state" "network: vif5.0, link" "$(ask status --vm demo | grep ^network)"
same "the other's state" "network: vif300.0, no link" "$(ask status --vm other | grep ^network)"
ask net detach
until_true grep -q end held; same "pulled: the VM is told" "linked end" "$(xargs <held)"
same "pulled" "network: vif5.0, pulled" "$(ask status --vm demo | grep ^network)"
"$tap_guest" state/vchan/tap.5 hold >held; same "nobody gets a pulled cable" 2 $?
ask net attach

# ---- names ----
name() { "$tap_guest" state/vchan/tap.5 ask 10.137.0.5 "$1"; }
same "a VM" "0 10.137.0.5" "$(name demo)"
same "another" "0 10.137.1.46" "$(name OTHER)"
same "a host of the file" "0 192.0.2.7" "$(name seven.test)"
same "its other name" "0 192.0.2.7" "$(name sieben.test)"
ask qubesdb write /qubes-ip 10.137.0.77
same "as the key says now" "0 10.137.0.77" "$(name demo)"
same "asked" "names: 5 asked, 5 known here, 0 passed on, 0 refused" "$(ask status --vm demo | grep ^names)"

# ---- the end ----
stop_dom0; same "end" 0 $?
until_true gone "$inside"; same "the process inside has gone" 1 "$(gone "$inside" && echo 1)"
same "sockets have gone" "" "$(ls state/vchan)"

printf '/qubes-ip not.an.address\n/qubes-mac 00:16:3e:00:00:99\n' >keys
dom0 --domid 5 --qubesdb "$work/keys" --net
inside=$(pid_inside)
same "keys of a file stay; the namespace has what it can use" "not.an.address 10.137.255.254 vif5.0 0500890A FFFFFFFF" \
    "$(ask qubesdb read /qubes-ip) $(ask qubesdb read /qubes-gateway) $(routes)"
kill -KILL "$dom0_pid"; wait "$dom0_pid" 2>/dev/null
until_true gone "$inside"; same "killed: the process inside has gone" 1 "$(gone "$inside" && echo 1)"
dom0_pid=

# ---- without root ----
if [ "$(id -u)" = 0 ] && id nobody >/dev/null 2>&1; then
    chmod 711 "$work"; mkdir "$work/theirs"; chown nobody "$work/theirs"
    # /dev/net/tun is everybody's on an ordinary machine; here only in a mount namespace of this test
    cat >as-nobody <<-END
	#!/bin/bash
	mknod "$work/tun" c 10 200 && chmod 666 "$work/tun" && mount --bind "$work/tun" /dev/net/tun || exit 99
	exec setpriv --reuid nobody --regid nogroup --clear-groups "\$@"
	END
    chmod 755 as-nobody
    unshare -m ./as-nobody "$unik_dom0" start --net --domid 5 --state "$work/theirs/state" >nobody.out 2>nobody.log & dom0_pid=$!
    if until_true grep -qsE '^ready|--net:' nobody.out nobody.log && grep -q ^ready nobody.out; then
        as_nobody() { setpriv --reuid nobody --regid nogroup --clear-groups env UNIK_DOM0_STATE="$work/theirs/state" "$unik_dom0" "$@"; }
        same "without root: a namespace" "vif5.0 0500890A FFFFFFFF" \
            "$(as_nobody net exec cat /proc/net/route | awk 'NR > 1 { print $1, $2, $8 }' | xargs)"
        same "without root: names" "10.139.1.1 10.139.1.2" "$(as_nobody net exec cat /etc/resolv.conf | awk '{ print $2 }' | xargs)"
        same "without root: a name" "0 10.137.0.5" "$("$tap_guest" theirs/state/vchan/tap.5 ask 10.137.0.5 vm5)"
        stop_dom0; same "without root: end" 0 $?
    else
        echo "left out: without root: $(cat nobody.log)"
        kill "$dom0_pid" 2>/dev/null; wait "$dom0_pid"; dom0_pid=
    fi
fi
verdict
