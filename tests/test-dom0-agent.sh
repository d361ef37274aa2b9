#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The whole chain: unik-dom0, and a supervisor with the transport, QubesDB and qrexec plugins as the guest. Calls of all
# sizes, many at once, and every fault of dom0's; the guest breaks no rule, loses no port, and goes on.
set -u
build=${UNIK_BUILD:-.} failed=0 done=0 dom0= guest=
unik_dom0=$build/tools/unik-dom0/unik-dom0
work=$(mktemp -d) || exit 99
end() {
    [ -n "$guest" ] && kill "$guest" 2>/dev/null
    [ -n "$dom0" ] && kill "$dom0" 2>/dev/null
    wait; rm -rf "$work"
}
trap end EXIT
export UNIK_DOM0_STATE=$work/state
me=$(id -un)

check() {       # check NAME WANTED FOUND
    done=$((done + 1))
    [ "$2" = "$3" ] || { failed=$((failed + 1)); echo "FAIL: $1: expected \"$2\", found \"$3\""; }
}
call() { "$unik_dom0" call --user "$me" "$@" 2>>"$work/call.err"; }
code() { call "$@" >/dev/null </dev/null; echo $?; }
sum() { md5sum | cut -c 1-32; }
connected() { "$unik_dom0" wait --seconds 600 qrexec && "$unik_dom0" wait --seconds 600 qubesdb; echo $?; }
violations() { "$unik_dom0" status | sed -n 's/^violations: //p'; }
# All ports are released, soon.
ports() {
    for _ in $(seq 6000); do "$unik_dom0" status | grep -q "^ports: 0 " && break; sleep 0.1; done
    "$unik_dom0" status | sed -n 's/^ports: //p'
}

mkdir "$work/services" "$work/state"
service() { printf '#!/bin/sh\n%s\n' "$2" >"$work/services/$1"; chmod +x "$work/services/$1"; }
service t.Cat 'exec cat'
service t.Size 'head -c "$1" /dev/zero'
service t.Count 'wc -c'
service t.Exit 'echo to stderr >&2; exit "$1"'
service t.Early 'exec <&-; echo early'
# begin CONNECT-TIMEOUT: the guest
begin() {
    cat >"$work/guest.conf" <<-END
	target = qubes
	[vchan-socket]
	domid = 1
	dir = $work/state/vchan
	[qubesdb]
	[qrexec]
	service-path = $work/services
	connect-timeout = $1
	END
    "$build/unik-supervisor" -c "$work/guest.conf" >>"$work/guest.log" 2>&1 & guest=$!
}
# The machine may stand still for as long as it likes: nobody is late before the test has failed otherwise.
"$unik_dom0" start --state "$work/state" --deadline 3600 --connect-timeout 3600 >"$work/dom0.out" 2>"$work/dom0.log" & dom0=$!
for _ in $(seq 6000); do grep -q ready "$work/dom0.out" && break; sleep 0.05; done
begin 3600
check 'guest connects' 0 "$(connected)"

for n in 0 1 4096 4097 65535 65536 65537 131072 5000000; do
    check "$n bytes out" "$n" "$(call "t.Size+$n" </dev/null | wc -c)"
    check "$n bytes in" "$n" "$(head -c $n /dev/zero | call t.Count | tr -d ' ')"
    head -c $n /dev/urandom >"$work/data"
    check "$n bytes both ways" "$(sum <"$work/data")" "$(call t.Cat <"$work/data" | sum)"
done
for n in 0 1 44 255; do check "exit code $n" $n "$(code t.Exit+$n)"; done
check 'stderr' 'to stderr' "$(call t.Exit+0 2>&1 >/dev/null </dev/null; tail -n 1 "$work/call.err")"
check 'no such service' 127 "$(code no.such.Service)"
check 'input that nobody reads' early "$(head -c 300000 /dev/zero | call t.Early)"
mkfifo "$work/fifo"; exec 9<>"$work/fifo"
call --timeout 0.3 t.Cat <&9; check 'a caller that leaves' 124 $?
exec 9<&-

pids=
for i in $(seq 100); do (call t.Cat </etc/passwd | sum >"$work/many.$i") & pids="$pids $!"; done
wait $pids
check '100 calls at once' "$(sum </etc/passwd)" "$(cat "$work"/many.* | sort -u)"
check 'their ports' '0 in use' "$(ports)"
check 'violations so far' 0 "$(violations)"

# QubesDB both ways
"$unik_dom0" qubesdb write /vm-config/x "$(printf 'v%.0s' $(seq 3071))"
"$unik_dom0" qubesdb rm /vm-config/
unanswered() { "$unik_dom0" status | sed -n 's/^qubesdb: .*, \([0-9]*\) unanswered/\1/p'; }
for _ in $(seq 6000); do [ "$(unanswered)" = 0 ] && break; sleep 0.05; done
check 'changes are acknowledged' 0 "$(unanswered)"

fault() { "$unik_dom0" fault none; "$unik_dom0" fault "$1"; }
fault half-message; "$unik_dom0" fault half-data; "$unik_dom0" fault half-qubesdb
check 'half messages' "$(sum <"$work/services/t.Cat")" "$(call t.Cat <"$work/services/t.Cat" | sum)"
fault slow-reader=100000
check 'a slow reader' 30000 "$(call t.Size+30000 </dev/null | wc -c)"
fault late-data-server=0.3
check 'a late data server' 7 "$(code t.Exit+7)"
fault drop-data-after=100000x1
check 'a data channel that is cut' 255 "$(call t.Cat >/dev/null </dev/zero; echo $?)"
check 'its port' '0 in use' "$(ports)"
fault drop-data-after=100000x1
check 'output that is cut, of a service that reads nothing' 255 "$(code t.Size+5000000)"
check 'the port of that' '0 in use' "$(ports)"
fault oversizex1
check 'a data message too large' 255 "$(code t.Cat)"
fault garbagex1
check 'garbage' 255 "$(code t.Cat)"
fault drop-control-after=2
check 'control dropped under a call' 9 "$(code t.Exit+9)"
check 'connected again' 0 "$(connected)"
fault restart=0.3
sleep 0.1
check 'connected after a restart' 0 "$(connected)"
fault none
"$unik_dom0" fault qubesdb-drop-in-dump=3
"$unik_dom0" restart --seconds 0.1 qubesdb
check 'QubesDB cut within its dump' 0 "$(sleep 0.5; connected)"
"$unik_dom0" fault none
check 'works as before' 3 "$(code t.Exit+3)"
check 'violations after all faults' 0 "$(violations)"
check 'ports after all faults' '0 in use' "$(ports)"

# order WHICH: the guest ends as it should
order() {
    kill -0 "$guest" 2>/dev/null; check "$1 guest lives" 0 $?
    kill "$guest"; wait "$guest"; check "$1 guest ends in order" 0 $?; guest=
    "$unik_dom0" wait --seconds 600 gone; check "dom0 sees $1 guest go" 0 $?
}
order 'the'

# A guest that does not wait for long, for the one call that nobody serves: it gives the port back. Other calls than that, a slow
# machine could fail here.
begin 1s
check 'another guest connects' 0 "$(connected)"
fault no-data-server=0.5x1
check 'no data server' 125 "$(code t.Exit+7)"
check 'the port of that call' '0 in use' "$(ports)"
order 'this'
"$unik_dom0" stop; wait "$dom0"; check 'dom0 ends without a violation' 0 $?; dom0=
[ $failed = 0 ] || { echo "--- dom0"; tail -n 30 "$work/dom0.log"; echo "--- guest"; tail -n 30 "$work/guest.log"; }
echo "$((done - failed)) passed, $failed failed"
[ $failed = 0 ]
