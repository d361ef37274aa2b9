#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Services as files, end to end: unik-dom0 calls through the socket vchan what unik-supervisor finds, runs and answers.
# At the end dom0 has seen no violation, every port is back, and the guest has no descriptor and no child more than before.
set -u
dom0=$UNIK_BUILD/tools/unik-dom0/unik-dom0
work=$(mktemp -d)
passed=0 failed=0 dom0_pid= guest_pid=
finish() {
    [ -z "$guest_pid" ] || kill "$guest_pid" 2>/dev/null
    [ -z "$dom0_pid" ] || kill "$dom0_pid" 2>/dev/null
    wait
    rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 99
export UNIK_DOM0_STATE=$work/state
me=$(id -un)

# same NAME WANT GOT
same() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else
        failed=$((failed + 1)); echo "FAIL: $1: wanted \"$2\", got \"$3\""
    fi
}
# call WORD...: output in `out`, stderr in `err`, exit code in rc
call() { "$dom0" call --user "$me" --source work "$@" >out 2>err; rc=$?; }
service() { printf '#!/bin/sh\n%s\n' "$2" >"rpc/$1"; chmod 755 "rpc/$1"; }
fds() { find "/proc/$guest_pid/fd" -mindepth 1 | wc -l; }
children() { cat "/proc/$guest_pid/task/$guest_pid/children" 2>/dev/null | wc -w; }

mkdir state rpc config
"$dom0" start --state state --domid 1 --name vm1 >dom0.log 2>&1 & dom0_pid=$!
for ((i = 0; i < 200; i++)); do [ -S state/dom0.sock ] && break; sleep 0.05; done
cat >guest.conf <<END
target = qubes
[vchan-socket]
domid = 1
dir = $work/state/vchan
[qrexec]
exec = yes
service-path = $work/rpc
config-path = $work/config
agent-socket = $work/agent
END
"$UNIK_BUILD/unik-supervisor" -c guest.conf >guest.log 2>&1 & guest_pid=$!
"$dom0" wait --seconds 600 qrexec >/dev/null || { cat guest.log dom0.log; exit 1; }

service test.Echo 'cat; echo "[$1] from $QREXEC_REMOTE_DOMAIN"; echo oops >&2; exit 7'
call test.Echo+arg <<<hello
same "output" $'hello\n[arg] from work' "$(cat out)"
same "stderr" "oops" "$(cat err)"
same "exit code" 7 $rc
before=$(fds)

service test.Env 'env | grep ^QREXEC_ | sort'
call test.Env </dev/null
same "environment" $'QREXEC_REMOTE_DOMAIN=work\nQREXEC_REQUESTED_TARGET_TYPE=' \
    "$(grep -v -e SERVICE_FULL_NAME -e SERVICE_ARGUMENT -e SERVICE_PATH out)"
call test.None </dev/null; same "no such service" 127 $rc
echo text >rpc/test.Data; call test.Data </dev/null; same "no program" 125 $rc
service test.Killed 'kill -9 $$'; call test.Killed </dev/null; same "killed" 137 $rc
service test.Bad 'true'; echo 'wait-for-session = maybe' >config/test.Bad
call test.Bad </dev/null; same "bad config" 125 $rc
service test.Unread 'exit 0'; head -c 3000000 /dev/zero | call test.Unread; call test.Unread </dev/null
same "input nobody reads" 0 $rc
service test.Back '(sleep 0.5; echo late) & exit 42'; call test.Back </dev/null
same "background child" "late 42" "$(cat out) $rc"
service test.Cat 'exec cat'
head -c 50000000 /dev/urandom >big
for size in 0 1 65536 65537 50000000; do
    head -c $size big >in; call test.Cat <in
    same "$size bytes there and back" "0 $(md5sum <in)" "$rc $(md5sum <out)"
done

"$dom0" exec "$me:echo \$USER" </dev/null >out 2>err; same "shell command" "$me" "$(tail -n 1 out)"
"$dom0" exec "$me:exit 3" </dev/null >out 2>err; same "its exit code" 3 $?
"$dom0" exec nosuchuser:true </dev/null >out 2>err; same "unknown user" 125 $?
"$dom0" exec --just "$me:touch $work/just" </dev/null; same "started only" 0 $?
for ((i = 0; i < 200; i++)); do [ -e just ] && break; sleep 0.05; done
same "and ran" 0 "$([ -e just ]; echo $?)"

service test.Number 'read x; sleep 0.2; echo "$x$1"; exit $1'
pids=()
for ((i = 0; i < 100; i++)); do
    (echo "n" | "$dom0" call --user "$me" test.Number+$i >"n$i"; echo $? >>"n$i") & pids+=($!)
done
wait "${pids[@]}"
wrong=0
for ((i = 0; i < 100; i++)); do [ "$(cat n$i)" = "n$i"$'\n'"$i" ] || wrong=$((wrong + 1)); done
same "100 at a time" 0 $wrong

# a caller that goes away: its child is not killed, and the guest goes on
service test.Long "cat >/dev/null; sleep 0.3; touch $work/long"
(sleep 30 & echo $! >sleeper; exec "$dom0" call --user "$me" test.Long) </dev/zero >/dev/null 2>&1 & pid=$!
sleep 0.3; kill -9 $pid; wait $pid 2>/dev/null; kill "$(cat sleeper)"
for ((i = 0; i < 200; i++)); do [ -e long ] && break; sleep 0.05; done
same "child of a lost caller" 0 "$([ -e long ]; echo $?)"

for ((i = 0; i < 200; i++)); do [ "$(children)" = 0 ] && [ "$(fds)" = "$before" ] && break; sleep 0.05; done
same "children left" 0 "$(children)"
same "descriptors" "$before" "$(fds)"
"$dom0" status --strict >status; same "violations" 0 $?
same "ports" "ports: 0 in use" "$(grep ^ports: status)"
kill $guest_pid; wait $guest_pid; same "guest ends" 0 $?
guest_pid=
same "socket removed" 1 "$([ -e agent ]; echo $?)"
"$dom0" stop >/dev/null; wait $dom0_pid; dom0_pid=
[ $failed = 0 ] || { cat guest.log dom0.log; }
echo "$passed passed, $failed failed"
[ $failed = 0 ]
