# SPDX-License-Identifier: BSD-2-Clause
# lib.sh - for tests that run unik-dom0 and unik-supervisor as processes: read it first, then setup.
#
# Everything lives in a folder of its own, which is left as it was found: at the end every process that was started is
# ended, by its number, and the folder removed.
#
# Nothing depends on time: a machine that stands still for half a minute, or is slow, fails no test. So nobody here is ever
# late (deadlines are an hour), and who waits for something waits for long. A short deadline is only for what does not come
# in any case.
set -u
[ -n "${E2E_BOUND-}" ] || E2E_BOUND=yes exec timeout -k 10 "${E2E_SECONDS:-1800}" bash "$0" "$@"
unik_dom0=$UNIK_BUILD/tools/unik-dom0/unik-dom0
supervisor=$UNIK_BUILD/unik-supervisor
echo_app=$UNIK_BUILD/tests/e2e/.libs/echo-app.so
me=$(id -un)
passed=0 failed=0
dom0_pid= guest_pid=() others=()
work=$(mktemp -d /tmp/e2e-XXXXXX) || exit 99
sanitized=$(ldd "$supervisor" 2>/dev/null | grep -c -e libasan -e libclang_rt.asan)

finish() {
    local pid
    for pid in ${others[@]+"${others[@]}"} ${guest_pid[@]+"${guest_pid[@]}"} $dom0_pid; do kill "$pid" 2>/dev/null; done
    for pid in ${others[@]+"${others[@]}"}; do
        until_true gone "$pid" || kill -KILL "$pid"
    done 2>/dev/null
    wait
    cd / && rm -rf "$work"
}
gone() { ! kill -0 "$1" 2>/dev/null; }
trap finish EXIT
trap 'exit 99' INT TERM HUP
cd "$work" || exit 99
export UNIK_DOM0_STATE=$work/state
mkdir state rpc

# ---- judging ----

# same NAME WANTED FOUND
same() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); return 0; fi
    failed=$((failed + 1)); echo "FAIL: $1: wanted \"$2\", found \"$3\""
    return 1
}
# below NAME LIMIT FOUND
below() {
    if [ -n "$3" ] && [ "$3" -lt "$2" ]; then passed=$((passed + 1)); return 0; fi
    failed=$((failed + 1)); echo "FAIL: $1: wanted less than $2, found \"$3\""
    return 1
}
# until_true COMMAND...: soon; its exit code
until_true() {
    local end=$((SECONDS + 600))
    while ! "$@"; do
        [ $SECONDS -lt $end ] || { echo "not in time: $*"; return 1; }
        sleep 0.03
    done
}
verdict() {
    local i
    if [ $failed != 0 ]; then
        echo "--- dom0"; grep VIOLATION dom0.log | tail -n 20; tail -n 40 dom0.log
        for i in guest*.log; do echo "--- $i"; tail -n 60 "$i"; done
    fi
    echo "$(basename "$0"): $passed passed, $failed failed"
    [ $failed = 0 ]
}

# ---- dom0 ----

# dom0 [OPTION...]: start it
dom0() {
    : >dom0.out
    "$unik_dom0" start --state "$work/state" --deadline 3600 --connect-timeout 3600 "$@" >dom0.out 2>>dom0.log & dom0_pid=$!
    until_true grep -qs '^ready' dom0.out || { cat dom0.log; exit 1; }
}
# ask WORD...: a request to the running one
ask() { "$unik_dom0" "$@"; }
stop_dom0() { kill "$dom0_pid"; wait "$dom0_pid"; local rc=$?; dom0_pid=; return $rc; }
# Over all VMs.
violations() { ask status | awk '/^violations: / { n += $2 } END { print n + 0 }'; }
in_use() { ask status ${1:+--vm "$1"} | awk '/^ports: / { n += $2 } END { print n + 0 }'; }
no_ports() { [ "$(in_use)" = 0 ]; }

# ---- guests ----

# guest N [LINE...]: start VM N; lines are appended to its config
guest() {
    local n=$1; shift
    { cat <<-END
	target = qubes
	drain-timeout = ${E2E_DRAIN:-2s}
	stop-timeout = 50s
	[vchan-socket]
	domid = $n
	dir = $work/state/vchan
	[qubesdb]
	retry = 5ms
	retry-max = 20ms
	[echo-app]
	file = $echo_app
	[qrexec]
	service-path = $work/rpc
	config-path = $work
	exec = yes
	connect-timeout = 100s
	retry-max = 20ms
	END
      printf '%s\n' "$@"; } >"guest$n.conf"
    launch "$n"
    connected "$n" || { cat "guest$n.log" dom0.log; exit 1; }
}
# launch N: the same again
launch() { "$supervisor" -c "guest$1.conf" >>"guest$1.log" 2>&1 & guest_pid[$1]=$!; }
connected() { ask wait --vm "$1" --seconds 600 qrexec >/dev/null && ask wait --vm "$1" --seconds 600 qubesdb >/dev/null; }
# end_guest N: SIGTERM; its exit code in rc
end_guest() { kill "${guest_pid[$1]}"; wait "${guest_pid[$1]}"; rc=$?; unset "guest_pid[$1]"; }
alive() { kill -0 "${guest_pid[$1]}" 2>/dev/null; }
service() { printf '#!/bin/sh\n%s\n' "$2" >"rpc/$1"; chmod 755 "rpc/$1"; }

# call [--vm N] SERVICE: output in `out`, stderr in `err`, exit code in rc
call() { "$unik_dom0" call --user "$me" --timeout 600 "$@" >out 2>err; rc=$?; }
sum() { md5sum | cut -c 1-32; }

# ---- what is left in a guest when nothing runs ----

report() { "$unik_dom0" call --vm "$1" --timeout 600 unik.Status </dev/null; }
# counter N PLUGIN NAME: from unik.Status
counter() { report "$1" | awk -v p="^$2: " -v c="  $3: " '/^[a-z]/ { on = $0 ~ p } on && index($0, c) == 1 { print $2 }'; }
fds() { find "/proc/${guest_pid[$1]}/fd" -mindepth 1 | wc -l; }
children() { wc -w <"/proc/${guest_pid[$1]}/task/${guest_pid[$1]}/children"; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/${guest_pid[$1]}/status"; }
# The report's own call is not counted.
left() {
    report "$1" | awk '
        /^[a-z-]+: / { plugin = $1 }
        plugin == "qrexec:" && $1 == "calls_running:" { calls = $2 - 1 }
        plugin == "qrexec:" && $1 == "ports_unreleased:" { ports = $2 }
        plugin == "vchan-socket:" && $1 == "open:" { open = $2 - 1 }
        plugin == "vchan-socket:" && $1 == "closing:" { closing = $2 }
        plugin == "echo-app:" && $1 == "jobs:" { jobs = $2 }
        END { print "calls " calls ", ports " ports ", channels " open ", closing " closing ", jobs " jobs }'
    echo "fds $(fds "$1"), children $(children "$1"), dom0's ports $(in_use "$1")"
}
# remember N: now is how it should be again
remember() {
    local again
    for again in 1 2 3 4 5 6 7 8 9; do
        wanted_left[$1]=$(left "$1"); sleep 0.05
        [ "${wanted_left[$1]}" != "$(left "$1")" ] || break
    done
    same "nothing runs in VM $1" "calls 0, ports 0, channels 2, closing 0, jobs 0" "$(head -n 1 <<<"${wanted_left[$1]}")"
}
wanted_left=()
nothing_new() { [ "$(left "$1")" = "${wanted_left[$1]}" ]; }
# nothing_left NAME N: soon all is as remembered, and the VM serves
nothing_left() {
    until_true nothing_new "$2" >/dev/null
    same "$1: left in VM $2" "${wanted_left[$2]}" "$(left "$2")"
    call --vm "$2" t.Echo <<<"still here"
    same "$1: VM $2 serves" "0 still here" "$rc $(cat out)"
}
