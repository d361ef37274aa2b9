#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Many at a time and many one after another: 200 calls at once beside callers that stand still, 1,000 calls, dom0's daemons
# that come and go hundreds of times. Nothing may be left of it: no descriptor, port, watch or byte.
. "$(dirname "$0")/e2e/lib.sh"

service p.Echo 'exec cat'
ulimit -Sn 256                          # more descriptors than that are needed: programs must see to it themselves
dom0
guest 1
ulimit -Sn "$(ulimit -Hn)"
call t.Echo <<<"first"
remember 1

# ---- callers that stand still do not hold up others ----
# A gate lets one through for each line that is written to it; it is open both ways here, so that nobody finds its end.
gate() { mkfifo "$1"; exec {fd}<>"$1"; eval "$1=$fd"; }
gate read_all; gate read_count; gate speak; gate all
raw_call() { exec "$unik_dom0" call --user "$me" "$@"; }
raw_call t.Source+50000000 </dev/null | { read -r _ <read_all; sum; } >sum & reader=$!
head -c 3000000 /dev/zero | raw_call p.Echo | { read -r _ <read_count; wc -c; } >count & program=$!
{ read -r _ <speak; echo "at last"; } | raw_call t.Echo >said & silent=$!
raw_call t.Slow </dev/zero & others+=($!)
running() { [ "$(report 1 | sed -n 's/^  calls_running: //p')" = $(($1 + 1)) ]; }
until_true running 4; same "four stand still" 0 $?

service p.Limit 'ulimit -Sn'
call p.Limit </dev/null; same "descriptors of a program: what we were started with" 256 "$(cat out)"

# ---- 200 at once: each has begun before the first gets its input ----
pids=()
for ((i = 0; i < 200; i++)); do
    service=t.Echo; [ $((i % 4)) != 0 ] || service=p.Echo
    { read -r _ <all; echo "this is $i"; } | raw_call --timeout 600 $service >"out$i" 2>"err$i" & pids+=($!)
done
until_true running 204; same "200 at once" 0 $?
for ((i = 0; i < 200; i++)); do echo; done >&"$all"
wrong=0
for ((i = 0; i < 200; i++)); do
    wait "${pids[i]}" && [ "$(cat "out$i")" = "this is $i" ] || { wrong=$((wrong + 1)); head -n 1 "err$i"; }
done
same "200 calls, wrong" 0 $wrong
until_true running 4; same "four still stand still" 0 $?

# ---- those go on when they may, and lose nothing ----
echo >&"$read_all"; wait $reader
same "the slow reader gets all" "$(seq -f %015.0f 0 3124999 | sum)" "$(cat sum)"
echo >&"$read_count"; wait $program
same "the slow program's caller gets all" 3000000 "$(cat count)"
echo >&"$speak"; wait $silent
same "the silent one speaks" "at last" "$(cat said)"
kill "${others[0]}"; wait "${others[0]}" 2>/dev/null; others=()
nothing_left "after many at once" 1

# ---- 1,000 calls ----
burst() {       # burst N: 4 at a time, N calls each, wrong ones counted
    local w i
    for w in 1 2 3 4; do
        (for ((i = 0; i < $1; i++)); do
            [ "$("$unik_dom0" call t.Echo <<<"$w $i" 2>&1)" = "$w $i" ] || echo wrong
        done) >"burst$w" & pids[w]=$!
    done
    wait "${pids[1]}" "${pids[2]}" "${pids[3]}" "${pids[4]}"
    cat burst[1-4] | grep -c wrong
}
same "calls to warm up, wrong" 0 "$(burst 20)"
restarts() {    # restarts N DAEMON
    local i
    for ((i = 0; i < $1; i++)); do
        ask restart --seconds 0 "$2" && ask wait --seconds 600 "$2" || { same "restarts of $2's daemon" "$1" $i; break; }
    done
}
restarts 5 qubesdb; restarts 1 qrexec
nothing_left "warm" 1
watches=$(counter 1 qubesdb watches)
heap() { "$unik_dom0" call t.Heap </dev/null; }
heap_is() { [ "$(heap)" = "$1" ]; }
heap=$(heap) rss=$(resident 1) calls=$(counter 1 echo-app calls)
same "1,000 calls, wrong" 0 "$(burst 250)"
nothing_left "1,000 calls" 1
below "1,000 calls were made here" 1200 "$(($(counter 1 echo-app calls) - calls))"
below "1,000 calls, bytes left" 4096 $(($(heap) - heap))

# ---- dom0's daemons come and go ----
restarts 300 qubesdb; restarts 200 qrexec
below "QubesDB connects" 400 "$(counter 1 qubesdb connects)"
below "300 of them" "$(counter 1 qubesdb connects)" 300
nothing_left "restarts" 1
below "restarts, bytes left" 4096 $(($(heap) - heap))
same "restarts, watches" "$watches" "$(counter 1 qubesdb watches)"
for ((i = 0; i < 3; i++)); do
    same "violations" 0 "$(violations)"
    stop_dom0; same "dom0 ends without a violation" 0 $?
    dom0; connected 1
done
nothing_left "dom0 anew" 1
below "all of it, bytes left" 4096 $(($(heap) - heap))
[ "$sanitized" != 0 ] || below "resident memory grew, kB" 1024 $(($(resident 1) - rss))
same "violations" 0 "$(violations)"
stop_dom0; same "dom0 ends without a violation" 0 $?
end_guest 1; same "the guest ends in order" 0 $rc
verdict
