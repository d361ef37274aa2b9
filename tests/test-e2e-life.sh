#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How a VM ends, and what it survives: SIGTERM and dom0's word in xenstore while calls run, deadlines, an app that is loaded
# again in the middle of its calls, an app that fails, dom0 that comes late or not at all. What runs may take 50 s to end here: a
# guest that waited so long for something says so in its log.
E2E_DRAIN=50s
. "$(dirname "$0")/e2e/lib.sh"

service p.Echo 'exec cat'
mkfifo gate; exec {gate}<>gate
open_gate() { local i; for ((i = 0; i < $1; i++)); do echo; done >&"$gate"; }
# begin FILE SERVICE: a call whose input ends when the gate opens for it
begin() {
    rm -f "$1" "$1.rc"
    { echo "input of $1"; read -r _ <gate; } |
        { "$unik_dom0" call --user "$me" --timeout 600 "$2" >"$1" 2>"$1.err"; echo $? >"$1.rc"; } & pids+=($!)
}
running() { [ "$(report 1 | sed -n 's/^  calls_running: //p')" = $(($1 + 1)) ]; }
logged() { grep -q -e "$1" "guest1.log"; }
said() { until_true logged "$1"; same "log says $1" 0 $?; }
# ends NAME CODE: the guest ends with that code, and not since a drain-timeout was over
ended() { wait "${guest_pid[1]}"; same "$1: exit code" "$2" $?; unset 'guest_pid[1]'; }
ends() { ended "$@"; same "$1: waited in vain" "" "$(grep 'still running after' guest1.log)"; }
# drain SECONDS: how long what runs may take, of the next guest
drain() { sed -i "s/^drain-timeout.*/drain-timeout = $1/" guest1.conf; }
# What dom0 saw last. In which order, it cannot tell: it may find both channels at their end in one look.
went() { sed -n 's/^vm1: \([a-z]* gone\).*/\1/p' dom0.out | tail -n 2 | sort | paste -sd,; }
both() { [ "$(went)" = "qrexec gone,qubesdb gone" ]; }
both_gone() { until_true both; same "$1: dom0 sees" "qrexec gone,qubesdb gone" "$(went)"; }
fresh() { : >guest1.log; launch 1; connected 1 || { cat guest1.log; exit 1; }; }

dom0
guest 1
remember 1

# ---- SIGTERM: what runs may end, nothing new begins ----
pids=()
begin a t.Echo; begin b p.Echo
until_true running 2; same "two calls run" 0 $?
kill -TERM "${guest_pid[1]}"; said 'stopping: SIGTERM'
call t.Echo <<<x; same "a new call while it stops" "125 shutting down" "$rc $(cat err)"
call p.Echo <<<x; same "a new program while it stops" 125 $rc
call unik.Status </dev/null; same "even its status" 125 $rc
open_gate 2; wait "${pids[@]}"
for f in a b; do same "call $f ends as it would" "0 input of $f" "$(cat $f.rc) $(cat $f)"; done
ends "SIGTERM" 0
both_gone SIGTERM

# ---- the deadline cuts off what does not end ----
drain 2s; fresh
pids=()
begin a t.Slow; begin b t.Echo; begin c p.Echo
until_true running 3; same "three calls run" 0 $?
kill -INT "${guest_pid[1]}"; said 'stopping: SIGINT'
ended "deadline" 0; drain 50s
for f in a b; do until_true test -s $f.rc; same "call $f is cut off" 125 "$(cat $f.rc)"; done
until_true test -s c.rc; below "call c is cut off" 256 "$(cat c.rc)"; below "and has not ended in order" "$(cat c.rc)" 124
open_gate 3; wait "${pids[@]}"
said 'still running after 2 s is cut off'; said 'INF \[supervisor\] stopped'
# twice: without waiting
fresh
pids=(); begin a t.Echo
until_true running 1
kill -TERM "${guest_pid[1]}"; said 'stopping: SIGTERM'; kill -TERM "${guest_pid[1]}"
ends "second SIGTERM" 0
open_gate 1; wait "${pids[@]}"; same "the call is cut off" 125 "$(cat a.rc)"
# nothing runs: at once
fresh; kill -TERM "${guest_pid[1]}"; ends "idle" 0
same "violations so far" 0 "$(violations)"

# ---- dom0's word in xenstore ----
mkfifo xs.in xs.out
exec {xs_in}<>xs.in {xs_out}<>xs.out
"$UNIK_BUILD/tests/e2e/xenstored" <xs.in >xs.out & others+=($!)
read -r -t 600 socket <&"$xs_out"
xs() { echo "$*" >&"$xs_in"; read -r -t 600 reply <&"$xs_out"; echo "$reply"; }
xs set control/shutdown >/dev/null
printf '%s\n' '[xenstore]' "socket = $socket" '[lifecycle]' >>guest1.conf
features() { [ "$(xs get control/feature-poweroff) $(xs get control/feature-reboot)" = '"1" "1"' ]; }
acknowledged() { [ "$(xs get control/shutdown)" = '""' ]; }
for word in poweroff reboot halt; do
    fresh
    until_true features; same "$word: what it can do is announced" 0 $?
    same "no suspend" none "$(xs get control/feature-suspend)"
    pids=(); begin a t.Echo
    until_true running 1
    xs set control/shutdown $word >/dev/null
    until_true acknowledged; same "$word is acknowledged" 0 $?
    said "dom0 asks for $word"
    open_gate 1; wait "${pids[@]}"; same "$word: the running call ends as it would" "0 input of a" "$(cat a.rc) $(cat a)"
    ends $word 0
    same "$word: left in xenstore" "connections 0, watches 0, transactions 0" "$(xs left)"
done
fresh
xs set control/shutdown suspend >/dev/null; said 'suspend.*not acknowledged'
same "a word that is not obeyed stays" '"suspend"' "$(xs get control/shutdown)"
call t.Echo <<<x; same "and it goes on" "0 x" "$rc $(cat out)"
xs set control/shutdown >/dev/null
xs down >/dev/null; sleep 0.1; xs set control/feature-poweroff >/dev/null; xs set control/shutdown poweroff >/dev/null; xs up >/dev/null
ends "xenstored restarts with the word in it" 0
same "it is acknowledged" '""' "$(xs get control/shutdown)"

# ---- SIGHUP in the middle of calls ----
fresh; remember 1
fds=$(fds 1)
pids=(); begin a t.Echo; begin b t.Slow; begin c p.Echo
until_true running 3; same "three calls run" 0 $?
kill -HUP "${guest_pid[1]}"; said 'loading again'
for f in a b; do until_true test -s $f.rc; same "SIGHUP: call $f of the app is cut off" 125 "$(cat $f.rc)"; done
until_true running 1; same "the program's call runs on" 0 $?
open_gate 3; wait "${pids[@]}"
same "and ends as it would" "0 input of c" "$(cat c.rc) $(cat c)"
serves() { call t.Echo <<<again && [ "$rc $(cat out)" = "0 again" ]; }
until_true serves; same "the app serves again" 0 $?
nothing_left "SIGHUP" 1
for ((i = 0; i < 30; i++)); do kill -HUP "${guest_pid[1]}"; sleep 0.02; done
until_true serves; same "after thirty more" 0 $?
nothing_left "30 times SIGHUP" 1
below "times the app was loaded" 32 "$(grep -c 'loading again' guest1.log)"

# ---- an app that fails ----
starts() { report 1 | sed -n 's/^echo-app: ready .*, restarts \([0-9]*\)$/\1/p'; }
starts=$(starts)
call t.Fail </dev/null; same "t.Fail" 0 $rc
said 'failed: t.Fail was called'; said 'next try in 0.2 s'
call p.Echo <<<x; same "others go on" "0 x" "$rc $(cat out)"
until_true serves; same "it comes back" 0 $?
same "and says how often" $((starts + 1)) "$(starts)"
nothing_left "failure" 1
kill -USR1 "${guest_pid[1]}"; said '^echo-app: ready for'
end_guest 1; same "and ends in order" 0 $rc

sed -i 's/^\[echo-app\]/&\non-failure = ignore/' guest1.conf; fresh
call t.Fail </dev/null; said 'going on without it'
call t.Echo <<<x; same "ignored: its services are gone" 127 $rc
call p.Echo <<<x; same "ignored: others go on" "0 x" "$rc $(cat out)"
end_guest 1; same "ignored: ends in order" 0 $rc
sed -i 's/^on-failure = ignore/on-failure = shutdown/' guest1.conf; fresh
call t.Fail </dev/null; ends "on-failure = shutdown" 1

# ---- dom0 comes late, goes, does not come back ----
same "violations" 0 "$(violations)"
stop_dom0; same "dom0 ends without a violation" 0 $?
sed -i '/^on-failure/d' guest1.conf; : >guest1.log; launch 1
said 'INF \[vchan-socket\] ready'
kill -USR1 "${guest_pid[1]}"; said "^qrexec: starting .*waiting for dom0's qrexec daemon"; said '^echo-app: configured .* waits for qrexec/1'
dom0; connected 1; same "dom0 comes late" 0 $?
until_true serves; same "and calls" 0 $?
kill -KILL "$dom0_pid"; wait "$dom0_pid" 2>/dev/null; dom0_pid=
said 'qrexec daemon is gone'
kill -TERM "${guest_pid[1]}"; ends "dom0 has died" 0
verdict
