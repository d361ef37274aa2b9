#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dom0's daemon is killed 200 times while callers of two services, in the process and programs, do their calls, and started again each
# time: each call has its own answer and exit code 0, or a code that says it failed. Never another's, and never nothing with 0.
# KILLS=n: another number.
E2E_SECONDS=${E2E_SECONDS:-1500}
. "$(dirname "$0")/e2e/lib.sh"

kills=${KILLS:-200}
[ "$sanitized" = 0 ] || kills=${KILLS:-50}
service p.Echo 'exec cat'
service p.Name 'cat >/dev/null; echo "p.Name ran"'
# Of a daemon that was killed nobody hears whether it would have served: such a call ends when the guest gives it up.
dom0
guest 1
remember 1

# caller NAME SERVICE WANTED: until `stop` is there; a line for each answer that is wrong in `wrong-NAME`, the number of good ones in
# `good-NAME`
caller() {
    local name=$1 service=$2 wanted=$3 good=0 rc got
    : >"wrong-$name"
    while [ ! -e stop ]; do
        got=$(echo "I am $name" | "$unik_dom0" call --user "$me" --timeout 600 "$service" 2>/dev/null); rc=$?
        if [ "$rc $got" = "0 $wanted" ]; then good=$((good + 1)); echo $good >"good-$name"
        elif [ $rc = 0 ] || { [ -n "$got" ] && [ "${wanted#"$got"}" = "$wanted" ]; }; then echo "$rc \"$got\"" >>"wrong-$name"
        fi
    done
}
callers=()
call_all() {
    caller a t.Echo "I am a" & callers+=($!)
    caller b p.Name "p.Name ran" & callers+=($!)
    caller c t.Sink 7 & callers+=($!)
    caller d p.Echo "I am d" & callers+=($!)
}
good() { cat good-* 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'; }
more_good() { [ "$(good)" -gt "$1" ]; }

call_all
others+=("${callers[@]}")
lost=0
for ((i = 0; i < kills; i++)); do
    # Somewhere in a call, not in the same place each time; every fifth time the VM does not run until the next daemon is there.
    until_true more_good $lost >/dev/null; lost=$(good)
    sleep "0.00$((i % 10))"
    [ $((i % 5)) != 4 ] || { kill -STOP "${guest_pid[1]}"; sleep 0.02; }
    kill -KILL "$dom0_pid"; wait "$dom0_pid" 2>/dev/null
    dom0
    [ $((i % 5)) != 4 ] || { sleep 0.02; kill -CONT "${guest_pid[1]}"; }
done
touch stop
wait "${callers[@]}"
others=()
for name in a b c d; do
    same "wrong answers for caller $name" "" "$(head -n 3 wrong-$name)"
    [ "$(cat good-$name)" -gt 0 ]; same "caller $name was served" 0 $?
done
connected 1; same "connected in the end" 0 $?
nothing_left "$kills daemons" 1
same "violations" 0 "$(violations)"
echo "$kills kills, $(good) good answers"
alive 1; same "the guest lives" 0 $?
end_guest 1; same "the guest ends in order" 0 $rc
verdict
