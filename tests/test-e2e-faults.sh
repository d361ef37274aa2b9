#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every mistake that dom0 can be told to make (unik-dom0 fault), while calls run both ways. After each, the VM serves as
# before, has broken no rule, and holds nothing more than before: descriptors, calls, ports, channels.
. "$(dirname "$0")/e2e/lib.sh"

service p.Echo 'exec cat'
mkdir services
printf '#!/bin/sh\nexec cat\n' >services/d.Echo; chmod 755 services/d.Echo
seq -f %015.0f 0 62499 >lines           # 1,000,000 bytes

dom0 --services "$work/services"
guest 1
call t.Call+dom0.d.Echo <lines; cmp -s lines out && [ $rc = 0 ]; same "a call to dom0" 0 $?
remember 1

# fault SPEC: from now on; without: no more
fault() { ask fault none; [ $# = 0 ] || ask fault "$1"; }
# after NAME: the fault is over
after() {
    fault
    connected 1; same "$1: connected" 0 $?
    nothing_left "$1" 1
    call t.Call+dom0.d.Echo <lines; cmp -s lines out && [ $rc = 0 ]; same "$1: calls to dom0 as before" 0 $?
    same "$1: violations" 0 "$(violations)"
}
# whole NAME SERVICE...: calls that must succeed under the fault, with all bytes
whole() {
    local name=$1 s; shift
    for s in "$@"; do
        call "$s" <lines
        cmp -s lines out && [ $rc = 0 ]; same "$name: $s" 0 $? || head -n 2 err
    done
}
# ends NAME CODE SERVICE...: calls that must end with that code
ends() {
    local name=$1 code=$2 s; shift 2
    for s in "$@"; do call "$s" <lines; same "$name: $s" "$code" $rc; done
}
all_echoes="t.Echo p.Echo t.Call+dom0.d.Echo"

# ---- messages in halves ----
ask fault half-message; ask fault half-data; ask fault half-qubesdb
head -c 200000 lines >short; mv short lines         # each message takes a while now
whole halves $all_echoes
ask qubesdb write /e2e/x 1; ask qubesdb rm /e2e/x
call t.Exit+5 </dev/null; same "halves: exit code" 5 $rc
after halves

# ---- a reader of 100,000 bytes a second, and others beside it ----
fault slow-reader=100000x1
call t.Source+200000 </dev/null & slow=$!
"$unik_dom0" call t.Echo <lines >beside; same "slow reader: a call beside it" 0 $?
cmp lines beside; same "slow reader: its bytes" 0 $?
wait $slow; same "slow reader: it gets all" 200000 "$(wc -c <out)"
after "slow reader"

# ---- the data channel ----
fault late-data-server=0.5
whole "late data server" t.Echo
after "late data server"
for n in 0 1 70000; do
    fault drop-data-after=$n
    ends "data dropped after $n bytes" 255 t.Echo p.Echo t.Source+1000000 t.Call+dom0.d.Echo
    after "data dropped after $n bytes"
done
for f in oversize garbage; do
    fault $f
    ends $f 255 t.Echo p.Echo t.Slow
    # the guest is the caller here, and dom0's program the one that goes wrong
    fault; ask fault ${f}x2
    call t.Call+dom0.d.Echo <lines; same "$f, both channels of a call to dom0" 255 $rc
    after $f
done

# ---- refusals ----
fault refuse-all
ends "refused" 126 t.Call+dom0.d.Echo t.Call+nowhere.d.Echo
after "refused"

# ---- daemons that go away ----
for n in 1 2 3; do
    fault drop-control-after=$n
    ends "control dropped after $n messages" 9 t.Exit+9
    after "control dropped after $n messages"
done
# calls that run go on without the daemon, those that wait for its answer end
pause() { mkfifo gate; exec {gate}<>gate; }
pause
{ read -r _ <gate; cat lines; } | "$unik_dom0" call --user "$me" t.Echo >out1 2>err1 & pid1=$!
{ read -r _ <gate; cat lines; } | "$unik_dom0" call --user "$me" p.Echo >out2 2>err2 & pid2=$!
{ read -r _ <gate; cat lines; } | "$unik_dom0" call --user "$me" t.Call+dom0.d.Echo >out3 2>err3 & pid3=$!
running() { [ "$(report 1 | sed -n 's/^  calls_running: //p')" = $(($1 + 1)) ]; }
until_true running 4; same "four calls run" 0 $?        # t.Call is two of them
ask restart --seconds 0.3 qrexec; ask restart --seconds 0.3 qubesdb
connected 1; same "daemons are back" 0 $?
printf '\n\n\n' >&"$gate"
wait $pid1 && cmp lines out1; same "a call over a restart" 0 $?
wait $pid2 && cmp lines out2; same "a program over a restart" 0 $?
wait $pid3 && cmp lines out3; same "a call to dom0 over a restart" 0 $?
after "restart while calls run"
fault restart=0.3
sleep 0.1; connected 1; same "both daemons restart" 0 $?
after "restart"
for n in 0 1 5; do
    fault qubesdb-drop-in-dump=$n
    ask restart --seconds 0 qubesdb
    connected 1; same "QubesDB dropped after $n entries of the dump" 0 $?
    after "QubesDB dropped after $n entries"
done
# the same from the first moment on
stop_dom0; same "dom0 ends without a violation" 0 $?
dom0 --fault drop-control-after=1 --fault qubesdb-drop-in-dump=2 --fault half-qubesdb --fault half-message --services "$work/services"
connected 1; same "dom0 begins badly" 0 $?
after "dom0 that began badly"

stop_dom0; same "dom0 ends without a violation" 0 $?
end_guest 1; same "the guest ends in order" 0 $rc

# ---- nobody serves the data channel ----
# dom0 and a guest that do not wait for long. No other call is made here: a slow machine could fail it.
sed -i 's/^connect-timeout.*/connect-timeout = 1s/' guest1.conf
dom0 --connect-timeout 2; launch 1; connected 1; same "a guest in a hurry" 0 $?
rest() { echo "fds $(fds 1), children $(children 1), dom0's ports $(in_use)"; }
at_rest() { [ "$(rest)" = "$rest" ]; }
# unserved NAME: nothing is left of such calls
unserved() {
    until_true no_ports; same "$1: ports" 0 "$(in_use)"
    : "${rest:=$(rest)}"                # the first calls open what the guest keeps
    until_true at_rest; same "$1: left" "$rest" "$(rest)"
    same "$1: violations" 0 "$(violations)"
}
rest=
for round in 1 2; do
    fault no-data-server
    ends "no data server" 125 t.Echo p.Echo
    fault no-data-server=0.1            # dom0 gives up before the guest
    ends "no data server" 125 t.Echo p.Echo
    unserved "no data server"
done
fault late-data-server=3600             # nor this one while its caller is there
"$unik_dom0" call t.Echo <lines >/dev/null 2>&1 & pid=$!
sleep 0.2; kill -KILL $pid; wait $pid 2>/dev/null
unserved "a caller that leaves before its channel is there"
stop_dom0; same "dom0 ends without a violation" 0 $?
end_guest 1; same "that guest ends in order" 0 $rc
verdict
