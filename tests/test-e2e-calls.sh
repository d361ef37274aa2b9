#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Calls of all sizes through unik-dom0 and unik-supervisor, to services inside the process and to programs, with each protocol
# version: every byte, stdout and stderr apart, exit codes; and callers that leave in every state of a call.
. "$(dirname "$0")/e2e/lib.sh"

service p.Echo 'exec cat'
service p.Sink 'exec wc -c'
service p.Source 'exec head -c "$1" "'"$work"'/lines"'
service p.Exit 'echo "exit $1" >&2; exit "$1"'
service p.Err 'exec cat >&2'
seq -f %015.0f 0 3124999 >lines         # 50,000,000 bytes, as t.Source makes them
most=50000000
[ "$sanitized" = 0 ] || most=20000000
head -c $most lines >big

# all_ways KIND SIZE: KIND is t (in the process) or p (a program)
all_ways() {
    local what="$1, $2 bytes, protocol $protocol"
    head -c "$2" lines >in
    call "$1.Echo" <in
    cmp in out && [ $rc = 0 ] && [ ! -s err ]; same "$what, there and back" 0 $?
    call "$1.Sink" <in
    same "$what, in" "0 $2" "$rc $(tr -d ' ' <out)"
    call "$1.Source+$2" </dev/null
    cmp in out && [ $rc = 0 ]; same "$what, out" 0 $?
}

for protocol in 4 3 2; do
    dom0 --protocol $protocol
    if [ -z "${guest_pid[1]-}" ]; then guest 1; else connected 1; fi
    same "protocol" $protocol "$(ask status | sed -n 's/^qrexec: connected, protocol \([0-9]\) .*/\1/p')"
    remember 1
    for size in 0 1 4096 4097 65536 65537; do
        for kind in t p; do all_ways $kind $size; done
    done
    [ $protocol = 4 ] && for kind in t p; do all_ways $kind $most; done
    for kind in t p; do
        for code in 0 1 77 255; do
            call $kind.Exit+$code <in
            same "$kind exit code $code" "$code exit $code" "$rc $(cat err)"
        done
        head -c 1000000 lines >in
        call $kind.Err <in
        cmp in err && [ $rc = 0 ] && [ ! -s out ]; same "$kind stderr alone, protocol $protocol" 0 $?
    done
    call t.None </dev/null; same "no such service" 127 $rc

    # Callers that leave: before anything was said, in the middle of input, of output, of both, after their end of input.
    leave() {   # leave NAME SERVICE INPUT
        mkfifo fifo
        "$unik_dom0" call --user "$me" "$2" <fifo >/dev/null 2>&1 & local pid=$!
        eval "$3" >fifo & local feeder=$!
        sleep 0.15
        kill -KILL $pid $feeder 2>/dev/null; wait $pid $feeder 2>/dev/null
        rm fifo
    }
    leave silent t.Echo 'exec sleep 20'
    leave silent p.Echo 'exec sleep 20'
    leave reading t.Sink 'exec cat /dev/zero'
    leave reading p.Sink 'exec cat /dev/zero'
    leave "writing" t.Source+5000000000 'exec sleep 20'
    leave both t.Echo 'exec cat /dev/zero'
    leave both p.Echo 'exec cat /dev/zero'
    [ $protocol != 4 ] || leave unread t.Slow "exec cat /dev/zero"      # noticed once dom0 gives up sending, 5 s later
    leave "after its end" t.Slow :
    nothing_left "callers that leave, protocol $protocol" 1
    same "violations, protocol $protocol" 0 "$(violations)"
    stop_dom0; same "dom0 ends without a violation" 0 $?
done
# A dom0 in the background of a terminal, and a call from the foreground with that terminal as input.
cat >from-terminal <<END
set -m
"$unik_dom0" start --state "$work/state" >dom0.out 2>>dom0.log & echo \$! >dom0.pid
"$unik_dom0" wait --seconds 600 qrexec
"$unik_dom0" call --timeout 600 --user "$me" t.Exit+7; echo "code \$?" >terminal.code
END
: >dom0.out
script -qec "bash from-terminal" /dev/null </dev/null >/dev/null 2>&1 & others+=($!)
until_true test -s terminal.code; same "a call from dom0's own terminal" "code 7" "$(cat terminal.code)"
kill "$(cat dom0.pid)" 2>/dev/null; until_true gone "$(cat dom0.pid)"
alive 1; same "the guest lives" 0 $?
end_guest 1; same "the guest ends in order" 0 $rc
verdict
