#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The VM's network end to end: unik-supervisor with tap, net-lwip, tls and www in the network of unik-dom0 --net: the address that
# QubesDB gives, late, changed, and wrong; a cable pulled under load; many connections; bytes intact both ways; a VM and a dom0 that
# restart. Skipped where no network namespace with a TAP can be made.
. "${UNIK_SOURCE:-.}/tests/e2e/lib.sh"
source=$(cd "$UNIK_SOURCE" && pwd)
[ -e "$UNIK_BUILD/plugins/.libs/net-lwip.so" ] && [ -e "$UNIK_BUILD/apps/.libs/www.so" ] || { echo "skipped: built without net-lwip or www"; exit 77; }
command -v curl >/dev/null || { echo "skipped: no curl"; exit 77; }
"$unik_dom0" start --net --state "$work/try" >try.out 2>&1 & dom0_pid=$!
until_true grep -qsE '^ready|--net:' try.out; kill "$dom0_pid" 2>/dev/null; wait "$dom0_pid"; dom0_pid=
grep -q ^ready try.out || { echo "skipped: $(cat try.out)"; exit 77; }

net() { ask net exec "$@"; }
web() { net curl -s -g --max-time 600 "$@"; }
code() { web -o /dev/null -w '%{http_code}' "$@"; }
serves() { [ "$(code --connect-timeout 2 "$@")" = 200 ]; }
says() { grep -qE "$1" guest5.log; }
mkdir site keys; echo hello >site/index.html; head -c 20000000 /dev/urandom >site/big
[ ! -e "$UNIK_BUILD/plugins/.libs/tls.so" ] || "$source/tests/tls/certificates.sh" keys
cat >guest5.conf <<END
target = qubes
drain-timeout = 2s
stop-timeout = 50s
[vchan-socket]
domid = 5
dir = $work/state/vchan
[qubesdb]
retry = 20ms
retry-max = 100ms
[qrexec]
connect-timeout = 100s
retry-max = 100ms
[tap]
socket = $work/state/vchan/tap.5
[net-lwip]
[www]
root = site
head-timeout = 3600
idle-timeout = 3600
write-timeout = 3600
END
[ ! -e keys/server.pem ] || printf 'tls-port = 443\n[tls]\ncertificate = keys/server.pem\nkey = keys/server.key\n' >>guest5.conf

# ---- no address at first: the VM runs, and waits ----
printf '/name demo\n/qubes-mac 00:16:3e:5e:6c:00\n/qubes-ip 10.137.0.5.9\n/qubes-gateway 10.137.255.254\n/qubes-ip6 nonsense\n' >no-address
dom0 --domid 5 --name demo --net --qubesdb "$work/no-address" --hosts <(echo 192.0.2.9 else.test)
launch 5; connected 5
until_true says 'net-lwip.*10.137.0.5.9'; same "malformed addresses are named" "1 1" "$(grep -c 'qubes-ip.*10.137.0.5.9' guest5.log) $(grep -c 'qubes-ip6.*nonsense' guest5.log)"
same "everything else runs" ready "$(report 5 | sed -n 's/^qrexec: \([a-z]*\).*/\1/p')"
same "the network waits" starting "$(report 5 | sed -n 's/^net-lwip: \([a-z]*\).*/\1/p')"
ask qubesdb write /qubes-ip 10.137.0.5
until_true serves http://10.137.0.5/; same "the address came late" hello "$(web http://10.137.0.5/)"

# ---- changed while it runs ----
net ip route replace 10.137.0.77 dev vif5.0 2>/dev/null && net ip neigh replace 10.137.0.77 lladdr 00:16:3e:5e:6c:00 dev vif5.0 && {
    ask qubesdb write /qubes-ip 10.137.0.77
    until_true serves http://10.137.0.77/; same "another address" hello "$(web http://10.137.0.77/)"
    same "not the old one any more" 000 "$(code --connect-timeout 1 http://10.137.0.5/)"
    ask qubesdb write /qubes-ip 10.137.0.5; until_true serves http://10.137.0.5/
}

# ---- as users see it ----
ask qubesdb write /qubes-ip6 fd09:24ef:4179::a89:5; until_true serves 'http://[fd09:24ef:4179::a89:5]/'
same "by name" hello "$(web http://demo/)"
same "IPv6" hello "$(web 'http://[fd09:24ef:4179::a89:5]/')"
web http://10.137.0.5/big -o got; same "20 MB intact" "$(sum <site/big)" "$(sum <got)"
[ ! -e keys/ca.pem ] || same "https" hello "$(web --cacert keys/ca.pem --resolve server.test:443:10.137.0.5 https://server.test/)"
for i in 1 2 3 4 5 6; do web http://10.137.0.5/big -o "got$i" & jobs[$i]=$!; done
for i in 1 2 3 4 5 6; do wait "${jobs[$i]}"; done
same "six at once" "$(sum <site/big)" "$(for i in 1 2 3 4 5 6; do sum <"got$i"; done | sort -u)"
cat >many.sh <<'END'
for i in $(seq 200); do exec {fd}<>/dev/tcp/10.137.0.5/80 || exit 1; fds[i]=$fd; done
for fd in "${fds[@]}"; do printf 'GET / HTTP/1.0\r\n\r\n' >&$fd; done
for fd in "${fds[@]}"; do tail -n 1 <&$fd; done | sort | uniq -c | xargs
END
same "200 connections" "200 hello" "$(net timeout 600 bash many.sh)"

# ---- the cable is pulled under load, and plugged in again ----
web --limit-rate 4M --retry 0 http://10.137.0.5/big -o got & job=$!
until_true test -s got
ask net detach; until_true says 'link down'
sleep 0.5; ask net attach
wait $job; rc=$?
same "the download goes on where it was" "0 $(sum <site/big)" "$rc $(sum <got)"
for i in 1 2 3 4 5; do ask net detach; ask net attach; done
until_true serves http://10.137.0.5/; same "pulled five times" hello "$(web http://10.137.0.5/)"

# ---- who restarts ----
end_guest 5; same "the VM ends" 0 "$rc"
launch 5; connected 5; until_true serves http://10.137.0.5/; same "the VM again" hello "$(web http://10.137.0.5/)"
kill -KILL "$dom0_pid"; wait "$dom0_pid" 2>/dev/null
dom0 --domid 5 --name demo --net --qubesdb "$work/no-address"; ask qubesdb write /qubes-ip 10.137.0.5
connected 5; until_true serves http://10.137.0.5/; same "dom0 again, with another namespace" hello "$(web http://10.137.0.5/)"
same "nothing that a real dom0 would not survive" 0 "$(violations)"
end_guest 5; same "end" 0 "$rc"
verdict
